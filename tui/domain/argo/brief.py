"""The part of an Application that a row keeps, for every Application of every hub: what its table shows.

`application.py` extends these structs to the whole. Field names and meanings: Argo CD v3.5,
pkg/apis/application/v1alpha1.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec.structs import force_setattr

from tui.domain.obj import Object

T = TypeVar("T")


MOST_SHARED = 10_000  # values remembered so that equal ones are kept once

_shared: dict[Any, Any] = {}


def shared(value: T) -> T:
    """A value equal to this one that is kept already; this one from now on when there is none.

    Unlike `sys.intern`, which in Python 3.12 keeps every text for ever, this forgets.
    """
    found: T | None = _shared.get(value)
    if found is None:
        if len(_shared) >= MOST_SHARED:
            _shared.clear()
        found = _shared[value] = value
    return found


class Part(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class Present(Part, frozen=True, gc=False):
    """Something is there. What it is does not matter to a row."""


class Parameters(Part, frozen=True, gc=False):
    """Which parts of a source are there that may hold a secret."""

    helm: Present | None = None
    plugin: Present | None = None
    directory: Present | None = None


class Sourced(Part, frozen=True, gc=False):
    """What an Application remembers beside its spec: sources once used, and what an operation was told."""

    source: Parameters | None = None
    sources: tuple[Parameters, ...] | None = None
    info: Present | None = None
    manifests: Present | None = None
    sync: Sourced | None = None


_SECRETIVE = Sourced(info=Present())
_USUAL = Sourced(source=Parameters())  # a path in a repository, and no more
_ORDINARY = (_USUAL, Sourced(sync=Sourced()), Sourced())  # compared with first: that is quicker than looking into it


def _told(held: Sourced) -> Sourced | None:
    """None for what holds no secret, and the same small value for all that may."""
    return None if held in _ORDINARY or not _may_hold_secrets(held) else _SECRETIVE


def _may_hold_secrets(held: Sourced) -> bool:
    if held.info is not None or held.manifests is not None:
        return True
    found = held.sources if held.sources else (held.source,) if held.source is not None else ()
    return any(map(_parametrised, found)) or (held.sync is not None and _may_hold_secrets(held.sync))


def _parametrised(source: Parameters | SourceBrief) -> bool:
    return source.helm is not None or source.plugin is not None or source.directory is not None


class SourceBrief(Part, frozen=True, gc=False):
    """Where manifests come from: a path or a chart of a repository, at a revision."""

    repo_url: str = msgspec.field(default="", name="repoURL")
    path: str = ""
    target_revision: str = ""
    chart: str = ""
    ref: str = ""
    helm: Present | None = None
    plugin: Present | None = None
    directory: Present | None = None


class DrySource(Part, frozen=True, gc=False):
    """The source of an Application whose manifests the hydrator writes."""

    repo_url: str = msgspec.field(default="", name="repoURL")
    path: str = ""
    target_revision: str = ""


class SyncSource(Part, frozen=True, gc=False):
    """The branch and path that hydrated manifests are synced from."""

    target_branch: str = ""
    path: str = ""


class HydratorSpec(Part, frozen=True, gc=False):
    """`spec.sourceHydrator`; it wins over `sources` and `source`."""

    dry_source: DrySource = DrySource()
    sync_source: SyncSource = SyncSource()


class Destination(Part, frozen=True, gc=False):
    """Where an Application deploys to: by URL or by Argo CD's name of the cluster, never both."""

    server: str = ""
    name: str = ""
    namespace: str = ""


class Automated(Part, frozen=True, gc=False):
    """`syncPolicy.automated`: present and not disabled means auto-sync is on."""

    prune: bool | None = None
    self_heal: bool | None = None
    allow_empty: bool | None = None
    enabled: bool | None = None


class SyncPolicyBrief(Part, frozen=True, gc=False):
    automated: Automated | None = None
    managed_namespace_metadata: Present | None = None


class SpecBrief(Part, frozen=True, gc=False):
    project: str = ""
    source: SourceBrief | None = None
    sources: tuple[SourceBrief, ...] | None = None
    source_hydrator: HydratorSpec | None = None
    destination: Destination = Destination()
    sync_policy: SyncPolicyBrief | None = None
    info: Present | None = None


class SyncBrief(Part, frozen=True, gc=False):
    status: str = ""
    revision: str = ""
    revisions: tuple[str, ...] | None = None
    compared_to: Sourced | None = None


class HealthBrief(Part, frozen=True, gc=False):
    status: str = ""


class Condition(Part, frozen=True, gc=False):
    """`*Error` is bad, `*Warning` a warning."""

    type: str = ""
    message: str = ""
    last_transition_time: str | None = None


_GOING_ON = ("Running", "Terminating")


class OperationStateBrief(Part, frozen=True, gc=False):
    phase: str = ""  # Running | Terminating | Failed | Error | Succeeded
    started_at: str | None = None
    finished_at: str | None = None  # set while Running: the operation waits for its next retry
    retry_count: int = 0
    operation: Sourced | None = None
    sync_result: Sourced | None = None


class StatusBrief(Part, frozen=True, gc=False):
    sync: SyncBrief = SyncBrief()
    health: HealthBrief = HealthBrief()
    operation_state: OperationStateBrief | None = None
    conditions: tuple[Condition, ...] | None = None
    reconciled_at: str | None = None
    history: tuple[Sourced, ...] | None = None


class Initiator(Part, frozen=True, gc=False):
    username: str = ""
    automated: bool = False


class OperationBrief(Part, frozen=True, gc=False):
    """`.operation`: requested, and not taken up yet while there is no operationState."""

    initiated_by: Initiator = Initiator()


class ApplicationBrief(Object, frozen=True, gc=False, rename="camel"):
    """The record of an Application's row."""

    spec: SpecBrief = SpecBrief()
    status: StatusBrief = StatusBrief()
    operation: OperationBrief | None = None

    def __post_init__(self) -> None:
        if type(self) is ApplicationBrief:  # the whole one is not kept
            _keep_spec_once(self.spec, self.metadata.name)
            _keep_status_once(self.status)


def _keep_spec_once(spec: SpecBrief, name: str) -> None:
    """Keep once what many Applications have in common: they share repositories, branches, clusters and policies."""
    destination = spec.destination
    force_setattr(spec, "project", shared(spec.project))
    for source in spec.sources or () if spec.source is None else (spec.source,):
        force_setattr(source, "repo_url", shared(source.repo_url))
        force_setattr(source, "target_revision", shared(source.target_revision))
    force_setattr(destination, "server", shared(destination.server))
    force_setattr(destination, "name", shared(destination.name))
    # Most deploy to a namespace of their own name, or where many others do.
    same = destination.namespace == name
    force_setattr(destination, "namespace", name if same else shared(destination.namespace))
    if spec.sync_policy is not None:
        force_setattr(spec, "sync_policy", shared(spec.sync_policy))


def _keep_status_once(status: StatusBrief) -> None:
    """The same: those of one repository stand at one commit, and are compared and synced within the same minutes."""
    sync, state, history = status.sync, status.operation_state, status.history
    if sync.compared_to is not None:
        force_setattr(sync, "compared_to", _told(sync.compared_to))
    force_setattr(status, "sync", shared(sync))
    force_setattr(status, "health", shared(status.health))
    if history is not None:
        usual = history.count(_USUAL) == len(history) or not any(map(_may_hold_secrets, history))
        force_setattr(status, "history", None if usual else (_SECRETIVE,))
    if state is not None:
        force_setattr(state, "phase", shared(state.phase))
        if state.finished_at and state.phase not in _GOING_ON:
            force_setattr(state, "started_at", None)  # how long it took is told by the whole Application
        if state.operation is not None:
            force_setattr(state, "operation", _told(state.operation))
        if state.sync_result is not None:
            force_setattr(state, "sync_result", _told(state.sync_result))
        force_setattr(status, "operation_state", shared(state))
    if status.reconciled_at is not None:
        force_setattr(status, "reconciled_at", shared(status.reconciled_at))


def discreet(app: ApplicationBrief) -> bool:
    """Whether nothing but a URL can be secret in this Application, told by the parts that it has."""
    spec, status, state = app.spec, app.status, app.status.operation_state
    policy, source = spec.sync_policy, spec.source
    return (
        app.metadata.annotations is None
        and app.operation is None
        and not (source is not None and _parametrised(source))
        and not (spec.sources and any(map(_parametrised, spec.sources)))
        and spec.source_hydrator is None
        and spec.info is None
        and not (policy is not None and policy.managed_namespace_metadata is not None)
        and status.sync.compared_to is None
        and status.history is None
        and not (state is not None and (state.operation is not None or state.sync_result is not None))
    )
