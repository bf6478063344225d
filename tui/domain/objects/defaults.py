"""What the API server and controllers write into objects: what one would not declare in Git.

Two tables, by kind. `DEFAULTS`: a value is left out when it equals the default, so nothing that was chosen is lost.
`ASSIGNED`: values that are given to this one object in this one cluster. Paths as in `yamledit`, with `*` for each item
of a list or each value of a mapping. Sources: Kubernetes' `pkg/apis/*/v*/defaults.go` (1.29 to 1.34) and the admission
plugins that are on by default (DefaultTolerationSeconds, Priority, ServiceAccount, StorageObjectInUseProtection).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.edits.base import pod_template
from tui.domain.yamlvalue import same

_PROBE: tuple[tuple[str, Any], ...] = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
    ("httpGet.scheme", "HTTP"),
    ("grpc.service", ""),
)
_CONTAINER: tuple[tuple[str, Any], ...] = (
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
    ("resources", {}),
    ("ports.*.protocol", "TCP"),
    ("env.*.valueFrom.fieldRef.apiVersion", "v1"),
    ("lifecycle.postStart.httpGet.scheme", "HTTP"),
    ("lifecycle.preStop.httpGet.scheme", "HTTP"),
    *((f"{probe}Probe.{path}", value) for probe in ("liveness", "readiness", "startup") for path, value in _PROBE),
)
_CLAIM: tuple[tuple[str, Any], ...] = (("volumeMode", "Filesystem"),)
_POD: tuple[tuple[str, Any], ...] = (
    ("restartPolicy", "Always"),
    ("dnsPolicy", "ClusterFirst"),
    ("terminationGracePeriodSeconds", 30),
    ("schedulerName", "default-scheduler"),
    ("securityContext", {}),
    ("enableServiceLinks", True),
    ("volumes.*.configMap.defaultMode", 420),
    ("volumes.*.secret.defaultMode", 420),
    ("volumes.*.downwardAPI.defaultMode", 420),
    ("volumes.*.downwardAPI.items.*.fieldRef.apiVersion", "v1"),
    ("volumes.*.projected.defaultMode", 420),
    ("volumes.*.projected.sources.*.serviceAccountToken.expirationSeconds", 3600),
    ("volumes.*.projected.sources.*.downwardAPI.items.*.fieldRef.apiVersion", "v1"),
    ("volumes.*.hostPath.type", ""),
    ("volumes.*.ephemeral.volumeClaimTemplate.spec.volumeMode", "Filesystem"),
    *((f"{group}.*.{path}", value) for group in ("containers", "initContainers") for path, value in _CONTAINER),
)
_NOT_READY, _UNREACHABLE = (
    {"key": f"node.kubernetes.io/{why}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for why in ("not-ready", "unreachable")
)
_WEBHOOK: tuple[tuple[str, Any], ...] = (
    ("webhooks.*.matchPolicy", "Equivalent"),
    ("webhooks.*.timeoutSeconds", 10),
    ("webhooks.*.failurePolicy", "Fail"),
    ("webhooks.*.namespaceSelector", {}),
    ("webhooks.*.objectSelector", {}),
    ("webhooks.*.reinvocationPolicy", "Never"),
    ("webhooks.*.rules.*.scope", "*"),
    ("webhooks.*.clientConfig.service.port", 443),
)

DEFAULTS: dict[str, tuple[tuple[str, Any], ...]] = {
    "Deployment": (
        ("spec.strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
        ("spec.progressDeadlineSeconds", 600),
        ("spec.revisionHistoryLimit", 10),
    ),
    "StatefulSet": (
        ("spec.podManagementPolicy", "OrderedReady"),
        ("spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
        ("spec.updateStrategy", {"type": "RollingUpdate"}),
        ("spec.revisionHistoryLimit", 10),
        ("spec.persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"}),
        *((f"spec.volumeClaimTemplates.*.spec.{path}", value) for path, value in _CLAIM),
    ),
    "DaemonSet": (
        ("spec.updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        ("spec.revisionHistoryLimit", 10),
    ),
    "Job": (
        ("spec.backoffLimit", 6),
        ("spec.completionMode", "NonIndexed"),
        ("spec.suspend", False),
        ("spec.manualSelector", False),
        ("spec.podReplacementPolicy", "TerminatingOrFailed"),
    ),
    "CronJob": (
        ("spec.concurrencyPolicy", "Allow"),
        ("spec.suspend", False),
        ("spec.successfulJobsHistoryLimit", 3),
        ("spec.failedJobsHistoryLimit", 1),
    ),
    "Service": (
        ("spec.type", "ClusterIP"),
        ("spec.sessionAffinity", "None"),
        ("spec.sessionAffinityConfig", {"clientIP": {"timeoutSeconds": 10800}}),
        ("spec.internalTrafficPolicy", "Cluster"),
        ("spec.externalTrafficPolicy", "Cluster"),
        ("spec.allocateLoadBalancerNodePorts", True),
        ("spec.ports.*.protocol", "TCP"),
    ),
    "PersistentVolumeClaim": tuple((f"spec.{path}", value) for path, value in _CLAIM),
    "PersistentVolume": (("spec.volumeMode", "Filesystem"), ("spec.persistentVolumeReclaimPolicy", "Retain")),
    "StorageClass": (("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")),
    "PriorityClass": (("preemptionPolicy", "PreemptLowerPriority"), ("globalDefault", False)),
    "NetworkPolicy": (("spec.ingress.*.ports.*.protocol", "TCP"), ("spec.egress.*.ports.*.protocol", "TCP")),
    "Namespace": (("spec.finalizers", ["kubernetes"]),),
    "CustomResourceDefinition": (("spec.conversion", {"strategy": "None"}), ("spec.preserveUnknownFields", False)),
    "ValidatingWebhookConfiguration": _WEBHOOK,
    "MutatingWebhookConfiguration": _WEBHOOK,
    "Pod": (("spec.priority", 0), ("spec.preemptionPolicy", "PreemptLowerPriority")),
}
"""(path, default) of each kind; pod templates and containers come on top, whatever kind holds them."""

ASSIGNED: dict[str, tuple[str, ...]] = {
    "*": (
        "status",
        "metadata.managedFields",
        "metadata.uid",
        "metadata.resourceVersion",
        "metadata.generation",
        "metadata.creationTimestamp",
        "metadata.deletionTimestamp",
        "metadata.deletionGracePeriodSeconds",
        "metadata.selfLink",
        "metadata.generateName",
        "metadata.ownerReferences",
    ),
    "Pod": ("spec.nodeName",),
    "PersistentVolume": ("spec.claimRef.uid", "spec.claimRef.resourceVersion"),
    "StatefulSet": ("spec.volumeClaimTemplates.*.status", "spec.volumeClaimTemplates.*.metadata.creationTimestamp"),
    "Application": ("operation",),
}
"""What is written for one object by whoever runs it; `*` holds for every kind."""

ANNOTATIONS = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "argocd.argoproj.io/tracking-id",
        "argocd.argoproj.io/refresh",
        "argocd.argoproj.io/hydrate",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "pv.kubernetes.io/provisioned-by",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/selected-node",
        "batch.kubernetes.io/job-tracking",
    )
)
"""Annotations that controllers and tools keep their own notes in."""

LABELS = frozenset(("argocd.argoproj.io/instance", "controller-uid", "batch.kubernetes.io/controller-uid"))
"""Labels of the same sort."""

FINALIZERS = frozenset(
    (
        "kubernetes.io/pvc-protection",
        "kubernetes.io/pv-protection",
        "foregroundDeletion",
        "orphan",
        "service.kubernetes.io/load-balancer-cleanup",
    )
)
"""Finalizers that the control plane adds by itself."""

_BOUND = {"PersistentVolumeClaim": "volumeName", "PersistentVolume": "claimRef"}  # what binding writes
_GENERATED_LABELS = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


def strip(manifest: dict[str, Any], kind: str) -> None:
    """Take everything out of a manifest that the tables name, and what depends on other fields."""
    for path in (*ASSIGNED["*"], *ASSIGNED.get(kind, ())):
        _each(manifest, path.split("."), lambda holder, key: holder.pop(key))
    _special(manifest, kind)
    for path, default in DEFAULTS.get(kind, ()):
        _drop(manifest, path, default)
    where = pod_template(kind)
    pod: Any = manifest
    for key in where or ():
        pod = pod.get(key) if isinstance(pod, dict) else None
    if where is not None and isinstance(pod, dict):
        _pod(pod, alone=kind == "Pod")
        for path, default in _POD:
            _drop(pod, path, default)


def _drop(holder: Any, path: str, default: Any) -> None:
    def drop(inside: dict[str, Any], key: str) -> None:
        if same(inside[key], default):
            del inside[key]

    _each(holder, path.split("."), drop)


def _each(value: Any, steps: list[str], act: Any) -> None:
    """Call `act(mapping, key)` for every place that a path leads to."""
    step, rest = steps[0], steps[1:]
    if step == "*":
        for item in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            _each(item, rest, act)
    elif isinstance(value, dict) and step in value:
        if rest:
            _each(value[step], rest, act)
        else:
            act(value, step)


def _special(manifest: dict[str, Any], kind: str) -> None:
    """What is a default or not by what stands beside it."""
    spec = manifest.get("spec")
    metadata = manifest.get("metadata")
    if kind == "Service" and isinstance(spec, dict):
        _service(spec)
    elif kind == "Job" and isinstance(spec, dict):
        _job(spec)
    elif kind in _BOUND and isinstance(spec, dict) and isinstance(metadata, dict):
        notes = metadata.get("annotations")
        if isinstance(notes, Mapping) and notes.get("pv.kubernetes.io/bound-by-controller") == "yes":
            spec.pop(_BOUND[kind], None)
    elif kind == "Namespace" and isinstance(metadata, dict) and isinstance(labels := metadata.get("labels"), dict):
        if labels.get("kubernetes.io/metadata.name") == metadata.get("name"):
            labels.pop("kubernetes.io/metadata.name", None)
    elif kind == "CustomResourceDefinition" and isinstance(spec, dict) and isinstance(spec.get("names"), dict):
        names = spec["names"]
        _drop(names, "listKind", f"{names.get('kind')}List")
        _drop(names, "singular", str(names.get("kind")).lower())
    elif kind == "ServiceAccount" and isinstance(metadata, dict):
        made = f"{metadata.get('name')}-token-"
        held = [item for item in _dicts(manifest.get("secrets")) if not str(item.get("name", "")).startswith(made)]
        if "secrets" in manifest:
            manifest["secrets"] = held
            _drop(manifest, "secrets", [])
    template = spec.get("template") if isinstance(spec, dict) else None
    if isinstance(template, dict):
        _each(template, ["metadata", "creationTimestamp"], lambda holder, key: holder.pop(key))
        _drop(template, "metadata", {})


def _service(spec: dict[str, Any]) -> None:
    if spec.get("clusterIP") != "None":
        spec.pop("clusterIP", None)
    spec.pop("clusterIPs", None)
    if spec.get("ipFamilyPolicy", "SingleStack") == "SingleStack":
        spec.pop("ipFamilyPolicy", None)
        _drop(spec, "ipFamilies", ["IPv4"])
    opened = spec.get("type") in ("NodePort", "LoadBalancer")
    for port in _dicts(spec.get("ports")):
        if not opened:
            port.pop("nodePort", None)
        if same(port.get("targetPort"), port.get("port")):
            port.pop("targetPort", None)
    if not opened:
        spec.pop("healthCheckNodePort", None)


def _job(spec: dict[str, Any]) -> None:
    if spec.get("parallelism") == 1 and spec.get("completions") == 1:
        del spec["parallelism"], spec["completions"]
    if spec.get("manualSelector") is not True:
        spec.pop("selector", None)
        for label in _GENERATED_LABELS:
            _each(spec, ["template", "metadata", "labels"], lambda holder, key, label=label: holder[key].pop(label, 0))
        _each(spec, ["template", "metadata", "labels"], lambda holder, key: holder[key] or holder.pop(key))


def _pod(pod: dict[str, Any], alone: bool) -> None:
    """`alone`: a Pod of its own, into which admission has written more than into a template."""
    if pod.get("serviceAccount") == pod.get("serviceAccountName"):
        pod.pop("serviceAccount", None)
    for container in _containers(pod):
        image = str(container.get("image", ""))
        _drop(container, "imagePullPolicy", pull_policy(image))
        if pod.get("hostNetwork") is True:
            for port in _dicts(container.get("ports")):
                if port.get("hostPort") == port.get("containerPort"):
                    port.pop("hostPort", None)
    if not alone:
        return
    _drop(pod, "serviceAccountName", "default")
    if pod.get("priorityClassName"):
        pod.pop("priority", None)
    kept = [item for item in _list(pod.get("tolerations")) if item not in (_NOT_READY, _UNREACHABLE)]
    if "tolerations" in pod:
        pod["tolerations"] = kept
        _drop(pod, "tolerations", [])
    tokens = {
        str(volume["name"])
        for volume in _dicts(pod.get("volumes"))
        if str(volume.get("name", "")).startswith("kube-api-access-") and "projected" in volume
    }
    for holder, key, name in [(pod, "volumes", "name"), *((c, "volumeMounts", "name") for c in _containers(pod))]:
        if tokens and key in holder:
            holder[key] = [item for item in _dicts(holder[key]) if item.get(name) not in tokens]
            _drop(holder, key, [])


def pull_policy(image: str) -> str:
    """The `imagePullPolicy` that an image without one gets: Always for `:latest` and for no tag and no digest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or ("" if digest else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _containers(pod: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for group in ("containers", "initContainers"):
        yield from _dicts(pod.get(group))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]
