"""A container's log as the API server sends it, made into lines, across streams that break and begin again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

LONGEST = 1 << 20  # bytes of one line that are kept
NOTE = -1  # `source` of what fleet itself has to say between the lines
_STAMP = 36  # bytes: no RFC 3339 time with nanoseconds and a zone is longer
SECOND = 1_000_000_000


class LogLine(msgspec.Struct, frozen=True, order=True, gc=False):
    """One line. They sort by the time that the container runtime gave them, then as they came. Text is foreign."""

    time: int  # nanoseconds since the epoch
    sequence: int  # in the order they came, of all logs that are read together
    source: int  # number of the container; NOTE for fleet's own
    text: str  # without a line end; escape sequences and all, bytes that are no UTF-8 as lone surrogates
    about: int = NOTE  # of a note: the container it is about


class Reader:
    """Cuts the bytes of one container's log into lines. Told that a stream begins anew, it drops what it has read.

    The API server can be asked for lines since a second, not since a line: those up to the last one come twice. A log
    is in the order of its times, so lines before the last time, and as many of that very time as were read, are old.
    """

    def __init__(self, source: int, sequence: Callable[[], int], longest: int = LONGEST) -> None:
        """`sequence` numbers the lines of all logs that are read together."""
        self.source = source
        self.last = 0  # time of the newest line
        self.read = 0  # lines
        self.cut = 0  # bytes of lines that were longer than `longest`
        self._sequence = sequence
        self._longest = longest
        self._rest = b""  # of a line whose end has not come
        self._over = 0  # bytes of it that are left out
        self._at_last = 0  # lines that have the time of the last one
        self._old = 0  # as many of them come again
        self._again = False  # lines that were read before may come
        self._second = b""  # what `_base` is the time of, with the zone
        self._base = 0

    def begin(self) -> None:
        """A new stream: from about `last` on, where there is one."""
        self._rest, self._over = b"", 0
        self._again, self._old = bool(self.last), self._at_last

    def feed(self, chunk: bytes) -> list[LogLine]:
        """The new lines that a chunk ends."""
        parts = (self._rest + chunk).split(b"\n") if self._rest else chunk.split(b"\n")
        self._rest = parts.pop()
        found = [line for part in parts if (line := self._line(part)) is not None]
        if len(self._rest) > self._longest:
            self._over += len(self._rest) - self._longest
            self._rest = self._rest[: self._longest]
        return found

    def end(self) -> list[LogLine]:
        """The line that the log ended in without a line end, if it did."""
        rest, self._rest = self._rest, b""
        line = self._line(rest) if rest else None
        return [line] if line is not None else []

    def _line(self, part: bytes) -> LogLine | None:
        space = part.find(b" ", 0, _STAMP)
        stamp = part[:space] if space > 0 else part[:_STAMP]
        moment = self._time(stamp)
        if moment is None:
            moment, space = self.last, -1  # the server gave it no time
        if self._again:
            if moment < self.last:
                self._over = 0
                return None
            if moment == self.last and self._old:
                self._old -= 1
                self._over = 0
                return None
            self._again = False
        if moment == self.last:
            self._at_last += 1
        elif moment > self.last:
            self.last, self._at_last = moment, 1
        self.read += 1
        raw = part[space + 1 :]
        over, self._over = self._over, 0
        if len(raw) > self._longest:
            over += len(raw) - self._longest
            raw = raw[: self._longest]
        text = raw.decode("utf-8", "surrogateescape")
        if over:
            self.cut += over
            text += f" … {over:,} bytes more"
        return LogLine(moment, self._sequence(), self.source, text.removesuffix("\r"))

    def _time(self, stamp: bytes) -> int | None:
        """Nanoseconds since the epoch of an RFC 3339 time; None when it is none."""
        zone = b"Z" if stamp.endswith(b"Z") else stamp[-6:]
        second = stamp[:19] + zone
        if second != self._second:
            try:
                moment = datetime.fromisoformat(second.decode("ascii"))
            except ValueError:
                return None
            if moment.tzinfo is None:
                return None
            self._second, self._base = second, int(moment.timestamp()) * SECOND
        fraction = stamp[20 : -len(zone)]
        if not fraction:
            return self._base
        return self._base + int(fraction.ljust(9, b"0")[:9]) if fraction.isdigit() else None


def as_bytes(text: str) -> bytes:
    """A line's text as its container wrote it."""
    return text.encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """A line's text as one may copy it: what is no UTF-8 is replaced."""
    return as_bytes(text).decode("utf-8", "replace")


def since(moment: int) -> str:
    """A time as `sinceTime` takes it: RFC 3339 in UTC."""
    whole, fraction = divmod(moment, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09}Z"
