"""Fields that the API does not know: they are dropped, and what is left says something else.

Fields: the CRDs of Cilium 1.13 to 1.19, `networking.k8s.io/v1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.cilium.lint.distance import closest
from tui.domain.cilium.lint.values import Hit, Known, Parsed, Steps, specs
from tui.domain.cilium.policy import KNP, SECTIONS

Shape = dict[str, Any]
"""Field -> what is in it: None = anything, a shape, or [shape] for a list of them."""

_SELECTOR: Shape = {"matchLabels": None, "matchExpressions": [{"key": None, "operator": None, "values": None}]}
_PORT: Shape = {"port": None, "endPort": None, "protocol": None}
_CIDR: Shape = {"cidr": None, "cidrGroupRef": None, "cidrGroupSelector": _SELECTOR, "except": None}
_NAME: Shape = {"matchName": None, "matchPattern": None}
_HTTP: Shape = {"path": None, "method": None, "host": None, "headers": None, "headerMatches": None}
_SHARED: Shape = {"icmps": [{"fields": [{"family": None, "type": None}]}], "authentication": {"mode": None}}
_TO_PORTS: Shape = {
    "ports": [_PORT],
    "terminatingTLS": None,
    "originatingTLS": None,
    "serverNames": None,
    "listener": None,
    "rules": {"http": [_HTTP], "kafka": None, "dns": [_NAME], "l7proto": None, "l7": None},
}


def _peers(way: str) -> Shape:
    return {
        f"{way}Endpoints": [_SELECTOR],
        f"{way}Requires": [_SELECTOR],
        f"{way}CIDR": None,
        f"{way}CIDRSet": [_CIDR],
        f"{way}Entities": None,
        f"{way}Groups": None,
        f"{way}Nodes": [_SELECTOR],
    }


_SERVICES: Shape = {
    "k8sService": {"serviceName": None, "namespace": None},
    "k8sServiceSelector": {"selector": _SELECTOR, "namespace": None},
}
_INGRESS: Shape = {**_peers("from"), **_SHARED, "toPorts": [_TO_PORTS]}
_EGRESS: Shape = {**_peers("to"), **_SHARED, "toPorts": [_TO_PORTS], "toFQDNs": [_NAME], "toServices": [_SERVICES]}
_NOT_DENIED = ("authentication", "toFQDNs")
_CILIUM: Shape = {
    "endpointSelector": _SELECTOR,
    "nodeSelector": _SELECTOR,
    "ingress": [_INGRESS],
    "ingressDeny": [{key: each for key, each in _INGRESS.items() if key not in _NOT_DENIED}],
    "egress": [_EGRESS],
    "egressDeny": [{key: each for key, each in _EGRESS.items() if key not in _NOT_DENIED}],
    "enableDefaultDeny": {"ingress": None, "egress": None},
    "description": None,
    "labels": None,
    "log": {"value": None},
}
_PEER: Shape = {
    "podSelector": _SELECTOR,
    "namespaceSelector": _SELECTOR,
    "ipBlock": {"cidr": None, "except": None},
}
_KUBERNETES: Shape = {
    "podSelector": _SELECTOR,
    "policyTypes": None,
    "ingress": [{"from": [_PEER], "ports": [_PORT]}],
    "egress": [{"to": [_PEER], "ports": [_PORT]}],
}


def unknown_fields(parsed: Parsed, known: Known) -> Iterator[Hit]:
    """Fields of a policy that do not exist, with the field that was probably meant."""
    shape = _KUBERNETES if parsed.resource == KNP else _CILIUM
    for spec in specs(parsed):
        yield from _unknown(spec.raw, shape, spec.steps)
    if parsed.resource != KNP:
        misplaced = [name for name in (*SECTIONS, "endpointSelector") if name in parsed.raw]
        for name in misplaced:
            yield Hit((name,), f"`{name}` stands beside `spec`: it is dropped.", "Indent it below `spec`.")


def _unknown(value: Any, shape: Any, steps: Steps) -> Iterator[Hit]:
    if isinstance(shape, list):
        for index, each in enumerate(value) if isinstance(value, list) else ():
            yield from _unknown(each, shape[0], (*steps, index))
    elif isinstance(shape, dict) and isinstance(value, Mapping):
        for name, inner in value.items():
            if name in shape:
                yield from _unknown(inner, shape[name], (*steps, name))
                continue
            meant = closest(str(name), shape)
            yield Hit(
                (*steps, str(name)),
                f"There is no field `{name}` here: it is dropped, and the rest of the rule means something else.",
                f"Did you mean `{meant}`?" if meant else f"The fields here are {', '.join(sorted(shape))}.",
            )
