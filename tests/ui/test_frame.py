"""The frame that stands before Textual is imported, and that Textual then paints the same."""

from __future__ import annotations

import subprocess
import sys
import threading

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.console import Console

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.settings import Settings
from tui.ui import frame
from tui.ui.app import FleetApp
from tui.ui.themes import ANSI, DEFAULT, PALETTES

COUNTS = st.builds(
    frame.Counts,
    live=st.none() | st.integers(0, 500),
    clusters=st.integers(0, 500),
    health=st.none() | st.dictionaries(st.sampled_from([word for word, _, _ in frame.HEALTH]), st.integers(0, 20_000)),
    out_of_sync=st.integers(0, 20_000),
    answered=st.integers(0, 500),
    objects=st.integers(0, 10**7),
    loading=st.booleans(),
)


def drawn(width: int, height: int, theme: str, depth: int = 24) -> pyte.Screen:
    terminal = pyte.Screen(width, height)
    pyte.Stream(terminal).feed(frame.draw(width, height, PALETTES[theme], depth))
    return terminal


@given(st.integers(1, 320), st.sampled_from(["", *(name for name, _, _ in frame.TABS)]), COUNTS, st.integers(0, 50))
def test_the_header_is_exactly_as_wide_as_the_terminal(
    width: int, active: str, counts: frame.Counts, spin: int
) -> None:
    spans = frame.header(width, active, counts, spin)
    total = sum(frame.cells(span.text) for span in spans)
    assert total == max(width, 7)


@given(st.integers(1, 400), st.integers(1, 200))
def test_there_is_always_room_for_the_pane(width: int, height: int) -> None:
    measure = frame.geometry(width, height)
    assert measure.tree == 0 or 24 <= measure.tree <= width - 36
    assert measure.strip < 8


@pytest.mark.parametrize(
    ("size", "theme"),
    [*(((80, 24), theme) for theme in PALETTES), ((160, 48), DEFAULT), ((300, 100), DEFAULT)],
)
async def test_textual_paints_the_same_frame(size: tuple[int, int], theme: str) -> None:
    before = drawn(*size, theme)
    async with screen(StillFleet(filled=False), size, theme) as (app, pilot):
        await at_rest(app, pilot)
        after = [
            [(character, segment.style) for segment in strip if not segment.control for character in segment.text]
            for strip in app.screen._compositor.render_strips()
        ]
    for y, line in enumerate(before.display):
        for x, character in enumerate(line):
            if character in "╭╮╰╯│─":  # borders stand where they stood, in the same colours
                shown, style = after[y][x]
                assert shown == character, f"{x},{y}: {shown!r} for {character!r}"
                kept = before.buffer[y][x]
                assert _as_pyte(style.color) == kept.fg, (x, y)
                assert _as_pyte(style.bgcolor) == kept.bg, (x, y)
    texts = ["".join(character for character, _ in line).rstrip() for line in after]
    for y in (0, 1):  # header and titles read the same
        assert texts[y] == before.display[y].rstrip()
    said = next(y for y, text in enumerate(texts) if "connecting…" in text[size[0] // 3 :] and y > 1)
    assert before.display[said].rindex("connecting…") == texts[said].rindex("connecting…")


def _as_pyte(colour: Color) -> str:
    """A colour of Rich as pyte writes it."""
    if colour.triplet is not None:
        return colour.triplet.hex.removeprefix("#")
    return ANSI[colour.number].replace("bright_", "bright").replace("yellow", "brown")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (29, 9), (31, 5)])
async def test_the_first_screen_of_textual_is_that_frame_in_every_cell(size: tuple[int, int]) -> None:
    go, before = threading.Event(), drawn(*size, "fleet-light")
    app = FleetApp(lambda: StillFleet() if go.wait() else None, Settings(theme="fleet-light"))
    async with app.run_test(size=size) as pilot:
        try:
            await pilot.pause()
            shown = [
                [(character, segment.style) for segment in strip if not segment.control for character in segment.text]
                for strip in app.screen._compositor.render_strips()
            ]
        finally:
            app.exit()
            go.set()
    assert ["".join(character for character, _ in line) for line in shown] == before.display
    for y, line in enumerate(shown):
        for x, (_, style) in enumerate(line):
            kept = before.buffer[y][x]
            if kept.bg != "default":
                front, behind = style.color.triplet.hex, style.bgcolor.triplet.hex
                assert (front, behind, bool(style.bold)) == (f"#{kept.fg}", f"#{kept.bg}", kept.bold), (x, y)


@pytest.mark.parametrize("size", [(80, 24), (7, 50), (3, 2), (1, 1)])
async def test_the_first_screen_of_textual_needs_no_colours(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    go = threading.Event()
    app = FleetApp(lambda: StillFleet() if go.wait() else None, Settings())
    async with app.run_test(size=size) as pilot:
        try:
            await pilot.pause()
            frame_ = app.screen._frame
            lines = [frame_.render_line(y) for y in range(size[1] + 2)]
        finally:
            app.exit()
            go.set()
    assert all(segment.style is not None for line in lines for segment in line)


def test_without_colours_there_are_no_colour_codes() -> None:
    assert "38;" not in frame.draw(80, 24, PALETTES["fleet-dark"], 0)
    assert frame.colour_depth({"NO_COLOR": "", "COLORTERM": "truecolor", "TERM": "xterm"}) == 0
    assert frame.colour_depth({"COLORTERM": "truecolor", "TERM": "xterm"}) == 24
    assert frame.colour_depth({"TERM": "xterm-256color"}) == 8
    assert frame.colour_depth({"TERM": "linux"}) == 0


@pytest.mark.parametrize("colorterm", ["", "truecolor", "24bit", "yes"])
@pytest.mark.parametrize(
    "term",
    [
        "xterm",
        "xterm-256color",
        "screen",
        "screen-256color",
        "tmux-256color",
        "linux",
        "vt100",
        "xterm-kitty",
        "rxvt-unicode-256color",
        "foot",
    ],
)
def test_the_first_frame_has_the_colours_that_the_screen_has_after_it(term: str, colorterm: str) -> None:
    environ = {"TERM": term, **({"COLORTERM": colorterm} if colorterm else {})}
    later = Console(force_terminal=True, _environ=environ).color_system
    assert frame.colour_depth(environ) == {"truecolor": 24, "256": 8, "standard": 0, None: 0}[later]


def test_nothing_heavy_is_imported_before_the_first_frame() -> None:
    code = (
        "import sys, tui.ui, tui.ui.frame; tui.ui.frame.draw(80, 24, tui.ui.frame.palette('fleet-dark'), 24);"
        "heavy = {'textual', 'rich', 'kubernetes', 'git', 'aiohttp', 'asyncio', 'msgspec', 'yaml'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_neither_panes_nor_the_fleet_are_imported_before_keys_are_answered() -> None:
    code = (
        "import sys, tui.cli.wire, tui.ui.app;"
        "late = ('tui.domain.kinds', 'tui.domain.ports', 'tui.fleet', 'tui.store', 'tui.ui.panes', 'tui.ui.screens',"
        " 'yaml', 'tui.adapters.kube', 'tui.adapters.git');"
        "print([name for name in late if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_screen_itself_needs_no_cluster_git_or_http_library() -> None:
    code = (
        "import sys, tui.ui.app, tui.ui.panes.applications, tui.ui.panes.tree, tui.ui.strip;"
        "print(sorted({'kubernetes', 'git', 'aiohttp'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_without_a_terminal_nothing_is_painted() -> None:
    code = "from tui.ui.frame import Terminal; t = Terminal(); print(t.paint('fleet-dark')); t.leave()"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert (found.stdout, found.stderr) == ("False\n", "")
