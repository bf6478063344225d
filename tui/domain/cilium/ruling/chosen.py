"""What an entry that is there was chosen as: the way back from `spelling`, for entries that a form can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.impacts.comparing import canonical
from tui.domain.cilium.model import Direction, HttpRule
from tui.domain.cilium.policy import KNP, NAMESPACE_KEY, NAMESPACE_LABELS, bare, mapping, sequence
from tui.domain.cilium.ruling.choice import (
    Chosen,
    Cidr,
    Entity,
    Fqdn,
    Group,
    Icmp,
    NewRule,
    Nodes,
    Pods,
    Port,
    ToService,
)
from tui.domain.cilium.ruling.spelling import entry as spelled
from tui.domain.yamledit import Refused

_CLUSTER = "io.cilium.k8s.policy.cluster"
_NAME_LABEL = "kubernetes.io/metadata.name"


def chosen(entry: Mapping[str, Any], section: str, resource: str) -> NewRule | None:
    """The choice that means this entry; None when a form cannot say it (groups of a cloud, Kafka, expressions …).

    What is given back has been spelled again and compared: it means what the entry means.
    """
    direction: Direction = "ingress" if section.startswith("ingress") else "egress"
    try:
        peers = tuple(_kubernetes_peers(entry) if resource == KNP else _cilium_peers(entry, direction))
        rule = NewRule(
            direction,
            peers or None,
            tuple(_ports(entry, resource)),
            tuple(_icmps(entry)),
            section.endswith("Deny"),
            *_above(entry),
            authentication=str(mapping(entry.get("authentication")).get("mode") or ""),
        )
        again = spelled(rule, resource)
    except (Refused, ValueError, _Unsayable):
        return None
    return rule if _meant(again, resource) == _meant(entry, resource) else None


class _Unsayable(Exception):
    """A form has no words for it."""


def _meant(entry: Mapping[str, Any], resource: str) -> Any:
    """The entry with defaults written out and label keys bare, comparable."""
    made: dict[str, Any] = {}
    for key, value in entry.items():
        if key in ("from", "to") and not value:
            continue
        if key in ("toPorts", "ports"):
            made[key] = [_with_protocol(each, resource) for each in sequence(value)]
        else:
            made[key.replace("CIDRSet", "CIDR")] = [_plain(each) for each in sequence(value)] or value
    return canonical(made)


def _with_protocol(held: Any, resource: str) -> Any:
    held = mapping(held)
    if "ports" in held:
        return {**held, "ports": [_with_protocol(each, resource) for each in sequence(held["ports"])]}
    default = "TCP" if resource == KNP else "ANY"
    number = {"port": str(held["port"])} if "port" in held else {"port": "0"}
    return {**held, **number, "protocol": str(held.get("protocol") or default).upper()}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return {"cidr": _whole(value)} if _numeric(value) else value
    made: dict[str, Any] = {}
    for key, part in mapping(value).items():
        if key == "matchLabels":
            made |= {key: {bare(str(name)): each for name, each in mapping(part).items()}} if part else {}
        elif part or key in ("podSelector", "namespaceSelector"):
            made[key] = _plain(part) if isinstance(part, Mapping) else part
    return made


def _whole(address: str) -> str:
    return address if "/" in address else f"{address}/{128 if ':' in address else 32}"


def _numeric(value: str) -> bool:
    return ":" in value or value[:1].isdigit()


# -- peers ---------------------------------------------------------------------------------------------------------


def _cilium_peers(entry: Mapping[str, Any], direction: Direction) -> Iterator[Chosen]:
    lead = "from" if direction == "ingress" else "to"
    for field, value in entry.items():
        if not field.startswith(lead) or field == "toPorts":
            continue
        for each in sequence(value):
            yield _cilium_peer(field.removeprefix(lead), each)


def _cilium_peer(noun: str, each: Any) -> Chosen:
    held = mapping(each)
    match noun:
        case "Endpoints":
            return _pods(held)
        case "Entities":
            return Entity(str(each))
        case "CIDR":
            return Cidr(str(each))
        case "CIDRSet" if held.get("cidrGroupRef"):
            return Group(str(held["cidrGroupRef"]))
        case "CIDRSet" if held.get("cidr"):
            return Cidr(str(held["cidr"]), tuple(str(hole) for hole in sequence(held.get("except"))))
        case "FQDNs":
            return Fqdn(str(held.get("matchName") or held.get("matchPattern") or ""))
        case "Services" if named := mapping(held.get("k8sService")):
            return ToService(str(named.get("namespace") or ""), str(named.get("serviceName") or ""))
        case "Nodes":
            return Nodes(_labels(held))
    raise _Unsayable


def _labels(selector: Mapping[str, Any]) -> dict[str, str]:
    if selector.get("matchExpressions"):
        raise _Unsayable
    return {
        str(key): "" if value is None else str(value) for key, value in mapping(selector.get("matchLabels")).items()
    }


def _pods(selector: Mapping[str, Any]) -> Pods:
    every = [{"key": f"k8s:{NAMESPACE_KEY}", "operator": "Exists"}]
    anywhere = canonical(selector.get("matchExpressions")) == canonical(every)
    told = _labels({"matchLabels": selector.get("matchLabels")} if anywhere else selector)
    labels: dict[str, str] = {}
    spaces: dict[str, str] = {}
    namespace, cluster = "*" if anywhere else "", ""
    for key, value in told.items():
        name = bare(key)
        if name == NAMESPACE_KEY:
            namespace = value
        elif name == _CLUSTER:
            cluster = value
        elif name.startswith(NAMESPACE_LABELS):
            spaces[name.removeprefix(NAMESPACE_LABELS)] = value
        else:
            labels[key] = value
    return Pods(labels, namespace, spaces, cluster)


def _kubernetes_peers(entry: Mapping[str, Any]) -> Iterator[Chosen]:
    for each in (*sequence(entry.get("from")), *sequence(entry.get("to"))):
        held = mapping(each)
        if block := mapping(held.get("ipBlock")):
            yield Cidr(str(block.get("cidr")), tuple(str(hole) for hole in sequence(block.get("except"))))
            continue
        labels, spaces = _labels(mapping(held.get("podSelector"))), held.get("namespaceSelector")
        if spaces is None:
            yield Pods(labels)
            continue
        chosen_spaces = _labels(mapping(spaces))
        if not chosen_spaces:
            yield Pods(labels, "*")
        elif set(chosen_spaces) == {_NAME_LABEL}:
            yield Pods(labels, chosen_spaces[_NAME_LABEL])
        else:
            yield Pods(labels, "", chosen_spaces)


# -- ports ---------------------------------------------------------------------------------------------------------


def _ports(entry: Mapping[str, Any], resource: str) -> Iterator[Port]:
    default = "TCP" if resource == KNP else "ANY"
    lists = [entry] if resource == KNP else [mapping(each) for each in sequence(entry.get("toPorts"))]
    for held in lists:
        for port in map(mapping, sequence(held.get("ports"))):
            number = str(port.get("port", "0"))
            end = int(port.get("endPort") or 0)
            yield Port(number, str(port.get("protocol") or default).upper(), end)


def _icmps(entry: Mapping[str, Any]) -> Iterator[Icmp]:
    for held in sequence(entry.get("icmps")):
        for field in map(mapping, sequence(mapping(held).get("fields"))):
            yield Icmp(str(field.get("type")), str(field.get("family") or "IPv4"))


def _above(entry: Mapping[str, Any]) -> tuple[tuple[HttpRule, ...], tuple[str, ...], tuple[str, ...]]:
    """(http, dns, server names) of the only list of ports; where there are several, none may ask for anything."""
    asked = [mapping(each) for each in sequence(entry.get("toPorts")) if set(mapping(each)) - {"ports"}]
    if not asked:
        return (), (), ()
    if len(sequence(entry.get("toPorts"))) > 1:
        raise _Unsayable
    told = mapping(asked[0].get("rules"))
    http = tuple(map(_http, map(mapping, sequence(told.get("http")))))
    dns = tuple(
        str(each.get("matchName") or each.get("matchPattern")) for each in map(mapping, sequence(told.get("dns")))
    )
    return http, dns, tuple(str(each) for each in sequence(asked[0].get("serverNames")))


def _http(rule: Mapping[str, Any]) -> HttpRule:
    method, path, host = (str(rule.get(name) or "") for name in ("method", "path", "host"))
    return HttpRule(method, path, host, tuple(str(each) for each in sequence(rule.get("headers"))))
