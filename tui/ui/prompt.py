"""The line at the bottom that one types into: commands with completion, filters, searches, questions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.domain.kinds.kind import Tone
from tui.ui.commands import Proposal
from tui.ui.text import padded, width_of
from tui.ui.widgets.line_view import LineView
from tui.ui.widgets.plain_input import PlainInput

SHOWN = 9  # proposals shown at once
_OPEN = ("=", "<", ">")  # what is taken into the line goes on after these
_NAME = 34  # cells of a proposal's text before what it is


class _Line(PlainInput):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", show=False),
        Binding("tab", "take", show=False),
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up,ctrl+p", "move(-1)", show=False),
        Binding("ctrl+o", "more", show=False),
    ]

    def action_give_up(self) -> None:
        """Close without doing anything."""
        self.screen.query_one(Prompt).finish(None)

    def action_take(self) -> None:
        """Take the proposal into the line."""
        self.screen.query_one(Prompt).take()

    def action_more(self) -> None:
        """Go on elsewhere with what was typed, where there is such a place."""
        self.screen.query_one(Prompt).elsewhere(self.value)

    def action_move(self, by: int) -> None:
        """Choose another proposal."""
        self.screen.query_one(Prompt).move(by)


class _Proposals(LineView):
    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="proposals")
        self.proposals: Sequence[Proposal] = ()
        self.cursor = -1

    def line_count(self) -> int:
        return len(self.proposals)

    def stamp(self, index: int) -> Hashable:
        return self.proposals[index]

    def state_of(self, index: int) -> str:
        return "cursor" if index == self.cursor else "plain"

    def _widest(self) -> int:
        """Cells of the longest proposal."""
        return max((width_of(each.line) for each in self.proposals), default=0)

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        proposal = self.proposals[index]
        left = min(max(_NAME, self._widest() + 4), max(_NAME, width * 2 // 3), width)
        return [
            Segment(padded(f"  {proposal.line}", left), self.tone_style(Tone.ACCENT, state)),
            Segment(padded(f"  {proposal.help}", width - left), self.tone_style(Tone.MUTED, state)),
        ]


class Prompt(Vertical):
    """Mounted while something is asked. `done` gets the text, or None when the user gave up; or `more` gets it."""

    def __init__(
        self,
        label: str,
        done: Callable[[str | None], None],
        value: str = "",
        changed: Callable[[str], None] | None = None,
        propose: Callable[[str], Sequence[Proposal]] | None = None,
        more: Callable[[str], None] | None = None,
        hint: str = "",
        loud: bool = False,
    ) -> None:
        super().__init__(id="prompt")
        self._loud = loud
        self._more = more
        self._hint = hint
        self._label = label
        self._done = done
        self._value = value
        self._changed = changed
        self._propose = propose
        self._back: Widget | None = None
        self._typed = value
        self.finished = False

    def compose(self) -> ComposeResult:
        if self._propose is not None:
            yield _Proposals()
        with Horizontal(id="asked"):
            yield Static(self._label, id="label", classes="loud" if self._loud else "", markup=False)
            yield _Line(self._value, select_on_focus=False, compact=True)
            if self._hint:
                yield Static(self._hint, id="hint", markup=False)

    def on_mount(self) -> None:
        """Take the focus, and keep in mind who had it."""
        self._back = self.screen.focused
        self.query_one(_Line).focus()
        self._show(self._value)

    @on(Input.Changed)
    def _on_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value == self._typed:
            return
        self._typed = event.value
        if self._changed is not None:
            self._changed(event.value)
        self._show(event.value)

    @on(Input.Submitted)
    def _on_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._propose is not None:
            proposals = self.query_one(_Proposals)
            if proposals.cursor >= 0:
                self.finish(proposals.proposals[proposals.cursor].line)
                return
        self.finish(event.value)

    def finish(self, text: str | None) -> None:
        """Close, give the focus back, and tell what was typed."""
        self._close()
        self._done(text)

    def elsewhere(self, text: str) -> None:
        """Close, and hand what was typed to where it goes on."""
        if self._more is not None:
            self._close()
            self._more(text)

    def _close(self) -> None:
        self.finished = True
        if self._back is not None and self._back.is_attached:
            self._back.focus()
        self.remove()

    def take(self) -> None:
        """Put the chosen proposal, or the first, into the line."""
        if self._propose is None:
            return
        proposals = self.query_one(_Proposals)
        if proposals.proposals:
            line = self.query_one(_Line)
            taken = proposals.proposals[max(0, proposals.cursor)].line
            line.value = taken if taken.endswith(_OPEN) else taken + " "
            line.cursor_position = len(line.value)

    def propose_again(self) -> None:
        """More is known by now than when the proposals were made; one that is chosen stays so."""
        if self._propose is not None and self.query_one(_Proposals).cursor < 0:
            self._show(self._typed)

    def move(self, by: int) -> None:
        """Choose the proposal below or above; above the first there is none chosen."""
        if self._propose is None:
            return
        proposals = self.query_one(_Proposals)
        proposals.cursor = max(-1, min(len(proposals.proposals) - 1, proposals.cursor + by))
        if proposals.cursor >= 0:
            proposals.bring_into_view()
        proposals.refresh()

    def _show(self, text: str) -> None:
        if self._propose is None:
            return
        proposals = self.query_one(_Proposals)
        proposals.proposals = self._propose(text)
        proposals.cursor = -1
        proposals.top = 0
        proposals.styles.height = min(SHOWN, len(proposals.proposals))
        proposals.refresh()


def ask(
    screen: Widget,
    label: str,
    done: Callable[[str | None], None],
    value: str = "",
    changed: Callable[[str], None] | None = None,
    propose: Callable[[str], Sequence[Proposal]] | None = None,
    more: Callable[[str], None] | None = None,
    hint: str = "",
    loud: bool = False,
) -> bool:
    """Ask for a line at the bottom of a screen; False when a prompt is open there already, which stays.

    With `more`, ctrl-o hands the line over to it instead of `done`; `hint` says so beside the line. `loud`: it is about
    production.
    """
    if screen.query(Prompt):
        return False
    screen.mount(Prompt(label, done, value, changed, propose, more, hint, loud))
    return True
