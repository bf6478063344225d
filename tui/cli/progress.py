"""Progress of long work on stderr, when it is a terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet


async def until_settled(fleet: Fleet) -> None:
    """Wait until all that is wanted has been listed or has failed, saying how far it is."""
    shower = asyncio.create_task(_show(fleet)) if sys.stderr.isatty() else None
    try:
        await fleet.settled()
    finally:
        if shower is not None:
            shower.cancel()
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


async def _show(fleet: Fleet) -> None:
    version = -1
    while True:
        version = await fleet.changed(version)
        progress = fleet.progress()
        words = f"{progress.answered} of {progress.clusters} clusters answered, {progress.objects:,} objects"
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()
        await asyncio.sleep(0.1)
