"""`fleet draft bulk`, `revert`, `diff --by` and `commit --by`: a real process, a real API server, real repositories."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.git.conftest import World, git
from tests.git.test_cli_draft import Shell
from tests.git.test_cli_draft import fleet as fleet
from tests.support import kubeconfig, serving, thing

API = "argoproj.io/v1alpha1"


def declared(name: str, cluster: str, revision: str) -> str:
    head = f"apiVersion: {API}\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\n"
    return f"{head}spec:\n  source:\n    targetRevision: {revision}  # released\n  destination:\n    name: {cluster}\n"


def application(world: World, name: str, cluster: str, path: str, parent: str = "", **status: Any) -> dict[str, Any]:
    source = {"repoURL": world.origin.as_uri(), "path": path, "targetRevision": "main"}
    spec = {"source": source, "destination": {"name": cluster, "namespace": "argocd"}, "project": "default"}
    made = thing("Application", name, "argocd", API, spec=spec, status=status)
    made["metadata"]["labels"] = {"team": "payments"} if parent else {}
    if parent:
        tracking = f"{parent}:argoproj.io/Application:argocd/{name}"
        made["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": tracking}
    return made


async def test_many_applications_in_one_draft(fleet: Shell, world: World, tmp_path: Path) -> None:
    world.upstream({f"argocd/{name}.yaml": declared(name, name[-2:], "v1") for name in ("web-eu", "web-us")})
    git(world.clone, "remote", "set-url", "origin", world.origin.as_uri())
    world.seal()
    objects = [
        thing("Namespace", "argocd"),
        application(world, "root", "in-cluster", "argocd"),
        *(application(world, name, name[-2:], "shop", "root") for name in ("web-eu", "web-us", "web-xx")),
    ]
    async with serving(objects, name="hub") as server:
        kubeconfig(tmp_path / "kubeconfig", server)
        fleet.env["KUBECONFIG"] = str(tmp_path / "kubeconfig")

        def run(*arguments: str, code: int = 0) -> str:
            return fleet(*arguments, code=code)

        await asyncio.to_thread(run, "new", "x")
        revision = "spec.source.targetRevision=v2"
        words = ("bulk", "x", "-l", "team=payments", revision, "-o", "json")
        done = json.loads(await asyncio.to_thread(lambda: run(*words, code=1)))
        assert done["draft"] == "x"
        assert {each["name"]: each["state"] for each in done["objects"]} == {
            "web-eu": "will change", "web-us": "will change", "web-xx": "cannot",
        }  # fmt: skip
        assert "cannot: web-xx: nothing under" in fleet.errors
        again = await asyncio.to_thread(lambda: run("bulk", "x", "--app", "web-[eu]?", revision))
        assert again == "" and fleet.errors.count("already so") == 2
        await asyncio.to_thread(lambda: run("bulk", "x", "--app", "none", revision, code=1))
    shown = run("diff", "x", "--by", "cluster")
    assert shown.index("cluster eu\n") < shown.index("argocd/web-eu.yaml") < shown.index("cluster us\n")
    assert len(run("commit", "x", "--by", "cluster").splitlines()) == 2
    assert "web-us: deploy revision v1 → v2 in us" in run("show", "x")


async def test_a_deployed_revision_comes_back(fleet: Shell, world: World, tmp_path: Path) -> None:
    git(world.clone, "remote", "set-url", "origin", world.origin.as_uri())
    world.seal()
    good = git(world.clone, "rev-parse", "HEAD")
    world.upstream({"shop/web.yaml": "replicas: 9\n"}, message="too many")
    source = {"repoURL": world.origin.as_uri(), "path": "shop", "targetRevision": "main"}
    history = [{"id": 3, "revision": good, "source": source}]
    objects = [application(world, "web", "in-cluster", "shop", history=history)]
    async with serving(objects, name="hub") as server:
        kubeconfig(tmp_path / "kubeconfig", server)
        fleet.env["KUBECONFIG"] = str(tmp_path / "kubeconfig")
        shown = await asyncio.to_thread(lambda: fleet("revert", "web", good[:8]))
        assert "-replicas: 9\n+replicas: 1\n" in shown
        await asyncio.to_thread(lambda: fleet("revert", "web", "99", code=1))
        assert "its history: 3" in fleet.errors
    name = f"revert-web-to-{good[:7]}"
    assert f"Revert web to {good[:7]}: change" in fleet("show", name)


def test_a_revert_without_a_cluster(fleet: Shell, world: World) -> None:
    good = git(world.clone, "rev-parse", "HEAD")
    bad = world.upstream({"shop/web.yaml": "replicas: 9\n", "README.md": "bye\n"}, message="too many")
    shown = fleet("revert", "--repository", ".", "--path", "shop", "--to", good)
    assert "+replicas: 1\n" in shown and "README" not in shown
    shown = fleet("revert", "--path", "shop", "--commit", bad)
    assert "+replicas: 1\n" in shown and "README" not in shown
    fleet("revert", "--path", "shop", code=2)
    fleet("revert", "web", code=2)
    fleet("revert", "--path", "shop", "--to", good, "--draft", "nothing", code=1)
    fleet("revert", "--path", "nothing", "--to", good, code=1)
    assert "nothing to revert" in fleet.errors
