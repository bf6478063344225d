"""The form of a rule: its fields, what of the cluster each proposes, and what the answers mean.

Values are texts by field name, as `edits.Field` has them. Several answers in one field are separated by commas, of
pods and nodes, whose labels have the commas, by semicolons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from tui.domain.cilium.engine.validity import ENTITIES
from tui.domain.cilium.model import Direction, HttpRule
from tui.domain.cilium.policy import KNP
from tui.domain.cilium.ruling.catalogue import Catalogue, label_words, labels_of
from tui.domain.cilium.ruling.choice import (
    Chosen,
    Cidr,
    Entity,
    Fqdn,
    Group,
    NewRule,
    Nodes,
    Pods,
    ToService,
    port_word,
    ports_of,
)
from tui.domain.edits.base import Field
from tui.domain.yamledit import Refused

ANYBODY, PODS, ENTITY, CIDR, GROUP, NAME, SERVICE, NODES = (
    "anybody", "pods", "entity", "CIDR", "CIDR group", "DNS name", "service", "nodes",
)  # fmt: skip
EVERY = "every namespace"
EVERY_POD = "every pod"
OWN = ""
_NAMESPACE_LABELS = "labels: "  # before labels, in the field of the namespace
PLAIN, HTTP, DNS, SNI = "nothing", "HTTP", "DNS", "SNI"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
_DNS_PODS = "kube-dns"


def fields(
    catalogue: Catalogue,
    resource: str,
    namespace: str,
    subject: Mapping[str, str],
    chosen: Mapping[str, str],
    fixed: str = "",
) -> tuple[Field, ...]:
    """The fields of a rule of a policy in a namespace that selects pods by labels; `chosen` are the answers so far.

    `fixed`: the section it must stay in, "" for a new rule.
    """
    found: list[Field] = []
    direction = chosen.get("direction", "ingress")
    if not fixed:
        found.append(Field("direction", "Direction", "ingress", ("ingress", "egress"), free=False))
        if resource != KNP:
            found.append(Field("action", "Action", "allow", ("allow", "deny"), free=False))
    deny = fixed.endswith("Deny") or chosen.get("action") == "deny"
    if fixed:
        direction = fixed.removesuffix("Deny")
    kinds = _kinds(resource, direction, deny)
    who = chosen.get("who", PODS) if chosen.get("who", PODS) in kinds else PODS
    found.append(Field("who", "From" if direction == "ingress" else "To", PODS, kinds, free=False))
    found += _peer_fields(who, catalogue, resource, namespace, chosen)
    found.append(_ports_field(who, direction, catalogue, namespace, subject, chosen))
    if resource != KNP and not deny:
        layers = (PLAIN, HTTP, DNS, SNI) if direction == "egress" else (PLAIN, HTTP, SNI)
        found.append(Field("above", "Ask above", PLAIN, layers, free=False, help="what is asked above layer 4"))
        if chosen.get("above") == HTTP:
            found.append(
                Field("http", "Requests", "", ("GET /", "POST /"), help="GET /api/.*, POST /: path is a regex")
            )
        elif chosen.get("above") == DNS and direction == "egress":
            found.append(
                Field("dns", "Lookups", "*", ("*", *catalogue.names), help="names and patterns; * is every name")
            )
        elif chosen.get("above") == SNI:
            found.append(Field("sni", "Server names", "", catalogue.names, help="names that TLS asks for"))
    return tuple(found)


def _kinds(resource: str, direction: str, deny: bool) -> tuple[str, ...]:
    if resource == KNP:
        return PODS, ANYBODY, CIDR
    found = [PODS, ANYBODY, ENTITY, CIDR, GROUP]
    if direction == "egress":
        found += [SERVICE] if deny else [NAME, SERVICE]
    return (*found, NODES)


def _peer_fields(
    who: str, catalogue: Catalogue, resource: str, namespace: str, chosen: Mapping[str, str]
) -> list[Field]:
    if who == PODS:
        spaces = (*(each for each in catalogue.namespaces if each != namespace), EVERY)
        where = chosen.get("namespace", OWN)
        near = [namespace] if where == OWN else catalogue.pods if where == EVERY else [where]
        pods = dict.fromkeys(words for space in near for words in catalogue.pods.get(space, ()) if words)
        own = "own namespace when empty" if namespace else "every namespace when empty"
        return [
            Field("namespace", "In namespace", OWN, spaces, help=f"{own}; labels: team=pay chooses by labels"),
            Field("pods", "Pods", "", (*pods, EVERY_POD), help="labels: app=web, tier=front; ; between alternatives"),
        ]
    if who == ENTITY:
        return [Field("entities", "Entities", "", tuple(sorted(ENTITIES)), help="several with commas")]
    if who == CIDR:
        return [
            Field("cidrs", "Addresses", "", catalogue.cidrs, help="10.0.0.0/8, 192.0.2.1: never pods, never nodes"),
            Field("holes", "Except", "", help="prefixes inside that are left out"),
        ]
    if who == GROUP:
        return [Field("groups", "CIDR groups", "", catalogue.groups)]
    if who == NAME:
        needs = "needs a rule that allows DNS with lookups for the same pods"
        return [Field("names", "DNS names", "", catalogue.names, help=f"api.example.com, *.example.com; {needs}")]
    if who == SERVICE:
        return [Field("services", "Services", "", catalogue.services, help="namespace/name")]
    if who == NODES:
        return [Field("nodes", "Nodes", "", catalogue.nodes, help="labels; every other node when empty")]
    return []


def _ports_field(
    who: str,
    direction: str,
    catalogue: Catalogue,
    namespace: str,
    subject: Mapping[str, str],
    chosen: Mapping[str, str],
) -> Field:
    ports: tuple[str, ...] = ()
    if direction == "ingress":
        ports = catalogue.ports_of(namespace, subject)
    elif who == PODS:
        where = chosen.get("namespace", OWN)
        space = namespace if where == OWN else "" if where == EVERY else where
        ports = catalogue.ports_of(space, labels_of(chosen.get("pods", "").replace(EVERY_POD, "").partition(";")[0]))
    text = "8080/TCP, http, 53/ANY, 8000-8100, icmp/8; every port when empty"
    return Field("ports", "Ports", "", ports, help=text)


# -- what the answers mean -----------------------------------------------------------------------------------------


def rule_of(values: Mapping[str, str], resource: str, fixed: str = "") -> NewRule:
    """The rule that was chosen. Raises Refused for answers that make no sense."""
    direction: Direction = "egress" if (fixed or values.get("direction", "")).startswith("egress") else "ingress"
    deny = fixed.endswith("Deny") if fixed else values.get("action") == "deny"
    ports, icmps = ports_of(values.get("ports", ""))
    above = values.get("above", PLAIN)
    return NewRule(
        direction,
        _peers(values),
        ports,
        icmps,
        deny and resource != KNP,
        http=tuple(map(_request, _words(values, "http"))) if above == HTTP else (),
        dns=_words(values, "dns") if above == DNS else (),
        server_names=_words(values, "sni") if above == SNI else (),
        authentication=values.get("authentication", ""),
    )


def _words(values: Mapping[str, str], name: str, by: str = ",") -> tuple[str, ...]:
    return tuple(word.strip() for word in values.get(name, "").split(by) if word.strip())


def _peers(values: Mapping[str, str]) -> tuple[Chosen, ...] | None:
    who = values.get("who", PODS)
    found: list[Chosen]
    match who:
        case "anybody":
            return None
        case "pods":
            found = [*_pods(values)]
        case "entity":
            found = [Entity(word) for word in _words(values, "entities")]
        case "CIDR":
            holes = _words(values, "holes")
            found = [Cidr(word, holes) for word in _words(values, "cidrs")]
        case "CIDR group":
            found = [Group(word) for word in _words(values, "groups")]
        case "DNS name":
            found = [Fqdn(word) for word in _words(values, "names")]
        case "service":
            found = [_service(word) for word in _words(values, "services")]
        case "nodes":
            found = [Nodes(labels_of(word)) for word in _words(values, "nodes", ";") or ("",)]
        case _:
            raise Refused(f"{who!r} is nobody a rule can be about")
    if not found:
        raise Refused(f"say which {who}")
    return tuple(found)


def _pods(values: Mapping[str, str]) -> Iterable[Pods]:
    where = values.get("namespace", OWN).strip()
    spaces: dict[str, str] = {}
    if where.startswith(_NAMESPACE_LABELS.strip()):
        spaces, where = labels_of(where[len(_NAMESPACE_LABELS.strip()) :]), ""
    elif where == EVERY:
        where = "*"
    for word in _words(values, "pods", ";"):
        yield Pods({} if word == EVERY_POD else labels_of(word), where, spaces)


def _service(word: str) -> ToService:
    namespace, slash, name = word.partition("/")
    if not slash or not namespace or not name:
        raise Refused(f"{word!r} is no namespace/name of a Service")
    return ToService(namespace, name)


def _request(word: str) -> HttpRule:
    head, _, rest = word.partition(" ")
    if head.upper() in _METHODS:
        return HttpRule(head.upper(), rest.strip())
    if word.startswith("/"):
        return HttpRule("", word)
    raise Refused(f"{word!r} is no request: GET /path, or /path for every method")


# -- and back ------------------------------------------------------------------------------------------------------


def values_of(rule: NewRule) -> dict[str, str]:
    """The answers that mean a rule. Raises Refused for what the form has no fields for."""
    values = {"direction": rule.direction, "action": "deny" if rule.deny else "allow", **_peer_values(rule)}
    values["ports"] = ", ".join([*map(port_word, rule.ports), *map(port_word, rule.icmps)])
    if rule.authentication:
        values["authentication"] = rule.authentication
    if rule.http:
        if any(each.host or each.headers or not (each.method or each.path) for each in rule.http):
            raise Refused("the form has no field for hosts and headers of requests: edit it as YAML")
        values |= {"above": HTTP, "http": ", ".join(f"{each.method} {each.path}".strip() for each in rule.http)}
    elif rule.dns:
        values |= {"above": DNS, "dns": ", ".join(rule.dns)}
    elif rule.server_names:
        values |= {"above": SNI, "sni": ", ".join(rule.server_names)}
    if rule_of(values, "", rule.section) != rule:
        raise Refused("the form cannot show this entry: edit it as YAML")
    return values


def _peer_values(rule: NewRule) -> dict[str, str]:
    peers = rule.peers
    if peers is None:
        return {"who": ANYBODY}
    kind: Literal["entities", "groups", "names", "services"]
    match peers[0]:
        case Pods() as first:
            return {"who": PODS, **_pods_values(first, [each for each in peers if isinstance(each, Pods)])}
        case Cidr() as first:
            cidrs = ", ".join(each.cidr for each in peers if isinstance(each, Cidr))
            return {"who": CIDR, "cidrs": cidrs, "holes": ", ".join(first.holes)}
        case Nodes():
            words = "; ".join(label_words(each.labels) for each in peers if isinstance(each, Nodes))
            return {"who": NODES, "nodes": words}
        case Entity():
            who, kind = ENTITY, "entities"
        case Group():
            who, kind = GROUP, "groups"
        case Fqdn():
            who, kind = NAME, "names"
        case ToService():
            who, kind = SERVICE, "services"
    return {"who": who, kind: ", ".join(map(_name, peers))}


def _name(peer: Chosen) -> str:
    if isinstance(peer, ToService):
        return f"{peer.namespace}/{peer.name}"
    return peer.name if isinstance(peer, Entity | Group | Fqdn) else ""


def _pods_values(first: Pods, peers: list[Pods]) -> dict[str, str]:
    where = EVERY if first.namespace == "*" else first.namespace
    if first.namespace_labels:
        where = _NAMESPACE_LABELS + label_words(first.namespace_labels)
    return {"namespace": where, "pods": "; ".join(label_words(each.labels) or EVERY_POD for each in peers)}
