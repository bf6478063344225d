"""Faults of the transport, a row each: what is shown, how often a server is asked, and that nothing is lost or doubled.

`fault` is a name of `tui.demo.apiserver.weather`, so each can be rehearsed with `fleet demo fault`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fleet.watching import PODS, QUICK, Looked, config, watching
from tests.support import serving
from tests.weather.conditions import SYSTEM, Tries, Weather, pods, weather
from tui.adapters.kube import transport
from tui.demo.apiserver import weather as named
from tui.domain.cluster import ClusterState
from tui.domain.kinds.kind import Kind
from tui.domain.settings import Settings
from tui.fleet.sync import timing
from tui.fleet.sync.reflector import Reflector
from tui.fleet.sync.session import Session

LIVE, STALE = ClusterState.LIVE, ClusterState.STALE
TRIES = 6
ONCE = 7  # requests of finding back once: which cluster it is, the watch, whether it goes on, the list, the next watch
HURRIED = Settings(request_timeout=0.5)
STREAMS = "v1.34.0"  # lists and watches in one stream
PAGES = "v1.31.4"


class Row(NamedTuple):
    """`lists`: whether the fault is met by a list (else by a watch that goes on from one)."""

    fault: str
    lists: bool
    state: ClusterState
    said: str  # on the cluster's screen
    stale: bool  # whether panes call its rows stale
    each: int  # most requests for every pause of the back-off
    version: str = PAGES


ROWS = [
    # fault           lists   cluster  words on the screen                                      stale  requests a try
    Row("refused", False, STALE, "connection refused", True, 0),
    Row("black-hole", False, STALE, "was silent for 0.5 s", True, 1),
    Row("trickle", True, LIVE, "stale pods 3 objects: its list comes slowly:", True, 0),
    Row("trickle", False, LIVE, "live pods 4 objects", False, 0),
    Row("cut-line", False, LIVE, "closed the connection in the middle of an answer", True, 3),
    Row("cut-line", True, LIVE, "closed the connection in the middle of an answer", True, 2, STREAMS),
    Row("cut-page", True, LIVE, "closed the connection in the middle of an answer", True, 3),
    Row("cut-watch", False, LIVE, "closed the connection in the middle of an answer", True, 3),
    Row("500", False, STALE, "the API server answered 500: etcdserver: request timed out", True, 1),
    Row("500", True, STALE, "the API server answered 500: etcdserver: request timed out", True, 1, STREAMS),
    Row("502", False, STALE, "the API server answered 502", True, 1),
    Row("503", False, STALE, "is not available (503): the server is currently unable", True, 1),
    Row("504", True, STALE, "the API server answered 504", True, 1),
    Row("malformed", True, LIVE, "a list is not what an API server answers: JSON is malformed", True, 2),
    Row("malformed", False, LIVE, "a list is not what an API server answers: JSON is malformed", True, 2),
    Row("truncated", True, LIVE, "a list is not what an API server answers: Input data was truncated", True, 2),
    Row("truncated", False, LIVE, "a list is not what an API server answers: Input data was truncated", True, 2),
    Row("unknown-event", False, LIVE, "an event of the unknown type RENAMED was ignored", False, 0),
    Row("no-metadata", False, LIVE, "1 could not be read at all", False, 4),
    Row("no-metadata", True, LIVE, "1 could not be read at all", False, 4),
    Row("big-numbers", False, LIVE, "live pods 4 objects", False, 0),
    Row("big-numbers", True, LIVE, "live pods 4 objects", False, 0, STREAMS),
    Row("bad-utf8", False, LIVE, "1 not fully readable, such as shop/new: a text in it is not UTF-8", False, 0),
    Row("bad-utf8", True, LIVE, "1 not fully readable, such as shop/new: a text in it is not UTF-8", False, 0),
    Row("huge", False, LIVE, "live pods 4 objects", False, 3),
    Row("huge", True, LIVE, "live pods 4 objects", False, 3, STREAMS),
]


def change(sky: Weather, lists: bool) -> None:
    """One object less and two more; with `lists`, so long ago that only a list tells."""
    sky.bad.storage.delete("pods", "shop", "web-1")
    for pod in pods("new", "newer"):
        sky.bad.storage.create(pod)
    if lists:
        sky.bad.storage.compact()


def delivered(sky: Weather, rev: int) -> tuple[set[str], set[str]]:
    """Names of the bad cluster's pods that were delivered and taken out since."""
    changes = sky.here.store.changes_since(rev, "pods")
    found = ({ref.name for ref in refs if ref.cluster == "bad"} for refs in (changes.changed, changes.removed))
    return next(found), next(found)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.fault}-{'list' if row.lists else 'watch'}")
async def test_weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: Row) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.1)
    async with weather(tmp_path, settings=HURRIED, version=row.version) as sky:
        rev, sent, tries = sky.here.store.resource_rev("pods"), sky.bad.requests, Tries(monkeypatch)
        await named.begin(sky.bad, row.fault)
        change(sky, row.lists)
        await sky.here.until(lambda: row.said in sky.screen() and sky.here.cluster("bad").state is row.state)
        await sky.here.until(lambda: bool(sky.stale()) is row.stale)
        await sky.unharmed()
        if row.each and row.stale:
            await tries.until(TRIES)
        assert sky.bad.requests - sent <= row.each * len(tries.pauses) + ONCE
        assert all(held.manifest()["metadata"]["name"] for held in sky.here.store.rows("pods") if held.packed)
        await named.end(sky.bad)
        await sky.clears()
        assert delivered(sky, rev) == ({"new", "newer"}, {"web-1"})
        assert not sky.stale()


@pytest.mark.parametrize("fault", ["502", "503", "504"])
async def test_one_list_refused_by_what_stands_before_the_server_has_the_cluster_asked(
    tmp_path: Path, fault: str
) -> None:
    """Although nothing of it has broken off, and long before silence would have it asked."""
    services = Kind("services", "Service")
    async with weather(tmp_path, kinds=(PODS, services), timing=replace(QUICK, pulse=60.0), settled=False) as sky:
        await sky.here.until(lambda: sky.here.live("pods", "bad") and sky.here.live("pods", "good"))
        named.WEATHER[fault].rules(sky.bad.faults)
        sky.here.network.want([Looked(frozenset({"services"}))])
        await sky.here.until(lambda: sky.here.cluster("bad").state is STALE)
        await sky.unharmed()
        await named.end(sky.bad)
        await sky.clears()


async def test_load_balancer_that_never_had_a_server_is_no_cluster(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("web")], "c1") as server:
        server.faults.unavailable()
        async with watching(config(tmp_path / "config", {"c1": server.url})) as here:
            await here.until(lambda: here.cluster() and "503" in here.cluster().reason)
            assert here.cluster().state is ClusterState.UNREACHABLE
            server.faults.clear()
            await here.until(lambda: here.cluster().state is LIVE and here.names() == ["web"])


async def test_page_after_the_first_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pages before it said counts; what they did not say is not taken for gone."""
    async with weather(tmp_path, timing=replace(QUICK, page=1), version=PAGES) as sky:
        sky.bad.cache_ignores_limit = False
        rev, tries = sky.here.store.resource_rev("pods"), Tries(monkeypatch)
        sky.bad.faults.truncate(100, "continue=")
        sky.bad.drop_watches()
        change(sky, lists=True)
        await sky.here.until(lambda: "closed the connection in the middle" in sky.screen())
        await tries.until(TRIES)
        assert {"new", "web-0", "web-1", "web-2"} == set(sky.here.names("pods", "bad"))
        sky.bad.faults.clear()
        await sky.clears()
        assert delivered(sky, rev) == ({"new", "newer"}, {"web-1"})


# -- what is over as soon as it has begun -----------------------------------------------------------------------------


async def test_restart(tmp_path: Path) -> None:
    async with weather(tmp_path) as sky:
        rev, sent = sky.here.store.resource_rev("pods"), sky.bad.requests
        await named.begin(sky.bad, "restart")
        change(sky, lists=False)
        await sky.unharmed()
        await sky.clears()
        assert delivered(sky, rev) == ({"new", "newer"}, {"web-1"})
        assert sky.bad.requests - sent <= ONCE


async def test_half_open_watches_are_opened_anew_without_a_bookmark(tmp_path: Path) -> None:
    """The server has forgotten the connection, answers on others, and would never say so on this one."""
    async with weather(tmp_path, timing=replace(QUICK, watch_quiet=0.5), bookmark_interval=0.05) as sky:
        rev = sky.here.store.resource_rev("pods")
        await named.begin(sky.bad, "half-open")
        change(sky, lists=False)
        await sky.unharmed()
        await sky.clears()
        assert delivered(sky, rev) == ({"new", "newer"}, {"web-1"})
        assert len(sky.good.watches) == 1


async def test_half_open_watches_are_opened_anew_after_a_sleep(tmp_path: Path) -> None:
    """The clock on the wall has gone on, the monotonic one has not: then no old connection is believed."""
    slept = 0.0
    async with weather(tmp_path, clock=lambda: time.time() + slept) as sky:
        rev = sky.here.store.resource_rev("pods")
        await named.begin(sky.bad, "half-open")
        change(sky, lists=False)
        slept = 3600.0
        await sky.clears()
        assert delivered(sky, rev) == ({"new", "newer"}, {"web-1"})


async def test_retry_after_is_waited_for_and_then_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by everybody to the same moment: what the server asks for is the least, the back-off comes on top."""
    waited: list[float] = []
    wait = Reflector._wait

    async def waits(reflector: Reflector, pause: float) -> None:
        waited.append(pause)
        await wait(reflector, min(pause, 0.2))

    async with weather(tmp_path) as sky:
        rev = sky.here.store.resource_rev("pods")
        monkeypatch.setattr(Reflector, "_wait", waits)
        fault = sky.bad.faults.throttle(7, named.WATCHES, times=4)
        sky.bad.drop_watches()
        change(sky, lists=False)
        said = "the API server asks to slow down (429, priority and fairness) for 7 s"
        await sky.here.until(lambda: said in sky.screen() and sky.stale())
        await sky.unharmed()
        await sky.clears()
        assert fault.hits == 4 and delivered(sky, rev) == ({"new", "newer"}, {"web-1"})
    asked = [pause for pause in waited if pause >= 1]
    assert len(asked) == 4 == len(set(asked)) and all(7 < pause <= 7 + QUICK.backoff_most for pause in asked)


# -- the herd ---------------------------------------------------------------------------------------------------------

HERD = 50  # clusters
HERDING = replace(QUICK, backoff=0.3, backoff_most=0.3, pulse=60.0)
WATCHED = [PODS, *(Kind(name, "", watch="always") for name in ("services", "configmaps", "endpoints"))]


class Waits:
    """Every pause of a watch and of a cluster from now on, as its share of the longest allowed; a fixed seed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, longest: float) -> None:
        self.watches: list[float] = []
        self.clusters: list[float] = []
        self.running = 0
        of_watch, of_cluster = Reflector._wait, Session._wait

        async def watch(reflector: Reflector, pause: float) -> None:
            self.watches.append(pause / longest)
            self.running += 1
            try:
                await of_watch(reflector, pause)
            finally:
                self.running -= 1

        async def cluster(session: Session, event: asyncio.Event, seconds: float) -> bool:
            self.clusters.append(seconds / longest)
            return await of_cluster(session, event, seconds)

        monkeypatch.setattr(timing, "random", random.Random(7))
        monkeypatch.setattr(Reflector, "_wait", watch)
        monkeypatch.setattr(Session, "_wait", cluster)


def spread(shares: list[float]) -> bool:
    """Whether no tenth of the time has a third of them."""
    assert all(0 <= share <= 1 for share in shares)
    return max(Counter(int(10 * share) for share in shares).values()) <= len(shares) / 3


async def test_no_herd_when_all_watches_of_all_clusters_are_dropped_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving([*SYSTEM, *pods("web")], f"c{n}")) for n in range(HERD)]
        urls = {server.name: server.url for server in servers}
        here = await stack.enter_async_context(watching(config(tmp_path / "config", urls), WATCHED, HERDING))

        def live() -> bool:
            return all(here.live(kind.resource, name) for name in urls for kind in WATCHED)

        await here.until(live)
        before = [server.requests for server in servers]
        rev = here.store.resource_rev("pods")
        waits = Waits(monkeypatch, HERDING.backoff)
        for server in servers:
            server.drop_watches()
            server.storage.create(pods("new")[0])
        await here.until(lambda: live() and here.store.count("pods") == 2 * HERD)
        changed = here.store.changes_since(rev, "pods")
        assert sorted(ref.name for ref in changed.changed) == ["new"] * HERD and not changed.removed
        again = [server.requests - sent for server, sent in zip(servers, before, strict=True)]
    # For each watch: itself, and whether it goes on. For each cluster: whether it is there, and which; more than once
    # where a busy machine notices the watches one after the other.
    assert sum(again) <= HERD * (2 * len(WATCHED) + 3)
    assert max(again) <= 4 * len(WATCHED)
    # Each cluster is asked, and each watch is opened, at a moment of its own.
    assert len(waits.clusters) >= HERD and len(waits.watches) >= HERD * len(WATCHED)
    assert spread(waits.clusters) and spread(waits.watches)


async def test_watches_of_a_cluster_that_is_back_do_not_come_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with weather(tmp_path, kinds=WATCHED, timing=HERDING) as sky:
        waits = Waits(monkeypatch, HERDING.backoff)
        await sky.bad.refuse()
        await sky.here.until(lambda: sky.here.cluster("bad").state is STALE)
        tried = len(waits.clusters)
        async with asyncio.timeout(60):
            while waits.running or len(waits.clusters) < tried + 2:  # they all wait for their cluster now
                await asyncio.sleep(0)
        waits.watches.clear()
        await sky.bad.start()
        await sky.clears()
        assert len(waits.watches) >= len(WATCHED) and len(set(waits.watches)) == len(waits.watches)
