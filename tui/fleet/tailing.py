"""Feeds the event tail: from changes of Applications, from Kubernetes Events, from history; and keeps it on disk."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

import msgspec

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo import events
from tui.domain.cluster import CLUSTERS, REPLACED, Cluster
from tui.domain.kinds.core import EVENTS
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Row
from tui.domain.ports import EventKeeper
from tui.domain.settings import Settings
from tui.domain.tail import KEPT, Tail, TailEvent

APPLICATIONS = "applications.argoproj.io"
BACKFILL = 86_400.0  # seconds: how old a fact may be to be told when an Application is first seen
REMEMBERED = 2 * KEPT  # keys of events already told

Observer = Callable[[Row | None, Row | None, bool], None]


class Tailing:
    """Observers run in the network thread; `drain` and everything after it on the main loop."""

    def __init__(self, tail: Tail, keeper: EventKeeper | None, settings: Settings, clock: Callable[[], float]) -> None:
        self._tail = tail
        self._keeper = keeper
        self._settings = settings
        self._clock = clock
        self._found: deque[TailEvent] = deque(maxlen=2 * KEPT)
        self._lock = threading.Lock()
        self._same = events.Deduplicator()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._ready = keeper is None
        self._task: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str:
        """Why events are not being kept on disk; "" = they are."""
        return self._keeper.problem if self._keeper else ""

    def observers(self) -> dict[str, Observer]:
        """What the network thread calls on each change of these resources."""
        return {APPLICATIONS: self._application, EVENTS.resource: self._event, CLUSTERS: self._cluster}

    def start(self) -> None:
        """Bring back what was kept on disk; new events wait for it, so that the order holds."""
        if self._keeper is not None:
            self._task = asyncio.create_task(self._recall())

    def close(self) -> None:
        """Write what is left. Blocks."""
        if self._keeper is not None:
            self._keeper.close()

    def tell(self, event: TailEvent) -> None:
        """Add an event of fleet's own (a push, an arrival)."""
        self._found.append(event)

    def drain(self) -> int:
        """Move what the observers found to the tail and to disk; returns how many events are new."""
        if not self._ready:
            return 0
        fresh: list[TailEvent] = []
        while self._found:
            event = self._found.popleft()
            if self._remember(event.key):
                fresh.append(event)
        fresh.sort(key=lambda event: event.time)
        now = self._clock()
        for event in fresh:
            self._tail.add(event, now)
        if fresh and self._keeper is not None:
            self._keeper.append(fresh)
        return len(fresh)

    async def _recall(self) -> None:
        assert self._keeper is not None
        since = self._clock() - self._settings.tail_days * 86_400.0
        for event in await asyncio.to_thread(self._keeper.read, since, KEPT):
            if self._remember(event.key):
                self._tail.add(event, self._clock())
        self._ready = True
        self.drain()

    def _remember(self, key: str) -> bool:
        """Whether an event with this key has not been told yet; from now on it has."""
        if not key:
            return True
        if key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True

    # -- in the network thread ------------------------------------------------------------------------------------

    def _application(self, old: Row | None, new: Row | None, initial: bool) -> None:
        now = self._clock()
        if initial and new is not None:
            if _recent(new.obj, now):
                self._take(events.from_history(argo.of_row(new), new.ref.cluster, now - BACKFILL))
            return
        row = new or old
        if row is None:
            return
        before = argo.of_row(old) if old else None
        after = argo.of_row(new) if new else None
        self._take(events.derive(before, after, row.ref.cluster, now))

    def _event(self, old: Row | None, new: Row | None, initial: bool) -> None:
        if new is None:
            return
        event = events.from_kubernetes_event(msgspec.json.decode(new.json()), new.ref.cluster)
        if event is not None and event.time >= self._clock() - BACKFILL:
            self._take([event])

    def _cluster(self, old: Row | None, new: Row | None, initial: bool) -> None:
        """Told when something has happened to a whole cluster that its row makes a note of."""
        if new is not None:
            found: Cluster = new.obj
            word = "ClusterReplaced" if found.note.startswith(REPLACED) else "HistoryWentBack"
            event = TailEvent(found.noted, found.metadata.name, "", word, found.note, source="fleet", tone=Tone.WARN)
            self._take([msgspec.structs.replace(event, ref=new.ref)])

    def _take(self, found: Iterable[TailEvent]) -> None:
        with self._lock:
            for event in found:
                if (kept := self._same.take(event)) is not None:
                    self._found.append(kept)


def _recent(app: argo.ApplicationBrief, now: float) -> bool:
    """Whether an Application that is seen for the first time has anything to tell."""
    state = app.status.operation_state
    moved = when.seconds(state.finished_at or state.started_at) if state else None
    return bool(app.status.conditions) or (moved is not None and moved >= now - BACKFILL)
