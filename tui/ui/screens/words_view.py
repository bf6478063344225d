"""Lines of toned words, wrapped to the window: for detail tabs that speak in sentences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rich.segment import Segment
from textual import events

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.text import padded, part, safe, width_of
from tui.ui.widgets.line_view import LineView
from tui.ui.widgets.rows import faded
from tui.ui.words import Line

_HANG = 4  # cells that wrapped lines stand in from where their text began, at most half the window


class WordsView(LineView):
    """Shows lines; `text()` is what it shows, without tones."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._wrapped: list[Line] = []
        self._version = 0
        self._found: list[int] = []
        self.wanted = ""
        self._stale = False

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines; the scroll position stays."""
        if lines != self._lines:
            self._lines = lines
            self._wrap()

    def set_stale(self, heard: float | None) -> None:
        """What is shown is old, and nothing in it says "fine" or "now"; None: it is kept up."""
        if self._stale != (heard is not None):
            self._stale = heard is not None
            self._version += 1
            self.refresh()

    def text(self) -> str:
        """The lines as plain text."""
        return "\n".join("".join(cell.text for cell in line).rstrip() for line in self._lines)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        self._wrap()
        super().on_resize(event)

    def _wrap(self) -> None:
        width = max(10, self.size.width - 2)
        self._wrapped = [piece for line in self._lines for piece in wrapped(line, width)]
        self._version += 1
        self._search()
        self.cursor = min(self.cursor, max(0, len(self._wrapped) - 1))
        self.clamp_top()
        self.refresh()

    # -- searching ------------------------------------------------------------------------------------------------

    def search(self, query: str) -> int:
        """Find lines with the text, without case; the cursor goes to the first at or after it. Returns how many."""
        self.wanted = query.lower()
        self._search()
        if self._found:
            self.go(next((at for at in self._found if at >= self.cursor), self._found[0]))
        return len(self._found)

    def next_match(self, step: int) -> None:
        """Go to the next match (1) or the one before (-1), around the end."""
        if not self._found:
            return
        if step > 0:
            self.go(next((at for at in self._found if at > self.cursor), self._found[0]))
        else:
            self.go(next((at for at in reversed(self._found) if at < self.cursor), self._found[-1]))

    def _search(self) -> None:
        self._found = []
        if self.wanted:
            texts = ("".join(cell.text for cell in line).lower() for line in self._wrapped)
            self._found = [at for at, text in enumerate(texts) if self.wanted in text]
        self._version += 1
        self.refresh()

    # -- lines ----------------------------------------------------------------------------------------------------

    def line_count(self) -> int:
        return len(self._wrapped)

    def stamp(self, index: int) -> Hashable:
        return self._version, index

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        segments = [Segment(" ", self.tone_style(Tone.PLAIN, state))]
        used = 1
        for cell in self._wrapped[index]:
            text = safe(cell.text)
            tone = faded(cell.tone) if self._stale and cell.tone is not Tone.PLAIN else cell.tone
            segments.append(Segment(text, self.tone_style(tone, state)))
            used += width_of(text)
        if used < width:
            tone = Tone.ACCENT if index in self._found else Tone.PLAIN
            mark = "◂" if index in self._found and width - used > 2 else ""
            segments.append(Segment(padded(f" {mark}" if mark else "", width - used), self.tone_style(tone, state)))
        return segments


def wrapped(line: Line, width: int) -> list[Line]:
    """The line in pieces of at most `width` cells, broken at blanks where there are any."""
    line = tuple(Cell(safe(cell.text), cell.tone) for cell in line)
    if sum(width_of(cell.text) for cell in line) <= width:
        return [line]
    indent = min(_indent(line), width // 2)
    made: list[Line] = []
    current: list[Cell] = []
    used = 0
    for cell in line:
        for word in _words(cell.text):
            size = width_of(word)
            if used + size > width and used > indent and word.strip():
                made.append(tuple(current))
                current, used = [Cell(" " * indent, Tone.PLAIN)], indent
                word = word.lstrip()
                size = width_of(word)
            while used + size > width:  # a word wider than the window
                head = part(word, 0, width - used)
                if not head:
                    break
                current.append(Cell(head, cell.tone))
                made.append(tuple(current))
                word = word[len(head.rstrip()) :] if head.strip() else ""
                current, used, size = [Cell(" " * indent, Tone.PLAIN)], indent, width_of(word)
            current.append(Cell(word, cell.tone))
            used += size
    made.append(tuple(current))
    return made


def _indent(line: Line) -> int:
    first = line[0].text if line else ""
    blank = len(first) - len(first.lstrip())
    if len(line) > 1 and first.strip():  # `  name     value`: under the value
        return width_of(first)
    return blank + (_HANG if blank else 0)


def _words(text: str) -> list[str]:
    """Words with the blanks before them."""
    made, start = [], 0
    for at in range(1, len(text)):
        if text[at] == " " and text[at - 1] != " ":
            made.append(text[start:at])
            start = at
    made.append(text[start:])
    return made
