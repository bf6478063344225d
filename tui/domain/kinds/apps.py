"""Workload controllers: Deployments, ReplicaSets, StatefulSets, DaemonSets, with Argo CD's health rules for them."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Health, Kind
from tui.domain.kinds.pods import Condition, Container
from tui.domain.obj import Object


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class _TemplateSpec(_Struct, frozen=True, gc=False):
    containers: tuple[Container, ...] | None = None


class _Template(_Struct, frozen=True, gc=False):
    spec: _TemplateSpec = _TemplateSpec()


class _RollingUpdate(_Struct, frozen=True, gc=False):
    partition: int | None = None


class _UpdateStrategy(_Struct, frozen=True, gc=False):
    type: str = ""
    rolling_update: _RollingUpdate | None = None


class WorkloadSpec(_Struct, frozen=True, gc=False):
    """What the specs of the four kinds have in common, and the few fields that only some have."""

    replicas: int | None = None
    paused: bool = False
    template: _Template = _Template()
    update_strategy: _UpdateStrategy = _UpdateStrategy()


class WorkloadStatus(_Struct, frozen=True, gc=False):
    """Counters of all four kinds; those a kind does not have stay 0."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    updated_number_scheduled: int = 0
    conditions: tuple[Condition, ...] | None = None


class Workload(Object, frozen=True, gc=False):
    """The record of a Deployment's, ReplicaSet's, StatefulSet's or DaemonSet's row."""

    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


def wanted(obj: Workload) -> int:
    """Replicas asked for; absent means 1, as the API server would default it."""
    return 1 if obj.spec.replicas is None else obj.spec.replicas


def _seen(obj: Workload) -> bool:
    return obj.metadata.generation <= obj.status.observed_generation


def deployment_health(obj: Workload) -> Health:
    """Argo CD's rule for a Deployment."""
    status = obj.status
    if obj.spec.paused:
        return Health("Suspended", "Deployment is paused")
    if not _seen(obj):
        return Health("Progressing", "Waiting for rollout to finish: observed generation is behind")
    if any(
        each.type == "Progressing" and each.reason == "ProgressDeadlineExceeded" for each in status.conditions or ()
    ):
        return Health("Degraded", f"Deployment {obj.metadata.name} exceeded its progress deadline")
    if obj.spec.replicas is not None and status.updated_replicas < obj.spec.replicas:
        return Health("Progressing", f"{status.updated_replicas} of {obj.spec.replicas} replicas are updated")
    if status.replicas > status.updated_replicas:
        return Health("Progressing", f"{status.replicas - status.updated_replicas} old replicas are still there")
    if status.available_replicas < status.updated_replicas:
        return Health("Progressing", f"{status.available_replicas} of {status.updated_replicas} updated are available")
    return Health("Healthy")


def replicaset_health(obj: Workload) -> Health:
    """Argo CD's rule for a ReplicaSet."""
    if not _seen(obj):
        return Health("Progressing", "Waiting for rollout to finish: observed generation is behind")
    failed = next((e for e in obj.status.conditions or () if e.type == "ReplicaFailure" and e.status == "True"), None)
    if failed is not None:
        return Health("Degraded", failed.message)
    if obj.spec.replicas is not None and obj.status.available_replicas < obj.spec.replicas:
        return Health("Progressing", f"{obj.status.available_replicas} of {obj.spec.replicas} replicas are available")
    return Health("Healthy")


def statefulset_health(obj: Workload) -> Health:
    """Argo CD's rule for a StatefulSet."""
    status, strategy = obj.status, obj.spec.update_strategy
    if status.observed_generation == 0 or not _seen(obj):
        return Health("Progressing", "Waiting for statefulset spec update to be observed")
    if obj.spec.replicas is not None and status.ready_replicas < obj.spec.replicas:
        return Health("Progressing", f"{status.ready_replicas} of {obj.spec.replicas} pods are ready")
    if strategy.type == "RollingUpdate" and strategy.rolling_update is not None:
        due = (obj.spec.replicas or 0) - (strategy.rolling_update.partition or 0)
        if (
            obj.spec.replicas is not None
            and strategy.rolling_update.partition is not None
            and status.updated_replicas < due
        ):
            return Health("Progressing", f"{status.updated_replicas} of {due} pods are updated")
        return Health("Healthy", "partitioned roll out complete")
    if strategy.type == "OnDelete":
        return Health("Healthy", f"statefulset has {status.ready_replicas} ready pods")
    if status.update_revision != status.current_revision:
        return Health("Progressing", f"{status.updated_replicas} pods are at revision {status.update_revision}")
    return Health("Healthy")


def daemonset_health(obj: Workload) -> Health:
    """Argo CD's rule for a DaemonSet."""
    status = obj.status
    if not _seen(obj):
        return Health("Progressing", "Waiting for rollout to finish: observed generation is behind")
    if obj.spec.update_strategy.type == "OnDelete":
        return Health(
            "Healthy", f"{status.updated_number_scheduled} of {status.desired_number_scheduled} pods are updated"
        )
    if status.updated_number_scheduled < status.desired_number_scheduled:
        return Health(
            "Progressing", f"{status.updated_number_scheduled} of {status.desired_number_scheduled} are updated"
        )
    if status.number_available < status.desired_number_scheduled:
        return Health("Progressing", f"{status.number_available} of {status.desired_number_scheduled} are available")
    return Health("Healthy")


def _images(obj: Workload) -> str:
    return ", ".join(each.image for each in obj.spec.template.spec.containers or ())


def _kind(plural: str, name: str, short: tuple[str, ...], rule: Any, *columns: Any) -> Kind:
    def state(obj: Any, facts: Facts) -> Cell:
        return c.state_cell(rule(obj).status)

    return Kind(
        plural=plural,
        kind=name,
        group="apps",
        short=short,
        record=Workload,
        health=rule,
        state=state,
        columns=c.namespaced(
            c.of("health", "HEALTH", lambda obj: rule(obj).status, c.show_state, 13, least=9),
            *columns,
            c.of("images", "IMAGES", _images, c.show_muted, 44, least=12, grow=1),
            c.of("message", "MESSAGE", lambda obj: rule(obj).message, width=40, wide=True),
        ),
    )


def _ready(obj: Workload) -> str:
    return f"{obj.status.ready_replicas}/{wanted(obj)}"


_READY = c.of("ready", "READY", _ready, c.show_ratio, 7, right=True)
_UPDATED = c.of("updated", "UP-TO-DATE", lambda obj: obj.status.updated_replicas, c.show_count, 10, right=True)
_AVAILABLE = c.of("available", "AVAILABLE", lambda obj: obj.status.available_replicas, c.show_count, 9, right=True)

DEPLOYMENTS = _kind("deployments", "Deployment", ("deploy",), deployment_health, _READY, _UPDATED, _AVAILABLE)
STATEFULSETS = _kind("statefulsets", "StatefulSet", ("sts",), statefulset_health, _READY, _UPDATED)
REPLICASETS = _kind("replicasets", "ReplicaSet", ("rs",), replicaset_health, _READY, _AVAILABLE)
DAEMONSETS = _kind(
    "daemonsets",
    "DaemonSet",
    ("ds",),
    daemonset_health,
    c.of(
        "ready",
        "READY",
        lambda o: f"{o.status.number_ready}/{o.status.desired_number_scheduled}",
        c.show_ratio,
        7,
        right=True,
    ),
    c.of("updated", "UP-TO-DATE", lambda o: o.status.updated_number_scheduled, c.show_count, 10, right=True),
    c.of("available", "AVAILABLE", lambda obj: obj.status.number_available, c.show_count, 9, right=True),
)

KINDS = (DEPLOYMENTS, STATEFULSETS, DAEMONSETS, REPLICASETS)
