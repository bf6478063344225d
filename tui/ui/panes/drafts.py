"""The drafts: edits on their way from the editor to every Application."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, ClassVar

from textual.binding import BindingType

from tui.domain.kinds.fleet import DRAFTS_RESOURCE
from tui.ui import keys
from tui.ui.drafting import draftwork, editing, sending
from tui.ui.panes.table import TablePane
from tui.ui.screens.draft import DraftScreen
from tui.ui.widgets.table import Table


class DraftsPane(TablePane):
    """One line a draft, from all repositories."""

    TITLE = "Drafts"
    PLACES = ("drafts", "list", "table")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("drafts")]
    RESOURCES = (DRAFTS_RESOURCE,)
    FIRST_SORT = "created"

    def where(self) -> str:
        return ""  # drafts belong to no cluster

    def _nothing(self) -> str:
        if self.table.total:
            return self._filtered_out()
        return "no drafts yet\npress e on an Application, a policy or a workload to draft an edit"

    def unable(self, action: str) -> str:
        if why := super().unable(action):
            return why.replace("object", "draft")
        ref = self.here()
        row = self.fleet.store.get(ref) if ref is not None else None
        if row is None:
            return ""
        if action == "draft_commit" and not row.obj.open_changes:
            return "everything in it is committed"
        if action == "draft_push" and not row.obj.commits and not row.obj.open_changes:
            return "there is nothing in it to push"
        return ""

    def _with(self, work: Any, what: str) -> None:
        ref = self.here()
        if ref is not None:
            made: Coroutine[Any, Any, Any] = work(self.fleet_app, ref.name)
            self.fleet_app.do(made, what)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter: its screen; of one in conflict, what there is to decide over it."""
        event.stop()
        event.prevent_default()  # the table's own answer is the detail
        if (ref := self.here()) is None:
            return
        self.fleet_app.push_screen(DraftScreen(ref.name))
        row = self.fleet.store.get(ref)
        if row is not None and row.obj.state == "conflict":
            self._with(draftwork.conflicts, "reading the conflicts")

    def action_draft_diff(self) -> None:
        """What it changes."""
        if (ref := self.here()) is not None:
            self.fleet_app.show_object(ref, "diff")

    def action_draft_edit(self) -> None:
        """Go on editing."""
        self._with(editing.edit_draft, "opening the draft")

    def action_draft_commit(self) -> None:
        """Commit what is staged."""
        self._with(sending.commit, "committing")

    def action_draft_push(self) -> None:
        """Push after asking."""
        self._with(sending.push, "pushing")

    def action_draft_page(self) -> None:
        """The page of the pull request."""
        self._with(sending.page, "opening the page")

    def action_draft_drop(self) -> None:
        """Into the trash after asking."""
        self._with(editing.drop, "dropping")

    def action_draft_undo(self) -> None:
        """Take back the last action."""
        self._with(editing.undo, "undoing")

    def action_draft_redo(self) -> None:
        """Do it again."""
        if (ref := self.here()) is not None:
            self.fleet_app.do(editing.undo(self.fleet_app, ref.name, again=True), "redoing")

    def action_draft_rebase(self) -> None:
        """On top of what its target has now."""
        self._with(draftwork.rebase, "rebasing")

    def action_draft_conflicts(self) -> None:
        """Decide what both sides changed."""
        self._with(draftwork.conflicts, "reading the conflicts")

    def action_draft_recover(self) -> None:
        """What can be brought back."""
        self.fleet_app.show_recovery()

    def action_reread(self) -> None:
        """Ask the remotes where the drafts stand."""
        self.fleet_app.repaint()
        if self.fleet.drafts is not None:
            self.fleet_app.do(draftwork.reread(self.fleet_app), "asking the remotes")
