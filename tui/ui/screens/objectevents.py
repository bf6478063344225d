"""The Kubernetes Events about an object, newest first, read again every few seconds while they are shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.domain.kinds import columns as c
from tui.domain.kinds.core import Event, event_time
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.obj import Row
from tui.domain.ports import Trouble
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from tui.ui.app import FleetApp

AGAIN = 5.0  # seconds between two reads


def _message(value: Value, now: float) -> Cell:
    text = str(value or "")
    return Cell(text.removeprefix("!"), Tone.WARN if text.startswith("!") else Tone.PLAIN)


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("last", "LAST SEEN", c.show_age, 10, 9, right=True, time=True, keep=9, sort=c.youngest),
    _column("type", "TYPE", c.show_state, 11, 9, keep=6, sort=c.severity),
    _column("reason", "REASON", c.show_name, 24, 10, keep=8),
    _column("message", "MESSAGE", _message, 120, 40, keep=7, grow=3),
    _column("count", "COUNT", c.show_count, 6, 5, right=True, keep=5),
    _column("from", "FROM", c.show_muted, 26, 8),
)


class ObjectEvents(Table):
    """Events of one object. `note` says when they could not be read."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, empty="reading…")
        self.note = ""
        self._due = 0.0  # time.monotonic() of the next read

    def show(self, row: Row, app: FleetApp) -> None:
        """Read again when it is time."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + AGAIN
            app.do(self._read(row, app), "reading Events")

    def reread(self) -> None:
        """Read again with the next frame."""
        self._due = 0.0

    async def _read(self, row: Row, app: FleetApp) -> None:
        try:
            events = await app.fleet.events(row.ref)
        except Trouble as error:
            self.note = f"Events could not be read: {error}"
            self.set_empty(self.note)
            return
        if not self.is_attached:
            return
        self.note = ""
        self.replace([_row(event, app.fleet.facts.now) for event in events])
        self.set_empty("its cluster keeps no Event about it; most keep them for an hour")


def _row(event: Event, now: float) -> TableRow:
    mark = "!" if event.type == "Warning" else ""
    values: tuple[Value, ...] = (
        event_time(event),
        event.type,
        event.reason,
        mark + " ".join(event.message.split()),
        (event.series.count if event.series else 0) or event.count or 1,
        event.source.component or event.reporting_component,
    )
    cells = tuple(column.show(value, now) for column, value in zip(COLUMNS, values, strict=True))
    return TableRow(event.metadata.uid or event.metadata.name, cells, values)
