"""The file that declares an object, from real repositories: exact for plain manifests, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.git.conftest import World, git
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tests.ui.shop import clusters
from tui.adapters.git.repositories import GitRepositories
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.settings import Settings
from tui.fleet import sourcefiles as module
from tui.fleet.derive import StoreFacts
from tui.fleet.drafts import Drafts
from tui.fleet.locating import Locator
from tui.fleet.sourcefiles import SourceFiles
from tui.store import Store

APPLICATIONS = "applications.argoproj.io"
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {0}}}
spec: {{podSelector: {{}}}}
"""


def row(resource: str, manifest: dict[str, Any], cluster: str = "prod") -> Row:
    data = msgspec.json.encode(manifest)
    meta = manifest["metadata"]
    ref = Ref(cluster, resource, meta.get("namespace", ""), meta["name"])
    return Row(ref, msgspec.json.decode(data, type=KINDS[resource].record), packed=data)


def policy(name: str, namespace: str = "shop") -> Row:
    return row("networkpolicies.networking.k8s.io", {"metadata": {"name": name, "namespace": namespace}})


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.store = Store()
        self.drafts = Drafts(GitRepositories(world.data, world.clone))
        self.moved = asyncio.Event()
        facts = StoreFacts(self.store, Settings(), lambda: 0.0)
        self.locator = Locator(self.store, facts, self.drafts)
        self.files = SourceFiles(self.store, self.locator, self.moved.set)

    def push(self, files: dict[str, str | bytes]) -> str:
        oid = self.world.commit(files)
        git(self.world.clone, "push", "-q", "origin", "HEAD")
        return oid

    def application(self, name: str, revision: str, path: str = "policies", **source: Any) -> Ref:
        spec = {
            "source": {"repoURL": f"file://{self.world.origin}", "path": path, "targetRevision": "HEAD", **source},
            "destination": {"name": "prod", "namespace": "shop"},
        }
        meta = {"name": name, "namespace": "argocd"}
        made = row(APPLICATIONS, {"metadata": meta, "spec": spec, "status": {"sync": {"revision": revision}}}, "hub")
        self.store.apply([made])
        return made.ref

    async def idle(self) -> None:
        if self.files._task is not None:
            await self.files._task


@pytest.fixture
async def desk(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(module, "PAUSE", 0)
    made = Desk(world)
    yield made
    await made.files.close()
    await made.drafts.close()


async def test_the_file_is_known_after_it_was_read_and_follows_the_commit(desk: Desk) -> None:
    revision = desk.push({"policies/web.yaml": POLICY.format("web") + "---\n" + POLICY.format("api")})
    app = desk.application("baseline", revision)
    assert desk.files.locate(policy("api"), app) == "", "nothing is read while a row is made"
    await desk.idle()
    assert desk.moved.is_set()
    assert desk.files.locate(policy("api"), app) == desk.files.locate(policy("web"), app) == "policies/web.yaml"
    assert desk.files.locate(policy("api", "other"), app) == "", "another namespace is another object"
    assert desk.files.locate(policy("nobody"), app) == ""

    git(desk.world.clone, "mv", "policies/web.yaml", "policies/network.yaml")
    revision = desk.push({"policies/zone.yaml": "# nothing\n"})
    await (await desk.drafts.repository(f"file://{desk.world.origin}")).fetch()
    desk.application("baseline", revision)
    assert desk.files.locate(policy("api"), app) == "policies/web.yaml", "what was known, meanwhile"
    await desk.idle()
    assert desk.files.locate(policy("api"), app) == "policies/network.yaml"


async def test_equal_folders_are_read_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.push({"policies/web.yaml": POLICY.format("web")})
    reads = 0
    texts = desk.locator.texts

    async def counted(*arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return await texts(*arguments)

    monkeypatch.setattr(desk.locator, "texts", counted)
    apps = [desk.application(name, first) for name in ("one", "two", "three")]
    for app in apps:
        desk.files.locate(policy("web"), app)
    await desk.idle()
    second = desk.push({"elsewhere/readme.txt": "hello\n"})
    await (await desk.drafts.repository(f"file://{desk.world.origin}")).fetch()
    desk.application("one", second)
    assert desk.files.locate(policy("web"), apps[0]) == "policies/web.yaml"
    await desk.idle()
    assert reads == 1, "neither other Applications nor commits elsewhere read it again"


async def test_what_must_be_rendered_or_is_not_here_stays_unknown(desk: Desk) -> None:
    revision = desk.push(
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "chart/templates/web.yaml": POLICY.format("web"),
            "policies/broken.yaml": "a: [\n",
            "policies/web.yaml": POLICY.format("web"),
        }
    )
    chart = desk.application("chart", revision, "chart")
    absent = desk.application("absent", revision, repoURL="https://git.example.test/not/here.git")
    gone = desk.application("gone", revision, "no/such/folder")
    plain = desk.application("plain", revision)
    for app in (chart, absent, gone, plain):
        desk.files.locate(policy("web"), app)
    await desk.idle()
    assert [desk.files.locate(policy("web"), app) for app in (chart, absent, gone)] == ["", "", ""]
    assert desk.files.locate(policy("web"), plain) == "policies/web.yaml", "a broken neighbour is left out"


async def test_how_many_applications_are_read_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    revision = desk.push({"policies/web.yaml": POLICY.format("web")})
    apps = [desk.application(f"app-{number}", revision) for number in range(4)]
    for app in apps * 2:
        desk.files.locate(policy("web"), app)
        await desk.idle()
    assert [bool(desk.files.locate(policy("web"), app)) for app in apps] == [True, True, False, False]


async def test_an_object_that_is_missing_in_the_cluster_is_located_by_its_application(desk: Desk) -> None:
    revision = desk.push({"policies/web.yaml": POLICY.format("web")})
    desk.application("baseline", revision)
    held = desk.store.get(Ref("hub", APPLICATIONS, "argocd", "baseline"))
    assert held is not None
    manifest = held.manifest()
    manifest["status"]["resources"] = [
        {
            "group": "networking.k8s.io",
            "kind": "NetworkPolicy",
            "namespace": "shop",
            "name": "web",
            "status": "OutOfSync",
        }
    ]
    sample = clusters()[1]
    record = msgspec.structs.replace(
        sample.obj, metadata=msgspec.structs.replace(sample.obj.metadata, name="prod"), contexts=("prod",)
    )
    desk.store.apply([row(APPLICATIONS, manifest, "hub"), Row(Ref("prod", CLUSTERS, "", "prod"), record)])
    missing = Ref("prod", "networkpolicies.networking.k8s.io", "shop", "web")
    found = await desk.locator.locate(missing)
    assert [(place.file, place.confidence) for place in found.places] == [("policies/web.yaml", "exact")]
    nowhere = await desk.locator.locate(msgspec.structs.replace(missing, name="never"))
    assert nowhere.places == () and "no Application is known to declare it" in nowhere.reason
