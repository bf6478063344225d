"""The screen over a fleet that stands still: a real store, a real tail, a clock that does not move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.ui import shop
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.obj import Ref
from tui.domain.ports import Absent
from tui.domain.settings import Settings
from tui.domain.tail import Tail
from tui.fleet.derive import StoreFacts
from tui.fleet.manifest import Manifest, cleaned
from tui.fleet.runtime import Progress
from tui.store import Store


class StillFleet:
    """The interface of the running fleet over rows put in by hand; nothing is read from anywhere."""

    def __init__(self, settings: Settings | None = None, filled: bool = True) -> None:
        self.settings = settings or Settings()
        self.store = Store()
        self.tail = Tail()
        self.facts = StoreFacts(self.store, self.settings, lambda: shop.NOW)
        self.drafts = None
        self.version = 0
        self.looked: dict[str, tuple[frozenset[str], frozenset[str] | None]] = {}
        self.retried: list[str | None] = []
        self._moved = asyncio.Event()
        if filled:
            shop.fill(self.store)
            shop.tell(self.tail)

    def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to end."""

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self.version += 1
        self._moved.set()

    async def changed(self, version: int) -> int:
        while version == self.version:
            self._moved.clear()
            await self._moved.wait()
        return self.version

    def look(self, owner: str, resources: Iterable[str], clusters: Iterable[str] | None = None) -> None:
        self.looked[owner] = (frozenset(resources), None if clusters is None else frozenset(clusters))

    def unlook(self, owner: str) -> None:
        self.looked.pop(owner, None)

    def retry(self, cluster: str | None = None) -> None:
        self.retried.append(cluster)

    def progress(self) -> Progress:
        clusters = [row.obj for row in self.store.rows(CLUSTERS)]
        objects = sum(self.store.count(name) for name in self.store.resources() if name != CLUSTERS)
        return Progress(sum(c.state is not ClusterState.CONNECTING for c in clusters), len(clusters), objects)

    async def manifest(self, ref: Ref) -> Manifest:
        row = self.store.get(ref)
        if row is None:
            raise Absent(f"{ref} is gone")
        return Manifest(cleaned(row.manifest()), fresh=True)
