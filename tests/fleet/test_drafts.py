"""The use cases of drafts over real repositories, with Applications in the store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.git.conftest import World, git
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tui.adapters import runner
from tui.adapters.git.journal import FileJournal
from tui.adapters.git.repositories import GitRepositories
from tui.domain.argo.application import RESOURCE, ApplicationBrief
from tui.domain.drafts import model
from tui.domain.kinds.fleet import DRAFTS as DRAFT_KIND
from tui.domain.obj import Ref, Row
from tui.domain.ports import Missing, Moved, Refused
from tui.domain.settings import Settings
from tui.domain.tail import TailEvent
from tui.fleet.derive import StoreFacts
from tui.fleet.drafts import Drafts
from tui.fleet.drafts import book as module
from tui.fleet.reach import branch_of
from tui.store import Store

WEB = "shop/web.yaml"


class Desk:
    """Drafts with a store, a tail, and Applications that a test can move."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = Store()
        self.events: list[TailEvent] = []
        self.told = 0
        self.drafts = Drafts(GitRepositories(world.data, world.clone), FileJournal(world.data / "journal"))

    def attach(self) -> None:
        self.drafts.attach(self.store, self._tell, self.events.append)

    def _tell(self) -> None:
        self.told += 1

    def application(
        self, name: str, revision: str, sync: str = "Synced", path: str = "shop", automated: bool = True, **source: Any
    ) -> None:
        spec: dict[str, Any] = {
            "source": {"repoURL": f"file://{self.world.origin}", "path": path, "targetRevision": "HEAD", **source}
        }
        if automated:
            spec["syncPolicy"] = {"automated": {}}
        body = {
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": spec,
            "status": {"sync": {"status": sync, "revision": revision}},
        }
        data = msgspec.json.encode(body)
        ref = Ref("hub", RESOURCE, "argocd", name)
        self.store.apply([Row(ref, msgspec.json.decode(data, type=ApplicationBrief), data)])

    def row(self, name: str) -> Any:
        row = self.store.get(Ref("", "drafts", "", name))
        return None if row is None else row.obj

    async def until(self, name: str, state: str) -> None:
        for _ in range(3000):
            if (record := self.row(name)) is not None and record.state == state:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} is {self.row(name)}, not {state}")


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    made = Desk(world)
    yield made
    await made.drafts.close()


async def edited(desk: Desk, title: str = "More web", text: str = "replicas: 2\nimage: web:1\n") -> model.Draft:
    draft = await desk.drafts.new(title, str(desk.world.clone))
    held = await desk.drafts.open(draft, WEB)
    return await desk.drafts.edit(draft, WEB, text, (), held.oid)


async def test_names_are_slugs_and_unique(desk: Desk) -> None:
    names = [(await desk.drafts.new(title, str(desk.world.clone))).name for title in ("More  Web!", "more web", "漢字")]
    assert names == ["more-web", "more-web-2", "draft"]
    listed = await desk.drafts.list()
    assert [entry.draft.name for entry in listed] == names
    assert all(entry.standing.state == "local" for entry in listed)


async def test_a_draft_is_found_by_name_id_and_end_of_id(desk: Desk) -> None:
    draft = await edited(desk)
    for word in (draft.name, draft.id, draft.id[-6:]):
        assert (await desk.drafts.find(word))[1].id == draft.id
    with pytest.raises(Missing, match="there is no draft nothing"):
        await desk.drafts.find("nothing")


async def test_a_new_draft_starts_from_what_the_remote_has_now(desk: Desk, world: World) -> None:
    new = world.upstream({WEB: "replicas: 7\n"})
    held = await desk.drafts.read(str(world.clone), "main", WEB)
    draft = await desk.drafts.new("x", str(world.clone), fetch=True)
    older = await desk.drafts.new("x", str(world.clone), base=held.commit)
    assert older.base == held.commit != new and (await desk.drafts.open(older, WEB)).oid == held.oid
    with pytest.raises(Refused, match="is not a commit of main"):
        await desk.drafts.new("x", str(world.clone), base=older.state)
    assert draft.base == new
    assert (await desk.drafts.open(draft, WEB)).text == "replicas: 7\n"


async def test_without_the_remote_work_goes_on(desk: Desk, world: World) -> None:
    await desk.drafts.repository(str(world.clone))
    world.origin.rename(world.origin.with_name("away"))
    assert (await edited(desk)).dirty
    await desk.drafts.new("y", str(world.clone), fetch=True)
    assert any("remote repository is not there" in problem for problem in desk.drafts.problems)


async def test_a_branch_that_is_not_there_is_refused(desk: Desk) -> None:
    for target in ("nope", "-x", "a..b", "refs/heads/main:refs/heads/x"):
        with pytest.raises(Missing, match="is not a branch"):
            await desk.drafts.new("x", str(desk.world.clone), target)


async def test_the_row_follows_every_action(desk: Desk) -> None:
    desk.attach()
    draft = await edited(desk)
    record = desk.row("more-web")
    assert (record.state, record.open_changes, record.files, record.commits) == ("local", 1, (WEB,), 0)
    assert record.detail == "1 edit not committed"
    draft = await desk.drafts.commit(draft, "more")
    assert (desk.row("more-web").open_changes, desk.row("more-web").commits) == (0, 1)
    result = await desk.drafts.push(await desk.drafts.plan_push(draft))
    assert result.done and desk.row("more-web").state == "pushed"
    facts = StoreFacts(desk.store, Settings(), lambda: 0.0)
    row = desk.store.get(Ref("", "drafts", "", "more-web"))
    assert row is not None
    values = {column.id: column.value(row, facts) for column in DRAFT_KIND.columns}
    assert values["name"] == "more-web" and values["state"] == "pushed" and values["files"] == WEB
    assert row.manifest()["spec"]["tip"] == draft.tip
    await desk.drafts.drop(draft)
    assert desk.row("more-web") is None
    await desk.drafts.restore("more-web")
    assert desk.row("more-web").state == "pushed"


async def test_what_another_fleet_does_is_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL", 0.02)
    desk.attach()
    await edited(desk)
    other = Desk(desk.world)
    await other.drafts.commit("more-web", "by another fleet")
    await other.drafts.close()
    for _ in range(3000):
        if desk.row("more-web").commits == 1:
            break
        await asyncio.sleep(0.02)
    assert desk.row("more-web").commits == 1


async def test_a_commit_arrives_application_by_application(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL", 0.02)
    monkeypatch.setattr(module, "FETCH_AGAIN", 0.0)
    start = git(world.clone, "rev-parse", "HEAD")
    for name in ("web-eu", "web-us"):
        desk.application(name, start)
    desk.application("manual", start, automated=False)
    desk.application("elsewhere", start, path="other")
    desk.application("pinned", start, targetRevision="v1")
    desk.attach()
    draft = await edited(desk)
    draft = await desk.drafts.commit(draft, "more")
    result = await desk.drafts.push(await desk.drafts.plan_push(draft, to_target=True))
    assert result.done
    await desk.until("more-web", "arriving 0/3")
    assert "1 without auto-sync" in desk.row("more-web").detail
    desk.application("web-eu", draft.tip, sync="OutOfSync")
    desk.application("web-eu", draft.tip)
    await desk.until("more-web", "arriving 1/3")
    later = world.upstream({"unrelated": "x\n"})  # a commit that only Argo CD has seen so far
    desk.application("web-us", later)
    await desk.until("more-web", "arriving 2/3")
    desk.application("manual", later)
    await desk.until("more-web", "arrived")
    reasons = [(event.reason, event.application) for event in desk.events]
    assert reasons == [
        ("DraftLanded", ""),
        ("DraftArrived", "argocd/web-eu"),
        ("DraftArrived", "argocd/web-us"),
        ("DraftArrived", "argocd/manual"),
    ]
    assert desk.events[-1].message == "more-web: arrived (everywhere, 3)" and desk.events[-1].cluster == "hub"


async def test_an_application_that_cannot_be_told_never_counts_as_arrived(desk: Desk, world: World) -> None:
    draft = await edited(desk)
    draft = await desk.drafts.commit(draft, "more")
    assert (await desk.drafts.push(await desk.drafts.plan_push(draft, to_target=True))).done
    desk.application("a", "--output=/tmp/owned")
    desk.application("b", "f" * 40)
    desk.application("c", draft.tip, sync="Unknown")
    desk.attach()
    listed = await desk.drafts.refresh()
    standing = listed[0].standing
    assert (standing.state, standing.arrived, standing.total) == ("arriving", 0, 3)
    assert [follower.has for follower in standing.followers] == [None, None, None]
    assert "3 unknown" in standing.detail


async def test_values_files_of_another_source_are_followed(desk: Desk, world: World) -> None:
    spec = {
        "sources": [
            {"repoURL": "https://charts.example", "chart": "web", "helm": {"valueFiles": ["$values/shop/web.yaml", 3]}},
            {"repoURL": f"file://{world.origin}", "targetRevision": "main", "ref": "values"},
        ]
    }
    body = {
        "metadata": {"name": "helm", "namespace": "argocd"},
        "spec": spec,
        "status": {"sync": {"status": "Synced", "revisions": ["1.2.3", "abc"]}},
    }
    data = msgspec.json.encode(body)
    row = Row(Ref("hub", RESOURCE, "argocd", "helm"), msgspec.json.decode(data, type=ApplicationBrief), data)
    desk.store.apply([row])
    repository, draft = await desk.drafts.find(await edited(desk))
    for file, revisions in ((WEB, ["abc"]), ("other.yaml", [])):
        found = await desk.drafts.reach.reached(desk.store, repository, draft, [model.Change(file, "M")])
        assert [reach.revision for reach in found.reached] == revisions


def test_target_revisions_name_branches() -> None:
    assert [branch_of(word, "main") for word in ("", "HEAD", "main", "refs/heads/x", "v1.0")] == [
        "main",
        "main",
        "main",
        "x",
        "v1.0",
    ]


async def test_a_moved_target_is_rebased_onto_before_it_is_pushed_to(desk: Desk, world: World) -> None:
    draft = await desk.drafts.commit(await edited(desk), "more")
    upstream = world.upstream({"shop/db.yaml": "size: 9\n"})
    plan = await desk.drafts.plan_push("more-web", to_target=True)
    assert plan.problem == "" and plan.commit != draft.tip
    assert (await desk.drafts.push(plan)).done
    assert git(world.origin, "rev-parse", "main~1") == upstream


async def test_a_conflict_is_shown_and_nothing_is_pushed(desk: Desk, world: World) -> None:
    await desk.drafts.commit(await edited(desk), "more")
    upstream = world.upstream({WEB: "replicas: 4\nimage: web:1\n"})
    plan = await desk.drafts.plan_push("more-web", to_target=True)
    assert "upstream set replicas to" in plan.problem and plan.clashes[0].path == WEB
    with pytest.raises(Refused, match="changed the same: shop"):
        await desk.drafts.push(plan)
    assert git(world.origin, "rev-parse", "main") == upstream
    assert (await desk.drafts.show("more-web")).standing.state == "conflict"


async def test_typed_text_survives_and_is_offered_again(desk: Desk, world: World) -> None:
    draft = await desk.drafts.new("x", str(world.clone))
    held = await desk.drafts.open(draft, WEB)
    await desk.drafts.autosave(draft, WEB, "half a li", held.oid)
    await desk.drafts.autosave(None, "new\nfile.yaml", "no draft yet")
    await desk.drafts.close()
    again = Drafts(GitRepositories(world.data, world.clone), FileJournal(world.data / "journal"))
    found = {(text.draft, text.path): text for text in await again.recovered()}
    assert found["x", WEB].text == "half a li" and found["x", WEB].over == held.oid
    assert found["", "new\nfile.yaml"].text == "no draft yet"
    await again.edit("x", WEB, "half a line\n", (), held.oid)
    await again.discard_autosave(None, "new\nfile.yaml")
    assert list(await again.recovered()) == []
    await again.close()


async def test_text_goes_to_the_journal_when_its_draft_cannot_take_it(desk: Desk, world: World) -> None:
    draft = await desk.drafts.new("x", str(world.clone))
    place = next((world.data / "git").glob("*.git"))
    place.rename(place.with_name("away"))
    await desk.drafts.autosave(draft, WEB, "typed while the disk was gone")
    place.with_name("away").rename(place)
    found = await desk.drafts.recovered()
    assert [(text.draft, text.path, text.text) for text in found] == [("x", WEB, "typed while the disk was gone")]
    await desk.drafts.discard_autosave(draft, WEB)
    assert list(await desk.drafts.recovered()) == []


async def test_text_typed_over_older_content_can_be_refused_too(desk: Desk) -> None:
    await desk.drafts.autosave(None, WEB, "typed over old content", "old")
    await desk.drafts.autosave(None, "other.yaml", "kept")
    await desk.drafts.discard_autosave(None, WEB, "new")
    assert [text.path for text in await desk.drafts.recovered()] == ["other.yaml"]


async def test_editing_over_what_another_fleet_changed_is_refused(desk: Desk, world: World) -> None:
    draft = await desk.drafts.new("x", str(world.clone))
    held = await desk.drafts.open(draft, WEB)
    other = Desk(world)
    await other.drafts.edit("x", WEB, "theirs\n")
    await other.drafts.close()
    with pytest.raises(Moved):
        await desk.drafts.edit(draft, WEB, "mine\n", (), held.oid)
    shown = (await desk.drafts.show("x")).draft
    await desk.drafts.edit("x", "shop/db.yaml", "mine\n")
    with pytest.raises(Moved):
        await desk.drafts.commit(shown, "not what was shown")


async def test_a_restored_draft_whose_name_was_taken_gets_another(desk: Desk, world: World) -> None:
    first = await desk.drafts.new("x", str(world.clone))
    await desk.drafts.drop(first)
    await desk.drafts.new("x", str(world.clone))
    assert (await desk.drafts.restore(first.id)).name == "x-2"


async def test_one_broken_repository_hides_no_other(desk: Desk, world: World, tmp_path: Path) -> None:
    await edited(desk)
    broken = world.data / "git" / ("0" * 64 + ".git")
    broken.mkdir()
    assert [entry.draft.name for entry in await desk.drafts.list()] == ["more-web"]
    assert any(str(broken) in problem for problem in desk.drafts.problems)


async def test_no_git_command_runs_on_the_loop(desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    real = runner.call

    def call(*arguments: Any, **options: Any) -> runner.Result:
        threads.add(threading.get_ident())
        return real(*arguments, **options)

    monkeypatch.setattr(runner, "call", call)
    desk.attach()
    draft = await desk.drafts.commit(await edited(desk), "more")
    await desk.drafts.autosave(draft, WEB, "text")
    await desk.drafts.diff(draft)
    assert (await desk.drafts.push(await desk.drafts.plan_push(draft, to_target=True))).done
    await desk.drafts.undo(draft)
    await desk.drafts.drop(draft)
    assert threads and threading.get_ident() not in threads


async def second(world: World, place: Path) -> Path:
    """A clone of another remote."""
    other = World(place)
    return other.clone


async def test_a_draft_spans_repositories(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    clone = await second(desk.world, tmp_path / "other")
    desk.attach()
    draft = await edited(desk)
    part = await desk.drafts.extend(draft, str(clone))
    assert (part.id, part.name, part.repo) == (draft.id, draft.name, str(clone.parent / "origin.git"))
    assert (await desk.drafts.extend(draft.name, str(clone))).state == part.state  # there is one already
    with pytest.raises(Refused, match="may be in any repository"):
        await desk.drafts.edit(draft.name, WEB, "which?\n")
    await desk.drafts.edit(draft.name, WEB, "replicas: 9\n", repo=str(clone))
    listed = await desk.drafts.list()
    assert [len(entry.whole) for entry in listed] == [2] and desk.row("more-web").open_changes == 2
    assert (await desk.drafts.open(part, WEB)).text == "replicas: 9\n"
    changes, patch = await desk.drafts.diff(draft.name)
    assert len(changes) == 2 and patch.count("\nrepository ") + patch.startswith("repository ") == 2
    # taken back in the order in which it was done, in whichever repository that was
    assert (await desk.drafts.undo(draft.name)).repo == part.repo
    assert (await desk.drafts.undo(draft.name)).repo == draft.repo
    assert (await desk.drafts.redo(draft.name)).repo == draft.repo
    assert (await desk.drafts.redo(draft.name)).repo == part.repo
    await desk.drafts.commit(draft.name, "both")
    assert [entry.commits[0][1] for entry in (await desk.drafts.show(draft.name)).whole] == ["both", "both"]
    plans = await desk.drafts.plan_pushes(draft.name)
    assert [(await desk.drafts.push(plan)).done for plan in plans] == [True, True]
    assert desk.row("more-web").state == "pushed"
    await desk.drafts.push((await desk.drafts.plan_pushes(part, to_target=True))[1])
    assert desk.row("more-web").state == "pushed", "one of two has landed"
    await desk.drafts.drop(draft.name)
    assert await desk.drafts.list() == [] and len((await desk.drafts.list(trash=True))[0].whole) == 2
    await desk.drafts.restore(draft.name)
    assert len((await desk.drafts.show(draft.name)).whole) == 2
    repository = await desk.drafts.repository(part.repo)  # killed half-way through a drop
    await repository.drop(part.id)
    await desk.drafts.restore(draft.name)
    assert len((await desk.drafts.show(draft.name)).whole) == 2


async def test_pushing_again_what_has_landed_keeps_its_commits(desk: Desk, world: World) -> None:
    draft = await desk.drafts.commit(await edited(desk), "more")
    assert (await desk.drafts.push(await desk.drafts.plan_push(draft, to_target=True))).done
    world.upstream({"README.md": "moved on\n"})
    plan = await desk.drafts.plan_push(draft, to_target=True)
    assert plan.problem == "main has these changes already"
    listed = await desk.drafts.show(draft)
    assert (listed.standing.state, listed.draft.tip) == ("merged", draft.tip)
