"""Sync windows of a project: which match an Application, whether they let it sync now, and until when.

Argo CD v3.5, pkg/apis/application/v1alpha1/types.go (SyncWindows.CanSync) and robfig/cron's standard schedules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from tui.domain.argo.brief import ApplicationBrief

_AHEAD = 370  # days that are looked through for a start
_JOINED = 32  # starts within the window before them, after which it is taken to be always active
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Window(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One of `spec.syncWindows`."""

    kind: str = ""  # allow | deny
    schedule: str = ""
    duration: str = ""
    applications: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None
    manual_sync: bool = False
    time_zone: str = ""
    and_operator: bool = False
    description: str = ""


class State(NamedTuple):
    """A window that matches an Application. Moments are seconds since the epoch."""

    window: Window
    active: bool | None  # None: its schedule, duration or time zone cannot be read
    moment: float | None  # when it ends, if active; else when it starts next; None: never


class Verdict(NamedTuple):
    """What all windows together say."""

    allowed: bool | None  # automatic syncs may start now; None: nobody knows
    manual: bool  # syncs that somebody asks for may start now
    until: float | None  # the next moment that may change it
    states: tuple[State, ...]


def verdict(windows: Iterable[Window], app: ApplicationBrief, now: float) -> Verdict:
    """Whether an Application may sync at `now`. An active deny wins; then an active allow; then any allow at all.

    A manual sync passes when every window that stands in the way says so.
    """
    states = tuple(state(window, now) for window in windows if matches(window, app))
    moments = [each.moment for each in states if each.moment is not None]
    until = min(moments, default=None)
    denies = [each.window for each in states if each.window.kind == "deny" and each.active]
    allows = [each for each in states if each.window.kind == "allow"]
    unread = any(each.active is None for each in states)
    if denies:
        return Verdict(False, all(window.manual_sync for window in denies), until, states)
    if unread:
        return Verdict(None, False, until, states)
    if not allows or any(each.active for each in allows):
        return Verdict(True, True, until, states)
    return Verdict(False, all(each.window.manual_sync for each in allows), until, states)


def matches(window: Window, app: ApplicationBrief) -> bool:
    """Whether a window is about an Application: by its name, its cluster as written, or its namespace."""
    target = app.spec.destination
    found = [
        any(fnmatchcase(value, pattern) for value in values for pattern in patterns)
        for values, patterns in (
            ((app.metadata.name,), window.applications),
            ((target.name, target.server), window.clusters),
            ((target.namespace,), window.namespaces),
        )
        if patterns
    ]
    return bool(found) and (all(found) if window.and_operator else any(found))


def state(window: Window, now: float) -> State:
    """Whether a window is active, and when that changes."""
    length, schedule = seconds(window.duration), _Schedule.parse(window.schedule)
    try:
        zone = ZoneInfo(window.time_zone) if window.time_zone else UTC
    except (LookupError, ValueError, OSError):
        return State(window, None, None)
    if length is None or schedule is None:
        return State(window, None, None)
    here = datetime.fromtimestamp(now, zone)
    begun = schedule.last(here, length)
    if begun is not None:
        return State(window, True, _end(schedule, begun, length))
    following = schedule.next(here)
    return State(window, False, following.timestamp() if following else None)


def _end(schedule: _Schedule, begun: datetime, length: float) -> float | None:
    """When a window that is active ends; None when one start follows the other, so that it never does."""
    for _ in range(_JOINED):
        following = schedule.next(begun)
        if following is None or following.timestamp() > begun.timestamp() + length:
            return begun.timestamp() + length
        begun = following
    return None


def seconds(text: str) -> float | None:
    """A duration as Go writes it (`1h30m`), in seconds; None when it is not one."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


class _Schedule(NamedTuple):
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool  # both days and weekdays are limited: one of them is enough

    @classmethod
    def parse(cls, text: str) -> _Schedule | None:
        """A schedule of five fields or a nickname; None when it cannot be read."""
        fields = _NICKNAMES.get(text.strip().lower(), text).split()
        if len(fields) != 5:
            return None
        limits = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 6, _DAYS))
        try:
            minutes, hours, days, months, weekdays = (
                _values(field, *limit) for field, limit in zip(fields, limits, strict=True)
            )
        except ValueError:
            return None
        either = not any(field.startswith(("*", "?")) for field in (fields[2], fields[4]))
        return cls(minutes, hours, days, months, weekdays, either)

    def last(self, now: datetime, within: float) -> datetime | None:
        """The last start not after `now` that is less than `within` seconds ago."""
        earliest = now - timedelta(seconds=within)
        for back in range(min(int(within // 86_400) + 2, _AHEAD)):
            day = now - timedelta(days=back)
            if not self._on(day):
                continue
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    found = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
                    if found <= now:
                        return found if found > earliest else None
        return None

    def next(self, now: datetime) -> datetime | None:
        """The first start after `now`."""
        for ahead in range(_AHEAD):
            day = now + timedelta(days=ahead)
            if not self._on(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
                    if found > now:
                        return found
        return None

    def _on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        dated, named = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return dated or named if self.either else dated and named


def _values(field: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        low, dash, high = span.partition("-")
        if span in ("*", "?"):
            first, last = least, most
        else:
            first = _number(low, least, names)
            last = _number(high, least, names) if dash else most if slash else first
        width = int(step) if slash else 1
        if not least <= first <= last <= most or width < 1:
            raise ValueError(field)
        found.update(range(first, last + 1, width))
    return frozenset(found)


def _number(text: str, least: int, names: tuple[str, ...]) -> int:
    return names.index(text.lower()) + least if text.lower() in names else int(text)
