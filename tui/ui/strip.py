"""The small live strip of the event tail that stands under every pane."""

from __future__ import annotations

from textual.app import ComposeResult

from tui.ui.panes import freshness
from tui.ui.panes.base import Pane
from tui.ui.scope import View
from tui.ui.widgets.tail import TailStrip, TailView


class EventStrip(Pane):
    """The newest events, one line each."""

    TITLE = "Events"
    PLACES = ()

    def __init__(self) -> None:
        super().__init__(View("strip"))
        self.id = "strip"

    def compose(self) -> ComposeResult:
        yield TailStrip(self.fleet.tail)

    def pull(self) -> None:
        self.title(freshness.words(freshness.lost(self.fleet.store), self.fleet.facts.now, "silent"))
        strip = self.query_one(TailStrip)
        strip.tick(self.fleet.facts.now)
        strip.pull()

    def on_tail_view_opened(self, event: TailView.Opened) -> None:
        """A click opens the object of an event."""
        event.stop()
        if event.event.ref is not None:
            self.fleet_app.show_object(event.event.ref)
