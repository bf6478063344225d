"""Every network policy of every cluster in one table: Cilium's two kinds and Kubernetes' own."""

from __future__ import annotations

from tui.domain.kinds.cilium import POLICY_RESOURCES
from tui.ui.panes.table import TablePane


class PoliciesPane(TablePane):
    """Policies, scoped by cluster, namespace and Application."""

    TITLE = "Policies"
    RESOURCES = POLICY_RESOURCES
