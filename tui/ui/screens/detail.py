"""One object in full: tabs over the same row, kept up while it is shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.ui import frame, keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.tabs import Tab, tabs_of
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.table import Table


class DetailScreen(FleetScreen):
    """Tabs about one object."""

    PLACES = ("document",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("document")]

    def __init__(self, ref: Ref, tab: str = "") -> None:
        super().__init__()
        self.ref = ref
        self.tabs = tabs_of(ref)
        self.chosen = next((found for found in self.tabs if found.id == tab), self.tabs[0])
        self._views: dict[str, Widget] = {}
        self._rev = -1
        self._row: Row | None = None

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="detail", classes="pane"):
            yield Line(id="tabs")
            yield Vertical(id="tab")
        yield Footer()

    async def on_mount(self) -> None:
        """Show the first tab."""
        self.fleet.look("detail", {self.ref.resource}, {self.ref.cluster})
        await self._choose(self.chosen)

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        self.fleet.unlook("detail")

    # -- what is shown --------------------------------------------------------------------------------------------

    async def _choose(self, tab: Tab) -> None:
        if (old := self._views.get(self.chosen.id)) is not None:
            old.display = False
        self.chosen = tab
        view = self._views.get(tab.id)
        if view is None:
            view = self._views[tab.id] = tab.make()
            await self.query_one("#tab").mount(view)
        view.display = True
        view.focus()
        self._rev = -1
        self._tabs()
        self.pull()
        self.refooter()

    def _tabs(self) -> None:
        spans = [frame.Span(" ", "quiet")]
        for tab in self.tabs:
            spans.append(frame.Span(f" {tab.title} ", "chosen" if tab is self.chosen else "quiet", tab.id))
        self.query_one("#tabs", Line).show(spans)

    def pull(self) -> None:
        """Fill the tab again when the object or anything its tab speaks of has changed."""
        super().pull()
        if not self._views:
            return
        row = self.fleet.store.get(self.ref)
        if row is None:
            self._title("is gone" if self._row is not None else "loading…")
            return
        if row is not self._row or self._rev != self.fleet.store.rev:
            self._row, self._rev = row, self.fleet.store.rev
            self.chosen.fill(self._views[self.chosen.id], row, self.fleet)
        view = self._views[self.chosen.id]
        if isinstance(view, Table):
            view.tick(self.fleet.facts.now)
        self._title("")

    def _title(self, more: str) -> None:
        ref = self.ref
        kind = KINDS[ref.resource].kind if ref.resource in KINDS else ref.resource
        where = " · ".join(part for part in (ref.cluster, ref.namespace) if part and part != ref.name)
        words = " · ".join(part for part in (f"{kind} {ref.name}", where, more) if part)
        self.query_one("#detail").border_title = Content(safe(words))

    # -- keys -----------------------------------------------------------------------------------------------------

    async def action_next_tab(self) -> None:
        """The next tab, around the end."""
        await self._choose(self.tabs[(self.tabs.index(self.chosen) + 1) % len(self.tabs)])

    async def action_previous_tab(self) -> None:
        """The tab before, around the start."""
        await self._choose(self.tabs[self.tabs.index(self.chosen) - 1])

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A tab, a pane of the header or a key of the footer was clicked."""
        event.stop()
        for tab in self.tabs:
            if tab.id == event.name:
                await self._choose(tab)
                return
        await self.clicked(event.name)

    def action_document_edit(self) -> None:
        """Draft an edit."""
        self.fleet_app.draft_edit(self.ref)

    def action_document_actions(self) -> None:
        """Choose one of the common edits."""
        self.fleet_app.choose_edit(self.ref)

    def action_document_copy(self) -> None:
        """Copy what is shown."""
        view = self._views[self.chosen.id]
        if isinstance(view, WordsView):
            self.app.copy_to_clipboard(view.text())
            self.fleet_app.say("copied")

    def action_next_match(self) -> None:
        """The next match."""
        if isinstance(view := self._views[self.chosen.id], WordsView):
            view.next_match(1)

    def action_previous_match(self) -> None:
        """The match before."""
        if isinstance(view := self._views[self.chosen.id], WordsView):
            view.next_match(-1)
