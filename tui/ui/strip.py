"""The small live strip of the event tail that stands under every pane."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime

from rich.segment import Segment
from textual.app import ComposeResult

from tui.domain.kinds.kind import Tone
from tui.domain.tail import Tail, TailEvent
from tui.ui.panes.base import Pane
from tui.ui.scope import View
from tui.ui.text import padded
from tui.ui.widgets.line_view import LineView


class _Newest(LineView):
    """As many of the newest events as there are lines, newest last."""

    can_focus = False

    def __init__(self, tail: Tail) -> None:
        super().__init__()
        self.tail = tail
        self._shown: list[tuple[int, TailEvent]] = []

    def pull(self) -> None:
        """Take in what came since."""
        height = self.size.height
        if height and (not self._shown or self._shown[-1][0] != self.tail.end - 1 or len(self._shown) != height):
            self._shown = list(self.tail.since(self.tail.end - height))
            self.cursor = -1
            self.refresh()

    def line_count(self) -> int:
        return min(len(self._shown), self.size.height)

    def stamp(self, index: int) -> Hashable:
        return self._shown[index][0]

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        event = self._shown[index][1]
        moment = datetime.fromtimestamp(event.time).strftime("%H:%M:%S")
        name = event.application.rpartition("/")[2] or event.cluster
        parts = ((f" {moment} ", 10, Tone.MUTED), (name, 26, Tone.ACCENT), (event.reason, 18, event.tone))
        segments = []
        for text, size, tone in parts:
            segments.append(Segment(padded(text, min(size, width)), self.tone_style(tone)))
            width -= min(size, width)
        segments.append(Segment(padded(event.message, width), self.tone_style(Tone.PLAIN)))
        return segments


class EventStrip(Pane):
    """The newest events, one line each."""

    TITLE = "Events"
    PLACES = ()

    def __init__(self) -> None:
        super().__init__(View("strip"))
        self.id = "strip"

    def compose(self) -> ComposeResult:
        yield _Newest(self.fleet.tail)

    def pull(self) -> None:
        self.query_one(_Newest).pull()
