"""Lets a few through at a time, the most urgent first; how urgent is asked when there is room, not when queueing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any


class Gate:
    """A semaphore whose waiters are served by priority, lowest first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, priority: Callable[[], Any], most: float = float("inf")) -> AsyncIterator[None]:
        """Hold a place while inside, but for `most` seconds: who takes longer goes on without one."""
        if self._free:
            self._free -= 1
        else:
            ticket = (priority, asyncio.get_running_loop().create_future())
            self._waiting.append(ticket)
            try:
                await ticket[1]
            except asyncio.CancelledError:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                if not ticket[1].cancelled():  # it was given its place in the same moment
                    self._release()
                raise
        release = _Once(self._release)
        timer = asyncio.get_running_loop().call_later(most, release) if most != float("inf") else None
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            release()

    def _release(self) -> None:
        waiting = [ticket for ticket in self._waiting if not ticket[1].done()]  # others were cancelled a moment ago
        if not waiting:
            self._free += 1
            return
        ticket = min(waiting, key=lambda ticket: ticket[0]())
        self._waiting.remove(ticket)
        ticket[1].set_result(None)


class _Once:
    """Calls a function the first time only."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call()
