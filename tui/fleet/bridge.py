"""Between the network thread and the main loop: changed rows one way, coalesced and bounded; requests the other way."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from tui.domain.obj import Ref, Row

T = TypeVar("T")

PERIOD = 0.05  # seconds between two deliveries: below what the eye can tell, above what a burst would cost
PAUSE = 0.004  # seconds left to the main loop between two portions of one delivery
PORTION = 1_000  # rows handed over at once; the store takes about 3 µs for each
MOST = 50_000  # rows waiting; beyond that the network thread stops reading, and so the API servers stop sending

_log = logging.getLogger("fleet.sync")


class Batch(NamedTuple):
    """Changed and vanished objects of one cluster. A key occurs once."""

    cluster: str
    puts: list[Row]
    removes: list[Ref]


class Outbox:
    """Rows on their way to the main loop; the last write of a key wins.

    `add` and `room` belong to the network loop, the rest to the main loop.
    """

    def __init__(
        self,
        main: asyncio.AbstractEventLoop,
        network: asyncio.AbstractEventLoop,
        deliver: Callable[[Sequence[Batch]], None],
        most: int = MOST,
    ) -> None:
        self._main = main
        self._network = network
        self._deliver = deliver
        self._most = most
        self._lock = threading.Lock()
        self._pending: dict[Ref, Row | None] = {}
        self._taken: Iterable[tuple[Ref, Row | None]] = iter(())
        self._undelivered = 0
        self._awake = False
        self._closed = False
        self._room = asyncio.Event()
        self._room.set()

    def add(self, changes: Mapping[Ref, Row | None]) -> None:
        """Queue changes: the new row of each object, None for one that has gone."""
        with self._lock:
            self._pending.update(changes)
            wake = bool(self._pending) and not self._awake and not self._closed
            self._awake = self._awake or wake
            if len(self._pending) + self._undelivered > self._most:
                self._room.clear()  # under the lock, or a delivery in between would not see that it has to be set
        if wake:
            self._main.call_soon_threadsafe(self._hand_over)

    async def room(self) -> None:
        """Wait while more rows are queued than the main loop should have to catch up with."""
        await self._room.wait()

    def close(self) -> None:
        """Deliver nothing any more."""
        with self._lock:
            self._closed = True
            self._pending.clear()
        self._taken, self._undelivered = iter(()), 0

    def _hand_over(self) -> None:
        """Deliver one portion, and plan the next one."""
        if self._closed:
            return
        portion = list(islice(self._taken, PORTION))
        if not portion:
            with self._lock:
                taken, self._pending = self._pending, {}
                self._undelivered = len(taken)
            self._taken = iter(taken.items())
            portion = list(islice(self._taken, PORTION))
        with self._lock:
            self._undelivered -= len(portion)
            more = self._undelivered > 0
            waiting = self._undelivered + len(self._pending)
            again = self._awake = bool(portion) or waiting > 0
            reopen = waiting <= self._most // 2 and not self._room.is_set()
        try:
            if portion:
                self._deliver(_batches(portion))
        finally:
            if reopen and not self._network.is_closed():
                self._network.call_soon_threadsafe(self._room.set)
            if again:
                self._main.call_later(PAUSE if more else PERIOD, self._hand_over)


def _batches(portion: Iterable[tuple[Ref, Row | None]]) -> list[Batch]:
    found: dict[str, Batch] = {}
    for ref, row in portion:
        batch = found.get(ref.cluster)
        if batch is None:
            batch = found[ref.cluster] = Batch(ref.cluster, [], [])
        if row is None:
            batch.removes.append(ref)
        else:
            batch.puts.append(row)
    return list(found.values())


class NetworkThread:
    """A thread with a loop of its own that runs one coroutine until it is stopped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.loop = asyncio.new_event_loop()
        self._main: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] | None = None
        self._owner: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self.failure: BaseException | None = None
        self.failed: Callable[[BaseException], object] | None = None  # called on the main loop

    def start(self, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `body` in the thread; called on the main loop."""
        self._owner = asyncio.get_running_loop()
        self._ended = self._owner.create_future()
        threading.Thread(target=self._run, args=(body,), name=self._name, daemon=True).start()

    async def stop(self, patience: float = 5.0) -> None:
        """Cancel everything that runs in the thread and wait for its end. Raises TimeoutError when it does not end."""
        if self._ended is None:
            self.loop.close()
            return
        if not self._ended.done():
            self.loop.call_soon_threadsafe(self._cancel)
        async with asyncio.timeout(patience):
            await asyncio.shield(self._ended)

    async def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the thread and return its result; cancelling the caller cancels it there."""
        if self.loop.is_closed():
            coroutine.close()
            raise asyncio.CancelledError
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self.loop))

    def soon(self, function: Callable[..., object], *args: object) -> None:
        """Call a function in the thread, if it still runs."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *args)

    def _cancel(self) -> None:
        self._stopping = True
        if self._main is not None:
            self._main.cancel()

    def _run(self, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._until_cancelled(body))
        except BaseException as error:  # noqa: BLE001 - the main loop is told
            self.failure = error
            _log.critical("the network thread has failed", exc_info=error)
            if self.failed is not None and self._owner is not None and not self._owner.is_closed():
                self._owner.call_soon_threadsafe(self.failed, error)
        finally:
            self.loop.run_until_complete(self._wind_up())
            self.loop.close()
            owner, ended = self._owner, self._ended
            if owner is not None and ended is not None and not owner.is_closed():
                owner.call_soon_threadsafe(_resolve, ended)

    async def _until_cancelled(self, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._main = asyncio.current_task()
        try:
            if not self._stopping:
                await body()
        except asyncio.CancelledError:
            return

    async def _wind_up(self) -> None:
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_asyncgens()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
