"""What is known of a cluster, out of files: `kubectl get cep,ns,svc -o yaml`, or a policy-test suite's description."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import TypeVar

from tui.domain.cilium import reading, suitefile
from tui.domain.cilium.lint.values import Known, KnownService
from tui.domain.cilium.policy import NAMESPACE_KEY, mapping, sequence
from tui.domain.cilium.reading import Placed

Item = TypeVar("Item")
_NAMESPACE = f"k8s:{NAMESPACE_KEY}="


def of_objects(found: Iterable[Placed]) -> Known:
    """What Kubernetes objects tell. A kind of which there is no object is unknown."""
    every = list(found)
    kinds = {str(placed.object.get("kind")) for placed in every}
    around = reading.surroundings(every)
    pods = reading.endpoints(every, around)
    ports = {(each.namespace, each.name): () for each in around.services} | dict(_service_ports(every))
    services = tuple(KnownService(each, ports[each.namespace, each.name]) for each in around.services)
    return Known(
        settings=around.settings if _has_settings(every) else None,
        endpoints=tuple(pods.values()) if kinds & {"CiliumEndpoint", "Pod"} else None,
        namespaces=around.namespaces if "Namespace" in kinds else None,
        services=services if "Service" in kinds else None,
        cidr_groups=around.cidr_groups if "CiliumCIDRGroup" in kinds else None,
        node_addresses=tuple(_node_addresses(every)),
    )


def _has_settings(every: Iterable[Placed]) -> bool:
    return any(
        placed.object.get("kind") == "ConfigMap"
        and mapping(placed.object.get("metadata")).get("name") == "cilium-config"
        for placed in every
    )


def _service_ports(
    every: Iterable[Placed],
) -> Iterator[tuple[tuple[str, str], tuple[tuple[int, int | str, str], ...]]]:
    for placed in every:
        if placed.object.get("kind") != "Service":
            continue
        meta, spec = mapping(placed.object.get("metadata")), mapping(placed.object.get("spec"))
        ports = []
        for each in map(mapping, sequence(spec.get("ports"))):
            number = each.get("port")
            target = each.get("targetPort") or number
            if isinstance(number, int) and isinstance(target, int | str):
                plain = int(target) if isinstance(target, str) and target.isdigit() else target
                ports.append((number, plain, str(each.get("protocol") or "TCP")))
        yield (str(meta.get("namespace") or "default"), str(meta.get("name") or "")), tuple(ports)


def _node_addresses(every: Iterable[Placed]) -> Iterator[str]:
    for placed in every:
        kind, held = placed.object.get("kind"), placed.object
        if kind == "CiliumNode":
            for each in sequence(mapping(held.get("spec")).get("addresses")):
                yield str(mapping(each).get("ip"))
        elif kind == "Node":
            for each in sequence(mapping(held.get("status")).get("addresses")):
                yield str(mapping(each).get("address"))


def of_texts(texts: Iterable[tuple[str, str]]) -> Known:
    """What (text, file) pairs tell together: Kubernetes objects, or endpoints as a policy-test suite has them.

    Raises Refused, with file and line, for what cannot be read.
    """
    placed: list[Placed] = []
    suites: list[Known] = []
    for text, file in texts:
        found = list(reading.objects(text, file))
        placed += found
        if not found:
            suites.append(_of_suite(text, file))
    return reduce(_joined, suites, of_objects(placed) if placed else Known())


def _of_suite(text: str, file: str) -> Known:
    told = suitefile.known(text, file)
    around = told.surroundings
    endpoints = tuple(told.endpoints.values())
    spaces = {label.partition("=")[2] for each in endpoints for label in each.labels if label.startswith(_NAMESPACE)}
    return Known(
        settings=around.settings if around.settings != reading.bare().settings else None,
        endpoints=endpoints,
        namespaces={**{name: {} for name in spaces}, **around.namespaces} if around.namespaces else None,
        cidr_groups=around.cidr_groups or None,
    )


def _joined(one: Known, other: Known) -> Known:
    """Both together; of settings, the first that are known."""
    return Known(
        settings=one.settings or other.settings,
        endpoints=_both(one.endpoints, other.endpoints),
        namespaces=one.namespaces if other.namespaces is None else {**(one.namespaces or {}), **other.namespaces},
        services=_both(one.services, other.services),
        cidr_groups=_both(one.cidr_groups, other.cidr_groups),
        node_addresses=one.node_addresses + other.node_addresses,
    )


def _both(one: tuple[Item, ...] | None, other: tuple[Item, ...] | None) -> tuple[Item, ...] | None:
    return other if one is None else one + (other or ())
