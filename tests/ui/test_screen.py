"""The screen by keys, over a fleet that stands still."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.cluster import NO_CONTEXT
from tui.domain.obj import Ref
from tui.domain.tail import TailEvent
from tui.ui import keys
from tui.ui.app import Tick
from tui.ui.obey import obey
from tui.ui.panes import table as table_pane
from tui.ui.panes.drafts import DraftsPane
from tui.ui.panes.events import EventsPane
from tui.ui.panes.table import TablePane
from tui.ui.panes.tree import TreePane
from tui.ui.prompt import Prompt, _Proposals
from tui.ui.scope import APPLICATIONS, Scope
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.dialogs import Choice, Confirm, Help
from tui.ui.screens.welcome import Welcome
from tui.ui.screens.words_view import WordsView
from tui.ui.widgets.tree import LazyTree


def shown(app) -> list[str]:
    """Names in the table, in their order."""
    return [key.name for key in app.shell.pane.table.visible_keys]


async def test_it_opens_on_every_application(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, _):
        assert shown(app) == sorted(name for name, *_ in shop.APPLICATIONS)
        assert fleet.looked["pane"] == (frozenset({APPLICATIONS}), None)


async def test_filter_as_one_types(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("slash", *"pay")
        assert shown(app) == ["payments-prod-eu", "payments-prod-us"]
        await pilot.press("enter", "escape")
        assert len(shown(app)) == len(shop.APPLICATIONS)
        await pilot.press("slash", *"!prod", "enter")
        assert "payments-prod-eu" not in shown(app)
        assert "search-staging" in shown(app)


async def test_a_filter_of_conditions_is_completed_with_what_there_is(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):

        def proposed() -> list[tuple[str, str]]:
            return [(each.line, each.help) for each in app.screen.query_one(Prompt).query_one(_Proposals).proposals]

        await pilot.press("slash", *"hea")
        assert proposed() == [("health=", "by HEALTH")]
        await pilot.press("tab")
        counted = Counter(
            app.fleet.store.get(key).obj.status.health.status for key in app.shell.pane.table.visible_keys
        )
        ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
        assert proposed() == [(f"health={word}", f"{number}") for word, number in ranked]
        await pilot.press(*"deg", "down", "enter")
        held = {app.fleet.store.get(key).obj.status.health.status for key in app.shell.pane.table.visible_keys}
        assert held == {"Degraded"}
        await pilot.press("slash", *" name!=pay* age<soon")
        assert held and not [name for name in shown(app) if name.startswith("pay")]
        await pilot.pause()
        assert "'soon' is no length of time" in str(app.shell.pane.border_title)
        await pilot.press("escape", "escape")
        assert len(shown(app)) == len(shop.APPLICATIONS)


async def test_labels_letters_and_expressions_filter_too(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await obey(app, "pods")
        await at_rest(app, pilot)
        every = app.shell.pane.table.visible_keys
        labelled = [key for key in every if (fleet.store.get(key).obj.metadata.labels or {}).get("app") == "payments"]
        assert 0 < len(labelled) < len(every)
        for query, wanted in (
            ("-l app=payments", labelled),
            ("/^payments-.*-x/", [key for key in every if re.match("payments-.*-x", key.name)]),
            ("-f pymtsz9", [key for key in every if "z9" in key.name and key.name.startswith("payments")]),
        ):
            app.shell.pane.set_filter(query)
            assert wanted and app.shell.pane.table.visible_keys == wanted, query


async def test_what_is_shown_is_written_to_a_new_file(fleet: StillFleet, tmp_path: Path) -> None:
    async with screen(fleet) as (app, pilot):

        async def write(path: Path, words: str) -> None:
            await pilot.press("ctrl+s", "ctrl+a", "ctrl+k", *str(path), "enter")
            await at_rest(app, pilot)
            assert any(words in str(toast.message) for toast in app._notifications), words

        await pilot.press("slash", *"pay", "enter")
        await write(tmp_path / "a.json", f"wrote {tmp_path / 'a.json'}")
        names = [each["name"] for each in json.loads((tmp_path / "a.json").read_text())]
        assert names == ["payments-prod-eu", "payments-prod-us"] and (tmp_path / "a.json").stat().st_mode & 0o77 == 0
        await write(tmp_path / "a.json", "File exists")
        await write(tmp_path / "a.doc", "it says the format")
        await pilot.press("space")
        await write(tmp_path / "b.csv", "wrote")
        assert len((tmp_path / "b.csv").read_text().splitlines()) == 2, "a title, and the row that is marked"


async def test_giving_up_a_filter_takes_it_back(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("slash", *"pay", "enter")
        await pilot.press("slash", *"x", "escape")
        assert shown(app) == ["payments-prod-eu", "payments-prod-us"]
        assert not app.screen.query(Prompt)


async def test_faults_show_what_is_wrong(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("F")
        wrong = {
            name for name, *_, sync, health, _, _, _ in shop.APPLICATIONS if (sync, health) != ("Synced", "Healthy")
        }
        wrong -= {"storefront-prod-us", "reports-nightly"}  # Progressing and Suspended are no faults
        assert set(shown(app)) == wrong
        await pilot.press("F")
        assert len(shown(app)) == len(shop.APPLICATIONS)


async def test_shift_and_a_letter_sort(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("H")
        assert app.shell.pane.table.sorting == ("health", False)
        await pilot.press("H")
        assert app.shell.pane.table.sorting == ("health", True)
        await pilot.press("N")
        assert app.shell.pane.table.sorting == ("name", False)


async def test_a_letter_reaches_every_column_on_the_screen_that_starts_with_it_and_no_other(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        table = app.shell.pane.table
        seen = []
        for _ in range(5):
            await pilot.press("S")
            seen.append(table.sorting)
        assert seen == [("sync", False), ("sync", True), ("operated", False), ("operated", True), ("sync", False)]
        assert "autoSync" not in table.shown_columns
        await pilot.press("A")
        assert table.sorting == ("created", False)


async def test_wide_shows_more_columns(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("ctrl+w")
        assert app.shell.pane.table.wide
        await pilot.press("ctrl+w")
        assert not app.shell.pane.table.wide


async def test_a_kind_by_its_short_name_with_cluster_and_filter(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"po @prod-eu /crash", "enter")
        await at_rest(app, pilot)
        assert shown(app) == ["payments-6d4f-z9q4m"]
        assert fleet.looked["pane"] == (frozenset({"pods"}), frozenset({"prod-eu"}))
        columns = [column.id for column in app.shell.pane.shape.columns]
        assert "cluster" not in columns and "namespace" in columns


async def test_views_go_back_and_forward(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"pol", "enter")
        await pilot.press("E")
        await at_rest(app, pilot)
        assert isinstance(app.shell.pane, EventsPane)
        await pilot.press("left_square_bracket")
        assert app.shell.pane.view.pane == "policies"
        await pilot.press("left_square_bracket")
        assert app.shell.pane.view.pane == "applications"
        await pilot.press("right_square_bracket")
        assert app.shell.pane.view.pane == "policies"
        await pilot.press("minus")
        assert app.shell.pane.view.pane == "applications"


async def test_a_detail_left_is_the_view_after(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("y")
        await at_rest(app, pilot)
        ref = app.screen.ref
        await pilot.press("escape", "right_square_bracket")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert (app.screen.ref, app.screen.chosen.id) == (ref, "manifest")
        await pilot.press("escape", "E", "left_square_bracket", "right_square_bracket")
        await at_rest(app, pilot)
        assert isinstance(app.shell.pane, EventsPane) and app.screen is app.shell


async def test_going_back_brings_the_filter_back(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("slash", *"pay", "enter")
        await pilot.press("E", "left_square_bracket")
        await at_rest(app, pilot)
        assert shown(app) == ["payments-prod-eu", "payments-prod-us"]


async def test_enter_opens_and_escape_closes(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("down", "enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.ref.name == "checkout-prod-eu"
        assert [tab.id for tab in app.screen.tabs] == ["summary", "resources", "manifest", "history", "events"]
        await pilot.press("tab", "tab")
        assert app.screen.chosen.id == "manifest"
        await pilot.press("shift+tab")
        assert app.screen.chosen.id == "resources"
        await pilot.press("escape")
        assert app.screen is app.shell
        assert "detail" not in fleet.looked and "resources" not in fleet.looked


async def test_y_opens_the_manifest_and_searches_it(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("y")
        await at_rest(app, pilot)
        assert app.screen.chosen.id == "manifest"
        viewer = app.screen._views["manifest"]
        assert "kind: Application" in viewer.text
        await pilot.press("slash", *"targetRevision", "enter")
        assert "targetRevision" in viewer.line_text(viewer.line - 1)
        first = viewer.line
        await pilot.press("n")
        assert viewer.line > first
        await pilot.press("N")
        assert viewer.line == first


@pytest.mark.parametrize("key", ["s", "x", "R", "ctrl+l"])
async def test_what_fleet_never_does_is_said_and_not_done(fleet: StillFleet, key: str) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press(key)
        await at_rest(app, pilot)
        told = [notification.message for notification in app._notifications]
        assert told and told[0] in {action.instead for action in keys.ACTIONS}


async def test_s_says_what_fits_the_kind(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"deploy", "enter")
        await at_rest(app, pilot)
        await pilot.press("s")
        assert "scales" in [notification.message for notification in app._notifications][-1]


async def test_q_asks_at_the_first_view(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("q")
        assert isinstance(app.screen, Confirm)
        await pilot.press("n")
        assert app.screen is app.shell
        await pilot.press("E", "q")
        await at_rest(app, pilot)
        assert app.shell.pane.view.pane == "applications"
        await pilot.press("q", "y")
        assert not app.is_running or app._exit


async def test_colon_q_quits(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", "q", "enter")
        await pilot.pause()
        assert app._exit


async def test_help_shows_what_works_here_first(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("E", "question_mark")
        await at_rest(app, pilot)
        assert isinstance(app.screen, Help)
        assert next(where for where, _, _ in app.screen._told) == keys.PLACES["events"]
        await pilot.press("escape")
        assert app.screen is app.shell


async def test_the_tree_scopes_every_pane(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        tree = app.shell.query_one(TreePane)
        assert tree.lines.move_to(("cluster", "prod-us"))
        tree.take_focus()
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert app.shell.scope == Scope(cluster="prod-us")
        assert set(shown(app)) == {"storefront-prod-us", "checkout-prod-us", "payments-prod-us"}
        await pilot.press("colon", *"pol", "enter")
        await at_rest(app, pilot)
        assert {key.cluster for key in app.shell.pane.table.visible_keys} == {"prod-us"}
        await pilot.press("E")
        await at_rest(app, pilot)
        assert {event.cluster for _, _, event, _ in app.shell.pane.tail._shown} == {"prod-us"}


async def test_opening_a_namespace_watches_its_workloads(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        lines = app.shell.query_one(TreePane).lines
        for node in (("cluster", "prod-eu"), ("namespaces", "prod-eu"), ("namespace", "prod-eu", "payments")):
            lines.expand_node(node)
        await at_rest(app, pilot)
        assert "pods" in fleet.looked["tree"][0]
        assert fleet.looked["tree"][1] == frozenset({"prod-eu"})
        deployment = Ref("prod-eu", "deployments.apps", "payments", "payments")
        lines.expand_node(deployment)
        assert Ref("prod-eu", "pods", "payments", "payments-6d4f-z9q4m") in lines.visible_ids
        lines.collapse_node(("namespace", "prod-eu", "payments"))
        await at_rest(app, pilot)
        assert "tree" not in fleet.looked


async def test_changes_reach_only_what_is_shown(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        hidden = app.shell.pane
        await pilot.press("E")
        await at_rest(app, pilot)
        changed = list(shop.APPLICATIONS[1])
        changed[5] = "Degraded"
        fleet.store.apply([shop.row(shop.HUB, APPLICATIONS, shop.application(*changed))])
        before = hidden.table._rows.get(Ref(shop.HUB, APPLICATIONS, "argocd", changed[0])).texts
        fleet.notify()
        await at_rest(app, pilot)
        assert hidden.table._rows.get(Ref(shop.HUB, APPLICATIONS, "argocd", changed[0])).texts == before
        await pilot.press("left_square_bracket")
        await at_rest(app, pilot)
        now = hidden.table._rows.get(Ref(shop.HUB, APPLICATIONS, "argocd", changed[0])).texts
        assert any("Degraded" in text for text in now)


async def test_between_two_portions_of_rows_the_loop_reads_keys(
    fleet: StillFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_pane, "MOST", table_pane.BATCH)  # one batch is a portion
    async with screen(fleet) as (app, pilot):
        loop, turn = asyncio.get_running_loop(), 0
        portions: list[tuple[int, int]] = []

        def next_turn() -> None:
            nonlocal turn
            turn += 1
            loop.call_soon(next_turn)

        portion = TablePane._portion

        def noted(self: TablePane, end: float) -> tuple[list[Ref], list[Ref]]:
            wanted, unwanted = portion(self, end)
            if wanted:
                portions.append((turn, len(wanted) + len(unwanted)))
            return wanted, unwanted

        monkeypatch.setattr(TablePane, "_portion", noted)
        next_turn()
        first = shop.APPLICATIONS[0]
        many = [shop.application(f"more-{number:03}", *first[1:]) for number in range(500)]
        fleet.store.apply([shop.row(shop.HUB, APPLICATIONS, each) for each in many])
        for _ in range(3):  # however many ask for more
            fleet.notify()
            app.tick_again()
        while app.shell.pane.table.total < len(shop.APPLICATIONS) + 500:
            await pilot.pause()
        turns = [turn for turn, _ in portions]
        assert len(turns) == len(set(turns)) and max(count for _, count in portions) <= table_pane.BATCH


async def test_a_removed_object_leaves_the_table_and_its_detail_says_so(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        ref = app.shell.pane.table.cursor_key
        await pilot.press("enter")
        await at_rest(app, pilot)
        fleet.store.apply([], [ref])
        fleet.notify()
        await pilot.pause(0.05)
        await at_rest(app, pilot)
        assert "is gone" in str(app.screen.query_one("#detail").border_title)
        await pilot.press("escape")
        await at_rest(app, pilot)
        assert ref.name not in shown(app)


async def test_events_pause_and_lose_nothing(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("E")
        await at_rest(app, pilot)
        tail = app.shell.pane.tail
        before = tail.visible_count
        await pilot.press("space")
        for number in range(3):
            fleet.tail.add(TailEvent(shop.NOW, "prod-eu", "argocd/x", "Synced", f"event {number}"))
        fleet.notify()
        await pilot.pause(0.05)
        await at_rest(app, pilot)
        assert tail.visible_count == before
        assert "3 behind" in str(app.shell.pane.border_title)
        await pilot.press("space")
        await at_rest(app, pilot)
        assert tail.visible_count == before + 3


async def test_enter_on_an_event_opens_its_application(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("E", "enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.ref.name == "storefront-prod-us"


async def test_ctrl_r_tries_clusters_again(fleet: StillFleet) -> None:
    async with screen(fleet) as (_, pilot):
        await pilot.press("ctrl+r")
        assert fleet.retried == [None]
        await pilot.press("colon", *"retry edge-kiosk-7", "enter")
        await pilot.pause()
        assert fleet.retried[-1] == "edge-kiosk-7"


async def test_a_theme_is_shown_while_its_name_is_typed(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"theme light")
        assert app.theme == "fleet-light"
        await pilot.press("escape")
        assert app.theme == "fleet-dark"
        await pilot.press("colon", *"theme light", "enter")
        await at_rest(app, pilot)
        assert app.theme == "fleet-light"


async def test_digits_choose_the_last_namespaces(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"ns payments", "enter")
        await pilot.press("colon", *"ns checkout", "enter")
        await at_rest(app, pilot)
        await pilot.press("2")
        assert app.shell.scope.namespace == "payments"
        await pilot.press("0")
        assert app.shell.scope.namespace == ""


async def test_c_copies_a_field(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("c")
        assert isinstance(app.screen, Choice)
        await pilot.press("enter")
        assert app.clipboard == "catalogue-dev"


async def test_marked_rows_are_copied_by_name(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("space", "down", "space", "c")
        assert app.clipboard == "catalogue-dev\ncheckout-prod-eu"


async def test_o_shows_only_what_is_the_applications(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("down", "o")
        await at_rest(app, pilot)
        assert app.shell.scope.application == Ref(shop.HUB, APPLICATIONS, "argocd", "checkout-prod-eu")
        await pilot.press("colon", *"po", "enter")
        await at_rest(app, pilot)
        assert {name.partition("-")[0] for name in shown(app)} == {"checkout"}


async def test_ctrl_e_hides_the_tree(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("ctrl+e")
        assert not app.shell.query_one("#tree").display
        await pilot.press("ctrl+e")
        assert app.shell.query_one("#tree").display


@pytest.mark.parametrize("size", [(80, 24), (59, 20), (300, 100), (40, 12)])
async def test_it_follows_the_size_of_the_terminal(fleet: StillFleet, size: tuple[int, int]) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.resize_terminal(*size)
        async with asyncio.timeout(10):
            while app.shell.query_one("#tree").display is not (size[0] >= 60):
                await pilot.pause(0.01)
        await at_rest(app, pilot)
        assert shown(app)[0] == "catalogue-dev"


async def test_a_click_on_a_tab_opens_its_pane(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.click("#header", offset=(12, 0))
        await at_rest(app, pilot)
        assert app.shell.pane.view.pane == "clusters"


async def test_a_double_click_opens_a_row(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.click(app.shell.pane.table, offset=(5, 3), times=2)
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)


async def test_a_worker_that_fails_is_told_and_ends_nothing(fleet: StillFleet) -> None:
    async def fails() -> None:
        raise TypeError("[bold]not markup[/bold]")

    async with screen(fleet) as (app, pilot):
        app.do(fails(), "trying")
        await at_rest(app, pilot)
        assert app.is_running
        assert any("[bold]not markup[/bold]" in notification.message for notification in app._notifications)


async def test_a_row_that_cannot_be_painted_ends_nothing(fleet: StillFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: TablePane) -> None:
        raise RuntimeError("an object nobody foresaw")

    async with screen(fleet) as (app, pilot):
        monkeypatch.setattr(TablePane, "pull", broken)
        for _ in range(5):
            app.on_tick()
        await at_rest(app, pilot)
        told = [notification.message for notification in app._notifications]
        assert len([text for text in told if "RuntimeError" in text]) == 1


async def test_drafts_say_how_to_begin(fleet: StillFleet) -> None:
    async with screen(StillFleet(filled=False)) as (app, pilot):
        await app.shell.go("drafts")
        await at_rest(app, pilot)
        assert isinstance(app.shell.pane, DraftsPane)
        assert "press e" in app.shell.pane.table._empty


@pytest.mark.parametrize("name", ["open", "yaml"])
async def test_a_click_on_a_key_of_the_footer_does_what_the_key_does(fleet: StillFleet, name: str) -> None:
    async with screen(fleet) as (app, pilot):
        at = 1
        for span in app.shell.query_one("#footer").spans():
            if span.click == name:
                break
            at += len(span.text)
        await pilot.click("#footer", offset=(at, 0))
        await at_rest(app, pilot)
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.chosen.id == ("manifest" if name == "yaml" else "summary")


async def test_every_footer_shows_help(fleet: StillFleet) -> None:
    async with screen(fleet, (60, 20)) as (app, pilot):
        for pane in ("applications", "drafts", "events", "policies"):
            await app.shell.go(pane)
            await at_rest(app, pilot)
            assert "".join(span.text for span in app.shell.query_one("#footer").spans()).endswith("? Help ")


async def test_every_footer_of_80_columns_leads_to_all_commands(fleet: StillFleet) -> None:
    async with screen(fleet, (80, 24)) as (app, pilot):
        for pane in ("applications", "clusters", "drafts", "events", "policies"):
            await app.shell.go(pane)
            await at_rest(app, pilot)
            text = "".join(span.text for span in app.shell.query_one("#footer").spans())
            assert text.endswith(" : Command  ? Help ") and len(text) <= 80


async def test_without_a_cluster_every_part_of_the_screen_says_so_and_why() -> None:
    fleet = StillFleet(filled=False)
    fleet.contexts = ()
    fleet.problems = [NO_CONTEXT, "/nonexistent: no such file"]
    async with screen(fleet) as (app, pilot):
        await at_rest(app, pilot)
        header = "".join(span.text for span in app.shell.query_one("#header").spans())
        assert header.endswith("no clusters ")
        assert app.shell.query_one(LazyTree)._empty == "no clusters"
        told = app.shell.pane.table._empty.splitlines()
        assert told[0].startswith("no clusters") and told[-1] == "/nonexistent: no such file"


async def test_without_a_cluster_it_explains_itself_until_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/not/there/config")
    fleet = StillFleet(filled=False)
    fleet.contexts, fleet.problems = (), [NO_CONTEXT, "/nonexistent: no such file"]
    async with screen(fleet) as (app, pilot):
        await at_rest(app, pilot)
        assert isinstance(app.screen, Welcome)
        text = app.screen.query_one(WordsView).text()
        assert "/not/there/config  does not exist  (KUBECONFIG)" in text
        assert "/nonexistent: no such file" in text and NO_CONTEXT not in text
        fleet.contexts = ("prod",)
        app.post_message(Tick())
        while isinstance(app.screen, Welcome):
            await pilot.pause()
        assert app.screen is app.shell


@pytest.mark.parametrize(("key", "ends", "demo"), [("d", True, True), ("q", True, False), ("enter", False, False)])
async def test_without_a_cluster_one_may_go_to_the_demo(key: str, ends: bool, demo: bool) -> None:
    fleet = StillFleet(filled=False)
    fleet.contexts = ()
    async with screen(fleet) as (app, pilot):
        await at_rest(app, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert (app._exit, app.wants_demo) == (ends, demo)
        assert ends or app.screen is app.shell


async def test_facts_of_a_row_follow_the_objects_they_come_from(
    fleet: StillFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_pane, "OLDEST", 0.0)
    async with screen(fleet) as (app, pilot):
        await app.shell.go("clusters")
        await at_rest(app, pilot)

        def health() -> str:
            entry = app.shell.pane.table._rows.get(Ref("prod-eu", "clusters", "", "prod-eu"))
            return " ".join(entry.texts)

        assert "✖1" in health()
        sick = list(next(each for each in shop.APPLICATIONS if each[0] == "storefront-prod-eu"))
        sick[5] = "Degraded"
        fleet.store.apply([shop.row(shop.HUB, APPLICATIONS, shop.application(*sick))])
        fleet.notify()
        await pilot.pause(0.1)
        await at_rest(app, pilot)
        assert "✖2" in health()


async def test_the_newest_draft_stands_first(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await app.shell.rescope(Scope(cluster="prod-eu"))
        await app.shell.go("drafts")
        await at_rest(app, pilot)
        assert shown(app) == ["edit-checkout", "raise-replicas", "new-limits"]
        assert "prod-eu" not in str(app.shell.pane.border_title)


async def test_a_tick_after_the_screens_are_closed_is_nothing(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, _):
        tick = app.on_tick
    assert not app.screen_stack
    tick()
