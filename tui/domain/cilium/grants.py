"""What each entry of a rulebook gives to whom, as masks of classes and sets of ports.

Labels answer for most classes at once. Peers that ask for an address (prefixes, names, CIDR groups) are matched one by
one, with the few classes that have one.
"""

from __future__ import annotations

from typing import NamedTuple

from tui.domain.cilium.classes import Classes, bits
from tui.domain.cilium.fqdn import matches as name_matches
from tui.domain.cilium.identity import matches
from tui.domain.cilium.model import Entry, Layer7, Peer, PortRule, Ports, Surroundings
from tui.domain.cilium.portset import EVERY_PORT, NO_PORTS, PortSet, of_ports


class Peers(NamedTuple):
    """The classes that an entry's peers mean."""

    known: int = 0  # the classes that have been looked at
    sure: int = 0
    endpoints: int = 0  # sure by a peer that fromRequires narrows
    maybe: int = 0


class EntryPorts(NamedTuple):
    """An entry's ports: those with nothing asked above layer 4, those with, and those by name."""

    plain: PortSet
    asked: PortSet
    named: tuple[tuple[str, str, bool], ...]  # name, protocol, whether something is asked


def peers_of(entry: Entry, classes: Classes, around: Surroundings, before: Peers | None = None) -> Peers:
    """The peers of an entry among the classes; what was found `before` is kept for the classes it knows."""
    known, sure, endpoints, maybe = before or Peers()
    fresh = classes.all & ~known
    if entry.peers is None:
        return Peers(classes.all, classes.all, 0, 0)
    for peer in entry.peers:
        has, may = _matching(peer, classes, around, fresh)
        if peer.endpoint:
            endpoints |= has
        else:
            sure |= has
        maybe |= may
    return Peers(classes.all, sure, endpoints, maybe)


def _matching(peer: Peer, classes: Classes, around: Surroundings, among: int) -> tuple[int, int]:
    """(the classes that a peer means, those that it may mean)."""
    if not (peer.cidr or peer.holes or peer.fqdn or peer.unresolved):
        unknown = classes.unknown & among if peer.terms else 0
        return classes.mask(peer.terms) & among & ~unknown, unknown
    sure = maybe = 0
    if not (peer.cidr or peer.fqdn or peer.unresolved):
        sure = classes.mask(peer.terms) & among & ~classes.addressed
    for slot in bits(classes.addressed & among):
        found = _means(peer, classes, slot, around)
        if found is None:
            maybe |= 1 << slot
        elif found:
            sure |= 1 << slot
    return sure, maybe


def _means(peer: Peer, classes: Classes, slot: int, around: Surroundings) -> bool | None:
    learned = classes.slots[slot].learned
    if peer.fqdn and learned:
        return peer.fqdn == learned or ("*" not in learned and name_matches(peer.fqdn, learned))
    return matches(peer, classes.identities[slot], around)


def ports_of(entry: Entry) -> EntryPorts:
    """The ports of an entry; names stay names, for a destination to look up."""
    plain = asked = NO_PORTS
    named: list[tuple[str, str, bool]] = []
    for rule in entry.ports:
        asks = rule.layer7 is not None and restricts(rule.layer7)
        numbers, names = _split(rule)
        if asks:
            asked |= numbers
        else:
            plain |= numbers
        named += [(each.name, each.protocol, asks) for each in names]
    return EntryPorts(plain, asked, tuple(named))


def _split(rule: PortRule) -> tuple[PortSet, list[Ports]]:
    if rule.ports is None:
        return EVERY_PORT, []
    numbers = NO_PORTS
    for each in rule.ports:
        if not each.name:
            numbers |= of_ports(each)
    return numbers, [each for each in rule.ports if each.name]


def restricts(layer7: Layer7) -> bool:
    """True when something can be refused: a parser refuses at least what it cannot read."""
    return bool(layer7.server_names) or (bool(layer7.parser) and not layer7.any)
