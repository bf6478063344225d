"""The text of a log line on the screen: safe, in pieces of one style, marked, wrapped and cut to a window."""

from __future__ import annotations

import re

from rich.segment import Segment
from rich.style import Style

from tui.domain.logs.ansi import plain
from tui.domain.logs.lines import NOTE, LogLine
from tui.ui.text import part, safe, width_of
from tui.ui.widgets.viewer import breaks

TAB = 4
SEEN = 4_000  # characters of a line that are looked through for matches to be shown; a search finds those beyond too
Pieces = list[tuple[str, Style]]


def spread(text: str) -> str:
    """A text that is safe, its tabs blanks."""
    return safe(text.replace("\t", " " * TAB) if "\t" in text else text)


def height_of(line: LogLine, room: int) -> int:
    """Parts that a line takes when it is wrapped."""
    text = line.text
    if line.source == NOTE:
        text = f"── {text} ──"
    elif "\x1b" in text:
        text = plain(text)
    if "\t" in text:
        text = text.replace("\t", " " * TAB)
    if text.isascii():
        return max(1, -(-len(text) // room))
    return 1 if 2 * len(text) <= room else len(breaks(safe(text), room))


def marked(found: Pieces, pattern: re.Pattern[str], style: Style) -> Pieces:
    """The pieces with the matches of a pattern in that style, over the ends of pieces as well."""
    text = "".join(piece for piece, _ in found)
    spans = [match.span() for match in pattern.finditer(text[: 4 * SEEN])]
    if not spans:
        return found
    made: Pieces = []
    at = 0
    for piece, own in found:
        end = at + len(piece)
        here = at
        for first, last in spans:
            first, last = max(first, here), min(last, end)
            if first >= last:
                continue
            if first > here:
                made.append((piece[here - at : first - at], own))
            made.append((piece[first - at : last - at], style))
            here = last
        if here < end:
            made.append((piece[here - at :], own))
        at = end
    return made


def window(found: Pieces, start: int, size: int) -> list[Segment]:
    """Exactly `size` cells of a text from cell `start` on."""
    made: list[Segment] = []
    cell, end = 0, start + size
    style = found[-1][1] if found else Style.null()
    for text, own in found:
        width = width_of(text)
        if cell < end and cell + width > start:
            made.append(Segment(part(text, max(0, start - cell), min(cell + width, end) - max(cell, start)), own))
        cell += width
        if cell >= end:
            break
    if cell < end:
        made.append(Segment(" " * (end - max(cell, start)), style))
    return made


def part_of(found: Pieces, nth: int, room: int) -> tuple[int, int]:
    """First cell of the n-th part of a wrapped text, and its cells."""
    text = "".join(piece for piece, _ in found)
    if text.isascii():
        return nth * room, max(0, min(room, len(text) - nth * room))
    starts = breaks(text, room)
    first = starts[nth] if nth < len(starts) else len(text)
    last = starts[nth + 1] if nth + 1 < len(starts) else len(text)
    return width_of(text[:first]), width_of(text[first:last])
