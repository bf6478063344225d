"""Table columns of the built-in resources, as `kubectl get` shows them."""

from __future__ import annotations

from typing import Any

from tui.demo.apiserver import cells as c
from tui.demo.apiserver.cells import NONE, Obj
from tui.demo.apiserver.resource import Cell, Column

_NAME = Column("Name", c.name, format="name", description="Name must be unique within a namespace.")
_AGE = Column("Age", c.age, description="Time since the object was created.")
PLAIN = (_NAME, _AGE)  # columns of every resource that declares none


def _path(path: str, default: Any = "") -> Cell:
    def cell(obj: Obj, now: float) -> Any:
        return c.at(obj, path, default)

    return cell


def _when(path: str, default: str = NONE) -> Cell:
    def cell(obj: Obj, now: float) -> Any:
        found = c.at(obj, path)
        return c.age_of(found, now) if found else default

    return cell


def _condition(type_: str) -> Cell:
    return lambda obj, now: c.condition(obj, type_)


def _count(path: str) -> Cell:
    return lambda obj, now: len(c.at(obj, path, ()))


def _number(name: str, path: str, default: int = 0) -> Column:
    return Column(name, _path(path, default), type="integer")


def _text(name: str, cell: Cell | str, default: Any = "", wide: bool = False) -> Column:
    return Column(name, _path(cell, default) if isinstance(cell, str) else cell, priority=int(wide))


def _first(path: str, key: str) -> Cell:
    return lambda obj, now: next((entry[key] for entry in c.at(obj, path, ()) if entry.get(key)), "")


def _list(path: str) -> Cell:
    return lambda obj, now: ",".join(str(value) for value in c.at(obj, path, ()))


_CREATED = (_NAME, _text("Created At", "metadata.creationTimestamp"))
_TEMPLATE = (
    _text("Containers", c.containers, wide=True),
    _text("Images", c.images, wide=True),
    _text("Selector", c.template_selector, wide=True),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        _text("Ready", c.pod_ready),
        _text("Status", c.pod_status),
        _text("Restarts", c.pod_restarts),
        _AGE,
        _text("IP", "status.podIP", NONE, wide=True),
        _text("Node", "spec.nodeName", NONE, wide=True),
        _text("Nominated Node", "status.nominatedNodeName", NONE, wide=True),
        _text("Readiness Gates", c.readiness_gates, wide=True),
    ),
    "services": (
        _NAME,
        _text("Type", "spec.type", "ClusterIP"),
        _text("Cluster-IP", "spec.clusterIP", NONE),
        _text("External-IP", c.external_ip),
        _text("Port(s)", c.ports),
        _AGE,
        _text("Selector", c.template_selector, wide=True),
    ),
    "endpoints": (_NAME, _text("Endpoints", c.addresses), _AGE),
    "nodes": (
        _NAME,
        _text("Status", c.node_status),
        _text("Roles", c.node_roles),
        _AGE,
        _text("Version", "status.nodeInfo.kubeletVersion"),
        _text("Internal-IP", c.node_address("InternalIP"), wide=True),
        _text("External-IP", c.node_address("ExternalIP"), wide=True),
        _text("OS-Image", "status.nodeInfo.osImage", c.UNKNOWN, wide=True),
        _text("Kernel-Version", "status.nodeInfo.kernelVersion", c.UNKNOWN, wide=True),
        _text("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", c.UNKNOWN, wide=True),
    ),
    "namespaces": (_NAME, _text("Status", "status.phase", "Active"), _AGE),
    "configmaps": (_NAME, Column("Data", _count("data"), type="integer"), _AGE),
    "secrets": (_NAME, _text("Type", "type", "Opaque"), Column("Data", _count("data"), type="integer"), _AGE),
    "serviceaccounts": (_NAME, Column("Secrets", _count("secrets"), type="integer"), _AGE),
    "events": (
        _text("Last Seen", c.last_seen),
        _text("Type", "type"),
        _text("Reason", "reason"),
        _text("Object", c.event_object),
        _text("Subobject", "involvedObject.fieldPath", wide=True),
        _text("Source", c.event_source, wide=True),
        _text("Message", lambda obj, now: str(obj.get("message", "")).strip()),
        _text("First Seen", c.first_seen, wide=True),
        Column("Count", _path("count", 1), type="integer", priority=1),
        Column("Name", c.name, format="name", priority=1),
    ),
    "persistentvolumeclaims": (
        _NAME,
        _text("Status", "status.phase"),
        _text("Volume", "spec.volumeName"),
        _text("Capacity", "status.capacity.storage"),
        _text("Access Modes", _list("status.accessModes")),
        _text("StorageClass", "spec.storageClassName"),
        _AGE,
    ),
    "replicationcontrollers": (
        _NAME,
        _number("Desired", "spec.replicas", 1),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    "persistentvolumes": (
        _NAME,
        _text("Capacity", "spec.capacity.storage"),
        _text("Access Modes", _list("spec.accessModes")),
        _text("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
        _text("Status", "status.phase"),
        _text(
            "Claim", lambda obj, now: "/".join(str(c.at(obj, f"spec.claimRef.{k}", "")) for k in ("namespace", "name"))
        ),
        _text("StorageClass", "spec.storageClassName"),
        _AGE,
    ),
    "resourcequotas": (_NAME, _text("Request", c.quota("requests.")), _text("Limit", c.quota("limits.")), _AGE),
    "horizontalpodautoscalers.autoscaling": (
        _NAME,
        _text("Reference", lambda obj, now: c.reference(c.at(obj, "spec.scaleTargetRef", {}))),
        _text("Targets", c.targets),
        _text("MinPods", lambda obj, now: str(c.at(obj, "spec.minReplicas", "<unset>"))),
        _number("MaxPods", "spec.maxReplicas"),
        _number("Replicas", "status.currentReplicas"),
        _AGE,
    ),
    "poddisruptionbudgets.policy": (
        _NAME,
        _text("Min Available", lambda obj, now: str(c.at(obj, "spec.minAvailable", "N/A"))),
        _text("Max Unavailable", lambda obj, now: str(c.at(obj, "spec.maxUnavailable", "N/A"))),
        _number("Allowed Disruptions", "status.disruptionsAllowed"),
        _AGE,
    ),
    "controllerrevisions.apps": (
        _NAME,
        _text("Controller", c.controller),
        Column("Revision", _path("revision", 0), type="integer"),
        _AGE,
    ),
    "leases.coordination.k8s.io": (_NAME, _text("Holder", "spec.holderIdentity"), _AGE),
    "endpointslices.discovery.k8s.io": (
        _NAME,
        _text("AddressType", "addressType"),
        _text("Ports", lambda obj, now: c.joined(port.get("port") for port in c.at(obj, "ports", ()))),
        _text(
            "Endpoints",
            lambda obj, now: c.joined(a for e in c.at(obj, "endpoints", ()) for a in e.get("addresses") or ()),
        ),
        _AGE,
    ),
    "ingressclasses.networking.k8s.io": (
        _NAME,
        _text("Controller", "spec.controller"),
        _text("Parameters", lambda obj, now: c.reference(c.at(obj, "spec.parameters", {}))),
        _AGE,
    ),
    "storageclasses.storage.k8s.io": (
        _NAME,
        _text("Provisioner", "provisioner"),
        _text("ReclaimPolicy", "reclaimPolicy", "Delete"),
        _text("VolumeBindingMode", "volumeBindingMode", "Immediate"),
        Column("AllowVolumeExpansion", _path("allowVolumeExpansion", False), type="boolean"),
        _AGE,
    ),
    "priorityclasses.scheduling.k8s.io": (
        _NAME,
        Column("Value", _path("value", 0), type="integer"),
        Column("Global-Default", _path("globalDefault", False), type="boolean"),
        _AGE,
    ),
    "roles.rbac.authorization.k8s.io": _CREATED,
    "clusterroles.rbac.authorization.k8s.io": _CREATED,
    "rolebindings.rbac.authorization.k8s.io": (
        _NAME,
        _text("Role", lambda obj, now: c.reference(obj.get("roleRef", {}))),
        _AGE,
    ),
    "clusterrolebindings.rbac.authorization.k8s.io": (
        _NAME,
        _text("Role", lambda obj, now: c.reference(obj.get("roleRef", {}))),
        _AGE,
    ),
    "limitranges": _CREATED,
    "customresourcedefinitions.apiextensions.k8s.io": _CREATED,
    "apiservices.apiregistration.k8s.io": (
        _NAME,
        _text("Service", lambda obj, now: c.service_of(obj)),
        _text("Available", lambda obj, now: c.condition(obj, "Available") or "True"),
        _AGE,
    ),
    "deployments.apps": (
        _NAME,
        _text("Ready", c.deployment_ready),
        _number("Up-to-date", "status.updatedReplicas"),
        _number("Available", "status.availableReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    "replicasets.apps": (
        _NAME,
        _number("Desired", "spec.replicas", 1),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        _AGE,
        *_TEMPLATE,
    ),
    "statefulsets.apps": (_NAME, _text("Ready", c.deployment_ready), _AGE, *_TEMPLATE[:2]),
    "daemonsets.apps": (
        _NAME,
        _number("Desired", "status.desiredNumberScheduled"),
        _number("Current", "status.currentNumberScheduled"),
        _number("Ready", "status.numberReady"),
        _number("Up-to-date", "status.updatedNumberScheduled"),
        _number("Available", "status.numberAvailable"),
        _text("Node Selector", lambda obj, now: c.selector_text(c.at(obj, "spec.template.spec.nodeSelector"))),
        _AGE,
        *_TEMPLATE,
    ),
    "jobs.batch": (
        _NAME,
        _text("Status", c.job_status),
        _text("Completions", c.job_completions),
        _text("Duration", c.job_duration),
        _AGE,
        *_TEMPLATE,
    ),
    "cronjobs.batch": (
        _NAME,
        _text("Schedule", "spec.schedule"),
        _text("Timezone", "spec.timeZone", NONE),
        _text("Suspend", lambda obj, now: str(bool(c.at(obj, "spec.suspend", False)))),
        Column("Active", _count("status.active"), type="integer"),
        _text("Last Schedule", _when("status.lastScheduleTime")),
        _AGE,
    ),
    "ingresses.networking.k8s.io": (
        _NAME,
        _text("Class", "spec.ingressClassName", NONE),
        _text("Hosts", c.ingress_hosts),
        _text("Address", lambda obj, now: "" if (ip := c.external_ip(obj, now)) == NONE else ip),
        _text("Ports", lambda obj, now: "80, 443" if c.at(obj, "spec.tls") else "80"),
        _AGE,
    ),
    "networkpolicies.networking.k8s.io": (
        _NAME,
        _text("Pod-Selector", lambda obj, now: c.selector_text(c.at(obj, "spec.podSelector"))),
        _AGE,
    ),
    "applications.argoproj.io": (
        _NAME,
        _text("Sync Status", "status.sync.status"),
        _text("Health Status", "status.health.status"),
        _text("Revision", "status.sync.revision", wide=True),
        _text("Project", "spec.project", wide=True),
    ),
    "ciliumnetworkpolicies.cilium.io": (_NAME, _AGE, _text("Valid", _condition("Valid"))),
    "ciliumclusterwidenetworkpolicies.cilium.io": (_NAME, _text("Valid", _condition("Valid"))),
    "ciliumendpoints.cilium.io": (
        _NAME,
        _number("Security Identity", "status.identity.id"),
        _text("Ingress Enforcement", "status.policy.ingress.state", wide=True),
        _text("Egress Enforcement", "status.policy.egress.state", wide=True),
        _text("Endpoint State", "status.state"),
        _text("IPv4", _first("status.networking.addressing", "ipv4")),
        _text("IPv6", _first("status.networking.addressing", "ipv6")),
    ),
    "ciliumexternalworkloads.cilium.io": (
        _NAME,
        _number("Cilium ID", "status.id"),
        _text("IP", "status.ip"),
    ),
    "ciliumidentities.cilium.io": (
        _NAME,
        _text("Namespace", lambda obj, now: c.at(obj, "metadata.labels", {}).get("io.kubernetes.pod.namespace", "")),
        _AGE,
    ),
    "ciliumnodes.cilium.io": (
        _NAME,
        _text("CiliumInternalIP", lambda obj, now: _address(obj, "CiliumInternalIP")),
        _text("InternalIP", lambda obj, now: _address(obj, "InternalIP")),
        _AGE,
    ),
}


def _address(obj: Obj, type_: str) -> Any:
    return next((a.get("ip") for a in c.at(obj, "spec.addresses", ()) if a.get("type") == type_), "")
