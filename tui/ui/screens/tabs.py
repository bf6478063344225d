"""The tabs of a detail screen: which ones an object has, and what each shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.tree import Node, build, needs
from tui.domain.cilium import describe
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import KINDS, POLICY_RESOURCES
from tui.domain.kinds import columns as c
from tui.domain.kinds.fleet import DRAFTS_RESOURCE
from tui.domain.kinds.kind import Cell, Column, Tone
from tui.domain.obj import Ref, Row
from tui.domain.tail import TailEvent
from tui.ui import words
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.manifest import DiffView, ManifestView
from tui.ui.screens.words_view import WordsView
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table
from tui.ui.widgets.tail import TailView
from tui.ui.words import Line

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: `fill` shows the object in the widget that `make` made; it is called again when something has changed."""

    id: str
    title: str
    make: Callable[[FleetApp], Widget]
    fill: Callable[[Widget, Row, FleetApp], None]


def tabs_of(ref: Ref) -> tuple[Tab, ...]:
    """The tabs of an object, the one shown first in front."""
    if ref.resource == APPLICATIONS:
        return (SUMMARY, RESOURCES, MANIFEST, HISTORY, EVENTS)
    if ref.resource in POLICY_RESOURCES:
        return (RULES, ENDPOINTS, MANIFEST, EVENTS)
    if ref.resource == DRAFTS_RESOURCE:
        return (DRAFT, DIFF, EVENTS)
    if ref.resource == CLUSTERS:
        return (CLUSTER, EVENTS)
    return (FACTS, MANIFEST, EVENTS)


def _words(lines: Callable[[Row, Fleet], Sequence[Line]]) -> Callable[[Widget, Row, FleetApp], None]:
    def fill(view: Widget, row: Row, app: FleetApp) -> None:
        assert isinstance(view, WordsView)
        view.show(lines(row, app.fleet))

    return fill


def _application(row: Row, fleet: Fleet) -> list[Line]:
    return words.application(argo.of_row(row), fleet.facts.destination(row), fleet.facts.now)


def _rules(row: Row, fleet: Fleet) -> list[Line]:
    count = fleet.facts.selected(row)
    selected = Cell("?", Tone.UNKNOWN) if count is None else Cell(str(count), Tone.PLAIN if count else Tone.WARN)
    lines = [words.heading("In words")]
    lines += [(Cell("  "), words.plain(sentence)) for sentence in describe.sentences(row.obj, row.ref.resource)]
    return [*lines, words.BLANK, words.heading("Now"), words.fact("Selects now", selected), *_facts(row, fleet)]


def _facts(row: Row, fleet: Fleet) -> list[Line]:
    """Every column of the kind as a fact."""
    kind = KINDS[row.ref.resource]
    facts = fleet.facts
    made = []
    for column in kind.columns:
        cell = column.show(column.value(row, facts), facts.now)
        made.append(words.fact(column.title.capitalize(), Cell(cell.text or "–", cell.tone)))
    return made


def _cluster(row: Row, fleet: Fleet) -> list[Line]:
    return words.cluster(row.obj, fleet.facts.now)


def _draft(row: Row, fleet: Fleet) -> list[Line]:
    return words.draft(row.manifest(), fleet.facts.now)


def _columns(*columns: tuple[str, str, int, c.Show]) -> tuple[Column, ...]:
    return tuple(
        Column(id, title, lambda row, facts: None, show, width, least=min(width, 8), grow=2 if width > 40 else 0)
        for id, title, width, show in columns
    )


# -- history -------------------------------------------------------------------------------------------------

_HISTORY = _columns(
    ("id", "ID", 5, c.show_muted),
    ("deployed", "DEPLOYED", 9, c.show_age),
    ("took", "TOOK", 7, c.show_muted),
    ("revision", "REVISION", 16, c.show_name),
    ("by", "BY", 18, c.show_plain),
    ("source", "SOURCE", 60, c.show_muted),
)


def _history(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, Table)
    fleet = app.fleet
    rows = []
    for entry in reversed(argo.of_row(row).status.history or ()):
        started, ended = when.seconds(entry.deploy_started_at), when.seconds(entry.deployed_at)
        took = when.age(ended - started) if started and ended else "?"
        source = (entry.sources or ((entry.source,) if entry.source else ()))[:1]
        where = f"{source[0].repo_url} {source[0].path or source[0].chart}" if source else ""
        rows.append(
            _row(
                _HISTORY,
                fleet.facts.now,
                entry.id,
                entry.id,
                ended,
                took,
                argo.short_revisions(entry),
                words.initiator(entry.initiated_by).text,
                where,
            )
        )
    table.replace(rows)
    table.set_empty("Argo CD has kept no history")


def _row(columns: Sequence[Column], now: float, key: object, *values: object) -> TableRow:
    cells = tuple(column.show(value, now) for column, value in zip(columns, values, strict=True))  # type: ignore[arg-type]
    return TableRow(key, cells, values)  # type: ignore[arg-type]


# -- resources -----------------------------------------------------------------------------------------------


def _state(value: object, now: float) -> Cell:
    return c.state_cell(str(value)) if value else Cell("–", Tone.MUTED)


_RESOURCES = _columns(
    ("resource", "RESOURCE", 56, c.show_name),
    ("sync", "SYNC", 12, _state),
    ("health", "HEALTH", 14, _state),
    ("state", "STATE", 18, lambda value, now: c.state_cell(str(value)) if value else Cell("", Tone.MUTED)),
    ("wave", "WAVE", 5, lambda value, now: Cell(str(value or ""), Tone.MUTED)),
    ("namespace", "NAMESPACE", 16, c.show_muted),
    ("detail", "DETAIL", 50, c.show_muted),
)


def resources_needed(row: Row, fleet: Fleet) -> tuple[set[str], str]:
    """What must be watched for the whole resource tree of an Application, and in which cluster."""
    return needs(argo.of_row(row)), fleet.facts.destination(row).rstrip("?")


def _resources(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, Table)
    fleet = app.fleet
    found = argo.of_row(row)
    cluster = fleet.facts.destination(row).rstrip("?")

    def known(cluster: str, resource: str) -> bool:
        return fleet.facts.count(cluster, resource) is not None

    state = found.status.operation_state
    results = (state.sync_result.resources if state and state.sync_result else None) or ()
    told = {result.key[:4]: result.message for result in results}
    rows = []
    for guide, node in _guided(build(found, row.ref.cluster, cluster, fleet.store, known), ""):
        key = node.ref if node.ref is not None else (node.group, node.kind, node.namespace, node.name)
        sync = "OutOfSync" if node.pruning else node.sync
        health = node.health.status if node.health else "Missing" if node.seen is False else ""
        detail = "to be pruned" if node.pruning else node.detail
        detail = detail or told.get((node.group, node.kind, node.namespace, node.name), "")
        name = f"{guide}{node.kind}/{node.name}"
        rows.append(
            _row(_RESOURCES, fleet.facts.now, key, name, sync, health, node.state, node.wave, node.namespace, detail)
        )
    table.replace(rows)
    table.set_empty("this Application manages nothing")


def _guided(nodes: Sequence[Node], lead: str) -> Iterator[tuple[str, Node]]:
    """Every node with its branches in front."""
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        branch = "" if node.edge == "managed" else ("└ " if last else "├ ")
        yield lead + branch, node
        below = "  " if node.edge == "managed" else ("  " if last else "│ ")
        yield from _guided(node.children, lead + (below if branch else " "))


# -- endpoints -----------------------------------------------------------------------------------------------

_ENDPOINTS = _columns(
    ("name", "NAME", 44, c.show_name),
    ("namespace", "NAMESPACE", 20, c.show_plain),
    ("labels", "LABELS", 60, c.show_muted),
)


def _endpoints(table: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(table, Table)
    fleet: Fleet = app.fleet
    refs, source = fleet.facts.selected_refs(row)
    rows = []
    for ref in refs:
        held = fleet.store.get(ref)
        labels = held.obj.metadata.labels if held else None
        text = ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))
        rows.append(_row(_ENDPOINTS, fleet.facts.now, ref, ref.name, ref.namespace, text))
    table.replace(rows)
    table.set_empty("it selects nothing" if source else "endpoints could not be read in this cluster")


def _view(app: FleetApp) -> Widget:
    return WordsView()


def _manifest(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, ManifestView)
    view.show_row(row, app)


def _diff(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, DiffView)
    view.show_row(row, app)


def _tail(app: FleetApp) -> Widget:
    return TailView(app.fleet.tail, empty="nothing has happened to it yet")


def _events(view: Widget, row: Row, app: FleetApp) -> None:
    assert isinstance(view, TailView)
    ref = row.ref
    if not view.has_class("scoped"):  # once: a scope makes the matches anew
        view.add_class("scoped")
        application = f"{ref.namespace}/{ref.name}" if ref.resource == APPLICATIONS else ""
        cluster = ref.name if ref.resource == CLUSTERS else ""

        def wanted(event: TailEvent) -> bool:
            return event.ref == ref or event.application == application != "" or event.cluster == cluster != ""

        view.set_scope(wanted)
    view.pull()


def _table(columns: Sequence[Column]) -> Callable[[FleetApp], Widget]:
    return lambda app: Table(columns)


SUMMARY = Tab("summary", "Summary", _view, _words(_application))
RESOURCES = Tab("resources", "Resources", _table(_RESOURCES), _resources)
HISTORY = Tab("history", "History", _table(_HISTORY), _history)
RULES = Tab("rules", "Rules", _view, _words(_rules))
ENDPOINTS = Tab("endpoints", "Endpoints", _table(_ENDPOINTS), _endpoints)
CLUSTER = Tab("summary", "Summary", _view, _words(_cluster))
FACTS = Tab("summary", "Summary", _view, _words(_facts))
DRAFT = Tab("summary", "Summary", _view, _words(_draft))
DIFF = Tab("diff", "Diff", lambda app: DiffView(), _diff)
MANIFEST = Tab("manifest", "Manifest", lambda app: ManifestView(), _manifest)
EVENTS = Tab("events", "Events", _tail, _events)
