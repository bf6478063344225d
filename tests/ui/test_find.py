"""`:find` on the screen."""

from __future__ import annotations

from tests.domain.rows import meta, row
from tests.ui.still import StillFleet, at_rest, screen
from tui.ui.obey import obey
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.find import FindScreen


async def test_find_lists_what_has_the_text_and_enter_opens_it(fleet: StillFleet) -> None:
    spec = {"containers": [{"image": "needle:\x1b[31m1"}]}
    fleet.store.apply([row("prod-eu", "pods", {"metadata": meta("hay"), "spec": spec})])
    async with screen(fleet) as (app, pilot):
        await obey(app, "find needle")
        await at_rest(app, pilot)
        found = app.screen
        assert isinstance(found, FindScreen)
        assert [(hit.kind, hit.name, hit.how) for hit in [found.here()] if hit] == [("Pod", "hay", "content")]
        note = str(found.query_one("#detail").border_subtitle)
        assert note.startswith("1 found · in ") and note.endswith(" objects, 0 repositories")
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.ref.name == "hay"
        await pilot.press("q", "u")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.chosen.id == "xray"


async def test_what_is_nowhere_is_said_and_find_alone_asks_for_a_text(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await obey(app, "find no-such-thing-anywhere")
        await at_rest(app, pilot)
        assert isinstance(app.screen, FindScreen) and app.screen.here() is None
        await pilot.press("q")
        await obey(app, "find")
        await at_rest(app, pilot)
        assert not isinstance(app.screen, FindScreen)
