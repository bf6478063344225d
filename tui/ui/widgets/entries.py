"""What a table keeps of a row, and in which order rows stand.

Entries are compared by what they sort by and then by their key, so that the place of one is found by bisection. Texts
are kept apart from tones in objects that the garbage collector does not walk: twenty thousand rows must not cost a
pause.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import msgspec

from tui.domain.kinds.kind import Cell, Tone, Value
from tui.domain.obj import Ref

_KEPT = (Tone.BAD, Tone.WARN, Tone.UNKNOWN)  # what was wrong when last seen stays worth a look


def faded(tone: Tone) -> Tone:
    """The tone of what is old: never one that says "fine" or "now"."""
    return tone if tone in _KEPT else Tone.MUTED


class TableRow(msgspec.Struct, frozen=True, gc=False):
    """One row as a pane gives it: cells in the order of the columns, and the values they were made of."""

    key: Hashable
    cells: tuple[Cell, ...]
    sort_values: tuple[Value, ...] = ()
    heard: float | None = None  # of a stale row, when it was last known to be true (0 = unknown); None: kept up


class Maker(Protocol):
    """Makes rows that were only noted, from what is true by then, and says what all rows are sorted by.

    Its keys can be compared with each other.
    """

    def row(self, key: Hashable) -> TableRow | None:
        """The row of a key; None when it is gone."""

    def values(self, keys: Sequence[Hashable], column: int) -> list[Value]:
        """The values of one column of rows; None of one that is gone."""

    def labels(self, key: Hashable) -> Mapping[str, str] | None:
        """The labels of a row's object; None when it has none."""

    def searched(self, key: Hashable) -> tuple[str, str] | None:
        """What the filter looks for in a row: its own texts, and those that many rows have; None when it is gone."""


class Cells(msgspec.Struct, gc=False):
    """What a row shows."""

    texts: tuple[str, ...]
    tones: tuple[Tone, ...]
    values: tuple[Value, ...]
    version: int  # no two that differ have the same, of any row
    heard: float | None = None  # as its row's
    shown: float = 0.0  # time they were made for; 0 = as given
    noted: bool = False  # they are not what they should be: they are made anew when they are needed


class Entry(msgspec.Struct, gc=False, order=True):
    """One row as the table keeps it. The first three fields are its place: no two have the same key."""

    rank: int
    value: Any  # None: it has no place yet
    key: Hashable
    text: bytes | None = None  # of its own texts, lower-cased, for the filter. None: unread
    common: bytes = b""  # of the texts that many rows have: one object for all of them
    cells: Cells | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of its cells, () when they are not made."""
        return self.cells.texts if self.cells is not None else ()


def order_of(value: Value, reverse: bool = False) -> tuple[int, Any]:
    """Sort key of a value: numbers, then text without case, and what is unknown last in both directions."""
    if value is None or value != value:
        return (-1 if reverse else 9), 0
    if isinstance(value, str):
        lower = value.lower()
        return 1, value if lower == value else lower
    return 0, value


def place(entries: list[Entry], entry: Entry) -> int | None:
    """Index of an entry in a sorted list, or None."""
    at = bisect_left(entries, entry)
    return at if at < len(entries) and entries[at] is entry else None


def discard(entries: list[Entry], entry: Entry) -> bool:
    """Take an entry out of a sorted list; returns whether it was there."""
    at = place(entries, entry)
    if at is not None:
        del entries[at]
    return at is not None


def sort(entries: list[Entry], unique: bool = False) -> None:
    """Put entries in order: of one field after the other, because texts compare much faster than what consists of them.

    The sort is stable, so the last field that entries are sorted by decides first. `unique` values decide alone.
    """
    if unique:
        entries.sort(key=_value)
        return
    if not all([type(entry.key) is Ref for entry in entries]):
        entries.sort()
        return
    for field in _TIES:
        entries.sort(key=field)
    ranked: dict[int, list[Entry]] = {}
    for entry in entries:
        ranked.setdefault(entry.rank, []).append(entry)
    del entries[:]
    for rank in sorted(ranked):
        ranked[rank].sort(key=_value)
        entries += ranked[rank]


_TIES = (attrgetter("key.name"), attrgetter("key.namespace"), attrgetter("key.resource"), attrgetter("key.cluster"))
_value = attrgetter("value")


class Found(dict[bytes, bool]):
    """Whether a text that many rows have contains what is looked for."""

    def __init__(self, wanted: bytes) -> None:
        self.wanted = wanted

    def __missing__(self, text: bytes) -> bool:
        found = self[text] = self.wanted in text
        return found


def value_of(entry: Entry, column: int) -> Value:
    cells = entry.cells
    assert cells is not None
    if column < len(cells.values):
        return cells.values[column]
    return cells.texts[column] if column < len(cells.texts) else None


def tie(key: Hashable) -> tuple[str, str, str, str]:
    """What orders rows of equal value."""
    if type(key) is Ref:
        return key.cluster, key.resource, key.namespace, key.name
    return "", "", type(key).__name__, str(key)


def values_of(values: tuple[Value, ...], texts: tuple[str, ...]) -> tuple[Value, ...]:
    """The values; a text that is shown as it is, is kept once."""
    if len(values) != len(texts):
        return values
    return tuple([text if value == text else value for value, text in zip(values, texts, strict=True)])
