"""Every network policy of every cluster in one table: Cilium's two kinds and Kubernetes' own."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.domain.kinds.cilium import POLICY_RESOURCES
from tui.ui import keys
from tui.ui.panes.table import TablePane


class PoliciesPane(TablePane):
    """Policies, scoped by cluster, namespace and Application."""

    TITLE = "Policies"
    PLACES = ("list", "table", "object", "policies")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("policies")]
    RESOURCES = POLICY_RESOURCES

    def action_fleetwide(self) -> None:
        """The same policies across clusters, lint, and what no policy selects."""
        self.fleet_app.show_fleetwide()
