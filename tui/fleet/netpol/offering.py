"""What exists in a running cluster that a rule can be about."""

from __future__ import annotations

from collections.abc import Callable

from tui.domain.cilium.model import CidrGroup, Endpoint, Service, Surroundings
from tui.domain.cilium.ruling.catalogue import Catalogue, catalogue
from tui.domain.cilium.select import pod_labels
from tui.domain.kinds.cilium import CiliumEndpoint, named_ports
from tui.domain.kinds.pods import Pod
from tui.fleet.netpol.needs import ENDPOINTS, GROUPS
from tui.fleet.netpol.watching import Netpol
from tui.store import Store

NEEDED = ("pods", "namespaces", "services", "nodes", ENDPOINTS, GROUPS)


def gathering(store: Store, netpol: Netpol, cluster: str) -> Callable[[], Catalogue]:
    """Reads the rows of a cluster now; what it returns makes the catalogue of them, which takes time: in a thread."""
    endpoints = list(store.rows(ENDPOINTS, cluster))
    pods = list(store.rows("pods", cluster))
    spaces = {row.ref.name: row.obj.metadata.labels or {} for row in store.rows("namespaces", cluster)}
    services = list(store.rows("services", cluster))
    groups = list(store.rows(GROUPS, cluster))
    nodes = [row.obj.metadata.labels or {} for row in store.rows("nodes", cluster)]
    written = netpol.written(cluster)

    def make() -> Catalogue:
        found = {f"{row.ref.namespace}/{row.ref.name}": _endpoint(row.obj) for row in endpoints}
        more: dict[str, list[str]] = {}
        for row in pods:
            name = f"{row.ref.namespace}/{row.ref.name}"
            found.setdefault(name, _pod(name, row.ref.namespace, row.obj, spaces.get(row.ref.namespace, {})))
            more[name] = _ports(row.obj)
        around = Surroundings(
            namespaces=spaces,
            cidr_groups=tuple(CidrGroup(row.ref.name, {}, ()) for row in groups),
            services=tuple(Service(row.ref.namespace, row.ref.name, {}, {}) for row in services),
        )
        return catalogue(found.values(), around, written, nodes, more)

    return make


def _endpoint(obj: CiliumEndpoint) -> Endpoint:
    identity = obj.status.identity if obj.status is not None else None
    labels = (identity.labels or ()) if identity else ()
    name = f"{obj.metadata.namespace}/{obj.metadata.name}"
    return Endpoint(tuple(labels), name, "", named_ports(obj))


def _pod(name: str, namespace: str, pod: Pod, labels: dict[str, str]) -> Endpoint:
    return Endpoint(pod_labels(pod.metadata.labels or {}, namespace, labels, pod.spec.service_account_name), name)


def _ports(pod: Pod) -> list[str]:
    """The ports of a pod's containers, those with a name by name first."""
    held = [port for container in pod.spec.containers or () for port in container.ports or ()]
    named = [f"{port.name}/{port.protocol or 'TCP'}" for port in held if port.name]
    return [*named, *(f"{port.container_port}/{port.protocol or 'TCP'}" for port in held)]
