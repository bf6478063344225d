"""One edit of many Applications: found in real repositories, each file edited once, one draft of all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.test_sourcefiles import APPLICATIONS, row
from tests.git.conftest import World, git
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tests.ui.shop import clusters
from tui.adapters.git.repositories import GitRepositories
from tui.domain.cluster import CLUSTERS
from tui.domain.obj import Ref
from tui.domain.ports import Refused
from tui.domain.settings import Settings
from tui.fleet import bulk
from tui.fleet.derive import StoreFacts
from tui.fleet.drafts import Drafts
from tui.fleet.locating import Located, Locator
from tui.store import Store

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"


def declared(name: str, revision: str = "v1") -> str:
    spec = f"spec:\n  source:\n    targetRevision: {revision}  # released\n"
    return f"{HEAD}metadata: {{name: {name}, namespace: argocd}}\n{spec}"


class Hub:
    """A hub whose Applications are declared in one repository, or two."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = Store()
        self.drafts = Drafts(GitRepositories(world.data, world.clone))
        self.facts = StoreFacts(self.store, Settings(), lambda: 0.0)
        self.locator = Locator(self.store, self.facts, self.drafts)
        self.store.apply([each for each in clusters() if each.ref.resource == CLUSTERS])

    def application(self, name: str, cluster: str, parent: str = "root", **source: Any) -> Ref:
        tracking = {"argocd.argoproj.io/tracking-id": f"{parent}:argoproj.io/Application:argocd/{name}"}
        meta = {"name": name, "namespace": "argocd"} | ({"annotations": tracking} if parent else {})
        at = {"repoURL": f"file://{self.world.origin}", "path": "argocd", "targetRevision": "HEAD"}
        spec = {"source": at | source, "destination": {"name": cluster, "namespace": "argocd"}}
        made = row(APPLICATIONS, {"metadata": meta, "spec": spec, "status": {}}, "hub")
        self.store.apply([made])
        return made.ref

    async def out(self, refs: list[Ref], edit: bulk.Edit, draft: str | None = None) -> bulk.Bulk:
        def cluster_of(ref: Ref) -> str:
            return self.facts.destination(self.store.get(ref)).rstrip("?")

        return await bulk.work_out(self.drafts, self.locator.locate, refs, edit, draft, cluster_of)


@pytest.fixture
async def hub(world: World) -> AsyncIterator[Hub]:
    files: dict[str, str | bytes] = {
        "argocd/web.yaml": declared("web"),
        "argocd/many.yaml": declared("api") + "---\n" + declared("db", "v2"),
        "argocd/odd.yaml": declared("odd", "*x"),
        "argocd/twice-a.yaml": declared("twice"),
        "argocd/twice-b.yaml": declared("twice"),
    }
    world.commit(files)
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    made = Hub(world)
    made.application("root", "prod-eu", parent="")
    yield made
    await made.drafts.close()


REVISION = bulk.assignments([("spec.source.targetRevision", "v2")], "Application")


async def test_each_is_found_and_each_file_edited_once(hub: Hub) -> None:
    names = {
        "web": "prod-eu",
        "api": "prod-us",
        "db": "prod-eu",
        "odd": "prod-eu",
        "twice": "prod-eu",
        "gone": "prod-eu",
    }
    refs = [hub.application(name, cluster) for name, cluster in names.items()]
    refs.append(hub.application("manual", "prod-eu", parent=""))
    found = await hub.out(refs, REVISION)
    assert {one.ref.name: one.state for one in found.found} == {
        "web": bulk.CHANGE, "api": bulk.CHANGE, "db": bulk.SAME, "odd": bulk.CANNOT, "twice": bulk.CANNOT,
        "gone": bulk.CANNOT, "manual": bulk.CANNOT,
    }  # fmt: skip
    why = {one.ref.name: one.why for one in found.found}
    assert "declared twice" in why["twice"] or "twice-" in why["twice"]
    assert "nothing under" in why["gone"] and "no Application tracks it" in why["manual"]
    assert "argocd/odd.yaml" in why["odd"]
    draft = await bulk.stage(hub.drafts, found, "Release v2")
    listed = await hub.drafts.show(draft)
    assert {file.path: (file.added, file.removed) for file in listed.files} == {
        "argocd/many.yaml": (1, 1),
        "argocd/web.yaml": (1, 1),
    }
    assert [(op.application, op.cluster, op.path, op.old, op.new) for op in draft.ops] == [
        ("web", "prod-eu", "spec.source.targetRevision", "v1", "v2"),
        ("api", "prod-us", "spec.source.targetRevision", "v1", "v2"),
    ]
    assert (await hub.drafts.undo(draft)).empty


async def test_a_form_on_top_of_what_a_draft_has(hub: Hub) -> None:
    refs = [hub.application("web", "prod-eu"), hub.application("api", "prod-us")]
    draft = await bulk.stage(hub.drafts, await hub.out(refs, REVISION), "Release")
    found = await hub.out(refs, bulk.form("revision", {"revision": "v3"}), draft.name)
    again = await bulk.stage(hub.drafts, found, "unused", draft.name)
    assert again.id == draft.id
    assert "targetRevision: v3  # released" in (await hub.drafts.open(draft, "argocd/web.yaml")).text
    assert {
        one.state for one in (await hub.out(refs, bulk.form("revision", {"revision": "v3"}), draft.name)).found
    } == {bulk.SAME}


async def test_what_several_share_is_edited_once_and_said_of_each(hub: Hub) -> None:
    web = hub.application("web", "prod-eu")
    pods = [Ref(cluster, "pods", "shop", f"web-{cluster}") for cluster in ("prod-eu", "prod-us")]

    async def owner(ref: Ref) -> Located:
        return await hub.locator.locate(web)

    found = await bulk.work_out(hub.drafts, owner, pods, bulk.assignments([("spec.note", "x")]))
    assert [(one.state, one.why) for one in found.found] == [
        (bulk.CHANGE, ""),
        (bulk.CHANGE, "together with web-prod-eu"),
    ]
    draft = await bulk.stage(hub.drafts, found, "x")
    assert {operation.cluster for operation in draft.ops} == {"prod-eu", "prod-us"}


async def test_nothing_to_change_makes_no_draft(hub: Hub) -> None:
    found = await hub.out([hub.application("db", "prod-eu")], REVISION)
    with pytest.raises(Refused):
        await bulk.stage(hub.drafts, found, "x")
    assert await hub.drafts.list() == []


async def test_another_kind_is_not_edited_by_paths_of_this_one(hub: Hub) -> None:
    edit = bulk.assignments([("spec.source.targetRevision", "v2")], "ApplicationSet")
    (one,) = (await hub.out([hub.application("web", "prod-eu")], edit)).found
    assert one.state == bulk.CANNOT and "declared by a Application" in one.why


async def test_a_draft_of_two_repositories_is_committed_by_cluster(hub: Hub, tmp_path: Path) -> None:
    other = World(_folder(tmp_path / "other"))
    other.commit({"argocd/store.yaml": declared("store")})
    git(other.clone, "push", "-q", "origin", "HEAD")
    await hub.drafts.repository(str(other.clone))
    hub.application("stores", "prod-us", parent="", repoURL=f"file://{other.origin}")
    refs = [
        hub.application("web", "prod-eu"),
        hub.application("api", "prod-us"),
        hub.application("store", "prod-us", parent="stores"),
    ]
    found = await hub.out(refs, REVISION)
    assert {one.state for one in found.found} == {bulk.CHANGE}, [one.why for one in found.found]
    draft = await bulk.stage(hub.drafts, found, "Release v2")
    shown = await hub.drafts.diff_by(draft.name, "cluster")
    assert shown.count("\ncluster ") == 3 and shown.count("repository ") == 2
    assert shown.index("cluster prod-eu") < shown.index("b/argocd/web.yaml") < shown.index("cluster prod-us")
    done = await hub.drafts.commit_by_group(draft.name, "cluster")
    assert len(done) == 3
    parts = await hub.drafts.log(draft.name)
    assert sorted(commit.subject for _, own in parts for commit in own) == [
        "api: deploy revision v1 → v2 in prod-us",
        "store: deploy revision v1 → v2 in prod-us",
        "web: deploy revision v1 → v2 in prod-eu",
    ]
    assert not any(held.dirty for held, _ in parts)
    with pytest.raises(Refused):
        await hub.drafts.commit_by_group(draft.name, "cluster")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
