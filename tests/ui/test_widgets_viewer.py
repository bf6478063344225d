"""The viewer in a running app."""

from __future__ import annotations

from textual.app import App

from tui.ui.widgets.viewer import Viewer

TEXT = "kind: Service\nmetadata:\n  name: cart # ours\n" + "".join(f"  line{at}: {at}\n" for at in range(200))


class Bare(App):
    def __init__(self, *args, **more):
        super().__init__()
        self.viewer = Viewer(*args, **more)
        self.keys_left = []

    def compose(self):
        yield self.viewer

    def on_mount(self):
        self.viewer.focus()

    def on_key(self, event):
        self.keys_left.append(event.key)


def strips(app):
    return app.screen._compositor.render_strips()


def lines(app):
    """What the screen shows, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips(app)]


async def test_numbers_and_moving():
    app = Bare(TEXT)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert lines(app)[0].rstrip("┃").rstrip() == "   1  kind: Service"
        await pilot.press("G")
        assert app.viewer.line == app.viewer.total_lines == 203
        assert lines(app)[-1].startswith(" 203    line199: 199")
        app.viewer.goto(100)
        await pilot.pause()
        assert app.viewer.line == 100
        assert any(line.startswith(" 100  ") for line in lines(app))
        await pilot.press("left", "l")
        assert app.keys_left == ["left", "l"]


async def test_parts_have_styles_of_their_own():
    app = Bare(TEXT)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        third = {segment.text: segment.style.color for segment in strips(app)[2]}
        assert third["name"] != third["# ours"]
        assert third["name"] != third[" cart "]


async def test_search_goes_round_and_shows_its_matches():
    app = Bare(TEXT)
    async with app.run_test(size=(40, 10)) as pilot:
        viewer = app.viewer
        assert viewer.search("LINE19") == 0
        assert viewer.search("line19") == 11
        assert (viewer.line, viewer.match) == (23, 1)
        await pilot.press("n", "n")
        assert (viewer.line, viewer.match) == (195, 3)
        await pilot.press("N", "N", "N")
        assert (viewer.line, viewer.match) == (203, 11)
        match = viewer.component("line--match")
        found = [segment.text for strip in strips(app) for segment in strip if segment.style == match]
        assert found and set(found) == {"line19"}
        assert viewer.search("") == 0
        await pilot.press("n")
        assert app.keys_left == ["n"]


async def test_search_brings_a_far_column_into_view():
    app = Bare("x" * 500 + "needle" + "y" * 500, "plain")
    async with app.run_test(size=(40, 10)) as pilot:
        app.viewer.search("needle")
        await pilot.pause()
        assert "needle" in lines(app)[0]
        await pilot.press("0")
        assert app.viewer.left == 0


async def test_wrapping_keeps_the_line_and_shows_all_text():
    long = "".join(f"word{at} " for at in range(60)).strip()
    app = Bare(f"first\n{long}\nlast", "plain")
    async with app.run_test(size=(40, 30)) as pilot:
        await pilot.press("j", "w")
        assert app.viewer.line == 2
        shown = "".join(line[4:].ljust(35) for line in lines(app)[1:-1])
        assert long.replace(" ", "") in shown.replace(" ", "")
        assert lines(app)[1 + -(-len(long) // 35)] == " 3  last"
        await pilot.resize_terminal(80, 30)
        await pilot.pause()
        assert app.viewer.line == 2
        await pilot.press("w", "l")
        assert app.viewer.left > 0


async def test_diff_has_numbers_of_both_sides_and_backgrounds():
    diff = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old: 1\n+new: 2\n"
    app = Bare(diff, "diff")
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("G", "g")
        assert lines(app)[3:6] == [" 1 1  same", " 2   -old: 1", "   2 +new: 2"]
        backgrounds = [strip._segments[-2].style.bgcolor for strip in strips(app)[3:6]]
        assert len(set(backgrounds)) == 3


async def test_selection_is_the_lines_from_the_anchor_to_the_cursor():
    app = Bare("a\nb\nc\nd\n", "plain")
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("j", "v", "j")
        assert app.viewer.selected_text == "b\nc"
        await pilot.press("v")
        assert app.viewer.selected_text == "c"


async def test_new_text_can_keep_the_place():
    app = Bare(TEXT)
    async with app.run_test(size=(40, 10)) as pilot:
        app.viewer.goto(50)
        app.viewer.set_text(TEXT + "more: 1\n", keep=True)
        assert app.viewer.line == 50
        app.viewer.set_text("a: 1", keep=True)
        assert app.viewer.line == 1
        app.viewer.set_text("")
        await pilot.press("G", "j", "n", "w", "w")
        assert app.viewer.line_count() == 0


async def test_foreign_text_stays_text():
    app = Bare("a: [red]\x1b[31m\u202e\tb\r\n\x00", "yaml")
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        text = "\n".join(lines(app))
        assert "a: [red]␛[31m�" in text
        assert "␀" in text
        assert not {"\x1b", "\u202e", "\t", "\r"} & set(text)


async def test_a_line_end_of_windows_is_not_part_of_the_line():
    app = Bare("a: 1\r\nb: 2\r\n", "yaml")
    async with app.run_test(size=(60, 10)):
        assert [app.viewer.line_text(at) for at in range(2)] == ["a: 1", "b: 2"]


async def test_one_line_of_megabytes_is_shown():
    app = Bare("x: '" + "漢 " * 1_000_000 + "'")
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("l", "l", "j", "k")
        assert "漢 漢" in lines(app)[0]
