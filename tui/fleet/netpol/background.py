"""Answers that take their time: worked out in a thread, kept, and worked out anew when what they follow from moved."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_log = logging.getLogger("fleet.netpol")
SHARE = 10  # an answer is worked out anew after ten times as long as it took: keys and watches get their turn

Value = TypeVar("Value")


@dataclass(slots=True)
class _Held(Generic[Value]):
    stamp: object = None
    value: Value | None = None
    failed: str = ""
    rests: float = 0.0  # time.monotonic() before which it is not worked out anew
    task: asyncio.Task[None] | None = None


class Background(Generic[Value]):
    """Belongs to one loop. `notify` is called when an answer has come."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._held: dict[Hashable, _Held[Value]] = {}
        self._turn = asyncio.Lock()  # one at a time: the screen needs the processor too

    def get(self, key: Hashable, stamp: object, prepare: Callable[[], Callable[[], Value]]) -> Value | str | None:
        """The newest answer, in words why there is none, or None while the first one is worked out.

        `stamp` is what the answer follows from; when it has moved, `prepare` collects values that nobody changes and
        returns what is done with them in a thread.
        """
        held = self._held.setdefault(key, _Held())
        if held.task is None and held.stamp != stamp and time.monotonic() >= held.rests:
            held.stamp = stamp
            held.task = asyncio.get_running_loop().create_task(self._work(held, prepare()))
        return held.value if held.value is not None else held.failed or None

    async def _work(self, held: _Held[Value], work: Callable[[], Value]) -> None:
        try:
            async with self._turn:
                began = time.monotonic()
                held.value = await asyncio.to_thread(work)
                held.rests = time.monotonic() + SHARE * (time.monotonic() - began)
            held.failed = ""
        except Exception as error:  # noqa: BLE001 - one policy nobody foresaw must not end the program
            _log.exception("an answer about policies")
            held.value, held.failed = None, f"fleet failed: {type(error).__name__}: {error}"
        finally:
            held.task = None
        self._notify()

    def close(self) -> None:
        """Work out nothing any more."""
        for held in self._held.values():
            if held.task is not None:
                held.task.cancel()
        self._held.clear()
