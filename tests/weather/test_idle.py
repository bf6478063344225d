"""A fleet left open overnight: the requests that each API server gets of it, counted with the timing's own values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fleet.watching import PODS
from tests.support import thing
from tests.weather.conditions import pods, weather
from tui.domain.kinds.kind import Kind
from tui.fleet.sync import Timing

FASTER = 300  # a second of the test is five minutes
SECONDS = (
    "list_quiet",
    "watch_early",
    "watch_slack",
    "pulse",
    "backoff",
    "backoff_most",
    "brief",
    "healthy",
    "recheck",
)
BOOKMARKS = 60.0  # seconds between two of them, as API servers send them


def hurried() -> Timing:
    """The timing as it is, in a time that runs faster; timeoutSeconds is a whole number, and so 1 for all watches."""
    real = Timing()
    assert (real.watch_least + real.watch_most) / 2 == FASTER
    quicker = {name: getattr(real, name) / FASTER for name in (*SECONDS, "watch_quiet", "mend", "idle", "poll")}
    # What only bounds how long this machine may take is left as long as it is.
    patient = {name: getattr(real, name) for name in ("list_quiet", "watch_slack")}
    return replace(real, watch_least=1.0, watch_most=1.0, announce=0.01, age=0.05, **{**quicker, **patient})


@pytest.mark.parametrize("kinds", [1, 3])
async def test_an_idle_fleet_costs_less_than_a_request_a_minute_and_watch(tmp_path: Path, kinds: int) -> None:
    watched = [
        PODS,
        Kind("services", "Service", watch="always"),
        Kind("nodes", "Node", namespaced=False, watch="always"),
    ]
    objects = [*pods("web-0"), thing("Service", "web", "shop", spec={"ports": []}), thing("Node", "n")]
    timing = hurried()
    more = {"bookmark_interval": BOOKMARKS / FASTER, "version": "v1.34.0"}
    async with weather(tmp_path, objects, watched[:kinds], timing, **more) as sky:
        cycles = sky.bad.faults.delay(0.0, "watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=")
        before = sky.bad.requests
        await sky.here.until(lambda: cycles.hits >= 3 * kinds)
        minutes = cycles.hits / kinds * FASTER / 60
        sent = sky.bad.requests - before
        assert sent < minutes * kinds, f"{sent} requests in {minutes:.0f} minutes for {kinds} watches"
        await sky.unharmed()
