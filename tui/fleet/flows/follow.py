"""The flows of one cluster: a stream of each agent's log, again after every end. Lives in the network thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import cast

from tui.domain.cilium.hubble.flows import Decoder, Lines
from tui.domain.cilium.hubble.observed import Observed, Record
from tui.domain.cilium.hubble.packetdrop import REASON, from_event
from tui.domain.kinds.core import Event, event_time
from tui.domain.ports import Trouble
from tui.fleet.flows.agents import Agent, watched
from tui.fleet.flows.ring import Ring
from tui.fleet.flows.stand import Following, Stand
from tui.fleet.logs.stream import Connect, again, path_of, read, standing
from tui.fleet.selected import Changed, selected
from tui.fleet.sync.timing import Timing

PAST = 900  # seconds of the past that a first look asks for
TAIL = 1_000  # and at most so many lines of each agent
LONGEST = 16 * 1024  # bytes of a line: where container runtimes cut lines themselves
CONTAINER = "cilium-agent"
DROPS = (("fieldSelector", f"reason={REASON}"),)
DROPS_AT = ("/api/v1/events",)
DROPS_KNOWN = 10_000  # Events that are not told twice


async def follow(
    connect: Connect, ring: Ring, stand: Stand, timing: Timing, slots: asyncio.Semaphore, moved: Callable[[], None]
) -> None:
    """Keep the ring filled until cancelled. `slots` bounds the streams of all clusters; `moved` says that there is new.

    What has been read stays when it begins again later: `stand` knows how far.
    """
    streams = _Streams(connect, ring, stand, timing, slots, moved)

    async def agents() -> None:
        async with aclosing(cast(AsyncGenerator[frozenset[Agent], None], watched(connect(), timing))) as sets:
            async for found in sets:
                stand.trouble = None
                streams.keep(found)

    async def drops() -> None:
        chosen = selected(connect(), DROPS_AT, DROPS, Event, timing)
        async with aclosing(cast(AsyncGenerator[Changed[Event], None], chosen)) as changes:
            async for changed in changes:
                if found := _drops(changed.put, stand):
                    ring.add(found)
                    moved()

    def unlisted(error: Trouble) -> None:
        stand.trouble = error
        moved()

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(again(agents, timing, unlisted))
            tasks.create_task(again(drops, timing, lambda error: None))  # an extra, where the cluster has it
    finally:
        await streams.close()


def _drops(events: list[Event], stand: Stand) -> list[Observed]:
    """The flows that PacketDrop Events tell, those that have not been told yet."""
    found = []
    for event in events:
        key = (event.metadata.uid or event.metadata.name, event.count, event.last_timestamp)
        if key in stand.drops:
            continue
        stand.drops[key] = None
        while len(stand.drops) > DROPS_KNOWN:
            del stand.drops[next(iter(stand.drops))]
        about = event.involved_object
        drop = from_event(about.namespace, about.name, event.message, event_time(event) or 0.0)
        if drop is not None:
            found.append(drop)
    return sorted(found, key=lambda drop: drop.time)


class _Streams:
    """The logs of all agents of a cluster, one stream each."""

    def __init__(
        self,
        connect: Connect,
        ring: Ring,
        stand: Stand,
        timing: Timing,
        slots: asyncio.Semaphore,
        moved: Callable[[], None],
    ) -> None:
        self.connect = connect
        self.ring = ring
        self.timing = timing
        self.moved = moved
        self.decoder = Decoder()
        self._stand = stand
        self._slots = slots
        self._tasks: dict[Agent, asyncio.Task[None]] = {}

    def keep(self, agents: frozenset[Agent]) -> None:
        """Follow these agents, and no others."""
        for agent in self._tasks.keys() - agents:
            self._tasks.pop(agent).cancel()
        for agent in self._stand.agents.keys() - agents:
            del self._stand.agents[agent]
        for agent in sorted(agents - self._tasks.keys()):
            held = self._stand.agents.setdefault(agent, Following())
            self._tasks[agent] = asyncio.create_task(self._follow(_Stream(self, agent, held)))
        self._stand.listed = True
        self.moved()

    async def close(self) -> None:
        """End every stream."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _follow(self, stream: _Stream) -> None:
        async with self._slots:
            await again(stream.once, self.timing, stream.failed)


class _Stream:
    """The log of one agent."""

    def __init__(self, streams: _Streams, agent: Agent, held: Following) -> None:
        self._streams = streams
        self._held = held
        self._began = 0.0
        self._path = path_of(agent.namespace, agent.name)
        self._lines = Lines(streams.decoder, LONGEST)
        self._known: frozenset[Hashable] = frozenset()
        self._counted = (0, 0)  # lines that were no flows, and unreadable ones, before this stream

    async def once(self) -> None:
        """Take in the log until it ends, from where it was left. Raises Trouble."""
        self._began = time.monotonic()
        self._lines = Lines(self._streams.decoder, LONGEST)
        self._known = frozenset(self._held.recalled)
        self._counted = (self._held.others, self._held.unreadable)
        await read(self._streams.connect(), self._path, self)

    def failed(self, error: Trouble) -> None:
        """Note what ended the stream."""
        self._stand(*standing(error, self._began))

    def _stand(self, state: str, reason: str = "") -> None:
        if (state, reason) != (self._held.state, self._held.reason):
            self._held.state, self._held.reason = state, reason
            self._streams.moved()

    def query(self) -> list[tuple[str, str]]:
        """Since the newest flow that was read, or some of the past."""
        query = [("container", CONTAINER), ("follow", "true")]
        if self._held.last:
            since = datetime.fromtimestamp(self._held.last, UTC).isoformat(timespec="microseconds")
            return [*query, ("sinceTime", since.replace("+00:00", "Z"))]
        return [*query, ("sinceSeconds", str(PAST)), ("tailLines", str(TAIL))]

    def opened(self) -> None:
        """The log is being followed."""
        self._stand("following")

    def take(self, chunk: bytes) -> bool:
        """Records out of a chunk of the log."""
        held, lines = self._held, self._lines
        found = [record for record in lines.feed(chunk) if self._is_new(record)]
        others, unreadable = self._counted
        held.others, held.unreadable = others + lines.others, unreadable + lines.unreadable + lines.too_long
        if found:
            self._streams.ring.add(found)
        self._streams.moved()
        return True

    def ended(self) -> None:
        """The last line may have no end."""
        self._streams.ring.add(record for record in self._lines.end() if self._is_new(record))
        self._stand("waiting", "the log has ended")

    def _is_new(self, record: Record) -> bool:
        """Whether a record was not read before the stream began anew; it is remembered."""
        key = record.key if isinstance(record, Observed) else record
        if (record.time, key) in self._known:
            return False
        held = self._held
        held.recalled.append((record.time, key))
        held.last = max(held.last, record.time)
        held.flows += isinstance(record, Observed)
        return True
