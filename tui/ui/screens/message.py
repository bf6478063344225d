"""A whole commit message in an editor: kept as it is typed, committed with ctrl-s."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import TextArea

from tui.domain.drafts.message import SUBJECT
from tui.domain.drafts.model import Draft
from tui.ui import keys
from tui.ui.bars import Footer, Header
from tui.ui.screens import external
from tui.ui.screens.base import FleetScreen
from tui.ui.text import safe
from tui.ui.widgets.editor import Editor

KEEP = 0.15  # seconds after a key until the text is on disk


class MessageScreen(FleetScreen):
    """Ends with the message, or with None when the user closed it; then the text is kept for the next commit."""

    PLACES = ("message",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("message")]

    def __init__(self, draft: Draft, message: str) -> None:
        super().__init__()
        self.draft = draft
        self._editor = Editor(message, yaml=False)
        self._kept = message
        self._waiting = False

    def draft_shown(self) -> str:
        return self.draft.name

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="editing", classes="pane"):
            yield self._editor
        yield Footer()

    def on_mount(self) -> None:
        """The cursor in the subject."""
        self._editor.focus()
        self._caption()

    def _caption(self) -> None:
        box = self.query_one("#editing")
        box.border_title = Content(safe(f"commit message · draft {self.draft.name}"))
        length = len(self._editor.text.partition("\n")[0])
        box.border_subtitle = Content(f"subject {length} of {SUBJECT} characters" if length > SUBJECT else "")

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Keep the text on disk; not put off by the next key, so that who types without a pause is kept as well."""
        event.stop()
        self._caption()
        if not self._waiting:
            self._waiting = True
            self.set_timer(KEEP, self._keep_soon)

    def _keep_soon(self) -> None:
        self._waiting = False
        self.fleet_app.do(self._keep(), "keeping the message", hold=False)

    async def _keep(self) -> None:
        text = self._editor.text
        if text != self._kept and self.fleet.drafts is not None:
            self._kept = text
            await self.fleet.drafts.keep_message(self.draft, text)

    def action_message_commit(self) -> None:
        """Commit with this message."""
        self.fleet_app.do(self._end(self._editor.text), "committing")

    def action_message_close(self) -> None:
        """Close; the text is kept."""
        self.fleet_app.do(self._end(None), "closing the message")

    async def _end(self, text: str | None) -> None:
        await self._keep()
        self.end(text)

    async def action_back(self) -> None:
        self.action_message_close()

    async def closing(self) -> None:
        await self._keep()

    def refooter(self) -> None:
        """Letters are typed into the text: only the editor's own keys work."""
        for footer in self.query(Footer):
            footer.keys(self.fleet_app.key_table.footer(self.PLACES))

    def action_message_external(self) -> None:
        """Go on in the user's own editor."""
        text = external.edited(self.fleet_app, self._editor.text, "COMMIT_EDITMSG")
        if text is not None:
            self._editor.text = text
