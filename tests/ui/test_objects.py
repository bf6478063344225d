"""Kinds that only their servers know the columns of, on the screen."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from textual.pilot import Pilot

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.cluster import CLUSTERS, KindState, KindStatus
from tui.domain.kinds.catalogue import Catalogue, union
from tui.domain.kinds.tabled import Definition, Layout, Tabled, layout
from tui.domain.obj import Meta, Ref, Row
from tui.domain.ports import Served
from tui.ui.app import FleetApp
from tui.ui.obey import obey
from tui.ui.panes.objects import ObjectsPane
from tui.ui.panes.table import TablePane
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.dialogs import Choice

WIDGETS = "widgets.example.com"
SERVED = Served("widgets", "Widget", "example.com", ("v1",), True, "widget", ("wi",), ("list", "watch"))
OLD = layout([Definition("Name", format="name"), Definition("Phase")])
NEW = layout([Definition("Name", format="name"), Definition("Phase"), Definition("Owner", priority=1)])


def row(cluster: str, name: str, cells: tuple[str, ...], of: Layout, **labels: str) -> Row:
    meta = Meta(name, "shop", resource_version="1", creation_timestamp="2026-11-22T08:00:00Z", labels=labels)
    return Row(Ref(cluster, WIDGETS, "shop", name), Tabled(meta, cells, of))


@pytest.fixture
def served(fleet: StillFleet) -> StillFleet:
    """Widgets on one cluster, in words that a terminal would act on."""
    fleet.offers.catalogue = Catalogue(union([("prod-eu", {WIDGETS: SERVED})]), ("prod-eu", "prod-us", "hub-eu"))
    fleet.store.apply([row("prod-eu", "gear", ("gear", "\x1b[31mRunning[/]"), OLD, app="gear")])
    return fleet


async def until(app: FleetApp, pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the panes take in what has changed until it shows."""
    for _ in range(100):
        if condition():
            return
        app.shell.pull()
        await at_rest(app, pilot)
    raise AssertionError("it does not show")


def titles(pane: ObjectsPane) -> list[str]:
    return [column.title for column in pane.shape.columns if not column.wide]


async def test_a_kind_opens_with_its_servers_columns_and_others_come_with_their_rows(served: StillFleet) -> None:
    async with screen(served) as (app, pilot):
        await obey(app, "wi")
        await at_rest(app, pilot)
        pane = app.shell.pane
        assert isinstance(pane, ObjectsPane) and served.looked["pane"] == (frozenset({WIDGETS}), None)
        assert titles(pane) == ["CLUSTER", "NAMESPACE", "NAME", "PHASE", "AGE"]
        served.store.apply([row("prod-us", "wheel", ("wheel", "Failed", "me"), NEW, app="wheel")])
        await until(app, pilot, lambda: pane.table.visible_count == 2)
        assert next(column.title for column in pane.shape.columns if column.wide) == "OWNER"
        assert [key.name for key in pane.table.visible_keys] == ["gear", "wheel"]  # type: ignore[union-attr]
        await obey(app, "widgets @prod-us")
        await at_rest(app, pilot)
        assert titles(pane) == ["NAMESPACE", "NAME", "PHASE", "AGE"]
        assert [key.name for key in pane.table.visible_keys] == ["wheel"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("wi -l app=gear", ["gear"]),
        ("wi -l app in (gear, wheel)", ["gear", "wheel"]),
        ("wi -l app!=gear -n shop", ["wheel"]),
        ("wi -nother", []),
        ("wi -A /whe", ["wheel"]),
    ],
)
async def test_options_narrow(served: StillFleet, line: str, names: list[str]) -> None:
    served.store.apply([row("prod-us", "wheel", ("wheel", "Failed", "me"), NEW, app="wheel")])
    async with screen(served, (80, 24)) as (app, pilot):
        await obey(app, line)
        await at_rest(app, pilot)
        assert isinstance(pane := app.shell.pane, ObjectsPane)
        assert [key.name for key in pane.table.visible_keys] == names  # type: ignore[union-attr]
        await obey(app, "wi -A")
        await at_rest(app, pilot)
        assert pane.table.visible_count == 2


async def test_the_clusters_that_say_nothing_of_a_kind_are_named(served: StillFleet) -> None:
    for name, state in (("prod-us", KindState.DENIED), ("hub-eu", KindState.ABSENT)):
        held = served.store.get(Ref(name, CLUSTERS, "", name))
        assert held is not None
        cluster = msgspec.structs.replace(held.obj, kinds=held.obj.kinds | {WIDGETS: KindStatus(state)})
        served.store.apply([msgspec.structs.replace(held, obj=cluster)])
    async with screen(served) as (app, pilot):
        await obey(app, WIDGETS)
        await at_rest(app, pilot)
        assert str(app.shell.pane.border_subtitle) == "1 · denied in prod-us, not served in hub-eu"  # type: ignore[union-attr]


async def test_the_list_of_kinds_has_what_only_some_clusters_serve(served: StillFleet) -> None:
    async with screen(served) as (app, pilot):
        await pilot.press("ctrl+a")
        await at_rest(app, pilot)
        assert isinstance(app.screen, Choice)
        told = {id: words for id, _, words in app.screen._choices}
        assert told[WIDGETS] == "widgets, wi   example.com   1 of 3 clusters"
        assert told["pods"].startswith("pods, po")


async def test_a_second_hub_brings_its_column(fleet: StillFleet) -> None:
    async with screen(fleet, (200, 30)) as (app, pilot):
        pane = app.shell.pane
        assert isinstance(pane, TablePane) and "HUB" not in [c.title for c in pane.shape.columns if not c.wide]
        other = fleet.store.get(Ref("prod-eu", CLUSTERS, "", "prod-eu"))
        application = next(fleet.store.rows(APPLICATIONS))
        assert other is not None
        moved = msgspec.structs.replace(application, ref=msgspec.structs.replace(application.ref, cluster="prod-eu"))
        hub = msgspec.structs.replace(other, obj=msgspec.structs.replace(other.obj, hub=True))
        before = pane.table.visible_count
        fleet.store.apply([hub, moved])
        await until(app, pilot, lambda: "HUB" in [c.title for c in pane.shape.columns if not c.wide])
        await until(app, pilot, lambda: pane.table.visible_count == before + 1)
