"""The mouse on long lists: wheel, scrollbar, clicks beside the lines."""

from __future__ import annotations

from textual import events
from textual.app import App

from tui.domain.kinds.kind import Cell, Column
from tui.ui.widgets.table import Table, TableRow


class Bare(App):
    def __init__(self):
        super().__init__()
        column = Column("name", "NAME", lambda row, facts: None, lambda value, now: Cell(str(value)), 20, 8)
        self.table = Table((column,))
        self.marks = []

    def compose(self):
        yield self.table

    def on_mount(self):
        self.table.replace([TableRow(at, (Cell(f"row-{at:03}"),), (at,)) for at in range(200)])
        self.table.focus()

    def on_table_marks_changed(self, message):
        self.marks.append(set(message.table.marked))


def wheel(kind, app):
    app.table.post_message(
        kind(app.table, 3, 3, 0, 0, 0, shift=False, meta=False, ctrl=False, screen_x=3, screen_y=3, style=None)
    )


async def test_the_wheel_scrolls_and_leaves_the_cursor():
    app = Bare()
    async with app.run_test(size=(30, 11)) as pilot:
        wheel(events.MouseScrollDown, app)
        wheel(events.MouseScrollDown, app)
        await pilot.pause()
        assert (app.table.top, app.table.cursor) == (6, 0)
        wheel(events.MouseScrollUp, app)
        await pilot.pause()
        assert app.table.top == 3
        await pilot.press("j")
        assert (app.table.top, app.table.cursor) == (1, 1)
        for _ in range(3):
            wheel(events.MouseScrollUp, app)
        await pilot.pause()
        assert app.table.top == 0


async def test_the_scrollbar_is_dragged():
    app = Bare()
    async with app.run_test(size=(30, 11)) as pilot:
        await pilot.mouse_down(Table, offset=(29, 1))
        await pilot.hover(Table, offset=(29, 10))
        assert app.table.top == 190
        await pilot.hover(Table, offset=(29, 5))
        assert 60 < app.table.top < 120
        await pilot.mouse_up(Table, offset=(29, 5))
        top = app.table.top
        await pilot.hover(Table, offset=(10, 2))
        assert (app.table.top, app.table.cursor) == (top, 0)


async def test_clicks_in_the_gutter_mark_and_below_the_rows_do_nothing():
    app = Bare()
    async with app.run_test(size=(30, 11)) as pilot:
        await pilot.click(Table, offset=(0, 3))
        assert app.marks == [{2}]
        await pilot.click(Table, offset=(0, 3))
        assert app.marks == [{2}, set()]
        app.table.set_filter("row-00")
        await pilot.click(Table, offset=(5, 10))
        assert app.table.cursor == 9
        app.table.set_filter("row-001")
        await pilot.click(Table, offset=(5, 8))
        assert app.table.cursor_key == 1
