"""Commit, push and pull request by keys, with real hooks, keys and servers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.git.test_hooks import install
from tests.git.test_remote import hook
from tests.terminal import Terminal
from tests.ui.still import at_rest
from tests.ui.test_editing import EditingFleet, editing, until
from tests.ui.test_editing import ready as ready
from tui.domain.drafts.model import Draft
from tui.ui.app import FleetApp
from tui.ui.screens.dialogs import Choice, Confirm
from tui.ui.screens.message import MessageScreen
from tui.ui.screens.said import Said
from tui.ui.screens.words_view import WordsView
from tui.ui.widgets.editor import Editor

PATH = "deploy/web/deployment.yaml"


async def staged(fleet: EditingFleet, place: World) -> Draft:
    draft = await fleet.drafts.new("Scale", str(place.origin))
    content = await fleet.drafts.open(draft, PATH)
    text = content.text.replace("replicas: 3", "replicas: 4")
    return await fleet.drafts.edit(draft, content.path, text, (), content.oid)


@asynccontextmanager
async def on_draft(place: World, commit: str = "") -> AsyncIterator[tuple[EditingFleet, FleetApp, Pilot[None]]]:
    """The app with the cursor on a draft that has an edit, committed or not."""
    async with editing(place) as (fleet, app, pilot):
        draft = await staged(fleet, place)
        if commit:
            await fleet.drafts.commit(draft, commit)
        await app.shell.go("drafts")
        await until(lambda: app.shell.pane.here() is not None, pilot)
        yield fleet, app, pilot


def hooked(place: World, name: str, script: str) -> None:
    place.sealed = None
    install(place, name, script)
    place.seal()


async def the_draft(fleet: EditingFleet) -> Draft:
    return (await fleet.drafts.list())[0].draft


async def test_a_hook_that_refuses_is_read_and_may_be_passed_over(ready: World) -> None:
    hooked(ready, "commit-msg", "echo '[red]no ticket[/]'; printf '\\033[2Jgone\\n'; exit 1\n")
    async with on_draft(ready) as (fleet, app, pilot):
        before = await the_draft(fleet)
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("home", *"Web: ", "enter")
        await until(lambda: isinstance(app.screen, Said), pilot)
        told = app.screen.query_one(WordsView).text()
        assert "your hook commit-msg refused (exit code 1)" in told and "[red]no ticket[/]" in told
        await pilot.press("escape")
        await at_rest(app, pilot)
        assert await the_draft(fleet) == before
        await pilot.press("c")  # what was typed is offered again
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        assert app.screen.query_one("#prompt Input", Input).value.startswith("Web: ")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Said), pilot)
        await pilot.press("ctrl+t")
        await until(lambda: app.screen is app.shell, pilot)
        await at_rest(app, pilot)
        listed = (await fleet.drafts.list())[0]
        assert listed.commits[0][1].startswith("Web: ") and not listed.draft.dirty


async def test_what_a_hook_corrects_is_seen_before_it_is_committed(ready: World) -> None:
    hooked(ready, "pre-commit", f"grep -q checked {PATH} && exit 0; echo '# checked' >>{PATH}; exit 1\n")
    async with on_draft(ready) as (fleet, app, pilot):
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Said), pilot)
        told = app.screen.query_one(WordsView).text()
        assert "staged in the draft, commit again" in told and f"changed  {PATH}" in told
        await pilot.press("ctrl+t")  # not offered: the correction is to be seen first
        await pilot.pause()
        assert isinstance(app.screen, Said)
        await pilot.press("escape", "c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("enter")
        await at_rest(app, pilot)
        draft = await the_draft(fleet)
        assert not draft.dirty and (await fleet.drafts.open(draft, PATH)).text.endswith("# checked\n")


async def test_the_whole_message_in_an_editor(ready: World) -> None:
    async with on_draft(ready) as (fleet, app, pilot):
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, MessageScreen), pilot)
        await pilot.press(*["down"] * 9, "end", "enter", *"Because of Friday.")

        async def kept() -> str:
            return await fleet.drafts.message(await the_draft(fleet))

        while "Because of Friday." not in await kept():
            await pilot.pause(0.02)
    async with editing(ready) as (fleet, app, pilot):  # as after kill -9
        assert not any("unsaved" in one.message for one in app._notifications)
        await app.shell.go("drafts")
        await until(lambda: app.shell.pane.here() is not None, pilot)
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, MessageScreen), pilot)
        assert "Because of Friday." in app.screen.query_one(Editor).text
        await pilot.press("ctrl+s")
        await until(lambda: app.screen is app.shell, pilot)
        await at_rest(app, pilot)
        draft = await the_draft(fleet)
        repository, _ = await fleet.drafts.find(draft)
        path = repository.repository.path  # type: ignore[attr-defined]
        assert "\nBecause of Friday.\n" in git(path, "log", "-1", "--format=%B", draft.tip)
        assert "Friday" not in await kept_after(fleet, draft)


async def kept_after(fleet: EditingFleet, draft: Draft) -> str:
    assert fleet.drafts.journal is not None
    return str(await fleet.drafts.journal.texts())


async def test_closing_the_message_commits_nothing(ready: World) -> None:
    async with on_draft(ready) as (fleet, app, pilot):
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, MessageScreen), pilot)
        await pilot.press(*"X", "escape")
        await until(lambda: app.screen is app.shell, pilot)
        assert (await the_draft(fleet)).dirty
        assert (await fleet.drafts.message(await the_draft(fleet))).startswith("X")
        await pilot.press("c")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press("end", "ctrl+u", "enter")  # an empty line forgets it
        await at_rest(app, pilot)
        assert not (await fleet.drafts.message(await the_draft(fleet))).startswith("X")


async def test_a_refused_push_is_read(ready: World) -> None:
    hook(ready, "pre-receive", "for i in $(seq 40); do echo rule $i is broken >&2; done; exit 1\n")
    async with on_draft(ready, "scale") as (_, app, pilot):
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, Said), pilot)
        told = app.screen.query_one(WordsView).text()
        assert "a hook of the remote refused it" in told and "rule 40 is broken" in told
        await pilot.press("escape")
        await at_rest(app, pilot)


async def test_a_pre_push_hook_that_refuses(ready: World) -> None:
    hooked(ready, "pre-push", "echo not today; exit 1\n")
    async with on_draft(ready, "scale") as (_, app, pilot):
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert "your hook pre-push runs first" in app.screen._facts
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, Said), pilot)
        assert git(ready.origin, "branch", "--list", "fleet/*") == ""
        await pilot.press("ctrl+t")
        await until(lambda: "fleet/" in git(ready.origin, "branch", "--list", "fleet/*"), pilot)
        await at_rest(app, pilot)


async def test_a_tag_is_offered_where_applications_follow_tags(ready: World) -> None:
    from tests.ui import shop
    from tui.ui.scope import APPLICATIONS

    async with on_draft(ready, "scale") as (fleet, app, pilot):
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        assert [id for id, _, _ in app.screen._choices] == ["branch", "target"]
        await pilot.press("escape")
        tagged = shop.application("tagged", "shop", "prod-eu", "web", "Synced", "Healthy", "deploy/web", True, "")
        tagged["spec"]["source"] |= {"repoURL": str(ready.origin), "targetRevision": "v1.*"}
        fleet.store.apply([shop.row(shop.HUB, APPLICATIONS, tagged)])
        await at_rest(app, pilot)
        await pilot.press("P")
        await until(lambda: isinstance(app.screen, Choice), pilot)
        assert app.screen._choices[2][2] == "Applications follow v1.*"
        await pilot.press("down", "down", "enter")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press(*"v1.4", "enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert "tag     v1.4" in app.screen._facts
        await pilot.press("y")
        await until(lambda: git(ready.origin, "tag") == "v1.4", pilot)
        await at_rest(app, pilot)


_PROGRAM = """
import sys
from pathlib import Path
from tests.git.conftest import World
from tests.ui.test_editing import EditingFleet
from tui.domain.settings import Settings
from tui.ui.app import FleetApp
place = World.__new__(World)
place.origin, place.clone, place.data = map(Path, sys.argv[1:])
app = FleetApp(lambda: EditingFleet(place), Settings())
app.run()
"""


async def test_a_locked_key_is_asked_for_on_the_terminal(ready: World, home: Path) -> None:
    key = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(key)), ("commit.gpgsign", "true")):
        git(home, "config", "--global", name, value)
    fleet = EditingFleet(ready)
    await staged(fleet, ready)
    argv = [sys.executable, "-c", _PROGRAM, str(ready.origin), str(ready.clone), str(ready.data)]
    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with Terminal(argv, env=env) as terminal:
        terminal.wait("Applications")
        terminal.press(*":drafts", "enter")
        terminal.wait("Scale")
        terminal.press("c")
        terminal.wait("commit: ")
        terminal.press("enter")
        terminal.wait("give it the terminal?")
        terminal.press("y")
        terminal.wait("Enter passphrase")
        terminal.press("secret", "enter")
        terminal.wait("committed")
        assert "Enter passphrase" not in terminal.text()  # the screen is back
    listed = (await fleet.drafts.list())[0]
    assert len(listed.commits) == 1 and not listed.draft.dirty
    await fleet.stop()
