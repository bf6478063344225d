"""`fleet draft blast`, and the confirmation before a push: a real process, real repositories, API servers over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import closed_port
from tests.git.conftest import World, git
from tests.git.test_cli_draft import Shell
from tests.support import kubeconfig, serving, thing
from tests.terminal import Terminal

WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n"


@pytest.fixture
async def fleet(world: World, home: Path, tmp_path: Path) -> AsyncIterator[Shell]:
    """A hub with four Applications, two of them made of `shop`."""
    world.commit({"shop/deploy.yaml": WEB})
    git(world.clone, "push", "-q", "origin", "HEAD")
    git(world.clone, "remote", "set-url", "origin", world.origin.as_uri())
    world.seal()

    def app(name: str, path: str) -> dict[str, Any]:
        source = {"repoURL": world.origin.as_uri(), "path": path, "targetRevision": "main"}
        spec = {
            "source": source,
            "destination": {"name": "in-cluster", "namespace": "shop"},
            "project": "default",
            "syncPolicy": {"automated": {"prune": True}},
        }
        status = {"sync": {"status": "Synced", "revision": "a" * 40}, "health": {"status": "Healthy"}}
        return thing("Application", name, "argocd", "argoproj.io/v1alpha1", spec=spec, status=status)

    objects = [app("eu", "shop"), app("us", "shop"), app("other", "docs"), app("more", "docs")]
    async with serving(objects, name="hub") as server:
        kubeconfig(tmp_path / "kubeconfig", server)
        shell = Shell(world, home)
        shell.env |= {"KUBECONFIG": str(tmp_path / "kubeconfig")}
        yield shell


async def test_it_reads_the_hubs_and_show_does_not(fleet: Shell) -> None:
    run = asyncio.to_thread
    await run(fleet, "new", "x")
    await run(fleet, "set", "x", "shop/deploy.yaml", "spec.replicas=5")
    found = json.loads(await run(fleet, "blast", "x", "-o", "json"))
    assert [each["name"] for each in found["applications"]] == ["eu", "us"]
    assert (found["known"], found["share"], found["workloads"], found["clusters"]) == (4, 0.5, 2, ["hub"])
    assert found["confirm"] == ["it touches 2 of 4 Applications (50 %)"] and found["deleted"] == []
    printed = await run(fleet, "blast", "x")
    assert printed.startswith(
        "  2 Applications on 1 cluster (50 % of the fleet), 2 workloads; auto-sync on 2, prune on 2"
    )
    offline = json.loads(await run(fleet, "blast", "x", "--offline", "-o", "json"))
    assert (offline["share"], offline["known"], offline["confirm"]) == (None, 0, [])
    assert "no Application is known" in offline["unknown"][0]


async def test_a_large_share_is_pushed_only_with_the_name(fleet: Shell, world: World) -> None:
    run = asyncio.to_thread
    await run(fleet, "new", "x")
    await run(fleet, "set", "x", "shop/deploy.yaml", "spec.replicas=5")
    await run(fleet, "commit", "x")
    await run(lambda: fleet("push", "x", "--yes", code=2))
    assert "it touches 2 of 4 Applications (50 %): add --confirm x" in fleet.errors
    await run(lambda: fleet("push", "x", "--confirm", "y", code=2))
    assert "the name of this draft is x" in fleet.errors
    assert git(world.origin, "branch", "--list", "fleet/*") == ""
    assert "pushed" in await run(fleet, "push", "x", "--confirm", "x")
    assert "2 Applications on 1 cluster" in fleet.errors


async def test_without_the_hub_a_plain_change_passes_and_a_deletion_does_not(fleet: Shell, world: World) -> None:
    run = asyncio.to_thread
    place = Path(fleet.env["KUBECONFIG"])
    url = place.read_text().split("server: ")[1].split()[0]
    place.write_text(place.read_text().replace(url, closed_port()))
    await run(fleet, "new", "x")
    await run(fleet, "set", "x", "shop/deploy.yaml", "spec.replicas=5")
    await run(fleet, "commit", "x")
    assert "deletes" not in await run(fleet, "show", "x")
    await run(lambda: fleet("blast", "x", code=3))
    assert "connection refused" in fleet.errors.lower()
    await run(refuse, fleet)
    assert "pushed" in await run(fleet, "push", "x", "--yes")
    assert "no Application is known" in fleet.errors
    await run(fleet, "new", "y")
    await run(fleet, "delete", "y", "shop/deploy.yaml")
    await run(fleet, "commit", "y")
    assert "deletes   Deployment web\n" in await run(fleet, "show", "y")
    await run(lambda: fleet("push", "y", "--yes", "--offline", code=2))
    assert "1 object, 1 file deleted: add --confirm y" in fleet.errors
    assert "pushed" in await run(fleet, "push", "y", "--offline", "--confirm", "y")


def refuse(fleet: Shell) -> None:
    with Terminal([*fleet.argv, "push", "x"], env=fleet.env, cwd=fleet.world.clone) as terminal:
        terminal.wait(lambda text: "Type x to push it" in " ".join(text.split()))
        terminal.press("n", "enter")
        terminal.wait(lambda text: "nothing was pushed" in " ".join(text.split()))
        terminal.wait_end()


POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: client}}]
"""


async def test_a_policy_that_would_select_nothing_wants_the_name(world: World, home: Path, tmp_path: Path) -> None:
    world.commit({"shop/policy.yaml": POLICY})
    git(world.clone, "push", "-q", "origin", "HEAD")
    git(world.clone, "remote", "set-url", "origin", world.origin.as_uri())
    world.seal()
    source = {"repoURL": world.origin.as_uri(), "path": "shop", "targetRevision": "main"}
    destination = {"name": "in-cluster", "namespace": "shop"}
    apps = [
        thing("Application", name, "argocd", "argoproj.io/v1alpha1", spec={"source": at, "destination": destination})
        for name, at in (("shop", source), *((f"other-{number}", {**source, "path": "x"}) for number in range(9)))
    ]
    spec = {"endpointSelector": {"matchLabels": {"app": "web"}}}
    spec |= {"ingress": [{"fromEndpoints": [{"matchLabels": {"app": "client"}}]}]}
    space = "k8s:io.kubernetes.pod.namespace=shop"
    ends = [
        thing(
            "CiliumEndpoint", name, "shop", "cilium.io/v2",
            status={"identity": {"id": number, "labels": [f"k8s:app={name}", space]}, "state": "ready"},
        )
        for number, name in enumerate(("web", "client", "other"), 1)
    ]  # fmt: skip
    policy = thing("CiliumNetworkPolicy", "web", "shop", "cilium.io/v2", spec=spec)
    async with serving([*apps, policy, *ends], name="hub") as server:
        kubeconfig(tmp_path / "kubeconfig", server)
        fleet = Shell(world, home)
        fleet.env |= {"KUBECONFIG": str(tmp_path / "kubeconfig")}
        run = asyncio.to_thread
        await run(fleet, "new", "x")
        await run(fleet, "set", "x", "shop/policy.yaml", "spec.endpointSelector.matchLabels.app=wbe")
        await run(fleet, "commit", "x")
        found = json.loads(await run(fleet, "blast", "x", "-o", "json"))
        assert found["confirm"] == ["shop/web selects nothing in hub"]
        assert [each["cluster"] for each in found["policies"]["clusters"]] == ["hub"]
        printed = await run(fleet, "blast", "x")
        assert "\n\nNetwork policies\n  ! shop/web selects nothing in hub\n" in printed
        await run(lambda: fleet("push", "x", "--yes", code=2))
        assert "shop/web selects nothing in hub: add --confirm x" in fleet.errors
        assert "pushed" in await run(fleet, "push", "x", "--confirm", "x")
