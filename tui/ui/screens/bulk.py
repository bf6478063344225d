"""What one edit means for each of many objects, before it is drafted."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.domain.kinds.kind import Cell, Column, Tone
from tui.fleet.bulk import CANNOT, CHANGE, SAME, Bulk
from tui.ui.text import safe
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

_TONES = {CHANGE: Tone.GOOD, SAME: Tone.MUTED, CANNOT: Tone.WARN}


class BulkScreen(ModalScreen[bool]):
    """The list; `y` drafts what will change. Ends with whether that is wanted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", show=False),
        Binding("n,escape,q", "answer(False)", show=False),
    ]

    def __init__(self, title: str, bulk: Bulk) -> None:
        super().__init__()
        self._title = title
        self._bulk = bulk

    def compose(self) -> ComposeResult:
        counts = ", ".join(f"{count} {state}" for state in _TONES if (count := self._bulk.count(state)))
        with Vertical(classes="dialog tall") as box:
            box.border_title = Content(safe(self._title))
            box.border_subtitle = counts
            yield Table(_COLUMNS)
            yield Static("y draft it    n no" if self._bulk.parts else "n close", classes="keys")

    def on_mount(self) -> None:
        """Fill the list, what cannot be edited first."""
        order = (CANNOT, CHANGE, SAME)
        table = self.query_one(Table)
        rows = []
        for one in sorted(self._bulk.found, key=lambda found: (order.index(found.state), found.ref)):
            file = one.place.file if one.place else ""
            words = (one.state, one.ref.name, file, one.why)
            tones = (_TONES[one.state], Tone.ACCENT, Tone.PLAIN, Tone.MUTED)
            cells = tuple(Cell(word, tone) for word, tone in zip(words, tones, strict=True))
            rows.append(TableRow(one.ref, cells, words))
        table.replace(rows)
        table.focus()

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter is yes."""
        event.stop()
        self.action_answer(True)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes and bool(self._bulk.parts))


def _column(id: str, title: str, width: int, grow: int) -> Column:
    return Column(id, title, lambda row, facts: None, lambda value, now: Cell(str(value)), width, least=8, grow=grow)


_COLUMNS = (
    _column("state", "STATE", 12, 0),
    _column("name", "NAME", 30, 1),
    _column("file", "FILE", 40, 2),
    _column("why", "WHY", 50, 3),
)
