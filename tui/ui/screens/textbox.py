"""A small editor in a box, for a value or a few lines; what is typed into it is journalled as in the big one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static, TextArea

from tui.ui.screens.editor import KEEP
from tui.ui.text import safe
from tui.ui.widgets.editor import Editor

if TYPE_CHECKING:
    from tui.ui.app import FleetApp


class TextScreen(ModalScreen[str | None]):
    """Ends with the text, or None. `name` and `over` are what the journal knows the text by."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", show=False, priority=True),
        Binding("escape", "give_up", show=False),
    ]

    def __init__(self, title: str, fact: str, text: str, name: str, over: str = "") -> None:
        super().__init__()
        self._title = title
        self._fact = fact
        self._begin = text
        self._named = name
        self._over = over
        self._editor = Editor(text, yaml=True)
        self._keeping: Timer | None = None

    @property
    def fleet_app(self) -> FleetApp:
        """The app, as what it is."""
        from tui.ui.app import FleetApp

        assert isinstance(self.app, FleetApp)
        return self.app

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as box:
            box.border_title = Content(safe(self._title))
            box.border_subtitle = "ctrl-s takes it · esc closes, what was typed is kept"
            yield Static(Content(safe(self._fact)), classes="fact")
            yield self._editor

    def on_mount(self) -> None:
        """Go on with what was typed last time."""
        self._editor.focus()
        self._to_end()
        self.fleet_app.do(self._recover(), "looking for text that was not saved")

    def _to_end(self) -> None:
        """The cursor behind the last character that is typed, not in the empty line after a last line end."""
        document = self._editor.document
        last = next((at for at in range(document.line_count - 1, 0, -1) if document.get_line(at)), 0)
        self._editor.move_cursor((last, len(document.get_line(last))))

    async def _recover(self) -> None:
        drafts = self.fleet_app.fleet.drafts
        for kept in await drafts.recovered() if drafts is not None else ():
            if kept.path == self._named and kept.over == self._over and self._editor.text == self._begin:
                self._editor.text = kept.text
                self._to_end()
                self.fleet_app.say("this was typed last time and not taken")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Keep the text on disk."""
        event.stop()
        if self._keeping is None:
            self._keeping = self.set_timer(KEEP, self._keep_soon)

    def _keep_soon(self) -> None:
        self._keeping = None
        self.fleet_app.do(self._keep(), "keeping the typed text", hold=False)

    async def _keep(self) -> None:
        drafts, text = self.fleet_app.fleet.drafts, self._editor.text
        if drafts is not None and text != self._begin:
            await drafts.autosave(None, self._named, text, self._over)

    def action_take(self) -> None:
        """End with the text."""
        self.fleet_app.do(self._end(self._editor.text), "taking the text")

    def action_give_up(self) -> None:
        """End without it; it stays in the journal."""
        self.fleet_app.do(self._end(None), "closing")

    async def _end(self, text: str | None) -> None:
        drafts = self.fleet_app.fleet.drafts
        if self._keeping is not None:
            self._keeping.stop()
        if text is None:
            await self._keep()
        elif drafts is not None:
            await drafts.discard_autosave(None, self._named, self._over)
        if self.is_current:  # the key may have been pressed twice
            self.dismiss(text)
