"""The cluster tree on the left: choosing a node scopes every pane."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.domain.argo.application import of_row
from tui.domain.argo.tree import needs
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.kinds import POLICY_RESOURCES
from tui.domain.obj import Ref
from tui.ui import keys
from tui.ui.frame import LOADING, NO_CLUSTERS
from tui.ui.panes.base import Pane
from tui.ui.panes.nodes import ALL, NEEDED, Nodes
from tui.ui.scope import APPLICATIONS, Scope, View
from tui.ui.widgets.tree import LazyTree

RELOAD = 0.5  # seconds between two reloads while things change
SLICE = 0.004  # seconds that nodes are asked for at a stretch, so that a key never waits longer
AGES = 5.0  # seconds after which the ages of clusters that are not heard are written anew
_ALWAYS = (CLUSTERS, APPLICATIONS, "namespaces", "nodes", *POLICY_RESOURCES)
_WATCHED = (*_ALWAYS, *NEEDED)


class TreePane(Pane):
    """Groups, clusters, and what is in them."""

    TITLE = "Clusters"
    PLACES = ("list", "object")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("object", "instead")]

    def __init__(self) -> None:
        super().__init__(View("tree"))
        self.id = "tree"
        self.nodes: Nodes | None = None
        self.lines = LazyTree(self._children, empty=LOADING)
        self._revs = dict.fromkeys(_WATCHED, 0)  # revision up to which changes of each resource are shown
        self._moved = self._relocations = 0  # and of the destinations
        self._looked = self._aged = 0.0  # times of the last look for changes, and of the last ages written
        self._stale: dict[Hashable, None] = {}  # open nodes to be asked for again, in this order

    def compose(self) -> ComposeResult:
        yield self.lines

    def take_focus(self) -> None:
        self.lines.focus()

    def _children(self, node: Hashable) -> list:
        if self.nodes is None:
            self.nodes = Nodes(self.fleet.store, self.fleet.facts, self.fleet_app.accents)
            self.nodes.scope = self.fleet_app.shell.scope
        return self.nodes.children(node) if self.fleet.store.count(CLUSTERS) else []

    def pull(self) -> None:
        """Ask again for what is open and may have changed, a portion at a time; what is on the screen first."""
        self.lines.set_empty(NO_CLUSTERS if self.fleet.contexts == () else LOADING)
        scope = self.fleet_app.shell.scope
        chosen = self.nodes is not None and self.nodes.scope != scope
        if self.nodes is not None:
            self.nodes.scope = scope
        if chosen or time.monotonic() - self._looked >= RELOAD:
            self._note(chosen)
        if self._stale:
            end = time.perf_counter() + SLICE
            self.lines.reload_some(self._until(end))
            if self._stale:
                self.fleet_app.tick_again()

    def _until(self, end: float) -> Iterator[Hashable]:
        """Nodes to be asked for again, at least one, until the time has come."""
        while self._stale:
            node = next(iter(self._stale))
            del self._stale[node]
            yield node
            if time.perf_counter() >= end:
                return

    def _note(self, everything: bool) -> None:
        """Put the open nodes that may have changed on the list of those to be asked for again."""
        self._looked = time.monotonic()
        changed = self._changed()
        everything |= changed is None or (
            self._looked - self._aged >= AGES
            and any(row.obj.state is not ClusterState.LIVE for row in self.fleet.store.rows(CLUSTERS))
        )
        if not (everything or changed):
            return
        if everything:
            self._aged = self._looked
        stale = {
            node: None
            for node in (None, *self.lines.expanded_ids)
            if everything or (cluster := _cluster_of(node)) is None or (changed and cluster in changed)
        }
        self._stale = {node: None for node in self.lines.parents_in_view if node in stale} | self._stale | stale

    def _changed(self) -> set[str] | None:
        """The clusters below which something has changed since the last time; None when that may be all of them."""
        store, facts = self.fleet.store, self.fleet.facts
        found: set[str] = set()
        everything = facts.relocations != self._relocations or bool(facts.moved_since(self._moved))
        self._moved, self._relocations = facts.places_rev, facts.relocations
        for resource, seen in self._revs.items():
            if store.resource_rev(resource) <= seen:
                continue
            changes = store.changes_since(seen, resource)
            self._revs[resource] = changes.rev
            found.update(ref.cluster for ref in (*changes.changed, *changes.removed))
            if resource == APPLICATIONS:  # they stand below where they deploy to
                found.update(name.rstrip("?") for name in facts.destinations(changes.changed))
        return None if everything else found

    def here(self) -> Ref | None:
        node = self.lines.cursor_id
        if isinstance(node, tuple) and node[0] == "cluster":
            return Ref(node[1], CLUSTERS, "", node[1])
        if isinstance(node, tuple) and node[0] == "resource":
            node = node[2]
        return node if isinstance(node, Ref) else None

    def on_lazy_tree_toggled(self, event: LazyTree.Toggled) -> None:
        """Watch the workloads of the clusters in which a namespace or an Application is open."""
        event.stop()
        needed, open_in = set(NEEDED), set()
        for node in self.lines.expanded_ids:
            row = self.fleet.store.get(node) if isinstance(node, Ref) else None
            if isinstance(node, tuple) and node[0] == "namespace":
                open_in.add(node[1])
            elif row is not None and row.ref.resource == APPLICATIONS:
                needed |= needs(of_row(row))
                open_in.add(self.fleet.facts.destination(row).rstrip("?"))
        if open_in:
            self.fleet.look("tree", needed, open_in)
        else:
            self.fleet.unlook("tree")

    async def on_lazy_tree_opened(self, event: LazyTree.Opened) -> None:
        """Enter: scope the panes, or open the object."""
        event.stop()
        node = event.id
        if isinstance(node, Ref):
            self.fleet_app.show_object(node)
        elif isinstance(node, tuple):
            await self._choose(node)

    async def _choose(self, node: tuple) -> None:
        shell = self.fleet_app.shell
        match node[0]:
            case "all":
                await shell.rescope(Scope())
            case "group":
                await shell.rescope(Scope(group=tuple(node[1:])))
            case "cluster":
                await shell.rescope(Scope(cluster=node[1]))
            case "namespace":
                await shell.rescope(Scope(cluster=node[1], namespace=node[2]))
            case "applications" | "policies":
                await shell.visit(View(node[0], scope=Scope(cluster=node[1])))
            case "namespaces" | "nodes":
                await shell.visit(View("objects", node[0], Scope(cluster=node[1])))
            case "kind":
                await shell.visit(View("objects", node[2], Scope(cluster=node[1])))
            case "resource":
                self._open_resource(node[1], node[2])
            case "custom":
                self.lines.expand_node(node)

    def _open_resource(self, application: Ref, key: Hashable) -> None:
        """Open an object of an Application; one that is not there, or that no table shows, in its resource tree."""
        if isinstance(key, Ref) and self.fleet.store.get(key) is not None:
            self.fleet_app.show_object(key)
        else:
            self.fleet_app.show_object(application, "resources")

    def action_filter(self) -> None:
        """Filter the nodes as one types."""
        self.fleet_app.ask_filter(self)

    def set_filter(self, text: str) -> None:
        """Show the nodes that match."""
        self.lines.set_filter(text)
        self.title(f"/{text}" if text else "")
        self.filter = text

    def clear(self) -> bool:
        if self.filter:
            self.set_filter("")
            return True
        return False


def _cluster_of(node: Hashable) -> str | None:
    """The cluster whose changes a node may show; None for groups, and for Applications, whose objects lie anywhere."""
    if isinstance(node, Ref):
        return None if node.resource == APPLICATIONS else node.cluster
    if isinstance(node, tuple) and node[0] != "group" and isinstance(node[1], str):
        return node[1]
    return None


__all__ = ["ALL", "TreePane"]
