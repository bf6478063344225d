"""Following one container's log by GET, again after every end: what the flows and the logs have in common."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Protocol, cast
from urllib.parse import quote

from tui.domain.ports import (
    Absent,
    Connection,
    Denied,
    Gone,
    ServerError,
    Throttled,
    Trouble,
    Unauthorized,
    Unreachable,
)
from tui.fleet.sync.timing import Backoff, Timing, cancelled

_log = logging.getLogger("fleet.logs")

QUIET = 300.0  # seconds: a container without work logs nothing, a dead connection neither
# What kubectl asks for logs with: they are no JSON, and an API server that negotiates says no to JSON alone.
ACCEPT = "application/json, */*"

Connect = Callable[[], Connection]
"""The cluster's connection as of now. Raises Trouble."""


class Taker(Protocol):
    """Takes in a log."""

    def query(self) -> list[tuple[str, str]]:
        """From where on the log is asked for; called before each stream."""

    def opened(self) -> None:
        """The API server has agreed to answer."""

    def take(self, chunk: bytes) -> bool:
        """Some bytes of it. False: that is enough."""

    def ended(self) -> None:
        """The log has ended, by the server's word."""


def path_of(namespace: str, pod: str) -> str:
    """Where the logs of a pod are."""
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/log"


async def read(connection: Connection, path: str, taker: Taker) -> None:
    """One stream, until the log ends. Raises Trouble."""
    stream = connection.stream(path, taker.query(), ACCEPT, QUIET)
    async with aclosing(cast(AsyncGenerator[bytes, None], stream)) as chunks:
        async for chunk in chunks:
            if not chunk:
                taker.opened()
                continue
            if not taker.take(chunk):
                return
            await asyncio.sleep(0)  # chunks that are there already come without one
    taker.ended()


async def again(
    once: Callable[[], Awaitable[bool | None]],
    timing: Timing,
    failed: Callable[[Trouble], None],
    wake: asyncio.Event | None = None,
) -> None:
    """Do something that should never end again and again, later and later while it fails; until cancelled, or it says
    True: that was all.

    `wake` ends a pause: something has changed that makes another try worth while.
    """
    backoff = Backoff(timing)
    while not cancelled():
        began, pause = time.monotonic(), 0.0
        try:
            if await once():
                return
        except Trouble as error:
            failed(error)
            pause = _least(error, backoff, timing)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must cost this stream only
            _log.exception("reading a log")
            failed(ServerError(f"fleet failed: {type(error).__name__}: {error}"))
        if time.monotonic() - began >= timing.healthy:
            backoff.reset()
        pause = max(pause, backoff.next())
        if wake is None:
            await asyncio.sleep(pause)
            continue
        with suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), pause)
            backoff.reset()


def _least(error: Trouble, backoff: Backoff, timing: Timing) -> float:
    """Seconds to wait at least: what is denied stays so for a while, who is busy says how long."""
    if isinstance(error, Denied):
        return backoff.between(timing.recheck, 2 * timing.recheck)
    return error.retry_after if isinstance(error, Throttled) else 0.0


def standing(error: Trouble, began: float) -> tuple[str, str]:
    """(state, reason) of a log whose stream, begun at that monotonic time, has ended with an error."""
    if isinstance(error, Unreachable) and time.monotonic() - began >= QUIET:
        return "waiting", "the log is quiet"  # or the connection is dead: a new one will tell
    if isinstance(error, Denied | Unauthorized):
        return "denied", str(error)
    if isinstance(error, Absent):
        return "waiting", "the pod is gone"
    if isinstance(error, Gone):
        return "failed", f"the log is no longer there (410): {error}"
    return "failed", str(error)
