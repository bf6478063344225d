"""May A talk to B? Two ends and a port are chosen; the verdict stands below, step by step, or for every cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.fleet.netpol.asking import Answer, Place, Question, Unanswerable, ask, everywhere
from tui.fleet.netpol.needs import ALWAYS
from tui.fleet.netpol.state import End, State
from tui.fleet.netpol.typed import parse_port, parse_request
from tui.ui import keys
from tui.ui.bars import Footer, Header, Line
from tui.ui.commands import Proposal
from tui.ui.panes import freshness
from tui.ui.policies.ends import propose
from tui.ui.policies.verdict_words import answer_lines, asked_above, question_lines, traffic, word_cell
from tui.ui.prompt import ask as ask_line
from tui.ui.screens.base import FleetScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.text import safe
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table
from tui.ui.words import plain

if TYPE_CHECKING:
    from tui.ui.words import Line as Words

REST = 10  # a verdict is worked out anew after so many times as long as it took


def _show_word(value: Value, now: float) -> Cell:
    text = str(value or "")
    if text.startswith("!"):  # allowed as far as it is known
        return word_cell(text[1:], sure=False)
    return word_cell(text) if text else Cell("–", Tone.MUTED)


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("cluster", "CLUSTER", c.show_name, 30, 12, keep=9),
    _column("verdict", "VERDICT", _show_word, 11, 11, keep=8),
    _column("reason", "REASON", c.show_muted, 120, 44, keep=7, grow=3),
    _column("from", "FROM", c.show_muted, 40, 16),
    _column("to", "TO", c.show_muted, 40, 16),
)


class VerdictScreen(FleetScreen):
    """The question above, the answer below."""

    PLACES = ("verdict",)
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("verdict")]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self.answer: Answer | None = None
        self.wide = False  # the same question in every cluster
        self._made_of: object = None  # what is shown follows from
        self._rest = 0.0
        self._working = False
        self._owner = f"verdict {id(self)}"

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="verdict", classes="pane") as box:
            box.border_title = "May A talk to B?"
            yield WordsView(id="question")
            yield WordsView(id="answer")
            yield Table(COLUMNS, id="everywhere")
        yield Footer()

    def on_mount(self) -> None:
        """Ask what has been chosen already."""
        self._table.display = False
        self.query_one("#question").can_focus = False
        self._look()
        self._words.focus()
        self.pull()

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        self.fleet.netpol.unlook(self._owner)

    @property
    def _words(self) -> WordsView:
        return self.query_one("#answer", WordsView)

    @property
    def _table(self) -> Table:
        return self.query_one("#everywhere", Table)

    # -- what is shown --------------------------------------------------------------------------------------------

    def _clusters(self) -> tuple[str, ...]:
        """The clusters whose policies are asked."""
        asked = dict.fromkeys(each for each in (self.question.source_cluster, self.question.cluster) if each)
        return tuple(dict.fromkeys([*asked, *(self._all() if self.wide else ())]))

    def _all(self) -> list[str]:
        """Every cluster that can answer."""
        held = (row.obj for row in self.fleet.store.rows(CLUSTERS))
        return sorted(each.metadata.name for each in held if each.state in (ClusterState.LIVE, ClusterState.STALE))

    def _look(self) -> None:
        self.fleet.netpol.look(self._owner, self._clusters())
        self._made_of, self._rest = None, 0.0

    def pull(self) -> None:
        """Ask again when the policies or the ends have changed."""
        super().pull()
        if not self.query("#question"):
            return
        self._tell_age()
        states = {name: self.fleet.netpol.state(name) for name in self._clusters()}
        made_of = (self.question, self.wide, tuple(_mark(state) for state in states.values()))
        if made_of == self._made_of or time.monotonic() < self._rest:
            return
        self._made_of = made_of
        began = time.monotonic()
        self._show(states)
        self._rest = time.monotonic() + REST * (time.monotonic() - began)
        if self.wide:
            self._ask_everywhere(states)

    def _stale(self) -> dict[str, float]:
        """The clusters that are asked and not kept up, with when they were last heard."""
        store, now = self.fleet.store, self.fleet.facts.now
        found = ((name, freshness.of(store, name, ALWAYS, now)) for name in self._clusters())
        return {name: heard for name, heard in found if heard is not None}

    def _tell_age(self) -> None:
        """Above an answer out of old policies: how old they are."""
        stale, now = self._stale(), self.fleet.facts.now
        title = Content(safe(" · ".join(part for part in ("May A talk to B?", freshness.words(stale, now)) if part)))
        box = self.query_one("#verdict")
        if box.border_title != title:
            box.border_title = title
        self._words.set_stale(min(stale.values()) if stale and not self.wide else None)
        self._table.tick(now)

    def _show(self, states: dict[str, State | str]) -> None:
        lines: list[Words]
        self.answer, lines = self._answered(states)
        question = question_lines(self.question, self.answer)
        self.query_one("#question", WordsView).show(question)
        self._words.show(lines)

    def _answered(self, states: dict[str, State | str]) -> tuple[Answer | None, list[Words]]:
        """The answer, and what stands below the question."""
        asked = self.question
        if not asked.source_cluster or not asked.cluster:
            return None, [(Cell("Choose who calls (f) and who is called (t).", Tone.MUTED),)]
        found: dict[str, State] = {}
        waits: list[Words] = []
        for name in dict.fromkeys((asked.source_cluster, asked.cluster)):
            state = states[name]
            if isinstance(state, State):
                found[name] = state
            else:
                waits.append((plain(f"{name}: ", Tone.MUTED), Cell(" "), plain(state, Tone.BUSY)))
        if waits:
            return None, waits
        if not asked.source or not asked.destination:
            return None, [(Cell("Choose who calls (f) and who is called (t).", Tone.MUTED),)]
        if not traffic(asked):
            return None, [(Cell("Choose the port (p).", Tone.MUTED),)]
        try:
            answer = ask(found, asked)
        except Unanswerable as error:
            return None, [(plain(str(error), Tone.WARN),)]
        return answer, answer_lines(answer, (asked.source_cluster, asked.cluster))

    def _ask_everywhere(self, states: dict[str, State | str]) -> None:
        ends = self._ends(states)
        if ends is None:
            self._table.replace([])
            self._table.set_empty("choose both ends and the port first" if not self.answer else "")
        elif not self._working:
            self._working = True
            self.run_worker(self._work(list(states.items()), ends), group="verdict", exit_on_error=False)

    def _ends(self, states: dict[str, State | str]) -> tuple[End, End] | None:
        return (self.answer.source, self.answer.destination) if self.answer else None

    async def _work(self, states: Sequence[tuple[str, State | str]], ends: tuple[End, End]) -> None:
        """Ask every cluster, off the loop: there may be hundreds."""
        try:
            places = await asyncio.to_thread(everywhere, states, self.question, ends)
        finally:
            self._working = False
        if self.is_attached:
            stale = self._stale()
            places = sorted(places, key=lambda each: each.answer is None)
            self._table.replace([freshness.marked(_row(place), stale.get(place.cluster)) for place in places])
            self.fleet_app.tick_again()

    # -- keys -----------------------------------------------------------------------------------------------------

    def _ask(self, question: Question) -> None:
        """Another question."""
        self.question = question
        self._look()
        self.pull()

    def action_verdict_from(self) -> None:
        """Choose who calls."""
        self._choose("from: ", self.question.source_cluster or self._default(), self._set_source)

    def action_verdict_to(self) -> None:
        """Choose who is called."""
        self._choose("to: ", self.question.cluster or self._default(), self._set_destination)

    def _default(self) -> str:
        """The cluster to look for names in, when none has been chosen."""
        asked = self.question
        chosen = asked.source_cluster or asked.cluster or self.fleet_app.shell.scope.cluster
        return chosen or next(iter(self._all()), "")

    def _choose(self, label: str, cluster: str, chosen: Callable[[str, str], None]) -> None:
        self.fleet.netpol.look(self._owner, {*self._clusters(), cluster} - {""})

        def done(text: str | None) -> None:
            if text and text.strip():
                chosen(*self._meant(*self._split(text, cluster)))
            else:
                self._look()

        ask_line(self, label, done, propose=lambda text: self._propose(text, cluster))

    def _split(self, text: str, cluster: str) -> tuple[str, str]:
        """(cluster, name) of `name` or `name @cluster`."""
        name, at, place = text.strip().partition("@")
        return (place.strip() or cluster if at else cluster), name.strip()

    def _meant(self, cluster: str, name: str) -> tuple[str, str]:
        """The only name that a part of one can mean: one application with its endpoints counts as one."""
        state = self.fleet.netpol.state(cluster)
        found = [each.line for each in propose(state, name)] if isinstance(state, State) else []
        if isinstance(state, State) and name not in found:
            whole = [each for each in found if each in state.applications] or found
            if len(whole) == 1:
                return cluster, whole[0]
        return cluster, name

    def _propose(self, text: str, cluster: str) -> list[Proposal]:
        name, at, place = text.partition("@")
        if at:
            wanted = place.strip().lower()
            return [Proposal(f"{name}@{each}", "cluster") for each in self._all() if wanted in each.lower()]
        state = self.fleet.netpol.state(cluster)
        return propose(state, name) if isinstance(state, State) else []

    def _set_source(self, cluster: str, name: str) -> None:
        self._ask(replace(self.question, source=name, source_cluster=cluster, cluster=self.question.cluster or cluster))

    def _set_destination(self, cluster: str, name: str) -> None:
        asked = self.question
        self._ask(replace(asked, destination=name, cluster=cluster, source_cluster=asked.source_cluster or cluster))

    def action_verdict_port(self) -> None:
        """Choose the port."""

        def done(text: str | None) -> None:
            if text and text.strip():
                try:
                    port, protocol = parse_port(text)
                except ValueError as error:
                    self.fleet_app.say(str(error), Tone.WARN)
                else:
                    self._ask(replace(self.question, port=port, protocol=protocol))

        ask_line(self, "port: ", done, hint="8080, 53/UDP, 8/ICMP", propose=self._propose_ports)

    def _propose_ports(self, text: str) -> list[Proposal]:
        """The ports that the destination gives a name."""
        ports = self.answer.destination.endpoint.named_ports if self.answer else {}
        if not ports and isinstance(state := self.fleet.netpol.state(self.question.cluster), State):
            end = state.ends.get(self.question.destination)
            ports = end.endpoint.named_ports if end is not None else {}
        found = []
        for name, number in ports.items():
            word, _, protocol = name.partition("/")
            line = f"{number}/{protocol or 'TCP'}"
            if text.strip() in line:
                found.append(Proposal(line, f"port {word} of {self.question.destination}"))
        return found

    def action_verdict_request(self) -> None:
        """Choose what is asked above layer 4; nothing takes it away."""

        def done(text: str | None) -> None:
            if text is None:
                return
            try:
                request = parse_request(text)
            except ValueError as error:
                self.fleet_app.say(str(error), Tone.WARN)
            else:
                self._ask(replace(self.question, request=request))

        value = asked_above(self.question.request)
        ask_line(self, "asks: ", done, value=value, hint="GET /path of host · DNS name · SNI name")

    def action_verdict_swap(self) -> None:
        """The other way round."""
        self._ask(self.question.turned())

    def action_verdict_everywhere(self) -> None:
        """The same question in every cluster, or in this one again."""
        self.wide = not self.wide
        self._table.display, self._words.display = self.wide, not self.wide
        self._table.replace([])
        self._table.set_empty("working it out…")
        (self._table if self.wide else self._words).focus()
        self.query_one("#verdict").border_subtitle = (
            Content("enter shows a cluster's answer step by step") if self.wide else None
        )
        self._look()
        self.pull()

    def action_verdict_copy(self) -> None:
        """Copy the question and the answer."""
        text = f"{self.query_one('#question', WordsView).text()}\n\n{self._words.text()}"
        self.app.copy_to_clipboard(text)
        self.fleet_app.say(f"copied {text.count(chr(10)) + 1:,} lines")

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter on a cluster: its answer, step by step."""
        event.stop()
        if isinstance(event.key, str) and self.answer is not None:
            source, destination = self.answer.source.called, self.answer.destination.called
            self.question = replace(self.question.within(event.key), source=source, destination=destination)
            self.action_verdict_everywhere()

    async def action_back(self) -> None:
        """From every cluster to the one; then close."""
        if self.wide:
            self.action_verdict_everywhere()
        else:
            await super().action_back()

    async def on_line_chosen(self, event: Line.Chosen) -> None:
        """A pane of the header or a key of the footer was clicked."""
        event.stop()
        await self.clicked(event.name)


def _mark(state: State | str) -> object:
    return state if isinstance(state, str) else (state.cluster, state.serial)


def _row(place: Place) -> TableRow:
    answer = place.answer
    values: tuple[Value, ...]
    if answer is None:
        values = (place.cluster, "", place.why, "", "")
    else:
        found = answer.verdict
        word = f"!{found.verdict}" if found.caveats else found.verdict
        values = (place.cluster, word, safe(found.reason), answer.source.name, answer.destination.name)
    cells = tuple(column.show(value, 0.0) for column, value in zip(COLUMNS, values, strict=True))
    return TableRow(place.cluster, cells, values)
