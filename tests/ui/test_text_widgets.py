"""Whatever text comes from outside: each widget paints lines of exactly its width, without anything that could act."""

from __future__ import annotations

import asyncio
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App

from tui.domain.edits.base import Field
from tui.domain.kinds.kind import Cell, Column, Tone
from tui.domain.obj import Ref
from tui.domain.tail import Tail, TailEvent
from tui.ui.text import safe
from tui.ui.widgets.editor import Editor
from tui.ui.widgets.form import Form
from tui.ui.widgets.table import Table, TableRow
from tui.ui.widgets.tail import TailStrip, TailView
from tui.ui.widgets.tree import LazyTree, Node
from tui.ui.widgets.viewer import Viewer

NASTY = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from("\x1b\x9b\x00\r\n\t\x7f\u202e\u2066\u200b\u200d\ufe0f\u0301\u0489\u00a0\u2028\u3164[]#:|-\"' "),
        st.sampled_from("漢字🇩🇪👩‍💻⚠️é한\U0001f3fd"),
    ),
    max_size=50,
)
ACTIVE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
COLUMNS = tuple(
    Column(f"c{at}", "TITLE", lambda row, facts: None, lambda value, now: Cell(str(value)), 14, 3, right=at == 1)
    for at in range(3)
)


def table(texts):
    made = Table(COLUMNS, empty=texts[0])
    key = Ref(texts[0], "pods", "", texts[1])
    made.replace([TableRow(key, tuple(Cell(text, Tone.BAD) for text in texts), tuple(texts))])
    return made


def tree(texts):
    nodes = [Node(texts, tuple(map(Cell, texts[:2])), tuple(map(Cell, texts[2:])), True)]
    made = LazyTree(lambda node_id: nodes if node_id is None else [], empty=texts[0])
    made.reload()
    return made


def tail(texts):
    ring = Tail()
    ring.add(TailEvent(0.0, *texts, *texts, "source", Tone.WARN))
    return ring


MAKERS = {
    "table": table,
    "tree": tree,
    "tail": lambda texts: TailView(tail(texts)),
    "strip": lambda texts: TailStrip(tail(texts)),
    "yaml": lambda texts: Viewer("\n".join(texts)),
    "diff": lambda texts: Viewer("@@ -1,2 +1,2 @@\n-" + "\n+".join(texts), "diff"),
    "wrapped": lambda texts: wrapped(texts),
    "editor": lambda texts: Editor("\n".join(text.replace("\ufdd0", "") for text in texts)),
    "form": lambda texts: Form(
        (Field("a", texts[0], texts[1], texts, help=texts[2]), Field("b", "B", "", texts, False))
    ),
}


def wrapped(texts):
    made = Viewer("\n".join(texts), "plain")
    made.wrap = True
    return made


class One(App):
    """One widget alone on the screen."""

    def __init__(self, widget):
        super().__init__()
        self.widget = widget

    def compose(self):
        yield self.widget


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=settings.default.max_examples // 4)
@given(st.tuples(NASTY, NASTY, NASTY), st.sampled_from([(9, 4), (40, 8), (130, 8)]))
def test_lines_are_whole_and_harmless(name, texts, size):
    if name == "editor" and any("\ufdd0" <= char <= "\ufdef" for text in texts for char in text):
        return

    async def run():
        app = One(MAKERS[name](texts))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for line in app.screen._compositor.render_strips():
                text = "".join(segment.text for segment in line)
                assert not [char for char in text if unicodedata.category(char) in ACTIVE], ascii(text)
                assert cell_len(text) == size[0], ascii(text)

    asyncio.run(run())


@given(st.lists(st.sampled_from(["漢", "x", "é", "e\u0301", "🚀", " "]), max_size=60).map("".join), st.integers(4, 20))
def test_wrapped_lines_lose_no_character(text, room):
    viewer = Viewer(text, "plain")
    viewer.wrap = True
    viewer._room = lambda: room
    shown = []
    for index in range(viewer.line_count()):
        at, nth = viewer._line_of(index)
        first, last = viewer._wrapped_part(viewer._shown_line(at), nth, room)
        shown.append(viewer._shown_line(at)[first:last])
    assert "".join(shown) == safe(text)
    assert all(cell_len(part) <= room for part in shown)
