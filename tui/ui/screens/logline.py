"""One line of a log in full: JSON set out over lines, everything else wrapped."""

from __future__ import annotations

import time
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.domain.logs.ansi import plain
from tui.domain.logs.lines import SECOND, LogLine, readable, since
from tui.domain.logs.names import Place
from tui.ui.text import safe
from tui.ui.widgets.viewer import Viewer


class LineScreen(ModalScreen[None]):
    """The line; c copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self, line: LogLine, place: Place | None) -> None:
        super().__init__()
        self._text = set_out(plain(readable(line.text)))
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line.time // SECOND))
        self._where = " · ".join(part for part in (f"{at}{since(line.time)[19:-1]}", *(place or ())) if part)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as box:
            box.border_title = Content(safe(self._where))
            box.border_subtitle = "c copies · esc closes"
            yield Viewer(self._text, "yaml" if self._text.startswith(("{", "[")) else "plain", numbers=False)

    def on_mount(self) -> None:
        """Wrapped."""
        viewer = self.query_one(Viewer)
        viewer.set_wrap(True)
        viewer.focus()

    def action_copy(self) -> None:
        """Copy it."""
        self.app.copy_to_clipboard(self._text)
        self.notify("copied the line")

    def action_close(self) -> None:
        """Close."""
        self.dismiss()


def set_out(text: str) -> str:
    """JSON over lines; other text as it is."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return msgspec.json.format(text.encode(), indent=2).decode()
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return text
