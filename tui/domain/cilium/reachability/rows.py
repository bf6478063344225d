"""One side's answer for every class at once: the rules that select a subject, as masks of classes and sets of ports.

A row holds the classes in disjoint masks, each with the `SidePorts` that the subject's policies give it. It says for
every port what `verdict` says for a flow without a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from tui.domain.cilium.reachability.classes import bits
from tui.domain.cilium.reachability.portset import EVERY_PORT, NO_PORTS, PortSet


class SidePorts(NamedTuple):
    """What becomes of each port; the first three are disjoint and together every port."""

    allowed: PortSet
    denied: PortSet
    unknown: PortSet
    conditional: PortSet = NO_PORTS  # the allowed ones on which something is asked above layer 4

    @property
    def open(self) -> bool:
        """True when every port is allowed without a condition."""
        return not self.denied and not self.unknown and not self.conditional

    @property
    def closed(self) -> bool:
        """True when every port is denied."""
        return not self.allowed and not self.unknown


Answers = tuple[tuple[int, SidePorts], ...]  # disjoint masks of classes, and what becomes of each port
OPEN = SidePorts(EVERY_PORT, NO_PORTS, NO_PORTS)
UNKNOWN = SidePorts(NO_PORTS, NO_PORTS, EVERY_PORT)
CLOSED = SidePorts(NO_PORTS, EVERY_PORT, NO_PORTS)


@lru_cache(65536)
def both(egress: SidePorts, ingress: SidePorts) -> SidePorts:
    """What passes both ends: denied by one is denied, allowed by both is allowed, the rest is unknown."""
    if egress is OPEN:
        return ingress
    if ingress is OPEN:
        return egress
    allowed, denied = egress.allowed & ingress.allowed, egress.denied | ingress.denied
    conditional = (egress.conditional | ingress.conditional) & allowed
    return SidePorts(allowed, denied, EVERY_PORT - allowed - denied, conditional)


# What becomes of a port that no rule allows. "asked": it passes, but where a rule asks something above layer 4, that
# rule refuses what it does not let pass (before Cilium 1.18).
Default = Literal["denied", "allowed", "asked"]


# What a rule asks above layer 4. "plain": nothing; "exact": nothing, on exactly this port, which alone makes a DNS rule
# for it void; "open": a proxy looks, and lets everything pass; "dns": names; "asked": anything else.
Asking = Literal["plain", "exact", "open", "dns", "asked"]


class Grant(NamedTuple):
    """Ports of one rule entry over the classes: the peers it surely has, and those it may have."""

    deny: bool
    sure: int
    maybe: int
    ports: PortSet
    asking: Asking = "plain"


class _Tally(NamedTuple):
    """What the grants so far say of a mask of peers. Of the allowed ports the last ones are those with each asking."""

    allow: PortSet = NO_PORTS
    allow_maybe: PortSet = NO_PORTS
    deny: PortSet = NO_PORTS
    deny_maybe: PortSet = NO_PORTS
    plain: PortSet = NO_PORTS
    free: PortSet = NO_PORTS  # exact and open
    dns: PortSet = NO_PORTS
    asked: PortSet = NO_PORTS  # dns too

    def conditional(self) -> PortSet:
        """The ports on which some request is refused."""
        return self.asked - self.free - (self.plain - self.dns) if self.asked else NO_PORTS


def answers(grants: Iterable[Grant], universe: int, otherwise: Default) -> Answers:
    """The row of a subject with these grants: disjoint masks that cover the universe, with what is said of them."""
    tallies: dict[_Tally, int] = {_Tally(): universe}
    for grant in grants:
        for mask, sure in ((grant.sure, True), (grant.maybe & ~grant.sure, False)):
            if mask & universe and grant.ports:
                tallies = _split(tallies, mask, grant, sure)
    found: dict[SidePorts, int] = {}
    for tally, mask in tallies.items():
        ports = _side(tally, otherwise)
        found[ports] = found.get(ports, 0) | mask
    return tuple((mask, ports) for ports, mask in found.items() if mask)


def _split(tallies: dict[_Tally, int], mask: int, grant: Grant, sure: bool) -> dict[_Tally, int]:
    found: dict[_Tally, int] = {}
    for tally, held in tallies.items():
        inside = held & mask
        if inside:
            added = _added(tally, grant, sure)
            found[added] = found.get(added, 0) | inside
            held ^= inside
        if held:
            found[tally] = found.get(tally, 0) | held
    return found


def _added(tally: _Tally, grant: Grant, sure: bool) -> _Tally:
    ports, asking = grant.ports, grant.asking
    if grant.deny:
        if sure:
            return tally._replace(deny=tally.deny | ports)
        return tally._replace(deny_maybe=tally.deny_maybe | ports)
    if not sure:
        return tally._replace(allow_maybe=tally.allow_maybe | ports)
    allow = tally.allow | ports
    if asking == "plain":
        return tally._replace(allow=allow, plain=tally.plain | ports)
    if asking in ("exact", "open"):
        return tally._replace(allow=allow, free=tally.free | ports)
    dns = tally.dns | ports if asking == "dns" else tally.dns
    return tally._replace(allow=allow, dns=dns, asked=tally.asked | ports)


def _side(tally: _Tally, otherwise: Default) -> SidePorts:
    if otherwise != "denied":
        asked = tally.conditional() if otherwise == "asked" else NO_PORTS
        if not asked and not tally.deny and not tally.deny_maybe:
            return OPEN
        allowed = EVERY_PORT - tally.deny - tally.deny_maybe
        return SidePorts(allowed, tally.deny, EVERY_PORT - allowed - tally.deny, asked & allowed)
    if not tally.allow and not tally.allow_maybe:
        return CLOSED
    denied = tally.deny | (EVERY_PORT - tally.allow - tally.allow_maybe)
    allowed = tally.allow - tally.deny - tally.deny_maybe
    return SidePorts(allowed, denied, EVERY_PORT - allowed - denied, tally.conditional() & allowed)


def joined(*rows: Iterable[tuple[int, SidePorts]]) -> Answers:
    """Rows about different classes as one."""
    found: dict[SidePorts, int] = {}
    for row in rows:
        for mask, ports in row:
            found[ports] = found.get(ports, 0) | mask
    return tuple((mask, ports) for ports, mask in found.items())


def audited(egress: SidePorts, ingress: SidePorts) -> SidePorts:
    """`both` in policy audit mode: what an end denies passes there, and is only reported."""
    return both(_reported(egress), _reported(ingress))


def _reported(ports: SidePorts) -> SidePorts:
    return SidePorts(ports.allowed | ports.denied, NO_PORTS, ports.unknown, ports.conditional)


class Columns:
    """The rows of every subject, turned: for one peer, which subjects say what of it.

    Per row the answer that most peers get is the rule, the others are exceptions noted at the peer: the cost is that of
    the exceptions, not of subjects times peers.
    """

    def __init__(self, rows: Iterable[tuple[int, Sequence[tuple[int, SidePorts]]]]) -> None:
        """`rows`: (the subjects that share a row, the row)."""
        self._usual: dict[SidePorts, int] = {}
        self._exceptions: dict[int, list[tuple[int, SidePorts, SidePorts]]] = {}
        for subjects, row in rows:
            usual = max(row, key=lambda each: each[0].bit_count())[1]
            self._usual[usual] = self._usual.get(usual, 0) | subjects
            for mask, ports in row:
                if ports is not usual:
                    for peer in bits(mask):
                        self._exceptions.setdefault(peer, []).append((subjects, usual, ports))

    def at(self, peer: int) -> Answers:
        """Disjoint masks of all subjects, with what they say of this peer."""
        found = dict(self._usual)
        for subjects, usual, ports in self._exceptions.get(peer, ()):
            found[usual] &= ~subjects
            found[ports] = found.get(ports, 0) | subjects
        return tuple((mask, ports) for ports, mask in found.items() if mask)


def crossed(one: Answers, other: Answers, passing: Callable[[SidePorts, SidePorts], SidePorts]) -> Answers:
    """The masks of one cut with those of the other, with what passes both."""
    found: dict[SidePorts, int] = {}
    for mask, ports in one:
        for held, others in other:
            if shared := mask & held:
                result = passing(ports, others)
                found[result] = found.get(result, 0) | shared
    return tuple((mask, ports) for ports, mask in found.items())
