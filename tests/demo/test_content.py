"""The demo's content: believable, whole, and wrong only where it means to be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tui.demo.content.clusters import CLUSTERS
from tui.demo.content.history import AUTHORS, STEPS, commits_of
from tui.demo.content.tree import final_tree
from tui.demo.controllers.cilium import problem_of
from tui.demo.repository import Reader, create_clone, create_origin, git

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
