"""From rows of the store to rows of a table: the columns of one or several kinds, and which rows are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tui.domain.cluster import CLUSTERS
from tui.domain.kinds.kind import Cell, Column, Facts, Kind, Tone, Value
from tui.domain.obj import Row
from tui.ui.widgets.rows import TableRow

# What makes a cell: its value, how that is shown, and cells of words shown before where time is not in them.
_Made = tuple[Callable[[Row, Facts], Value], Callable[[Value, float], Cell], dict[str, Cell] | None]
# What the filter looks for in a cell: its value, how that is shown, and texts of values shown before.
_Searched = tuple[Callable[[Row, Facts], Value], Callable[[Value, float], Cell], dict[str, str]]
_WORDS = 500  # remembered for each column; names and the like have more, and are made each time
_FEW = 64  # words: of a column with no more, many rows have the same
FAULTY = frozenset({Tone.BAD, Tone.WARN, Tone.UNKNOWN})


class Shape:
    """The columns of a table over one or more kinds. Columns of the same id are one column."""

    def __init__(
        self, kinds: Sequence[Kind], leave_out: Sequence[str] = (), accented: Callable[[Cell], Cell] | None = None
    ) -> None:
        """`accented` gives a cell that names a cluster the cluster's accent."""
        self.kinds = tuple(kinds)
        merged: dict[str, Column] = {}
        for kind in kinds:
            for column in kind.columns:
                if column.id not in leave_out and column.id not in merged:
                    merged[column.id] = _in_accent(kind, column, accented)
        self.columns = tuple(merged.values())
        self._own: dict[str, list[_Made]] = {}
        self._searched: dict[str, list[_Searched]] = {}
        self._kinds = {kind.resource: kind for kind in kinds}
        shown: dict[tuple[str, object], dict[str, Cell]] = {}
        for kind in kinds:
            by_id = {column.id: _in_accent(kind, column, accented) for column in kind.columns}
            made = self._own[kind.resource] = []
            own = [each for each in kind.columns if each.id in merged and not each.time]
            self._searched[kind.resource] = [(each.value, each.show, {}) for each in own]
            for column in self.columns:
                if (each := by_id.get(column.id)) is None:
                    made.append(_LEFT_OUT)
                else:
                    known = (
                        None if each.time or _names_cluster(kind, each) else shown.setdefault((each.id, each.show), {})
                    )
                    made.append((each.value, each.show, known))

    def row(self, row: Row, facts: Facts) -> TableRow:
        """Values and cells of one object. Cells of words that many rows share are made once."""
        now = facts.now
        values: list[Value] = []
        cells: list[Cell] = []
        for value_of, show, known in self._own[row.ref.resource]:
            value = value_of(row, facts)
            values.append(value)
            if known is None or type(value) is not str:  # 1 and True are one key, and two texts
                cells.append(show(value, now))
                continue
            cell = known.get(value)
            if cell is None:
                cell = show(value, now)
                if len(known) < _WORDS:
                    known[value] = cell
            cells.append(cell)
        return TableRow(row.ref, tuple(cells), tuple(values))

    def value(self, row: Row, column: int, facts: Facts) -> Value:
        """The value of one column."""
        return self._own[row.ref.resource][column][0](row, facts)

    def searched(self, row: Row, facts: Facts) -> tuple[str, str]:
        """The texts of all cells but ages, which would be wrong soon, lower-cased: its own, and what many rows have."""
        now = facts.now
        own: list[str] = []
        common: list[str] = []
        for value_of, show, words in self._searched[row.ref.resource]:
            value = value_of(row, facts)
            text = words.get(value) if type(value) is str else None
            if text is None:
                text = show(value, now).text.lower()
                if type(value) is str and len(words) < _WORDS:
                    words[value] = text
            if text:
                (common if len(words) <= _FEW and type(value) is str else own).append(text)
        return " ".join(own), " ".join(common)

    def faulty(self, row: Row, made: TableRow, facts: Facts) -> bool:
        """Whether something is wrong with the object: its state is not good, or a cell says so in the worst tone."""
        state = self._kinds[row.ref.resource].state
        if state is not None and state(row.obj, facts).tone in FAULTY:
            return True
        return any(cell.tone is Tone.BAD and cell.text for cell in made.cells)

    def depends(self) -> frozenset[str]:
        """Resources whose changes alter cells of these kinds."""
        return frozenset(name for kind in self.kinds for name in (*kind.depends, *kind.needs))


def _names_cluster(kind: Kind, column: Column) -> bool:
    return column.id in ("cluster", "destination") or (column.id == "name" and kind.resource == CLUSTERS)


def _in_accent(kind: Kind, column: Column, accented: Callable[[Cell], Cell] | None) -> Column:
    """A column that names clusters, in their accents; any other as it is."""
    if accented is None or not _names_cluster(kind, column):
        return column
    return replace(column, show=lambda value, now: accented(column.show(value, now)))


_NOTHING = Cell("", Tone.MUTED)
_LEFT_OUT: _Made = (lambda row, facts: None, lambda value, now: _NOTHING, None)  # the kind has no such column
