"""Work that waits, beside the keys: what goes wrong in it is told, and a dialog it opens gets the next key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from textual.screen import Screen

from tui.domain.kinds.kind import Tone
from tui.domain.ports import Trouble
from tui.ui.typeahead import TypeAhead

Answer = TypeVar("Answer")
_log = logging.getLogger("fleet.ui")
_SEVERITY = {Tone.BAD: "error", Tone.WARN: "warning"}


class Working(TypeAhead):
    """An app whose keys may set work going that waits for Git, for a cluster or for the user."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()
        self._through_when: dict[asyncio.Task[None], asyncio.Future[None]] = {}

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a line for some seconds. The text is data, never markup."""
        self.notify(text, severity=_SEVERITY.get(tone, "information"), markup=False)  # type: ignore[arg-type]

    def do(self, work: Awaitable[None], what: str, hold: bool = True) -> None:
        """Run something that waits; what goes wrong becomes a line that says what was being done.

        With `hold` the next key waits for it (for a moment), so that it goes where this leads.
        """

        async def guarded() -> None:
            task = asyncio.current_task()
            assert task is not None
            if hold:
                through = self._through_when[task] = asyncio.get_running_loop().create_future()
                self.work.add(through)
                task.add_done_callback(self.is_through)
            try:
                await work
            except Trouble as error:
                self.say(f"{what}: {error}", Tone.BAD)
            except Exception as error:  # noqa: BLE001 - a failing worker is told, it does not end the program
                self.report(what, error)

        self.run_worker(guarded(), group=what, exit_on_error=False)

    def is_through(self, task: asyncio.Task[None] | None) -> None:
        """What a key has set going is done, or asks the user: the next key may come."""
        through = self._through_when.pop(task, None) if task is not None else None
        if through is not None:
            through.set_result(None)
            self.work.discard(through)

    async def wait_for(self, screen: Screen[Answer]) -> Answer | None:
        """Show a screen and wait for what it ends with. Only from `do`."""
        ending = self.push_screen(screen, wait_for_dismiss=True)
        self.is_through(asyncio.current_task())
        return await ending

    def report(self, what: str, error: Exception) -> None:
        """Tell of a fault nobody foresaw, once, and log it."""
        _log.exception("%s failed", what, exc_info=error)
        line = f"{what}: {type(error).__name__}: {error}"
        if line not in self._told:  # the same fault thirty times a second is told once
            self._told.add(line)
            self.say(line, Tone.BAD)
