"""The one place that reaches into Textual's private parts: lean strips, and painting a widget before the next frame.

Textual paints on a 60 Hz clock, so a key press waits up to a frame. `now` runs the compositor at once for one widget.
Everything here is checked against the pinned version; with any other version the public path is used, which shows
the same a little later.
"""

from __future__ import annotations

import textual
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

CHECKED_VERSION = "8.2.8"
SUPPORTED = textual.__version__ == CHECKED_VERSION


class _NoCache:
    """Stands where `Strip` keeps a cache: a table's strips are painted whole and kept by the widget."""

    __slots__ = ()

    def get(self, key: object, default: object = None) -> object:
        return default

    def __setitem__(self, key: object, value: object) -> None:
        return


_NO_CACHE = _NoCache()


class _LeanStrip(Strip):
    """A strip without the seven caches of its base: 2.5 times cheaper to make and to free.

    A whole line that is painted would lie in its own cache, and stay until the garbage collector comes by.
    """

    __slots__ = ()
    _divide_cache = _crop_cache = _style_cache = _filter_cache = _NO_CACHE  # type: ignore[assignment]
    _line_length_cache = _crop_extend_cache = _offsets_cache = _NO_CACHE  # type: ignore[assignment]

    def __init__(self, segments: list[Segment], cell_length: int) -> None:
        self._segments = segments
        self._cell_length = cell_length
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None


def strip(segments: list[Segment], width: int) -> Strip:
    """A strip of exactly `width` cells. The list belongs to the strip from now on."""
    return _LeanStrip(segments, width) if SUPPORTED else Strip(segments, width)


def now(widget: Widget) -> bool:
    """Paint what the widget has marked with `refresh(...)` at once; False when it is left to the next frame.

    What other widgets have marked stays marked, and a pending layout stays pending: until it is done, the terminal
    shows the layout before it, and this paints into that one. A batch, a screen that is not on top, and a layout that
    has lost widgets are left to Textual.
    """
    if not SUPPORTED or not widget.is_attached:
        return False
    app, screen = widget.app, widget.screen
    if screen is not app.screen or app.is_inline or app._batch_count:
        return False
    visible = screen._compositor.visible_widgets
    if widget not in visible:
        return False
    if (screen._layout_required or screen._scroll_required) and not all(other.is_attached for other in visible):
        return False
    others = screen._dirty_widgets - {widget}
    screen._compositor.update_widgets({widget})
    screen._compositor_refresh()
    screen._dirty_widgets.update(others)
    widget._repaint_required = False
    return True
