"""What an object's owner declares: owners nobody looks at are asked of the cluster, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.test_sourcefiles import Desk
from tests.fleet.watching import config, watching
from tests.git.conftest import World
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tests.support import serving, thing
from tui.demo.apiserver.server import ApiServer
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref
from tui.fleet.locating import Located, Locator
from tui.fleet.owners import Owners

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: catalog}
"""
TRACKING = {"argocd.argoproj.io/tracking-id": "catalog:apps/Deployment:shop/catalog"}
POD = Ref("prod", "pods", "shop", "catalog-1-a")
WATCHED = tuple(replace(KINDS[resource], watch="always") for resource in ("pods", "nodes"))


def owned(made: dict[str, Any], owner: dict[str, Any], uid: str = "") -> dict[str, Any]:
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": uid or owner["metadata"]["uid"],
        "controller": True,
    }
    made["metadata"]["ownerReferences"] = [reference]
    return made


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    deployment = thing("Deployment", "catalog", "shop", "apps/v1")
    deployment["metadata"] |= {"uid": "u-deployment", "annotations": TRACKING}
    # the Deployment controller copies annotations to its ReplicaSets: the copy names another object
    replicas = owned(thing("ReplicaSet", "catalog-1", "shop", "apps/v1"), deployment)
    replicas["metadata"] |= {"uid": "u-replicas", "annotations": TRACKING}
    node = thing("Node", "n1")
    node["metadata"]["uid"] = "u-node"
    objects = [
        thing("Namespace", "kube-system"),
        thing("Namespace", "shop"),
        node,
        deployment,
        replicas,
        owned(thing("Pod", "catalog-1-a", "shop"), replicas),
        owned(thing("Pod", "orphan", "shop"), replicas, uid="u-before"),
        owned(thing("Pod", "mirror", "shop"), node),
        thing("Pod", "by-hand", "shop"),
    ]
    async with serving(objects, name="prod") as made:
        yield made


async def located(server: ApiServer, world: World, tmp_path: Path, *refs: Ref) -> list[Located]:
    desk = Desk(world)
    desk.application("catalog", desk.push({"policies/catalog.yaml": DEPLOYMENT}))
    try:
        async with watching(config(tmp_path / "kubeconfig", {"prod": server.url}), WATCHED) as here:
            await here.until(lambda: here.live("pods", "prod") and here.live("nodes", "prod"))
            for resource in ("pods", "nodes"):
                desk.store.apply(list(here.store.rows(resource)))
            owners = Owners(desk.store, here.network.get, here.network.served)
            locator = Locator(desk.store, desk.locator._facts, desk.drafts, owners)
            return [await locator.locate(ref) for ref in refs]
    finally:
        await desk.drafts.close()


async def test_a_pod_leads_to_the_file_of_its_deployment(server: ApiServer, world: World, tmp_path: Path) -> None:
    (found,) = await located(server, world, tmp_path, POD)
    assert [(place.file, place.confidence) for place in found.places] == [("policies/catalog.yaml", "exact")]
    assert found.places[0].note == "declared by Deployment catalog, which owns this Pod"


async def test_an_owner_of_the_same_name_with_another_uid_is_not_the_owner(
    server: ApiServer, world: World, tmp_path: Path
) -> None:
    (found,) = await located(server, world, tmp_path, Ref("prod", "pods", "shop", "orphan"))
    assert found.places == ()
    assert found.reason == "it is made by ReplicaSet catalog-1, not declared in Git itself"


async def test_nodes_are_said_not_to_be_declared_in_git(server: ApiServer, world: World, tmp_path: Path) -> None:
    refs = Ref("prod", "nodes", "", "n1"), Ref("prod", "pods", "shop", "mirror")
    found, mirror = await located(server, world, tmp_path, *refs)
    assert not found.declarable and found.reason.startswith("nodes are not declared in Git")
    assert mirror.reason == "it is made by Node n1, which no Application tracks"


async def test_what_somebody_made_by_hand_may_be_declared(server: ApiServer, world: World, tmp_path: Path) -> None:
    (found,) = await located(server, world, tmp_path, Ref("prod", "pods", "shop", "by-hand"))
    assert found.declarable and "it did not come from Git" in found.reason
