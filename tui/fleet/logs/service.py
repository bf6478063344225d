"""Logs for the main loop: what is read, what there is of it, and how it stands in words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tui.domain.logs.asked import Asked, Selection
from tui.domain.logs.lines import LogLine
from tui.domain.ports import Denied, Trouble
from tui.fleet.logs.book import Book, Inbox, Source
from tui.fleet.sync.timing import Timing

if TYPE_CHECKING:
    from tui.fleet.sync import Network
    from tui.fleet.sync.supervisor import Supervisor

PERIOD = 1 / 30  # seconds between two messages to the main loop


class Follow:
    """Logs that are read together, until closed. All of it belongs to the main loop."""

    def __init__(self, book: Book, close: Callable[[Follow], None]) -> None:
        self.book = book
        self.missed = 0  # lines that came and were dropped before anybody took them
        self._close = close

    @property
    def sources(self) -> list[Source]:
        """The containers whose logs are read, or were."""
        return self.book.sources

    @property
    def done(self) -> bool:
        """Whether nothing more comes and everything has been taken."""
        return self.book.done and not len(self.book.inbox)

    @property
    def waiting(self) -> int:
        """Lines that have come and were not taken."""
        return len(self.book.inbox)

    def take(self, most: int) -> list[LogLine]:
        """The lines that came since the last call, in the order they came, at most so many."""
        lines, missed = self.book.inbox.take(most)
        self.missed += missed
        return lines

    def close(self) -> None:
        """Read no more."""
        self._close(self)

    def words(self) -> list[str]:
        """What is to be said about logs that do not come, a line each; [] when they all do."""
        book = self.book
        found = [f"{where_of(selection)}: {_unlisted(error)}" for selection, error in book.troubles.items()]
        if not book.sources:
            found += [f"no pod {what_of(each)}" for each in book.selections if book.pods.get(each) == 0]
            if not found and not book.done:
                found.append("looking for pods")
        for source in book.sources:
            if source.state not in ("following", "reading") and not _natural(source):
                place = source.place
                name = f"{place.pod}/{place.container}"
                more = f"{source.container.kind} container: " if source.container.kind else ""
                found.append(f"{name}: {more}{source.reason or 'being opened'}")
        return found


def _natural(source: Source) -> bool:
    """Whether a log has ended as it should: nothing to be said."""
    return source.state == "ended" and bool(source.reader.read)


def _unlisted(error: Trouble) -> str:
    return f"pods may not be listed: {error}" if isinstance(error, Denied) else f"pods cannot be listed: {error}"


def where_of(selection: Selection) -> str:
    """The place of a selection: `prod-eu/shop`."""
    return "/".join(part for part in (selection.cluster, selection.namespace) if part)


def what_of(selection: Selection) -> str:
    """What is selected, after "no pod"."""
    if selection.name:
        return f"{selection.name} in {where_of(selection)}"
    if selection.job_of:
        return f"of a Job of {selection.job_of} in {where_of(selection)}"
    labels = " or ".join(selection.labels)
    return f"with {labels} in {where_of(selection)}" if labels else f"in {where_of(selection)}"


class Logs:
    """Reads logs while somebody looks."""

    def __init__(self, network: Network, notify: Callable[[], None], timing: Timing | None = None) -> None:
        """`notify` is called on the main loop when there may be something new."""
        self._network = network
        self._notify = notify
        self._timing = timing or Timing()
        self._tasks: dict[Follow, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def follow(self, selections: Iterable[Selection], asked: Asked, bounded: bool = True) -> Follow:
        """Begin to read. Not `bounded`, no line is dropped before it is taken."""
        inbox = Inbox() if bounded else Inbox(sys.maxsize, sys.maxsize)
        book = Book(tuple(dict.fromkeys(selections)), asked, inbox)
        made = Follow(book, self._close)
        self._tasks[made] = asyncio.create_task(self._run(book), name="logs")
        return made

    def _close(self, follow: Follow) -> None:
        task = self._tasks.pop(follow, None)
        if task is not None:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End every stream."""
        for follow in list(self._tasks):
            self._close(follow)
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _run(self, book: Book) -> None:
        from tui.fleet.logs.pods import read_logs

        main = asyncio.get_running_loop()
        told = False  # a message to the main loop is under way

        def moved() -> None:
            nonlocal told
            if not told:
                told = True
                asyncio.get_running_loop().call_later(PERIOD, tell)

        def tell() -> None:
            if not main.is_closed():
                main.call_soon_threadsafe(taken)

        def taken() -> None:
            nonlocal told
            told = False
            self._notify()

        async def ask(supervisor: Supervisor) -> None:
            await read_logs(supervisor.connection, book, self._timing, moved)

        try:
            await self._network.run(ask)
        except Trouble as error:  # there is no network thread to read in
            book.troubles.update(dict.fromkeys(book.selections, error))
        finally:
            book.done = True
            self._notify()
