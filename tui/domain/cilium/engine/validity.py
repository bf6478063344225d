"""Is a policy valid? The operator's condition says so; without it, the checks that Cilium itself makes.

Rules: Cilium `pkg/policy/api/rule_validation.go`, `pkg/policy/api/icmp.go`, Kubernetes' checks of label selectors, the
custom resources' schema where it says more (1.19), and what earlier versions do otherwise. Ports are in
`portchecks.py`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from tui.domain.cilium.engine.portchecks import MAX_PORTS as MAX_PORTS
from tui.domain.cilium.engine.portchecks import dns_problems, icmp_problems, knp_port_problems, port_problems
from tui.domain.cilium.engine.selectors import split_key
from tui.domain.cilium.engine.shape import shape_problems
from tui.domain.cilium.model import Settings
from tui.domain.cilium.policy import CNP, KNP, SECTIONS, Policy, mapping, sequence

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
_OF_ONE_FAMILY = ("world-ipv4", "world-ipv6")  # since 1.15
_PEERS = {
    "ingress": ("fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities", "fromNodes", "fromGroups"),
    "egress": (
        "toEndpoints",
        "toCIDR",
        "toCIDRSet",
        "toEntities",
        "toServices",
        "toGroups",
        "toNodes",
        "toFQDNs",
    ),
}
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MODES = ("required", "disabled", "test-always-fail")


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
    """Why Cilium rejects this policy, each with the entry it is in; [] when it takes it.

    Without settings nothing is known of the agents: only what every version rejects with any settings is told.
    """
    if resource == KNP:
        return list(_network_policy(policy))
    if policy.spec is None and policy.specs is None:
        return ["it has neither spec nor specs"]
    found: list[str] = []
    specs = [("", policy.spec)] if policy.spec is not None else []
    specs += [(f"specs[{index}]", each) for index, each in enumerate(sequence(policy.specs))]
    if policy.specs is not None and not isinstance(policy.specs, list | tuple):
        found.append("specs must be a list")
    for path, spec in specs:
        if isinstance(spec, Mapping):
            lead = f"{path}." if path else ""
            found.extend(list(_rule(spec, path, resource, settings)) or (lead + text for text in shape_problems(spec)))
        else:
            found.append(f"{path or 'spec'} must be a mapping")
    return found


def _rule(spec: Mapping[str, Any], path: str, resource: str, settings: Settings | None) -> Iterator[str]:
    lead = f"{path}: " if path else ""
    if settings and settings.version >= (1, 18) and not any(sequence(spec.get(name)) for name in SECTIONS):
        yield f"{lead}a rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny"
    yield from (lead + text for text in _subject(spec, resource))
    nodes = spec.get("endpointSelector") is None and spec.get("nodeSelector") is not None
    for section in SECTIONS:
        entries = spec.get(section)
        if entries is not None and not isinstance(entries, list | tuple):
            yield f"{lead}{section} must be a list"
        for index, entry in enumerate(sequence(entries)):
            place = f"{path}.{section}[{index}]" if path else f"{section}[{index}]"
            if isinstance(entry, Mapping):
                yield from (f"{place}: {text}" for text in _entry(entry, section, nodes, settings))
            elif entry is not None:
                yield f"{place}: it must be a mapping"
    default_deny = spec.get("enableDefaultDeny")
    for name, value in mapping(default_deny).items():
        if name in ("ingress", "egress") and value is not None and not isinstance(value, bool):
            yield f"{lead}enableDefaultDeny.{name} must be true or false"


def _subject(spec: Mapping[str, Any], resource: str) -> Iterator[str]:
    endpoints, nodes = spec.get("endpointSelector"), spec.get("nodeSelector")
    if endpoints is not None and nodes is not None:
        yield "EndpointSelector and NodeSelector exclude each other"
    elif endpoints is None and nodes is None:
        yield "it must have an EndpointSelector or a NodeSelector"
    elif nodes is not None and resource == CNP:
        yield "NodeSelector is only for CiliumClusterwideNetworkPolicy"
    for selector in (endpoints, nodes):
        if selector is not None:
            yield from selector_problems(selector)


def _entry(entry: Mapping[str, Any], section: str, nodes: bool, settings: Settings | None) -> Iterator[str]:
    direction, deny = section.removesuffix("Deny"), section.endswith("Deny")
    yield from _peers(entry, direction, deny, settings)
    if sequence(entry.get("icmps")):
        if settings and not settings.icmp_rules:
            yield "ICMP rules need enable-icmp-rules"
        if sequence(entry.get("toPorts")):
            yield "ICMP rules cannot be combined with toPorts: give them an entry of their own"
    yield from port_problems(sequence(entry.get("toPorts")), direction, deny, nodes, settings)
    yield from icmp_problems(sequence(entry.get("icmps")), settings)
    if not deny and (authentication := entry.get("authentication")) is not None:
        mode = mapping(authentication).get("mode")
        if mode not in _MODES:
            yield f"authentication mode {mode} is none of {', '.join(_MODES)}"


def _peers(entry: Mapping[str, Any], direction: str, deny: bool, settings: Settings | None) -> Iterator[str]:
    fields = [name for name in _PEERS[direction] if name != "toFQDNs" or not deny]
    for name in fields:
        if entry.get(name) is not None and not isinstance(entry[name], list | tuple):
            yield f"{name} must be a list"
    used = [name for name in fields if sequence(entry.get(name))]
    if len(used) > 1:
        yield f"combining {_title(used[0])} and {_title(used[1])} is not supported"
    if "toServices" in used and sequence(entry.get("toPorts")) and settings and (1, 14) <= settings.version < (1, 17):
        yield "combining ToServices and ToPorts is not supported before 1.17"
    way = "from" if direction == "ingress" else "to"
    nodes = f"{way}Nodes" in used and settings is not None and settings.version >= (1, 16)
    if nodes and settings and not settings.node_selector_labels:
        yield "FromNodes/ToNodes rules need enable-node-selector-labels"
    required = (f"{way}Requires",) if settings and settings.version <= (1, 18) else ()  # later versions prune it
    for name in (f"{way}Endpoints", f"{way}Nodes", *required):
        for selector in sequence(entry.get(name)):
            yield from selector_problems(selector)
    for value in sequence(entry.get(f"{way}CIDR")):
        if not isinstance(value, str) or (_prefix(value) is None and _address(value) is None):
            yield f"{value} is no CIDR"
    for value in sequence(entry.get(f"{way}CIDRSet")):
        yield from _cidr_rule(mapping(value), settings)
    for entity in sequence(entry.get(f"{way}Entities")):
        if (
            not isinstance(entity, str)
            or entity not in ENTITIES
            or (settings and settings.version < (1, 15) and entity in _OF_ONE_FAMILY)
        ):
            yield f"unsupported entity {entity}"
    if "toFQDNs" in used:
        for value in sequence(entry.get("toFQDNs")):
            yield from name_problems(mapping(value))


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _cidr_rule(held: Mapping[str, Any], settings: Settings | None) -> Iterator[str]:
    known = ["cidr", "cidrGroupRef", "cidrGroupSelector"]
    if settings and settings.version < (1, 17):
        known.remove("cidrGroupSelector")
    given = [name for name in known if held.get(name) not in (None, "")]
    if not given:
        yield f"one of {', '.join(known)} is required"
    if len(given) > 1:
        yield f"{given[0]} cannot be combined with {given[1]}"
    if held.get("cidrGroupSelector") is not None:
        yield from selector_problems(held["cidrGroupSelector"], "cidrgroup")
    if given != ["cidr"]:
        return
    outer = _prefix(str(held["cidr"]))
    if outer is None:
        yield f"{held['cidr']} is no CIDR" if _address(str(held["cidr"])) is None else f"{held['cidr']} has no prefix"
        return
    for hole in sequence(held.get("except")):
        inner = _prefix(str(hole))
        if inner is None:
            yield f"except {hole} is no CIDR"
        elif inner.version != outer.version or inner.network_address not in outer:
            yield f"except {hole} is not contained in {held['cidr']}"


@lru_cache(maxsize=16384)
def _prefix(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A prefix with its length in digits; None when it is none, a mask or a bare address included."""
    _, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or (len(length) > 1 and length[0] == "0"):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def name_problems(held: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an item of toFQDNs."""
    name, pattern = held.get("matchName") or "", held.get("matchPattern") or ""
    if name and pattern:
        yield "matchName and matchPattern exclude each other"
    if not name and not pattern:
        yield "an item of toFQDNs needs a matchName or a matchPattern"
    yield from dns_problems(held)


def selector_problems(selector: Any, source: str = "") -> Iterator[str]:
    """What is wrong with a label selector; `source` is the one of all its keys, where keys name none."""
    if not isinstance(selector, Mapping):
        yield "a selector must be a mapping"
        return
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    if labels is not None and not isinstance(labels, Mapping):
        yield "matchLabels must be a mapping"
    if expressions is not None and not isinstance(expressions, list | tuple):
        yield "matchExpressions must be a list"
    for key, value in mapping(labels).items():
        yield from _key(str(key), source)
        yield from _value(value)
    for each in sequence(expressions):
        held = mapping(each)
        operator, values = held.get("operator"), sequence(held.get("values"))
        if operator not in _OPERATORS:
            yield f"{operator} is no valid selector operator: it is one of {', '.join(_OPERATORS)}"
        elif operator in ("In", "NotIn") and not values:
            yield f"operator {operator} needs values"
        elif operator in ("Exists", "DoesNotExist") and values:
            yield f"operator {operator} takes no values"
        yield from _key(str(held.get("key") or ""), source)
        for value in values:
            yield from _value(value)


def _key(key: str, source: str) -> Iterator[str]:
    """A key is checked as Cilium keeps it: `source.key`, a name of at most 63 characters behind a DNS prefix."""
    found, rest = (source, key) if source else split_key(key)
    full = f"{found}.{rest}"
    prefix, slash, name = full.partition("/")
    if not slash:
        prefix, name = "", full
    sound = _NAME.fullmatch(name) and len(name) <= 63
    if slash and not (_SUBDOMAIN.fullmatch(prefix) and len(prefix) <= 253):
        sound = None
    if not sound:
        yield f"invalid label key {key}"


def _value(value: Any) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, str):
        yield f"label value {value} must be a string: quote it"
    elif value and not (_NAME.fullmatch(value) and len(value) <= 63):
        yield f"invalid label value {value}"


def _network_policy(policy: Policy) -> Iterator[str]:
    """What Cilium cannot read in a NetworkPolicy, and the API server therefore does not take either."""
    spec = mapping(policy.spec)
    yield from selector_problems(spec.get("podSelector") or {}, "k8s")
    for direction, field in (("ingress", "from"), ("egress", "to")):
        for index, raw in enumerate(sequence(spec.get(direction))):
            rule = mapping(raw)
            found = [text for peer in sequence(rule.get(field)) for text in _network_policy_peer(mapping(peer))]
            found += knp_port_problems(sequence(rule.get("ports")))
            yield from (f"{direction}[{index}]: {text}" for text in found)
    for each in sequence(spec.get("policyTypes")):
        if each not in ("Ingress", "Egress"):
            yield f"policyTypes: {each} is neither Ingress nor Egress"


def _network_policy_peer(peer: Mapping[str, Any]) -> Iterator[str]:
    selectors = [peer[name] for name in ("podSelector", "namespaceSelector") if peer.get(name) is not None]
    for selector in selectors:
        yield from selector_problems(selector, "k8s")
    block = peer.get("ipBlock")
    if block is None and not selectors:
        yield "a peer needs a podSelector, a namespaceSelector or an ipBlock"
    if block is not None:
        if selectors:
            yield "ipBlock cannot be combined with selectors"
        for value in (mapping(block).get("cidr"), *sequence(mapping(block).get("except"))):
            if _prefix(str(value)) is None:
                yield f"{value} is no CIDR"
