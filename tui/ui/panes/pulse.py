"""The pulse: what fleet sees of every cluster and what it cannot see, taken once a second while somebody looks."""

from __future__ import annotations

import time
from collections.abc import Iterable

from textual import events
from textual.app import ComposeResult

from tui.domain import sight
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds import pulse as kind
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Ref, Row
from tui.domain.pulse import Pulse
from tui.ui.panes.rows import Shape
from tui.ui.panes.table import TablePane
from tui.ui.scope import Scope, View
from tui.ui.screens.words_view import WordsView
from tui.ui.widgets.line_view import PLAIN

PERIOD = 0.9  # seconds between two takings: less than the screen's own second, which comes late now and then


class Summary(WordsView, can_focus=False):
    """The sentences above the table, in as many lines as they need, but never more than half of the pane."""

    def state_of(self, index: int) -> str:
        """It has no cursor."""
        return PLAIN

    def show(self, lines: Iterable[sight.Line]) -> None:
        """Show these sentences."""
        super().show(list(lines))
        self._fit()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        super().on_resize(event)
        self._fit()

    def _fit(self) -> None:
        room = self.parent.size.height // 2 if isinstance(self.parent, TablePane) else 1
        self.styles.height = max(1, min(self.line_count(), room))


class PulsePane(TablePane):
    """One line a cluster: what is in the way first."""

    TITLE = "Pulse"
    RESOURCES = (CLUSTERS,)
    FIRST_SORT = "state"

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.summary = Summary()
        self._pulses: dict[Ref, Pulse] = {}
        self._moment = 0.0

    def _shape(self, scope: Scope) -> Shape:
        return Shape([kind.PULSE], accented=self.accented)

    def compose(self) -> ComposeResult:
        yield self.summary
        yield self.table

    def show(self, view: View) -> None:
        self._moment = 0.0
        super().show(view)

    def row_of(self, ref: Ref) -> Row | None:
        pulse = self._pulses.get(ref)
        return kind.row(pulse) if pulse is not None else None

    def _age(self, now: float) -> None:
        """What has been counted of a cluster is true, whether it answers or not."""

    def _read(self) -> list[Ref]:
        """Take the pulse when it is time to; returns the clusters that are gone."""
        if self._fresh:
            self._pending = dict.fromkeys(self._pulses)
        if time.monotonic() - self._moment < PERIOD:
            return []
        self._moment = time.monotonic()
        before, self._pulses = self._pulses, {kind.row(pulse).ref: pulse for pulse in self.fleet.pulse()}
        self._pending.update(dict.fromkeys(r for r, pulse in self._pulses.items() if before.get(r) != pulse))
        clusters = self._clusters
        seen = [pulse for pulse in self._pulses.values() if clusters is None or pulse.cluster in clusters]
        problems = [(Cell(problem, Tone.WARN),) for problem in self.fleet.problems]  # told once, and here as long as so
        self.summary.show([*sight.summary(seen, self.fleet.facts.now), *problems])
        return [ref for ref in before if ref not in self._pulses]
