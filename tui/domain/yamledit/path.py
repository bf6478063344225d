"""Where in a document: `spec.template.spec.containers[name=app].image`, `[0]`, `labels."app.kubernetes.io/name"`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tui.domain.yamledit.errors import Refused


class Match(NamedTuple):
    """The one item of a list whose `key` has this value as text; with key "" the item itself is that scalar."""

    key: str
    value: str


Step = str | int | Match
Path = str | Sequence[Step]

_BARE = re.compile(r"(?:\\.|[^.\[\]\\\"'])(?:\\.|[^.\[\]\\])*", re.DOTALL)
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"|\'((?:[^\']|\'\')*)\'', re.DOTALL)
_INDEX = re.compile(r"-?[0-9]{1,9}\Z")
_MATCH_KEY = re.compile(r"[^=\"'\]]*")
_MATCH_VALUE = re.compile(r"[^\]]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(path: Path) -> tuple[Step, ...]:
    """The steps of a path; a sequence of steps is taken as it is, so that keys need no quoting. "" is the whole
    document. Raises Refused, its column counting in the path, when the path cannot be read.
    """
    if not isinstance(path, str):
        return tuple(path)
    steps: list[Step] = []
    at = 1 if path.startswith(".") else 0
    while at < len(path):
        if path[at] == "[":
            step, at = _bracket(path, at)
        else:
            step, at = _key(path, at)
        steps.append(step)
        if at < len(path) and path[at] == ".":
            at += 1
            if at == len(path):
                raise _unreadable(path, at, "a key is missing after the last dot")
        elif at < len(path) and path[at] != "[":
            raise _unreadable(path, at, "expected a dot or a bracket")
    return tuple(steps)


def _unreadable(path: str, at: int, reason: str) -> Refused:
    return Refused(f"cannot read the path {path!r} at character {at + 1}: {reason}")


def _quoted(found: re.Match[str]) -> str:
    if found[1] is not None:
        return _ESCAPED.sub(r"\1", found[1])
    return found[2].replace("''", "'")


def _key(path: str, at: int) -> tuple[str, int]:
    found = _QUOTED.match(path, at)
    if found:
        return _quoted(found), found.end()
    found = _BARE.match(path, at)
    if not found:
        raise _unreadable(path, at, "expected a key")
    return _ESCAPED.sub(r"\1", found[0]), found.end()


def _bracket(path: str, at: int) -> tuple[Step, int]:
    found = _QUOTED.match(path, at + 1)
    if found and path.startswith("]", found.end()):
        return _quoted(found), found.end() + 1
    name = _QUOTED.match(path, at + 1) or _MATCH_KEY.match(path, at + 1)
    assert name is not None  # _MATCH_KEY matches the empty string
    end = name.end()
    if path.startswith("=", end):
        key = _quoted(name) if name.re is _QUOTED else name[0]
        value = _QUOTED.match(path, end + 1) or _MATCH_VALUE.match(path, end + 1)
        assert value is not None
        if not path.startswith("]", value.end()):
            raise _unreadable(path, value.end(), "expected a closing bracket")
        return Match(key, _quoted(value) if value.re is _QUOTED else value[0]), value.end() + 1
    if path.startswith("]", end) and _INDEX.match(name[0]):
        return int(name[0]), end + 1
    raise _unreadable(path, at, "brackets hold a number, a quoted key or key=value")


def format_path(steps: Sequence[Step]) -> str:
    """The path in the syntax that `parse` reads; `parse(format_path(steps)) == tuple(steps)`."""
    out: list[str] = []
    for step in steps:
        if isinstance(step, Match):
            out.append(f"[{_quote(step.key, '=')}={_quote(step.value, '')}]")
        elif isinstance(step, int):
            out.append(f"[{step}]")
        else:
            out.append(("." if out else "") + _quote(step, ".[", empty=False))
    return "".join(out)


def _quote(text: str, special: str, empty: bool = True) -> str:
    if (empty or text) and not any(char in special + "]\\\"'" or char.isspace() for char in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_assignment(word: str) -> tuple[str, str]:
    """`PATH=VALUE` as typed on a command line, cut at the first `=` outside quotes and brackets."""
    at = 0
    while at < len(word):
        char = word[at]
        if char == "=":
            return word[:at], word[at + 1 :]
        if char == "[":
            _, at = _bracket(word, at)
        elif char in "\"'" and (found := _QUOTED.match(word, at)):
            at = found.end()
        else:
            at += 2 if char == "\\" else 1
    raise Refused(f"{word!r} is not PATH=VALUE")
