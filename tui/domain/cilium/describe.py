"""A policy in words: sentences for its detail view, one readable line for the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tui.domain.cilium.policy import (
    CCNP,
    KNP,
    NAMESPACE_KEY,
    NAMESPACE_LABELS,
    SECTIONS,
    Policy,
    Rule,
    bare,
    enforced,
    mapping,
    rules,
    sequence,
)

_PEER_FIELDS = {
    "ingress": ("fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes", "fromGroups", "fromRequires"),
    "egress": (
        "toEndpoints",
        "toEntities",
        "toCIDR",
        "toCIDRSet",
        "toNodes",
        "toFQDNs",
        "toServices",
        "toGroups",
        "toRequires",
    ),
}


def one_line(policy: Policy, resource: str) -> str:
    """The rules in one line: `in: app=web → TCP 8080; out: *.example.com → TCP 443; deny out: world`."""
    parts = []
    for rule in rules(policy, resource):
        for section in SECTIONS:
            entries = rule.sections[section]
            if entries is None:
                continue
            words = [_entry(entry, section, resource, short=True) for entry in entries]
            text = " | ".join(word for word in words if word)
            direction = section.removesuffix("Deny")
            label = ("deny " if section.endswith("Deny") else "") + ("in" if direction == "ingress" else "out")
            if text:
                parts.append(f"{label}: {text}")
            elif enforced(rule, direction, resource):
                parts.append(f"{label}: nothing")
    return "; ".join(parts)


def sentences(policy: Policy, resource: str) -> list[str]:
    """What the policy says, a sentence each: whom it selects, what it allows and denies, what it enforces."""
    every = rules(policy, resource)
    if not every:
        return ["It has no rules that can be read."]
    found: list[str] = []
    for number, rule in enumerate(every, 1):
        lead = f"Rule {number}: " if len(every) > 1 else ""
        found.append(lead + _subject(rule, policy.metadata.namespace, resource))
        if rule.description:
            found.append(f"Its description: {rule.description}")
        for section in SECTIONS:
            found.extend(_section(rule, section, resource))
    return found


def subject(rule: Rule, namespace: str, resource: str) -> str:
    """Whom a rule selects, in a few words."""
    if rule.selector is None:
        return "nothing that can be read"
    if rule.nodes:
        return "every node" if not any(rule.selector.values()) else f"nodes with {selector_text(rule.selector)}"
    scope = "in the whole cluster" if resource == CCNP else f"in namespace {namespace}"
    noun = "pods" if resource == KNP else "endpoints"
    if not any(rule.selector.values()):
        return f"every {noun[:-1]} {scope}"
    return f"{noun} with {selector_text(rule.selector)} {scope}"


def entry_text(entry: Any, section: str, resource: str) -> str:
    """An entry of a section in a few words: `app=web → TCP 8080`; "" when it allows nothing."""
    return _entry(entry, section, resource, short=True)


def _subject(rule: Rule, namespace: str, resource: str) -> str:
    return f"It selects {subject(rule, namespace, resource)}."


def _section(rule: Rule, section: str, resource: str) -> list[str]:
    entries = rule.sections[section]
    if entries is None:
        return []
    direction, deny = section.removesuffix("Deny"), section.endswith("Deny")
    verb = "Denies" if deny else "Allows"
    way = "from" if direction == "ingress" else "to"
    found = []
    for entry in entries:
        if text := _entry(entry, section, resource, short=False):
            found.append(f"{verb} {direction} {way} {text}.")
    if deny:
        return found
    if enforced(rule, direction, resource):
        found.append(f"{'All other' if found else 'All'} {direction} is denied, unless another policy allows it.")
    elif entries:
        found.append(f"It does not switch on default deny for {direction}.")
    return found


def _entry(entry: Any, section: str, resource: str, short: bool) -> str:
    """One entry: its peers and its ports. "" when it allows nothing."""
    if not isinstance(entry, Mapping):
        return ""
    direction = section.removesuffix("Deny")
    if resource == KNP:
        return _knp_entry(entry, direction, short)
    peers = _peers(entry, direction, resource, short)
    ports = [_port_rule(each) for each in sequence(entry.get("toPorts"))]
    ports += [_icmp(each) for each in sequence(entry.get("icmps"))]
    reached = [text for text in ports if text]
    if peers is None:  # no peer field: any peer on the given ports, nothing without ports
        if not reached:
            return ""
        peers = "any" if short else "any peer"
    elif entry.get("toPorts") and not reached:
        return ""
    return _joined(peers, reached, short) if peers else ""


def _joined(peers: str, ports: list[str], short: bool) -> str:
    if not ports:
        return peers if short else f"{peers}, on any port"
    return f"{peers} → {', '.join(ports)}" if short else f"{peers} on {', '.join(ports)}"


def _peers(entry: Mapping[str, Any], direction: str, resource: str, short: bool) -> str | None:
    """The peers in words; None when no peer field is given, "" when one is given and matches nothing."""
    found: list[str] = []
    given = False
    for field in _PEER_FIELDS[direction]:
        value = entry.get(field)
        if value is None or (field == "toFQDNs" and not value):
            continue
        given = True
        word = _PEERS[field.removeprefix("from").removeprefix("to")]
        found.extend(filter(None, (word(each, resource, short) for each in sequence(value))))
    return ", ".join(found) if given else None


def _endpoints(selector: Any, resource: str, short: bool) -> str:
    if not any(mapping(selector).values()):
        return "every managed pod" if resource == CCNP else "every pod of the namespace"
    return selector_text(mapping(selector), short)


def _cidr(value: Any, resource: str, short: bool) -> str:
    if isinstance(value, str):
        return value
    held = mapping(value)
    if held.get("cidrGroupRef"):
        text = f"CIDR group {held['cidrGroupRef']}"
    elif held.get("cidrGroupSelector") is not None:
        text = f"CIDR groups with {selector_text(mapping(held['cidrGroupSelector']), short) or 'any label'}"
    else:
        text = str(held.get("cidr") or "")
    holes = ", ".join(str(each) for each in sequence(held.get("except")))
    return f"{text} except {holes}" if holes else text


def _fqdn(value: Any, resource: str, short: bool) -> str:
    held = mapping(value)
    return str(held.get("matchName") or held.get("matchPattern") or "")


def _service(value: Any, resource: str, short: bool) -> str:
    held = mapping(value)
    if named := mapping(held.get("k8sService")):
        namespace = named.get("namespace")
        return f"service {namespace}/{named.get('serviceName')}" if namespace else f"service {named.get('serviceName')}"
    chosen = mapping(held.get("k8sServiceSelector"))
    where = f" in {chosen['namespace']}" if chosen.get("namespace") else ""
    return f"services with {selector_text(mapping(chosen.get('selector')), short) or 'any label'}{where}"


def _group(value: Any, resource: str, short: bool) -> str:
    return "groups of " + (", ".join(mapping(value)) or "an unnamed provider")


_PEERS: dict[str, Callable[[Any, str, bool], str]] = {
    "Endpoints": _endpoints,
    "Entities": lambda value, resource, short: str(value),
    "CIDR": _cidr,
    "CIDRSet": _cidr,
    "Nodes": lambda value, resource, short: f"nodes with {selector_text(mapping(value), short) or 'any label'}",
    "FQDNs": _fqdn,
    "Services": _service,
    "Groups": _group,
    "Requires": lambda value, resource, short: f"only {selector_text(mapping(value), short) or 'any label'}",
}


def selector_text(selector: Mapping[str, Any], short: bool = False) -> str:
    """`app=web, tier in (a,b) in namespace shop`: a selector without source prefixes, its namespace last.

    `short` leaves out the word namespace behind other terms and the prefix of Kubernetes' recommended labels.
    """
    terms, places = [], []
    for key, value in mapping(selector.get("matchLabels")).items():
        name = bare(str(key))
        if name == NAMESPACE_KEY:
            places.append(str(value))
        else:
            terms.append(f"{_key(name, short)}={value}" if value not in ("", None) else _key(name, short))
    for expression in sequence(selector.get("matchExpressions")):
        terms.append(_expression(mapping(expression), short))
    text = ", ".join(filter(None, terms))
    where = ", ".join(places)
    if not where:
        return text
    return f"{text} in {where}" if text and short else " in ".join(filter(None, [text, f"namespace {where}"]))


def _key(name: str, short: bool) -> str:
    if short:
        name = name.removeprefix("app.kubernetes.io/")
    return f"namespace label {name[len(NAMESPACE_LABELS) :]}" if name.startswith(NAMESPACE_LABELS) else name


def _expression(expression: Mapping[str, Any], short: bool) -> str:
    key = bare(str(expression.get("key", "")))
    key = "namespace" if key == NAMESPACE_KEY else _key(key, short)
    values = ",".join(str(each) for each in sequence(expression.get("values")))
    match expression.get("operator"):
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} not in ({values})"
        case "Exists":
            return f"{key} set"
        case "DoesNotExist":
            return f"{key} not set"
    return f"{key} {expression.get('operator')} {values}"


def _port_rule(value: Any) -> str:
    """One of `toPorts`: its ports and what is asked of the protocol above. "" for `{}`: it matches nothing."""
    held = mapping(value)
    ports = [_port(mapping(each)) for each in sequence(held.get("ports"))]
    above = _l7(mapping(held.get("rules")))
    names = ", ".join(str(each) for each in sequence(held.get("serverNames")))
    extra = "; ".join(filter(None, [above, f"SNI {names}" if names else ""]))
    if not ports and not extra:
        return ""
    text = ", ".join(ports) or "any port"
    return f"{text} ({extra})" if extra else text


def _port(held: Mapping[str, Any]) -> str:
    number = str(held.get("port", "0"))
    end = held.get("endPort")
    span = f"{number}-{end}" if end and str(end) != number else number
    protocol = str(held.get("protocol") or "ANY")
    if number in ("0", ""):
        return "any port" if protocol == "ANY" else f"any {protocol} port"
    return f"port {span}" if protocol == "ANY" else f"{protocol} {span}"


def _l7(held: Mapping[str, Any]) -> str:
    found = []
    for each in sequence(held.get("http")):
        rule = mapping(each)
        parts = [str(rule[name]) for name in ("method", "host", "path") if rule.get(name)]
        found.append("HTTP " + (" ".join(parts) or "any"))
    for each in sequence(held.get("dns")):
        rule = mapping(each)
        found.append(f"DNS {rule.get('matchName') or rule.get('matchPattern') or 'any'}")
    found.extend(f"Kafka {mapping(each).get('topic') or 'any'}" for each in sequence(held.get("kafka")))
    if held.get("l7proto"):
        found.append(f"protocol {held['l7proto']}")
    return ", ".join(found)


def _icmp(value: Any) -> str:
    fields = (mapping(each) for each in sequence(mapping(value).get("fields")))
    return ", ".join(f"ICMP{'v6' if each.get('family') == 'IPv6' else ''} {each.get('type')}" for each in fields)


def _knp_entry(entry: Mapping[str, Any], direction: str, short: bool) -> str:
    """An entry of a NetworkPolicy: absent or empty peers and ports mean any."""
    peers = [
        _knp_peer(mapping(each), short) for each in sequence(entry.get("from" if direction == "ingress" else "to"))
    ]
    ports = [_knp_port(mapping(each)) for each in sequence(entry.get("ports"))]
    return _joined(", ".join(filter(None, peers)) or ("any" if short else "any peer"), ports, short)


def _knp_peer(peer: Mapping[str, Any], short: bool) -> str:
    if block := mapping(peer.get("ipBlock")):
        return _cidr(block, KNP, short)
    pods, spaces = peer.get("podSelector"), peer.get("namespaceSelector")
    who = selector_text(mapping(pods), short)
    if spaces is None:
        return who or "every pod of the namespace"
    where = selector_text(mapping(spaces), short)
    return f"{who or 'every pod'} in namespaces with {where}" if where else f"{who or 'every pod'} of every namespace"


def _knp_port(held: Mapping[str, Any]) -> str:
    protocol = str(held.get("protocol") or "TCP")
    if held.get("port") is None:
        return f"any {protocol} port"
    end = held.get("endPort")
    return f"{protocol} {held['port']}-{end}" if end else f"{protocol} {held['port']}"
