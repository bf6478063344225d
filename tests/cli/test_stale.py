"""Reports of a cluster that is refused after it was read: what they print of it is marked, with its age."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from tests.cli.conftest import Commands
from tests.ui.still import StillFleet
from tests.ui.test_stale import lose
from tui.cli.get import _stale
from tui.cli.output import print_rows
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref

PODS = KINDS["pods"]


def printed(fleet: StillFleet, form: str, cluster: str) -> str:
    fleet.clusters = lambda pattern="*": [row.obj for row in fleet.store.rows("clusters")]  # type: ignore[attr-defined]
    rows = [(row, PODS) for row in sorted(fleet.store.rows("pods", cluster), key=lambda row: row.ref)]
    out = io.StringIO()
    print_rows(rows, fleet.facts, form, out, stale=_stale(fleet, [PODS]))  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml"])
def test_old_rows_are_marked_and_others_are_not(form: str) -> None:
    fleet = StillFleet()
    before = printed(fleet, form, "prod-eu")
    assert "STALE" not in before and "stale" not in before
    lose(fleet, "prod-eu")
    after = printed(fleet, form, "prod-eu")
    count = len(list(fleet.store.rows("pods", "prod-eu")))
    if form == "json":
        assert {entry["staleSince"] for entry in json.loads(after)} == {"2026-11-22T08:56:00Z"}
    elif form == "yaml":
        assert after.count("# stale since 2026-11-22T08:56:00Z\n") == count
    else:
        assert after.startswith("STALE ") and after.count("◐ 4m") == count
    assert printed(fleet, form, "prod-us") == printed(StillFleet(), form, "prod-us")


def test_an_age_that_is_not_known_is_said_to_be_so() -> None:
    fleet = StillFleet()
    lose(fleet, "prod-eu", heard=0.0)
    assert "◐ ?" in printed(fleet, "table", "prod-eu")
    assert {entry["staleSince"] for entry in json.loads(printed(fleet, "json", "prod-eu"))} == {None}
    assert fleet.store.get(Ref("prod-eu", "clusters", "", "prod-eu")) is not None


async def test_who_follows_events_hears_that_a_cluster_fell_silent_and_came_back(calm: Commands) -> None:
    child = await calm.start("events", "--follow", "-o", "json")
    assert child.stderr is not None
    hub = calm.servers[0]
    try:
        while len(hub.watches) < 2:
            await asyncio.sleep(0.01)
        await hub.refuse()
        line = (await asyncio.wait_for(child.stderr.readline(), 60)).decode()
        assert line.startswith("fleet: hub: Stale: ") and "its events are missing" in line
        await hub.start()
        line = (await asyncio.wait_for(child.stderr.readline(), 60)).decode()
        assert line == "fleet: hub: is heard again\n"
    finally:
        child.terminate()
        await child.communicate()
