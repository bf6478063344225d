"""The demo's clock: real time for stamps, hurried time for pauses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


class Clock:
    """Stamps with the real time; pauses are divided by `speed`, so that a test need not wait for a believable one."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed

    def now(self) -> float:
        """Seconds since the epoch."""
        return datetime.now(UTC).timestamp()

    def stamp(self) -> str:
        """Now as Kubernetes writes it: RFC 3339, whole seconds, Z."""
        return stamp(self.now())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def later(self, seconds: float, callback: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        """Call back after so many demo seconds; the running loop's timer."""
        return asyncio.get_running_loop().call_later(seconds / self.speed, callback, *args)


def stamp(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text: str) -> float:
    """The reverse of `stamp`; raises ValueError on anything else."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
