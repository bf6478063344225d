"""The editor: Textual's text area with YAML highlighting by our own expressions, problems, search and indentation.

Everything hangs on hooks that a subclass may override: `get_line` to style, `render_line` for the gutter, `edit` and
its kin to know when the text has changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from tui.ui.text import fit, same_length, width_of
from tui.ui.widgets.syntax import PARTS, block_indent, in_block, yaml_spans

INDENT = 2  # cells of one level
UNDO_KEPT = 1_000  # steps
_HIGHLIGHTED = 2_000  # characters of one line
_LEAD = re.compile(r" *(?:- +)*")

# The text area ends a line at each of these; in a file they are characters like any other. They are kept as
# noncharacters, which Unicode reserves for such use, while the text is edited.
_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"
_KEPT = "".join(chr(0xFDD0 + at) for at in range(len(_ENDS)))
_HIDE = str.maketrans(_ENDS, _KEPT)
_REVEAL = str.maketrans(_KEPT, _ENDS)


class CannotEdit(ValueError):
    """A text that would not come out of the editor as it went in."""


def _hidden(text: str) -> str:
    """The text as the text area may hold it. Raises CannotEdit."""
    if not text.isascii() and any(char in text for char in _KEPT):
        raise CannotEdit("the text has Unicode noncharacters, which the editor needs for itself; use $EDITOR")
    if "\r" in text and text.count("\r\n") == text.count("\r") == text.count("\n"):
        return "\r\n".join(line.translate(_HIDE) for line in text.split("\r\n"))
    return text.translate(_HIDE)


class Editor(TextArea):
    """A text area for YAML. `TextArea.Changed` tells of every change; the caller waits before it saves.

    `text` is, byte for byte, what was given and typed. Raises CannotEdit for the rare text that cannot be kept so.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"syntax--{name}" for name in PARTS), "editor--problem"}
    DEFAULT_CSS = """
    Editor {
        border: none;
        padding: 0;
        background: $background;
        color: $foreground;
        &:focus { border: none; }
        & .text-area--cursor-line { background: $surface; }
        & .text-area--gutter { color: $text-muted; }
        & .text-area--cursor-gutter { color: $foreground; background: $surface; text-style: bold; }
        & .syntax--key { color: $text-accent; }
        & .syntax--number, & .syntax--constant { color: $text-primary; }
        & .syntax--string { color: $text-success; }
        & .syntax--comment { color: $text-muted; text-style: italic; }
        & .syntax--mark { color: $text-muted; }
        & .syntax--anchor { color: $text-secondary; }
        & .editor--problem { color: $text-error; text-style: bold; }
    }
    """

    def __init__(
        self,
        text: str = "",
        *,
        yaml: bool = True,
        id: str | None = None,
        classes: str | None = None,
        name: str | None = None,
    ) -> None:
        self._inside: dict[int, bool] = {}
        self._problems: dict[int, str] = {}
        self._part_styles: dict[str, Style] = {}
        self._sought: re.Pattern[str] | None = None
        self.yaml = yaml
        super().__init__(
            _hidden(text),
            soft_wrap=False,
            tab_behavior="indent",
            show_line_numbers=True,
            max_checkpoints=UNDO_KEPT,
            highlight_cursor_line=False,
            id=id,
            classes=classes,
            name=name,
        )
        self.indent_type = "spaces"
        self.indent_width = INDENT

    # --- what a screen asks and tells ------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The whole text."""
        text = super().text
        return text if text.isascii() else text.translate(_REVEAL)

    @text.setter
    def text(self, value: str) -> None:
        self.load_text(value)

    @property
    def problems(self) -> Mapping[int, str]:
        """Line, from 1, -> what is wrong there."""
        return self._problems

    def set_problems(self, problems: Mapping[int, str]) -> None:
        """Mark these lines (from 1); the message, foreign text, stands behind the line."""
        if dict(problems) != self._problems:
            self._problems = dict(problems)
            self.notify_style_update()
            self.refresh()

    def goto(self, line: int, column: int = 1) -> None:
        """Cursor to a line and column, both from 1, as near as the text has them."""
        row = max(0, min(line - 1, self.document.line_count - 1))
        self.move_cursor((row, max(0, min(column - 1, len(self.document[row])))), center=True)

    def next_problem(self, step: int = 1) -> str | None:
        """Go to the next line with a problem, or with -1 to the one before, round the end; returns its message."""
        lines = sorted(line for line in self._problems if 1 <= line <= self.document.line_count)
        if not lines:
            return None
        here = self.cursor_location[0] + 1
        if step > 0:
            line = next((line for line in lines if line > here), lines[0])
        else:
            line = next((line for line in reversed(lines) if line < here), lines[-1])
        self.goto(line)
        return self._problems[line]

    def find(self, query: str, stay: bool = False) -> int:
        """Select the next occurrence of a text, without case unless it has capitals; returns how many there are.

        With `stay`, one that begins at the cursor counts as the next, as while typing the query. "" ends the search.
        """
        flags = re.IGNORECASE if query == query.lower() else re.NOFLAG
        self._sought = re.compile(re.escape(query), flags) if query else None
        return self.find_next(stay=stay)

    def find_next(self, step: int = 1, stay: bool = False) -> int:
        """Select the next occurrence again, or with -1 the one before, round the end; returns how many there are."""
        if self._sought is None:
            return 0
        found = [
            (row, match.start(), match.end())
            for row in range(self.document.line_count)
            for match in self._sought.finditer(self.document[row])
        ]
        if not found:
            return 0
        start, end = sorted(self.selection)
        if step > 0:
            here = start if stay else end
            row, first, last = next((one for one in found if one[:2] >= here), found[0])
        else:
            row, first, last = next((one for one in reversed(found) if one[:2] < start), found[-1])
        self.move_cursor((row, first))
        self.move_cursor((row, last), select=True, center=True)
        return len(found)

    # --- what the text area calls ----------------------------------------------------------------------------

    def get_line(self, line_index: int) -> Text:
        """A line with its parts; control characters are shown as what they are."""
        plain = same_length(self.document.get_line(line_index))
        line = Text(plain, end="", no_wrap=True)
        if self.yaml:
            inside = in_block(self.document.get_line, line_index, self._inside)
            for start, end, part in yaml_spans(plain[:_HIGHLIGHTED], inside):
                line.stylize(self._style(f"syntax--{part}"), start, end)
        return line

    def render_line(self, y: int) -> Strip:
        """A line of the widget; when it has a problem, its number is marked and the message stands behind it.

        The line of the cursor gets its background here, because the text area would take the colours of its parts.
        """
        made = super().render_line(y)
        line = self.scroll_offset.y + y + 1
        if line == self.cursor_location[0] + 1 and self.show_cursor:
            made = self._underlaid(made)
        problem = self._problems.get(line)
        if problem is None or line > self.document.line_count:
            return made
        width = self.gutter_width
        back = next((segment.style for segment in reversed(list(made)) if segment.style), Style())
        style = self._style("editor--problem") + Style(bgcolor=back.bgcolor)
        parts = [Strip([Segment(f"{line:>{width - 2}}✖ ", style)], width)]
        text = self.document.get_line(line - 1).expandtabs(self.indent_width)
        at = max(width, width + width_of(same_length(text)) + 3 - self.scroll_offset.x)
        message = fit("✖ " + problem, max(0, made.cell_length - at))
        if message:
            end = at + width_of(message)
            parts += [made.crop(width, at), Strip([Segment(message, style)], end - at), made.crop(end)]
        else:
            parts.append(made.crop(width))
        return Strip.join(parts)

    def edit(self, edit: Edit) -> EditResult:
        """The text changes."""
        self._inside.clear()
        return super().edit(edit)

    def undo(self) -> None:
        """The text changes back."""
        self._inside.clear()
        super().undo()

    def redo(self) -> None:
        """The text changes again."""
        self._inside.clear()
        super().redo()

    def load_text(self, text: str) -> None:
        """Another text; there is nothing to undo then. Raises CannotEdit."""
        self._inside.clear()
        super().load_text(_hidden(text))

    def notify_style_update(self) -> None:
        """Styles have changed."""
        self._part_styles.clear()
        super().notify_style_update()

    def on_key(self, event: events.Key) -> None:
        """Enter keeps the indentation, backspace takes a level of it away, escape is for the screen."""
        if event.key == "escape":
            event.prevent_default()  # the text area would move the focus
        elif event.key == "enter" and not self.read_only:
            start, end = sorted(self.selection)
            self.replace("\n" + self._indent_after(start), start, end, maintain_selection_offset=False)
            event.prevent_default()
            event.stop()
        elif event.key == "backspace" and not self.read_only and self.selection.is_empty:
            row, column = self.cursor_location
            before = self.document[row][:column]
            if column > 1 and not before.strip(" "):
                self.delete((row, column - 1 - (column - 1) % INDENT), (row, column), maintain_selection_offset=False)
                event.prevent_default()
                event.stop()

    # --- inside ----------------------------------------------------------------------------------------------

    def _underlaid(self, made: Strip) -> Strip:
        """The line with the background of the cursor's line where it has the text's own."""
        base = self.rich_style.bgcolor
        back = Style(bgcolor=self.get_component_rich_style("text-area--cursor-line").bgcolor)
        number = self.get_component_rich_style("text-area--cursor-gutter")
        segments: list[Segment] = []
        for at, segment in enumerate(made):
            style = segment.style or Style()
            if at == 0 and self.show_line_numbers:
                style = number
            elif style.bgcolor == base:
                style += back
            segments.append(Segment(segment.text, style))
        return Strip(segments, made.cell_length)

    def _indent_after(self, location: tuple[int, int]) -> str:
        """Spaces that begin the line after a break at `location`."""
        row, column = location
        line = self.document[row]
        before = line[:column]
        spaces = len(line) - len(line.lstrip(" "))
        if not self.yaml or column <= spaces or in_block(self.document.get_line, row, self._inside):
            return " " * min(spaces, column)
        lead = _LEAD.match(before)
        key = lead.end() if lead else spaces
        opened = block_indent(before)
        if before.rstrip().endswith(":"):
            return " " * (key + INDENT)
        if opened is not None:
            return " " * (opened + INDENT)
        return " " * key

    def _style(self, name: str) -> Style:
        """Foreground and weight of a component; the background is the line's own."""
        style = self._part_styles.get(name)
        if style is None:
            own = self.get_component_rich_style(name)
            style = Style(color=own.color, bold=own.bold or None, italic=own.italic or None)
            self._part_styles[name] = style
        return style
