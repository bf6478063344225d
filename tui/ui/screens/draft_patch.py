"""The right side of a draft's screen: the patch of what is chosen on the left, and the picking of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.drafts.hunks import FilePatch
from tui.domain.drafts.model import Draft
from tui.domain.kinds.kind import Tone
from tui.ui import keys
from tui.ui.text import safe
from tui.ui.widgets.patch import PatchView

if TYPE_CHECKING:
    from tui.ui.screens.draft import DraftScreen

SIDES = {"open": "not picked", "picked": "picked"}


class Subject(NamedTuple):
    """What a patch is of: all or one file between two commits of a part."""

    draft: Draft
    old: str
    new: str
    path: str = ""  # "" = all files
    side: str = ""  # open | picked of a file that is not committed; "" = of a commit, or of both sides
    oid: str = ""  # the commit
    words: str = ""


class PatchPanel(Vertical):
    """The patch. While lines are picked from it, its own keys work."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("draft_lines")]

    def __init__(self) -> None:
        super().__init__(id="draft-patch", classes="pane")
        self.subject: Subject | None = None

    @property
    def draft_screen(self) -> DraftScreen:
        """The screen, as what it is."""
        from tui.ui.screens.draft import DraftScreen

        assert isinstance(self.screen, DraftScreen)
        return self.screen

    @property
    def view(self) -> PatchView:
        """The text itself."""
        return self.query_one(PatchView)

    @property
    def picking(self) -> bool:
        """Whether lines are being picked."""
        return self.view.choosing

    def compose(self) -> ComposeResult:
        yield PatchView()

    def show(self, subject: Subject | None, text: str, files: Sequence[FilePatch] = (), first: int = 0) -> None:
        """Show a patch, the arguments as of its view; the same one again keeps the cursor."""
        same = (
            subject is not None
            and self.subject is not None
            and (subject.path, subject.oid, subject.side) == (self.subject.path, self.subject.oid, self.subject.side)
        )
        self.subject = subject
        self.view.show(text, files, first, keep=same)
        self.caption()

    def caption(self) -> None:
        """Say what is shown."""
        subject = self.subject
        words = subject.words if subject is not None else ""
        if self.picking and subject is not None and subject.side:
            words = f"{words} · {SIDES[subject.side]}"
        elif self.picking:
            words = f"pick the lines of the first commit · {words}"
        self.border_title = Content(safe(words)) if words else None
        back = self.picking and subject is not None and subject.side == "picked"
        self.border_subtitle = Content("space puts back") if back else None
        if self.picking and subject is not None and not subject.side:
            count = len(self.view.chosen)
            self.border_subtitle = Content(f"{count} line{'s' if count != 1 else ''} · enter splits")

    def begin(self) -> None:
        """Pick lines from now on."""
        self.view.choose(True)
        self.view.focus()
        self.caption()
        self.draft_screen.divide()

    def end(self) -> None:
        """Only read from now on."""
        self.view.choose(False)
        self.caption()

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_lines_hunk(self) -> None:
        """Hunk by hunk, or line by line."""
        if self._can_pick():
            self.view.toggle_hunk()

    def action_lines_range(self) -> None:
        """A range of lines; while one only reads, to look at."""
        self.view.range()

    def _can_pick(self) -> bool:
        if not self.picking:
            self.draft_screen.fleet_app.say("enter on a file, or e on a commit, picks lines of it", Tone.WARN)
        return self.picking

    def _lines(self) -> dict[str, frozenset[int]]:
        """What is selected, as numbers in the whole patch."""
        subject = self.subject
        assert subject is not None
        return {subject.path: self.view.selection()}

    def action_lines_take(self) -> None:
        """Pick what is selected, or put it back."""
        if not self._can_pick() or (subject := self.subject) is None:
            return
        if not self.view.selection():
            self.draft_screen.fleet_app.say("no changed line is selected", Tone.WARN)
            return
        if not subject.side:
            self.view.toggle_chosen()
            self.caption()
            return
        lines, screen = self._lines(), self.draft_screen
        if subject.side == "open":
            screen.act(lambda drafts: drafts.stage_lines(subject.draft, lines), "picking lines")
        else:
            screen.act(lambda drafts: drafts.unstage_lines(subject.draft, lines), "putting lines back")

    def action_lines_discard(self) -> None:
        """Take back what is selected."""
        if not self._can_pick() or (subject := self.subject) is None:
            return
        if subject.side != "open":
            words = "put it back with space before it is discarded" if subject.side else "a commit's lines stay"
            self.draft_screen.fleet_app.say(words, Tone.WARN)
        elif not self.view.selection():
            self.draft_screen.fleet_app.say("no changed line is selected", Tone.WARN)
        else:
            lines = self._lines()
            self.draft_screen.act(
                lambda drafts: drafts.discard_lines(subject.draft, lines), "discarding lines", "discarded; z undoes it"
            )

    async def action_lines_side(self) -> None:
        """The other side of the file; while one only reads, the next panel."""
        if not self.picking:
            self.screen.focus_next()
        else:
            self.draft_screen.other_side()

    def action_lines_done(self) -> None:
        """Split the commit at what was picked."""
        subject = self.subject
        if not self.picking or subject is None or subject.side:
            return
        if not self.view.chosen:
            self.draft_screen.fleet_app.say("space picks the lines of the first commit", Tone.WARN)
            return
        found: dict[str, frozenset[int]] = {}
        for file in self.view.files:
            if mine := file.changed & self.view.chosen:
                found[file.path] = frozenset(mine)
        self.draft_screen.split(subject, found)
