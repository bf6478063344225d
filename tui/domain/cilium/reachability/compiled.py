"""The rows of every class of endpoints under a rulebook, made when they are asked for and kept while they hold."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from typing import NamedTuple

from tui.domain.cilium.engine.identity import Identity, names_host
from tui.domain.cilium.model import Direction, Entry, Rulebook, Settings
from tui.domain.cilium.reachability.classes import Classes, bits, mask_of
from tui.domain.cilium.reachability.grants import EntryPorts, Peers, named_ports, peers_of, ports_of
from tui.domain.cilium.reachability.portset import EVERY_PORT, NO_PORTS, PortSet
from tui.domain.cilium.reachability.rows import OPEN, UNKNOWN, Answers, Default, Grant, SidePorts, answers, joined
from tui.domain.cilium.reachability.selection import Profile, Selection

_NO_ENDPOINT = ("remote-node", "unmanaged", "kube-apiserver")


class RowKey(NamedTuple):
    """What a row depends on: subjects with equal keys share it."""

    direction: Direction
    profile: Profile
    enforced: bool
    welcome: bool = False  # the own node always gets in
    named: tuple[int, ...] = ()  # the subject's ports for the names of its ingress entries, -1 where it has none


_ELSEWHERE = RowKey("egress", (), False)  # where no policy of this rulebook decides
_NOBODY = RowKey("egress", (), True)  # nobody can tell who it is


class _Row(NamedTuple):
    known: int  # the classes it answers for
    answers: Answers


class Compiled:
    """A rulebook over classes. A value, but for the rows that it keeps once they are made."""

    def __init__(self, book: Rulebook, classes: Classes) -> None:
        self.book, self.classes = book, classes
        self.selection = Selection(book.entries, classes)
        self._peers: dict[int, Peers] = {}  # by number of the entry
        self._ports: dict[int, EntryPorts] = {}
        self._rows: dict[RowKey, _Row] = {}
        self.governed = 0  # the classes on which policies act
        self.subjects = 0  # the classes that policies can select
        self._strict, self._own_node = 0, 0
        self._see_settings(0)

    def changed(self, book: Rulebook, classes: Classes) -> Compiled:
        """The same after a change of the book, or of classes of the same lineage; settings must not have changed."""
        found = object.__new__(Compiled)
        found.__dict__.update(self.__dict__)
        found.book, found.classes = book, classes
        found.selection = self.selection.with_classes(classes)
        if book is not self.book:
            found.selection = found.selection.with_entries(book.entries, classes)
        kept = found.selection.entries
        learned = book.surroundings.dns == self.book.surroundings.dns
        stays = {
            number
            for number, each in self.selection.entries.items()
            if number in kept and (learned or not _names(each))
        }
        found._peers = {number: each for number, each in self._peers.items() if number in stays}
        found._ports = {number: each for number, each in self._ports.items() if number in kept}
        if len(stays) < len(self.selection.entries):
            found._rows = {key: each for key, each in self._rows.items() if stays.issuperset(key.profile)}
        else:
            found._rows = self._rows.copy()
        found._see_settings(len(self.classes.slots))
        return found

    def _see_settings(self, known: int) -> None:
        """What identities and settings make of the classes from a slot on."""
        settings = self.book.surroundings.settings
        for slot in range(known, len(self.classes.slots)):
            who, bit = self.classes.identities[slot], 1 << slot
            if governed(who, settings):
                self.governed |= bit
            if has_endpoint(who, settings):
                self.subjects |= bit
            if ("any", "init") in who.labels or settings.enforcement == "always":
                self._strict |= bit
            if who.reserved("host"):
                self._own_node |= bit

    # -- answers ---------------------------------------------------------------------------------------------------

    def row(self, slot: int, direction: Direction) -> Answers:
        """What the policies of a class say of every class, as disjoint masks."""
        return self._row(self.key(slot, direction))

    def cell(self, slot: int, direction: Direction, peer: int) -> SidePorts:
        """What the policies of a class say of one class."""
        return next(ports for mask, ports in self._row(self.key(slot, direction)) if mask >> peer & 1)

    def every_row(self, direction: Direction) -> Iterator[tuple[int, Answers]]:
        """(the classes that share a row, the row)."""
        sharing: dict[RowKey, list[int]] = {}
        for slot in bits(self.classes.live):
            sharing.setdefault(self.key(slot, direction), []).append(slot)
        for key, slots in sharing.items():
            yield mask_of(slots), self._row(key)

    def key(self, slot: int, direction: Direction) -> RowKey:
        """What the row of a class depends on."""
        if not self.governed >> slot & 1:
            return _NOBODY if self.classes.unknown >> slot & 1 else _ELSEWHERE
        profile = self.selection.profiles[direction][slot]
        entries = self.selection.entries
        enforced = bool(self._strict >> slot & 1) or any(entries[number].default_deny for number in profile)
        if direction == "egress":
            return RowKey(direction, profile, enforced)
        held = dict(self.classes.slots[slot].named_ports)
        wanted = (each for number in profile for each in self._ports_of(number).names)
        named = tuple(held.get(f"{name}/{protocol}", -1) for name, protocol in wanted)
        return RowKey(direction, profile, enforced, not self._own_node >> slot & 1, named)

    def entries_at(self, slot: int) -> list[Entry]:
        """The entries that select a class, in both directions."""
        if not self.subjects >> slot & 1:
            return []
        numbers = (number for profiles in self.selection.profiles.values() for number in profiles[slot])
        return [self.selection.entries[number] for number in sorted(numbers)]

    def on_names(self, direction: Direction) -> int:
        """The classes whose rows depend on what DNS told."""
        entries = self.selection.entries.items()
        held = (number for number, entry in entries if entry.direction == direction and _names(entry))
        return functools.reduce(operator.or_, (self.selection.subjects[number] for number in held), 0)

    # -- rows ------------------------------------------------------------------------------------------------------

    def _row(self, key: RowKey) -> Answers:
        if key is _ELSEWHERE or key is _NOBODY:
            return ((self.classes.all, OPEN if key is _ELSEWHERE else UNKNOWN),)
        found = self._rows.get(key)
        if found is not None and found.known == self.classes.all:
            return found.answers
        known = found.known if found else 0
        made = answers(self._grants(key), self.classes.all & ~known, self._otherwise(key))
        if found is not None:
            made = joined(found.answers, made)
        self._rows[key] = _Row(self.classes.all, made)
        return made

    def _otherwise(self, key: RowKey) -> Default:
        if key.enforced:
            return "denied"
        return "allowed" if self.book.surroundings.settings.version >= (1, 18) else "asked"

    def _grants(self, key: RowKey) -> Iterator[Grant]:
        required = {False: self.classes.all, True: self.classes.all}
        for number in key.profile:
            if terms := self.selection.entries[number].requires:
                required[self.selection.entries[number].deny] &= self.classes.mask(terms)
        if key.welcome and self.book.surroundings.settings.allow_localhost == "always":
            yield Grant(False, self._own_node, 0, EVERY_PORT - self._asked_of_host(key), "open")
        named = iter(key.named)
        for number in key.profile:
            deny, peers, ports = self.selection.entries[number].deny, self._peers_of(number), self._ports_of(number)
            sure = peers.sure | peers.endpoints & required[deny]
            for asking, numbers in ports.numbered:
                yield Grant(deny, sure, peers.maybe, numbers, asking)
            for asking, each in ports.named:
                if key.direction == "ingress":
                    by_port = {port: self.classes.all for port in (next(named),) if port >= 0}
                else:
                    by_port = dict(self.classes.named(each.name, each.protocol))
                for port, having in by_port.items():
                    kind, numbers = named_ports(asking, each, port)
                    yield Grant(deny, sure & having, peers.maybe & having, numbers, kind)

    def _asked_of_host(self, key: RowKey) -> PortSet:
        """The ports on which an entry for the own node itself asks something above layer 4, which then holds for it."""
        found, named = NO_PORTS, iter(key.named)
        for number in key.profile:
            entry, ports = self.selection.entries[number], self._ports_of(number)
            told = [*ports.numbered]
            for (asking, each), port in zip(ports.named, named, strict=False):
                told += [named_ports(asking, each, port)] if port >= 0 else []
            if not entry.deny and names_host(entry.peers):
                found = functools.reduce(
                    operator.or_, (held for asking, held in told if asking in ("asked", "dns")), found
                )
        return found

    def _peers_of(self, number: int) -> Peers:
        found = self._peers.get(number)
        if found is None or found.known != self.classes.all:
            entry = self.selection.entries[number]
            found = self._peers[number] = peers_of(entry, self.classes, self.book.surroundings, found)
        return found

    def _ports_of(self, number: int) -> EntryPorts:
        found = self._ports.get(number)
        if found is None:
            found = self._ports[number] = ports_of(self.selection.entries[number])
        return found


def _names(entry: Entry) -> bool:
    """True when an entry depends on what DNS told."""
    return any(peer.fqdn for peer in entry.peers or ())


def has_endpoint(who: Identity, settings: Settings) -> bool:
    """True for what has an endpoint of this cluster, which policies can select."""
    if not who.known or who.outside or who.cluster not in ("", settings.cluster):
        return False
    return who.reserved("host") or not any(who.reserved(name) for name in _NO_ENDPOINT)


def governed(who: Identity, settings: Settings) -> bool:
    """True where the policies of this rulebook decide; elsewhere everything passes, or nobody can tell."""
    if settings.enforcement == "never" or not has_endpoint(who, settings):
        return False
    return settings.host_firewall or ("any", "host") not in who.labels  # the agent looks for the key alone
