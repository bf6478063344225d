"""The event tail: what happened in the fleet, one line each, bounded in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref

KEPT = 20_000  # events held in memory; older ones are on disk


class TailEvent(msgspec.Struct, frozen=True):
    """One line of the tail. Texts are foreign: data, never markup."""

    time: float  # seconds since the epoch, of the fact itself where known
    cluster: str
    application: str  # "namespace/name" of the Application; "" for a bare Kubernetes Event
    reason: str  # one word: OperationStarted, Synced, Degraded, Deployed, ConditionAdded …
    message: str
    revision: str = ""
    actor: str = ""  # who caused it: a user name, `auto-sync`, a manager name; "" = not known
    source: str = "status"  # status | event | history | draft | fleet
    tone: Tone = Tone.PLAIN
    ref: Ref | None = None  # where `enter` jumps to
    key: str = ""  # the same fact from two sources has the same key


class Tail:
    """A ring of events with sequence numbers. Readers keep a sequence number and ask what came after it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[TailEvent] = deque(maxlen=kept)
        self.end = 0  # sequence number of the next event

    @property
    def start(self) -> int:
        """Sequence number of the oldest event still held."""
        return self.end - len(self._events)

    def add(self, event: TailEvent) -> int:
        """Append; returns the event's sequence number."""
        self._events.append(event)
        self.end += 1
        return self.end - 1

    def since(self, sequence: int) -> Iterator[tuple[int, TailEvent]]:
        """(sequence number, event) from `sequence` on, or from the oldest still held."""
        first = max(sequence, self.start)
        for offset in range(first - self.start, len(self._events)):
            yield self.start + offset, self._events[offset]
