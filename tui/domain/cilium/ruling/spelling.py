"""How a rule that was chosen is spelled as an entry of each kind of policy.

CiliumNetworkPolicy and NetworkPolicy spell the same thing differently, and some ways to spell it mean something else
than they seem to: an entry of Cilium without peers and without ports allows nothing, one with two peer fields is
rejected, a port without a protocol is three ports. What is spelled here means what was chosen, or is refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from tui.domain.cilium.engine.validity import MAX_PORTS
from tui.domain.cilium.model import HttpRule
from tui.domain.cilium.policy import KNP, NAMESPACE_KEY, NAMESPACE_LABELS
from tui.domain.cilium.ruling.choice import (
    PROTOCOLS,
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
from tui.domain.yamledit import Refused

_CLUSTER_KEY = "k8s:io.cilium.k8s.policy.cluster"


# -- Cilium --------------------------------------------------------------------------------------------------------


def entry(rule: NewRule, resource: str) -> dict[str, Any]:
    """The entry that means what was chosen, in the spelling of a kind. Raises Refused where the kind cannot say it."""
    return _kubernetes(rule) if resource == KNP else _cilium(rule, resource)


def _cilium(rule: NewRule, resource: str) -> dict[str, Any]:
    if rule.ports and rule.icmps:
        raise Refused("an entry is about ports or about ICMP, not about both: add two rules")
    made = _cilium_peers(rule, resource)
    if not made and not rule.ports and not rule.icmps:  # spelled without anything it would allow nothing
        made = {_field(rule, "Entities"): ["all"]}
    if (above := _above(rule)) and not rule.ports:
        raise Refused("what is asked above layer 4 needs ports")
    if len(rule.ports) > MAX_PORTS and above:
        raise Refused(f"{len(rule.ports)} ports, at most {MAX_PORTS} fit into an entry")
    if rule.ports:
        chunks = [rule.ports[at : at + MAX_PORTS] for at in range(0, len(rule.ports), MAX_PORTS)]
        made["toPorts"] = [{"ports": [cilium_port(port) for port in chunk], **above} for chunk in chunks]
    if rule.icmps:
        made["icmps"] = [{"fields": [_icmp(each) for each in rule.icmps]}]
    if rule.authentication:
        made["authentication"] = {"mode": rule.authentication}
    return made


def _field(rule: NewRule, noun: str) -> str:
    return ("from" if rule.direction == "ingress" else "to") + noun


def _cilium_peers(rule: NewRule, resource: str) -> dict[str, Any]:
    if rule.peers is None:
        return {}
    if not rule.peers:
        raise Refused("say whom the rule is about")
    kinds = {_noun(peer) for peer in rule.peers}
    if len(kinds) > 1:
        first, second = sorted(kinds)[:2]
        raise Refused(f"{_field(rule, first)} cannot be combined with {_field(rule, second)}: add two rules")
    noun = kinds.pop()
    if noun in ("FQDNs", "Services") and rule.direction == "ingress":
        raise Refused(f"{'DNS names' if noun == 'FQDNs' else 'Services'} can only be peers of egress")
    if noun == "FQDNs" and rule.deny:
        raise Refused("DNS names cannot be denied: Cilium has no toFQDNs in egressDeny")
    plain = all(isinstance(peer, Cidr) and not peer.holes for peer in rule.peers)
    if noun == "CIDRSet" and plain:
        return {_field(rule, "CIDR"): [_network(peer.cidr) for peer in rule.peers if isinstance(peer, Cidr)]}
    return {_field(rule, noun): [_cilium_peer(peer, resource) for peer in rule.peers]}


def _noun(peer: Chosen) -> str:
    match peer:
        case Pods():
            return "Endpoints"
        case Entity():
            return "Entities"
        case Cidr() | Group():
            return "CIDRSet"
        case Fqdn():
            return "FQDNs"
        case ToService():
            return "Services"
        case Nodes():
            return "Nodes"


def _cilium_peer(peer: Chosen, resource: str) -> Any:
    match peer:
        case Pods():
            return _cilium_pods(peer)
        case Entity():
            return peer.name
        case Cidr():
            outer = _network(peer.cidr)
            holes = [_inside(hole, outer) for hole in peer.holes]
            return {"cidr": outer, "except": holes} if holes else {"cidr": outer}
        case Group():
            return {"cidrGroupRef": peer.name}
        case Fqdn():
            return fqdn(peer.name)
        case ToService():
            return {"k8sService": {"serviceName": peer.name, "namespace": peer.namespace}}
        case Nodes():
            return {"matchLabels": dict(peer.labels)} if peer.labels else {}


def _cilium_pods(peer: Pods) -> dict[str, Any]:
    labels: dict[str, str] = dict(peer.labels)
    if peer.namespace and peer.namespace_labels:
        raise Refused("choose the namespace by its name or by its labels, not by both")
    if peer.namespace and peer.namespace != "*":
        labels[f"k8s:{NAMESPACE_KEY}"] = peer.namespace
    for key, value in peer.namespace_labels.items():
        labels[f"k8s:{NAMESPACE_LABELS}{key}"] = value
    if peer.cluster:
        labels[_CLUSTER_KEY] = peer.cluster
    made: dict[str, Any] = {"matchLabels": labels} if labels else {}
    if peer.namespace == "*":
        made["matchExpressions"] = [{"key": f"k8s:{NAMESPACE_KEY}", "operator": "Exists"}]
    return made


def fqdn(name: str) -> dict[str, str]:
    """A DNS name as `toFQDNs` and rules of `dns` take it. Raises Refused."""
    if not name or not re.fullmatch(r"[A-Za-z0-9_.*-]{1,253}", name):
        raise Refused(f"{name!r} is no DNS name and no pattern of one")
    return {"matchPattern" if "*" in name else "matchName": name}


def cilium_port(port: Port) -> dict[str, Any]:
    """A port as `toPorts[].ports` has it: its number is text."""
    made: dict[str, Any] = {"port": port.port}
    if port.end:
        made["endPort"] = port.end
    made["protocol"] = port.protocol
    return made


def _icmp(each: Icmp) -> dict[str, Any]:
    number: Any = int(each.type) if each.type.isdigit() else each.type
    return {"type": number} if each.family == "IPv4" else {"family": each.family, "type": number}


def _above(rule: NewRule) -> dict[str, Any]:
    """What an item of `toPorts` has besides its ports."""
    made: dict[str, Any] = {}
    if rule.deny and (rule.http or rule.dns or rule.server_names):
        raise Refused("rules above layer 4 are not allowed in deny entries")
    if rule.http and rule.dns:
        raise Refused("only one protocol above layer 4 on the same ports: http or dns")
    if rule.server_names and (rule.http or rule.dns):
        raise Refused("server names cannot be combined with http or dns rules on the same ports")
    if rule.http:
        made["rules"] = {"http": [_http(each) for each in rule.http]}
    if rule.dns:
        made["rules"] = {"dns": [fqdn(each) for each in rule.dns]}
    if rule.server_names:
        made["serverNames"] = list(rule.server_names)
    return made


def _http(rule: HttpRule) -> dict[str, Any]:
    made: dict[str, Any] = {name: getattr(rule, name) for name in ("method", "path", "host") if getattr(rule, name)}
    if rule.headers:
        made["headers"] = list(rule.headers)
    for name in ("method", "path", "host"):
        try:
            re.compile(made.get(name, ""))
        except re.error as error:
            raise Refused(f"{name} {made[name]!r} is no regular expression: {error}") from None
    return made


# -- Kubernetes ----------------------------------------------------------------------------------------------------


def _kubernetes(rule: NewRule) -> dict[str, Any]:
    if rule.deny:
        raise Refused("a NetworkPolicy only allows; to deny, a CiliumNetworkPolicy is needed")
    for what, name in ((rule.icmps, "ICMP"), (rule.authentication, "authentication")):
        if what:
            raise Refused(f"a NetworkPolicy knows no {name}; a CiliumNetworkPolicy does")
    if rule.http or rule.dns or rule.server_names:
        raise Refused("a NetworkPolicy knows nothing above layer 4; a CiliumNetworkPolicy does")
    made: dict[str, Any] = {}
    if rule.peers is not None:
        if not rule.peers:
            raise Refused("say whom the rule is about")
        anybody = any(isinstance(peer, Entity) and peer.name == "all" for peer in rule.peers)
        if not anybody:
            made["from" if rule.direction == "ingress" else "to"] = [
                spelled for peer in rule.peers for spelled in _kubernetes_peers(peer)
            ]
    if rule.ports:
        made["ports"] = [kubernetes_port(port) for port in rule.ports]
    return made


def _kubernetes_peers(peer: Chosen) -> list[dict[str, Any]]:
    match peer:
        case Pods():
            return [_kubernetes_pods(peer)]
        case Cidr():
            outer = _network(peer.cidr)
            holes = [_inside(hole, outer) for hole in peer.holes]
            return [{"ipBlock": {"cidr": outer, "except": holes} if holes else {"cidr": outer}}]
        case Entity(name="world"):
            return [{"ipBlock": {"cidr": cidr}} for cidr in ("0.0.0.0/0", "::/0")]
        case _:
            what = f"entity {peer.name}" if isinstance(peer, Entity) else _noun(peer)
            raise Refused(f"a NetworkPolicy cannot name {what}; a CiliumNetworkPolicy can")


def _kubernetes_pods(peer: Pods) -> dict[str, Any]:
    if peer.cluster:
        raise Refused("a NetworkPolicy cannot name another cluster; a CiliumNetworkPolicy can")
    if peer.namespace and peer.namespace_labels:
        raise Refused("choose the namespace by its name or by its labels, not by both")
    pods = {"matchLabels": dict(peer.labels)} if peer.labels else {}
    if not peer.namespace and not peer.namespace_labels:
        return {"podSelector": pods}
    if peer.namespace == "*":
        spaces: dict[str, Any] = {}
    elif peer.namespace:
        spaces = {"matchLabels": {"kubernetes.io/metadata.name": peer.namespace}}
    else:
        spaces = {"matchLabels": dict(peer.namespace_labels)}
    return {"namespaceSelector": spaces, "podSelector": pods} if pods else {"namespaceSelector": spaces}


def kubernetes_port(port: Port) -> dict[str, Any]:
    """A port as `ports` of a NetworkPolicy has it: its number is a number. Raises Refused."""
    if port.protocol not in PROTOCOLS:
        raise Refused(f"a port of a NetworkPolicy is TCP, UDP or SCTP, not {port.protocol}")
    made: dict[str, Any] = {"protocol": port.protocol}
    if port.port != "0":
        made["port"] = int(port.port) if port.port.isdigit() else port.port
    if port.end:
        made["endPort"] = port.end
    return made


# -- addresses -----------------------------------------------------------------------------------------------------


def _network(word: str) -> str:
    """A prefix as written when it is one, an address as the prefix that holds only it. Raises Refused."""
    try:
        network = ipaddress.ip_network(word.strip(), strict=False)
    except ValueError:
        raise Refused(f"{word!r} is neither an address nor a CIDR") from None
    return str(network)


def _inside(hole: str, outer: str) -> str:
    inner, whole = ipaddress.ip_network(_network(hole)), ipaddress.ip_network(outer)
    if inner.version != whole.version or not inner.subnet_of(whole):  # type: ignore[arg-type]
        raise Refused(f"except {hole} is not inside {outer}")
    return str(inner)


def endpoint_selector(labels: Mapping[str, str]) -> dict[str, Any]:
    """A selector of these labels; {} selects everything."""
    return {"matchLabels": dict(labels)} if labels else {}
