"""Helm templates: YAML with actions in it, `{{ … }}`, that a parser takes for something else.

Actions are covered, character for character, by what a parser can read: lines of nothing but actions become comments,
actions inside a line become text. What stands between them can then be found, and values that are plain can be set.
"""

from __future__ import annotations

import re

COVER = "\ue001"
"""Stands for every character of an action inside a line: private use, so no file has a reason to hold it."""

MAX_TEMPLATE = 1024 * 1024
"""Characters of a document whose actions are covered; templates are written by hand."""

_BREAKS = re.compile(r"[\r\n\x85\u2028\u2029]+")
_BLANKS = re.compile(r"[ \t]*")


def is_template(source: str) -> bool:
    """Whether the text holds actions, and nothing that could be mistaken for a covered one."""
    return len(source) <= MAX_TEMPLATE and "{{" in source and COVER not in source


def covered(source: str) -> str:
    """The text with every action covered; offsets and the length stay the same."""
    out: list[str] = []
    at = 0
    while (start := source.find("{{", at)) >= 0 and (end := _close(source, start)) >= 0:
        before = source[at:start]
        line = max(before.rfind("\n"), before.rfind("\r"))
        stop = _alone(source, end) if (line >= 0 or at == 0) and not before[line + 1 :].strip(" \t") else -1
        if stop >= 0:
            out += [before, _comment(source[start:stop])]
            at = stop
        else:
            out += [before, COVER * (end - start)]
            at = end
    return "".join((*out, source[at:]))


def _close(source: str, start: int) -> int:
    """Where the action that begins at `start` ends; -1 when it does not."""
    end = source.find("}}", start + 2)
    return end + 2 if end >= 0 else -1


def _alone(source: str, end: int) -> int:
    """Where the line stops if only further actions follow on it; -1 if anything else does."""
    while True:
        blanks = _BLANKS.match(source, end)
        at = blanks.end() if blanks else end
        if at == len(source) or _BREAKS.match(source, at):
            return at
        if not source.startswith("{{", at) or (end := _close(source, at)) < 0:
            return -1


def _comment(text: str) -> str:
    """Lines of actions as comment lines of the same length."""
    return "".join(
        part if _BREAKS.fullmatch(part) else "#" + COVER * (len(part) - 1)
        for part in re.split(r"([\r\n\x85\u2028\u2029]+)", text)
        if part
    )
