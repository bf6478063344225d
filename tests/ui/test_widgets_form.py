"""The form in a running app."""

from __future__ import annotations

from textual.app import App

from tui.domain.edits.base import Field
from tui.ui.widgets.form import Form

FIELDS = (
    Field("tag", "Image tag", "1.2.0", ("1.2.0", "1.3.0", "1.4.0"), help="What to run."),
    Field("sync", "Auto-sync", "off", ("on", "off", "not set"), free=False),
    Field("note", "Note [x]", ""),
)


class Bare(App):
    def __init__(self, fields=FIELDS):
        super().__init__()
        self.form = Form(fields)
        self.said = []

    def compose(self):
        yield self.form

    def on_mount(self):
        self.form.focus_first()

    def on_form_changed(self, message):
        self.said.append((message.name, message.form.values[message.name]))

    def on_form_submitted(self, message):
        self.said.append(("submitted", dict(message.values)))

    def on_key(self, event):
        if event.key == "escape":
            self.said.append("escape")


def lines(app):
    """What the screen shows, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


async def test_fields_show_what_is_there_now_and_what_it_was():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        shown = lines(app)
        assert shown[0].startswith("Image tag  1.2.0")
        assert shown[1].split() == ["Auto-sync", "on", "off", "not", "set"]
        assert shown[2].startswith(" Note [x]")
        assert "What to run." in "\n".join(shown) and "1.3.0" in "\n".join(shown)
        await pilot.press("9")
        await pilot.pause()
        assert lines(app)[0].startswith("Image tag  9") and lines(app)[0].endswith("was 1.2.0")
        assert app.form.changed_values == {"tag": "9"}


async def test_choices_are_walked_through_and_picked_by_letter():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("pagedown", "pagedown", "down", "right", "right", "down", "h", "i", "enter")
        await pilot.pause()
        assert app.said[-1] == ("submitted", {"tag": "1.4.0", "sync": "on", "note": "hi"})
        await pilot.press("up", "n", "left", "left", "o", "up", "pageup", "enter", "escape")
        await pilot.pause()
        assert ("sync", "not set") in app.said
        assert app.said[-2] == ("submitted", {"tag": "1.3.0", "sync": "off", "note": "hi"})
        assert app.said[-1] == "escape"


async def test_other_fields_keep_what_was_typed():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("7", "down", "down", "x")
        await app.form.set_fields((FIELDS[0], Field("new", "New", "n"), FIELDS[2]))
        await pilot.pause()
        assert app.form.values == {"tag": "7", "new": "n", "note": "x"}
        await pilot.press("end", "y")
        assert app.form.values["note"] == "xy"


async def test_errors_are_shown_until_something_changes():
    app = Bare()
    async with app.run_test(size=(60, 12)) as pilot:
        app.form.set_error("tag [bold]must\x1b[31m not")
        await pilot.pause()
        assert "✖ tag [bold]must␛[31m not" in "\n".join(lines(app))
        await pilot.press("8")
        await pilot.pause()
        assert "✖" not in "\n".join(lines(app))


async def test_foreign_values_are_shown_safe_and_kept_as_they_are():
    value = "v1\x1b[2J\u202e"
    app = Bare((Field("tag", "Tag", value), Field("pick", "Pick", value, ("a", "b"), free=False)))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        text = "\n".join(lines(app))
        assert "v1␛[2J�" in text
        assert not {"\x1b", "\u202e"} & set(text)
        assert app.form.values == {"tag": value, "pick": value}
        assert app.form.changed_values == {}
