"""Argo CD's Application as typed values.

The `…Brief` structs (`brief.py`) hold what a table row needs and are kept for every Application; their subclasses here
hold all that the detail view and the event derivation need and are decoded from the row's JSON when asked for. Field
names and meanings: Argo CD v3.5, pkg/apis/application/v1alpha1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from tui.domain.argo.brief import (
    ApplicationBrief,
    Automated,
    Destination,
    HealthBrief,
    Initiator,
    OperationBrief,
    OperationStateBrief,
    Part,
    SourceBrief,
    SpecBrief,
    StatusBrief,
    SyncBrief,
    SyncPolicyBrief,
)
from tui.domain.obj import Meta, Row

RESOURCE = "applications.argoproj.io"


class Source(SourceBrief, frozen=True, gc=False):
    name: str = ""
    tag_prefix: str = ""
    helm: dict[str, Any] | None = None  # type: ignore[assignment]
    kustomize: dict[str, Any] | None = None
    directory: dict[str, Any] | None = None  # type: ignore[assignment]
    plugin: dict[str, Any] | None = None  # type: ignore[assignment]


class Backoff(Part, frozen=True, gc=False):
    duration: str = ""
    factor: int | None = None
    max_duration: str = ""


class Retry(Part, frozen=True, gc=False):
    limit: int = 0
    backoff: Backoff | None = None
    refresh: bool = False


class SyncPolicy(SyncPolicyBrief, frozen=True, gc=False):
    sync_options: tuple[str, ...] | None = None
    retry: Retry | None = None
    managed_namespace_metadata: dict[str, Any] | None = None  # type: ignore[assignment]


class Info(Part, frozen=True, gc=False):
    name: str = ""
    value: str = ""


class Spec(SpecBrief, frozen=True, gc=False):
    source: Source | None = None
    sources: tuple[Source, ...] | None = None
    sync_policy: SyncPolicy | None = None
    ignore_differences: tuple[dict[str, Any], ...] | None = None
    info: tuple[Info, ...] | None = None  # type: ignore[assignment]
    revision_history_limit: int | None = None


class HealthStatus(HealthBrief, frozen=True, gc=False):
    message: str = ""
    last_transition_time: str | None = None


class ComparedTo(Part, frozen=True, gc=False):
    source: Source | None = None
    sources: tuple[Source, ...] | None = None
    destination: Destination = Destination()


class Sync(SyncBrief, frozen=True, gc=False):
    compared_to: ComparedTo | None = None  # type: ignore[assignment]


class ResourceStatus(Part, frozen=True, gc=False):
    """One of `status.resources`. Hooks and copied objects carry no status; health is only there when persisted."""

    group: str = ""
    version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    status: str = ""
    health: HealthStatus | None = None
    hook: bool = False
    requires_pruning: bool = False
    requires_deletion_confirmation: bool = False
    sync_wave: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """(group, kind, namespace, name)."""
        return self.group, self.kind, self.namespace, self.name


class ResourceResult(Part, frozen=True, gc=False):
    """What a sync did to one resource."""

    group: str = ""
    version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    status: str = ""  # Synced | SyncFailed | Pruned | PruneSkipped
    message: str = ""
    hook_type: str = ""
    hook_phase: str = ""
    sync_phase: str = ""  # PreSync | Sync | PostSync | SyncFail

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """(group, kind, namespace, name, sync phase)."""
        return self.group, self.kind, self.namespace, self.name, self.sync_phase


class SyncResult(Part, frozen=True, gc=False):
    revision: str = ""
    revisions: tuple[str, ...] | None = None
    source: Source | None = None
    sources: tuple[Source, ...] | None = None
    resources: tuple[ResourceResult, ...] | None = None


class SyncOperation(Part, frozen=True, gc=False):
    revision: str = ""
    revisions: tuple[str, ...] | None = None
    prune: bool = False
    dry_run: bool = False
    resources: tuple[dict[str, Any], ...] | None = None  # not empty: a partial sync
    sync_options: tuple[str, ...] | None = None
    auto_heal_attempts_count: int = 0


class Operation(OperationBrief, frozen=True, gc=False):
    sync: SyncOperation | None = None
    info: tuple[Info, ...] | None = None
    retry: Retry | None = None


class OperationState(OperationStateBrief, frozen=True, gc=False):
    message: str = ""
    operation: Operation = Operation()  # type: ignore[assignment]
    sync_result: SyncResult | None = None  # type: ignore[assignment]


class History(Part, frozen=True, gc=False):
    """One successful full sync; Argo CD keeps the last ten or so."""

    id: int = 0
    revision: str = ""
    revisions: tuple[str, ...] | None = None
    source: Source | None = None
    sources: tuple[Source, ...] | None = None
    deploy_started_at: str | None = None
    deployed_at: str | None = None
    initiated_by: Initiator = Initiator()


class Summary(Part, frozen=True, gc=False):
    images: tuple[str, ...] | None = None
    external_urls: tuple[str, ...] | None = msgspec.field(default=None, name="externalURLs")
    is_app_of_apps: bool = False


class HydrateOperation(Part, frozen=True, gc=False):
    phase: str = ""  # Hydrating | Hydrated | Failed
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    dry_sha: str = msgspec.field(default="", name="drySHA")
    hydrated_sha: str = msgspec.field(default="", name="hydratedSHA")


class HydratorStatus(Part, frozen=True, gc=False):
    current_operation: HydrateOperation | None = None


class Status(StatusBrief, frozen=True, gc=False):
    sync: Sync = Sync()
    health: HealthStatus = HealthStatus()
    operation_state: OperationState | None = None
    resources: tuple[ResourceStatus, ...] | None = None
    history: tuple[History, ...] | None = None  # type: ignore[assignment]
    summary: Summary = Summary()
    source_type: str = ""
    source_types: tuple[str, ...] | None = None
    controller_namespace: str = ""
    resource_health_source: str = ""  # appTree: health of resources is not stored; "": it is in `resources`
    source_hydrator: HydratorStatus | None = None


class Annotations(msgspec.Struct, frozen=True, gc=False):
    """The annotations of an Application that say what is going on with it."""

    tracking_id: str = msgspec.field(default="", name="argocd.argoproj.io/tracking-id")
    refresh: str = msgspec.field(default="", name="argocd.argoproj.io/refresh")
    hydrate: str = msgspec.field(default="", name="argocd.argoproj.io/hydrate")
    skip_reconcile: str = msgspec.field(default="", name="argocd.argoproj.io/skip-reconcile")
    deletion_approved: str = msgspec.field(default="", name="argocd.argoproj.io/deletion-approved")


class FullMeta(Meta, frozen=True, gc=False, rename="camel"):
    annotations: Annotations | None = None  # type: ignore[assignment]
    finalizers: tuple[str, ...] | None = None


class Application(ApplicationBrief, frozen=True, gc=False, rename="camel"):
    """The whole Application, as far as fleet understands it."""

    metadata: FullMeta = FullMeta()
    spec: Spec = Spec()
    status: Status = Status()
    operation: Operation | None = None


_DECODER = msgspec.json.Decoder(Application)


def decode(data: bytes) -> Application:
    """An Application of its JSON. Raises msgspec.DecodeError (ValidationError for wrong types)."""
    return _DECODER.decode(data)


def of_row(row: Row) -> Application:
    """The whole Application of a row.

    What the row itself shows when its JSON is not held, or when some part of it is not what Argo CD would write.
    """
    data = row.json()
    try:
        return decode(data) if data else _of_record(row)
    except msgspec.ValidationError:
        return _of_record(row)


def _of_record(row: Row) -> Application:
    return msgspec.convert(msgspec.to_builtins(row.obj), Application)


# --- what the fields mean ---------------------------------------------------------------------------------------------


def sources(app: ApplicationBrief) -> tuple[SourceBrief, ...]:
    """The sources in force. The hydrator's dry source wins over `sources`, which wins over `source`, as in Argo CD."""
    if (hydrator := app.spec.source_hydrator) is not None:
        dry = hydrator.dry_source
        return (SourceBrief(repo_url=dry.repo_url, path=dry.path, target_revision=dry.target_revision),)
    if app.spec.sources:
        return app.spec.sources
    return (app.spec.source,) if app.spec.source is not None else ()


def main_source(app: ApplicationBrief) -> SourceBrief:
    """The first source that renders something (one with only `ref` does not); an empty one when there is none."""
    found = sources(app)
    if len(found) == 1:
        return found[0]
    return next((source for source in found if source.path or source.chart), found[0] if found else SourceBrief())


def auto_sync(app: ApplicationBrief) -> Automated | None:
    """The automated policy when auto-sync is on, else None: `automated` present and `enabled` not false."""
    policy = app.spec.sync_policy
    automated = policy.automated if policy else None
    return None if automated is None or automated.enabled is False else automated


@lru_cache(maxsize=1_000)  # all Applications of a repository stand at a few commits
def short(revision: str) -> str:
    """A commit id in seven digits; tags, branches and chart versions as they are."""
    return revision[:7] if len(revision) in (40, 64) and not revision.strip("0123456789abcdef") else revision


def revisions(sync: SyncBrief | SyncResult | SyncOperation | History | None) -> tuple[str, ...]:
    """The revisions of any value that has `revisions` or `revision`; () when it names none."""
    if sync is None:
        return ()
    return sync.revisions or ((sync.revision,) if sync.revision else ())


def short_revisions(sync: SyncBrief | SyncResult | SyncOperation | History | None) -> str:
    """All revisions, short, joined by ", "."""
    return ", ".join(short(revision) for revision in revisions(sync))


def waiting_for_retry(state: OperationStateBrief | None) -> bool:
    """True between two attempts of an operation: it is Running, and its last attempt has finished."""
    return state is not None and state.phase == "Running" and bool(state.finished_at)


def operation_title(app: ApplicationBrief) -> str:
    """The last or current operation in the words of Argo CD's pages; "" when there was none.

    Argo CD removes operationState when it writes `.operation`, so an operation without a state waits to start. It
    writes "Deleting" only when no operation is going on.
    """
    state = app.status.operation_state
    if app.operation is None and app.metadata.deletion_timestamp:
        return "Deleting"
    if state is None:
        return "Waiting to start" if app.operation is not None else ""
    if app.operation is not None and state.phase in _DONE:
        return "Waiting to start"
    if waiting_for_retry(state):
        return f"Waiting for retry {max(1, state.retry_count)}"
    return _TITLES.get(state.phase, state.phase)


_DONE = ("Succeeded", "Failed", "Error")
_TITLES = {
    "Running": "Syncing",
    "Succeeded": "Sync OK",
    "Failed": "Sync failed",
    "Error": "Sync error",
    "Terminating": "Terminated",
}


def instance_name(app: ApplicationBrief, argo_namespace: str = "") -> str:
    """The name Argo CD stamps on managed objects: `name`, or `namespace_name` outside Argo CD's own namespace."""
    meta = app.metadata
    if not argo_namespace or meta.namespace == argo_namespace:
        return meta.name
    return f"{meta.namespace}_{meta.name}"
