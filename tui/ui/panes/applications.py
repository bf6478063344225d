"""Every Application of every hub in one table."""

from __future__ import annotations

from dataclasses import replace

from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import KINDS
from tui.ui.panes.rows import Shape
from tui.ui.panes.table import TablePane
from tui.ui.scope import APPLICATIONS, Scope, View

_KIND = KINDS[APPLICATIONS]
_OF_HUBS = replace(
    _KIND,
    columns=tuple(
        replace(column, wide=False, keep=3, least=5) if column.id == "hub" else column for column in _KIND.columns
    ),
)


class ApplicationsPane(TablePane):
    """Applications, scoped by where they deploy to; with the hub each lives in, where there are several."""

    TITLE = "Applications"
    RESOURCES = (APPLICATIONS,)

    def __init__(self, view: View) -> None:
        self._several = False  # hubs
        self._counted = -1  # revision of the clusters at which they were counted
        super().__init__(view)

    def _shape(self, scope: Scope) -> Shape:
        return self.shape_of(self._with_own([_OF_HUBS]), scope) if self._several else super()._shape(scope)

    def pull(self) -> None:
        """Take in what has changed; a second hub brings its column."""
        rev = self.fleet.store.resource_rev(CLUSTERS)
        if rev != self._counted:
            self._counted = rev
            several = sum(row.obj.hub for row in self.fleet.store.rows(CLUSTERS)) > 1
            if several != self._several:
                self._several = several
                self.reshape()
        super().pull()
