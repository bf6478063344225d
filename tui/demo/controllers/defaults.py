"""What an API server fills in when an object is created or changed: the defaults that `kubectl get -o yaml` shows."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]


def fill(obj: Obj) -> Obj:
    """Fill in the defaults of an object, in place; the object. What is said stays as it is said."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return obj
    match obj["kind"]:
        case "Deployment":
            spec.setdefault("replicas", 1)
            spec.setdefault("progressDeadlineSeconds", 600)
            spec.setdefault("revisionHistoryLimit", 10)
            strategy = spec.setdefault("strategy", {})
            if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
                rolling = strategy.setdefault("rollingUpdate", {})
                rolling.setdefault("maxSurge", "25%")
                rolling.setdefault("maxUnavailable", "25%")
        case "StatefulSet":
            spec.setdefault("replicas", 1)
            spec.setdefault("podManagementPolicy", "OrderedReady")
            spec.setdefault("revisionHistoryLimit", 10)
            update = spec.setdefault("updateStrategy", {})
            if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
                update.setdefault("rollingUpdate", {}).setdefault("partition", 0)
        case "DaemonSet":
            spec.setdefault("revisionHistoryLimit", 10)
            update = spec.setdefault("updateStrategy", {})
            if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
                rolling = update.setdefault("rollingUpdate", {})
                rolling.setdefault("maxSurge", 0)
                rolling.setdefault("maxUnavailable", 1)
        case "Job":
            for field, value in (("backoffLimit", 6), ("completions", 1), ("parallelism", 1), ("suspend", False)):
                spec.setdefault(field, value)
        case "CronJob":
            spec.setdefault("suspend", False)
            spec.setdefault("successfulJobsHistoryLimit", 3)
            spec.setdefault("failedJobsHistoryLimit", 1)
            _template(((spec.get("jobTemplate") or {}).get("spec") or {}).get("template"))
        case "Service":
            spec.setdefault("type", "ClusterIP")
            for port in spec.get("ports") or ():
                port.setdefault("protocol", "TCP")
                port.setdefault("targetPort", port.get("port"))
    _template(spec.get("template"))
    return obj


def _template(template: Any) -> None:
    """Defaults of a pod template."""
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        return
    spec = template["spec"]
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        latest = (
            container.get("image", "").endswith(":latest") or ":" not in container.get("image", "").rpartition("/")[2]
        )
        container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        for port in container.get("ports") or ():
            port.setdefault("protocol", "TCP")
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            if isinstance(container.get(probe), dict):
                _probe(container[probe])


def _probe(probe: Obj) -> None:
    for field, value in (
        ("failureThreshold", 3),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("timeoutSeconds", 1),
    ):
        probe.setdefault(field, value)
    if isinstance(probe.get("httpGet"), dict):
        probe["httpGet"].setdefault("scheme", "HTTP")
