"""The tour: it names keys that there are, goes on by doing, and is on whatever screen is open."""

from __future__ import annotations

import re

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.settings import Settings
from tui.ui import keys, keytable
from tui.ui.screens.detail import DetailScreen
from tui.ui.tour import END, STEPS, TourBar, words


def test_it_has_ten_steps_and_every_key_in_it_is_the_users() -> None:
    assert len(STEPS) == 10
    table, _ = keytable.made("fleet", {"faults": "f12", "save": ""})
    for text in (*(step.text for step in STEPS), END):
        assert {name for name in re.findall(r"<(\w+)>", text)} <= {a.id for a in (*keys.ACTIONS, *keys.MOVES)}
        assert "<" not in words(text, table).plain
    assert words(STEPS[1].text, table).plain.startswith("f12 leaves")
    assert ":save checks it" in words(STEPS[7].text, table).plain


async def test_it_goes_on_when_a_step_is_done_and_ends_when_told(fleet: StillFleet) -> None:
    async with screen(fleet, settings=Settings()) as (app, pilot):

        async def stands(title: str) -> None:
            while title not in str(app.screen.query_one(TourBar).border_title if app.screen.query(TourBar) else ""):
                await pilot.pause()

        await pilot.press("colon", *"tour", "enter")
        await stands("1/10")
        await pilot.press("j", "j", "j", "j")
        await stands("2/10")
        await pilot.press("F")
        await stands("3/10")
        await pilot.press("F", "slash", *"pay", "enter")
        await stands("4/10")
        await pilot.press("escape", "enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        await stands("5/10")
        await pilot.press("colon", *"tour next", "enter")
        await stands("6/10")
        await pilot.press("colon", *"tour", "enter")
        while app.screen.query(TourBar) or app.shell.query(TourBar):
            await pilot.pause()
