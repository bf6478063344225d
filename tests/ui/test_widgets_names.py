"""Our widgets override of Textual's private methods only what is meant."""

import pytest
from textual.widget import Widget
from textual.widgets import TextArea

from tui.domain.tail import Tail
from tui.ui.widgets.editor import Editor
from tui.ui.widgets.line_view import LineView
from tui.ui.widgets.table import Table
from tui.ui.widgets.tail import TailStrip, TailView
from tui.ui.widgets.tree import LazyTree
from tui.ui.widgets.viewer import Viewer

MEANT = {"_on_key", "_on_mouse_scroll_down", "_on_mouse_scroll_up"}
MADE = {  # by Textual for every subclass
    name for name in vars(type("Empty", (Widget,), {})) if name.startswith("_")
}


@pytest.mark.parametrize(
    ("widget", "base"),
    [
        (LineView(), Widget),
        (Table(), Widget),
        (LazyTree(lambda node_id: []), Widget),
        (TailView(Tail()), Widget),
        (TailStrip(Tail()), Widget),
        (Viewer(), Widget),
        (Editor(), TextArea),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, type) else value.__name__,
)
def test_no_private_name_of_textual_is_taken_by_accident(widget, base):
    ours = [kind for kind in type(widget).__mro__ if kind.__module__.startswith("tui.")]
    taken = {name for kind in ours for name in vars(kind) if name.startswith("_") and hasattr(base, name)}
    assert {name for name in taken if not name.startswith("__")} - MEANT - MADE == set()
    plain = base()
    fields = set(vars(widget)) - set(vars(plain))
    assert not {name for name in fields if hasattr(base, name)}
