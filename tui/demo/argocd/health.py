"""Health of live resources and its aggregate: the rules of gitops-engine (`pkg/health`) for the demo's kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Obj = dict[str, Any]

ORDER = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")  # worst last


def health_of(obj: Obj) -> tuple[str, str] | None:
    """(status, message) of a live object; None for kinds without a health rule."""
    if obj["metadata"].get("deletionTimestamp"):
        return "Progressing", "Pending deletion"
    rule = _RULES.get(obj["kind"])
    return rule(obj) if rule else None


def worst(states: Iterable[str]) -> str:
    """The aggregate of an Application: the worst of its resources; Healthy when none has a health."""
    return max(states, key=ORDER.index, default="Healthy")


def _observed(obj: Obj) -> bool:
    return int(obj["metadata"].get("generation", 0)) <= int((obj.get("status") or {}).get("observedGeneration", 0))


def _condition(obj: Obj, name: str) -> Obj:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == name), {})


def _deployment(obj: Obj) -> tuple[str, str]:
    spec, status = obj["spec"], obj.get("status") or {}
    if spec.get("paused"):
        return "Suspended", "Deployment is paused"
    if not _observed(obj):
        return (
            "Progressing",
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        )
    name, wanted = obj["metadata"]["name"], int(spec.get("replicas", 1))
    updated, available = int(status.get("updatedReplicas", 0)), int(status.get("availableReplicas", 0))
    replicas = int(status.get("replicas", 0))
    if _condition(obj, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return "Degraded", f'Deployment "{name}" exceeded its progress deadline'
    if updated < wanted:
        return (
            "Progressing",
            f"Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated...",
        )
    if replicas > updated:
        return (
            "Progressing",
            f"Waiting for rollout to finish: {replicas - updated} old replicas are pending termination...",
        )
    if available < updated:
        return (
            "Progressing",
            f"Waiting for rollout to finish: {available} of {updated} updated replicas are available...",
        )
    return "Healthy", ""


def _stateful(obj: Obj) -> tuple[str, str]:
    spec, status = obj["spec"], obj.get("status") or {}
    if not status.get("observedGeneration") or not _observed(obj):
        return "Progressing", "Waiting for statefulset spec update to be observed..."
    wanted, ready = int(spec.get("replicas", 1)), int(status.get("readyReplicas", 0))
    if ready < wanted:
        return "Progressing", f"Waiting for {wanted - ready} pods to be ready..."
    strategy = obj["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return "Healthy", ""
    if strategy.get("type") == "RollingUpdate" and strategy.get("rollingUpdate"):
        partition = int(strategy["rollingUpdate"].get("partition") or 0)
        if int(status.get("updatedReplicas", 0)) < wanted - partition:
            return "Progressing", "Waiting for partitioned roll out to finish..."
        return "Healthy", ""
    if status.get("updateRevision") != status.get("currentRevision"):
        return "Progressing", "waiting for statefulset rolling update to complete"
    return "Healthy", ""


def _daemon(obj: Obj) -> tuple[str, str]:
    status = obj.get("status") or {}
    if not _observed(obj):
        return (
            "Progressing",
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        )
    if (obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return "Healthy", ""
    wanted = int(status.get("desiredNumberScheduled", 0))
    updated, available = int(status.get("updatedNumberScheduled", 0)), int(status.get("numberAvailable", 0))
    name = obj["metadata"]["name"]
    if updated < wanted:
        return (
            "Progressing",
            f'Waiting for daemon set "{name}" rollout to finish: '
            f"{updated} out of {wanted} new pods have been updated...",
        )
    if available < wanted:
        return (
            "Progressing",
            f'Waiting for daemon set "{name}" rollout to finish: {available} of {wanted} updated pods are available...',
        )
    return "Healthy", ""


def _job(obj: Obj) -> tuple[str, str]:
    for name, state in (("Failed", "Degraded"), ("Suspended", "Suspended"), ("Complete", "Healthy")):
        condition = _condition(obj, name)
        if condition.get("status") == "True":
            return state, str(condition.get("message", ""))
    return "Progressing", ""


def _cron_job(obj: Obj) -> tuple[str, str]:
    if obj["spec"].get("suspend"):
        return "Suspended", "CronJob is Suspended"
    status = obj.get("status") or {}
    if not status.get("lastScheduleTime"):
        return "Progressing", "CronJob has not been scheduled yet"
    return "Healthy", ""


def _service(obj: Obj) -> tuple[str, str]:
    if obj["spec"].get("type") == "LoadBalancer":
        ingress = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress")
        return ("Healthy", "") if ingress else ("Progressing", "")
    return "Healthy", ""


_RULES: dict[str, Callable[[Obj], tuple[str, str]]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful,
    "DaemonSet": _daemon,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
}
