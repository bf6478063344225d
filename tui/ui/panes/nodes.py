"""The cluster tree as values: what stands below each node, worked out from the store when it is asked for.

Node ids are tuples whose first word says what they are; the id of an object is its Ref.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import attrgetter

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.tree import Node as Resource
from tui.domain.argo.tree import flatten
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState
from tui.domain.kinds import KINDS, POLICY_RESOURCES
from tui.domain.kinds.columns import HEALTH_ORDER, tone_of
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Ref, Row
from tui.fleet.derive import StoreFacts
from tui.store import Store
from tui.ui import words
from tui.ui.accents import Accents
from tui.ui.panes import freshness
from tui.ui.scope import APPLICATIONS, Scope
from tui.ui.widgets.tree import Node

ALL = ("all",)
WORKLOADS = ("deployments.apps", "statefulsets.apps", "daemonsets.apps", "cronjobs.batch", "jobs.batch")
BELOW = ("replicasets.apps", "jobs.batch", "pods")  # what workloads own
NEEDED = (*WORKLOADS, "replicasets.apps", "pods")  # watched while a namespace is open
CUSTOM = tuple(
    resource
    for resource, kind in KINDS.items()
    if "." in kind.group and not kind.group.endswith(("k8s.io", "argoproj.io"))
)
_ORDER = {word: rank for rank, word in enumerate(HEALTH_ORDER)}


class Nodes:
    """Answers what stands below a node, from what the store holds now."""

    def __init__(self, store: Store, facts: StoreFacts, accents: Accents | None = None) -> None:
        self.store = store
        self.facts = facts
        self.accents = accents or Accents(store, ())
        self.scope = Scope()  # its node is shown in the accent colour
        self._trees: dict[Ref, dict[Hashable, Resource]] = {}  # of the Applications that are open
        self._old_hubs: tuple[int, bool] = (-1, False)  # whether some hub's Applications are not kept up
        self._clusters: tuple[int, list[Cluster], dict[str, list[Cluster]]] = (-1, [], {})

    def children(self, node: Hashable) -> list[Node]:
        """The nodes below `node`, or the roots for None."""
        if node is None:
            return [self._all(), *self._groups(())]
        if isinstance(node, Ref):
            return self._resources(node) if node.resource == APPLICATIONS else self._owned(node)
        assert isinstance(node, tuple)
        match node[0]:
            case "group":
                return self._groups(node[1:])
            case "cluster":
                return self._cluster(node[1])
            case "applications":
                return [self._object(row, expandable=True) for row in self.applications(node[1])]
            case "resource":
                found = self._trees.get(node[1], {}).get(node[2])
                return [self._resource(node[1], child) for child in found.children] if found is not None else []
            case "namespaces":
                return [self._namespace(row) for row in self._sorted("namespaces", node[1])]
            case "nodes":
                return [self._object(row) for row in self._sorted("nodes", node[1])]
            case "namespace":
                return self._workloads(node[1], node[2])
            case "custom":
                return [self._kind(node[1], resource) for resource in CUSTOM]
        return []

    def applications(self, cluster: str) -> list[Row]:
        """The Applications that deploy to a cluster, worst health first."""
        rows = [row for ref in self.facts.deployed(cluster) if (row := self.store.get(ref)) is not None]
        rows.sort(key=lambda row: (-_ORDER.get(row.obj.status.health.status, 9), row.ref.name))
        return rows

    # -- parts ----------------------------------------------------------------------------------------------------

    def _all(self) -> Node:
        clusters = self.store.count(CLUSTERS)
        tone = Tone.ACCENT if self.scope == Scope() else Tone.PLAIN
        return Node(ALL, (Cell("✻", Tone.MUTED), Cell("All clusters", tone)), (Cell(str(clusters), Tone.MUTED),))

    def _groups(self, path: tuple[str, ...]) -> list[Node]:
        """Groups below a path, then the clusters that are in it directly."""
        depth = len(path)
        clusters, guests = self._known()
        groups: dict[str, list[Cluster]] = {}
        direct = []
        for cluster in clusters:
            if cluster.groups[:depth] != path:
                continue
            if len(cluster.groups) > depth:
                groups.setdefault(cluster.groups[depth], []).append(cluster)
            elif not cluster.host or cluster not in guests.get(cluster.host, ()):
                direct.append(cluster)
        made = [self._group((*path, name), members) for name, members in sorted(groups.items())]
        return made + [self._cluster_node(cluster) for cluster in direct]

    def _known(self) -> tuple[list[Cluster], dict[str, list[Cluster]]]:
        """(all clusters by name, those that run in another one by the name of that one)."""
        rev = self.store.resource_rev(CLUSTERS)
        if rev != self._clusters[0]:
            every = sorted((row.obj for row in self.store.rows(CLUSTERS)), key=_name)
            names = {cluster.metadata.name for cluster in every}
            guests: dict[str, list[Cluster]] = {}
            for cluster in every:
                if cluster.host in names:
                    guests.setdefault(cluster.host, []).append(cluster)
            self._clusters = (rev, every, guests)
        return self._clusters[1:]

    def _group(self, path: tuple[str, ...], members: list[Cluster]) -> Node:
        live = sum(cluster.state is ClusterState.LIVE for cluster in members)
        chosen = self.scope.group == path and not self.scope.cluster
        tone = self.accents.of_group(path) or (Tone.ACCENT if chosen else Tone.PLAIN)
        aside = Cell(f"{live}/{len(members)}", Tone.MUTED if live == len(members) else Tone.WARN)
        return Node(("group", *path), (Cell(path[-1], tone),), (aside,), expandable=True, open=True)

    def _cluster_node(self, cluster: Cluster) -> Node:
        name = cluster.metadata.name
        glyph, tone = tone_of(cluster.state.value)
        chosen = self.scope.cluster == name and not self.scope.namespace
        label = (Cell(glyph, tone), Cell(name, self.accents.of(name) or (Tone.ACCENT if chosen else Tone.PLAIN)))
        aside: list[Cell] = []
        if cluster.state is not ClusterState.LIVE and cluster.heard:
            aside.append(Cell(when.age(self.facts.now - cluster.heard), Tone.MUTED))
        counts = self.facts.health_counts(name)
        for word in reversed(HEALTH_ORDER):
            if counts.get(word) and (word != "Healthy" or not aside):
                shape, health = tone_of(word)
                counted = Cell(f"{shape}{counts[word]}", health)
                aside.append(freshness.quiet(counted) if self._hubs_stale() else counted)
        return Node(("cluster", name), label, tuple(aside[:3]), expandable=True)

    def _hubs_stale(self) -> bool:
        rev = self.store.resource_rev(CLUSTERS)
        if rev != self._old_hubs[0]:
            self._old_hubs = (rev, bool(freshness.stale(self.store, [APPLICATIONS], self.facts.now)))
        return self._old_hubs[1]

    def _stale(self, cluster: str, *resources: str) -> bool:
        """Whether what is held of a cluster is not kept up: then nothing of it says "fine" or "now"."""
        return freshness.of(self.store, cluster, resources, self.facts.now) is not None

    def _cluster(self, name: str) -> list[Node]:
        policies = [self.facts.count(name, resource) for resource in POLICY_RESOURCES]
        known = [number for number in policies if number is not None]
        made = [
            self._folder("applications", name, "Applications", sum(self.facts.health_counts(name).values()), True),
            self._folder("namespaces", name, "Namespaces", self.facts.count(name, "namespaces"), True),
            self._folder("policies", name, "Policies", sum(known) if known else None, False),
            self._folder("nodes", name, "Nodes", self.facts.count(name, "nodes"), True),
            Node(("custom", name), (Cell("Custom resources", Tone.MUTED),), expandable=True),
        ]
        return made + [self._cluster_node(guest) for guest in self._known()[1].get(name, ())]

    def _folder(self, word: str, cluster: str, title: str, count: int | None, expandable: bool) -> Node:
        aside = Cell("?" if count is None else str(count), Tone.UNKNOWN if count is None else Tone.MUTED)
        return Node((word, cluster), (Cell(title, Tone.MUTED),), (aside,), expandable and count != 0)

    def _namespace(self, row: Row) -> Node:
        cluster, name = row.ref.cluster, row.ref.name
        chosen = self.scope.cluster == cluster and self.scope.namespace == name
        return Node(("namespace", cluster, name), (Cell(name, Tone.ACCENT if chosen else Tone.PLAIN),), expandable=True)

    def _kind(self, cluster: str, resource: str) -> Node:
        count = self.facts.count(cluster, resource)
        aside = () if count is None else (Cell(str(count), Tone.MUTED),)
        return Node(("kind", cluster, resource), (Cell(KINDS[resource].kind),), aside)

    def _workloads(self, cluster: str, namespace: str) -> list[Node]:
        """Workloads nobody owns, and pods nobody owns."""
        made = []
        for resource in (*WORKLOADS, "pods"):
            for row in self._sorted(resource, cluster):
                if row.ref.namespace == namespace and not row.obj.metadata.owner_references:
                    made.append(self._object(row, resource in WORKLOADS))
        return made or [Node(("none", cluster, namespace), (Cell("no workloads, or not loaded yet", Tone.MUTED),))]

    def _owned(self, ref: Ref) -> list[Node]:
        """Pods and Jobs of a workload; ReplicaSets are stepped over."""
        row = self.store.get(ref)
        if row is None:
            return []
        made = []
        for child in sorted(self.store.children(row.obj.metadata.uid), key=attrgetter("ref")):
            if child.ref.cluster != ref.cluster:
                continue
            if child.ref.resource == "replicasets.apps":
                made += self._owned(child.ref)
            elif child.ref.resource in BELOW:
                made.append(self._object(child, child.ref.resource == "jobs.batch"))
        return made

    def _resources(self, ref: Ref) -> list[Node]:
        """The resource tree of an Application. Its nodes are kept until it is asked for again."""
        row = self.store.get(ref)
        if row is None:
            return []
        roots = self.facts.tree(row)
        held = self._trees[ref] = {_key(node): node for _, node in flatten(roots)}
        made = [self._resource(ref, node) for key, node in held.items() if node.edge == "managed" and key is not None]
        if made:
            return made
        why = words.unknown_resources(argo.of_row(row))
        told = Cell(f"not known: {why}", Tone.UNKNOWN) if why else Cell("it manages nothing", Tone.MUTED)
        return [Node(("none", ref), (told,))]

    def _resource(self, application: Ref, node: Resource) -> Node:
        health = node.health.status if node.health else ""
        word = node.state or health
        glyph, tone = tone_of(health) if health else ("·", Tone.MUTED)
        if node.sync == "OutOfSync" and health in ("", "Healthy"):
            word, (glyph, tone) = ("Prune" if node.pruning else "OutOfSync"), tone_of("OutOfSync")
        if self._stale(application.cluster, APPLICATIONS) or (node.ref is not None and self._stale(node.ref.cluster)):
            tone = freshness.quiet(Cell(glyph, tone)).tone
        known = KINDS.get(node.ref.resource) if node.ref is not None else None
        kind = known.short[0] if known is not None and known.short else node.kind
        label = (Cell(glyph, tone), Cell(f"{kind}/{node.name}"))
        quiet = tone in (Tone.GOOD, Tone.MUTED) or not word
        aside = () if quiet else (Cell(word, tone),)
        return Node(("resource", application, _key(node)), label, aside, expandable=bool(node.children))

    def _object(self, row: Row, expandable: bool = False) -> Node:
        kind = KINDS[row.ref.resource]
        state = kind.state(row.obj, self.facts) if kind.state else Cell("", Tone.PLAIN)
        if self._stale(row.ref.cluster, row.ref.resource):
            state = freshness.quiet(state)
        glyph, _, word = state.text.partition(" ")
        chosen = self.scope.application == row.ref
        name = Cell(row.ref.name, Tone.ACCENT if chosen else Tone.PLAIN)
        label = (Cell(glyph, state.tone), name) if state.text else (name,)
        quiet = state.tone in (Tone.GOOD, Tone.MUTED) or not word
        return Node(row.ref, label, () if quiet else (Cell(word, state.tone),), expandable)

    def _sorted(self, resource: str, cluster: str) -> Iterable[Row]:
        return sorted(self.store.rows(resource, cluster), key=attrgetter("ref"))


def _key(node: Resource) -> Hashable:
    return node.ref or (node.group, node.kind, node.namespace, node.name)


def _name(cluster: Cluster) -> str:
    return cluster.metadata.name
