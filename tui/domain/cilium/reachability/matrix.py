"""Who may reach some endpoints and whom they may reach: a matrix of groups by application or namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tui.domain.cilium.model import Direction
from tui.domain.cilium.reachability.classes import Key
from tui.domain.cilium.reachability.grouping import By, Group
from tui.domain.cilium.reachability.outside import ENTITIES
from tui.domain.cilium.reachability.portset import NO_PORTS, PortSet
from tui.domain.cilium.reachability.reach import Line, Reach
from tui.domain.cilium.reachability.rows import SidePorts

MOST_COLUMNS = 12  # subjects by application; where there are more, they stand by namespace


class Cell(NamedTuple):
    """What passes between a group of peers and a group of subjects: united over their pairs.

    `some`: not between all of them alike. `asked`: ports on which something is asked above layer 4.
    """

    allowed: PortSet = NO_PORTS
    unknown: PortSet = NO_PORTS
    asked: PortSet = NO_PORTS
    some: bool = False

    @property
    def empty(self) -> bool:
        """Nothing passes, for certain."""
        return not self.allowed and not self.unknown


class Row(NamedTuple):
    """One group of peers: how many are endpoints, those for which anything passes, and a cell for each column."""

    group: Group
    peers: int
    open: int
    cells: tuple[Cell, ...]


class Matrix(NamedTuple):
    """One direction. `rows`: peers with which anything passes, or may; `shut`: (groups, endpoints) without."""

    direction: Direction
    columns: tuple[Group, ...]
    rows: tuple[Row, ...]
    shut: tuple[int, int]


def columns(reach: Reach, subjects: Sequence[Key], by: By) -> dict[Group, list[Key]]:
    """The subjects by group, in the order of groups; by namespace where they are of too many applications."""
    for each in (by, "namespace") if by == "application" else (by,):
        found: dict[Group, list[Key]] = {}
        for key in subjects:
            found.setdefault(reach.group(key, each), []).append(key)
        if len(found) <= MOST_COLUMNS:
            break
    return dict(sorted(found.items(), key=lambda each: each[0].order))


def matrix(reach: Reach, subjects: Sequence[Key], direction: Direction, by: By) -> Matrix:
    """Who may reach the subjects (ingress), or whom they may reach (egress); both sides' policies count."""
    held = columns(reach, subjects, by)
    found: dict[Group, dict[int, list[Line]]] = {}
    for at, keys in enumerate(held.values()):
        lines = reach.reaching(keys, by) if direction == "ingress" else reach.reachable_from(keys, by)
        for line in lines:
            found.setdefault(line.group, {}).setdefault(at, []).append(line)
    rows: list[Row] = []
    shut = [0, 0]
    for group in sorted(found, key=lambda each: each.order):
        cells = tuple(_cell(found[group].get(at, ())) for at in range(len(held)))
        every = max(sum(line.peers for line in lines) for lines in found[group].values())
        if all(cell.empty for cell in cells):
            shut[0] += group.kind != "outside"
            shut[1] += every if group.kind != "outside" else 0
            continue
        passing = max(sum(line.peers for line in lines if not line.ports.closed) for lines in found[group].values())
        rows.append(Row(group, every, passing, cells))
    return Matrix(direction, tuple(held), tuple(_telling(rows)), (shut[0], shut[1]))


def _telling(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows without the prefixes and names of the world with which the same passes as with all of it."""
    world = {row.group.name: row.cells for row in rows if row.group.kind == "outside"}.get("world")
    for row in rows:
        part = row.group.kind == "outside" and row.group.name not in (*ENTITIES, "world", "world-ipv6")
        if not part or row.cells != world:
            yield row


def _cell(lines: Iterable[Line]) -> Cell:
    lines = list(lines)
    cell = Cell(some=len({line.ports for line in lines}) > 1)
    for line in lines:
        cell = united(cell, line.ports)
    return cell


def united(cell: Cell, ports: SidePorts) -> Cell:
    """A cell with what passes for more pairs."""
    return cell._replace(
        allowed=cell.allowed | ports.allowed, unknown=cell.unknown | ports.unknown, asked=cell.asked | ports.conditional
    )


class Pair(NamedTuple):
    """One peer of a group, with a cell for each column."""

    key: Key
    cells: tuple[Cell, ...]


def pairs(reach: Reach, subjects: Sequence[Key], direction: Direction, by: By, group: Group) -> list[Pair]:
    """The peers of one group of a matrix, one by one, by what they are called."""
    found: dict[Key, dict[int, Cell]] = {}
    held = columns(reach, subjects, by)
    for at, keys in enumerate(held.values()):
        lines = reach.reaching(keys, by) if direction == "ingress" else reach.reachable_from(keys, by)
        for line in lines:
            if line.group != group:
                continue
            for peer in reach.members(line):
                cells = found.setdefault(peer, {})
                before = cells.get(at)
                some = before is not None and before[:3] != united(Cell(), line.ports)[:3]
                cells[at] = united(before or Cell(), line.ports)._replace(some=some)
    made = [Pair(key, tuple(cells.get(at, Cell()) for at in range(len(held)))) for key, cells in found.items()]
    return sorted(made, key=lambda pair: str(pair.key))
