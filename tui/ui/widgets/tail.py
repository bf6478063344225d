"""The event tail: a window on the ring of events that follows, pauses, filters and loses nothing meanwhile."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from itertools import islice
from operator import itemgetter
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message

from tui.domain.kinds.kind import Cell, Column, Tone
from tui.domain.tail import KEPT, Placed, Tail, TailEvent
from tui.ui import paint
from tui.ui.text import padded
from tui.ui.widgets.columns import Layout, lay_out
from tui.ui.widgets.follow_view import FollowView
from tui.ui.widgets.line_view import PLAIN, LineView

SHAPES: dict[Tone, str] = {
    Tone.GOOD: "✔",
    Tone.BUSY: "◔",
    Tone.WARN: "▲",
    Tone.BAD: "✖",
    Tone.PAUSED: "‖",
    Tone.UNKNOWN: "?",
    Tone.ACCENT: "›",
}  # a shape as well as a colour; the other tones have none
_GUTTER = 2


def _nothing(value: object, now: float) -> Cell:
    return Cell(str(value))


def _column(title: str, width: int, least: int, wide: bool = False, grow: int = 0) -> Column:
    return Column(title, title, lambda row, facts: None, _nothing, width, least, wide=wide, grow=grow)


def _columns(message: int) -> tuple[Column, ...]:
    """Time, cluster, application, what (two columns), revision, by whom; when it is narrow, those that are `wide` go
    first, so that the message keeps its least width."""
    return (
        _column("time", 8, 8),
        _column("cluster", 24, 8, wide=True),
        _column("application", 28, 10),
        _column("reason", 24, 11),
        _column("message", 44, message, grow=1),
        _column("revision", 12, 7, wide=True),
        _column("by", 20, 8, wide=True),
    )


_COLUMNS = _columns(28)
_NARROW_COLUMNS = _columns(8)  # for windows that have no room for a longer message
_MESSAGE = 4
_MEASURED = 200  # newest events whose texts the columns are made for
_STEP = 4  # cells by which columns widen for longer texts, so that they do so seldom


class EventLine:
    """Draws events into lines. Columns widen for longer texts, in steps, and never narrow: lines stand still."""

    def __init__(self, view: LineView) -> None:
        self._view = view
        self._layout: tuple[int, Layout] = (0, Layout((), False, False))
        self._natural = [column.least for column in _COLUMNS]
        self.version = 0  # of the columns

    def measure(self, event: TailEvent) -> None:
        """Widen the columns for an event that will be shown."""
        application = event.application.rsplit("/", 1)[-1]
        lengths = (8, len(event.cluster), len(application), len(event.reason) + 2, 44, 7, len(event.actor))
        natural = self._natural
        for at, length in enumerate(lengths):
            if length > natural[at] < _COLUMNS[at].width:
                natural[at] = min(_COLUMNS[at].width, -(-length // _STEP) * _STEP)
                self.version += 1
                self._layout = (0, self._layout[1])

    def segments(self, event: TailEvent, width: int, state: str, lead: str, day: str) -> list[Segment]:
        """The event in exactly `width` cells; `day` is today as `%Y%j`, other days show their date."""
        if self._layout[0] != width:
            gap = 1 if width < 120 else 2
            room = max(1, width - _GUTTER)
            layout = lay_out(_COLUMNS, self._natural, room, gap, 0, True)
            if all(slot.column != _MESSAGE for slot in layout.slots):
                layout = lay_out(_NARROW_COLUMNS, self._natural, room, gap, 0, True)
            self._layout = (width, layout)
        view = self._view
        made = [Segment(padded(lead, min(_GUTTER, width)), view.tone_style(Tone.ACCENT, state))]
        cells = self._cells(event, day)
        accents = getattr(view.app, "accents", None)  # of fleet's own app
        if accents is not None:
            cells = (cells[0], accents.cell(cells[1]), *cells[2:])
        slots = list(self._layout[1].slots)
        while slots and slots[-1].column > _MESSAGE and not cells[slots[-1].column].text:
            slots.pop()  # nothing there: the message may take its room
        if slots and slots[-1].column == _MESSAGE:
            slots[-1] = slots[-1]._replace(width=width - _GUTTER - slots[-1].x)
        ends = [slot.x for slot in slots[1:]] + [width - _GUTTER]
        for (at, x, size), end in zip(slots, ends, strict=False):
            text = padded(cells[at].text, size) + " " * (end - x - size)
            made.append(Segment(text, view.tone_style(cells[at].tone, state)))
        return made

    @staticmethod
    def _cells(event: TailEvent, day: str) -> tuple[Cell, ...]:
        moment = time.localtime(event.time)
        today = time.strftime("%Y%j", moment) == day
        shape = SHAPES.get(event.tone, "·")
        return (
            Cell(time.strftime("%H:%M:%S" if today else "%d %b", moment), Tone.MUTED),
            Cell(event.cluster, Tone.MUTED),
            Cell(event.application.rsplit("/", 1)[-1], Tone.ACCENT),
            Cell(f"{shape} {event.reason}", event.tone),
            Cell(event.message, Tone.PLAIN if event.tone in (Tone.PLAIN, Tone.MUTED) else event.tone),
            Cell(short_revision(event.revision), Tone.MUTED),
            Cell(event.actor, Tone.MUTED),
        )


def short_revision(revision: str) -> str:
    """Seven digits of a commit id; anything else, such as a chart version, as it is."""
    is_commit = len(revision) in (40, 64) and not revision.strip("0123456789abcdef")
    return revision[:7] if is_commit else revision


_Line = tuple[float, int, TailEvent, str]  # Placed, and the lower-cased text for the filter; "" for a gap


def _text(event: TailEvent) -> str:
    parts = (event.cluster, event.application, event.reason, event.message, event.revision, event.actor)
    return " ".join(parts).lower()


class TailView(FollowView):
    """Events by time, newest last. On the last line it follows; the cursor moved up, it stands still; paused, it takes
    nothing in until resumed, and then everything that came meanwhile."""

    class Opened(Message):
        """Enter or a double click on an event: `event.ref` says where to go."""

        def __init__(self, view: LineView, event: TailEvent) -> None:
            super().__init__()
            self.view = view
            self.event = event

        @property
        def control(self) -> LineView:
            """The widget it comes from."""
            return self.view

    def __init__(
        self,
        tail: Tail,
        *,
        kept: int = KEPT,
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, name=name)
        self.tail = tail
        self._line = EventLine(self)
        self._kept = kept
        self._all: deque[_Line] = deque(maxlen=kept)  # what has been taken in, by place and sequence number
        self._shown: deque[_Line] = deque(maxlen=kept)  # and what of it matches
        self._next = tail.start  # first sequence number not taken in
        self._filter = ""
        self._scope: Callable[[TailEvent], bool] | None = None
        self._day = ""
        self._empty = empty
        self.pull()

    # --- what a pane asks and tells --------------------------------------------------------------------------

    @property
    def behind(self) -> int:
        """Events that came since the pause, matching or not."""
        return self.tail.end - self._next if self.paused else 0

    @property
    def event(self) -> TailEvent | None:
        """The event under the cursor."""
        return self._shown[self.cursor][2] if self._shown else None

    @property
    def visible_count(self) -> int:
        """Events that pass scope and filter."""
        return len(self._shown)

    @property
    def filter_text(self) -> str:
        """The filter in force."""
        return self._filter

    def pull(self) -> None:
        """Take in what came since the last call; while paused, only the number behind changes."""
        if self.paused:
            self.told()
            return
        if self._next == self.tail.end:
            return
        missed = self.tail.start - self._next
        came = [(place, sequence, event, _text(event)) for place, sequence, event in self.tail.placed(self._next)]
        if missed > 0:
            place, sequence, first, _ = came[0]
            came.append((place, sequence - 1, _gap(missed, first.time), ""))
        came.sort()  # sequence numbers differ: events are never compared
        self._next = self.tail.end
        if self._all and came[0] < self._all[-1]:
            self._all = deque(sorted([*self._all, *came]), self._kept)
        else:
            self._all.extend(came)
        added = [line for line in came if self._passes(line)]
        for _, _, event, text in added[-_MEASURED:]:
            if text:
                self._line.measure(event)
        if added and self._shown and added[0] < self._shown[-1]:
            self._merge(added)
        elif added:
            before = len(self._shown)
            self._shown.extend(added)
            self.keep_up(dropped=before + len(added) - len(self._shown))

    def set_filter(self, query: str) -> None:
        """Show events with this text anywhere in their line, without case; `!text` shows the others."""
        query = query.lower()
        if query == self._filter:
            return
        old, self._filter = self._filter, query
        narrows = bool(old) and "!" not in (old[:1], query[:1]) and old in query
        self._match_again(self._shown if narrows else self._all)
        paint.now(self)

    def set_scope(self, admits: Callable[[TailEvent], bool] | None) -> None:
        """Show only events for which this holds; None shows all."""
        self._scope = admits
        self._match_again(self._all)

    # --- lines -----------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        """Events that pass scope and filter."""
        return len(self._shown)

    def stamp(self, index: int) -> Hashable:
        """The event, the day it is shown on, and the columns."""
        return self._shown[index][1], self._day, self._line.version

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """Time, cluster, application, what, revision, by whom."""
        lead = "▌" if index == self.cursor else ""
        return self._line.segments(self._shown[index][2], width, state, lead, self._day)

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """The empty text on the first line."""
        if y == 0 and not self._shown and self._empty:
            return [Segment(padded("  " + self._empty, width), self.tone_style(Tone.MUTED))]
        return super().paint_empty(y, width)

    def tick(self, now: float) -> None:
        """Time has passed: after midnight, yesterday's events show their date."""
        day = time.strftime("%Y%j", time.localtime(now))
        if day != self._day:
            self._day = day
            self.refresh()

    def on_mount(self) -> None:
        """Until told otherwise, today is when the widget was made."""
        if not self._day:
            self.tick(time.time())

    # --- keys ------------------------------------------------------------------------------------------------

    def key_open(self) -> bool | None:
        """Jump to the object of the event."""
        event = self.event
        if event is None:
            return False
        self.post_message(self.Opened(self, event))
        return None

    # --- inside ----------------------------------------------------------------------------------------------

    def _passes(self, line: _Line) -> bool:
        """Whether a line is shown; that events are missing is said whatever the filter."""
        _, _, event, text = line
        if not text:
            return True
        if self._scope is not None and not self._scope(event):
            return False
        if not self._filter or self._filter == "!":
            return True
        if self._filter.startswith("!"):
            return self._filter[1:] not in text
        return self._filter in text

    def _match_again(self, source: Iterable[_Line]) -> None:
        """Matches anew, among these lines."""
        query = self._filter
        if self._scope is not None:
            self._show(filter(self._passes, source))
        elif query.startswith("!"):
            self._show([line for line in source if query == "!" or query[1:] not in line[3] or not line[3]])
        else:
            self._show([line for line in source if query in line[3] or not line[3]])
        for _, _, event, text in islice(reversed(self._shown), _MEASURED):
            if text:
                self._line.measure(event)
        self.keep_up(0)

    def _merge(self, added: list[_Line]) -> None:
        """Put events that are told late where they belong, under a cursor that stays on its event."""
        self._show(sorted([*self._shown, *added]))
        self.keep_up(0)

    def _show(self, found: Iterable[_Line]) -> None:
        """Show these, with the cursor on the event it was on, or on the next one, in the same line of the window."""
        held = self._shown[self.cursor][:2] if self._shown else (0.0, 0)
        row = self.cursor - self.top
        self._shown = deque(found, self._kept)
        self.cursor = min(bisect_left(self._shown, held, key=itemgetter(0, 1)), max(0, len(self._shown) - 1))
        self.top = self.cursor - row


def _order(placed: Placed) -> tuple[float, int]:
    return placed[:2]


def _gap(missed: int, moment: float) -> TailEvent:
    """The line that stands for events the ring has dropped before they were shown."""
    return TailEvent(moment, "", "", "NotShown", f"{missed:,} events came in between; memory holds {KEPT:,}")


class TailStrip(LineView, can_focus=False):
    """The newest events in a few quiet lines, for under a pane. A click opens one."""

    Opened = TailView.Opened
    KEYS: ClassVar[dict[str, str]] = {}

    def __init__(self, tail: Tail, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.tail = tail
        self._line = EventLine(self)
        self._seen = -1
        self._day = ""
        self._last: list[Placed] = []

    DEFAULT_CSS = """
    TailStrip { height: 2; }
    """

    def pull(self) -> None:
        """Show what came since the last call."""
        if self._seen == self.tail.end:
            return
        height = max(1, self.size.height)
        held = self._last if self._seen >= 0 else []
        found = sorted([*held, *self.tail.placed(self._seen)], key=_order)
        for _, _, event in found[-_MEASURED:]:
            self._line.measure(event)
        self._seen = self.tail.end
        self._last = found[-height:]
        self.refresh()

    def tick(self, now: float) -> None:
        """Time has passed: after midnight, yesterday's events show their date."""
        day = time.strftime("%Y%j", time.localtime(now))
        if day != self._day:
            self._day = day
            self.refresh()

    def on_mount(self) -> None:
        """Until told otherwise, today is when the widget was made."""
        if not self._day:
            self.tick(time.time())

    def line_count(self) -> int:
        """As many events as there are lines."""
        return len(self._last)

    def stamp(self, index: int) -> Hashable:
        """The event, the day and the columns."""
        return self._last[index][1], self._day, self._line.version

    def state_of(self, index: int) -> str:
        """There is no cursor."""
        return PLAIN

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """As in the tail."""
        return self._line.segments(self._last[index][2], width, state, "", self._day)

    def on_resize(self, event: events.Resize) -> None:
        """More or fewer lines."""
        self._seen = -1
        self.pull()
        super().on_resize(event)

    def line_clicked(self, index: int, x: int, chain: int) -> None:
        """Open the clicked event."""
        self.post_message(self.Opened(self, self._last[index][2]))
