"""The two lines that stand on every screen: the header with what the fleet says, the footer with the keys that work."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.ui import frame, themes
from tui.ui.readonly import ReadOnly


class Line(Widget, can_focus=False):
    """One line of spans; a click on a span that names something posts what it names."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    class Chosen(Message):
        """A span was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._spans: Sequence[frame.Span] = ()

    def show(self, spans: Sequence[frame.Span]) -> None:
        """Paint these spans, if they differ from those shown."""
        if spans != self._spans:
            self._spans = spans
            self.refresh()

    def spans(self) -> Sequence[frame.Span]:
        """What the line shows now."""
        return self._spans

    def rest(self, colours: themes.Palette) -> str:
        """The colour behind and after the spans."""
        return colours.background

    def render_line(self, y: int) -> Strip:
        colours = themes.palette(self.app.theme)
        segments, used = [], 0
        for span in self.spans():
            foreground, background, bold = frame.look(colours, span.look)
            segments.append(Segment(span.text, Style(color=foreground, bgcolor=background, bold=bold)))
            used += frame.cells(span.text)
        segments.append(Segment(" " * max(0, self.size.width - used), Style(bgcolor=self.rest(colours))))
        return Strip(segments).crop(0, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Post what the span under the pointer names."""
        at = 0
        for span in self.spans():
            at += frame.cells(span.text)
            if event.x < at:
                if span.click:
                    self.post_message(self.Chosen(span.click))
                return


class _Bar(Line):
    def spans(self) -> Sequence[frame.Span]:
        """What the line shows now."""
        return self._spans

    def rest(self, colours: themes.Palette) -> str:
        return colours.surface


class Header(_Bar):
    """The panes as tabs, and the fleet's counts."""

    def __init__(self) -> None:
        super().__init__(id="header")
        self._state: tuple[str, frame.Counts, int, frame.Span | None] = (frame.FIRST, frame.Counts(), 0, None)

    def count(self, active: str, counts: frame.Counts, spin: int, badge: frame.Span | None = None) -> None:
        """Show these counts, `active` as the chosen pane, and which cluster it is about where that matters."""
        if (active, counts, spin, badge) != self._state:
            self._state = (active, counts, spin, badge)
            self.refresh()

    def spans(self) -> Sequence[frame.Span]:
        """As wide as the terminal, from the very first painting on."""
        return frame.header(self.size.width, *self._state)


_KEPT = ("command", "help")  # they stay in the footer however narrow it is


class Footer(_Bar):
    """The keys that work here, as many as there is room for; those that lead to all others always have their place."""

    def __init__(self) -> None:
        super().__init__(id="footer")
        self._keys: Sequence[tuple[str, str, str]] = ()
        self._unable: Sequence[str] = ()

    def keys(self, keys: Sequence[tuple[str, str, str]], unable: Sequence[str] = ()) -> None:
        """Show (key, label, action id), the most useful first and help last; grey what is `unable` here, by id."""
        if isinstance(self.app, ReadOnly):
            keys = [item for item in keys if self.app.may(item[2])]
        if keys != self._keys or unable != self._unable:
            self._keys, self._unable = keys, unable
            self.refresh()

    def spans(self) -> Sequence[frame.Span]:
        """The keys there is room for."""
        if not self._keys:
            return ()
        read_only = isinstance(self.app, ReadOnly) and self.app.settings.read_only
        noted = [frame.Span(" read-only ", "warn")] if read_only else []
        last = [item for item in self._keys[:-1] if item[2] in _KEPT] + [self._keys[-1]]
        if sum(map(_cost, last)) > self.size.width:
            last = last[-1:]
        first = [item for item in self._keys if item not in last and item[2] not in _KEPT]
        room = self.size.width - sum(map(_cost, last)) - sum(frame.cells(span.text) for span in noted)
        made: list[frame.Span] = noted
        for item in first:
            if _cost(item) > room:
                break
            room -= _cost(item)
            made += self._spans_of(item)
        return [*made, *(span for item in last for span in self._spans_of(item))]

    def _spans_of(self, item: tuple[str, str, str]) -> list[frame.Span]:
        key, label, action = item
        looks = ("tab", "tab") if action in self._unable else ("key", "muted")
        return [frame.Span(f" {key}", looks[0], action), frame.Span(f" {label} ", looks[1], action)]


def _cost(item: tuple[str, str, str]) -> int:
    return frame.cells(item[0]) + frame.cells(item[1]) + 3
