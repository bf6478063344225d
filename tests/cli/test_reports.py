"""`fleet events`, `fleet doctor`, completion and usage."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Commands, application
from tui.cli.doctor import mend
from tui.cli.pulse import Changes
from tui.demo.apiserver.access import Deny
from tui.domain.cluster import ClusterState
from tui.domain.pulse import Pulse
from tui.domain.settings import Settings
from tui.fleet.derive import StoreFacts
from tui.store import Store


async def test_events_follow_an_application_as_json_lines_and_are_there_in_the_next_run(calm: Commands) -> None:
    child = await calm.start("events", "--follow", "--since", "10m", "-o", "json")
    assert child.stdout is not None
    try:
        while len(calm.servers[0].watches) < 2:  # Applications and their Events
            await asyncio.sleep(0.01)
        calm.servers[0].storage.apply(application("search", health="Progressing"))
        line = json.loads(await asyncio.wait_for(child.stdout.readline(), 60))
    finally:
        child.terminate()
        await child.communicate()
    assert set(line) == {"time", "cluster", "application", "reason", "message", "revision", "actor", "source"}
    assert (line["cluster"], line["application"], line["reason"]) == ("hub", "argocd/search", "Progressing")
    assert line["time"].endswith("Z")
    assert (await calm("events", "--since", "10m", "--application", "other")).out == ""
    deployed = {"prod-*": 1, "hub": 1, "stag*": 0}  # found by the cluster that the Application deploys to, too
    for glob, count in deployed.items():
        ran = await calm("events", "--since", "10m", "--cluster", glob, "-o", "json")
        assert [json.loads(line)["reason"] for line in ran.out.splitlines()] == ["Progressing"] * count, glob
    ran = await calm("events", "--since", "10m", "-o", "json")
    assert [json.loads(line)["reason"] for line in ran.out.splitlines()] == ["Progressing"]


async def test_the_end_of_an_application_is_told_where_it_was_deployed(calm: Commands) -> None:
    child = await calm.start("events", "--follow", "--since", "10m", "--cluster", "prod-1", "-o", "json")
    assert child.stdout is not None
    try:
        while len(calm.servers[0].watches) < 2:  # Applications and their Events
            await asyncio.sleep(0.01)
        for name in ("search", "added"):
            calm.servers[0].storage.apply(application(name, health="Progressing"))
            line = json.loads(await asyncio.wait_for(child.stdout.readline(), 60))
            assert (line["cluster"], line["application"]) == ("hub", f"argocd/{name}")
            calm.servers[0].storage.delete("applications.argoproj.io", "argocd", name)
            line = json.loads(await asyncio.wait_for(child.stdout.readline(), 60))
            assert (line["reason"], line["application"]) == ("Deleted", f"argocd/{name}")
    finally:
        child.terminate()
        await child.communicate()


async def test_a_bad_duration_is_wrong_usage(calm: Commands) -> None:
    ran = await calm("events", "--since", "soon")
    assert ran.code == 2
    assert "not a duration" in ran.err


async def test_doctor_says_what_is_denied_and_how_to_mend_it(calm: Commands) -> None:
    calm.servers[1].access.deny.append(Deny("pods"))
    ran = await calm("doctor", "-o", "json")
    found = {entry["name"]: entry for entry in ran.json()["clusters"]}
    assert found["prod-1"]["denied"] == ["pods"]
    assert "pods" in found["hub"]["readable"]
    assert found["hub"]["version"].startswith("v1.")
    assert ran.code == 3
    assert ran.json()["tools"]["git"].startswith("git version")
    assert "fleet doctor --rbac | kubectl --context prod-1 apply" in (await calm("doctor")).out


async def test_rbac_is_read_only_and_covers_every_kind(calm: Commands) -> None:
    from tui.domain.kinds import KINDS

    ran = await calm("doctor", "--rbac")
    documents = list(yaml.safe_load_all(ran.out))
    rules = [rule for document in documents for rule in document.get("rules", ())]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    granted = {(group, plural) for rule in rules for group in rule["apiGroups"] for plural in rule["resources"]}
    own = {"clusters", "drafts", "secrets"}
    wanted = {(kind.group, kind.plural) for kind in KINDS.values() if kind.resource not in own}
    assert granted == wanted | {("", "pods/log")}  # flows in the agents' logs


async def test_rbac_for_cluster_secrets_is_a_role_of_one_namespace(calm: Commands) -> None:
    plain = list(yaml.safe_load_all((await calm("doctor", "--rbac")).out))
    more = list(yaml.safe_load_all((await calm("doctor", "--rbac", "--secrets")).out))
    assert more[: len(plain)] == plain
    role, binding = more[len(plain) :]
    assert (role["kind"], role["metadata"]["namespace"]) == ("Role", "argocd")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    assert (binding["kind"], binding["roleRef"]["name"]) == ("RoleBinding", role["metadata"]["name"])
    assert binding["metadata"]["namespace"] == "argocd"
    assert (await calm("doctor", "--secrets")).code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion_scripts_are_what_the_shell_reads(calm: Commands, shell: str, tmp_path: Path) -> None:
    ran = await calm("completion", shell)
    assert ran.code == 0
    assert "_FLEET_COMPLETE" in ran.out
    if shutil.which(shell):
        script = tmp_path / "completion"
        script.write_text(ran.out)
        subprocess.run([shell, "-n", str(script)], check=True)


async def test_completion_knows_commands_and_kinds(calm: Commands) -> None:
    words = {"COMP_WORDS": "fleet get appl", "COMP_CWORD": "2", "_FLEET_COMPLETE": "bash_complete"}
    ran = await calm(env=words)
    assert {"plain,applications", "plain,applicationsets"} <= set(ran.out.split())


async def test_the_screen_needs_a_terminal(calm: Commands) -> None:
    ran = await calm()
    assert ran.code == 2
    assert "needs a terminal" in ran.err


async def test_a_configuration_that_was_named_must_be_there(calm: Commands, tmp_path: Path) -> None:
    ran = await calm("--config", str(tmp_path / "none.yaml"), "get", "pods")
    assert (ran.code, ran.out) == (2, "")
    assert "none.yaml: no such file" in ran.err


async def test_the_screen_refuses_a_theme_that_it_does_not_have(calm: Commands) -> None:
    ran = await calm("--theme", "nope")
    assert (ran.code, "Traceback" in ran.err) == (2, False)
    assert "there is no theme nope; themes: fleet-dark, fleet-light" in " ".join(ran.err.split())


async def test_a_bad_configuration_is_refused_with_its_place(calm: Commands, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("theme: x\nteme: y\n")
    ran = await calm("--config", str(config), "get", "pods")
    assert ran.code == 2
    assert f"{config}:2:1" in ran.err


async def test_no_context_is_said_and_is_no_success(calm: Commands) -> None:
    calm.write_kubeconfig({})
    ran = await calm("get", "pods")
    assert ran.code == 3
    assert "no kubeconfig has a context" in ran.err


async def test_a_kubeconfig_that_does_not_exist_is_named(calm: Commands) -> None:
    ran = await calm("get", "pods", env={"KUBECONFIG": "/nonexistent/config"})
    assert ran.code == 3
    assert "/nonexistent/config: no such file" in ran.err


async def test_a_repository_that_does_not_exist_is_wrong_usage(calm: Commands) -> None:
    ran = await calm("--repo", "/nonexistent/clone", "get", "pods")
    assert ran.code == 2
    assert "--repo /nonexistent/clone: no such folder" in ran.err


async def _line(child: asyncio.subprocess.Process, wanted: str) -> str:
    """The first line that says something."""
    assert child.stdout is not None
    async with asyncio.timeout(60):
        while wanted not in (line := (await child.stdout.readline()).decode()):
            assert line, "it has ended"
    return line


async def _ended(child: asyncio.subprocess.Process) -> tuple[int | None, str]:
    child.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(child.communicate(), 60)
    return child.returncode, err.decode()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"state": "Live"}, []),
        ({"state": "Live", "denied": ["pods"]}, ["x: have somebody who may give the rights that lack: "]),
        ({"state": "Denied"}, ["x: log in again as its kubeconfig does; `kubectl --context 'a b' auth whoami`"]),
        ({"state": "Unreachable"}, ["x: see whether https://x can be reached from here"]),
    ],
)
def test_doctor_says_what_could_be_done(entry: dict[str, object], told: list[str]) -> None:
    whole = {"name": "x", "contexts": ["a b"], "server": "https://x", "denied": [], **entry}
    found = mend({"git": "git version 2"}, [whole])
    assert len(found) == len(told) and all(map(str.startswith, found, told))
    assert next(iter(mend({"git": "not found (…)"}, []))).startswith("install git: ")


async def test_doctor_watch_says_what_changes_until_it_is_ended(calm: Commands) -> None:
    child = await calm.start("doctor", "--watch")
    assert "fleet sees all 2 clusters" in await _line(child, "hubs: hub live")
    await calm.servers[1].refuse()
    assert "Live → Stale" in await _line(child, "  prod-1  ")
    assert "fleet sees 1 of 2 clusters" in (said := await _line(child, "fleet sees")) and "prod-1 since" in said
    assert await _ended(child) == (3, "")


async def test_doctor_watch_as_json_has_one_document_a_line(calm: Commands) -> None:
    child = await calm.start("doctor", "--watch", "-o", "json", "--cluster", "prod-*")
    document = json.loads(await _line(child, '"live": 1'))
    assert document["summary"] == ["fleet sees all 1 cluster, nothing is stale · no hub is known"]
    (entry,) = document["clusters"]
    assert (entry["name"], entry["state"], entry["errors"]) == ("prod-1", "Live", 0)
    assert entry["requests"] > 0 and entry["received"] > 0 and entry["latency"] > 0 and entry["heard"].endswith("Z")
    assert await _ended(child) == (0, "")


def test_doctor_watch_says_once_what_happened_to_a_cluster_that_is_live() -> None:
    said, facts = Changes(), StoreFacts(Store(), Settings(), lambda: 0.0)
    assert "another" not in said([Pulse("a", state=ClusterState.LIVE)], facts)
    other = Pulse("a", state=ClusterState.LIVE, note="another cluster answers here: kube-system has the uid 7")
    assert f"  a  {other.note}\n" in said([other], facts) and said([other], facts) == ""


async def test_doctor_watch_prints_no_rights(calm: Commands) -> None:
    assert (await calm("doctor", "--watch", "--rbac")).code == 2
