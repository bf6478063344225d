"""The event tail."""

from __future__ import annotations

from tui.ui.panes.base import Pane


class EventsPane(Pane):
    TITLE = "Events"
