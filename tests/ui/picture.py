"""The screen as text that can be kept beside a test: what each cell says, and how it looks.

A picture has three parts: the lines; for each cell a letter; what each letter means as `foreground on background`.
`UPDATE_SNAPSHOTS=1` writes the pictures anew instead of comparing them.
"""

from __future__ import annotations

import difflib
import os
import string
from pathlib import Path

from rich.cells import cell_len
from textual.app import App
from textual.color import Color

FOLDER = Path(__file__).parent / "snapshots"
_LETTERS = string.ascii_letters + string.digits


def take(app: App[None]) -> str:
    """What the app shows now."""
    legend: dict[str, str] = {}
    lines, looks = [], []
    for strip in app.screen._compositor.render_strips():
        text, look = "", ""
        for segment in strip:
            if segment.control:
                continue
            letter = legend.setdefault(_look(segment.style), _LETTERS[len(legend)])
            text += segment.text
            look += letter * cell_len(segment.text)
        lines.append(text.rstrip())
        looks.append(look)
    meaning = [f"{letter} {look}" for look, letter in legend.items()]
    return "\n".join([*lines, "---", *looks, "---", *meaning]) + "\n"


def _look(style: object) -> str:
    if style is None:
        return "default"
    colours = [
        Color.from_rich_color(colour).hex.lower() if colour is not None else "-"
        for colour in (style.color, style.bgcolor)  # type: ignore[attr-defined]
    ]
    words = [word for word in ("bold", "italic", "underline", "reverse", "dim") if getattr(style, word)]
    return " ".join([f"{colours[0]} on {colours[1]}", *words])


def compare(app: App[None], name: str) -> None:
    """AssertionError with a diff when the app shows something else than the kept picture of that name."""
    path = FOLDER / f"{name}.txt"
    found = take(app)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return
    assert path.exists(), f"there is no picture {path.name}: run with UPDATE_SNAPSHOTS=1 and look at it"
    kept = path.read_text(encoding="utf-8")
    if found != kept:
        differs = difflib.unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", lineterm="", n=1)
        raise AssertionError("\n".join([f"{name} looks different:", *differs]))
