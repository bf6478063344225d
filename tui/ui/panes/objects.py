"""The pane for kinds that only their servers know the columns of: they come with the rows."""

from __future__ import annotations

from tui.domain.kinds.kind import Kind
from tui.domain.kinds.tabled import Layout, Tabled, kind_of, shaped
from tui.domain.obj import Ref, Row
from tui.ui.panes.rows import Shape
from tui.ui.panes.table import TablePane
from tui.ui.scope import Scope, View


class ObjectsPane(TablePane):
    """A table of one kind; columns that another cluster's server has beside them come in as its rows do."""

    def __init__(self, view: View) -> None:
        self._layouts: dict[Layout, None] = {}
        self._outgrown = False
        super().__init__(view)

    def _kind(self) -> Kind:
        resource = self.view.resource
        if (found := self.fleet.offers.catalogue.get(resource)) is not None:
            return found
        plural, _, group = resource.partition(".")
        return kind_of(plural, plural, group, "v1", True)  # a view of before, whose cluster is not there any more

    def _shape(self, scope: Scope) -> Shape:
        return self.shape_of([shaped(self._kind(), self._layouts)], scope)

    def row_of(self, ref: Ref) -> Row | None:
        row = super().row_of(ref)
        if row is not None and isinstance(row.obj, Tabled) and row.obj.layout not in self._layouts:
            self._layouts[row.obj.layout] = None
            self._outgrown = True
        return row

    def pull(self) -> None:
        """Make the rows that have changed; when one has columns that were not known yet, all of them again."""
        super().pull()
        if self._outgrown:
            self._outgrown = False
            self.reshape()
            self.fleet_app.tick_again()
