"""The demo's past: brings every cluster and Application to where months of work have left them, at once."""

from __future__ import annotations

import random
from typing import Any

from tui.demo.argocd import operation as op
from tui.demo.argocd.compare import targets_of
from tui.demo.argocd.controller import Controller, automated
from tui.demo.argocd.index import concerns
from tui.demo.argocd.names import APPLICATIONS, APPSETS, HISTORY, NAMESPACE
from tui.demo.argocd.objects import Obj, merged
from tui.demo.argocd.source import RenderError
from tui.demo.argocd.syncer import history_entry
from tui.demo.clock import parse_stamp, stamp
from tui.demo.content import scenario
from tui.demo.content.applications import root_application
from tui.demo.controllers.defaults import fill
from tui.demo.repository import Revision
from tui.demo.values import clone
from tui.demo.world import DestinationError, World

OLD_SETS = 3  # revisionHistoryLimit of the shop

Saved = dict[str, dict[str, Any]]  # Application -> {"history", "operationState"} of an earlier run


class Past:
    """Replays the repository's history into the clusters without timers, events or watches."""

    def __init__(self, world: World, controller: Controller, seed: int, saved: Saved | None = None) -> None:
        self._world = world
        self._controller = controller
        self._random = random.Random(f"past/{seed}")
        self._log = controller.reader.log("main")
        # An Application whose commit is not in this repository is from another life of the directory.
        known = {name: live for name, live in (saved or {}).items() if self._known(controller, _live_commit(live))}
        self._saved = known if len(known) == len(saved or {}) else {}
        controller.generator.born = self._born

    @staticmethod
    def _known(controller: Controller, sha: str) -> bool:
        return not sha or controller.reader.resolve(sha) is not None

    def replay(self, repo: str) -> None:
        """Create the root Application, what it deploys, what that deploys, and the ApplicationSets' Applications."""
        hub = self._world.hub
        root = root_application(repo)
        root["metadata"]["creationTimestamp"] = stamp(self._log[-1].time + 300)  # type: ignore[index]
        hub.apply(root)
        self._projects()
        done: set[str] = set()
        while names := [name for name in self._names() if name not in done]:
            for name in names:
                self._application(name)
                done.add(name)
            self._controller.generator.generate()
        for place, resource, namespace, name in scenario.MISSING if not self._saved else ():
            if self._world.clusters[place].storage.find(resource, namespace, name):
                self._world.clusters[place].storage.delete(resource, namespace, name)
        for cluster in self._world.clusters.values():  # their pods came later than they
            for service in cluster.storage.list("services"):
                cluster.settle(service, 0.0)
            cluster.agents.renew()
        for name in self._names():  # once more: what was deployed later may have changed what is seen now
            self._controller.refresh(name)
        for appset in hub.list(APPSETS, NAMESPACE):
            self._controller.generator.generate_one(appset)
        for resource in (APPLICATIONS, APPSETS):
            for obj in hub.list(resource, NAMESPACE):
                if resource == APPSETS or obj["metadata"]["name"] not in self._controller.lazy:
                    self._date(resource, obj)

    def _date(self, resource: str, obj: Obj) -> None:
        """Health and conditions that are there at the start came with what made them, not with the demo."""
        since = stamp(min(self._since(obj), self._world.clock.now()))

        def write(live: Obj) -> None:
            status = live.get("status") or {}
            for entry in (status.get("health") or {}, *(status.get("conditions") or ())):
                if "lastTransitionTime" in entry:
                    entry["lastTransitionTime"] = since

        self._world.hub.patch(resource, NAMESPACE, obj["metadata"]["name"], write)

    def _since(self, obj: Obj) -> float:
        """When an object got into the state that it is in: with its last sync, else its last commit, else its birth."""
        status = obj.get("status") or {}
        state, history = status.get("operationState") or {}, status.get("history") or ()
        born = parse_stamp(obj["metadata"]["creationTimestamp"]) + 60
        moment = state.get("finishedAt") or state.get("startedAt")
        if state.get("phase") != "Succeeded" and history and status["health"]["status"] == "Healthy":
            moment = history[-1]["deployedAt"]  # what failed since has changed nothing
        if moment:
            return max(born, parse_stamp(moment) + 2)
        if obj["kind"] != "Application":
            return born
        return max(born, next((revision.time + 90 for revision in self._log if concerns(obj, revision.places)), born))

    def _names(self) -> list[str]:
        return [name for name in self._controller.index.names() if name not in self._controller.lazy]

    def _projects(self) -> None:
        """Projects come first: an Application without its project is invalid."""
        head = self._log[0].sha
        tree = self._controller.reader.tree(head)
        source = {"path": "argocd/projects"}
        if any(path.startswith("argocd/projects/") for path in tree):
            for obj in self._controller.renderer.render(source, head, "projects", NAMESPACE).objects:
                obj = {**obj, "metadata": {**obj["metadata"], "namespace": NAMESPACE}}
                self._world.hub.apply(obj)

    def _application(self, name: str) -> None:
        hub = self._world.hub
        app = hub.get(APPLICATIONS, NAMESPACE, name)
        mine = [revision for revision in self._log if concerns(app, revision.places)]
        try:
            cluster = self._world.destination(app["spec"]["destination"])
        except DestinationError:
            cluster = ""
        if not mine or not cluster or cluster in self._world.refusing:
            self._controller.refresh(name)
            return
        saved = self._saved.get(name)
        script = scenario.SCRIPT.get(name, "") if not self._saved else ""
        mine = mine[1:] if script in (scenario.BEHIND, scenario.REFUSED) and len(mine) > 1 else mine
        live = _live_commit(saved) or mine[0].sha
        try:
            targets, _ = targets_of(app, self._controller.renderer, self._world, live, cluster)
        except RenderError:
            self._controller.refresh(name)
            return
        times = (mine[-1].time + 120.0, mine[0].time + 90.0)
        for task in op.tasks_of(targets, [], self._world.clusters[cluster].storage, set()):
            if task.resource and not task.hook:
                first, last = self._span(mine, task.file, times)
                older = self._older(app, mine, task) if task.obj["kind"] == "Deployment" else []
                self._deploy(cluster, task.obj, first, last, older)
        status = {**saved} if saved else self._status(app, mine, script)

        def write(obj: Obj) -> None:
            obj["status"] = {
                **(obj.get("status") or {}),
                **{key: value for key, value in status.items() if key != "operation"},
            }
            if status.get("operation"):
                obj["operation"] = status["operation"]

        hub.patch(APPLICATIONS, NAMESPACE, name, write)
        self._controller.refresh(name)

    def _span(self, mine: list[Revision], file: str, whole: tuple[float, float]) -> tuple[float, float]:
        """When a file first and last changed, as far as it is deployed; the Application's own times without a file."""
        times = [revision.time for revision in mine if file in revision.places] if file else []
        return (times[-1] + 120.0, times[0] + 90.0) if times else whole

    def _older(self, app: Obj, mine: list[Revision], task: op.Task) -> list[tuple[Obj, float]]:
        """A Deployment as its file had it before, oldest first, with the times."""
        earlier = [revision for revision in mine if task.file and task.file in revision.places][1 : 1 + OLD_SETS]
        found = []
        for revision in reversed(earlier):
            cluster = self._world.destination(app["spec"]["destination"])
            targets, _ = targets_of(app, self._controller.renderer, self._world, revision.sha, cluster)
            found += [(fill(clone(each.obj)), revision.time + 90.0) for each in targets if each.key == task.key]
        return found

    def _deploy(self, cluster: str, target: Obj, first: float, last: float, older: list[tuple[Obj, float]]) -> None:
        simulated = self._world.clusters[cluster]
        resource = simulated.storage.resource_of(target).name
        namespace, name = target["metadata"].get("namespace", ""), target["metadata"]["name"]
        before = simulated.storage.find(resource, namespace, name)
        obj = merged(target, before)
        if before is None:
            born = self._born(obj) if obj["kind"] == "Application" else first
            obj["metadata"]["creationTimestamp"] = stamp(born)
        made = simulated.storage.apply(fill(obj))
        if before is None:
            simulated.settle(made, last, older)

    def _born(self, app: Obj) -> float:
        """When an Application was created: soon after the first commit that concerns it."""
        return next((revision.time for revision in reversed(self._log) if concerns(app, revision.places)), 0) + 120.0

    def _status(self, app: Obj, mine: list[Revision], script: str) -> dict[str, Any]:
        """History and operationState as the commits and the script make them."""
        deployed = mine[1:] if script in (scenario.CRASHED, scenario.WAITING) else mine
        history: list[Obj] = []
        operation: Obj = {}
        for revision in reversed(deployed[:HISTORY]):
            started, finished = self._times(revision, app)
            operation = _operation(app, revision)
            history.append(history_entry(history, app, revision.sha, stamp(started), stamp(finished), operation))
        for number, entry in enumerate(history):  # older entries have left the list
            entry["id"] = number + max(0, len(deployed) - HISTORY)
        newest = self._newest(app)
        revision = mine[0] if script != scenario.REFUSED else newest
        started, finished = self._times(revision, app)
        state = self._state(app, _operation(app, revision), revision, started, finished, script)
        result: dict[str, Any] = {"history": history, "operationState": state}
        if script == scenario.WAITING:
            result["operation"] = state["operation"]
        return result if history else {**result, "history": []}

    def _newest(self, app: Obj) -> Revision:
        return next(revision for revision in self._log if concerns(app, revision.places))

    def _times(self, revision: Revision, app: Obj) -> tuple[float, float]:
        """When the sync of a commit started and ended: soon after the push, or when somebody got round to it."""
        delay = 45 + self._random.random() * 50 if automated(app) else 900 + self._random.random() * 5400
        started = revision.time + delay
        return started, started + 12 + self._random.random() * 45

    def _state(self, app: Obj, operation: Obj, revision: Revision, started: float, finished: float, script: str) -> Obj:
        phase, message = "Succeeded", "successfully synced (all tasks run)"
        state: Obj = {
            "operation": operation,
            "startedAt": stamp(started),
            "syncResult": {"resources": [], "revision": revision.sha, "source": app["spec"]["source"]},
        }
        if script == scenario.WAITING:
            what = "/Service/storefront-public"
            return {**state, "phase": "Running", "message": f"waiting for healthy state of {what}"}
        if script == scenario.CRASHED:
            phase = "Failed"
            message = "one or more synchronization tasks completed unsuccessfully (retried 5 times)."
            finished = started + 5 * 125 + 155
        if script == scenario.REFUSED:
            phase = "Failed"
            message = f"one or more objects failed to apply, reason: {scenario.REFUSAL} (retried 5 times)."
            finished = started + 155
        if phase == "Failed":
            state["retryCount"] = 5
        state["syncResult"]["resources"] = self._results(app, revision, script)
        return {**state, "finishedAt": stamp(finished), "message": message, "phase": phase}

    def _results(self, app: Obj, revision: Revision, script: str) -> list[Obj]:
        cluster = self._world.destination(app["spec"]["destination"])
        storage = self._world.clusters[cluster].storage
        targets, _ = targets_of(app, self._controller.renderer, self._world, revision.sha, cluster)
        results = []
        for task in op.tasks_of(targets, [], storage, set()):
            changed = any(task.obj["kind"] == kind for kind in ("Deployment", "DaemonSet", "StatefulSet"))
            result = op.result_of(task, "configured" if changed else "unchanged")
            if script == scenario.REFUSED and task.obj["kind"] == "Service":
                result |= {"status": "SyncFailed", "hookPhase": "Failed"}
                result["message"] = scenario.REFUSAL
            results.append(result)
        return results

    def record(self) -> None:
        """Events of the last hour, from the operations that ran in it."""
        now = self._world.clock.now()
        for name in self._names():
            app = self._world.hub.get(APPLICATIONS, NAMESPACE, name)
            state = (app.get("status") or {}).get("operationState") or {}
            if state.get("phase") != "Succeeded" or now - parse_stamp(state["finishedAt"]) > 3500:
                continue
            sha = state["syncResult"]["revision"]
            started, finished = parse_stamp(state["startedAt"]), parse_stamp(state["finishedAt"])
            rows = (
                (started - 1.5, "ResourceUpdated", "Updated sync status: Synced -> OutOfSync"),
                (started, "OperationStarted", f"Initiated automated sync to '{sha}'"),
                (started + 1.2, "ResourceUpdated", "Updated health status: Healthy -> Progressing"),
                (finished, "OperationCompleted", f"Sync operation to {sha} succeeded"),
                (finished + 0.6, "ResourceUpdated", "Updated sync status: OutOfSync -> Synced"),
                (finished + 1.4, "ResourceUpdated", "Updated health status: Progressing -> Healthy"),
            )
            for when, reason, message in rows:
                self._controller.events.write(app, reason, message, when=when)


def _operation(app: Obj, revision: Revision) -> Obj:
    if automated(app):
        policy = app["spec"]["syncPolicy"]
        sync: Obj = {"revision": revision.sha}
        if policy["automated"].get("prune"):
            sync["prune"] = True
        return {"initiatedBy": {"automated": True}, "retry": {"limit": 5}, "sync": sync}
    user = "sam.okafor@harbour.example"
    return {
        "initiatedBy": {"username": user},
        "retry": {},
        "sync": {"revision": revision.sha, "syncStrategy": {"hook": {}}},
    }


def _live_commit(saved: dict[str, Any] | None) -> str:
    """What an earlier run left live: the last deployed commit, or the one whose pods failed after being applied."""
    if not saved:
        return ""
    state = saved.get("operationState") or {}
    result = state.get("syncResult") or {}
    applied = result.get("resources") and all(entry["status"] != "SyncFailed" for entry in result["resources"])
    if applied and state.get("phase") in ("Failed", "Running"):
        return str(result.get("revision", ""))
    history = saved.get("history") or ()
    return str(history[-1]["revision"]) if history else ""
