"""The policies of one endpoint in words: default deny, who selects it, whom it may meet. For its Policies tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.domain.cilium.model import Where
from tui.domain.cilium.policy import CCNP, CNP, KNP
from tui.domain.cilium.reachability.effective import Met, Way, effective
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Row
from tui.fleet.netpol.state import End, State
from tui.ui.policies.subjects import ends_of
from tui.ui.policies.verdict_words import place
from tui.ui.words import BLANK, Line, fact, heading, plain

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

_KINDS = {CNP: "CNP", CCNP: "CCNP", KNP: "NP"}
_TITLES = {"ingress": "May be reached by", "egress": "May reach"}
_WIDEST = 44  # cells of the peers' column
_NARROWEST = 12
_PORTS = 28
_MOST = 400  # lines of a list


def lines(row: Row, fleet: Fleet) -> list[Line]:
    """The whole tab; what is still awaited or cannot be known says so."""
    state = fleet.netpol.state(row.ref.cluster)
    if isinstance(state, str):
        return [(Cell("Policies  ", Tone.MUTED), plain(state, Tone.BUSY))]
    ends, why = ends_of(row, fleet, state)
    if not ends:
        return [(plain(f"No policy decides about it: {why}.", Tone.MUTED),)]
    found: list[Line] = []
    for end in ends:
        if len(ends) > 1:
            found += [*([BLANK] if found else []), (plain(f"As {end.name}", Tone.ACCENT),)]
        found += _end(end, state)
    return [*found, *_missing(state)]


def _end(end: End, state: State) -> list[Line]:
    ways = effective(state.book, end.own or end.endpoint)
    found: list[Line] = [heading("Default deny")]
    for way in ways:
        found += _default_deny(way)
    found += [BLANK, heading("Selected by"), *_policies(ways, state)]
    every = [met for way in ways for met in way.lines]
    peers = min(_WIDEST, max([_NARROWEST, *(len(met.peer) for met in every)]))
    ports = min(_PORTS, max([_NARROWEST, *(len(met.ports) for met in every)]))
    for way in ways:
        found += [BLANK, heading(_TITLES[way.direction]), *_list(way, peers, ports)]
    return found


def _default_deny(way: Way) -> list[Line]:
    title = way.direction.capitalize()
    if not way.enforced:
        return [fact(title, Cell("off  ", Tone.WARN), plain(f"everything passes: {way.because}", Tone.MUTED))]
    why = plain(way.because, Tone.MUTED) if way.because else plain(_named(way.enforced_by), Tone.MUTED)
    return [fact(title, Cell("on   ", Tone.GOOD), Cell("by " if not way.because else "", Tone.MUTED), why)]


def _named(found: Sequence[Where]) -> str:
    """The policies that these rules are of."""
    return ", ".join(dict.fromkeys(each.name for each in found))


def _policies(ways: Sequence[Way], state: State) -> list[Line]:
    """Every policy that selects it, the directions it speaks of, and its file."""
    found: dict[tuple[str, str], dict[str, Where]] = {}
    for way in ways:
        for where in way.selecting:
            found.setdefault((where.resource, where.name), {}).setdefault(way.direction, where)
    if not found:
        more = "; " + state.blind[0] if state.blind else ""
        return [(Cell(f"  no policy{more}", Tone.UNKNOWN if state.blind else Tone.WARN),)]
    width = min(_WIDEST, max(len(name) for _, name in found))
    lines: list[Line] = []
    for (resource, name), directions in sorted(found.items(), key=lambda each: each[0][1]):
        where = next(iter(directions.values()))
        lines.append(
            (
                Cell(f"  {_KINDS.get(resource, ''):<5}", Tone.MUTED),
                plain(name),
                Cell(" " * (max(0, width - len(name)) + 2)),
                Cell(f"{', '.join(directions):<17}", Tone.MUTED),
                plain(where.file, Tone.MUTED),
            )
        )
    return lines


def _list(way: Way, peers: int, ports: int) -> list[Line]:
    lines = [_met(met, peers, ports) for met in way.lines[:_MOST]]
    if len(way.lines) > _MOST:
        lines.append((Cell(f"  and {len(way.lines) - _MOST:,} more", Tone.MUTED),))
    if way.own_node:
        told = (
            f"  ✔ {'its own node':<{peers}}  {'every port':<{ports}}  always, unless a rule denies it (allow-localhost)"
        )
        lines.append((Cell(told, Tone.MUTED),))
    if not way.enforced:
        who = "everything else" if way.lines else "everything"
        lines.append((Cell(f"  {who}", Tone.WARN), Cell("  default deny is off", Tone.MUTED)))
    elif not way.lines:
        who = "nobody" if way.direction == "ingress" else "nothing"
        lines.append((Cell(f"  {who}{' else' if way.own_node else ''}"), Cell("  no rule allows anything", Tone.MUTED)))
    return lines


def _met(met: Met, peers: int, ports: int) -> Line:
    glyph = (
        Cell("  ✖ ", Tone.BAD) if met.deny else Cell("  ? ", Tone.UNKNOWN) if met.unsure else Cell("  ✔ ", Tone.GOOD)
    )
    tone = Tone.BAD if met.deny else Tone.PLAIN
    more = f" and {len(met.where) - 1} more" if len(met.where) > 1 else ""
    asked = (plain(f"only {met.asked}", Tone.BUSY),) if met.asked else ()
    return (
        glyph,
        plain(met.peer, tone),
        Cell(" " * (max(0, peers - len(met.peer)) + 2)),
        Cell(f"{met.ports:<{ports}}  ", tone),
        plain(f"{place(met.where[0])}{more}", Tone.MUTED),
        *((Cell("  "), *asked) if asked else ()),
    )


def _missing(state: State) -> list[Line]:
    found = [*state.blind, *state.caveats]
    if not found:
        return []
    return [BLANK, heading("Not counted"), *((Cell("  · ", Tone.WARN), plain(each, Tone.MUTED)) for each in found)]
