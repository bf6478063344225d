"""A sync operation: tasks by phase and wave, applied, waited for, pruned (`gitops-engine/pkg/sync`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tui.demo.apiserver.status import ApiError
from tui.demo.apiserver.storage import Storage
from tui.demo.argocd.compare import Target, images_of
from tui.demo.argocd.health import health_of
from tui.demo.argocd.objects import (
    KIND_ORDER,
    SYNC_OPTIONS,
    Key,
    Obj,
    annotation,
    key_of,
    merged,
    same,
    version_of,
    wave_of,
)
from tui.demo.clock import Clock
from tui.demo.controllers.defaults import fill

PHASES = ("PreSync", "Sync", "PostSync")
WAVE_PAUSE = 2.0  # seconds between two waves (ARGOCD_SYNC_WAVE_DELAY)
APPLY_PAUSE = 0.15
POLL = 0.25

Write = Callable[[dict[str, Any]], bool]


class SyncFailed(Exception):
    """The operation failed; the text is `operationState.message`."""


class Abandoned(Exception):
    """The Application is gone or its operation was taken away."""


@dataclass
class Task:
    """One thing to apply or prune, and what came of it."""

    phase: str
    obj: Obj
    resource: str
    prune: bool = False
    file: str = ""
    result: Obj = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return key_of(self.obj)

    @property
    def hook(self) -> bool:
        """Whether it is a hook rather than a part of the Application."""
        return bool(annotation(self.obj, "argocd.argoproj.io/hook"))


def tasks_of(targets: list[Target], prunable: list[Obj], storage: Storage, only: set[Key]) -> list[Task]:
    """Tasks in the order they run: phase, wave, kind, name; prunes last, reversed. `only` limits a partial sync."""
    tasks = []
    for target in targets:
        if only and target.key not in only:
            continue
        phases = [phase for phase in PHASES if phase in target.hook.split(",")] if target.hook else ["Sync"]
        if only and target.hook:
            continue
        tasks += [Task(phase, target.obj, target.resource, file=target.file) for phase in phases]
    tasks.sort(key=lambda task: (PHASES.index(task.phase), wave_of(task.obj), _kind(task.obj), task.key.name))
    for live in sorted(prunable, key=lambda obj: (-wave_of(obj), -_kind(obj), obj["metadata"]["name"])):
        if not only or key_of(live) in only:
            tasks.append(Task("Sync", live, storage.resource_of(live).name, prune=True))
    return tasks


def _kind(obj: Obj) -> int:
    return KIND_ORDER.get(obj["kind"], len(KIND_ORDER))


def groups_of(tasks: list[Task]) -> Iterator[list[Task]]:
    """Tasks that run together: one phase and wave, prunes on their own."""
    group: list[Task] = []
    for task in tasks:
        mark = (task.prune, task.phase, 0 if task.prune else wave_of(task.obj))
        if group and mark != (group[0].prune, group[0].phase, 0 if group[0].prune else wave_of(group[0].obj)):
            yield group
            group = []
        group.append(task)
    if group:
        yield group


class Operation:
    """Runs the tasks of one sync. `write(changes)` puts fields of operationState; False when nobody wants more."""

    def __init__(
        self, storage: Storage, clock: Clock, write: Write, remove: Callable[[str, Obj], None], prune: bool, create: str
    ) -> None:
        """`create` is the namespace that CreateNamespace=true asks for; "" when it does not."""
        self._storage = storage
        self._clock = clock
        self._write = write
        self._remove = remove
        self._prune = prune
        self._create = create

    async def run(self, tasks: list[Task]) -> None:
        """Apply everything. Raises SyncFailed with the operation's message, or Abandoned."""
        if not tasks:
            return
        self._check_kinds(tasks)
        if self._create and self._storage.find("namespaces", "", self._create) is None:
            self._storage.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._create}})
        first = True
        for group in groups_of(tasks):
            if not first and not group[0].prune:
                await self._clock.sleep(WAVE_PAUSE)
            first = False
            await self._group(tasks, group)

    def _check_kinds(self, tasks: list[Task]) -> None:
        """Objects of kinds that the cluster does not serve fail before anything is applied."""
        unknown = [task for task in tasks if not task.resource]
        for task in unknown:
            key = task.key
            words = (
                f"The Kubernetes API could not find {key.group}/{key.kind} for requested resource "
                f'{key.namespace}/{key.name}. Make sure the "{key.kind}" CRD is installed on the destination cluster.'
            )
            task.result = _result(task, "SyncFailed", words, "Failed")
        if unknown:
            self._report(tasks, "")
            reasons = ", ".join(task.result["message"] for task in unknown)
            raise SyncFailed(f"one or more synchronization tasks are not valid: {reasons}")

    async def _group(self, tasks: list[Task], group: list[Task]) -> None:
        failed = []
        for task in group:
            await self._clock.sleep(APPLY_PAUSE)
            try:
                task.result = self._prune_one(task) if task.prune else self._decoded(task)
            except ApiError as error:
                task.result = _result(task, "SyncFailed", error.message, "Failed")
                failed.append(error.message)
            self._report(tasks, "one or more tasks are running")
        if failed:
            raise SyncFailed(f"one or more objects failed to apply, reason: {','.join(failed)}")
        while waiting := [task for task in group if not self._settled(task)]:
            self._report(tasks, _waiting(waiting))
            await self._clock.sleep(POLL)
        bad = [task for task in group if task.result.get("hookPhase") == "Failed"]
        self._report(tasks, "one or more tasks are running")
        if bad:
            raise SyncFailed("one or more synchronization tasks completed unsuccessfully")

    def _decoded(self, task: Task) -> Obj:
        """Apply; a value of the wrong shape is refused as the API server's decoder refuses it."""
        try:
            return self._apply(task)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            kind, version = task.obj["kind"], version_of(task.obj)
            words = f'{kind} in version "{version}" cannot be handled as a {kind}: json: cannot unmarshal: {error}'
            raise ApiError(400, words) from error

    def _apply(self, task: Task) -> Obj:
        key = task.key
        live = self._storage.find(task.resource, key.namespace, key.name)
        if task.hook and live is not None:  # BeforeHookCreation, the default policy
            self._storage.delete(task.resource, key.namespace, key.name)
            live = None
        if key.namespace and self._storage.find("namespaces", "", key.namespace) is None:
            raise ApiError(404, f'namespaces "{key.namespace}" not found')
        refuse_invalid(task.obj, live)
        word = "created"
        if live is not None:
            word = "unchanged" if same(task.obj, live) else "configured"
        if word != "unchanged":
            self._storage.apply(fill(merged(task.obj, live)))
        return result_of(task, word)

    def _prune_one(self, task: Task) -> Obj:
        if not self._prune:
            return _result(task, "PruneSkipped", "ignored (requires pruning)", "Succeeded")
        if "Prune=false" in annotation(task.obj, SYNC_OPTIONS):
            return _result(task, "PruneSkipped", "ignored (no prune)", "Succeeded")
        self._remove(task.resource, task.obj)
        return _result(task, "Pruned", "pruned", "Succeeded")

    def _settled(self, task: Task) -> bool:
        """Whether a task needs no more waiting; notes its final phase."""
        if task.prune:
            return True
        live = self._storage.find(task.resource, task.key.namespace, task.key.name)
        state, _ = (live and health_of(live)) or ("Healthy", "")
        if state == "Progressing":
            return False
        task.result["hookPhase"] = "Failed" if state == "Degraded" else "Succeeded" if task.hook else "Running"
        return True

    def _report(self, tasks: list[Task], message: str) -> None:
        results = [dict(task.result) for task in tasks if task.result]
        if not self._write({"message": message, "resources": results}):
            raise Abandoned


def result_of(task: Task, word: str) -> Obj:
    """The result of an applied task; `word` is kubectl's: created, configured or unchanged."""
    key = task.key
    kind = key.kind.lower() + (f".{key.group}" if key.group else "")
    result = _result(task, "Synced", f"{kind}/{key.name} {word}", "Running")
    images = sorted(images_of(task.obj))
    return {**result, "images": images} if images else result


def _result(task: Task, status: str, message: str, phase: str) -> Obj:
    key = task.key
    result: Obj = {
        "group": key.group,
        "hookPhase": phase,
        "kind": key.kind,
        "message": message,
        "name": key.name,
        "namespace": key.namespace,
        "status": status,
        "syncPhase": task.phase,
        "version": version_of(task.obj),
    }
    if task.hook:
        result["hookType"] = task.phase
    return result


def _waiting(tasks: list[Task]) -> str:
    first = tasks[0]
    what = "completion of hook" if first.hook else "healthy state of"
    more = f" and {len(tasks) - 1} more resources" if len(tasks) > 1 else ""
    return f"waiting for {what} {first.key}{more}"


def retry_message(message: str, attempt: int, when: float) -> str:
    """What a failed operation says that will be tried again; the time is local, as Go's time.Kitchen."""
    clock = datetime.fromtimestamp(when).strftime("%I:%M%p").lstrip("0")
    return f"{message}. Retrying attempt #{attempt} at {clock}."


def refuse_invalid(obj: Obj, live: Obj | None) -> None:
    """The API server's validation, as far as a slip in the demo's files may meet it. Raises ApiError 422."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    spec = obj.get("spec") or {}
    for index, port in enumerate(spec.get("ports") or () if kind == "Service" else ()):
        number = port.get("port")
        if not isinstance(number, int) or not 1 <= number <= 65535:
            _invalid(
                kind, name, f"spec.ports[{index}].port: Invalid value: {number}: must be between 1 and 65535, inclusive"
            )
    if kind not in ("Deployment", "StatefulSet", "DaemonSet"):
        return
    replicas = spec.get("replicas", 1)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise ApiError(
            400,
            f'{kind} in version "v1" cannot be handled as a {kind}: json: cannot unmarshal string into Go struct field '
            f"{kind}Spec.spec.replicas of type int32",
        )
    if replicas < 0:
        _invalid(kind, name, f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    if not selector or any(labels.get(key) != value for key, value in selector.items()):
        _invalid(
            kind, name, "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
        )
    containers = (template.get("spec") or {}).get("containers") or ()
    if not containers:
        _invalid(kind, name, "spec.template.spec.containers: Required value")
    for index, container in enumerate(containers):
        if not container.get("image"):
            _invalid(kind, name, f"spec.template.spec.containers[{index}].image: Required value")
    if live is not None and live["spec"].get("selector") != spec.get("selector"):
        _invalid(kind, name, "spec.selector: Invalid value: field is immutable")


def _invalid(kind: str, name: str, words: str) -> None:
    group = "" if kind == "Service" else ".apps"
    raise ApiError(422, f'{kind}{group} "{name}" is invalid: {words}')
