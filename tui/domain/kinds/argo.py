"""Kinds of Argo CD: Applications, ApplicationSets, AppProjects."""

from __future__ import annotations

from typing import Any

import msgspec

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import ApplicationBrief
from tui.domain.argo.brief import discreet
from tui.domain.argo.windows import Window
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Kind, Tone, Value
from tui.domain.obj import Object, Row

GROUP = "argoproj.io"


def _revision(row: Row, facts: Facts) -> str:
    """`main 3f2a9c1`: the target revision and, short, what it was resolved to; `+1` for further sources."""
    app: ApplicationBrief = row.obj
    found = argo.sources(app)
    main = argo.main_source(app)
    index = found.index(main) if found else 0
    target = main.target_revision or "HEAD"
    seen = argo.revisions(app.status.sync)
    resolved = argo.short(seen[index]) if index < len(seen) else ""
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    return (f"{target} {resolved}" if resolved and resolved != target else target) + more


def _auto_sync(app: ApplicationBrief) -> str:
    automated = argo.auto_sync(app)
    if automated is None:
        return "off"
    return "on" + (" +prune" if automated.prune else "") + (" +heal" if automated.self_heal else "")


def _operated(app: ApplicationBrief) -> float | None:
    state = app.status.operation_state
    return when.seconds(state.finished_at or state.started_at) if state else None


def _condition(app: ApplicationBrief) -> str:
    first = next(iter(app.status.conditions or ()), None)
    return " ".join(f"{first.type}: {first.message}".split()) if first else ""


def _show_auto(value: Value, now: float) -> Cell:
    return Cell(str(value), Tone.WARN if value == "off" else Tone.PLAIN)


def _show_operation(value: Value, now: float) -> Cell:
    text = str(value or "")
    return c.state_cell(text) if text else Cell("", Tone.MUTED)


def _show_destination(value: Value, now: float) -> Cell:
    text = str(value or "")
    return Cell(text or "?", Tone.UNKNOWN if not text or text.endswith("?") else Tone.PLAIN)


def _show_condition(value: Value, now: float) -> Cell:
    text = str(value or "")
    return Cell(text, Tone.BAD if text.partition(":")[0].endswith("Error") else Tone.WARN)


def short_repository(url: str) -> str:
    """`org/name` of a repository URL: its last two path parts without `.git`."""
    path = url.rstrip("/").removesuffix(".git")
    if "://" not in path and ":" in path:
        path = path.partition(":")[2]
    return "/".join(path.split("://")[-1].split("/")[-2:])


def _show_repository(value: Value, now: float) -> Cell:
    return Cell(short_repository(str(value or "")))


def application_state(obj: ApplicationBrief, facts: Facts) -> Cell:
    """For trees: its health, unless it is healthy and something else is worth saying."""
    health = obj.status.health.status or "Unknown"
    if health == "Healthy" and obj.status.sync.status not in ("Synced", ""):
        return c.state_cell(obj.status.sync.status)
    return c.state_cell(health)


APPLICATIONS = Kind(
    plural="applications",
    kind="Application",
    group=GROUP,
    versions=("v1alpha1",),
    short=("app", "apps"),
    record=ApplicationBrief,
    discreet=discreet,
    watch="hub",
    needs=("clusters",),
    state=application_state,
    columns=(
        c.column("name", "NAME", lambda row, facts: row.ref.name, c.show_name, 34, least=24, grow=2),
        c.of("project", "PROJECT", lambda app: app.spec.project or "default", c.show_muted, 12, least=5, keep=2),
        c.column(
            "destination", "CLUSTER", lambda r, facts: facts.destination(r), _show_destination, 18, least=10, keep=8
        ),
        c.of("sync", "SYNC", lambda app: app.status.sync.status or "Unknown", c.show_state, 11, least=11, keep=9),
        c.of("health", "HEALTH", lambda app: app.status.health.status or "Unknown", c.show_state, 13, least=13, keep=9),
        c.column("revision", "REVISION", _revision, c.show_plain, 16, least=12, keep=6),
        c.of("repository", "REPOSITORY", lambda app: argo.main_source(app).repo_url, _show_repository, 20, least=11),
        c.of("path", "PATH", lambda app: argo.main_source(app).path or argo.main_source(app).chart, width=26, least=8),
        c.of("autoSync", "AUTO-SYNC", _auto_sync, _show_auto, 15, least=3),
        c.of(
            "operation", "LAST OPERATION", argo.operation_title, _show_operation, 18, least=11, keep=5, sort=c.severity
        ),
        c.of("operated", "SINCE", _operated, c.show_since, 6, right=True, time=True, keep=4),
        c.AGE,
        c.of("condition", "CONDITION", _condition, _show_condition, 60, least=14, grow=3, keep=7),
        c.column("hub", "HUB", lambda row, facts: row.ref.cluster, c.show_muted, 16, wide=True),
        c.column("namespace", "NAMESPACE", lambda row, facts: row.ref.namespace, c.show_muted, 14, wide=True),
        c.of(
            "reconciled",
            "COMPARED",
            lambda a: when.seconds(a.status.reconciled_at),
            c.show_since,
            8,
            time=True,
            wide=True,
        ),
    ),
)


class _Condition(msgspec.Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _SetStatus(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    conditions: tuple[_Condition, ...] | None = None
    resources_count: int | None = None


class _SetSpec(msgspec.Struct, frozen=True, gc=False):
    generators: tuple[dict[str, Any], ...] | None = None


class ApplicationSet(Object, frozen=True, gc=False, rename="camel"):
    """The record of an ApplicationSet's row."""

    spec: _SetSpec = _SetSpec()
    status: _SetStatus = _SetStatus()


def set_health(obj: ApplicationSet) -> str:
    """Argo CD 3.4's health of an ApplicationSet, from its conditions (applicationset_types.go)."""
    held = {condition.type: condition.status for condition in obj.status.conditions or ()}
    for kind, word in (
        ("ErrorOccurred", "Degraded"),
        ("RolloutProgressing", "Progressing"),
        ("ResourcesUpToDate", "Healthy"),
    ):
        if held.get(kind) == "True":
            return word
    return "Unknown"


def _set_message(obj: ApplicationSet) -> str:
    wrong = (k for k in obj.status.conditions or () if k.type == "ErrorOccurred" and k.status == "True")
    return " ".join(next((k.message for k in wrong), "").split())


APPLICATIONSETS = Kind(
    plural="applicationsets",
    kind="ApplicationSet",
    group=GROUP,
    versions=("v1alpha1",),
    short=("appset", "appsets", "as"),
    record=ApplicationSet,
    watch="hub",
    state=lambda obj, facts: c.state_cell(set_health(obj)),
    columns=c.namespaced(
        c.of("health", "HEALTH", set_health, c.show_state, 13),
        c.of(
            "generators",
            "GENERATORS",
            lambda obj: ", ".join(
                sorted({key for each in obj.spec.generators or () for key in each if key != "selector"})
            ),
            width=20,
        ),
        c.of("applications", "APPLICATIONS", lambda obj: obj.status.resources_count, c.show_count, 12, right=True),
        c.of("error", "ERROR", _set_message, c.show_bad, 40, grow=2),
    ),
)


class _ProjectSpec(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    description: str = ""
    source_repos: tuple[str, ...] | None = None
    destinations: tuple[argo.Destination, ...] | None = None
    sync_windows: tuple[Window, ...] | None = None


class AppProject(Object, frozen=True, gc=False):
    """The record of an AppProject's row."""

    spec: _ProjectSpec = _ProjectSpec()


def _destinations(obj: AppProject) -> str:
    return ", ".join(f"{d.name or d.server or '*'}/{d.namespace or '*'}" for d in obj.spec.destinations or ())


APPPROJECTS = Kind(
    plural="appprojects",
    kind="AppProject",
    group=GROUP,
    versions=("v1alpha1",),
    short=("appproj", "appprojs", "proj"),
    record=AppProject,
    watch="hub",
    columns=c.namespaced(
        c.of("description", "DESCRIPTION", lambda obj: " ".join(obj.spec.description.split()), width=30, grow=1),
        c.of("repositories", "REPOSITORIES", lambda obj: ", ".join(obj.spec.source_repos or ()), width=30),
        c.of("destinations", "DESTINATIONS", _destinations, width=30),
    ),
)

KINDS = (APPLICATIONS, APPLICATIONSETS, APPPROJECTS)
