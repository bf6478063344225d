"""New YAML text in the manner of the document it goes into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec

from tui.domain import yamlvalue
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.tree import MAX_DEPTH, Tree

SAMPLE = 500
"""Nested collections that are looked at to learn a document's indentation."""

MAX_KEY = 1024
"""Characters of a key."""

_BLOCK_INDENT_LIMIT = 9  # what one digit can say in `|2`


class Layout:
    """How a document is written: what most of it does, read when it is first needed; otherwise common habits.

    `step`: spaces per level; `dash`: how far dashes stand in from their key; `quote`: for strings that need quotes.
    """

    def __init__(self, tree: Tree | None = None, newline: str = "\n") -> None:
        self._tree = tree
        self.newline = newline

    @cached_property
    def json(self) -> bool:
        """Whether the whole document is JSON, and must stay so."""
        return self._tree is not None and is_json(self._tree.source)

    @cached_property
    def quote(self) -> str:
        styles = Counter(getattr(event, "style", None) for event in self._tree.events) if self._tree else Counter()
        return "'" if styles["'"] > styles['"'] else '"'

    @cached_property
    def _indents(self) -> tuple[int, int]:
        steps: Counter[int] = Counter()
        dashes: Counter[int] = Counter()
        if self._tree is not None:
            for is_list, column in islice(_indents(self._tree), SAMPLE):
                (dashes if is_list else steps)[column] += 1
        return _most(steps, 2) or 2, _most(dashes, 0)

    @property
    def step(self) -> int:
        return self._indents[0]

    @property
    def dash(self) -> int:
        return self._indents[1]


def _indents(tree: Tree) -> Iterator[tuple[bool, int]]:
    """(is it a list, how far it stands in from its key) of every block collection below a key."""
    for node in range(len(tree.events)):
        if tree.is_map(node) and tree.is_block(node):
            for key, value in tree.pairs(node):
                if tree.is_block(value):
                    start, column = tree.start(value), tree.column(tree.start(key))
                    if tree.line_start(start) > tree.start(key):
                        yield tree.is_list(value), tree.column(start) - column


def _most(counts: Counter[int], otherwise: int) -> int:
    positive = [(count, -column) for column, count in counts.items() if column >= 0]
    return -max(positive)[1] if positive else otherwise


def is_json(source: str, any_value: bool = False) -> bool:
    """Whether the text is one JSON object or array, or any JSON value."""
    if not any_value and source.lstrip()[:1] not in ("{", "["):
        return False
    try:
        msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def writable(value: Any, depth: int = 0) -> None:
    """Raises Refused for what is no YAML value: other types, keys that are no strings, nesting beyond MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise Refused(f"the new value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise Refused(f"a key of the new value is no text: {key!r}")
            nameable(key)
            writable(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            writable(part, depth + 1)
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise Refused(f"a {type(value).__name__} is no YAML value")


def nameable(key: str) -> None:
    """Raises Refused for a key that is too long to stand before a `:` on one line (YAML 1.2, section 7.4.2)."""
    if len(key) > MAX_KEY:
        raise Refused(f"a key has {len(key):,} characters; YAML allows {MAX_KEY:,}")


def inline(value: Any, style: str | None, flow: bool, how: Layout) -> str:
    """A value on one line, collections in flow style; `style` is the quote preferred for a string ("": plain)."""
    if how.json:
        return _json(value)
    if isinstance(value, dict):
        parts = (f"{scalar(key, '', True, how)}: {inline(part, None, True, how)}" for key, part in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(part, None, True, how) for part in value) + "]"
    return scalar(value, style, flow, how)


def _json(value: Any) -> str:
    if isinstance(value, dict):
        parts = (f"{_json(str(key))}: {_json(part)}" for key, part in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_json(part) for part in value) + "]"
    try:
        return yamlvalue.json_string(value) if isinstance(value, str) else yamlvalue.spell(value)
    except ValueError as error:
        raise Refused(str(error)) from None


def scalar(value: Any, style: str | None, flow: bool, how: Layout) -> str:
    """A scalar on one line, in the preferred quotes where they can hold it."""
    try:
        if not isinstance(value, str):
            return yamlvalue.spell(value)
        if style in ("", None, "|", ">") and yamlvalue.plain(value, flow):
            return value
        if style == "'" or (style != '"' and how.quote == "'"):
            quoted = yamlvalue.single(value)
            if quoted is not None:
                return quoted
        return yamlvalue.double(value)
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


def block(value: Any, indent: int, how: Layout) -> list[str]:
    """A non-empty mapping or list as block lines, every line indented."""
    pad = " " * indent
    if isinstance(value, dict):
        out = []
        for key, part in value.items():
            out += pair(key, part, indent, how)
        return out
    out = []
    for part in value:
        if isinstance(part, dict | list) and part:
            lines = block(part, indent + 2, how)
            out += [pad + "- " + lines[0][indent + 2 :], *lines[1:]]
        else:
            lines = _leaf(part, indent + 2, indent, how)
            out += [pad + "- " + lines[0], *lines[1:]]
    return out


def dump(value: Any) -> str:
    """A value as a YAML document that every reader reads alike. Raises Refused for what YAML or JSON cannot hold."""
    writable(value)
    how = Layout()
    lines = block(value, 0, how) if isinstance(value, dict | list) and value else _leaf(value, 2, 0, how)
    return "\n".join(lines) + "\n"


def pair(key: str, value: Any, indent: int, how: Layout) -> list[str]:
    """`key: value` as block lines, every line indented."""
    head = " " * indent + scalar(key, "", False, how) + ":"
    if isinstance(value, dict | list) and value:
        inner = indent + (how.step if isinstance(value, dict) else how.dash)
        return [head, *block(value, inner, how)]
    lines = _leaf(value, None, indent, how)
    return [f"{head} {lines[0]}", *lines[1:]]


def _leaf(value: Any, indent: int | None, base: int, how: Layout) -> list[str]:
    """A scalar or empty collection; text of several lines as a block indented by `indent`, None for one level."""
    if isinstance(value, str) and "\n" in value:
        lines = block_scalar(value, "|", base + how.step if indent is None else indent, base)
        if lines is not None:
            return lines
    return [inline(value, None, False, how)]
