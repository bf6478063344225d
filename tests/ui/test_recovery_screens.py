"""Conflicts decided, and what was dropped, overwritten or never saved brought back, by keys and with real Git."""

from __future__ import annotations

import pytest
from textual import events

from tests.git.conftest import World
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.ui.test_draft_screen import DB, LINES, WEB, Hand, hand
from tests.ui.test_draft_screen import ready as ready
from tui.ui import typeahead
from tui.ui.obey import obey
from tui.ui.screens import conflicts
from tui.ui.screens.conflicts import ConflictScreen
from tui.ui.screens.draft import DraftScreen
from tui.ui.screens.editor import EditorScreen
from tui.ui.screens.recovery import RecoveryScreen
from tui.ui.screens.textbox import TextScreen
from tui.ui.widgets.editor import Editor
from tui.ui.widgets.viewer import Viewer


async def clashing(it: Hand, place: World) -> None:
    """The draft and the target change two values of one file and one of another; its conflicts are shown."""
    await it.edit(WEB, "line3: 3\n", "line3: 33\n")
    await it.committed(WEB, "line25: 25\n", "line25: 99\n", "lines")
    await it.committed(DB, "size: 1", "size: 2", "size")
    theirs = LINES.replace("line3: 3\n", "line3: 4\n").replace("line25: 25\n", "line25: 5\n")
    place.upstream({WEB: theirs, DB: "size: 8\n"})
    await it.open()
    await it.pilot.press("p")
    await it.until(lambda: isinstance(it.app.screen, ConflictScreen) and it.app.screen.clashes)
    await it.until(lambda: it.app.screen.list.cursor_key is not None)


def here(it: Hand) -> str:
    held = it.app.screen.here()
    return f"{held[2].path}:{held[2].field}" if held is not None else ""


async def test_conflicts_are_decided_one_by_one_and_kept(ready: World) -> None:
    async with hand(ready) as it:
        await clashing(it, ready)
        assert len(it.app.screen.clashes) == 3
        first = here(it)
        await it.press("m")
        assert here(it) != first  # on to the next that is open
        await it.press("enter")
        assert any("2 still to decide" in said for said in it.said())
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, DraftScreen))
        assert len((await it.draft()).choices) == 1
        await it.press("x")
        await it.until(lambda: isinstance(it.app.screen, ConflictScreen) and it.app.screen.clashes)
        assert sum(not clash.open for clash in it.app.screen.clashes) == 1
        await it.press("t")
        await it.press("t")
        await it.press("enter")
        await it.until(lambda: isinstance(it.app.screen, DraftScreen))
        draft = await it.draft()
        assert not draft.choices
        texts = {await it.at(draft.tip, DB), await it.at(draft.tip, WEB)}
        assert any("size: 2" in text or "line3: 33" in text for text in texts)


async def test_a_whole_file_is_decided_by_one_key_and_undecided_again(ready: World) -> None:
    async with hand(ready) as it:
        await clashing(it, ready)
        keys = [key for key in (item.key for item in it.app.screen.list.items) if key[0] == "file" and key[2] == WEB]
        it.app.screen.list.move_to(keys[0])
        await it.press("M")
        assert sum(clash.open for clash in it.app.screen.clashes) == 1
        decided = next(item.key for item in it.app.screen.list.items if item.key[0] == "clash" and WEB in item.key[2])
        it.app.screen.list.move_to(decided)
        await it.press("u")
        assert sum(clash.open for clash in it.app.screen.clashes) == 2


async def test_an_own_value_is_written_and_journalled_until_it_is_taken(ready: World) -> None:
    async with hand(ready) as it:
        await clashing(it, ready)
        number = next(at for at, clash in enumerate(it.app.screen.clashes) if clash.path == DB)
        it.app.screen.list.move_to(("clash", 0, it.app.screen.clashes[number].key))
        await it.pilot.press("e")
        await it.until(lambda: isinstance(it.app.screen, TextScreen))
        editor = it.app.screen.query_one(Editor)
        assert editor.text == "2"
        await it.pilot.press("backspace", "7")

        async def kept() -> bool:
            return any(found.text == "7" for found in await it.drafts.recovered())

        await it.pilot.press("escape")
        await it.until(lambda: isinstance(it.app.screen, ConflictScreen))
        assert await kept()
        await it.pilot.press("e")
        await it.until(lambda: isinstance(it.app.screen, TextScreen) and it.app.screen.query_one(Editor).text == "7")
        await it.pilot.press("ctrl+s")
        await it.until(lambda: isinstance(it.app.screen, ConflictScreen))
        await it.until(lambda: any(clash.choice == "text" for clash in it.app.screen.clashes))
        assert not await kept()


async def test_lines_are_written_where_they_end(ready: World) -> None:
    async with hand(ready) as it:
        taken: list[str | None] = []

        async def ask() -> None:
            taken.append(await it.app.wait_for(TextScreen("what it shall be", "", "# one\n# two\n", "here")))

        it.app.do(ask(), "asking")
        await it.until(lambda: isinstance(it.app.screen, TextScreen) and it.app.screen.query(Editor))
        await it.pilot.press("!", "ctrl+s", "ctrl+s")
        await it.until(lambda: taken)
        assert taken == ["# one\n# two!\n"]
        assert not [note.message for note in it.app._notifications if note.severity == "error"]


async def test_decisions_typed_ahead_go_to_one_conflict_after_the_other(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE", 0.0)
    monkeypatch.setattr(conflicts, "LOCAL", 0.0)
    async with hand(ready) as it:
        await clashing(it, ready)
        fields = [
            clash.field or clash.path
            for item in it.app.screen.list.items
            for clash in it.app.screen.clashes
            if item.key[0] == "clash" and item.key[2] == clash.key
        ]
        for key in ("m", "t", "m", "enter"):
            it.app.post_message(events.Key(key, {"enter": "\r"}.get(key, key)))
        await it.until(lambda: isinstance(it.app.screen, DraftScreen))
        draft = await it.draft()
        text = await it.at(draft.tip, WEB) + await it.at(draft.tip, DB)
        values = {"line3": ("33", "4"), "line25": ("99", "5"), "size": ("2", "8")}
        for field, side in zip(fields, (0, 1, 0), strict=True):
            assert f"{field}: {values[field][side]}\n" in text


async def test_a_dropped_draft_is_listed_with_its_patch_and_restored(ready: World) -> None:
    async with hand(ready) as it:
        await it.committed(WEB, "line3: 3", "line3: 33", "three")
        await it.drafts.drop("more-web")
        await it.app.shell.go("drafts")
        await it.press("t")
        await it.until(lambda: isinstance(it.app.screen, RecoveryScreen) and it.app.screen.list.items)
        await it.until(lambda: "line3: 33" in it.app.screen.query_one(Viewer).text)
        await it.press("r")
        assert [one.draft.name for one in await it.drafts.list()] == ["more-web"]
        assert await it.subjects() == ["three"]


async def test_a_draft_goes_back_to_any_state_it_has_been_in(ready: World) -> None:
    async with hand(ready) as it:
        await it.edit(WEB, "line3: 3", "line3: 33")
        await it.edit(WEB, "line3: 33", "line3: 34")
        await it.open()
        await it.press("H")
        await it.until(lambda: isinstance(it.app.screen, RecoveryScreen) and it.app.screen.list.items)
        await it.press("j")
        await it.until(lambda: "+line3: 33" in it.app.screen.query_one(Viewer).text)
        await it.press("r")
        assert "line3: 33\n" in await it.at((await it.draft()).head, WEB)
        await it.press("escape", "z")
        assert "line3: 34\n" in await it.at((await it.draft()).head, WEB)


async def test_older_states_come_a_page_at_a_time(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.ui.screens.recovery.PAGE", 2)
    async with hand(ready) as it:
        for number in range(4):
            await it.edit(DB, f"size: {number + 1}", f"size: {number + 2}")
        await it.open()
        await it.press("H")
        await it.until(lambda: isinstance(it.app.screen, RecoveryScreen) and len(it.app.screen.list.items) == 2)
        await it.press("m", "m")
        assert len(it.app.screen.list.items) == 5
        await it.press("m")
        assert any("no older ones" in said for said in it.said())


async def test_text_typed_without_a_draft_opens_in_the_editor_again(ready: World) -> None:
    async with hand(ready) as it:
        content = await it.drafts.read(str(ready.origin), "main", DB)
        await it.drafts.autosave(None, DB, "size: 77\n", content.oid)
        await obey(it.app, "trash")
        await it.until(lambda: isinstance(it.app.screen, RecoveryScreen) and it.app.screen.list.items)
        it.app.screen.list.move_to(next(item.key for item in it.app.screen.list.items if item.key[0] == "text"))
        await it.press("enter")
        await it.until(lambda: isinstance(it.app.screen, EditorScreen))
        assert it.app.screen.query_one(Editor).text == "size: 77\n"


async def test_text_that_nobody_wanted_to_go_on_with_is_listed_and_opens_again(ready: World) -> None:
    async with hand(ready) as it:
        content = await it.drafts.read(str(ready.origin), "main", DB)
        await it.drafts.autosave(None, DB, "size: 77\n", content.oid)
        await it.drafts.discard_autosave(None, DB, content.oid, given_up=True)
        assert list(await it.drafts.recovered()) == []
        it.app.show_recovery()
        await it.until(lambda: isinstance(it.app.screen, RecoveryScreen) and it.app.screen.list.items)
        it.app.screen.list.move_to(next(item.key for item in it.app.screen.list.items if item.key[0] == "text"))
        await it.press("r")
        await it.until(lambda: isinstance(it.app.screen, EditorScreen))
        assert it.app.screen.query_one(Editor).text == "size: 77\n"
