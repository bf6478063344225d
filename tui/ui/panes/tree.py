"""The cluster tree on the left: choosing a node scopes every pane."""

from __future__ import annotations

import time
from collections.abc import Hashable
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
AGES = 5.0  # seconds after which the ages of clusters that are not heard are written anew
_ALWAYS = (CLUSTERS, APPLICATIONS, "namespaces", "nodes", *POLICY_RESOURCES)
_PANES = {"applications": "applications", "policies": "policies"}


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
        self._rev = -1
        self._loaded = 0.0
        self._groups: set[Hashable] = set()
        self._looked: dict[str, bool] = {}

    def compose(self) -> ComposeResult:
        yield self.lines

    def take_focus(self) -> None:
        self.lines.focus()

    def _children(self, node: Hashable) -> list:
        if self.nodes is None:
            self.nodes = Nodes(self.fleet.store, self.fleet.facts)
        return self.nodes.children(node) if self.fleet.store.count(CLUSTERS) else []

    def pull(self) -> None:
        """Ask again for what is open, when something in it has changed."""
        self.lines.set_empty(NO_CLUSTERS if self.fleet.contexts == () else LOADING)
        scope = self.fleet_app.shell.scope
        rev = self.fleet.store.resource_rev(*_ALWAYS, *NEEDED)
        chosen = self.nodes is not None and self.nodes.scope != scope
        elapsed = time.monotonic() - self._loaded
        aged = elapsed >= AGES and any(
            row.obj.state is not ClusterState.LIVE for row in self.fleet.store.rows(CLUSTERS)
        )
        if not (chosen or aged) and (rev == self._rev or elapsed < RELOAD):
            return
        self._rev, self._loaded = rev, time.monotonic()
        if self.nodes is not None:
            self.nodes.scope = scope
        self.lines.reload()
        self._open_groups()

    def _open_groups(self) -> None:
        """A group that was not there before is shown open."""
        for node in self.lines.visible_ids:
            if isinstance(node, tuple) and node[0] == "group" and node not in self._groups:
                self._groups.add(node)
                self.lines.expand_node(node)

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


__all__ = ["ALL", "TreePane"]
