"""What Cilium rejects in the ports of a rule, and in what it asks above layer 4.

Rules: Cilium `pkg/policy/api/{rule_validation,icmp,http,l7}.go`, the rules of `github.com/cilium/proxy` for Kafka, the
custom resources' schema where it says more (1.19), and what earlier versions do otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tui.domain.cilium.engine.fqdn import MAX_LENGTH
from tui.domain.cilium.engine.goregex import sound
from tui.domain.cilium.engine.layer7 import KAFKA_KEYS
from tui.domain.cilium.engine.portrules import ICMP_TYPES, is_port_name, port_number
from tui.domain.cilium.model import Settings
from tui.domain.cilium.policy import mapping, sequence

MAX_PORTS = 40
PROTOCOLS = ("ANY", "TCP", "UDP", "SCTP", "VRRP", "IGMP")  # ICMP has fields of its own
_EXTENDED = ("VRRP", "IGMP")  # since 1.19, without ports
_FAMILIES = {"http": "HTTP", "kafka": "Kafka", "dns": "DNS"}
_MATCH_NAME = re.compile(r"[-a-zA-Z0-9_.]+")
_MATCH_PATTERN = re.compile(r"[-a-zA-Z0-9_.*]+")
_TOPIC = re.compile(r"[a-zA-Z0-9\\._\-]+")
_SERVER_NAME = re.compile(r"(\*?\*\.)?([-a-zA-Z0-9_]+\.?)+")
_MISMATCHES = ("", "LOG", "ADD", "DELETE", "REPLACE")


def port_problems(
    items: Sequence[Any], direction: str, deny: bool, nodes: bool, settings: Settings | None
) -> Iterator[str]:
    """What is wrong with `toPorts`. In deny entries what is asked above layer 4 is pruned, and not read."""
    families = {name for each in items for name in _FAMILIES if not deny and _rules(each, name)}
    generic = not deny and any(_rules(each, "l7") for each in items)
    if families or generic:
        yield from _where_layer7(families, direction, nodes, settings)
    for each in items:
        held = mapping(each)
        ports = sequence(held.get("ports"))
        if len(ports) > MAX_PORTS:
            yield f"too many ports: {len(ports)}, at most {MAX_PORTS} are allowed"
        dns = not deny and bool(_rules(held, "dns"))
        for port in ports:
            yield from _port(mapping(port), dns and (settings is None or settings.version >= (1, 17)), settings)
        if not deny:
            yield from _above(held, ports, direction)


def _rules(held: Any, name: str) -> Sequence[Any]:
    return sequence(mapping(mapping(held).get("rules")).get(name))


def _where_layer7(families: set[str], direction: str, nodes: bool, settings: Settings | None) -> Iterator[str]:
    """Where rules above layer 4 cannot be."""
    if settings and not settings.l7_proxy:
        yield "L7 policy needs the L7 proxy (enable-l7-proxy)"
    if nodes and direction == "ingress":
        yield "L7 policy is not supported on host ingress"
    elif nodes and settings and settings.version < (1, 17):
        yield "L7 policy is not supported for hosts before 1.17"
    elif nodes:
        for name in sorted(families - {"dns"}):
            yield f"L7 protocol {_FAMILIES[name]} is not supported on host egress"
    if direction == "ingress" and "dns" in families:
        yield "L7 protocol DNS is not supported on ingress: DNS rules are only for egress"


def _port(held: Mapping[str, Any], dns: bool, settings: Settings | None) -> Iterator[str]:
    port, protocol = held.get("port"), str(held.get("protocol") or "ANY").upper()
    extended = protocol in _EXTENDED and (settings is None or settings.version >= (1, 19))
    if protocol not in PROTOCOLS or (protocol in _EXTENDED and not extended):
        yield f"invalid protocol {held.get('protocol')}: it must be one of {', '.join(PROTOCOLS)}"
    end = held.get("endPort")
    if end is not None and (isinstance(end, bool) or not isinstance(end, int) or not 0 <= end <= 65535):
        yield f"endPort {end} must be a number up to 65535"
    if port in (None, ""):
        if not extended:
            yield "port must be specified"
        return
    if not isinstance(port, str):
        yield f"port {port} must be a string: quote it"
        return
    if is_port_name(port):
        return
    number = port_number(port)
    if extended and port != "0":
        yield f"port must be empty or 0 for {protocol}"
    elif number is None:
        yield f"unable to parse port {port}: it is neither a number up to 65535 nor a name"
    elif dns and isinstance(end, int) and end > number:
        yield "DNS rules do not support port ranges"


def _above(held: Mapping[str, Any], ports: Sequence[Any], direction: str) -> Iterator[str]:
    """What is wrong above layer 4 on the ports of one item of `toPorts`."""
    rules = mapping(held.get("rules"))
    given = [name for name in (*_FAMILIES, "l7") if sequence(rules.get(name))]
    names = sequence(held.get("serverNames"))
    if names and given and held.get("terminatingTLS") is None:
        yield "serverNames are not allowed with L7 rules without TLS termination"
    for name in names:
        if not name or not isinstance(name, str):
            yield "an empty server name is not allowed"
        elif len(name) > MAX_LENGTH or not _SERVER_NAME.fullmatch(name):
            yield f"invalid server name {name}"
    if given and "dns" not in given:
        for port in ports:
            protocol = str(mapping(port).get("protocol") or "ANY").upper()
            if protocol != "TCP":
                yield f"L7 rules can only apply to TCP (not {protocol}), apart from DNS rules"
    if (listener := held.get("listener")) is not None:
        yield from _listener(mapping(listener), bool(given), direction)
    if not given:
        return
    if any(port_number(str(mapping(port).get("port") or "")) == 0 for port in ports):
        yield "L7 rules cannot be used when a port is 0"
    yield from _layer7(rules, ports)


def _listener(listener: Mapping[str, Any], layer7: bool, direction: str) -> Iterator[str]:
    name, config = listener.get("name"), mapping(listener.get("envoyConfig"))
    if direction == "ingress":
        yield f"a listener is not allowed on ingress ({name})"
    if layer7:
        yield f"a listener is not allowed with L7 rules ({name})"
    if not name or not config.get("name"):
        yield "a listener needs a name and an envoyConfig with a name"


def _layer7(rules: Mapping[str, Any], ports: Sequence[Any]) -> Iterator[str]:
    # A family counts when its list is there, also when it is empty.
    kinds = [name for name in _FAMILIES if rules.get(name) is not None]
    if rules.get("l7proto"):
        kinds.append("l7proto")
    elif rules.get("l7") is not None:
        yield "l7 needs an l7proto"
    if len(kinds) > 1:
        yield f"only one kind of L7 rules is allowed, not {' and '.join(kinds)}"
    for each in sequence(rules.get("http")):
        yield from _http(mapping(each))
    for each in sequence(rules.get("kafka")):
        yield from _kafka(mapping(each))
    if sequence(rules.get("dns")) and not ports:
        yield "DNS rules need a port"
    for each in sequence(rules.get("dns")):
        yield from dns_problems(mapping(each))
    for each in sequence(rules.get("l7")):
        if "" in mapping(each):
            yield "an empty key is not allowed in l7"


def _http(held: Mapping[str, Any]) -> Iterator[str]:
    for name in ("path", "method"):
        text = held.get(name)
        if text and (not isinstance(text, str) or not sound(text)):
            yield f"{name} {text} is no regular expression"
    for each in sequence(held.get("headerMatches")):
        match = mapping(each)
        if not match.get("name"):
            yield "a header match needs a name"
        if str(match.get("mismatch") or "") not in _MISMATCHES:
            yield f"invalid header action {match['mismatch']}: it is one of {', '.join(_MISMATCHES[1:])}"
        if match.get("secret") is not None and not mapping(match["secret"]).get("name"):
            yield "the secret of a header match needs a name"


def _kafka(held: Mapping[str, Any]) -> Iterator[str]:
    role, key, version, topic = (str(held.get(name) or "") for name in ("role", "apiKey", "apiVersion", "topic"))
    if role and key:
        yield "Kafka role and apiKey exclude each other"
    if key and key.lower() not in KAFKA_KEYS:
        yield f"invalid Kafka apiKey {key}"
    if role and role.lower() not in ("produce", "consume"):
        yield f"invalid Kafka role {role}: it is produce or consume"
    if version and not (version.isascii() and version.isdigit() and int(version) <= 32767):
        yield f"invalid Kafka apiVersion {version}"
    if len(topic) > MAX_LENGTH:
        yield f"the Kafka topic is longer than {MAX_LENGTH} characters"
    elif topic and not _TOPIC.fullmatch(topic):
        yield f"invalid Kafka topic {topic}"


def icmp_problems(items: Sequence[Any], settings: Settings | None) -> Iterator[str]:
    """What is wrong with `icmps`."""
    for each in items:
        fields = sequence(mapping(each).get("fields"))
        if len(fields) > MAX_PORTS:
            yield f"too many ICMP types: {len(fields)}, at most {MAX_PORTS} are allowed"
        for field in fields:
            yield from _icmp(mapping(field), settings)


def _icmp(field: Mapping[str, Any], settings: Settings | None) -> Iterator[str]:
    family, kind = str(field.get("family") or "IPv4"), field.get("type")
    if family not in ICMP_TYPES:
        yield f"wrong ICMP family {family}: it is IPv4 or IPv6"
        return
    text = str(kind)
    if kind is None or isinstance(kind, bool):
        yield "an ICMP field needs a type"
    elif text.isascii() and text.isdigit():
        if int(text) > 255:
            yield f"ICMP type {text} is above 255"
    elif text not in ICMP_TYPES[family]:
        yield f"ICMP type {text} is not known for {family}"
    elif settings and settings.version < (1, 16):
        yield f"ICMP types are numbers before 1.16, not {text}"


def knp_port_problems(items: Sequence[Any]) -> Iterator[str]:
    """What is wrong with the ports of a rule of a NetworkPolicy."""
    for each in items:
        held = mapping(each)
        protocol, port, end = held.get("protocol"), held.get("port"), held.get("endPort")
        if protocol is not None and protocol not in ("TCP", "UDP", "SCTP"):
            yield f"invalid protocol {protocol}: it is TCP, UDP or SCTP"
        if isinstance(port, int) and not isinstance(port, bool):
            if not 1 <= port <= 65535:
                yield f"port {port} is not between 1 and 65535"
        elif port is not None and not (isinstance(port, str) and is_port_name(port)):
            yield f"port {port} is neither a number nor a name"
        if end is not None and (not isinstance(port, int) or not isinstance(end, int) or not port <= end <= 65535):
            yield f"endPort {end} needs a port in numbers that is not above it"


def dns_problems(held: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the name or pattern of a DNS rule or of an item of toFQDNs."""
    name, pattern = str(held.get("matchName") or ""), str(held.get("matchPattern") or "")
    if name and not _MATCH_NAME.fullmatch(name):
        yield f"invalid characters in matchName {name}: only letters, digits and . - _ are allowed"
    if pattern and not _MATCH_PATTERN.fullmatch(pattern):
        yield f"invalid characters in matchPattern {pattern}: only letters, digits and . - _ * are allowed"
    for field, text in (("matchName", name), ("matchPattern", pattern)):
        if len(text) > MAX_LENGTH:
            yield f"{field} is longer than {MAX_LENGTH} characters"
