"""Is a policy valid? The operator's condition says so; without it, what can be checked exactly without a cluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.model import Settings
from tui.domain.cilium.policy import CNP, KNP, SECTIONS, Policy, mapping, rules, sequence

ENTITIES = frozenset(
    [
        "all",
        "world",
        "world-ipv4",
        "world-ipv6",
        "cluster",
        "host",
        "remote-node",
        "kube-apiserver",
        "health",
        "init",
        "ingress",
        "unmanaged",
        "none",
    ]
)
PROTOCOLS = frozenset(["ANY", "TCP", "UDP", "SCTP", "VRRP", "IGMP"])  # ICMP has fields of its own
MAX_PORTS = 40
_PEERS = tuple(
    f"{way}{noun}" for way in ("from", "to") for noun in ["Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes", "FQDNs"]
)
_PEERS += ("toServices", "toGroups", "fromGroups")


def validity(policy: Policy, resource: str) -> tuple[str, str]:
    """(Valid | Invalid | Unknown | "", reason). "" for NetworkPolicies: the API server refuses invalid ones.

    Cilium 1.16 and later write the condition `Valid`; where it is missing, a rule that Cilium is known to reject makes
    the policy Invalid, and otherwise nobody knows: absent is not valid.
    """
    if resource == KNP:
        return "", ""
    for condition in (policy.status.conditions if policy.status else None) or ():
        if condition.type == "Valid":
            return {"True": "Valid", "False": "Invalid"}.get(condition.status, "Unknown"), condition.message
    found = problems(policy, resource)
    return ("Invalid", f"not checked by Cilium yet; {found[0]}") if found else ("Unknown", "Cilium has not said")


def problems(policy: Policy, resource: str, settings: Settings | None = None) -> list[str]:
    """Why Cilium will reject this policy, as far as its text tells that exactly; [] when nothing is found."""
    if resource == KNP:
        return []
    every = rules(policy, resource)
    if not every:
        return ["it has neither spec nor specs"]
    found: list[str] = []
    for rule in every:
        found.extend(_of_rule(rule.raw, resource))
        if settings and settings.version >= (1, 18) and not any(rule.sections.values()):
            found.append("rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny")
        for section in SECTIONS:
            for index, entry in enumerate(rule.sections[section] or ()):
                found.extend(f"{section}[{index}]: {text}" for text in _of_entry(mapping(entry), section, rule.nodes))
                held = mapping(entry)
                if settings and not settings.node_selector_labels and (held.get("fromNodes") or held.get("toNodes")):
                    found.append("FromNodes/ToNodes rules need enable-node-selector-labels")
    return found


def _of_rule(raw: Mapping[str, Any], resource: str) -> Iterator[str]:
    has_endpoints, has_nodes = raw.get("endpointSelector") is not None, raw.get("nodeSelector") is not None
    if has_endpoints and has_nodes:
        yield "endpointSelector and nodeSelector exclude each other"
    elif not has_endpoints and not has_nodes:
        yield "it needs an endpointSelector or a nodeSelector"
    elif has_nodes and resource == CNP:
        yield "nodeSelector is only for CiliumClusterwideNetworkPolicy"


def _of_entry(entry: Mapping[str, Any], section: str, nodes: bool) -> Iterator[str]:
    used = [field for field in _PEERS if entry.get(field)]
    if len(used) > 1:
        yield f"{used[0]} cannot be combined with {used[1]}"
    for field in ("fromEntities", "toEntities"):
        for entity in sequence(entry.get(field)):
            if str(entity) not in ENTITIES:
                yield f"unknown entity {entity}"
    for field in ("fromCIDR", "toCIDR"):
        for value in sequence(entry.get(field)):
            if _network(value) is None:
                yield f"{value} is no CIDR"
    for field in ("fromCIDRSet", "toCIDRSet"):
        for value in sequence(entry.get(field)):
            yield from _of_cidr_rule(mapping(value))
    if entry.get("icmps") and entry.get("toPorts"):
        yield "icmps cannot be combined with toPorts"
    for ports in sequence(entry.get("toPorts")):
        yield from _of_ports(mapping(ports), section)
        if nodes and any(mapping(mapping(ports).get("rules")).get(name) for name in ("http", "kafka", "l7")):
            yield "host policies cannot have rules above layer 4, DNS apart"


def _of_cidr_rule(held: Mapping[str, Any]) -> Iterator[str]:
    given = [name for name in ("cidr", "cidrGroupRef", "cidrGroupSelector") if held.get(name)]
    if len(given) > 1:
        yield f"{given[0]} cannot be combined with {given[1]}"
    if not held.get("cidr"):
        return
    outer = _network(held["cidr"])
    if outer is None:
        yield f"{held['cidr']} is no CIDR"
        return
    for hole in sequence(held.get("except")):
        inner = _network(hole)
        if inner is None:
            yield f"{hole} is no CIDR"
        elif inner.version != outer.version or not inner.subnet_of(outer):  # type: ignore[arg-type]
            yield f"except {hole} is not inside {held['cidr']}"


def _network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return None


def _of_ports(held: Mapping[str, Any], section: str) -> Iterator[str]:
    ports = [mapping(each) for each in sequence(held.get("ports"))]
    if len(ports) > MAX_PORTS:
        yield f"{len(ports)} ports, at most {MAX_PORTS} are allowed"
    for port in ports:
        protocol = str(port.get("protocol") or "ANY").upper()
        if protocol not in PROTOCOLS:
            yield f"unknown protocol {port['protocol']}"
        number = str(port.get("port", ""))
        if number.isdigit() and int(number) > 65535:
            yield f"port {number} is too large"
    above = {name for name in ("http", "kafka", "dns", "l7") if mapping(held.get("rules")).get(name)}
    if not above:
        return
    if section.endswith("Deny"):
        yield "rules above layer 4 are not allowed in deny entries"
    if len(above) > 1:
        yield f"only one protocol above layer 4, not {' and '.join(sorted(above))}"
    if "dns" in above and section != "egress":
        yield "DNS rules are only for egress"
    for port in ports:
        protocol = str(port.get("protocol") or "ANY").upper()
        if protocol != "TCP" and not ("dns" in above and protocol in ("UDP", "ANY")):
            yield f"{'/'.join(sorted(above))} rules need protocol TCP, not {protocol}"
        if str(port.get("port", "")) == "0":
            yield "rules above layer 4 need a port"
        if "dns" in above and port.get("endPort"):
            yield "DNS rules cannot be on a port range"
