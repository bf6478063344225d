"""The resources a believable cluster serves: Kubernetes' own, Argo CD's and Cilium's."""

from __future__ import annotations

from typing import Any

from tui.demo.apiserver import cells as c
from tui.demo.apiserver.cells import NONE, Obj
from tui.demo.apiserver.resource import VERBS, Cell, Column, ResourceType
from tui.demo.apiserver.schemas import schema_for

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
        _text("Access Modes", lambda obj, now: ",".join(c.at(obj, "status.accessModes", ()))),
        _text("StorageClass", "spec.storageClassName"),
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
        _text("Endpoint State", "status.state"),
        _text(
            "IPv4", lambda obj, now: next((a.get("ipv4") for a in c.at(obj, "status.networking.addressing", ())), "")
        ),
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


_SCALED = ("status", "scale")

# kind, plural, short names, categories, subresources; a cluster-scoped kind starts with "*"
_Row = tuple[str, str, str, str, tuple[str, ...]]
_ROWS: dict[tuple[str, str], tuple[_Row, ...]] = {
    ("", "v1"): (
        ("ConfigMap", "configmaps", "cm", "", ()),
        ("Endpoints", "endpoints", "ep", "", ()),
        ("Event", "events", "ev", "", ()),
        ("LimitRange", "limitranges", "limits", "", ()),
        ("*Namespace", "namespaces", "ns", "", ("status",)),
        ("*Node", "nodes", "no", "", ("status", "proxy")),
        ("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "", ("status",)),
        ("*PersistentVolume", "persistentvolumes", "pv", "", ("status",)),
        ("Pod", "pods", "po", "all", ("status", "log", "exec", "attach", "portforward", "proxy")),
        ("ReplicationController", "replicationcontrollers", "rc", "all", _SCALED),
        ("ResourceQuota", "resourcequotas", "quota", "", ("status",)),
        ("Secret", "secrets", "", "", ()),
        ("ServiceAccount", "serviceaccounts", "sa", "", ()),
        ("Service", "services", "svc", "all", ("status", "proxy")),
    ),
    ("admissionregistration.k8s.io", "v1"): (
        ("*MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", "api-extensions", ()),
        ("*ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", "api-extensions", ()),
    ),
    ("apiextensions.k8s.io", "v1"): (
        ("*CustomResourceDefinition", "customresourcedefinitions", "crd crds", "api-extensions", ("status",)),
    ),
    ("apiregistration.k8s.io", "v1"): (("*APIService", "apiservices", "", "api-extensions", ("status",)),),
    ("apps", "v1"): (
        ("ControllerRevision", "controllerrevisions", "", "", ()),
        ("DaemonSet", "daemonsets", "ds", "all", ("status",)),
        ("Deployment", "deployments", "deploy", "all", _SCALED),
        ("ReplicaSet", "replicasets", "rs", "all", _SCALED),
        ("StatefulSet", "statefulsets", "sts", "all", _SCALED),
    ),
    ("autoscaling", "v2"): (("HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "all", ("status",)),),
    ("batch", "v1"): (
        ("CronJob", "cronjobs", "cj", "all", ("status",)),
        ("Job", "jobs", "", "all", ("status",)),
    ),
    ("coordination.k8s.io", "v1"): (("Lease", "leases", "", "", ()),),
    ("discovery.k8s.io", "v1"): (("EndpointSlice", "endpointslices", "", "", ()),),
    ("events.k8s.io", "v1"): (("Event", "events", "ev", "", ()),),
    ("networking.k8s.io", "v1"): (
        ("*IngressClass", "ingressclasses", "", "", ()),
        ("Ingress", "ingresses", "ing", "", ("status",)),
        ("NetworkPolicy", "networkpolicies", "netpol", "", ()),
    ),
    ("policy", "v1"): (("PodDisruptionBudget", "poddisruptionbudgets", "pdb", "", ("status",)),),
    ("rbac.authorization.k8s.io", "v1"): (
        ("*ClusterRoleBinding", "clusterrolebindings", "", "", ()),
        ("*ClusterRole", "clusterroles", "", "", ()),
        ("RoleBinding", "rolebindings", "", "", ()),
        ("Role", "roles", "", "", ()),
    ),
    ("scheduling.k8s.io", "v1"): (("*PriorityClass", "priorityclasses", "pc", "", ()),),
    ("storage.k8s.io", "v1"): (("*StorageClass", "storageclasses", "sc", "", ()),),
    ("argoproj.io", "v1alpha1"): (
        ("Application", "applications", "app apps", "", ()),
        ("ApplicationSet", "applicationsets", "appset appsets", "", ("status",)),
        ("AppProject", "appprojects", "appproj appprojs", "", ()),
    ),
    ("cilium.io", "v2"): (
        ("*CiliumCIDRGroup", "ciliumcidrgroups", "ccg", "cilium", ()),
        (
            "*CiliumClusterwideNetworkPolicy",
            "ciliumclusterwidenetworkpolicies",
            "ccnp",
            "cilium ciliumpolicy",
            ("status",),
        ),
        ("CiliumEndpoint", "ciliumendpoints", "cep ciliumep", "cilium", ()),
        ("*CiliumIdentity", "ciliumidentities", "ciliumid", "cilium", ()),
        ("CiliumNetworkPolicy", "ciliumnetworkpolicies", "cnp ciliumnp", "cilium ciliumpolicy", ("status",)),
        ("*CiliumNode", "ciliumnodes", "cn ciliumn", "cilium", ("status",)),
    ),
}

_CUSTOM_GROUPS = ("argoproj.io", "cilium.io")
_SINGULARS = {"Endpoints": "endpoints"}


def _type(group: str, version: str, row: _Row) -> ResourceType:
    kind, plural, short_names, categories, subresources = row
    kind, cluster_scoped = kind.removeprefix("*"), kind.startswith("*")
    name = f"{plural}.{group}" if group else plural
    desired = group not in ("", "events.k8s.io", "rbac.authorization.k8s.io", "coordination.k8s.io", "storage.k8s.io")
    return ResourceType(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        namespaced=not cluster_scoped,
        short_names=tuple(short_names.split()),
        categories=tuple(categories.split()),
        columns=COLUMNS.get(name, ()),
        schema=schema_for(name),
        verbs=VERBS,
        subresources=subresources,
        custom=group in _CUSTOM_GROUPS,
        singular=_SINGULARS.get(kind, ""),
        generation=desired,
    )


BUILTIN: tuple[ResourceType, ...] = tuple(
    _type(group, version, row) for (group, version), rows in _ROWS.items() for row in rows
)


def builtin(*groups: str) -> tuple[ResourceType, ...]:
    """The built-in resources without those of other custom groups: `builtin("argoproj.io")` has no Cilium kinds."""
    return tuple(r for r in BUILTIN if not r.custom or r.group in groups)
