"""Kinds of Cilium, and NetworkPolicy beside them: the three policy kinds share their columns."""

from __future__ import annotations

import msgspec

from tui.domain.cilium import describe, policy
from tui.domain.cilium.engine.validity import validity
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Kind, Tone, Value
from tui.domain.obj import Object, Row

GROUP = "cilium.io"
POLICY_RESOURCES = (policy.CNP, policy.CCNP, policy.KNP)
SHORT_KINDS = {policy.CNP: "CNP", policy.CCNP: "CCNP", policy.KNP: "NP"}


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


def _show_validity(value: Value, now: float) -> Cell:
    return c.state_cell(str(value)) if value else Cell("–", Tone.MUTED)


def _show_selects(value: Value, now: float) -> Cell:
    if value is None:
        return Cell("?", Tone.UNKNOWN)
    return Cell(str(value), Tone.PLAIN if value else Tone.WARN)


def _reason(row: Row, facts: Facts) -> str:
    word, reason = validity(row.obj, row.ref.resource)
    return " ".join(reason.split()) if word == "Invalid" else ""


POLICY_COLUMNS = (
    c.CLUSTER,
    c.NAMESPACE,
    c.NAME,
    c.column("policy", "KIND", lambda row, facts: SHORT_KINDS.get(row.ref.resource, ""), c.show_muted, 5, least=3),
    c.column(
        "valid",
        "VALID",
        lambda r, facts: validity(r.obj, r.ref.resource)[0],
        _show_validity,
        10,
        least=9,
        keep=8,
        sort=c.severity,
    ),
    c.column(
        "selects", "SELECTS", lambda row, facts: facts.selected(row), _show_selects, 7, least=7, right=True, keep=7
    ),
    c.column(
        "directions", "DIRECTIONS", lambda row, facts: policy.directions(row.obj, row.ref.resource), width=15, least=7
    ),
    c.column(
        "rules", "RULES", lambda r, facts: describe.one_line(r.obj, r.ref.resource), width=60, least=20, grow=3, keep=6
    ),
    c.column("application", "APPLICATION", lambda row, facts: facts.application(row), width=20, least=8),
    c.column("file", "FILE", lambda row, facts: facts.source_file(row), c.show_file, 40, least=8),
    c.AGE,
    c.column("reason", "REASON", _reason, c.show_bad, 40, wide=True),
)


def _policy_kind(
    plural: str, kind: str, group: str, version: str, short: tuple[str, ...], namespaced: bool = True
) -> Kind:
    resource = f"{plural}.{group}"

    def state(obj: policy.Policy, facts: Facts) -> Cell:
        word = validity(obj, resource)[0]
        return c.state_cell(word) if word else Cell("", Tone.PLAIN)

    return Kind(
        plural=plural,
        kind=kind,
        group=group,
        versions=(version,),
        namespaced=namespaced,
        short=short,
        record=policy.Policy,
        columns=POLICY_COLUMNS,
        watch="always",
        state=state,
        depends=("ciliumendpoints.cilium.io",),
        needs=("pods", "nodes", "applications.argoproj.io"),
    )


CILIUMNETWORKPOLICIES = _policy_kind("ciliumnetworkpolicies", "CiliumNetworkPolicy", GROUP, "v2", ("cnp", "ciliumnp"))
CILIUMCLUSTERWIDENETWORKPOLICIES = _policy_kind(
    "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", GROUP, "v2", ("ccnp",), namespaced=False
)
NETWORKPOLICIES = _policy_kind("networkpolicies", "NetworkPolicy", "networking.k8s.io", "v1", ("netpol", "np"))


class EndpointIdentity(_Struct, frozen=True, gc=False):
    id: int = 0
    labels: tuple[str, ...] | None = None  # "k8s:app=web", sorted by Cilium


class _Address(_Struct, frozen=True, gc=False):
    ipv4: str = ""
    ipv6: str = ""


class _Networking(_Struct, frozen=True, gc=False):
    addressing: tuple[_Address, ...] | None = None
    node: str = ""


class NamedPort(_Struct, frozen=True, gc=False):
    """A port that a container of the pod gives a name."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class _EndpointStatus(_Struct, frozen=True, gc=False):
    id: int = 0
    identity: EndpointIdentity | None = None
    networking: _Networking | None = None
    named_ports: tuple[NamedPort, ...] | None = msgspec.field(default=None, name="named-ports")
    state: str = ""


class CiliumEndpoint(Object, frozen=True, gc=False):
    """The record of a CiliumEndpoint's row."""

    status: _EndpointStatus | None = None


def _status(obj: CiliumEndpoint) -> _EndpointStatus:
    return obj.status or _EndpointStatus()


def _addresses(obj: CiliumEndpoint) -> str:
    held = (_status(obj).networking or _Networking()).addressing or ()
    return ", ".join(text for each in held for text in (each.ipv4, each.ipv6) if text)


def named_ports(obj: CiliumEndpoint) -> dict[str, int]:
    """Port numbers by `name/PROTOCOL`, as rules look them up."""
    return {f"{each.name}/{each.protocol}": each.port for each in _status(obj).named_ports or ()}


def _ports(obj: CiliumEndpoint) -> str:
    return ", ".join(f"{each.name} {each.protocol} {each.port}" for each in _status(obj).named_ports or ())


CILIUMENDPOINTS = Kind(
    plural="ciliumendpoints",
    kind="CiliumEndpoint",
    group=GROUP,
    versions=("v2",),
    short=("cep", "ciliumep"),
    record=CiliumEndpoint,
    state=lambda obj, facts: c.state_cell(_status(obj).state),
    columns=c.namespaced(
        c.of("state", "STATE", lambda obj: _status(obj).state, c.show_state, 20, least=7),
        c.of("endpoint", "ENDPOINT", lambda obj: _status(obj).id, width=8, right=True),
        c.of("identity", "IDENTITY", lambda o: (_status(o).identity or EndpointIdentity()).id, width=8, right=True),
        c.of("ip", "IP", _addresses, width=24),
        c.of("node", "NODE", lambda obj: (_status(obj).networking or _Networking()).node, c.show_muted, 16),
        c.of("ports", "NAMED PORTS", _ports, c.show_muted, 30, wide=True),
    ),
)


class CiliumIdentity(Object, frozen=True, gc=False):
    """The record of a CiliumIdentity's row; `metadata.name` is the numeric identity."""

    security_labels: dict[str, str] | None = msgspec.field(default=None, name="security-labels")


def _identity_namespace(obj: CiliumIdentity) -> str:
    return (obj.security_labels or {}).get(f"k8s:{policy.NAMESPACE_KEY}", "")


def _identity_labels(obj: CiliumIdentity) -> str:
    held = obj.security_labels or {}
    return ", ".join(
        f"{policy.bare(key)}={value}"
        for key, value in sorted(held.items())
        if not policy.bare(key).startswith(("io.kubernetes.", "io.cilium."))
    )


CILIUMIDENTITIES = Kind(
    plural="ciliumidentities",
    kind="CiliumIdentity",
    group=GROUP,
    versions=("v2",),
    namespaced=False,
    short=("ciliumid",),
    record=CiliumIdentity,
    columns=c.cluster_scoped(
        c.of("identityNamespace", "NAMESPACE", _identity_namespace, width=18),
        c.of("labels", "LABELS", _identity_labels, c.show_muted, 60, grow=3),
    ),
)


class _NodeAddress(_Struct, frozen=True, gc=False):
    type: str = ""
    ip: str = ""


class _Ipam(_Struct, frozen=True, gc=False):
    pod_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="podCIDRs")


class _CiliumNodeSpec(_Struct, frozen=True, gc=False):
    addresses: tuple[_NodeAddress, ...] | None = None
    ipam: _Ipam | None = None


class CiliumNode(Object, frozen=True, gc=False):
    """The record of a CiliumNode's row."""

    spec: _CiliumNodeSpec = _CiliumNodeSpec()


def _node_ip(obj: CiliumNode, kind: str) -> str:
    return next((each.ip for each in obj.spec.addresses or () if each.type == kind), "")


CILIUMNODES = Kind(
    plural="ciliumnodes",
    kind="CiliumNode",
    group=GROUP,
    versions=("v2",),
    namespaced=False,
    short=("cn", "ciliumn"),
    record=CiliumNode,
    columns=c.cluster_scoped(
        c.of("ciliumInternalIP", "CILIUM IP", lambda obj: _node_ip(obj, "CiliumInternalIP"), width=16),
        c.of("ip", "INTERNAL-IP", lambda obj: _node_ip(obj, "InternalIP"), width=16),
        c.of("podCIDRs", "POD CIDRS", lambda obj: ", ".join((obj.spec.ipam or _Ipam()).pod_cidrs or ()), width=24),
    ),
)


class _CidrGroupSpec(_Struct, frozen=True, gc=False):
    external_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="externalCIDRs")


class CiliumCIDRGroup(Object, frozen=True, gc=False):
    """The record of a CiliumCIDRGroup's row."""

    spec: _CidrGroupSpec = _CidrGroupSpec()


CILIUMCIDRGROUPS = Kind(
    plural="ciliumcidrgroups",
    kind="CiliumCIDRGroup",
    group=GROUP,
    versions=("v2", "v2alpha1"),
    namespaced=False,
    short=("ccg",),
    record=CiliumCIDRGroup,
    columns=c.cluster_scoped(
        c.of("count", "CIDRS", lambda obj: len(obj.spec.external_cidrs or ()), c.show_count, 6, right=True),
        c.of("cidrs", "ADDRESSES", lambda obj: ", ".join(obj.spec.external_cidrs or ()), c.show_muted, 40, grow=2),
    ),
)

KINDS = (
    CILIUMNETWORKPOLICIES,
    CILIUMCLUSTERWIDENETWORKPOLICIES,
    NETWORKPOLICIES,
    CILIUMENDPOINTS,
    CILIUMIDENTITIES,
    CILIUMNODES,
    CILIUMCIDRGROUPS,
)
