"""The user's own keys in the running screen: remapped, moved to other keys of lists, in sequences, and in error."""

from __future__ import annotations

import pytest

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.settings import Settings
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.whichkey import WhichKey
from tui.ui.screens.words_view import WordsView


def told(app) -> str:
    """What the toasts say."""
    return "\n".join(notice.message for notice in app._notifications)


async def test_keys_that_cannot_be_used_are_said_and_the_rest_holds(fleet: StillFleet) -> None:
    settings = Settings(theme="fleet-dusk", keys={"yaml": "e", "describe": "f4", "tree": "ctrl+foo"})
    async with screen(fleet, settings=settings) as (app, pilot):
        assert "e already means Draft edit" in told(app)
        assert "'ctrl+foo' is no key" in told(app)
        assert "there is no theme fleet-dusk" in told(app)
        await pilot.press("d")
        await at_rest(app, pilot)
        assert app.screen is app.shell  # `d` has been given away
        await pilot.press("f4")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)


async def test_lists_move_by_the_users_keys_and_no_longer_by_the_usual_ones(fleet: StillFleet) -> None:
    settings = Settings(keys={"line_down": "ctrl+n", "mark": "insert"})
    async with screen(fleet, settings=settings) as (app, pilot):
        table = app.shell.pane.table
        await pilot.press("home")
        await pilot.press("j", "down", "space")
        assert (table.cursor, len(table.marked)) == (0, 0)
        await pilot.press("ctrl+n")
        assert table.cursor == 1
        await pilot.press("insert")
        assert len(table.marked) == 1


async def test_a_key_that_begins_others_shows_what_may_follow(fleet: StillFleet) -> None:
    async with screen(fleet, settings=Settings(preset="vim")) as (app, pilot):
        table = app.shell.pane.table
        await pilot.press("G")
        assert table.cursor == len(table.visible_keys) - 1
        await pilot.press("g")
        await at_rest(app, pilot)
        assert isinstance(app.screen, WhichKey)
        lines = [line.split()[0] for line in app.screen.query_one(WordsView).text().splitlines()]
        assert {"g", "y", "a", "e"} <= set(lines)
        await pilot.press("g")
        await at_rest(app, pilot)
        assert (app.screen, table.cursor) == (app.shell, 0)
        await pilot.press("g", "e")
        await at_rest(app, pilot)
        assert app.shell.pane.view.pane == "events"
        await pilot.press("g", "x")  # nothing
        await at_rest(app, pilot)
        assert app.screen is app.shell


@pytest.mark.parametrize(
    ("preset", "down", "detail", "back"),
    [
        ("lazygit", ("greater_than_sign", "comma"), "i", "escape"),
        ("arrows", ("end", "pageup"), "f3", "escape"),
        ("k9s", ("G", "ctrl+b"), "d", "q"),
    ],
)
async def test_a_preset_moves_opens_and_goes_back(
    fleet: StillFleet, preset: str, down: tuple[str, str], detail: str, back: str
) -> None:
    async with screen(fleet, settings=Settings(preset=preset)) as (app, pilot):
        table = app.shell.pane.table
        assert told(app) == ""
        await pilot.press(down[0])
        assert table.cursor == len(table.visible_keys) - 1
        await pilot.press(down[1])
        assert table.cursor < len(table.visible_keys) - 1
        await pilot.press(detail)
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        await pilot.press(back)
        await at_rest(app, pilot)
        assert app.screen is app.shell
        if preset == "k9s":
            await pilot.press("ctrl+z")
            await at_rest(app, pilot)
            assert app.shell.pane.view.faults
