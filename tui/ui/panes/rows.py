"""From rows of the store to rows of a table: the columns of one or several kinds, and which rows are wanted."""

from __future__ import annotations

from collections.abc import Sequence

from tui.domain.kinds.kind import Cell, Column, Facts, Kind, Tone, Value
from tui.domain.obj import Row
from tui.ui.widgets.rows import TableRow

FAULTY = frozenset({Tone.BAD, Tone.WARN, Tone.UNKNOWN})


class Shape:
    """The columns of a table over one or more kinds. Columns of the same id are one column."""

    def __init__(self, kinds: Sequence[Kind], leave_out: Sequence[str] = ()) -> None:
        self.kinds = tuple(kinds)
        merged: dict[str, Column] = {}
        for kind in kinds:
            for column in kind.columns:
                if column.id not in leave_out:
                    merged.setdefault(column.id, column)
        self.columns = tuple(merged.values())
        self._own: dict[str, tuple[Column | None, ...]] = {}
        self._kinds = {kind.resource: kind for kind in kinds}
        for kind in kinds:
            by_id = {column.id: column for column in kind.columns}
            self._own[kind.resource] = tuple(by_id.get(column.id) for column in self.columns)

    def row(self, row: Row, facts: Facts) -> TableRow:
        """Values and cells of one object."""
        now = facts.now
        values: list[Value] = []
        cells: list[Cell] = []
        for column in self._own[row.ref.resource]:
            if column is None:
                values.append(None)
                cells.append(_NOTHING)
            else:
                value = column.value(row, facts)
                values.append(value)
                cells.append(column.show(value, now))
        return TableRow(row.ref, tuple(cells), tuple(values))

    def faulty(self, row: Row, made: TableRow, facts: Facts) -> bool:
        """Whether something is wrong with the object: its state is not good, or a cell says so in the worst tone."""
        state = self._kinds[row.ref.resource].state
        if state is not None and state(row.obj, facts).tone in FAULTY:
            return True
        return any(cell.tone is Tone.BAD and cell.text for cell in made.cells)

    def depends(self) -> frozenset[str]:
        """Resources whose changes alter cells of these kinds."""
        return frozenset(name for kind in self.kinds for name in (*kind.depends, *kind.needs))


_NOTHING = Cell("", Tone.MUTED)
