"""What a change does to who may talk to whom, against both states compared pair by pair."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain import policygen
from tests.domain.test_cilium_reach import CLUSTER, ENDPOINTS, PODS, pod, policy, shop
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.impacts.impact import Impact, differences, impact, replay
from tui.domain.cilium.model import CidrGroup, Flow, Request, Surroundings, Written
from tui.domain.cilium.policy import CNP, KNP
from tui.domain.cilium.reachability.outside import Outside
from tui.domain.cilium.reachability.reach import PolicyName, Reach


def one_by_one(before: Reach, after: Reach) -> Counter[str]:
    found: Counter[str] = Counter()
    stay = [key for key in before.endpoints if key in after.endpoints]
    for source in stay:
        for destination in stay:
            if source != destination:
                was, now = before.between(source, destination).both, after.between(source, destination).both
                found.update(kind for kind, _ in differences(was, now))
    return found


def closed(before: Reach, after: Reach) -> Counter[tuple[str, bool]]:
    found: Counter[tuple[str, bool]] = Counter()
    for key in before.endpoints.keys() & after.endpoints.keys():
        was, now = before.default_deny(key), after.default_deny(key)
        for direction in ("ingress", "egress"):
            if getattr(was, direction) != getattr(now, direction):
                found[direction, getattr(now, direction)] += 1
    return found


def check(before: Reach, after: Reach) -> Impact:
    """The impact counts what a comparison of every pair counts; what is told adds up to what is counted."""
    found = impact(before, after, most=1000)
    assert Counter(found.pairs) == one_by_one(before, after)
    told: Counter[str] = Counter()
    for change in found.changes:
        told[change.kind] += change.pairs
    assert all(told[kind] >= found.pairs.get(kind, 0) + found.outside.get(kind, 0) > 0 for kind in told)
    assert not found.more
    toggled: Counter[tuple[str, bool]] = Counter()
    for each in found.default_deny:
        toggled[each.direction, each.on] += each.endpoints
    assert toggled == closed(before, after)
    stay = before.endpoints.keys() & after.endpoints.keys()
    selected = Counter(each.now for each in found.selection if each.policy is None for _ in range(each.endpoints))
    was, now = ({key: bool(reach.selected_by(key)) for key in stay} for reach in (before, after))
    assert selected == Counter(now[key] for key in stay if was[key] != now[key])
    return found


@given(data=st.data(), around=policygen.surroundings)
def test_the_impact_is_that_of_every_pair(data: st.DataObject, around: Surroundings) -> None:
    kept = data.draw(policygen.policies(2))
    pods = {name: ENDPOINTS[name] for name in data.draw(st.lists(st.sampled_from(PODS), unique=True, max_size=5))}
    then = dict(pods)
    if data.draw(st.booleans()):
        then[data.draw(st.sampled_from(sorted(pods) or PODS))] = ENDPOINTS[data.draw(st.sampled_from(PODS))]
    changed = around
    if data.draw(st.integers(0, 2)) == 0:
        changed = data.draw(policygen.surroundings)
    before = Reach(rulebook(kept, around), pods)
    book = rulebook([*kept[data.draw(st.integers(0, 1)) :], data.draw(policygen.written(7))], changed)
    made = Reach(book, then)
    check(before, made)
    if then == pods:
        follows = before.with_book(book)
        assert impact(before, follows) == impact(before, made)
        assert not impact(follows, follows)


# -- in words ------------------------------------------------------------------------------------------------------

DB = {"matchLabels": {"app": "db"}}
TO_DB = "egress: [{toEndpoints: [{matchLabels: {app: db, 'k8s:io.kubernetes.pod.namespace': data}}], "
OPEN = Reach(rulebook([], Surroundings()), CLUSTER)


def told(found: Impact) -> list[str]:
    """The lines about endpoints."""
    inside = (each for each in found.changes if not each.source.outside and not each.destination.outside)
    return [f"{each.kind}: {each.words}" for each in inside]


def test_newly_allowed_pairs_are_told_by_application() -> None:
    before = Reach(shop("egress: [{}]"), CLUSTER)
    after = before.with_book(shop(TO_DB + "toPorts: [{ports: [{port: '5432', protocol: TCP}]}]}]"))
    found = check(before, after)
    assert told(found) == ["allowed: web in shop → db in data on TCP 5432: 6 pairs"]
    assert found.pairs == {"allowed": 6} and not found.default_deny and not found.selection
    back = check(after, before)
    assert told(back) == ["denied: web in shop → db in data on TCP 5432: 6 pairs"]


def test_what_is_asked_above_layer_4_is_told_as_a_restriction() -> None:
    ports = "toPorts: [{ports: [{port: '5432', protocol: TCP}]"
    before = Reach(shop(f"{TO_DB}{ports}}}]}}]"), CLUSTER)
    after = before.with_book(shop(f"{TO_DB}{ports}, rules: {{http: [{{method: GET}}]}}}}]}}]"))
    assert told(check(before, after)) == ["restricted: web in shop → db in data on TCP 5432: 6 pairs"]
    assert told(check(after, before)) == ["freed: web in shop → db in data on TCP 5432: 6 pairs"]


def test_a_default_deny_is_told_in_one_line_with_whom_it_closes() -> None:
    deny = policy("{podSelector: {}, policyTypes: [Ingress]}", "deny", "data", KNP)
    after = OPEN.with_book(rulebook([deny], Surroundings()))
    found = check(OPEN, after)
    assert told(found) == ["denied: 4 applications in 2 namespaces → db in data on every port: 18 pairs"]
    assert [each.words for each in found.default_deny] == ["db in data becomes default-deny for ingress: 3 endpoints"]
    assert [each.words for each in found.selection] == [
        "db in data is selected by any policy: 3 endpoints",
        "db in data is selected by data/deny: 3 endpoints",
    ]
    back = check(after, OPEN)
    assert back.default_deny[0].words == "db in data is no longer default-deny for ingress: 3 endpoints"
    assert back.selection[1].words == "db in data is no longer selected by data/deny: 3 endpoints"


def test_many_lines_are_cut_and_counted() -> None:
    rule = (
        "{{endpointSelector: {{matchLabels: {{app: a{0}}}}}, enableDefaultDeny: {{egress: false}}, "
        "egressDeny: [{{toPorts: [{{ports: [{{port: '{0}'}}]}}]}}]}}"
    )
    pods = {f"shop/a{number}": pod("shop", f"app=a{number}") for number in range(1, 9)}
    before = Reach(rulebook([], Surroundings()), pods)
    after = before.with_book(rulebook([policy(rule.format(n), f"p{n}") for n in range(1, 9)], Surroundings()))
    every, cut = impact(before, after), impact(before, after, most=3)
    assert cut.changes == every.changes[:3] and cut.more == len(every.changes) - 3
    assert cut.pairs == every.pairs == {"denied": 8 * 7}


def test_policies_that_come_to_select_nothing_or_become_invalid() -> None:
    good = policy("{endpointSelector: {matchLabels: {app: web}}, ingress: [{}]}", "web")
    typo = policy("{endpointSelector: {matchLabels: {app: wbe}}, ingress: [{}]}", "web")
    bad = policy("{endpointSelector: {}, ingress: [{fromCIDR: [nonsense]}]}", "web")
    idle = policy("{endpointSelector: {matchLabels: {app: none}}, ingress: [{}]}", "idle")
    before = Reach(rulebook([good, idle], Surroundings()), CLUSTER)
    found = check(before, before.with_book(rulebook([typo, idle], Surroundings())))
    assert found.selecting_nothing == (PolicyName(CNP, "shop", "web"),) and not found.invalid
    found = check(before, before.with_book(rulebook([bad, idle], Surroundings())))
    assert [each.where.name for each in found.invalid] == ["shop/web"] and not found.selecting_nothing
    assert found and not impact(before, before)


def test_a_namespace_label_moves_its_pods() -> None:
    """The pods stay, their identities change: what a selector on the namespace's labels says changes with them."""
    rule = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]}"
    before = Reach(rulebook([policy(rule, "team", "data", KNP)], Surroundings()), CLUSTER)
    label = "k8s:io.cilium.k8s.namespace.labels.team=a"
    moved = {
        name: msgspec.structs.replace(each, labels=tuple(sorted((*each.labels, label))))
        for name, each in CLUSTER.items()
        if name.startswith("shop/")
    }
    found = check(before, before.changed(moved))
    assert told(found) == [
        "allowed: web in shop → db in data on every port: 6 pairs",
        "allowed: api in shop → db in data on every port: 3 pairs",
        "allowed: others in shop → db in data on every port: 3 pairs",
    ]


def test_a_cidr_group_changes_what_is_outside() -> None:
    rule = "egress: [{toCIDRSet: [{cidrGroupRef: office}]}]"
    groups = [
        Surroundings(cidr_groups=(CidrGroup("office", {}, (cidr,)),)) for cidr in ("192.0.2.0/24", "198.51.100.0/24")
    ]
    before, after = (Reach(shop(rule, around), CLUSTER) for around in groups)
    found = impact(before, after)
    lines = [f"{each.kind}: {each.words}" for each in found.changes]
    assert lines == [
        "denied: web in shop → 192.0.2.0/24 on every port: 2 pairs",
        "allowed: web in shop → 198.51.100.0/24 on every port: 2 pairs",
    ]
    assert found.outside == {"denied": 2, "allowed": 2} and not found.pairs


def test_an_address_that_only_one_state_names_is_compared_in_both() -> None:
    before = Reach(shop("egress: [{toCIDR: [10.0.0.0/8]}]"), CLUSTER)
    after = before.with_book(shop("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.9.0.0/16]}]}]"))
    assert [f"{each.kind}: {each.words}" for each in impact(before, after).changes] == [
        "denied: web in shop → 10.9.0.0/16 on every port: 2 pairs"
    ]
    with pytest.raises(KeyError):
        before.between("shop/web-1", Outside("cidr", "10.9.0.0/16"))


# -- recorded flows ------------------------------------------------------------------------------------------------


def test_flows_whose_verdict_changes_are_told_with_their_number_and_reason() -> None:
    after = OPEN.with_book(shop(TO_DB + "toPorts: [{ports: [{port: '5432', protocol: TCP}]}]}]"))
    web, db, api = CLUSTER["shop/web-1"], CLUSTER["data/db-1"], CLUSTER["shop/api-1"]
    flows = [Flow(web, db, 5432), Flow(web, db, 80), Flow(web, api, 80), Flow(web, api, 80), Flow(api, web, 80)]
    found = replay(OPEN, after, flows)
    assert [(each.flow, each.before, each.after, each.flows) for each in found.changed] == [
        (flows[2], "allowed", "denied", 2),
        (flows[1], "allowed", "denied", 1),
    ]
    assert found.changed[0].reason == verdict(after.book, flows[2]).reason
    assert found.flows == 5 and found.counts == {("allowed", "denied"): 3} and not found.more
    cut = replay(OPEN, after, iter(flows), most=1)
    assert len(cut.changed) == 1 and cut.more == 1 and cut.counts == found.counts


def test_requests_of_flows_are_asked_above_layer_4() -> None:
    ports = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]"
    after = OPEN.with_book(shop(f"ingress: [{{fromEndpoints: [{{}}], {ports}}}]"))
    web, api = CLUSTER["shop/web-1"], CLUSTER["shop/api-1"]
    flows = [Flow(api, web, 80, request=Request(method=method)) for method in ("GET", "POST", "POST")]
    found = replay(OPEN, after, [*flows, Flow(api, web, 80)])
    assert [(each.flow.request, each.flows) for each in found.changed] == [(Request(method="POST"), 2)]


@given(
    policies=policygen.policies(3),
    more=policygen.written(9),
    around=policygen.surroundings,
    ends=st.lists(st.tuples(st.sampled_from(PODS), st.sampled_from(sorted(ENDPOINTS))), max_size=6),
)
def test_a_replay_is_what_verdicts_say(
    policies: tuple[Written, ...], more: Written, around: Surroundings, ends: list[tuple[str, str]]
) -> None:
    before = Reach(rulebook(policies, around), {})
    after = before.with_book(rulebook([*policies, more], around))
    flows = [
        Flow(ENDPOINTS[one], ENDPOINTS[other], port, protocol, request)
        for one, other in (*ends, *((other, one) for one, other in ends))
        for port, protocol in ((80, "TCP"), (53, "UDP"))
        for request in (None, Request(method="GET", path="/"), Request())
    ]
    words = [(verdict(before.book, flow).verdict, verdict(after.book, flow).verdict) for flow in flows]
    found = replay(before, after, flows)
    assert found.counts == Counter(pair for pair in words if pair[0] != pair[1]) and found.flows == len(flows)
    assert sum(each.flows for each in found.changed) == sum(found.counts.values())
