"""Drafts."""

from __future__ import annotations

from tui.ui.panes.base import Pane


class DraftsPane(Pane):
    TITLE = "Drafts"
