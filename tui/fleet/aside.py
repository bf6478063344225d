"""Blocking calls beside the loop, in daemon threads.

Those of asyncio's executor would keep the program from ending for as long as a dead name server or file server is
waited for, and the few of them would make everybody else wait too.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T], name: str) -> T:
    """What `work` returns, run in a thread of this name; raises what it raises. Cancelling leaves it to end alone."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[Any], None], value: Any) -> None:
        if not answer.done():
            settle(value)

    def run() -> None:
        settle: Callable[[Any], None] = answer.set_result
        try:
            value: Any = work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
            settle, value = answer.set_exception, error
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(tell, settle, value)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await answer
