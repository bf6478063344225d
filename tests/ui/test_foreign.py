"""Names and messages from clusters are text on every part of the screen: never markup, never escape sequences."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest

from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.domain.tail import TailEvent
from tui.ui.prompt import ask
from tui.ui.scope import APPLICATIONS, Scope
from tui.ui.screens.dialogs import Choice, Confirm

HOSTILE = (
    "[bold red]not markup[/]",
    "[/nothing-is-open]",
    "\x1b[2J\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07 bell",
    "a\tb\nc\rd\x00e",
    "\u202eevil\u202c \u2066x\u2069",
    "e\u0301\u0301\u0301\u0301 zalgo",
    "日本語 wide 🏳️‍🌈",
    "\ud800 lone",
    "$(reboot) `id` ; rm -rf /",
    "link=[link=https://example.test]x[/link]",
)
_LIVE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def painted(app) -> list[str]:
    """The lines of the screen."""
    return [
        "".join(segment.text for segment in strip if not segment.control)
        for strip in app.screen._compositor.render_strips()
    ]


def harmless(app) -> None:
    """No character on the screen does anything but stand there."""
    for line in painted(app):
        live = [char for char in line if unicodedata.category(char) in _LIVE]
        assert not live, (live, line)


def hostile_fleet(text: str) -> StillFleet:
    """The shop with the text wherever a cluster may put one."""
    fleet = StillFleet()
    named = text.encode("utf-8", "replace").decode()
    app = shop.application(
        named, named, "prod-eu", named, "OutOfSync", named, f"deploy/{named}", True, f"SyncError: {named}"
    )
    app["status"]["operationState"]["message"] = named
    pod = {
        "kind": "Pod",
        "metadata": shop.meta(named, named, labels={named: named}),
        "spec": {"nodeName": named},
        "status": {"phase": named, "reason": named},
    }
    held = next(fleet.store.rows(CLUSTERS))
    broken = msgspec.structs.replace(
        held.obj, state=ClusterState.UNREACHABLE, reason=text, version=text, groups=(text,)
    )
    fleet.store.apply(
        [
            shop.row(shop.HUB, APPLICATIONS, app),
            shop.row("prod-eu", "pods", pod),
            msgspec.structs.replace(held, obj=broken),
        ]
    )
    fleet.tail.add(TailEvent(shop.NOW, text, f"argocd/{text}", text, text, text, text, tone=Tone.BAD))
    return fleet


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_every_pane_shows_it_as_text(text: str) -> None:
    async with screen(hostile_fleet(text), (160, 48)) as (app, pilot):
        for pane, resource in (
            ("applications", ""),
            ("clusters", ""),
            ("events", ""),
            ("policies", ""),
            ("objects", "pods"),
        ):
            await app.shell.go(pane, resource)
            await at_rest(app, pilot)
            harmless(app)
        await app.shell.rescope(Scope(group=(text,), namespace=text))
        await at_rest(app, pilot)
        harmless(app)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_every_screen_shows_it_as_text(text: str) -> None:
    named = text.encode("utf-8", "replace").decode()
    async with screen(hostile_fleet(text), (120, 36)) as (app, pilot):
        app.say(text, Tone.BAD)
        for tab in ("summary", "resources", "manifest", "history", "events"):
            app.show_object(Ref(shop.HUB, APPLICATIONS, "argocd", named), tab)
            await at_rest(app, pilot)
            harmless(app)
            app.pop_screen()
        for dialog in (Confirm(text, (text,), yes=text), Choice(text, [(text, text, text)], ("A", "B"))):
            app.push_screen(dialog)
            await at_rest(app, pilot)
            harmless(app)
            app.pop_screen()


async def test_a_told_line_and_a_line_to_type_into_show_it_as_text() -> None:
    async with screen(StillFleet(), (120, 36)) as (app, pilot):
        for text in HOSTILE:
            app.say(text, Tone.BAD)
            ask(app.screen, "message: ", lambda typed: None, value=text.partition("\n")[0])
            await at_rest(app, pilot)
            told = [note.message for note in app._notifications]
            assert told and not [char for char in "".join(told) if unicodedata.category(char) in _LIVE and char != "\n"]
            assert app.screen.query("#prompt Input")
            harmless(app)
            app.clear_notifications()
            await pilot.press("escape")
            await at_rest(app, pilot)
            assert not app.screen.query("#prompt Input")


async def test_brackets_are_shown_as_they_are() -> None:
    async with screen(hostile_fleet(HOSTILE[0]), (200, 48)) as (app, pilot):
        await at_rest(app, pilot)
        assert any("[bold red]not markup[/]" in line for line in painted(app))
