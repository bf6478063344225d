"""Which entries mean a flow: by their peers, their ports, and what must be known for that.

Rules: Cilium `pkg/policy/{rule,l4,mapstate,portrange}.go` (1.19).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tui.domain.cilium.engine.identity import Identity, holds, matches
from tui.domain.cilium.engine.words import called
from tui.domain.cilium.model import (
    Direction,
    Endpoint,
    Entry,
    Flow,
    Layer7,
    Peer,
    PortRule,
    Ports,
    Surroundings,
    Term,
)

_EVERYBODY = Peer()[:5]
_MODES = ("", "disabled", "required", "test-always-fail")  # of authentication, the later the stronger


class View(NamedTuple):
    """A flow as one of its ends sees it."""

    direction: Direction
    flow: Flow
    surroundings: Surroundings
    subject: Endpoint
    me: Identity
    peer: Endpoint
    other: Identity


class Reached(NamedTuple):
    """An item of `ports` that matches: how many bits of the port it fixes (-1: not even the protocol)."""

    layer7: Layer7 | None
    bits: int
    exact: bool  # it names this very port, no range


class Match(NamedTuple):
    """An entry that means the flow. `sure` False: only if what is `missing` were so."""

    entry: Entry
    rules: tuple[Reached, ...]  # the items of its ports that match
    sure: bool
    words: str  # the peer, as it was written
    missing: str = ""

    @property
    def wild(self) -> bool:
        """True when it means every peer, and so is less specific than one that names them."""
        return self.entry.peers is None or any(peer[:5] == _EVERYBODY for peer in self.entry.peers)


def matched(selecting: Sequence[Entry], view: View) -> Iterator[Match]:
    """The entries that mean the flow, and those that would if what is missing were so."""
    required = {
        deny: tuple(term for entry in selecting if entry.deny == deny for term in entry.requires)
        for deny in (False, True)
    }
    for entry in selecting:
        rules = tuple(found for rule in entry.ports if (found := _reached(rule, view.flow)) is not None)
        if not rules:
            continue
        means, words = _means(entry, required[entry.deny], view)
        if means is not False:
            yield Match(entry, rules, means is True, words, "" if means else _missing(words, view))


def _means(entry: Entry, required: tuple[Term, ...], view: View) -> tuple[bool | None, str]:
    """Whether an entry's peers mean the other end, and by which of them; None when it cannot be told."""
    if entry.peers is None:
        return True, "any peer"
    unsure = ""
    for peer in entry.peers:
        answer = matches(peer, view.other, view.surroundings)
        if answer and peer.endpoint and required and not holds(required, view.other):
            continue
        if answer:
            return True, peer.words
        if answer is None:
            unsure = unsure or peer.words
    return (None, unsure) if unsure else (False, "")


def _missing(words: str, view: View) -> str:
    name = called(view.peer)
    if not view.other.known:
        return f"who {name} is"
    return f"whether {name} belongs to {words}"


def _reached(rule: PortRule, flow: Flow) -> Reached | None:
    """How a rule's ports match; None when they do not."""
    if rule.ports is None:
        return Reached(rule.layer7, -1, False)
    protocol = flow.protocol.upper().replace("ICMPV4", "ICMP")
    spans = (_span(ports, flow.destination) for ports in rule.ports if ports.protocol.upper() == protocol)
    found = [span for span in spans if span is not None and span[0] <= flow.port <= span[1]]
    if not found:
        return None
    return Reached(rule.layer7, max(_bits(*span, flow.port) for span in found), (flow.port, flow.port) in found)


def _bits(first: int, last: int, port: int) -> int:
    """How many bits of a port the part of a range that it is in fixes; ranges are kept as aligned parts."""
    for free in range(16, 0, -1):
        start = port >> free << free
        if first <= start and start + (1 << free) - 1 <= last:
            return 16 - free
    return 16


def _span(ports: Ports, destination: Endpoint) -> tuple[int, int] | None:
    """First and last port; a name is looked up at the destination, None when it has none of that name."""
    if not ports.name:
        return ports.first, ports.last
    named = _named(ports, destination)
    return None if named is None else (named, max(named, ports.last))


def _named(ports: Ports, destination: Endpoint) -> int | None:
    """What a named port is at the destination; None when it has none of that name and protocol."""
    return destination.named_ports.get(f"{ports.name}/{ports.protocol}")


def authentication(allows: Sequence[Match]) -> str:
    """The mode that is asked for: the most specific rule's, or else a broader one's that covers it.

    Rules that name peers and rules that mean everybody are looked up apart; what goes through a proxy comes first,
    then what fixes more of the port, and of two as specific the one that names peers (`mapState.lookup`).
    """
    found = [_most_specific([each for each in allows if each.wild is wild]) for wild in (False, True)]
    held = [each for each in found if each is not None]
    if not held:
        return ""
    first = max(held, key=lambda each: each[0])
    for other in held:
        stronger = _MODES.index(other[1]) > _MODES.index(first[1]) and other[0][0] >= first[0][0]
        if other is not first and stronger and not first[2]:
            return other[1]
    return first[1]


def _most_specific(matches: Sequence[Match]) -> tuple[tuple[bool, int], str, bool] | None:
    """((through a proxy, bits of the port), mode, whether that very key asks for it) of the rules of one kind.

    A key that asks for a mode goes through the proxy of a broader one; one that does not is covered by that.
    """
    keys: dict[int, tuple[bool, str]] = {}
    for each in matches:
        for rule in each.rules:
            proxied, mode = keys.get(rule.bits, (False, ""))
            keys[rule.bits] = (proxied or rule.layer7 is not None, mode or each.entry.authentication)
    if not keys:
        return None
    by_proxy = False
    for bits in sorted(keys):
        proxied, mode = keys[bits]
        by_proxy = by_proxy or proxied
        keys[bits] = (proxied or (by_proxy and bool(mode)), mode)
    chosen = max(keys, key=lambda bits: (keys[bits][0], bits))
    proxied, mode = keys[chosen]
    if mode:
        return (proxied, chosen), mode, True
    broader = [keys[bits] for bits in sorted(keys, reverse=True) if bits < chosen]
    return (proxied, chosen), next((mode for through, mode in broader if mode and through >= proxied), ""), False
