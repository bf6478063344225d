"""The first screen of all: the first frame, painted by Textual, and the keys typed until the real one stands.

It is one widget without a style sheet, so that keys are answered before the panes and the fleet have been imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.ui import frame, keys, themes
from tui.ui.text import width_of

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

_PLAIN = Style()  # filters, such as that of NO_COLOR, want every segment to have a style


class Curtain(Screen[None]):
    """Shown until the first screen of the fleet stands."""

    def __init__(self) -> None:
        super().__init__()
        self._frame = _Frame()

    def compose(self) -> ComposeResult:
        yield self._frame

    def show(self, held: Sequence[events.Key]) -> None:
        """Show the keys that wait: characters as they are, others by name."""
        self._frame.type("".join(map(_word, held)))


def _word(key: events.Key) -> str:
    return key.character if key.is_printable and key.character else f"<{keys.shown(key.key)}>"


class _Frame(Widget, can_focus=False):
    """The frame that was painted before Textual came."""

    DEFAULT_CSS = "_Frame { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._typed = ""
        self._painted: tuple[object, list[Strip]] = (None, [])  # what for, and its lines

    def type(self, text: str) -> None:
        """Show what has been typed."""
        self._typed = text
        self.refresh()

    def render_line(self, y: int) -> Strip:
        of = (self.size, self.app.theme, self._typed)
        if self._painted[0] != of:
            self._painted = of, self._paint()
        lines = self._painted[1]
        return lines[y] if y < len(lines) else Strip.blank(self.size.width, _PLAIN)

    def _paint(self) -> list[Strip]:
        width, height = self.size
        typed = _end_of(f" {self._typed}", width) if self._typed else ""
        return [
            Strip(Segment(text, Style(color=front, bgcolor=behind, bold=bold)) for text, front, behind, bold in line)
            .simplify()
            .adjust_cell_length(width, _PLAIN)
            for line in frame.paint(
                width, height, themes.palette(self.app.theme), typed, getattr(self.app, "layout_kept", None)
            )
        ]


def _end_of(text: str, width: int) -> str:
    """The end of a text, where there is no room for all of it."""
    while width_of(text) > width:
        text = text[1:]
    return text


async def prepared(make: Callable[[], Fleet]) -> Fleet:
    """Import what the first screen needs and make the fleet, beside the keys. Raises what `make` raises."""
    from tui.fleet.aside import aside

    return await aside(lambda: _prepare(make), "fleet-opening")


def _prepare(make: Callable[[], Fleet]) -> Fleet:
    import tui.ui.panes.applications
    import tui.ui.panes.tree
    import tui.ui.screens.shell
    import tui.ui.strip  # noqa: F401

    return make()
