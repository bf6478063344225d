"""What each entry of a rulebook gives to whom, as masks of classes and sets of ports.

Labels answer for most classes at once. Peers that ask for an address (prefixes, names, CIDR groups) are matched one by
one, with the few classes that have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tui.domain.cilium.engine.fqdn import matches as name_matches
from tui.domain.cilium.engine.identity import matches
from tui.domain.cilium.model import Entry, Layer7, Peer, Ports, Surroundings
from tui.domain.cilium.reachability.classes import Classes, bits
from tui.domain.cilium.reachability.portset import EVERY_PORT, NO_PORTS, PortSet, of_ports
from tui.domain.cilium.reachability.rows import Asking


class Peers(NamedTuple):
    """The classes that an entry's peers mean."""

    known: int = 0  # the classes that have been looked at
    sure: int = 0
    endpoints: int = 0  # sure by a peer that fromRequires narrows
    maybe: int = 0


class EntryPorts(NamedTuple):
    """An entry's ports by what is asked above layer 4 on them, and those that a destination's names stand for."""

    numbered: tuple[tuple[Asking, PortSet], ...]
    named: tuple[tuple[Asking, Ports], ...]

    @property
    def names(self) -> Iterator[tuple[str, str]]:
        """(name, protocol) of each of `named`."""
        return ((ports.name, ports.protocol) for _, ports in self.named)


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
        doubtful = classes.unknown & among if peer.terms else 0
        return classes.mask(peer.terms) & among & ~doubtful, doubtful
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
        deep = around.settings.version >= (1, 19)
        return peer.fqdn == learned or ("*" not in learned and name_matches(peer.fqdn, learned, deep))
    return matches(peer, classes.identities[slot], around)


def ports_of(entry: Entry) -> EntryPorts:
    """The ports of an entry; names stay names, for a destination to look up."""
    numbered: dict[Asking, PortSet] = {}
    named: list[tuple[Asking, Ports]] = []
    for rule in entry.ports:
        asking = asking_of(rule.layer7)
        if rule.ports is None:
            numbered[asking] = EVERY_PORT
        for each in rule.ports or ():
            if each.name:
                named.append((asking, each))
            else:
                kind: Asking = "exact" if asking == "plain" and each.first == each.last else asking
                numbered[kind] = numbered.get(kind, NO_PORTS) | of_ports(each)
    return EntryPorts(tuple(numbered.items()), tuple(named))


def asking_of(layer7: Layer7 | None) -> Asking:
    """What is asked above layer 4: a parser refuses at least what it cannot read."""
    if layer7 is None:
        return "plain"
    if not layer7.server_names and (layer7.any or not layer7.parser):
        return "open"
    return "dns" if layer7.parser == "dns" else "asked"


def named_ports(asking: Asking, ports: Ports, number: int) -> tuple[Asking, PortSet]:
    """What a named port is at a destination where it is this number; a range goes on from there."""
    last = max(number, ports.last)
    if asking == "plain" and last == number:
        asking = "exact"
    return asking, of_ports(Ports(ports.protocol, number, last))
