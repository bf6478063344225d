"""Nobody mistakes production for anything else: tree, columns, header, and whatever commits or pushes."""

from __future__ import annotations

from textual.widgets import Static

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.settings import AccentRule, Settings
from tui.ui.accents import named
from tui.ui.bars import Header
from tui.ui.scope import Scope
from tui.ui.screens.dialogs import Confirm, TypeToConfirm


def badge_of(app) -> tuple[str, str]:
    last = app.screen.query_one(Header).spans()[-1]
    return last.text.strip(), last.look


async def test_production_is_loud_in_tree_column_header_and_dialogs() -> None:
    async with screen(StillFleet()) as (app, pilot):
        assert badge_of(app)[0] == ""  # the whole fleet is not production
        nodes = app.screen.query_one("#tree").nodes
        tones = {node.id: node.label[-1].tone for node in (*nodes.children(("group", "prod")), *nodes.children(None))}
        assert tones["cluster", "prod-eu"] is tones["group", "prod"] is Tone.LOUD
        assert tones["group", "dev"] is Tone.PLAIN
        pane = app.shell.pane
        column = [column.id for column in pane.shape.columns].index("destination")
        made = {
            row.ref.name: pane.shape.row(row, app.fleet.facts).cells[column]
            for row in app.fleet.store.rows("applications.argoproj.io")
        }
        assert made["payments-prod-eu"] == Cell("prod-eu", Tone.LOUD)
        assert pane.shape.columns[column].show("prod-eu", 0.0).tone is Tone.LOUD  # when ages are shown again
        assert made["search-staging"].tone is not Tone.LOUD

        await app.shell.rescope(Scope(cluster="prod-eu"))
        await at_rest(app, pilot)
        assert badge_of(app) == ("▲ prod-eu", "on-loud")
        await app.shell.rescope(Scope(group=("prod",)))
        await at_rest(app, pilot)
        assert badge_of(app) == ("▲ prod", "on-loud")
        await app.shell.rescope(Scope(cluster="staging-eu"))
        await at_rest(app, pilot)
        assert badge_of(app)[0] == ""

        for dialog in (Confirm("Push?", production=["prod-eu"]), TypeToConfirm("Push?", (), "x", ["prod-eu"])):
            app.push_screen(dialog)
            await at_rest(app, pilot)
            assert str(dialog.query_one("Static.loud", Static).content) == "▲ prod-eu is production"
            assert dialog.query_one(".dialog").has_class("loud")
            await pilot.press("escape")


async def test_the_configuration_says_what_else_is_marked() -> None:
    rules = (AccentRule(match="prod-*", tone="none"), AccentRule(match="staging-*", tone="accent"))
    async with screen(StillFleet(), settings=Settings(accents=rules)) as (app, pilot):
        for cluster, shown in (("prod-eu", ""), ("staging-eu", "staging-eu")):
            await app.shell.rescope(Scope(cluster=cluster))
            await at_rest(app, pilot)
            assert badge_of(app)[0] == shown
        assert app.accents.loud(["prod-eu", "staging-eu"]) == []


def test_many_clusters_are_counted() -> None:
    assert named([]) == ""
    assert named(list("abcde")) == "▲ a, b, c and 2 more"
