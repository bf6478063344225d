"""Flows on the screen: lines that come, what is shown of them, when they are read, and what opens from them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.ui import shop
from tests.ui.picture import compare
from tests.ui.still import StillFleet, at_rest, screen
from tests.ui.test_policies import IDS, LOOKS, fill, settled
from tui.domain.cilium.hubble.observed import Lost, Observed
from tui.domain.obj import Ref
from tui.fleet.flows import Ring, Status
from tui.ui.app import FleetApp
from tui.ui.panes.flows import FlowsPane
from tui.ui.scope import Scope
from tui.ui.screens.dialogs import Confirm
from tui.ui.screens.flow import FlowScreen
from tui.ui.screens.verdict import VerdictScreen
from tui.ui.screens.words_view import WordsView

EU = "prod-eu"


@pytest.fixture
def fleet() -> StillFleet:
    made = StillFleet()
    fill(made)
    return made


async def opened(app: FleetApp, pilot: Any, cluster: str = EU, **scope: Any) -> FlowsPane:
    await app.shell.go("flows", cluster=cluster, **scope)
    await at_rest(app, pilot)
    assert isinstance(app.shell.pane, FlowsPane)
    return app.shell.pane


async def moved(app: FleetApp, pilot: Any) -> None:
    """Something has come: let the screen take it in."""
    app.fleet.notify()
    app.screen.pull()  # type: ignore[attr-defined]
    await at_rest(app, pilot)


def shown(pane: FlowsPane) -> list[str]:
    """Verdict and port of what is shown."""
    found = []
    for _, _, event, _ in pane.lines._shown:
        record: Any = getattr(event, "record", None)
        found.append("gap" if isinstance(record, Lost) else f"{record.verdict} {record.port}")
    return found


def drop(port: int, at: float = 0.0) -> Observed:
    (held, *_) = [each for each in shop.flows() if isinstance(each, Observed) and each.port == 9090]
    return msgspec.structs.replace(held, port=port, time=shop.NOW + at)


ALL = ["gap", "FORWARDED 8080", "REDIRECTED 8080", "DROPPED 8080", "FORWARDED 40100", "FORWARDED 443", "DROPPED 9090",
       "DROPPED 8443", "AUDIT 22"]  # fmt: skip


async def test_lines_filters_faults_and_pause(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        pane = await opened(app, pilot)
        assert shown(pane) == ALL
        await pilot.press("F")
        await at_rest(app, pilot)
        assert shown(pane) == ["gap", "DROPPED 8080", "DROPPED 9090", "DROPPED 8443", "AUDIT 22"]
        pane.set_filter("payments (")
        assert shown(pane) == []
        pane.set_filter("9090")
        assert shown(pane) == ["DROPPED 9090"]
        await pilot.press("escape", "escape")
        await at_rest(app, pilot)
        assert shown(pane) == ALL
        await pilot.press("space")
        fleet.flows.put(EU, drop(1), drop(2))
        await moved(app, pilot)
        assert shown(pane) == ALL and "paused, 2 behind" in str(pane.border_title)
        await pilot.press("space")
        await at_rest(app, pilot)
        assert shown(pane) == [*ALL, "DROPPED 1", "DROPPED 2"]


async def test_what_agents_tell_late_stands_where_its_time_belongs(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        pane = await opened(app, pilot)
        fleet.flows.put(EU, drop(1, -100), drop(2, -2), drop(3, -5))
        await moved(app, pilot)
        found = shown(pane)
        assert found.index("FORWARDED 443") < found.index("DROPPED 1") < found.index("DROPPED 9090")
        assert found[-2:] == ["DROPPED 2", "DROPPED 3"]  # as they came: they are of now


async def test_only_the_clusters_and_the_namespace_that_are_shown(fleet: StillFleet) -> None:
    fleet.flows.put("prod-us", drop(7))
    async with screen(fleet, (160, 48)) as (app, pilot):
        pane = await opened(app, pilot, "")
        assert fleet.flows.wanted["flows"] >= {EU, "prod-us"} and "DROPPED 7" in shown(pane)
        await app.shell.rescope(Scope(cluster="prod-us"))
        await at_rest(app, pilot)
        assert fleet.flows.wanted["flows"] == {"prod-us"} and shown(pane) == ["DROPPED 7"]
        await app.shell.rescope(Scope(cluster=EU, namespace="nobody"))
        await at_rest(app, pilot)
        assert shown(pane) == ["gap"]


async def test_nothing_is_read_while_another_pane_is_shown(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot)
        assert "flows" in fleet.flows.wanted
        await app.shell.go("events")
        await at_rest(app, pilot)
        assert "flows" not in fleet.flows.wanted
        await pilot.press("left_square_bracket")
        await at_rest(app, pilot)
        assert fleet.flows.wanted["flows"] == {EU}
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, FlowScreen) and "flows" in fleet.flows.wanted


async def test_what_hubble_does_not_tell_fleet_says_and_says_so(fleet: StillFleet) -> None:
    async with screen(fleet, (200, 48)) as (app, pilot):
        pane = await opened(app, pilot)
        records = {record.port: record for record in fleet.flows.recent(EU) if not record.told}
        async with asyncio.timeout(60):
            while pane._judge is None or not all([pane._judge.words(records[port]) for port in (9090, 443)]):
                await moved(app, pilot)
        assert pane._judge.words(records[9090]) == "default deny by payments/payments (fleet)"
        assert pane._judge.words(records[443]) == "allowed by payments/payments (fleet)"
        fleet.store.apply([], [Ref(EU, "ciliumnetworkpolicies.cilium.io", "payments", "payments")])
        async with asyncio.timeout(60):
            while pane._judge.words(records[9090]) != "now allowed, no policy (fleet)":
                await moved(app, pilot)


async def test_flows_of_what_the_cursor_is_on(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.go("objects", "pods", cluster=EU)
        await at_rest(app, pilot)
        pane: Any = app.shell.pane
        pane.table.move_to(Ref(EU, "pods", "payments", "payments-6d4f-z9q4m"))
        await pilot.press("f")
        await at_rest(app, pilot)
        assert isinstance(app.shell.pane, FlowsPane)
        assert app.shell.scope == Scope(cluster=EU, namespace="payments")
        assert app.shell.pane.filter == "payments-6d4f-z9q4m" and "AUDIT 22" not in shown(app.shell.pane)


async def test_flows_of_an_application_and_of_a_node(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.go("applications")
        await at_rest(app, pilot)
        pane: Any = app.shell.pane
        pane.table.move_to(Ref(shop.HUB, "applications.argoproj.io", "argocd", "payments-prod-eu"))
        await pilot.press("f")
        await at_rest(app, pilot)
        assert app.shell.scope == Scope(cluster=EU, namespace="payments")
        pane = await opened(app, pilot, namespace="")
        pane.set_filter("prod-eu-node-1")
        assert shown(pane) == ALL


async def test_why_there_is_nothing_is_said(fleet: StillFleet) -> None:
    fleet.flows.rings.clear()
    fleet.flows.states[EU] = Status("denied", "logs of cilium-agent may not be read (pods/log): forbidden")
    async with screen(fleet) as (app, pilot):
        pane = await opened(app, pilot)
        assert "(pods/log): forbidden" in " ".join(pane.lines._said)
        await app.shell.rescope(Scope())
        await at_rest(app, pilot)
        assert any(line.startswith(f"{EU}: logs of cilium-agent") for line in pane.lines._said)


async def test_what_memory_has_dropped_is_told(fleet: StillFleet) -> None:
    fleet.flows.rings[EU] = Ring(kept=3)
    fleet.flows.put(EU, drop(1))
    async with screen(fleet) as (app, pilot):
        pane = await opened(app, pilot)
        fleet.flows.put(EU, *(drop(port) for port in range(2, 9)))
        await moved(app, pilot)
        assert shown(pane) == ["DROPPED 1", "gap", "DROPPED 6", "DROPPED 7", "DROPPED 8"]


async def detail(app: FleetApp, pilot: Any, port: int) -> str:
    (record,) = [r for r in app.fleet.flows.recent(EU) if r.port == port and r.verdict in ("DROPPED", "AUDIT")]
    app.push_screen(FlowScreen(EU, record))
    await pilot.pause()
    await settled(app, pilot)
    return app.screen.query_one(WordsView).text()


async def test_a_flow_with_the_verdict_of_now(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        text = await detail(app, pilot, 9090)
        assert "dropped at the destination, 2026-11-22 08:58:30, in prod-eu" in text
        assert "✖ denied" in text and "Ingress of payments/payments-6d4f-z9q4m" in text
        assert "e drafts the smallest rule that lets it pass" in text
        text = await detail(app, pilot, 8443)
        assert "no rule to draft: a rule denies it (POLICY_DENY)" in text and "payments/payments" in text
        fleet.store.apply([], [Ref(EU, "ciliumnetworkpolicies.cilium.io", "payments", "payments")])
        text = await detail(app, pilot, 9090)
        assert "✔ allowed" in text and "not as it was recorded (denied): policies have changed since" in text


async def test_v_asks_about_the_two_ends_of_a_flow(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        await detail(app, pilot, 9090)
        await pilot.press("v")
        await settled(app, pilot)
        assert isinstance(app.screen, VerdictScreen)
        assert (app.screen.question.port, app.screen.question.cluster) == (9090, EU)
        assert app.screen.query_one("#answer", WordsView).text().startswith("✖ denied")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, FlowScreen)


async def test_e_says_why_there_is_no_rule(fleet: StillFleet) -> None:
    told: list[str] = []
    async with screen(fleet, (160, 48)) as (app, pilot):
        app.say = lambda text, *more, **most: told.append(text)  # type: ignore[method-assign]
        await detail(app, pilot, 8443)
        await pilot.press("e")
        await at_rest(app, pilot)
        assert told[-1].startswith("no rule to draft: a rule denies it (POLICY_DENY)"), told


@pytest.mark.parametrize(
    ("port", "rule", "place"),
    [
        (9090, "allow ingress from app=checkout in checkout, port 9090/TCP", "into payments/payments"),
        (22, "allow egress to host, port 22/TCP", "into checkout/checkout"),
    ],
)
async def test_e_shows_the_rule_and_what_it_would_do(fleet: StillFleet, port: int, rule: str, place: str) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        await detail(app, pilot, port)
        await pilot.press("e")
        async with asyncio.timeout(60):
            while not isinstance(app.screen, Confirm):
                await pilot.pause()
        facts = " ".join(app.screen._facts)
        assert rule in facts and place in facts and " once, 2026-11-22T08:5" in facts
        await pilot.press("n")
        await at_rest(app, pilot)
        assert isinstance(app.screen, FlowScreen)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=IDS)
async def test_how_a_flow_looks(fleet: StillFleet, size: tuple[int, int], theme: str) -> None:
    async with screen(fleet, size, theme) as (app, pilot):
        await detail(app, pilot, 9090)
        compare(app, f"flow-{size[0]}x{size[1]}-{theme}")
