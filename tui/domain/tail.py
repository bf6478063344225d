"""The event tail: what happened in the fleet, one line each, bounded in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref

KEPT = 20_000  # events held in memory; older ones are on disk
LATE = 60.0  # seconds: an event that is older than this when it comes is shown where its time belongs


class TailEvent(msgspec.Struct, frozen=True, gc=False):
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


Placed = tuple[float, int, TailEvent]  # place in time, sequence number, event: sorted by the first two it is shown


class Tail:
    """A ring of events with sequence numbers. Readers keep a sequence number and ask what came after it.

    Sequence numbers tell the order of arrival. Each event also has a place in time to be shown at: events that come
    about when they happen keep the order of arrival, whatever the clocks of their clusters say; what is told
    afterwards (history, a cluster that answers late) belongs where it happened.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[TailEvent] = deque(maxlen=kept)
        self._places: deque[float] = deque(maxlen=kept)
        self._latest = 0.0  # seconds since the epoch: the last place there is
        self.end = 0  # sequence number of the next event

    @property
    def start(self) -> int:
        """Sequence number of the oldest event still held."""
        return self.end - len(self._events)

    def add(self, event: TailEvent, now: float | None = None) -> int:
        """Append; returns the event's sequence number.

        What is older than `now` (seconds since the epoch; None: the newest event) by LATE is told afterwards.
        """
        late = event.time < (self._latest if now is None else now) - LATE
        place = event.time if late else max(event.time, self._latest)
        self._latest = max(place, self._latest)
        self._events.append(event)
        self._places.append(place)
        self.end += 1
        return self.end - 1

    def since(self, sequence: int) -> Iterator[tuple[int, TailEvent]]:
        """(sequence number, event) from `sequence` on, or from the oldest still held."""
        for _, at, event in self.placed(sequence):
            yield at, event

    def placed(self, sequence: int) -> Iterator[Placed]:
        """(place, sequence number, event) from `sequence` on, or from the oldest still held, by sequence number."""
        start = self.start
        for offset in range(max(sequence, start) - start, len(self._events)):
            yield self._places[offset], start + offset, self._events[offset]
