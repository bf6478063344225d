"""A cluster that is refused after it was read: every place that shows its objects says how old they are."""

from __future__ import annotations

import msgspec
import pytest

from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.ui.panes import table, tree
from tui.ui.panes.tree import TreePane
from tui.ui.scope import APPLICATIONS
from tui.ui.screens import base

LOST = ("hub-eu", "prod-eu")
CLUSTER = Ref("prod-eu", CLUSTERS, "", "prod-eu")
POD = Ref("prod-eu", "pods", "payments", "payments-6d4f-z9q4m")
APPLICATION = Ref("hub-eu", APPLICATIONS, "argocd", "payments-prod-us")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits before it is counted or read again."""
    monkeypatch.setattr(base, "RECOUNT", 0.0)
    monkeypatch.setattr(tree, "RELOAD", 0.0)
    monkeypatch.setattr(table, "LOOK", 0.0)


def lose(fleet: StillFleet, *names: str, heard: float = shop.NOW - 240) -> None:
    """These clusters refuse connections, and were last heard four minutes ago."""
    for name in names:
        row = fleet.store.get(Ref(name, CLUSTERS, "", name))
        lost = msgspec.structs.replace(
            row.obj, state=ClusterState.STALE, heard=heard, since=heard, reason="connection refused"
        )
        fleet.store.apply([msgspec.structs.replace(row, obj=lost)])
    fleet.notify()


def lines(app) -> list[str]:
    """What stands on the screen."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def on_screen(app, *words: str) -> list[str]:
    return [line for line in lines(app) if all(word in line for word in words)]


async def refreshed(app, pilot) -> None:
    for _ in range(3):
        app.screen.pull()
        await at_rest(app, pilot)


def colours(app, word: str) -> set[str]:
    """The colours in which a word stands on the screen."""
    return {
        segment.style.color.name
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if word in segment.text and segment.style and segment.style.color
    }


@pytest.mark.parametrize("pane", ["objects", "applications", "policies", "clusters"])
async def test_rows_of_every_table(pane: str) -> None:
    fleet = StillFleet()
    async with screen(fleet, (160, 48)) as (app, pilot):
        await app.shell.go(pane, "pods" if pane == "objects" else "")
        await refreshed(app, pilot)
        shown = app.shell.pane.table
        there = {key.cluster for key in shown.visible_keys}

        def old(age: str) -> set[str]:
            entries = [shown._rows.at(at) for at in range(shown.visible_count)]
            return {entry.key.cluster for entry in entries if shown._age(shown._rows.cells(entry)) == age}

        assert not old("4m")
        lose(fleet, *LOST)
        await refreshed(app, pilot)
        assert old("4m") == there & set(LOST) != set()
        assert "stale" in str(app.shell.pane.border_title)
        assert on_screen(app, "◐", "4m")


async def test_old_rows_are_neither_green_nor_without_a_shape(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        green = colours(app, "Synced")
        lose(fleet, "hub-eu")
        await refreshed(app, pilot)
        assert green and not green & colours(app, "Synced")
        assert all("◐" in line for line in on_screen(app, "Synced"))


async def test_the_header_counts_what_a_lost_hub_had(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        assert "◐" not in lines(app)[0]
        healthy = colours(app, "♥ 6")
        lose(fleet, "hub-eu")
        await refreshed(app, pilot)
        assert "◐ 4m" in lines(app)[0] and not healthy & colours(app, "♥ 6")


@pytest.mark.parametrize("ref", [POD, APPLICATION, CLUSTER], ids=lambda ref: ref.resource)
async def test_a_detail(fleet: StillFleet, ref: Ref) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        app.show_object(ref)
        await at_rest(app, pilot)
        assert "stale" not in lines(app)[1]
        lose(fleet, *LOST)
        await refreshed(app, pilot)
        for _ in app.screen.tabs:
            await pilot.press("tab")
            await refreshed(app, pilot)
            assert "◐ stale 4m" in lines(app)[1] or "as last seen 4m" in lines(app)[1], app.screen.chosen.id


async def test_the_resources_of_an_application_whose_cluster_is_lost(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        app.show_object(Ref("hub-eu", APPLICATIONS, "argocd", "payments-prod-eu"), "resources")
        lose(fleet, "prod-eu")
        await refreshed(app, pilot)
        assert "◐ stale 4m" in lines(app)[1] and "cluster Stale, last heard at" in lines(app)[1]


async def test_the_tree(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        lose(fleet, *LOST)
        await refreshed(app, pilot)
        assert on_screen(app, "◐ hub-eu", "4m") and on_screen(app, "◐ prod-eu", "4m")
        nodes = app.screen.query_one(TreePane).nodes
        assert nodes is not None
        for node in (("applications", "prod-us"), ("nodes", "prod-eu")):
            made = nodes.children(node)
            assert made and not any(cell.tone is Tone.GOOD for each in made for cell in (*each.label, *each.aside))


async def test_tails_say_who_is_silent(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        await app.shell.go("events", cluster="hub-eu")
        await refreshed(app, pilot)
        assert "silent" not in str(app.shell.pane.border_title)
        lose(fleet, "hub-eu")
        await refreshed(app, pilot)
        assert "◐ hub-eu silent 4m" in str(app.shell.pane.border_title)
        assert on_screen(app, "Events", "clusters silent")


async def test_policies_across_the_fleet(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        lose(fleet, "prod-eu")
        app.show_fleetwide()
        for _ in range(4):
            await refreshed(app, pilot)
            assert "stale" in lines(app)[1]
            await pilot.press("tab")


async def test_a_verdict_out_of_old_policies(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        app.ask_verdict(POD)
        await refreshed(app, pilot)
        assert "stale" not in lines(app)[1]
        lose(fleet, "prod-eu")
        await refreshed(app, pilot)
        assert "◐ prod-eu stale 4m" in lines(app)[1]
