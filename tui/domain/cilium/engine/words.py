"""Verdicts in words: who talks, what, and which rule says so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tui.domain.cilium.model import Direction, Endpoint, Flow, Where
from tui.domain.cilium.policy import CCNP, CNP, KNP, NAMESPACE_KEY
from tui.domain.cilium.select import split_label

KINDS = {CNP: "CiliumNetworkPolicy", CCNP: "CiliumClusterwideNetworkPolicy", KNP: "NetworkPolicy"}
_NAMES = ("app.kubernetes.io/name", "app", "k8s-app", "name")


def called(endpoint: Endpoint) -> str:
    """An endpoint as people call it: its name, its address, or what its labels say it is."""
    return endpoint.name or (endpoint.ip if not endpoint.labels else _by_labels(endpoint.labels, endpoint.ip))


@lru_cache(maxsize=16384)
def _by_labels(labels: tuple[str, ...], ip: str) -> str:
    found: dict[str, str] = {}
    reserved = []
    for label in labels:
        source, key, value = split_label(label)
        if source == "reserved":
            reserved.append(key)
        else:
            found.setdefault(key, value)
    if reserved:
        return f"{' and '.join(sorted(reserved))} {ip}".strip()
    namespace = found.get(NAMESPACE_KEY, "")
    name = next((found[key] for key in _NAMES if found.get(key)), "")
    if namespace:
        return f"{namespace}/{name}" if name else f"a pod of {namespace}"
    return name or ip or "an endpoint"


def traffic(flow: Flow) -> str:
    """`TCP 8080`, `ICMP type 8`."""
    if flow.protocol.upper().startswith("ICMP"):
        return f"{'ICMPv6' if flow.protocol.upper() == 'ICMPV6' else 'ICMP'} type {flow.port}"
    return f"{flow.protocol.upper()} {flow.port}"


def place(where: Where) -> str:
    """`CiliumNetworkPolicy shop/allow-web, spec.ingress[0], in web.yaml`."""
    text = f"{KINDS.get(where.resource, where.resource)} {where.name}"
    if where.path:
        text += f", {where.path}"
    return f"{text}, in {where.file}" if where.file else text


def places(found: Sequence[Where], most: int = 1) -> str:
    """The first places, and how many more there are."""
    text = "; ".join(place(each) for each in found[:most])
    more = len(found) - most
    return f"{text} (and {more} more rule{'s' if more > 1 else ''})" if more > 0 else text


def both_ends(subject: str, peer: str, direction: Direction) -> str:
    """`from shop/client to shop/web`, whoever is the subject."""
    return f"from {peer} to {subject}" if direction == "ingress" else f"from {subject} to {peer}"
