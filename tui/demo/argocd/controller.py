"""The application controller: watches Git and the clusters, compares, syncs, and writes Application status.

A request sets `.operation` and takes operationState away in one update, as Argo CD's SetAppOperation does.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from tui.demo.apiserver.storage import Event
from tui.demo.argocd.compare import Comparison, compare, status_of
from tui.demo.argocd.events import Recorder
from tui.demo.argocd.generating import Generator
from tui.demo.argocd.index import Index, concerns
from tui.demo.argocd.names import APPLICATIONS, APPSETS, NAMESPACE
from tui.demo.argocd.objects import Obj
from tui.demo.argocd.operation import Abandoned
from tui.demo.argocd.source import Renderer
from tui.demo.argocd.syncer import Syncer
from tui.demo.argocd.tracker import Tracker
from tui.demo.argocd.windows import may_sync
from tui.demo.clock import parse_stamp
from tui.demo.repository import GitError, Reader, ancestors
from tui.demo.world import World

POLL = 0.25  # real seconds between two looks at the repository's refs
WEBHOOK = 1.2  # demo seconds from a push to the refresh of what it touches
DEBOUNCE = 0.4
SELF_HEAL = 5.0  # controller.self.heal.timeout.seconds
RESYNC = 120.0  # timeout.reconciliation, plus up to half as much jitter
RETRIES = 5


class Controller:
    """Argo CD on the hub. `lazy` Applications are only looked at when a push or a change concerns them.

    `scratch`: the directory in which sources are rendered.
    """

    def __init__(self, world: World, reader: Reader, scratch: Path, seed: int = 0) -> None:
        self.world = world
        self.reader = reader
        self.renderer = Renderer(reader, scratch)
        self.clock = world.clock
        self.events = Recorder(world.hub, world.clock)
        self.tracker = Tracker(world, self.touch)
        self.index = Index(world.hub)
        self.syncer = Syncer(world, self.renderer, self.tracker, self.events, self.clock.later)
        self.generator = Generator(world, reader, self.index, self.events, self.syncer.delete_application)
        self.lazy = world.lazy
        self.hushed = False  # while a cluster is filled with what was deployed long ago
        self.random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._due: dict[str, bool] = {}  # application -> a full comparison is wanted
        self._heads = reader.refs()  # target revision -> commit last seen by the webhook
        self._seen: dict[str, str] = {}  # application -> commit of its last comparison
        self._specs: dict[str, bytes] = {}
        self._healed: dict[str, int] = {}
        self._started = False

    # Beginning and end

    def start(self) -> None:
        """Watch Git and reconcile from now on. Needs a running loop."""
        self._started = True
        self.generator.quiet = False
        self._specs = {name: self.index.spec(name) for name in self.index.names()}
        self.world.hub.subscribe(APPLICATIONS, self._application_changed)
        self.world.hub.subscribe(APPSETS, lambda event: self._spawn_later(event.type))
        self._spawn(self._watch_git())
        self._spawn(self._resync())

    async def stop(self) -> None:
        """End all tasks."""
        self._started = False
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.renderer.close()

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
        if not self._started or self.hushed:
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

    def _application_changed(self, event: Event) -> None:
        name = event.key.rpartition("/")[2]
        spec = self.index.spec(name)
        if not spec:
            self._specs.pop(name, None)
            self._seen.pop(name, None)
        elif self._specs.get(name) != spec:
            self._specs[name] = spec
            self.touch(name, True)

    def _spawn_later(self, kind: str) -> None:
        if kind == "ADDED" or kind == "MODIFIED":
            self.clock.later(DEBOUNCE, self.generator.generate)

    async def _watch_git(self) -> None:
        before = self.reader.signature()
        while True:
            await asyncio.sleep(POLL / min(self.clock.speed, 10))
            now = self.reader.signature()
            if now == before:
                continue
            await self.clock.sleep(WEBHOOK)
            try:
                self.pushed()
            except GitError:
                continue  # refs moved on while they were read: the next look finds them at rest
            before = now

    async def _resync(self) -> None:
        """Full comparisons of every Application that is not lazy, each about every two and a half minutes."""
        while True:
            apps = [name for name in self.index.names() if name not in self.lazy]
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
        for name in self.index.touched(changed):
            self._note_refresh(name)
            self.touch(name, True, 0.1 + self.random.random())
        self.generator.generate()

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
        revision = str((app["spec"].get("source") or {}).get("targetRevision") or "HEAD")
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
        return not concerns(app, set(ancestors(self.reader.changed(last, revision))))

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
        self._running[name] = self._spawn(self._operate(name))

    async def _operate(self, name: str) -> None:
        try:
            await self.syncer.run(name)
        except Abandoned:
            pass  # the Application was deleted meanwhile: nothing is left to write to
        finally:
            self._running.pop(name, None)
        self.touch(name, False, 0.1)


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
