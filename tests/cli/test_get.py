"""`fleet get`: what scripts rely on."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Commands, application
from tests.support import thing
from tui.demo.apiserver.access import Deny
from tui.domain.groups import cluster_secret_name


async def test_json_names_cluster_kind_namespace_name_and_every_column(calm: Commands) -> None:
    ran = await calm("get", "applications", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.json()
    assert [first["name"], second["name"]] == ["payments", "search"]
    assert list(first)[:4] == ["cluster", "kind", "namespace", "name"]
    wanted = {"cluster": "hub", "kind": "Application", "namespace": "argocd", "project": "shop"}
    wanted |= {"sync": "OutOfSync", "health": "Degraded", "autoSync": "off", "path": "payments"}
    assert {key: first[key] for key in wanted} == wanted
    assert first["created"].endswith("Z")


async def test_what_cannot_be_read_is_said_and_the_rest_still_printed(fleet: Commands) -> None:
    ran = await fleet("get", "pods", "-o", "name")
    assert ran.out.split() == ["prod-1/pods/data/db-0", "prod-1/pods/shop/web-1", "prod-1/pods/shop/web-2"]
    assert ran.code == 3
    assert "gone: Unreachable" in ran.err
    assert "refused" in ran.err


async def test_a_dead_cluster_that_was_not_asked_for_is_no_failure(fleet: Commands) -> None:
    ran = await fleet("get", "pods", "--cluster", "prod-*", "-o", "name")
    assert (ran.code, len(ran.out.split())) == (0, 3)


@pytest.mark.parametrize(
    ("glob", "names"),
    [("prod-*", ["payments", "search"]), ("hub", ["payments", "search"]), ("staging-*", [])],
)
async def test_applications_are_found_by_the_cluster_they_deploy_to(
    fleet: Commands, glob: str, names: list[str]
) -> None:
    ran = await fleet("get", "applications", "--cluster", glob, "-o", "json")
    assert [entry["name"] for entry in ran.json()] == names
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("-n", "shop"), ["web-1", "web-2"]),
        (("-l", "app=db"), ["db-0"]),
        (("-l", "app in (web), app!=db", "-A"), ["web-1", "web-2"]),
        (("web-2",), ["web-2"]),
    ],
)
async def test_namespace_selector_and_name_narrow(calm: Commands, arguments: tuple[str, ...], names: list[str]) -> None:
    ran = await calm("get", "po", *arguments, "-o", "json")
    assert [entry["name"] for entry in ran.json()] == names
    assert ran.code == 0


async def test_yaml_of_one_is_the_object_itself(calm: Commands) -> None:
    ran = await calm("get", "pod", "web-1", "-o", "yaml")
    found = yaml.safe_load(ran.out)
    assert (found["kind"], found["metadata"]["name"], found["status"]["phase"]) == ("Pod", "web-1", "Running")
    several = list(yaml.safe_load_all((await calm("get", "pods", "-o", "yaml")).out))
    assert [found["metadata"]["name"] for found in several] == ["db-0", "web-1", "web-2"]


async def test_columns_of_the_user_are_columns_like_others(calm: Commands) -> None:
    state = calm.folder / "state"
    state.mkdir(exist_ok=True)
    (state / "config.yaml").write_text("columns: [{kind: po, title: Phase seen, path: .status.phase, wide: true}]\n")
    assert "PHASE SEEN" not in (await calm("get", "pods")).out.upper()
    assert "PHASE SEEN" in (await calm("get", "pods", "-o", "wide")).out.upper()
    found = (await calm("get", "pods", "web-1", "-o", "json")).json()
    assert found[0]["phase_seen"] == "Running"


async def test_any_served_kind_is_found_by_discovery(calm: Commands) -> None:
    calm.servers[1].storage.create(
        thing("Lease", "leader", "kube-system", "coordination.k8s.io/v1", spec={"holderIdentity": "a"})
    )
    assert (await calm("get", "leases", "-o", "name")).out.split() == [
        "prod-1/leases.coordination.k8s.io/kube-system/leader"
    ]


async def test_wrong_usage_is_told_apart_from_trouble(calm: Commands) -> None:
    for arguments in (("nonsense",), ("pods", "-l", "a in"), ("pods", "-A", "-n", "x"), ("pods", "-o", "xml")):
        ran = await calm("get", *arguments)
        assert (ran.code, ran.out) == (2, ""), arguments
        assert ran.err
    missing = await calm("get", "pods", "nobody")
    assert missing.code == 1
    assert "no pods found" in missing.err


async def test_clusters_tell_their_state_and_why(fleet: Commands) -> None:
    ran = await fleet("get", "clusters", "-o", "json")
    found = {entry["name"]: entry for entry in ran.json()}
    assert {name: entry["state"] for name, entry in found.items()} == {
        "gone": "Unreachable",
        "hub": "Live",
        "prod-1": "Live",
    }
    assert "refused" in found["gone"]["reason"]
    assert ran.code == 0


async def test_text_from_a_cluster_stays_text(calm: Commands) -> None:
    evil = "\x1b]0;owned\x07[red]\u202e"
    calm.servers[0].storage.apply(
        {**application("evil"), "status": {"conditions": [{"type": "SyncError", "message": evil}]}}
    )
    table = await calm("get", "applications", "evil")
    assert "\x1b" not in table.out
    assert "\u202e" not in table.out
    assert "[red]" in table.out
    assert evil in (await calm("get", "applications", "evil", "-o", "json")).json()[0]["condition"]


RECORD = """
import atexit, json, sys
from pathlib import Path
target = Path(sys.argv[1])
atexit.register(lambda: target.write_text(json.dumps(sorted(sys.modules))))
sys.argv = ["fleet", *sys.argv[2:]]
from tui.cli import main
main()
"""


async def test_neither_textual_nor_git_is_imported(calm: Commands, tmp_path: Path) -> None:
    target = tmp_path / "modules.json"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RECORD, str(target), "get", "pods",
        env={**calm.environment(), "PYTHONPATH": str(Path(__file__).parents[2])}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await child.wait() == 0
    modules = set(json.loads(target.read_text()))
    assert "tui.fleet.runtime" in modules
    assert not modules & {"textual", "git"}


async def test_yaml_of_a_cluster_is_what_is_known_of_it(calm: Commands) -> None:
    ran = await calm("get", "clusters", "hub", "-o", "yaml")
    found = yaml.safe_load(ran.out)
    assert (found["name"], found["state"], found["role"]) == ("hub", "Live", "hub")


@pytest.mark.parametrize("denied", ["", "kube-system", "argocd"])
async def test_cluster_secrets_are_read_where_a_role_allows_it(calm: Commands, denied: str) -> None:
    """Everywhere, in the namespace of the Applications alone, or not at all: then labels are not known."""
    hub, spoke = calm.servers
    if denied:
        hub.access.deny.append(Deny("secrets", namespace=denied))
    marks = {"argocd.argoproj.io/secret-type": "cluster", "tier": "gold"}
    hub.storage.create(thing("Secret", cluster_secret_name(spoke.url), "argocd", labels=marks, data={"config": "eA=="}))
    ran = await calm("get", "clusters", "-l", "tier=gold", "-o", "name")
    assert ran.out.split() == ([] if denied == "argocd" else ["prod-1/clusters/prod-1"])
    assert ran.code == 0


async def test_describe_prints_text_of_every_cluster_that_has_it(calm: Commands) -> None:
    calm.servers[0].storage.create(thing("Pod", "web-1", "shop", spec={"nodeName": "n7"}))
    ran = await calm("describe", "po", "web-1")
    assert ran.code == 0
    first, second = ran.out.split("\n\nPod web-1\n") if ran.out.count("Pod web-1") == 2 else ("", "")
    assert first.startswith("Pod web-1\n  Cluster                hub\n") and "runs on                Node/n7" in first
    assert "  Labels                 app=web\n" in second and second.endswith("none of the last hour or so\n")
    missing = await calm("describe", "po", "nobody")
    assert (missing.code, missing.out) == (1, "") and "no po called nobody found" in missing.err
