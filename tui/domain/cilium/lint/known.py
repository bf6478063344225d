"""What is known of a cluster, out of files: `kubectl get cep,ns,svc -o yaml`, or a policy-test suite's description."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tui.domain.cilium import reading
from tui.domain.cilium.lint.values import Known, KnownService
from tui.domain.cilium.model import Surroundings
from tui.domain.cilium.policy import mapping, sequence
from tui.domain.cilium.reading import Placed


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


def of_surroundings(around: Surroundings, endpoints: Iterable[object]) -> Known:
    """What a policy-test suite describes: its endpoints, and its namespaces where it names any."""
    from tui.domain.cilium.model import Endpoint

    return Known(
        settings=around.settings,
        endpoints=tuple(each for each in endpoints if isinstance(each, Endpoint)),
        namespaces=around.namespaces or None,
        services=tuple(KnownService(each) for each in around.services) or None,
        cidr_groups=around.cidr_groups or None,
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
    """What (text, file) pairs tell together. Raises Refused, with file and line, for what cannot be read."""
    placed = [each for text, file in texts for each in reading.objects(text, file)]
    return of_objects(placed) if placed else Known()
