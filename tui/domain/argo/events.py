"""The event tail's source: what changed between two states of an Application, and what its history still tells."""

from __future__ import annotations

from tui.domain import when
from tui.domain.argo import changes
from tui.domain.argo.application import Application
from tui.domain.argo.audit import from_kubernetes_event
from tui.domain.argo.dedupe import Deduplicator
from tui.domain.argo.facts import subject
from tui.domain.kinds.kind import Tone
from tui.domain.tail import TailEvent

__all__ = ["Deduplicator", "derive", "from_history", "from_kubernetes_event"]

_WENT_WRONG = ("Failed", "Error")


def derive(old: Application | None, new: Application | None, cluster: str, now: float) -> list[TailEvent]:
    """What happened between two states of one Application; None stands for "not there". Emits only on change.

    Sorted by the time of the facts; facts without a time of their own happened at `now`.
    """
    if old is None and new is None:
        return []
    if new is None or (old is not None and old.metadata.uid != new.metadata.uid):
        gone = [] if old is None else [_deleted(old, cluster, now)]
        return gone + ([] if new is None else derive(None, new, cluster, now))
    about = subject(new, cluster, now)
    if old is None:
        text, stamp = "Application created", new.metadata.creation_timestamp
        return [about.line("Created", text, "created", stamp, stamp or None, tone=Tone.ACCENT)]
    if old.metadata.resource_version == new.metadata.resource_version != "":
        return []
    found = [event for rule in changes.RULES for event in rule(about, old, new)]
    return sorted(found, key=lambda event: event.time)


def _deleted(app: Application, cluster: str, now: float) -> TailEvent:
    about = subject(app, cluster, now)
    return about.line(
        "Deleted", "Application is gone", "deleted", app.metadata.deletion_timestamp or "", tone=Tone.WARN
    )


def from_history(app: Application, cluster: str, since: float = 0.0) -> list[TailEvent]:
    """What an Application that is seen for the first time still tells of the past, from `since` on, oldest first.

    Its deployments, its last operation when that did not succeed, and its conditions. The keys are those that `derive`
    gives the same facts, so that nothing is told twice.
    """
    about = subject(app, cluster, 0.0)  # nothing of the past is dated now
    found = [changes.deployed(about, each) for each in app.status.history or () if when.seconds(each.deployed_at)]
    state = app.status.operation_state
    if state is not None and state.phase in _WENT_WRONG and when.seconds(state.finished_at):
        found.append(changes.ended(about, state))
    elif state is not None and state.phase == "Running" and when.seconds(state.started_at):
        found.append(changes.started(about, state))
    for each in app.status.conditions or ():
        if when.seconds(each.last_transition_time):
            found.append(changes.condition(about, each))
    return sorted((event for event in found if event.time >= since), key=lambda event: event.time)
