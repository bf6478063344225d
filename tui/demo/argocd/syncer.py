"""Runs operations: from `.operation` on an Application to its history and the final operationState.

Order of writes as Argo CD has it: history before the phase Succeeded, sync and health in writes of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.demo.argocd import operation as op
from tui.demo.argocd.appset import FINALIZER
from tui.demo.argocd.compare import compare, targets_of
from tui.demo.argocd.events import Recorder
from tui.demo.argocd.names import APPLICATIONS, HISTORY, NAMESPACE
from tui.demo.argocd.objects import Key, Obj
from tui.demo.argocd.source import Renderer, RenderError
from tui.demo.argocd.tracker import Tracker
from tui.demo.values import clone
from tui.demo.world import DestinationError, World


class Syncer:
    """Runs one operation at a time for each Application; `later(seconds, callback, *arguments)` calls back."""

    def __init__(
        self,
        world: World,
        renderer: Renderer,
        tracker: Tracker,
        events: Recorder,
        later: Callable[..., Any],
    ) -> None:
        self.world = world
        self.renderer = renderer
        self.tracker = tracker
        self.events = events
        self.clock = world.clock
        self._later = later

    def _get(self, name: str) -> Obj | None:
        return self.world.hub.find(APPLICATIONS, NAMESPACE, name)

    async def run(self, name: str) -> None:
        """Run the operation that an Application carries. Raises Abandoned when it is taken away meanwhile."""
        app = self._get(name)
        if app is None:
            return
        await self.clock.sleep(0.4)
        operation = app["operation"]
        before = (app.get("status") or {}).get("operationState") or {}
        started = before["startedAt"] if before.get("phase") == "Running" else self.clock.stamp()
        state: Obj = {"operation": operation, "phase": "Running", "startedAt": started}
        if not self._put_state(name, state):
            return
        limit = int((operation.get("retry") or {}).get("limit", 0))
        attempt = 0
        while True:
            state["syncResult"] = {
                "resources": [],
                "revision": operation["sync"]["revision"],
                "source": app["spec"]["source"],
            }
            phase, message = await self._attempt(name, operation, state)
            if phase == "Succeeded" or attempt >= limit:
                break
            attempt += 1
            pause = min(180.0, 5.0 * 2 ** (attempt - 1))
            words = op.retry_message(message, attempt, self.clock.now() + pause)
            state |= {"message": words, "finishedAt": self.clock.stamp(), "retryCount": attempt}
            if not self._put_state(name, state):
                return
            await self.clock.sleep(pause)
            state.pop("finishedAt")
            state["message"] = f"Retrying operation. Attempt #{attempt}"
            if not self._put_state(name, state):
                return
        if attempt and phase != "Succeeded":
            message += f" (retried {attempt} times)."
        self._finish(name, state, phase, message)

    async def _attempt(self, name: str, operation: Obj, state: Obj) -> tuple[str, str]:
        """Run the tasks once; the phase and message they end in."""
        app = self._get(name)
        if app is None:
            raise op.Abandoned
        sha = operation["sync"]["revision"]
        try:
            cluster = self.world.destination(app["spec"]["destination"])
            targets, _ = targets_of(app, self.renderer, self.world, sha, cluster)
        except (RenderError, DestinationError) as error:
            return "Error", f"ComparisonError: Failed to load target state: {error}"
        found = compare(app, self.world, self.renderer, sha, self.tracker.owned)
        storage = self.world.clusters[cluster].storage

        def write(changes: dict[str, Any]) -> bool:
            state["syncResult"]["resources"] = changes["resources"]
            if changes["message"]:
                state["message"] = changes["message"]
            return self._put_state(name, state)

        def remove(resource: str, obj: Obj) -> None:
            self._remove(cluster, resource, obj)

        options = operation["sync"].get("syncOptions") or ()
        create = app["spec"]["destination"].get("namespace", "") if "CreateNamespace=true" in options else ""
        only = {
            Key(entry.get("group", ""), entry["kind"], entry.get("namespace", ""), entry["name"])
            for entry in operation["sync"].get("resources") or ()
        }
        prune = bool(operation["sync"].get("prune"))
        tasks = op.tasks_of(targets, found.prunable, storage, only)
        try:
            await op.Operation(storage, self.clock, write, remove, prune, create).run(tasks)
        except op.SyncFailed as error:
            return "Failed", str(error)
        return "Succeeded", "successfully synced (all tasks run)" if tasks else "successfully synced (no more tasks)"

    def _put_state(self, name: str, state: Obj) -> bool:
        """Write operationState; False when the Application or its operation is gone."""
        app = self._get(name)
        if app is None or "operation" not in app:
            return False
        copied = clone(state)

        def write(live: Obj) -> None:
            live["status"]["operationState"] = copied

        self.world.hub.patch(APPLICATIONS, NAMESPACE, name, write)
        return True

    def _finish(self, name: str, state: Obj, phase: str, message: str) -> None:
        app = self._get(name)
        if app is None:
            return
        revision = state["operation"]["sync"]["revision"]
        partial = bool(state["operation"]["sync"].get("resources"))
        now = self.clock.stamp()
        if phase == "Succeeded" and not partial:

            def deployed(live: Obj) -> None:
                history = live["status"].get("history") or []
                entry = history_entry(history, live, revision, state["startedAt"], now, state["operation"])
                live["status"]["history"] = [*history, entry][-HISTORY:]

            self.world.hub.patch(APPLICATIONS, NAMESPACE, name, deployed)
        state |= {"phase": phase, "message": message, "finishedAt": now}

        def done(live: Obj) -> None:
            live["status"]["operationState"] = clone(state)
            live.pop("operation", None)

        app = self.world.hub.patch(APPLICATIONS, NAMESPACE, name, done)
        kind = "Partial sync operation" if partial else "Sync operation"
        end = "succeeded" if phase == "Succeeded" else f"failed: {message}"
        self.events.write(app, "OperationCompleted", f"{kind} to {revision} {end}", warning=phase != "Succeeded")

    def _remove(self, cluster: str, resource: str, obj: Obj) -> None:
        meta = obj["metadata"]
        if resource == APPLICATIONS:
            self.delete_application(meta["name"])
        else:
            storage = self.world.clusters[cluster].storage
            if storage.find(resource, meta.get("namespace", ""), meta["name"]):
                storage.delete(resource, meta.get("namespace", ""), meta["name"])

    def delete_application(self, name: str) -> None:
        """Delete an Application and, as its finalizer asks, what it deployed."""
        app = self._get(name)
        if app is None:
            return

        def doom(live: Obj) -> None:
            live["metadata"]["deletionTimestamp"] = self.clock.stamp()
            live["metadata"]["deletionGracePeriodSeconds"] = 0

        self.world.hub.patch(APPLICATIONS, NAMESPACE, name, doom)
        self._later(1.5, self._delete_resources, name)

    def _delete_resources(self, name: str) -> None:
        app = self._get(name)
        if app is None:
            return
        if FINALIZER in (app["metadata"].get("finalizers") or ()):
            for cluster in self.world.clusters:
                storage = self.world.clusters[cluster].storage
                for key in self.tracker.owned(name, cluster):
                    if storage.find(*key):
                        storage.delete(*key)
        self.world.hub.delete(APPLICATIONS, NAMESPACE, name)


def history_entry(history: list[Obj], app: Obj, revision: str, started: str, deployed: str, operation: Obj) -> Obj:
    """One entry of `status.history`."""
    return {
        "deployStartedAt": started,
        "deployedAt": deployed,
        "id": history[-1]["id"] + 1 if history else 0,
        "initiatedBy": operation.get("initiatedBy") or {},
        "revision": revision,
        "source": app["spec"]["source"],
    }
