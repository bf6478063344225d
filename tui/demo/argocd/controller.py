"""The application controller: watches Git and the clusters, compares, syncs, and writes Application status.

Order of writes follows Argo CD: `.operation` appears and operationState goes in one update; history is written before
the phase Succeeded; sync and health follow in a write of their own.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Callable
from typing import Any

from tui.demo.argocd import appset as sets
from tui.demo.argocd import operation as op
from tui.demo.argocd.compare import Comparison, compare, status_of, targets_of
from tui.demo.argocd.events import APPSET, Recorder
from tui.demo.argocd.objects import Key, Obj
from tui.demo.argocd.source import Renderer, RenderError
from tui.demo.argocd.tracker import Tracker
from tui.demo.argocd.windows import may_sync
from tui.demo.clock import parse_stamp, stamp
from tui.demo.repository import Reader
from tui.demo.world import DestinationError, World

APPLICATIONS = "applications.argoproj.io"
APPSETS = "applicationsets.argoproj.io"
NAMESPACE = "argocd"

POLL = 0.25  # real seconds between two looks at the repository's refs
WEBHOOK = 1.2  # demo seconds from a push to the refresh of what it touches
DEBOUNCE = 0.4
SELF_HEAL = 5.0  # controller.self.heal.timeout.seconds
RESYNC = 120.0  # timeout.reconciliation, plus up to half as much jitter
HISTORY = 10
RETRIES = 5


class Controller:
    """Argo CD on the hub. `lazy` Applications are only looked at when a push or a change concerns them."""

    def __init__(self, world: World, reader: Reader, seed: int = 0) -> None:
        self.world = world
        self.reader = reader
        self.renderer = Renderer(reader)
        self.clock = world.clock
        self.events = Recorder(world.hub, world.clock)
        self.tracker = Tracker(world, self.touch)
        self.lazy: set[str] = set()
        self.random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._due: dict[str, bool] = {}  # application -> a full comparison is wanted
        self._heads: dict[str, str] = {}  # target revision -> commit last seen by the webhook
        self._seen: dict[str, str] = {}  # application -> commit of its last comparison
        self._healed: dict[str, int] = {}
        self._started = False
        self.born: Callable[[Obj], float] = lambda app: self.clock.now()  # of Applications generated before the start

    # Beginning and end

    def start(self) -> None:
        """Watch Git and reconcile from now on. Needs a running loop."""
        self._started = True
        self._heads = self.reader.refs()
        self.world.hub.subscribe(APPLICATIONS, lambda event: self._application_changed(event.type, event.key))
        self.world.hub.subscribe(APPSETS, lambda event: self._spawn_later(event.type))
        self._spawn(self._watch_git())
        self._spawn(self._resync())

    async def stop(self) -> None:
        """End all tasks."""
        self._started = False
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the Argo CD stand-in failed", "exception": task.exception(), "task": task}
            )

    # What wakes it

    def touch(self, application: str, full: bool = False, seconds: float = DEBOUNCE) -> None:
        """Look at an Application soon; `full` as after a refresh request, otherwise only its live state."""
        if not self._started:
            return
        if application in self._due:
            self._due[application] |= full
            return
        self._due[application] = full
        self.clock.later(seconds, self._process_due, application)

    def _process_due(self, application: str) -> None:
        full = self._due.pop(application, False)
        if self._started:
            self.refresh(application, full)

    def _application_changed(self, kind: str, key: str) -> None:
        name = key.rpartition("/")[2]
        if kind == "ADDED":
            self.touch(name, True)
        elif kind == "MODIFIED" and (app := self._get(name)) is not None:
            compared = ((app.get("status") or {}).get("sync") or {}).get("comparedTo") or {}
            if compared.get("source") != app["spec"]["source"]:
                self.touch(name, True)

    def _spawn_later(self, kind: str) -> None:
        if kind == "ADDED" or kind == "MODIFIED":
            self.clock.later(DEBOUNCE, self.generate)

    async def _watch_git(self) -> None:
        before = self.reader.signature()
        while True:
            await asyncio.sleep(POLL / min(self.clock.speed, 10))
            now = self.reader.signature()
            if now == before:
                continue
            before = now
            await self.clock.sleep(WEBHOOK)
            self.pushed()

    async def _resync(self) -> None:
        """Full comparisons of every Application that is not lazy, each about every two and a half minutes."""
        while True:
            apps = (
                [app["metadata"]["name"] for app in self.world.hub.list(APPLICATIONS, NAMESPACE)]
                if not self.lazy
                else [name for name in self._seen if name not in self.lazy]
            )
            for name in apps:
                await self.clock.sleep((RESYNC + self.random.random() * RESYNC / 2) / max(1, len(apps)))
                self.touch(name, True)
            self.events.forget()
            await self.clock.sleep(1)

    def pushed(self) -> None:
        """A webhook for every ref that moved: refresh the Applications whose files changed."""
        heads = self.reader.refs()
        moved = {name: sha for name, sha in heads.items() if self._heads.get(name) != sha}
        changed = {
            name: self.reader.changed(self._heads[name], sha) if name in self._heads else None
            for name, sha in moved.items()
        }
        self._heads = heads
        for app in self.world.hub.list(APPLICATIONS, NAMESPACE):
            source = app["spec"]["source"]
            revision = source.get("targetRevision") or "HEAD"
            paths = changed.get("main" if revision == "HEAD" else revision, ())
            if paths is None or (paths and concerns(app, paths)):
                name = app["metadata"]["name"]
                self._note_refresh(name)
                self.touch(name, True, 0.1 + self.random.random())
        self.generate()

    def _note_refresh(self, name: str) -> None:
        """The webhook asks for a refresh by annotation; the comparison takes it away again."""

        def write(app: Obj) -> None:
            app["metadata"].setdefault("annotations", {})["argocd.argoproj.io/refresh"] = "normal"

        self.world.hub.patch(APPLICATIONS, NAMESPACE, name, write)

    # Comparison

    def _get(self, name: str) -> Obj | None:
        return self.world.hub.find(APPLICATIONS, NAMESPACE, name)

    def commit_of(self, app: Obj) -> str | None:
        """The commit an Application's target revision names now."""
        revision = app["spec"]["source"].get("targetRevision") or "HEAD"
        return self._heads.get(revision) or self.reader.resolve(revision)

    def refresh(self, name: str, full: bool = True) -> Comparison | None:
        """Compare, write what changed, and start an automatic sync where it is due."""
        app = self._get(name)
        if app is None:
            return None
        sha = self.commit_of(app) if full or name not in self._seen else self._seen[name]
        found = compare(app, self.world, self.renderer, sha, self.tracker.owned)
        self._seen[name] = sha or ""
        problem = self._sync_problem(app, found)
        if problem:
            found.conditions.append(problem)
        old = app.get("status") or {}
        now = self.clock.stamp()
        status = status_of(found, app, now, full)
        asked = "argocd.argoproj.io/refresh" in (app["metadata"].get("annotations") or {})
        if status != old or asked:

            def write(live: Obj) -> None:
                live["status"] = status
                notes = live["metadata"].get("annotations") or {}
                notes.pop("argocd.argoproj.io/refresh", None)

            self._record(app, old, status)
            app = self.world.hub.patch(APPLICATIONS, NAMESPACE, name, write)
        if self._started:
            self._maybe_sync(app, found)
        return found

    def _record(self, app: Obj, old: Obj, new: Obj) -> None:
        for field, what in (("sync", "sync"), ("health", "health")):
            before = (old.get(field) or {}).get("status", "")
            after = new[field]["status"]
            if before != after and self._started:
                self.events.write(app, "ResourceUpdated", f"Updated {what} status: {before} -> {after}")

    def _sync_problem(self, app: Obj, found: Comparison) -> tuple[str, str] | None:
        state = (app.get("status") or {}).get("operationState") or {}
        if found.sync != "OutOfSync" or not automated(app) or state.get("phase") not in ("Failed", "Error"):
            return None
        if not self._attempted(app, found.revision):
            return None
        return "SyncError", f"Failed last sync attempt to [{found.revision}]: {state.get('message', '')}"

    def _attempted(self, app: Obj, revision: str) -> bool:
        """Whether the last operation tried this revision, or one that differs from it only in others' paths."""
        last = attempted(app)
        if not last or last == revision:
            return bool(last)
        compared = ((app.get("status") or {}).get("operationState") or {}).get("syncResult") or {}
        if compared.get("source") != app["spec"]["source"] or self.reader.resolve(last) is None:
            return False
        return not concerns(app, self.reader.changed(last, revision))

    # Automatic sync

    def _maybe_sync(self, app: Obj, found: Comparison) -> None:
        name = app["metadata"]["name"]
        if name in self._running:
            return
        if app.get("operation"):
            self._begin(name)
            return
        if found.sync != "OutOfSync" or not automated(app) or found.conditions:
            return
        policy = app["spec"]["syncPolicy"]["automated"]
        wanting = [entry for entry in found.resources if entry["status"] == "OutOfSync"]
        if not policy.get("prune") and all(entry.get("requiresPruning") for entry in wanting):
            return
        project = self.world.hub.find("appprojects.argoproj.io", NAMESPACE, app["spec"].get("project") or "default")
        if not may_sync(project, app, self.clock.now()):
            return
        if not self._attempted(app, found.revision):
            self._healed.pop(name, None)
            self._request(app, found, [])
        elif policy.get("selfHeal"):
            state = app["status"].get("operationState") or {}
            waited = (self.clock.now() - self._finished(state)) * self.clock.speed
            if waited < SELF_HEAL:
                self.touch(name, False, SELF_HEAL - waited + 0.2)
                return
            self._request(app, found, wanting)

    def _finished(self, state: Obj) -> float:
        return parse_stamp(state["finishedAt"]) if state.get("finishedAt") else 0.0

    def _request(self, app: Obj, found: Comparison, only: list[Obj]) -> None:
        """Set `.operation` and take operationState away, as SetAppOperation does; record the Event."""
        policy = app["spec"]["syncPolicy"]
        name = app["metadata"]["name"]
        sync: Obj = {"revision": found.revision}
        if policy["automated"].get("prune"):
            sync["prune"] = True
        if policy.get("syncOptions"):
            sync["syncOptions"] = list(policy["syncOptions"])
        if only:
            self._healed[name] = self._healed.get(name, 0) + 1
            sync["autoHealAttemptsCount"] = self._healed[name]
            sync["resources"] = [
                {key: entry[key] for key in ("group", "kind", "name", "namespace") if entry.get(key)} for entry in only
            ]
        retry = policy.get("retry") or {"limit": RETRIES}
        operation = {"initiatedBy": {"automated": True}, "retry": retry, "sync": sync}

        def write(live: Obj) -> None:
            live["operation"] = operation
            live["status"].pop("operationState", None)

        self.world.hub.patch(APPLICATIONS, NAMESPACE, name, write)
        self.events.write(app, "OperationStarted", f"Initiated automated sync to '{found.revision}'")
        self._begin(name)

    def _begin(self, name: str) -> None:
        task = self._spawn(self._operate(name))
        self._running[name] = task

    async def _operate(self, name: str) -> None:
        try:
            await self._run_operation(name)
        except op.Abandoned:
            pass  # the Application was deleted meanwhile: nothing is left to write to
        finally:
            self._running.pop(name, None)
        self.touch(name, False, 0.1)

    async def _run_operation(self, name: str) -> None:
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
        copied = copy.deepcopy(state)

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
            live["status"]["operationState"] = copy.deepcopy(state)
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
        self.clock.later(1.5, self._delete_resources, name)

    def _delete_resources(self, name: str) -> None:
        app = self._get(name)
        if app is None:
            return
        if sets.FINALIZER in (app["metadata"].get("finalizers") or ()):
            for cluster in self.world.clusters:
                storage = self.world.clusters[cluster].storage
                for key in self.tracker.owned(name, cluster):
                    if storage.find(*key):
                        storage.delete(*key)
        self.world.hub.delete(APPLICATIONS, NAMESPACE, name)
        self._seen.pop(name, None)

    # ApplicationSets

    def generate(self) -> None:
        """Reconcile every ApplicationSet."""
        for appset in self.world.hub.list(APPSETS, NAMESPACE):
            self.generate_one(appset)

    def generate_one(self, appset: Obj) -> None:
        hub = self.world.hub
        problem, wanted = "", []
        try:
            wanted = sets.applications_of(appset, self.world, self.reader)
        except sets.GeneratorError as error:
            problem = str(error)
        uid = appset["metadata"]["uid"]
        present = {
            app["metadata"]["name"]: app
            for app in hub.list(APPLICATIONS, NAMESPACE)
            if any(owner["uid"] == uid for owner in app["metadata"].get("ownerReferences") or ())
        }
        for app in wanted:
            name = app["metadata"]["name"]
            live = present.pop(name, None)
            if live is not None and _same_application(app, live):
                continue
            if live is None and not self._started:
                app["metadata"]["creationTimestamp"] = stamp(self.born(app))
            hub.apply(_updated(app, live))
            word = "updated" if live else "created"
            if self._started:
                self.events.write(appset, word, f'{word} Application "{name}"', component=APPSET)
        for name in () if problem else present:
            self.delete_application(name)
            self.events.write(appset, "Deleted", f'Deleted Application "{name}"', component=APPSET)
        made = [app for app in (self._get(app["metadata"]["name"]) for app in wanted) if app]
        status = sets.status_of(appset, made, problem, self.clock.stamp())
        hub.update_status(APPSETS, NAMESPACE, appset["metadata"]["name"], status)


def automated(app: Obj) -> bool:
    """Whether auto-sync is on: the block is there and `enabled` is not false."""
    policy = (app["spec"].get("syncPolicy") or {}).get("automated")
    return policy is not None and policy.get("enabled") is not False


def attempted(app: Obj) -> str:
    """The commit of the last finished operation; "" when there is none."""
    state = (app.get("status") or {}).get("operationState") or {}
    if state.get("phase") not in ("Succeeded", "Failed", "Error"):
        return ""
    return str((state.get("syncResult") or {}).get("revision", ""))


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


def concerns(app: Obj, paths: list[str]) -> bool:
    """Whether changed paths lie below what `manifest-generate-paths` names (or the source path without it)."""
    base = str(app["spec"]["source"].get("path", "")).strip("/")
    notes = app["metadata"].get("annotations") or {}
    watched = str(notes.get("argocd.argoproj.io/manifest-generate-paths", "")) or "/"
    roots = [_resolved(base, part) for part in watched.split(";") if part]
    return any(not root or path == root or path.startswith(root + "/") for root in roots for path in paths)


def _resolved(base: str, relative: str) -> str:
    if relative.startswith("/"):
        return relative.strip("/")
    parts: list[str] = []
    for part in f"{base}/{relative}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _same_application(wanted: Obj, live: Obj) -> bool:
    labels = wanted["metadata"].get("labels") or {}
    return bool(wanted["spec"] == live["spec"]) and labels == (live["metadata"].get("labels") or {})


def _updated(wanted: Obj, live: Obj | None) -> Obj:
    if live is None:
        return wanted
    result = copy.deepcopy(live)
    result["spec"] = wanted["spec"]
    result["metadata"]["labels"] = wanted["metadata"].get("labels") or {}
    return result
