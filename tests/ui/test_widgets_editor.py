"""The editor in a running app: the text comes out as it went in, highlighting, problems, search, indentation."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App

from tui.ui.widgets.editor import CannotEdit, Editor

TEXT = "kind: Service\nspec:\n  replicas: 3\n  script: |\n    a: b\n  list:\n  - name: x\n"


class Bare(App):
    def __init__(self, text=TEXT):
        super().__init__()
        self.editor = Editor(text)
        self.keys_left = []
        self.changes = 0

    def compose(self):
        yield self.editor

    def on_mount(self):
        self.editor.focus()

    def on_key(self, event):
        self.keys_left.append(event.key)

    def on_text_area_changed(self, message):
        self.changes += 1


def strips(app):
    return app.screen._compositor.render_strips()


def lines(app):
    """What the screen shows, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips(app)]


def colour(app, y, text):
    """Colour of the segment that holds this text."""
    return next(segment.style.color for segment in strips(app)[y] if text in segment.text)


PIECES = st.one_of(
    st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=10),
    st.sampled_from(["\r", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\t"]),
)
FOREIGN = st.lists(PIECES, max_size=12).map("".join)


@settings(max_examples=settings.default.max_examples // 2)
@given(FOREIGN, FOREIGN)
def test_text_comes_out_as_it_went_in(text, other):
    async def run():
        app = Bare(text)
        async with app.run_test(size=(40, 10)):
            assert app.editor.text == text
            app.editor.text = other
            assert app.editor.text == other

    asyncio.run(run())


async def test_typing_into_a_text_with_rare_line_ends_changes_nothing_else():
    app = Bare("a: 'x\x85y'\r\nb: 1\n")
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("z", "ctrl+z", "#")
        assert app.editor.text == "#a: 'x\x85y'\r\nb: 1\n"


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(CannotEdit):
        Editor("a\ufdd0")


async def test_highlighting_follows_the_text():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        key = colour(app, 1, "spec")
        assert colour(app, 2, "replicas") == key != colour(app, 2, "3")
        assert colour(app, 4, "a: b") != key
        app.editor.goto(4, 13)
        await pilot.press("backspace")
        await pilot.pause()
        assert colour(app, 4, "a") == key
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert colour(app, 4, "a: b") != key
        assert app.editor.text == TEXT


async def test_enter_keeps_and_opens_levels():
    app = Bare("")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press(*"a:", "enter", *"b: |", "enter", *"text:", "enter", *"more", "enter")
        await pilot.press("backspace", "backspace")
        await pilot.press(*"- c: 1", "enter", *"d:", "tab", "enter", "backspace", "backspace", "x")
        assert app.editor.text == "a:\n  b: |\n    text:\n    more\n- c: 1\n  d:  \nx"
        assert "tab" not in app.keys_left


async def test_escape_reaches_the_screen():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("escape", "x")
        assert app.keys_left == ["escape"]
        assert app.focused is app.editor
        assert app.editor.text.startswith("x")


async def test_problems_are_marked_and_visited():
    app = Bare()
    async with app.run_test(size=(70, 12)) as pilot:
        app.editor.set_problems({3: "must be a [string]\x1b", 6: "unknown field"})
        await pilot.pause()
        assert lines(app)[2].startswith("3✖ ")
        assert "✖ must be a [string]␛" in lines(app)[2]
        assert app.editor.next_problem() == "must be a [string]\x1b"
        assert app.editor.cursor_location[0] == 2
        assert app.editor.next_problem() == "unknown field"
        assert app.editor.next_problem() == "must be a [string]\x1b"
        assert app.editor.next_problem(-1) == "unknown field"
        app.editor.set_problems({})
        await pilot.pause()
        assert "✖" not in "\n".join(lines(app))
        assert app.editor.next_problem() is None
        assert app.editor.text == TEXT


async def test_find_selects_and_goes_round():
    app = Bare()
    async with app.run_test(size=(60, 12)):
        editor = app.editor
        assert editor.find("zzz") == 0
        assert editor.find("S", stay=True) == 1
        assert editor.find("sp", stay=True) == 1
        assert editor.find("s", stay=True) == 5
        assert editor.selected_text.lower() == "s"
        first = editor.selection
        for _ in range(5):
            editor.find_next()
        assert editor.selection == first
        editor.find_next()
        editor.find_next(-1)
        assert editor.selection == first


async def test_goto_stays_inside_the_text():
    app = Bare()
    async with app.run_test(size=(60, 12)):
        app.editor.goto(3, 5)
        assert app.editor.cursor_location == (2, 4)
        app.editor.goto(99, 99)
        assert app.editor.cursor_location == (7, 0)
        app.editor.goto(-1, -1)
        assert app.editor.cursor_location == (0, 0)


async def test_control_characters_are_shown_not_sent():
    app = Bare("a: \x1b[31m\u202e\u200b\x00 [b]x[/b]")
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert "a: ␛[31m��␀ [b]x[/b]" in lines(app)[0]
        assert app.editor.text == "a: \x1b[31m\u202e\u200b\x00 [b]x[/b]"


async def test_every_change_is_told():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("x", "ctrl+z", "ctrl+y")
        await pilot.pause()
        assert app.changes >= 3
