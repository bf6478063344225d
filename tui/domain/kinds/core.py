"""Kinds of the core group: nodes, namespaces, services, events and what else every cluster has."""

from __future__ import annotations

import msgspec

from tui.domain import when
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Health, Kind, Value
from tui.domain.kinds.pods import PODS, Condition
from tui.domain.obj import Meta, Object


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


# --- namespaces -------------------------------------------------------------------------------------------------------


class _Phase(_Struct, frozen=True, gc=False):
    phase: str = ""


class Namespace(Object, frozen=True, gc=False):
    """The record of a namespace's row."""

    status: _Phase = _Phase()


NAMESPACES = Kind(
    plural="namespaces",
    kind="Namespace",
    namespaced=False,
    short=("ns",),
    record=Namespace,
    watch="always",
    state=lambda obj, facts: c.state_cell(obj.status.phase),
    columns=c.cluster_scoped(c.of("status", "STATUS", lambda obj: obj.status.phase, c.show_state, 14), c.LABELS),
)

# --- nodes ------------------------------------------------------------------------------------------------------------


class _NodeInfo(_Struct, frozen=True, gc=False):
    kubelet_version: str = ""
    os_image: str = ""
    kernel_version: str = ""
    container_runtime_version: str = ""
    architecture: str = ""


class _Address(_Struct, frozen=True, gc=False):
    type: str = ""
    address: str = ""


class _NodeSpec(_Struct, frozen=True, gc=False):
    unschedulable: bool = False


class _NodeStatus(_Struct, frozen=True, gc=False):
    conditions: tuple[Condition, ...] | None = None
    addresses: tuple[_Address, ...] | None = None
    node_info: _NodeInfo = _NodeInfo()
    capacity: dict[str, str | int] | None = None


class Node(Object, frozen=True, gc=False):
    """The record of a node's row."""

    spec: _NodeSpec = _NodeSpec()
    status: _NodeStatus = _NodeStatus()


def node_status(node: Node) -> str:
    """kubectl's STATUS: `Ready`, `NotReady`, `Unknown`, with `,SchedulingDisabled` when cordoned."""
    found = next((each for each in node.status.conditions or () if each.type == "Ready"), None)
    word = "Unknown" if found is None else "Ready" if found.status == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if node.spec.unschedulable else word


def node_roles(node: Node) -> str:
    """Roles from the `node-role.kubernetes.io/<role>` labels; "" when it has none."""
    prefix = "node-role.kubernetes.io/"
    labels = node.metadata.labels or {}
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix) and key != prefix}
    return ",".join(sorted(roles | {labels["kubernetes.io/role"]} if labels.get("kubernetes.io/role") else roles))


def _address(node: Node) -> str:
    return next((each.address for each in node.status.addresses or () if each.type == "InternalIP"), "")


def _pressure(node: Node) -> str:
    """Conditions other than Ready that are True: MemoryPressure, DiskPressure …"""
    return ",".join(
        each.type for each in node.status.conditions or () if each.type != "Ready" and each.status == "True"
    )


NODES = Kind(
    plural="nodes",
    kind="Node",
    namespaced=False,
    short=("no",),
    record=Node,
    watch="always",
    state=lambda obj, facts: c.state_cell(node_status(obj)),
    columns=(
        c.CLUSTER,
        c.NAME,
        c.of("status", "STATUS", node_status, c.show_state, 20, least=9),
        c.of("roles", "ROLES", node_roles, width=16),
        c.of("version", "VERSION", lambda node: node.status.node_info.kubelet_version, width=14, sort=c.natural),
        c.of("ip", "INTERNAL-IP", _address, c.show_muted, 15),
        c.of("pressure", "PRESSURE", _pressure, c.show_bad, 16),
        c.of(
            "cpu",
            "CPU",
            lambda node: str((node.status.capacity or {}).get("cpu", "")),
            width=5,
            right=True,
            wide=True,
            sort=c.quantity,
        ),
        c.of("memory", "MEMORY", lambda node: str((node.status.capacity or {}).get("memory", "")), width=12, wide=True),
        c.of("os", "OS-IMAGE", lambda node: node.status.node_info.os_image, c.show_muted, 24, wide=True),
        c.of("kernel", "KERNEL", lambda node: node.status.node_info.kernel_version, c.show_muted, 20, wide=True),
        c.of("runtime", "RUNTIME", lambda n: n.status.node_info.container_runtime_version, c.show_muted, 20, wide=True),
        c.AGE,
    ),
)

# --- services ---------------------------------------------------------------------------------------------------------


class _Ingress(_Struct, frozen=True, gc=False):
    ip: str = ""
    hostname: str = ""


class LoadBalancer(_Struct, frozen=True, gc=False):
    ingress: tuple[_Ingress, ...] | None = None


class LoadBalancerStatus(_Struct, frozen=True, gc=False):
    load_balancer: LoadBalancer = LoadBalancer()


class ServicePort(_Struct, frozen=True, gc=False):
    name: str = ""
    port: int = 0
    node_port: int = 0
    target_port: int | str | None = None  # of the pods: a number or a name; None is `port`
    protocol: str = "TCP"


class _ServiceSpec(_Struct, frozen=True, gc=False):
    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    external_ips: tuple[str, ...] | None = msgspec.field(default=None, name="externalIPs")
    external_name: str = ""
    ports: tuple[ServicePort, ...] | None = None
    selector: dict[str, str] | None = None


class Service(Object, frozen=True, gc=False):
    """The record of a service's row."""

    spec: _ServiceSpec = _ServiceSpec()
    status: LoadBalancerStatus = LoadBalancerStatus()


def balancer_addresses(balancer: LoadBalancer) -> str:
    """Addresses or host names a load balancer gave out, joined by commas."""
    return ",".join(each.ip or each.hostname for each in balancer.ingress or ())


def service_health(service: Service) -> Health:
    """Argo CD: a LoadBalancer without an address is Progressing, every other service Healthy."""
    waiting = service.spec.type == "LoadBalancer" and not service.status.load_balancer.ingress
    return Health("Progressing" if waiting else "Healthy")


def _external(service: Service) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return spec.external_name
    found = [*filter(None, [balancer_addresses(service.status.load_balancer)]), *(spec.external_ips or ())]
    return ",".join(found) or ("<pending>" if spec.type == "LoadBalancer" else "")


def _ports(service: Service) -> str:
    return ",".join(
        f"{each.port}:{each.node_port}/{each.protocol}" if each.node_port else f"{each.port}/{each.protocol}"
        for each in service.spec.ports or ()
    )


SERVICES = Kind(
    plural="services",
    kind="Service",
    short=("svc",),
    record=Service,
    health=service_health,
    state=lambda obj, facts: c.state_cell(service_health(obj).status),
    columns=c.namespaced(
        c.of("type", "TYPE", lambda obj: obj.spec.type, width=13),
        c.of("clusterIP", "CLUSTER-IP", lambda obj: obj.spec.cluster_ip, c.show_muted, 15),
        c.of("external", "EXTERNAL", _external, width=20),
        c.of("ports", "PORTS", _ports, width=24, grow=1),
        c.of(
            "selector",
            "SELECTOR",
            lambda obj: ",".join(f"{k}={v}" for k, v in (obj.spec.selector or {}).items()),
            wide=True,
        ),
    ),
)

# --- events -----------------------------------------------------------------------------------------------------------


class InvolvedObject(_Struct, frozen=True, gc=False):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    api_version: str = ""


class _EventSource(_Struct, frozen=True, gc=False):
    component: str = ""


class _Series(_Struct, frozen=True, gc=False):
    count: int = 0
    last_observed_time: str | None = None


class EventAnnotations(msgspec.Struct, frozen=True, gc=False):
    """What Argo CD writes on its Events."""

    user: str = ""
    tracking_id: str = msgspec.field(default="", name="argocd.argoproj.io/tracking-id")


class EventMeta(Meta, frozen=True, gc=False, rename="camel"):
    """Metadata of an Event, with the annotation that names the user."""

    annotations: EventAnnotations | None = None  # type: ignore[assignment]


class Event(Object, frozen=True, gc=False, rename="camel"):
    """The record of a Kubernetes Event's row."""

    metadata: EventMeta = EventMeta()
    involved_object: InvolvedObject = InvolvedObject()
    reason: str = ""
    message: str = ""
    type: str = ""
    count: int = 0
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: _Series | None = None
    source: _EventSource = _EventSource()
    reporting_component: str = ""


def event_time(event: Event) -> float | None:
    """When it last happened, seconds since the epoch: the series, lastTimestamp, eventTime or creation, as kubectl."""
    series = event.series.last_observed_time if event.series else None
    for text in (series, event.last_timestamp, event.event_time, event.first_timestamp):
        if (moment := when.seconds(text)) is not None:
            return moment
    return when.seconds(event.metadata.creation_timestamp)


def _times(event: Event) -> Value:
    return max(event.count, event.series.count if event.series else 0, 1)


EVENTS = Kind(
    plural="events",
    kind="Event",
    short=("ev",),
    record=Event,
    watch="hub",
    field_selector="involvedObject.kind=Application",
    columns=(
        c.CLUSTER,
        c.NAMESPACE,
        c.of("last", "LAST SEEN", event_time, c.show_age, 9, right=True, time=True),
        c.of("type", "TYPE", lambda obj: obj.type, c.show_state, 10),
        c.of("reason", "REASON", lambda obj: obj.reason, width=20),
        c.of("object", "OBJECT", lambda o: f"{o.involved_object.kind}/{o.involved_object.name}", c.show_name, 30),
        c.of("message", "MESSAGE", lambda obj: " ".join(obj.message.split()), width=60, grow=3),
        c.of("count", "COUNT", _times, c.show_count, 5, right=True),
        c.column("name", "NAME", lambda row, facts: row.ref.name, c.show_muted, 30, wide=True),
    ),
)

# --- configuration and identity ---------------------------------------------------------------------------------------

CONFIGMAPS = Kind(plural="configmaps", kind="ConfigMap", short=("cm",), columns=c.namespaced(c.LABELS))
SECRETS = Kind(plural="secrets", kind="Secret", metadata_only=True, columns=c.namespaced(c.LABELS))
SERVICEACCOUNTS = Kind(plural="serviceaccounts", kind="ServiceAccount", short=("sa",), columns=c.namespaced(c.LABELS))

# --- volumes ----------------------------------------------------------------------------------------------------------


class _ClaimSpec(_Struct, frozen=True, gc=False):
    volume_name: str = ""
    storage_class_name: str | None = None
    access_modes: tuple[str, ...] | None = None


class _ClaimStatus(_Struct, frozen=True, gc=False):
    phase: str = ""
    capacity: dict[str, str | int] | None = None


class PersistentVolumeClaim(Object, frozen=True, gc=False):
    """The record of a claim's row."""

    spec: _ClaimSpec = _ClaimSpec()
    status: _ClaimStatus = _ClaimStatus()


class _ClaimRef(_Struct, frozen=True, gc=False):
    namespace: str = ""
    name: str = ""


class _VolumeSpec(_Struct, frozen=True, gc=False):
    capacity: dict[str, str | int] | None = None
    storage_class_name: str = ""
    persistent_volume_reclaim_policy: str = ""
    claim_ref: _ClaimRef | None = None


class PersistentVolume(Object, frozen=True, gc=False):
    """The record of a volume's row."""

    spec: _VolumeSpec = _VolumeSpec()
    status: _Phase = _Phase()


def claim_health(claim: PersistentVolumeClaim) -> Health:
    """Argo CD: Lost is Degraded, Pending Progressing, Bound Healthy."""
    return Health({"Lost": "Degraded", "Pending": "Progressing", "Bound": "Healthy"}.get(claim.status.phase, "Unknown"))


def _phase_state(obj: Object, facts: Facts) -> Cell:
    return c.state_cell(obj.status.phase)  # type: ignore[attr-defined]


PERSISTENTVOLUMECLAIMS = Kind(
    plural="persistentvolumeclaims",
    kind="PersistentVolumeClaim",
    short=("pvc",),
    record=PersistentVolumeClaim,
    health=claim_health,
    state=_phase_state,
    columns=c.namespaced(
        c.of("status", "STATUS", lambda obj: obj.status.phase, c.show_state, 11),
        c.of("volume", "VOLUME", lambda obj: obj.spec.volume_name, c.show_muted, 24),
        c.of(
            "capacity",
            "CAPACITY",
            lambda o: str((o.status.capacity or {}).get("storage", "")),
            width=9,
            right=True,
            sort=c.quantity,
        ),
        c.of("class", "CLASS", lambda obj: obj.spec.storage_class_name, width=14),
    ),
)

PERSISTENTVOLUMES = Kind(
    plural="persistentvolumes",
    kind="PersistentVolume",
    namespaced=False,
    short=("pv",),
    record=PersistentVolume,
    state=_phase_state,
    columns=c.cluster_scoped(
        c.of("status", "STATUS", lambda obj: obj.status.phase, c.show_state, 11),
        c.of(
            "capacity",
            "CAPACITY",
            lambda obj: str((obj.spec.capacity or {}).get("storage", "")),
            width=9,
            right=True,
            sort=c.quantity,
        ),
        c.of(
            "claim",
            "CLAIM",
            lambda o: f"{o.spec.claim_ref.namespace}/{o.spec.claim_ref.name}" if o.spec.claim_ref else "",
        ),
        c.of("class", "CLASS", lambda obj: obj.spec.storage_class_name, width=14),
        c.of("reclaim", "RECLAIM", lambda obj: obj.spec.persistent_volume_reclaim_policy, c.show_muted, 8),
    ),
)

KINDS = (
    PODS,
    SERVICES,
    NODES,
    NAMESPACES,
    EVENTS,
    CONFIGMAPS,
    SECRETS,
    SERVICEACCOUNTS,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
)
