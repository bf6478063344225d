"""The one place that reaches into Textual's private parts: lean strips, painting a widget before the next frame, and
sending only what differs from what the terminal shows.

Textual paints on a 60 Hz clock, so a key press waits up to a frame. `now` runs the compositor at once for one widget.
Everything here is checked against the pinned version; with any other version the public path is used, which shows
the same a little later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import textual
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.content import Content
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.clipboard import copying
from tui.ui.shown import Shown

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


def lower_border(widget: Widget, text: Content | None) -> None:
    """Change what stands in the lower border; what is inside is not painted again, as it is where that is assigned."""
    if not SUPPORTED or not widget.is_mounted:
        widget.border_subtitle = text
        return
    widget._border_subtitle = text
    size, inner = widget.outer_size, widget.content_offset
    widget.refresh(Region(-inner.x, size.height - 1 - inner.y, size.width, 1))


class Sparing(App[None]):
    """An app that sends its terminal only what differs from what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = Shown()

    def on_mount(self) -> None:
        """Whatever else has had the terminal meanwhile has left something there."""
        self.app_suspend_signal.subscribe(self, lambda _: self._shown.forget())
        self.app_resume_signal.subscribe(self, lambda _: self.repaint())

    def on_resize(self, event: events.Resize) -> None:
        """A terminal that changes its size moves its lines as it likes."""
        self._shown.forget()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text to the clipboard of the terminal that the user sits at."""
        self._clipboard = text
        if self._driver is not None:
            self._driver.write(copying(text, os.environ))

    def repaint(self) -> None:
        """Send everything once more: something else may have written to the terminal."""
        self._shown.forget()
        self.screen.refresh()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if SUPPORTED and isinstance(renderable, ChopsUpdate | LayoutUpdate):
            # The size of what was laid out: the screen itself hears of a new one later.
            renderable = _Difference(renderable, self._shown, screen._compositor.size)
        super()._display(screen, renderable)


class _Difference(CompositorUpdate):
    """The part of an update that the terminal does not show already."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, shown: Shown, size: tuple[int, int]) -> None:
        self._update = update
        self._shown = shown
        self._size = size

    def render_segments(self, console: Console) -> str:
        colours = console._color_system or ColorSystem.TRUECOLOR
        return self._shown.paint(*self._size, _pieces(self._update), colours)


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[tuple[int, int, Iterable[Strip]]]:
    """The strips of an update, each with its column and row."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            yield update.region.x, y, line
        return
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                yield x, y, (strip,)
