"""From an object on the screen to a commit at the remote, by keys, with real Git."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tui.adapters.git.journal import FileJournal
from tui.adapters.git.repositories import GitRepositories
from tui.domain.drafts.blast import Blast
from tui.domain.obj import Ref
from tui.fleet.blast import Blasts
from tui.fleet.drafts import Drafts
from tui.fleet.locating import Located, Locator
from tui.ui import typeahead
from tui.ui.app import FleetApp
from tui.ui.panes.drafts import DraftsPane
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.dialogs import Choice, Confirm
from tui.ui.screens.diff import DiffScreen
from tui.ui.screens.editor import EditorScreen
from tui.ui.screens.form import FormScreen
from tui.ui.widgets.editor import Editor
from tui.ui.widgets.viewer import Viewer

DEPLOYMENT = """\
# Owner: team web
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
spec:
  replicas: 3  # never below 2
  selector:
    matchLabels: {app: web}
"""
WEB = Ref("prod-eu", "deployments.apps", "web", "web")


class EditingFleet(StillFleet):
    """The shop, and one Application whose source is in a real repository."""

    def __init__(self, place: World) -> None:
        super().__init__()
        self.drafts = Drafts(GitRepositories(place.data, place.clone), FileJournal(place.data / "journal"))
        self.blasts = Blasts(self.drafts, self.store, self.facts, self.notify)
        app = shop.application("web", "shop", "prod-eu", "web", "Synced", "Healthy", "deploy/web", True, "")
        app["spec"]["source"]["repoURL"] = str(place.origin)
        rows = [shop.row(shop.HUB, APPLICATIONS, app), *shop.workloads("prod-eu", "web", "web")]
        self.store.apply(rows, [row.ref for row in shop.drafts()])

    def start(self) -> None:
        self.drafts.attach(self.store, self.notify)

    async def stop(self) -> None:
        await self.blasts.close()
        await self.drafts.close()

    def blast(self, draft: str) -> Blast | str:
        return self.blasts.look(draft)

    async def blast_of(self, draft: str) -> Blast:
        return await self.blasts.of(draft)

    async def locate(self, ref: Ref) -> Located:
        return await Locator(self.store, self.facts, self.drafts).locate(ref)

    async def files(self, ref: Ref) -> Located:
        return await Locator(self.store, self.facts, self.drafts).files(ref)


@asynccontextmanager
async def editing(place: World) -> AsyncIterator[tuple[EditingFleet, FleetApp, Pilot[None]]]:
    """The app with the cursor on the Deployment."""
    fleet = EditingFleet(place)
    async with screen(fleet) as (app, pilot):
        await app.shell.go("objects", "deployments.apps")
        await at_rest(app, pilot)
        assert app.shell.pane.table.move_to(WEB)
        yield fleet, app, pilot


async def until(true: Callable[[], object], pilot: Pilot[None]) -> None:
    """Wait for something that Git or a worker brings about."""
    async with asyncio.timeout(60):
        while not true():
            await pilot.pause(0.02)
    await pilot.pause()


@pytest.fixture
def ready(world: World) -> World:
    world.commit({"deploy/web/deployment.yaml": DEPLOYMENT}, "web")
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    return world


async def test_an_edit_becomes_a_commit_of_a_draft(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        editor = app.screen.query_one(Editor)
        assert editor.text == DEPLOYMENT
        await pilot.press("ctrl+f", *"replicas: 3", "enter", "right", "backspace", "5")
        assert "replicas: 5  # never" in editor.text
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        await until(lambda: "+  replicas: 5" in app.screen.query_one(Viewer).text, pilot)
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("enter")
        await until(lambda: app.screen is app.shell and isinstance(app.shell.pane, DraftsPane), pilot)
        listed = (await fleet.drafts.list())[0]
        assert len(listed.commits) == 1
        assert "3 → 5" in listed.commits[0][1]
        assert not listed.draft.dirty
        await until(lambda: app.shell.pane.here() is not None, pilot)
        assert app.shell.pane.here().name == listed.draft.name


@pytest.mark.parametrize("patience", [0.0, 60.0])
async def test_what_is_typed_while_a_commit_is_made_goes_where_it_is_meant(
    ready: World, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE", patience)
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        await pilot.press("ctrl+f", *"replicas: 3", "enter", "right", "backspace", "5", "ctrl+s")
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        for key in ("enter", "colon", *"clusters", "enter"):
            app.post_message(events.Key(key, {"colon": ":", "enter": "\r"}.get(key, key)))
        await until(lambda: app.screen is app.shell and app.shell.pane_id() == "clusters", pilot)

        async def committed() -> bool:
            return [len(listed.commits) for listed in await fleet.drafts.list()] == [1]

        async with asyncio.timeout(60):
            while not await committed():
                await pilot.pause(0.02)
        await at_rest(app, pilot)
        assert not [note.message for note in app._notifications if note.severity == "error"]


async def test_a_draft_is_pushed_after_asking(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        draft = await fleet.drafts.new("Scale", str(ready.origin))
        content = await fleet.drafts.open(draft, "deploy/web/deployment.yaml")
        text = content.text.replace("replicas: 3", "replicas: 4")
        draft = await fleet.drafts.edit(draft, content.path, text, (), content.oid)
        await fleet.drafts.commit(draft, "scale")
        await app.shell.go("drafts")
        await until(lambda: app.shell.pane.here() is not None, pilot)
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert any(fact.startswith("branch") for fact in app.screen._facts)
        assert "scale" not in git(ready.origin, "branch", "--list")
        await pilot.press("n")
        await pilot.pause()
        assert git(ready.origin, "branch", "--list", "fleet/*") == ""
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("y")
        await until(lambda: "fleet/" in git(ready.origin, "branch", "--list", "fleet/*"), pilot)
        await at_rest(app, pilot)


async def test_text_that_was_typed_is_offered_again(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        await pilot.press(*"# typed")

        async def kept() -> bool:
            return any("# typed" in found.text for found in await fleet.drafts.recovered())

        async with asyncio.timeout(60):
            while not await kept():
                await pilot.pause(0.02)
    async with editing(ready) as (_, app, pilot):  # as after kill -9: nothing was closed or saved
        assert any("unsaved text" in notification.message for notification in app._notifications)
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        assert "# typed" in app.screen.query_one(Editor).text


async def test_broken_yaml_is_marked_and_saved_only_after_asking(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        editor = app.screen.query_one(Editor)
        await pilot.press(*"a: [")
        await until(lambda: editor.problems, pilot)
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(app.screen, EditorScreen)
        assert await fleet.drafts.list() == []


async def test_a_form_drafts_a_number_of_replicas(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        names = [name for _, name, _ in app.screen._choices]
        await pilot.press(*["down"] * names.index("Replicas"), "enter")
        await until(lambda: isinstance(app.screen, FormScreen), pilot)
        await pilot.press("x", "enter")
        await pilot.pause()
        assert isinstance(app.screen, FormScreen)  # x is no number
        await pilot.press("ctrl+u", "backspace", "7", "enter")
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        await until(lambda: "+  replicas: 7  # never below 2" in app.screen.query_one(Viewer).text, pilot)
        await pilot.press("escape")
        await until(lambda: app.screen is app.shell, pilot)
        listed = (await fleet.drafts.list())[0]
        assert listed.draft.dirty and not listed.commits


async def test_a_draft_is_dropped_after_asking(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await fleet.drafts.new("Scale", str(ready.origin))
        await app.shell.go("drafts")
        await until(lambda: app.shell.pane.here() is not None, pilot)
        await pilot.press("X")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("y")
        await until(lambda: app.shell.pane.here() is None, pilot)
        assert await fleet.drafts.list() == []
        assert len(await fleet.drafts.list(trash=True)) == 1


async def test_what_is_not_from_git_is_offered_as_a_new_file(ready: World) -> None:
    async with editing(ready) as (_, app, pilot):
        namespace = Ref("prod-eu", "namespaces", "", "web")
        app.draft_edit(namespace)
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert "did not come from Git" in app.screen._facts[0]
        await pilot.press("y")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        assert "kind: Namespace" in app.screen.query_one(Editor).text
        assert "uid" not in app.screen.query_one(Editor).text
