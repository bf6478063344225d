"""The resource tree of an Application as a table: live, with what is missing and what is to be pruned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import Application, ResourceResult
from tui.domain.argo.tree import Node, needs
from tui.domain.cluster import CLUSTERS, ClusterState, KindState
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.obj import Ref, Row
from tui.ui import words
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

_WRAPPED = 60  # cells of a line that says why nothing is shown
_MOST_LINES = 6
_WRONG = ("SyncFailed", "PruneSkipped", "Failed", "Error")


def _state(value: Value, now: float) -> Cell:
    return c.state_cell(str(value)) if value else Cell("", Tone.MUTED)


def _sync(value: Value, now: float) -> Cell:
    return Cell("✂ Prune", Tone.WARN) if value == "Prune" else _state(value, now)


def _detail(value: Value, now: float) -> Cell:
    text = str(value or "")
    return Cell(text.removeprefix("!"), Tone.BAD if text.startswith("!") else Tone.MUTED)


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("resource", "RESOURCE", c.show_name, 60, 38, keep=9),
    _column("sync", "SYNC", _sync, 12, 11, keep=8, sort=c.severity),
    _column("health", "HEALTH", _state, 14, 13, keep=8, sort=c.severity),
    _column("state", "STATE", _state, 20, 8, keep=7, sort=c.severity),
    _column("detail", "DETAIL", _detail, 60, 24, keep=6, grow=3),
    _column("namespace", "NAMESPACE", c.show_muted, 18, 8),
    _column("wave", "WAVE", c.show_muted, 5, 4, right=True, wide=True),
    _column("age", "AGE", c.show_since, 6, 4, right=True, keep=4, time=True, sort=c.youngest),
    _column("told", "HEALTH IS", c.show_muted, 12, 8, wide=True),
)
_SAME_NAMESPACE = tuple(column for column in COLUMNS if column.id != "namespace")


class ResourceTable(Table):
    """The tree of one Application. `note` says in a line what is wrong in it and what could not be seen."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.note = ""
        self._made_of: object = None
        self._shown: dict[Hashable, TableRow] = {}

    def show(self, row: Row, fleet: Fleet) -> None:
        """Make the tree anew when something in it may have changed."""
        app = argo.of_row(row)
        cluster = fleet.facts.destination(row).rstrip("?")
        resources = needs(app)
        held = fleet.store.get(Ref(cluster, CLUSTERS, "", cluster))
        made_of = (row, cluster, fleet.store.resource_rev(*resources), held)
        if made_of == self._made_of:
            return
        nodes = fleet.facts.tree(row)
        usual = app.spec.destination.namespace
        spread = any(node.namespace not in ("", usual) for node in nodes)
        columns = COLUMNS if spread else _SAME_NAMESPACE
        rows = list(_rows(app, nodes, fleet, columns))
        if columns != self.columns:
            self._shown = {}
            self.replace([])
            self.set_columns(columns)
        why = words.unknown_resources(app)
        told = "\n".join(["what this Application manages is not known:", *wrap(why, _WRAPPED)[:_MOST_LINES]])
        self.set_empty(told if why else "this Application manages nothing")
        self._take(rows)
        self.note = _note(app, nodes, held, resources, fleet.facts.destination_match(row).sure)
        self._made_of = made_of

    def _take(self, rows: list[TableRow]) -> None:
        """Change what has changed; start again only when objects came, went or moved."""
        fresh = {row.key: row for row in rows}
        if list(fresh) == list(self._shown):
            self.update([row for key, row in fresh.items() if row != self._shown[key]])
        else:
            self.replace(rows)
        self._shown = fresh

    def sort_by(self, column_id: str | None, reverse: bool = False) -> None:
        """Sort by a column; by the first one it is the tree again."""
        super().sort_by(None if column_id == COLUMNS[0].id else column_id, reverse and column_id != COLUMNS[0].id)


def _rows(app: Application, nodes: Sequence[Node], fleet: Fleet, columns: Sequence[Column]) -> Iterator[TableRow]:
    state, now = app.status.operation_state, fleet.facts.now
    results = (state.sync_result.resources if state and state.sync_result else None) or ()
    told = {result.key[:4]: result for result in results}
    seen: set[Hashable] = set()
    for guide, node in guided(nodes):
        identity = (node.group, node.kind, node.namespace, node.name)
        key: Hashable = node.ref or identity
        if key in seen:  # the same object listed twice, as shared resources are
            continue
        seen.add(key)
        held = fleet.store.get(node.ref) if node.ref is not None else None
        every: dict[str, Value] = {
            "resource": f"{guide}{node.kind}/{node.name}",
            "sync": "Prune" if node.pruning else node.sync,
            "health": node.health.status if node.health else "",
            "state": node.state,
            "detail": _why(node, told.get(identity)),
            "namespace": node.namespace,
            "wave": node.wave or "",
            "age": when.seconds(held.obj.metadata.creation_timestamp) if held is not None else None,
            "told": "its own" if node.told == "own" else node.told,
        }
        values = tuple(every[column.id] for column in columns)
        cells = tuple(column.show(value, now) for column, value in zip(columns, values, strict=True))
        yield TableRow(key, cells, values)


def _why(node: Node, result: ResourceResult | None) -> str:
    """What to know of a node in one line; what went wrong has a `!` in front."""
    if node.pruning:
        return "Git no longer has it; it stays until it is pruned"
    if result is not None and (result.hook_phase if result.hook_type else result.status) in _WRONG:
        return f"!{' '.join(result.message.split())}"
    if node.seen is False and not node.hook:
        return "not in the cluster" if not node.detail else node.detail
    bad = node.health is not None and node.health.status == "Degraded"
    if node.detail:
        return f"{'!' if bad else ''}{node.detail}"
    if node.hook or node.edge == "inferred":
        return "hook" if node.hook else "found by its name"
    return f"wave {node.wave}" if node.wave else ""


def guided(nodes: Sequence[Node], lead: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its branches in front."""
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        root = node.edge == "managed"
        yield lead + ("" if root else "└ " if last else "├ "), node
        yield from guided(node.children, lead + ("" if root else "  " if last else "│ "))


def _note(app: Application, nodes: Sequence[Node], held: Row | None, resources: set[str], sure: bool) -> str:
    count = Counter(
        "to prune" if node.pruning else "missing" if node.seen is False and not node.hook else node.sync
        for node in nodes
    )
    parts = [f"{len(nodes):,} resources" if len(nodes) != 1 else "1 resource"]
    if not nodes and words.unknown_resources(app):
        parts = ["resources not known"]
    parts += [
        f"{count[word]:,} {said}"
        for word, said in (("OutOfSync", "out of sync"), ("missing", "missing"), ("to prune", "to prune"))
        if count[word]
    ]
    if len(nodes) < len(app.status.resources or ()):
        parts.append(f"the first of {len(app.status.resources or ()):,}")
    if any(node.told == "computed" for node in nodes):
        parts.append("health computed by fleet")
    return ", ".join(parts) + _unseen(held, resources, sure)


def _unseen(held: Row | None, resources: set[str], sure: bool) -> str:
    """What could not be looked at, and why."""
    cluster = held.obj if held is not None else None
    if cluster is None or (cluster.state is ClusterState.LIVE and not sure):
        return " · the cluster is not known for sure: nothing is seen in it"
    if cluster.state is not ClusterState.LIVE:
        reason = f": {' '.join(cluster.reason.split())}" if cluster.reason else ""
        last = f", last heard at {when.rfc3339(cluster.heard)}" if cluster.heard else ""
        return f" · cluster {cluster.state.value}{last}{reason}"
    words = {KindState.DENIED: "may not be read", KindState.FAILED: "could not be read", KindState.LISTING: "loading"}
    parts = []
    for state, word in words.items():
        names = [name.partition(".")[0] for name in sorted(resources) if _is(cluster.kinds.get(name), state)]
        if names:
            parts.append(f"{', '.join(names)} {word}" if state is not KindState.LISTING else "loading…")
    return "".join(f" · {part}" for part in parts)


def _is(status: object, state: KindState) -> bool:
    return getattr(status, "state", None) is state
