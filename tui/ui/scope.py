"""What a pane shows: the part of the fleet chosen in the tree, and the views a user can go back to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tui.domain.cluster import CLUSTERS, Cluster
from tui.domain.kinds.kind import Facts
from tui.domain.obj import Ref, Row
from tui.store import Store

APPLICATIONS = "applications.argoproj.io"
KEPT = 100  # views in the history


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the fleet. Empty fields do not narrow."""

    group: tuple[str, ...] = ()
    cluster: str = ""
    namespace: str = ""
    application: Ref | None = None

    def words(self) -> str:
        """The scope in a title: `prod-eu · shop`; "" for the whole fleet."""
        application = self.application.name if self.application else ""
        where = self.cluster or "/".join(self.group)
        return " · ".join(part for part in (where, self.namespace, application) if part)

    def clusters(self, store: Store) -> frozenset[str] | None:
        """Names of the clusters in it; None for all of them."""
        if self.cluster:
            return frozenset({self.cluster})
        if not self.group:
            return None
        length = len(self.group)
        return frozenset(row.ref.name for row in store.rows(CLUSTERS) if row.obj.groups[:length] == self.group)

    def admits(self, row: Row, clusters: frozenset[str] | None, facts: Facts) -> bool:
        """Whether a row belongs to it. `clusters` is what `clusters()` said, asked once for many rows.

        An Application belongs to the cluster it deploys to, and to the hub it lives in when that is the scope itself.
        """
        ref = row.ref
        if not ref.cluster:  # fleet's own: drafts belong to no cluster
            return True
        if ref.resource == CLUSTERS:
            return clusters is None or ref.name in clusters
        if ref.resource == APPLICATIONS:
            return self._admits_application(row, clusters, facts)
        if clusters is not None and ref.cluster not in clusters:
            return False
        if self.namespace and ref.namespace != self.namespace:
            return False
        if self.application is not None:
            named = facts.application(row)
            return named in (self.application.name, f"{self.application.namespace}/{self.application.name}")
        return True

    def _admits_application(self, row: Row, clusters: frozenset[str] | None, facts: Facts) -> bool:
        if self.application is not None and row.ref != self.application:
            return False
        if self.namespace and self.namespace not in (row.ref.namespace, _target_namespace(row)):
            return False
        if clusters is None or self.application is not None:
            return True
        return facts.destination(row).rstrip("?") in clusters or row.ref.cluster in clusters


def _target_namespace(row: Row) -> str:
    destination = getattr(getattr(row.obj, "spec", None), "destination", None)
    return getattr(destination, "namespace", "") or ""


def groups(clusters: Iterable[Cluster]) -> list[tuple[str, ...]]:
    """Every group and every group above one, in order."""
    found = {cluster.groups[:depth] for cluster in clusters for depth in range(1, len(cluster.groups) + 1)}
    return sorted(found)


@dataclass(frozen=True, slots=True)
class View:
    """A pane with what it shows: enough to come back to it."""

    pane: str
    resource: str = ""  # of the pane for any kind
    scope: Scope = Scope()
    filter: str = ""
    faults: bool = False
    labels: str = ""  # a label selector that rows must match

    def scoped(self, scope: Scope) -> View:
        """The same pane for another part of the fleet."""
        return replace(self, scope=scope)


@dataclass(slots=True)
class History:
    """Views in the order they were visited, and the place in it, as in a browser."""

    views: list[View] = field(default_factory=list)
    at: int = -1
    before: View | None = None  # what `-` swaps with

    @property
    def current(self) -> View | None:
        """The view shown now."""
        return self.views[self.at] if self.at >= 0 else None

    def visit(self, view: View) -> None:
        """Go to a view; what was ahead is forgotten, as is the oldest past a hundred."""
        if view == self.current:
            return
        self.before = self.current
        self.views = [*self.views[: self.at + 1], view][-KEPT:]
        self.at = len(self.views) - 1

    def amend(self, view: View) -> None:
        """Remember the filter and the like of the current view."""
        if self.at >= 0:
            self.views[self.at] = view

    def step(self, by: int) -> View | None:
        """Move back (-1) or forward (1); None at the end."""
        if not 0 <= self.at + by < len(self.views):
            return None
        self.before = self.current
        self.at += by
        return self.current

    def swap(self) -> View | None:
        """The view before this one, which becomes the current one; None at the start."""
        if self.before is None:
            return None
        self.visit(self.before)
        return self.current
