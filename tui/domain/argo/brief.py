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


class SourceBrief(Part, frozen=True, gc=False):
    """Where manifests come from: a path or a chart of a repository, at a revision."""

    repo_url: str = msgspec.field(default="", name="repoURL")
    path: str = ""
    target_revision: str = ""
    chart: str = ""
    ref: str = ""

    def __post_init__(self) -> None:
        # Thousands of Applications share a handful of repositories and branches.
        force_setattr(self, "repo_url", shared(self.repo_url))
        force_setattr(self, "target_revision", shared(self.target_revision))


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

    def __post_init__(self) -> None:
        force_setattr(self, "server", shared(self.server))
        force_setattr(self, "name", shared(self.name))


class Automated(Part, frozen=True, gc=False):
    """`syncPolicy.automated`: present and not disabled means auto-sync is on."""

    prune: bool | None = None
    self_heal: bool | None = None
    allow_empty: bool | None = None
    enabled: bool | None = None


class SyncPolicyBrief(Part, frozen=True, gc=False):
    automated: Automated | None = None


class SpecBrief(Part, frozen=True, gc=False):
    project: str = ""
    source: SourceBrief | None = None
    sources: tuple[SourceBrief, ...] | None = None
    source_hydrator: HydratorSpec | None = None
    destination: Destination = Destination()
    sync_policy: SyncPolicyBrief | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "project", shared(self.project))
        if type(self) is SpecBrief and self.sync_policy is not None:
            force_setattr(self, "sync_policy", shared(self.sync_policy))


class SyncBrief(Part, frozen=True, gc=False):
    status: str = ""
    revision: str = ""
    revisions: tuple[str, ...] | None = None


class HealthBrief(Part, frozen=True, gc=False):
    status: str = ""


class Condition(Part, frozen=True, gc=False):
    """`*Error` is bad, `*Warning` a warning."""

    type: str = ""
    message: str = ""
    last_transition_time: str | None = None


class OperationStateBrief(Part, frozen=True, gc=False):
    phase: str = ""  # Running | Terminating | Failed | Error | Succeeded
    started_at: str | None = None
    finished_at: str | None = None  # set while Running: the operation waits for its next retry
    retry_count: int = 0

    def __post_init__(self) -> None:
        force_setattr(self, "phase", shared(self.phase))


class StatusBrief(Part, frozen=True, gc=False):
    sync: SyncBrief = SyncBrief()
    health: HealthBrief = HealthBrief()
    operation_state: OperationStateBrief | None = None
    conditions: tuple[Condition, ...] | None = None
    reconciled_at: str | None = None

    def __post_init__(self) -> None:
        # All Applications of one repository stand at the same commit, and are compared within the same few minutes.
        if type(self) is StatusBrief:
            force_setattr(self, "sync", shared(self.sync))
            force_setattr(self, "health", shared(self.health))
            if self.reconciled_at is not None:
                force_setattr(self, "reconciled_at", shared(self.reconciled_at))


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
