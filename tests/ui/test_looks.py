"""The user's themes as files, changed while fleet runs, and shapes in ASCII where a terminal has no others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.ui.picture import take
from tests.ui.still import StillFleet, at_rest, screen
from tui.adapters.themes import ThemeFolder
from tui.domain.kinds.columns import HEALTH_ORDER, WORDS
from tui.domain.settings import Settings
from tui.ui import frame, icons, themes
from tui.ui.text import width_of


@pytest.fixture(autouse=True)
def only_built_in():
    yield
    themes.use({})


def test_a_folder_says_what_cannot_be_read(tmp_path: Path) -> None:
    for name, text in {
        "good.yaml": "good: '#00aa00'",
        "list.yml": "- a",
        "bad.yaml": "a: [",
        ".x.yaml": "a: b",
        "n": "x",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.yaml").write_bytes(b"good: \xff")
    found, problems = ThemeFolder(tmp_path).read()
    assert found == {"good": {"good": "#00aa00"}}
    assert len(problems) == 3 and all(str(tmp_path) in problem for problem in problems)
    assert ThemeFolder(tmp_path / "none").read() == ({}, [])


async def test_a_theme_changes_while_it_is_shown(tmp_path: Path) -> None:
    folder = ThemeFolder(tmp_path)
    file = tmp_path / "mine.yaml"
    file.write_text("good: '#00aa00'\n")
    themes.use(themes.own(folder.read()[0])[0])
    async with screen(StillFleet(), settings=Settings(theme="mine")) as (app, pilot):
        assert "#00aa00 on #0f1318" in {look for row in take(app)[1] for look in row}
        app.own_themes = folder
        app._dressing = folder.stamp()
        app.follow_themes()
        file.write_text("base: fleet-light\ngood: '#006000'\n")
        while not {look for row in take(app)[1] for look in row} >= {"#006000 on #fcfdfe"}:
            await pilot.pause(0.02)
        file.write_text("godo: '#123456'\n")  # a mistake: said, and what is shown stays
        while "no colour called godo" not in "".join(each.message for each in app._notifications):
            await pilot.pause(0.02)
        assert app.theme == "mine" and themes.palette("mine").good == "#006000"
        file.unlink()
        while app.theme != themes.DEFAULT:
            await asyncio.sleep(0.02)


async def test_all_that_is_shown_is_ascii_where_it_must_be_and_nothing_moves() -> None:
    taken = []
    for shapes in ("unicode", "ascii"):
        async with screen(StillFleet(), (120, 36), settings=Settings(icons=shapes)) as (app, pilot):
            await at_rest(app, pilot)
            taken.append(take(app)[0])
    usual, plain = taken
    assert all(line.isascii() for line in plain)
    assert any(not line.isascii() for line in usual)
    assert [len(line) for line in plain] == [width_of(line) for line in usual]
    assert "payments" in "".join(plain) and "v Synced" in "".join(plain)


def test_states_are_apart_in_ascii_too() -> None:
    for group in (
        HEALTH_ORDER,
        ("Synced", "OutOfSync", "Unknown"),
        ("Live", "Connecting", "Stale", "Unreachable", "Denied"),
    ):
        assert len({icons.ascii_of(WORDS[word][0]) for word in group}) == len(group)


@pytest.mark.parametrize("text", ["♥ Healthy", "é", "日本", "e\u0301", "😀", *frame.SPIN, "╭─╮", "\ufffd"])
def test_ascii_takes_as_many_cells(text: str) -> None:
    assert icons.ascii_of(text).isascii() and len(icons.ascii_of(text)) == width_of(text)


@pytest.mark.parametrize(
    ("setting", "environ", "encoding", "poor"),
    [
        ("auto", {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, "utf-8", False),
        ("auto", {"TERM": "linux", "LANG": "en_US.UTF-8"}, "utf-8", True),
        ("auto", {"TERM": "vt220"}, "utf-8", True),
        ("auto", {"TERM": "xterm", "LANG": "de_DE.ISO-8859-1"}, "utf-8", True),
        ("auto", {"TERM": "xterm", "LC_ALL": "C.utf8", "LANG": "de_DE.ISO-8859-1"}, "utf-8", False),
        ("auto", {"TERM": "xterm", "LANG": "C"}, "utf-8", False),
        ("auto", {"TERM": "xterm"}, "iso8859-1", True),
        ("ascii", {"TERM": "xterm"}, "utf-8", True),
        ("unicode", {"TERM": "linux"}, "latin-1", False),
    ],
)
def test_when_shapes_are_ascii(setting: str, environ: dict[str, str], encoding: str, poor: bool) -> None:
    assert icons.poor(setting, environ, encoding) is poor
