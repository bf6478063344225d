"""What the terminal shows, cell by cell, so that only what differs from it is sent.

Textual sends every dirty line whole, each text with its style in front and a reset behind it: 25 KB where ages grow by
one digit. Over SSH that is what one waits for. Here a line is compared with what was sent before, and a style is sent
where it changes, and only what changes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size
from rich.color import ColorSystem
from textual.strip import Strip

_BOXES = re.compile("[\x20-\x7e\u2500-\u259f]*")  # characters that every terminal shows in one column
_LINES = frozenset(["4", "7", "9", "21", "53"])  # attributes that show on a blank: lines, and colours turned around


class Shown:
    """The cells of a terminal as far as they are known. Styles are the parameters of SGR, "" = the terminal's own."""

    def __init__(self) -> None:
        self._width = self._height = 0
        self._cells: list[list[str | None]] = []
        self._styles: list[list[str]] = []
        self._pen: str | None = None
        self._at: tuple[int, int] | None = None  # row and column of the cursor, where that is certain

    def forget(self) -> None:
        """Whatever the terminal shows now is not known: everything is sent once more."""
        self._cells = [[None] * self._width for _ in range(self._height)]
        self._styles = [[""] * self._width for _ in range(self._height)]

    def paint(
        self, width: int, height: int, pieces: Iterable[tuple[int, int, Iterable[Strip]]], colours: ColorSystem
    ) -> str:
        """What to send so that the terminal shows these strips, each (column, row, strips side by side)."""
        if (width, height) != (self._width, self._height):
            self._width, self._height = width, height
            self.forget()
        self._pen, self._at = None, None
        out: list[str] = []
        for x, y, strips in pieces:
            if 0 <= y < height:
                at = x
                for strip in strips:
                    at = self._line(at, y, strip, colours, out)
        if self._pen:
            out.append("\x1b[0m")
        return "".join(out)

    def _line(self, x: int, y: int, strip: Strip, colours: ColorSystem, out: list[str]) -> int:
        """One strip from a column on; returns the column after it."""
        row, styles = self._cells[y], self._styles[y]
        for text, look, control in strip:
            if control or not text:
                continue
            cells = _cells(text)
            count = min(len(cells), self._width - x)
            if count < len(cells):
                cells = cells[:count]
            style = ""
            if look is not None:
                style = look._ansi if look._ansi is not None else Strip.render_ansi(look, colours)
                if style and text.isspace():
                    style = _behind(style)
            if row[x : x + count] != cells or styles[x : x + count] != [style] * count:
                self._send(x, y, cells, style, out)
            x += count
        return x

    def _send(self, x: int, y: int, cells: list[str], style: str, out: list[str]) -> None:
        """Send the part of a text that differs."""
        row, styles = self._cells[y], self._styles[y]
        first, last = 0, len(cells)
        while row[x + first] == cells[first] and styles[x + first] == style:
            first += 1
        while row[x + last - 1] == cells[last - 1] and styles[x + last - 1] == style:
            last -= 1
        while first and not cells[first]:  # the right half of a wide character
            first -= 1
        while last < len(cells) and not cells[last]:
            last += 1
        if self._at != (y, x + first):
            same = self._at is not None and self._at[0] == y
            out.append(f"\x1b[{x + first + 1}G" if same else f"\x1b[{y + 1};{x + first + 1}H")
        if self._pen != style:
            out.append(_change(self._pen, style))
            self._pen = style
        text = "".join(cells[first:last])
        out.append(text)
        # Terminals disagree about the width of other characters: what follows is placed, not appended.
        self._at = (y, x + last) if _BOXES.fullmatch(text) and x + last < self._width else (y, -1)
        row[x + first : x + last] = cells[first:last]
        styles[x + first : x + last] = [style] * (last - first)


def _cells(text: str) -> list[str]:
    """A text by columns: "" is the right half of a wide character, what has no width belongs to what is before it."""
    return list(text) if text.isascii() else _wide_cells(text)


@lru_cache(4096)
def _wide_cells(text: str) -> list[str]:
    made: list[str] = []
    for character in text:
        width = get_character_cell_size(character)
        if width == 0 and made:
            made[-1 if made[-1] else -2] += character
        elif width:
            made += [character, *[""] * (width - 1)]
    columns = cell_len(text)
    return made if len(made) == columns else [text, *[""] * (columns - 1)]  # sequences that are measured as a whole


@lru_cache(4096)
def _behind(style: str) -> str:
    """The part of a style that a blank shows."""
    attributes, _, behind = _split(style)
    return style if _LINES & set(attributes.split(";")) else behind


@lru_cache(4096)
def _split(style: str) -> tuple[str, str, str]:
    """Attributes, foreground and background of a style."""
    attributes, front, behind = [], "", ""
    codes = style.split(";") if style else []
    while codes:
        code = codes[0]
        length = {"5": 3, "2": 5}[codes[1]] if code in ("38", "48") else 1
        taken, codes = ";".join(codes[:length]), codes[length:]
        if code.startswith(("3", "9")) and len(code) == 2:
            front = taken
        elif (code.startswith("4") and len(code) == 2) or len(code) == 3:
            behind = taken
        else:
            attributes.append(code)
    return ";".join(attributes), front, behind


@lru_cache(4096)
def _change(before: str | None, after: str) -> str:
    """What turns one style into another."""
    if before is None or not after:
        return f"\x1b[0;{after}m" if after else "\x1b[0m"
    was, old_front, old_behind = _split(before)
    attributes, front, behind = _split(after)
    if was and was != attributes:
        return f"\x1b[0;{after}m"
    parts = [] if was == attributes else [attributes]
    if front != old_front:
        parts.append(front or "39")
    if behind != old_behind:
        parts.append(behind or "49")
    return f"\x1b[{';'.join(parts)}m"
