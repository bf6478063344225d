"""The ends of flows by what policies can tell apart: one class for all endpoints with the same identity.

Every class has a slot, and every label knows the slots that carry it as the bits of one integer: a selector is a few
ANDs and ORs, whatever the number of endpoints. A class keeps its slot, with or without endpoints, until too many are
empty.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tui.domain.cilium.engine.identity import Identity, holds, identity
from tui.domain.cilium.model import Endpoint, Surroundings, Term

Key = Hashable
_SLACK = 1024  # empty slots that are put up with before the classes are packed


class EndpointClass(NamedTuple):
    """What all endpoints of a class share. `ip` is "" where no policy can ask for the address, as with pods."""

    labels: tuple[str, ...]
    named_ports: tuple[tuple[str, int], ...] = ()  # "http/TCP" -> port, sorted
    ip: str = ""
    outside: str = ""  # the name of a peer that is no endpoint of the cluster
    learned: str = ""  # an address that DNS told for this pattern of a toFQDNs rule


def class_of(endpoint: Endpoint, surroundings: Surroundings) -> EndpointClass:
    """The class of an endpoint."""
    who = identity(endpoint, surroundings)
    ip = endpoint.ip if who.address is not None or who.outside else ""
    return EndpointClass(endpoint.labels, tuple(sorted(endpoint.named_ports.items())), ip)


class Classes:
    """The endpoints of one cluster by class. A value: a change gives another one that shares what stayed."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.slots: list[EndpointClass] = []
        self.identities: list[Identity] = []  # by slot
        self.all = 0  # every slot
        self.live = 0  # the slots that have endpoints
        self.addressed = 0  # the slots that have an address or a name of DNS, or nothing: to be matched one by one
        self.unknown = 0  # the slots of which nobody can tell who they are
        self.unknown = 0  # the slots of which nobody can tell who they are
        self.outside = 0  # the slots of peers that are no endpoints of the cluster
        self.lineage = object()  # the same while slots keep their numbers
        self._surroundings = surroundings
        self._members: list[frozenset[Key]] = []
        self._planes: list[int] | None = None
        self._slot_of_class: dict[EndpointClass, int] = {}
        self._slot_of: dict[Key, int] = {}
        self._values: dict[tuple[str, str, str], int] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._named: dict[str, dict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, key: Key) -> bool:
        return key in self._slot_of

    def __iter__(self) -> Iterator[Key]:
        return iter(self._slot_of)

    @property
    def inside(self) -> int:
        """The slots that have endpoints of the cluster."""
        return self.live & ~self.outside

    def slot(self, key: Key) -> int:
        """The slot of an endpoint. Raises KeyError when there is no such endpoint."""
        return self._slot_of[key]

    def slot_of_class(self, held: EndpointClass) -> int | None:
        """The slot of a class; None when it has none."""
        return self._slot_of_class.get(held)

    def members(self, slot: int) -> frozenset[Key]:
        """The endpoints in a slot."""
        return self._members[slot]

    def keys(self, mask: int) -> list[Key]:
        """The endpoints in these slots, in no order."""
        return [key for slot in bits(mask & self.live) for key in self._members[slot]]

    def count(self, mask: int) -> int:
        """How many endpoints are in these slots."""
        if self._planes is None:
            self._planes = _planes([len(each) for each in self._members])
        return sum((mask & plane).bit_count() << power for power, plane in enumerate(self._planes))

    def mask(self, terms: Iterable[Term]) -> int:
        """The slots that meet every term; NotIn and DoesNotExist are met by an absent label too."""
        found = self.all
        for source, key, operator, values in terms:
            if source == "cidr":
                having = 0 if operator.endswith("In") and "" not in values else self._within(key)
            elif operator in ("In", "NotIn"):
                having = 0
                for value in values:
                    having |= self._values.get((source, key, value), 0)
            elif operator in ("Exists", "DoesNotExist"):
                having = self._keys.get((source, key), 0)
            else:
                return 0
            found &= having if operator in ("In", "Exists") else ~having
            if not found:
                return 0
        return found

    def _within(self, prefix: str) -> int:
        """The slots whose address is in the prefix that a `cidr:` key names."""
        term: Term = ("cidr", prefix, "Exists", ())
        return mask_of([slot for slot in bits(self.addressed) if holds((term,), self.identities[slot])])

    def named(self, name: str, protocol: str) -> Mapping[int, int]:
        """Port -> the slots whose port of this name it is."""
        return self._named.get(f"{name}/{protocol}", {})

    def changed(self, put: Mapping[Key, EndpointClass], removed: Iterable[Key] = ()) -> Classes:
        """These classes with endpoints added or changed (`put`) and others removed; unknown ones are none already."""
        found = self._copy()
        for key in removed:
            found._leave(key)
        found._add({each: None for each in put.values() if each not in self._slot_of_class})
        joining: dict[int, list[Key]] = {}
        for key, each in put.items():
            slot = found._slot_of_class[each]
            if found._slot_of.get(key) != slot:
                found._leave(key)
                joining.setdefault(slot, []).append(key)
                found._slot_of[key] = slot
        for slot, keys in joining.items():
            found._members[slot] = found._members[slot].union(keys)
            found.live |= 1 << slot
        if len(found.slots) > _SLACK and len(found.slots) > 2 * found.live.bit_count():
            return found._packed()
        return found

    def _packed(self) -> Classes:
        """The same endpoints in classes of another lineage, without empty ones."""
        return Classes(self._surroundings).changed({key: self.slots[slot] for key, slot in self._slot_of.items()})

    def _copy(self) -> Classes:
        found = object.__new__(Classes)
        found.__dict__.update(self.__dict__)
        found._planes = None
        for name in ("slots", "identities", "_members", "_slot_of_class", "_slot_of", "_values", "_keys", "_named"):
            setattr(found, name, getattr(self, name).copy())
        return found

    def _leave(self, key: Key) -> None:
        slot = self._slot_of.pop(key, None)
        if slot is not None:
            self._members[slot] = self._members[slot] - {key}
            if not self._members[slot]:
                self.live &= ~(1 << slot)

    def _add(self, fresh: Iterable[EndpointClass]) -> None:
        """Give new classes their slots. Bits are gathered in lists first: each large integer is built once."""
        values: dict[tuple[str, str, str], list[int]] = {}
        keys: dict[tuple[str, str], list[int]] = {}
        for each in fresh:
            slot = len(self.slots)
            who = identity(Endpoint(each.labels, ip=each.ip), self._surroundings)
            self.slots.append(each)
            self.identities.append(who)
            self._members.append(frozenset())
            self._slot_of_class[each] = slot
            if each.outside:
                self.outside |= 1 << slot
            if not who.known:
                self.unknown |= 1 << slot
            if who.address is not None or not who.known or any(source == "fqdn" for source, _ in who.labels):
                self.addressed |= 1 << slot
            if not who.known:
                self.unknown |= 1 << slot
            for (source, key), value in who.labels.items():
                values.setdefault((source, key, value), []).append(slot)
                keys.setdefault((source, key), []).append(slot)
            for name, port in each.named_ports:
                by_port = self._named[name] = dict(self._named.get(name, {}))
                by_port[port] = by_port.get(port, 0) | 1 << slot
        for triple, slots in values.items():
            self._values[triple] = self._values.get(triple, 0) | mask_of(slots)
        for pair, slots in keys.items():
            self._keys[pair] = self._keys.get(pair, 0) | mask_of(slots)
        self.all = (1 << len(self.slots)) - 1


def _planes(sizes: Sequence[int]) -> list[int]:
    """For each power of two the slots whose size has it: to count the endpoints of a mask is to count bits."""
    slots: list[list[int]] = [[] for _ in range(max(sizes, default=0).bit_length())]
    for slot, size in enumerate(sizes):
        for power in bits(size):
            slots[power].append(slot)
    return [mask_of(each) for each in slots]


def mask_of(slots: Sequence[int]) -> int:
    """The integer with these bits."""
    if len(slots) < 8:
        found = 0
        for slot in slots:
            found |= 1 << slot
        return found
    held = bytearray((max(slots) >> 3) + 1)
    for slot in slots:
        held[slot >> 3] |= 1 << (slot & 7)
    return int.from_bytes(held, "little")


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, ascending."""
    if mask.bit_length() < 64:
        while mask:
            low = mask & -mask
            yield low.bit_length() - 1
            mask ^= low
        return
    for at, byte in enumerate(mask.to_bytes((mask.bit_length() + 7) // 8, "little")):
        base = at << 3
        while byte:
            low = byte & -byte
            yield base + low.bit_length() - 1
            byte ^= low
