"""After a key that begins others: what may follow."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.keys import shown
from tui.ui.keytable import KeyTable
from tui.ui.screens.words_view import WordsView

ROWS = 12  # shown at once; the list scrolls


class WhichKey(ModalScreen[str | None]):
    """The keys that complete a sequence, each with what it does. Ends with the id of the action, None for none."""

    def __init__(self, table: KeyTable, pressed: str, places: Sequence[str]) -> None:
        super().__init__()
        self._table = table
        self._pressed = pressed
        self._places = places

    def compose(self) -> ComposeResult:
        with Vertical(id="whichkey"):
            yield WordsView()

    def on_mount(self) -> None:
        """Show what may follow the first key."""
        self._fill()

    def _fill(self) -> None:
        found = self._table.following(self._pressed, self._places)
        box = self.query_one("#whichkey", Vertical)
        box.border_title = Content(f"{shown(self._pressed)} …")
        box.border_subtitle = Content("esc closes")
        view = self.query_one(WordsView)
        view.can_focus = False
        view.show([(Cell(f" {shown(rest):<8}", Tone.ACCENT), Cell(action.help)) for rest, action in found])
        view.styles.height = min(ROWS, len(found))

    def on_key(self, event: events.Key) -> None:
        """Complete the sequence, go on in it, or leave it."""
        event.stop()
        event.prevent_default()
        following = dict(self._table.following(self._pressed, self._places))
        if event.key in following:
            self.dismiss(following[event.key].id)
        elif any(rest.startswith(f"{event.key} ") for rest in following):
            self._pressed = f"{self._pressed} {event.key}"
            self._fill()
        else:
            self.dismiss(None)
