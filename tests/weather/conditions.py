"""Two clusters under one fleet, one of which meets bad weather: what is shown, held and asked meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.watching import PODS, QUICK, Watching, config, watching
from tests.support import serving, thing
from tui.demo.apiserver.server import ApiServer
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.kinds import KINDS, OWN
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref
from tui.domain.settings import Settings
from tui.fleet.derive import StoreFacts
from tui.fleet.sync import Observer, Timing
from tui.fleet.sync.timing import Backoff
from tui.ui import words
from tui.ui.panes import freshness
from tui.ui.panes.rows import Shape

SYSTEM = [thing("Namespace", "kube-system"), thing("Namespace", "shop")]


def pods(*names: str) -> list[dict[str, Any]]:
    """Running pods in the namespace `shop`."""
    return [thing("Pod", name, "shop", status={"phase": "Running"}) for name in names]


@dataclass
class Weather:
    """`bad` is for the test to spoil; `good` must never notice."""

    bad: ApiServer
    good: ApiServer
    here: Watching
    kinds: tuple[Kind, ...]

    def shown(self, cluster: str = "bad") -> str:
        """The cells of a cluster's row in the table of clusters; "" without a row."""
        row = self.here.store.get(Ref(cluster, CLUSTERS, "", cluster))
        if row is None:
            return ""
        facts = StoreFacts(self.here.store, Settings(), time.time)
        made = Shape([KINDS.get(CLUSTERS) or OWN[CLUSTERS]]).row(row, facts)
        return " ".join(cell.text for cell in made.cells if cell.text)

    def screen(self, cluster: str = "bad") -> str:
        """What the screen of a cluster says: its state, the reason, and every watch with its own."""
        found = self.here.cluster(cluster)
        if found is None:
            return ""
        lines = words.cluster(found, time.time())
        return "\n".join(" ".join("".join(cell.text for cell in line).split()) for line in lines)

    def stale(self, later: float = freshness.GRACE) -> str:
        """What a pane of these kinds will say, `later` seconds from now, of rows not kept up; "" if all are."""
        now = time.time() + later
        return freshness.words(freshness.stale(self.here.store, [kind.resource for kind in self.kinds], now), now)

    def held(self, cluster: str) -> dict[tuple[str, str, str], str]:
        """(resource, namespace, name) of every object the store has of a cluster, with its resourceVersion."""
        return {
            (kind.resource, row.ref.namespace, row.ref.name): row.obj.metadata.resource_version
            for kind in self.kinds
            for row in self.here.store.rows(kind.resource, cluster)
        }

    def there(self, server: ApiServer) -> dict[tuple[str, str, str], str]:
        """The same of the objects that a server has."""
        found: dict[tuple[str, str, str], str] = {}
        for kind in self.kinds:
            for obj in server.storage.list(kind.collection) if kind.collection in server.storage.resources else ():
                meta = obj["metadata"]
                found[kind.resource, meta.get("namespace", ""), meta["name"]] = meta["resourceVersion"]
        return found

    def equal(self) -> bool:
        """Whether the store has exactly what the servers have: every object, in its newest version, and none else."""
        return self.held("bad") == self.there(self.bad) and self.held("good") == self.there(self.good)

    async def clears(self) -> None:
        """Wait until both clusters are live and the store is equal to them."""

        def fair() -> bool:
            rows = [self.here.cluster(name) for name in ("bad", "good")]
            return all(row is not None and row.state is ClusterState.LIVE for row in rows) and (
                all(self.here.live(kind.resource, name) for kind in self.kinds for name in ("bad", "good"))
                and self.equal()
            )

        await self.here.until(fair)

    async def unharmed(self) -> None:
        """The other cluster is live, and a change in it arrives."""
        name = f"seen-{self.good.storage.count('pods')}"
        self.good.storage.create(pods(name)[0])
        await self.here.until(lambda: name in self.here.names("pods", "good"))
        good = self.here.cluster("good")
        assert good is not None and good.state is ClusterState.LIVE


class Tries:
    """The pauses that the back-off chose since this was made, in every cluster."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pauses: list[float] = []
        self._more = asyncio.Event()
        loop, choose = asyncio.get_running_loop(), Backoff.next

        def chosen(backoff: Backoff) -> float:
            pause = choose(backoff)
            self.pauses.append(pause)
            with contextlib.suppress(RuntimeError):  # the test has ended
                loop.call_soon_threadsafe(self._more.set)
            return pause

        monkeypatch.setattr(Backoff, "next", chosen)

    async def until(self, count: int, patience: float = 60.0) -> None:
        """Wait until there are so many."""
        async with asyncio.timeout(patience):
            while len(self.pauses) < count:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def weather(
    folder: Path,
    objects: Iterable[dict[str, Any]] = (),
    kinds: Iterable[Kind] = (PODS,),
    timing: Timing = QUICK,
    user: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    settled: bool = True,
    observers: Mapping[str, Observer] | None = None,
    clock: Callable[[], float] = time.time,
    cluster: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Weather]:
    """Both clusters with the same objects, read and (unless `settled` is false) equal; `options` are the servers'.

    `user` and `cluster` are what the kubeconfig says of both besides.
    """
    kinds = tuple(kinds)
    everything = [*SYSTEM, *(list(objects) or pods("web-0", "web-1", "web-2"))]
    async with AsyncExitStack() as stack:
        bad = await stack.enter_async_context(serving(everything, "bad", **options))
        good = await stack.enter_async_context(serving(everything, "good", **options))
        kubeconfig = config(folder / "config", {"bad": bad.url, "good": good.url}, user, **(cluster or {}))
        here = await stack.enter_async_context(watching(kubeconfig, kinds, timing, settings, observers, clock))
        found = Weather(bad, good, here, kinds)
        if settled:
            await found.clears()
        yield found
