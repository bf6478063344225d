"""What `:find` has found: objects of every kind and cluster that is loaded, and lines of the repositories."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.obj import Ref
from tui.fleet.finding import Finding, Hit
from tui.ui import keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.prompt import ask
from tui.ui.screens.base import FleetScreen
from tui.ui.text import safe
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

_TONES = {"name": Tone.ACCENT, "label": Tone.PLAIN, "content": Tone.PLAIN, "line": Tone.BUSY}


def _how(value: Value, now: float) -> Cell:
    return Cell(str(value or ""), _TONES.get(str(value), Tone.MUTED))


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("name", "NAME", c.show_name, 60, 24, keep=9),
    _column("kind", "KIND", c.show_plain, 26, 8, keep=7),
    _column("where", "WHERE", c.show_muted, 40, 12, keep=8),
    _column("how", "IN", _how, 8, 5, keep=5),
    _column("told", "WHAT", c.show_plain, 120, 16, keep=6, grow=3),
)


class FindScreen(FleetScreen):
    """One search; it goes on while it is shown."""

    PLACES = ("found",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("found")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._finding: Finding | None = None
        self._shown = 0

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="detail", classes="pane"):
            yield Table(COLUMNS, empty="looking…")
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        fleet = self.fleet
        self._finding = Finding(self._text, fleet.store, fleet.offers.catalogue, fleet.drafts)
        self.query_one(Table).focus()
        self._tell()
        self.fleet_app.do(self._finding.run(self._tell), f"finding {self._text}", hold=False)

    @property
    def table(self) -> Table:
        """What was found."""
        return self.query_one(Table)

    def _tell(self) -> None:
        found = self._finding
        if found is None or not self.is_attached:
            return
        new = found.hits[self._shown :]
        self._shown = len(found.hits)
        if new:
            self.table.update([_row(hit, at) for at, hit in enumerate(new, self._shown - len(new))])
        if found.over:
            self.table.set_empty("it is in nothing that is loaded; a kind is loaded once it has been looked at")
        box = self.query_one("#detail")
        box.border_title = Content(safe(f"Find {found.text}"))
        box.border_subtitle = Content(safe(self._note(found)))

    def _note(self, found: Finding) -> str:
        """How far it is, and in what it has looked."""
        held = f"{found.objects:,} objects" if found.over else f"{found.looked:,} of {found.objects:,} objects"
        repositories = f"{found.repositories} repositor{'y' if found.repositories == 1 else 'ies'}"
        more = ["more than is shown"] * found.left_out
        return " · ".join([f"{len(found.hits):,} found", *more, f"in {held}, {repositories}", *found.problems[:2]])

    def here(self) -> Hit | None:
        """The hit the cursor is on."""
        key = self.table.cursor_key
        return key[1] if isinstance(key, tuple) and isinstance(key[1], Hit) else None

    def _ref(self) -> Ref | None:
        hit = self.here()
        return hit.ref if hit is not None else None

    # -- keys -----------------------------------------------------------------------------------------------------

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter: the object, or the file in the editor at the line, as a draft."""
        event.stop()
        self.action_found_open()

    def action_found_open(self) -> None:
        """Open what the cursor is on."""
        hit = self.here()
        if hit is None:
            return
        if hit.ref is not None:
            self.fleet_app.show_object(hit.ref)
        elif not self.fleet_app.refuses("found_edit"):
            self.action_found_edit()

    def action_found_edit(self) -> None:
        """Draft an edit of the object, or of the file."""
        from tui.ui.drafting import editing

        hit = self.here()
        if hit is not None and hit.place is not None:
            self.fleet_app.do(editing.edit_place(self.fleet_app, hit.place), f"opening {hit.place.file}")
        elif hit is not None and hit.ref is not None:
            self.fleet_app.draft_edit(hit.ref)

    def action_found_yaml(self) -> None:
        """The manifest."""
        if (ref := self._ref()) is not None:
            self.fleet_app.show_manifest(ref)

    def action_found_xray(self) -> None:
        """What it hangs together with."""
        if (ref := self._ref()) is not None:
            self.fleet_app.show_xray(ref)

    def action_found_filter(self) -> None:
        """Filter as one types."""
        table = self.table
        before = table.filter_text

        def done(text: str | None) -> None:
            table.set_filter(before if text is None else text)

        ask(self, "/", done, value=before, changed=table.set_filter)

    async def action_back(self) -> None:
        """Clear the filter, else close."""
        if self.table.filter_text:
            self.table.set_filter("")
        else:
            await super().action_back()

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A pane of the header or a key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)


def _row(hit: Hit, number: int) -> TableRow:
    values = (hit.name, hit.kind, hit.where, hit.how, hit.told)
    cells = tuple(column.show(value, 0.0) for column, value in zip(COLUMNS, values, strict=True))
    return TableRow((number, hit), cells, values)
