"""One object in full: tabs over the same row, kept up while it is shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import KINDS
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref, Row
from tui.ui import frame, keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.prompt import ask
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.manifest import ManifestView
from tui.ui.screens.tabs import Tab, resources_needed, tabs_of
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.table import Table
from tui.ui.widgets.tail import TailView
from tui.ui.widgets.viewer import Viewer


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
        if self.ref.cluster and self.ref.resource != CLUSTERS:
            self.fleet.look("detail", {self.ref.resource}, {self.ref.cluster})
        await self._choose(self.chosen)

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        self.fleet.unlook("detail")
        self.fleet.unlook("resources")

    # -- what is shown --------------------------------------------------------------------------------------------

    async def _choose(self, tab: Tab) -> None:
        if (old := self._views.get(self.chosen.id)) is not None:
            old.display = False
        self.chosen = tab
        view = self._views.get(tab.id)
        if view is None:
            view = self._views[tab.id] = tab.make(self.fleet_app)
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
        if row is not self._row and self.ref.resource == APPLICATIONS:
            needed, cluster = resources_needed(row, self.fleet)
            if cluster:
                self.fleet.look("resources", needed, {cluster})
        if row is not self._row or self._rev != self.fleet.store.rev:
            self._row, self._rev = row, self.fleet.store.rev
            self.chosen.fill(self._views[self.chosen.id], row, self.fleet_app)
        view = self._views[self.chosen.id]
        if isinstance(view, Table | TailView):
            view.tick(self.fleet.facts.now)
        if isinstance(view, TailView):
            view.pull()
        self._title(view.note if isinstance(view, ManifestView) else "")

    def _title(self, more: str) -> None:
        ref = self.ref
        kind = KINDS[ref.resource].kind if ref.resource in KINDS else ref.resource
        where = " · ".join(part for part in (ref.cluster, ref.namespace) if part and part != ref.name)
        words = " · ".join(part for part in (f"{kind} {ref.name}", where, more) if part)
        self.query_one("#detail").border_title = Content(safe(words))

    # -- keys -----------------------------------------------------------------------------------------------------

    async def action_focus_next(self) -> None:  # type: ignore[override]
        """There is one panel: the next tab."""
        await self.action_next_tab()

    async def action_focus_previous(self) -> None:  # type: ignore[override]
        """The tab before."""
        await self.action_previous_tab()

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
        text = view.text if isinstance(view, Viewer) else view.text() if isinstance(view, WordsView) else ""
        if text:
            self.app.copy_to_clipboard(text)
            self.fleet_app.say(f"copied {text.count(chr(10)) + 1:,} lines")

    async def action_document_yaml(self) -> None:
        """The manifest."""
        for tab in self.tabs:
            if tab.id == "manifest":
                await self._choose(tab)

    def action_reread(self) -> None:
        """Read the manifest again."""
        view = self._views[self.chosen.id]
        if isinstance(view, ManifestView):
            view.reread(self.fleet_app)
        super().action_reread()

    def action_search(self) -> None:
        """Search the text; in a list of events, filter it."""
        view = self._views[self.chosen.id]

        def done(text: str | None) -> None:
            if text is None:
                return
            if isinstance(view, Viewer | WordsView) and not view.search(text):
                self.fleet_app.say(f"{text}: not found", Tone.WARN)
            elif isinstance(view, TailView | Table):
                view.set_filter(text)

        ask(self, "/", done)

    def action_next_match(self) -> None:
        """The next match."""
        if isinstance(view := self._views[self.chosen.id], Viewer | WordsView):
            view.next_match(1)

    def action_previous_match(self) -> None:
        """The match before."""
        if isinstance(view := self._views[self.chosen.id], Viewer | WordsView):
            view.next_match(-1)

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        if isinstance(view := self._views[self.chosen.id], Viewer):
            view.set_wrap(not view.wrap)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter on a row that is an object opens it."""
        event.stop()
        if isinstance(event.key, Ref):
            self.fleet_app.show_object(event.key)

    def on_tail_view_opened(self, event: TailView.Opened) -> None:
        """Enter on an event opens its object, unless that is the one shown."""
        event.stop()
        if event.event.ref not in (None, self.ref):
            self.fleet_app.show_object(event.event.ref)
