"""Helm templates: YAML with actions in it, `{{ … }}`, that a parser takes for something else.

Actions are covered, character for character, by what a parser can read: lines of nothing but actions become comments,
actions inside a line become text. What stands between them can then be found, and values that are plain can be set.
"""

from __future__ import annotations

import re

COVER = "\ue001"
"""Stands for every character of an action inside a line: private use, so no file has a reason to hold it."""

_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_BREAKS = re.compile(r"[\r\n\x85\u2028\u2029]+")


def is_template(source: str) -> bool:
    """Whether the text holds actions, and nothing that could be mistaken for a covered one."""
    return "{{" in source and COVER not in source


def covered(source: str) -> str:
    """The text with every action covered; offsets and the length stay the same."""
    out: list[str] = []
    at = 0
    found = _ACTION.search(source)
    while found:
        start, end = found.span()
        line = max(source.rfind("\n", 0, start), source.rfind("\r", 0, start)) + 1
        if not source[line:start].strip(" \t") and (stop := _alone(source, end)) >= 0:
            out += [source[at:start], _comment(source[start:stop])]
            at = stop
        else:
            out += [source[at:start], COVER * (end - start)]
            at = end
        found = _ACTION.search(source, at)
    return "".join((*out, source[at:]))


def _alone(source: str, end: int) -> int:
    """Where the line stops if only further actions follow on it; -1 if anything else does."""
    while True:
        rest = _BREAKS.search(source, end)
        stop = rest.start() if rest else len(source)
        inner = source[end:stop].lstrip(" \t")
        if not inner:
            return stop
        further = _ACTION.match(source, stop - len(inner))
        if further is None:
            return -1
        end = further.end()


def _comment(text: str) -> str:
    """Lines of actions as comment lines of the same length."""
    return "".join(
        part if _BREAKS.fullmatch(part) else "#" + COVER * (len(part) - 1)
        for part in re.split(r"([\r\n\x85\u2028\u2029]+)", text)
        if part
    )
