"""Whom the peers of a rule mean: endpoints, nodes, entities, CIDRs and their groups, names, services, groups.

Rules: Cilium `pkg/k8s/apis/cilium.io/utils/utils.go`, `pkg/policy/utils/parserules.go`, `pkg/policy/api/entity.go`,
`pkg/policy/k8s/service.go`, `pkg/k8s/network_policy.go` (1.19), with what earlier versions do otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.describe import selector_text
from tui.domain.cilium.engine.identity import CLUSTER_KEY, GROUP_KEY, Identity, holds, network, world_terms
from tui.domain.cilium.engine.selectors import Scope, local_cluster, peer_terms, scoped, selector_terms, subject_terms
from tui.domain.cilium.model import Direction, Network, Peer, Service, Settings, Term
from tui.domain.cilium.policy import NAMESPACE_KEY, NAMESPACE_LABELS, mapping, sequence

_REMOTE_NODE: Term = ("reserved", "remote-node", "Exists", ())
_CLUSTER_RESERVED = ("host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver")
_WORLDS = ("world", "world-ipv4", "world-ipv6")
# Lists that mean nobody when they are there and empty; the other peer fields count as missing then.
_NOBODY_WHEN_EMPTY = ("Endpoints", "Nodes", "Entities", "CIDR", "CIDRSet")
_NOBODY_SINCE = (1, 16)  # before, these count as missing too: with ports they mean everybody
# What services that are not known mean in a rule with ports: Cilium drops the peers, and keeps the ports.
UNRESOLVED = "any peer, because no known service is meant by toServices"
_SINCE = {"Nodes": (1, 16)}  # earlier versions prune the field
_REQUIRES_UNTIL = (1, 18)


def rule_peers(
    rule: Mapping[str, Any], direction: Direction, deny: bool, scope: Scope
) -> tuple[tuple[Peer, ...] | None, tuple[Term, ...]]:
    """(peers, requirements) of one entry of a Cilium policy; None when it names no peers."""
    way = "from" if direction == "ingress" else "to"
    settings = scope.surroundings.settings
    found: list[Peer] = []
    for noun in _NOBODY_WHEN_EMPTY:
        items = rule.get(way + noun)
        if items is None or settings.version < _SINCE.get(noun, (0, 0)):
            continue
        if not sequence(items) and settings.version >= _NOBODY_SINCE:
            return (), _requires(rule, way, scope)
        for item in sequence(items):
            found.extend(_READ[noun](item, scope))
    if way == "to" and not deny:  # egressDeny has no toFQDNs, and its toServices are never translated
        found.extend(_name(item) for item in sequence(rule.get("toFQDNs")))
        for item in sequence(rule.get("toServices")):
            found.extend(_service(mapping(item), scope))
    for item in sequence(rule.get(f"{way}Groups")):
        groups = "groups of " + (", ".join(sorted(mapping(item))) or "an unnamed provider")
        found.append(Peer(unresolved=groups, words=groups))
    return tuple(found) or None, _requires(rule, way, scope)


def _requires(rule: Mapping[str, Any], way: str, scope: Scope) -> tuple[Term, ...]:
    """What `fromRequires` asks; from 1.19 on the field does not exist."""
    if scope.surroundings.settings.version > _REQUIRES_UNTIL:
        return ()
    items = map(mapping, sequence(rule.get(f"{way}Requires")))
    return tuple(term for item in items for term in scoped(selector_terms(item), scope))


def _endpoints(item: Any, scope: Scope) -> Iterator[Peer]:
    selector = mapping(item)
    words = selector_text(selector)
    if not words:
        words = f"every pod of namespace {scope.namespace}" if scope.namespace else "every pod"
    yield Peer(peer_terms(selector, scope), words=words, endpoint=True)


def _nodes(item: Any, scope: Scope) -> Iterator[Peer]:
    terms = (*selector_terms(mapping(item)), _REMOTE_NODE)
    yield Peer(local_cluster(terms, scope), words=f"nodes with {selector_text(mapping(item)) or 'any label'}")


def _entities(item: Any, scope: Scope) -> Iterator[Peer]:
    entity = str(item)
    if entity == "all":
        yield Peer(words="entity all")
    elif entity == "world":
        yield from (_reserved(name, "world") for name in _WORLDS)
    elif entity == "cluster":
        yield from (_reserved(name, "cluster") for name in _CLUSTER_RESERVED)
        yield Peer((("k8s", CLUSTER_KEY, "In", (scope.surroundings.settings.cluster,)),), words="entity cluster")
    else:
        yield _reserved(entity, entity)


def _reserved(name: str, entity: str) -> Peer:
    return Peer((("reserved", name, "Exists", ()),), words=f"entity {entity}")


def _cidr(item: Any, scope: Scope) -> Iterator[Peer]:
    net = network(str(item))
    if net is not None:
        settings = scope.surroundings.settings
        # Until 1.18 a zero prefix is the world only where its family is on; in a CIDR set where either alone is on.
        on = settings.ipv4 if net.version == 4 else settings.ipv6
        if not net.prefixlen and not on and (1, 15) <= settings.version < (1, 19):
            yield Peer((("reserved", f"world-ipv{net.version}", "Exists", ()),), words=str(item))
            return
        yield _prefix(net, (), str(item), settings)


def _prefix(net: Network, holes: tuple[Network, ...], words: str, settings: Settings) -> Peer:
    if net.prefixlen == 0:
        return Peer(world_terms(net, settings), None, holes, words=words)
    return Peer((), net, holes, words=words)


def _cidr_set(item: Any, scope: Scope) -> Iterator[Peer]:
    held = mapping(item)
    holes = _holes(held)
    words = "".join(f" except {hole}" for hole in sequence(held.get("except")))
    if held.get("cidrGroupRef"):
        name = str(held["cidrGroupRef"])
        known = any(group.name == name for group in scope.surroundings.cidr_groups)
        if not known and scope.surroundings.settings.version < _NOBODY_SINCE:
            return  # groups were put in the place of their references: none leaves the list empty
        yield Peer((("cidrgroup", GROUP_KEY + name, "Exists", ()),), None, holes, words=f"CIDR group {name}{words}")
    elif held.get("cidrGroupSelector") is not None:
        selector = mapping(held["cidrGroupSelector"])
        text = selector_text(selector) or "any label"
        yield Peer(selector_terms(selector, "cidrgroup"), None, holes, words=f"CIDR groups with {text}{words}")
    elif (net := network(str(held.get("cidr")))) is not None:
        yield _prefix(net, holes, f"{held['cidr']}{words}", scope.surroundings.settings)


def _holes(held: Mapping[str, Any]) -> tuple[Network, ...]:
    return tuple(net for net in (network(str(hole)) for hole in sequence(held.get("except"))) if net is not None)


def _name(item: Any) -> Peer:
    held = mapping(item)
    pattern = str(held.get("matchName") or held.get("matchPattern") or "")
    return Peer(fqdn=pattern, words=pattern)


_READ = {"Endpoints": _endpoints, "Nodes": _nodes, "Entities": _entities, "CIDR": _cidr, "CIDRSet": _cidr_set}


def _service(item: Mapping[str, Any], scope: Scope) -> Iterator[Peer]:
    """What a service stands for: the pods of its selector, or its addresses when it has none."""
    for service in services(item, scope):
        words = f"service {service.namespace}/{service.name}"
        if not service.selector:
            for address in service.addresses:
                if (net := network(address)) is not None:
                    yield Peer((), net, words=words)
        elif scope.surroundings.settings.version >= (1, 17):
            # Cilium reads these keys as `source.key`: one with a dot names a source that no label has.
            terms = tuple((*_dotted(key), "In", (value,)) for key, value in service.selector.items())
            own = ("k8s", NAMESPACE_KEY, "In", (service.namespace,))
            yield Peer(local_cluster((*terms, own), scope), words=words)


def _dotted(key: str) -> tuple[str, str]:
    source, dot, rest = key.partition(".")
    return (source, rest) if dot else ("any", key)


def services(item: Mapping[str, Any], scope: Scope) -> list[Service]:
    """The known services that an item of `toServices` means."""
    if item.get("k8sServiceSelector") is not None:
        chosen = mapping(item["k8sServiceSelector"])
        place = str(chosen.get("namespace") or "")
        terms = selector_terms(mapping(chosen.get("selector")))

        def meant(service: Service) -> bool:
            labels = {("any", key): value for key, value in service.labels.items()}
            return holds([("any", *term[1:]) for term in terms], Identity(labels))

    else:
        named = mapping(item.get("k8sService"))
        place = str(named.get("namespace") or "")
        name = str(named.get("serviceName") or "")

        def meant(service: Service) -> bool:
            return service.name == name

    return [each for each in scope.surroundings.services if place in ("", each.namespace) and meant(each)]


def knp_peers(items: Any, direction: Direction, namespace: str, scope: Scope) -> Iterator[tuple[Peer, ...]]:
    """The peers of a rule of a NetworkPolicy, an alternative each; a rule without peers means every peer."""
    if not sequence(items):
        yield (Peer(words="any peer", endpoint=True),)
    for item in sequence(items):
        yield tuple(_knp_peer(mapping(item), direction, namespace, scope))


def lets_own_namespace_in(item: Mapping[str, Any], direction: Direction, settings: Settings) -> bool:
    """True for a peer that means more than it says: a `from` of an ipBlock alone, with policy-default-local-cluster.

    Cilium 1.18 and 1.19 add the cluster to a podSelector that is not there, and so make one: of the own namespace.
    """
    return (
        direction == "ingress"
        and settings.default_local_cluster
        and (1, 18) <= settings.version <= (1, 19)
        and item.get("podSelector") is None
        and item.get("namespaceSelector") is None
    )


def _knp_peer(item: Mapping[str, Any], direction: Direction, namespace: str, scope: Scope) -> Iterator[Peer]:
    pods, spaces = item.get("podSelector"), item.get("namespaceSelector")
    if lets_own_namespace_in(item, direction, scope.surroundings.settings):
        pods = {}
    if spaces is not None:
        found = [
            (source, NAMESPACE_LABELS + key, operator, values)
            for source, key, operator, values in selector_terms(mapping(spaces), "k8s")
        ] or [("k8s", NAMESPACE_KEY, "Exists", ())]
        terms = (*found, *selector_terms(mapping(pods), "k8s"))
        who, where = selector_text(mapping(pods)) or "every pod", selector_text(mapping(spaces))
        words = f"{who} in namespaces with {where}" if where else f"{who} of every namespace"
        yield Peer(local_cluster(terms, scope), words=words, endpoint=True)
    elif pods is not None:
        words = selector_text(mapping(pods)) or f"every pod of namespace {namespace}"
        yield Peer(local_cluster(subject_terms(mapping(pods), namespace, "k8s"), scope), words=words, endpoint=True)
    if block := mapping(item.get("ipBlock")):
        yield from _cidr_set({"cidr": block.get("cidr"), "except": block.get("except")}, scope)
