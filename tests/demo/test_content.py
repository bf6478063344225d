"""The demo's content: believable, whole, and wrong only where it means to be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest
import yaml

from tui.demo.content.cilium import absent_kinds, settings_of, version_of
from tui.demo.content.clusters import CLUSTERS
from tui.demo.content.history import AUTHORS, STEPS, commits_of
from tui.demo.content.tree import final_tree
from tui.demo.controllers.cilium import problem_of
from tui.demo.repository import Reader, create_clone, create_origin, git
from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.policy import CCNP, CNP, Policy

REPO = "file:///srv/harbour/deploy.git"


def objects() -> list[tuple[str, dict]]:
    """(path, object) of every plain manifest."""
    return [
        (path, document)
        for path, text in final_tree(REPO).items()
        if path.endswith(".yaml") and "/chart/" not in path
        for document in yaml.safe_load_all(text)
        if document
    ]


def test_every_manifest_is_an_object_with_a_name() -> None:
    for path, obj in objects():
        assert obj["apiVersion"], path
        assert obj["kind"] == "Kustomization" or obj["metadata"]["name"], path


def test_there_is_enough_to_look_at() -> None:
    kinds = Counter(obj["kind"] for _, obj in objects())
    policies = kinds["CiliumNetworkPolicy"] + kinds["CiliumClusterwideNetworkPolicy"]
    assert policies >= 40
    assert kinds["NetworkPolicy"] >= 3
    assert kinds["Application"] >= 25
    assert kinds["ApplicationSet"] >= 2
    assert {spec.env for spec in CLUSTERS} >= {"hub", "prod", "staging", "dev", "edge"}
    assert any(spec.refuses for spec in CLUSTERS)
    assert any(spec.denies for spec in CLUSTERS)
    assert any(spec.host for spec in CLUSTERS)
    assert {spec.access for spec in CLUSTERS} == {"token", "certificate", "exec"}


def test_exactly_one_policy_is_invalid() -> None:
    bad = {
        path: problem_of(obj)
        for path, obj in objects()
        if obj["kind"].startswith("Cilium") and "NetworkPolicy" in obj["kind"] and problem_of(obj)
    }
    assert bad == {
        "platform/baseline/prod-us-1/policies/partner-feed.yaml": (
            "combining FromEndpoints and FromCIDR is not supported yet"
        )
    }


def test_what_fleet_finds_invalid_is_what_the_stand_in_of_the_operator_rejects() -> None:
    for path, obj in objects():
        if obj["kind"] in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"):
            resource = CNP if obj["kind"] == "CiliumNetworkPolicy" else CCNP
            policy = msgspec.convert(obj, Policy, strict=False)
            assert bool(problems(policy, resource)) == bool(problem_of(obj)), path


@pytest.mark.parametrize(
    "field",
    [
        "cidrGroupRef", "cidrGroupSelector", "dns", "egressDeny", "endPort", "except", "fromCIDRSet", "fromEntities",
        "http", "icmps", "ingressDeny", "ipBlock", "nodeSelector", "specs", "toCIDR", "toEntities", "toFQDNs",
    ],
)  # fmt: skip
def test_every_form_of_a_rule_is_there_to_look_at(field: str) -> None:
    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    assert any(field in keys(obj) for _, obj in objects() if "NetworkPolicy" in obj["kind"])


def test_the_same_policy_differs_is_missing_and_is_invalid_somewhere() -> None:
    found: dict[str, dict[str, str]] = {}
    for path, text in final_tree(REPO).items():
        place, _, name = path.removeprefix("platform/baseline/").partition("/policies/")
        if name:
            found.setdefault(name, {})[place] = text
    assert len(set(found["allow-scrape.yaml"].values())) > len({"prod", "staging"})  # its label says which
    assert "prod-ap-1" not in found["deny-cloud-metadata.yaml"]
    assert set(found["partner-feed.yaml"]) == {"prod-eu-1", "prod-us-1"}


def test_clusters_are_set_up_in_different_ways() -> None:
    settings = {spec.name: settings_of(spec) for spec in CLUSTERS if not spec.host}
    mesh = [spec.name for spec in CLUSTERS if spec.mesh]
    assert len({settings[name]["cluster-id"] for name in mesh}) == len(mesh) == 3
    assert len({version_of(spec) for spec in CLUSTERS}) >= 4
    for key, value in (
        ("policy-audit-mode", "true"),
        ("enable-host-firewall", "true"),
        ("policy-default-local-cluster", "true"),
        ("hubble-export-file-path", "stdout"),
    ):
        assert any(held.get(key) == value for held in settings.values()), key
    numbers = Counter(held["cluster-id"] for held in settings.values())
    assert {number: count for number, count in numbers.items() if count > 1}.keys() == {"0", "21"}, "one was copied"
    assert {bool(absent_kinds(spec)) for spec in CLUSTERS} == {True, False}


def test_the_history_ends_in_the_files() -> None:
    final = final_tree(REPO)
    tree: dict[str, str] = {}
    for commit in commits_of(final):
        assert commit.files, commit.message
        for path, text in commit.files.items():
            assert tree.get(path) != text, (commit.message, path)
            if text is None:
                del tree[path]
            else:
                tree[path] = text
    assert tree == final


def test_several_people_wrote_it_and_time_runs_forward() -> None:
    assert {step.author for step in STEPS} == set(AUTHORS)
    hours = [step.hours for step in STEPS]
    assert hours == sorted(hours, reverse=True)


def test_every_step_of_the_history_parses() -> None:
    tree: dict[str, str | None] = {}
    for commit in commits_of(final_tree(REPO)):
        tree |= commit.files
        for path, text in commit.files.items():
            if text and path.endswith(".yaml") and "/chart/" not in path:
                list(yaml.safe_load_all(text))


def test_an_edit_that_is_not_in_the_files_is_refused() -> None:
    final = final_tree(REPO)
    final["shop/payments/prod-us-1/deployment.yaml"] = "kind: Deployment\n"
    with pytest.raises(ValueError, match="changes nothing"):
        commits_of(final)


def test_the_repository_is_the_same_every_time(tmp_path: Path) -> None:
    heads = []
    for number in ("one", "two"):
        origin = tmp_path / number / "deploy.git"
        create_origin(origin, commits_of(final_tree(REPO)), 1_790_000_000.0)
        heads.append(git(origin, "rev-parse", "main"))
    assert heads[0] == heads[1]


def test_the_clone_is_clean_and_can_commit(tmp_path: Path) -> None:
    origin, clone = tmp_path / "deploy.git", tmp_path / "work"
    create_origin(origin, commits_of(final_tree(REPO)), 1_790_000_000.0)
    create_clone(origin.as_uri(), clone)
    assert git(clone, "status", "--porcelain") == b""
    assert git(clone, "config", "remote.origin.url").decode().strip() == origin.as_uri()
    assert b"Robin Berg" in git(clone, "var", "GIT_AUTHOR_IDENT")
    assert git(clone, "fsck", "--strict") is not None


def test_the_reader_reads_what_git_has(tmp_path: Path) -> None:
    origin = tmp_path / "deploy.git"
    final = final_tree(REPO)
    create_origin(origin, commits_of(final), 1_790_000_000.0)
    reader = Reader(origin)
    try:
        head = reader.resolve("main")
        assert head
        assert reader.resolve("no-such-branch") is None
        assert reader.resolve("--help") is None
        tree = reader.tree(head)
        assert {path: reader.blob(oid).decode() for path, oid in tree.items()} == final
        log = reader.log("main")
        assert len(log) == len(STEPS)
        assert log[0].sha == head
        assert sorted(reader.changed(log[1].sha, head)) == sorted(log[0].paths)
        assert [revision.time for revision in log] == sorted((revision.time for revision in log), reverse=True)
    finally:
        reader.close()
