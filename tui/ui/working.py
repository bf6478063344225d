"""Work that waits, beside the keys: what goes wrong in it is told, and a dialog it opens gets the next key."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from textual.screen import Screen

from tui.ui.text import safe
from tui.ui.typeahead import TypeAhead

if TYPE_CHECKING:
    from tui.domain.kinds.kind import Tone

Answer = TypeVar("Answer")
SOON = 0.5  # seconds after which work that is not done is told
LOCAL = 2.0  # seconds of patience with work that asks nobody: what follows is meant for what it leads to
_log = logging.getLogger("fleet.ui")
_SEVERITY = {"bad": "error", "warn": "warning"}  # by tone


class Working(TypeAhead):
    """An app whose keys may set work going that waits for Git, for a cluster or for the user."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()
        self._through_when: dict[asyncio.Task[None], asyncio.Future[None]] = {}
        self._holding: set[asyncio.Task[None]] = set()  # work of keys that wait for it
        self._doing: dict[asyncio.Task[None], tuple[str, float]] = {}  # what is being done, and since when

    def say(self, text: str, tone: Tone | None = None) -> None:
        """Show a line for some seconds. The text is data, never markup."""
        shown = "\n".join(safe(line) for line in text.split("\n"))
        self.notify(shown, severity=_SEVERITY.get(tone.value if tone else "", "information"), markup=False)  # type: ignore[arg-type]

    def do(self, work: Awaitable[None], what: str, hold: bool = True, patience: float = 0.0) -> None:
        """Run something that waits; what goes wrong becomes a line that says what was being done.

        With `hold` the next key waits for it (for a moment, or `patience` seconds), so that it goes where this leads.
        """
        if hold:
            self.patience = max(self.patience, patience)

        async def guarded() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._begins(task, what)
            task.add_done_callback(lambda done: self._doing.pop(done, None))
            if hold:
                self._holding.add(task)
                self._hold(task)
                task.add_done_callback(self.is_through)
                task.add_done_callback(self._holding.discard)
            from tui.domain.kinds.kind import Tone
            from tui.domain.ports import Trouble

            try:
                await work
            except Trouble as error:
                self.say(f"{what}: {error}", Tone.BAD)
            except Exception as error:  # noqa: BLE001 - a failing worker is told, it does not end the program
                self.report(what, error)

        self.run_worker(guarded(), group=what, exit_on_error=False)

    def _begins(self, task: asyncio.Task[None], what: str) -> None:
        """Work goes on from now: who waits for it is told so when it takes its time."""
        self._doing[task] = (what, time.monotonic())
        self.set_timer(SOON, self.tell_doing)

    def doing(self) -> str:
        """What has been going on for longer than a moment; "" for nothing. What waits for the user is no work."""
        long = [what for what, since in self._doing.values() if time.monotonic() - since >= SOON]
        more = f" and {len(long) - 1} more" if len(long) > 1 else ""
        return f"{long[0]}{more}" if long else ""

    def tell_doing(self) -> None:
        """Have the screen show what is going on."""

    def _hold(self, task: asyncio.Task[None]) -> None:
        """The next key waits for this work, for a moment."""
        through = self._through_when[task] = asyncio.get_running_loop().create_future()
        self.work.add(through)

    async def answer_of(self, asked: Awaitable[Answer]) -> Answer:
        """What the user answers: meanwhile keys go on, and the key that answers is followed as the one that asked."""
        task = asyncio.current_task()
        self.is_through(task)
        what, _ = self._doing.pop(task, ("", 0.0)) if task is not None else ("", 0.0)
        answer = await asked
        if task is not None and what:
            self._begins(task, what)
        if task in self._holding:
            self._hold(task)
        return answer

    def is_through(self, task: asyncio.Task[None] | None) -> None:
        """What a key has set going is done, or asks the user: the next key may come."""
        through = self._through_when.pop(task, None) if task is not None else None
        if through is not None:
            through.set_result(None)
            self.work.discard(through)

    async def wait_for(self, screen: Screen[Answer]) -> Answer | None:
        """Show a screen and wait for what it ends with. Only from `do`."""
        return await self.answer_of(self.push_screen(screen, wait_for_dismiss=True))

    def report(self, what: str, error: Exception) -> None:
        """Tell of a fault nobody foresaw, once, and log it."""
        from tui.domain import failure
        from tui.domain.kinds.kind import Tone

        _log.exception("%s failed", what, exc_info=error)
        line = f"{what}: {failure.words(error)} (fleet --log FILE tells where)"
        if line not in self._told:  # the same fault thirty times a second is told once
            self._told.add(line)
            self.say(line, Tone.BAD)
