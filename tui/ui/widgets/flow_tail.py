"""Flows as lines of a tail: who to whom, on what port, what became of it and who says so."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.segment import Segment

from tui.domain.cilium.hubble.flowlines import TONES, cells
from tui.domain.cilium.hubble.observed import Lost, Observed, Record
from tui.domain.kinds.kind import Cell, Column, Tone
from tui.domain.tail import Tail, TailEvent
from tui.ui.text import padded
from tui.ui.widgets.columns import Layout, Slot, lay_out
from tui.ui.widgets.line_view import LineView
from tui.ui.widgets.tail import SHAPES, EventLine, TailView

_GUTTER = 2
_STEP = 4  # cells by which columns widen for longer texts, so that they do so seldom


class FlowEvent(TailEvent, frozen=True):
    """A record as the tail keeps it; `message` is the line that a filter looks through."""

    record: Record | None = None


def flow_event(cluster: str, record: Record) -> FlowEvent:
    """A record of a cluster for the tail."""
    tone = Tone.WARN if isinstance(record, Lost) else TONES.get(record.verdict, Tone.MUTED)
    verdict = "gap" if isinstance(record, Lost) else record.verdict
    text = " ".join(str(cells(record)).split())
    return FlowEvent(
        record.time, cluster, "", verdict, text, actor=record.node, source="flow", tone=tone, record=record
    )


def _column(title: str, width: int, least: int, keep: int, grow: int = 0, wide: bool = False) -> Column:
    return Column(
        title, title, lambda row, facts: None, lambda value, now: Cell(str(value)), width, least, wide=wide, grow=grow,
        keep=keep,
    )  # fmt: skip


_COLUMNS = (
    _column("time", 8, 8, 9),
    _column("cluster", 14, 8, 1, wide=True),
    _column("verdict", 15, 10, 8),
    _column("from", 42, 9, 7),
    _column("to", 44, 11, 7),
    _column("port", 14, 8, 6),
    _column("what", 44, 14, 5, grow=1),
)
_CLUSTER = 1
_VERDICT, _FROM, _TO, _PORT, _WHAT = 2, 3, 4, 5, 6


class FlowLine(EventLine):
    """Draws flows into lines. Columns widen for longer texts, in steps, and never narrow."""

    def __init__(self, view: LineView) -> None:
        super().__init__(view)
        self.judged: Callable[[FlowEvent], str] = lambda event: ""  # what fleet says where Hubble does not tell
        self._natural = [column.least for column in _COLUMNS]
        self._alone = False
        self._placed: tuple[int, Layout] = (0, Layout((), False, False))

    def alone(self, alone: bool) -> None:
        """Whether all flows are of one cluster, which needs no column then."""
        if alone != self._alone:
            self._alone = alone
            self._natural[_CLUSTER] = 0 if alone else _COLUMNS[_CLUSTER].width
            self.version += 1
            self._placed = (0, self._placed[1])

    def measure(self, event: TailEvent) -> None:
        """Widen the columns for a flow that will be shown."""
        for at, text in enumerate(_texts(event)):
            length = len(text)
            if length > self._natural[at] < _COLUMNS[at].width and not (at == _CLUSTER and self._alone):
                self._natural[at] = min(_COLUMNS[at].width, -(-length // _STEP) * _STEP)
                self.version += 1
                self._placed = (0, self._placed[1])

    def segments(self, event: TailEvent, width: int, state: str, lead: str, day: str) -> list[Segment]:
        """The flow in exactly `width` cells; `day` is today as `%Y%j`, other days show their date."""
        gap = 1 if width < 120 else 2
        room = max(1, width - _GUTTER)
        if self._placed[0] != width:
            self._placed = (width, lay_out(_COLUMNS, self._natural, room, gap, 0, True))
        view = self._view
        made = [Segment(padded(lead, min(_GUTTER, width)), view.tone_style(Tone.ACCENT, state))]
        texts = [_at(event.time, day), *_texts(event)[1:]]
        if isinstance(event, FlowEvent) and isinstance(event.record, Observed) and not event.record.told:
            texts[_WHAT] = self.judged(event) or texts[_WHAT]
        slots = self._placed[1].slots
        if isinstance(event, FlowEvent) and isinstance(event.record, Lost):
            at = next((number for number, slot in enumerate(slots) if slot.column == _FROM), len(slots) - 1)
            slots = (*slots[:at], Slot(_WHAT, slots[at].x, room - slots[at].x))  # it is of no ends: its text goes on
        ends = [slot.x for slot in slots[1:]] + [room]
        for (at, x, size), end in zip(slots, ends, strict=True):
            tone = event.tone if at == _VERDICT else _tone(at, event)
            text = padded(_fitting(texts[at], at, size, event), size)
            made.append(Segment(text + " " * (end - x - size), view.tone_style(tone, state)))
        return made


def _tone(at: int, event: TailEvent) -> Tone:
    if at in (_FROM, _TO, _PORT):
        return Tone.PLAIN
    if at == _WHAT and event.tone in (Tone.BAD, Tone.WARN):
        return event.tone
    return Tone.MUTED


def _at(moment: float, day: str) -> str:
    if not moment:
        return "?"
    local = time.localtime(moment)
    return time.strftime("%H:%M:%S" if time.strftime("%Y%j", local) == day else "%d %b", local)


def _texts(event: TailEvent) -> tuple[str, ...]:
    """The columns' texts: time (as long as one), cluster, verdict, from, to, port, what."""
    record = event.record if isinstance(event, FlowEvent) else None
    if record is None or isinstance(record, Lost):
        shape = SHAPES[Tone.WARN]
        return "00:00:00", event.cluster, f"{shape} gap", "", "", "", event.message.removeprefix("gap ")
    made = cells(record)
    shape = SHAPES.get(event.tone, "·")
    what = "  ".join(part for part in (made.layer7, made.decided) if part)
    verdict = f"{shape} {made.verdict} {made.way}".rstrip()
    return "00:00:00", event.cluster, verdict, made.source, f"{made.arrow} {made.destination}", made.port, what


def _fitting(text: str, at: int, size: int, event: TailEvent) -> str:
    """The text, or what is shorter and says nearly the same: the workload of a pod, a verdict without its end."""
    record = event.record if isinstance(event, FlowEvent) else None
    if len(text) <= size or record is None or isinstance(record, Lost):
        return text
    if at == _VERDICT:
        return text.rpartition(" ")[0]
    if at not in (_FROM, _TO):
        return text
    lead, party = ("", record.source) if at == _FROM else (f"{text[:1]} ", record.destination)
    shorter = f"{lead}{party.owner}" if party.owner else text
    return shorter if len(shorter) <= size or not party.workload else f"{lead}{party.workload}"


class FlowsView(TailView):
    """The newest flows; on the last line it follows, moved up it stands still."""

    def __init__(self, tail: Tail, *, id: str | None = None) -> None:
        super().__init__(tail, id=id)
        self._line: FlowLine = FlowLine(self)
        self._said: tuple[str, ...] = ()

    def say(self, lines: tuple[str, ...]) -> None:
        """What stands there while there is no flow to show."""
        if lines != self._said:
            self._said = lines
            self.refresh()

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """The lines that were said."""
        if not self._shown and y < len(self._said):
            return [Segment(padded(f"  {self._said[y]}", width), self.tone_style(Tone.MUTED))]
        return super().paint_empty(y, width)

    def judge(self, words: Callable[[FlowEvent], str]) -> None:
        """Where a line gets the words about policies that Hubble has not told."""
        self._line.judged = words
        self.judged_again()

    def alone(self, alone: bool) -> None:
        """Whether all flows are of one cluster, which needs no column then."""
        self._line.alone(alone)

    def judged_again(self) -> None:
        """The words may be others now."""
        self._line.version += 1
        self.refresh()

    @property
    def flow(self) -> FlowEvent | None:
        """The flow or gap under the cursor."""
        event = self.event
        return event if isinstance(event, FlowEvent) else None
