"""The screen over a fleet that stands still: a real store, a real tail, a clock that does not move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.ui import shop
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.obj import Ref
from tui.domain.ports import Absent, CommitInfo
from tui.domain.schema import Problem, check
from tui.domain.settings import Settings
from tui.domain.tail import Tail
from tui.fleet.derive import StoreFacts
from tui.fleet.locating import Located
from tui.fleet.manifest import Manifest, cleaned
from tui.fleet.runtime import Progress
from tui.store import Store
from tui.ui.app import FleetApp


class StillFleet:
    """The interface of the running fleet over rows put in by hand; nothing is read from anywhere."""

    def __init__(self, settings: Settings | None = None, filled: bool = True) -> None:
        self.settings = settings or Settings()
        self.store = Store()
        self.tail = Tail()
        self.facts = StoreFacts(self.store, self.settings, lambda: shop.NOW)
        self.drafts = None
        self.contexts: tuple[str, ...] | None = None
        self.contexts = None  # not read yet
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

    async def locate(self, ref: Ref) -> Located:
        return Located(reason="no Application tracks it: it did not come from Git")

    def commit(self, url: str, revision: str) -> CommitInfo | str:
        return shop.COMMITS.get(revision, "no clone of git.example.test/shop/deploy is here")

    async def files(self, ref: Ref) -> Located:
        return Located()

    def progress(self) -> Progress:
        clusters = [row.obj for row in self.store.rows(CLUSTERS)]
        objects = sum(self.store.count(name) for name in self.store.resources() if name != CLUSTERS)
        return Progress(sum(c.state is not ClusterState.CONNECTING for c in clusters), len(clusters), objects)

    async def check(self, text: str, file: str = "", cluster: str = "") -> list[Problem]:
        return check(text, file=file)

    async def manifest(self, ref: Ref) -> Manifest:
        row = self.store.get(ref)
        if row is None:
            raise Absent(f"{ref} is gone")
        return Manifest(cleaned(row.manifest()), fresh=True)


async def at_rest(app: FleetApp, pilot: Pilot[None]) -> None:
    """Wait for everything that keys have set going; the follower of the fleet never ends."""
    await pilot.pause()
    while working := [worker for worker in app.workers if worker.group != "follow" and not worker.is_finished]:
        await app.workers.wait_for_complete(working)
        await pilot.pause()
    for _ in range(2):  # a layout may ask for another one
        painted = asyncio.Event()
        app.screen.call_after_refresh(painted.set)
        await painted.wait()
        await pilot.pause()


@asynccontextmanager
async def screen(
    fleet: StillFleet, size: tuple[int, int] = (120, 36), theme: str = "fleet-dark"
) -> AsyncIterator[tuple[FleetApp, Pilot[None]]]:
    """The app over a fleet, at rest after its first frame."""
    app = FleetApp(fleet, Settings(theme=theme))  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        await at_rest(app, pilot)
        yield app, pilot
