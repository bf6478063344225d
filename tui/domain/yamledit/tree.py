"""One parsed document: parser events with their places in the text, and ways to walk them.

A node is the index of its event, its subtree the events up to `ends[node]`. The events are kept as the parser gives
them, because they alone know where aliases, quotes and properties are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tui.domain import yamlvalue
from tui.domain.yamledit.errors import Refused, Unreadable
from tui.domain.yamledit.split import BREAK, MAX_DOCUMENT, place

Loader: Any = getattr(yaml, "CLoader", yaml.Loader)
"""libyaml where PyYAML was built with it, else the pure parser; both give the same events and marks."""

MAX_DEPTH = 200
"""Nesting; Kubernetes objects stay below 30, and recursion over a document stays bounded."""

MAX_NODES = 400_000
"""Events of one document, so that memory stays bounded."""

MAX_VALUES = 200_000
"""Values that reading a subtree may expand to: aliases multiply (a `billion laughs` document has 10^9)."""

_GAP = re.compile(r"(?:\s++|#[^\r\n\x85\u2028\u2029]*+)*+")
_BREAKS = re.compile(rf"\r\n|[{BREAK}]")


def parse(source: str) -> Iterator[Any]:
    """The events of a text. Raises Unreadable with the place in this text."""
    try:
        loader = Loader(source)
        next_event = loader.get_event
        try:
            event = next_event()
            while event.__class__ is not StreamEndEvent:
                yield event
                event = next_event()
            yield event
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = place(source, mark.index) if mark else (0, 0)
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        if "nesting depth" in reason:  # newer libraries look ahead, and have a limit of their own
            raise Unreadable(f"nested deeper than {MAX_DEPTH} levels", line, column) from None
        raise Unreadable(f"not valid YAML: {reason}", line, column) from None
    except yaml.reader.ReaderError as error:
        line, column = place(source, error.position) if isinstance(error.position, int) else (0, 0)
        raise Unreadable(f"not valid YAML: {error.reason}", line, column) from None
    except UnicodeError:
        raise Unreadable("the text holds half a surrogate pair, which no encoding of a file can hold") from None


class Tree:
    """The events of one document's text."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_DOCUMENT:
            raise Unreadable(f"the document has {len(source) >> 20} MB; fleet edits up to {MAX_DOCUMENT >> 20} MB")
        self.source = source
        self.events: list[Any] = []
        self.ends: list[int] = []
        self.aliases: list[int] = []
        self._named: dict[int, dict[str, list[tuple[int, int]]]] = {}
        self._read()
        self.root = 2
        if len(self.events) < 5 or self.ends[2] + 3 != len(self.events):
            raise Unreadable("expected exactly one YAML document here", 1, 1)

    def _read(self) -> None:
        events, ends, stack = self.events, self.ends, []
        for number, event in enumerate(parse(self.source)):
            kind = event.__class__
            events.append(event)
            if kind is ScalarEvent:
                ends.append(number)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                ends.append(0)
                stack.append(number)
                if len(stack) > MAX_DEPTH:
                    raise Unreadable(
                        f"nested deeper than {MAX_DEPTH} levels", *place(self.source, event.start_mark.index)
                    )
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                ends[stack.pop()] = number
                ends.append(number)
            else:
                if kind is AliasEvent:
                    self.aliases.append(number)
                ends.append(number)
            if number > MAX_NODES:
                raise self.unreadable(f"more than {MAX_NODES:,} values in one document", event)

    def unreadable(self, reason: str, event: Any) -> Unreadable:
        """Why the document cannot be read, at one of its events."""
        return Unreadable(reason, *place(self.source, event.start_mark.index))

    def refuse(self, reason: str, offset: int) -> Refused:
        """A refusal at an offset of this document's text."""
        return Refused(reason, *place(self.source, offset))

    # ---- what a node is

    def is_map(self, node: int) -> bool:
        return self.events[node].__class__ is MappingStartEvent

    def is_list(self, node: int) -> bool:
        return self.events[node].__class__ is SequenceStartEvent

    def is_scalar(self, node: int) -> bool:
        return self.events[node].__class__ is ScalarEvent

    def is_alias(self, node: int) -> bool:
        return self.events[node].__class__ is AliasEvent

    def is_null(self, node: int) -> bool:
        return self.is_scalar(node) and self.scalar(node) is None

    def is_block(self, node: int) -> bool:
        """Whether it is a mapping or sequence in block style."""
        event = self.events[node]
        return event.__class__ in (MappingStartEvent, SequenceStartEvent) and not event.flow_style

    def pairs(self, node: int) -> Iterator[tuple[int, int]]:
        """(key, value) nodes of a mapping."""
        ends, at, stop = self.ends, node + 1, self.ends[node]
        while at < stop:
            value = ends[at] + 1
            yield at, value
            at = ends[value] + 1

    def named(self, node: int) -> dict[str, list[tuple[int, int]]]:
        """The pairs of a mapping by their keys' texts, in order; more than one where a key is repeated."""
        found = self._named.get(node)
        if found is None:
            found = self._named[node] = {}
            for pair in self.pairs(node):
                event = self.events[pair[0]]
                if event.__class__ is ScalarEvent:
                    found.setdefault(event.value, []).append(pair)
        return found

    def items(self, node: int) -> Iterator[int]:
        """Item nodes of a sequence."""
        ends, at, stop = self.ends, node + 1, self.ends[node]
        while at < stop:
            yield at
            at = ends[at] + 1

    def key_text(self, key: int) -> str | None:
        """A key's text as paths spell it; None for a key that is itself a collection or an alias."""
        return self.events[key].value if self.is_scalar(key) else None

    def is_merge(self, key: int) -> bool:
        event = self.events[key]
        return event.__class__ is ScalarEvent and event.value == "<<" and event.implicit[0]

    # ---- where a node is

    def start(self, node: int) -> int:
        """Offset of the content, behind `&anchor` and `!tag`."""
        event: Any = self.events[node]
        if event.__class__ is AliasEvent or (event.anchor is None and event.tag is None):
            return int(event.start_mark.index)
        if event.__class__ is not ScalarEvent:
            end = int(event.end_mark.index)
            if self.is_block(node) and self.source[end - 1] != "-":
                return end
            return end - 1  # behind the bracket, or behind the first dash of a list that is not indented
        scalar: Any = event
        return self._behind_properties(int(scalar.start_mark.index), int(scalar.end_mark.index))

    def _behind_properties(self, at: int, end: int) -> int:
        while at < end and self.source[at] in "&!":
            while at < end and not self.source[at].isspace():
                at += 1
            found = _GAP.match(self.source, at, end)
            at = found.end() if found else at
        return at

    def end(self, node: int) -> int:
        """Offset behind the last character of the content, without what follows: comments, blank lines, line break.

        A block scalar that keeps its blank lines (`|+`) ends behind them, at the start of the next line.
        """
        if self.is_scalar(node) or self.is_alias(node):
            return self._scalar_end(node)
        last = self.ends[node]
        while self.events[last].start_mark.index == self.events[last].end_mark.index and not (
            self.is_scalar(last) or self.is_alias(last)
        ):
            last -= 1
        if self.is_scalar(last) or self.is_alias(last):
            return self._scalar_end(last)
        return int(self.events[last].end_mark.index)

    def _scalar_end(self, node: int) -> int:
        event = self.events[node]
        end = int(event.end_mark.index)
        if event.__class__ is not ScalarEvent or event.style not in ("|", ">"):
            return end
        start = self.start(node)
        header = _BREAKS.search(self.source, start, end)
        if header is None:
            return end
        if "+" in self.source[start : header.start()].split("#")[0]:
            return end
        text = event.value.rstrip("\n")
        if not text or not text.rsplit("\n", 1)[-1].strip():
            return max(len(self.source[:end].rstrip(BREAK)), header.start())
        return start + len(self.source[start:end].rstrip())

    def line_start(self, offset: int) -> int:
        """Offset of the first character of the line."""
        return 1 + max(self.source.rfind(char, 0, offset) for char in self._breaks)

    @cached_property
    def _breaks(self) -> str:
        """The kinds of line break that occur; searching for one that does not would scan the whole text."""
        return "".join(char for char in BREAK if char in self.source) or "\n"

    def line_end(self, offset: int) -> int:
        """Offset of the line break (or end of text) at or behind `offset`."""
        found = _BREAKS.search(self.source, offset)
        return found.start() if found else len(self.source)

    def next_line(self, offset: int) -> int:
        found = _BREAKS.search(self.source, offset)
        return found.end() if found else len(self.source)

    def column(self, offset: int) -> int:
        """Characters between the start of the line and `offset`."""
        return offset - self.line_start(offset)

    def gap(self, offset: int) -> int:
        """Offset of the first character that is neither white space nor comment."""
        found = _GAP.match(self.source, offset)
        return found.end() if found else offset

    def colon(self, key: int) -> int:
        """Offset behind the `:` of a key; -1 when it has none (a bare key in a flow mapping)."""
        at = self.gap(self.end(key))
        return at + 1 if self.source[at : at + 1] == ":" else -1

    def dash(self, parent: int, item: int) -> int:
        """Offset of the `-` of an item of a block sequence."""
        if item == parent + 1:
            return self.start(parent)
        before = max(child for child in self.items(parent) if child < item)
        return self.gap(self.end(before))

    # ---- what a node says

    def scalar(self, node: int) -> yamlvalue.Scalar:
        """A scalar typed as Go types it; explicit tags are obeyed for the JSON types."""
        event = self.events[node]
        if event.tag is None or event.tag == "!":
            return yamlvalue.kubectl(event.value) if event.implicit[0] and event.tag is None else event.value
        name = event.tag.removeprefix("tag:yaml.org,2002:")
        if name in ("int", "float", "bool", "null"):
            return yamlvalue.kubectl(event.value)
        return str(event.value)

    def target(self, alias: int) -> int:
        """The node an alias stands for. Raises Refused when the anchor is unknown or the alias lies inside it."""
        node = self._targets.get(alias, -1)
        event = self.events[alias]
        if node < 0:
            raise self.refuse(f"the alias *{event.anchor} has no anchor before it", event.start_mark.index)
        if self.ends[node] >= alias:
            raise self.refuse(f"the alias *{event.anchor} lies inside its own anchor", event.start_mark.index)
        return node

    @cached_property
    def _targets(self) -> dict[int, int]:
        """Every alias and the node it stands for, -1 for none: an anchor may be defined again further down."""
        out: dict[int, int] = {}
        anchors: dict[str, int] = {}
        if self.aliases:
            for node, event in enumerate(self.events):
                kind = event.__class__
                if kind is AliasEvent:
                    out[node] = anchors.get(event.anchor, -1)
                elif kind in (ScalarEvent, MappingStartEvent, SequenceStartEvent) and event.anchor is not None:
                    anchors[event.anchor] = node
        return out

    def users(self, node: int) -> tuple[int, ...]:
        """The aliases that stand for this anchored node."""
        if self.events[node].anchor is None:
            return ()
        return tuple(alias for alias, target in self._targets.items() if target == node)

    def value(self, node: int) -> Any:
        """The subtree as plain values, aliases and merge keys resolved, typed as kubectl types it.

        Keys are the texts of the keys. Raises Refused when aliases multiply beyond MAX_VALUES.
        """
        return self._value(node, [MAX_VALUES + len(self.events)], 0)

    def _value(self, node: int, budget: list[int], depth: int) -> Any:
        budget[0] -= 1
        if budget[0] < 0:
            raise self.refuse("its aliases expand to too many values", self.events[node].start_mark.index)
        if depth > MAX_DEPTH:
            raise self.refuse(f"nested deeper than {MAX_DEPTH} levels", self.events[node].start_mark.index)
        if self.is_scalar(node):
            return self.scalar(node)
        if self.is_alias(node):
            return self._value(self.target(node), budget, depth + 1)
        if self.is_list(node):
            return [self._value(item, budget, depth + 1) for item in self.items(node)]
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in self.pairs(node):
            if self.is_merge(key):
                for source in self.merges(value):
                    for name, part in self._value(source, budget, depth + 1).items():
                        merged.setdefault(name, part)
                continue
            name = self.key_text(key)
            if name is None:
                raise self.refuse("a key that is not a scalar", self.events[key].start_mark.index)
            own[name] = self._value(value, budget, depth + 1)
        return {**merged, **own} if merged else own

    def merges(self, value: int) -> list[int]:
        """The mappings that the value of a `<<` key brings in, the strongest first."""
        out = []
        for part in self.items(value) if self.is_list(value) else (value,):
            node = self.target(part) if self.is_alias(part) else part
            if not self.is_map(node):
                raise self.refuse("<< needs a mapping or a list of mappings", self.events[part].start_mark.index)
            out.append(node)
        return out
