"""The compiled form answers as the plain verdict does, and keeps doing so through every change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.domain import policygen, test_cilium_oracle
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import Endpoint, Flow, Ports, Request, Rulebook, Side, Surroundings, Written
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy
from tui.domain.cilium.reachability.outside import Outside
from tui.domain.cilium.reachability.portset import EVERY_PORT, NO_PORTS, PortSet, of_ports, one_port
from tui.domain.cilium.reachability.reach import Line, Pairs, PolicyName, Reach, SidePorts

ENDPOINTS = policygen.endpoints()
PODS = [name for name in ENDPOINTS if "/" in name]
names = st.sampled_from(PODS) | st.sampled_from(sorted(ENDPOINTS))


def word(ports: SidePorts, port: int, protocol: str) -> str:
    found = [name for name in ("allowed", "denied", "unknown") if getattr(ports, name).has(port, protocol)]
    assert len(found) == 1
    return found[0]


def passes(side: Side) -> str:
    return "allowed" if side.verdict == "n/a" else side.verdict


def agree(
    reach: Reach,
    endpoints: Mapping[Any, Endpoint],
    pairs: Iterable[tuple[Any, Any]],
    flows: Iterable[tuple[int, str]],
) -> None:
    """The pairs' answers are those of the plain verdict, in total and per side, with what is asked above layer 4."""
    for one, other in pairs:
        found = reach.between(one, other)
        for port, protocol in flows:
            plain = verdict(reach.book, Flow(endpoints[one], endpoints[other], port, protocol))
            said = tuple(word(side, port, protocol) for side in found)
            assert said == (passes(plain.egress), passes(plain.ingress), plain.verdict), (one, other, port, protocol)
            asked = verdict(reach.book, Flow(endpoints[one], endpoints[other], port, protocol, Request()))
            for ports, bare, full in zip(
                found, (plain.egress, plain.ingress), (asked.egress, asked.ingress), strict=False
            ):
                refused = passes(bare) == "allowed" != passes(full)
                assert ports.conditional.has(port, protocol) == refused, (one, other, port, protocol)


@given(
    policies=policygen.policies(),
    around=policygen.surroundings,
    pairs=st.lists(st.tuples(names, names), min_size=8, max_size=8),
)
def test_the_compiled_form_is_the_plain_verdict(
    policies: tuple[Written, ...], around: Surroundings, pairs: list[tuple[str, str]]
) -> None:
    agree(Reach(rulebook(policies, around), ENDPOINTS), ENDPOINTS, pairs, policygen.FLOWS)


@pytest.mark.parametrize("case", test_cilium_oracle.of("cases"))
def test_the_compiled_form_knows_the_real_engines_answers(case: dict[str, Any]) -> None:
    book, flow = test_cilium_oracle.book(case, test_cilium_oracle.newest(case)), test_cilium_oracle.flow(case)
    ends = {"from": flow.source, "to": flow.destination}
    reach = Reach(book, ends)
    assert word(reach.between("from", "to").both, flow.port, flow.protocol) == case["expected"]
    agree(reach, ends, [("from", "to"), ("to", "from"), ("from", "from")], [(flow.port, flow.protocol), (1, "TCP")])


# -- changes -------------------------------------------------------------------------------------------------------


def same(one: Reach, other: Reach, keys: Iterable[Any]) -> None:
    """Both answer alike, whatever their history."""
    keys = list(keys)
    assert set(one.classes) == set(other.classes)
    for key in keys:
        for peer in keys:
            assert one.between(key, peer) == other.between(key, peer), (key, peer)
        assert one.default_deny(key) == other.default_deny(key)
        assert Counter(one.selected_by(key)) == Counter(other.selected_by(key))
        assert lines(one, one.reachable_from([key])) == lines(other, other.reachable_from([key]))
        assert lines(one, one.reaching([key])) == lines(other, other.reaching([key]))
    assert one.pairs() == other.pairs()
    assert sorted(one.unselected()) == sorted(other.unselected())
    assert one.selecting_nothing() == other.selecting_nothing()


def lines(reach: Reach, found: Iterable[Line]) -> list[Any]:
    return sorted((each.group.words, repr(each.ports), sorted(map(str, reach.members(each)))) for each in found)


@given(data=st.data(), around=policygen.surroundings)
def test_changes_give_what_a_new_start_gives(data: st.DataObject, around: Surroundings) -> None:
    """Policies come, change and go, so do endpoints and what DNS told; what is kept never tells old answers."""
    held = dict(enumerate(data.draw(policygen.policies(2))))
    endpoints = {name: ENDPOINTS[name] for name in data.draw(st.lists(st.sampled_from(PODS), unique=True, max_size=4))}
    reach = Reach(rulebook(held.values(), around), endpoints)
    for _ in range(data.draw(st.integers(1, 4))):
        before, known = reach, dict(endpoints)
        kept = (before.pairs(), [before.between(key, key) for key in known])
        if data.draw(st.booleans()):
            number = data.draw(st.integers(0, 2))
            held.pop(number, None)
            if data.draw(st.booleans()):
                held[number] = data.draw(policygen.written(number))
            if data.draw(st.integers(0, 3)) == 0:
                around = msgspec.structs.replace(around, dns=data.draw(policygen.LEARNED))
            reach = reach.with_book(rulebook(held.values(), around))
        else:
            key, name = data.draw(st.sampled_from(PODS)), data.draw(names)
            endpoints.pop(key, None)
            if data.draw(st.booleans()):
                endpoints[key] = ENDPOINTS[name]
                reach = reach.put(key, ENDPOINTS[name])
            else:
                reach = reach.remove(key)
        same(reach, Reach(rulebook(held.values(), around), endpoints), endpoints)
        assert kept == (before.pairs(), [before.between(key, key) for key in known])


def test_identities_that_came_and_went_do_not_pile_up() -> None:
    reach = Reach(
        shop("ingress: [{fromEndpoints: [{matchLabels: {run: last}}]}]"), {"shop/web": pod("shop", "app=web")}
    )
    for start in range(0, 5000, 500):
        names = [f"shop/job-{number}" for number in range(start, start + 500)]
        reach = reach.changed({name: pod("shop", f"run={name[9:]}") for name in names}).changed({}, names)
    reach = reach.put("shop/last", pod("shop", "run=last"))
    assert len(reach.classes.slots) < 3000
    assert reach.between("shop/last", "shop/web").both.allowed == EVERY_PORT


# -- questions -----------------------------------------------------------------------------------------------------


def pod(namespace: str, *labels: str, **ports: int) -> Endpoint:
    labels = (*labels, f"io.kubernetes.pod.namespace={namespace}", "io.cilium.k8s.policy.cluster=default")
    named = {f"{name}/TCP": port for name, port in ports.items()}
    return Endpoint(tuple(sorted(f"k8s:{label}" for label in labels)), named_ports=named)


def policy(spec: str, name: str = "p", namespace: str = "shop", resource: str = CNP) -> Written:
    held = {"metadata": {"name": name, "namespace": namespace}, "spec": yaml.safe_load(spec)}
    return Written(resource, msgspec.convert(held, Policy), f"{name}.yaml")


def shop(rules: str, around: Surroundings | None = None) -> Rulebook:
    """A rulebook with one policy, on the pods app=web of namespace shop."""
    return rulebook([policy(f"{{endpointSelector: {{matchLabels: {{app: web}}}}, {rules}}}")], around or Surroundings())


CLUSTER = {
    "shop/web-1": pod("shop", "app=web", http=8080),
    "shop/web-2": pod("shop", "app=web", http=8080),
    "shop/api-1": pod("shop", "app.kubernetes.io/name=api", http=9090),
    "shop/plain": pod("shop"),
    "data/db-1": pod("data", "app=db"),
    "data/db-2": pod("data", "app=db"),
    "data/db-3": pod("data", "app=db", "role=primary"),
}


def told(reach: Reach, found: Iterable[Line], kinds: tuple[str, ...] = ("application", "others", "namespace")) -> Any:
    return [
        (each.group.words, each.ports.allowed.words, each.peers, each.pairs)
        for each in found
        if each.group.kind in kinds and len(reach.members(each)) == each.peers
    ]


def test_peers_are_told_by_application_and_by_namespace() -> None:
    reach = Reach(
        shop(
            "egress: [{toEndpoints: [{matchLabels: {app: db, 'k8s:io.kubernetes.pod.namespace': data}}], "
            "toPorts: [{ports: [{port: '5432', protocol: TCP}]}]}]"
        ),
        CLUSTER,
    )
    assert told(reach, reach.reachable_from(["shop/web-1", "shop/web-2"])) == [
        ("db in data", "TCP 5432", 3, 6),
        ("api in shop", "no port", 1, 2),
        ("web in shop", "no port", 2, 2),
        ("others in shop", "no port", 1, 2),
    ]
    assert told(reach, reach.reachable_from(["shop/web-1"], "namespace")) == [
        ("data", "TCP 5432", 3, 3),
        ("shop", "no port", 3, 3),
    ]
    assert told(reach, reach.reaching(["data/db-1", "shop/plain"])) == [
        ("db in data", "every port", 3, 5),
        ("api in shop", "every port", 1, 2),
        ("web in shop", "TCP 5432", 2, 2),
        ("web in shop", "no port", 2, 2),
        ("others in shop", "every port", 1, 1),
    ]
    assert told(reach, reach.reaching(["data/db-1"], sides="ingress"))[0] == ("db in data", "every port", 2, 2)
    assert reach.pairs() == Pairs(open=5 * 6, some=2 * 3, unknown=0, closed=2 * 3)


def test_a_named_port_is_the_destinations_own() -> None:
    reach = Reach(shop("egress: [{toEndpoints: [{}], toPorts: [{ports: [{port: http, protocol: TCP}]}]}]"), CLUSTER)
    allowed = {name: reach.between("shop/web-1", name).both.allowed for name in CLUSTER}
    assert allowed["shop/web-2"] == one_port(8080, "TCP") and allowed["shop/api-1"] == one_port(9090, "TCP")
    assert not allowed["shop/plain"] and not allowed["data/db-1"]
    reach = Reach(shop("ingress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]"), CLUSTER)
    assert reach.between("data/db-1", "shop/web-1").ingress.allowed == one_port(8080, "TCP")
    changed = reach.put("shop/web-1", pod("shop", "app=web", http=81))
    assert changed.between("data/db-1", "shop/web-1").both.allowed == one_port(81, "TCP")


def test_peers_outside_stand_beside_the_endpoints() -> None:
    around = Surroundings(dns=None)
    reach = Reach(
        shop(
            "egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}, {toEntities: [kube-apiserver]}, "
            "{toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]",
            around,
        ),
        CLUSTER,
    )
    found = {
        each.group.name: each.ports for each in reach.reachable_from(["shop/web-1"]) if each.group.kind == "outside"
    }
    assert found["10.0.0.0/8"].open and found["kube-apiserver"].open
    assert found["10.1.0.0/16"].unknown == one_port(443, "TCP") and not found["10.1.0.0/16"].allowed
    assert found["world"].unknown == one_port(443, "TCP")  # any address may be one that DNS tells
    assert found["api.example.com"].allowed == one_port(443, "TCP")
    assert found["host"].closed and found["remote-node"].closed
    assert reach.between(Outside("entity", "host"), "shop/web-1").both.open
    told_nothing = reach.with_book(shop("egress: [{toFQDNs: [{matchName: api.example.com}]}]", Surroundings(dns={})))
    assert told_nothing.between("shop/web-1", Outside("entity", "world")).both.closed
    assert told_nothing.between("shop/web-1", Outside("fqdn", "api.example.com")).both.open
    with pytest.raises(KeyError):
        told_nothing.between("shop/web-1", Outside("cidr", "10.0.0.0/8"))  # no policy names it any more


def test_what_labels_alone_tell_of_outside() -> None:
    """Identities of recorded flows: a prefix or a name that DNS told, without an address."""
    rules = "egress: [{toFQDNs: [{matchPattern: '*.example.com'}]}, {toCIDR: [10.0.0.0/8]}, {toCIDR: [10.1.2.0/24]}]"
    labels = ("cidr:10.1.0.0/16", "cidr:10.1.2.0/24", "cidr:8.0.0.0/8", "fqdn:*.example.com", "fqdn:x.example.com")
    ends = {label: Endpoint((label, "reserved:world"), label) for label in labels} | CLUSTER
    reach = Reach(shop(rules, Surroundings(dns={})), ends)
    assert [reach.between("shop/web-1", label).both.open for label in labels] == [True, True, False, True, False]
    agree(reach, ends, [("shop/web-1", label) for label in labels], [(80, "TCP")])


def test_what_selects_whom_and_what_is_closed() -> None:
    policies = [
        policy("{endpointSelector: {matchLabels: {app: web}}, ingress: [{}]}", "web"),
        policy("{endpointSelector: {matchLabels: {app: wbe}}, ingress: [{}]}", "typo"),
        policy("{podSelector: {matchLabels: {role: primary}}, policyTypes: [Egress]}", "primary", "data", KNP),
        policy("{nodeSelector: {}, ingress: [{fromEntities: [cluster]}]}", "nodes", "", CCNP),
        policy("{endpointSelector: {}, egress: [{toCIDR: [nonsense]}]}", "broken"),
    ]
    reach = Reach(rulebook(policies, Surroundings()), CLUSTER)
    assert sorted(reach.unselected()) == ["data/db-1", "data/db-2", "shop/api-1", "shop/plain"]
    assert reach.selecting_nothing() == [PolicyName(CNP, "shop", "typo")]
    assert sorted(reach.selects(PolicyName(CNP, "shop", "web"))) == ["shop/web-1", "shop/web-2"]
    assert reach.selects(PolicyName(CCNP, "", "nodes")) == [Outside("entity", "host")]
    assert [where.name for where in reach.selected_by("shop/web-1")] == ["shop/web"]
    web, primary, free = (reach.default_deny(name) for name in ("shop/web-1", "data/db-3", "shop/plain"))
    assert (web.ingress, web.egress) == (True, False) and [each.path for each in web.ingress_by] == ["spec.ingress[0]"]
    assert (primary.ingress, primary.egress) == (False, True) and primary.egress_by[0].name == "data/primary"
    assert (free.ingress, free.egress) == (False, False)
    assert not reach.default_deny(Outside("entity", "host")).ingress  # the host firewall is off
    with pytest.raises(KeyError):
        reach.selected_by("shop/none")


# -- sets of ports -------------------------------------------------------------------------------------------------

spans = st.tuples(st.sampled_from(["TCP", "UDP"]), st.integers(0, 9), st.integers(0, 9))
port_sets = st.builds(
    lambda parts, rest: _inverted(_united(parts)) if rest else _united(parts),
    st.lists(spans, max_size=4),
    st.booleans(),
)
PROBES = [(port, protocol) for protocol in ("TCP", "UDP", "SCTP") for port in (*range(11), 65535)]


def _united(parts: Iterable[tuple[str, int, int]]) -> PortSet:
    found = NO_PORTS
    for protocol, first, last in parts:
        found |= of_ports(Ports(protocol, first, last))
    return found


def _inverted(ports: PortSet) -> PortSet:
    return EVERY_PORT - ports


@given(one=port_sets, other=port_sets)
def test_sets_of_ports_are_sets(one: PortSet, other: PortSet) -> None:
    def held(ports: PortSet) -> set[tuple[int, str]]:
        return {probe for probe in PROBES if ports.has(*probe)}

    assert held(one | other) == held(one) | held(other)
    assert held(one & other) == held(one) & held(other)
    assert held(one - other) == held(one) - held(other)
    assert (one == other) == (held(one) == held(other)) and bool(one) == bool(held(one))
    assert (one - other) | (one & other) == one
    assert hash(one | other) == hash(other | one)


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        (NO_PORTS, "no port"),
        (EVERY_PORT, "every port"),
        (_united([("UDP", 53, 53), ("TCP", 8000, 8080), ("TCP", 80, 80)]), "TCP 80, 8000-8080; UDP 53"),
        (_united([("TCP", 80, 80), ("TCP", 81, 90)]), "TCP 80-90"),
        (_united([("ICMP", 8, 8), ("SCTP", 0, 65535)]), "every SCTP port; ICMP type 8"),
        (_united([("ICMPv6", 0, 65535)]), "ICMPv6"),
        (EVERY_PORT - one_port(22, "tcp"), "every port but TCP 22"),
    ],
)
def test_sets_of_ports_in_words(ports: PortSet, words: str) -> None:
    assert ports.words == words
