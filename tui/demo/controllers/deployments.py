"""The Deployment and ReplicaSet controllers: rolling updates, scaling, conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.demo.clock import stamp
from tui.demo.controllers import pods as p
from tui.demo.controllers.owned import STEP, owned, place
from tui.demo.values import clone

if TYPE_CHECKING:
    from tui.demo.controllers.cluster import SimulatedCluster

Obj = dict[str, Any]

QUOTA = 400  # pods of one namespace: a slip of the keyboard must not fill the machine
DEADLINE = 600  # progressDeadlineSeconds when the manifest says none


def settle(cluster: SimulatedCluster, obj: Obj, when: float, older: list[tuple[Obj, float]] | None = None) -> None:
    """Bring a Deployment to its end state as of `when`, without timers.

    `older`: what it was before and when, oldest first; each other template leaves an empty ReplicaSet.
    """
    revision, seen = 1, {p.template_hash(obj["spec"]["template"])}
    for before, then in older or ():
        digest = p.template_hash(before["spec"]["template"])
        if digest not in seen:
            seen.add(digest)
            empty = {**before, "metadata": obj["metadata"]}
            _set_status(cluster, cluster.storage.create(_replica_set(empty, revision, 0, then)))
            revision += 1
    made = _replica_set(obj, revision, int(obj["spec"].get("replicas", 1)), when)
    made = cluster.storage.create(made)
    for number in range(made["spec"]["replicas"]):
        cluster.place_pod(_pod_of_set(made, number, when), when + number)
    _annotate_revision(cluster, obj, str(revision))
    _settled_deployment(cluster, obj, made, when)


def _replica_set(deployment: Obj, revision: int, replicas: int, when: float) -> Obj:
    spec = deployment["spec"]
    digest = p.template_hash(spec["template"])
    template = clone(spec["template"])
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


def reconcile(cluster: SimulatedCluster, obj: Obj) -> None:
    """Take one step of a rollout or a scaling, and write the status."""
    storage, now = cluster.storage, cluster.clock.now()
    spec = obj["spec"]
    sets = sorted(owned(cluster, obj, "replicasets.apps"), key=_revision)
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
    pods = {rs["metadata"]["name"]: owned(cluster, rs) for rs in sets}
    before = {rs["metadata"]["name"]: rs["spec"]["replicas"] for rs in sets}
    _plan(spec, sets, current, pods)
    for rs in sets:
        _tell_scaled(cluster, obj, rs["metadata"]["name"], before[rs["metadata"]["name"]], rs["spec"]["replicas"])
    again = False
    for replica_set in sets:
        again |= _scale(cluster, replica_set, pods[replica_set["metadata"]["name"]], now)
        _set_status(cluster, replica_set)
    _forget_old(cluster, spec, sets, current)
    if again:
        cluster.enqueue(obj, STEP)
    _deployment_status(cluster, obj, current, now)


def _tell_scaled(cluster: SimulatedCluster, deployment: Obj, name: str, before: int, after: int) -> None:
    if before != after:
        way = "up" if after > before else "down"
        words = f"Scaled {way} replica set {name} from {before} to {after}"
        cluster.happenings.tell(deployment, "ScalingReplicaSet", words, "deployment-controller")


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
        used = len(cluster.storage.list("pods", replica_set["metadata"]["namespace"]))
        if used >= QUOTA:
            words = (
                f"Error creating: pods is forbidden: exceeded quota: pods, requested: 1, used: {used}, limited: {QUOTA}"
            )
            cluster.happenings.tell(replica_set, "FailedCreate", words, "replicaset-controller", warning=True)
            return False
        pod = _pod_of_set(replica_set, cluster.random.getrandbits(30), now)
        cluster.add_pod(pod)
        _tell_pod(cluster, replica_set, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return len(pods) + 1 < wanted
    if len(pods) > wanted:
        victim = min(pods, key=lambda pod: (p.ready(pod), _newest(pod), pod["metadata"]["name"]))
        cluster.remove_pod(victim)
        _tell_pod(cluster, replica_set, "SuccessfulDelete", f"Deleted pod: {victim['metadata']['name']}")
        return len(pods) - 1 > wanted
    return False


def _tell_pod(cluster: SimulatedCluster, owner: Obj, reason: str, words: str) -> None:
    cluster.happenings.tell(owner, reason, words, f"{owner['kind'].lower()}-controller")


def _newest(pod: Obj) -> tuple[int, ...]:
    return tuple(-ord(char) for char in pod["metadata"]["creationTimestamp"])


def _set_status(cluster: SimulatedCluster, replica_set: Obj) -> Obj:
    pods = owned(cluster, replica_set)
    up = sum(map(p.ready, pods))
    status: Obj = {"replicas": len(pods), "observedGeneration": replica_set["metadata"].get("generation", 1)}
    if pods:
        status |= {"fullyLabeledReplicas": len(pods)}
    if up:
        status |= {"readyReplicas": up, "availableReplicas": up}
    return cluster.storage.update_status("replicasets.apps", *place(replica_set), status)


def _forget_old(cluster: SimulatedCluster, spec: Obj, sets: list[Obj], current: Obj) -> None:
    empty = [rs for rs in sets if rs is not current and not rs["spec"]["replicas"] and not owned(cluster, rs)]
    for rs in empty[: max(0, len(empty) - int(spec.get("revisionHistoryLimit", 10)))]:
        cluster.storage.delete("replicasets.apps", *place(rs))


def _annotate_revision(cluster: SimulatedCluster, obj: Obj, revision: str) -> None:
    def write(live: Obj) -> None:
        notes = live["metadata"].setdefault("annotations", {})
        notes["deployment.kubernetes.io/revision"] = revision

    cluster.storage.patch("deployments.apps", *place(obj), write)


def _deployment_status(cluster: SimulatedCluster, obj: Obj, current: Obj, now: float) -> None:
    spec = obj["spec"]
    wanted = int(spec.get("replicas", 1))
    mine = owned(cluster, current)
    everyone = [pod for rs in owned(cluster, obj, "replicasets.apps") for pod in owned(cluster, rs)]
    up, updated = sum(map(p.ready, everyone)), len(mine)
    counts = (len(everyone), updated, up)
    complete = updated == wanted and len(everyone) == wanted and up >= wanted
    key = place(obj)
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
    pods = owned(cluster, replica_set)
    up = sum(map(p.ready, pods))
    wanted = int(obj["spec"].get("replicas", 1))
    name = replica_set["metadata"]["name"]
    progressing = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    if obj["spec"].get("paused"):
        progressing = ("Unknown", "DeploymentPaused", "Deployment is paused")
    elif up < wanted:
        progressing = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    cluster.progress[place(obj)] = ((name, wanted, len(pods), len(pods), up), when)
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
    live = cluster.storage.get("deployments.apps", *place(obj))
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
    cluster.storage.update_status("deployments.apps", *place(obj), status)


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
