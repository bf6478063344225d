"""The rows behind a table: kept sorted and filtered while single rows change, without starting again.

Every row has a unique sort key, so that its place is found by bisection. Texts are kept apart from tones in objects
that the garbage collector does not walk: twenty thousand rows must not cost a pause. Texts that many rows have are
kept once.

Where a `Maker` makes the rows, a row that is only noted costs the value it is sorted by. Its cells are made when it is
painted, and its text for the filter when there is time, or when somebody filters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec

from tui.domain.kinds.kind import Cell, Tone, Value
from tui.domain.obj import Ref

# Rank of the value's type, value; among equals the key: cluster, resource, namespace, name; among equal keys the place.
Order = tuple[int, Any, str, str, str, str, int]
MANY = 64  # rows that are sorted in at once rather than one by one
CELLS = 300  # noted rows whose cells are kept once they have been made: more than any screen shows
RANKS = 500  # words whose rank is remembered
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


class Maker(Protocol):
    """Makes rows that were only noted, from what is true by then."""

    def row(self, key: Hashable) -> TableRow | None:
        """The row of a key; None when it is gone."""

    def value(self, key: Hashable, column: int) -> Value:
        """The value of one column of it; None when it is gone."""


class Entry(msgspec.Struct, gc=False):
    """One row as the table keeps it."""

    key: Hashable
    texts: tuple[str, ...]
    tones: tuple[Tone, ...]
    values: tuple[Value, ...]
    text: bytes | None  # of all cells, lower-cased, for the filter; UTF-8 is half of a str with one sign. None: unread
    sequence: int
    place: int  # in the order given
    version: int = 0
    shown: float = 0.0  # time its cells were made for; 0 = as given
    order: Order = (0, 0, "", "", "", "", 0)
    heard: float | None = None  # as its row's
    noted: bool = False  # its cells and values are not what they should be: they are made when they are needed


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

    def add_all(self, entries: list[Entry]) -> None:
        """Add some; of many, the few that come after all others are quick, and the rest is sorted in."""
        if len(entries) < MANY:
            for entry in entries:
                self.add(entry)
            return
        entries.sort(key=_order)
        last = bool(self.orders) and entries[0].order < self.orders[-1]
        self.entries += entries
        if last:
            self.entries.sort(key=_order)  # two runs, which it finds
            self.orders = [entry.order for entry in self.entries]
        else:
            self.orders += [entry.order for entry in entries]

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

    def __init__(self, maker: Maker | None = None) -> None:
        self._maker = maker
        self._unread: dict[Hashable, None] = {}  # keys whose text for the filter is not what it should be
        self._made: dict[Hashable, None] = {}  # keys of noted rows whose cells have been made, oldest first
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
        self._ranks: dict[str, tuple[int, Any]] = {}  # what words sort by: states are few

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
        self._unread.clear()
        self._made.clear()
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
            self._unread.pop(key, None)
            self._made.pop(key, None)
            if entry is not None:
                moved |= self._take_out(entry)
        for row in changed:
            self._unread.pop(row.key, None)
            self._made.pop(row.key, None)
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

    def note(self, keys: Iterable[Hashable]) -> tuple[set[Hashable], bool]:
        """Take in rows that are new or have changed, to be made when they are needed; returns what `update` does.

        New ones pass no filter until they are `read`, and changed ones pass as they did.
        """
        touched: set[Hashable] = set()
        fresh: list[Entry] = []
        moved = False
        for key in keys:
            self._unread[key] = None
            entry = self._by_key.get(key)
            if entry is None:
                self._places += 1
                entry = Entry(key, (), (), (), None, self._places, self._places, noted=True)
                entry.order = self._order_of(entry)
                self._by_key[key] = entry
                fresh.append(entry)
                continue
            touched.add(key)
            entry.noted = True
            order = self._order_of(entry)
            if order != entry.order:
                moved |= self._take_out(entry)
                entry.order = order
                self._put_in(entry)
        self._all.add_all(fresh)
        return touched, moved or (bool(fresh) and self._shown is self._all)

    def make(self, entry: Entry) -> None:
        """Make the cells of a noted row. What it is filtered by stays as it is until `read`."""
        row = self._maker.row(entry.key) if self._maker is not None else None
        if row is None:
            return  # it has gone, and the table is told next
        made = self._entry(row, entry, replace=False)
        entry.texts, entry.tones, entry.values = made.texts, made.tones, _values(row.sort_values, made.texts)
        entry.version, entry.heard, entry.noted = made.version, made.heard, False
        self._keep_cells((entry.key,))

    def read(self, most: int) -> bool:
        """Learn what at most `most` noted rows are filtered by; returns whether any shown row moved."""
        moved = False
        for key in list(islice(self._unread, most)):
            del self._unread[key]
            entry = self._by_key.get(key)
            row = self._maker.row(key) if self._maker is not None else None
            if entry is None or row is None:
                continue
            before = self._matches(entry)
            entry.text = _searched(" ".join([cell[0] for cell in row.cells]).lower())
            if self._matches(entry) != before:
                moved = True
                if before:
                    self._shown.discard(entry)
                else:
                    self._shown.add(entry)
        if not self._unread:
            self._unread = {}  # one that was large stays so
        return moved

    @property
    def unread(self) -> int:
        """Noted rows that the filter does not know, or not as they are now."""
        return len(self._unread)

    def _keep_cells(self, keys: Iterable[Hashable]) -> None:
        """These have been made; of those made longest ago the cells are given up."""
        for key in keys:
            self._made.pop(key, None)
            self._made[key] = None
        while len(self._made) > CELLS:
            key = next(iter(self._made))
            del self._made[key]
            if (entry := self._by_key.get(key)) is not None:
                entry.texts, entry.tones, entry.values, entry.noted = (), (), (), True

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
        self._ranks.clear()
        for entry in self._by_key.values():
            entry.order = self._order_of(entry)
        self._resort()

    def _wanted(self) -> bytes:
        return _searched(self.query[1:] if self.query.startswith("!") else self.query)

    def _matches(self, entry: Entry) -> bool:
        wanted = self._wanted()
        if not wanted:
            return True
        return entry.text is not None and (wanted in entry.text) is not self.query.startswith("!")

    def _filtered(self, entries: list[Entry]) -> _Sorted:
        wanted = self._wanted()
        if self.query.startswith("!"):
            return _Sorted.of_sorted([each for each in entries if each.text is not None and wanted not in each.text])
        return _Sorted.of_sorted([each for each in entries if each.text is not None and wanted in each.text])

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
        value: Value
        if entry.noted and self._maker is not None:
            value = self._maker.value(entry.key, column)
        elif column < len(values):
            value = values[column]
        else:
            value = entry.texts[column] if column < len(entry.texts) else None
        found = self._ranks.get(value) if type(value) is str else None
        if found is None:
            found = order_of(self._by(value) if self._by is not None else value, self._reverse)
            if type(value) is str and len(self._ranks) < RANKS:
                self._ranks[value] = found
        key = entry.key
        if type(key) is Ref:
            return *found, key.cluster, key.resource, key.namespace, key.name, entry.place
        return *found, "", "", "", str(key), entry.place

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
        text = old.text if same and old is not None and old.text is not None else _searched(" ".join(texts).lower())
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
        entry.heard, entry.noted = fresh.heard, False


def _searched(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _values(values: tuple[Value, ...], texts: tuple[str, ...]) -> tuple[Value, ...]:
    """The values; a text that is shown as it is, is kept once."""
    if len(values) != len(texts):
        return values
    return tuple([text if value == text else value for value, text in zip(values, texts, strict=True)])
