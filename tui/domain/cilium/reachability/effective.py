"""All that policies say of one endpoint: who selects it, whether default deny is on, whom it may meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tui.domain.cilium.engine.identity import holds, identity
from tui.domain.cilium.model import Direction, Endpoint, Entry, Layer7, Peer, PortRule, Ports, Rulebook, Where
from tui.domain.cilium.policy import NAMESPACE_KEY

DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
_EVERY = 65535


class Met(NamedTuple):
    """One line of the list: this peer on these ports, allowed or denied, by these rules."""

    deny: bool
    peer: str
    ports: str
    asked: str  # what is asked above layer 4; "" = nothing
    unsure: bool  # whom it means cannot be told from here: names, what is unresolved
    where: tuple[Where, ...]


class Way(NamedTuple):
    """One direction of an endpoint. `because` says why default deny is on or off; `lines` denies first.

    `own_node`: what comes from the node that it is on gets in whatever rules say, unless one denies it.
    """

    direction: Direction
    enforced: bool
    because: str
    enforced_by: tuple[Where, ...]
    selecting: tuple[Where, ...]
    lines: tuple[Met, ...]
    own_node: bool = False


def effective(book: Rulebook, endpoint: Endpoint) -> tuple[Way, Way]:
    """What the policies say of an endpoint: (ingress, egress)."""
    ingress, egress = (_way(book, endpoint, direction) for direction in DIRECTIONS)
    return ingress, egress


def _way(book: Rulebook, endpoint: Endpoint, direction: Direction) -> Way:
    settings = book.surroundings.settings
    me = identity(endpoint, book.surroundings)
    off = ""
    if me.reserved("host") and not settings.host_firewall:
        off = "the host firewall is off: no policy is enforced at nodes"
    elif settings.enforcement == "never":
        off = "policies are never enforced here (enable-policy: never)"
    if off:
        return Way(direction, False, off, (), (), ())
    selecting = [each for each in book.entries if each.direction == direction and holds(each.subject, me)]
    by = tuple(dict.fromkeys(each.where for each in selecting if each.default_deny))
    if settings.enforcement == "always":
        enforced, because = True, "enforcement is set to always (enable-policy)"
    elif me.reserved("init"):
        enforced, because = True, "endpoints that are being created are always enforced"
    elif by:
        enforced, because = True, ""
    else:
        told = "what selects it does not switch default deny on" if selecting else "no policy selects it"
        enforced, because = False, told
    lines = tuple(sorted(_lines(selecting), key=lambda each: not each.deny))
    own_node = enforced and direction == "ingress" and settings.allow_localhost == "always" and not me.reserved("host")
    where = tuple(dict.fromkeys(each.where for each in selecting))
    return Way(direction, enforced, because, by, where, lines, own_node)


def _lines(entries: Iterable[Entry]) -> Iterator[Met]:
    """The peers and ports of entries; what several rules say alike is one line."""
    found: dict[tuple[bool, str, str, str, bool], dict[Where, None]] = {}
    for entry in entries:
        if not entry.ports or entry.peers == ():
            continue
        for peer, unsure in _peers(entry):
            for rule in entry.ports:
                key = (entry.deny, peer, ports_words(rule.ports), layer7_words(rule), unsure)
                found.setdefault(key, {})[entry.where] = None
    for (deny, peer, ports, asked, unsure), where in found.items():
        yield Met(deny, peer, ports, asked, unsure, tuple(where))


def _peers(entry: Entry) -> Iterator[tuple[str, bool]]:
    if entry.peers is None:
        yield "anybody", False
        return
    seen: set[tuple[str, bool]] = set()
    for peer in entry.peers:
        held = (peer_words(peer), bool(peer.fqdn or peer.unresolved))
        if held not in seen:
            seen.add(held)
            yield held


def peer_words(peer: Peer) -> str:
    """A peer as it was written, in short, with the namespace that is meant where the words do not say it."""
    text = (peer.words or peer.unresolved or "anybody").removeprefix("entity ")
    text = text.replace("app.kubernetes.io/", "")
    if not peer.endpoint or "namespace" in text:
        return text.replace(" in namespace ", " in ")
    spaces = [
        values
        for _, key, operator, values in peer.terms
        if key == NAMESPACE_KEY and operator == "In" and len(values) == 1
    ]
    return f"{text} in {spaces[0][0]}" if spaces else text


def ports_words(ports: Sequence[Ports] | None) -> str:
    """`TCP 80, 8000-8080; UDP 53`, `every port`; one number for all of TCP, UDP and SCTP stands once."""
    if ports is None:
        return "every port"
    by_span: dict[str, list[str]] = {}
    for each in ports:
        protocols = by_span.setdefault(_span(each), [])
        if each.protocol not in protocols:
            protocols.append(each.protocol)
    by_protocol: dict[str, list[str]] = {}
    for span, protocols in by_span.items():
        every = {"TCP", "UDP", "SCTP"} <= set(protocols)
        rest = [each for each in protocols if not every or each not in ("TCP", "UDP", "SCTP")]
        for name in (["port"] if every else []) + rest:
            by_protocol.setdefault(name, []).append(span)
    return "; ".join(_protocol(name, spans) for name, spans in by_protocol.items())


def _span(ports: Ports) -> str:
    if ports.name:
        return ports.name
    if (ports.first, ports.last) == (0, _EVERY):
        return ""
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"


def _protocol(name: str, spans: Sequence[str]) -> str:
    if "" in spans:
        return name if name.startswith("ICMP") else "every port" if name == "port" else f"every {name} port"
    return f"{name}{' type' if name.startswith('ICMP') else ''} {', '.join(spans)}"


def layer7_words(rule: PortRule) -> str:
    """What a rule asks above layer 4: `GET /orders`, `DNS *.example.com`; "" for nothing."""
    asked = rule.layer7
    if asked is None:
        return ""
    return ", ".join(_layer7(asked)) or (asked.parser and f"{asked.parser}, anything")


def _layer7(asked: Layer7) -> Iterator[str]:
    for each in asked.http:
        yield " ".join(filter(None, (each.method, each.host, each.path))) or "HTTP, with headers"
    for name in asked.dns:
        yield f"DNS {name}"
    for record in asked.kafka:
        yield f"Kafka {record.get('topic') or record.get('role') or record.get('apiKey') or 'any'}"
    for name in asked.server_names:
        yield f"SNI {name}"
