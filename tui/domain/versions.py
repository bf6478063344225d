"""Whether one value is a later version than another, as far as that can be told from the text."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,3})(?:([-+.])([0-9A-Za-z.+-]*))?")


def newer(base: str, ours: str, theirs: str) -> bool:
    """Whether a field went from `base` to `ours` here and to an even later version there.

    Values are YAML on one line: versions with at least one dot or a `v` (`1.2.3`, `v2`), or image references that
    differ in nothing but such a tag. Plain numbers say nothing: replicas have no order in time.
    """
    parts = [_split(value) for value in (base, ours, theirs)]
    if any(part is None for part in parts):
        return False
    (name, was), (own, mine), (other, later) = (part for part in parts if part is not None)
    return name == own == other and was < mine < later


_Order = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


def _split(value: str) -> tuple[str, _Order] | None:
    """(all but the version, the version as something that can be compared) of a value; None when it has none."""
    value = value.strip().strip("\"'")
    name, colon, tag = value.rpartition(":")
    if not colon and not ("." in tag or tag.startswith("v")):
        return None
    if "/" in tag:
        return None
    match = _VERSION.fullmatch(tag)
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    before = match[2] == "-" and bool(match[3])  # 1.2.0-rc.1 comes before 1.2.0
    if match[2] == "+":
        return None
    words = re.split(r"[.+-]", match[3] or "")
    return name, (
        (*numbers, *[0] * (4 - len(numbers))),
        0 if before else 1,
        tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words if word),
    )
