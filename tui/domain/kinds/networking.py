"""Ingresses and EndpointSlices."""

from __future__ import annotations

import msgspec

from tui.domain.kinds import columns as c
from tui.domain.kinds.core import LoadBalancerStatus, balancer_addresses
from tui.domain.kinds.kind import Health, Kind
from tui.domain.obj import Object


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class _IngressRule(_Struct, frozen=True, gc=False):
    host: str = ""


class _IngressSpec(_Struct, frozen=True, gc=False):
    ingress_class_name: str | None = None
    rules: tuple[_IngressRule, ...] | None = None
    tls: tuple[dict[str, object], ...] | None = None


class Ingress(Object, frozen=True, gc=False):
    """The record of an Ingress's row."""

    spec: _IngressSpec = _IngressSpec()
    status: LoadBalancerStatus = LoadBalancerStatus()


def ingress_health(ingress: Ingress) -> Health:
    """Argo CD: Progressing until the load balancer has an address."""
    return Health("Healthy" if ingress.status.load_balancer.ingress else "Progressing")


INGRESSES = Kind(
    plural="ingresses",
    kind="Ingress",
    group="networking.k8s.io",
    short=("ing",),
    record=Ingress,
    health=ingress_health,
    state=lambda obj, facts: c.state_cell(ingress_health(obj).status),
    columns=c.namespaced(
        c.of("class", "CLASS", lambda obj: obj.spec.ingress_class_name, c.show_muted, 14),
        c.of(
            "hosts", "HOSTS", lambda obj: ",".join(each.host or "*" for each in obj.spec.rules or ()), width=36, grow=1
        ),
        c.of("address", "ADDRESS", lambda obj: balancer_addresses(obj.status.load_balancer), width=20),
        c.of("ports", "PORTS", lambda obj: "80, 443" if obj.spec.tls else "80", c.show_muted, 8),
    ),
)


class _SliceConditions(_Struct, frozen=True, gc=False):
    ready: bool | None = None


class _SliceEndpoint(_Struct, frozen=True, gc=False):
    addresses: tuple[str, ...] | None = None
    conditions: _SliceConditions = _SliceConditions()


class _SlicePort(_Struct, frozen=True, gc=False):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSlice(Object, frozen=True, gc=False, rename="camel"):
    """The record of an EndpointSlice's row."""

    address_type: str = ""
    endpoints: tuple[_SliceEndpoint, ...] | None = None
    ports: tuple[_SlicePort, ...] | None = None


def _ready(obj: EndpointSlice) -> str:
    every = obj.endpoints or ()
    return f"{sum(each.conditions.ready is not False for each in every)}/{len(every)}"


ENDPOINTSLICES = Kind(
    plural="endpointslices",
    kind="EndpointSlice",
    group="discovery.k8s.io",
    record=EndpointSlice,
    columns=c.namespaced(
        c.of("type", "ADDRESS TYPE", lambda obj: obj.address_type, c.show_muted, 12),
        c.of("ports", "PORTS", lambda obj: ",".join(str(each.port or "*") for each in obj.ports or ()), width=12),
        c.of("ready", "READY", _ready, c.show_ratio, 7, right=True),
        c.of(
            "endpoints",
            "ENDPOINTS",
            lambda o: ",".join(a for e in o.endpoints or () for a in e.addresses or ()),
            width=40,
        ),
    ),
)

KINDS = (INGRESSES, ENDPOINTSLICES)
