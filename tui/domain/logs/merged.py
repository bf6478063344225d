"""The lines of many logs in the order of their times, bounded in number and size, and those of them that are wanted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from typing import NamedTuple

from tui.domain.logs.ansi import plain
from tui.domain.logs.lines import NOTE, LogLine

KEPT = 50_000  # lines
SIZE = 32 << 20  # characters of all lines together


class Moved(NamedTuple):
    """What has changed of the lines that are shown: so many went at the start, and from `at` on they are others."""

    gone: int
    at: int


class Merged:
    """`shown` are the wanted ones of the lines there are, in order."""

    def __init__(self, kept: int = KEPT, size: int = SIZE) -> None:
        self.kept = kept
        self.shown: list[LogLine] = []
        self.dropped = 0  # lines that had to make room
        self.query = ""
        self.only: frozenset[int] | None = None  # containers; None = all
        self._all: list[LogLine] = []
        self._most = size
        self._size = 0

    def __len__(self) -> int:
        return len(self._all)

    def add(self, lines: Iterable[LogLine]) -> Moved:
        """Put lines where their times belong."""
        came = sorted(lines)
        if not came:
            return Moved(0, len(self.shown))
        _merge(self._all, came)
        self._size += sum(len(line.text) for line in came)
        wanted = [line for line in came if self.wants(line)]
        at = _merge(self.shown, wanted) if wanted else len(self.shown)
        gone = self._make_room()
        return Moved(gone, max(0, at - gone))

    def clear(self) -> None:
        """Forget every line."""
        self._all, self.shown, self._size, self.dropped = [], [], 0, 0

    def set_query(self, query: str) -> None:
        """Want lines with this text, without case; `!text` wants the others."""
        query = query.lower()
        if query == self.query:
            return
        narrows = bool(self.query) and "!" not in (self.query[:1], query[:1]) and self.query in query
        self.query = query
        self._choose(self.shown if narrows else self._all)

    def set_only(self, sources: Collection[int] | None) -> None:
        """Want lines of these containers; None wants all."""
        self.only = None if sources is None else frozenset(sources)
        self._choose(self._all)

    def wants(self, line: LogLine) -> bool:
        """Whether a line is shown. What fleet says is, whatever the text."""
        if self.only is not None and (line.about if line.source == NOTE else line.source) not in self.only:
            return line.source == NOTE and line.about == NOTE
        query = self.query
        if not query or query == "!" or line.source == NOTE:
            return True
        text = plain(line.text).lower()
        return query[1:] not in text if query.startswith("!") else query in text

    def place(self, line: LogLine) -> int:
        """Where a line stands among those that are shown, or would."""
        return bisect_left(self.shown, line)

    def _choose(self, among: list[LogLine]) -> None:
        query = self.query
        if self.only is not None:
            self.shown = [line for line in among if self.wants(line)]
        elif not query or query == "!":
            self.shown = list(among)
        elif query.startswith("!"):  # loops without calls: a key waits for them
            other = query[1:]
            self.shown = [
                line
                for line in among
                if other not in (text.lower() if "\x1b" not in (text := line.text) else plain(text).lower())
                or line.source == NOTE
            ]
        else:
            self.shown = [
                line
                for line in among
                if query in (text.lower() if "\x1b" not in (text := line.text) else plain(text).lower())
                or line.source == NOTE
            ]

    def _make_room(self) -> int:
        """Drop the oldest lines until the rest is within the bounds; returns how many of them were shown."""
        drop = max(0, len(self._all) - self.kept)
        if drop:
            self._size -= sum(len(line.text) for line in self._all[:drop])
        while self._size > self._most and drop < len(self._all) - 1:  # one line is always kept
            self._size -= len(self._all[drop].text)
            drop += 1
        if not drop:
            return 0
        del self._all[:drop]
        self.dropped += drop
        gone = bisect_left(self.shown, self._all[0])
        del self.shown[:gone]
        return gone


def _merge(held: list[LogLine], came: list[LogLine]) -> int:
    """Merge sorted lines into sorted lines; returns where the first of them now stands."""
    if not held or held[-1] < came[0]:
        held.extend(came)
        return len(held) - len(came)
    at = bisect_left(held, came[0])
    held[at:] = sorted([*held[at:], *came])
    return at
