"""Every Application of every hub in one table."""

from __future__ import annotations

from tui.ui.panes.table import TablePane
from tui.ui.scope import APPLICATIONS


class ApplicationsPane(TablePane):
    """Applications, scoped by where they deploy to."""

    TITLE = "Applications"
    RESOURCES = (APPLICATIONS,)
