"""The controllers of Deployments, StatefulSets, DaemonSets, Jobs and Services: one small step at a time."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tui.demo.clock import stamp
from tui.demo.controllers import pods as p

if TYPE_CHECKING:
    from tui.demo.controllers.cluster import SimulatedCluster

Obj = dict[str, Any]

STEP = 0.25  # demo seconds between two pods of one workload
DEADLINE = 600  # progressDeadlineSeconds when the manifest says none


def reconcile(cluster: SimulatedCluster, resource: str, obj: Obj) -> None:
    """Take one step towards what an object asks for, and write its status."""
    match resource:
        case "deployments.apps":
            _deployment(cluster, obj)
        case "statefulsets.apps":
            _stateful(cluster, obj)
        case "daemonsets.apps":
            _daemon(cluster, obj)
        case "jobs.batch":
            _job(cluster, obj)
        case "services":
            _service(cluster, obj)


def settle(cluster: SimulatedCluster, resource: str, obj: Obj, when: float) -> None:
    """Bring an object to its end state as of `when`, without timers."""
    now = cluster.clock.now()
    match resource:
        case "deployments.apps":
            made = _replica_set(obj, 1, int(obj["spec"].get("replicas", 1)), when)
            made = cluster.storage.create(made)
            for number in range(made["spec"]["replicas"]):
                cluster.place_pod(_pod_of_set(made, number, when), when + number)
            _annotate_revision(cluster, obj, "1")
            _settled_deployment(cluster, obj, made, when)
        case "statefulsets.apps":
            for number in range(int(obj["spec"].get("replicas", 1))):
                cluster.place_pod(_stateful_pod(obj, number, when), when + 8 * number)
            _stateful_status(cluster, obj, _owned(cluster, obj))
        case "daemonsets.apps":
            for node in _daemon_nodes(cluster, obj):
                cluster.place_pod(_daemon_pod(obj, node.name, when), when + node.index, node)
            _daemon_status(cluster, obj, _owned(cluster, obj))
        case "jobs.batch":
            _settled_job(cluster, obj, when)
        case "cronjobs.batch":
            last = now - 60 * (now // 60 % 1440)
            status = {"lastScheduleTime": stamp(last), "lastSuccessfulTime": stamp(last + 312)}
            cluster.storage.update_status(resource, *_place(obj), status)
        case "services":
            _service(cluster, obj)


def _place(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _owned(cluster: SimulatedCluster, owner: Obj, resource: str = "pods") -> list[Obj]:
    """Objects of the owner that are not on their way out."""
    uid = owner["metadata"]["uid"]
    return [
        obj
        for obj in cluster.storage.list(resource, owner["metadata"]["namespace"])
        if any(entry["uid"] == uid for entry in obj["metadata"].get("ownerReferences") or ())
        and not obj["metadata"].get("deletionTimestamp")
    ]


# Deployments


def _replica_set(deployment: Obj, revision: int, replicas: int, when: float) -> Obj:
    spec = deployment["spec"]
    digest = p.template_hash(spec["template"])
    template = copy.deepcopy(spec["template"])
    meta = template.setdefault("metadata", {})
    meta["labels"] = {**(meta.get("labels") or {}), "pod-template-hash": digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{deployment['metadata']['name']}-{digest}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": dict(meta["labels"]),
            "annotations": {
                "deployment.kubernetes.io/desired-replicas": str(spec.get("replicas", 1)),
                "deployment.kubernetes.io/revision": str(revision),
            },
            "creationTimestamp": stamp(when),
            "ownerReferences": [p.owner_reference(deployment)],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {**(spec["selector"].get("matchLabels") or {}), "pod-template-hash": digest}},
            "template": template,
        },
    }


def _pod_of_set(owner: Obj, number: int, when: float) -> Obj:
    name = f"{owner['metadata']['name']}-{p.short_hash([owner['metadata']['uid'], number, when], 5)}"
    return p.new_pod(owner, owner["spec"]["template"], name, {}, when)


def _revision(replica_set: Obj) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision", 0))


def _deployment(cluster: SimulatedCluster, obj: Obj) -> None:
    storage, now = cluster.storage, cluster.clock.now()
    spec = obj["spec"]
    sets = sorted(_owned(cluster, obj, "replicasets.apps"), key=_revision)
    digest = p.template_hash(spec["template"])
    current = next((rs for rs in sets if rs["metadata"]["labels"].get("pod-template-hash") == digest), None)
    if current is None and not (spec.get("paused") and sets):
        revision = _revision(sets[-1]) + 1 if sets else 1
        current = storage.create(_replica_set(obj, revision, 0, now))
        sets.append(current)
        _annotate_revision(cluster, obj, str(revision))
    current = current or sets[-1]
    if _revision(current) < max(map(_revision, sets)):  # a return to an older template
        revision = max(map(_revision, sets)) + 1
        current["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(revision)
        _annotate_revision(cluster, obj, str(revision))
    pods = {rs["metadata"]["name"]: _owned(cluster, rs) for rs in sets}
    _plan(spec, sets, current, pods)
    again = False
    for replica_set in sets:
        again |= _scale(cluster, replica_set, pods[replica_set["metadata"]["name"]], now)
        _set_status(cluster, replica_set)
    _forget_old(cluster, spec, sets, current)
    if again:
        cluster.enqueue(obj, STEP)
    _deployment_status(cluster, obj, current, now)


def _plan(spec: Obj, sets: list[Obj], current: Obj, pods: dict[str, list[Obj]]) -> None:
    """Decide the replicas of each set: a rolling update by 25 % surge and 25 % unavailable."""
    wanted = int(spec.get("replicas", 1))
    old = [rs for rs in sets if rs is not current and rs["spec"]["replicas"] > 0]
    if not old:
        current["spec"]["replicas"] = wanted
        return
    if spec.get("strategy", {}).get("type") == "Recreate":
        for rs in old:
            rs["spec"]["replicas"] = 0
        current["spec"]["replicas"] = 0 if any(pods[rs["metadata"]["name"]] for rs in old) else wanted
        return
    surge, unavailable = max(1, -(-wanted // 4)), wanted // 4
    total_old = sum(rs["spec"]["replicas"] for rs in old)
    room = wanted + surge - total_old
    current["spec"]["replicas"] = max(min(wanted, room), min(current["spec"]["replicas"], wanted))
    available = sum(p.ready(pod) for rs in sets for pod in pods[rs["metadata"]["name"]])
    spare = available - (wanted - unavailable)
    for rs in old:
        idle = rs["spec"]["replicas"] - sum(map(p.ready, pods[rs["metadata"]["name"]]))
        take = min(rs["spec"]["replicas"], max(0, idle) + max(0, min(spare, 1)))
        rs["spec"]["replicas"] -= take
        spare -= min(1, max(0, spare))


def _scale(cluster: SimulatedCluster, replica_set: Obj, pods: list[Obj], now: float) -> bool:
    """Write the wanted count and create or remove at most one pod; whether there is more to do."""
    made = cluster.storage.apply(replica_set)
    replica_set["metadata"] = made["metadata"]
    wanted = replica_set["spec"]["replicas"]
    if len(pods) < wanted:
        cluster.add_pod(_pod_of_set(replica_set, cluster.random.getrandbits(30), now))
        return len(pods) + 1 < wanted
    if len(pods) > wanted:
        victim = min(pods, key=lambda pod: (p.ready(pod), _newest(pod), pod["metadata"]["name"]))
        cluster.remove_pod(victim)
        return len(pods) - 1 > wanted
    return False


def _newest(pod: Obj) -> tuple[int, ...]:
    return tuple(-ord(char) for char in pod["metadata"]["creationTimestamp"])


def _set_status(cluster: SimulatedCluster, replica_set: Obj) -> Obj:
    pods = _owned(cluster, replica_set)
    up = sum(map(p.ready, pods))
    status: Obj = {"replicas": len(pods), "observedGeneration": replica_set["metadata"].get("generation", 1)}
    if pods:
        status |= {"fullyLabeledReplicas": len(pods)}
    if up:
        status |= {"readyReplicas": up, "availableReplicas": up}
    return cluster.storage.update_status("replicasets.apps", *_place(replica_set), status)


def _forget_old(cluster: SimulatedCluster, spec: Obj, sets: list[Obj], current: Obj) -> None:
    empty = [rs for rs in sets if rs is not current and not rs["spec"]["replicas"] and not _owned(cluster, rs)]
    for rs in empty[: max(0, len(empty) - int(spec.get("revisionHistoryLimit", 10)))]:
        cluster.storage.delete("replicasets.apps", *_place(rs))


def _annotate_revision(cluster: SimulatedCluster, obj: Obj, revision: str) -> None:
    def write(live: Obj) -> None:
        notes = live["metadata"].setdefault("annotations", {})
        notes["deployment.kubernetes.io/revision"] = revision

    cluster.storage.patch("deployments.apps", *_place(obj), write)


def _deployment_status(cluster: SimulatedCluster, obj: Obj, current: Obj, now: float) -> None:
    spec = obj["spec"]
    wanted = int(spec.get("replicas", 1))
    mine = _owned(cluster, current)
    everyone = [pod for rs in _owned(cluster, obj, "replicasets.apps") for pod in _owned(cluster, rs)]
    up, updated = sum(map(p.ready, everyone)), len(mine)
    counts = (len(everyone), updated, up)
    complete = updated == wanted and len(everyone) == wanted and up >= wanted
    key = _place(obj)
    before = cluster.progress.get(key)
    mark = (current["metadata"]["name"], wanted, *counts)
    if before is None or before[0] != mark:
        cluster.progress[key] = before = (mark, now)
    deadline = float(spec.get("progressDeadlineSeconds", DEADLINE))
    late = not complete and (now - before[1]) * cluster.clock.speed >= deadline
    old = (cluster.storage.get("deployments.apps", *key).get("status") or {}).get("conditions") or []
    if not complete and not late:
        cluster.enqueue_key(("deployments.apps", *key), deadline + 1)
    name = current["metadata"]["name"]
    if late:
        progressing = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    elif complete:
        progressing = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    else:
        progressing = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    if spec.get("paused"):
        progressing = ("Unknown", "DeploymentPaused", "Deployment is paused")
    _write_deployment(cluster, obj, counts, wanted, progressing, now, old)


def _reason(conditions: list[Obj]) -> str:
    return next((str(entry.get("reason")) for entry in conditions if entry["type"] == "Progressing"), "")


def _settled_deployment(cluster: SimulatedCluster, obj: Obj, replica_set: Obj, when: float) -> None:
    _set_status(cluster, replica_set)
    pods = _owned(cluster, replica_set)
    up = sum(map(p.ready, pods))
    wanted = int(obj["spec"].get("replicas", 1))
    name = replica_set["metadata"]["name"]
    progressing = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    if obj["spec"].get("paused"):
        progressing = ("Unknown", "DeploymentPaused", "Deployment is paused")
    elif up < wanted:
        progressing = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    cluster.progress[_place(obj)] = ((name, wanted, len(pods), len(pods), up), when)
    _write_deployment(cluster, obj, (len(pods), len(pods), up), wanted, progressing, when, [])


def _write_deployment(
    cluster: SimulatedCluster,
    obj: Obj,
    counts: tuple[int, int, int],
    wanted: int,
    progressing: tuple[str, str, str],
    now: float,
    old: list[Obj],
) -> None:
    replicas, updated, up = counts
    least = wanted - wanted // 4
    available = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    if up < least:
        available = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    live = cluster.storage.get("deployments.apps", *_place(obj))
    status: Obj = {"observedGeneration": live["metadata"]["generation"]}
    for field, value in (
        ("replicas", replicas),
        ("updatedReplicas", updated),
        ("readyReplicas", up),
        ("availableReplicas", up),
        ("unavailableReplicas", max(0, max(wanted, replicas) - up)),
    ):
        if value:
            status[field] = value
    status["conditions"] = [
        _condition("Available", available, now, old),
        _condition("Progressing", progressing, now, old),
    ]
    cluster.storage.update_status("deployments.apps", *_place(obj), status)


def _condition(name: str, value: tuple[str, str, str], now: float, old: list[Obj]) -> Obj:
    status, reason, message = value
    before = next((entry for entry in old if entry["type"] == name), None)
    if before and (before["status"], before["reason"], before["message"]) == value:
        return before
    moved = before["lastTransitionTime"] if before and before["status"] == status else stamp(now)
    return {
        "type": name,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": moved,
    }


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
    pods = sorted(_owned(cluster, obj), key=_ordinal)
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
    _stateful_status(cluster, obj, _owned(cluster, obj))


def _stateful_status(cluster: SimulatedCluster, obj: Obj, pods: list[Obj]) -> None:
    update = _set_hash(obj)
    new = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") == update]
    up = sum(map(p.ready, pods))
    live = cluster.storage.get("statefulsets.apps", *_place(obj))
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
    cluster.storage.update_status("statefulsets.apps", *_place(obj), status)


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
    pods = _owned(cluster, obj)
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
    _daemon_status(cluster, obj, _owned(cluster, obj))


def _daemon_status(cluster: SimulatedCluster, obj: Obj, pods: list[Obj]) -> None:
    digest = p.template_hash(obj["spec"]["template"])
    live = cluster.storage.get("daemonsets.apps", *_place(obj))
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
    cluster.storage.update_status("daemonsets.apps", *_place(obj), status)


# Jobs and services


def _job(cluster: SimulatedCluster, obj: Obj) -> None:
    status = obj.get("status") or {}
    now = cluster.clock.now()
    if status.get("completionTime") or obj["spec"].get("suspend"):
        if obj["spec"].get("suspend") and not status.get("conditions"):
            _settled_job(cluster, obj, now)
        return
    pods = _owned(cluster, obj)
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
    cluster.storage.update_status("jobs.batch", *_place(obj), new)


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
    cluster.storage.update_status("jobs.batch", *_place(obj), status)


def _job_condition(name: str, when: float, reason: str = "CompletionsReached", message: str = "") -> Obj:
    return {
        "type": name,
        "status": "True",
        "reason": reason,
        "message": message or "Reached expected number of succeeded pods",
        "lastProbeTime": stamp(when),
        "lastTransitionTime": stamp(when),
    }


def _service(cluster: SimulatedCluster, obj: Obj) -> None:
    """Give a service its address, as the API server does on creation."""
    if obj["spec"].get("clusterIP"):
        return

    def write(live: Obj) -> None:
        address = cluster.service_address()
        live["spec"] |= {
            "clusterIP": address,
            "clusterIPs": [address],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "sessionAffinity": "None",
        }
        live["spec"].setdefault("type", "ClusterIP")
        live.setdefault("status", {"loadBalancer": {}})

    cluster.storage.patch("services", *_place(obj), write)
