"""Which kinds of a cluster must be watched to work out its verdicts, and where they stand."""

from __future__ import annotations

from typing import NamedTuple

from tui.domain.cilium.policy import CCNP, CNP, KNP, mapping, rules, sequence
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState, KindState, KindStatus
from tui.domain.kinds.single import API_SERVERS, CILIUM_AGENTS, CILIUM_CONFIG
from tui.domain.obj import Ref, Row
from tui.store import Store

POLICIES = (CNP, CCNP, KNP)
ENDPOINTS = "ciliumendpoints.cilium.io"
GROUPS = "ciliumcidrgroups.cilium.io"
NODE_CONFIGS = "ciliumnodeconfigs.cilium.io"
SLICES = "endpointslices.discovery.k8s.io"
CONFIG, AGENTS, SERVERS = CILIUM_CONFIG.resource, CILIUM_AGENTS.resource, API_SERVERS.resource
ALWAYS = (*POLICIES, "namespaces", "nodes", ENDPOINTS, GROUPS, NODE_CONFIGS, CONFIG, AGENTS, SERVERS)
EVERY = (*ALWAYS, "pods", "services", SLICES)
_TOLD = 3  # kinds that are still awaited, by name
_KNOWN = (KindState.LIVE, KindState.STALE)
_OPEN = (KindState.WAITING, KindState.LISTING)
_REFUSED = {KindState.DENIED: "may not be read", KindState.FAILED: "could not be read", KindState.ABSENT: "not served"}


class Standing(NamedTuple):
    """Where the watches of a cluster stand, as far as they matter here."""

    cluster: Cluster | None

    def status(self, resource: str) -> KindStatus | None:
        """The watch of a resource; None when it is not watched, or the cluster is not known."""
        return self.cluster.kinds.get(resource) if self.cluster is not None else None

    def known(self, resource: str) -> bool:
        """Whether it has been listed, so that what is not held is not there."""
        status = self.status(resource)
        return status is not None and status.state in _KNOWN

    def open(self, resource: str) -> bool:
        """Whether its first list has still to be waited for."""
        status = self.status(resource)
        return status is None or status.state in _OPEN

    def absent(self, resource: str) -> bool:
        """Whether the cluster does not serve it."""
        status = self.status(resource)
        return status is not None and status.state is KindState.ABSENT

    def refused(self, resource: str) -> str:
        """Why it is not known, in words: `may not be read: <reason>`; "" while it is known or still awaited."""
        status = self.status(resource)
        if status is None or status.state not in _REFUSED:
            return ""
        reason = " ".join(status.reason.split())
        return f"{_REFUSED[status.state]}: {reason}" if reason else _REFUSED[status.state]


def standing(store: Store, cluster: str) -> Standing:
    """Where the watches of a cluster stand."""
    row = store.get(Ref(cluster, CLUSTERS, "", cluster))
    return Standing(row.obj if row is not None else None)


def endpoints_from(store: Store, cluster: str) -> str:
    """The resource that tells the endpoints: CiliumEndpoints, or pods where there are none to be had; "" not yet."""
    stands = standing(store, cluster)
    lacking = bool(stands.refused(ENDPOINTS)) or _without_endpoints(store, cluster)
    if not lacking:
        return ENDPOINTS if stands.known(ENDPOINTS) else ""
    return "pods" if stands.known("pods") and stands.known("namespaces") else ""


def needed(store: Store, cluster: str, services: bool) -> frozenset[str]:
    """What to watch in a cluster for its verdicts, as far as it is known by now; more may be needed later.

    `services` tells whether its policies name any.
    """
    stands = standing(store, cluster)
    found = set(ALWAYS)
    if stands.refused(ENDPOINTS) or _without_endpoints(store, cluster):
        found.add("pods")
    if services:
        found.add("services")
        if any(not row.obj.spec.selector for row in store.rows("services", cluster)):
            found.add(SLICES)
    return frozenset(found)


def waiting(stands: Standing, cluster: str, needs: frozenset[str]) -> str:
    """Why nothing can be said about a cluster yet, or at all; "" when everything that is needed has answered."""
    if stands.cluster is None:
        return f"no cluster is called {cluster}"
    if stands.cluster.state is not ClusterState.LIVE and not any(stands.known(each) for each in POLICIES):
        reason = " ".join(stands.cluster.reason.split())
        return f"{cluster} is {stands.cluster.state.value}" + (f": {reason}" if reason else "")
    if awaited := sorted(_noun(each) for each in needs if stands.open(each)):
        more = f" and {len(awaited) - _TOLD} more" if len(awaited) > _TOLD else ""
        return f"loading {', '.join(awaited[:_TOLD])}{more}…"
    if all(stands.refused(each) for each in (ENDPOINTS, "pods")):
        return f"nothing tells the endpoints of {cluster}: pods {stands.refused('pods')}"
    return ""


def uses_services(store: Store, cluster: str) -> bool:
    """Whether a policy of the cluster names services, so that their selectors and addresses decide."""
    return any(_names_services(row) for resource in (CNP, CCNP) for row in store.rows(resource, cluster))


def _names_services(row: Row) -> bool:
    return any(
        "toServices" in mapping(entry)
        for rule in rules(row.obj, row.ref.resource)
        for section in ("egress", "egressDeny")
        for entry in sequence(rule.sections[section])
    )


def _without_endpoints(store: Store, cluster: str) -> bool:
    """Whether Cilium is told to write no CiliumEndpoints (`disable-endpoint-crd`)."""
    row = store.get(Ref(cluster, CONFIG, "kube-system", "cilium-config"))
    return row is not None and (row.obj.data or {}).get("disable-endpoint-crd", "").lower() == "true"


def _noun(resource: str) -> str:
    """`ciliumendpoints` of the resource's key; the name of a single object."""
    head, slash, name = resource.partition("/")
    return name if slash else head.partition(".")[0]
