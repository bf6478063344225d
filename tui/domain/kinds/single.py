"""Single objects that are watched by their name, so that nothing else of their kind is read.

They are in no table: they say how a cluster is set up, and other answers are worked out from them.
"""

from __future__ import annotations

from tui.domain.kinds.apps import Workload
from tui.domain.kinds.kind import Kind
from tui.domain.kinds.networking import EndpointSlice
from tui.domain.obj import Object

SYSTEM = "kube-system"


class ConfigMap(Object, frozen=True, gc=False):
    """The record of a ConfigMap whose content is read."""

    data: dict[str, str] | None = None


def _single(plural: str, kind: str, group: str, namespace: str, name: str, record: type[Object]) -> Kind:
    return Kind(
        plural=plural,
        kind=kind,
        group=group,
        record=record,
        field_selector=f"metadata.name={name}",
        within=namespace,
        called=f"{plural}.{group}/{name}" if group else f"{plural}/{name}",
    )


CILIUM_CONFIG = _single("configmaps", "ConfigMap", "", SYSTEM, "cilium-config", ConfigMap)
CILIUM_AGENTS = _single("daemonsets", "DaemonSet", "apps", SYSTEM, "cilium", Workload)
API_SERVERS = _single("endpointslices", "EndpointSlice", "discovery.k8s.io", "default", "kubernetes", EndpointSlice)

SINGLE: dict[str, Kind] = {kind.resource: kind for kind in (CILIUM_CONFIG, CILIUM_AGENTS, API_SERVERS)}
