"""The fleet view of policies: the same across clusters, findings, what no policy selects, counts and mesh peers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.fleet.test_netpol import WEB, agents, config, endpoint, known, node, policy, space
from tests.ui.still import StillFleet, at_rest, screen
from tests.ui.test_detail import cells, view
from tui.domain.cluster import KindState
from tui.domain.obj import Ref
from tui.fleet.netpol import needs
from tui.ui.app import FleetApp
from tui.ui.policies.findings import FindingsView
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.fleetwide import FleetwideScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.widgets.table import Table

CNP = needs.POLICIES[0]
MORE = {**WEB, "egress": [{"toEntities": ["world"]}]}
TYPED = {**WEB, "endpointSelector": {"matchLabels": {"app": "wbe"}}}


def cluster(name: str, number: str) -> list[Any]:
    return [
        known(name),
        config(name, cluster_name=name, cluster_id=number),
        agents("v1.18.4", name),
        space("shop", name),
        endpoint("web-1", "web", at=name),
        endpoint("batch-1", "batch", at=name, ip="10.0.0.3"),
        policy("web", name, **WEB),
    ]


@pytest.fixture
def fleet() -> StillFleet:
    """eu and us are alike, but for a policy of us alone, another of two versions, and a cluster id that both have."""
    made = StillFleet(filled=False)
    made.store.apply(
        [
            *cluster("eu", "1"),
            *cluster("us", "1"),
            policy("api", "eu", **WEB),
            policy("api", "us", **MORE),
            policy("only", "us", **TYPED),
            node("n1", "10.9.0.1"),
            known("blind", {needs.POLICIES[0]: KindState.DENIED, needs.ENDPOINTS: KindState.DENIED}),
        ]
    )
    return made


async def opened(app: FleetApp, pilot: Any, tab: str) -> Table:
    app.show_fleetwide(tab)
    await pilot.pause()
    await at_rest(app, pilot)
    return shown(app)


def shown(app: FleetApp) -> Table:
    assert isinstance(app.screen, FleetwideScreen)
    found = view(app, Table)
    assert isinstance(found, Table)
    return found


async def until(app: FleetApp, pilot: Any, ready: Callable[[], object]) -> None:
    """Wait until what is worked out behind the scenes is shown."""
    async with asyncio.timeout(60):
        while not ready():
            if isinstance(app.screen, FleetwideScreen):
                app.screen._rests = 0.0
            await pilot.pause(0.01)
            app.fleet.notify()


async def test_the_same_policy_across_clusters(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        table = await opened(app, pilot, "")
        await until(app, pilot, lambda: table.total)
        found = {key.name: cells(table, key) for key in table.visible_keys if isinstance(key, Ref)}
        assert {name: (each["state"], each["clusters"]) for name, each in found.items()} == {
            "web": ("● same", "2/2"),
            "api": ("≠ differs", "2/2"),
            "only": ("◌ missing", "1/2"),
        }
        assert found["api"]["how"] == "us: allow egress to world; switch on default deny for egress"
        assert found["only"]["how"] == "missing in eu"
        assert "not known of blind" in str(app.screen.query_one("#detail").border_title)
        assert fleet.looked["fleetwide"][0] >= {CNP, "namespaces"}
        assert needs.ENDPOINTS not in fleet.looked["fleetwide"][0], "only what this table needs is watched"


async def test_enter_opens_the_version_that_differs_with_its_differences(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        table = await opened(app, pilot, "")
        await until(app, pilot, lambda: table.total)
        table.move_to(Ref("us", CNP, "shop", "api"))
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        text = view(app, WordsView).text()
        assert "Different in us" in text and "allow egress to world" in text and "spec.egress[0]" in text
        assert "Not known of    blind" in text


async def test_findings_of_every_cluster(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        table = await opened(app, pilot, "findings")
        wanted = (Ref("us", CNP, "shop", "only"), "label-mistyped")

        def there() -> bool:
            rows = [(key, cells(table, key)) for key in table.visible_keys]
            return any((key[0], each["rule"]) == wanted for key, each in rows if isinstance(key, tuple))

        await until(app, pilot, there)
        await pilot.press("slash", *"mistyped", "enter")
        await at_rest(app, pilot)
        assert table.visible_count == 1
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.ref == wanted[0]
        lint = view(app, FindingsView)
        await until(app, pilot, lambda: "Did you mean `web`?" in lint.text())
        assert "spec.endpointSelector.matchLabels.app" in lint.text()
        assert "it did not come from Git" in lint.text(), "why no line is known"


async def test_endpoints_that_no_policy_selects(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        table = await opened(app, pilot, "open")
        await until(app, pilot, lambda: table.total)
        rows = [cells(table, key) for key in table.visible_keys]
        assert sorted((each["cluster"], each["application"], each["names"]) for each in rows) == [
            ("eu", "batch", "batch-1"),
            ("us", "batch", "batch-1"),
        ]
        assert "endpoints not known of blind" in str(app.screen.query_one("#detail").border_title)


async def test_counts_and_mesh_peers_of_clusters(fleet: StillFleet) -> None:
    fleet.store.apply([config("asia", cluster_name="asia", cluster_id="2"), known("asia")])
    async with screen(fleet, (200, 40)) as (app, pilot):
        table = await opened(app, pilot, "clusters")
        await until(app, pilot, lambda: table.total)
        found = {key.name: cells(table, key) for key in table.visible_keys if isinstance(key, Ref)}
        us = found["us"]
        assert (us["version"], us["policies"], us["idle"], us["endpoints"], us["open"]) == ("1.18", "3", "1", "2", "1")
        assert (us["mesh"], us["peers"]) == ("1/us", "≠ id 1 is also eu's · asia")
        assert found["asia"]["peers"] == "eu, us"
        assert (found["blind"]["endpoints"], found["blind"]["open"]) == ("?", "?")


async def test_the_key_opens_it_and_tab_goes_through_the_tables(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.go("policies")
        await at_rest(app, pilot)
        await pilot.press("w")
        await at_rest(app, pilot)
        assert isinstance(app.screen, FleetwideScreen)
        seen = []
        for _ in range(4):
            seen.append(app.screen.chosen.id)
            await pilot.press("tab")
            await at_rest(app, pilot)
        assert seen == ["across", "findings", "open", "clusters"]
        await pilot.press("escape")
        await at_rest(app, pilot)
        assert "fleetwide" not in fleet.looked and not fleet.netpol._owners
