"""The peers that are no endpoints of the cluster: reserved identities, prefixes and names that policies speak of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Literal, NamedTuple

from tui.domain.cilium.model import Network, Rulebook
from tui.domain.cilium.reachability.classes import EndpointClass, Key

# What else the API server's identity carries depends on where it runs: who knows it puts it as an endpoint.
ENTITIES = ("host", "remote-node", "kube-apiserver", "health", "ingress", "init", "unmanaged")


class Outside(NamedTuple):
    """The key of a peer outside. `name` is an entity, a prefix or a pattern of names."""

    kind: Literal["entity", "cidr", "fqdn"]
    name: str

    def __str__(self) -> str:
        return self.name


def outside(book: Rulebook, other: Rulebook | None = None) -> dict[Key, EndpointClass]:
    """Every peer outside that this rulebook, or one of both, can tell apart."""
    settings = book.surroundings.settings
    books = [book] if other is None else [book, other]
    found: dict[Key, EndpointClass] = {
        Outside("entity", name): EndpointClass((f"reserved:{name}",), outside=name) for name in ENTITIES
    }
    every = [ip_network("0.0.0.0/0")] * settings.ipv4 + [ip_network("::/0")] * settings.ipv6
    world = {each: "world" if at == 0 else "world-ipv6" for at, each in enumerate(every)}
    nowhere = ""
    for prefix, address in _regions({*every, *(prefix for each in books for prefix in each.cidrs)}):
        if prefix in world:
            found[Outside("entity", world[prefix])] = EndpointClass((), ip=address, outside=world[prefix])
            nowhere = nowhere or address
        elif settings.ipv4 if prefix.version == 4 else settings.ipv6:
            found[Outside("cidr", str(prefix))] = EndpointClass((), ip=address, outside=str(prefix))
    if nowhere:
        for pattern in sorted({pattern for each in books for pattern in _patterns(each)}):
            found[Outside("fqdn", pattern)] = EndpointClass((), ip=nowhere, outside=pattern, learned=pattern)
    return found


def _patterns(book: Rulebook) -> set[str]:
    return {peer.fqdn for entry in book.entries for peer in entry.peers or () if peer.fqdn}


def _regions(prefixes: Iterable[Network]) -> Iterator[tuple[Network, str]]:
    """Each prefix with an address that is in no other prefix inside it; without those that have no such address."""
    ordered = sorted(set(prefixes), key=lambda each: (each.version, int(each.network_address), each.prefixlen))
    for at, prefix in enumerate(ordered):
        free, last = int(prefix.network_address), int(prefix.broadcast_address)
        for inner in ordered[at + 1 :]:
            if inner.version != prefix.version or int(inner.network_address) > free:
                break  # sorted: the first address that no inner prefix starts at or covers
            free = max(free, int(inner.broadcast_address) + 1)
        if free <= last:
            yield prefix, str(prefix[free - int(prefix.network_address)])
