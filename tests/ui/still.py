"""The screen over a fleet that stands still: a real store, a real tail, a clock that does not move."""

from __future__ import annotations

import asyncio
import unicodedata
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.keys import _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from tests.ui import shop
from tui.domain.cilium.hubble.observed import Observed, Record
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.drafts.blast import Blast
from tui.domain.kinds.catalogue import Catalogue
from tui.domain.kinds.core import Event
from tui.domain.kinds.kind import Kind
from tui.domain.logs.asked import Asked, Selection
from tui.domain.obj import Ref
from tui.domain.ports import Absent, CommitInfo
from tui.domain.pulse import Pulse
from tui.domain.schema import Problem, check
from tui.domain.settings import Settings
from tui.domain.tail import Tail
from tui.fleet.derive import StoreFacts
from tui.fleet.flows import KEPT, Ring, Status
from tui.fleet.locating import Located
from tui.fleet.logs import Book, Follow
from tui.fleet.manifest import Manifest, cleaned
from tui.fleet.netpol.watching import Netpol
from tui.fleet.runtime import Progress
from tui.store import Store
from tui.ui.app import FleetApp
from tui.ui.typeahead import TypeAhead


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
        self.problems: list[str] = []
        self.news: deque[str] = deque()
        self.version = 0
        self.looked: dict[str, tuple[frozenset[str], frozenset[str] | None]] = {}
        self.retried: list[str | None] = []
        self.radii: dict[str, Blast] = {}
        self.flows = StillFlows()
        self.logs = StillLogs()
        self.offers = StillOffers()
        self.netpol = Netpol(self.store, self.facts, self.look, self.unlook, self.notify)
        self.impacts = None  # nobody asks what drafts do to policies
        self._moved = asyncio.Event()
        if filled:
            shop.fill(self.store)
            shop.tell(self.tail)
            self.flows.put("prod-eu", *shop.flows())

    def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """End what is being worked out."""
        await self.netpol.close()

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self.version += 1
        self._moved.set()

    async def changed(self, version: int) -> int:
        while version == self.version:
            self._moved.clear()
            await self._moved.wait()
        return self.version

    def pulse(self) -> tuple[Pulse, ...]:
        return shop.pulses(self.store)

    def look(self, owner: str, resources: Iterable[str], clusters: Iterable[str] | None = None) -> None:
        self.looked[owner] = (frozenset(resources), None if clusters is None else frozenset(clusters))

    def unlook(self, owner: str) -> None:
        self.looked.pop(owner, None)

    def retry(self, cluster: str | None = None) -> None:
        self.retried.append(cluster)

    async def locate(self, ref: Ref) -> Located:
        return Located(reason="no Application tracks it: it did not come from Git")

    async def naming(self, ref: Ref) -> tuple[list[tuple[Ref, dict[str, Any]]], list[str]]:
        return [], []

    async def events(self, ref: Ref) -> list[Event]:
        return shop.happened(ref)

    def commit(self, url: str, revision: str) -> CommitInfo | str:
        return shop.COMMITS.get(revision, "no clone of git.example.test/shop/deploy is here")

    def blast(self, draft: str) -> Blast | str:
        return self.radii.get(draft, "no clone of git.example.test/shop/deploy is here")

    async def blast_of(self, draft: str) -> Blast:
        return self.radii[draft]

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


class StillOffers:
    """What clusters serve: as somebody has put it there."""

    def __init__(self) -> None:
        self.catalogue = Catalogue()

    async def gather(self, patience: float = 0.0) -> Catalogue:
        return self.catalogue

    async def find(self, word: str) -> Kind | None:
        return self.catalogue.find(word)


class StillLogs:
    """Logs as somebody has put them there."""

    def __init__(self) -> None:
        self.follows: list[Follow] = []  # one for each time that was asked
        self.closed: list[Follow] = []

    def follow(self, selections: Iterable[Selection], asked: Asked) -> Follow:
        made = Follow(Book(tuple(selections), asked), self.closed.append)
        self.follows.append(made)
        return made


class StillFlows:
    """The flows of clusters as somebody has put them there."""

    def __init__(self) -> None:
        self.rings: dict[str, Ring] = {}
        self.states: dict[str, Status] = {}
        self.wanted: dict[str, frozenset[str]] = {}

    def put(self, cluster: str, *records: Record) -> None:
        self.rings.setdefault(cluster, Ring()).add(records)

    def want(self, owner: str, clusters: Iterable[str]) -> None:
        self.wanted[owner] = frozenset(clusters)

    def unwant(self, owner: str) -> None:
        self.wanted.pop(owner, None)

    def recent(self, cluster: str) -> tuple[Observed, ...]:
        return self.rings[cluster].flows() if cluster in self.rings else ()

    def since(self, cluster: str, sequence: int, most: int = KEPT) -> tuple[list[Record], int, int]:
        return self.rings[cluster].since(sequence, most) if cluster in self.rings else ([], sequence, 0)

    def status(self, cluster: str) -> Status:
        held = Status("flows") if cluster in self.rings else Status("none", "the logs of cilium-agent hold no flows")
        return self.states.get(cluster, held)


def key_event(key: str) -> events.Key:
    """A key by its character or its name, as a terminal's parser reports it."""
    if len(key) == 1:
        return events.Key(_character_to_key(key), key)
    try:
        return events.Key(key, unicodedata.lookup(_get_unicode_name_from_key(key)))
    except KeyError:
        return events.Key(key, None)


class Patient(Pilot[None]):
    """Types as fast as it can, then waits until the last key is through.

    Textual's own pilot waits for an idle processor instead, which a busy machine shows too early or too late.
    """

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.post_message(key_event(key))
        app = self.app
        assert isinstance(app, TypeAhead)
        await self._wait_for_screen()
        while app.is_running and app.typing:
            await asyncio.sleep(0.002)
            await self._wait_for_screen()

    async def resize_terminal(self, width: int, height: int) -> None:
        await super().resize_terminal(width, height)
        # The screen has its size before it is told of it, and divides itself.
        while self.app.is_running and (self.app.screen.size != (width, height) or self.app._resize_event is not None):
            await asyncio.sleep(0.002)

    async def pause(self, delay: float | None = None) -> None:
        await self._wait_for_screen()
        await asyncio.sleep(delay or 0)
        self.app.screen._on_timer_update()


async def at_rest(app: FleetApp, pilot: Pilot[None]) -> None:
    """Wait for everything that keys have set going; the follower of the fleet never ends."""
    await pilot.pause()
    while working := [worker for worker in app.workers if worker.group != "follow" and not worker.is_finished]:
        await app.workers.wait_for_complete(working)
        await pilot.pause()
    for _ in range(2):  # a layout may ask for another one
        painted = asyncio.Event()
        app.screen.call_after_refresh(painted.set)
        while not painted.is_set() and app.is_running:  # an app that failed paints no more: `run_test` says why
            await pilot.pause()
        await pilot.pause()


@asynccontextmanager
async def screen(
    fleet: StillFleet,
    size: tuple[int, int] = (120, 36),
    theme: str = "fleet-dark",
    settings: Settings | None = None,
) -> AsyncIterator[tuple[FleetApp, Pilot[None]]]:
    """The app over a fleet, at rest after its first frame."""
    app = FleetApp(lambda: fleet, settings or Settings(theme=theme))  # type: ignore[arg-type,return-value]
    async with app.run_test(size=size):
        pilot = Patient(app)
        while app.is_running and not app.stands:
            await asyncio.sleep(0.002)
        await at_rest(app, pilot)
        yield app, pilot
