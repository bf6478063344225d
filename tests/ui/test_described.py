"""Describe on the screen."""

from __future__ import annotations

from tests.domain.rows import meta, row
from tests.ui.still import StillFleet, at_rest, screen
from tui.ui.obey import obey
from tui.ui.screens.described import DescribeView
from tui.ui.screens.detail import DetailScreen


async def test_d_describes_and_the_text_can_be_searched_and_copied(fleet: StillFleet) -> None:
    labels = {"note": "\x1b[31mred"}
    fleet.store.apply([row("prod-eu", "configmaps", {"metadata": meta("settings", labels=labels), "data": {"a": "b"}})])
    async with screen(fleet, (100, 40)) as (app, pilot):
        await obey(app, "cm @prod-eu /settings")
        await at_rest(app, pilot)
        await pilot.press("d")
        await at_rest(app, pilot)
        detail = app.screen
        assert isinstance(detail, DetailScreen) and detail.chosen.id == "describe"
        view = detail.query_one(DescribeView)
        text = view.text()
        assert text.startswith("ConfigMap settings\n  Cluster                prod-eu\n")
        assert "\nEvents\n" in text and "\nData\n" in text
        assert view.search("events") == 1
        await pilot.press("c")
        assert app.clipboard == text


async def test_what_has_words_of_its_own_is_described_by_them(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("d")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen) and app.screen.chosen.id == "summary"
