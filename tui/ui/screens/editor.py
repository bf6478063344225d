"""The built-in editor on one file of a draft: checked as one types, journalled, saved into the draft."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import TextArea

from tui.domain import giturl
from tui.domain.drafts.model import Draft, Operation
from tui.domain.drafts.told import operations
from tui.domain.kinds.kind import Tone
from tui.domain.schema import Problem
from tui.ui import keys
from tui.ui.bars import Footer, Header
from tui.ui.prompt import ask
from tui.ui.screens import external
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.dialogs import Confirm
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.editor import Editor

if TYPE_CHECKING:
    from tui.fleet.netpol.impact import Impacts

KEEP = 0.15  # seconds after a key until the text is on disk
TELLING = ("NetworkPolicy", "CiliumCIDRGroup", "kind: Namespace")  # texts that may change what policies do
PAUSE = 0.3  # seconds without a key after which the text is checked


class Opened(msgspec.Struct):
    """What is being edited. `over` is the id of the content the text started from, "" for a new file."""

    repo: str
    target: str
    path: str
    text: str
    over: str
    draft: Draft | None = None  # None: made when first saved
    base: str = ""  # commit the text was read from: what such a draft starts from
    title: str = ""  # of a draft that has to be made
    line: int = 1
    note: str = ""
    operation: Operation = Operation("")


def marks(found: list[Problem]) -> dict[int, str]:
    """The first problem of each line, errors before warnings."""
    order = sorted(found, key=lambda problem: problem.severity != "error")
    return {problem.line: problem.message for problem in reversed(order)}


class EditorScreen(FleetScreen):
    """Edit, save, see the diff, commit."""

    PLACES = ("editor",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("editor")]

    def __init__(self, opened: Opened, typed: str | None = None) -> None:
        super().__init__()
        self.opened = opened
        self._saved = opened.text
        self._editor = Editor(opened.text if typed is None else typed, yaml=opened.path.endswith((".yaml", ".yml")))
        self._pause: Timer | None = None
        self._keeping: Timer | None = None
        self._kept = opened.text

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="editing", classes="pane"):
            yield self._editor
        with Vertical(id="editing-impact", classes="pane"):
            yield WordsView()
        yield Footer()

    def on_mount(self) -> None:
        """The cursor at the place that was asked for."""
        panel = self.query_one("#editing-impact")
        panel.border_title = "What it does to network policies"
        panel.display = False
        self._editor.focus()
        self._editor.goto(self.opened.line)
        self._caption()
        self.fleet_app.do(self._check(), "checking", hold=False)
        if self.opened.note:
            self.fleet_app.say(self.opened.note)

    def _caption(self) -> None:
        opened = self.opened
        where = f"draft {opened.draft.name}" if opened.draft else f"new draft on {opened.target}"
        state = "" if self._editor.text == self._saved else "not saved"
        words = " · ".join(part for part in (opened.path, giturl.shown(opened.repo), where, state) if part)
        box = self.query_one("#editing")
        box.border_title = Content(safe(words))
        found = self._editor.problems
        box.border_subtitle = Content(safe(next(iter(found.values())))) if found else None

    # -- typing -----------------------------------------------------------------------------------------------------

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Keep the text on disk; after a short pause look for problems."""
        event.stop()
        if self._keeping is None:  # not put off by the next key: who types without a pause is kept as well
            self._keeping = self.set_timer(KEEP, self._keep_soon)
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, self._settled)

    def _keep_soon(self) -> None:
        self._keeping = None
        self.fleet_app.do(self._keep(), "keeping the typed text", hold=False)

    def _settled(self) -> None:
        self._caption()
        self.fleet_app.do(self._check(), "checking", hold=False)
        if self.fleet.impacts is not None and any(word in self._editor.text for word in TELLING):
            self.fleet_app.do(self._work_out(self.fleet.impacts), "working out what it does", hold=False)

    async def _work_out(self, impacts: Impacts) -> None:
        """Show what the text would do to network policies, when it would do anything."""
        from tui.fleet.netpol.impact import Edited
        from tui.ui.drafting import impact_words

        opened, text = self.opened, self._editor.text
        found = await impacts.of_text(Edited(opened.repo, opened.target, opened.base, opened.path, text, opened.draft))
        if text == self._editor.text and self.is_attached:  # else a newer text is being worked out
            self.query_one("#editing-impact").display = not found.empty
            self.query_one(WordsView).show(impact_words.body(found))

    async def _keep(self) -> None:
        """The typed text on disk; forgotten when it is what was opened."""
        text, opened, drafts = self._editor.text, self.opened, self.fleet.drafts
        if text == self._kept or drafts is None:
            return
        self._kept = text
        if text == self._saved:
            await drafts.discard_autosave(opened.draft, opened.path, opened.over)
        else:
            await drafts.autosave(opened.draft, opened.path, text, opened.over)

    async def _check(self) -> None:
        """Mark what the file's own form and the schemas of its cluster find wrong with the text."""
        path, text = self.opened.path, self._editor.text
        if not path.endswith((".yaml", ".yml", ".json")):
            return
        found = await self.fleet.check(text, path, self.opened.operation.cluster)
        if text == self._editor.text:  # else a newer check is under way
            self._editor.set_problems(marks(found))
            self._caption()

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_save(self) -> None:
        """Put the text into the draft and show what it changes."""
        self.fleet_app.do(self._save(), "saving")

    async def _save(self) -> None:

        text, opened, drafts, app = self._editor.text, self.opened, self.fleet.drafts, self.fleet_app
        await self._check()
        if drafts is None or (text == self._saved and (opened.draft is None or not opened.draft.dirty)):
            app.say("nothing has been changed")
            return
        if found := self._editor.problems:
            self._editor.next_problem()
            facts = [f"line {line}: {reason}" for line, reason in found.items()]
            if not await app.wait_for(Confirm("Save although there are problems?", facts, yes="save")):
                return
        typed_before = opened.draft is None, opened.over  # what the journal knows the text by
        if opened.draft is None:
            opened.draft = await drafts.new(opened.title, opened.repo, opened.target, base=opened.base)
        if text != self._saved:
            about = msgspec.structs.replace(opened.operation, at=self.fleet.facts.now)
            told = operations(about, self._saved, text)
            opened.draft = await drafts.edit(opened.draft, opened.path, text, told, opened.over)
            await drafts.discard_autosave(opened.draft, opened.path, opened.over)
            if typed_before[0]:
                await drafts.discard_autosave(None, opened.path, typed_before[1])
            opened.over = (await drafts.open(opened.draft, opened.path)).oid
            self._saved = self._kept = text
        self._caption()
        await self._show_diff()

    async def _show_diff(self) -> None:
        from tui.ui.drafting import editing

        assert self.opened.draft is not None
        if await editing.review(self.fleet_app, self.opened.draft.name):
            self.end()
        elif self.fleet.drafts is not None:
            self.opened.draft = (await self.fleet.drafts.show(self.opened.draft)).draft

    def action_close(self) -> None:
        """Close; text that was not saved stays in the journal."""
        self.fleet_app.do(self._close(), "closing the editor")

    async def _close(self) -> None:
        await self._keep()
        if self._editor.text != self._saved:
            self.fleet_app.say("the text is kept: e goes on with it")
        self.end()

    async def action_back(self) -> None:
        self.action_close()

    async def closing(self) -> None:
        await self._keep()

    def refooter(self) -> None:
        """Letters are typed into the text: only the editor's own keys work."""
        for footer in self.query(Footer):
            footer.keys(self.fleet_app.key_table.footer(self.PLACES))

    def action_find(self) -> None:
        """Search as one types."""

        def done(text: str | None) -> None:
            if text and not self._editor.find_next(1):
                self.fleet_app.say(f"{text}: not found", Tone.WARN)

        ask(self, "/", done, changed=lambda text: self._find(text))

    def _find(self, text: str) -> None:
        self._editor.find(text, stay=True)

    def action_next_problem(self) -> None:
        """Go to the next problem."""
        reason = self._editor.next_problem()
        self.fleet_app.say(reason or "no problems", Tone.WARN if reason else Tone.GOOD)

    def action_external(self) -> None:
        """Go on in the user's own editor."""
        line = self._editor.cursor_location[0] + 1
        text = external.edited(self.fleet_app, self._editor.text, Path(self.opened.path).name, line)
        if text is None:
            return
        self._editor.text = text
        self._editor.goto(line)
        self._settled()
