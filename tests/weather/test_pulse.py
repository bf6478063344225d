"""What is counted of a cluster, and what it says of one that is gone and comes back."""

from __future__ import annotations

import time
from pathlib import Path

from tests.weather.conditions import Weather, pods, weather
from tui.demo.apiserver import weather as named
from tui.domain.cluster import ClusterState
from tui.domain.pulse import Pulse
from tui.domain.sight import plain, summary


def pulses(sky: Weather) -> dict[str, Pulse]:
    return {pulse.cluster: pulse for pulse in sky.here.network.pulse()}


async def watched(sky: Weather) -> None:
    """Wait until a change in the bad cluster arrives: its watch is open."""
    sky.bad.storage.create(pods("late")[0])
    await sky.here.until(lambda: "late" in sky.here.names("pods", "bad"))


async def test_requests_are_counted_as_the_server_counts_them(tmp_path: Path) -> None:
    async with weather(tmp_path) as sky:
        await watched(sky)
        pulse = pulses(sky)["bad"]
        assert pulse.requests == sky.bad.requests
        assert pulse.errors == 0 and pulse.reconnects == 0
        assert pulse.objects == 4 and pulse.kinds == pulse.watches == 1
        assert pulse.received > sum(len(name) for _, _, name in sky.held("bad"))
        assert 0 < pulse.latency < 60 and 0 < pulse.typical < 60
        assert pulse.state is ClusterState.LIVE and pulse.heard >= pulse.since


async def test_a_cluster_that_is_refused_and_comes_back(tmp_path: Path) -> None:
    async with weather(tmp_path) as sky:
        good = pulses(sky)["good"]
        await sky.bad.refuse()
        await sky.here.until(lambda: sky.here.cluster("bad").state is ClusterState.STALE)
        lost = pulses(sky)["bad"]
        assert lost.errors > 0 and lost.watches == 0 and lost.objects == 3
        assert "refused" in lost.reason and lost.retry_at >= lost.since > 0
        assert pulses(sky)["good"].errors == good.errors == 0
        await sky.bad.start()
        await sky.clears()
        await watched(sky)
        found = pulses(sky)["bad"]
        assert found.reconnects == 1 and found.watches == 1 and not found.retry_at
        assert pulses(sky)["good"].reconnects == 0


async def test_before_anything_is_known(tmp_path: Path) -> None:
    async with weather(tmp_path, settled=False) as sky:
        assert all(pulse.state is ClusterState.CONNECTING for pulse in sky.here.network.pulse())
        await sky.clears()


async def test_the_pulse_tells_whose_clock_is_astray(tmp_path: Path) -> None:
    async with weather(tmp_path) as sky:

        def astray() -> bool:
            sky.here.network.retry("bad")
            lines = [plain([line]) for line in summary(list(pulses(sky).values()), time.time())]
            return "clocks differ: bad 24h ahead" in lines

        assert not astray()
        await named.begin(sky.bad, "clock")
        await sky.here.until(astray)
        await sky.unharmed()
        await named.end(sky.bad)
        await sky.here.until(lambda: not astray())
