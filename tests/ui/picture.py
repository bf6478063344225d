"""The screen as text that can be kept beside a test: what each cell says, and how it looks in some themes.

A picture has three parts: the lines; for each cell a letter; what each letter means, as `foreground on background` in
each theme. `UPDATE_SNAPSHOTS=1` writes the pictures anew instead of comparing them.
"""

from __future__ import annotations

import difflib
import os
import string
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.cells import cell_len
from textual.app import App
from textual.color import Color

FOLDER = Path(__file__).parent / "snapshots"
_LETTERS = string.ascii_letters + string.digits + "".join(map(chr, range(0x3B1, 0x3CA)))
_BETWEEN = "  |  "  # looks of the themes


class Cell(NamedTuple):
    """What a kept picture says of one cell in one theme."""

    character: str
    look: str  # "#rrggbb on #rrggbb bold"
    theme: str


def take(app: App[None]) -> tuple[list[str], list[list[str]]]:
    """What the app shows now: its lines, and the look of each of their cells."""
    lines, looks = [], []
    for strip in app.screen._compositor.render_strips():
        segments = [segment for segment in strip if not segment.control]
        lines.append("".join(segment.text for segment in segments).rstrip())
        looks.append([look for segment in segments for look in [_look(segment.style)] * cell_len(segment.text)])
    return lines, looks


def _look(style: object) -> str:
    if style is None:
        return "default"
    colours = [
        Color.from_rich_color(colour).hex.lower() if colour is not None else "-"
        for colour in (style.color, style.bgcolor)  # type: ignore[attr-defined]
    ]
    words = [word for word in ("bold", "italic", "underline", "reverse", "dim") if getattr(style, word)]
    return " ".join([f"{colours[0]} on {colours[1]}", *words])


def _written(themes: Sequence[str], lines: list[str], looks: Sequence[list[list[str]]]) -> str:
    """A picture as it is kept."""
    legend: dict[tuple[str, ...], str] = {}
    letters = []
    for rows in zip(*looks, strict=True):
        row = zip(*rows, strict=True)
        letters.append("".join(legend.setdefault(cell, _LETTERS[len(legend)]) for cell in row))
    meaning = [f"{letter} {_BETWEEN.join(cell)}" for cell, letter in legend.items()]
    return "\n".join([*lines, "---", *letters, "---", f"  {_BETWEEN.join(themes)}", *meaning]) + "\n"


def cells(path: Path) -> Iterator[Cell]:
    """Every cell of a kept picture in every theme it was taken in."""
    lines, letters, meaning = (part.split("\n") for part in path.read_text(encoding="utf-8").split("\n---\n"))
    themes = meaning[0].strip().split(_BETWEEN)
    legend = {line[0]: line[2:].split(_BETWEEN) for line in meaning[1:] if line}
    for line, row in zip(lines, letters, strict=True):
        at = 0
        for character in line:
            for theme, look in zip(themes, legend[row[at]], strict=True):
                yield Cell(character, look, theme)
            at += cell_len(character)


def compare(app: App[None], name: str) -> None:
    """AssertionError with a diff when the app shows something else than the kept picture of that name."""
    lines, looks = take(app)
    _compare(name, _written([app.theme], lines, [looks]))


async def compare_in(app: App[None], name: str, themes: Sequence[str], rest: Callable[[], Awaitable[None]]) -> None:
    """As `compare`, in several themes, which must show the same text; `rest` waits until the app is at rest."""
    taken = []
    for theme in themes:
        app.theme = theme
        await rest()
        taken.append(take(app))
    for theme, (lines, _) in zip(themes, taken, strict=True):
        _same(f"{name}: {theme} changes what is said", taken[0][0], lines)
    _compare(name, _written(themes, taken[0][0], [looks for _, looks in taken]))


def _compare(name: str, found: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return
    assert path.exists(), f"there is no picture {path.name}: run with UPDATE_SNAPSHOTS=1 and look at it"
    kept = path.read_text(encoding="utf-8")
    _same(f"{name} looks different:", kept.splitlines(), found.splitlines())


def _same(what: str, kept: list[str], found: list[str]) -> None:
    if found != kept:
        differs = difflib.unified_diff(kept, found, "kept", "found", lineterm="", n=1)
        raise AssertionError("\n".join([what, *differs]))
