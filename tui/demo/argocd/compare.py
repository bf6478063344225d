"""The comparison: target objects of a revision against live ones, resource by resource (`controller/state.go`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.status import ApiError
from tui.demo.apiserver.storage import Storage
from tui.demo.argocd.health import health_of, worst
from tui.demo.argocd.index import watched_roots
from tui.demo.argocd.objects import HOOK, Key, Obj, annotation, group_of, key_of, same, stamped, version_of, wave_of
from tui.demo.argocd.source import Renderer, RenderError
from tui.demo.world import DestinationError, World

Extras = Callable[[str, str], set[tuple[str, str, str]]]

# Written into the list of resources only when a hook; they never count for sync or health.
HOOKS = ("PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreDelete", "PostDelete")


@dataclass
class Target:
    """A rendered object with its place in the destination; `resource` is "" when the cluster does not serve it."""

    obj: Obj
    resource: str
    hook: str = ""
    file: str = ""  # by path in the repository, for plain directories

    @property
    def key(self) -> Key:
        return key_of(self.obj)

    def live(self, storage: Storage) -> Obj | None:
        """The live object, if there is one."""
        if not self.resource:
            return None
        return storage.find(self.resource, self.key.namespace, self.key.name)


@dataclass
class Comparison:
    """What a comparison found; `status` words are those of `status.sync` and `status.health`."""

    revision: str = ""
    source_type: str = ""
    cluster: str = ""
    targets: list[Target] = field(default_factory=list)
    prunable: list[Obj] = field(default_factory=list)  # live, tracked, not in Git
    resources: list[Obj] = field(default_factory=list)
    sync: str = "Unknown"
    health: str = "Unknown"
    images: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    conditions: list[tuple[str, str]] = field(default_factory=list)  # (type, message)

    @property
    def app_of_apps(self) -> bool:
        """Whether it deploys Applications."""
        return any(target.obj["kind"] == "Application" for target in self.targets)


def targets_of(app: Obj, renderer: Renderer, world: World, sha: str, cluster: str) -> tuple[list[Target], str]:
    """Targets of an Application at a commit and the source type. Raises RenderError."""
    name = app["metadata"]["name"]
    destination = app["spec"]["destination"].get("namespace", "")
    rendered = renderer.render(app["spec"]["source"], sha, name, destination, watched_roots(app))
    storage = world.clusters[cluster].storage
    found: dict[Key, Target] = {}
    for number, plain in enumerate(rendered.objects):
        obj = {**plain, "metadata": dict(plain["metadata"])}
        resource = served(storage, obj)
        if resource is None:
            obj["metadata"].setdefault("namespace", destination)
            target = Target(stamped(obj, name, destination), "")
        else:
            if resource.namespaced:
                obj["metadata"]["namespace"] = obj["metadata"].get("namespace") or destination or "default"
            else:
                obj["metadata"].pop("namespace", None)
            target = Target(stamped(obj, name, destination), resource.name, annotation(obj, HOOK))
        target.file = rendered.files[number] if rendered.files else ""
        found.pop(target.key, None)  # of duplicates the last one wins
        found[target.key] = target
    return list(found.values()), rendered.source_type


def served(storage: Storage, obj: Obj) -> ResourceType | None:
    """The resource of an object, when the cluster serves exactly that version of it."""
    try:
        resource = storage.resource_of(obj)
    except ApiError:
        return None
    return resource if resource.api_version == obj.get("apiVersion") else None


def compare(app: Obj, world: World, renderer: Renderer, sha: str | None, extras: Extras) -> Comparison:
    """Compare an Application at a commit (None when its target revision does not resolve) with what is live."""
    result = Comparison(revision=sha or "")
    problem = spec_problem(app["spec"])
    if problem:
        result.conditions.append(("InvalidSpecError", problem))
        return result
    try:
        result.cluster = world.destination(app["spec"].get("destination") or {})
    except DestinationError as error:
        result.conditions.append(("InvalidSpecError", f"application destination spec is invalid: {error}"))
        return result
    project = app["spec"].get("project") or "default"
    if world.hub.find("appprojects.argoproj.io", app["metadata"]["namespace"], project) is None:
        words = f"Application referencing project {project} which does not exist"
        result.conditions.append(("InvalidSpecError", words))
        return result
    if sha is None:
        revision = app["spec"]["source"].get("targetRevision", "HEAD")
        words = f"rpc error: code = Unknown desc = unable to resolve '{revision}' to a commit SHA"
        result.conditions.append(("ComparisonError", _target_error(words)))
        return result
    if result.cluster in world.refusing:
        _unreachable(app, world, renderer, sha, result)
        return result
    try:
        result.targets, result.source_type = targets_of(app, renderer, world, sha, result.cluster)
    except RenderError as error:
        result.conditions.append(("ComparisonError", _target_error(str(error))))
        result.resources = [
            {**entry, "status": "Unknown"} for entry in (app.get("status") or {}).get("resources") or ()
        ]
        return result
    world.wake(result.cluster, app["metadata"]["name"])
    _judge(app, world.clusters[result.cluster].storage, result, extras)
    return result


def spec_problem(spec: Obj) -> str:
    """What an Application's spec lacks, in Argo CD's words; "" when it can be compared."""
    if spec.get("sources") or spec.get("sourceHydrator"):
        return "application spec is invalid: only spec.source is supported here, not sources or sourceHydrator"
    source = spec.get("source")
    if not isinstance(source, dict) or not source.get("repoURL") or not source.get("path"):
        return (
            "application spec is invalid: "
            "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
        )
    if not isinstance(spec.get("destination"), dict):
        return "application spec is invalid: Destination server missing from app spec"
    return ""


def _target_error(words: str) -> str:
    return f"Failed to load target state: failed to generate manifest for source 1 of 1: {words}"


def _unreachable(app: Obj, world: World, renderer: Renderer, sha: str, result: Comparison) -> None:
    """Argo CD still renders when the cluster does not answer; every resource is then Unknown."""
    server = world.server_of(result.cluster)
    host = server.removeprefix("https://")
    result.conditions.append(
        (
            "ComparisonError",
            f'Failed to load live state: failed to get cluster info for "{server}": error synchronizing cache state : '
            f'failed to get server version: Get "{server}/version?timeout=32s": '
            f"dial tcp {host}: connect: connection refused",
        )
    )
    try:
        result.targets, result.source_type = targets_of(app, renderer, world, sha, result.cluster)
    except RenderError as error:
        result.conditions.append(("ComparisonError", _target_error(str(error))))
    result.resources = sorted((_entry(target.obj, "Unknown") for target in result.targets), key=_order)


def _judge(app: Obj, storage: Storage, result: Comparison, extras: Extras) -> None:
    name = app["metadata"]["name"]
    states, images, wrong = [], set(), False
    seen = set()
    for target in result.targets:
        if target.hook:
            continue
        live = target.live(storage)
        seen.add((target.resource, target.key.namespace, target.key.name))
        fine = live is not None and same(target.obj, live)
        wrong |= not fine
        result.resources.append(_entry(target.obj, "Synced" if fine else "OutOfSync"))
        if live is not None:
            states += _health(live)
            images |= images_of(live)
    for key in sorted(extras(name, result.cluster) - seen):
        live = storage.find(*key)
        if live is None or annotation(live, HOOK):
            continue
        result.prunable.append(live)
        result.resources.append({**_entry(live, "OutOfSync"), "requiresPruning": True})
        states += _health(live)
        wrong = True
    result.resources.sort(key=_order)
    result.sync = "OutOfSync" if wrong else "Synced"
    targets = [target for target in result.targets if not target.hook]
    nothing_live = targets and not any(target.live(storage) for target in targets)
    result.health = "Missing" if nothing_live else worst(states)
    result.images = sorted(images)


def _health(live: Obj) -> list[str]:
    found = health_of(live)
    return [found[0]] if found else []


def _entry(obj: Obj, status: str) -> Obj:
    key = key_of(obj)
    entry: Obj = {}
    if key.group:
        entry["group"] = key.group
    entry |= {"version": version_of(obj), "kind": key.kind}
    if key.namespace:
        entry["namespace"] = key.namespace
    entry |= {"name": key.name, "status": status}
    if wave_of(obj):
        entry["syncWave"] = wave_of(obj)
    return entry


def _order(entry: Obj) -> tuple[str, str, str, str]:
    return entry.get("group", ""), entry["kind"], entry.get("namespace", ""), entry["name"]


def images_of(obj: Obj) -> set[str]:
    """Images that a workload's pods run."""
    spec = obj.get("spec") or {}
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"].get("spec") or {}
    template = (spec.get("template") or {}).get("spec") or {}
    if group_of(obj) not in ("apps", "batch") or not isinstance(template, dict):
        return set()
    containers = [*(template.get("containers") or ()), *(template.get("initContainers") or ())]
    return {str(container["image"]) for container in containers if container.get("image")}


def status_of(found: Comparison, app: Obj, now: str, reconciled: bool) -> dict[str, Any]:
    """The Application's new status: the comparison's part replaced, operationState and history kept.

    `now` is a stamp; `reconciled` moves `reconciledAt`, as a full comparison does and a mere refresh does not.
    """
    old = app.get("status") or {}
    status: dict[str, Any] = {}
    if found.conditions:
        status["conditions"] = _conditions(found.conditions, old.get("conditions") or [], now)
    status["controllerNamespace"] = app["metadata"]["namespace"]
    before = old.get("health") or {}
    moved = now if before.get("status") != found.health else before.get("lastTransitionTime", now)
    status["health"] = {"lastTransitionTime": moved, "status": found.health}
    if old.get("history"):
        status["history"] = old["history"]
    if old.get("operationState"):
        status["operationState"] = old["operationState"]
    status["reconciledAt"] = now if reconciled or "reconciledAt" not in old else old["reconciledAt"]
    status["resourceHealthSource"] = "appTree"
    if found.resources:
        status["resources"] = found.resources
    source_type = found.source_type or old.get("sourceType", "")
    if source_type:
        status["sourceType"] = source_type
    summary: dict[str, Any] = {}
    if found.images:
        summary["images"] = found.images
    if found.app_of_apps:
        summary["isAppOfApps"] = True
    status["summary"] = summary
    compared = {field: app["spec"][field] for field in ("destination", "source") if field in app["spec"]}
    status["sync"] = {"comparedTo": compared, "status": found.sync}
    if found.revision:
        status["sync"]["revision"] = found.revision
    return status


def _conditions(found: list[tuple[str, str]], old: list[Obj], now: str) -> list[Obj]:
    """A condition that was there before keeps its time."""
    times = {(entry["type"], entry["message"]): entry.get("lastTransitionTime", now) for entry in old}
    return [
        {"lastTransitionTime": times.get((name, message), now), "message": message, "type": name}
        for name, message in found
    ]
