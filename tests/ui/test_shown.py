"""Only what differs from what the terminal shows is sent, and the terminal then shows the same as if all were."""

from __future__ import annotations

import sys
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tests.terminal import Terminal
from tests.ui.test_start import SHOW
from tui.ui.shown import Shown

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 14, 3
STYLES = [
    Style(),
    Style(color="#010203", bgcolor="#040506"),
    Style(color="#310203", bgcolor="#040506", bold=True),
    Style(color="red", bgcolor="#313233"),
    Style(bgcolor="blue", underline=True, italic=True),
    Style(color="color(200)", bgcolor="color(38)", reverse=True),
    Style(bold=True),
]
TEXTS = st.text(st.sampled_from("ab  │─♥é日本"), min_size=1, max_size=6)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(STYLES)).map(lambda pair: Segment(*pair)), min_size=1, max_size=6)
SCREENS = st.lists(LINES, min_size=HEIGHT, max_size=HEIGHT)


def strips(lines: list[list[Segment]]) -> list[Strip]:
    return [Strip(line).adjust_cell_length(WIDTH, Style(bgcolor="#040506")) for line in lines]


def sent(shown: Shown, lines: list[Strip], colours: ColorSystem = ColorSystem.TRUECOLOR) -> str:
    return shown.paint(WIDTH, HEIGHT, [(0, y, (strip,)) for y, strip in enumerate(lines)], colours)


def looks(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What a person sees of each cell: the colour and weight of a blank's characters is nothing."""
    made = []
    for y in range(HEIGHT):
        cells = [screen.buffer[y][x] for x in range(WIDTH)]
        made.append([
            (c.data, c.bg, c.underscore, c.reverse, *((c.fg, c.bold, c.italics) if c.data.strip() or c.reverse else ()))
            for c in cells
        ])  # fmt: skip
    return made


@given(st.lists(SCREENS, min_size=1, max_size=4))
def test_the_terminal_shows_what_it_would_show_if_all_were_sent(screens: list[list[list[Segment]]]) -> None:
    kept, shown = pyte.Screen(WIDTH, HEIGHT), Shown()
    stream = pyte.Stream(kept)
    for screen in screens:
        lines = strips(screen)
        stream.feed(sent(shown, lines))
        fresh = pyte.Screen(WIDTH, HEIGHT)
        pyte.Stream(fresh).feed(sent(Shown(), lines))
        assert looks(kept) == looks(fresh)
        assert sent(shown, lines) == ""


@given(SCREENS)
def test_all_is_sent_as_the_segments_say(screen: list[list[Segment]]) -> None:
    painted, plain = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    lines = strips(screen)
    pyte.Stream(painted).feed(sent(Shown(), lines))
    for y, strip in enumerate(lines):
        whole = "".join(Strip.render_style(style, text, ColorSystem.TRUECOLOR) for text, style, _ in strip)
        pyte.Stream(plain).feed(f"\x1b[{y + 1};1H{whole}")
    assert looks(painted) == looks(plain)


def line(*texts: str) -> list[Strip]:
    blank = [[Segment(" ", Style())]] * (HEIGHT - 1)
    return strips([[Segment(text, Style(color="#010203")) for text in texts], *blank])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("age 1m", "x"), ("age 2m", "x"), "\x1b[1;5H\x1b[0;38;2;1;2;3m2\x1b[0m"),  # one digit
        (("a日b",), ("axxb",), "\x1b[1;2H\x1b[0;38;2;1;2;3mxx\x1b[0m"),  # a wide character goes as a whole
        (("axxb",), ("a日b",), "\x1b[1;2H\x1b[0;38;2;1;2;3m日\x1b[0m"),
        (("♥ a",), ("✖ b",), "\x1b[1;1H\x1b[0;38;2;1;2;3m✖ b\x1b[0m"),
        (("♥", "a"), ("✖", "b"), "\x1b[1;1H\x1b[0;38;2;1;2;3m✖\x1b[2Gb\x1b[0m"),  # whose width terminals disagree on
        (("─", "a"), ("│", "b"), "\x1b[1;1H\x1b[0;38;2;1;2;3m│b\x1b[0m"),
    ],
)
def test_what_differs_is_sent_and_nothing_else(before: tuple[str], after: tuple[str], expected: str) -> None:
    shown = Shown()
    sent(shown, line(*before))
    assert sent(shown, line(*after)) == expected


def test_of_a_style_what_changes_is_sent() -> None:
    red, blue = Style(color="#ff0000", bgcolor="#000001"), Style(color="#0000ff", bgcolor="#000001")
    bold = Style(color="#0000ff", bgcolor="#000001", bold=True)
    made = sent(Shown(), strips([[Segment("a", red), Segment("b", blue), Segment("c", bold), Segment("d", red)]] * 3))
    assert "\x1b[38;2;0;0;255mb\x1b[1mc\x1b[0;38;2;255;0;0;48;2;0;0;1md" in made


def test_what_was_forgotten_or_resized_is_sent_again() -> None:
    shown, lines = Shown(), line("abc")
    whole = sent(shown, lines)
    shown.forget()
    assert sent(shown, lines) == whole
    assert shown.paint(WIDTH - 1, HEIGHT, [(0, 0, (lines[0],))], ColorSystem.TRUECOLOR) != ""


def test_a_key_sends_little_and_ctrl_r_repaints_a_damaged_screen() -> None:
    with Terminal([sys.executable, "-c", SHOW], 160, 48, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait(lambda screen: "payments-prod-eu" in screen and "enter Open" in screen)

        def bar() -> list[int]:
            return [y for y, row in enumerate(terminal.screen.display) if "▌" in row[32:]]  # the tree has one too

        before, first = terminal.bytes, bar()[0]
        for key, row in (("j", first + 1), ("j", first + 2), ("k", first + 1)):
            terminal.press(key)
            terminal.wait(lambda _, row=row: bar() == [row])
        assert terminal.bytes - before < 6000
        terminal.screen.erase_in_display(2)  # as `wall` and the like do
        terminal.press("j")
        terminal.wait(lambda screen: "▌" in screen)
        assert "payments-prod-eu" not in terminal.text()
        terminal.press("ctrl+r")
        terminal.wait(lambda screen: "payments-prod-eu" in screen and "enter Open" in screen)
        for width, height in ((90, 30), (180, 60)):  # every line reaches the new edge
            terminal.resize(width, height)
            terminal.wait(
                lambda screen, edge=width - 1: all(
                    len(line) == edge + 1 and line[edge] in "│╮╯" for line in screen.splitlines()[1:-3]
                )
            )
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
