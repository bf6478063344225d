"""One object in full: tabs over the same row, kept up while it is shown."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tui.domain import when
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import POLICY_RESOURCES
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref, Row
from tui.ui import frame, keys, own
from tui.ui.bars import Footer, Header, Line
from tui.ui.panes import freshness
from tui.ui.prompt import ask
from tui.ui.scope import APPLICATIONS
from tui.ui.screens import external, object_words, policy
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.described import DescribeView
from tui.ui.screens.history import HistoryTable
from tui.ui.screens.manifest import ManifestView
from tui.ui.screens.objectevents import ObjectEvents
from tui.ui.screens.tabs import JUDGED, Tab, resources_needed, tabs_of, tangle_of
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.table import Table
from tui.ui.widgets.tail import TailView
from tui.ui.widgets.viewer import Viewer

SHARE = 10  # a tab is filled anew after ten times as long as filling it took: a huge one leaves the keys their turn


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
        self._row: Row | None = None
        self._owner = f"detail {id(self)}"  # one may be open over another
        self._filled: tuple[int, int] = (-1, -1)  # version of the fleet and second that the tab was filled for
        self._rest = 0.0  # time.monotonic() before which only a change of the object itself fills it again

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
        self.fleet.netpol.unlook(self._owner)

    # -- what is shown --------------------------------------------------------------------------------------------

    async def _choose(self, tab: Tab) -> None:
        if (old := self._views.get(self.chosen.id)) is not None:
            old.display = False
        self.chosen = tab
        if tab.id in JUDGED:
            self.fleet.netpol.look(self._owner, {self.ref.cluster}, reach=tab.id == "reach")
        view = self._views.get(tab.id)
        if view is None:
            view = self._views[tab.id] = tab.make(self.fleet_app)
            await self.query_one("#tab").mount(view)
        view.display = True
        view.focus()
        self._filled = (-1, -1)
        self._tabs()
        self.pull()
        self.refooter()

    def about(self) -> Ref | None:
        return self.here()

    def refooter(self) -> None:
        """Show the keys that work now: those about who may talk where that is shown."""
        also = {"document_verdict"} if self.chosen.id in JUDGED else set[str]()
        if self.chosen.id == "reach":
            also.add("group_by")
        for footer in self.query(Footer):
            footer.keys(self.fleet_app.key_table.footer(self.footer_places(), own.elsewhere(self), also))

    def _tabs(self) -> None:
        spans = [frame.Span(" ", "quiet")]
        for tab in self.tabs:
            spans.append(frame.Span(f" {tab.title} ", "chosen" if tab is self.chosen else "quiet", tab.id))
        self.query_one("#tabs", Line).show(spans)

    def in_clusters(self) -> Iterable[str]:
        """The object's cluster; of an Application, where it deploys to."""
        row = self.fleet.store.get(self.ref) if self.ref.resource == APPLICATIONS else None
        return (self.fleet.facts.destination(row).rstrip("?") if row is not None else self.ref.cluster,)

    def pull(self) -> None:
        """Fill the tab again when the object or anything its tab speaks of has changed."""
        super().pull()
        if not self._views:
            return
        view = self._views[self.chosen.id]
        row = self.fleet.store.get(self.ref)
        if row is None:
            self._absent(view)
            return
        if row is not self._row:
            self._rest = 0.0
        filled = (self.fleet.version, int(self.fleet.facts.now))
        if self._filled[0] < 0 or (self._filled != filled and time.monotonic() >= self._rest):
            self._look(row)
            self._row, self._filled = row, filled
            began = time.monotonic()
            self.chosen.fill(view, row, self.fleet_app)
            self._rest = time.monotonic() + SHARE * (time.monotonic() - began)
        heard = self._heard(row)
        if isinstance(view, Table | WordsView):
            view.set_stale(heard)
        if isinstance(view, Table | TailView):
            view.tick(self.fleet.facts.now)
        if isinstance(view, TailView):
            view.pull()
        note = getattr(view, "note", "")
        told = heard is not None and not isinstance(view, ManifestView)  # which says it itself
        self._title(f"◐ stale {when.age(self.fleet.facts.now - (heard or 0))}" if told else "", note)

    def _heard(self, row: Row) -> float | None:
        """When what is shown was last known to be true; None while it is kept up.

        What an Application has made is as old as what is known of the cluster that it deploys to.
        """
        ref, store, facts = self.ref, self.fleet.store, self.fleet.facts
        heard = freshness.of(
            store, ref.cluster or ref.name, () if ref.resource == CLUSTERS else (ref.resource,), facts.now
        )
        if heard is None and ref.resource == APPLICATIONS and self.chosen.id == "resources":
            heard = freshness.of(store, facts.destination(row).rstrip("?"), (), facts.now)
        return heard

    def _look(self, row: Row) -> None:
        """Have watched what the tabs speak of; whom a policy selects may be known from other kinds than at first."""
        if self.ref.resource == APPLICATIONS and row is not self._row:
            needed, cluster = resources_needed(row, self.fleet)
            if cluster:
                self.fleet.look("resources", needed, {cluster})
        elif self.ref.resource in POLICY_RESOURCES:
            self.fleet.look("detail", policy.needed(row, self.fleet), {self.ref.cluster})
        elif self.ref.cluster and self.ref.resource != CLUSTERS:
            self.fleet.look("detail", object_words.needed(row), {self.ref.cluster})

    def _absent(self, view: Widget) -> None:
        """The object is gone, not there yet, or of a kind whose list may not be read: its manifest may still be."""
        if isinstance(view, ManifestView) and self._row is None:
            view.show_ref(self.ref, self.fleet_app)
        if self._row is not None:
            self._title(f"{self._why_absent()}; this is how it was last seen")
        elif self.fleet.facts.known(self.ref.cluster, self.ref.resource):
            self._title(f"is not in {self.ref.cluster}")
        else:
            self._title(getattr(view, "note", "") or "loading…")

    def _why_absent(self) -> str:
        """What is known of an object that was held and is not any more."""
        cluster, resource = self.ref.cluster, self.ref.resource
        if resource != CLUSTERS and self.fleet.store.get(Ref(cluster, CLUSTERS, "", cluster)) is None:
            return f"no kubeconfig has {cluster} any more"
        known = resource == CLUSTERS or self.fleet.facts.known(cluster, resource)
        return "is gone" if known else "cannot be read any more"

    def _title(self, *more: str) -> None:
        ref = self.ref
        found = self.fleet.offers.catalogue.get(ref.resource)
        kind = found.kind if found is not None else ref.resource
        where = " · ".join(part for part in (ref.cluster * (ref.resource != CLUSTERS), ref.namespace) if part)
        words = " · ".join(part for part in (f"{kind} {ref.name}", where, *more) if part)
        for box in self.query("#detail"):  # there is none before the screen has been composed
            box.border_title = Content(safe(words))

    # -- keys -----------------------------------------------------------------------------------------------------

    async def action_focus_next(self) -> None:  # type: ignore[override]
        """There is one panel: the next tab."""
        await self.action_next_tab()

    async def action_focus_previous(self) -> None:  # type: ignore[override]
        """The tab before."""
        await self.action_previous_tab()

    async def action_back(self) -> None:
        """Close it; the view after, from the first screen, is this again."""
        self.fleet_app.shell.leave_detail(self.ref, self.chosen.id)
        await super().action_back()

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

    def here(self) -> Ref:
        """What the keys act on: the object under the cursor of a table, else the object that is shown."""
        view = self._views[self.chosen.id]
        key = view.cursor_key if isinstance(view, Table) else None
        return key if isinstance(key, Ref) else self.ref

    def action_document_edit(self) -> None:
        """Draft an edit."""
        self.fleet_app.draft_edit(self.here())

    def action_document_actions(self) -> None:
        """Choose one of the common edits."""
        self.fleet_app.choose_edit(self.here())

    def action_document_remove(self) -> None:
        """Draft its removal."""
        self.fleet_app.draft_removal(self.here())

    async def action_document_xray(self) -> None:
        """What it hangs together with, of the object under the cursor where there is one."""
        if (ref := self.here()) != self.ref:
            self.fleet_app.show_xray(ref)
            return
        for tab in self.tabs:
            if tab.id == tangle_of(ref):
                await self._choose(tab)

    def action_document_owner(self) -> None:
        """Go to what controls it."""
        self.fleet_app.show_owner(self.here())

    def action_document_logs(self) -> None:
        """The logs of its pods."""
        self.fleet_app.show_logs([self.here()])

    def action_document_verdict(self) -> None:
        """May it talk to another?"""
        from tui.ui.policies.reach_table import ReachTable

        view = self._views[self.chosen.id]
        question = view.question() if isinstance(view, ReachTable) else None
        if question is not None:
            self.fleet_app.show_verdict(question)
        else:
            self.fleet_app.ask_verdict(self.here())

    def action_group_by(self) -> None:
        """In Reach: by application, or by namespace."""
        from tui.ui.policies.reach_table import ReachTable

        if isinstance(view := self._views[self.chosen.id], ReachTable):
            view.toggle_grouping()

    def action_revert(self) -> None:
        """Draft the revert to the revision under the cursor of the History."""
        view = self._views[self.chosen.id]
        if isinstance(view, HistoryTable) and isinstance(view.cursor_key, int):
            self.fleet_app.draft_revert(self.ref, view.cursor_key)
        else:
            self.fleet_app.say_instead(keys.by_id("no_rollback"))

    def action_document_copy(self) -> None:
        """Copy what is shown."""
        if text := self._text():
            self.app.copy_to_clipboard(text)
            self.fleet_app.say(f"copied {text.count(chr(10)) + 1:,} lines")

    def action_document_pager(self) -> None:
        """Read what is shown in the user's pager."""
        if text := self._text():
            external.paged(self.fleet_app, text)

    def _text(self) -> str:
        view = self._views[self.chosen.id]
        return view.text if isinstance(view, Viewer) else view.text() if isinstance(view, WordsView) else ""

    async def action_document_yaml(self) -> None:
        """The manifest, of the object under the cursor where there is one."""
        if (ref := self.here()) != self.ref:
            self.fleet_app.show_manifest(ref)
            return
        for tab in self.tabs:
            if tab.id == "manifest":
                await self._choose(tab)

    def action_reread(self) -> None:
        """Read the manifest again."""
        view = self._views[self.chosen.id]
        if isinstance(view, ManifestView):
            view.reread(self.fleet_app)
        elif isinstance(view, ObjectEvents | DescribeView):
            view.reread()
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
        """Enter on a row that is an object opens it; one of a kind that has no table of its own, its manifest."""
        event.stop()
        key = event.key
        if isinstance(key, Ref):
            if self.fleet.store.get(key) is None and self.fleet.facts.known(key.cluster, key.resource):
                self.fleet_app.say(f"{key.name} is not in {key.cluster}: e drafts its source", Tone.WARN)
            else:
                self.fleet_app.show_object(key)
        elif isinstance(key, tuple) and self._row is not None:
            cluster = resources_needed(self._row, self.fleet)[1]
            self.fleet_app.do(self._open_other(cluster, *key), f"opening {key[-1]}")

    async def _open_other(self, cluster: str, group: str, kind: str, namespace: str, name: str) -> None:
        """Open an object of a kind that only its cluster knows."""
        for found in await self.fleet.discover(kind, cluster):
            if (found.group, found.kind) == (group, kind):
                where = namespace if found.namespaced else ""
                self.fleet_app.show_manifest(Ref(cluster, found.resource, where, name))
                return
        self.fleet_app.say(f"{cluster} serves no {kind}", Tone.WARN)

    def on_tail_view_opened(self, event: TailView.Opened) -> None:
        """Enter on an event opens its object, unless that is the one shown."""
        event.stop()
        if event.event.ref not in (None, self.ref):
            self.fleet_app.show_object(event.event.ref)
