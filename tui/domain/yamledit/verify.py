"""The proof of an edit: the new text, parsed, must be exactly the old document with the intended change.

Both sides are event streams: everything a parser can see (types, quoting, tags, anchors, aliases, order, repeated keys)
counts, so nothing can change unnoticed. What was intended is stated apart from how the text was spliced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from tui.domain import yamlvalue
from tui.domain.yamledit.errors import Refused
from tui.domain.yamledit.tree import Tree, parse


@dataclass(frozen=True, slots=True)
class Want:
    """A scalar that every reader must read as this value."""

    value: Any
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """The start or end of a new collection."""

    event: type
    anchor: str | None = None


Token = Any  # Want, Shape, or an event of the old document that must come back unchanged


@dataclass(slots=True)
class Plan:
    """One way to make an edit: `changes` are (start, end, new text), `model` their events (first, behind last, new)."""

    changes: list[tuple[int, int, str]]
    model: list[tuple[int, int, list[Token]]] = field(default_factory=list)

    def apply(self, source: str) -> str:
        """The text with the changes made; they are ordered and do not overlap. Raises ValueError if they do."""
        out = []
        at = 0
        for start, end, new in sorted(self.changes, key=lambda change: change[:2]):
            if start < at or end < start:
                raise ValueError("changes overlap")
            out += [source[at:start], new]
            at = end
        return "".join((*out, source[at:]))


def tokens(value: Any, anchor: str | None = None) -> list[Token]:
    """What a parser must report for a new value."""
    if isinstance(value, dict):
        out: list[Token] = [Shape(MappingStartEvent, anchor)]
        for key, part in value.items():
            out.append(Want(key))
            out += tokens(part)
        return [*out, Shape(MappingEndEvent)]
    if isinstance(value, list | tuple):
        out = [Shape(SequenceStartEvent, anchor)]
        for part in value:
            out += tokens(part)
        return [*out, Shape(SequenceEndEvent)]
    return [Want(value, anchor)]


def holds(tree: Tree, plan: Plan, source: str) -> bool:
    """Whether the new text says exactly what the plan intends."""
    try:
        return matches(tree, plan, parse(source))
    except Refused:
        return False


def matches(tree: Tree, plan: Plan, found: Iterable[Any]) -> bool:
    """Whether these are the events that the plan intends."""
    return _matches(_expected(tree, plan), found)


def _expected(tree: Tree, plan: Plan) -> Iterator[Token]:
    parts: list[list[Token]] = []
    at = 0
    for first, behind, new in sorted(plan.model, key=lambda part: part[:2]):
        parts += [tree.events[at:first], new]
        at = behind
    return chain(*parts, tree.events[at:])


def _matches(expected: Iterator[Token], found: Iterable[Any]) -> bool:
    token: Any
    for event, token in zip_longest(found, expected):
        kind = event.__class__
        if kind is not token.__class__:
            if not _fits(token, event):
                return False
        elif kind is ScalarEvent:
            if (
                event.value != token.value
                or event.implicit != token.implicit
                or event.tag != token.tag
                or event.anchor != token.anchor
            ):
                return False
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.anchor != token.anchor or event.tag != token.tag:
                return False
        elif kind is AliasEvent:
            if event.anchor != token.anchor:
                return False
        elif kind is DocumentStartEvent and (
            event.explicit != token.explicit or event.version != token.version or event.tags != token.tags
        ):
            return False
    return True


def _fits(token: Token, event: Any) -> bool:
    if isinstance(token, Shape):
        return event.__class__ is token.event and getattr(event, "anchor", None) == token.anchor and not _tag(event)
    if not isinstance(token, Want) or event.__class__ is not ScalarEvent:
        return False
    if event.anchor != token.anchor or event.tag is not None:
        return False
    if event.implicit[0]:
        return yamlvalue.agrees(event.value, token.value)
    return isinstance(token.value, str) and event.value == token.value


def _tag(event: Any) -> str | None:
    tag: str | None = getattr(event, "tag", None)
    return tag
