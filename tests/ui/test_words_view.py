"""Sentences wrapped to the window: nothing is lost and nothing is wider than the window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.screens.words_view import wrapped
from tui.ui.text import safe, width_of

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.text("ab 漢字é", max_size=60)
LINES = st.lists(st.builds(Cell, TEXTS, st.sampled_from(Tone)), max_size=4).map(tuple)


@given(LINES, st.integers(10, 80))
def test_no_piece_is_wider_than_the_window(line: tuple[Cell, ...], width: int) -> None:
    for piece in wrapped(line, width):
        assert sum(width_of(cell.text) for cell in piece) <= width


@given(LINES, st.integers(10, 80))
def test_no_character_is_lost(line: tuple[Cell, ...], width: int) -> None:
    whole = "".join(safe(cell.text) for cell in line).replace(" ", "")
    pieces = "".join(cell.text for piece in wrapped(line, width) for cell in piece).replace(" ", "")
    assert pieces == whole


def test_a_value_wraps_under_itself() -> None:
    line = (Cell("  Message  ", Tone.MUTED), Cell("one two three four", Tone.PLAIN))
    texts = ["".join(cell.text for cell in piece).rstrip() for piece in wrapped(line, 22)]
    assert texts == ["  Message  one two", " " * 11 + "three four"]
