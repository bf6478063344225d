"""What has been read of the logs that somebody looks at: written in the network thread, read on the main loop."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count, islice

from tui.domain.logs.asked import Asked, Selection
from tui.domain.logs.containers import Container
from tui.domain.logs.lines import NOTE, SECOND, LogLine, Reader
from tui.domain.logs.merged import KEPT, SIZE
from tui.domain.logs.names import Place
from tui.domain.ports import Trouble


@dataclass(slots=True)
class Source:
    """One container's log, and how it stands with it."""

    number: int
    place: Place
    reader: Reader
    container: Container
    state: str = "waiting"  # waiting | following | ended | denied | failed
    reason: str = ""


class Inbox:
    """Lines that nobody has taken yet, bounded: the oldest make room."""

    def __init__(self, kept: int = KEPT, size: int = SIZE) -> None:
        self._lock = threading.Lock()
        self._lines: deque[LogLine] = deque()
        self._kept = kept
        self._most = size
        self._size = 0
        self._missed = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, lines: Iterable[LogLine]) -> None:
        """Append."""
        with self._lock:
            for line in lines:
                self._lines.append(line)
                self._size += len(line.text)
            while len(self._lines) > self._kept or (self._size > self._most and len(self._lines) > 1):
                self._size -= len(self._lines.popleft().text)
                self._missed += 1

    def take(self, most: int) -> tuple[list[LogLine], int]:
        """(The oldest lines, so many at most; how many were dropped before), which are no longer here then."""
        with self._lock:
            found = list(islice(self._lines, most))
            for line in found:
                self._lines.popleft()
                self._size -= len(line.text)
            missed, self._missed = self._missed, 0
        return found, missed


@dataclass(slots=True)
class Book:
    """All logs that are read together."""

    selections: tuple[Selection, ...]
    asked: Asked
    inbox: Inbox = field(default_factory=Inbox)
    sources: list[Source] = field(default_factory=list)  # by their number; none is taken away
    pods: dict[Selection, int] = field(default_factory=dict)  # of the selections that have been listed
    troubles: dict[Selection, Trouble] = field(default_factory=dict)  # why pods cannot be listed
    done: bool = False  # nothing more comes
    sequence: Callable[[], int] = field(default_factory=lambda: count().__next__)
    began: float = field(default_factory=time.monotonic)
    _places: dict[Place, Source] = field(default_factory=dict)

    def source(self, place: Place, container: Container) -> Source:
        """The source of a place; a new one when it is seen first."""
        found = self._places.get(place)
        if found is None:
            number = len(self.sources)
            found = Source(number, place, Reader(number, self.sequence), container)
            self._places[place] = found
            self.sources.append(found)
        return found

    def note(self, text: str, about: Source | None = None) -> None:
        """Something to be said between the lines: after the newest one of the container that it is about."""
        last = about.reader.last if about is not None else 0
        number = about.number if about is not None else NOTE
        self.inbox.add([LogLine(last or int(time.time() * SECOND), self.sequence(), NOTE, text, number)])
