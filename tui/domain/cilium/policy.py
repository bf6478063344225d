"""The record of a policy's row, and its rules as plain values: CNP, CCNP and NetworkPolicy read the same way.

What each form means: Cilium's policy semantics as in `pkg/policy/api` and `pkg/k8s/network_policy.go` (1.19).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tui.domain.obj import Object

CNP = "ciliumnetworkpolicies.cilium.io"
CCNP = "ciliumclusterwidenetworkpolicies.cilium.io"
KNP = "networkpolicies.networking.k8s.io"
DIRECTIONS = ("ingress", "egress")
NAMESPACE_KEY = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."


class PolicyCondition(msgspec.Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""
    message: str = ""


class PolicyStatus(msgspec.Struct, frozen=True, gc=False):
    conditions: tuple[PolicyCondition, ...] | None = None


class Policy(Object, frozen=True, gc=False):
    """The record of a CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy or NetworkPolicy.

    Rules stay plain values: an invalid policy, which must be shown too, fits no schema.
    """

    spec: Any = None
    specs: Any = None
    status: PolicyStatus | None = None


class Rule(NamedTuple):
    """One rule of a policy: who it selects, and its entries by section ("ingress", "ingressDeny", "egress" …)."""

    selector: Mapping[str, Any] | None  # None: the policy gives none, or not as a mapping
    nodes: bool  # it selects nodes instead of endpoints
    sections: dict[str, Sequence[Any] | None]
    default_deny: Mapping[str, Any]
    description: str
    raw: Mapping[str, Any]


SECTIONS = ("ingress", "ingressDeny", "egress", "egressDeny")


def mapping(value: Any) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> Sequence[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def rules(policy: Policy, resource: str) -> list[Rule]:
    """Every rule of a policy, of `spec` and `specs` alike; [] when it has none that can be read."""
    if resource == KNP:
        return [_network_policy(mapping(policy.spec))] if isinstance(policy.spec, Mapping) else []
    written = [policy.spec, *sequence(policy.specs)]
    return [_cilium_rule(spec) for spec in written if isinstance(spec, Mapping)]


def _cilium_rule(spec: Mapping[str, Any]) -> Rule:
    nodes = "nodeSelector" in spec and "endpointSelector" not in spec
    selector = spec.get("nodeSelector" if nodes else "endpointSelector")
    return Rule(
        selector=selector if isinstance(selector, Mapping) else None,
        nodes=nodes,
        sections={name: sequence(spec[name]) if spec.get(name) is not None else None for name in SECTIONS},
        default_deny=mapping(spec.get("enableDefaultDeny")),
        description=str(spec.get("description") or ""),
        raw=spec,
    )


def _network_policy(spec: Mapping[str, Any]) -> Rule:
    """A NetworkPolicy. Ingress is implied unless policyTypes is exactly [Egress]; listed rules always count."""
    types = [str(each) for each in sequence(spec.get("policyTypes"))]
    sections: dict[str, Sequence[Any] | None] = dict.fromkeys(SECTIONS)
    if types != ["Egress"] or sequence(spec.get("ingress")):
        sections["ingress"] = sequence(spec.get("ingress"))
    if "Egress" in types or sequence(spec.get("egress")):
        sections["egress"] = sequence(spec.get("egress"))
    selector = spec.get("podSelector")
    return Rule(selector if isinstance(selector, Mapping) else {}, False, sections, {}, "", spec)


def enforced(rule: Rule, direction: str, resource: str) -> bool:
    """True when this rule alone switches default deny on in a direction.

    Cilium: entries (deny entries too) switch it on unless `enableDefaultDeny.<direction>` is false; true without
    entries does nothing. NetworkPolicy: a direction that applies is always enforced.
    """
    if resource == KNP:
        return rule.sections[direction] is not None
    if not (rule.sections[direction] or rule.sections[f"{direction}Deny"]):
        return False
    return rule.default_deny.get(direction) is not False


def directions(policy: Policy, resource: str) -> str:
    """`ingress`, `egress` or `ingress, egress`: where the policy has rules or enforces; "" when nowhere."""
    every = rules(policy, resource)
    found = []
    for direction in DIRECTIONS:
        if any(
            enforced(r, direction, resource) or r.sections[direction] or r.sections[f"{direction}Deny"] for r in every
        ):
            found.append(direction)
    return ", ".join(found)


def bare(key: str) -> str:
    """A label key without its `k8s:` or `any:` source, as people write and read it."""
    for prefix in ("k8s:", "any:"):
        if key.startswith(prefix):
            return key[len(prefix) :]
    return key
