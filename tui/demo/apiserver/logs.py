"""Pod logs over HTTP. The cluster gives a source; this module picks the container, trims, and follows."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tui.demo.apiserver.cells import seconds_of
from tui.demo.apiserver.faults import Fault
from tui.demo.apiserver.options import Target
from tui.demo.apiserver.spoiled import Stream, through
from tui.demo.apiserver.status import ApiError

if TYPE_CHECKING:
    from tui.demo.apiserver.server import ApiServer

Line = tuple[float, str]  # seconds since the epoch, text without a line end

# source(namespace, pod, container): what it yields without waiting is the past, what it yields later is live.
Source = Callable[[str, str, str], "AsyncIterator[Line | str] | Iterable[Line | str]"]


def container_of(pod: dict[str, Any], wanted: str) -> str:
    """The container whose log is asked for. Raises ApiError 400 when the name is missing or wrong."""
    spec = pod.get("spec") or {}
    main = [c.get("name", "") for c in spec.get("containers") or ()]
    extra = [c.get("name", "") for k in ("initContainers", "ephemeralContainers") for c in spec.get(k) or ()]
    name = pod["metadata"]["name"]
    if wanted:
        if wanted not in (*main, *extra):
            raise ApiError(400, f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(main) != 1:
        choices = " ".join(main)
        raise ApiError(400, f"a container name must be specified for pod {name}, choose one of: [{choices}]")
    return str(main[0])


def check_state(pod: dict[str, Any], container: str, previous: bool) -> None:
    """Whether there is such a log, as far as the pod's status tells. Raises ApiError 400 in a kubelet's words."""
    status = pod.get("status") or {}
    lists = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    held = (entry for key in lists for entry in status.get(key) or ())
    found = next((entry for entry in held if entry.get("name") == container), None)
    if found is None or (found.get("lastState") or {}).get("terminated"):
        return
    name, waiting = pod["metadata"]["name"], (found.get("state") or {}).get("waiting")
    if previous:
        raise ApiError(400, f'previous terminated container "{container}" in pod "{name}" not found')
    if waiting:
        raise ApiError(400, f'container "{container}" in pod "{name}" is waiting to start: {waiting.get("reason", "")}')


class _Options:
    """The query of a log request."""

    def __init__(self, request: web.BaseRequest, now: float) -> None:
        query = request.query
        self.follow = query.get("follow", "").lower() in ("1", "true")
        self.timestamps = query.get("timestamps", "").lower() in ("1", "true")
        self.previous = query.get("previous", "").lower() in ("1", "true")
        self.tail = self._number(query.get("tailLines"))
        self.left = self._number(query.get("limitBytes"))
        since = self._number(query.get("sinceSeconds"))
        self.since = now - since if since is not None else seconds_of(query.get("sinceTime", "")) or 0.0

    @staticmethod
    def _number(text: str | None) -> int | None:
        if text is None:
            return None
        if not text.isdecimal():
            raise ApiError(400, f'invalid value "{text}" in the log options: must be a number of 0 or more')
        return int(text)

    def bytes_of(self, line: Line) -> bytes:
        """A line as it goes out."""
        stamp = ""
        if self.timestamps:
            stamp = datetime.fromtimestamp(line[0], UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ")
        return f"{stamp}{line[1]}\n".encode()


async def serve(
    server: ApiServer, request: web.BaseRequest, target: Target, fault: Fault | None = None
) -> web.StreamResponse:
    """Answer GET …/pods/<name>/log."""
    pod = server.storage.get("pods", target.namespace or "", target.name)
    container = container_of(pod, request.query.get("container", ""))
    clock = server.storage.clock
    options = _Options(request, clock())
    source = server.previous_logs if options.previous else server.logs
    if options.previous and source is None:
        where = f'"{container}" in pod "{target.name}"'
        raise ApiError(400, f"previous terminated container {where} not found")
    check_state(pod, container, options.previous)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    if source is not None and request.method == "GET":
        lines = _timed(source(target.namespace or "", target.name, container), clock)
        with contextlib.suppress(ConnectionError):
            async with contextlib.aclosing(lines):
                await _send(through(response, request, fault), lines, options)
    await response.write_eof()
    return response


async def _timed(
    lines: AsyncIterator[Line | str] | Iterable[Line | str], clock: Callable[[], float]
) -> AsyncGenerator[Line, None]:
    if isinstance(lines, AsyncIterator):
        try:
            async for line in lines:
                yield (clock(), line) if isinstance(line, str) else line
        finally:
            if isinstance(lines, AsyncGenerator):
                await lines.aclose()
    else:
        for line in lines:
            yield (clock(), line) if isinstance(line, str) else line


async def _send(response: Stream, lines: AsyncIterator[Line], options: _Options) -> None:
    """Write the past (trimmed to the tail), then, when following, what comes: in one piece what is there at once."""
    ready: deque[Line] = deque(maxlen=options.tail)
    upcoming: asyncio.Future[Line] | None = None
    live = False
    try:
        while True:
            if upcoming is None:
                upcoming = asyncio.ensure_future(anext(lines))
                await asyncio.sleep(0)
            if not upcoming.done() and (ready or not live):
                if not await _write(response, ready, options) or not options.follow:
                    return
                live, ready = True, deque()
            try:
                line = await upcoming
            except StopAsyncIteration:
                break
            upcoming = None
            if line[0] >= options.since:
                ready.append(line)
        await _write(response, ready, options)
    finally:
        if upcoming is not None and not upcoming.done():
            upcoming.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await upcoming


async def _write(response: Stream, lines: Iterable[Line], options: _Options) -> bool:
    """Write lines; False when the byte limit is reached."""
    data = b"".join(options.bytes_of(line) for line in lines)
    if options.left is not None:
        data, options.left = data[: options.left], options.left - len(data)
    if data:
        await response.write(data)
    return options.left is None or options.left > 0
