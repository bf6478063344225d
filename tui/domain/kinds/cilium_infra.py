"""Kinds of Cilium beside policies and endpoints: machines outside, batches, settings of nodes, other ways for traffic.

Fields: the definitions of Cilium 1.17 (CiliumExternalWorkload, gone since) and 1.19.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tui.domain.cilium.describe import selector_text
from tui.domain.cilium.policy import mapping, sequence
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Kind, Tone, Value
from tui.domain.obj import Object

GROUP = "cilium.io"


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


def _selected(selector: Any) -> str:
    """A selector in words; "" when there is none, or when it selects all."""
    return selector_text(mapping(selector), short=True)


class _ExternalSpec(_Struct, frozen=True, gc=False):
    ipv4_alloc_cidr: str = msgspec.field(default="", name="ipv4-alloc-cidr")
    ipv6_alloc_cidr: str = msgspec.field(default="", name="ipv6-alloc-cidr")


class _ExternalStatus(_Struct, frozen=True, gc=False):
    id: int = 0
    ip: str = ""


class CiliumExternalWorkload(Object, frozen=True, gc=False):
    """The record of a CiliumExternalWorkload's row; `status.ip` is empty until the machine has registered."""

    spec: _ExternalSpec = _ExternalSpec()
    status: _ExternalStatus | None = None


def _external_status(obj: CiliumExternalWorkload) -> _ExternalStatus:
    return obj.status or _ExternalStatus()


def _show_address(value: Value, now: float) -> Cell:
    return Cell(str(value)) if value else Cell("not registered", Tone.WARN)


CILIUMEXTERNALWORKLOADS = Kind(
    plural="ciliumexternalworkloads",
    kind="CiliumExternalWorkload",
    group=GROUP,
    versions=("v2",),
    namespaced=False,
    short=("cew",),
    record=CiliumExternalWorkload,
    columns=c.cluster_scoped(
        c.of("identity", "IDENTITY", lambda obj: _external_status(obj).id or None, width=8, right=True),
        c.of("ip", "IP", lambda obj: _external_status(obj).ip, _show_address, 16, least=7),
        c.of("cidr", "RANGE", lambda o: o.spec.ipv4_alloc_cidr or o.spec.ipv6_alloc_cidr, c.show_muted, 18),
    ),
)


class _Batched(_Struct, frozen=True, gc=False):
    name: str = ""
    id: int = 0  # of the identity


class CiliumEndpointSlice(Object, frozen=True, gc=False):
    """The record of a CiliumEndpointSlice's row: a batch of the CiliumEndpoints of one namespace."""

    namespace: str = ""
    endpoints: tuple[_Batched, ...] | None = None


CILIUMENDPOINTSLICES = Kind(
    plural="ciliumendpointslices",
    kind="CiliumEndpointSlice",
    group=GROUP,
    versions=("v2alpha1",),
    namespaced=False,
    short=("ces",),
    record=CiliumEndpointSlice,
    columns=c.cluster_scoped(
        c.of("endpointNamespace", "NAMESPACE", lambda obj: obj.namespace, width=18),
        c.of("count", "ENDPOINTS", lambda obj: len(obj.endpoints or ()), c.show_count, 9, right=True),
        c.of(
            "identities", "IDENTITIES", lambda o: len({each.id for each in o.endpoints or ()}), c.show_count, 10,
            right=True,
        ),
        c.of("names", "PODS", lambda obj: ", ".join(e.name for e in obj.endpoints or ()), c.show_muted, 40, grow=2),
    ),
)  # fmt: skip


class _NodeConfigSpec(_Struct, frozen=True, gc=False):
    node_selector: Any = None
    defaults: dict[str, str] | None = None


class CiliumNodeConfig(Object, frozen=True, gc=False):
    """The record of a CiliumNodeConfig's row: keys of `cilium-config` that are others on some nodes."""

    spec: _NodeConfigSpec = _NodeConfigSpec()


CILIUMNODECONFIGS = Kind(
    plural="ciliumnodeconfigs",
    kind="CiliumNodeConfig",
    group=GROUP,
    versions=("v2", "v2alpha1"),
    record=CiliumNodeConfig,
    columns=c.namespaced(
        c.of("nodes", "NODES", lambda obj: _selected(obj.spec.node_selector), width=30, least=8),
        c.of(
            "settings", "SETTINGS",
            lambda obj: ", ".join(f"{key}={value}" for key, value in sorted((obj.spec.defaults or {}).items())),
            width=50, least=12, grow=2,
        ),
    ),
)  # fmt: skip


class _RedirectSpec(_Struct, frozen=True, gc=False):
    redirect_frontend: Any = None
    redirect_backend: Any = None


class CiliumLocalRedirectPolicy(Object, frozen=True, gc=False):
    """The record of a CiliumLocalRedirectPolicy's row."""

    spec: _RedirectSpec = _RedirectSpec()


def _ports(listed: Sequence[Any]) -> str:
    return ", ".join(f"{mapping(each).get('protocol', 'TCP')} {mapping(each).get('port', '')}" for each in listed)


def _frontend(obj: CiliumLocalRedirectPolicy) -> str:
    """`169.254.20.10 → TCP 53` or `service kube-system/kube-dns`: what is redirected."""
    frontend = mapping(obj.spec.redirect_frontend)
    service, address = mapping(frontend.get("serviceMatcher")), mapping(frontend.get("addressMatcher"))
    chosen = service or address
    name = f"service {service.get('namespace', '')}/{service.get('serviceName', '')}" if service else ""
    ports = _ports(sequence(chosen.get("toPorts")))
    return " → ".join(part for part in (name or str(address.get("ip", "")), ports) if part)


def _backend(obj: CiliumLocalRedirectPolicy) -> str:
    backend = mapping(obj.spec.redirect_backend)
    ports = _ports(sequence(backend.get("toPorts")))
    return " → ".join(part for part in (_selected(backend.get("localEndpointSelector")), ports) if part)


CILIUMLOCALREDIRECTPOLICIES = Kind(
    plural="ciliumlocalredirectpolicies",
    kind="CiliumLocalRedirectPolicy",
    group=GROUP,
    versions=("v2",),
    short=("clrp",),
    record=CiliumLocalRedirectPolicy,
    columns=c.namespaced(
        c.of("frontend", "REDIRECTS", _frontend, width=36, least=10, grow=1),
        c.of("backend", "TO", _backend, width=36, least=10, grow=1),
    ),
)


class _GatewaySpec(_Struct, frozen=True, gc=False):
    selectors: Any = None
    destination_cidrs: Any = msgspec.field(default=None, name="destinationCIDRs")
    excluded_cidrs: Any = msgspec.field(default=None, name="excludedCIDRs")
    egress_gateway: Any = None
    egress_gateways: Any = None


class CiliumEgressGatewayPolicy(Object, frozen=True, gc=False):
    """The record of a CiliumEgressGatewayPolicy's row. It changes the source address and allows nothing."""

    spec: _GatewaySpec = _GatewaySpec()


def _gateway_subjects(obj: CiliumEgressGatewayPolicy) -> str:
    words = []
    for each in sequence(obj.spec.selectors):
        held = mapping(each)
        namespaces, nodes = _selected(held.get("namespaceSelector")), _selected(held.get("nodeSelector"))
        text = _selected(held.get("podSelector")) or "every pod"
        text += f" in namespaces {namespaces}" if namespaces else ""
        words.append(f"{text} on nodes {nodes}" if nodes else text)
    return "; ".join(words)


def _gateway_destinations(obj: CiliumEgressGatewayPolicy) -> str:
    text = ", ".join(str(each) for each in sequence(obj.spec.destination_cidrs))
    excluded = ", ".join(str(each) for each in sequence(obj.spec.excluded_cidrs))
    return f"{text} except {excluded}" if excluded else text


def _gateways(obj: CiliumEgressGatewayPolicy) -> str:
    """`192.0.2.7 on node=edge`, several since Cilium 1.18."""
    words = []
    for each in sequence(obj.spec.egress_gateways) or [obj.spec.egress_gateway]:
        held = mapping(each)
        way = str(held.get("egressIP") or held.get("interface") or "")
        nodes = _selected(held.get("nodeSelector"))
        words.append(" on ".join(part for part in (way, nodes) if part))
    return "; ".join(word for word in words if word)


CILIUMEGRESSGATEWAYPOLICIES = Kind(
    plural="ciliumegressgatewaypolicies",
    kind="CiliumEgressGatewayPolicy",
    group=GROUP,
    versions=("v2",),
    namespaced=False,
    short=("cegp",),
    record=CiliumEgressGatewayPolicy,
    columns=c.cluster_scoped(
        c.of("selects", "PODS", _gateway_subjects, width=40, least=10, grow=1),
        c.of("destinations", "DESTINATIONS", _gateway_destinations, width=30, least=8),
        c.of("gateways", "GATEWAYS", _gateways, width=36, least=10, grow=1),
    ),
)

KINDS = (
    CILIUMEXTERNALWORKLOADS,
    CILIUMENDPOINTSLICES,
    CILIUMNODECONFIGS,
    CILIUMLOCALREDIRECTPOLICIES,
    CILIUMEGRESSGATEWAYPOLICIES,
)
