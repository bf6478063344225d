"""Pods as objects: what a template becomes on a node, and how its status reads in each stage of life."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tui.demo.clock import stamp
from tui.demo.values import clone

Obj = dict[str, Any]

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes builds generated names from


@dataclass(frozen=True)
class Fate:
    """What becomes of a container with this image: runs, crashes (exit code and last words), or cannot be pulled."""

    kind: str = "runs"  # runs | crashes | no-image | completes
    exit_code: int = 0
    last_words: str = ""


def short_hash(value: Any, length: int = 10) -> str:
    """A stable short name part for a value, in Kubernetes' alphabet."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])


def template_hash(template: Obj) -> str:
    """What `pod-template-hash` carries."""
    return short_hash(template)


def owner_reference(owner: Obj) -> Obj:
    """A controller reference to an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def new_pod(owner: Obj, template: Obj, name: str, labels: dict[str, str], when: float) -> Obj:
    """A pod as its controller creates it: Pending, on no node."""
    meta = template.get("metadata") or {}
    spec = clone(template["spec"])
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("resources", {})
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    pod: Obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "creationTimestamp": stamp(when),
            "labels": {**(meta.get("labels") or {}), **labels},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": spec,
        "status": {"phase": "Pending", "qosClass": qos_of(spec)},
    }
    if meta.get("annotations"):
        pod["metadata"]["annotations"] = dict(meta["annotations"])
    return pod


def qos_of(spec: Obj) -> str:
    """The quality-of-service class of a pod spec (Guaranteed needs equal requests and limits for cpu and memory)."""
    resources = [container.get("resources") or {} for container in spec["containers"]]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    equal = all(
        set(entry.get("limits") or {}) >= {"cpu", "memory"}
        and (entry.get("requests") or entry["limits"]) == entry["limits"]
        for entry in resources
    )
    return "Guaranteed" if equal else "Burstable"


def conditions(when: float, scheduled: bool, ready: bool, phase: str, previous: list[Obj]) -> list[Obj]:
    """The four conditions of a pod; a condition that has not changed keeps its time."""
    before = {condition["type"]: condition for condition in previous}
    wanted = {
        "PodScheduled": (scheduled, "" if scheduled else "Unschedulable"),
        "Initialized": (scheduled, ""),
        "ContainersReady": (ready, "" if ready else "ContainersNotReady"),
        "Ready": (ready, "" if ready else "ContainersNotReady"),
    }
    result = []
    for name, (true, reason) in wanted.items():
        status = "True" if true else "False"
        old = before.get(name)
        if old and old["status"] == status:
            result.append(old)
            continue
        condition = {"type": name, "status": status, "lastProbeTime": None, "lastTransitionTime": stamp(when)}
        if not true:
            condition["reason"] = "PodCompleted" if phase == "Succeeded" else reason or "ContainersNotReady"
        result.append(condition)
    return result


def container_status(container: Obj, state: Obj, ready: bool, restarts: int, last: Obj | None = None) -> Obj:
    """One entry of `status.containerStatuses`."""
    image = container["image"]
    return {
        "name": container["name"],
        "image": image,
        "imageID": f"{image.rpartition(':')[0]}@sha256:{hashlib.sha256(image.encode()).hexdigest()}",
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
        "state": state,
        "lastState": last or {},
    }


def running(pod: Obj, when: float, ready: bool) -> Obj:
    """The status of a pod whose containers run."""
    status = pod["status"]
    restarts = restarts_of(pod)
    containers = pod["spec"]["containers"]
    old = {entry["name"]: entry for entry in status.get("containerStatuses") or ()}
    entries = []
    for container in containers:
        before = old.get(container["name"]) or {}
        state = before.get("state") or {}
        if "running" not in state:
            state = {"running": {"startedAt": stamp(when)}}
        entries.append(container_status(container, state, ready, restarts, before.get("lastState")))
    return {
        **status,
        "phase": "Running",
        "conditions": conditions(when, True, ready, "Running", status.get("conditions") or []),
        "containerStatuses": entries,
    }


def waiting(pod: Obj, when: float, reason: str, message: str = "") -> Obj:
    """The status of a pod whose containers wait, for example ContainerCreating or ImagePullBackOff."""
    status = pod["status"]
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return {
        **status,
        "phase": "Pending",
        "conditions": conditions(when, True, False, "Pending", status.get("conditions") or []),
        "containerStatuses": [container_status(entry, state, False, 0) for entry in pod["spec"]["containers"]],
    }


def crashed(pod: Obj, when: float, fate: Fate, restarts: int, lived: float = 2.0) -> Obj:
    """The status of a pod that waits in CrashLoopBackOff after its last run."""
    status = pod["status"]
    name = pod["metadata"]["name"]
    delay = crash_delay(restarts)
    last = {
        "terminated": {
            "exitCode": fate.exit_code,
            "reason": "Error",
            "startedAt": stamp(when - lived),
            "finishedAt": stamp(when),
            "message": fate.last_words,
        }
    }
    text = f"back-off {_duration(delay)} restarting failed container={pod['spec']['containers'][0]['name']} pod={name}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
    return {
        **status,
        "phase": "Running",
        "conditions": conditions(when, True, False, "Running", status.get("conditions") or []),
        "containerStatuses": [
            container_status(entry, state, False, restarts, last) for entry in pod["spec"]["containers"]
        ],
    }


def finished(pod: Obj, when: float, exit_code: int = 0) -> Obj:
    """The status of a pod that ran to its end."""
    status = pod["status"]
    phase = "Succeeded" if exit_code == 0 else "Failed"
    state = {
        "terminated": {
            "exitCode": exit_code,
            "reason": "Completed" if exit_code == 0 else "Error",
            "startedAt": status.get("startTime", stamp(when)),
            "finishedAt": stamp(when),
        }
    }
    return {
        **status,
        "phase": phase,
        "conditions": conditions(when, True, False, phase, status.get("conditions") or []),
        "containerStatuses": [
            container_status(entry, state, False, restarts_of(pod)) for entry in pod["spec"]["containers"]
        ],
    }


def placed(pod: Obj, when: float, node: str, host_ip: str, pod_ip: str) -> Obj:
    """The status of a pod that a node has taken, and that has its address."""
    return {
        **pod["status"],
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "startTime": stamp(when),
    }


def ready(pod: Obj) -> bool:
    """Whether its Ready condition is True."""
    found = (pod.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in found)


def restarts_of(pod: Obj) -> int:
    """Restarts of all its containers."""
    return sum(int(entry.get("restartCount", 0)) for entry in pod["status"].get("containerStatuses") or ())


def crash_delay(restarts: int) -> float:
    """Seconds that the kubelet waits before restart number `restarts`: 10 s doubled each time, five minutes at most."""
    return float(min(300, 10 * 2 ** max(0, min(restarts, 10) - 1)))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
