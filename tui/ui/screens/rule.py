"""The form of a policy's rule over the whole screen: the form, the file's change and what it does, as one types."""

from __future__ import annotations

import difflib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer

from tui.domain.edits import Field
from tui.domain.kinds.kind import Tone
from tui.domain.yamledit import Refused
from tui.ui import keys
from tui.ui.bars import Footer, Header
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.form import Form
from tui.ui.widgets.viewer import Viewer
from tui.ui.words import Line, plain

PAUSE = 0.25  # seconds without a key after which the impact is worked out
AGAIN = 5.0  # seconds after which it is worked out again: more becomes known, flows come in
AROUND = 3  # unchanged lines around a change
SIDE_BY_SIDE = 110  # columns from which the panels stand beside the form

Fields = Callable[[Mapping[str, str]], Sequence[Field]]
Applied = Callable[[Mapping[str, str]], str]
Impact = Callable[[str], Awaitable[Sequence[Line]]]
Learn = Callable[[], Awaitable[bool]]


class RuleScreen(FleetScreen):
    """Ends with the answers, or None. `apply` gives the file's new text, or raises Refused with the reason.

    `impact` is asked for the lines that say what a text would do. `learn` takes in what clusters say by now, for the
    proposals of the fields; True when there is something new.
    """

    PLACES = ("rule",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("rule")]

    def __init__(
        self,
        title: str,
        before: str,
        fields: Fields,
        apply: Applied,
        impact: Impact | None = None,
        learn: Learn | None = None,
    ) -> None:
        super().__init__()
        self._learn = learn
        self._learning = False
        self._titled = title
        self._before = before
        self._fields = fields
        self._apply = apply
        self._impact = impact
        self._text = before
        self._wrong = ""
        self._asked = 0
        self._pause: Timer | None = None
        self._working = False
        self._worked = time.monotonic()

    def compose(self) -> ComposeResult:
        yield Header()
        with Container(id="rule-body"):
            with VerticalScroll(id="rule-form", classes="pane", can_focus=False):
                yield Form(self._fields({}))
            with Vertical(id="rule-shown"):
                with Vertical(id="rule-diff", classes="pane"):
                    yield Viewer("", "diff", numbers=False)
                with Vertical(id="rule-impact", classes="pane"):
                    yield WordsView()
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the first field."""
        self.query_one("#rule-form").border_title = Content(safe(self._titled))
        self.query_one("#rule-diff").border_title = "In the file"
        self.query_one("#rule-impact").border_title = "What it does"
        self.query_one("#rule-impact").display = self._impact is not None
        self.query_one(Form).focus_first()
        self._preview()

    def on_resize(self, event: events.Resize) -> None:
        """One above the other where there is no room."""
        self.query_one("#rule-body").set_class(event.size.width < SIDE_BY_SIDE, "narrow")

    # -- while one types --------------------------------------------------------------------------------------------

    async def on_form_changed(self, event: Form.Changed) -> None:
        """Another answer may mean other fields; it always means another text."""
        event.stop()
        await event.form.set_fields(self._fields(event.form.values))
        self._preview()

    def _preview(self) -> None:
        """Show what the answers would change; what it does follows after a pause."""
        try:
            self._text, self._wrong = self._apply(self.query_one(Form).values), ""
        except Refused as error:
            self._text, self._wrong = self._before, error.reason
        if not self._wrong and self._text == self._before:
            self._wrong = "it says so already: nothing would change"
        self.query_one(Viewer).set_text(difference(self._before, self._text) if not self._wrong else self._wrong + "\n")
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, self._settled)

    def _settled(self) -> None:
        if self._impact is not None:
            self._asked += 1
            self.fleet_app.do(self._work_out(self._asked), "working out what it does", hold=False)

    async def _work_out(self, number: int) -> None:
        if self._wrong or self._impact is None:
            self._show((plain(self._wrong, Tone.MUTED),))
            return
        self._working = True
        try:
            lines = await self._impact(self._text)
        finally:
            self._working, self._worked = False, time.monotonic()
        if number == self._asked:  # else newer answers are being worked out
            self._show(*lines)

    def _show(self, *lines: Line) -> None:
        for view in self.query(WordsView):
            view.show(lines)

    def pull(self) -> None:
        """Take in what clusters say by now."""
        super().pull()
        if self._impact is not None and not self._working and time.monotonic() - self._worked >= AGAIN:
            self._settled()
        if self._learn is not None and not self._learning and self.query(Form):
            self._learning = True
            self.fleet_app.do(self._learned(self._learn), "reading what there is", hold=False)

    async def _learned(self, learn: Learn) -> None:
        try:
            if await learn():
                form = self.query_one(Form)
                await form.set_fields(self._fields(form.values))
                self._settled()
        finally:
            self._learning = False

    # -- the end ----------------------------------------------------------------------------------------------------

    def on_form_submitted(self, event: Form.Submitted) -> None:
        """Enter in a field."""
        event.stop()
        self.action_rule_draft()

    def action_rule_draft(self) -> None:
        """Draft it, unless something is wrong."""
        form = self.query_one(Form)
        form.set_error(self._wrong)
        if not self._wrong:
            self.dismiss(form.values)

    def action_rule_close(self) -> None:
        """Close without drafting."""
        self.dismiss(None)

    async def action_back(self) -> None:
        self.dismiss(None)

    def refooter(self) -> None:
        """Letters are typed into the fields: only the form's own keys work."""
        for footer in self.query(Footer):
            footer.keys(self.fleet_app.key_table.footer(self.PLACES))


def difference(before: str, after: str) -> str:
    """The lines that change, with a few around them, as a unified diff without file names."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=AROUND, lineterm="")
    return "".join(f"{line}\n" for line in list(lines)[2:])
