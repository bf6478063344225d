"""Whose logs are wanted, and what of them."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from tui.domain import selector

TAIL = 1_000  # lines of each container that a first look asks for
HEAD = 5_000  # lines of each container from its start
MINUTE = 60
# What the digits choose, as in k9s: word, seconds back (0 = everything there is, -1 = the start of each log)
PERIODS: tuple[tuple[str, int], ...] = (
    ("all", 0),
    ("head", -1),
    ("1m", MINUTE),
    ("5m", 5 * MINUTE),
    ("15m", 15 * MINUTE),
    ("30m", 30 * MINUTE),
    ("1h", 60 * MINUTE),
)


class Selection(msgspec.Struct, frozen=True):
    """Pods of one cluster: one by its name, or those with labels."""

    cluster: str
    namespace: str = ""  # "" = all
    name: str = ""  # of the only pod
    labels: tuple[str, ...] = ()  # label selectors; a pod that matches one of them is wanted
    job_of: str = ""  # name of a CronJob whose Jobs' pods they are

    def query(self) -> list[tuple[str, str]]:
        """What the API server selects the pods by; `admits` decides about what that leaves open."""
        if self.name:
            return [("fieldSelector", f"metadata.name={self.name}")]
        return [("labelSelector", self.labels[0])] if len(self.labels) == 1 else []

    def admits(self, name: str, labels: dict[str, str] | None, owner: str = "") -> bool:
        """Whether a pod is one of them; `owner` is what controls it."""
        if self.name:
            return name == self.name
        if self.job_of:  # the CronJob controller names Jobs after it and the minute they were due at
            stem, _, minute = owner.rpartition("-")
            return stem == self.job_of and minute.isdigit()
        return not self.labels or any(selector.parse(text).matches(labels) for text in self.labels)


class Asked(msgspec.Struct, frozen=True):
    """What of the logs. Without `seconds` and `time`, the last `tail` lines of each container."""

    seconds: int = 0  # of the past
    time: int = 0  # nanoseconds since the epoch from when on
    tail: int | None = TAIL  # lines of each container at most; None = all that there are
    head: bool = False  # the first HEAD lines of each container, and no more
    previous: bool = False  # of the container's instance before its last restart
    follow: bool = True
    containers: str = "*"  # glob

    @property
    def goes_on(self) -> bool:
        """Whether there is a tomorrow: the past, once read, is all there is of it."""
        return self.follow and not self.head and not self.previous

    def wants(self, container: str) -> bool:
        """Whether a container's log is wanted."""
        return fnmatchcase(container, self.containers)

    def words(self) -> str:
        """What it is, for a title."""
        if self.head:
            period = f"first {HEAD:,} lines"
        elif self.seconds:
            period = "since " + next((word for word, back in PERIODS if back == self.seconds), f"{self.seconds}s")
        elif self.time:
            period = "since a time"
        else:
            period = "all" if self.tail is None else f"last {self.tail:,}"
        return "previous · " + period if self.previous else period
