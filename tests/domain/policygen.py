"""Small clusters drawn by lot: policies of every kind, endpoints that they tell apart, and what surrounds them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from tui.domain.cilium.model import CidrGroup, Endpoint, Service, Settings, Surroundings, Written
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy
from tui.domain.cilium.reading import identity

NAMESPACES = {"shop": {"team": "a"}, "data": {"team": "b"}}
APPS = ("web", "db", "job")
POD_PORTS = ({}, {"http/TCP": 8080}, {"http/TCP": 80, "dns/UDP": 53})
PORTS = ("80", "8080", "53", "http", "dns", "0")
ADDRESSES = ("10.1.2.3", "10.1.9.9", "10.9.9.9", "192.0.2.7", "8.8.8.8")
PREFIXES = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "0.0.0.0/0", "192.0.2.7/32")
ENTITIES = ("all", "world", "cluster", "host", "remote-node", "kube-apiserver", "health", "init", "ingress", "none")
FLOWS = (
    (80, "TCP"),
    (8080, "TCP"),
    (53, "UDP"),
    (80, "SCTP"),
    (81, "TCP"),
    (8, "ICMP"),
    (0, "ICMP"),
    (1, "VRRP"),
    (65535, "TCP"),
)


def endpoints() -> dict[str, Endpoint]:
    """Pods of two namespaces and of another cluster, the reserved identities, and addresses outside."""
    found: dict[str, Endpoint] = {}
    for number, (space, app) in enumerate((space, app) for space in NAMESPACES for app in APPS):
        labels = identity([f"k8s:app={app}"], space, NAMESPACES[space], "default")
        ports = POD_PORTS[number % len(POD_PORTS)]
        found[f"{space}/{app}"] = Endpoint(labels, f"{space}/{app}", f"10.1.2.{number}", ports)
    found["data/odd"] = Endpoint(identity(["host=", "init="], "data", NAMESPACES["data"], "default"), "data/odd")
    far = identity(["k8s:app=web"], "shop", NAMESPACES["shop"], "other")
    found["other/web"] = Endpoint(far, "other/web", "10.1.2.99", {"http/TCP": 8080})
    for name in ("host", "remote-node", "health", "ingress", "init", "unmanaged", "kube-apiserver", "world"):
        found[name] = Endpoint((f"reserved:{name}",), name)
    found["node"] = Endpoint(("reserved:remote-node",), "node", "10.1.2.200")
    found["api"] = Endpoint(("reserved:kube-apiserver", "reserved:world"), "api", "192.0.2.7")
    found["learned"] = Endpoint(("fqdn:api.example.com", "reserved:world"), "learned")
    found["prefix"] = Endpoint(("cidr:10.1.0.0/16", "reserved:world"), "prefix")
    found["unknown"] = Endpoint(("reserved:unknown",), "unknown")
    found["nobody"] = Endpoint((), "nobody")
    for address in ADDRESSES:
        found[address] = Endpoint((), address, address)
    return found


def _selectors() -> st.SearchStrategy[dict[str, Any]]:
    labels = st.dictionaries(
        st.sampled_from(
            ["app", "k8s:app", "any:app", "io.kubernetes.pod.namespace", "k8s:io.kubernetes.pod.namespace"]
        ),
        st.sampled_from([*APPS, *NAMESPACES]),
        max_size=1,
    )
    keys = st.sampled_from(
        ["app", "k8s:io.cilium.k8s.namespace.labels.team", "reserved:init", "k8s:io.cilium.k8s.policy.cluster", "x"]
    )
    valued = st.fixed_dictionaries(
        {"key": keys, "operator": st.sampled_from(["In", "NotIn"]), "values": st.just(["web", "a"])}
    )
    bare = st.fixed_dictionaries({"key": keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])})
    return st.fixed_dictionaries(
        {}, optional={"matchLabels": labels, "matchExpressions": st.lists(valued | bare, max_size=1)}
    )


_SELECTORS = _selectors()
_PORT = st.fixed_dictionaries(
    {"port": st.sampled_from(PORTS)},
    optional={"protocol": st.sampled_from(["TCP", "UDP", "ANY"]), "endPort": st.just(8090)},
)
# What may be asked above layer 4, with the ports where it may be.
_ABOVE = (
    {"ports": [{"port": "80", "protocol": "TCP"}], "rules": {"http": [{"method": "GET"}]}},
    {"ports": [{"port": "http", "protocol": "TCP"}], "rules": {"http": [{}]}},
    {"ports": [{"port": "53", "protocol": "UDP"}], "rules": {"dns": [{"matchPattern": "*"}]}},
    {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchName": "api.example.com"}]}},
    {"ports": [{"port": "80", "protocol": "TCP"}], "serverNames": ["api.example.com"]},
    {"ports": [{"port": "80", "protocol": "TCP"}], "terminatingTLS": {"secret": {"name": "s", "namespace": "shop"}}},
)


def _cidr_sets(group: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(
        [
            {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]},
            {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]},
            {"cidrGroupRef": group},
            {"cidrGroupRef": "missing"},
        ]
    )


def _peers(way: str, deny: bool) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        f"{way}Endpoints": st.lists(_SELECTORS, max_size=2),
        f"{way}Entities": st.lists(st.sampled_from(ENTITIES), min_size=1, max_size=2),
        f"{way}CIDR": st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2),
        f"{way}CIDRSet": st.lists(_cidr_sets("office"), min_size=1, max_size=1),
        f"{way}Groups": st.just([{"aws": {"labels": {"a": "b"}}}]),
    }
    if way == "from":
        fields["fromRequires"] = st.lists(_SELECTORS, min_size=1, max_size=1)
    elif not deny:
        fields["toFQDNs"] = st.lists(
            st.sampled_from([{"matchName": "api.example.com"}, {"matchPattern": "**.example.com"}]), max_size=1
        )
        fields["toServices"] = st.just([{"k8sService": {"serviceName": "db", "namespace": "data"}}])
    one = [st.fixed_dictionaries({name: value}) for name, value in fields.items()]
    return st.one_of(st.just({}), *one)


@st.composite
def _rules(draw: st.DrawFn, way: str, deny: bool) -> dict[str, Any]:
    rule = dict(draw(_peers(way, deny)))
    shape = draw(st.sampled_from(["none", "ports", "ports", "icmp"] + ([] if deny else ["above", "above"])))
    if shape == "ports":
        rule["toPorts"] = [{"ports": draw(st.lists(_PORT, min_size=1, max_size=2))}]
    elif shape == "icmp":
        rule["icmps"] = [{"fields": [{"family": "IPv4", "type": draw(st.sampled_from([0, 8]))}]}]
    elif shape == "above":
        rule["toPorts"] = [draw(st.sampled_from(_ABOVE))]
    return rule


@st.composite
def _cilium(draw: st.DrawFn) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for section, way, deny in (
        ("ingress", "from", False),
        ("ingressDeny", "from", True),
        ("egress", "to", False),
        ("egressDeny", "to", True),
    ):
        rules = draw(st.lists(_rules(way, deny), max_size=1 if deny else 2))
        if rules:
            spec[section] = rules
    if draw(st.booleans()):
        spec["enableDefaultDeny"] = {"ingress": draw(st.booleans()), "egress": draw(st.booleans())}
    return spec


_KNP_PEER = st.one_of(
    st.fixed_dictionaries({"podSelector": st.sampled_from([{}, {"matchLabels": {"app": "web"}}])}),
    st.fixed_dictionaries({"namespaceSelector": st.sampled_from([{}, {"matchLabels": {"team": "a"}}])}),
    st.just({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}),
)
_KNP_PORT = st.fixed_dictionaries(
    {}, optional={"port": st.sampled_from([80, 8080, "http"]), "protocol": st.sampled_from(["TCP", "UDP"])}
)


@st.composite
def written(draw: st.DrawFn, number: int = 0) -> Written:
    """One policy; it need not be valid."""
    resource = draw(st.sampled_from([CNP, CNP, CCNP, KNP]))
    metadata = {
        "name": f"p{number}",
        **({} if resource == CCNP else {"namespace": draw(st.sampled_from(sorted(NAMESPACES)))}),
    }
    if resource == KNP:
        spec: dict[str, Any] = {"podSelector": draw(st.sampled_from([{}, {"matchLabels": {"app": "db"}}]))}
        for section, way in (("ingress", "from"), ("egress", "to")):
            if draw(st.booleans()):
                rule = st.fixed_dictionaries(
                    {}, optional={way: st.lists(_KNP_PEER, max_size=2), "ports": st.lists(_KNP_PORT, max_size=2)}
                )
                spec[section] = draw(st.lists(rule, max_size=2))
        spec["policyTypes"] = draw(st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]))
    else:
        spec = draw(_cilium())
        nodes = resource == CCNP and draw(st.integers(0, 3)) == 0
        spec["nodeSelector" if nodes else "endpointSelector"] = {} if nodes else draw(st.just({}) | _SELECTORS)
    return Written(resource, msgspec.convert({"metadata": metadata, "spec": spec}, Policy), f"p{number}.yaml")


@st.composite
def policies(draw: st.DrawFn, most: int = 4) -> tuple[Written, ...]:
    """A few policies with names of their own."""
    return tuple(draw(written(number)) for number in range(draw(st.integers(0, most))))


LEARNED = st.sampled_from(
    [None, {}, {"api.example.com": frozenset(["8.8.8.8"]), "a.b.example.com": frozenset(["10.9.9.9"])}]
)
surroundings = st.builds(
    Surroundings,
    settings=st.builds(
        Settings,
        version=st.sampled_from([(1, 17), (1, 18), (1, 19)]),
        enforcement=st.sampled_from(["default", "default", "default", "always", "never"]),
        audit=st.sampled_from([False, False, False, True]),
        allow_localhost=st.sampled_from(["always", "policy"]),
        host_firewall=st.booleans(),
        cidr_match_mode=st.sampled_from([(), ("nodes",)]),
    ),
    namespaces=st.just(NAMESPACES),
    cidr_groups=st.just((CidrGroup("office", {"site": "a"}, ("192.0.2.0/24",)),)),
    services=st.just((Service("data", "db", {}, {"app": "db"}),)),
    dns=LEARNED,
)
