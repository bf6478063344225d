"""What a policy says differently, in words; and entries read back into what was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.cilium.impacts.changes import changes, sentence
from tui.domain.cilium.model import HttpRule
from tui.domain.cilium.policy import CNP, KNP, SECTIONS, Policy, rules
from tui.domain.cilium.ruling import writing
from tui.domain.cilium.ruling.choice import (
    Cidr,
    Entity,
    Fqdn,
    Group,
    Icmp,
    NewRule,
    Nodes,
    Pods,
    Port,
    ToService,
)
from tui.domain.cilium.ruling.chosen import chosen
from tui.domain.cilium.ruling.spelling import entry
from tui.domain.obj import Meta
from tui.domain.yamledit import Refused

SHARED = Path(__file__).parents[3] / "shared" / "data"
WEB = {"fromEndpoints": [{"matchLabels": {"app": "web"}}]}


def policy(spec: Any) -> Policy:
    return Policy(metadata=Meta(name="db", namespace="shop"), spec=spec)


def cnp(**spec: Any) -> Policy:
    return policy({"endpointSelector": {"matchLabels": {"app": "db"}}, **spec})


def ports(*numbers: str) -> list[Any]:
    return [{"ports": [{"port": number, "protocol": "TCP"} for number in numbers]}]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (cnp(ingress=[WEB]), cnp(ingress=[WEB]), []),
        (
            cnp(ingress=[WEB, {"fromEntities": ["host"]}]),
            cnp(ingress=[{"fromEntities": ["host"]}, WEB]),
            [],  # order means nothing
        ),
        (
            cnp(ingress=[{**WEB, "toPorts": ports("80")}]),
            cnp(ingress=[{**WEB, "toPorts": ports("80", "443")}]),
            [("widened", "allow ingress from app=web → TCP 80, now app=web → TCP 80, TCP 443", "spec.ingress[0]")],
        ),
        (
            cnp(ingress=[WEB]),
            cnp(ingress=[{**WEB, "toPorts": ports("80")}]),
            [("narrowed", "allow ingress from app=web, now app=web → TCP 80", "spec.ingress[0]")],
        ),
        (
            cnp(ingress=[{**WEB, "toPorts": ports("80")}]),
            cnp(ingress=[{**WEB, "toPorts": ports("443")}]),
            [("changed", "allow ingress from app=web → TCP 80, now app=web → TCP 443", "spec.ingress[0]")],
        ),
        (
            cnp(egress=[{"toCIDR": ["10.1.0.0/16"]}]),
            cnp(egress=[{"toCIDRSet": [{"cidr": "10.0.0.0/8"}]}]),
            [("widened", "allow egress to 10.1.0.0/16, now 10.0.0.0/8", "spec.egress[0]")],
        ),
        (
            cnp(egress=[{"toCIDRSet": [{"cidr": "10.0.0.0/8"}]}]),
            cnp(egress=[{"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}]}]),
            [("narrowed", "allow egress to 10.0.0.0/8, now 10.0.0.0/8 except 10.1.0.0/16", "spec.egress[0]")],
        ),
        (
            cnp(ingress=[WEB]),
            cnp(ingress=[WEB], egressDeny=[{"toEntities": ["world"]}]),
            [
                ("added", "deny egress to world", "spec.egressDeny[0]"),
                ("default deny on", "switch on default deny for egress", "spec"),
            ],
        ),
        (
            cnp(ingress=[WEB]),
            cnp(ingress=[WEB], enableDefaultDeny={"ingress": False}),
            [("default deny off", "no longer switch on default deny for ingress", "spec")],
        ),
        (
            cnp(ingress=[WEB]),
            policy({"endpointSelector": {}, "ingress": [WEB]}),
            [
                (
                    "subject",
                    "select every endpoint in namespace shop instead of endpoints with app=db in namespace shop",
                    "spec",
                )
            ],
        ),
        (
            cnp(ingress=[WEB]),
            cnp(ingress=[{"fromEntities": ["moon"]}]),
            [
                ("invalid", "Cilium will reject it: ingress[0]: unsupported entity moon", ""),
                ("added", "allow ingress from moon", "spec.ingress[0]"),
                ("removed", "allow ingress from app=web", "spec.ingress[0]"),
            ],
        ),
        (
            None,
            cnp(ingress=[WEB]),
            [
                ("policy added", "select endpoints with app=db in namespace shop", ""),
                ("added", "allow ingress from app=web", "spec.ingress[0]"),
                ("default deny on", "switch on default deny for ingress", "spec"),
            ],
        ),
    ],
)
def test_what_changed_is_said(before: Policy | None, after: Policy | None, said: list[tuple[str, ...]]) -> None:
    assert [tuple(each) for each in changes(before, after, CNP)] == said


def test_what_goes_is_said_as_going() -> None:
    found = changes(cnp(ingress=[WEB]), None, CNP)
    assert [sentence(each) for each in found] == [
        "no longer select endpoints with app=db in namespace shop",
        "no longer allow ingress from app=web",
        "no longer switch on default deny for ingress",
    ]


def test_an_entry_without_peers_and_ports_means_opposite_things() -> None:
    nothing, all_ports = changes(cnp(ingress=[{}]), cnp(ingress=[WEB]), CNP), {"podSelector": {}, "ingress": [{}]}
    assert [each.how for each in nothing] == ["widened"]
    peer = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}
    assert [each.how for each in changes(policy(all_ports), policy(peer), KNP)] == ["narrowed"]


_LABELS = st.dictionaries(st.sampled_from(["app", "tier", "k8s:zone"]), st.sampled_from(["a", "b"]), max_size=2)
_PODS = st.one_of(
    st.builds(Pods, _LABELS, st.sampled_from(["", "*", "shop"])),
    st.builds(Pods, _LABELS, st.just(""), st.just({"team": "pay"})),
)
_CIDRS = st.one_of(
    st.builds(Cidr, st.sampled_from(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])),
    st.just(Cidr("10.0.0.0/8", ("10.1.0.0/16",))),
)
_PEERS = st.one_of(
    st.none(),
    *(
        st.lists(each, min_size=1, max_size=3).map(tuple)
        for each in (_PODS, _CIDRS, st.one_of(_CIDRS, st.just(Group("office"))), st.just(Nodes({"zone": "a"})))
    ),
    st.just((Entity("world"), Entity("host"))),
    st.just((Fqdn("a.example"), Fqdn("*.b.example"))),
    st.just((ToService("shop", "db"),)),
)
_PORTS = st.lists(
    st.sampled_from([Port("80"), Port("http"), Port("53", "ANY"), Port("8000", "TCP", 8100)]), unique=True, max_size=3
).map(tuple)


@given(
    st.sampled_from(["ingress", "egress"]),
    _PEERS,
    _PORTS,
    st.sampled_from([(), (Icmp("8"),)]),
    st.booleans(),
    st.sampled_from([(), (HttpRule("GET", "/a"),)]),
    st.sampled_from([CNP, KNP]),
)
def test_what_is_spelled_is_read_back(
    direction: Any, peers: Any, ports: Any, icmps: Any, deny: bool, http: Any, resource: str
) -> None:
    rule = NewRule(direction, peers, ports, icmps, deny, http)
    try:
        made = entry(rule, resource)
    except Refused:
        return
    again = chosen(made, rule.section, resource)
    assert again is not None
    assert entry(again, resource) == made


def test_real_entries_are_read_back_or_not_at_all() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared data is not here")
    read = unread = 0
    for file in [*SHARED.glob("cilium/examples/**/*.yaml"), *SHARED.glob("network-policy-recipes/*.yaml")]:
        for held in writing.policies(file.read_text(encoding="utf-8")):
            for rule in rules(held.policy, held.resource):
                for section in SECTIONS:
                    for each in rule.sections[section] or ():
                        found = chosen(each, section, held.resource)
                        read, unread = read + (found is not None), unread + (found is None)
    assert read > 2 * unread


@pytest.mark.parametrize(
    "written",
    [
        {"fromEndpoints": [{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["x"]}]}]},
        {"fromGroups": [{"aws": {}}]},
        {"fromEndpoints": [], "toPorts": ports("80")},
        {"toPorts": [*ports("80"), {**ports("81")[0], "rules": {"http": [{}]}}]},
        {"toPorts": [{**ports("80")[0], "listener": {"name": "x"}}]},
    ],
)
def test_what_a_form_cannot_say_is_not_read_back_as_something_else(written: dict[str, Any]) -> None:
    assert chosen(written, "ingress", CNP) is None
