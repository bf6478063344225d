"""Commits in words, as far as their repository is here: answered at once from what is known, read behind the scenes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from tui.domain import giturl
from tui.domain.ports import CommitInfo, Missing, Trouble
from tui.fleet.drafts import Drafts

KEPT = 10_000  # answers
AGAIN = 30.0  # seconds after which a commit that was not there is looked for again: a fetch may have brought it
READING = "reading…"


class Commits:
    """Belongs to one event loop. `notify` is called when an answer has changed."""

    def __init__(self, drafts: Drafts, notify: Callable[[], None], clock: Callable[[], float]) -> None:
        self._drafts = drafts
        self._notify = notify
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[CommitInfo | str, float]] = OrderedDict()
        self._queue: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def look(self, url: str, revision: str) -> CommitInfo | str:
        """A commit of a remote, or why it cannot be told: being read, no clone here, not in the clone."""
        key = (url, revision)
        held = self._known.get(key)
        if held is None or (isinstance(held[0], str) and self._clock() - held[1] > AGAIN):
            self._queue[key] = None
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._read(), name="commits")
        return held[0] if held is not None else READING

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        while self._queue:
            key, _ = self._queue.popitem(last=False)
            found = await self._find(*key)
            self._known[key] = (found, self._clock())
            self._known.move_to_end(key)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
            self._notify()

    async def _find(self, url: str, revision: str) -> CommitInfo | str:
        try:
            repository = await self._drafts.repository(url)
        except Missing:
            return f"no clone of {giturl.shown(url)} is here"
        except Trouble as error:
            return str(error)
        try:
            return await repository.about(revision)
        except Trouble as error:
            return str(error)
