"""Who one end of a flow is to Cilium, and whether a peer of a rule means it.

An identity is labels by source and key, and for what is outside the cluster the address. CIDRs, names and CIDR groups
match only identities that have an address: never pods, and nodes only with `policy-cidr-match-mode=nodes`. Rules:
Cilium `pkg/labels`, `pkg/policy/types/{requirements,selector}.go`, `pkg/ipcache/metadata.go` (1.19).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from tui.domain.cilium.engine.fqdn import matches as name_matches
from tui.domain.cilium.model import CidrGroup, Endpoint, Network, Peer, Settings, Surroundings, Term
from tui.domain.cilium.policy import NAMESPACE_KEY
from tui.domain.cilium.select import split_label

Address = IPv4Address | IPv6Address
CLUSTER_KEY = "io.cilium.k8s.policy.cluster"
GROUP_KEY = "io.cilium.policy.cidrgroupname/"
WORLD = ("world", "world-ipv4", "world-ipv6")
# Reserved identities that are inside a cluster: an address alone does not make them outside.
_INSIDE = ("host", "remote-node", "init", "health", "ingress", "unmanaged")
_HOST = ((("reserved", "host", "Exists", ()),), (("reserved", "host", "In", ("",)),))  # an entity, a selector


class Identity(NamedTuple):
    """What selectors see of an endpoint. `labels`: (source, key) and ("any", key) to value."""

    labels: Mapping[tuple[str, str], str]
    address: Address | None = None  # set: CIDRs and names can match it
    outside: bool = False  # it is of the world, no policy is enforced there
    known: bool = True  # False: neither labels nor an address say who it is
    length: int = 128  # bits of the address that are known: fewer where only a `cidr:` label tells it

    def reserved(self, name: str) -> bool:
        """True when it carries `reserved:<name>`."""
        return ("reserved", name) in self.labels

    @property
    def namespace(self) -> str:
        """Its namespace; "" when it has none."""
        return self.labels.get(("any", NAMESPACE_KEY), "")

    @property
    def cluster(self) -> str:
        """The cluster of the mesh that it is of; "" when it does not say."""
        return self.labels.get(("any", CLUSTER_KEY), "")


def identity(endpoint: Endpoint, surroundings: Surroundings) -> Identity:
    """The identity of an endpoint among these settings and CIDR groups."""
    labels = _labels(endpoint.labels)
    if not endpoint.ip:
        outside = any(("reserved", name) in labels for name in WORLD)
        told = _told_by_labels(endpoint.labels) if outside else None
        known = bool(labels) and ("reserved", "unknown") not in labels
        if told is None:
            return Identity(labels, None, outside, known)
        return Identity(labels, told.network_address, outside, known, told.prefixlen)
    settings = surroundings.settings
    address = _address(endpoint.ip)
    inside = any(source not in ("any", "reserved", "cidr", "cidrgroup", "fqdn") for source, _ in labels)
    if inside or any(("reserved", name) in labels for name in _INSIDE):
        node = ("reserved", "remote-node") in labels or ("reserved", "host") in labels
        if node and address is not None and "nodes" in settings.cidr_match_mode:
            return Identity(_with_groups(labels, address, surroundings.cidr_groups), address)
        return Identity(labels)
    if address is None:
        return Identity(labels, None, True)
    found = dict(_with_groups(labels, address, surroundings.cidr_groups))
    if not any(("reserved", name) in labels for name in WORLD):
        world = _world(address.version, settings)
        found["reserved", world] = found["any", world] = ""
    return Identity(found, address, True)


@lru_cache(maxsize=16384)
def _told_by_labels(labels: tuple[str, ...]) -> Network | None:
    """The prefix of an identity's `cidr:` label; the longest, where it has several."""
    found = [network(key.replace("-", ":")) for source, key, _ in map(split_label, labels) if source == "cidr"]
    return max((net for net in found if net is not None), key=lambda net: net.prefixlen, default=None)


def _world(family: int, settings: Settings) -> str:
    """The reserved identity of the world for one family: it has its own where the other family is on.

    Before 1.19 only where both are on, before 1.15 never.
    """
    if settings.version < (1, 19):
        split = settings.ipv4 and settings.ipv6 and settings.version >= (1, 15)
    else:
        split = settings.ipv6 if family == 4 else settings.ipv4
    return f"world-ipv{family}" if split else "world"


def world_terms(network: Network, settings: Settings) -> tuple[Term, ...]:
    """What 0.0.0.0/0 and ::/0 mean: the world of the family, not a prefix."""
    return (("reserved", _world(network.version, settings), "Exists", ()),)


@lru_cache(maxsize=65536)
def _labels(labels: tuple[str, ...]) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for label in labels:
        source, key, value = split_label(label)
        found.setdefault((source, key), value)
        found.setdefault(("any", key), value)
    return found


@lru_cache(maxsize=65536)
def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _with_groups(
    labels: Mapping[tuple[str, str], str], address: Address, groups: Iterable[CidrGroup]
) -> Mapping[tuple[str, str], str]:
    """The labels with those of the CIDR groups that hold the address; those of the longest prefix win."""
    held: list[tuple[int, CidrGroup]] = []
    for group in groups:
        lengths = [net.prefixlen for net in map(network, group.cidrs) if net is not None and contains(net, address)]
        if lengths:
            held.append((-max(lengths), group))
    if not held:
        return labels
    found = dict(labels)
    for _, group in sorted(held, key=lambda each: (each[0], each[1].name)):
        for key, value in ((GROUP_KEY + group.name, ""), *group.labels.items()):
            found.setdefault(("cidrgroup", key), value)
            found.setdefault(("any", key), value)
    return found


@lru_cache(maxsize=65536)
def network(text: str) -> Network | None:
    """A prefix or a bare address as a network, host bits cut off; None when it is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def contains(net: Network, address: Address) -> bool:
    """True when the address is in the network; addresses of the other family never are."""
    return net.version == address.version and address in net


def holds(terms: Iterable[Term], who: Identity) -> bool:
    """True when an identity meets all terms. NotIn and DoesNotExist are also met by what lacks the key."""
    labels = who.labels
    for source, key, operator, values in terms:
        value = labels.get((source, key)) if source != "cidr" else _prefix_label(key, who)
        if operator == "In":
            if value is None or value not in values:
                return False
        elif operator == "Exists":
            if value is None:
                return False
        elif operator == "NotIn":
            if value is not None and value in values:
                return False
        elif operator == "DoesNotExist":
            if value is not None:
                return False
        else:
            return False
    return True


def _prefix_label(key: str, who: Identity) -> str | None:
    """A `cidr:` key of a selector is a prefix with "-" for ":", and means every address in it."""
    net = network(key.replace("-", ":"))
    return "" if net is not None and _within(net, who) else None


def _within(net: Network, who: Identity) -> bool:
    """True when all that is known of the address is in the network."""
    return who.address is not None and net.prefixlen <= who.length and contains(net, who.address)


def names_host(peers: Iterable[Peer] | None) -> bool:
    """True when a peer is written as the own node and nothing else: then what its entry asks holds for the node too."""
    return any(peer.terms in _HOST for peer in peers or ())


def matches(peer: Peer, who: Identity, surroundings: Surroundings) -> bool | None:
    """Whether a peer of a rule means this identity; None when that cannot be told."""
    plain = peer.cidr is None and not peer.holes and not peer.fqdn and not peer.unresolved
    if not who.known:
        return True if plain and not peer.terms else None
    if not holds(peer.terms, who):
        return False
    if plain:
        return True
    address = who.address
    if peer.unresolved:
        return None if address is not None else False
    if peer.fqdn:
        if ("fqdn", peer.fqdn) in who.labels:
            return True
        if address is None:
            return False
        if surroundings.dns is None:
            return None
        text = str(address)
        deep = surroundings.settings.version >= (1, 19)
        return any(text in found and name_matches(peer.fqdn, name, deep) for name, found in surroundings.dns.items())
    if peer.cidr is not None and not _within(peer.cidr, who):
        return False
    return not any(_within(hole, who) for hole in peer.holes)
