"""One draft: what is edited, its commits, and the patch of either, with lazygit's keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import CommitOptions
from tui.domain.kinds.fleet import DRAFTS_RESOURCE
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref, Row
from tui.domain.ports import HookRefused, Missing
from tui.ui import keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.drafting import draft_words, draftwork
from tui.ui.prompt import ask
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.draft_panels import CommitsPanel, FilesPanel, StandingView
from tui.ui.screens.draft_patch import PatchPanel, Subject
from tui.ui.screens.draft_reading import Patches, Shown, clash_text
from tui.ui.screens.said import Said
from tui.ui.widgets.items import Items
from tui.ui.working import LOCAL

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts
    from tui.fleet.drafts.looking import CommitView, PartView

NARROW = 100  # cells; below, the patch has the whole width while it has the focus
Work = Callable[["Drafts"], Awaitable[Any]]
Making = Callable[["Drafts", CommitOptions], Awaitable[Any]]


class DraftScreen(FleetScreen):
    """Files and commits on the left, the patch on the right."""

    PLACES = ("draft",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("draft")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_shown = name
        self.draft_id = name  # by its name until it has been read
        self.parts: Sequence[PartView] = ()
        self.files = FilesPanel("draft-files", 1)
        self.commits = CommitsPanel("draft-commits", 2)
        self.patch = PatchPanel()
        self._left: FilesPanel | CommitsPanel = self.files  # the panel the patch belongs to
        self._row: Row | None = None
        self._version = -1  # of the fleet, that the blast radius was looked up for
        self.patches = Patches(lambda: self.drafts)
        self._wanted = 0  # number of the patch that was asked for last
        self._reading = asyncio.Lock()

    @property
    def drafts(self) -> Drafts:
        """The drafts. Raises Missing when there are none."""
        if self.fleet.drafts is None:
            raise Missing("there is no Git here to draft in")
        return self.fleet.drafts

    def draft_shown(self) -> str:
        return self.name_shown

    def compose(self) -> ComposeResult:
        yield Header()
        yield StandingView()
        with Horizontal(id="draft-body"):
            with Vertical(id="draft-side"):
                yield self.files
                yield self.commits
            yield self.patch
        yield Footer()

    def on_mount(self) -> None:
        """Read the draft."""
        self.files.list.focus()
        self.fleet_app.do(self._open(), f"opening {self.name_shown}")

    async def _open(self) -> None:
        await self.reload()
        if self.is_mounted and not self.files.list.items and self.commits.list.items:
            self.commits.list.focus()

    def pane_id(self) -> str:
        return "drafts"

    # -- reading ----------------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Read again when the draft has changed, by whomever."""
        super().pull()
        row = self.fleet.store.get(Ref("", DRAFTS_RESOURCE, "", self.name_shown))
        if row is not self._row:
            seen, self._row = self._row, row
            if seen is not None and self.parts:
                self.fleet_app.do(self.reload(), "reading the draft", hold=False)
        if self.parts and self.fleet.version != self._version:
            self._version = self.fleet.version
            self._standing()

    async def reload(self) -> None:
        """Show the draft as it is now; leave when it is gone."""
        async with self._reading:
            try:
                parts = await self.drafts.look(self.draft_id)
            except Missing:
                if self.is_current:
                    self.fleet_app.say(f"{self.name_shown} is not there any more", Tone.WARN)
                    self.end()
                return
        if not self.is_mounted:
            return
        self.parts = parts
        self.draft_id, self.name_shown = parts[0].draft.id, parts[0].draft.name
        self.files.show(parts, self.clashes())
        self.commits.show(parts)
        self._standing()
        await self._show_patch()

    def clashes(self) -> list[Clash]:
        """Where the target and the draft do not go together."""
        return [clash for part in self.parts for clash in part.listed.standing.clashes]

    def _standing(self) -> None:
        from tui.fleet.draftrows import together

        whole = together([part.listed for part in self.parts]).standing
        lines = draft_words.standing(self.parts, whole, self.fleet.blast(self.name_shown))
        self.query_one(StandingView).show(lines)

    # -- the patch --------------------------------------------------------------------------------------------------

    def _subject(self, side: str = "") -> Subject | None:
        """What the patch is to be of, by the cursor of the panel that had the focus last."""
        if self._left is self.commits:
            if (chosen := self.commits.commit()) is not None:
                part, commit = chosen
                words = f"{commit.oid[:7]} {commit.subject}"
                return Subject(part.draft, commit.parent, commit.oid, oid=commit.oid, words=words)
        elif (held := self.files.file()) is not None:
            part, file = held
            side = side or ("open" if file.open is not None else "picked")
            old, new = (part.staged, part.draft.head) if side == "open" else (part.draft.tip, part.staged)
            kind = {"A": " · new file", "D": " · removed", "T": " · another kind of file"}
            status = file.change.status if file.change is not None else ""
            words = f"{file.path}{kind.get(status, '')}"
            return Subject(part.draft, old, new, file.path, side, words=words)
        found = self._left.part()
        if found is None:
            return None
        draft = found.draft
        old = draft.tip if draft.dirty else draft.base
        return Subject(draft, old, draft.head, words="not committed" if draft.dirty else "the whole draft")

    async def _show_patch(self, side: str = "") -> None:
        """Show the patch of what is chosen; a later choice wins."""
        self._wanted += 1
        wanted = self._wanted
        if (clash := self._clash()) is not None:
            subject, shown = None, Shown(clash_text(clash, self.parts[0].draft.target))
        else:
            picking = self.patch.subject.side if self.patch.picking and self.patch.subject is not None else ""
            subject = self._subject(side or picking)
            shown = await self.patches.part(subject)
            if not self.patch.picking and not side and subject is not None and subject.side == "open":
                shown = await self._both(shown)
            if self.patch.picking and picking and not shown.text and not side:  # this side is empty now
                subject = self._subject("picked" if picking == "open" else "open")
                shown = await self.patches.part(subject)
        if wanted != self._wanted or not self.is_mounted:
            return
        self.patch.show(subject, *shown)
        if self.patch.picking and not shown.text:
            self.leave_lines()

    async def _both(self, left: Shown) -> Shown:
        """Of a file that is picked in part, both patches to read."""
        picked = (await self.patches.part(self._subject("picked"))).text
        return Shown(f"picked for the next commit\n{picked}\nnot picked\n{left.text}") if picked else left

    def _clash(self) -> Clash | None:
        key = self.files.list.cursor_key
        if self._left is not self.files or not isinstance(key, tuple) or key[0] != "clash":
            return None
        return next((one for one in self.clashes() if one.key == key[1]), None)

    def on_items_highlighted(self, event: Items.Highlighted) -> None:
        """Another file or commit: its patch."""
        event.stop()
        if self.parts and event.items is self._left.list and not self.patch.picking:
            self.fleet_app.do(self._show_patch(), "reading the patch", hold=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Another panel: its keys, and its patch."""
        before = self._left
        if self.focused is self.files.list:
            self._left = self.files
        elif self.focused is self.commits.list:
            self._left = self.commits
        left = self.focused is self._left.list and self.patch.picking
        if left:
            self.patch.end()
        if (left or self._left is not before) and self.parts:
            self.fleet_app.do(self._show_patch(), "reading the patch", hold=False)
        self.divide()
        self.refooter()

    def on_resize(self, event: events.Resize) -> None:
        """Divide the screen anew."""
        self.divide()

    def divide(self) -> None:
        """Side by side; on a narrow terminal the patch has it all while it has the focus."""
        if not self.query("#draft-side"):
            return
        width = self.app.size.width
        side = self.query_one("#draft-side")
        side.display = width >= NARROW or self.focused is not self.patch.view
        self.query_one(StandingView).styles.height = 3 if self.app.size.height >= 30 else 2
        side.styles.width = max(30, min(64, width * 38 // 100))

    def places(self) -> tuple[str, ...]:
        if self.patch.picking:
            return ("draft_lines", "draft")
        if self.focused is self.patch.view:
            return ("draft",)
        return ("draft_commits" if self._left is self.commits else "draft_files", "draft")

    def refooter(self) -> None:
        """Lines of a commit are split off: it has no other side, and nothing of it is discarded."""
        subject = self.patch.subject
        if not self.patch.picking or subject is None or subject.side:
            super().refooter()
            return
        shown = self.fleet_app.key_table.footer(
            (*self.places(), "everywhere"),
            without=("lines_side", "lines_discard", "commit_staged"),
            also=("lines_done",),
        )
        for footer in self.query(Footer):
            footer.keys(shown)

    # -- what panels ask --------------------------------------------------------------------------------------------

    def act(self, work: Work, what: str, said: str = "") -> None:
        """Do something to the draft and show what became of it; the next key waits for it."""
        self.fleet_app.do(self.carry(work, said), what, patience=LOCAL)

    async def carry(self, work: Work, said: str = "") -> None:
        """The same, from a worker."""
        try:
            done = await work(self.drafts)
            if left_out := getattr(done, "emptied", ()):
                self.fleet_app.say(f"nothing was left in {', '.join(left_out)}: left out", Tone.WARN)
            elif said:
                self.fleet_app.say(said)
        finally:
            await self.reload()

    def make(self, work: Making, what: str, said: str = "") -> None:
        """As `act` for what makes commits: a key may ask for its passphrase, a hook may refuse and is shown."""
        self.fleet_app.do(self.remake(work, said), what, patience=LOCAL)

    async def remake(self, work: Making, said: str = "") -> None:
        """The same, from a worker."""
        from tui.ui.drafting import sending

        async def made(drafts: Drafts) -> object:
            return await sending.with_terminal(
                self.fleet_app, lambda terminal: work(drafts, drafts.commit_options(terminal=terminal))
            )

        try:
            await self.carry(made, said)
        except HookRefused as error:
            await self.fleet_app.wait_for(Said(str(error), error.lines))

    def act_each(self, drafts: Sequence[Draft], work: Callable[[Drafts, Draft], Awaitable[Any]], what: str) -> None:
        """The same to several parts, one after the other."""

        async def each(found: Drafts) -> None:
            for draft in drafts:
                await work(found, draft)

        self.act(each, what)

    def pick_lines(self) -> None:
        """Pick lines of what is chosen."""
        self.fleet_app.do(self._pick_lines(), "reading the patch")

    async def _pick_lines(self) -> None:
        held = self.files.file() if self._left is self.files else None
        await self._show_patch("" if held is None else "open" if held[1].open is not None else "picked")
        subject = self.patch.subject
        files = self.patch.view.files
        if subject is None or not any(file.changed for file in files):
            self.fleet_app.say("git shows no lines of it: space takes it as a whole", Tone.WARN)
            return
        if subject.path and files[0].whole:
            self.fleet_app.say("it goes only as a whole: renamed, binary or a link", Tone.WARN)
            return
        self.patch.begin()
        self.refooter()

    def other_side(self) -> None:
        """What is picked of a file instead of what is not, or the other way round."""
        subject = self.patch.subject
        if subject is None or not subject.side:
            self.fleet_app.say("a commit has one side", Tone.WARN)
            return
        self.fleet_app.do(self._other_side("picked" if subject.side == "open" else "open"), "reading the patch")

    async def _other_side(self, side: str) -> None:
        subject = self._subject(side)
        if not (await self.patches.part(subject)).text:
            self.fleet_app.say("nothing of it is picked" if side == "picked" else "all of it is picked", Tone.WARN)
            return
        await self._show_patch(side)
        self.patch.view.choose(True)
        self.patch.caption()

    def read_patch(self) -> None:
        """Read the patch of what is chosen."""
        self.patch.view.focus()

    def leave_lines(self) -> None:
        """Back to the list."""
        self.patch.end()
        self.fleet_app.do(self._show_patch(), "reading the patch", hold=False)
        self.query_one("#draft-side").display = True
        self._left.list.focus()
        self.divide()
        self.refooter()

    def split(self, subject: Subject, lines: Mapping[str, frozenset[int]]) -> None:
        """Split a commit after asking for the first one's message."""
        self.fleet_app.do(self._split(subject, lines), "splitting")

    async def _split(self, subject: Subject, lines: Mapping[str, frozenset[int]]) -> None:
        old = subject.words.partition(" ")[2]
        message = await self.fleet_app.ask_line("first commit: ", old)
        if not message:
            return
        rest = await self.fleet_app.ask_line("second commit: ", old)
        if not rest:
            return
        self.leave_lines()
        await self.remake(
            lambda drafts, how: drafts.split_lines(subject.draft, subject.oid, lines, message, rest, options=how),
            "split; z undoes it",
        )

    def reword(self, draft: Draft, oid: str) -> None:
        """Ask for another message of a commit."""
        self.fleet_app.do(self._reword(draft, oid), "rewording")

    async def _reword(self, draft: Draft, oid: str) -> None:
        old = next((one.message for held, own in await self.drafts.log(draft) for one in own if one.oid == oid), "")
        subject, _, body = old.partition("\n")
        typed = await self.fleet_app.ask_line("message: ", subject)
        if typed and typed != subject:
            message = f"{typed}\n{body}" if body.strip() else typed
            await self.remake(
                lambda drafts, how: drafts.reword(draft, oid, message, options=how), "reworded; z undoes it"
            )

    def revert(self, draft: Draft, commit: CommitView) -> None:
        """Draft the opposite of a commit."""
        self.fleet_app.do(self._revert(draft, commit), "reverting")

    async def _revert(self, draft: Draft, commit: CommitView) -> None:
        await draftwork.revert_commit(self.fleet_app, draft, commit)
        await self.reload()

    def edit(self, draft: Draft, path: str) -> None:
        """Edit a file of the draft."""
        self.fleet_app.do(self._after(draftwork.edit_file(self.fleet_app, draft, path)), "opening the file")

    def edit_some(self) -> None:
        """Edit one of the draft's files."""
        from tui.ui.drafting import editing

        self.fleet_app.do(self._after(editing.edit_draft(self.fleet_app, self.draft_id)), "opening the file")

    async def _after(self, work: Coroutine[Any, Any, Any]) -> None:
        await work
        if self.is_mounted:
            await self.reload()

    # -- keys -------------------------------------------------------------------------------------------------------

    async def on_key(self, event: events.Key) -> None:
        """Digits lead to the panels."""
        found = {"1": self.files.list, "2": self.commits.list, "3": self.patch.view}.get(event.key)
        if found is not None:
            event.stop()
            self.query_one("#draft-side").display = True
            found.focus()

    def action_panel_right(self) -> None:
        """The next panel; while lines are picked the keys only scroll."""
        if not self.patch.picking:
            self.focus_next()

    def action_panel_left(self) -> None:
        """The panel before; from the patch, the list it belongs to."""
        if self.focused is self.patch.view and not self.patch.picking:
            self.leave_lines()
        elif not self.patch.picking:
            self.focus_previous()

    def action_commit_staged(self) -> None:
        """Commit what is picked, or all."""
        from tui.ui.drafting import sending

        self.fleet_app.do(self._after(sending.commit(self.fleet_app, self.draft_id)), "committing")

    def action_undo(self) -> None:
        """Take back the last thing done."""
        self.act(lambda drafts: drafts.undo(self.draft_id), "undoing", "taken back; Z does it again")

    def action_redo(self) -> None:
        """Do it again."""
        self.act(lambda drafts: drafts.redo(self.draft_id), "redoing", "done again")

    def action_push(self) -> None:
        """Push after asking."""
        from tui.ui.drafting import sending

        self.fleet_app.do(self._after(sending.push(self.fleet_app, self.draft_id)), "pushing")

    def action_rebase(self) -> None:
        """Fetch, and rebase."""
        self.fleet_app.do(self._after(draftwork.rebase(self.fleet_app, self.draft_id)), "rebasing")

    def action_page(self) -> None:
        """The page of the pull request."""
        from tui.ui.drafting import sending

        self.fleet_app.do(sending.page(self.fleet_app, self.name_shown), "opening the page")

    def action_conflicts(self) -> None:
        """Decide conflicts."""
        self.fleet_app.do(self._after(draftwork.conflicts(self.fleet_app, self.draft_id)), "reading the conflicts")

    def action_states(self) -> None:
        """Every state the draft has been in."""
        self.fleet_app.show_recovery(self.draft_id)

    def action_patch_search(self) -> None:
        """Search the patch."""
        view = self.patch.view

        def done(text: str | None) -> None:
            if text and not view.search(text):
                self.fleet_app.say(f"{text}: not found", Tone.WARN)

        ask(self, "/", done)

    def action_reread(self) -> None:
        """Ask the remotes where the draft stands."""
        self.fleet_app.repaint()
        self.fleet_app.do(self._after(draftwork.reread(self.fleet_app)), "asking the remotes")

    async def action_back(self) -> None:
        """Out of the range, out of the patch, then out of the draft."""
        view = self.patch.view
        if self.patch.picking and view.ranging:
            view.range()
        elif self.patch.picking or self.focused is view:
            self.leave_lines()
        else:
            self.dismiss()

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A pane of the header or a key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)
