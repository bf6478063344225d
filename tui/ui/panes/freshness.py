"""Rows of clusters that are not heard any more: shown as old, never green, and the pane says how old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.domain import when
from tui.domain.cluster import CLUSTERS, GRACE, ClusterState, unheard
from tui.domain.kinds.kind import Tone
from tui.store import Store
from tui.ui.widgets.rows import TableRow

__all__ = ["GRACE", "faded", "silent", "stale", "words"]

_KEPT = frozenset({Tone.BAD, Tone.WARN, Tone.UNKNOWN})  # what was wrong when last seen stays worth a look


def stale(store: Store, resources: Sequence[str], now: float) -> dict[str, float]:
    """Clusters whose rows of these resources are held but not kept up, with when they were last heard (0 = unknown)."""
    found: dict[str, float] = {}
    for row in store.rows(CLUSTERS):
        name = row.ref.name
        held = [resource for resource in resources if resource != CLUSTERS and store.count(resource, name)]
        if held and (heard := unheard(row.obj, held, now)) is not None:
            found[name] = heard
    return found


def faded(row: TableRow) -> TableRow:
    """The row with nothing in it that says "fine" or "now"."""
    cells = tuple(cell if cell.tone in _KEPT else cell._replace(tone=Tone.MUTED) for cell in row.cells)
    return TableRow(row.key, cells, row.sort_values)


def words(found: Mapping[str, float], now: float) -> str:
    """`◐ hub stale 2m`, or how many are and the oldest of them; "" when none is."""
    if not found:
        return ""
    heard = min(found.values())
    age = when.age(now - heard) if heard else "?"
    return f"◐ {next(iter(found)) if len(found) == 1 else f'{len(found)} clusters'} stale {age}"


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
