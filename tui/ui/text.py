"""Foreign text made fit for a terminal: nothing in it can move the cursor, hide, reorder or pass for something else.

Names, messages and log lines come from clusters and repositories. Whatever has no visible shape of its own is shown
as a visible replacement, so that a reader sees that something is there.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

ELLIPSIS = "…"
REPLACEMENT = "�"
MARKS_KEPT = 2  # combining marks kept on one base character; more is decoration that climbs over other lines
_LONG = 1024  # longer texts are not memoised
SHOWN = 4_096  # texts memoised: several screens full; most of what is painted is painted again within seconds

# Blank by definition although Unicode calls them letters or marks.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810)}
_VARIATION = range(0xFE00, 0xFE10)
_REGIONAL_A = 0x1F1E6
# A variation selector or skin tone after a symbol only restyles it, and terminals disagree about its width.
_RESTYLED = re.compile("(?<=[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


def _replacement(code: int) -> str:
    """What one character is shown as; itself when it is harmless."""
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␛, ␉, ␊ …
    if code == 0x7F:
        return "␡"
    if code in _INVISIBLE or code in _VARIATION:
        return REPLACEMENT
    if _REGIONAL_A <= code < _REGIONAL_A + 26:
        return chr(ord("A") + code - _REGIONAL_A)  # flags: two cells or four, depending on the terminal
    category = unicodedata.category(chr(code))
    if category == "Zs":
        return " "
    if category in ("Zl", "Zp"):
        return "␤"
    if category[0] == "C":
        return REPLACEMENT  # C1, bidi, zero-width, surrogate, private use, unassigned
    return chr(code)


class _Table(dict[int, str]):
    """`str.translate` table that fills itself, one character at a time."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _replacement(code)
        return shown


_TABLE = _Table()


def _clean(text: str) -> str:
    text = _RESTYLED.sub("", text).translate(_TABLE)
    if any(unicodedata.category(char)[0] == "M" for char in text):
        return _tame_marks(text)
    return text


_clean_short = lru_cache(maxsize=SHOWN)(_clean)


def _tame_marks(text: str) -> str:
    """Give marks without a base a visible one, and drop those that pile up."""
    out: list[str] = []
    marks = 0
    base = False
    for char in text:
        if unicodedata.category(char)[0] != "M":
            out.append(char)
            marks, base = 0, char != " "
            continue
        if not base:
            out.append("◌")
            base = True
        marks += 1
        if marks <= MARKS_KEPT:
            out.append(char)
    return "".join(out)


def safe(text: str) -> str:
    """The text with everything invisible or active replaced by something visible: one line, no escapes.

    Safe text stays as it is; applying it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    return _clean_short(text) if len(text) < _LONG else _clean(text)


def same_length(text: str) -> str:
    """As `safe`, but character for character, for text whose columns matter; tabs stay tabs."""
    if text.isascii() and text.isprintable():
        return text
    return "\t".join([piece.translate(_TABLE) for piece in text.split("\t")])


def width_of(text: str) -> int:
    """Cells that a safe text takes on the screen."""
    return len(text) if text.isascii() else cell_len(text)


def _cut(text: str, width: int) -> str:
    if width_of(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS if width == 1 else ""
    if text.isascii():
        return text[: width - 1] + ELLIPSIS
    used = 0
    for index, char in enumerate(text):
        used += get_character_cell_size(char)
        if used > width - 1:
            return text[:index] + ELLIPSIS
    return text


def fit(text: str, width: int) -> str:
    """Foreign text, safe, in at most `width` cells; the cut end becomes an ellipsis."""
    return _cut(safe(_enough(text, width)), width)


def padded(text: str, width: int, right: bool = False) -> str:
    """Foreign text, safe, in exactly `width` cells, to the left or to the right."""
    return _padded(_enough(text, width), width, right)


@lru_cache(maxsize=SHOWN)
def _padded(text: str, width: int, right: bool) -> str:
    shown = fit(text, width)
    space = " " * (width - width_of(shown))
    return space + shown if right else shown + space


def _enough(text: str, width: int) -> str:
    """As much of a text as can be shown in `width` cells, so that a long one costs no more and is not remembered."""
    most = 4 * width + 64  # characters without width of their own may stand between the others
    return text if len(text) <= most else text[:most] + ELLIPSIS


def part(text: str, start: int, width: int) -> str:
    """Exactly `width` cells of a safe text from cell `start` on; halves of wide characters become spaces."""
    if text.isascii():
        return text[start : start + width].ljust(width)
    out: list[str] = []
    at = used = 0
    for char in text:
        size = get_character_cell_size(char)
        if at + size > start + width:
            break
        if at >= start:
            if size or out:
                out.append(char)
                used += size
        elif at + size > start:
            out.append(" " * (at + size - start))
            used += at + size - start
        at += size
    return "".join(out) + " " * (width - used)
