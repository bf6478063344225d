"""Services: their addresses, and the EndpointSlices that name the pods behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.demo.controllers import pods as p
from tui.demo.controllers.owned import place

if TYPE_CHECKING:
    from tui.demo.controllers.cluster import SimulatedCluster

Obj = dict[str, Any]

SLICES = "endpointslices.discovery.k8s.io"


def reconcile(cluster: SimulatedCluster, obj: Obj) -> None:
    """Give a service its address and bring its EndpointSlice up to date."""
    if not obj["spec"].get("clusterIP"):
        obj = _addressed(cluster, obj)
    selector = obj["spec"].get("selector")
    if selector:
        _slice(cluster, obj, selector)


def selecting(cluster: SimulatedCluster, pod: Obj) -> list[Obj]:
    """Services of the pod's namespace that select it."""
    labels = pod["metadata"].get("labels") or {}
    return [
        service
        for service in cluster.storage.list("services", pod["metadata"]["namespace"])
        if (selector := service["spec"].get("selector")) and selector.items() <= labels.items()
    ]


def same_behind(old: Obj | None, new: Obj) -> bool:
    """Whether a pod's change is none of a service's business: same address, readiness and fate."""
    if old is None:
        return False
    return all(view(old) == view(new) for view in (_address, p.ready, lambda pod: _leaving(pod)))


def _address(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("podIP", ""))


def _leaving(pod: Obj) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _addressed(cluster: SimulatedCluster, obj: Obj) -> Obj:
    def write(live: Obj) -> None:
        address = cluster.service_address()
        live["spec"] |= {
            "clusterIP": address,
            "clusterIPs": [address],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
        }
        live.setdefault("status", {"loadBalancer": {}})

    return cluster.storage.patch("services", *place(obj), write)


def _slice(cluster: SimulatedCluster, service: Obj, selector: dict[str, str]) -> None:
    namespace, name = place(service)
    zones = {node.name: node.zone for node in cluster.nodes}
    endpoints, ports = [], _ports(service, [])
    for pod in cluster.storage.list("pods", namespace):
        labels = pod["metadata"].get("labels") or {}
        if not selector.items() <= labels.items() or not _address(pod):
            continue
        ready, leaving = p.ready(pod), _leaving(pod)
        node = pod["spec"].get("nodeName", "")
        ports = _ports(service, pod["spec"]["containers"])
        endpoints.append(
            {
                "addresses": [_address(pod)],
                "conditions": {"ready": ready and not leaving, "serving": ready, "terminating": leaving},
                "nodeName": node,
                "targetRef": {
                    "kind": "Pod",
                    "name": pod["metadata"]["name"],
                    "namespace": namespace,
                    "uid": pod["metadata"]["uid"],
                },
                "zone": zones.get(node, ""),
            }
        )
    cluster.storage.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-{p.short_hash(service['metadata']['uid'], 5)}",
                "namespace": namespace,
                "creationTimestamp": service["metadata"]["creationTimestamp"],
                "labels": {
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                    "kubernetes.io/service-name": name,
                },
                "ownerReferences": [p.owner_reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }
    )


def _ports(service: Obj, containers: list[Obj]) -> list[Obj]:
    """A service's ports as numbers of the pods; a named port is looked up in the containers."""
    named = {port.get("name"): port["containerPort"] for entry in containers for port in entry.get("ports") or ()}
    result = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else named.get(target)
        result.append({"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")})
    return result
