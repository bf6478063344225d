"""The event tail in a running app: following, pausing, filtering, nothing lost."""

from __future__ import annotations

import random

import pytest
from textual.app import App

from tui.domain.kinds.kind import Tone
from tui.domain.tail import Tail, TailEvent
from tui.ui.widgets.tail import TailStrip, TailView, short_revision


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def event(number, reason="Synced", tone=Tone.GOOD):
    return TailEvent(
        1_000_000.0 + number, "prod-eu", "argocd/cart", reason, f"message {number}", "a" * 40, "alice", tone=tone
    )


class Bare(App):
    def __init__(self, tail, **more):
        super().__init__()
        self.view = TailView(tail, empty="nothing happened yet", **more)
        self.strip = TailStrip(tail)
        self.opened = []

    def compose(self):
        yield self.view
        yield self.strip

    def on_mount(self):
        self.view.tick(1_000_000.0)
        self.strip.tick(1_000_000.0)
        self.view.focus()

    def on_tail_view_opened(self, message):
        self.opened.append(message.event)


def lines(app):
    """What the screen shows, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


def fill(tail, first, count):
    for number in range(first, first + count):
        tail.add(event(number))


async def test_a_line_says_when_where_what_which_and_who():
    tail = Tail()
    tail.add(event(0))
    app = Bare(tail)
    async with app.run_test(size=(140, 10)) as pilot:
        await pilot.pause()
        expected = "13:46:40 prod-eu cart ✔ Synced message 0 aaaaaaa alice"
        assert " ".join(lines(app)[0].split()) == "▌ " + expected
        assert " ".join(lines(app)[8].split()) == expected
        app.view.tick(1_000_000.0 + 86_400)
        await pilot.pause()
        assert "12 Jan" in lines(app)[0]


async def test_follows_until_one_looks_back_and_again_from_the_end():
    tail = Tail()
    fill(tail, 0, 50)
    app = Bare(tail)
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.pause()
        assert "message 49" in lines(app)[9]
        fill(tail, 50, 5)
        app.view.pull()
        await pilot.pause()
        assert "message 54" in lines(app)[9]
        await pilot.press("k", "k")
        assert not app.view.following
        fill(tail, 55, 5)
        app.view.pull()
        await pilot.pause()
        assert "message 54" in lines(app)[9]
        assert app.view.event.message == "message 52"
        await pilot.press("G", "enter")
        assert app.view.following
        await pilot.pause()
        assert app.opened[-1].message == "message 59"


async def test_pause_takes_nothing_in_and_resume_everything():
    tail = Tail()
    fill(tail, 0, 20)
    app = Bare(tail)
    async with app.run_test(size=(100, 12)) as pilot:
        app.view.toggle_pause()
        fill(tail, 20, 30)
        app.view.pull()
        await pilot.pause()
        assert app.view.behind == 30
        assert "message 19" in lines(app)[9]
        app.view.toggle_pause()
        assert app.view.behind == 0
        assert [event.message for _, _, event, _ in app.view._shown] == [f"message {at}" for at in range(50)]
        await pilot.pause()
        assert "message 49" in lines(app)[9]


async def test_history_told_late_is_shown_where_it_happened_and_the_cursor_keeps_its_event():
    tail = Tail()
    fill(tail, 3_600, 30)
    app = Bare(tail)
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.press("k", "k")
        held = app.view.event
        row = app.view.cursor - app.view.top
        for number in (60, 0, 7_200, 120):  # Applications of one list, each with its past
            tail.add(event(number))
            app.view.pull()
        app.strip.pull()
        await pilot.pause()
        times = [event.time for _, _, event, _ in app.view._shown]
        assert times == sorted(times) and len(times) == 34
        assert app.view.event is held and app.view.cursor - app.view.top == row
        assert "message 3629" in lines(app)[10] and "message 7200" in lines(app)[11]
        app.view.set_filter("message 1")
        app.view.set_filter("")
        assert [event.time for _, _, event, _ in app.view._shown] == times


async def test_history_that_is_there_before_the_window_is_shown_where_it_happened():
    tail = Tail()
    for number in (7_200, 60, 3_600, 0):
        tail.add(event(number))
    app = Bare(tail)
    async with app.run_test(size=(100, 12)):
        assert [event.message for _, _, event, _ in app.view._shown] == [
            f"message {number}" for number in (0, 60, 3_600, 7_200)
        ]


async def test_history_of_two_applications_seconds_apart_is_shown_where_it_happened():
    tail = Tail()
    now = 1_000_000.0 + 7_200
    for number in (44, 0, 20, 7_190, 7_180):  # the last two are happening now
        tail.add(event(number), now)
    app = Bare(tail)
    async with app.run_test(size=(100, 12)):
        assert [event.message for _, _, event, _ in app.view._shown] == [
            f"message {number}" for number in (0, 20, 44, 7_190, 7_180)
        ]


async def test_history_that_came_during_a_pause_is_not_lost():
    tail = Tail()
    fill(tail, 3_600, 5)
    app = Bare(tail)
    async with app.run_test(size=(100, 12)):
        app.view.pause()
        fill(tail, 0, 3)
        fill(tail, 3_605, 2)
        app.view.pull()
        assert app.view.behind == 5 and app.view.visible_count == 5
        app.view.resume()
        assert [event.message for _, _, event, _ in app.view._shown] == [
            f"message {number}" for number in (0, 1, 2, *range(3_600, 3_607))
        ]


async def test_events_as_they_happen_keep_the_order_of_arrival():
    tail = Tail()
    for number in (3_600, 3_590, 3_610, 3_605):  # clocks of clusters differ by seconds
        tail.add(event(number))
    app = Bare(tail)
    async with app.run_test(size=(100, 12)):
        tail.add(event(3_601))
        app.view.pull()
        assert [event.message for _, _, event, _ in app.view._shown] == [
            f"message {number}" for number in (3_600, 3_590, 3_610, 3_605, 3_601)
        ]


async def test_what_the_ring_dropped_meanwhile_is_said():
    tail = Tail(kept=10)
    fill(tail, 0, 5)
    app = Bare(tail)
    async with app.run_test(size=(100, 22)):
        app.view.pause()
        fill(tail, 5, 30)
        app.view.resume()
        messages = [event.message for _, _, event, _ in app.view._shown]
        assert messages[:5] == [f"message {at}" for at in range(5)]
        assert messages[5].startswith("20 events")
        assert messages[6:] == [f"message {at}" for at in range(25, 35)]


async def test_filter_and_scope():
    tail = Tail()
    for number in range(40):
        tail.add(event(number, "Degraded" if number % 4 == 0 else "Synced"))
    app = Bare(tail)
    async with app.run_test(size=(100, 22)):
        view = app.view
        for query, count in (("DEG", 10), ("degraded", 10), ("!degraded", 30), ("message 3", 11), ("", 40)):
            view.set_filter(query)
            assert (query, view.visible_count) == (query, count)
        view.set_filter("degraded")
        tail.add(event(40, "Degraded"))
        tail.add(event(41, "Synced"))
        view.pull()
        assert view.visible_count == 11
        view.set_scope(lambda event: event.time > 1_000_020)
        assert view.visible_count == 5
        view.set_filter("no such thing")
        assert view.event is None
        view.set_scope(None)
        view.set_filter("")
        assert view.visible_count == 42


async def test_memory_is_bounded_and_the_cursor_keeps_its_event():
    tail = Tail(kept=100)
    fill(tail, 0, 100)
    app = Bare(tail, kept=100)
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.press("k", "k", "k")
        held = app.view.event
        row = app.view.cursor - app.view.top
        for start in range(100, 160, 7):
            fill(tail, start, 7)
            app.view.pull()
        assert app.view.visible_count == 100
        assert app.view.event is held
        assert app.view.cursor - app.view.top == row


async def test_random_use_shows_what_the_ring_holds():
    chance = random.Random(5)
    tail = Tail(kept=60)
    app = Bare(tail, kept=60)
    async with app.run_test(size=(100, 12)) as pilot:
        number = 0
        for _ in range(200):
            act = chance.randrange(5)
            if act == 0:
                count = chance.randrange(1, 20)
                fill(tail, number, count)
                number += count
                app.view.pull()
            elif act == 1:
                app.view.toggle_pause()
            elif act == 2:
                app.view.set_filter(chance.choice(["", "message 1", "!1", "7"]))
            else:
                await pilot.press(chance.choice(["j", "k", "G", "g", "ctrl+b"]))
            sequences = [at for _, at, *_ in app.view._shown]
            assert sequences == sorted(set(sequences))
            assert 0 <= app.view.cursor <= max(0, len(sequences) - 1)
        app.view.set_filter("")
        app.view.follow()
        app.view.set_filter("x")
        app.view.set_filter("")
        assert [at for _, at, *_ in app.view._shown] == list(range(tail.start, tail.end))


async def test_strip_shows_the_newest_and_opens_them():
    tail = Tail()
    app = Bare(tail)
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.pause()
        assert "nothing happened yet" in lines(app)[0]
        fill(tail, 0, 9)
        app.strip.pull()
        await pilot.pause()
        assert "message 7" in lines(app)[10] and "message 8" in lines(app)[11]
        await pilot.click(TailStrip, offset=(5, 0))
        await pilot.pause()
        assert app.opened[-1].message == "message 7"


async def test_foreign_text_stays_text():
    tail = Tail()
    tail.add(TailEvent(0.0, "\x1b[2J", "[x]", "\u202eReason", "two\nlines\t[b]", "\x07", "m\u0301\u0301\u0301e"))
    app = Bare(tail)
    async with app.run_test(size=(140, 12)) as pilot:
        await pilot.pause()
        text = "\n".join(lines(app)[:1])
        assert "␛[2J" in text and "two␊lines␉[b]" in text and "�Reason" in text
        assert not {"\x1b", "\u202e", "\x07"} & set(text)


async def test_a_long_message_takes_the_room_of_what_is_not_known():
    tail = Tail()
    text = "word " * 30
    tail.add(TailEvent(0.0, "c", "n/a", "Reason", text, "a" * 40, "alice"))
    tail.add(TailEvent(0.0, "c", "n/a", "Reason", text))
    app = Bare(tail)
    async with app.run_test(size=(140, 12)) as pilot:
        await pilot.pause()
        known, unknown = lines(app)[:2]
        assert known.endswith("alice") and known.index("word") == unknown.index("word")
        assert unknown.endswith("…") and unknown.count("word") > known.count("word") + 3


def test_short_revision():
    assert short_revision("0123456789" * 4) == "0123456"
    assert short_revision("v1.2.3-very-long-name") == "v1.2.3-very-long-name"
