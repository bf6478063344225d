"""From written policies to a rulebook: every kind, version and setting becomes entries of one form.

Which policies count and whom their rules select; what their peers mean is in `peers.py`, their ports in
`portrules.py`. Rules: Cilium `pkg/k8s/network_policy.go`, `pkg/k8s/apis/cilium.io/{v2,utils}`,
`pkg/policy/utils/parserules.go` (1.19), with what earlier versions do otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tui.domain.cilium.engine.identity import network
from tui.domain.cilium.engine.peers import UNRESOLVED, knp_peers, lets_own_namespace_in, rule_peers
from tui.domain.cilium.engine.portrules import ALL_PORTS, knp_ports, rule_ports
from tui.domain.cilium.engine.selectors import Scope, selector_terms, subject_terms
from tui.domain.cilium.engine.validity import problems
from tui.domain.cilium.model import (
    CidrGroup,
    Direction,
    Entry,
    Invalid,
    Network,
    Peer,
    PortRule,
    Rulebook,
    Settings,
    Surroundings,
    Term,
    Where,
    Written,
)
from tui.domain.cilium.policy import CCNP, KNP, mapping, sequence

_HOST: Term = ("reserved", "host", "Exists", ())
_NOT_HOST: Term = ("reserved", "host", "DoesNotExist", ())
_SECTIONS: tuple[tuple[str, Direction, bool], ...] = (
    ("ingress", "ingress", False),
    ("ingressDeny", "ingress", True),
    ("egress", "egress", False),
    ("egressDeny", "egress", True),
)


def rulebook(policies: Iterable[Written], surroundings: Surroundings) -> Rulebook:
    """The policies of one cluster, ready to be asked. A policy that Cilium rejects is in `invalid`, with its reason."""
    settings = surroundings.settings
    held = [each for each in policies if _counts(each.resource, settings)]
    resolved = _resolved(held)
    entries: list[Entry] = []
    invalid: list[Invalid] = []
    for written in held:
        meta = written.policy.metadata
        if (written.resource, meta.namespace, meta.name) in resolved:
            continue
        reasons = problems(written.policy, written.resource, settings) or list(_misread(written, settings))
        if reasons:
            invalid.append(Invalid(where(written, ""), reasons[0]))
        else:
            entries.extend(entries_of(written, surroundings))
    return Rulebook(tuple(entries), tuple(invalid), surroundings, prefixes(entries, surroundings.cidr_groups))


def _misread(written: Written, settings: Settings) -> Iterator[str]:
    """Why 1.18 cannot read a NetworkPolicy that is right: see `lets_own_namespace_in`, here it is an error."""
    if written.resource != KNP or settings.version != (1, 18):
        return
    for index, rule in enumerate(sequence(mapping(written.policy.spec).get("ingress"))):
        for item in map(mapping, sequence(mapping(rule).get("from"))):
            if item.get("ipBlock") and lets_own_namespace_in(item, "ingress", settings):
                yield f"spec.ingress[{index}]: combining FromEndpoints and FromCIDRSet is not supported yet"


def entries_of(written: Written, surroundings: Surroundings) -> Iterator[Entry]:
    """The entries of one policy that `problems` finds nothing wrong with."""
    if written.resource == KNP:
        yield from _network_policy(written, surroundings)
        return
    if isinstance(written.policy.spec, Mapping):
        yield from _cilium_rule(written, "spec", written.policy.spec, surroundings)
    for index, spec in enumerate(sequence(written.policy.specs)):
        yield from _cilium_rule(written, f"specs[{index}]", mapping(spec), surroundings)


def prefixes(entries: Iterable[Entry], groups: Iterable[CidrGroup]) -> tuple[Network, ...]:
    """Every prefix that entries and CIDR groups name, shortest first."""
    found: set[Network] = set()
    for entry in entries:
        for peer in entry.peers or ():
            found.update(peer.holes)
            if peer.cidr is not None:
                found.add(peer.cidr)
    for group in groups:
        found.update(net for net in map(network, group.cidrs) if net is not None)
    return tuple(sorted(found, key=lambda net: (net.version, net.prefixlen, int(net.network_address))))


def where(written: Written, path: str) -> Where:
    """Where a part of a policy stands; path "" is the policy itself."""
    return Where(written.resource, _namespace(written), written.policy.metadata.name, path, written.file)


def _namespace(written: Written) -> str:
    return "" if written.resource == CCNP else written.policy.metadata.namespace or "default"


def _counts(resource: str, settings: Settings) -> bool:
    """False for kinds that the agents are told to ignore."""
    if resource == KNP:
        return settings.network_policies
    return settings.clusterwide_policies if resource == CCNP else settings.cilium_policies


def _resolved(policies: Iterable[Written]) -> set[tuple[str, str, str]]:
    """Policies with groups whose resolved copy is among the policies: the agents ignore the original.

    The operator names the copy `<name>-togroups-<uid>` (`pkg/policy/groups`).
    """
    named = {(each.resource, each.policy.metadata.namespace, each.policy.metadata.name) for each in policies}
    copies = [(resource, space, name.rpartition("-togroups-")) for resource, space, name in named]
    return {(resource, space, cut[0]) for resource, space, cut in copies if cut[1]} & named


def _cilium_rule(written: Written, path: str, spec: Mapping[str, Any], surroundings: Surroundings) -> Iterator[Entry]:
    settings = surroundings.settings
    subject = _subject(spec, _namespace(written))
    init = any(term[:2] == ("reserved", "init") for term in subject)
    scope = Scope(_namespace(written), surroundings, init)
    for section, direction, deny in _SECTIONS:
        default_deny = _default_deny(spec, direction, settings)
        for index, raw in enumerate(sequence(spec.get(section))):
            rule = mapping(raw)
            peers, requires = rule_peers(rule, direction, deny, scope)
            ports = rule_ports(rule, deny, settings)
            if peers is None and ports and sequence(rule.get("toServices")):
                peers = (Peer(words=UNRESOLVED),)
            yield Entry(
                where(written, f"{path}.{section}[{index}]"),
                direction,
                deny,
                subject,
                peers,
                _ports(peers, ports),
                default_deny,
                "" if deny else _authentication(rule, settings),
                requires,
            )


def _ports(peers: tuple[Peer, ...] | None, ports: tuple[PortRule, ...]) -> tuple[PortRule, ...]:
    """Peers without ports are reached on every port; neither peers nor ports allow nothing."""
    if ports:
        return ports
    return ALL_PORTS if peers is not None else ()


def _subject(spec: Mapping[str, Any], namespace: str) -> tuple[Term, ...]:
    """Whom a rule selects: the host by a nodeSelector alone, and anything else by an endpointSelector alone."""
    if spec.get("endpointSelector") is None:
        return (_HOST, *selector_terms(mapping(spec.get("nodeSelector"))))
    return (_NOT_HOST, *subject_terms(mapping(spec["endpointSelector"]), namespace))


def _default_deny(spec: Mapping[str, Any], direction: Direction, settings: Settings) -> bool:
    """Whether a rule's entries in a direction switch default deny on: unless it says no, which 1.16 introduced."""
    if settings.version < (1, 16) or not settings.non_default_deny:
        return True
    return mapping(spec.get("enableDefaultDeny")).get(direction) is not False


def _authentication(rule: Mapping[str, Any], settings: Settings) -> str:
    return str(mapping(rule.get("authentication")).get("mode") or "") if settings.version >= (1, 14) else ""


def _network_policy(written: Written, surroundings: Surroundings) -> Iterator[Entry]:
    """A NetworkPolicy. Ingress is implied unless policyTypes is exactly [Egress]; listed rules always count."""
    spec = mapping(written.policy.spec)
    namespace = _namespace(written)
    scope = Scope(namespace, surroundings)
    subject = (_NOT_HOST, *subject_terms(mapping(spec.get("podSelector")), namespace, "k8s"))
    types = [str(each) for each in sequence(spec.get("policyTypes"))]
    enforced = {"ingress": "Ingress" in types or "Egress" not in types, "egress": "Egress" in types}
    ways: tuple[tuple[Direction, str], ...] = (("ingress", "from"), ("egress", "to"))
    for direction, way in ways:
        rules = sequence(spec.get(direction))
        for index, raw in enumerate(rules):
            rule = mapping(raw)
            path = where(written, f"spec.{direction}[{index}]")
            ports = knp_ports(rule.get("ports"), surroundings.settings)
            for peers in knp_peers(rule.get(way), direction, namespace, scope):
                yield Entry(path, direction, False, subject, peers, ports, True)
        if not rules and enforced[direction]:
            yield Entry(where(written, "spec.policyTypes"), direction, False, subject, (), (), True)
