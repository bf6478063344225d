"""What the policies of now say of flows of which Hubble tells no policy: worked out in a thread, each kind once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable

from tui.domain.cilium.hubble.judging import judge, words
from tui.domain.cilium.hubble.observed import Observed
from tui.domain.cilium.hubble.propose import Around
from tui.fleet.netpol.state import State

_log = logging.getLogger("fleet.netpol")

MOST = 4_000  # kinds of flows whose words are kept
PORTION = 200  # worked out at once


class FlowJudge:
    """The words about the flows of one cluster at a time, for as long as its policies stay as they are."""

    def __init__(self, done: Callable[[], None]) -> None:
        """`done` is called on the main loop when there are more words."""
        self._done = done
        self._serial: tuple[str, int] = ("", -1)
        self._words: dict[Hashable, str] = {}
        self._asked: dict[Hashable, Observed] = {}
        self._task: asyncio.Task[None] | None = None

    def words(self, record: Observed) -> str:
        """What is known by now; what is not known yet is asked for."""
        key = record.key
        found = self._words.get(key)
        if found is None and len(self._asked) < PORTION:
            self._asked.setdefault(key, record)
        return found or ""

    def pull(self, state: State | str) -> None:
        """Work out what was asked for; after a change of policies everything anew."""
        if isinstance(state, str):
            return
        serial = state.cluster, state.serial
        if serial != self._serial or len(self._words) > MOST:
            self._serial = serial
            self._asked.clear()
            if self._words:
                self._words.clear()
                self._done()  # what is in view is asked for again
        if self._asked and self._task is None:
            asked, self._asked = self._asked, {}
            self._task = asyncio.create_task(self._work(state, asked), name="judging flows")

    def close(self) -> None:
        """Stop working."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self, state: State, asked: dict[Hashable, Observed]) -> None:
        try:
            found = await asyncio.to_thread(_judged, state, asked.items())
            if (state.cluster, state.serial) == self._serial:
                self._words |= found
                self._done()
        except Exception:  # noqa: BLE001 - one policy nobody foresaw must not end the program: Hubble's words stay
            _log.exception("judging flows")
        finally:
            self._task = None


def _judged(state: State, asked: Iterable[tuple[Hashable, Observed]]) -> dict[Hashable, str]:
    around = Around(state.book, state.written, state.endpoints)
    blind = bool(state.blind)
    return {
        key: "unknown (fleet)" if blind else words(judge(state.book, record, around.known), record)
        for key, record in asked
    }
