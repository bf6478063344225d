"""What a program of the user's said, to be read: a hook or a server that refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.words import BLANK


class Said(ModalScreen[bool]):
    """Scrollable lines. Ends with True when the user goes on all the same, where `skip` says what that does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", show=False),
        Binding("ctrl+t", "skip", show=False, priority=True),
    ]

    def __init__(self, title: str, lines: Sequence[str], skip: str = "") -> None:
        super().__init__()
        self.told = title
        self.lines = lines
        self.skip = skip

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as box:
            box.border_subtitle = Content(safe(f"ctrl-t {self.skip} · esc closes" if self.skip else "esc closes"))
            yield WordsView()

    def on_mount(self) -> None:
        """Fill the box."""
        view = self.query_one(WordsView)
        view.show([(Cell(self.told, Tone.BAD),), BLANK, *((Cell(line),) for line in self.lines)])
        view.focus()

    def action_close(self) -> None:
        """Close; nothing more is done."""
        self.dismiss(False)

    def action_skip(self) -> None:
        """Go on without what refused."""
        if self.skip:
            self.dismiss(True)
