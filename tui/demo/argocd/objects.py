"""What the stand-in needs to know about objects: identity, tracking, comparison and the merge of an apply."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tui.demo.values import clone

Obj = dict[str, Any]

TRACKING = "argocd.argoproj.io/tracking-id"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HOOK = "argocd.argoproj.io/hook"
WAVE = "argocd.argoproj.io/sync-wave"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"

# The order in which gitops-engine applies kinds of one wave (Helm's install order); others come after.
_KINDS = """
    Namespace NetworkPolicy ResourceQuota LimitRange PodDisruptionBudget ServiceAccount Secret ConfigMap StorageClass
    PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleBinding Role RoleBinding
    Service DaemonSet Pod ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob Ingress APIService
"""
KIND_ORDER = {kind: number for number, kind in enumerate(_KINDS.split())}


class Key(NamedTuple):
    """Identity of an object within a cluster."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}/{self.name}"


def group_of(obj: Obj) -> str:
    """The API group of an object; "" for the core group."""
    return str(obj.get("apiVersion", "")).rpartition("/")[0]


def version_of(obj: Obj) -> str:
    """The version part of an object's apiVersion."""
    return str(obj.get("apiVersion", "")).rpartition("/")[2]


def key_of(obj: Obj) -> Key:
    """Identity of an object."""
    meta = obj["metadata"]
    return Key(group_of(obj), obj["kind"], meta.get("namespace", ""), meta["name"])


def annotation(obj: Obj, name: str) -> str:
    """An annotation's value; "" when it is not there."""
    return str(((obj.get("metadata") or {}).get("annotations") or {}).get(name, ""))


def wave_of(obj: Obj) -> int:
    """The sync wave; 0 when it is not said or not a number."""
    try:
        return int(annotation(obj, WAVE) or 0)
    except ValueError:
        return 0


def tracking_id(instance: str, obj: Obj, destination: str) -> str:
    """`<app>:<group>/<kind>:<ns>/<name>`; cluster-scoped objects carry the Application's destination namespace."""
    key = key_of(obj)
    return f"{instance}:{key.group}/{key.kind}:{key.namespace or destination}/{key.name}"


def tracked_by(obj: Obj) -> str:
    """Name of the Application that tracks a live object; "" when none does or when the id is a copy of another's."""
    value = annotation(obj, TRACKING)
    instance, _, rest = value.partition(":")
    about, _, place = rest.partition(":")
    key = key_of(obj)
    namespace, _, name = place.rpartition("/")
    if about != f"{key.group}/{key.kind}" or name != key.name or (key.namespace and namespace != key.namespace):
        return ""
    return "" if obj["metadata"].get("ownerReferences") else instance


def stamped(target: Obj, instance: str, destination: str) -> Obj:
    """A copy of a target with its tracking id, as manifest generation leaves it. CRDs are never stamped."""
    obj = clone(target)
    if obj["kind"] != "CustomResourceDefinition":
        meta = obj["metadata"]
        meta["annotations"] = {**(meta.get("annotations") or {}), TRACKING: tracking_id(instance, obj, destination)}
    return obj


def same(target: Obj, live: Obj) -> bool:
    """Whether applying `target` would change nothing: all of it is in `live`, and nothing was taken out since."""
    before = _last_applied(live)
    return _within(_desired(target), live) and not _removed(before, _desired(target), live)


def merged(target: Obj, live: Obj | None) -> Obj:
    """What an apply leaves: live, less what the last apply had and the target has not, plus the target."""
    desired = _desired(target)
    result = clone(desired) if live is None else _merge(_last_applied(live), desired, live)
    text = json.dumps(desired, separators=(",", ":"), sort_keys=True)
    meta = result["metadata"]
    meta["annotations"] = {**(meta.get("annotations") or {}), LAST_APPLIED: text + "\n"}
    return result


def _desired(target: Obj) -> Obj:
    return {key: value for key, value in target.items() if key != "status"}


def _last_applied(live: Obj) -> Any:
    text = annotation(live, LAST_APPLIED)
    return json.loads(text) if text else {}


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            (value is None and whole.get(key) is None) or (key in whole and _within(value, whole[key]))
            for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(_within, part, whole))
    return type(part) is type(whole) and bool(part == whole)


def _removed(before: Any, now: Any, live: Any) -> bool:
    """Whether something that was applied before is gone from the target and still live."""
    if isinstance(before, dict) and isinstance(now, dict) and isinstance(live, dict):
        return any(
            key in live if key not in now else _removed(value, now[key], live[key])
            for key, value in before.items()
            if key in live
        )
    if isinstance(before, list) and isinstance(now, list) and isinstance(live, list):
        return any(map(_removed, before, now, live))
    return False


def _merge(before: Any, now: Any, live: Any) -> Any:
    if isinstance(now, dict) and isinstance(live, dict):
        before = before if isinstance(before, dict) else {}
        result = {key: value for key, value in live.items() if key in now or key not in before}
        for key, value in now.items():
            result[key] = _merge(before.get(key), value, live.get(key))
        return result
    if isinstance(now, list) and isinstance(live, list) and len(now) == len(live):
        old = before if isinstance(before, list) and len(before) == len(now) else [None] * len(now)
        return [_merge(*three) for three in zip(old, now, live, strict=True)]
    return clone(now)
