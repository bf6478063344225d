"""Keys typed faster than the screen follows go where the keys before them lead."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input

from tui.ui import typeahead
from tui.ui.typeahead import TypeAhead


class Pad(Widget, can_focus=True):
    """Collects letters; `/` opens an input, `w` starts work that opens one later."""

    BINDINGS: ClassVar = [Binding("slash", "open"), Binding("w", "work")]

    def __init__(self) -> None:
        super().__init__()
        self.letters = ""

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isalpha() and event.key != "w":
            self.letters += event.character
            event.stop()

    async def action_open(self) -> None:
        await self.app.mount(Input(id="prompt"))
        self.app.query_one(Input).focus()

    def action_work(self) -> None:
        async def later() -> None:
            await asyncio.sleep(0.05)
            await self.action_open()

        app = self.app
        assert isinstance(app, Typed)
        task = asyncio.create_task(later())
        app.work.add(task)
        task.add_done_callback(app.work.discard)


class Typed(TypeAhead):
    def compose(self) -> ComposeResult:
        yield Pad()

    def on_mount(self) -> None:
        self.query_one(Pad).focus()


def burst(app: Typed, keys: str) -> None:
    """All keys at once, as a terminal delivers what was typed ahead."""
    for key in keys:
        name = {"/": "slash"}.get(key, key)
        app.post_message(events.Key(name, key))


async def until(condition: object) -> None:
    async with asyncio.timeout(60):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0)


@pytest.mark.parametrize("opener", ["/", "w"])
async def test_what_is_typed_after_an_opening_key_goes_into_what_it_opens(opener: str) -> None:
    app = Typed()
    async with app.run_test():
        burst(app, f"ab{opener}catalog")
        await until(lambda: app.query(Input) and app.query_one(Input).value == "catalog")
        assert app.query_one(Pad).letters == "ab"


async def test_a_machine_too_busy_to_open_a_prompt_at_once_loses_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Pad):
        async def action_open(self) -> None:
            await asyncio.sleep(0.1)
            await super().action_open()

    class Busy(Typed):
        def compose(self) -> ComposeResult:
            yield Slow()

    monkeypatch.setattr(typeahead, "PATIENCE", 0.01)
    app = Busy()
    async with app.run_test():
        burst(app, "ab/catalog")
        await until(lambda: app.query(Input) and app.query_one(Input).value == "catalog")
        assert app.query_one(Pad).letters == "ab"


async def test_no_key_is_lost_or_changes_place() -> None:
    app = Typed()
    async with app.run_test():
        text = "thequickbronfoxjumpsoverthelazydog" * 3
        burst(app, text)
        await until(lambda: len(app.query_one(Pad).letters) == len(text))
        assert app.query_one(Pad).letters == text


async def test_a_widget_that_goes_away_holds_nothing_up() -> None:
    class Vanishing(Pad):
        async def action_open(self) -> None:
            other = Pad()
            await self.app.mount(other)
            other.focus()
            await self.remove()

    class Moved(Typed):
        def compose(self) -> ComposeResult:
            yield Vanishing()

    app = Moved()
    async with app.run_test():
        burst(app, "/xyz")
        await until(lambda: app.query_one(Pad).letters == "xyz")
