"""Which endpoints policies select, kept up with the store: an index per cluster, a remembered answer per policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tui.domain.cilium.policy import KNP, Policy
from tui.domain.cilium.select import EndpointIndex, node_rules, pod_labels, policy_mask
from tui.domain.kinds.cilium import CiliumEndpoint
from tui.domain.kinds.core import Node
from tui.domain.kinds.pods import Pod
from tui.domain.obj import Ref, Row
from tui.domain.selector import Selector, from_object
from tui.store import Store

ENDPOINTS = "ciliumendpoints.cilium.io"
_REMEMBERED = 50_000  # answers; policies that are gone are forgotten with the rest when there are more


class Selections:
    """Answers per policy. `known(cluster, resource)` tells whether a resource has been listed in a cluster."""

    def __init__(self, store: Store, known: Callable[[str, str], bool]) -> None:
        self._store = store
        self._known = known
        self._indexes: dict[tuple[str, str], EndpointIndex] = {}  # (resource, cluster)
        self._revs: dict[str, int] = {}
        self._namespaces_rev = -1
        self._masks: dict[Ref, tuple[Policy, EndpointIndex, int, int]] = {}

    def count(self, row: Row) -> int | None:
        """How many endpoints or nodes a policy selects in its cluster; None when they are not known."""
        nodes = self._nodes(row)
        if nodes is not None:
            return len(nodes) if self._known(row.ref.cluster, "nodes") else None
        index, _ = self._index(row.ref.cluster)
        return None if index is None else index.count(self._mask(row, index))

    def members(self, row: Row) -> tuple[list[Ref], str]:
        """The selected objects, and what they are: `endpoints`, `pods`, `nodes`; ([], "") when they are not known."""
        nodes = self._nodes(row)
        if nodes is not None:
            return (nodes, "nodes") if self._known(row.ref.cluster, "nodes") else ([], "")
        index, told_from = self._index(row.ref.cluster)
        return ([], "") if index is None else (index.members(self._mask(row, index)), told_from)

    def uncovered(self, cluster: str, policies: Iterable[Row]) -> tuple[list[Ref], str]:
        """The endpoints that none of a cluster's policies selects, and what they are; ([], "") when not known."""
        index, told_from = self._index(cluster)
        if index is None:
            return [], ""
        covered = 0
        for row in policies:
            covered |= self._mask(row, index)
        return index.members(index.mask(()) & ~covered), told_from

    def _mask(self, row: Row, index: EndpointIndex) -> int:
        held = self._masks.get(row.ref)
        if held is not None and held[0] is row.obj and held[1] is index and held[2] == index.generation:
            return held[3]
        if len(self._masks) >= _REMEMBERED:
            self._masks.clear()
        mask = policy_mask(index, row.obj, row.ref.resource)
        self._masks[row.ref] = (row.obj, index, index.generation, mask)
        return mask

    def _nodes(self, row: Row) -> list[Ref] | None:
        """The nodes a policy selects; None when it selects endpoints."""
        if row.ref.resource == KNP or not (found := node_rules(row.obj, row.ref.resource)):
            return None
        selectors = [_node_selector(rule.selector) for rule in found]
        return sorted(
            node.ref
            for node in self._store.rows("nodes", row.ref.cluster)
            if any(each is not None and each.matches(_labels(node.obj)) for each in selectors)
        )

    def _index(self, cluster: str) -> tuple[EndpointIndex | None, str]:
        """The index to ask in a cluster: its CiliumEndpoints, else its pods, else none."""
        if self._known(cluster, ENDPOINTS):
            self._read(ENDPOINTS)
            return self._indexes.setdefault((ENDPOINTS, cluster), EndpointIndex()), "endpoints"
        if self._known(cluster, "pods"):
            self._read("pods")
            return self._indexes.setdefault(("pods", cluster), EndpointIndex()), "pods"
        return None, ""

    def _read(self, resource: str) -> None:
        """Take in what changed. Labels of namespaces are part of a pod's, so with them every pod is read anew."""
        seen = self._revs.get(resource, 0)
        if resource == "pods" and (rev := self._store.resource_rev("namespaces")) != self._namespaces_rev:
            self._namespaces_rev, seen = rev, 0
        if seen and self._store.resource_rev(resource) <= seen:
            return
        changes = self._store.changes_since(seen, resource)
        if changes.reset:
            for key in [key for key in self._indexes if key[0] == resource]:
                del self._indexes[key]
        self._revs[resource] = changes.rev
        for ref in changes.removed:
            self._at(ref).remove(ref)
        for ref in changes.changed:
            row = self._store.get(ref)
            labels = self._identity(row) if row is not None else None
            if labels is None:
                self._at(ref).remove(ref)
            else:
                self._at(ref).put(ref, labels)

    def _at(self, ref: Ref) -> EndpointIndex:
        index = self._indexes.get((ref.resource, ref.cluster))
        if index is None:
            index = self._indexes[ref.resource, ref.cluster] = EndpointIndex()
        return index

    def _identity(self, row: Row) -> tuple[str, ...] | None:
        """The identity labels of an endpoint or pod; None when it is not policed."""
        if row.ref.resource == ENDPOINTS:
            endpoint: CiliumEndpoint = row.obj
            identity = endpoint.status.identity if endpoint.status else None
            return (identity.labels or ()) if identity else ()
        pod: Pod = row.obj
        done = pod.status.phase in ("Succeeded", "Failed")
        if done or pod.spec.host_network or not pod.status.pod_ip:
            return None
        space = self._store.get(Ref(row.ref.cluster, "namespaces", "", row.ref.namespace))
        labels = (space.obj.metadata.labels or {}) if space else {}
        return pod_labels(pod.metadata.labels or {}, row.ref.namespace, labels, pod.spec.service_account_name)


def _labels(node: Node) -> dict[str, str]:
    return node.metadata.labels or {}


def _node_selector(selector: object) -> Selector | None:
    try:
        found = from_object(selector)
    except ValueError:  # it selects nothing: Cilium rejects such a policy
        return None
    plain = tuple(each._replace(key=each.key.removeprefix("k8s:").removeprefix("any:")) for each in found.requirements)
    return Selector(plain)
