"""Lines of many logs: a window on them that follows, pauses, filters, finds and wraps."""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message

from tui.domain.kinds.kind import Tone
from tui.domain.logs.ansi import pieces, plain
from tui.domain.logs.lines import NOTE, SECOND, LogLine, readable
from tui.domain.logs.merged import Merged
from tui.domain.logs.names import Place, labels
from tui.ui import paint
from tui.ui.text import padded, part, safe, width_of
from tui.ui.widgets.follow_view import FollowView
from tui.ui.widgets.log_text import SEEN, Pieces, height_of, marked, part_of, spread, window

_PODS = (Tone.ACCENT, Tone.GOOD, Tone.WARN, Tone.PAUSED, Tone.BUSY)  # none that says that something is bad
_GUTTER = 2
_STEP = 8  # cells that a key scrolls sideways
_LABEL = 40  # cells of a label at most, and a third of the window


class LogView(FollowView):
    """The wanted lines, oldest first. The cursor is a line; with wrapping on, a part of one."""

    KEYS: ClassVar[dict[str, str]] = {**FollowView.KEYS, "v": "select"}

    class Opened(Message):
        """Enter or a double click on a line."""

        def __init__(self, view: LogView, line: LogLine) -> None:
            super().__init__()
            self.view = view
            self.line = line

        @property
        def control(self) -> LogView:
            """The widget it comes from."""
            return self.view

    def __init__(self, merged: Merged | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.merged = merged or Merged()
        self.wrap = False
        self.times = False
        self.left = 0  # cells scrolled away to the left
        self._labels: list[str] = []
        self._longest = 0  # cells of a label
        self._tones: list[Tone] = []
        self._pattern: re.Pattern[str] | None = None  # of what was searched for
        self._anchor: LogLine | None = None  # where a selection began
        self._version = 0  # of everything that changes all lines
        self._ends: list[int] = []  # with wrapping: parts of the lines up to and with each
        self._base = 0  # parts of those that have gone
        self._room = 0  # cells that the lines were wrapped to
        self._said: Sequence[str] = ()
        self._day = ""

    # --- what a screen asks and tells ------------------------------------------------------------------------

    @property
    def line(self) -> LogLine | None:
        """The line under the cursor."""
        return self.merged.shown[self._line_of(self.cursor)[0]] if self.merged.shown else None

    @property
    def selected(self) -> list[LogLine]:
        """The selected lines, or the one under the cursor."""
        line = self.line
        if line is None:
            return []
        first, last = sorted((line, self._anchor or line))
        return self.merged.shown[self.merged.place(first) : self.merged.place(last) + 1]

    @property
    def selecting(self) -> bool:
        """Whether a range of lines is being selected."""
        return self._anchor is not None

    def add(self, lines: Iterable[LogLine]) -> None:
        """Take lines in, each where its time belongs; the cursor stays on its line."""
        held = None if self.following else self.line
        nth, row = self._line_of(self.cursor)[1], self.cursor - self.top
        moved = self.merged.add(lines)
        if self.wrap:
            self._wrap(moved.gone, moved.at)
        self._hold(held, nth, row)

    def clear(self) -> None:
        """Forget every line."""
        self.merged.clear()
        self._anchor = None
        self._begin_again(None, 0, 0)

    def call(self, places: Sequence[Place]) -> None:
        """Whose lines they are, by number of the source."""
        pods = {place[:3]: None for place in places}
        order = {pod: at for at, pod in enumerate(pods)}
        self._labels = [safe(label) for label in labels(places)]
        self._longest = max(map(width_of, self._labels), default=0)
        self._tones = [_PODS[order[place[:3]] % len(_PODS)] for place in places]
        self._changed()

    def label_of(self, source: int) -> str:
        """What the lines of a source are called here; "" when there is only one."""
        return self._labels[source] if 0 <= source < len(self._labels) else ""

    def set_filter(self, query: str) -> None:
        """Show lines with this text, without case; `!text` shows the others."""
        self._choose(lambda: self.merged.set_query(query))

    def set_only(self, sources: Collection[int] | None) -> None:
        """Show lines of these sources; None shows all."""
        self._choose(lambda: self.merged.set_only(sources))

    def find(self, query: str) -> int:
        """Find a text, without case unless it has capitals, from the cursor backwards: the newest is what is wanted.

        Returns in how many lines it is; "" ends the search.
        """
        flags = re.IGNORECASE if query == query.lower() else re.NOFLAG
        self._pattern = re.compile(re.escape(query), flags) if query else None
        self._version += 1
        self.refresh()
        if not query:
            return 0
        if flags:  # a loop without calls: a key waits for it
            texts = (plain(text) if "\x1b" in (text := line.text) else text for line in self.merged.shown)
            found = sum([query in text.lower() for text in texts])
        else:
            found = sum([query in plain(line.text) for line in self.merged.shown])
        if found and not (self.line is not None and self._matches(self.line)):
            self.next_match(-1)
        paint.now(self)
        return found

    def next_match(self, step: int) -> bool:
        """Go to the next line that matches (1) or the one before (-1), round the end; False when there is none."""
        shown, count = self.merged.shown, len(self.merged.shown)
        if self._pattern is None or not count:
            return False
        at = self._line_of(self.cursor)[0]
        for _ in range(count):
            at = (at + step) % count
            if self._matches(shown[at]):
                self._bring_match_in(shown[at])
                row = self._row_of(at)
                if not self.top <= row < self.top + self.body_height:
                    self.top = row - self.body_height // 3  # with some of what came before it
                    self.clamp_top()
                    self.refresh()
                self.go(row)
                return True
        return False

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them; the cursor stays on its line."""
        held, row = self.line, self.cursor - self.top
        self.wrap, self.left = wrap, 0
        self._begin_again(held, 0, row)

    def set_times(self, times: bool) -> None:
        """Show when each line was written, or not."""
        self.times = times
        self._changed()

    def say(self, lines: Sequence[str]) -> None:
        """What stands there while there is no line to show."""
        if lines != self._said:
            self._said = lines
            self.refresh()

    def tick(self, now: float) -> None:
        """Time has passed: after midnight, yesterday's lines show their date."""
        day = time.strftime("%Y%j", time.localtime(now))
        if day != self._day:
            self._day = day
            self._version += 1
            self.refresh()

    # --- lines -----------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        """Lines, or parts of lines when wrapped."""
        if not self.wrap:
            return len(self.merged.shown)
        return self._ends[-1] - self._base if self._ends else 0

    def stamp(self, index: int) -> Hashable:
        """Which part of which line, whether it is selected, and everything that changes all lines."""
        at, nth = self._line_of(index)
        line = self.merged.shown[at]
        return line.sequence, nth, self._version, self._anchor is not None and self._is_selected(line)

    def is_marked(self, index: int) -> bool:
        """Selected lines look like marked rows."""
        return self._anchor is not None and self._is_selected(self.merged.shown[self._line_of(index)[0]])

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """Time, whose, and the text in its own colours, from `left` on."""
        at, nth = self._line_of(index)
        line = self.merged.shown[at]
        lead = "▌" if index == self.cursor else ""
        made = [Segment(padded(lead, min(_GUTTER, width)), self.tone_style(Tone.ACCENT, state))]
        used = min(_GUTTER, width)
        for text, tone in self._head(line, nth):
            shown = padded(text, max(0, min(width_of(text), width - used)))
            made.append(Segment(shown, self.tone_style(tone, state)))
            used += width_of(shown)
        room = width - used
        if room <= 0:
            return made
        found = self._text(line, state)
        start, size = self.left, room
        if self.wrap:
            start, size = part_of(found, nth, room)
        made += window(found, start, size)
        if size < room:
            made.append(Segment(" " * (room - size), self.tone_style(Tone.PLAIN, state)))
        return made

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """Why there are no lines."""
        if not self.merged.shown and y < len(self._said):
            return [Segment(padded(f"  {self._said[y]}", width), self.tone_style(Tone.MUTED))]
        return super().paint_empty(y, width)

    def on_mount(self) -> None:
        """Until told otherwise, today is when the widget was made."""
        super().on_mount()
        if not self._day:
            self.tick(time.time())

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        if self.wrap:
            held, row = self.line, self.cursor - self.top
            self._begin_again(held, 0, row)
        super().on_resize(event)

    # --- keys ------------------------------------------------------------------------------------------------

    def key_right(self) -> bool | None:
        """Scroll sideways."""
        if self.wrap:
            return False
        self.left += _STEP
        self._changed()
        paint.now(self)
        return None

    def key_left(self) -> bool | None:
        """Scroll back; False at the left edge."""
        if not self.left:
            return False
        self.left = max(0, self.left - _STEP)
        self._changed()
        paint.now(self)
        return None

    def key_open(self) -> bool | None:
        """Open the line."""
        if (line := self.line) is None:
            return False
        self.post_message(self.Opened(self, line))
        return None

    def key_select(self) -> bool | None:
        """Begin to select lines, or end it."""
        self._anchor = None if self._anchor is not None else self.line
        self.refresh()
        paint.now(self)
        return None

    def cursor_moved(self) -> None:
        """A selection grows with it."""
        if self._anchor is not None:
            self.refresh()

    # --- inside ----------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        """All lines look different now, and may wrap differently."""
        self._version += 1
        if self.wrap:
            held, row = self.line, self.cursor - self.top
            self._begin_again(held, 0, row)
        self.refresh()

    def _choose(self, choose: Callable[[], None]) -> None:
        held, nth = self.line, self._line_of(self.cursor)[1]
        row = self.cursor - self.top
        choose()
        self._begin_again(held, nth, row)
        paint.now(self)

    def _begin_again(self, held: LogLine | None, nth: int, row: int) -> None:
        """Other lines are shown, or differently."""
        self._version += 1
        self._ends, self._base = [], 0
        if self.wrap:
            self._wrap(0, 0)
        self._hold(None if self.following else held, nth, row)

    def _hold(self, held: LogLine | None, nth: int, row: int) -> None:
        """Put the cursor on the line it was on, in the same line of the window; without one, follow."""
        if held is not None:
            at = min(self.merged.place(held), max(0, len(self.merged.shown) - 1))
            self.cursor = min(self._row_of(at) + nth, max(0, self.line_count() - 1))
            self.top = self.cursor - row
        self.keep_up(0)

    def _is_selected(self, line: LogLine) -> bool:
        here = self.line
        if here is None or self._anchor is None:
            return False
        return min(here, self._anchor) <= line <= max(here, self._anchor)

    def _matches(self, line: LogLine) -> bool:
        return self._pattern is not None and self._pattern.search(plain(line.text)) is not None

    def _bring_match_in(self, line: LogLine) -> None:
        """Scroll sideways until the match can be seen."""
        found = self._pattern.search(plain(line.text)) if self._pattern is not None else None
        if found is None or self.wrap:
            return
        column = width_of(spread(plain(line.text)[: found.start()]))
        if not self.left <= column < self.left + self._text_room() - 8:
            self.left = max(0, column - self._text_room() // 2)
            self._changed()

    def _head(self, line: LogLine, nth: int = 0) -> Iterator[tuple[str, Tone]]:
        """What stands before the text; blank before its further parts."""
        if self.times:
            yield (self._time(line.time) if not nth else " " * len(self._time(line.time))), Tone.MUTED
        if (width := self._label_width()) > 1:
            source = line.about if line.source == NOTE else line.source
            label = self.label_of(source) if not nth else ""
            if width_of(label) >= width:
                label = "…" + part(label, width_of(label) - width + 2, width - 2)
            yield padded(label, width), self._tones[source] if 0 <= source < len(self._tones) else Tone.MUTED

    def _label_width(self) -> int:
        return min(self._longest, _LABEL, max(8, self.size.width // 3)) + 1

    def _text_room(self) -> int:
        """Cells for the text of a line."""
        times = len(self._time(0)) if self.times else 0
        label = self._label_width()
        return max(1, self.size.width - 1 - _GUTTER - times - (label if label > 1 else 0))

    def _time(self, moment: int) -> str:
        whole, fraction = divmod(moment, SECOND)
        local = time.localtime(whole)
        today = time.strftime("%Y%j", local) == self._day
        return (
            f"{time.strftime('%H:%M:%S', local)}.{fraction // 1_000_000:03} "
            if today
            else (f"{time.strftime('%d %b %H:%M', local)} ")
        )

    def _text(self, line: LogLine, state: str) -> Pieces:
        """The safe text in pieces of one style, matches of the search and the filter laid over them."""
        text = line.text
        if not self.wrap and len(text) > (limit := self.left + 2 * self.size.width + SEEN):
            text = text[:limit]
        if line.source == NOTE:
            return [(f"── {safe(text)} ──", self.tone_style(Tone.ACCENT, state))]
        found = [(spread(piece), self.tone_style(tone, state)) for piece, tone in pieces(text)]
        for pattern in self._marked():
            found = marked(found, pattern, self.component("line--match"))
        return found

    def _marked(self) -> Iterator[re.Pattern[str]]:
        """What is highlighted."""
        query = self.merged.query
        if query and not query.startswith("!"):
            yield re.compile(re.escape(query), re.IGNORECASE)
        if self._pattern is not None:
            yield self._pattern

    # --- wrapping --------------------------------------------------------------------------------------------

    def _wrap(self, gone: int, at: int) -> None:
        """Know the parts of the lines again, of which so many are gone at the start and others from `at` on."""
        room = self._text_room()
        if room != self._room or gone > len(self._ends):
            gone, at, self._ends, self._base, self._room = 0, 0, [], 0, room
        if gone:
            self._base = self._ends[gone - 1]
            del self._ends[:gone]
        del self._ends[at:]
        last = self._ends[-1] if self._ends else self._base
        heights = [  # without a call where nothing is special
            (-(-len(text) // room) or 1)
            if (text := line.text).isascii() and line.source != NOTE and "\x1b" not in text and "\t" not in text
            else height_of(line, room)
            for line in self.merged.shown[at:]
        ]
        more = accumulate(heights, initial=last)
        next(more)
        self._ends.extend(more)

    def _line_of(self, index: int) -> tuple[int, int]:
        """(line, number of its part) on a line of the screen."""
        if not self.wrap:
            return index, 0
        if not self._ends:
            return 0, 0
        at = min(bisect_right(self._ends, index + self._base), len(self._ends) - 1)
        return at, index + self._base - (self._ends[at - 1] if at else self._base)

    def _row_of(self, at: int) -> int:
        """The line of the screen that a line begins on."""
        if not self.wrap:
            return at
        return self._ends[at - 1] - self._base if at else 0


def copied(lines: Iterable[LogLine]) -> str:
    """Lines as one pastes them."""
    return "\n".join(plain(readable(line.text)) for line in lines if line.source != NOTE)
