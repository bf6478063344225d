"""The table in a running app: keys, mouse, sorting, filtering, what is painted."""

from __future__ import annotations

import gc
import random

import pytest
import textual
from textual.app import App
from textual.strip import Strip
from textual.widgets import Static

from tui.domain.kinds.kind import Cell, Column, Tone
from tui.ui import paint
from tui.ui.widgets.table import Table, TableRow


def shown(value, now):
    return Cell("" if value is None else str(value))


def aged(value, now):
    return Cell(f"{int(now - value)}s", Tone.MUTED)


COLUMNS = (
    Column("name", "NAME", None, shown, 20, 8),
    Column("size", "SIZE", None, shown, 6, 4, right=True),
    Column("age", "AGE", None, aged, 6, 4, right=True),
)
NOW = 1_000.0


def row(name, size=0, born=900.0):
    values = (name, size, born)
    return TableRow(name, tuple(column.show(value, NOW) for column, value in zip(COLUMNS, values, strict=True)), values)


class Bare(App):
    """An app without any style sheet of ours: the widget must look right by itself."""

    def __init__(self, rows=(), columns=COLUMNS):
        super().__init__()
        self.table = Table(columns, empty="nothing here")
        self.rows = list(rows)
        self.said = []

    def compose(self):
        yield self.table

    def on_mount(self):
        self.table.replace(self.rows)
        self.table.focus()

    def on_table_highlighted(self, message):
        self.said.append(("highlighted", message.key))

    def on_table_opened(self, message):
        self.said.append(("opened", message.key))

    def on_table_marks_changed(self, message):
        self.said.append(("marks", set(message.table.marked)))

    def on_key(self, event):
        self.said.append(("key", event.key))


def lines(app):
    """What the screen shows, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


def rows(count):
    return [row(f"row-{at:04}", at) for at in range(count)]


async def test_header_cells_and_alignment():
    app = Bare([row("one", 5), row("two", 1234)])
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        assert lines(app)[:3] == ["  NAME      SIZE  AGE", "▌ one          5 100s", "  two       1234 100s"]


async def test_keys_move_the_cursor_and_tell():
    app = Bare(rows(100))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press("j", "down", "down", "k")
        assert app.table.cursor_key == "row-0002"
        await pilot.press("ctrl+f")
        assert app.table.cursor_key == "row-0011"
        await pilot.press("pagedown", "ctrl+b")
        assert app.table.cursor_key == "row-0011"
        await pilot.press("G")
        assert app.table.cursor_key == "row-0099"
        assert "▌ row-0099" in lines(app)[-1]
        await pilot.press("g", "enter", "end", "home", "space", "j", "space", "j", "space", "space")
        await pilot.pause()
        assert ("opened", "row-0000") in app.said
        assert app.said[-1] == ("marks", {"row-0000", "row-0001"})
        assert app.said[0] == ("highlighted", "row-0000")


async def test_keys_the_table_cannot_use_reach_the_parents():
    app = Bare()
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.press("h", "l", "enter", "space", "x")
        assert [key for what, key in app.said if what == "key"] == ["h", "l", "enter", "space", "x"]
        assert "nothing here" in "\n".join(lines(app))


async def test_a_pane_can_take_a_key_for_itself():
    app = Bare(rows(3))
    del app.table.keys["space"]
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.press("space")
        assert ("key", "space") in app.said
        assert app.table.marked == set()


async def test_cursor_stays_on_its_object_through_sorts_and_changes():
    app = Bare(rows(50))
    async with app.run_test(size=(40, 11)) as pilot:
        table = app.table
        table.sort_by("name")
        table.move_to("row-0020")
        height = table.cursor - table.top
        table.sort_by("size", reverse=True)
        assert table.cursor_key == "row-0020"
        table.update([row(f"new-{at}", 100 + at) for at in range(30)], ["row-0049"])
        assert table.cursor_key == "row-0020"
        assert table.cursor - table.top == height
        await pilot.pause()
        assert any(line.startswith("▌ row-0020") for line in lines(app))
        table.update([], ["row-0020"])
        assert table.cursor_key == "row-0019"  # took its place
        table.set_filter("nothing like it")
        assert table.cursor_key is None
        table.set_filter("row-0019")
        assert table.cursor_key == "row-0019"
        assert (table.visible_count, table.total) == (1, 78)


async def test_before_a_choice_the_cursor_stays_on_the_first_row():
    app = Bare()
    async with app.run_test(size=(40, 11)):
        table = app.table
        table.sort_by("name")
        table.update([row("m")])
        table.update([row("c")])
        assert table.cursor_key == "c"
        table.update([row("b"), row("a")])
        assert (table.cursor_key, table.cursor) == ("a", 0)


async def test_an_awaited_object_is_chosen_when_it_arrives():
    app = Bare(rows(3))
    async with app.run_test(size=(40, 11)):
        assert app.table.move_to("late") is False
        app.table.update([row("late")])
        assert app.table.cursor_key == "late"


async def test_filter_narrows_widens_and_inverts():
    app = Bare(rows(200))
    async with app.run_test(size=(40, 11)):
        table = app.table
        for query, count in (
            ("r", 200),
            ("row-01", 100),
            ("ROW-019", 10),
            ("row-01", 100),
            ("!row-01", 100),
            ("", 200),
        ):
            table.set_filter(query)
            assert (query, table.visible_count) == (query, count)


async def test_only_changed_lines_are_painted_again():
    app = Bare(rows(50))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        painted = []
        original = app.table.paint_line
        app.table.paint_line = lambda index, width, state: painted.append(index) or original(index, width, state)
        app.table.update([row("row-0003", 77), row("row-0004", 4), row("row-0040", 5)])
        await pilot.pause()
        assert painted == [3]
        await pilot.press("j")
        assert painted == [3, 0, 1]


async def test_ages_in_view_are_shown_again():
    app = Bare(rows(50))
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.tick(NOW + 50)
        await pilot.pause()
        assert "150s" in lines(app)[1]
        await pilot.press("G")
        assert "150s" in lines(app)[-1]


async def test_header_click_sorts_and_turns_round():
    app = Bare([row("b", 1), row("a", 2), row("c", 3)])
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.click(Table, offset=(3, 0))
        assert app.table.visible_keys == ["a", "b", "c"]
        assert "NAME↑" in lines(app)[0]
        await pilot.click(Table, offset=(3, 0))
        assert app.table.visible_keys == ["c", "b", "a"]
        assert "NAME↓" in lines(app)[0]
        await pilot.click(Table, offset=(3, 2))
        assert app.table.cursor_key == "b"
        await pilot.click(Table, offset=(3, 3), times=2)
        assert ("opened", "a") in app.said
        with pytest.raises(KeyError):
            app.table.sort_by("no such column")


async def test_columns_scroll_when_they_do_not_fit():
    columns = tuple(Column(f"c{at}", f"COLUMN{at}", None, shown, 10, 10) for at in range(6))
    values = tuple(f"value-{at}" for at in range(6))
    app = Bare([TableRow("k", tuple(map(Cell, values)), values)], columns)
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        assert lines(app)[0].endswith("›")
        await pilot.press("l")
        assert "COLUMN1" not in lines(app)[0] and "COLUMN3" in lines(app)[0] and lines(app)[0].startswith("‹")
        await pilot.press("right", "right", "right", "right", "right")
        assert "COLUMN5" in lines(app)[0] and "COLUMN0" in lines(app)[0]
        assert ("key", "right") in app.said  # nothing further: left to the parents
        await pilot.press("h", "h", "h")
        assert "COLUMN1" in lines(app)[0]


async def test_cursor_is_visible_without_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = Bare(rows(3))
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        styles = [strip for strip in app.screen._compositor.render_strips()]
        assert any(segment.style.reverse for segment in styles[1])
        assert not any(segment.style.reverse for segment in styles[2])


async def test_foreign_text_stays_text():
    name = "[bold]x[/] \x1b[31mred\x1b[0m\u202e\n"
    app = Bare([row(name)])
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.pause()
        text = "\n".join(lines(app))
        assert "[bold]x[/] ␛[31" in text
        assert not {"\x1b", "\u202e"} & set(text)


async def test_theme_change_changes_what_is_painted():
    app = Bare(rows(3))
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        before = app.screen._compositor.render_strips()[2]
        app.theme = "textual-light"
        await pilot.pause()
        assert app.screen._compositor.render_strips()[2] != before


async def test_random_use_never_breaks_what_is_shown():
    chance = random.Random(7)
    app = Bare(rows(30))
    keys = ["j", "k", "g", "G", "ctrl+f", "ctrl+b", "space", "l", "h"]
    async with app.run_test(size=(40, 9)) as pilot:
        table = app.table
        for _ in range(120):
            act = chance.randrange(5)
            if act == 0:
                some = [row(f"row-{chance.randrange(60):04}", chance.randrange(9)) for _ in range(5)]
                table.update(some, [f"row-{chance.randrange(60):04}" for _ in range(5)])
            elif act == 1:
                table.set_filter(chance.choice(["", "row", "1", "!1", "12"]))
            elif act == 2:
                table.sort_by(chance.choice([None, "name", "size"]), chance.random() < 0.5)
            else:
                await pilot.press(chance.choice(keys))
            assert 0 <= table.top <= max(0, table.visible_count - table.body_height)
            if table.visible_count:
                assert table.visible_keys[table.cursor] == table.cursor_key
            else:
                assert table.cursor_key is None
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        expected = table.visible_keys[table.top : table.top + table.body_height]
        assert [line[2:10] for line in lines(app)[1:] if line.strip()][: len(expected)] == expected


def test_painting_at_once_is_checked_for_the_installed_textual():
    """A new Textual means: read `tui/ui/paint.py` against it, run the key benchmark, then change CHECKED_VERSION."""
    assert textual.__version__ == paint.CHECKED_VERSION


async def test_a_key_is_painted_before_the_next_frame():
    app = Bare(rows(50))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        app.screen._update_timer.pause()
        app.table.go(5)
        assert not app.screen._compositor._dirty_regions
        assert not app.table._repaint_required


async def test_a_pending_layout_waits_and_the_key_does_not():
    app = Bare(rows(50))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        other = Static("gone soon")
        await app.mount(other)
        await pilot.pause()
        app.screen._update_timer.pause()
        app.screen._layout_required = True
        app.table.refresh()
        assert paint.now(app.table) is True
        assert app.screen._layout_required
        with app.batch_update():
            assert paint.now(app.table) is False
        parent, other._parent = other._parent, None  # as while it is being removed
        assert paint.now(app.table) is False
        other._parent = parent
        app.screen._layout_required = False
        assert paint.now(Table(COLUMNS)) is False


async def test_without_the_private_path_the_same_is_shown(monkeypatch):
    monkeypatch.setattr(paint, "SUPPORTED", False)
    app = Bare(rows(50))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press("j", "j")
        await pilot.pause()
        assert lines(app)[3].startswith("▌ row-0002")


def strips_besides(table):
    """Painted lines in memory that are not the table's own."""
    return sum(issubclass(type(each), Strip) for each in gc.get_objects()) - len(table._strips)


@pytest.mark.skipif(not paint.SUPPORTED, reason="lean strips are made for one version of Textual")
async def test_lines_painted_over_go_without_the_garbage_collector():
    app = Bare(rows(20))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert app.get_line_filters()  # every app has one for the sixteen colours
        gc.collect()
        gc.disable()
        try:
            before = strips_besides(app.table)
            for size in range(1_000, 2_000):
                app.table.update([row("row-0001", size)])
                assert paint.now(app.table)
            assert strips_besides(app.table) < before + 100
        finally:
            gc.enable()
