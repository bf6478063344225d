"""Regular expressions of policies: RE2's syntax (Go `regexp/syntax`), checked and matched with Python's `re`."""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_MOST = 1000  # repetitions of one part
_ESCAPES = "aftnrvxdDsSwWAbB0123456789"
_TOKEN = re.compile(
    r"(?P<quote>\\Q.*?(?:\\E|\Z))|(?P<code>\\x\{[0-9A-Fa-f]+\})|(?P<letters>\\[pP](?:\{[^}]*\}|.))"
    r"|(?P<escape>\\.)|(?P<class>\[:\^?\w+:\])|(?P<flags>\(\?[a-zA-Z-]+[:)])|(?P<group>\(\?P?<[A-Za-z_]\w*>|\(\?:)"
    r"|(?P<perl>\(\?)|(?P<times>\{\d+(?:,\d*)?\})|(?P<plain>.)",
    re.DOTALL,
)


class Unreadable(Exception):
    """The regex is none: Cilium rejects it."""


@lru_cache(maxsize=16384)
def compiled(text: str) -> re.Pattern[str] | None:
    """The regex, to match as a whole; None when only RE2 can tell what it matches. Raises Unreadable."""
    translated = None if "[:^" in text else _translated(text)
    if translated is None:
        return None
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def sound(text: str) -> bool:
    """False when Cilium cannot read the regex."""
    try:
        compiled(text)
    except Unreadable:
        return False
    return True


def _translated(text: str) -> str | None:
    """The regex in Python's syntax; None where that has no word for it."""
    out: list[str] = []
    inside = first = False  # in a character class, at its first character
    known, repeated = True, 0  # 1: the last part is repeated, 2: and lazily
    for found in _TOKEN.finditer(text):
        kind, part = found.lastgroup or "plain", found[0]
        if kind == "letters" or part == r"\C":
            known = False
        elif kind == "quote":
            out.append(re.escape(part[2:].removesuffix(r"\E")))
        elif kind == "code":
            out.append(_character(part[3:-1]))
        elif kind == "escape":
            out.append(_escape(part, text[found.end() : found.end() + 1], inside))
        elif inside:
            inside = part != "]" or first
            out.append(_in_class(kind, part, first))
            first = first and part == "^" and out[-1] == "^"
            continue
        elif kind == "times" or part in ("*", "+", "?"):
            repeated = _repeated(part, repeated)
            out.append(part)
            continue
        elif part == "[":
            inside = first = True
            out.append(part)
        elif kind == "flags" and (part.endswith(")") or "U" in part):
            known = known and not out and not set(part) - set("(?ims)")
            out.append(_flags(part))
        else:
            out.append(_outside(kind, part))
        first, repeated = first and part == "[", 0
    return "".join(out) if known else None


def _repeated(part: str, before: int) -> int:
    """How the last part is repeated now; a repetition of a repetition is none, apart from a lazy one."""
    if part.startswith("{") and any(int(each) > _MOST for each in re.findall(r"\d+", part)):
        raise Unreadable(f"more than {_MOST} repetitions")
    if before and (before == 2 or part != "?"):
        raise Unreadable(f"{part} repeats a repetition")
    return before + 1


def _flags(part: str) -> str:
    if set(part.strip("(?:)")) - set("imsU-"):
        raise Unreadable(f"{part} is not known")
    return part


def _outside(kind: str, part: str) -> str:
    if kind == "perl":
        raise Unreadable("looking around and other groups of Perl are not known")
    if kind == "flags":
        return _flags(part)
    if kind == "group":
        return part.replace("(?<", "(?P<")
    return re.escape(part) if kind == "class" or part in "{}" else part


def _in_class(kind: str, part: str, first: bool) -> str:
    if kind == "class":
        name = part.strip("[:^]")
        if name not in _CLASSES:
            raise Unreadable(f"{part} is no class of characters")
        return _CLASSES[name]
    if part in "]^" and first:
        return part if part == "^" else r"\]"
    return "".join(f"\\{each}" if each in "[&~|" else each for each in part)


def _character(digits: str) -> str:
    code = int(digits, 16)
    if code > 0x10FFFF:
        raise Unreadable(f"{digits} is no character")
    return re.escape(chr(code))


def _escape(part: str, following: str, inside: bool) -> str:
    """An escape in Python's syntax; Go has no back references, and few letters."""
    letter = part[1]
    if letter == "z" and not inside:
        return r"\Z"
    if letter in "123456789" and not (following and following in "01234567"):
        raise Unreadable("back references are not known")
    if letter.isascii() and letter.isalnum() and letter not in ("aftnrvxdDsSwW0123456789" if inside else _ESCAPES):
        raise Unreadable(f"{part} is not known")
    return part
