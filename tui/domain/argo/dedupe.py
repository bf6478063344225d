"""The same fact is told once, although the status and a Kubernetes Event both tell it."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from tui.domain.argo.facts import fact_of
from tui.domain.tail import TailEvent

WINDOW = 5.0  # seconds by which two sources may date one fact differently
PROGRESS = 2.0  # seconds between two progress lines of one operation
# Facts that a commit or a webhook makes of every Application at once: (how many are told, in how many seconds).
BURSTS = {"seen": (1, 600.0), "asked:refresh": (3, 10.0), "done:refresh": (3, 10.0)}
KEPT = 20_000  # tellings remembered
_RECENT = 8  # of them of one kind of fact
_ALSO = {"requested": "started"}  # an Event tells the request; the status may show it only once it runs


class _Telling(msgspec.Struct, frozen=True, gc=False):
    """What has to be known of an event that was told: the event itself may be forgotten long before."""

    key: str
    source: str
    time: float
    signed: bool  # it says who did it


class Deduplicator:
    """Remembers what was told, per (cluster, Application, kind of fact). Not shared between threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._told: OrderedDict[tuple[str, str, str], list[_Telling]] = OrderedDict()
        self._tellings = 0  # in all of them
        self._progress: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._bursts: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def take(self, event: TailEvent) -> TailEvent | None:
        """The event when it tells something new, else None.

        Whichever source tells a fact first is heard; the other is only heard when it alone knows who did it. Two facts
        from one source are two facts, however close: a status that flips there and back is told twice.
        """
        fact = fact_of(event)
        if fact == "progress":
            return self._take_progress(event)
        if not fact or not event.application:
            return event
        if (limit := BURSTS.get(fact) or BURSTS.get(fact.partition(":")[0])) is not None:
            return event if self._within(limit, (event.cluster, fact), event.time) else None
        key = (event.cluster, event.application, fact)
        told = self._told.get(key, [])
        if any(other.key == event.key for other in told) or self._answered(told, event):
            return None
        also = _ALSO.get(fact) if event.source == "event" else None
        if also and self._answered(self._told.get((event.cluster, event.application, also), []), event):
            return None
        self._keep(key, event)
        return event

    def _keep(self, key: tuple[str, str, str], event: TailEvent) -> None:
        """Remember that an event was told; what was told longest ago is forgotten for it."""
        told = self._told.setdefault(key, [])
        self._told.move_to_end(key)
        told.append(_Telling(event.key, event.source, event.time, bool(event.actor)))
        self._tellings += 1
        if len(told) > _RECENT:
            del told[0]
            self._tellings -= 1
        while max(self._tellings, len(self._told)) > self._kept:  # a kind of fact may have none left
            self._tellings -= len(self._told.popitem(last=False)[1])

    def _answered(self, told: list[_Telling], event: TailEvent) -> bool:
        """Whether another source has told this fact; that telling then answers for no second one."""
        for index, other in enumerate(told):
            if other.source != event.source and abs(other.time - event.time) <= WINDOW:
                if event.source == "event" and event.actor and not other.signed:
                    return False
                del told[index]
                self._tellings -= 1
                return True
        return False

    def _within(self, limit: tuple[int, float], key: tuple[str, str], moment: float) -> bool:
        """Whether a burst of one fact in one cluster may still tell this one."""
        most, window = limit
        told = self._bursts.setdefault(key, [])
        self._bursts.move_to_end(key)
        if len(self._bursts) > self._kept:
            self._bursts.popitem(last=False)
        told[:] = [each for each in told if abs(each - moment) <= window]
        if len(told) >= most:
            return False
        told.append(moment)
        return True

    def _take_progress(self, event: TailEvent) -> TailEvent | None:
        key = (event.cluster, event.application)
        last = self._progress.get(key)
        if last is not None and abs(event.time - last) < PROGRESS:
            return None
        self._progress[key] = event.time
        self._progress.move_to_end(key)
        if len(self._progress) > self._kept:
            self._progress.popitem(last=False)
        return event
