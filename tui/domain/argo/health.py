"""Health of any resource by Argo CD's built-in rules, for hubs that do not store it (the default since Argo CD 3.0).

Order, as in Argo CD: being deleted; then the scripts that ship with it, here as far as they follow a common pattern;
then the rules written in Go, which live beside their kinds. A kind with no rule has no health, and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from tui.domain.argo.health_scripts import SCRIPTS
from tui.domain.kinds import KINDS
from tui.domain.kinds.columns import HEALTH_ORDER
from tui.domain.kinds.kind import Health, Kind
from tui.domain.kinds.pods import Condition
from tui.domain.kinds.scaling import scaler_health

HOOK_FINALIZER = "argocd.argoproj.io/hook-finalizer"
IGNORE = "argocd.argoproj.io/ignore-healthcheck"

_RULES: dict[tuple[str, str], Kind] = {(kind.group, kind.kind): kind for kind in KINDS.values() if kind.health}


def assess(manifest: Mapping[str, Any]) -> Health | None:
    """The health of a live object; None when Argo CD has no rule for its kind.

    Unknown, with the reason, when the object does not have the shape its rule needs.
    """
    meta = _map(manifest.get("metadata"))
    if meta.get("deletionTimestamp") and HOOK_FINALIZER not in (meta.get("finalizers") or ()):
        return Health("Progressing", "Pending deletion")
    group, _, version = str(manifest.get("apiVersion") or "").rpartition("/")
    kind = str(manifest.get("kind") or "")
    try:
        if (script := SCRIPTS.get((group, kind))) is not None:
            return script(manifest)
        if (special := _SPECIAL.get((group, kind))) is not None and (group, kind, version) != _PLAIN_HPA:
            return special(manifest)
        if (known := _RULES.get((group, kind))) is not None and known.health is not None:
            return known.health(msgspec.convert(manifest, known.record))
    except (msgspec.ValidationError, AttributeError, TypeError, ValueError) as error:
        return Health("Unknown", f"it has an unexpected shape: {error}")
    return None


def ignored(manifest: Mapping[str, Any]) -> bool:
    """Whether an object asks to be left out of its Application's health."""
    annotations = _map(_map(manifest.get("metadata")).get("annotations"))
    return str(annotations.get(IGNORE, "")).lower() == "true"


def worst(statuses: Iterable[str]) -> str:
    """The worst of some health words, Healthy when there are none: how an Application's health is made of its parts."""
    ranks = [HEALTH_ORDER.index(each) if each in HEALTH_ORDER else len(HEALTH_ORDER) - 1 for each in statuses]
    return HEALTH_ORDER[max(ranks, default=0)]


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_PLAIN_HPA = ("autoscaling", "HorizontalPodAutoscaler", "v2")


def _old_autoscaler(manifest: Mapping[str, Any]) -> Health:
    """autoscaling/v1 keeps the conditions as JSON in an annotation."""
    annotations = _map(_map(manifest.get("metadata")).get("annotations"))
    text = annotations.get("autoscaling.alpha.kubernetes.io/conditions")
    held = msgspec.json.decode(str(text).encode()) if text else _map(manifest.get("status")).get("conditions")
    return scaler_health(tuple(msgspec.convert(each, Condition) for each in held or ()))


def _api_service(manifest: Mapping[str, Any]) -> Health:
    for each in _map(manifest.get("status")).get("conditions") or ():
        if each.get("type") == "Available":
            message = f"{each.get('reason', '')}: {each.get('message', '')}"
            return Health("Healthy" if each.get("status") == "True" else "Progressing", message)
    return Health("Progressing", "Waiting to be processed")


def _workflow(manifest: Mapping[str, Any]) -> Health:
    status = _map(manifest.get("status"))
    words = {"Succeeded": "Healthy", "Failed": "Degraded", "Error": "Degraded"}
    return Health(words.get(str(status.get("phase")), "Progressing"), str(status.get("message") or ""))


_SPECIAL: dict[tuple[str, str], Callable[[Mapping[str, Any]], Health]] = {
    ("autoscaling", "HorizontalPodAutoscaler"): _old_autoscaler,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    ("argoproj.io", "Workflow"): _workflow,
}
