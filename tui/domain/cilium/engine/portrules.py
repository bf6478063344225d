"""Which ports a rule means, and what it asks above layer 4.

Rules: Cilium `pkg/policy/api/{l4,l7,icmp,http}.go`, `pkg/policy/{l4,portrange}.go`, `pkg/iana` (1.19), with what
earlier versions do otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.model import HttpRule, Layer7, PortRule, Ports, Settings
from tui.domain.cilium.policy import mapping, sequence

_SERVICE_NAME = re.compile(r"([a-zA-Z0-9]-?)*[a-zA-Z](-?[a-zA-Z0-9])*")
ALL_PORTS = (PortRule(None),)
ANY_PROTOCOLS = ("TCP", "UDP", "SCTP")
ICMP_TYPES = {
    "IPv4": {
        "EchoReply": 0,
        "DestinationUnreachable": 3,
        "Redirect": 5,
        "Echo": 8,
        "EchoRequest": 8,
        "RouterAdvertisement": 9,
        "RouterSelection": 10,
        "TimeExceeded": 11,
        "ParameterProblem": 12,
        "Timestamp": 13,
        "TimestampReply": 14,
        "Photuris": 40,
        "ExtendedEchoRequest": 42,
        "ExtendedEchoReply": 43,
    },
    "IPv6": {
        "DestinationUnreachable": 1,
        "PacketTooBig": 2,
        "TimeExceeded": 3,
        "ParameterProblem": 4,
        "EchoRequest": 128,
        "EchoReply": 129,
        "MulticastListenerQuery": 130,
        "MulticastListenerReport": 131,
        "MulticastListenerDone": 132,
        "RouterSolicitation": 133,
        "RouterAdvertisement": 134,
        "NeighborSolicitation": 135,
        "NeighborAdvertisement": 136,
        "RedirectMessage": 137,
        "RouterRenumbering": 138,
        "ICMPNodeInformationQuery": 139,
        "ICMPNodeInformationResponse": 140,
        "InverseNeighborDiscoverySolicitation": 141,
        "InverseNeighborDiscoveryAdvertisement": 142,
        "HomeAgentAddressDiscoveryRequest": 144,
        "HomeAgentAddressDiscoveryReply": 145,
        "MobilePrefixSolicitation": 146,
        "MobilePrefixAdvertisement": 147,
        "DuplicateAddressRequestCodeSuffix": 157,
        "DuplicateAddressConfirmationCodeSuffix": 158,
        "ExtendedEchoRequest": 160,
        "ExtendedEchoReply": 161,
    },
}


def is_port_name(text: str) -> bool:
    """True for an IANA service name: letters, digits and single dashes inside, at least one letter."""
    return 0 < len(text) <= 15 and _SERVICE_NAME.fullmatch(text) is not None


def port_number(text: str) -> int | None:
    """A port as Cilium reads it: a leading 0 makes it octal, "_" between digits is left out; None when it is none."""
    digits = text.replace("_", "")
    try:
        number = int(digits, 8) if len(digits) > 1 and digits.startswith("0") else int(digits)
    except ValueError:
        return None
    return number if digits.isascii() and digits.isdigit() and number <= 65535 else None


def rule_ports(rule: Mapping[str, Any], deny: bool, settings: Settings) -> tuple[PortRule, ...]:
    """The ports of one entry of a Cilium policy; () when it names none at all."""
    found = [_port_rule(mapping(each), deny, settings) for each in sequence(rule.get("toPorts"))]
    for each in sequence(rule.get("icmps")):
        fields = sequence(mapping(each).get("fields"))
        found.append(PortRule(tuple(filter(None, (_icmp(mapping(field)) for field in fields)))))
    return tuple(found)


def _port_rule(held: Mapping[str, Any], deny: bool, settings: Settings) -> PortRule:
    ports = tuple(
        found for each in sequence(held.get("ports")) for found in _ports(mapping(each), settings.version >= (1, 16))
    )
    return PortRule(ports, None if deny else _layer7(held))


def _ports(held: Mapping[str, Any], ranges: bool) -> Iterator[Ports]:
    protocol = str(held.get("protocol") or "ANY").upper()
    protocols = ANY_PROTOCOLS if protocol == "ANY" else (protocol,)
    end = held.get("endPort") if ranges else None
    for each in protocols:
        yield port_range(str(held.get("port") or "0"), end, each)


def port_range(port: str, end: Any, protocol: str) -> Ports:
    """A port, a range or a named port. 0 is every port; an end that is not above the port is ignored.

    `last` of a named port is the end of a range that begins at whatever the name stands for; 0 = it is no range.
    """
    last = end if isinstance(end, int) and not isinstance(end, bool) else 0
    if is_port_name(port):
        return Ports(protocol, 0, last, port.lower())
    first = port_number(port) or 0
    if first == 0 and last in (0, 65535):
        return Ports(protocol)
    return Ports(protocol, first, max(first, last))


def _icmp(field: Mapping[str, Any]) -> Ports | None:
    """An ICMP type. Type 0 is kept like port 0 by Cilium, and so means every type."""
    family = "IPv6" if field.get("family") == "IPv6" else "IPv4"
    kind = str(field.get("type", ""))
    number = ICMP_TYPES[family].get(kind)
    if number is None:
        number = port_number(kind)
    if number is None:
        return None
    protocol = "ICMPv6" if family == "IPv6" else "ICMP"
    return Ports(protocol, number, number) if number else Ports(protocol)


def _layer7(held: Mapping[str, Any]) -> Layer7 | None:
    """What is asked above layer 4; None when nothing is."""
    rules = mapping(held.get("rules"))
    names = tuple(str(each) for each in sequence(held.get("serverNames")))
    http = tuple(_http(mapping(each)) for each in sequence(rules.get("http")))
    dns = tuple(pattern for each in sequence(rules.get("dns")) for pattern in _dns(mapping(each)))
    kafka = tuple(
        {key: str(value) for key, value in mapping(each).items() if value not in (None, "")}
        for each in sequence(rules.get("kafka"))
    )
    if held.get("listener"):
        return Layer7("listener", server_names=names, any=True)
    if sequence(rules.get("dns")):
        return Layer7("dns", dns=dns, server_names=names)
    if http:
        return Layer7("http", http=http, server_names=names)
    if kafka:
        return Layer7("kafka", kafka=kafka, server_names=names)
    if rules.get("l7proto"):
        return Layer7(str(rules["l7proto"]), server_names=names, any=not sequence(rules.get("l7")))
    if names:
        return Layer7(server_names=names)
    if held.get("terminatingTLS") or held.get("originatingTLS"):
        return Layer7("tls", any=True)
    return None


def _dns(held: Mapping[str, Any]) -> Iterator[str]:
    for name in ("matchName", "matchPattern"):
        if held.get(name):
            yield str(held[name])


def _http(held: Mapping[str, Any]) -> HttpRule:
    headers = [mapping(each) for each in sequence(held.get("headerMatches"))]
    return HttpRule(
        method=str(held.get("method") or ""),
        path=str(held.get("path") or ""),
        host=str(held.get("host") or ""),
        headers=tuple(str(each) for each in sequence(held.get("headers"))),
        matches=tuple(
            (str(each.get("name") or ""), str(each.get("value") or ""), str(each.get("mismatch") or ""))
            for each in headers
            if not each.get("secret")
        ),
        secrets=tuple(
            str(each.get("name") or "") for each in headers if each.get("secret") and not each.get("mismatch")
        ),
    )


def knp_ports(items: Any, settings: Settings) -> tuple[PortRule, ...]:
    """The ports of a rule of a NetworkPolicy: none means all of them; TCP where no protocol is given."""
    if not sequence(items):
        return ALL_PORTS
    found = []
    for each in sequence(items):
        held = mapping(each)
        protocol = str(held.get("protocol") or "TCP").upper()
        port = "0" if held.get("port") is None else str(held["port"])
        end = held.get("endPort") if settings.version >= (1, 15) else None
        for name in ANY_PROTOCOLS if protocol == "ANY" else (protocol,):
            found.append(PortRule((port_range(port, end, name),)))
    return tuple(found)
