"""Sync windows and the one line that says why an Application is not syncing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tui.domain import when
from tui.domain.argo.application import Application
from tui.domain.argo.standing import standing
from tui.domain.argo.windows import Verdict, Window, seconds, state, verdict
from tui.domain.kinds.kind import Tone

NOW = when.seconds("2026-11-23T09:30:00Z") or 0.0  # a Monday


def app(status: dict[str, Any] | None = None, auto: dict[str, Any] | None = {}, **more: Any) -> Application:  # noqa: B006
    policy = {"syncPolicy": {"automated": auto}} if auto is not None else {}
    made = {
        "metadata": {"name": "web-prod", "namespace": "argocd", **more.pop("metadata", {})},
        "spec": {"project": "shop", "destination": {"name": "prod-eu", "namespace": "web"}, **policy},
        "status": {"sync": {"status": "OutOfSync", "revision": "a" * 40}, **(status or {})},
        **more,
    }
    return msgspec.convert(made, Application)


def window(kind: str = "deny", schedule: str = "0 9 * * *", duration: str = "1h", **more: Any) -> Window:
    return Window(kind, schedule, duration, **({"applications": ("*",)} | more))


@pytest.mark.parametrize(
    ("schedule", "duration", "active", "changes"),
    [
        ("0 9 * * *", "1h", True, "2026-11-23T10:00:00Z"),
        ("0 9 * * *", "30m", False, "2026-11-24T09:00:00Z"),
        ("0 8 * * *", "1h", False, "2026-11-24T08:00:00Z"),
        ("*/20 * * * *", "5m", False, "2026-11-23T09:40:00Z"),
        ("0 22 * * 5", "59h", False, "2026-11-27T22:00:00Z"),
        ("0 22 * * 5", "72h", True, "2026-11-23T22:00:00Z"),
        ("0 0 1,23 * 3", "12h", True, "2026-11-23T12:00:00Z"),  # the 1st, the 23rd, or a Wednesday
        ("0 0 * jan-feb mon-fri", "1h", False, "2027-01-01T00:00:00Z"),
        ("@daily", "10h", True, "2026-11-23T10:00:00Z"),
        ("15-45/15 9 * * *", "1m", True, "2026-11-23T09:31:00Z"),
    ],
)
def test_when_a_window_is_active(schedule: str, duration: str, active: bool, changes: str) -> None:
    found = state(window(schedule=schedule, duration=duration), NOW)
    assert (found.active, when.rfc3339(found.moment or 0)) == (active, changes)


def test_a_window_that_follows_itself_does_not_end() -> None:
    assert state(window(schedule="0 0 * * *", duration="24h"), NOW)[1:] == (True, None)
    joined = state(window(schedule="0 8-10 * * *", duration="1h"), NOW)
    assert when.rfc3339(joined.moment or 0) == "2026-11-23T11:00:00Z"


def test_a_window_has_its_own_time_zone() -> None:
    assert state(window(schedule="0 10 * * *", time_zone="Europe/Oslo"), NOW).active
    assert state(window(schedule="0 4 * * *", time_zone="America/New_York"), NOW).active
    assert not state(window(schedule="0 10 * * *"), NOW).active


@pytest.mark.parametrize(
    "odd",
    [
        {"schedule": "every day"},
        {"schedule": "61 * * * *"},
        {"schedule": "* * * *"},
        {"schedule": "5-1 * * * *"},
        {"schedule": "*/0 * * * *"},
        {"duration": "a day"},
        {"duration": ""},
        {"duration": "1d"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
    ],
)
def test_what_cannot_be_read_is_not_decided(odd: dict[str, str]) -> None:
    assert state(window(**odd), NOW).active is None  # type: ignore[arg-type]
    assert verdict([window(**odd)], app(), NOW).allowed is None  # type: ignore[arg-type]


def test_durations_are_read_as_go_writes_them() -> None:
    assert [seconds(text) for text in ("1h30m", "90s", "1.5h", "250ms")] == [5400, 90, 5400, 0.25]


def test_an_active_deny_wins_then_an_active_allow_then_any_allow() -> None:
    deny, allow = window(), window("allow")
    late = window("allow", "0 20 * * *")

    def allowed(*windows: Window) -> tuple[bool | None, bool]:
        found = verdict(windows, app(), NOW)
        return found.allowed, found.manual

    assert allowed() == (True, True)
    assert allowed(allow) == (True, True)
    assert allowed(deny, allow) == (False, False)
    assert allowed(late) == (False, False)
    assert allowed(late, allow) == (True, True)
    assert allowed(window(schedule="0 20 * * *")) == (True, True), "a deny that is not active"
    manual = msgspec.structs.replace(deny, manual_sync=True)
    assert allowed(manual) == (False, True)
    assert allowed(manual, deny) == (False, False), "every deny must permit it"
    assert allowed(msgspec.structs.replace(late, manual_sync=True)) == (False, True)


def test_a_window_is_about_an_application_by_name_cluster_or_namespace() -> None:
    none = {"applications": None}
    for about in ({"applications": ("web-*",)}, none | {"clusters": ("prod-*",)}, none | {"namespaces": ("web",)}):
        assert verdict([window(**about)], app(), NOW).allowed is False
    both = {"clusters": ("prod-*",), "namespaces": ("other",)}
    assert verdict([window(**none, **both)], app(), NOW).allowed is False
    assert verdict([window(**none, **both, and_operator=True)], app(), NOW).allowed is True
    assert verdict([window(**none)], app(), NOW).states == ()


def line(found: Application, windows: Verdict | None = None) -> tuple[str, Tone]:
    return standing(found, windows, NOW)


def ended(phase: str = "Succeeded", **more: Any) -> dict[str, Any]:
    return {"operationState": {"phase": phase, "startedAt": "2026-11-23T09:25:00Z", **more}}


def test_why_it_is_not_syncing() -> None:
    assert line(app({"sync": {"status": "Synced", "revision": "b" * 40}})) == ("in sync with bbbbbbb", Tone.GOOD)
    assert line(app(auto=None))[0].startswith("auto-sync is off")
    assert line(app(auto={"enabled": False}))[0].startswith("auto-sync is off")
    denied = verdict([window()], app(), NOW)
    assert line(app(), denied)[0].startswith("a sync window of project shop denies it until ")
    assert line(app(auto=None), denied)[0].startswith("auto-sync is off"), "the window changes nothing then"
    failed = {"conditions": [{"type": "SyncError", "message": "Failed last sync attempt to [a]: no"}]}
    assert line(app(failed)) == (
        "auto-sync does not try this commit again: Failed last sync attempt to [a]: no",
        Tone.BAD,
    )
    broken = {"conditions": [{"type": "ComparisonError", "message": "exec: helm\nnot found"}], "sync": {}}
    assert line(app(broken)) == ("Argo CD cannot compare it with Git: exec: helm not found", Tone.BAD)
    assert line(app({"sync": {}})) == ("Argo CD has not compared it with Git yet", Tone.UNKNOWN)
    assert line(app(), verdict([window(schedule="?")], app(), NOW))[1] is Tone.UNKNOWN
    fresh = line(app({"reconciledAt": "2026-11-23T09:29:00Z"}))
    assert fresh == ("auto-sync has not started yet, compared 60s ago", Tone.BUSY)


def test_why_auto_sync_sees_nothing_to_do() -> None:
    orphan = {"kind": "Service", "name": "old", "status": "OutOfSync", "requiresPruning": True}
    assert line(app({"resources": [orphan]}))[0].startswith("only pruning is left")
    assert line(app({"resources": [orphan]}, auto={"prune": True}))[0].startswith("auto-sync has not started")
    synced = {"history": [{"id": 1, "revision": "b" * 40}, {"id": 2, "revision": "a" * 40}]}
    assert line(app(synced))[0] == "aaaaaaa was synced already and self-heal is off: it waits for a new commit"
    assert line(app(synced, auto={"selfHeal": True}))[0].startswith("auto-sync has not started")


def test_what_an_operation_waits_for() -> None:
    message = "waiting for healthy state of apps/Deployment/web and 2 more resources"
    assert line(app(ended("Running", message=message))) == (f"syncing for 5m: {message}", Tone.BUSY)
    retry = ended(
        "Running",
        finishedAt="2026-11-23T09:26:00Z",
        retryCount=2,
        message="one or more objects failed to apply. Retrying attempt #2 at 9:31AM.",
    )
    assert line(app(retry)) == (
        "waiting for retry 2 of 5 at 9:31AM: one or more objects failed to apply",
        Tone.WARN,
    )
    retry["operationState"]["operation"] = {"retry": {"limit": 3}}
    assert line(app(retry))[0].startswith("waiting for retry 2 of 3 at")
    retry["operationState"]["operation"] = {"retry": {"limit": -1}}
    assert line(app(retry))[0].startswith("waiting for retry 2 at"), "without end"
    asked = app(ended(), operation={"initiatedBy": {"username": "mira"}})
    assert line(asked) == ("a sync was requested by mira and waits to start", Tone.BUSY)
    assert line(app(ended("Terminating")))[0] == "terminating its sync for 5m"


def test_what_keeps_argo_cd_from_acting() -> None:
    going = {"deletionTimestamp": "2026-11-23T09:00:00Z", "finalizers": ["resources-finalizer.argocd.argoproj.io"]}
    assert line(app(metadata=going))[0] == "being deleted, after resources-finalizer.argocd.argoproj.io"
    skipped = {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}
    assert line(app(metadata=skipped))[0].startswith("Argo CD leaves it alone")
