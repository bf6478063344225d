"""The pulse of the fleet on the screen."""

from __future__ import annotations

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.pulse import Pulse
from tui.ui.panes import pulse as pulse_pane
from tui.ui.panes.pulse import PulsePane
from tui.ui.scope import Scope
from tui.ui.screens.detail import DetailScreen


class Counted(StillFleet):
    """Counts how often its pulse is taken."""

    taken = 0

    def pulse(self) -> tuple[Pulse, ...]:
        self.taken += 1
        return super().pulse()


def pane(app) -> PulsePane:
    assert isinstance(app.shell.pane, PulsePane)
    return app.shell.pane


async def test_it_says_first_what_is_not_seen(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"pulse", "enter")
        await at_rest(app, pilot)
        said = pane(app).summary.text().splitlines()
        assert said[0] == "fleet sees 6 of 8 clusters · hubs: hub-eu live"
        assert said[1].startswith("blind in 1: edge-kiosk-7 since 5m") and said[2].startswith("stale 1, oldest 5m: ")
        states = [fleet.store.get(key).obj.state.value for key in pane(app).table.visible_keys]
        assert states == ["Unreachable", "Stale", *["Live"] * 6], "what is in the way comes first"


async def test_enter_filter_and_scope_are_those_of_every_table(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.go("pulse")
        await pilot.press("slash", *"prod-us", "enter")
        assert [key.name for key in pane(app).table.visible_keys] == ["prod-us"]
        await pilot.press("enter")
        assert isinstance(app.screen, DetailScreen) and app.screen.ref.name == "prod-us"
        await pilot.press("escape", "escape")
        await app.shell.rescope(Scope(cluster="prod-eu"))
        await at_rest(app, pilot)
        assert [key.name for key in pane(app).table.visible_keys] == ["prod-eu"]
        assert pane(app).summary.text().startswith("fleet sees all 1 cluster")


async def test_nothing_is_taken_while_nobody_looks() -> None:
    fleet = Counted()
    async with screen(fleet) as (app, pilot):
        assert fleet.taken == 0
        await app.shell.go("pulse")
        await at_rest(app, pilot)
        assert fleet.taken > 0
        await app.shell.go("clusters")
        before, pulse_pane.PERIOD = fleet.taken, 0.0
        try:
            app.shell.pull()
            assert fleet.taken == before
            await app.shell.go("pulse")
            assert fleet.taken > before
        finally:
            pulse_pane.PERIOD = 0.9


async def test_what_no_cluster_says_stays_in_the_summary_and_is_told_each_time_it_comes(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.go("pulse")

        def told() -> list[str]:
            return [note.message for note in app._notifications]

        for times in (1, 2):
            fleet.problems = ["config is gone; its clusters are kept as they were read before"]
            fleet.news.append("kubeconfig read again · gone: a")
            fleet.notify()
            await at_rest(app, pilot)
            pane(app)._moment = 0.0  # a second later
            app._post_tick()
            await at_rest(app, pilot)
            assert pane(app).summary.text().splitlines()[-1].startswith("config is gone; its clusters are kept")
            assert told().count(fleet.problems[0]) == times and told().count("kubeconfig read again · gone: a") == times
            fleet.problems = []
            pane(app)._moment = 0.0
            app._post_tick()
            await at_rest(app, pilot)
            assert "config is gone" not in pane(app).summary.text()
