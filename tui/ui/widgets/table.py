"""The table: tens of thousands of changing rows, sorted, filtered, with a cursor that keeps its object."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message

from tui.domain import when
from tui.domain.kinds.kind import Column, Tone
from tui.ui import paint
from tui.ui.text import padded, width_of
from tui.ui.widgets.columns import Layout, lay_out, natural_widths
from tui.ui.widgets.line_view import HEADER, LineView
from tui.ui.widgets.rows import Cells, Entry, Maker, Rows, TableRow, faded

__all__ = ["Table", "TableRow"]

STALE = "◐"  # stands before rows that are not kept up any more
_GUTTER = 2  # cells left of the first column: cursor bar or mark, and a space or `STALE`
_LEGIBLE = 9  # cells of a name that are left beside its age
_AGE = 5  # cells that most ages take, with a space
_SAMPLE = 100  # rows measured for column widths when rows are replaced
_SAMPLE_MAX = 400  # rows measured in all: after that, columns stand still
_PORTION = 16  # rows read for the filter between two looks at the clock
_AGAIN = 5.0  # seconds after which a filter by age is applied anew
_NARROW = 100  # cells: below, columns are one cell apart instead of two


class Table(LineView):
    """Rows by key. The cursor, the marks and the scroll position belong to keys, not to row numbers.

    The sort values of a row are the values of its columns, in their order: after `tick(now)`, the rows in view are
    shown again with `Column.show(value, now)`.
    """

    KEYS: ClassVar[dict[str, str]] = {**LineView.KEYS, "space": "mark"}
    header_lines = 1

    class _Of(Message):
        """A message of one table."""

        def __init__(self, table: Table, key: Hashable = None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> Table:
            """The table it comes from."""
            return self.table

    class Highlighted(_Of):
        """The cursor stands on another object; `key` is None when there is no row."""

        def can_replace(self, message: Message) -> bool:
            """Only the last one matters."""
            return isinstance(message, Table.Highlighted) and message.table is self.table

    class Opened(_Of):
        """Enter or a double click on the object `key`."""

    class MarksChanged(_Of):
        """`table.marked` has changed."""

    class Sorted(_Of):
        """A click on the header has changed `table.sorting`."""

    def __init__(
        self,
        columns: Sequence[Column] = (),
        *,
        maker: Maker | None = None,
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, name=name)
        self.columns: tuple[Column, ...] = ()
        self.marked: set[Hashable] = set()  # keys of the marked rows
        self.wide = False
        self.sorting: tuple[str | None, bool] = (None, False)
        self._rows = Rows(maker)
        self._key: Hashable = None  # the object under the cursor
        self._entry: Entry | None = None  # its row as last shown
        self._chosen = False  # the user, or a pane, has chosen the object; before, the cursor stays on the first row
        self._awaited: Hashable = None  # object to move to as soon as it is there
        self._empty = empty
        self._now = 0.0
        self._passed_at = 0.0  # time of the last look at what passes a filter by age
        self._heard: float | None = None  # of all rows
        self._skip = 0
        self._longest: list[int] = []
        self._sampled = 0
        self._layout: tuple[int, Layout] | None = None
        self._generation = 0
        self.set_columns(columns)

    # --- what a pane asks and tells --------------------------------------------------------------------------

    @property
    def cursor_key(self) -> Hashable:
        """Key of the row under the cursor; None when no row is shown."""
        return self._key

    @property
    def visible_count(self) -> int:
        """Rows that pass the filter."""
        return len(self._rows)

    @property
    def total(self) -> int:
        """All rows."""
        return self._rows.total

    @property
    def filter_text(self) -> str:
        """The filter in force."""
        return self._rows.query

    @property
    def visible_keys(self) -> list[Hashable]:
        """Keys that pass the filter, in the order shown."""
        return [entry.key for entry in self._rows.window(0, len(self._rows))]

    @property
    def all_keys(self) -> list[Hashable]:
        """Keys of all rows, in the order given."""
        return list(self._rows.keys())

    @property
    def keys_in_view(self) -> list[Hashable]:
        """Keys of the rows on the screen, from top to bottom."""
        return [self._rows.at(index).key for index in self._in_view()]

    @property
    def shown_columns(self) -> list[str]:
        """Ids of the columns that are on the screen, from left to right."""
        return [self.columns[slot.column].id for slot in self._layout_for(self.size.width).slots]

    def set_columns(self, columns: Sequence[Column], wide: bool | None = None) -> None:
        """Show these columns; rows given before must fit them. `wide` shows the columns that are for wide mode only."""
        if wide is not None:
            self.wide = wide
        self.columns = tuple(columns)
        self._longest = [0] * len(self.columns)
        self._sampled = self._skip = 0
        column, reverse = self.sorting
        if column is not None and self._column_at(column) is None:
            column = None
        self.sorting = (column, reverse)
        self._sort_rows(None if column is None else self._column_at(column), reverse)
        if self._rows.query:
            self._rows.filter(self._rows.query, self.columns)  # its conditions are about columns
        self._sample(self._rows.window(0, _SAMPLE))
        self._relayout()

    def replace(self, rows: Sequence[TableRow], noted: Sequence[Hashable] = ()) -> None:
        """Show these rows instead of all others, and those `noted`; the cursor stays on its object."""
        self._rows.replace(rows)
        if noted:
            self._rows.note(noted)
        self.marked &= set(self._rows.keys())
        self._sample_some([row.key for row in rows] or noted)
        self._settle()

    def update(
        self, changed: Iterable[TableRow], removed: Iterable[Hashable] = (), noted: Sequence[Hashable] = ()
    ) -> None:
        """Take in changed and new rows and removed keys. One call per batch; only lines in view are painted.

        `noted` are keys of rows that the maker makes when they are needed.
        """
        removed = list(removed)
        changed = list(changed)
        touched, moved = self._rows.update(changed, removed)
        if noted:
            more, also = self._rows.note(noted)
            touched, moved = touched | more, moved or also
        self.marked.difference_update(removed)
        if self._sampled < _SAMPLE_MAX:
            self._sample_some([row.key for row in changed] or noted)
        if moved:
            self._settle()
            return
        for index in self._in_view():
            if self._rows.at(index).key in touched:
                self.mark_line(index)

    @property
    def unread(self) -> int:
        """Noted rows that `read` has not yet made findable."""
        return self._rows.unread

    def read(self, until: float) -> None:
        """Let the filter know noted rows as they are now, until this time of `time.perf_counter`."""
        moved = False
        while self._rows.unread and time.perf_counter() < until:
            moved |= self._rows.read(_PORTION)
        if moved:
            self._settle()

    def set_filter(self, query: str) -> None:
        """Show what passes this query (`domain.listfilter`). Paints at once."""
        if query == self._rows.query:
            return
        self._rows.filter(query, self.columns)
        self._settle()
        paint.now(self)

    @property
    def filter_problem(self) -> str:
        """What of the filter is not understood, in words; "" when all of it is."""
        return self._rows.filtered.problem

    def sort_by(self, column_id: str | None, reverse: bool = False) -> None:
        """Sort by a column's values; None is the order given. Unknown values come last either way.

        Raises KeyError when there is no such column.
        """
        at = None if column_id is None else self._column_at(column_id)
        if column_id is not None and at is None:
            raise KeyError(column_id)
        self.sorting = (column_id, reverse)
        self._sort_rows(at, reverse)
        self._settle()
        paint.now(self)

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on an object. When it is not shown yet, it is done as soon as it is; returns False then."""
        index = self._rows.index(key)
        if index is None:
            self._awaited = key
            return False
        self._awaited, self._chosen = None, True
        self.go(index)
        return True

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if self._key is None:
            return
        self.marked ^= {self._key}
        self.mark_line(self.cursor)
        paint.now(self)
        self.post_message(self.MarksChanged(self))

    def clear_marks(self) -> None:
        """Unmark everything."""
        if self.marked:
            self.marked.clear()
            self.refresh()
            self.post_message(self.MarksChanged(self))

    def tick(self, now: float) -> None:
        """Time has passed (`now` in seconds since the epoch): show ages in view again, once for each second."""
        if int(now) == int(self._now):
            return
        self._now = self._rows.now = now
        if self._rows.filtered.timed and now - self._passed_at >= _AGAIN:
            self._passed_at = now
            if self._rows.filter_again():
                self._settle()
        for index in self._in_view():
            if self._show_again(self._rows.cells(self._rows.at(index))):
                self.mark_line(index)

    def set_empty(self, text: str) -> None:
        """What stands in the table when it has no rows; lines may be separated by newlines."""
        if text != self._empty:
            self._empty = text
            if not len(self._rows):
                self.refresh()

    # --- lines -----------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        """Rows that pass the filter."""
        return len(self._rows)

    def stamp(self, index: int) -> Hashable:
        """The row, its version and what else is on its line."""
        entry = self._rows.at(index)
        cells = self._rows.cells(entry)
        if cells.shown != self._now:
            self._show_again(cells)
        return cells.version, entry.key in self.marked, self._generation, self._age(cells)

    def _age(self, cells: Cells) -> str | None:
        """How old a stale row is: `5m`, "?" when that is not known; None of a row that is kept up."""
        heard = self._heard if cells.heard is None else cells.heard
        if heard is None:
            return None
        return when.age(self._now - heard) if heard and self._now else "?"

    def set_stale(self, heard: float | None) -> None:
        """All rows are stale, last known to be true at `heard` (0 = unknown); None: only those that say so."""
        if heard != self._heard:
            self._heard = heard
            self.refresh()

    def is_marked(self, index: int) -> bool:
        """Marks belong to keys."""
        return self._rows.at(index).key in self.marked

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """Cells in their columns."""
        entry = self._rows.at(index)
        accent = self.tone_style(Tone.ACCENT, state)
        mark = "●" if entry.key in self.marked else "▌" if index == self.cursor else " "
        cells = self._rows.cells(entry)
        old = self._age(cells)
        fresh = old is None
        segments = [Segment(mark + " " if fresh else mark, accent)]
        if not fresh:
            segments.append(Segment(STALE, self.tone_style(Tone.WARN, state)))
        add = segments.append
        texts, tones, columns = cells.texts, cells.tones, self.columns
        slots = self._layout_for(width).slots
        ends = [slot.x for slot in slots[1:]] + [width - _GUTTER]
        for (at, x, room), end in zip(slots, ends, strict=False):
            tone = tones[at] if at < len(tones) else Tone.ACCENT
            style = self.tone_style(tone if fresh else faded(tone), state)
            own = texts[at] if at < len(texts) else ""
            if old is not None and x == 0 and len(old) + _LEGIBLE <= room:  # the first column tells the age as well
                add(Segment(padded(own, room - len(old) - 1) + " ", style))
                add(Segment(old + " " * (end - x - room), self.tone_style(Tone.WARN, state)))
            else:
                add(Segment(padded(own, room, columns[at].right) + " " * (end - x - room), style))
        if not slots:
            add(Segment(" " * (width - _GUTTER), accent))
        return segments

    def paint_header(self, y: int, width: int) -> list[Segment]:
        """Titles, the sorted column with its direction, and arrows when columns are out of view."""
        layout = self._layout_for(width - 1)
        quiet = self.tone_style(Tone.PLAIN, HEADER)
        loud = self.tone_style(Tone.ACCENT, HEADER)
        segments = [Segment("‹ " if layout.more_left else "  ", loud)]
        end = 0
        column_id, reverse = self.sorting
        for at, x, cells in layout.slots:
            column = self.columns[at]
            segments.append(Segment(" " * (x - end), quiet))
            if column.id == column_id:
                title = padded(column.title, min(cells - 1, width_of(column.title))) + ("↓" if reverse else "↑")
                segments.append(Segment(padded(title, cells, column.right), loud))
            else:
                segments.append(Segment(padded(column.title, cells, column.right), quiet))
            end = x + cells
        segments.append(Segment(" " * (width - 1 - _GUTTER - end), quiet))
        segments.append(Segment("›" if layout.more_right else " ", loud))
        return segments

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """The empty text in the upper third, or nothing."""
        lines = self._empty.split("\n") if self._empty and not len(self._rows) else []
        at = y - max(0, self.body_height // 3 - len(lines) // 2)
        if not 0 <= at < len(lines):
            return super().paint_empty(y, width)
        text = padded(lines[at], min(width, len(lines[at]) * 2)).rstrip()
        left = (width - width_of(text)) // 2
        return [Segment(padded(" " * left + text, width), self.tone_style(Tone.MUTED))]

    # --- keys and mouse --------------------------------------------------------------------------------------

    def go(self, index: int) -> None:
        """Put the cursor on a row; from now on it stays with that object."""
        self._chosen = True
        super().go(index)

    def go_page(self, direction: int) -> None:
        """A page up or down."""
        self._chosen = True
        super().go_page(direction)

    def cursor_moved(self) -> None:
        """Remember the object and tell the pane."""
        self._awaited = None
        self._hold()

    def key_mark(self) -> bool | None:
        """Mark the row; without rows the key goes to the parents."""
        if self._key is None:
            return False
        self.toggle_mark()
        return None

    def key_open(self) -> bool | None:
        """Open the object; without rows the key goes to the parents."""
        if self._key is None:
            return False
        self.post_message(self.Opened(self, self._key))
        return None

    def key_right(self) -> bool | None:
        """Scroll columns into view; when all fit, the key goes to the parents."""
        if not self._layout_for(self.size.width - 1).more_right:
            return False
        self._scroll_columns(1)
        return None

    def key_left(self) -> bool | None:
        """Scroll columns back."""
        if not self._skip:
            return False
        self._scroll_columns(-1)
        return None

    def line_clicked(self, index: int, x: int, chain: int) -> None:
        """Cursor there; in the gutter it marks."""
        super().line_clicked(index, x, chain)
        if x < _GUTTER:
            self.toggle_mark()

    def header_clicked(self, x: int) -> None:
        """Sort by the clicked column; again turns the order round."""
        for slot in self._layout_for(self.size.width - 1).slots:
            if slot.x <= x - _GUTTER <= slot.x + slot.width:
                column = self.columns[slot.column].id
                old, reverse = self.sorting
                self.sort_by(column, not reverse if column == old else False)
                self.post_message(self.Sorted(self))
                return

    def on_resize(self, event: events.Resize) -> None:
        """Columns anew; the cursor stays in view."""
        self._skip = 0
        self._relayout()
        super().on_resize(event)

    # --- inside ----------------------------------------------------------------------------------------------

    def _in_view(self) -> range:
        """The rows on the screen."""
        return range(self.top, min(self.top + self.body_height, len(self._rows)))

    def _sort_rows(self, column: int | None, reverse: bool) -> None:
        self._rows.sort(column, reverse, None if column is None else self.columns[column].sort)

    def _column_at(self, column_id: str) -> int | None:
        return next((at for at, column in enumerate(self.columns) if column.id == column_id), None)

    def _scroll_columns(self, delta: int) -> None:
        self._skip += delta
        self._relayout()
        paint.now(self)

    def _relayout(self) -> None:
        self._layout = None
        self._generation += 1
        self.refresh()

    def _layout_for(self, width: int) -> Layout:
        """The columns' places in a line of `width` cells, gutter included."""
        if self._layout is None or self._layout[0] != width:
            natural = natural_widths(self.columns, self._longest)
            gap = 1 if width < _NARROW else 2
            room = max(1, width - _GUTTER)
            self._layout = (width, lay_out(self.columns, natural, room, gap, self._skip, self.wide))
        return self._layout[1]

    def _sample_some(self, keys: Sequence[Hashable]) -> None:
        step = max(1, len(keys) // _SAMPLE)
        self._sample([entry for key in keys[::step] if (entry := self._rows.get(key)) is not None])

    def _sample(self, entries: Sequence[Entry]) -> None:
        """Widen columns for what these rows hold; never narrow them, so that nothing jumps."""
        self._sampled += len(entries)
        widened = False
        for entry in entries:
            cells = self._rows.cells(entry)
            if cells.heard is not None and cells.texts:
                first = width_of(cells.texts[0]) + _AGE
                widened = widened or first > self._longest[0]
                self._longest[0] = max(self._longest[0], first)
            for at, text in enumerate(cells.texts[: len(self._longest)]):
                if len(text) > self._longest[at]:
                    self._longest[at] = width_of(text) if text.isascii() else max(len(text), width_of(text))
                    widened = True
        if widened:
            self._relayout()

    def _show_again(self, cells: Cells) -> bool:
        """Cells of a row as of `self._now`; True when they changed."""
        cells.shown = self._now
        if not self._now or len(cells.values) != len(self.columns):
            return False
        shown = [column.show(value, self._now) for column, value in zip(self.columns, cells.values, strict=True)]
        return self._rows.reshow(cells, shown)

    def _settle(self) -> None:
        """After rows have moved: cursor back on its object, at the same height of the window."""
        count = len(self._rows)
        row = self.cursor - self.top
        if self._awaited is not None and self._rows.index(self._awaited) is not None:
            self._key, self._entry = self._awaited, self._rows.get(self._awaited)
            self._awaited, self._chosen = None, True
        index = self._rows.index(self._key) if self._chosen and self._key is not None else None
        if index is None and self._chosen and self._entry is not None:
            index = self._rows.index_near(self._entry)
        self.cursor = max(0, min(index or 0, count - 1))
        if 0 <= row < self.body_height:
            self.top = self.cursor - row
            self.bring_into_view()
        self.clamp_top()
        self._hold()
        self.refresh()

    def _hold(self) -> None:
        """Hold on to the object under the cursor."""
        old = self._key
        self._entry = self._rows.at(self.cursor) if len(self._rows) else self._entry
        self._key = self._entry.key if self._entry is not None and len(self._rows) else None
        if self._key != old:
            self.post_message(self.Highlighted(self, self._key))
