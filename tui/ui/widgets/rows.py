"""The rows behind a table: kept sorted and filtered while single rows change, without starting again.

Every row has a unique sort key, so that its place is found by bisection. Texts are kept apart from tones in objects
that the garbage collector does not walk: twenty thousand rows must not cost a pause. Texts that many rows have are
kept once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import msgspec

from tui.domain.kinds.kind import Cell, Tone, Value
from tui.domain.obj import Ref

# Rank of the value's type, value; among equals the key: cluster, resource, namespace, name; among equal keys the place.
Order = tuple[int, Any, str, str, str, str, int]
WORD = 12  # characters: ages, states and counts are no longer; names are, and differ
WORDS = 10_000  # remembered so that each is kept once

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


class Entry(msgspec.Struct, gc=False):
    """One row as the table keeps it."""

    key: Hashable
    texts: tuple[str, ...]
    tones: tuple[Tone, ...]
    values: tuple[Value, ...]
    text: bytes  # of all cells, lower-cased, for the filter: in UTF-8 half of what a str with one sign costs
    sequence: int
    place: int  # in the order given
    version: int = 0
    shown: float = 0.0  # time its cells were made for; 0 = as given
    order: Order = (0, 0, "", "", "", "", 0)
    heard: float | None = None  # as its row's


def order_of(value: Value, reverse: bool = False) -> tuple[int, Any]:
    """Sort key of a value: numbers, then text without case, and what is unknown last in both directions."""
    if value is None or value != value:
        return (-1 if reverse else 9), 0
    if isinstance(value, str):
        lower = value.lower()
        return 1, value if lower == value else lower
    return 0, value


class _Sorted:
    """Entries in order, with the sort keys in a parallel list for bisection."""

    __slots__ = ("entries", "orders")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = sorted(entries, key=_order)
        self.orders = [entry.order for entry in self.entries]

    @classmethod
    def of_sorted(cls, entries: list[Entry]) -> _Sorted:
        """Take a list that is in order already."""
        made = cls()
        made.entries = entries
        made.orders = [entry.order for entry in entries]
        return made

    def add(self, entry: Entry) -> None:
        at = bisect_left(self.orders, entry.order)
        self.orders.insert(at, entry.order)
        self.entries.insert(at, entry)

    def place(self, entry: Entry) -> int | None:
        """Index of the entry, or None."""
        at = bisect_left(self.orders, entry.order)
        return at if at < len(self.entries) and self.entries[at] is entry else None

    def discard(self, entry: Entry) -> None:
        at = self.place(entry)
        if at is not None:
            del self.entries[at], self.orders[at]


def _order(entry: Entry) -> Order:
    return entry.order


class Rows:
    """All rows of a table, sorted by one column and filtered by one query."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, Entry] = {}
        self._all = _Sorted()
        self._shown = self._all
        self._column: int | None = None
        self._reverse = False
        self._by: Callable[[Value], Value] | None = None
        self.query = ""
        self._places = 0
        self._tones: dict[tuple[Tone, ...], tuple[Tone, ...]] = {}
        self._words: dict[str, str] = {}  # `sys.intern` keeps them for ever in Python 3.12

    def __len__(self) -> int:
        return len(self._shown.entries)

    @property
    def total(self) -> int:
        """Rows before the filter."""
        return len(self._by_key)

    def at(self, index: int) -> Entry:
        """The row shown at `index`."""
        entries = self._shown.entries
        return entries[-1 - index] if self._reverse else entries[index]

    def window(self, start: int, count: int) -> Sequence[Entry]:
        """The rows shown from `start` on, at most `count`."""
        return [self.at(index) for index in range(start, min(start + count, len(self)))]

    def get(self, key: Hashable) -> Entry | None:
        """The row of that key, shown or not."""
        return self._by_key.get(key)

    def keys(self) -> Iterable[Hashable]:
        """Keys of all rows, in no order."""
        return self._by_key.keys()

    def index(self, key: Hashable) -> int | None:
        """Where the row is shown; None when it is filtered out or unknown."""
        entry = self._by_key.get(key)
        at = self._shown.place(entry) if entry is not None else None
        if at is None:
            return None
        return len(self._shown.entries) - 1 - at if self._reverse else at

    def index_near(self, entry: Entry) -> int:
        """Where a row that is no longer shown would stand; may be one past the last."""
        at = bisect_left(self._shown.orders, entry.order)
        return len(self._shown.entries) - at if self._reverse else at

    def replace(self, rows: Iterable[TableRow]) -> None:
        """Take these rows instead of all others; rows that stay keep their identity, the order is the one given."""
        old, self._by_key = self._by_key, {}
        for row in rows:
            self._places += 1
            entry = self._entry(row, old.get(row.key), place=self._places)
            self._by_key[row.key] = entry
        self._resort()

    def update(self, changed: Iterable[TableRow], removed: Iterable[Hashable]) -> tuple[set[Hashable], bool]:
        """Take in changes; returns the keys whose content changed and whether any shown row moved."""
        touched: set[Hashable] = set()
        moved = False
        for key in removed:
            entry = self._by_key.pop(key, None)
            if entry is not None:
                moved |= self._take_out(entry)
        for row in changed:
            entry = self._by_key.get(row.key)
            if entry is None:
                entry = self._by_key[row.key] = self._entry(row, None)
                moved |= self._put_in(entry)
                continue
            before = entry.order, self._matches(entry)
            version = entry.version
            fresh = self._entry(row, entry, replace=False)
            after = fresh.order, self._matches(fresh)
            if before != after:
                moved |= self._take_out(entry)
                self._copy(entry, fresh)
                moved |= self._put_in(entry)
            else:
                self._copy(entry, fresh)
            if entry.version != version:
                touched.add(row.key)
        return touched, moved

    def filter(self, query: str) -> None:
        """Show rows that contain the query, or with a leading `!` those that do not; "" shows all."""
        old, self.query = self.query, query.lower()
        if self.query == old:
            return
        if not self._wanted():
            self._shown = self._all
            return
        narrows = bool(old) and "!" not in (query[:1], old[:1]) and old in self.query
        source = self._shown if narrows else self._all
        self._shown = self._filtered(source.entries)

    def sort(self, column: int | None, reverse: bool = False, by: Callable[[Value], Value] | None = None) -> None:
        """Sort by the values of a column, or what `by` makes of them; without a column in the order given."""
        if (column, reverse, by) == (self._column, self._reverse, self._by):
            return
        self._column, self._reverse, self._by = column, reverse, by
        for entry in self._by_key.values():
            entry.order = self._order_of(entry)
        self._resort()

    def _wanted(self) -> bytes:
        return _searched(self.query[1:] if self.query.startswith("!") else self.query)

    def _matches(self, entry: Entry) -> bool:
        wanted = self._wanted()
        return not wanted or (wanted in entry.text) is not self.query.startswith("!")

    def _filtered(self, entries: list[Entry]) -> _Sorted:
        wanted = self._wanted()
        if self.query.startswith("!"):
            return _Sorted.of_sorted([entry for entry in entries if wanted not in entry.text])
        return _Sorted.of_sorted([entry for entry in entries if wanted in entry.text])

    def _resort(self) -> None:
        self._all = _Sorted(self._by_key.values())
        self._shown = self._filtered(self._all.entries) if self._wanted() else self._all

    def _put_in(self, entry: Entry) -> bool:
        self._all.add(entry)
        matches = self._matches(entry)
        if matches and self._shown is not self._all:
            self._shown.add(entry)
        return matches

    def _take_out(self, entry: Entry) -> bool:
        matched = self._matches(entry)
        self._all.discard(entry)
        if matched and self._shown is not self._all:
            self._shown.discard(entry)
        return matched

    def _order_of(self, entry: Entry) -> Order:
        column = self._column
        if column is None:
            return 0, 0, "", "", "", "", entry.place
        values = entry.values
        value = values[column] if column < len(values) else entry.texts[column] if column < len(entry.texts) else None
        rank, part = order_of(self._by(value) if self._by is not None else value, self._reverse)
        key = entry.key
        tie = (key.cluster, key.resource, key.namespace, key.name) if type(key) is Ref else ("", "", "", str(key))
        return rank, part, *tie, entry.place

    def _entry(self, row: TableRow, old: Entry | None, replace: bool = True, place: int = 0) -> Entry:
        """The row as an entry; with `replace` an old one is changed in place. `place` 0: where it was, or the end."""
        cells, words = row.cells, self._words
        if len(words) > WORDS:
            words.clear()
        once = words.setdefault
        texts = tuple([once(cell[0], cell[0]) if len(cell[0]) <= WORD else cell[0] for cell in cells])
        tones = tuple([cell[1] for cell in cells])
        tones = self._tones.setdefault(tones, tones)
        same = old is not None and old.texts == texts and old.tones is tones and old.heard == row.heard
        if not place and old is None:
            self._places += 1
        place = place or (self._places if old is None else old.place)
        sequence, version = (place, 0) if old is None else (old.sequence, old.version + (not same))
        values = old.values if old is not None and old.values == row.sort_values else _values(row.sort_values, texts)
        text = old.text if same and old is not None else _searched(" ".join(texts).lower())
        entry = Entry(row.key, texts, tones, values, text, sequence, place, version, heard=row.heard)
        entry.order = self._order_of(entry)
        if old is not None and replace:
            self._copy(old, entry)
            return old
        return entry

    @staticmethod
    def _copy(entry: Entry, fresh: Entry) -> None:
        entry.texts, entry.tones, entry.values = fresh.texts, fresh.tones, fresh.values
        entry.text, entry.version, entry.order, entry.place = fresh.text, fresh.version, fresh.order, fresh.place
        entry.heard = fresh.heard


def _searched(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _values(values: tuple[Value, ...], texts: tuple[str, ...]) -> tuple[Value, ...]:
    """The values; a text that is shown as it is, is kept once."""
    if len(values) != len(texts):
        return values
    return tuple([text if value == text else value for value, text in zip(values, texts, strict=True)])
