"""Logs on the screen: whose lines, how they are shown, found, filtered, wrapped, copied, saved, and asked for anew."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.ui import shop
from tests.ui.picture import compare
from tests.ui.still import StillFleet, at_rest, screen
from tests.ui.test_policies import IDS, LOOKS
from tui.domain.logs.asked import PERIODS, Asked, Selection
from tui.domain.logs.containers import Container
from tui.domain.logs.lines import NOTE, SECOND, LogLine
from tui.domain.logs.merged import Merged
from tui.domain.logs.names import Place
from tui.domain.obj import Ref
from tui.fleet.logs import Follow
from tui.fleet.logs.finding import Found
from tui.ui.app import FleetApp
from tui.ui.screens.dialogs import Choice
from tui.ui.screens.logline import LineScreen
from tui.ui.screens.logs import LogsScreen, _moment
from tui.ui.widgets.log_text import height_of
from tui.ui.widgets.log_view import LogView

NOW = int(shop.NOW)
WEB = Selection("prod-eu", "shop", labels=("app=web",))


def put(follow: Follow, *lines: tuple[int, float, str]) -> None:
    """Lines by (number of the pod, seconds before now, text)."""
    for pod, ago, _ in lines:
        while pod >= len(follow.sources):
            place = Place("prod-eu", "shop", f"web-{len(follow.sources)}", "app")
            follow.book.source(place, Container("app", instance="1", running=True)).state = "following"
        follow.sources[pod].reader.read += 1
        follow.sources[pod].reader.last = int((NOW - ago) * SECOND)
    made = [LogLine(int((NOW - ago) * SECOND), follow.book.sequence(), pod, text) for pod, ago, text in lines]
    follow.book.inbox.add(made)


def stamp(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(moment))


async def moved(app: FleetApp, pilot: Any) -> None:
    """Something has come: let the screen take it in."""
    app.fleet.notify()
    app.screen.pull()  # type: ignore[attr-defined]
    await at_rest(app, pilot)


async def opened(app: FleetApp, pilot: Any, *lines: tuple[int, float, str]) -> LogsScreen:
    async def find() -> Found:
        return Found([WEB], [], [])

    shown = LogsScreen(find, "web")
    app.push_screen(shown)
    await at_rest(app, pilot)
    put(shown.follow, *lines)  # type: ignore[arg-type]
    await moved(app, pilot)
    return shown


def texts(shown: LogsScreen) -> list[str]:
    return [line.text for line in shown.lines.merged.shown]


def words(shown: LogsScreen) -> str:
    box = shown.query_one("#logs")
    return f"{box.border_title} ## {box.border_subtitle}"


def painted(view: LogView, rows: int = 40) -> list[str]:
    return ["".join(piece.text for piece in view.render_line(y)).rstrip(" ┃") for y in range(rows)]


FOUR = ((0, 40, "GET /cart 200"), (1, 30, "\x1b[31mGET /pay 500\x1b[0m \x1b[2J"), (0, 20, "panic"), (1, 10, "get 3"))


async def test_keys_open_the_logs_of_what_the_cursor_is_on(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        await pilot.press(*":pods", "enter")
        await at_rest(app, pilot)
        ref = app.shell.pane.here()  # type: ignore[union-attr]
        assert ref is not None and ref.resource == "pods"
        await pilot.press("l")
        await at_rest(app, pilot)
        (follow,) = fleet.logs.follows
        assert follow.book.selections == (Selection(ref.cluster, ref.namespace, ref.name),)
        await pilot.press("escape")
        await at_rest(app, pilot)
        assert fleet.logs.closed == [follow] and app.screen is app.shell
        await pilot.press("p")
        await at_rest(app, pilot)
        assert fleet.logs.follows[-1].book.asked.previous
        await pilot.press(*":nodes", "enter")
        await at_rest(app, pilot)
        app.show_logs([Ref("prod-eu", "nodes", "", "a")])
        await at_rest(app, pilot)
        assert app.screen is app.shell and len(fleet.logs.follows) == 2


async def test_filter_find_pause_and_only(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        shown = await opened(app, pilot, *FOUR)
        assert texts(shown) == [text for _, _, text in FOUR] and "4 lines" in words(shown)
        await pilot.press("slash", *"get", "enter")
        assert [text[:9] for text in texts(shown)] == ["GET /cart", "\x1b[31mGET ", "get 3"]
        assert "/get" in words(shown) and "3 of 4 lines" in words(shown)
        await pilot.press("slash", "home", "!", "enter")
        assert texts(shown) == ["panic"]
        await pilot.press("escape")
        await pilot.press("F", *"/", "enter")
        assert shown.lines.line.text == FOUR[1][2]  # type: ignore[union-attr]
        await pilot.press("n")
        assert shown.lines.line.text == FOUR[0][2]  # type: ignore[union-attr]
        assert "looking back" in words(shown) and "find /" in words(shown)
        await pilot.press("space")
        put(shown.follow, (0, 5, "late"), (1, 35, "old"))  # type: ignore[arg-type]
        await moved(app, pilot)
        assert len(texts(shown)) == 4 and "paused, 2 behind" in words(shown)
        await pilot.press("s")
        await moved(app, pilot)
        assert texts(shown)[1] == "old" and texts(shown)[-1] == "late"
        assert shown.lines.line.text == FOUR[0][2]  # type: ignore[union-attr]
        await pilot.press("escape", "o")
        assert texts(shown) == [FOUR[0][2], "panic", "late"] and "only web-0/app" in words(shown)
        await pilot.press("escape", "escape")
        assert shown.lines.following and len(texts(shown)) == 6
        await pilot.press("C", "down", "down", "enter")
        await at_rest(app, pilot)
        assert "only web-1/app" in words(shown) and not isinstance(app.screen, Choice)


async def test_lines_are_harmless_and_coloured_and_wrap(fleet: StillFleet) -> None:
    async with screen(fleet, (80, 24)) as (app, pilot):
        long = "x" * 150 + " end"
        shown = await opened(app, pilot, *FOUR[:2], (1, 9, long), (0, 8, "a\tb\x07 日本語 \udcff"))
        lines = painted(shown.lines, 4)
        assert [line[2:] for line in lines[:2]] == ["web-0 GET /cart 200", "web-1 GET /pay 500 ␛[2J"]
        assert lines[3][2:] == "web-0 a    b␇ 日本語 �" and not lines[2].endswith("end")
        red = [piece.style.color for piece in shown.lines.render_line(1) if "GET" in piece.text]
        assert red != [piece.style.color for piece in shown.lines.render_line(0) if "GET" in piece.text]
        await pilot.press("w")
        assert painted(shown.lines, 6)[2:5] == [
            f"  web-1 {'x' * 69}", f"{'':8}{'x' * 69}", f"{'':8}{'x' * 12} end",
        ]  # fmt: skip
        await pilot.press("t")
        assert painted(shown.lines)[0] == f"  {stamp(NOW - 40)}.000 web-0 GET /cart 200"
        await pilot.press("w", "l", "l")
        assert "xxx end" not in painted(shown.lines)[2] and shown.lines.left == 16


async def test_copy_save_open_and_mark(fleet: StillFleet, tmp_path: Path) -> None:
    async with screen(fleet, (120, 36)) as (app, pilot):
        shown = await opened(app, pilot, *FOUR[:2], (0, 1, '{"level":"info","n":[1]}'))
        await pilot.press("c")
        assert app.clipboard == '{"level":"info","n":[1]}'
        await pilot.press("v", "up", "c")
        assert app.clipboard == 'GET /pay 500 \x1b[2J\n{"level":"info","n":[1]}'
        assert not shown.lines.selecting
        await pilot.press("down", "enter")
        await at_rest(app, pilot)
        assert isinstance(app.screen, LineScreen)
        assert json.loads(app.screen._text) == {"level": "info", "n": [1]} and "\n" in app.screen._text
        await pilot.press("escape")
        await at_rest(app, pilot)
        await pilot.press("m")
        assert shown.lines.merged.shown[-1].source == NOTE and "marked at" in texts(shown)[-1]
        file = tmp_path / "out.log"
        for _ in range(2):
            await pilot.press("ctrl+s", "ctrl+a", "ctrl+k", *str(file), "enter")
            await at_rest(app, pilot)
        data = file.read_bytes().splitlines()
        assert len(data) == 3 and data[1].endswith(b" web-1 \x1b[31mGET /pay 500\x1b[0m \x1b[2J")
        assert file.stat().st_mode & 0o777 == 0o600


async def test_what_is_asked_for_anew_and_what_is_said(fleet: StillFleet) -> None:
    async with screen(fleet, (120, 36)) as (app, pilot):
        shown = await opened(app, pilot)
        assert painted(shown.lines)[0] == "  looking for pods"
        for digit, (word, seconds) in enumerate(PERIODS):
            await pilot.press(str(digit))
            asked = fleet.logs.follows[-1].book.asked
            assert (asked.seconds, asked.head) == (max(0, seconds), seconds < 0), word
        await pilot.press("T", *"14:05", "enter")
        assert fleet.logs.follows[-1].book.asked.time == _moment("14:05", shop.NOW) * SECOND  # type: ignore[operator]
        await pilot.press("p")
        assert fleet.logs.follows[-1].book.asked == Asked(previous=True) and "previous" in words(shown)
        assert fleet.logs.closed == fleet.logs.follows[:-1]
        follow = fleet.logs.follows[-1]
        put(follow, (0, 1, "a"))
        follow.sources[0].state, follow.sources[0].reason = "waiting", "waiting: ImagePullBackOff: no such image"
        await moved(app, pilot)
        assert "web-0/app: waiting: ImagePullBackOff: no such image" in words(shown)


def test_times_as_people_write_them() -> None:
    day = 86_400
    assert _moment("10m", 1000.0) == 400.0 and _moment("2h", 1e6) == 1e6 - 7200
    assert _moment("2023-11-14T22:13:20Z", 0) == 1_700_000_000
    assert _moment("25:00", 0) is None and _moment("soon", 0) is None
    now = 1_700_000_000.0  # 22:13:20 UTC
    assert _moment("22:13", now) == now - 20 and _moment("22:14", now) == now + 40 - day


async def test_wrapped_lines_stay_right_while_lines_come_late_and_go(fleet: StillFleet) -> None:
    """The window keeps what it knows of wrapped lines: it must be what wrapping everything anew would give."""
    chance = random.Random(3)
    async with screen(fleet, (80, 24)) as (app, pilot):
        shown = await opened(app, pilot)
        view = shown.lines
        view.merged = Merged(kept=60)
        view.set_wrap(True)
        for step in range(150):
            count, at = chance.randint(0, 9), 2 * step
            view.add(
                LogLine((at + chance.randint(-8, 3)) * SECOND, 100 * step + n, 0, "é" * chance.randint(0, 300))
                for n in range(count)
            )
            if chance.random() < 0.3:
                view.go(chance.randrange(max(1, view.line_count())))
            if chance.random() < 0.1:
                view.set_filter(chance.choice(["", "é", "!é"]))
            room = view._text_room()
            heights = [height_of(line, room) for line in view.merged.shown]
            assert [end - start for start, end in zip([view._base, *view._ends], view._ends, strict=False)] == heights
            assert view.line_count() == sum(heights) and 0 <= view.cursor < max(1, view.line_count())
        view.following = False
        view.go(view._row_of(30))
        held = view.line
        view.add([LogLine(0, 1, 0, "very old"), LogLine(10**12 * 9, 2, 0, "new")])
        assert view.line == held


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=IDS)
async def test_how_logs_look(fleet: StillFleet, size: tuple[int, int], theme: str) -> None:
    async with screen(fleet, size, theme) as (app, pilot):
        shown = await opened(app, pilot, *FOUR, (2, 5, '{"level":"warn","msg":"slow","ms":812}'))
        assert shown.follow is not None
        shown.follow.book.note("app: restart 1", shown.follow.sources[2])
        shown.lines.set_times(True)
        shown.lines.set_filter("e")
        await moved(app, pilot)
        compare(app, f"logs-{size[0]}x{size[1]}-{theme}")
