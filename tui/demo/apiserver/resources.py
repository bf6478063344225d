"""The resources a believable cluster serves: Kubernetes' own, Argo CD's and Cilium's."""

from __future__ import annotations

from tui.demo.apiserver.columns import COLUMNS
from tui.demo.apiserver.events import VIEW
from tui.demo.apiserver.resource import VERBS, ResourceType
from tui.demo.apiserver.schemas import schema_for

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
        ("*CiliumEgressGatewayPolicy", "ciliumegressgatewaypolicies", "cegp", "cilium ciliumpolicy", ()),
        ("CiliumEndpoint", "ciliumendpoints", "cep ciliumep", "cilium", ()),
        ("*CiliumExternalWorkload", "ciliumexternalworkloads", "cew", "cilium", ("status",)),
        ("*CiliumIdentity", "ciliumidentities", "ciliumid", "cilium", ("status",)),
        ("CiliumLocalRedirectPolicy", "ciliumlocalredirectpolicies", "clrp", "cilium ciliumpolicy", ()),
        ("CiliumNetworkPolicy", "ciliumnetworkpolicies", "cnp ciliumnp", "cilium ciliumpolicy", ("status",)),
        ("CiliumNodeConfig", "ciliumnodeconfigs", "", "cilium", ()),
        ("*CiliumNode", "ciliumnodes", "cn ciliumn", "cilium", ("status",)),
    ),
    ("cilium.io", "v2alpha1"): (("*CiliumEndpointSlice", "ciliumendpointslices", "ces", "cilium", ()),),
}

_CUSTOM_GROUPS = ("argoproj.io", "cilium.io")
_SINGULARS = {"Endpoints": "endpoints"}


def _type(group: str, version: str, row: _Row) -> ResourceType:
    kind, plural, short_names, categories, subresources = row
    kind, cluster_scoped = kind.removeprefix("*"), kind.startswith("*")
    name = f"{plural}.{group}" if group else plural
    view = VIEW if name == "events.events.k8s.io" else None
    desired = group not in ("", "events.k8s.io", "rbac.authorization.k8s.io", "coordination.k8s.io", "storage.k8s.io")
    return ResourceType(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        namespaced=not cluster_scoped,
        short_names=tuple(short_names.split()),
        categories=tuple(categories.split()),
        columns=COLUMNS.get("events" if view else name, ()),
        schema=schema_for(name),
        verbs=VERBS,
        subresources=subresources,
        custom=group in _CUSTOM_GROUPS,
        singular=_SINGULARS.get(kind, ""),
        generation=desired,
        view=view,
    )


BUILTIN: tuple[ResourceType, ...] = tuple(
    _type(group, version, row) for (group, version), rows in _ROWS.items() for row in rows
)


def builtin(*groups: str) -> tuple[ResourceType, ...]:
    """The built-in resources without those of other custom groups: `builtin("argoproj.io")` has no Cilium kinds."""
    return tuple(r for r in BUILTIN if not r.custom or r.group in groups)
