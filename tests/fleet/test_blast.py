"""The blast radius of drafts in real repositories, with Applications, projects and sets in the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.domain.rows import cluster, row
from tests.fleet.test_drafts import Desk
from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tui.domain.drafts.blast import Blast, deletions
from tui.domain.settings import Settings
from tui.fleet import blast as module
from tui.fleet.blast import NEEDED, Blasts
from tui.fleet.derive import PROJECTS, StoreFacts

NOW = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC, a Sunday


def deployment(name: str, replicas: int = 1) -> str:
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {replicas}}}\n"


FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": deployment("web"),
    "apps/eu/kustomization.yaml": "resources: [../../base]\npatches: [{path: p.yaml}]\n",
    "apps/eu/p.yaml": deployment("web", 2),
    "apps/us/kustomization.yaml": "resources: [../../base]\n",
    "sets/eu/a.yaml": deployment("a"),
    "sets/us/a.yaml": deployment("a"),
    "clusters/eu.json": "{}\n",
}


class Place(Desk):
    """A desk with a hub."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.now = NOW
        self.facts = StoreFacts(self.store, Settings(), lambda: self.now)
        self.told_blast = 0
        self.blasts = Blasts(self.drafts, self.store, self.facts, self._blast)
        self.store.apply([cluster("hub", NEEDED, hub=True)])

    def _blast(self) -> None:
        self.told_blast += 1

    def windows(self, *windows: dict[str, Any]) -> None:
        manifest = {"metadata": {"name": "default", "namespace": "argocd"}, "spec": {"syncWindows": list(windows)}}
        self.store.apply([row("hub", PROJECTS, manifest)])

    def set(self, name: str, **git_generator: Any) -> None:
        generator = {"repoURL": f"file://{self.world.origin}", "revision": "HEAD", **git_generator}
        manifest = {"metadata": {"name": name, "namespace": "argocd"}, "spec": {"generators": [{"git": generator}]}}
        self.store.apply([row("hub", module.SETS, manifest)])

    async def draft(self, **files: str | None) -> str:
        made = await self.drafts.new("x", str(self.world.clone))
        for path, text in files.items():
            content = {path: None if text is None else text.encode()}
            made = await self.drafts.edit_files(made, content)
        return made.name

    async def blast(self, **files: str | None) -> Blast:
        return await self.blasts.of(await self.draft(**files))


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Place]:
    world.upstream(dict(FILES))
    made = Place(world)
    await (await made.drafts.repository(str(world.clone))).fetch()
    for name in ("eu", "us"):
        made.application(name, "abc", path=f"apps/{name}")
    for name in ("third", "fourth"):
        made.application(name, "abc", path=f"elsewhere/{name}", automated=False)
    yield made
    await made.blasts.close()
    await made.drafts.close()


async def test_a_base_touches_its_overlays_and_their_workloads(desk: Place) -> None:
    found = await desk.blast(**{"base/web.yaml": deployment("web", 5)})
    assert [each.name for each in found.applications] == ["eu", "us"]
    assert (found.workloads, found.known, found.share, found.deleted, found.unknown) == (2, 4, 0.5, (), ())
    assert all(each.auto_sync and not each.prune and each.sync == "Synced" for each in found.applications)
    assert all(each.window == "unknown" for each in found.applications)  # the project is not held


async def test_a_patch_that_goes_deletes_no_object(desk: Place) -> None:
    files = {"apps/eu/p.yaml": None, "apps/eu/kustomization.yaml": "resources: [../../base]\n"}
    found = await desk.blast(**files)
    assert [(each.name, each.how) for each in found.objects] == [("web", "changed")]
    assert deletions(found) == "1 file"


async def test_whole_files_and_renames(desk: Place, world: World) -> None:
    found = await desk.blast(**{"base/web.yaml": None, "base/kustomization.yaml": "resources: []\n"})
    assert deletions(found) == "2 objects, 1 file"  # one in each overlay
    renamed = {
        "base/web.yaml": None,
        "base/app.yaml": deployment("web"),
        "base/kustomization.yaml": "resources: [app.yaml]\n",
    }
    found = await desk.blast(**renamed)
    assert (found.objects, deletions(found)) == ((), "")
    assert len(found.applications) == 2


async def test_sync_windows_are_open_until_they_close(desk: Place) -> None:
    desk.windows({"kind": "allow", "schedule": "0 15 * * *", "duration": "1h", "applications": ["*"]})
    name = await desk.draft(**{"base/web.yaml": deployment("web", 5)})
    found = await desk.blasts.of(name)
    assert [each.window for each in found.applications] == ["open", "open"]
    assert found.applications[0].until == 1_750_003_200.0  # 16:00
    desk.now = found.applications[0].until + 1
    assert [each.window for each in (await desk.blasts.of(name)).applications] == ["closed", "closed"]


async def test_what_application_sets_make_from_files_and_folders(desk: Place) -> None:
    desk.set("clusters", files=[{"path": "clusters/*.json"}])
    desk.set("folders", directories=[{"path": "sets/*"}])
    desk.set("other-branch", revision="v1", directories=[{"path": "sets/*"}])
    found = await desk.blast(**{"clusters/eu.json": '{"a": 1}\n'})
    assert "ApplicationSet clusters makes Applications from it" in found.unknown[0] and not found.deleted
    found = await desk.blast(**{"clusters/eu.json": None, "sets/eu/a.yaml": None})
    gone = [each.name for each in found.deleted if each.what == "Application"]
    assert gone == [
        "Application that ApplicationSet clusters makes from clusters/eu.json",
        "Application that ApplicationSet folders makes from sets/eu",
    ]
    found = await desk.blast(**{"sets/eu/a.yaml": None, "sets/eu/b.yaml": deployment("b")})
    assert not [each for each in found.deleted if each.what == "Application"]


async def test_an_application_declared_in_a_file(desk: Place) -> None:
    app = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: third, namespace: argocd}\n"
    found = await desk.blast(**{"apps/third.yaml": app})
    assert [(each.name, each.reasons[0].why) for each in found.applications] == [("third", "manifest")]


async def test_hubs_that_cannot_be_read_make_it_unknown(desk: Place) -> None:
    desk.store.apply([cluster("hub-2", (), hub=True, reason="connection refused")])
    found = await desk.blast(**{"base/web.yaml": deployment("web", 5)})
    assert found.unknown == ("the Applications of hub-2 are not known: connection refused",)
    empty = Blasts(desk.drafts, type(desk.store)(), desk.facts)
    found = await empty.of("x")
    assert found.share is None and "no Application is known" in found.unknown[-1]


async def test_it_is_remembered_until_something_changes(desk: Place) -> None:
    name = await desk.draft(**{"base/web.yaml": deployment("web", 5)})
    first = await desk.blasts.of(name)
    assert await desk.blasts.of(name) is first
    desk.application("more", "abc", path="base")
    second = await desk.blasts.of(name)
    assert len(second.applications) == 3
    await desk.drafts.edit(name, "elsewhere/third/x.yaml", deployment("x"))
    assert len((await desk.blasts.of(name)).applications) == 4


async def test_looking_never_waits_and_tells_when_it_is_known(desk: Place) -> None:
    name = await desk.draft(**{"base/web.yaml": deployment("web", 5)})
    assert desk.blasts.look(name) == module.READING
    while desk.told_blast == 0:
        await asyncio.sleep(0.01)
    found = desk.blasts.look(name)
    assert isinstance(found, Blast) and len(found.applications) == 2
    assert desk.blasts.look("nothing") == module.READING
    while desk.told_blast == 1:
        await asyncio.sleep(0.01)
    assert desk.blasts.look("nothing") == "there is no draft nothing"


async def test_a_draft_of_two_repositories(desk: Place, world: World) -> None:
    other = world.clone.parent / "second"
    other.mkdir()
    second = World(other)
    desk.application("second", "abc", path="shop", repoURL=f"file://{second.origin}")
    made = await desk.drafts.new("x", str(world.clone))
    await desk.drafts.edit(made, "base/web.yaml", deployment("web", 5))
    await desk.drafts.extend(made, str(second.clone))
    repository, part = await desk.drafts.find(made.name, repo=git(second.clone, "remote", "get-url", "origin"))
    await repository.edit(part.id, {"shop/web.yaml": deployment("web").encode()})
    found = await desk.blasts.of(made.name)
    assert [each.name for each in found.applications] == ["eu", "second", "us"]
