"""One watch: from its start state through the live changes to its end, with a bounded buffer for slow readers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable

from aiohttp import web

from tui.demo.apiserver.render import Renderer
from tui.demo.apiserver.selectors import Selector
from tui.demo.apiserver.spoiled import Stream
from tui.demo.apiserver.storage import ADDED, DELETED, MODIFIED, Event, Storage

BUFFER = 8 * 1024 * 1024  # bytes a reader may be behind before it is dropped
_BATCH = 500


class Watch:
    """A watch of one resource by one client. Lines are encoded once per change and form, whoever watches."""

    def __init__(
        self,
        storage: Storage,
        render: Renderer,
        namespace: str | None,
        selector: Selector,
        bookmarks: bool,
        limit: int = BUFFER,
    ) -> None:
        self.storage = storage
        self.render = render
        self.bookmarks = bookmarks
        self._prefix = f"{namespace}/" if namespace is not None else ""
        self._selector = selector
        self._limit = limit
        self._buffer: deque[bytes] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._token: object | None = None
        self._ended = False
        self._silent = False
        self._overflow = False
        self._named_columns = False
        self.after = 0  # resourceVersion up to which the client has everything: it is told nothing of before
        self.request: web.BaseRequest | None = None

    def start(self) -> None:
        """Begin to collect live changes; ends when the resource is no longer served."""
        self._token = self.storage.subscribe(self.render.resource.stored_as, self.push, self.close)

    def push(self, event: Event) -> None:
        """Take one change: selected or not, as what it looks like through the selector."""
        if self._ended or event.resource_version <= self.after or not event.key.startswith(self._prefix):
            return
        type_, vanished = event.type, False
        if self._selector:
            old = event.old()
            was = old is not None and self._selector.matches(old)
            now = type_ != DELETED and self._selector.matches(event.new())
            if not was and not now:
                return
            type_ = MODIFIED if was and now else ADDED if now else DELETED
            vanished = not now and event.type != DELETED
        self._put(self._line(event, type_, event.vanished() if vanished else event.data))

    def _line(self, event: Event, type_: str, data: bytes) -> bytes:
        if self.render.form.kind == "table":
            definitions, self._named_columns = not self._named_columns, True
            return Renderer(self.render.resource, self.render.form, self.storage.clock()).event(
                type_, data, definitions
            )
        key = (type_, self.render.form, self.render.resource.name)
        line = event.lines.get(key)
        if line is None:
            line = event.lines[key] = self.render.event(type_, data)
        return line

    def _put(self, line: bytes) -> None:
        self._buffer.append(line)
        self._size += len(line)
        if self._size > self._limit:
            self._overflow = True
            self._buffer.clear()
        self._wake.set()

    def bookmark(self) -> None:
        """Tell the client how far it is, if it asked for that."""
        if self.bookmarks and not self._ended and self.storage.resource_version >= self.after:
            self._put(self.render.bookmark(self.storage.resource_version))

    def close(self) -> None:
        """End the answer cleanly after what is buffered."""
        self._ended = True
        self._wake.set()

    def drop(self) -> None:
        """Cut the connection."""
        self._ended = True
        if self.request is not None and self.request.transport is not None:
            self.request.transport.abort()
        self._wake.set()

    def fall_silent(self) -> None:
        """Say nothing any more, without an end."""
        self._silent = True

    async def run(self, response: Stream, initial: Iterable[bytes], initial_end: bytes) -> None:
        """Write the initial objects as ADDED, then `initial_end`, then changes until the watch ends."""
        held: list[bytes] = []
        for data in initial:
            if self._selector and not self._selector.matches_bytes(data):
                continue
            definitions = self.render.form.kind == "table" and not self._named_columns
            self._named_columns = True
            held.append(self.render.event(ADDED, data, definitions))
            if len(held) == _BATCH:
                await response.write(b"".join(held))
                held.clear()
                await asyncio.sleep(0)
        if held or initial_end:
            await response.write(b"".join(held) + initial_end)
        while True:
            if self._silent:
                await asyncio.get_running_loop().create_future()
            if self._overflow:
                self.drop()
                return
            if self._buffer:
                data = b"".join(self._buffer)
                self._buffer.clear()
                self._size = 0
                await response.write(data)
            elif self._ended:
                with contextlib.suppress(ConnectionError):
                    await response.write_eof()
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    def stop(self) -> None:
        """No more changes for this watch."""
        self._ended = True
        if self._token is not None:
            self.storage.unsubscribe(self.render.resource.stored_as, self._token)
            self._token = None


class Watches:
    """The running watches of one server, and the clock that sends them bookmarks."""

    def __init__(self, interval: float) -> None:
        """`interval`: seconds between bookmarks."""
        self._interval = interval
        self._all: dict[int, Watch] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._all)

    def add(self, watch: Watch) -> None:
        """A watch begins."""
        self._all[id(watch)] = watch
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._tick)

    def remove(self, watch: Watch) -> None:
        """A watch has ended."""
        self._all.pop(id(watch), None)

    def bookmark(self) -> None:
        """Send a bookmark now to every watch that wants them."""
        for watch in tuple(self._all.values()):
            watch.bookmark()

    def close(self) -> None:
        """End all of them cleanly."""
        for watch in tuple(self._all.values()):
            watch.close()

    def drop(self) -> None:
        """Cut all their connections."""
        for watch in tuple(self._all.values()):
            watch.drop()

    def fall_silent(self) -> None:
        """Let all of them hang for ever, as connections do whose other end is gone."""
        for watch in tuple(self._all.values()):
            watch.fall_silent()

    def stop(self) -> None:
        """End them and the bookmarks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.close()

    def _tick(self) -> None:
        self._timer = None
        self.bookmark()
        if self._all:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._tick)
