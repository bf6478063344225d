"""The clusters: state, version, nodes, Applications by health, age of what is known."""

from __future__ import annotations

from tui.domain.cluster import CLUSTERS
from tui.ui.panes.table import TablePane


class ClustersPane(TablePane):
    """One line a cluster."""

    TITLE = "Clusters"
    RESOURCES = (CLUSTERS,)
