"""Policies of the whole fleet, or of the part that the tree has chosen: across clusters, findings, what is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.cilium.fleetwide import Across, across
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import POLICY_RESOURCES
from tui.domain.kinds.kind import Column
from tui.domain.kinds.single import CILIUM_AGENTS, CILIUM_CONFIG
from tui.domain.obj import Ref
from tui.fleet.netpol.background import Background
from tui.fleet.netpol.linting import Lints
from tui.fleet.netpol.needs import ENDPOINTS, Standing, standing
from tui.ui import frame, keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.panes import freshness
from tui.ui.policies import fleet_tables as tables
from tui.ui.policies.findings import expected
from tui.ui.prompt import ask
from tui.ui.scope import Scope
from tui.ui.screens.base import FleetScreen
from tui.ui.text import safe
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

_OWNER = "fleetwide"
_REST = 1.0  # seconds between two fillings of a table, and ten times as long as it took
_SHARE = 10


@dataclass(frozen=True, slots=True)
class Tab:
    """A table of this screen, and what it needs to be watched."""

    id: str
    title: str
    columns: Sequence[Column]
    sort: str
    watches: frozenset[str]
    judged: bool = False  # it needs the verdicts of every cluster


ACROSS = Tab("across", "Across clusters", tables.ACROSS, "state", frozenset({*POLICY_RESOURCES, "namespaces"}))
FINDINGS = Tab("findings", "Findings", tables.FINDINGS, "severity", frozenset({"services"}), judged=True)
OPEN = Tab("open", "No policy", tables.OPEN, "count", frozenset({*POLICY_RESOURCES, ENDPOINTS}))
COUNTS = Tab(
    "clusters",
    "Clusters",
    tables.CLUSTERS,
    "cluster",
    frozenset({*tables.COUNTED, CILIUM_CONFIG.resource, CILIUM_AGENTS.resource}),
)
TABS = (ACROSS, FINDINGS, OPEN, COUNTS)


class FleetwideScreen(FleetScreen):
    """Tabs of tables over the clusters of a scope."""

    PLACES = ("fleetwide",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("fleetwide")]

    def __init__(self, scope: Scope, tab: str = "") -> None:
        super().__init__()
        self.scope = scope
        self.chosen = next((each for each in TABS if each.id == tab), ACROSS)
        self._tables: dict[str, Table] = {}
        self._made: dict[str, list[TableRow]] = {}
        self._filled: object = None  # what the table that is shown was filled for
        self._rests = 0.0  # time.monotonic() before which it is not filled again
        self._lints: Lints | None = None
        self._across: Background[list[Across]] | None = None
        self._note = ""

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="detail", classes="pane"):
            yield Line(id="tabs")
            yield Vertical(id="tab")
        yield Footer()

    async def on_mount(self) -> None:
        """Show the first table."""
        self._lints = Lints(self.fleet)
        self._across = Background(self.fleet.notify)
        await self._choose(self.chosen)

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        self.fleet.unlook(_OWNER)
        self.fleet.netpol.unlook(_OWNER)
        for each in (self._lints, self._across):
            if each is not None:
                each.close()

    # -- what is shown ----------------------------------------------------------------------------------------------

    async def _choose(self, tab: Tab) -> None:
        if (old := self._tables.get(self.chosen.id)) is not None:
            old.display = False
        self.chosen = tab
        table = self._tables.get(tab.id)
        if table is None:
            table = self._tables[tab.id] = Table(tab.columns)
            table.sort_by(tab.sort, tab is OPEN)
            await self.query_one("#tab").mount(table)
        table.display = True
        table.focus()
        self._filled, self._rests = None, 0.0
        spans = [frame.Span(" ", "quiet")]
        for each in TABS:
            spans.append(frame.Span(f" {each.title} ", "chosen" if each is tab else "quiet", each.id))
        self.query_one("#tabs", Line).show(spans)
        self.pull()
        self.refooter()

    def _clusters(self) -> list[str]:
        chosen = self.scope.clusters(self.fleet.store)
        names = (row.ref.name for row in self.fleet.store.rows(CLUSTERS))
        return sorted(name for name in names if chosen is None or name in chosen)

    def _look(self, clusters: Sequence[str]) -> None:
        self.fleet.look(_OWNER, self.chosen.watches, clusters)
        if self.chosen.judged:
            self.fleet.netpol.look(_OWNER, clusters)
        else:
            self.fleet.netpol.unlook(_OWNER)

    def pull(self) -> None:
        """Fill the table again when something has changed, not more often than it can bear."""
        super().pull()
        table = self._tables.get(self.chosen.id)
        if table is None or self._lints is None:
            return
        clusters = self._clusters()
        self._look(clusters)
        if self._filled != self.fleet.version and time.monotonic() >= self._rests:
            self._filled = self.fleet.version
            began = time.monotonic()
            rows, self._note = _FILL[self.chosen.id](self, clusters)
            if self.chosen is not ACROSS and (stale := self._stale(clusters)):
                rows = [freshness.marked(row, stale.get(_cluster(row.key))) for row in rows]
            if rows != self._made.get(self.chosen.id):
                self._made[self.chosen.id] = rows
                table.replace(rows)
            took = time.monotonic() - began
            self._rests = time.monotonic() + max(_REST if rows else 0.0, _SHARE * took)
            table.set_empty(self._note or _EMPTY[self.chosen.id])
        table.tick(self.fleet.facts.now)
        self._title(len(clusters), table)

    def _title(self, clusters: int, table: Table) -> None:
        where = self.scope.words() or "the fleet"
        shown = f"/{table.filter_text}" if table.filter_text else ""
        count = f"{clusters:,} cluster{'' if clusters == 1 else 's'}"
        old = freshness.words(self._stale(self._clusters()), self.fleet.facts.now)
        note = self._note if table.total else ""
        words = " · ".join(part for part in ("Policies of " + where, count, shown, old, note) if part)
        for box in self.query("#detail"):
            box.border_title = Content(safe(words))
            rows = f"{table.visible_count:,} of {table.total:,}" if shown else f"{table.total:,}"
            box.border_subtitle = Content(rows if table.total else "")

    def _stale(self, clusters: Sequence[str]) -> dict[str, float]:
        """Those of the clusters whose objects here are not kept up, with when they were last heard."""
        found = freshness.stale(self.fleet.store, sorted(self.chosen.watches), self.fleet.facts.now)
        return {name: heard for name, heard in found.items() if name in clusters}

    # -- the tables ---------------------------------------------------------------------------------------------------

    def _fill_across(self, clusters: Sequence[str]) -> tuple[list[TableRow], str]:
        assert self._across is not None
        fleet = self.fleet
        unread = [name for name in clusters if not _read(standing(fleet.store, name))]
        stamp = (fleet.store.resource_rev(*POLICY_RESOURCES, "namespaces"), tuple(clusters), tuple(unread))
        found = self._across.get("across", stamp, lambda: self._comparison(clusters))
        if found is None or isinstance(found, str):
            return [], found or "comparing…"
        note = f"not known of {', '.join(unread[:3])}{' …' if len(unread) > 3 else ''}" if unread else ""
        return tables.across_rows(found, self.scope.namespace, fleet.facts.now, self._stale(clusters)), note

    def _comparison(self, clusters: Sequence[str]) -> Callable[[], list[Across]]:
        """The work of a thread, over values that nobody changes."""
        fleet, wanted = self.fleet, set(clusters)
        given = [
            (row.ref.cluster, resource, row.obj)
            for resource in POLICY_RESOURCES
            for row in fleet.store.rows(resource)
            if row.ref.cluster in wanted
        ]
        places = {(resource, obj.metadata.namespace) for _, resource, obj in given}
        ought = {(c, r, n): expected(fleet, c, r, n) for c in clusters for r, n in places}
        return lambda: across(given, clusters, lambda *where: ought[where])

    def _fill_findings(self, clusters: Sequence[str]) -> tuple[list[TableRow], str]:
        assert self._lints is not None
        found, waiting = [], []
        for cluster in clusters:
            told, why = self._lints.findings(cluster)
            found += [(cluster, each) for each in told or ()]
            if why:
                waiting.append(cluster)
        some = f"{', '.join(waiting[:3])}{' …' if len(waiting) > 3 else ''}"
        note = f"not all is known of {some}" if waiting else ""
        return tables.finding_rows(found, self.scope.namespace, self.fleet.facts.now), note

    def _fill_open(self, clusters: Sequence[str]) -> tuple[list[TableRow], str]:
        unknown = [cluster for cluster in clusters if not self.fleet.facts.unpoliced(cluster)[1]]
        note = f"endpoints not known of {', '.join(unknown[:3])}{' …' if len(unknown) > 3 else ''}" if unknown else ""
        return tables.open_rows(self.fleet, clusters, self.scope.namespace), note

    def _fill_clusters(self, clusters: Sequence[str]) -> tuple[list[TableRow], str]:
        return tables.cluster_rows(self.fleet, clusters), ""

    # -- keys ---------------------------------------------------------------------------------------------------------

    async def action_next_table(self) -> None:
        """The next table, around the end."""
        await self._choose(TABS[(TABS.index(self.chosen) + 1) % len(TABS)])

    async def action_previous_table(self) -> None:
        """The table before, around the start."""
        await self._choose(TABS[TABS.index(self.chosen) - 1])

    async def action_focus_next(self) -> None:  # type: ignore[override]
        """There is one panel: the next table."""
        await self.action_next_table()

    async def action_focus_previous(self) -> None:  # type: ignore[override]
        """The table before."""
        await self.action_previous_table()

    def here(self) -> Ref | None:
        """The object the cursor is on."""
        table = self._tables.get(self.chosen.id)
        return _ref(table.cursor_key) if table is not None else None

    def action_fleetwide_open(self) -> None:
        """Open what the cursor is on, as enter in the table does."""
        self._tables[self.chosen.id].key_open()

    def action_table_filter(self) -> None:
        """Filter as one types."""
        table = self._tables[self.chosen.id]
        before = table.filter_text

        def done(text: str | None) -> None:
            table.set_filter(before if text is None else text)

        ask(self, "/", done, value=before, changed=table.set_filter)

    async def action_back(self) -> None:
        """Clear the filter, else close."""
        table = self._tables.get(self.chosen.id)
        if table is not None and table.filter_text:
            table.set_filter("")
        else:
            await super().action_back()

    def action_table_edit(self) -> None:
        """Draft an edit of the policy."""
        if (ref := self.here()) is not None:
            self.fleet_app.draft_edit(ref)

    def action_table_yaml(self) -> None:
        """Show the manifest."""
        if (ref := self.here()) is not None:
            self.fleet_app.show_manifest(ref)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter opens the policy at what the table is about, or the endpoint, or the cluster."""
        event.stop()
        if (ref := _ref(event.key)) is not None:
            self.fleet_app.show_object(ref, {"across": "elsewhere", "findings": "findings"}.get(self.chosen.id, ""))

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A tab, a pane of the header or a key of the footer was clicked."""
        event.stop()
        for tab in TABS:
            if tab.id == event.name:
                await self._choose(tab)
                return
        await self.clicked(event.name)


def _read(stands: Standing) -> bool:
    """Whether every kind of policy that a cluster serves has been read."""
    return all(stands.known(each) or stands.absent(each) for each in POLICY_RESOURCES)


def _cluster(key: object) -> str:
    """The cluster that a row is about."""
    ref = _ref(key)
    return "" if ref is None else ref.cluster or ref.name


def _ref(key: object) -> Ref | None:
    if isinstance(key, tuple):
        key = key[0]
    return key if isinstance(key, Ref) else None


_FILL: dict[str, Callable[[FleetwideScreen, Sequence[str]], tuple[list[TableRow], str]]] = {
    "across": FleetwideScreen._fill_across,
    "findings": FleetwideScreen._fill_findings,
    "open": FleetwideScreen._fill_open,
    "clusters": FleetwideScreen._fill_clusters,
}
_EMPTY = {
    "across": "no policies",
    "findings": "nothing to say about any policy",
    "open": "every endpoint is selected by a policy",
    "clusters": "no clusters",
}
