"""Rows of clusters that are not heard any more: shown as old, never green, and the pane says how old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.domain import when
from tui.domain.cluster import CLUSTERS, GRACE, ClusterState, unheard
from tui.domain.kinds.kind import Cell
from tui.domain.obj import Ref
from tui.store import Store
from tui.ui.widgets.rows import TableRow, faded

__all__ = ["GRACE", "lost", "marked", "of", "quiet", "silent", "stale", "words"]


def stale(store: Store, resources: Sequence[str], now: float) -> dict[str, float]:
    """Clusters whose rows of these resources are held but not kept up, with when they were last heard (0 = unknown)."""
    found: dict[str, float] = {}
    for row in store.rows(CLUSTERS):
        name = row.ref.name
        held = [r for r in resources if (store.count(r, name) if r != CLUSTERS else row.obj.heard)]
        if held and (heard := unheard(row.obj, held, now)) is not None:
            found[name] = heard
    return found


def of(store: Store, cluster: str, resources: Sequence[str], now: float) -> float | None:
    """When what is held of one cluster was last known to be true; None while it is kept up, or nothing is held."""
    row = store.get(Ref(cluster, CLUSTERS, "", cluster))
    heard = unheard(row.obj, resources, now) if row is not None else None
    return heard or None


def marked(row: TableRow, heard: float | None) -> TableRow:
    """The row as stale, last known to be true at `heard` (0 = unknown); None leaves it as it is."""
    return row if heard is None else TableRow(row.key, row.cells, row.sort_values, heard)


def quiet(cell: Cell) -> Cell:
    """The cell as a part of something that is not kept up."""
    return cell._replace(tone=faded(cell.tone))


def lost(store: Store, clusters: frozenset[str] | None = None) -> dict[str, float]:
    """Clusters that have fallen silent, with when they were last heard; of chosen ones also who never was (0)."""
    return {
        row.ref.name: row.obj.heard
        for row in store.rows(CLUSTERS)
        if row.obj.state not in (ClusterState.LIVE, ClusterState.CONNECTING)
        and (row.obj.heard if clusters is None else row.ref.name in clusters)
    }


def words(found: Mapping[str, float], now: float, how: str = "stale") -> str:
    """`◐ hub stale 2m`, or how many are and the oldest of them, `1 never heard`; "" when none is."""
    parts = []
    if heard := {name: moment for name, moment in found.items() if moment}:
        parts.append(f"{_called(heard)} {how} {age(heard, now)}")
    if never := {name: moment for name, moment in found.items() if not moment}:
        parts.append(f"{_called(never) if not heard else len(never)} never heard")
    return f"◐ {', '.join(parts)}" if parts else ""


def _called(found: Mapping[str, float]) -> str:
    return next(iter(found)) if len(found) == 1 else f"{len(found)} clusters"


def age(found: Mapping[str, float], now: float) -> str:
    """The age of the oldest; "?" when some cluster has never been heard."""
    heard = min(found.values())
    return when.age(now - heard) if heard else "?"


def silent(store: Store, clusters: frozenset[str] | None) -> str:
    """Which clusters an empty pane cannot speak for, and the reason of the first; "" when all of them answer."""
    found = [
        row.obj
        for row in store.rows(CLUSTERS)
        if (clusters is None or row.ref.name in clusters)
        and row.obj.state not in (ClusterState.LIVE, ClusterState.CONNECTING)
    ]
    if not found:
        return ""
    first = f"{found[0].metadata.name}: {found[0].state.value}: {found[0].reason}"
    return first if len(found) == 1 else f"{first}, and {len(found) - 1} more"
