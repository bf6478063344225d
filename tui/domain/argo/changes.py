"""What happened to an Application between two of its states: the rules, one function for each part of the object.

Argo CD writes operationState and the rest of the status separately, and history before the phase Succeeded: each rule
looks at its own part only, so that the order and the number of the writes do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import Application, OperationState, ResourceResult, ResourceStatus, Status
from tui.domain.argo.brief import Condition
from tui.domain.argo.facts import (
    HEALTH_TONES,
    PHASE_REASONS,
    SYNC_TONES,
    Subject,
    actor_of,
    digest,
    joined,
    move,
    naming,
    resource_name,
)
from tui.domain.kinds.kind import Tone
from tui.domain.tail import TailEvent

_PHASE_ORDER = {"PreSync": 0, "Sync": 1, "PostSync": 2, "SyncFail": 3}
_CLEANUP = "resources-finalizer.argocd.argoproj.io"


def requested(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """`.operation` was set: somebody asked for a sync. Not told when the same write already shows it running."""
    operation = new.operation
    if old.operation is not None or operation is None or _started_now(old, new):
        return
    sync = operation.sync
    revision = argo.short_revisions(sync)
    words = "partial sync" if sync is not None and sync.resources else "sync"
    if sync is not None and sync.dry_run:
        words = f"dry-run {words}"
    if sync is not None and sync.auto_heal_attempts_count > 0:
        words = f"self-heal {sync.auto_heal_attempts_count}, {words}"
    reason = next((each.value for each in operation.info or () if each.name == "Reason"), "")
    text = f"{words} requested" + (f" to {revision}" if revision else "") + (f": {reason}" if reason else "")
    actor = actor_of(operation.initiated_by, operation)
    detail = new.metadata.resource_version
    yield s.line("SyncRequested", text, "requested", detail, None, revision, actor, Tone.BUSY)


def operation(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """operationState: started, phases, retries, progress while running."""
    before, after = old.status.operation_state, new.status.operation_state
    if after is None:
        return  # Argo CD removes it when the next operation is requested: that is told by `requested`
    if before is None or before.started_at != after.started_at:
        yield started(s, after)
        if after.phase != "Running":
            yield ended(s, after)
        before = None
    elif before.phase != after.phase:
        yield ended(s, after) if after.phase != "Running" else started(s, after)
    if after.phase != "Running":
        return
    if argo.waiting_for_retry(after) and (before is None or before.retry_count != after.retry_count):
        text = f"attempt failed, retry {after.retry_count} follows" + (f": {after.message}" if after.message else "")
        detail = f"{after.started_at}:{after.retry_count}"
        revision = _revision(after)
        yield s.line("SyncRetrying", text, "retry", detail, after.finished_at, revision, tone=Tone.WARN)
    elif before is not None and after.message and before.message != after.message and not after.finished_at:
        yield s.line("SyncProgress", after.message, "progress", digest(after.message), None, tone=Tone.MUTED)


def started(s: Subject, state: OperationState) -> TailEvent:
    """An operation has begun."""
    revision = _revision(state)
    text = "sync started" + (f" to {revision}" if revision else "")
    actor = actor_of(state.operation.initiated_by, state.operation)
    return s.line("SyncStarted", text, "started", state.started_at or "", state.started_at, revision, actor, Tone.BUSY)


def ended(s: Subject, state: OperationState) -> TailEvent:
    """An operation has got a phase other than Running; a terminal one with how long it took."""
    reason, tone = PHASE_REASONS.get(state.phase, (state.phase or "SyncChanged", Tone.PLAIN))
    begun, over = when.seconds(state.started_at), when.seconds(state.finished_at)
    title = {"Succeeded": "sync OK", "Failed": "sync failed", "Error": "sync error", "Terminating": "terminating sync"}
    text = title.get(state.phase, f"sync {state.phase}")
    if state.operation.sync is not None and state.operation.sync.resources:
        text = f"partial {text}"
    if begun is not None and over is not None:
        text += f" after {when.age(over - begun)}"
    if state.message:
        text += f": {state.message}"
    actor = actor_of(state.operation.initiated_by, state.operation)
    fact = "terminating" if state.phase == "Terminating" else "ended"
    detail = f"{state.started_at}:{state.phase}"
    return s.line(reason, text, fact, detail, state.finished_at, _revision(state), actor, tone)


def results(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """syncResult: what was done to each resource, in the order of phases. What was left unchanged is not told."""
    state = new.status.operation_state
    if state is None or state.sync_result is None or not state.sync_result.resources:
        return
    past = old.status.operation_state
    same = past is not None and past.started_at == state.started_at and past.sync_result is not None
    before = (
        {each.key: each for each in (past.sync_result.resources or ())} if past and past.sync_result and same else {}
    )
    waves = {each.key: each.sync_wave for each in new.status.resources or ()}
    for each in sorted(
        state.sync_result.resources, key=lambda r: (_PHASE_ORDER.get(r.sync_phase, 9), waves.get(r.key[:4], 0))
    ):
        if before.get(each.key) != each and (event := _result(s, each, state)) is not None:
            yield event


def _result(s: Subject, each: ResourceResult, state: OperationState) -> TailEvent | None:
    name = resource_name(each.kind, each.namespace, each.name)
    word = each.hook_phase if each.hook_type else each.status
    if not word or (word == "Synced" and each.message.endswith(" unchanged")):
        return None
    failed = word in ("SyncFailed", "Failed", "Error")
    tone = (
        Tone.BAD if failed else Tone.BUSY if word == "Running" else Tone.WARN if word == "PruneSkipped" else Tone.MUTED
    )
    text = f"{each.hook_type} hook {name}: {word}" if each.hook_type else f"{name}: {word}"
    if each.message and each.message.lower() != word.lower():
        text += f", {each.message}"
    detail = f"{state.started_at}:{':'.join(each.key)}:{word}:{digest(each.message)}"
    return s.line("HookRan" if each.hook_type else "ResourceSynced", text, "result", detail, None, tone=tone)


def sync_status(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """sync.status: Synced, OutOfSync, Unknown."""
    before, after = old.status.sync, new.status.sync
    if after.status and before.status != after.status:
        revision = argo.short_revisions(after)
        text = f"sync status {move(before.status, after.status)}"
        tone = SYNC_TONES.get(after.status, Tone.UNKNOWN)
        yield s.line(
            after.status, text, f"sync:{after.status}", new.metadata.resource_version, None, revision, "", tone
        )


def health(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """health.status, at the time Argo CD says."""
    before, after = old.status.health, new.status.health
    if after.status and before.status != after.status:
        text = f"health {move(before.status, after.status)}" + (f": {after.message}" if after.message else "")
        tone = HEALTH_TONES.get(after.status, Tone.UNKNOWN)
        detail = after.last_transition_time or new.metadata.resource_version
        yield s.line(after.status, text, f"health:{after.status}", detail, after.last_transition_time, tone=tone)


def revision(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """sync.revision(s): Argo CD has seen a new commit.

    Every Application of a repository sees every commit; those that it changes nothing of tell it as one fact of
    their hub.
    """
    before, after = argo.revisions(old.status.sync), argo.revisions(new.status.sync)
    if not after or not before or before == after:
        return
    fresh = joined(after)
    text = f"new commit seen: {move(joined(before), fresh)}"
    if _compared(old) == _compared(new):
        fact, detail, tone = f"seen:{digest(' '.join((*before, *after)))}", fresh, Tone.MUTED
    else:
        fact, detail, tone = "revision", fresh, Tone.PLAIN
    yield s.line("NewRevision", text, fact, detail, None, fresh, tone=tone)


def history(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """history: what was deployed since, entry by entry; an id that is missing between them is said to be missing."""
    before = max((each.id for each in old.status.history or ()), default=None)
    added = sorted((e for e in new.status.history or () if before is None or e.id > before), key=lambda each: each.id)
    for each in added:
        if before is not None and each.id > before + 1:
            missed = each.id - before - 1
            text = f"{missed} deployment{'s' if missed > 1 else ''} not seen"
            yield s.line("Deployed", text, "missed", str(each.id), each.deploy_started_at, tone=Tone.MUTED)
        yield deployed(s, each)
        before = each.id


def deployed(s: Subject, each: argo.History) -> TailEvent:
    """One entry of the history."""
    fresh = argo.short_revisions(each)
    text = f"deployed {fresh}" if fresh else f"deployed, history {each.id}"
    return s.line(
        "Deployed", text, "deployed", str(each.id), each.deployed_at, fresh, actor_of(each.initiated_by), Tone.GOOD
    )


def conditions(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """conditions that came or went; one whose message changed came anew, and its old message is not said to be gone."""
    before = {(each.type, each.message): each for each in old.status.conditions or ()}
    after = {(each.type, each.message): each for each in new.status.conditions or ()}
    still = {kind for kind, _ in after}
    for key, each in after.items():
        if key not in before:
            yield condition(s, each)
    for key, each in before.items():
        if key not in after and each.type not in still:
            detail = f"{digest(each.message)}:{new.metadata.resource_version}"
            yield s.line("ConditionGone", f"{each.type} is gone", f"gone:{each.type}", detail, None, tone=Tone.GOOD)


def condition(s: Subject, each: Condition) -> TailEvent:
    """A condition that an Application has."""
    tone = Tone.BAD if each.type.endswith("Error") else Tone.WARN
    detail = f"{digest(each.message)}:{each.last_transition_time or ''}"
    return s.line(
        each.type or "Condition", each.message, f"condition:{each.type}", detail, each.last_transition_time, tone=tone
    )


def resources(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """resources: items whose sync status, health or need for pruning flipped, one line for each new word.

    What the whole Application says at the same time, now that it is Synced or Healthy, is not said of its parts.
    """
    if old.status.resources is None:
        return
    said = {"Synced"} if new.status.sync.status == "Synced" != old.status.sync.status else set()
    said |= {"Healthy"} if new.status.health.status == "Healthy" != old.status.health.status else set()
    before = {each.key: each for each in old.status.resources}
    flips: dict[tuple[str, Tone], list[ResourceStatus]] = {}
    for each in new.status.resources or ():
        past = before.get(each.key)
        if past is None:
            continue
        if each.requires_pruning and not past.requires_pruning:
            flips.setdefault(("to be pruned", Tone.WARN), []).append(each)
        elif each.status and each.status != past.status:
            flips.setdefault((each.status, SYNC_TONES.get(each.status, Tone.UNKNOWN)), []).append(each)
        now, then = (each.health.status if each.health else ""), (past.health.status if past.health else "")
        if now and now != then:
            flips.setdefault((now, HEALTH_TONES.get(now, Tone.UNKNOWN)), []).append(each)
    for (word, tone), changed in flips.items():
        if word in said:
            continue
        text = f"{naming(changed)}: {word}"
        shown = Tone.MUTED if tone is Tone.GOOD else tone
        yield s.line("ResourceChanged", text, "resource", f"{word}:{new.metadata.resource_version}", None, tone=shown)


def asked(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """Annotations by which people and webhooks ask Argo CD for something, and their answer: it removes them."""
    before, after = old.metadata.annotations or argo.Annotations(), new.metadata.annotations or argo.Annotations()
    detail = new.metadata.resource_version
    for name, wish, done in (
        ("refresh", "refresh requested", "refreshed"),
        ("hydrate", "hydration requested", "hydration taken up"),
        ("skip_reconcile", "reconciliation switched off", "reconciliation switched on again"),
        ("deletion_approved", "deletion approved", ""),
    ):
        then, now = getattr(before, name), getattr(after, name)
        if now and not then:
            text = f"hard {wish}" if (name, now) == ("refresh", "hard") else wish
            yield s.line("Requested", text, f"asked:{name}", detail, tone=Tone.MUTED)
        elif then and not now and done:
            yield s.line(
                "Refreshed" if name == "refresh" else "Answered", done, f"done:{name}", detail, tone=Tone.MUTED
            )


def hydration(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """sourceHydrator: from the dry commit to the hydrated one. Argo CD writes no Events about it."""
    before, after = _hydrating(old.status), _hydrating(new.status)
    if after is None or (before is not None and (before.phase, before.started_at) == (after.phase, after.started_at)):
        return
    tone = {"Hydrated": Tone.GOOD, "Failed": Tone.BAD}.get(after.phase, Tone.BUSY)
    text = f"{after.phase} {argo.short(after.dry_sha)}"
    text += f" → {argo.short(after.hydrated_sha)}" if after.hydrated_sha else ""
    text += f": {after.message}" if after.message else ""
    at, sha = after.finished_at or after.started_at, argo.short(after.hydrated_sha or after.dry_sha)
    yield s.line(after.phase, text, f"hydration:{after.phase}", after.started_at or "", at, sha, tone=tone)


def deletion(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """deletionTimestamp, and finalizers that are done while it is being deleted."""
    stamp = new.metadata.deletion_timestamp
    if not stamp:
        return
    held = new.metadata.finalizers or ()
    if not old.metadata.deletion_timestamp:
        cleans = any(each.startswith(_CLEANUP) for each in held)
        text = "deletion requested, with its resources" if cleans else "deletion requested, its resources stay"
        yield s.line("Deleting", text, "deleting", stamp, stamp, tone=Tone.WARN)
        return
    for each in old.metadata.finalizers or ():
        if each not in held:
            yield s.line("Deleting", f"finalizer {each} is done", "finalizer", each, tone=Tone.MUTED)


def spec(s: Subject, old: Application, new: Application) -> Iterator[TailEvent]:
    """spec: which of its fields changed, with the target revision's old and new value."""
    if old.spec == new.spec:
        return
    changed = [name for name in new.spec.__struct_fields__ if getattr(old.spec, name) != getattr(new.spec, name)]
    words = ", ".join(_camel(name) for name in changed) or "a field fleet does not show"
    before, after = argo.main_source(old).target_revision, argo.main_source(new).target_revision
    text = f"spec changed: {words}" + (f" (targetRevision {move(before, after)})" if before != after else "")
    yield s.line("SpecChanged", text, "spec", new.metadata.resource_version)


def _compared(app: Application) -> tuple[object, ...]:
    """What came of the comparison with Git: the whole and each resource."""
    return app.status.sync.status, *((each.key, each.status) for each in app.status.resources or ())


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _hydrating(status: Status) -> argo.HydrateOperation | None:
    return status.source_hydrator.current_operation if status.source_hydrator else None


def _started_now(old: Application, new: Application) -> bool:
    """Whether this very write shows a newly started operation."""
    before, after = old.status.operation_state, new.status.operation_state
    return after is not None and (before is None or before.started_at != after.started_at)


def _revision(state: OperationState) -> str:
    """What an operation syncs to: what it asked for, else what came of it."""
    return argo.short_revisions(state.sync_result) or argo.short_revisions(state.operation.sync)


RULES: tuple[Callable[[Subject, Application, Application], Iterator[TailEvent]], ...] = (
    spec,
    asked,
    deletion,
    revision,
    hydration,
    requested,
    operation,
    results,
    history,
    sync_status,
    health,
    resources,
    conditions,
)
