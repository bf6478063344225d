"""The rows behind a table: kept sorted and filtered while single rows change, without starting again.

Where a `Maker` makes the rows, a row that is only noted costs the value it is sorted by. Its cells are made when it is
painted, and its texts for the filter when there is time, or when somebody filters. Texts that many rows have are kept
once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any

from tui.domain.kinds.kind import Cell, Tone, Value
from tui.domain.listfilter import Filter, Titled, parse
from tui.domain.obj import Ref
from tui.ui.widgets import entries as kept
from tui.ui.widgets.entries import Cells, Entry, Found, Maker, TableRow, faded, order_of

__all__ = ["Cells", "Entry", "Maker", "Rows", "TableRow", "faded", "order_of"]

MANY = 64  # rows that are sorted in at once rather than one by one
CELLS = 300  # rows whose cells are kept where a maker can make them again: more than any screen shows
RANKS = 500  # words whose rank is remembered
WORD = 12  # characters: ages, states and counts are no longer; names are, and differ
WORDS = 10_000  # remembered so that each is kept once


class Rows:
    """All rows of a table, sorted by one column and filtered by one query."""

    def __init__(self, maker: Maker | None = None) -> None:
        self._maker = maker
        self._by_key: dict[Hashable, Entry] = {}  # in the order given
        self._unread: dict[Hashable, None] = {}  # keys whose texts for the filter are not what they should be
        self._made: dict[Hashable, None] = {}  # keys whose cells a maker has made, oldest first
        self._all: list[Entry] = []  # sorted
        self._shown = self._all  # those that pass the filter
        self._column: int | None = None
        self._reverse = False
        self._by: Callable[[Value], Value] | None = None
        self.query = ""
        self.filtered = Filter()  # what the query means
        self.now = 0.0  # seconds since the epoch, for what it says of ages
        self._typed = False  # it is more than text
        self._wanted = b""  # the text that is looked for; b"" passes all
        self._found = Found(b"")
        self._places = 0  # rows given so far
        self._versions = 0
        self._tones: dict[tuple[Tone, ...], tuple[Tone, ...]] = {}
        self._words: dict[str, str] = {}  # `sys.intern` keeps them for ever in Python 3.12
        self._common: dict[bytes, bytes] = {}
        self._ranks: dict[str, tuple[int, Any]] = {}  # what words sort by: states are few

    def __len__(self) -> int:
        return len(self._shown)

    @property
    def total(self) -> int:
        """Rows before the filter."""
        return len(self._by_key)

    def at(self, index: int) -> Entry:
        """The row shown at `index`."""
        entries = self._shown
        return entries[-1 - index] if self._reverse else entries[index]

    def window(self, start: int, count: int) -> Sequence[Entry]:
        """The rows shown from `start` on, at most `count`."""
        return [self.at(index) for index in range(start, min(start + count, len(self)))]

    def get(self, key: Hashable) -> Entry | None:
        """The row of that key, shown or not."""
        return self._by_key.get(key)

    def keys(self) -> Iterable[Hashable]:
        """Keys of all rows, in the order given."""
        return self._by_key.keys()

    def index(self, key: Hashable) -> int | None:
        """Where the row is shown; None when it is filtered out or unknown."""
        entry = self._by_key.get(key)
        at = kept.place(self._shown, entry) if entry is not None else None
        if at is None:
            return None
        return len(self._shown) - 1 - at if self._reverse else at

    def index_near(self, entry: Entry) -> int:
        """Where a row that is no longer shown would stand; may be one past the last."""
        at = bisect_left(self._shown, entry)
        return len(self._shown) - at if self._reverse else at

    # -- changes ----------------------------------------------------------------------------------------------------

    def replace(self, rows: Iterable[TableRow]) -> None:
        """Take these rows instead of all others, in the order given; rows that stay keep what they were."""
        old, self._by_key = self._by_key, {}
        self._made.clear()
        for row in rows:
            entry = self._by_key[row.key] = old.get(row.key) or Entry(0, None, row.key)
            self._give(entry, row)
        self._unread.clear()
        self._rank_all()

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
            entry = self._by_key.get(row.key)
            if entry is None:
                entry = self._by_key[row.key] = Entry(0, None, row.key)
                self._give(entry, row)
                entry.rank, entry.value = self._orders([entry])[0]
                moved |= self._put_in(entry)
                continue
            if self._give(entry, row):
                touched.add(row.key)
            order = self._orders([entry])[0]
            if order != (entry.rank, entry.value) or self._matches(entry) != self._is_shown(entry):
                moved |= self._take_out(entry)
                entry.rank, entry.value = order
                moved |= self._put_in(entry)
        return touched, moved

    def note(self, keys: Iterable[Hashable]) -> tuple[set[Hashable], bool]:
        """Take in rows that are new or have changed, to be made when they are needed; returns what `update` does.

        New ones pass no filter until they are `read`, and changed ones pass as they did.
        """
        touched: list[Entry] = []
        fresh: list[Entry] = []
        by_key = self._by_key
        for key in keys:
            self._unread[key] = None
            entry = by_key.get(key)
            if entry is None:
                entry = by_key[key] = Entry(0, None, key)
                fresh.append(entry)
            else:
                touched.append(entry)
                if entry.cells is not None:
                    entry.cells.noted = True
        moved = False
        for entry, order in zip(touched, self._orders(touched), strict=True):
            if order != (entry.rank, entry.value):
                moved |= self._take_out(entry)
                entry.rank, entry.value = order
                self._put_in(entry)
        for entry, order in zip(fresh, self._orders(fresh), strict=True):
            entry.rank, entry.value = order
        self._add_all(fresh)
        return {entry.key for entry in touched}, moved or (bool(fresh) and self._shown is self._all)

    def read(self, most: int) -> bool:
        """Learn what at most `most` noted rows are filtered by; returns whether any shown row moved."""
        moved = False
        for key in list(islice(self._unread, most)):
            del self._unread[key]
            entry = self._by_key.get(key)
            found = self._maker.searched(key) if self._maker is not None else None
            if entry is None or found is None:
                continue
            entry.text, entry.common = _searched(found[0]), self._once(_searched(found[1]))
            if self._shown is self._all:
                continue
            matches = self._matches(entry)
            if matches != self._is_shown(entry):
                moved = True
                if matches:
                    insort(self._shown, entry)
                else:
                    kept.discard(self._shown, entry)
        if not self._unread:
            self._unread = {}  # one that was large stays so
        return moved

    @property
    def unread(self) -> int:
        """Noted rows that the filter does not know, or not as they are now."""
        return len(self._unread)

    def cells(self, entry: Entry) -> Cells:
        """What a row shows as it is now."""
        if entry.cells is None or entry.cells.noted:
            row = self._maker.row(entry.key) if self._maker is not None else None
            if row is None:  # it has gone, and the table is told next
                return entry.cells or Cells((), (), (), 0)
            self._show(entry, row)
        assert entry.cells is not None
        return entry.cells

    def reshow(self, cells: Cells, shown: Sequence[Cell]) -> bool:
        """Let a row show this instead; returns whether that is something else."""
        texts, tones = tuple([cell[0] for cell in shown]), tuple([cell[1] for cell in shown])
        if texts == cells.texts and tones == cells.tones:
            return False
        self._versions += 1
        cells.texts, cells.tones, cells.version = texts, tones, self._versions
        return True

    # -- filter and order -------------------------------------------------------------------------------------------

    def filter(self, query: str, columns: Sequence[Titled] = ()) -> None:
        """Show rows that pass the query, as `domain.listfilter` reads it for these columns; "" shows all."""
        old, self.query = self.filtered, query
        self.filtered = new = parse(query, columns)
        plain = not old.inverse and not self._typed and bool(old.text)
        self._typed = bool(new.expression or new.letters or new.conditions or new.labels)
        self._wanted = _searched(new.text)
        self._found = Found(self._wanted)
        narrows = plain and not new.inverse and not self._typed and old.text in new.text
        self._shown = self._filtered(self._shown if narrows else self._all)

    def filter_again(self) -> bool:
        """Time has passed: see which rows pass now; returns whether those are others than before."""
        before, self._shown = self._shown, self._filtered(self._all)
        return before != self._shown

    def sort(self, column: int | None, reverse: bool = False, by: Callable[[Value], Value] | None = None) -> None:
        """Sort by the values of a column, or what `by` makes of them; without a column in the order given."""
        if (column, reverse, by) == (self._column, self._reverse, self._by):
            return
        self._column, self._reverse, self._by = column, reverse, by
        self._ranks.clear()
        self._rank_all()

    def _matches(self, entry: Entry) -> bool:
        if self._typed:
            return bool(self._passing([entry]))
        if not self._wanted:
            return True
        if entry.text is None:
            return False
        return (self._wanted in entry.text or self._found[entry.common]) is not self.filtered.inverse

    def _is_shown(self, entry: Entry) -> bool:
        return self._shown is self._all or kept.place(self._shown, entry) is not None

    def _filtered(self, entries: list[Entry]) -> list[Entry]:
        wanted, found = self._wanted, self._found
        if self._typed:
            return self._passing(entries)
        if not wanted:
            return self._all
        if self.filtered.inverse:
            return [e for e in entries if (text := e.text) is not None and wanted not in text and not found[e.common]]
        return [e for e in entries if (text := e.text) is not None and (wanted in text or found[e.common])]

    def _passing(self, entries: list[Entry]) -> list[Entry]:
        """Those that pass a filter which is more than text."""
        wanted, now = self.filtered, self.now
        entries = [entry for entry in entries if entry.text is not None]
        if wanted.searches:
            entries = [entry for entry in entries if wanted.finds(_line(entry))]
        for condition in wanted.conditions:
            values = self._values(entries, condition.column)
            answers: dict[Value, bool] = {}  # many rows have the same words
            passed = []
            for entry, value in zip(entries, values, strict=True):
                answer = answers.get(value) if type(value) is str else None
                if answer is None:
                    answer = condition.holds(value, now)
                    if type(value) is str:
                        answers[value] = answer
                if answer:
                    passed.append(entry)
            entries = passed
        if wanted.labels is not None:
            labels = self._maker.labels if self._maker is not None else _no_labels
            entries = [entry for entry in entries if wanted.labelled(labels(entry.key))]
        return entries

    def _rank_all(self) -> None:
        """Put all rows in order."""
        entries = list(self._by_key.values())
        if self._column is None:
            for entry in entries:
                entry.value = None
        for entry, order in zip(entries, self._orders(entries), strict=True):
            entry.rank, entry.value = order
        kept.sort(entries, unique=self._maker is None)
        self._all = entries
        self._shown = self._filtered(entries)

    def _orders(self, entries: Sequence[Entry]) -> list[tuple[int, Any]]:
        """Rank and value that rows are sorted by."""
        column, ranks, by = self._column, self._ranks, self._by
        if column is None:
            return [(0, entry.value if entry.value is not None else self._next()) for entry in entries]
        orders: list[tuple[int, Any]] = []
        for value in self._values(entries, column):
            order = ranks.get(value) if type(value) is str else None
            if order is None:
                order = order_of(by(value) if by is not None else value, self._reverse)
                if type(value) is str and len(ranks) < RANKS:
                    ranks[value] = order
            orders.append(order)
        if self._maker is None:  # its keys need not be comparable
            return [(0, (*order, *kept.tie(entry.key))) for order, entry in zip(orders, entries, strict=True)]
        return orders

    def _values(self, entries: Sequence[Entry], column: int) -> list[Value]:
        if self._maker is not None:
            return self._maker.values([entry.key for entry in entries], column)
        return [kept.value_of(entry, column) for entry in entries]

    def _next(self) -> int | tuple[int, int]:
        """The next place in the order given, comparable with what a row that has gone was sorted by."""
        self._places += 1
        return self._places if self._maker is not None else (0, self._places)

    def _add_all(self, entries: list[Entry]) -> None:
        """Add new rows: one by one, or when they are many those after all others at once, and the rest sorted in."""
        if len(entries) < MANY:
            for entry in entries:
                insort(self._all, entry)
            return
        kept.sort(entries, unique=self._maker is None)
        mixed = bool(self._all) and entries[0] < self._all[-1]
        self._all += entries
        if mixed:
            self._all.sort()  # two runs, which it finds

    def _put_in(self, entry: Entry) -> bool:
        insort(self._all, entry)
        matches = self._matches(entry)
        if matches and self._shown is not self._all:
            insort(self._shown, entry)
        return matches

    def _take_out(self, entry: Entry) -> bool:
        shown = self._shown is self._all or kept.discard(self._shown, entry)
        kept.discard(self._all, entry)
        return shown

    # -- what is kept of a row --------------------------------------------------------------------------------------

    def _give(self, entry: Entry, row: TableRow) -> bool:
        """Keep a row and what it is filtered by; returns whether it shows something else than before."""
        unread = self._unread.pop(row.key, self) is None
        changed = self._show(entry, row)
        if changed or unread or entry.text is None:
            entry.text, entry.common = _searched(" ".join([cell[0] for cell in row.cells]).lower()), b""
        return changed

    def _show(self, entry: Entry, row: TableRow) -> bool:
        """Keep what a row shows; returns whether that is something else than before."""
        words, old = self._words, entry.cells
        if len(words) > WORDS:
            words.clear()
        once = words.setdefault
        texts = tuple([once(cell[0], cell[0]) if len(cell[0]) <= WORD else cell[0] for cell in row.cells])
        tones = tuple([cell[1] for cell in row.cells])
        tones = self._tones.setdefault(tones, tones)
        values = kept.values_of(row.sort_values, texts)
        same = old is not None and old.texts == texts and old.tones == tones and old.heard == row.heard
        if old is not None and same:
            version = old.version
            values = old.values if old.values == values else values
        else:
            version = self._versions = self._versions + 1
        made_now = self.now if self._maker is not None else 0.0
        entry.cells = Cells(texts, tones, values, version, row.heard, made_now)
        if self._maker is not None:
            self._keep_cells(row.key)
        return not same

    def _keep_cells(self, key: Hashable) -> None:
        """These have been made; of those made longest ago the cells are given up."""
        self._made.pop(key, None)
        self._made[key] = None
        if len(self._made) > CELLS:
            oldest = next(iter(self._made))
            del self._made[oldest]
            if (entry := self._by_key.get(oldest)) is not None:
                entry.cells = None

    def _once(self, text: bytes) -> bytes:
        if len(self._common) > WORDS:
            self._common.clear()
        return self._common.setdefault(text, text)


def _no_labels(key: Hashable) -> None:
    return None


def _line(entry: Entry) -> str:
    """The whole text of a row, lower-cased; before it the name of its object, so that an expression can begin there."""
    name = f"{entry.key.name.lower()}\n" if type(entry.key) is Ref else ""
    return name + (b"%b %b" % (entry.text or b"", entry.common)).decode("utf-8", "replace")


def _searched(text: str) -> bytes:
    """UTF-8 is half of a text with one sign in it."""
    return text.encode("utf-8", "surrogatepass")
