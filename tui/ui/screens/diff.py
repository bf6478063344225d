"""What a draft changes, as git tells it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.kinds.kind import Tone
from tui.ui import keys
from tui.ui.bars import Footer, Header
from tui.ui.prompt import ask
from tui.ui.screens import external
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.viewer import Viewer


class DiffScreen(FleetScreen):
    """The diff of a draft; `c` commits what is not committed. Ends with True when a commit was made."""

    PLACES = ("diff",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("diff")]

    def __init__(self, draft: str, open_only: bool = False, by: str = "") -> None:
        super().__init__()
        self.by = by  # what files are grouped by
        self.draft = draft
        self.open_only = open_only

    def draft_shown(self) -> str:
        return self.draft

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="diff", classes="pane"):
            yield Viewer("", "diff")
        with Vertical(id="diff-impact", classes="pane"):
            yield WordsView()
        yield Footer()

    def on_mount(self) -> None:
        """Ask git."""
        panel = self.query_one("#diff-impact")
        panel.border_title = "What it does to network policies"
        panel.display = False
        self.query_one(Viewer).focus()
        self.fleet_app.do(self._load(), "reading the diff", hold=False)

    async def _load(self) -> None:
        drafts = self.fleet.drafts
        assert drafts is not None
        changes, patch = await drafts.diff(self.draft, open_only=self.open_only)
        if self.by:
            from tui.ui.drafting.bulk import groups_of

            patch = await drafts.diff_by(self.draft, self.by, groups_of(self.fleet_app), open_only=self.open_only)
        added = sum(max(0, change.added) for change in changes)
        removed = sum(max(0, change.removed) for change in changes)
        what = "not committed yet" if self.open_only else "against its base"
        box = self.query_one("#diff")
        box.border_title = Content(safe(f"{self.draft} · {what}"))
        box.border_subtitle = Content(f"{len(changes)} file{'s' if len(changes) != 1 else ''}, +{added} −{removed}")
        self.query_one(Viewer).set_text(patch or "no difference\n")

    def pull(self) -> None:
        """Take in what is known by now of what it does to network policies; nothing is shown of what it does not."""
        super().pull()
        impacts = self.fleet.impacts
        found = impacts.look(self.draft) if impacts is not None else ""
        panels = self.query("#diff-impact")
        if isinstance(found, str) or found.empty or not panels:
            return
        from tui.ui.drafting import impact_words

        panels.first().display = True
        self.query_one(WordsView).show(impact_words.body(found))

    def action_diff_commit(self) -> None:
        """Commit with a proposed message."""
        self.fleet_app.do(self._commit(), "committing")

    async def _commit(self) -> None:
        from tui.ui.drafting import sending

        if await sending.commit(self.fleet_app, self.draft):
            self.end(True)

    async def action_back(self) -> None:
        self.dismiss(False)

    def action_diff_pager(self) -> None:
        """Read the diff in the user's pager."""
        external.paged(self.fleet_app, self.query_one(Viewer).text)

    def action_diff_search(self) -> None:
        """Search the text."""
        viewer = self.query_one(Viewer)

        def done(text: str | None) -> None:
            if text and not viewer.search(text):
                self.fleet_app.say(f"{text}: not found", Tone.WARN)

        ask(self, "/", done)
