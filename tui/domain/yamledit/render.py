"""New YAML text in the manner of the document it goes into."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from tui.domain import yamlvalue
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.tree import MAX_DEPTH, Tree

_BLOCK_INDENT_LIMIT = 9  # what one digit can say in `|2`


@dataclass(frozen=True, slots=True)
class Layout:
    """How a document is written: spaces per level, how far dashes stand in from their key, line ending, quotes."""

    step: int = 2
    dash: int = 0
    newline: str = "\n"
    quote: str = '"'
    json: bool = False


def layout(tree: Tree, newline: str) -> Layout:
    """What most of the document does; two spaces, dashes below their key and double quotes where it shows nothing."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    quotes: Counter[str] = Counter()
    events = tree.events
    for key, value in _block_pairs(tree):
        start = tree.start(value)
        if not tree.is_block(value) or tree.line_start(start) <= events[key].start_mark.index:
            continue
        column = tree.column(start) - events[key].start_mark.column
        (dashes if tree.is_list(value) else steps)[column] += 1
    for event in events:
        style = getattr(event, "style", None)
        if style in ("'", '"'):
            quotes[style] += 1
    step = _most(steps, 2) or 2
    quote = "'" if quotes["'"] > quotes['"'] else '"'
    return Layout(step, _most(dashes, 0), newline, quote, is_json(tree))


def _block_pairs(tree: Tree) -> list[tuple[int, int]]:
    out = []
    for node in range(len(tree.events)):
        if tree.is_map(node) and tree.is_block(node):
            out += list(tree.pairs(node))
    return out


def _most(counts: Counter[int], otherwise: int) -> int:
    positive = [(count, -column) for column, count in counts.items() if column >= 0]
    return -max(positive)[1] if positive else otherwise


def is_json(tree: Tree) -> bool:
    """Whether the whole document is JSON, and must stay so."""
    return is_json_text(tree.source)


def is_json_text(source: str) -> bool:
    """Whether the text is one JSON object or array."""
    if source.lstrip()[:1] not in ("{", "["):
        return False
    try:
        msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def inline(value: Any, style: str | None, flow: bool, how: Layout, depth: int = 0) -> str:
    """A value on one line, collections in flow style; `style` is the quote preferred for a string ("": plain)."""
    if depth > MAX_DEPTH:
        raise Refused(f"the new value is nested deeper than {MAX_DEPTH} levels")
    if how.json:
        return _json(value)
    if isinstance(value, dict):
        parts = (
            f"{scalar(key, '', True, how)}: {inline(part, None, True, how, depth + 1)}" for key, part in value.items()
        )
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(part, None, True, how, depth + 1) for part in value) + "]"
    return scalar(value, style, flow, how)


def _json(value: Any, depth: int = 0) -> str:
    if depth > MAX_DEPTH:
        raise Refused(f"the new value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        parts = (f"{_json(str(key))}: {_json(part, depth + 1)}" for key, part in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_json(part, depth + 1) for part in value) + "]"
    try:
        return yamlvalue.json_string(value) if isinstance(value, str) else yamlvalue.spell(value)
    except ValueError as error:
        raise Refused(str(error)) from None


def scalar(value: Any, style: str | None, flow: bool, how: Layout) -> str:
    """A scalar on one line, in the preferred quotes where they can hold it."""
    try:
        if not isinstance(value, str):
            if value is None or isinstance(value, bool | int | float):
                return yamlvalue.spell(value)
            raise Refused(f"a {type(value).__name__} is no YAML value")
        if style in ("", None, "|", ">") and yamlvalue.plain(value, flow):
            return value
        if style == "'" or (style != '"' and how.quote == "'"):
            quoted = yamlvalue.single(value)
            if quoted is not None:
                return quoted
        return yamlvalue.double(value)
    except Refused:
        raise
    except ValueError as error:
        raise Refused(str(error)) from None


def block_scalar(text: str, style: str, indent: int, base: int, comment: str = "") -> list[str] | None:
    """A string as a `|` or `>` block: the header, then lines indented by `indent` where the parent stands at `base`.

    None when a block cannot hold it: unprintable characters, only line breaks, folded lines that start with a space.
    """
    body = text.rstrip("\n")
    if not body or not yamlvalue.printable(text):
        return None
    tail = len(text) - len(body)
    lines = body.split("\n")
    first = next(line for line in lines if line)
    hint = ""
    if first[0] in " \t":
        if not 0 < indent - base <= _BLOCK_INDENT_LIMIT:
            return None
        hint = str(indent - base)
    if style == ">":
        if any(line[:1] in (" ", "\t") for line in lines):
            return None
        lines = [part for line in lines for part in (("", line) if line else ("",))][1:]
    chomp = "-" if tail == 0 else "" if tail == 1 else "+"
    out = [style + hint + chomp + comment]
    out += [" " * indent + line if line else "" for line in lines]
    return out + [""] * (tail - 1)


def block(value: Any, indent: int, how: Layout, depth: int = 0) -> list[str]:
    """A non-empty mapping or list as block lines, every line indented."""
    if depth > MAX_DEPTH:
        raise Refused(f"the new value is nested deeper than {MAX_DEPTH} levels")
    pad = " " * indent
    if isinstance(value, dict):
        out = []
        for key, part in value.items():
            out += pair(key, part, indent, how, depth)
        return out
    out = []
    for part in value:
        if isinstance(part, dict | list) and part:
            lines = block(part, indent + 2, how, depth + 1)
            out += [pad + "- " + lines[0][indent + 2 :], *lines[1:]]
        else:
            lines = _leaf(part, indent + 2, indent, how)
            out += [pad + "- " + lines[0], *lines[1:]]
    return out


def pair(key: str, value: Any, indent: int, how: Layout, depth: int = 0) -> list[str]:
    """`key: value` as block lines, every line indented."""
    head = " " * indent + scalar(key, "", False, how) + ":"
    if isinstance(value, dict | list) and value:
        inner = indent + (how.step if isinstance(value, dict) else how.dash)
        return [head, *block(value, inner, how, depth + 1)]
    lines = _leaf(value, indent + how.step, indent, how)
    return [f"{head} {lines[0]}", *lines[1:]]


def _leaf(value: Any, indent: int, base: int, how: Layout) -> list[str]:
    if isinstance(value, str) and "\n" in value:
        lines = block_scalar(value, "|", indent, base)
        if lines is not None:
            return lines
    return [inline(value, None, False, how)]
