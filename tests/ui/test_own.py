"""The user's own commands and columns in the running screen."""

from __future__ import annotations

import sys

import pytest

from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.settings import Settings
from tui.domain.usercolumns import UserColumn
from tui.domain.usercommands import UserCommand
from tui.ui.bars import Footer
from tui.ui.screens.output import OutputScreen
from tui.ui.widgets.viewer import Viewer

TELL = (sys.executable, "-c", "import sys, os; print(sys.argv[1:], os.environ['KUBECONFIG']); sys.exit(3)")
WHERE = ("$KIND", "$RESOURCE", "$NAMESPACE", "$NAME", "$CLUSTER", "$CONTEXT", "${NAME}; rm")
TOP = UserCommand("tell", (*TELL, *WHERE), key="ctrl-y", scope=("pods",), help="Tell where.")
PRINT = UserCommand("colours", (sys.executable, "-c", "print('\\033[31mred\\033[0m \\033]0;title\\a[b]')"))
GONE = UserCommand("gone", ("/no/such/program",), key="ctrl+x, ctrl+n x")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KUBECONFIG", "/k/config")
    return Settings(
        commands=(TOP, PRINT, GONE),
        columns=(
            UserColumn("pods", "HOST IP", ".status.podIP"),
            UserColumn("pods", "LABELS", ".metadata.labels", wide=True),
        ),
    )


async def printed(app, pilot) -> str:
    """What a program printed, once it has ended."""
    await at_rest(app, pilot)
    assert isinstance(app.screen, OutputScreen)
    while not (boxes := app.screen.query("#output")) or str(boxes[0].border_subtitle or "running").startswith("run"):
        await pilot.pause()
    return app.screen.query_one(Viewer).text


async def test_a_command_runs_on_the_object_and_what_it_prints_is_shown(fleet: StillFleet, settings: Settings) -> None:
    async with screen(fleet, settings=settings) as (app, pilot):
        await pilot.press("colon", *"pods", "enter")
        await at_rest(app, pilot)
        ref = app.shell.pane.here()
        assert "tell" in {label for _, label, _ in app.shell.query_one(Footer)._keys}
        await pilot.press("ctrl+y")
        text = await printed(app, pilot)
        context = ["Pod", "pods", ref.namespace, ref.name, ref.cluster]
        assert text.startswith(repr(context)[:-1])
        assert f"{ref.name}; rm" in text
        assert text.rstrip().endswith("/k/config")
        assert str(app.screen.query_one("#output").border_subtitle) == "ended with 3"
        await pilot.press("escape", "colon", *"colours", "enter")
        assert await printed(app, pilot) == "red \x1b]0;title\x07[b]\n"
        assert "\x1b]0" not in "".join(
            segment.text for strip in app.screen._compositor.render_strips() for segment in strip
        )
        await pilot.press("escape", "ctrl+x")
        assert "could not be started" in await printed(app, pilot)


async def test_a_command_that_is_not_for_this_says_so(fleet: StillFleet, settings: Settings) -> None:
    async with screen(fleet, settings=settings) as (app, pilot):
        assert "tell" not in {label for _, label, _ in app.shell.query_one(Footer)._keys}
        await pilot.press("ctrl+y")
        await at_rest(app, pilot)
        assert "tell is for pods, not for applications.argoproj.io" in "\n".join(n.message for n in app._notifications)


async def test_columns_are_there_and_those_for_wide_tables_only_in_these(fleet: StillFleet, settings: Settings) -> None:
    async with screen(fleet, settings=settings) as (app, pilot):
        await pilot.press("colon", *"pods", "enter")
        await at_rest(app, pilot)
        pane = app.shell.pane
        assert "HOST IP" in pane.columns()
        assert "LABELS" not in [column.title for column in pane.shape.columns if column.id == "labels"]
        before = len(pane.shape.columns)
        await pilot.press("ctrl+w")
        await at_rest(app, pilot)
        assert len(pane.shape.columns) == before + 1
        assert pane.table.visible_count > 0
        await pilot.press("ctrl+w")
        await at_rest(app, pilot)
        assert len(pane.shape.columns) == before


async def test_everything_that_has_a_key_can_be_typed(fleet: StillFleet, settings: Settings) -> None:
    async with screen(fleet, settings=settings) as (app, pilot):
        await pilot.press("colon", *"describe", "enter")
        await at_rest(app, pilot)
        assert type(app.screen).__name__ == "DetailScreen"
        await pilot.press("escape", "colon", *"sync", "enter")
        await at_rest(app, pilot)
        assert "fleet never syncs" in "\n".join(n.message for n in app._notifications)
