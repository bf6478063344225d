"""The clusters that a table says nothing of although they answer: they deny its kind, do not serve or not list it."""

from __future__ import annotations

from collections.abc import Collection

from tui.domain.cluster import CLUSTERS, ClusterState, KindState
from tui.store import Store

_WORDS = {KindState.DENIED: "denied in", KindState.FAILED: "unreadable in", KindState.ABSENT: "not served in"}
MOST_NAMED = 2  # clusters that are named rather than counted


def words(store: Store, resource: str, clusters: Collection[str] | None, absent: bool = True) -> str:
    """`denied in prod-1, not served in 3`; "" when every cluster that answers lists the kind.

    `clusters` are those in view, None for all; without `absent` those that do not serve the kind go unsaid.
    """
    found: dict[KindState, list[str]] = {}
    for row in store.rows(CLUSTERS):
        cluster = row.obj
        if cluster.state is not ClusterState.LIVE or (clusters is not None and row.ref.name not in clusters):
            continue
        status = cluster.kinds.get(resource)
        if status is not None and status.state in _WORDS and (absent or status.state is not KindState.ABSENT):
            found.setdefault(status.state, []).append(row.ref.name)
    return ", ".join(f"{word} {_named(found[state])}" for state, word in _WORDS.items() if state in found)


def _named(clusters: list[str]) -> str:
    return ", ".join(sorted(clusters)) if len(clusters) <= MOST_NAMED else f"{len(clusters)} clusters"
