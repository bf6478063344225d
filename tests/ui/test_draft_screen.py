"""A draft's screen by its keys, with real Git: picking, commits made anew, and the words that refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.ui.still import at_rest, screen
from tests.ui.test_editing import EditingFleet, until
from tui.domain.drafts.model import Draft
from tui.ui.app import FleetApp
from tui.ui.bars import Footer
from tui.ui.screens.conflicts import ConflictScreen
from tui.ui.screens.dialogs import Confirm
from tui.ui.screens.draft import DraftScreen
from tui.ui.screens.said import Said
from tui.ui.screens.textbox import TextScreen

WEB, DB = "shop/web.yaml", "shop/db.yaml"
LINES = "".join(f"line{number}: {number}\n" for number in range(1, 31))


@pytest.fixture
def ready(world: World) -> World:
    world.commit({WEB: LINES, DB: "size: 1\n"}, "lines")
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    return world


class Hand:
    """The screen on one draft, and what is in it."""

    def __init__(self, fleet: EditingFleet, app: FleetApp, pilot: Pilot[None]) -> None:
        self.fleet, self.app, self.pilot = fleet, app, pilot
        self.drafts = fleet.drafts

    @property
    def screen(self) -> DraftScreen:
        found = self.app.screen
        assert isinstance(found, DraftScreen), found
        return found

    async def draft(self) -> Draft:
        return (await self.drafts.parts("more-web"))[0][1]

    async def press(self, *keys: str) -> None:
        """Type, and wait until what that set going is done or asks."""
        await self.pilot.press(*keys)
        await self.until(lambda: self.asked() or not self.working())

    def asked(self) -> bool:
        return isinstance(self.app.screen, Confirm | TextScreen) or bool(self.app.screen.query("#prompt Input"))

    def working(self) -> bool:
        waiting = {"follow"}  # for something else than itself
        if isinstance(self.app.screen, ConflictScreen):
            waiting |= {"rebasing", "reading the conflicts"}
        return any(worker.group not in waiting and not worker.is_finished for worker in self.app.workers)

    async def until(self, true: Callable[[], object]) -> None:
        await until(true, self.pilot)

    async def answer(self, *keys: str) -> None:
        """To a question or in the line at the bottom."""
        await self.until(self.asked)
        await self.press(*keys)
        await self.until(lambda: not self.asked() and not self.working())

    async def edit(self, path: str, old: str, new: str) -> None:
        content = await self.drafts.open("more-web", path)
        assert old in content.text
        await self.drafts.edit("more-web", path, content.text.replace(old, new), (), content.oid)

    async def committed(self, path: str, old: str, new: str, message: str) -> None:
        await self.edit(path, old, new)
        await self.drafts.commit("more-web", message)

    async def at(self, commit: str, path: str) -> str:
        repository, _ = await self.drafts.find("more-web")
        return (await repository.read(commit, path)).text

    async def subjects(self) -> list[str]:
        """Of the commits, newest first."""
        return [subject for _, subject in reversed((await self.drafts.show("more-web")).commits)]

    def said(self) -> list[str]:
        return [note.message for note in self.app._notifications]

    def words(self, panel: str) -> list[str]:
        found = self.screen.files if panel == "files" else self.screen.commits
        return ["".join(cell.text for cell in (*item.cells, *item.right)) for item in found.list.items]

    async def open(self) -> None:
        await self.app.shell.go("drafts")
        await self.until(lambda: self.app.shell.pane.here() is not None)
        await self.press("enter")
        await self.until(lambda: isinstance(self.app.screen, DraftScreen) and self.screen.parts)
        await at_rest(self.app, self.pilot)


@asynccontextmanager
async def hand(place: World, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Hand]:
    """The app with a draft called more-web; `open` shows its screen."""
    fleet = EditingFleet(place)
    async with screen(fleet, size=size) as (app, pilot):
        await fleet.drafts.new("More web", str(place.origin))
        yield Hand(fleet, app, pilot)


async def test_space_picks_a_file_and_a_commit_takes_only_that(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.edit(DB, "size: 1", "size: 2")
        await it.open()
        assert [words[0] for words in it.words("files")] == ["○", "○"]
        await it.press("space")
        assert [words[0] for words in it.words("files")] == ["●", "○"]
        await it.press("c")
        await it.answer("enter")
        await it.until(lambda: len(it.words("commits")) == 1)
        draft = await it.draft()
        assert draft.dirty and not draft.index
        assert await it.at(draft.tip, DB) == "size: 2\n" and await it.at(draft.tip, WEB) == LINES
        await it.press("z")
        assert [words[0] for words in it.words("files")] == ["●", "○"]
        await it.press("up", "space")
        assert [words[0] for words in it.words("files")] == ["○", "○"]


async def test_a_picks_everything_and_puts_everything_back(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.edit(DB, "size: 1", "size: 2")
        await it.open()
        await it.press("a")
        assert [words[0] for words in it.words("files")] == ["●", "●"]
        await it.press("a")
        assert not (await it.draft()).index


async def test_one_line_of_a_file_is_picked_and_the_other_side_shows_it(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.edit(WEB, "line25: 25", "line25: 99")
        await it.open()
        await it.press("enter", "a", "space")  # the first hunk
        draft = await it.draft()
        picked = await it.at(draft.index, WEB)
        assert "line3: 33" in picked and "line25: 25\n" in picked
        assert it.screen.patch.picking and "line25: 99" in it.screen.patch.view.text
        assert "line3: 33" not in it.screen.patch.view.text
        await it.press("tab")
        assert "line3: 33" in it.screen.patch.view.text and "line25: 99" not in it.screen.patch.view.text
        await it.press("a", "space")  # back
        assert not (await it.draft()).index
        await it.press("escape")
        assert not it.screen.patch.picking and it.screen.focused is it.screen.files.list
        assert [words[0] for words in it.words("files")] == ["○"]


async def test_a_range_of_lines_is_picked_and_lines_are_discarded(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3\nline4: 4\n", "line3: 33\nline4: 44\n")
        await it.open()
        await it.press("enter", "v", "j", "j", "j", "space")
        assert "line4: 44" in await it.at((await it.draft()).index, WEB)
        await it.press("z")
        await it.press("d")  # the removed line3, so it is there again beside the added one
        assert "line3: 3\n" in await it.at((await it.draft()).head, WEB)
        await it.press("z")
        assert (await it.at((await it.draft()).head, WEB)).count("line3: 3\n") == 0


async def test_discarding_a_file_asks_and_undo_brings_it_back(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.open()
        await it.press("d")
        await it.answer("n")
        assert (await it.draft()).dirty
        await it.press("d")
        await it.answer("y")
        assert not (await it.draft()).dirty
        await it.press("z")
        assert (await it.draft()).dirty
        await it.press("Z")
        assert not (await it.draft()).dirty


async def test_commits_are_moved_squashed_reworded_and_dropped(ready: World) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.committed(DB, "size: 1", "size: 2", "size")
        await it.committed(WEB, "line25: 25", "line25: 99", "twenty-five")
        await it.open()
        assert it.screen.focused is it.screen.commits.list  # there is nothing that is not committed
        await it.press("ctrl+j")
        assert await it.subjects() == ["size", "twenty-five", "three"]
        assert it.screen.commits.commit()[1].subject == "twenty-five"
        await it.press("ctrl+k")
        assert await it.subjects() == ["twenty-five", "size", "three"]
        await it.press("r")
        await it.answer(*["backspace"] * 20, *"more", "enter")
        assert await it.subjects() == ["more", "size", "three"]
        await it.press("f")
        assert await it.subjects() == ["size", "three"]
        await it.press("s")
        assert await it.subjects() == ["three"]
        assert "line25: 99" in await it.at((await it.draft()).tip, WEB)
        await it.press("z")
        assert await it.subjects() == ["size", "three"]
        await it.press("d")
        await it.answer("y")
        assert await it.subjects() == ["three"]


async def test_edits_amend_the_newest_commit_or_the_chosen_one(ready: World) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.committed(DB, "size: 1", "size: 2", "size")
        await it.edit(WEB, "line25: 25", "line25: 99")
        await it.open()
        await it.press("A")
        draft = await it.draft()
        assert not draft.dirty and await it.subjects() == ["size", "three"]
        await it.press("z", "2", "j", "A")
        oldest = (await it.drafts.show("more-web")).commits[0][0]
        assert "line25: 99" in await it.at(oldest, WEB) and not (await it.draft()).dirty


async def test_a_commit_is_split_at_the_lines_that_are_picked(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.committed(WEB, "line25: 25", "line25: 99", "both")
        await it.open()
        await it.press("e", "a", "space")
        shown = [label for _, label, _ in it.screen.query_one(Footer)._keys]
        assert "Split" in shown and "Other side" not in shown and "Discard" not in shown
        await it.press("enter")
        await it.until(it.asked)
        await it.press(*["backspace"] * 20, *"first", "enter")
        await it.answer("enter")
        await it.until(lambda: len(it.words("commits")) == 2)
        assert await it.subjects() == ["both", "first"]
        first = (await it.drafts.show("more-web")).commits[0][0]
        text = await it.at(first, WEB)
        assert "line3: 33" in text and "line25: 25\n" in text


async def test_commits_become_edits_again(ready: World) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.committed(DB, "size: 1", "size: 2", "size")
        await it.open()
        await it.press("j", "g")
        await it.answer("y")
        draft = await it.draft()
        assert draft.tip == draft.base and await it.at(draft.head, DB) == "size: 2\n"
        assert len(it.words("files")) == 2


async def test_a_commit_is_reverted_as_an_edit_unless_its_files_changed_since(ready: World) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.committed(WEB, "line25: 25", "line25: 99", "twenty-five")
        await it.open()
        await it.press("j", "t")
        assert any("has changed since" in said for said in it.said())
        await it.press("k", "t")
        await it.answer("y")
        draft = await it.draft()
        assert draft.dirty and "line25: 25\n" in await it.at(draft.head, WEB)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (("1", "space"), "there is no edit"),
        (("1", "A"), "there is no edit to amend"),
        (("2", "s"), "no commit of the draft below"),
        (("2", "f"), "no commit of the draft below"),
        (("2", "ctrl+j"), "it is the oldest commit"),
        (("2", "ctrl+k"), "it is the newest commit"),
        (("2", "A"), "no edit to amend"),
        (("3", "space"), "enter on a file"),
        (("c",), "nothing that is not committed"),
    ],
)
async def test_what_cannot_be_done_says_why_in_a_line(ready: World, keys: tuple[str, ...], why: str) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.open()
        before = await it.draft()
        await it.press(*keys)
        assert any(why in said for said in it.said()), it.said()
        assert (await it.draft()).state == before.state


async def test_keys_typed_ahead_land_where_the_one_before_led(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.edit(DB, "size: 1", "size: 2")
        await it.open()
        await it.press("j", "enter", "a", "space", "c", *"x", "enter")
        await it.until(lambda: len(it.words("commits")) == 1)
        draft = await it.draft()
        assert "line3: 33" in await it.at(draft.tip, WEB) and await it.at(draft.tip, DB) == "size: 1\n"


async def test_what_another_program_does_is_shown(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.open()
        repository, draft = await it.drafts.find("more-web")
        await repository.edit(draft.id, {DB: b"size: 7\n"})
        await it.until(lambda: len(it.words("files")) == 2)
        await repository.pick(draft.id, {}, whole=[DB])  # which changes nothing of the draft's row in the table
        await it.until(lambda: [words[0] for words in it.words("files")] == ["●", "○"])
        await it.drafts.drop("more-web")
        await it.until(lambda: it.app.screen is it.app.shell)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_it_fits_and_a_narrow_one_gives_the_patch_the_width(ready: World, size: tuple[int, int]) -> None:
    async with hand(ready, size) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.open()
        await it.press("enter")
        side = it.screen.query_one("#draft-side")
        assert side.display == (size[0] >= 100)
        await it.press("escape")
        assert side.display and it.screen.focused is it.screen.files.list


async def test_more_lines_of_a_file_that_is_picked_in_part_are_picked(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3\n", "line3: 33\n")
        await it.edit(WEB, "line25: 25\n", "line25: 99\n")
        await it.open()
        await it.press("enter", "a", "space")
        await it.press("escape")
        text = it.screen.patch.view.text
        assert text.index("picked for the next commit") < text.index("line3: 33") < text.index("not picked")
        await it.press("enter", "a", "space")
        assert "line25: 99" in await it.at((await it.draft()).index, WEB)
        assert [words[0] for words in it.words("files")] == ["●"]


async def test_a_file_of_another_repository_is_edited_in_the_same_draft(ready: World) -> None:
    from tui.ui.drafting import editing
    from tui.ui.screens.dialogs import Choice

    other = ready.clone.parent / "other.git"
    git(ready.clone.parent, "clone", "-q", "--bare", str(ready.origin), str(other))
    git(other, "remote", "remove", "origin")
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        clone, url = other.with_name("other-clone"), str(other)
        git(other.parent, "clone", "-q", url, str(clone))
        it.drafts.repositories.folders.append((clone, ""))
        await it.drafts.repository(str(clone))
        chosen: list[Draft | None] = []

        async def choose() -> None:
            chosen.append(await editing.choose_draft(it.app, url, "main", "Edit web"))

        it.app.do(choose(), "choosing")
        await it.until(lambda: isinstance(it.app.screen, Choice))
        assert any("also in" in text for _, _, text in it.app.screen._choices)
        await it.pilot.press("down", "enter")
        await it.until(lambda: chosen)
        assert chosen[0] is not None and chosen[0].name == "more-web" and chosen[0].repo == url
        await it.drafts.edit(chosen[0], DB, "size: 5\n")
        await it.open()
        assert len(it.screen.parts) == 2 and len(it.words("files")) == 4  # each below its repository
        await it.press("c")
        await it.answer("enter")
        await it.until(lambda: len(it.words("commits")) == 4)
        assert all(not held.dirty for _, held in await it.drafts.parts("more-web"))


async def test_arrows_and_digits_lead_from_panel_to_panel(ready: World) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.edit(WEB, "line25: 25", "line25: 99")
        await it.open()
        where = []
        for key in ("right", "right", "left", "left", "3", "2", "1"):
            await it.press(key)
            where.append(it.screen.focused)
        files, commits, patch = it.screen.files.list, it.screen.commits.list, it.screen.patch.view
        assert where == [commits, patch, commits, files, patch, commits, files]
        await it.press("enter", "right")
        assert it.screen.focused is patch and it.screen.patch.picking


async def test_a_hook_that_refuses_an_amend_is_shown_and_nothing_is_lost(ready: World) -> None:
    hook = ready.clone / ".git/hooks/commit-msg"
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho the ticket is missing >&2\nexit 1\n")
        hook.chmod(0o755)
        ready.seal()
        await it.open()
        before = await it.draft()
        await it.pilot.press("r")
        await it.until(it.asked)
        await it.pilot.press(*"er", "enter")
        await it.until(lambda: isinstance(it.app.screen, Said))
        assert any("the ticket is missing" in line for line in it.app.screen.lines)
        await it.pilot.press("escape")
        await it.until(lambda: isinstance(it.app.screen, DraftScreen))
        assert (await it.draft()).tip == before.tip
