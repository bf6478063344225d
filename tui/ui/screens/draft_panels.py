"""The left side of a draft's screen: files that are not committed, and the draft's commits, with lazygit's keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import CommitOptions
from tui.domain.kinds.kind import Tone
from tui.ui import keys
from tui.ui.drafting import draft_words
from tui.ui.screens.dialogs import Confirm
from tui.ui.screens.words_view import WordsView
from tui.ui.text import padded, safe, width_of
from tui.ui.widgets.items import Items
from tui.ui.widgets.line_view import PLAIN
from tui.ui.working import LOCAL

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts
    from tui.fleet.drafts.looking import CommitView, FileView, PartView
    from tui.ui.screens.draft import DraftScreen


class StandingView(WordsView):
    """Where the draft stands: lines to read, each cut at the edge, without a cursor."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="draft-standing")

    def state_of(self, index: int) -> str:
        """There is no cursor."""
        return PLAIN

    def _wrap(self) -> None:
        """Lines are not wrapped."""
        self._wrapped = list(self._lines)
        self._version += 1
        self.refresh()

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        """As many words as there is room for."""
        segments = [Segment(" ", self.tone_style(Tone.PLAIN))]
        room = width - 1
        for cell in self._wrapped[index]:
            cells = min(room, width_of(safe(cell.text)))
            segments.append(Segment(padded(cell.text, cells), self.tone_style(cell.tone)))
            room -= cells
        return [*segments, Segment(" " * room, self.tone_style(Tone.PLAIN))]

    def _thumb(self, height: int, count: int) -> range:
        """What does not fit is not scrolled to."""
        return range(0)


class _Panel(Vertical):
    """A list in a frame, and what it is of."""

    TITLE = ""
    WITHOUT = "enter"  # keys of a list that mean something else here

    def __init__(self, id: str, number: int) -> None:
        super().__init__(id=id, classes="pane")
        self._number = number
        self.list = Items(without=self.WITHOUT)
        self.parts: Sequence[PartView] = ()

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        """Its number is the key that leads to it."""
        self.border_title = Content(f"{self._number} {self.TITLE}")

    @property
    def draft_screen(self) -> DraftScreen:
        """The screen, as what it is."""
        from tui.ui.screens.draft import DraftScreen

        assert isinstance(self.screen, DraftScreen)
        return self.screen

    def say(self, text: str) -> None:
        """Why a key does nothing here."""
        self.draft_screen.fleet_app.say(text, Tone.WARN)

    def part(self) -> PartView | None:
        """The repository that the cursor is in."""
        key = self.list.cursor_key
        if isinstance(key, tuple) and key[0] != "clash" and key[1] < len(self.parts):
            return self.parts[key[1]]
        return self.parts[0] if self.parts else None


class FilesPanel(_Panel):
    """Files with edits that are not committed, and what the next commit takes of them."""

    TITLE = "Files"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("draft_files")]

    def show(self, parts: Sequence[PartView], clashes: Sequence[Clash]) -> None:
        """Show the files of all parts."""
        self.parts = parts
        empty = "nothing that is not committed" if any(part.commits for part in parts) else "no change yet"
        self.list.show(draft_words.file_items(parts, clashes), empty)
        words = draft_words.picked_words(parts)
        self.border_subtitle = Content(safe(words)) if words else None

    def file(self) -> tuple[PartView, FileView] | None:
        """The file under the cursor."""
        key = self.list.cursor_key
        if isinstance(key, tuple) and key[0] == "file" and key[1] < len(self.parts):
            part = self.parts[key[1]]
            return next(((part, file) for file in part.files if file.path == key[2]), None)
        return None

    def on_items_opened(self, event: Items.Opened) -> None:
        """A double click."""
        event.stop()
        self.action_file_lines()

    def _edited(self) -> tuple[PartView, FileView] | None:
        """The file under the cursor, or a word why there is nothing to do with it."""
        found = self.file()
        if found is not None and found[1].change is None:
            self.say(f"text typed into {found[1].path} was not saved: e goes on with it")
            return None
        if found is None:
            key = self.list.cursor_key
            clash = isinstance(key, tuple) and key[0] == "clash"
            self.say("enter decides the conflict" if clash else "there is no edit that is not committed")
        return found

    def action_file_stage(self) -> None:
        """Pick a file, or put it back; on a repository all of its files."""
        key, screen = self.list.cursor_key, self.draft_screen
        if isinstance(key, tuple) and key[0] == "repository":
            self._toggle_all([self.parts[key[1]]])
            return
        if (found := self._edited()) is None:
            return
        part, file = found
        if part.draft.index and file.open is None:
            screen.act(lambda drafts: drafts.unstage(part.draft, _names(file)), "putting it back")
        else:
            screen.act(lambda drafts: drafts.stage_files(part.draft, _names(file)), "picking")

    def action_stage_all(self) -> None:
        """Pick everything, or nothing."""
        self._toggle_all([part for part in self.parts if part.draft.dirty])

    def _toggle_all(self, parts: Sequence[PartView]) -> None:
        dirty = [part for part in parts if part.draft.dirty]
        if not dirty:
            self.say("there is no edit that is not committed")
        elif all(part.draft.index and all(file.open is None for file in part.files) for part in dirty):
            self.draft_screen.act_each([part.draft for part in dirty], lambda drafts, one: drafts.unstage(one), "back")
        else:
            self.draft_screen.act_each(
                [part.draft for part in dirty], lambda drafts, one: drafts.stage_files(one), "picking"
            )

    def action_file_lines(self) -> None:
        """Pick lines of the file; on a conflict, decide it."""
        key = self.list.cursor_key
        if isinstance(key, tuple) and key[0] == "clash":
            self.draft_screen.action_conflicts()
        elif self._edited() is not None:
            self.draft_screen.pick_lines()

    def action_file_edit(self) -> None:
        """Edit the file."""
        found = self.file()
        if found is None:
            self.draft_screen.edit_some()
        else:
            self.draft_screen.edit(found[0].draft, found[1].path)

    def action_file_discard(self) -> None:
        """Take back the file's edits after asking."""
        if (found := self._edited()) is not None:
            part, file = found
            self.draft_screen.fleet_app.do(self._discard(part.draft, file), "discarding")

    async def _discard(self, draft: Draft, file: FileView) -> None:
        screen = self.draft_screen
        facts = (file.path, "All edits of it that are not committed. z brings them back.")
        if await screen.fleet_app.wait_for(Confirm("Discard the edits?", facts, yes="discard")):
            await screen.carry(lambda drafts: drafts.discard(draft, _names(file)), "discarded; z undoes it")

    def action_amend(self) -> None:
        """Into the newest commit."""
        part = self.part()
        if part is None or not part.draft.dirty:
            self.say("there is no edit to amend a commit with")
        elif not part.commits:
            self.say("there is no commit to amend: c makes one")
        else:
            draft = part.draft
            self.draft_screen.make(
                lambda drafts, how: drafts.amend(draft, options=how), "amending", "amended the newest commit"
            )


def _names(file: FileView) -> list[str]:
    """The file, and of a renamed one the name it had."""
    change = file.change
    return [file.path, *([change.old_path] if change is not None and change.old_path else [])]


class CommitsPanel(_Panel):
    """The draft's own commits, newest first."""

    TITLE = "Commits"
    WITHOUT = "enter g"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("draft_commits")]

    def show(self, parts: Sequence[PartView]) -> None:
        """Show the commits of all parts."""
        self.parts = parts
        self.list.show(draft_words.commit_items(parts), "no commit yet\nc makes one of what is edited")
        count = sum(len(part.commits) for part in parts)
        self.border_subtitle = Content(f"{count}") if count else None

    def commit(self) -> tuple[PartView, CommitView] | None:
        """The commit under the cursor."""
        key = self.list.cursor_key
        if isinstance(key, tuple) and key[0] == "commit" and key[1] < len(self.parts):
            part = self.parts[key[1]]
            return next(((part, commit) for commit in part.commits if commit.oid == key[2]), None)
        return None

    def on_items_opened(self, event: Items.Opened) -> None:
        """A double click."""
        event.stop()
        self.action_commit_open()

    def _chosen(self, below: bool = False) -> tuple[PartView, CommitView] | None:
        """The commit under the cursor, or a word why there is nothing to do; `below`: there must be an older one."""
        found = self.commit()
        if found is None:
            self.say("there is no commit here")
        elif below and found[1] is found[0].commits[-1]:
            self.say("there is no commit of the draft below it")
            return None
        return found

    def action_commit_open(self) -> None:
        """Read its patch."""
        if self._chosen() is not None:
            self.draft_screen.read_patch()

    def action_reword(self) -> None:
        """Another message."""
        if (found := self._chosen()) is not None:
            self.draft_screen.reword(found[0].draft, found[1].oid)

    def action_squash(self) -> None:
        """Join it to the commit below."""
        if (found := self._chosen(below=True)) is not None:
            draft, oid = found[0].draft, found[1].oid
            self.draft_screen.make(
                lambda drafts, how: drafts.squash(draft, oid, options=how), "squashing", "squashed; z undoes it"
            )

    def action_fixup(self) -> None:
        """Join it to the commit below, whose message stays."""
        if (found := self._chosen(below=True)) is not None:
            draft, oid = found[0].draft, found[1].oid
            self.draft_screen.make(
                lambda drafts, how: drafts.fixup(draft, oid, options=how), "joining", "joined; z undoes it"
            )

    def action_commit_drop(self) -> None:
        """Leave it out after asking."""
        if (found := self._chosen()) is not None:
            self.draft_screen.fleet_app.do(self._drop(found[0].draft, found[1]), "dropping the commit")

    async def _drop(self, draft: Draft, commit: CommitView) -> None:
        screen = self.draft_screen
        facts = (f"{commit.oid[:7]} {commit.subject}", "Its change goes with it. z brings it back.")
        if await screen.fleet_app.wait_for(Confirm("Drop the commit?", facts, yes="drop")):
            await screen.remake(
                lambda drafts, how: drafts.drop_commit(draft, commit.oid, options=how), "dropped; z undoes it"
            )

    def action_move_down(self) -> None:
        """Older."""
        self._move(up=False)

    def action_move_up(self) -> None:
        """Newer."""
        self._move(up=True)

    def _move(self, *, up: bool) -> None:
        found = self._chosen()
        if found is None:
            return
        part, commit = found
        at = part.commits.index(commit)
        wanted = at - 1 if up else at + 1
        if not 0 <= wanted < len(part.commits):
            self.say("it is the newest commit" if up else "it is the oldest commit of the draft")
            return
        draft, number = part.draft, self.parts.index(part)
        self.draft_screen.fleet_app.do(
            self._moved(draft, commit.oid, up, number, wanted), "moving the commit", patience=LOCAL
        )

    async def _moved(self, draft: Draft, oid: str, up: bool, number: int, place: int) -> None:
        """The cursor follows the commit, which has another id now."""
        await self.draft_screen.remake(lambda drafts, how: drafts.move(draft, oid, up=up, options=how))
        if number < len(self.parts) and place < len(self.parts[number].commits):
            self.list.move_to(("commit", number, self.parts[number].commits[place].oid))

    def action_split(self) -> None:
        """Pick lines that become a commit of their own."""
        if self._chosen() is not None:
            self.draft_screen.pick_lines()

    def action_uncommit(self) -> None:
        """It and what is newer become edits again."""
        if (found := self._chosen()) is not None:
            self.draft_screen.fleet_app.do(self._uncommit(*found), "uncommitting")

    async def _uncommit(self, part: PartView, commit: CommitView) -> None:
        newer = part.commits[: part.commits.index(commit) + 1]
        facts = [f"{one.oid[:7]} {one.subject}" for one in newer] + ["Their changes become edits. z undoes it."]
        screen = self.draft_screen
        if not await screen.fleet_app.wait_for(Confirm("Make edits of it again?", facts, yes="uncommit")):
            return

        async def each(drafts: Drafts, how: CommitOptions) -> None:
            await drafts.uncommit(part.draft, newer[0].oid, options=how)
            for one in newer[1:]:
                await drafts.uncommit(part.draft.id, one.oid, options=how)

        await screen.remake(each, "edits again; z undoes it")

    def action_revert_own(self) -> None:
        """The opposite as an edit."""
        if (found := self._chosen()) is not None:
            self.draft_screen.revert(found[0].draft, found[1])

    def action_amend_into(self) -> None:
        """What is picked, or all, into this commit."""
        found = self._chosen()
        if found is None:
            return
        draft, oid = found[0].draft, found[1].oid
        if not draft.dirty:
            self.say("there is no edit to amend it with")
        else:
            self.draft_screen.make(
                lambda drafts, how: drafts.amend(draft, oid, options=how), "amending", "amended; z undoes it"
            )
