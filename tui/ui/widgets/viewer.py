"""The viewer: text of many megabytes with line numbers, highlighted where it is looked at, searched, wrapped."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Hashable
from itertools import accumulate
from typing import ClassVar, Literal

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message

from tui.domain.kinds.kind import Tone
from tui.ui import paint
from tui.ui.text import padded, part, safe, width_of
from tui.ui.widgets.line_view import PLAIN, LineView
from tui.ui.widgets.syntax import PARTS, Span, diff_lines, in_block, yaml_spans

Mode = Literal["yaml", "plain", "diff"]

MATCHES_MAX = 100_000  # matches counted; beyond, the count says "more"
_HIGHLIGHTED = 4_000  # characters of one line that are highlighted; the rest of a longer line is plain
_TAB = 4
_STEP = 8  # cells that a key scrolls sideways


class Viewer(LineView):
    """Read-only text. The cursor is a line; with wrapping on, a part of one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"syntax--{name}" for name in PARTS}
    DEFAULT_CSS = """
    Viewer {
        & > .syntax--key { color: $text-accent; }
        & > .syntax--number, & > .syntax--constant { color: $text-primary; }
        & > .syntax--string { color: $text-success; }
        & > .syntax--comment { color: $text-muted; text-style: italic; }
        & > .syntax--mark { color: $text-muted; }
        & > .syntax--anchor { color: $text-secondary; }
        & > .syntax--added { color: $text-success; background: $success 15%; }
        & > .syntax--removed { color: $text-error; background: $error 15%; }
        & > .syntax--hunk { color: $text-accent; }
        & > .syntax--file { color: $text-muted; text-style: bold; }
    }
    """
    KEYS: ClassVar[dict[str, str]] = {
        **LineView.KEYS,
        "n": "next",
        "N": "previous",
        "upper_n": "previous",
        "w": "wrap",
        "0": "line_start",
        "v": "select",
    }

    class Searched(Message):
        """`viewer.match` and `viewer.matches` have changed."""

        def __init__(self, viewer: Viewer) -> None:
            super().__init__()
            self.viewer = viewer

        @property
        def control(self) -> Viewer:
            """The viewer it comes from."""
            return self.viewer

    def __init__(
        self,
        text: str = "",
        mode: Mode = "yaml",
        *,
        numbers: bool = True,
        id: str | None = None,
        classes: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, name=name)
        self.numbers = numbers
        self.mode: Mode = mode
        self.wrap = False
        self.left = 0  # cells scrolled away to the left
        self.match = 0  # number of the match the search stands on, from 1; 0 = none
        self.matches = 0  # how many there are, at most MATCHES_MAX
        self._text = ""
        self._starts: list[int] = [0]  # offset of each line in the text
        self._ends_visual: list[int] = []  # wrapped lines up to and including each line; empty without wrapping
        self._wrapped_for = 0
        self._inside: dict[int, bool] = {}
        self._parts: list[str] = []
        self._diff_numbers: list[tuple[int, int]] = []
        self._found: list[int] = []  # offsets of matches
        self._pattern: re.Pattern[str] | None = None
        self._anchor: int | None = None  # line where a selection began
        self._generation = 0
        self._part_styles: dict[tuple[str, str], Style] = {}
        self.set_text(text, mode)

    # --- what a pane asks and tells --------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The whole text, as given."""
        return self._text

    @property
    def line(self) -> int:
        """Line of the cursor, from 1."""
        return self._line_of(self.cursor)[0] + 1

    @property
    def total_lines(self) -> int:
        """Lines of the text."""
        return len(self._starts)

    @property
    def selected_text(self) -> str:
        """The selected lines, or the cursor's line; foreign text as it is."""
        here = self.line - 1
        first, last = sorted((here, here if self._anchor is None else self._anchor))
        return "\n".join(self.line_text(at) for at in range(first, last + 1))

    def set_text(self, text: str, mode: Mode | None = None, keep: bool = False) -> None:
        """Show this text. With `keep`, cursor and scroll position stay where they are as far as there are lines."""
        if mode is not None:
            self.mode = mode
        if keep and text == self._text:
            return
        line = self.line if keep else 1
        row = self.cursor - self.top
        self._text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        if len(self._starts) > 1 and self._starts[-1] == len(text):
            self._starts.pop()  # a last newline ends a line, it does not begin one
        self._inside.clear()
        self._anchor = None
        self._parts, self._diff_numbers = [], []
        if self.mode == "diff":
            self._parts, self._diff_numbers = diff_lines([self.line_text(at) for at in range(len(self._starts))])
        self._changed()
        self.cursor = self.top = 0
        if not keep:
            self.left = 0
        if self._pattern is not None:
            self._find_all()
        if line > 1:
            self.cursor = self._visual_of(min(line, self.total_lines) - 1)
            self.top = max(0, self.cursor - row)
            self.bring_into_view()

    def goto(self, line: int) -> None:
        """Cursor on a line, from 1; a third of the window above it when it was out of view."""
        at = self._visual_of(max(1, min(line, self.total_lines)) - 1)
        if not self.top <= at < self.top + self.body_height:
            self.top = at - self.body_height // 3
            self.clamp_top()
            self.refresh()
        self.go(at)

    def search(self, query: str) -> int:
        """Find a text, without case unless it has capitals, and go to the first match from the cursor on.

        Returns how many there are, at most `MATCHES_MAX`; "" ends the search.
        """
        flags = re.IGNORECASE if query == query.lower() else re.NOFLAG
        self._pattern = re.compile(re.escape(query), flags) if query else None
        self._find_all()
        if self._found:
            self._go_match(bisect_left(self._found, self._starts[self.line - 1]) % len(self._found))
        self._changed()
        paint.now(self)
        self.post_message(self.Searched(self))
        return self.matches

    def next_match(self, step: int = 1) -> bool:
        """Go to the next match, or with -1 to the one before, round the end; False when there is none."""
        if not self._found:
            return False
        self._go_match((self.match - 1 + step) % len(self._found))
        self.post_message(self.Searched(self))
        return True

    def set_wrap(self, wrap: bool) -> None:
        """Wrap long lines, or cut them; the cursor stays on its line."""
        if wrap == self.wrap:
            return
        line, row = self.line, self.cursor - self.top
        self.wrap, self.left = wrap, 0
        self._changed()
        self.cursor = self._visual_of(line - 1)
        self.top = self.cursor - row
        self.bring_into_view()
        paint.now(self)

    def line_text(self, at: int) -> str:
        """Text of a line, from 0, without its line end."""
        start = self._starts[at]
        end = self._starts[at + 1] - 1 if at + 1 < len(self._starts) else len(self._text)
        return self._text[start:end].removesuffix("\n").removesuffix("\r")

    # --- lines -----------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        """Lines, or parts of lines when wrapped."""
        if self.wrap:
            self._wrap_all()
            return self._ends_visual[-1] if self._ends_visual else 0
        return len(self._starts) if self._text else 0

    def stamp(self, index: int) -> Hashable:
        """Which line, and everything that changes all lines."""
        return index, self._generation, self._selected(self._line_of(index)[0])

    def is_marked(self, index: int) -> bool:
        """Selected lines look like marked rows."""
        return self._selected(self._line_of(index)[0])

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """Number, and the highlighted text from `left` on."""
        at, nth = self._line_of(index)
        gutter = self._gutter(at, nth)
        segments = [Segment(padded(gutter, min(width, width_of(gutter))), self._gutter_style(state))] if gutter else []
        room = width - len(gutter)
        if room <= 0:
            return [Segment(padded(gutter, width), self._gutter_style(state))]
        line = self._shown_line(at)
        if not self.wrap:
            return segments + self._text_segments(at, line, self.left, room, state)
        first, last = self._wrapped_part(line, nth, room)
        cells = width_of(line[first:last])
        segments += self._text_segments(at, line, width_of(line[:first]), cells, state)
        if cells < room:
            segments.append(Segment(" " * (room - cells), self._style(self._parts[at] if self._parts else "", state)))
        return segments

    def forget(self) -> None:
        """Styles have changed."""
        super().forget()
        self._part_styles.clear()

    # --- keys ------------------------------------------------------------------------------------------------

    def key_right(self) -> bool | None:
        """Scroll sideways; False when nothing is cut off to the right."""
        room = self._room()
        in_view = range(self.top, min(self.top + self.body_height, self.line_count()))
        if self.wrap or not any(width_of(self._shown_line(at)) > self.left + room for at in in_view):
            return False
        self._scroll_sideways(self.left + _STEP)
        return None

    def key_left(self) -> bool | None:
        """Scroll back; False at the left edge."""
        if not self.left:
            return False
        self._scroll_sideways(max(0, self.left - _STEP))
        return None

    def key_line_start(self) -> bool | None:
        """Scroll to the left edge."""
        if not self.left:
            return False
        self._scroll_sideways(0)
        return None

    def key_next(self) -> bool | None:
        """Next match."""
        return None if self.next_match() else False

    def key_previous(self) -> bool | None:
        """The match before."""
        return None if self.next_match(-1) else False

    def key_wrap(self) -> bool | None:
        """Wrap or cut long lines."""
        self.set_wrap(not self.wrap)
        return None

    def key_select(self) -> bool | None:
        """Begin a selection of lines at the cursor, or end it."""
        self._anchor = self.line - 1 if self._anchor is None else None
        self._changed()
        paint.now(self)
        return None

    def go(self, index: int) -> None:
        """Cursor on a line; a selection grows or shrinks with it."""
        super().go(index)
        if self._anchor is not None:
            self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew; the cursor stays on its line."""
        if self.wrap and self._ends_visual:
            line = self.line
            self._ends_visual = []
            self.cursor = self._visual_of(line - 1)
        super().on_resize(event)

    # --- inside ----------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._generation += 1
        self._ends_visual = []
        self.refresh()

    def _scroll_sideways(self, left: int) -> None:
        self.left = left
        self._changed()
        paint.now(self)

    def _selected(self, at: int) -> bool:
        if self._anchor is None:
            return False
        here = self.line - 1
        return min(here, self._anchor) <= at <= max(here, self._anchor)

    def _gutter(self, at: int, nth: int) -> str:
        if not self.numbers:
            return " "
        if self._diff_numbers:
            digits = len(str(len(self._starts)))
            old, new = self._diff_numbers[at]
            if nth:
                old = new = 0
            return f" {old or '':>{digits}} {new or '':>{digits}} "
        digits = len(str(len(self._starts)))
        return f" {at + 1 if not nth else '':>{digits}}  "

    def _gutter_style(self, state: str) -> Style:
        return self.tone_style(Tone.MUTED, state)

    def _room(self) -> int:
        """Cells for text."""
        return max(1, self.size.width - 1 - len(self._gutter(0, 0)))

    def _shown_line(self, at: int) -> str:
        """A line made safe; of a line of megabytes only what can be scrolled to is looked at."""
        line = self.line_text(at)
        limit = self.left + 2 * self.size.width + _HIGHLIGHTED
        if not self.wrap and len(line) > limit:
            line = line[:limit]
        return safe(line.expandtabs(_TAB) if "\t" in line else line)

    def _text_segments(self, at: int, line: str, start: int, room: int, state: str) -> list[Segment]:
        spans = self._spans(at, line)
        whole = self._parts[at] if self._parts else ""
        base = self._style(whole, state)
        if not spans:
            return [Segment(part(line, start, room), base)]
        segments: list[Segment] = []
        cell = 0  # of the line
        end = start + room
        done = 0  # character
        for first, last, name in [*spans, (len(line), len(line), "")]:
            for piece, style in ((line[done:first], base), (line[first:last], self._style(name, state, whole))):
                if not piece:
                    continue
                size = width_of(piece)
                if cell < end and cell + size > start:
                    shown = part(piece, max(0, start - cell), min(cell + size, end) - max(cell, start))
                    segments.append(Segment(shown, style))
                cell += size
            done = last
        if cell < end:
            segments.append(Segment(" " * (end - max(cell, start)), base))
        return segments

    def _spans(self, at: int, line: str) -> list[Span]:
        """Parts of the line that are not plain, matches of the search laid over them."""
        spans: list[Span] = []
        if self.mode == "yaml":
            spans = yaml_spans(line[:_HIGHLIGHTED], in_block(self.line_text, at, self._inside))
        if self._pattern is None:
            return spans
        for found in self._pattern.finditer(line[: 4 * _HIGHLIGHTED]):
            first, last = found.span()
            cut: list[Span] = []
            for start, end, name in spans:
                if end <= first or start >= last:
                    cut.append((start, end, name))
                    continue
                if start < first:
                    cut.append((start, first, name))
                if end > last:
                    cut.append((last, end, name))
            spans = sorted([*cut, (first, last, "match")])
        return spans

    def _style(self, name: str, state: str, whole: str = "") -> Style:
        key = (name or whole, state)
        style = self._part_styles.get(key)
        if style is not None:
            return style
        style = self.tone_style(Tone.PLAIN, state)
        if key[0] == "match":
            style = self.component("line--match")
        elif key[0]:
            own = self.component(f"syntax--{key[0]}")
            back = own.bgcolor if state == PLAIN and key[0] in ("added", "removed") else None
            style += Style(color=own.color, bgcolor=back, bold=own.bold or None, italic=own.italic or None)
        self._part_styles[key] = style
        return style

    def _find_all(self) -> None:
        self._found, self.match = [], 0
        if self._pattern is not None:
            for found in self._pattern.finditer(self._text):
                self._found.append(found.start())
                if len(self._found) == MATCHES_MAX:
                    break
        self.matches = len(self._found)

    def _go_match(self, number: int) -> None:
        self.match = number + 1
        offset = self._found[number]
        at = bisect_right(self._starts, offset) - 1
        column = width_of(safe(self._text[self._starts[at] : offset][-_HIGHLIGHTED:]))
        room = self._room()
        if not self.wrap and self.size.width and not self.left <= column < self.left + room - 4:
            self.left = max(0, column - room // 2)
            self._changed()
        self.goto(at + 1)

    def _wrap_all(self) -> None:
        room = self._room()
        if self._ends_visual and self._wrapped_for == room:
            return
        self._wrapped_for = room
        heights = (self._height(at, room) for at in range(len(self._starts)))
        self._ends_visual = list(accumulate(heights)) if self._text else []

    def _height(self, at: int, room: int) -> int:
        """Lines of the screen that a line takes."""
        line = self.line_text(at)
        if "\t" in line:
            line = line.expandtabs(_TAB)
        return max(1, -(-len(line) // room)) if line.isascii() else len(breaks(safe(line), room))

    @staticmethod
    def _wrapped_part(line: str, nth: int, room: int) -> tuple[int, int]:
        """First character of the n-th part of a safe line, and the one after its last."""
        if line.isascii():
            return nth * room, min(len(line), (nth + 1) * room)
        starts = breaks(line, room)
        return starts[nth], starts[nth + 1] if nth + 1 < len(starts) else len(line)

    def _line_of(self, index: int) -> tuple[int, int]:
        """(line from 0, number of its part) on a line of the screen."""
        if not self.wrap:
            return index, 0
        self._wrap_all()
        at = bisect_right(self._ends_visual, index)
        return at, index - (self._ends_visual[at - 1] if at else 0)

    def _visual_of(self, at: int) -> int:
        if not self.wrap:
            return at
        self._wrap_all()
        return self._ends_visual[at - 1] if at else 0


def breaks(line: str, room: int) -> list[int]:
    """Where the parts of a safe line begin when each takes at most `room` cells; marks stay with their letter."""
    starts, used = [0], 0
    for at, char in enumerate(line):
        size = get_character_cell_size(char)
        if used + size > room and used:
            starts.append(at)
            used = 0
        used += size
    return starts
