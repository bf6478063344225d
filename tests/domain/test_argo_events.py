"""The tail's lines: a complete sync told once and in order, each rule on its own, Events and status told as one."""

from __future__ import annotations

import sys
from copy import deepcopy
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain import when
from tui.domain.argo.application import Application
from tui.domain.argo.events import Deduplicator, derive, from_history, from_kubernetes_event
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.domain.tail import TailEvent

OLD, NEW = "a" * 40, "b" * 40
T0 = when.seconds("2026-11-22T09:00:00Z") or 0.0


def at(seconds: float) -> str:
    return when.rfc3339(T0 + seconds)


def base() -> dict[str, Any]:
    return {
        "metadata": {"name": "checkout", "namespace": "argocd", "uid": "u1", "resourceVersion": "1"},
        "spec": {"source": {"repoURL": "https://x/y", "path": "a", "targetRevision": "main"}, "project": "shop"},
        "status": {
            "sync": {"status": "Synced", "revision": OLD},
            "health": {"status": "Healthy", "lastTransitionTime": at(-900)},
            "history": [{"id": 4, "revision": OLD, "deployedAt": at(-900)}],
            "resources": [
                {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "status": "Synced"},
                {"kind": "Service", "namespace": "shop", "name": "web", "status": "Synced", "version": "v1"},
            ],
            "operationState": {
                "phase": "Succeeded",
                "startedAt": at(-910),
                "finishedAt": at(-900),
                "operation": {"sync": {"revision": OLD}},
            },
        },
    }


def app(obj: dict[str, Any]) -> Application:
    return msgspec.convert(obj, Application)


class Story:
    """States of one Application, one change after the other; collects what the tail is told."""

    def __init__(self) -> None:
        self.obj = base()
        self.same = Deduplicator()
        self.told: list[TailEvent] = []
        self.version = 1

    def change(self, seconds: float, **edits: Any) -> list[TailEvent]:
        """`status__sync__status="OutOfSync"` edits that field; None removes it."""
        before = app(self.obj)
        self.obj = deepcopy(self.obj)
        for path, value in edits.items():
            *parents, last = path.split("__")
            place = self.obj
            for name in parents:
                place = place.setdefault(name, {})
            if value is None:
                place.pop(last, None)
            else:
                place[last] = value
        self.version += 1
        self.obj["metadata"]["resourceVersion"] = str(self.version)
        found = derive(before, app(self.obj), "hub", T0 + seconds)
        kept = [each for each in found if self.same.take(each)]
        self.told.extend(kept)
        return kept

    def kubernetes(self, seconds: float, reason: str, message: str, **more: Any) -> TailEvent | None:
        event = kubernetes_event(seconds, reason, message, **more)
        kept = self.same.take(event) if event else None
        if kept:
            self.told.append(kept)
        return kept


def kubernetes_event(
    seconds: float, reason: str, message: str, user: str = "", kind: str = "Normal"
) -> TailEvent | None:
    return from_kubernetes_event(
        {
            "metadata": {
                "name": f"checkout.{reason}{seconds}",
                "uid": f"{reason}{seconds}",
                "annotations": {"user": user},
            },
            "involvedObject": {"kind": "Application", "namespace": "argocd", "name": "checkout", "uid": "u1"},
            "reason": reason,
            "message": message,
            "type": kind,
            "lastTimestamp": at(seconds),
            "eventTime": None,
        },
        "hub",
    )


def operation_state(phase: str, **more: Any) -> dict[str, Any]:
    return {
        "phase": phase,
        "startedAt": at(4),
        "operation": {"sync": {"revision": NEW}, "initiatedBy": {"automated": True}},
        **more,
    }


def tell_a_sync(story: Story) -> None:
    """What Argo CD writes from a new commit to a healthy Application, Events among it, in its order."""
    story.kubernetes(1, "ResourceUpdated", "Updated sync status: Synced -> OutOfSync")
    flipped = deepcopy(story.obj["status"]["resources"])
    flipped[0]["status"] = "OutOfSync"
    story.change(1, status__sync={"status": "OutOfSync", "revision": NEW}, status__resources=flipped)
    story.change(
        3,
        operation={"sync": {"revision": NEW}, "initiatedBy": {"automated": True}},
        status__operationState=None,
    )
    story.kubernetes(3, "OperationStarted", f"Initiated automated sync to '{NEW}'")
    story.change(4, status__operationState=operation_state("Running"))
    result = {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "syncPhase": "Sync"}
    done = {**result, "status": "Synced", "message": "deployment.apps/web configured"}
    same = {**result, "group": "", "kind": "Service", "status": "Synced", "message": "service/web unchanged"}
    running = operation_state(
        "Running",
        message="waiting for healthy state of apps/Deployment/web",
        syncResult={"revision": NEW, "resources": [same, done]},
    )
    story.change(6, status__operationState=running)
    story.kubernetes(7, "ResourceUpdated", "Updated health status: Healthy -> Progressing")
    story.change(7, status__health={"status": "Progressing", "lastTransitionTime": at(7)})
    story.change(
        11,
        status__history=[
            *story.obj["status"]["history"],
            {"id": 5, "revision": NEW, "deployedAt": at(11), "initiatedBy": {"automated": True}},
        ],
    )
    ended = {**running, "phase": "Succeeded", "finishedAt": at(11), "message": "successfully synced (all tasks run)"}
    story.change(11, status__operationState=ended, operation=None)
    story.kubernetes(11, "OperationCompleted", f"Sync operation to {NEW} succeeded")
    synced = deepcopy(story.obj["status"]["resources"])
    synced[0]["status"] = "Synced"
    story.change(12, status__sync={"status": "Synced", "revision": NEW}, status__resources=synced)
    story.kubernetes(12, "ResourceUpdated", "Updated sync status: OutOfSync -> Synced")
    story.change(15, status__health={"status": "Healthy", "lastTransitionTime": at(15)})
    story.kubernetes(15, "ResourceUpdated", "Updated health status: Progressing -> Healthy")


def test_a_complete_sync_is_told_once_and_in_order() -> None:
    story = Story()
    tell_a_sync(story)
    assert [(event.reason, event.message, event.revision, event.actor) for event in story.told] == [
        ("OutOfSync", "sync status Synced → OutOfSync", "", ""),
        ("NewRevision", "new commit seen: aaaaaaa → bbbbbbb", "bbbbbbb", ""),
        ("ResourceChanged", "Deployment shop/web: OutOfSync", "", ""),
        ("SyncRequested", "sync requested to bbbbbbb", "bbbbbbb", "auto-sync"),
        ("SyncStarted", "sync started to bbbbbbb", "bbbbbbb", "auto-sync"),
        ("SyncProgress", "waiting for healthy state of apps/Deployment/web", "", ""),
        ("ResourceSynced", "Deployment shop/web: Synced, deployment.apps/web configured", "", ""),
        ("Progressing", "health Healthy → Progressing", "", ""),
        ("Deployed", "deployed bbbbbbb", "bbbbbbb", "auto-sync"),
        ("SyncSucceeded", "sync OK after 7s: successfully synced (all tasks run)", "bbbbbbb", "auto-sync"),
        ("Synced", "sync status OutOfSync → Synced", "bbbbbbb", ""),
        ("Healthy", "health Progressing → Healthy", "", ""),
    ]
    assert [event.time for event in story.told] == sorted(event.time for event in story.told)
    assert all(event.application == "argocd/checkout" and event.cluster == "hub" for event in story.told)
    assert all(event.ref == Ref("hub", "applications.argoproj.io", "argocd", "checkout") for event in story.told)
    assert len({event.key for event in story.told}) == len(story.told)


def test_a_story_heard_again_after_a_restart_tells_its_lasting_facts_under_the_same_keys() -> None:
    story = Story()
    tell_a_sync(story)
    again = from_history(app(story.obj), "hub", T0)
    assert [event.message for event in again] == ["deployed bbbbbbb"]
    assert {event.key for event in again} <= {event.key for event in story.told}


def test_history_tells_deployments_failures_and_conditions_since_a_moment() -> None:
    obj = base()
    obj["status"]["operationState"] = operation_state("Failed", finishedAt=at(9), message="no route")
    obj["status"]["conditions"] = [
        {"type": "SyncError", "message": "Failed last sync attempt", "lastTransitionTime": at(10)},
        {"type": "ComparisonError", "message": "old", "lastTransitionTime": at(-5000)},
    ]
    found = from_history(app(obj), "hub", T0 - 1000)
    assert [(event.reason, event.time - T0) for event in found] == [
        ("Deployed", -900),
        ("SyncFailed", 9),
        ("SyncError", 10),
    ]
    assert found[1].message == "sync failed after 5s: no route" and found[1].tone is Tone.BAD


def test_nothing_is_told_when_nothing_changed() -> None:
    one, other = base(), base()
    other["metadata"]["resourceVersion"] = "2"
    other["metadata"]["generation"] = 7
    other["status"]["reconciledAt"] = at(60)
    assert derive(app(one), app(other), "hub", T0) == []
    assert derive(None, None, "hub", T0) == []


def first(story: Story, seconds: float, **edits: Any) -> TailEvent:
    found = story.change(seconds, **edits)
    assert len(found) == 1, [event.message for event in found]
    return found[0]


@pytest.mark.parametrize(
    ("operation", "message", "actor"),
    [
        ({"sync": {"revision": NEW}, "initiatedBy": {"username": "ada"}}, "sync requested to bbbbbbb", "ada"),
        (
            {
                "sync": {"revision": NEW, "resources": [{"kind": "Service", "name": "x"}]},
                "initiatedBy": {"username": "ada"},
            },
            "partial sync requested to bbbbbbb",
            "ada",
        ),
        (
            {"sync": {"revisions": [NEW, "1.2.3"], "autoHealAttemptsCount": 2}, "initiatedBy": {"automated": True}},
            "self-heal 2, sync requested to bbbbbbb, 1.2.3",
            "auto-sync",
        ),
        (
            {
                "sync": {},
                "info": [{"name": "kargo.akuity.io/promotion", "value": "p"}],
                "initiatedBy": {"username": "x"},
            },
            "sync requested",
            "kargo",
        ),
        (
            {
                "sync": {"dryRun": True},
                "info": [{"name": "Reason", "value": "ApplicationSet RollingSync triggered"}],
                "initiatedBy": {"username": "applicationset-controller", "automated": True},
            },
            "dry-run sync requested: ApplicationSet RollingSync triggered",
            "applicationset-controller",
        ),
        ({}, "sync requested", ""),
    ],
)
def test_who_asked_for_a_sync_and_for_what(operation: dict[str, Any], message: str, actor: str) -> None:
    event = first(Story(), 3, operation=operation, status__operationState=None)
    assert (event.message, event.actor) == (message, actor)


def test_a_request_that_is_already_running_is_one_line() -> None:
    story = Story()
    event = first(story, 4, operation={"sync": {"revision": NEW}}, status__operationState=operation_state("Running"))
    assert event.reason == "SyncStarted"
    assert story.kubernetes(4, "OperationStarted", f"Initiated automated sync to '{NEW}'") is None


def test_an_operation_seen_only_when_it_is_over_is_told_from_its_start() -> None:
    found = Story().change(20, status__operationState=operation_state("Failed", finishedAt=at(9), message="boom"))
    assert [event.reason for event in found] == ["SyncStarted", "SyncFailed"]


def test_retries_are_counted_and_progress_is_throttled() -> None:
    story = Story()
    story.change(4, status__operationState=operation_state("Running"))
    one = first(
        story, 5, status__operationState=operation_state("Running", finishedAt=at(5), retryCount=1, message="refused")
    )
    assert (one.reason, one.message) == ("SyncRetrying", "attempt failed, retry 1 follows: refused")
    story.change(9, status__operationState=operation_state("Running", retryCount=1, message="one"))
    assert story.told[-1].message == "one"
    assert story.change(10, status__operationState=operation_state("Running", retryCount=1, message="two")) == []
    assert (
        first(story, 12, status__operationState=operation_state("Running", retryCount=1, message="three")).reason
        == "SyncProgress"
    )
    over = operation_state("Terminating", retryCount=1)
    assert first(story, 13, status__operationState=over).reason == "SyncTerminating"


def test_results_are_told_by_phase_and_wave_and_failures_stand_out() -> None:
    story = Story()
    story.change(4, status__operationState=operation_state("Running"))
    ordered = deepcopy(story.obj["status"]["resources"])
    ordered[0]["syncWave"], ordered[1]["syncWave"] = 5, -1
    story.obj["status"]["resources"] = ordered
    deployment = {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "syncPhase": "Sync"}
    service = {"kind": "Service", "namespace": "shop", "name": "web", "syncPhase": "Sync"}
    hook = {
        "group": "batch",
        "kind": "Job",
        "namespace": "shop",
        "name": "migrate",
        "syncPhase": "PreSync",
        "hookType": "PreSync",
    }
    results = [
        {**deployment, "status": "SyncFailed", "message": "admission webhook\ndenied it"},
        {**service, "status": "PruneSkipped", "message": "ignored (requires pruning)"},
        {**hook, "hookPhase": "Running", "message": "job is in progress"},
    ]
    found = story.change(6, status__operationState=operation_state("Running", syncResult={"resources": results}))
    assert [(event.message, event.tone) for event in found] == [
        ("PreSync hook Job shop/migrate: Running, job is in progress", Tone.BUSY),
        ("Service shop/web: PruneSkipped, ignored (requires pruning)", Tone.WARN),
        ("Deployment shop/web: SyncFailed, admission webhook denied it", Tone.BAD),
    ]
    done = [*results[:2], {**results[2], "hookPhase": "Succeeded"}]
    event = first(story, 8, status__operationState=operation_state("Running", syncResult={"resources": done}))
    assert event.message == "PreSync hook Job shop/migrate: Succeeded, job is in progress"


def test_a_gap_in_the_history_is_said() -> None:
    story = Story()
    story.change(
        5, status__history=[{"id": 7, "revision": NEW, "deployedAt": at(5), "initiatedBy": {"username": "ada"}}]
    )
    assert [event.message for event in story.told] == ["2 deployments not seen", "deployed bbbbbbb"]
    assert story.told[-1].actor == "ada"


def test_conditions_come_and_go() -> None:
    story = Story()
    wrong = {"type": "ComparisonError", "message": "failed to generate\nmanifest", "lastTransitionTime": at(3)}
    event = first(story, 14, status__conditions=[wrong])
    assert (event.reason, event.message, event.tone, event.time) == (
        "ComparisonError",
        "failed to generate manifest",
        Tone.BAD,
        T0 + 3,
    )
    assert first(story, 15, status__conditions=[{**wrong, "message": "other"}]).message == "other"
    gone = first(story, 19, status__conditions=[])
    assert (gone.reason, gone.message) == ("ConditionGone", "ComparisonError is gone")


def test_many_resources_that_flip_alike_are_one_line() -> None:
    story = Story()
    many = [{"kind": "ConfigMap", "namespace": "shop", "name": f"c{i}", "status": "Synced"} for i in range(9)]
    story.change(1, status__resources=many)
    flipped = [{**each, "status": "OutOfSync"} for each in many[:8]] + [{**many[8], "requiresPruning": True}]
    found = story.change(2, status__resources=flipped)
    assert [event.message for event in found] == [
        "ConfigMap shop/c0, ConfigMap shop/c1, ConfigMap shop/c2 and 5 more: OutOfSync",
        "ConfigMap shop/c8: to be pruned",
    ]


@pytest.mark.parametrize(
    ("edits", "reason", "message"),
    [
        ({"metadata__annotations": {"argocd.argoproj.io/refresh": "hard"}}, "Requested", "hard refresh requested"),
        (
            {"metadata__annotations": {"argocd.argoproj.io/skip-reconcile": "true"}},
            "Requested",
            "reconciliation switched off",
        ),
        (
            {"metadata__deletionTimestamp": at(2), "metadata__finalizers": ["resources-finalizer.argocd.argoproj.io"]},
            "Deleting",
            "deletion requested, with its resources",
        ),
        ({"metadata__deletionTimestamp": at(2)}, "Deleting", "deletion requested, its resources stay"),
        ({"spec__project": "other"}, "SpecChanged", "spec changed: project"),
        (
            {"spec__source": {"repoURL": "https://x/y", "path": "a", "targetRevision": "v2"}},
            "SpecChanged",
            "spec changed: source (targetRevision main → v2)",
        ),
        (
            {
                "status__sourceHydrator": {
                    "currentOperation": {
                        "phase": "Hydrated",
                        "drySHA": OLD,
                        "hydratedSHA": NEW,
                        "startedAt": at(1),
                        "finishedAt": at(2),
                    }
                }
            },
            "Hydrated",
            "Hydrated aaaaaaa → bbbbbbb",
        ),
        (
            {"status__health": {"status": "Degraded", "message": "2 of 3"}},
            "Degraded",
            "health Healthy → Degraded: 2 of 3",
        ),
    ],
)
def test_one_change_one_line(edits: dict[str, Any], reason: str, message: str) -> None:
    event = first(Story(), 2, **edits)
    assert (event.reason, event.message) == (reason, message)


def test_a_refresh_is_answered_and_finalizers_end() -> None:
    story = Story()
    story.change(1, metadata__annotations={"argocd.argoproj.io/refresh": "normal"})
    assert first(story, 2, metadata__annotations={}).message == "refreshed"
    story.change(3, metadata__deletionTimestamp=at(3), metadata__finalizers=["a", "b"])
    assert first(story, 4, metadata__finalizers=["b"]).message == "finalizer a is done"


def test_coming_going_and_being_replaced() -> None:
    one, other = base(), base()
    other["metadata"]["uid"] = "u2"
    assert [event.reason for event in derive(None, app(one), "hub", T0)] == ["Created"]
    assert [event.reason for event in derive(app(one), None, "hub", T0)] == ["Deleted"]
    assert [event.reason for event in derive(app(one), app(other), "hub", T0)] == ["Deleted", "Created"]


@pytest.mark.parametrize(
    ("reason", "message", "user", "expected"),
    [
        (
            "OperationStarted",
            f"Initiated automated sync to '{NEW}'",
            "",
            ("SyncRequested", "sync requested to bbbbbbb", "bbbbbbb", "auto-sync"),
        ),
        (
            "OperationStarted",
            f"ada initiated sync to main ({NEW})",
            "ada",
            ("SyncRequested", "sync requested to main (bbbbbbb)", "bbbbbbb", "ada"),
        ),
        (
            "OperationStarted",
            f"ada initiated partial sync to main ({NEW})",
            "",
            ("SyncRequested", "partial sync requested to main (bbbbbbb)", "bbbbbbb", "ada"),
        ),
        (
            "OperationStarted",
            "ada initiated sync locally",
            "ada",
            ("SyncRequested", "sync requested locally", "", "ada"),
        ),
        (
            "OperationStarted",
            "ada initiated rollback to 3",
            "ada",
            ("SyncRequested", "rollback requested to 3", "", "ada"),
        ),
        ("OperationCompleted", f"Sync operation to {NEW} succeeded", "", ("SyncSucceeded", "sync OK", "bbbbbbb", "")),
        ("OperationCompleted", "Sync operation to  succeeded", "", ("SyncSucceeded", "sync OK", "", "")),
        (
            "OperationCompleted",
            f"Partial sync operation to {NEW} failed: one or more\nobjects",
            "",
            ("SyncFailed", "partial sync failed: one or more objects", "bbbbbbb", ""),
        ),
        ("ResourceUpdated", "Updated sync status:  -> OutOfSync", "", ("OutOfSync", "sync status OutOfSync", "", "")),
        (
            "ResourceUpdated",
            "Updated health status: Healthy -> Degraded",
            "",
            ("Degraded", "health Healthy → Degraded", "", ""),
        ),
        ("ResourceUpdated", "ada updated application spec", "ada", ("SpecChanged", "spec updated", "", "ada")),
        (
            "ResourceUpdated",
            "ada terminated running operation",
            "ada",
            ("SyncTerminating", "running operation terminated", "", "ada"),
        ),
        (
            "ResourceUpdated",
            "ada patched resource apps/Deployment 'web'",
            "ada",
            ("UserAction", "patched resource apps/Deployment 'web'", "", "ada"),
        ),
        (
            "ResourceActionRan",
            "ada ran action restart on resource apps/Deployment/web",
            "ada",
            ("UserAction", "ran action restart on resource apps/Deployment/web", "", "ada"),
        ),
        (
            "StatusRefreshed",
            "Unable to delete application resources: timeout",
            "",
            ("StatusRefreshed", "Unable to delete application resources: timeout", "", ""),
        ),
        ("Odd", "\x1b[31m[bold]x[/]", "", ("Odd", "\x1b[31m[bold]x[/]", "", "")),
    ],
)
def test_events_of_argo_cd_in_the_words_of_the_tail(
    reason: str, message: str, user: str, expected: tuple[str, ...]
) -> None:
    event = kubernetes_event(5, reason, message, user)
    assert event is not None and event.time == T0 + 5 and event.source == "event"
    assert (event.reason, event.message, event.revision, event.actor) == expected


def test_events_about_other_things_are_not_told() -> None:
    assert from_kubernetes_event({"involvedObject": {"kind": "Pod", "name": "x"}}, "hub") is None
    assert from_kubernetes_event({"involvedObject": None, "metadata": 3}, "hub") is None


def test_an_event_that_alone_knows_the_user_is_told_after_the_status() -> None:
    story = Story()
    story.change(2, spec__project="other")
    assert story.kubernetes(3, "ResourceUpdated", "ada updated application spec", user="ada") is not None
    assert story.kubernetes(3, "ResourceUpdated", "ada updated application spec", user="ada") is None


def test_a_status_that_flips_within_seconds_is_told_every_time() -> None:
    story = Story()
    for second in range(4):
        assert first(story, second, status__sync__status="OutOfSync" if second % 2 == 0 else "Synced")
    assert len(story.told) == 4


def test_facts_far_apart_are_two() -> None:
    story = Story()
    story.change(1, status__sync__status="OutOfSync")
    assert story.kubernetes(7, "ResourceUpdated", "Updated sync status: Synced -> OutOfSync") is not None


def test_the_deduplicator_is_bounded_and_lets_fleets_own_events_pass() -> None:
    same = Deduplicator(kept=10)
    own = TailEvent(T0, "hub", "", "Pushed", "pushed")
    assert same.take(own) is own and same.take(own) is own
    for index in range(100):
        same.take(TailEvent(T0, "hub", f"argocd/a{index}", "Synced", "x", key=f"sync:Synced|u{index}|1"))
    assert len(same._told) <= 10
    for index in range(100):  # many tellings of few facts
        for app in range(5):
            same.take(TailEvent(T0, "hub", f"argocd/b{app}", "Synced", "x", key=f"sync:Synced|u{app}|{index}"))
    assert sum(map(len, same._told.values())) == same._tellings <= 10


def test_what_was_told_is_not_kept_as_a_whole_event() -> None:
    same = Deduplicator()
    event = TailEvent(T0, "hub", "argocd/a", "Synced", "x", key="sync:Synced|u|1")
    before = sys.getrefcount(event)
    assert same.take(event) is event
    assert sys.getrefcount(event) == before


def test_a_commit_that_concerns_one_application_is_not_told_of_all() -> None:
    same, told = Deduplicator(), []
    for number in range(50):
        obj = base()
        obj["metadata"].update({"name": f"a{number}", "uid": f"u{number}"})
        after = deepcopy(obj)
        after["metadata"]["resourceVersion"] = "2"
        after["status"]["sync"] = {"status": "OutOfSync" if number == 7 else "Synced", "revision": NEW}
        told += [each for each in derive(app(obj), app(after), "hub", T0 + number / 10) if same.take(each)]
    assert [(event.application, event.reason) for event in told] == [
        ("argocd/a0", "NewRevision"),
        ("argocd/a7", "NewRevision"),
        ("argocd/a7", "OutOfSync"),
    ]


def test_a_burst_of_refreshes_is_told_in_part() -> None:
    same, told = Deduplicator(), []
    for number in range(20):
        obj, after = base(), base()
        obj["metadata"]["name"] = after["metadata"]["name"] = f"a{number}"
        after["metadata"].update({"resourceVersion": "2", "annotations": {"argocd.argoproj.io/refresh": "normal"}})
        told += [each for each in derive(app(obj), app(after), "hub", T0 + number) if same.take(each)]
    assert [event.application for event in told] == [f"argocd/a{n}" for n in (0, 1, 2, 11, 12, 13)]


def test_the_status_that_knows_who_does_not_repeat_the_event_that_does_not() -> None:
    story = Story()
    story.change(4, status__operationState=operation_state("Running"))
    assert story.kubernetes(9, "OperationCompleted", f"Sync operation to {NEW} succeeded") is not None
    assert story.change(9, status__operationState=operation_state("Succeeded", finishedAt=at(9))) == []


def test_what_follows_closely_keeps_the_order_in_which_it_was_written() -> None:
    story = Story()
    story.change(3.7, status__sync={"status": "OutOfSync", "revision": NEW})
    story.change(4.4, status__operationState=operation_state("Running"))
    story.change(5.2, status__operationState=operation_state("Succeeded", finishedAt=at(5)))
    story.change(90.5, status__health={"status": "Degraded", "lastTransitionTime": at(60)})
    assert [round(event.time - T0, 1) for event in story.told] == [3.7, 3.7, 4.4, 5.2, 60]


words = st.sampled_from(["", "Synced", "OutOfSync", "Unknown"])
states = st.none() | st.fixed_dictionaries(
    {"phase": st.sampled_from(["Running", "Succeeded", "Failed", "Terminating"])},
    optional={
        "startedAt": st.sampled_from([at(1), at(2), "nonsense"]),
        "finishedAt": st.sampled_from([at(3), ""]),
        "message": st.text(max_size=5),
        "retryCount": st.integers(0, 3),
    },
)
applications = st.fixed_dictionaries(
    {"metadata": st.just({"name": "a", "namespace": "n", "uid": "u"})},
    optional={
        "operation": st.none() | st.just({"sync": {"revision": NEW}}),
        "status": st.fixed_dictionaries(
            {},
            optional={
                "sync": st.builds(lambda s, r: {"status": s, "revision": r}, words, st.sampled_from(["", OLD, NEW])),
                "operationState": states,
                "history": st.lists(st.builds(lambda i: {"id": i, "deployedAt": at(i)}, st.integers(0, 9)), max_size=3),
                "conditions": st.none() | st.lists(st.just({"type": "SyncError", "message": "x"}), max_size=1),
            },
        ),
    },
)


@given(states=st.lists(applications, min_size=2, max_size=6))
def test_any_sequence_of_states_is_told_without_repeats(states: list[dict[str, Any]]) -> None:
    same, told = Deduplicator(), []
    for index, (one, other) in enumerate(pairwise(states)):
        one = {**one, "metadata": {**one["metadata"], "resourceVersion": str(index)}}
        other = {**other, "metadata": {**other["metadata"], "resourceVersion": str(index + 1)}}
        found = derive(app(one), app(other), "hub", T0 + index)
        assert [event.time for event in found] == sorted(event.time for event in found)
        told += [event for event in found if same.take(event)]
        assert (
            derive(app(other), app({**other, "metadata": {**other["metadata"], "resourceVersion": "x"}}), "hub", T0)
            == []
        )
    assert all("\n" not in event.message and event.message for event in told if event.reason != "SyncError")
