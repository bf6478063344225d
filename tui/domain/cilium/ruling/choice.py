"""A rule as people choose it, whatever kind of policy it goes into: whom it is about, which ports, and what above them.

`spelling` writes it as an entry of each kind, `writing` puts that into a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tui.domain.cilium.model import Direction, HttpRule
from tui.domain.yamledit import Refused

PROTOCOLS = ("TCP", "UDP", "SCTP")  # those that Kubernetes knows
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?\Z")  # IANA_SVC_NAME, as containers have it
_ICMP = {"icmp": "IPv4", "icmpv6": "IPv6"}


class Pods(msgspec.Struct, frozen=True, tag="pods"):
    """Pods with these labels ({} = every pod). `namespace`: "" = the policy's own, "*" = every one.

    `namespace_labels` choose namespaces by their labels instead. `cluster` is another cluster of the mesh.
    """

    labels: Mapping[str, str] = {}
    namespace: str = ""
    namespace_labels: Mapping[str, str] = {}
    cluster: str = ""


class Entity(msgspec.Struct, frozen=True, tag="entity"):
    """An entity of Cilium: `world`, `host`, `kube-apiserver` …"""

    name: str


class Cidr(msgspec.Struct, frozen=True, tag="cidr"):
    """Addresses outside the cluster; an address alone is the prefix that holds only it."""

    cidr: str
    holes: tuple[str, ...] = ()  # `except`


class Group(msgspec.Struct, frozen=True, tag="group"):
    """A CiliumCIDRGroup, by name."""

    name: str


class Fqdn(msgspec.Struct, frozen=True, tag="fqdn"):
    """A DNS name, or a pattern when it has a `*`."""

    name: str


class ToService(msgspec.Struct, frozen=True, tag="service"):
    """What a Service leads to."""

    namespace: str
    name: str


class Nodes(msgspec.Struct, frozen=True, tag="nodes"):
    """Nodes with these labels; not the own node."""

    labels: Mapping[str, str] = {}


Chosen = Pods | Entity | Cidr | Group | Fqdn | ToService | Nodes


class Port(msgspec.Struct, frozen=True):
    """A port: a number or the name of one, with `end` a range; "0" is every port. `protocol` ANY: TCP, UDP and SCTP."""

    port: str
    protocol: str = "TCP"
    end: int = 0


class Icmp(msgspec.Struct, frozen=True):
    """An ICMP message: a type by number or name."""

    type: str
    family: str = "IPv4"


class NewRule(msgspec.Struct, frozen=True):
    """A rule entry as it was chosen. `peers` None: anybody, the world included. No ports and no icmps: all of both."""

    direction: Direction
    peers: tuple[Chosen, ...] | None = None
    ports: tuple[Port, ...] = ()
    icmps: tuple[Icmp, ...] = ()
    deny: bool = False
    http: tuple[HttpRule, ...] = ()
    dns: tuple[str, ...] = ()  # names and patterns that may be looked up
    server_names: tuple[str, ...] = ()
    authentication: str = ""

    @property
    def section(self) -> str:
        """Where it stands: `ingress`, `egressDeny` …"""
        return f"{self.direction}Deny" if self.deny else self.direction


# -- ports as people type them -------------------------------------------------------------------------------------


def ports_of(words: str) -> tuple[tuple[Port, ...], tuple[Icmp, ...]]:
    """`8080/TCP, http, 53/ANY, 8000-8100, icmp/8, icmpv6/EchoRequest`; without a protocol it is TCP, "" is nothing.

    Raises Refused for what is none of these.
    """
    ports: list[Port] = []
    icmps: list[Icmp] = []
    for word in re.split(r"[,\s]+", words.strip()):
        head, _, tail = word.partition("/")
        if not word:
            continue
        if head.lower() in _ICMP:
            if not re.fullmatch(r"[0-9]{1,3}|[A-Za-z]+", tail):
                raise Refused(f"{word!r} names no ICMP type: icmp/8, icmpv6/EchoRequest")
            icmps.append(Icmp(tail, _ICMP[head.lower()]))
            continue
        ports.append(_port(word, head, tail or "TCP"))
    return tuple(dict.fromkeys(ports)), tuple(dict.fromkeys(icmps))


def _port(word: str, head: str, protocol: str) -> Port:
    protocol = protocol.upper()
    if protocol not in ("ANY", *PROTOCOLS, "VRRP", "IGMP"):
        raise Refused(f"{word!r}: {protocol} is no protocol of ports: TCP, UDP, SCTP or ANY; icmp/8 for ICMP")
    first, dash, last = head.partition("-")
    if first.isdigit() and (not dash or last.isdigit()):
        low, high = int(first), int(last or 0)
        if max(low, high) > 65535:
            raise Refused(f"{word!r}: ports go up to 65535")
        if dash and high <= low:
            raise Refused(f"{word!r}: a range goes from the smaller port to the larger one")
        return Port(str(low), protocol, high)
    if not _PORT_NAME.match(head):
        raise Refused(f"{word!r} is neither a port, a range of ports nor the name of one")
    return Port(head, protocol)


def port_word(port: Port | Icmp) -> str:
    """A port as `ports_of` reads it."""
    if isinstance(port, Icmp):
        return f"{'icmp' if port.family == 'IPv4' else 'icmpv6'}/{port.type}"
    return f"{port.port}{f'-{port.end}' if port.end else ''}/{port.protocol}"


# -- in words ---------------------------------------------------------------------------------------------------------


def words_of(rule: NewRule) -> str:
    """A rule as one would say it: `allow ingress from app=web, port 8080/TCP`."""
    who = "anybody" if rule.peers is None else ", ".join(map(peer_word, rule.peers))
    ports: Sequence[Port | Icmp] = (*rule.ports, *rule.icmps)
    what = f", {'port' if len(ports) == 1 else 'ports'} {_some(map(port_word, ports))}" if ports else ""
    if rule.http:
        what += f", HTTP {_some(' '.join(filter(None, (each.method, each.path, each.host))) for each in rule.http)}"
    if rule.dns:
        what += f", DNS {_some(rule.dns)}"
    if rule.server_names:
        what += f", SNI {_some(rule.server_names)}"
    way = "from" if rule.direction == "ingress" else "to"
    return f"{'deny' if rule.deny else 'allow'} {rule.direction} {way} {who}{what}"


def _some(words: Iterable[str]) -> str:
    listed = list(words)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def peer_word(peer: Chosen) -> str:
    """A peer in words: `app=web in shop`, `world`, `10.0.0.0/8`."""
    match peer:
        case Pods():
            labels = ", ".join(f"{key}={value}" for key, value in peer.labels.items()) or "every pod"
            where = {"": "", "*": " in every namespace"}.get(peer.namespace, f" in {peer.namespace}")
            if peer.namespace_labels:
                where = f" in namespaces {', '.join(f'{k}={v}' for k, v in peer.namespace_labels.items())}"
            return labels + where + (f" of {peer.cluster}" if peer.cluster else "")
        case Entity() | Fqdn():
            return peer.name
        case Cidr():
            return peer.cidr + (f" except {', '.join(peer.holes)}" if peer.holes else "")
        case Group():
            return f"CIDR group {peer.name}"
        case ToService():
            return f"Service {peer.namespace}/{peer.name}"
        case Nodes():
            return f"nodes {', '.join(f'{key}={value}' for key, value in peer.labels.items())}".strip()
