"""What a screen that only shows refuses: whatever would begin, change or send a draft, or start a program.

Behind it the drafts themselves refuse (`tui.fleet.drafts.readonly`); here it is said before anybody types a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.actions import ActionParseResult
from textual.dom import DOMNode

from tui.ui import keys
from tui.ui.working import Working

if TYPE_CHECKING:
    from tui.domain.settings import Settings

SAYS = "read-only: nothing is edited, drafted, pushed or saved here; fleet in a terminal, without read-only, does that"
CHANGING = frozenset({
    "drafts", "draft", "draft_files", "draft_commits", "draft_lines", "conflicts", "recovery", "editor", "rule",
    "message",
})  # fmt: skip
"""Places whose actions change a draft."""
LOOKING = frozenset({
    "draft_diff", "draft_conflicts", "draft_recover", "conflicts", "states", "panel", "panel_right", "panel_left",
    "patch_search", "file_lines", "commit_open", "lines_hunk", "lines_range", "lines_side", "recover_more", "find",
    "next_problem", "close", "rule_close", "message_close", "found_open",
})  # fmt: skip
"""The actions there that only look."""
DRAFTING = frozenset({
    "edit", "actions", "new_object", "remove", "allow", "flow_allow", "diff_commit", "table_edit", "document_edit",
    "document_actions", "document_remove", "revert", "found_edit",
})  # fmt: skip
"""Actions of other places that begin or change a draft."""


WRITING = frozenset({"table_write", "log_save"})
"""Actions that write files of the user's: who looks through a browser sits at another machine."""

REFUSED = (
    DRAFTING | WRITING | {action.id for action in keys.ACTIONS if action.where in CHANGING and action.id not in LOOKING}
)


class ReadOnly(Working):
    """An app that may have been started read-only."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def may(self, name: str) -> bool:
        """Whether this screen does the action of that id; what the user's commands change is not known."""
        return not self.settings.read_only or not (name in REFUSED or name.startswith(keys.OWN))

    def refuses(self, name: str) -> bool:
        """Whether this screen does not do the action of that id; then it is said."""
        if self.may(name):
            return False
        from tui.domain.kinds.kind import Tone

        self.say(SAYS, Tone.WARN)
        return True

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key or a click stands for, unless this screen refuses it."""
        name = action.partition("(")[0].rpartition(".")[2] if isinstance(action, str) else action[1]
        if self.refuses(name):
            return True
        return await super().run_action(action, default_namespace, namespaces)
