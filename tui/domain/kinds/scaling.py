"""HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

import msgspec

from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Health, Kind
from tui.domain.kinds.pods import Condition
from tui.domain.obj import Object


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class _Target(_Struct, frozen=True, gc=False):
    kind: str = ""
    name: str = ""


class _HpaSpec(_Struct, frozen=True, gc=False):
    min_replicas: int | None = None
    max_replicas: int = 0
    scale_target_ref: _Target = _Target()


class _HpaStatus(_Struct, frozen=True, gc=False):
    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class HorizontalPodAutoscaler(Object, frozen=True, gc=False):
    """The record of a HorizontalPodAutoscaler's row."""

    spec: _HpaSpec = _HpaSpec()
    status: _HpaStatus = _HpaStatus()


_BROKEN = {
    "AbleToScale": {"FailedGetScale", "FailedUpdateScale"},
    "ScalingActive": {
        "FailedGetResourceMetric",
        "FailedGetObjectMetric",
        "FailedGetPodsMetric",
        "FailedGetExternalMetric",
        "FailedComputeMetricsReplicas",
        "InvalidSelector",
    },
}


def scaler_health(conditions: tuple[Condition, ...]) -> Health:
    """Argo CD's rule over an autoscaler's conditions, wherever its version keeps them."""
    for each in conditions:
        if each.reason in _BROKEN.get(each.type, ()):
            return Health("Degraded", each.message)
    for each in conditions:
        if each.type in ("AbleToScale", "ScalingLimited") and each.status == "True":
            return Health("Healthy", each.message)
    return Health("Progressing", "Waiting to autoscale")


def _health(obj: HorizontalPodAutoscaler) -> Health:
    return scaler_health(obj.status.conditions or ())


HORIZONTALPODAUTOSCALERS = Kind(
    plural="horizontalpodautoscalers",
    kind="HorizontalPodAutoscaler",
    group="autoscaling",
    versions=("v2",),
    short=("hpa",),
    record=HorizontalPodAutoscaler,
    health=_health,
    state=lambda obj, facts: c.state_cell(_health(obj).status),
    columns=c.namespaced(
        c.of("target", "TARGET", lambda o: f"{o.spec.scale_target_ref.kind}/{o.spec.scale_target_ref.name}", width=30),
        c.of("health", "HEALTH", lambda obj: _health(obj).status, c.show_state, 13),
        c.of(
            "min", "MIN", lambda obj: 1 if obj.spec.min_replicas is None else obj.spec.min_replicas, width=4, right=True
        ),
        c.of("max", "MAX", lambda obj: obj.spec.max_replicas, width=4, right=True),
        c.of(
            "replicas",
            "REPLICAS",
            lambda obj: f"{obj.status.current_replicas}/{obj.status.desired_replicas}",
            c.show_ratio,
        ),
        c.of("message", "MESSAGE", lambda obj: " ".join(_health(obj).message.split()), c.show_muted, 40, wide=True),
    ),
)


class _PdbSpec(_Struct, frozen=True, gc=False):
    min_available: int | str | None = None
    max_unavailable: int | str | None = None


class _PdbStatus(_Struct, frozen=True, gc=False):
    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    conditions: tuple[Condition, ...] | None = None


class PodDisruptionBudget(Object, frozen=True, gc=False):
    """The record of a PodDisruptionBudget's row."""

    spec: _PdbSpec = _PdbSpec()
    status: _PdbStatus = _PdbStatus()


def budget_health(obj: PodDisruptionBudget) -> Health:
    """Argo CD: a False condition is Degraded, unless it only says that pods are few just now."""
    conditions = obj.status.conditions or ()
    for each in conditions:
        if each.status == "False" and each.reason != "InsufficientPods":
            return Health("Degraded", each.message or f"{each.type} is False")
    return Health("Healthy") if conditions else Health("Progressing", "Waiting for status")


PODDISRUPTIONBUDGETS = Kind(
    plural="poddisruptionbudgets",
    kind="PodDisruptionBudget",
    group="policy",
    short=("pdb",),
    record=PodDisruptionBudget,
    health=budget_health,
    state=lambda obj, facts: c.state_cell(budget_health(obj).status),
    columns=c.namespaced(
        c.of("minAvailable", "MIN AVAILABLE", lambda obj: obj.spec.min_available, width=13, right=True),
        c.of("maxUnavailable", "MAX UNAVAILABLE", lambda obj: obj.spec.max_unavailable, width=15, right=True),
        c.of("allowed", "ALLOWED", lambda obj: obj.status.disruptions_allowed, c.show_count, 7, right=True),
        c.of(
            "healthy",
            "HEALTHY",
            lambda o: f"{o.status.current_healthy}/{o.status.desired_healthy}",
            c.show_plain,
            8,
            right=True,
        ),
    ),
)

KINDS = (HORIZONTALPODAUTOSCALERS, PODDISRUPTIONBUDGETS)
