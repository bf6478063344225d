"""Sync windows of projects: whether an automatic sync may start now (`AT/types.go`, SyncWindows.CanSync)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Obj = dict[str, Any]


def may_sync(project: Obj | None, application: Obj, now: float, manual: bool = False) -> bool:
    """Whether the windows of the project let this Application sync at `now` (seconds since the epoch)."""
    windows = ((project or {}).get("spec") or {}).get("syncWindows") or []
    mine = [window for window in windows if _matches(window, application)]
    moment = datetime.fromtimestamp(now, UTC)
    active = [window for window in mine if _active(window, moment)]
    denies = [window for window in active if window["kind"] == "deny"]
    if denies:
        return manual and all(window.get("manualSync") for window in denies)
    allows = [window for window in mine if window["kind"] == "allow"]
    if not allows or any(window in active for window in allows):
        return True
    return manual and all(window.get("manualSync") for window in allows)


def _matches(window: Obj, application: Obj) -> bool:
    destination = application["spec"].get("destination") or {}
    cluster = destination.get("name") or destination.get("server") or ""
    found = [
        any(fnmatchcase(value, pattern) for pattern in window[field])
        for field, value in (
            ("applications", application["metadata"]["name"]),
            ("clusters", cluster),
            ("namespaces", destination.get("namespace", "")),
        )
        if window.get(field)
    ]
    return bool(found) and (all(found) if window.get("andOperator") else any(found))


def _active(window: Obj, moment: datetime) -> bool:
    """Whether a start of the schedule lies within the last `duration`."""
    try:
        local = moment.astimezone(ZoneInfo(window.get("timeZone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return False
    length = _minutes(str(window.get("duration", "0m")))
    fields = str(window.get("schedule", "")).split()
    if len(fields) != 5:
        return False
    start = local.replace(second=0, microsecond=0, tzinfo=None)
    return any(_hits(fields, start - timedelta(minutes=ago)) for ago in range(length))


def _minutes(text: str) -> int:
    units = {"h": 60, "m": 1, "s": 1 / 60, "d": 1440}
    return int(sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([hmsd])", text)))


def _hits(fields: list[str], moment: datetime) -> bool:
    values = (moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7)
    return all(_in(field, value) for field, value in zip(fields, values, strict=True))


def _in(field: str, value: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            first, last = 0, 59
        else:
            first, last = int(low), int(high or (59 if step else low))
        if first <= value <= last and (value - first) % int(step or 1) == 0:
            return True
    return False
