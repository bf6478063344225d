"""Whose flows are wanted, and what there is of them. All of it belongs to the loop that owns the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.domain.ports import Trouble
from tui.fleet.flows.ring import KEPT, Ring
from tui.fleet.flows.stand import STREAMS, Stand, Status, status_of
from tui.fleet.sync.timing import Timing

if TYPE_CHECKING:
    from tui.domain.cilium.hubble.observed import Observed, Record
    from tui.fleet.sync import Network
    from tui.fleet.sync.supervisor import Supervisor

KEEP = 600.0  # seconds that flows are kept after nobody wants them any more
PERIOD = 0.1  # seconds between two messages to the main loop


@dataclass(slots=True)
class _Cluster:
    ring: Ring = field(default_factory=Ring)
    stand: Stand = field(default_factory=Stand)
    task: asyncio.Task[None] | None = None
    unwanted: float = 0.0  # monotonic time since when; 0 = wanted


class Flows:
    """The flows of the clusters that somebody wants, live."""

    def __init__(self, network: Network, notify: Callable[[], None], timing: Timing | None = None) -> None:
        """`notify` is called on the main loop when there may be something new."""
        self._network = network
        self._notify = notify
        self._timing = timing or Timing()
        self._clusters: dict[str, _Cluster] = {}
        self._wants: dict[str, frozenset[str]] = {}
        self._slots = asyncio.Semaphore(STREAMS)  # of the network loop, once a stream has used it
        self._told = False  # a message to the main loop is under way
        self._ending: set[asyncio.Task[None]] = set()

    # -- who wants what -------------------------------------------------------------------------------------------

    def want(self, owner: str, clusters: Iterable[str]) -> None:
        """Read the flows of these clusters for `owner`, and no others for it."""
        wanted = frozenset(clusters)
        if self._wants.get(owner) == wanted:
            return
        self._wants[owner] = wanted
        self._apply()

    def unwant(self, owner: str) -> None:
        """`owner` needs no flows any more: streams that nobody else needs end now."""
        if self._wants.pop(owner, None) is not None:
            self._apply()

    def _apply(self) -> None:
        wanted = frozenset[str]().union(*self._wants.values())
        now = time.monotonic()
        for name in wanted:
            held = self._clusters.setdefault(name, _Cluster())
            held.unwanted = 0.0
            if held.task is None:
                held.task = asyncio.create_task(self._run(name, held), name=f"flows of {name}")
        for name, held in list(self._clusters.items()):
            if name in wanted:
                continue
            held.unwanted = held.unwanted or now
            if held.task is not None:
                held.task.cancel()
                self._ending.add(held.task)
                held.task.add_done_callback(self._ending.discard)
                held.task = None
            if now - held.unwanted >= KEEP:
                del self._clusters[name]

    async def close(self) -> None:
        """End every stream."""
        self._wants.clear()
        self._apply()
        await asyncio.gather(*self._ending, return_exceptions=True)

    # -- what there is ----------------------------------------------------------------------------------------------

    def recent(self, cluster: str) -> tuple[Observed, ...]:
        """The flows seen lately in a cluster, oldest first; () while nobody wants them, see `status` for why."""
        held = self._clusters.get(cluster)
        return held.ring.flows() if held is not None else ()

    def since(self, cluster: str, sequence: int, most: int = KEPT) -> tuple[list[Record], int, int]:
        """(records of a cluster from `sequence` on, where to go on, how many were dropped before they were asked)."""
        held = self._clusters.get(cluster)
        return held.ring.since(sequence, most) if held is not None else ([], sequence, 0)

    def status(self, cluster: str) -> Status:
        """Whether there are flows of a cluster, and if not, why, in words."""
        held = self._clusters.get(cluster)
        if held is None or held.task is None:
            return Status("off", "nobody reads the flows of this cluster")
        return status_of(held.stand)

    # -- in the network thread --------------------------------------------------------------------------------------

    async def _run(self, name: str, held: _Cluster) -> None:
        from tui.fleet.flows.follow import follow

        main = asyncio.get_running_loop()

        def moved() -> None:
            if not self._told:
                self._told = True
                asyncio.get_running_loop().call_later(PERIOD, tell)

        def tell() -> None:
            if not main.is_closed():
                main.call_soon_threadsafe(self._moved)

        async def ask(supervisor: Supervisor) -> None:
            await follow(lambda: supervisor.connection(name), held.ring, held.stand, self._timing, self._slots, moved)

        try:
            await self._network.run(ask)
        except Trouble as error:  # there is no network thread to read in
            held.stand.trouble = error
            self._notify()

    def _moved(self) -> None:
        self._told = False
        self._notify()
