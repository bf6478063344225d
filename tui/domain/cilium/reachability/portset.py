"""Sets of ports over every protocol: what rules allow, united and subtracted, and in words.

A port is a number of a protocol; ICMP counts its types as ports. Protocols that no rule names are in a set as a
whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

from tui.domain.cilium.model import Ports

LAST = 65535
Spans = tuple[tuple[int, int], ...]  # first and last port, ascending, with gaps between
_ALL: Spans = ((0, LAST),)
_ORDER = {name: at for at, name in enumerate(("TCP", "UDP", "SCTP", "ICMP", "ICMPV6"))}


class PortSet:
    """A set of ports, a value. `spans` of the protocols that differ from the rest; `rest` = the others as a whole."""

    __slots__ = ("__dict__", "_hash", "rest", "spans")

    def __init__(self, spans: Iterable[tuple[str, Spans]] = (), rest: bool = False) -> None:
        usual = _ALL if rest else ()
        self.spans = tuple(sorted(each for each in spans if each[1] != usual))
        self.rest = rest
        self._hash = hash((self.spans, rest))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, PortSet) and self.spans == other.spans and self.rest == other.rest

    def __bool__(self) -> bool:
        return self.rest or bool(self.spans)

    def __or__(self, other: PortSet) -> PortSet:
        if self is other or not other:
            return self
        return _union(self, other) if self else other

    def __and__(self, other: PortSet) -> PortSet:
        return self if self is other else _common(self, other)

    def __sub__(self, other: PortSet) -> PortSet:
        if self is other:
            return NO_PORTS
        return _common(self, _inverse(other)) if self and other else self

    def of(self, protocol: str) -> Spans:
        """The spans of one protocol, named in capitals."""
        return self._by_protocol.get(protocol, _ALL if self.rest else ())

    def has(self, port: int, protocol: str) -> bool:
        """True when this port is in the set."""
        return any(first <= port <= last for first, last in self.of(protocol.upper()))

    @cached_property
    def _by_protocol(self) -> dict[str, Spans]:
        return dict(self.spans)

    @cached_property
    def words(self) -> str:
        """`TCP 80, 8000-8080; UDP 53`, `every port`, `every port but TCP 22`, `no port`."""
        if not self:
            return "no port"
        if not self.rest:
            return "; ".join(_protocol_words(protocol, spans) for protocol, spans in self._ordered())
        missing = _inverse(self)
        return f"every port but {missing.words}" if missing else "every port"

    def _ordered(self) -> list[tuple[str, Spans]]:
        return sorted(self.spans, key=lambda each: (_ORDER.get(each[0], len(_ORDER)), each[0]))

    def __repr__(self) -> str:
        return f"<{self.words}>"


NO_PORTS = PortSet()
EVERY_PORT = PortSet((), True)


def of_ports(ports: Ports) -> PortSet:
    """The set of one alternative that names no port by its name."""
    return PortSet([(ports.protocol.upper(), ((ports.first, ports.last),))]) if ports.first <= ports.last else NO_PORTS


def one_port(port: int, protocol: str) -> PortSet:
    """The set of one port."""
    return PortSet([(protocol.upper(), ((port, port),))])


def _protocol_words(protocol: str, spans: Spans) -> str:
    protocol = protocol.replace("ICMPV6", "ICMPv6")
    if spans == _ALL:
        return protocol if protocol.startswith("ICMP") else f"every {protocol} port"
    numbers = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
    return f"{protocol} type {numbers}" if protocol.startswith("ICMP") else f"{protocol} {numbers}"


@lru_cache(65536)
def _union(one: PortSet, other: PortSet) -> PortSet:
    names = {name for name, _ in (*one.spans, *other.spans)}
    return PortSet([(name, _merged(one.of(name) + other.of(name))) for name in names], one.rest or other.rest)


@lru_cache(65536)
def _common(one: PortSet, other: PortSet) -> PortSet:
    names = {name for name, _ in (*one.spans, *other.spans)}
    return PortSet([(name, _shared(one.of(name), other.of(name))) for name in names], one.rest and other.rest)


@lru_cache(65536)
def _inverse(ports: PortSet) -> PortSet:
    return PortSet([(name, _gaps(spans)) for name, spans in ports.spans], not ports.rest)


def _merged(spans: Spans) -> Spans:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _shared(one: Spans, other: Spans) -> Spans:
    both = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(sorted((first, last) for first, last in both if first <= last))


def _gaps(spans: Spans) -> Spans:
    found, free = [], 0
    for first, last in spans:
        if free < first:
            found.append((free, first - 1))
        free = last + 1
    if free <= LAST:
        found.append((free, LAST))
    return tuple(found)
