"""Blocking work off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from tui.adapters.git.command import GitTrouble

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(
    thread: ThreadPoolExecutor | None, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call off the loop. What the system refuses (disk full, folder gone) becomes a GitTrouble in plain words."""

    def call() -> T:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise GitTrouble(f"{place}{error.strerror or error}") from error

    return await asyncio.get_running_loop().run_in_executor(thread, call)
