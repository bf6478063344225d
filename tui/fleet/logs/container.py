"""One container's log, over restarts and broken streams. Lives in the network thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tui.domain.logs.asked import HEAD, Asked
from tui.domain.logs.containers import Container
from tui.domain.logs.lines import since
from tui.domain.ports import Absent, Denied, ServerError, Trouble
from tui.fleet.logs.book import Book, Source
from tui.fleet.logs.stream import Connect, again, path_of, read, standing
from tui.fleet.sync.timing import Timing


class ContainerLog:
    """Follows one container, or reads its log once. Told by `update` and `gone` how its pod is."""

    def __init__(
        self,
        book: Book,
        source: Source,
        connect: Connect,
        slots: asyncio.Semaphore,
        moved: Callable[[], None],
        look: Callable[[str], Awaitable[None]],
    ) -> None:
        """`look` asks how the pod of that name is, and tells by `update`."""
        self.source = source
        self.is_gone = False
        self._book = book
        self._connect = connect
        self._slots = slots
        self._moved = moved
        self._look = look
        self._now = source.container
        self._changed = asyncio.Event()
        self._instance = ""  # that is being read, or was last
        self._ended = False  # its log was read to its end
        self._previous = book.asked.previous
        self._began = 0.0
        self._path = path_of(source.place.namespace, source.place.pod)

    @property
    def _asked(self) -> Asked:
        return self._book.asked

    # -- what the pod says ------------------------------------------------------------------------------------------

    def update(self, container: Container) -> None:
        """The container is now so."""
        if container != self._now:
            self._now = self.source.container = container
            self._changed.set()

    def gone(self) -> None:
        """The pod is gone: what there is of the log is read, and then no more."""
        self.is_gone = True
        self._changed.set()

    # -- reading ----------------------------------------------------------------------------------------------------

    async def follow(self, timing: Timing) -> None:
        """Read on, over restarts; ends with the pod."""
        await again(self._next, timing, self._failed, self._changed)

    async def once(self) -> None:
        """Read what there is."""
        if not self._previous and not self._now.instance:
            self._stand("waiting", self._now.words)
            return
        try:
            await self._read()
        except Trouble as error:
            self._failed(error)

    def _over(self) -> bool:
        return self.is_gone and (self._ended or self.source.state != "following")

    def _readable(self) -> bool:
        """Whether there is a log that has not been read to its end."""
        now = self._now
        return bool(now.instance) and (now.running or not self._ended or now.instance != self._instance)

    async def _next(self) -> bool:
        """Wait until there is something to read, and read it to its end; True when the pod is gone. Raises Trouble."""
        if self._instance:  # it may be another's log by now, and the watch late
            with suppress(Denied, Absent):
                await self._look(self.source.place.pod)
        self._changed.clear()
        while not self._readable() or self._over():
            if self.is_gone:
                self._stand("ended", "the pod is gone")
                self._book.note("the pod is gone", self.source)
                return True
            waits = not self._ended or self._now.words.startswith("waiting")
            self._stand("waiting" if waits else "ended", self._now.words)
            await self._changed.wait()
            self._changed.clear()
        if self._instance and self._now.instance != self._instance:
            await self._restarted()
        self._instance, self._ended = self._now.instance, False
        await self._read()
        self._ended = not self._now.running
        return False

    async def _restarted(self) -> None:
        """Read what the instance before still had to say, where its stream broke, and say that there is another."""
        if not self._ended and self.source.reader.last:
            self._previous = True
            with suppress(Trouble):  # the runtime keeps one instance before this at most
                await self._read()
            self._previous = False
        now = self._now
        times = f"restart {now.restarts}" if now.restarts else "started anew"
        self._book.note(f"{now.name}: {times}", self.source)

    async def _read(self) -> None:
        self._began = time.monotonic()
        self.source.reader.begin()
        if self._slots.locked():
            self._stand("waiting", "too many logs are open; this one has to wait")
        async with self._slots:
            await read(self._connect(), self._path, self)

    def query(self) -> list[tuple[str, str]]:
        """From the newest line that was read on, else what was asked for."""
        asked, last = self._asked, self.source.reader.last
        found = [("container", self.source.place.container), ("timestamps", "true")]
        if self._previous:
            found.append(("previous", "true"))
        elif asked.goes_on:
            found.append(("follow", "true"))
        if last:
            return [*found, ("sinceTime", since(last))]
        if asked.seconds:
            found.append(("sinceSeconds", str(asked.seconds + int(time.monotonic() - self._book.began))))
        elif asked.time:
            found.append(("sinceTime", since(asked.time)))
        if asked.tail is not None and not asked.head:
            found.append(("tailLines", str(asked.tail)))
        return found

    def opened(self) -> None:
        """The API server answers."""
        if not self._previous:
            self._stand("following" if self._asked.goes_on else "reading")

    def take(self, chunk: bytes) -> bool:
        """Lines out of a chunk of the log."""
        lines = self.source.reader.feed(chunk)
        enough = self._asked.head and self.source.reader.read >= HEAD
        if enough:
            lines = lines[: len(lines) - (self.source.reader.read - HEAD)]
            self._stand("ended", f"the first {HEAD:,} lines")
        if lines:
            self._book.inbox.add(lines)
            self._moved()
        return not enough

    def ended(self) -> None:
        """The log has ended; the last line may have no end. While the container runs, the rest of it comes again."""
        if not self._now.running and (lines := self.source.reader.end()):
            self._book.inbox.add(lines)
        self._stand("ended", self._now.words or "the log has ended")

    # -- how it stands ----------------------------------------------------------------------------------------------

    def _failed(self, error: Trouble) -> None:
        state, reason = standing(error, self._began)
        if isinstance(error, Denied):
            reason = f"pods may be seen, but not their logs (pods/log): {reason}"
        if isinstance(error, ServerError) and error.status == 400 and self._previous:
            state, reason = "ended", "it has not been restarted: there is no log before this one"
        elif isinstance(error, ServerError) and error.status == 400 and not self._now.running:
            state = "waiting"  # the API server knew it before us
        self._stand(state, reason)

    def _stand(self, state: str, reason: str = "") -> None:
        if (state, reason) != (self.source.state, self.source.reason):
            self.source.state, self.source.reason = state, reason
        self._moved()
