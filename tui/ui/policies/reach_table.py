"""The matrix of a policy's or an object's detail: who may reach it, and whom it may reach. Groups open to endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from tui.domain.cilium.model import Direction
from tui.domain.cilium.reachability.grouping import By, Group
from tui.domain.cilium.reachability.matrix import Cell as Passing
from tui.domain.cilium.reachability.matrix import Matrix, matrix, pairs
from tui.domain.cilium.reachability.portset import EVERY_PORT, PortSet
from tui.domain.cilium.reachability.reach import PolicyName, Reach
from tui.domain.kinds import POLICY_RESOURCES
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.obj import Ref, Row
from tui.fleet.netpol.asking import Question
from tui.fleet.netpol.state import State
from tui.ui.policies.subjects import ends_of
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from tui.ui.app import FleetApp

_TITLES = {"ingress": "May be reached by", "egress": "May reach"}
_DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
_BY: tuple[By, ...] = ("application", "namespace")


class _Key(msgspec.Struct, frozen=True):
    """A row: a direction, a group of peers in it, and one peer of that."""

    direction: Direction
    group: Group | None = None
    peer: str = ""


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


def _show_peer(value: Value, now: float) -> Cell:
    text = str(value or "")
    return Cell(text, Tone.ACCENT if text.startswith(("▾", "▸")) or not text.startswith(" ") else Tone.PLAIN)


def _show_passing(value: Value, now: float) -> Cell:
    """`!x`: unknown, `~x`: something is asked above layer 4, `-`: nothing passes."""
    text = str(value or "")
    if text.startswith("?"):
        return Cell(text, Tone.UNKNOWN)
    if text.startswith("◐"):
        return Cell(text, Tone.BUSY)
    return Cell(text, Tone.MUTED if text in ("", "–") else Tone.GOOD)


_PEER = _column("peer", "PEER", _show_peer, 60, 26, keep=9)
_COUNT = _column("count", "PODS", c.show_muted, 9, 5, right=True, keep=8)


class ReachTable(Table):
    """`note` says how peers are grouped and what is not counted."""

    def __init__(self) -> None:
        super().__init__((_PEER, _COUNT))
        self.note = ""
        self.by: By = "application"
        self._opened: set[_Key] = set()
        self._folded: set[Direction] = set()
        self._made_of: object = None
        self._working = False
        self._app: FleetApp | None = None
        self._row: Row | None = None
        self._names: tuple[str, ...] = ()
        self._shown: list[Hashable] = []
        self._groups: tuple[Group, ...] = ()
        self._passing: dict[Hashable, Passing] = {}  # the first cell of each row

    # -- what is shown --------------------------------------------------------------------------------------------

    def show(self, row: Row, app: FleetApp) -> None:
        """Take in what has changed; the work is done in a thread, and what is shown stays until it is done."""
        self._app, self._row = app, row
        state = app.fleet.netpol.state(row.ref.cluster)
        if isinstance(state, str):
            self._nothing(state)
            return
        if state.reach is None:
            self._nothing("working out who may talk to whom…")
            return
        self._names, why = _subjects(row, state.reach, state, app)
        if not self._names:
            self._nothing(why)
            return
        self.note = _note(self.by, state, len(self._groups) > 1)
        made_of = (row.ref, state.serial, self.by, self._names, frozenset(self._opened), frozenset(self._folded))
        if made_of != self._made_of and not self._working:
            self._working = True
            self.run_worker(self._work(state.reach, made_of), group="reach", exit_on_error=False)

    def _nothing(self, text: str) -> None:
        self.note = ""
        self._made_of = None
        if self._shown:
            self._shown = []
            self.replace([])
        self.set_empty(text)

    async def _work(self, reach: Reach, made_of: object) -> None:
        names, by, opened, closed = self._names, self.by, set(self._opened), set(self._folded)
        try:
            groups, made = await asyncio.to_thread(_rows, reach, names, by, opened, closed)
        finally:
            self._working = False
        if not self.is_attached or self._app is None:
            return
        self._made_of = made_of
        if groups != self._groups:
            self._groups = groups
            self._shown = []
            self.replace([])
            self.set_columns([_PEER, _COUNT, *_columns(groups)])
        rows = [row for row, _ in made]
        self._passing = {row.key: cell for row, cell in made if cell is not None}
        keys = [row.key for row in rows]
        if keys == self._shown:
            self.update(rows)
        else:
            self._shown = keys
            self.replace(rows)
        self._app.tick_again()

    # -- keys -----------------------------------------------------------------------------------------------------

    def toggle_grouping(self) -> None:
        """By application, or by namespace."""
        self.by = _BY[1 - _BY.index(self.by)]
        self._opened.clear()
        self._again()

    def key_open(self) -> bool | None:
        """Open or close a group; on an endpoint, its detail."""
        key = self.cursor_key
        if not isinstance(key, _Key):
            return False
        if key.group is None:
            self._folded ^= {key.direction}
        elif not key.peer:
            self._opened ^= {key}
        elif (ref := self._ref(key.peer)) is not None:
            self.post_message(self.Opened(self, ref))
            return None
        self._again()
        return None

    def key_mark(self) -> bool | None:
        """As enter: there is nothing to mark."""
        return self.key_open()

    def _again(self) -> None:
        if self._app is not None and self._row is not None:
            self.show(self._row, self._app)

    def _state(self) -> State | None:
        state = self._app.fleet.netpol.state(self._row.ref.cluster) if self._app and self._row else None
        return state if isinstance(state, State) else None

    def _ref(self, name: str) -> Ref | None:
        state = self._state()
        end = state.ends.get(name) if state is not None else None
        return end.ref if end is not None else None

    def question(self) -> Question | None:
        """The pair under the cursor as a question; None on a heading."""
        key, state = self.cursor_key, self._state()
        if not isinstance(key, _Key) or key.group is None or state is None or self._row is None:
            return None
        peer = key.peer or _example(key.group, state)
        cluster = self._row.ref.cluster
        subject = self._names[0]
        source, destination = (peer, subject) if key.direction == "ingress" else (subject, peer)
        port, protocol = _first_port(self._passing.get(key))
        return Question(cluster, source, cluster, destination, port, protocol)


def _first_port(cell: Passing | None) -> tuple[int, str]:
    """A port to ask about: the first that passes, or may."""
    for ports in (cell.allowed, cell.unknown) if cell is not None else ():
        for protocol, spans in ports.spans:
            if spans and spans[0][0]:
                return spans[0][0], protocol
    return 0, "TCP"


def _subjects(row: Row, reach: Reach, state: State, app: FleetApp) -> tuple[tuple[str, ...], str]:
    """The names of the ends that the object is about; when there are none, why."""
    ref = row.ref
    if ref.resource not in POLICY_RESOURCES:
        ends, why = ends_of(row, app.fleet, state)
        names = tuple(end.name for end in ends if end.name in reach.classes)
        return names, why or "no policy is enforced at nodes: the host firewall is off"
    name = PolicyName(ref.resource, ref.namespace, ref.name)
    invalid = next((each for each in state.invalid if each.where[:3] == name), None)
    if invalid is not None:
        return (), f"Cilium rejects this policy and enforces nothing of it:\n{invalid.reason}"
    found = tuple(sorted(key for key in reach.selects(name) if isinstance(key, str)))
    return found, "it selects nobody, so that it decides about nobody"


def _example(group: Group, state: State) -> str:
    """An end of a group: what is outside by its name, else the first endpoint."""
    if group.kind == "outside":
        return group.name
    if group.kind == "application":
        return f"{group.namespace}/{group.name}"
    space = group.namespace or group.name
    return next((name for name in sorted(state.ends) if name.startswith(f"{space}/")), "")


def _note(by: By, state: State, short: bool) -> str:
    parts = [f"by {by}", "◐ only some requests, ? perhaps"] if short else [f"by {by}"]
    if state.blind:
        parts.append(f"incomplete: {state.blind[0].rstrip('.')}")
    elif state.caveats:
        more = f" (and {len(state.caveats) - 1} more)" if len(state.caveats) > 1 else ""
        parts.append(f"not counted: {state.caveats[0].rstrip('.')}{more}")
    return " · ".join(parts)


def _columns(groups: Sequence[Group]) -> list[Column]:
    if len(groups) == 1:
        return [_column("passes", "PORTS", _show_passing, 100, 16, keep=7, grow=3)]
    spaces = {group.namespace for group in groups}
    return [
        _column(f"to {at}", group.name if len(spaces) == 1 and group.name else group.words, _show_passing, 40, 14)
        for at, group in enumerate(groups)
    ]


_Made = tuple[TableRow, Passing | None]


# -- rows, made in a thread ------------------------------------------------------------------------------------------


def _rows(
    reach: Reach, names: Sequence[str], by: By, opened: set[_Key], closed: set[Direction]
) -> tuple[tuple[Group, ...], list[_Made]]:
    groups: tuple[Group, ...] = ()
    rows: list[_Made] = []
    for direction in _DIRECTIONS:
        found = matrix(reach, names, direction, by)
        groups = found.columns
        width = len(groups)
        rows.append(_heading(found, direction in closed, width))
        if direction not in closed:
            rows += _body(reach, names, by, found, opened, width)
    return groups, rows


def _heading(found: Matrix, closed: bool, width: int) -> _Made:
    count = sum(row.open for row in found.rows if row.group.kind != "outside")
    text = f"{'▸' if closed else '▾'} {_TITLES[found.direction]}"
    return _row(_Key(found.direction), text, f"{count:,}" if count else "", (None,) * width)


def _body(reach: Reach, names: Sequence[str], by: By, found: Matrix, opened: set[_Key], width: int) -> Iterator[_Made]:
    for row in found.rows:
        key = _Key(found.direction, row.group)
        inside = row.group.kind != "outside"
        mark = ("▾" if key in opened else "▸") if inside else " "
        count = "" if not inside else f"{row.peers:,}" if row.open == row.peers else f"{row.open:,}/{row.peers:,}"
        yield _row(key, f"  {mark} {row.group.words}", count, row.cells)
        if inside and key in opened:
            for pair in pairs(reach, names, found.direction, by, row.group):
                name = str(pair.key)
                yield _row(_Key(found.direction, row.group, name), f"      {name}", "", pair.cells)
    groups, endpoints = found.shut
    if groups:
        who = "nobody else" if found.rows else "nobody"
        noun = {"application": "application", "namespace": "namespace"}[by] + ("s" if groups > 1 else "")
        rest = (
            f"  {who}: not {groups:,} {noun}"
            if found.direction == "ingress"
            else f"  nothing else: not {groups:,} {noun}"
        )
        yield _row(_Key(found.direction, Group("others", "shut")), rest, f"{endpoints:,}", (None,) * width)
    elif not found.rows:
        yield _row(_Key(found.direction, Group("others", "shut")), "  nobody", "", (None,) * width)


def _row(key: _Key, peer: str, count: str, cells: Sequence[Passing | None]) -> _Made:
    texts = ["" if cell is None else _passing(cell, len(cells) == 1) for cell in cells]
    shown = (_show_peer(peer, 0.0), c.show_muted(count, 0.0), *(_show_passing(each, 0.0) for each in texts))
    return TableRow(key, shown, (peer, count, *texts)), next(iter(cells), None)


def _passing(cell: Passing, whole: bool) -> str:
    """`TCP 8080`, `◐ TCP 80, some requests`, `? TCP 443, perhaps`, `–`; in short where there are many cells."""
    if cell.empty:
        return "–"
    parts = []
    free = cell.allowed - cell.asked
    if free:
        parts.append(_words(free))
    if cell.asked:
        parts.append(f"◐ {_words(cell.asked)}{', some requests' if whole else ''}")
    if cell.unknown:
        parts.append(f"? {_words(cell.unknown)}{', perhaps' if whole else ''}")
    text = "; ".join(parts)
    return f"{text} (not all)" if cell.some else text


def _words(ports: PortSet) -> str:
    """Ports in words; what TCP, UDP and SCTP have alike, as a policy without a protocol says it, stands once."""
    spans = {protocol: ports.of(protocol) for protocol in ("TCP", "UDP", "SCTP")}
    if ports.rest or len(set(spans.values())) > 1 or not spans["TCP"] or spans["TCP"] == EVERY_PORT.of("TCP"):
        return ports.words
    alike = PortSet([("TCP", spans["TCP"])]).words.removeprefix("TCP ")
    rest = PortSet([each for each in ports.spans if each[0] not in spans])
    return f"port {alike}; {rest.words}" if rest else f"port {alike}"
