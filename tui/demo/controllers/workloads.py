"""The controllers of workloads and services: one small step at a time. Deployments have a module of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.demo.clock import stamp
from tui.demo.controllers import deployments, services
from tui.demo.controllers import pods as p
from tui.demo.controllers.owned import STEP, owned, place

if TYPE_CHECKING:
    from tui.demo.controllers.cluster import SimulatedCluster

Obj = dict[str, Any]


def reconcile(cluster: SimulatedCluster, resource: str, obj: Obj) -> None:
    """Take one step towards what an object asks for, and write its status."""
    match resource:
        case "deployments.apps":
            deployments.reconcile(cluster, obj)
        case "statefulsets.apps":
            _stateful(cluster, obj)
        case "daemonsets.apps":
            _daemon(cluster, obj)
        case "jobs.batch":
            _job(cluster, obj)
        case "services":
            services.reconcile(cluster, obj)


def settle(cluster: SimulatedCluster, resource: str, obj: Obj, when: float, older: list[tuple[Obj, float]]) -> None:
    """Bring an object to its end state as of `when`, without timers."""
    now = cluster.clock.now()
    match resource:
        case "deployments.apps":
            deployments.settle(cluster, obj, when, older)
        case "statefulsets.apps":
            for number in range(int(obj["spec"].get("replicas", 1))):
                cluster.place_pod(_stateful_pod(obj, number, when), when + 8 * number)
            _stateful_status(cluster, obj, owned(cluster, obj))
        case "daemonsets.apps":
            for node in _daemon_nodes(cluster, obj):
                cluster.place_pod(_daemon_pod(obj, node.name, when), when + node.index, node)
            _daemon_status(cluster, obj, owned(cluster, obj))
        case "jobs.batch":
            _settled_job(cluster, obj, when)
        case "cronjobs.batch":
            last = now - 60 * (now // 60 % 1440)
            status = {"lastScheduleTime": stamp(last), "lastSuccessfulTime": stamp(last + 312)}
            cluster.storage.update_status(resource, *place(obj), status)
        case "services":
            services.reconcile(cluster, obj)


# StatefulSets


def _stateful_pod(owner: Obj, number: int, when: float) -> Obj:
    name = f"{owner['metadata']['name']}-{number}"
    labels = {
        "apps.kubernetes.io/pod-index": str(number),
        "controller-revision-hash": _set_hash(owner),
        "statefulset.kubernetes.io/pod-name": name,
    }
    return p.new_pod(owner, owner["spec"]["template"], name, labels, when)


def _set_hash(owner: Obj) -> str:
    return f"{owner['metadata']['name']}-{p.template_hash(owner['spec']['template'])}"


def _ordinal(pod: Obj) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _stateful(cluster: SimulatedCluster, obj: Obj) -> None:
    wanted = int(obj["spec"].get("replicas", 1))
    pods = sorted(owned(cluster, obj), key=_ordinal)
    leaving = len(pods) != sum(
        any(entry["uid"] == obj["metadata"]["uid"] for entry in pod["metadata"].get("ownerReferences") or ())
        for pod in cluster.storage.list("pods", obj["metadata"]["namespace"])
    )
    present = {_ordinal(pod) for pod in pods}
    missing = next((number for number in range(wanted) if number not in present), None)
    stale = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") != _set_hash(obj)]
    if not leaving and all(map(p.ready, pods)):
        if missing is not None:
            cluster.add_pod(_stateful_pod(obj, missing, cluster.clock.now()))
        elif len(pods) > wanted:
            cluster.remove_pod(pods[-1])
        elif stale:
            cluster.remove_pod(stale[-1])
    elif not leaving and stale and not p.ready(stale[-1]):
        cluster.remove_pod(stale[-1])  # a broken old pod does not hold up its own repair
    _stateful_status(cluster, obj, owned(cluster, obj))


def _stateful_status(cluster: SimulatedCluster, obj: Obj, pods: list[Obj]) -> None:
    update = _set_hash(obj)
    new = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") == update]
    up = sum(map(p.ready, pods))
    live = cluster.storage.get("statefulsets.apps", *place(obj))
    before = (live.get("status") or {}).get("currentRevision", update)
    done = len(new) == len(pods) == int(obj["spec"].get("replicas", 1)) and up == len(pods)
    status = {
        "observedGeneration": live["metadata"]["generation"],
        "replicas": len(pods),
        "readyReplicas": up,
        "availableReplicas": up,
        "currentReplicas": len(new) if done else len(pods) - len(new),
        "updatedReplicas": len(new),
        "currentRevision": update if done else before,
        "updateRevision": update,
        "collisionCount": 0,
    }
    cluster.storage.update_status("statefulsets.apps", *place(obj), status)


# DaemonSets


def _daemon_nodes(cluster: SimulatedCluster, obj: Obj) -> list[Any]:
    tolerates = any(
        entry.get("operator") == "Exists" for entry in obj["spec"]["template"]["spec"].get("tolerations", ())
    )
    return [node for node in cluster.nodes if tolerates or not node.control]


def _daemon_pod(owner: Obj, node: str, when: float) -> Obj:
    digest = p.template_hash(owner["spec"]["template"])
    name = f"{owner['metadata']['name']}-{p.short_hash([digest, node, when], 5)}"
    pod = p.new_pod(owner, owner["spec"]["template"], name, {"controller-revision-hash": digest}, when)
    pod["metadata"].setdefault("annotations", {})["harbour.example/node"] = node
    return pod


def _daemon(cluster: SimulatedCluster, obj: Obj) -> None:
    pods = owned(cluster, obj)
    digest = p.template_hash(obj["spec"]["template"])
    by_node = {pod["metadata"]["annotations"]["harbour.example/node"]: pod for pod in pods}
    stale = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") != digest]
    bare = [node for node in _daemon_nodes(cluster, obj) if node.name not in by_node]
    for node in bare[:1]:
        cluster.add_pod(_daemon_pod(obj, node.name, cluster.clock.now()), node)
    if len(bare) > 1:
        cluster.enqueue(obj, STEP)
    if not bare and stale and (all(map(p.ready, pods)) or not all(map(p.ready, stale))):
        cluster.remove_pod(min(stale, key=p.ready))
    _daemon_status(cluster, obj, owned(cluster, obj))


def _daemon_status(cluster: SimulatedCluster, obj: Obj, pods: list[Obj]) -> None:
    digest = p.template_hash(obj["spec"]["template"])
    live = cluster.storage.get("daemonsets.apps", *place(obj))
    up, wanted = sum(map(p.ready, pods)), len(_daemon_nodes(cluster, obj))
    status = {
        "observedGeneration": live["metadata"]["generation"],
        "desiredNumberScheduled": wanted,
        "currentNumberScheduled": len(pods),
        "updatedNumberScheduled": sum(
            pod["metadata"]["labels"].get("controller-revision-hash") == digest for pod in pods
        ),
        "numberReady": up,
        "numberAvailable": up,
        "numberMisscheduled": 0,
    }
    if up < wanted:
        status["numberUnavailable"] = wanted - up
    cluster.storage.update_status("daemonsets.apps", *place(obj), status)


# Jobs


def _job(cluster: SimulatedCluster, obj: Obj) -> None:
    status = obj.get("status") or {}
    now = cluster.clock.now()
    if status.get("completionTime") or obj["spec"].get("suspend"):
        if obj["spec"].get("suspend") and not status.get("conditions"):
            _settled_job(cluster, obj, now)
        return
    pods = owned(cluster, obj)
    if not pods:
        name = f"{obj['metadata']['name']}-{p.short_hash([obj['metadata']['uid']], 5)}"
        labels = {"batch.kubernetes.io/job-name": obj["metadata"]["name"], "job-name": obj["metadata"]["name"]}
        cluster.add_pod(p.new_pod(obj, obj["spec"]["template"], name, labels, now))
        new: Obj = {"startTime": stamp(now), "active": 1}
    elif pods[0]["status"]["phase"] == "Succeeded":
        conditions = [_job_condition("SuccessCriteriaMet", now), _job_condition("Complete", now)]
        start = status.get("startTime", stamp(now))
        new = {"startTime": start, "succeeded": 1, "completionTime": stamp(now), "conditions": conditions}
    else:
        new = {**status, "active": 1, "ready": int(p.ready(pods[0]))}
    cluster.storage.update_status("jobs.batch", *place(obj), new)


def _settled_job(cluster: SimulatedCluster, obj: Obj, when: float) -> None:
    if obj["spec"].get("suspend"):
        status: Obj = {"conditions": [_job_condition("Suspended", when, "JobSuspended", "Job suspended")]}
    else:
        conditions = [_job_condition("SuccessCriteriaMet", when + 41), _job_condition("Complete", when + 41)]
        status = {
            "startTime": stamp(when),
            "completionTime": stamp(when + 41),
            "succeeded": 1,
            "conditions": conditions,
        }
    cluster.storage.update_status("jobs.batch", *place(obj), status)


def _job_condition(name: str, when: float, reason: str = "CompletionsReached", message: str = "") -> Obj:
    return {
        "type": name,
        "status": "True",
        "reason": reason,
        "message": message or "Reached expected number of succeeded pods",
        "lastProbeTime": stamp(when),
        "lastTransitionTime": stamp(when),
    }
