"""A line to type into that shows foreign text as text: a commit's old subject, a value of a file, what is pasted."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.expand_tabs import expand_tabs_inline
from textual.widgets import Input

from tui.ui.text import same_length

TAB = 4  # cells, as Textual's own line shows a tab


class PlainInput(Input):
    """An Input whose value keeps every character, and shows what has no shape of its own as something visible."""

    @property
    def _value(self) -> Text:
        """What is painted of the value."""
        return Text(expand_tabs_inline(same_length(self.value), TAB), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        """Cells before a character, as painted."""
        return cell_len(expand_tabs_inline(same_length(self.value[:position]), TAB))
