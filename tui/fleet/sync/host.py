"""What a reflector needs from the cluster that it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from tui.domain.ports import Connection, Served

if TYPE_CHECKING:
    from tui.fleet.sync.reflector import Reflector


class Host(Protocol):
    """What a reflector needs from its cluster."""

    up: asyncio.Event  # set while the cluster answers
    lists: asyncio.Semaphore
    streaming_lists: bool  # whether the API server is believed to stream lists (WatchList)
    breaks: int  # how often something of the cluster broke off

    @property
    def connection(self) -> Connection:
        """The cluster's connection."""

    async def served(self, fresh: bool = False) -> Mapping[str, Served] | None:
        """What the API server serves; None when it will not say."""

    def recheck(self) -> float:
        """Seconds until what is refused or missing is asked for again, everything in the cluster at one time."""

    def heard(self) -> None:
        """Something came from the API server."""

    def changed(self) -> None:
        """The status of a kind is another."""

    def suspect(self) -> None:
        """The cluster itself may be in trouble: it counts as a break, and `up` is cleared until it has been asked."""

    def rewound(self, reflector: Reflector) -> None:
        """The cluster's history has gone back: every reflector is to `start_over`."""
