"""Where an Application stands, in one line: why it is not syncing, or what it waits for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import Application, OperationState
from tui.domain.argo.windows import Verdict
from tui.domain.kinds.kind import Tone

RETRIES = (
    5  # of an automated sync that says nothing else (Argo CD: pkg/apis/application/v1alpha1/application_defaults.go)
)
_RETRYING = re.compile(r"Retrying attempt #(\d+) at ([\d:]+ ?[AP]M)")


class Standing(NamedTuple):
    """One line and how it is meant."""

    text: str
    tone: Tone


def standing(app: Application, verdict: Verdict | None, now: float) -> Standing:
    """The reason that counts most. `verdict`: of its project's windows, None when the project is not held."""
    return _held_up(app) or _operating(app, now) or _compared(app, verdict, now)


def _held_up(app: Application) -> Standing | None:
    """What keeps Argo CD from doing anything at all."""
    meta = app.metadata
    if meta.deletion_timestamp:
        left = ", ".join(meta.finalizers or ())
        return Standing("being deleted" + (f", after {left}" if left else ""), Tone.WARN)
    if meta.annotations is not None and meta.annotations.skip_reconcile == "true":
        return Standing("Argo CD leaves it alone: annotation argocd.argoproj.io/skip-reconcile", Tone.WARN)
    for wanted in ("InvalidSpecError", "ComparisonError", "UnknownError"):
        for condition in app.status.conditions or ():
            if condition.type == wanted:
                what = "its spec is invalid" if wanted == "InvalidSpecError" else "Argo CD cannot compare it with Git"
                return Standing(f"{what}: {_line(condition.message)}", Tone.BAD)
    return None


def _operating(app: Application, now: float) -> Standing | None:
    """An operation that goes on or waits."""
    state = app.status.operation_state
    if app.operation is not None and (state is None or state.phase not in ("Running", "Terminating")):
        by = app.operation.initiated_by
        who = "auto-sync" if by.automated else by.username
        return Standing(f"a sync was requested{f' by {who}' if who else ''} and waits to start", Tone.BUSY)
    if state is None or state.phase not in ("Running", "Terminating"):
        return None
    if argo.waiting_for_retry(state):
        return Standing(_retry(app, state), Tone.WARN)
    since = when.seconds(state.started_at)
    word = "terminating its sync" if state.phase == "Terminating" else "syncing"
    took = f" for {when.age(now - since)}" if since else ""
    return Standing(f"{word}{took}" + (f": {_line(state.message)}" if state.message else ""), Tone.BUSY)


def _retry(app: Application, state: OperationState) -> str:
    asked = state.operation.retry or (app.spec.sync_policy.retry if app.spec.sync_policy else None)
    limit = asked.limit if asked is not None and asked.limit else RETRIES if asked is None else 0
    told = _RETRYING.search(state.message)
    number = told[1] if told else str(max(1, state.retry_count))
    most = f" of {limit}" if limit > 0 else ""
    moment = f" at {told[2]}" if told else ""
    why = _line(_RETRYING.sub("", state.message).strip(" ."))
    return f"waiting for retry {number}{most}{moment}" + (f": {why}" if why else "")


def _compared(app: Application, verdict: Verdict | None, now: float) -> Standing:
    """What the comparison says, and why nobody acts on it."""
    status, automated = app.status.sync.status, argo.auto_sync(app)
    revision = argo.short_revisions(app.status.sync)
    if status == "Synced":
        return Standing(f"in sync with {revision}" if revision else "in sync", Tone.GOOD)
    if status != "OutOfSync":
        return Standing("Argo CD has not compared it with Git yet", Tone.UNKNOWN)
    if automated is None:
        return Standing("auto-sync is off: it stays as it is until somebody syncs it in Argo CD", Tone.WARN)
    if verdict is not None and verdict.allowed is False:
        until = f" until {clock(verdict.until, now)}" if verdict.until else ""
        return Standing(f"a sync window of project {app.spec.project or 'default'} denies it{until}", Tone.WARN)
    for condition in app.status.conditions or ():
        if condition.type == "SyncError":
            return Standing(f"auto-sync does not try this commit again: {_line(condition.message)}", Tone.BAD)
    if verdict is not None and verdict.allowed is None:
        return Standing("nobody knows: a sync window of its project cannot be read", Tone.UNKNOWN)
    if (waiting := _nothing_to_do(app, revision)) is not None:
        return waiting
    compared = when.seconds(app.status.reconciled_at)
    age = f", compared {when.age(now - compared)} ago" if compared else ""
    return Standing(f"auto-sync has not started yet{age}", Tone.BUSY)


def _nothing_to_do(app: Application, revision: str) -> Standing | None:
    """Why auto-sync sees nothing to do although the Application is out of sync."""
    automated = argo.auto_sync(app)
    assert automated is not None
    drifted = [each for each in app.status.resources or () if each.status == "OutOfSync"]
    if drifted and all(each.requires_pruning for each in drifted) and not automated.prune:
        many = f"{len(drifted)} resources are" if len(drifted) > 1 else "one resource is"
        return Standing(f"only pruning is left, and auto-sync does not prune: {many} no longer in Git", Tone.WARN)
    state = app.status.operation_state
    done = state.sync_result if state is not None else next(iter(reversed(app.status.history or ())), None)
    if not automated.self_heal and done is not None and argo.revisions(done) == argo.revisions(app.status.sync):
        return Standing(f"{revision} was synced already and self-heal is off: it waits for a new commit", Tone.WARN)
    return None


def clock(moment: float, now: float) -> str:
    """A moment to come in local time: `18:00`, with the day when that is not today's."""
    local = datetime.fromtimestamp(moment).astimezone()
    today = datetime.fromtimestamp(now).astimezone().date()
    return local.strftime("%H:%M") if local.date() == today else local.strftime("%a %d %b %H:%M")


def _line(text: str) -> str:
    return " ".join(text.split())
