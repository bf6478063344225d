"""One flow in full: the two ends, what Hubble recorded, and what the policies of now say of it, step by step."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.cilium.hubble.flowlines import TONES, cells, decision, port
from tui.domain.cilium.hubble.judging import judge, recorded
from tui.domain.cilium.hubble.observed import Lost, Observed, Party, Record
from tui.domain.cilium.hubble.propose import Around, refusal
from tui.domain.cilium.policy import bare
from tui.domain.kinds.kind import Cell, Tone
from tui.fleet.netpol.state import State
from tui.ui import keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.policies.verdict_words import side_lines, word_cell
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.words import BLANK, fact, heading, plain
from tui.ui.words import Line as Words

OWNER = "flow"  # who looks, to the fleet
_WAYS = {"ingress": "at the destination", "egress": "at the source"}


class FlowScreen(FleetScreen):
    """A flow, and the verdict that follows it as policies change."""

    PLACES = ("flow",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("flow")]

    def __init__(self, cluster: str, record: Record) -> None:
        super().__init__()
        self.cluster = cluster
        self.record = record

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="flow", classes="pane") as box:
            box.border_title = Content("Flow")
            yield WordsView()
        yield Footer()

    def on_mount(self) -> None:
        """Ask for the policies of its cluster."""
        self.fleet.netpol.look(OWNER, {self.cluster})
        self.query_one(WordsView).focus()
        self.pull()

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        self.fleet.netpol.unlook(OWNER)

    def pane_id(self) -> str:
        return "flows"

    def pull(self) -> None:
        """Ask again when the policies have changed."""
        super().pull()
        if not self.query(WordsView):
            return
        record = self.record
        if isinstance(record, Lost):
            lines: list[Words] = [(Cell("gap  ", Tone.WARN), plain(cells(record).source)), BLANK]
            lines.append((plain("Hubble kept no record of these: its buffer was full. What happened is not known."),))
        else:
            state = self.fleet.netpol.state(self.cluster)
            lines = [*told_lines(record, self.cluster), BLANK, *judged_lines(record, state)]
        self.query_one(WordsView).show(lines)

    def action_flow_allow(self) -> None:
        """Draft the smallest rule that would let it pass."""
        from tui.ui.drafting import allowing

        if isinstance(self.record, Observed):
            self.fleet_app.do(allowing.allow(self.fleet_app, self.cluster, self.record), "working out a rule")

    def action_flow_verdict(self) -> None:
        """Ask about its two ends."""
        if isinstance(self.record, Observed):
            self.fleet_app.ask_about_flow(self.record, self.cluster)

    def action_flow_copy(self) -> None:
        """Copy what is shown."""
        text = self.query_one(WordsView).text()
        self.app.copy_to_clipboard(text)
        self.fleet_app.say(f"copied {text.count(chr(10)) + 1:,} lines")

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A pane of the header or a key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)


def told_lines(record: Observed, cluster: str) -> list[Words]:
    """What Hubble recorded."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.time)) if record.time else "?"
    way = _WAYS.get(record.direction, "at which end is not told")
    tone = TONES.get(record.verdict, Tone.MUTED)
    lines: list[Words] = [
        (Cell(f"{record.verdict.lower() or '?'} ", tone), plain(f"{way}, {moment}, in {cluster}")),
        BLANK,
        fact("From", *_end(record.source)),
        *_labels(record.source),
        fact("To", *_end(record.destination)),
        *_labels(record.destination),
        fact("Port", plain(port(record) or "?")),
    ]
    if record.layer7:
        lines.append(fact("Layer 7", plain(record.layer7)))
    if record.answer:
        lines.append(fact("Reply", Cell("yes: no policy decides about it", Tone.MUTED)))
    lines.append(fact("Decided", plain(decision(record) or "Hubble does not tell by which policy", Tone.PLAIN)))
    if record.node:
        lines.append(fact("Seen on", plain(record.node)))
    return lines


def _end(party: Party) -> tuple[Cell, ...]:
    more = [part for part in (party.ip if party.ip not in party.name else "", party.cluster) if part]
    return plain(party.name or party.ip or "?", Tone.ACCENT), Cell("  "), plain(", ".join(more), Tone.MUTED)


def _labels(party: Party) -> list[Words]:
    shown = [bare(label) for label in party.labels if "io.cilium." not in label and "io.kubernetes." not in label]
    return [fact("", plain(", ".join(shown), Tone.MUTED))] if shown else []


def judged_lines(record: Observed, state: State | str) -> list[Words]:
    """What the policies of now say, and whether that is what was recorded."""
    lines: list[Words] = [heading("By the policies of now, as fleet works them out")]
    if isinstance(state, str):
        return [*lines, (Cell("  "), plain(state, Tone.BUSY))]
    around = Around(state.book, state.written, state.endpoints)
    judged = judge(state.book, record, around.known)
    if not judged.word:
        return [*lines, (Cell("  "), plain(judged.reason, Tone.MUTED))]
    lines.append((Cell("  "), word_cell(judged.word, not state.blind), Cell("  "), plain(judged.reason)))
    seen = recorded(record)
    if judged.changes(record):
        lines.append((Cell("  "), plain(f"not as it was recorded ({seen}): policies have changed since", Tone.WARN)))
    found = judged.verdict
    if found is not None:
        for side, party in ((found.egress, record.source), (found.ingress, record.destination)):
            lines += [BLANK, *side_lines(side, party.name or party.ip)]
        lines += [
            (Cell("  · ", Tone.WARN), plain(each, Tone.MUTED))
            for each in (*state.blind, *found.caveats, *state.caveats)
        ]
    if seen == "denied":
        why = refusal(record)
        hint = f"no rule to draft: {why}" if why else "e drafts the smallest rule that lets it pass"
        lines += [BLANK, (Cell("  "), plain(hint, Tone.MUTED))]
    return lines
