"""How the screen is divided: by keys and by mouse, one panel at a time where it is narrow, kept for the next run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.still import StillFleet, at_rest, screen
from tui.adapters.memory import Memory
from tui.ui import frame

LAYOUTS = st.builds(frame.Layout, st.integers(0, 500), st.integers(0, 200), st.booleans(), st.booleans())


@given(st.integers(1, 400), st.integers(1, 200), LAYOUTS)
def test_there_is_room_for_the_pane_however_the_user_divides(width: int, height: int, layout: frame.Layout) -> None:
    measure = frame.geometry(width, height, layout)
    assert measure.tree == 0 or frame.LEAST_TREE <= measure.tree <= width - frame.BESIDE
    assert 0 <= measure.strip <= max(2, height // 2)
    assert frame.layout_of(layout.text()) == layout


@pytest.mark.parametrize("text", ["", "tree\n", "tree -3", "tree 99999", "strip x\ntree ٣", "\x00\xff", "tall 3"])
def test_a_layout_that_is_not_understood_is_as_the_terminal_suggests(text: str) -> None:
    assert frame.layout_of(text) == frame.Layout()


def test_the_layout_is_kept_between_two_runs(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state" / "layout")
    assert memory.read() == ""
    memory.write("tree 30\n")
    assert memory.read() == "tree 30\n"
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["layout"]


async def test_keys_move_the_borders_zoom_and_hide(tmp_path: Path) -> None:
    async with screen(StillFleet()) as (app, pilot):
        app.memory = Memory(tmp_path / "layout")
        tree, strip, body = (app.shell.query_one(name) for name in ("#tree", "#strip", "#body"))
        assert (tree.outer_size.width, strip.outer_size.height) == (24, 5)
        await pilot.press(")", ")", "(", "}")
        await at_rest(app, pilot)
        assert (tree.outer_size.width, strip.outer_size.height) == (26, 6)
        await pilot.press("+")
        assert (tree.display, body.display, strip.display) == (False, True, False)
        await pilot.press("+", "ctrl+t")
        assert (tree.display, body.display, strip.display) == (True, True, False)
        await pilot.press("shift+tab", "+")
        await at_rest(app, pilot)
        assert (tree.display, body.display) == (True, False) and tree.outer_size.width == 120
        await pilot.press("+", "ctrl+e")
        await at_rest(app, pilot)
        assert not tree.display and app.shell.pane in app.focused.ancestors
        while "tree_shown 0" not in app.memory.read():
            await asyncio.sleep(0.01)
    assert frame.layout_of(Memory(tmp_path / "layout").read()) == frame.Layout(26, 6, False, False)


async def test_the_mouse_drags_the_borders() -> None:
    async with screen(StillFleet()) as (app, pilot):
        tree, strip = app.shell.query_one("#tree"), app.shell.query_one("#strip")
        await pilot.mouse_down(tree, offset=(23, 5))
        await pilot.hover(None, offset=(31, 9))
        await pilot.mouse_up(None, offset=(31, 9))
        await at_rest(app, pilot)
        assert tree.outer_size.width == 32
        await pilot.mouse_down(strip, offset=(50, 0))
        await pilot.hover(None, offset=(50, 26))
        await pilot.mouse_up(None, offset=(50, 26))
        await at_rest(app, pilot)
        assert strip.outer_size.height == 9
        await pilot.hover(None, offset=(50, 20))
        await at_rest(app, pilot)
        assert strip.outer_size.height == 9  # it was let go


async def test_one_panel_at_a_time_where_it_is_narrow() -> None:
    async with screen(StillFleet(), (50, 24)) as (app, pilot):
        tree, body, strip = (app.shell.query_one(name) for name in ("#tree", "#body", "#strip"))
        assert (tree.display, body.display, strip.display) == (False, True, True)
        await pilot.press("tab")
        await at_rest(app, pilot)
        assert (tree.display, body.display) == (True, False) and tree.outer_size.width == 50
        await pilot.press("G", "enter")  # a cluster: the pane comes back with its scope
        await at_rest(app, pilot)
        assert (tree.display, body.display) == (False, True)
        assert app.shell.scope.cluster == "staging-eu"
        await pilot.resize_terminal(120, 36)
        await at_rest(app, pilot)
        assert (tree.display, body.display, strip.display) == (True, True, True)
