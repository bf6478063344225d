"""What takes its time is told while it lasts."""

from __future__ import annotations

import asyncio

import pytest

from tests.ui.still import StillFleet, at_rest, screen
from tui.ui.bars import Header
from tui.ui.scope import Scope, View


async def test_work_that_takes_its_time_is_in_the_header_until_it_is_done() -> None:
    async with screen(StillFleet()) as (app, pilot):
        done = asyncio.Event()
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            await done.wait()
            await app.answer_of(asked)

        def told() -> bool:
            return any("finding the source of x" in span.text for span in app.screen.query_one(Header).spans())

        app.do(work(), "finding the source of x", hold=False)
        assert not told()  # most is done before anybody could read it
        while not told():
            await pilot.pause(0.02)
        done.set()  # it asks the user: nobody waits for the work then
        while app.doing():
            await pilot.pause(0.02)
        app.on_tick()
        assert not told()
        asked.set_result(None)
        await at_rest(app, pilot)
        assert not app.doing()


@pytest.mark.parametrize(
    ("scope", "faults", "filtered", "said"),
    [
        (Scope(), False, "zzz", "nothing matches the filter\nesc shows all"),
        (Scope(cluster="edge-kiosk-7"), False, "", "ctrl-r tries again now"),
        (Scope(cluster="prod-us", namespace="none-such"), False, "", "none in none-such\n0 shows all namespaces"),
        (Scope(cluster="prod-us", namespace="none-such"), True, "", "nothing is wrong\nF shows everything"),
    ],
)
async def test_an_empty_list_says_why_and_what_to_press(scope: Scope, faults: bool, filtered: str, said: str) -> None:
    async with screen(StillFleet()) as (app, pilot):
        await app.shell.visit(View("objects", "services", scope, filtered, faults))
        await at_rest(app, pilot)
        assert said in app.shell.pane._nothing()
