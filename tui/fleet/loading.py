"""What is still being loaded, kept up by the clusters that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from tui.domain.cluster import CLUSTERS, Cluster, ClusterState, KindState
from tui.domain.obj import Ref
from tui.store import Store

_LISTING = (KindState.WAITING, KindState.LISTING)


class Loading:
    """How many clusters have answered or failed, and which resources are being listed somewhere."""

    def __init__(self, store: Store, looked_at: Callable[[str], Collection[str]]) -> None:
        """`looked_at` says which resources somebody looks at in a cluster; `start_again` when that has changed."""
        self._store = store
        self._looked_at = looked_at
        self.start_again()

    def start_again(self) -> None:
        """Count every cluster anew when next asked."""
        self._rev = 0
        self._held: dict[Ref, tuple[bool, frozenset[str]]] = {}
        self._answered = 0
        self._listing: Counter[str] = Counter()

    def read(self) -> tuple[int, int, tuple[str, ...]]:
        """(clusters that have answered or failed, all clusters, resources still being listed somewhere)."""
        if self._store.resource_rev(CLUSTERS) > self._rev:
            changes = self._store.changes_since(self._rev, CLUSTERS)
            if changes.reset:
                self.start_again()
            self._rev = changes.rev
            for ref in changes.removed:
                self._set(ref, False, frozenset())
                self._held.pop(ref, None)
            for ref in changes.changed:
                if (row := self._store.get(ref)) is not None:
                    self._set(ref, row.obj.state is not ClusterState.CONNECTING, self._of(row.obj))
        return self._answered, len(self._held), tuple(self._listing)

    def _of(self, cluster: Cluster) -> frozenset[str]:
        """The resources still being listed in a cluster that answers."""
        found = {resource for resource, status in cluster.kinds.items() if status.state in _LISTING}
        missing = set(self._looked_at(cluster.metadata.name)).difference(cluster.kinds)
        return frozenset(found | missing) if cluster.state is ClusterState.LIVE else frozenset()

    def _set(self, ref: Ref, answered: bool, listing: frozenset[str]) -> None:
        before = self._held.get(ref, (False, frozenset[str]()))
        self._held[ref] = (answered, listing)
        self._answered += answered - before[0]
        self._listing.update(listing - before[1])
        for resource in before[1] - listing:
            self._listing[resource] -= 1
            if not self._listing[resource]:
                del self._listing[resource]
