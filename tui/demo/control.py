"""Bad weather on command: a socket in a folder of its owner's, where faults of the demo's servers are asked for.

A request is one line of JSON, `{"fault": NAME, "clusters": [GLOB, ...], "seconds": S}`: NAME from `WEATHER`, `clear` to
end it, "" to change nothing; without `seconds` it lasts until it is ended. The answer is one line,
`{"weather": {CONTEXT: NAME}, "met": [CONTEXT, ...]}`, or `{"error": WORDS}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tui.demo.apiserver import weather
from tui.demo.apiserver.server import ApiServer

CLEAR = "clear"
LONGEST = 86_400.0  # seconds


def place(directory: Path) -> Path:
    """Where the socket of a demo is that lives in this directory."""
    return directory / "control" / "socket"


@asynccontextmanager
async def controlled(servers: Mapping[str, ApiServer], directory: Path) -> AsyncIterator[None]:
    """Take commands while inside; where the path is too long for a socket there are none."""
    control, path = Control(servers), place(directory)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    listener = None
    with contextlib.suppress(OSError, AttributeError):  # Windows has no such sockets
        listener = await asyncio.start_unix_server(control.serve, path)
    try:
        yield
    finally:
        control.stop()
        if listener is not None:
            listener.close()
        path.unlink(missing_ok=True)


class Control:
    """The weather of each cluster, by the name of its context."""

    def __init__(self, servers: Mapping[str, ApiServer]) -> None:
        self._servers = servers
        self._weather: dict[str, str] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._turning: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            answer = await self.obey(json.loads(await reader.readline()))
        except (ValueError, TypeError, KeyError) as error:
            answer = {"error": f"this is no command: {error}"}
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def obey(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked; the answer. Raises KeyError, TypeError, ValueError when it makes no sense."""
        fault, patterns, seconds = str(asked["fault"]), list(asked["clusters"]), asked.get("seconds")
        if fault not in ("", CLEAR, *weather.WEATHER):
            raise ValueError(f"there is no weather called {fault!r}")
        if seconds is not None and not 0 < float(seconds) <= LONGEST:
            raise ValueError(f"it may last for up to {LONGEST:.0f} seconds")
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in self._servers):
                return {"error": f"the demo has no cluster that answers and is called {pattern!r}"}
        met = [name for name in self._servers if any(fnmatchcase(name, pattern) for pattern in patterns)]
        for name in met if fault else ():
            await self._change(name, "" if fault == CLEAR else fault, seconds)
        return {"weather": dict(self._weather), "met": met}

    async def _change(self, name: str, fault: str, seconds: float | None = None) -> None:
        async with self._turn:
            if timer := self._ends.pop(name, None):
                timer.cancel()
            server = self._servers[name]
            if self._weather.pop(name, ""):
                await weather.end(server)
            if not fault:
                return
            await weather.begin(server, fault)
            if not weather.WEATHER[fault].lasts:
                return
            self._weather[name] = fault
            if seconds is not None:
                self._ends[name] = asyncio.get_running_loop().call_later(float(seconds), self._over, name)

    def _over(self, name: str) -> None:
        task = asyncio.get_running_loop().create_task(self._change(name, ""))
        self._turning.add(task)
        task.add_done_callback(self._turning.discard)

    def stop(self) -> None:
        """Change nothing any more."""
        for timer in self._ends.values():
            timer.cancel()
        for task in self._turning:
            task.cancel()
