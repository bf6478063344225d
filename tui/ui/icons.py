"""What stands for fleet's shapes where a terminal has ASCII alone. One cell for one cell, so that nothing moves.

Nothing is imported: the first frame is painted with it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from collections.abc import Mapping

SHAPES = {
    # states, apart within each group: health, sync, clusters, events
    "♥": "+", "◌": "~", "⏸": "=", "∅": "0", "✖": "x", "✔": "v", "↑": "^", "●": "*", "◐": "%", "⊘": "/",
    "◔": "o", "▲": "!", "✎": "e", "·": ".", "○": "o", "■": "#", "□": "o", "★": "*", "☆": "*",
    # what guides the eye
    "▌": ">", "▸": ">", "▾": "v", "▶": ">", "▼": "v", "✻": "*", "›": ">", "‹": "<", "→": ">", "←": "<", "↓": "v",
    "↔": "-", "┃": "#", "│": "|", "─": "-", "━": "=", "═": "=", "║": "|", "…": "~", "⏎": "<", "␛": "^", "␉": "^",
    "␊": "^", "␤": "^",
    # signs of texts
    "−": "-", "–": "-", "—": "-", "×": "x", "≥": ">", "≤": "<", "≠": "#", "“": '"', "”": '"', "„": '"', "’": "'",
    "‘": "'", "•": "*", "\u00a0": " ",
}  # fmt: skip
_SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BARS = "▁▂▃▄▅▆▇█"  # sparklines
POOR = ("linux", "vt52", "vt100", "vt102", "vt220", "ansi", "cons25", "dumb")  # terminals whose fonts have few shapes


class _Table(dict[int, str]):
    """`str.translate` table that fills itself."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _ascii(chr(code))
        return found


def _ascii(character: str) -> str:
    """As many ASCII characters as the character has cells."""
    import unicodedata

    if character in SHAPES:
        return SHAPES[character]
    if character in _SPIN:
        return "|/-\\"[_SPIN.index(character) % 4]
    if character in _BARS:
        return "_.:-=+*#"[_BARS.index(character)]
    if "─" <= character <= "╿":
        return "+"  # corners and crossings
    if ord(character) < 0x80 or unicodedata.combining(character):
        return character if ord(character) < 0x80 else ""
    plain = unicodedata.normalize("NFKD", character)
    if len(plain) > 1 and ord(plain[0]) < 0x80 and all(map(unicodedata.combining, plain[1:])):
        return plain[0]  # é
    return "??" if unicodedata.east_asian_width(character) in "WF" else "?"


_TABLE = _Table()


def ascii_of(text: str) -> str:
    """The text in ASCII, in as many cells."""
    return text if text.isascii() else text.translate(_TABLE)


def poor(setting: str, environ: Mapping[str, str], encoding: str = "utf-8") -> bool:
    """Whether shapes are to be ASCII: by the setting `ascii` or `unicode`, else as the terminal and the locale say.

    A locale that is not set, or C, says nothing: it is that of containers, whose terminals are elsewhere.
    """
    if setting in ("ascii", "unicode"):
        return setting == "ascii"
    if environ.get("TERM", "").partition("-")[0] in POOR:
        return True
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environ.get(name))), "")
    charset = locale.partition("@")[0].partition(".")[2]
    return any(name and "utf" not in name.lower() for name in (charset, encoding))
