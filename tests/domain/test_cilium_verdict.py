"""Verdicts beyond the real engine's map entries: above layer 4, what is unknown, what is said, what always holds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.domain.policygen import FLOWS, endpoints, policies, surroundings, written
from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.model import (
    Endpoint,
    Flow,
    Request,
    Rulebook,
    Service,
    Settings,
    Side,
    Surroundings,
    Verdict,
    Written,
)
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy

SPACE, CLUSTER = "k8s:io.kubernetes.pod.namespace=", "k8s:io.cilium.k8s.policy.cluster="
WEB = Endpoint(("k8s:app=web", f"{SPACE}shop"), "shop/web", named_ports={"http/TCP": 8080})
CLIENT = Endpoint(("k8s:app=client", f"{SPACE}shop"), "shop/client")
DNS = Endpoint((f"{SPACE}kube-system", "k8s:k8s-app=kube-dns"), "kube-system/kube-dns")
OUTSIDE = Endpoint(ip="8.8.8.8")


def policy(text: str, resource: str = CNP, name: str = "p", namespace: str = "shop", file: str = "p.yaml") -> Written:
    metadata = {"name": name} if resource == CCNP else {"name": name, "namespace": namespace}
    return Written(resource, msgspec.convert({"metadata": metadata, **yaml.safe_load(text)}, Policy), file)


def server(entries: str, section: str = "ingress", **more: Any) -> Written:
    return policy(f"spec: {{endpointSelector: {{matchLabels: {{app: web}}}}, {section}: {entries}}}", **more)


def client(entries: str, section: str = "egress", **more: Any) -> Written:
    return policy(f"spec: {{endpointSelector: {{matchLabels: {{app: client}}}}, {section}: {entries}}}", **more)


def ask(
    *held: Written,
    source: Endpoint = CLIENT,
    to: Endpoint = WEB,
    port: int = 80,
    protocol: str = "TCP",
    request: Request | None = None,
    around: Surroundings | None = None,
    **settings: Any,
) -> Verdict:
    around = around or Surroundings(dns={})
    around = msgspec.structs.replace(around, settings=Settings(**settings)) if settings else around
    return verdict(rulebook(held, around), Flow(source, to, port, protocol, request))


# -- above layer 4 -------------------------------------------------------------------------------------------------


def on_port_80(rules: str) -> str:
    return f"[{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {rules}}}]}}]"


@pytest.mark.parametrize(
    ("rule", "request_", "word"),
    [
        ("{method: GET}", Request("GET", "/"), "allowed"),
        ("{method: GET}", Request("GETX", "/"), "denied"),
        ("{method: get}", Request("GET", "/"), "denied"),
        ("{method: 'GET|HEAD'}", Request("HEAD", "/"), "allowed"),
        ("{path: /public}", Request("GET", "/public"), "allowed"),
        ("{path: /public}", Request("GET", "/public?x=1"), "denied"),
        ("{path: '/public.*'}", Request("GET", "/public?x=1"), "allowed"),
        ("{path: '/a/[0-9]+'}", Request("GET", "/a/12"), "allowed"),
        ("{path: '/[[:alpha:]]+'}", Request("GET", "/abc"), "allowed"),
        ("{path: '/[[:alpha:]]+'}", Request("GET", "/a1"), "denied"),
        ("{host: 'shop[.]example'}", Request("GET", "/", "shop.example"), "allowed"),
        ("{host: 'shop[.]example'}", Request("GET", "/", "shop.example:80"), "denied"),
        (r"{path: '/\pL+'}", Request("GET", "/abc"), "unknown"),
        (r"{method: PUT, path: '/\pL+'}", Request("GET", "/abc"), "denied"),
        ("{headers: ['X-Token: 1']}", Request("GET", "/", headers={"x-token": "1"}), "allowed"),
        ("{headers: ['X-Token: 1']}", Request("GET", "/", headers={"X-Token": "2"}), "denied"),
        ("{headers: ['X-Token 1']}", Request("GET", "/", headers={"X-Token": "1"}), "allowed"),
        ("{headers: [X-Token]}", Request("GET", "/", headers={"X-Token": "2"}), "allowed"),
        ("{headers: [X-Token, X-User]}", Request("GET", "/", headers={"X-Token": "2"}), "denied"),
        ("{headerMatches: [{name: X-A, value: b}]}", Request("GET", "/", headers={"X-A": "b"}), "allowed"),
        ("{headerMatches: [{name: X-A, value: b}]}", Request("GET", "/", headers={"X-A": "c"}), "denied"),
        ("{headerMatches: [{name: X-A}]}", Request("GET", "/", headers={"X-A": "c"}), "allowed"),
        ("{headerMatches: [{name: X-A}]}", Request("GET", "/"), "denied"),
        ("{headerMatches: [{name: X-A, value: b, mismatch: REPLACE}]}", Request("GET", "/"), "allowed"),
        ("{headerMatches: [{name: X-A, secret: {name: s}}]}", Request("GET", "/", headers={"X-A": "c"}), "unknown"),
        ("{headerMatches: [{name: X-A, secret: {name: s}}]}", Request("GET", "/"), "denied"),
        ("{}", Request("DELETE", "/any"), "allowed"),
        ("{}", Request(sni="a.example"), "denied"),
    ],
)
def test_http_rules_are_whole_matches(rule: str, request_: Request, word: str) -> None:
    found = ask(server(on_port_80(f"rules: {{http: [{rule}]}}")), request=request_)
    assert found.verdict == word, found.reason
    assert found.ingress.redirected
    assert found.ingress.because == {"allowed": "rule", "denied": "layer 7", "unknown": "missing"}[word]


@pytest.mark.parametrize(
    ("rule", "name", "passes"),
    [
        ("{matchName: api.example.com}", "API.example.com.", True),
        ("{matchName: API.Example.COM.}", "api.example.com", True),
        ("{matchName: api.example.com}", "x.api.example.com", False),
        ("{matchPattern: '*.example.com'}", "a.example.com", True),
        ("{matchPattern: '*.example.com'}", "a.b.example.com", False),
        ("{matchPattern: '*.example.com'}", "example.com", False),
        ("{matchPattern: 'api*.example.com'}", "api-1.example.com", True),
        ("{matchPattern: '**.example.com'}", "a.b.example.com", True),
        ("{matchPattern: '*'}", "anything.at.all", True),
        ("{}", "a.example.com", False),
        ("{matchPattern: '*'}", "", False),
    ],
)
def test_dns_rules_name_what_may_be_looked_up(rule: str, name: str, passes: bool) -> None:
    entries = f"[{{toPorts: [{{ports: [{{port: '53', protocol: UDP}}], rules: {{dns: [{rule}]}}}}]}}]"
    found = ask(client(entries), to=DNS, port=53, protocol="UDP", request=Request(dns=name))
    assert (found.verdict, found.egress.because) == (("allowed", "rule") if passes else ("denied", "layer 7"))


def test_several_labels_of_a_pattern_came_with_1_19() -> None:
    entries = "[{toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchPattern: '**.example.com'}]}}]}]"
    asked = {"to": DNS, "port": 53, "protocol": "UDP", "request": Request(dns="a.b.example.com")}
    assert ask(client(entries), **asked, version=(1, 18)).verdict == "denied"
    assert ask(client(entries), **asked, version=(1, 19)).verdict == "allowed"


@pytest.mark.parametrize(
    ("rule", "asked", "passes"),
    [
        ("{role: produce, topic: orders}", {"apiKey": "produce", "topic": "orders"}, True),
        ("{role: produce, topic: orders}", {"role": "produce", "topic": "orders"}, True),
        ("{role: produce, topic: orders}", {"apiKey": "0", "topic": "bills"}, False),
        ("{role: produce, topic: orders}", {"apiKey": "fetch", "topic": "orders"}, False),
        ("{role: produce, topic: orders}", {"apiKey": "apiversions"}, True),
        ("{role: consume}", {"apiKey": "Heartbeat"}, True),
        ("{apiKey: Fetch, clientID: me}", {"apiKey": "fetch", "clientID": "you"}, False),
        ("{apiVersion: '2'}", {"apiKey": "fetch", "apiVersion": "2"}, True),
        ("{topic: orders}", {"topic": "orders"}, True),
        ("{}", {}, False),
    ],
)
def test_kafka_rules(rule: str, asked: dict[str, str], passes: bool) -> None:
    found = ask(server(on_port_80(f"rules: {{kafka: [{rule}]}}")), request=Request(kafka=asked))
    assert (found.verdict == "allowed") is passes


@pytest.mark.parametrize(
    ("name", "passes"),
    [("a.example.com", True), ("b.example.com", False), ("x.many.example", True), ("x.y.many.example", False), ("", 0)],
)
def test_server_names_are_those_of_the_handshake(name: str, passes: bool) -> None:
    entries = on_port_80("serverNames: [a.example.com, '*.many.example']")
    assert (ask(server(entries), request=Request(sni=name)).verdict == "allowed") is bool(passes)


def test_requests_within_terminated_tls_need_the_name_too() -> None:
    entries = on_port_80("terminatingTLS: {secret: {name: s}}, serverNames: [a.b], rules: {http: [{method: GET}]}")
    for request, word in (
        (Request("GET", "/", sni="a.b"), "allowed"),
        (Request("PUT", "/", sni="a.b"), "denied"),
        (Request("GET", "/", sni="b.b"), "denied"),
        (Request("GET", "/"), "unknown"),
        (Request("PUT", "/"), "denied"),
    ):
        assert ask(server(entries), request=request).verdict == word


@pytest.mark.parametrize(
    ("beside", "passes"),
    [
        ("{fromEndpoints: [{}]}", True),
        ("{toPorts: [{ports: [{port: '80'}]}]}", True),
        ("{toPorts: [{ports: [{port: '1', endPort: 100, protocol: TCP}]}]}", True),
        ("{fromEndpoints: [{matchLabels: {app: other}}]}", False),
        ("{toPorts: [{ports: [{port: '81'}]}]}", False),
    ],
)
def test_what_is_allowed_without_asking_makes_the_asking_void(beside: str, passes: bool) -> None:
    asking = server(on_port_80("rules: {http: [{method: GET}]}"))
    found = ask(asking, server(f"[{beside}]", name="q"), request=Request("PUT", "/"))
    assert (found.verdict == "allowed") is passes
    assert found.ingress.redirected


def test_an_own_protocol_that_only_its_proxy_reads_is_unknown() -> None:
    entries = on_port_80("rules: {l7proto: memcache, l7: [{cmd: get}]}")
    found = ask(server(entries), request=Request("GET", "/"))
    assert (found.verdict, found.ingress.missing) == (
        "unknown",
        ("what a rule above layer 4 asks that only the proxy can tell",),
    )
    assert ask(server(entries)).verdict == "allowed"


def test_the_own_node_is_asked_for_nothing() -> None:
    node = Endpoint(("reserved:host",), "node-1")
    asking = server(on_port_80("rules: {http: [{method: GET}]}"))
    assert ask(asking, source=node, request=Request("PUT", "/")).verdict == "allowed"
    assert ask(asking, source=node, request=Request("PUT", "/"), allow_localhost="policy").verdict == "denied"


# -- unknown -------------------------------------------------------------------------------------------------------

LOOSE = "[{toFQDNs: [{matchPattern: '*.example.com'}], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]"


def test_a_name_decides_by_what_was_learned() -> None:
    for dns, word in ((None, "unknown"), ({}, "denied"), ({"a.example.com": frozenset(["8.8.8.8"])}, "allowed")):
        found = ask(client(LOOSE), to=OUTSIDE, port=443, around=Surroundings(dns=dns))
        assert found.verdict == word, found.reason
    assert "8.8.8.8 belongs to *.example.com" in ask(client(LOOSE), to=OUTSIDE, port=443, around=Surroundings()).reason


@pytest.mark.parametrize(
    "others",
    [
        [client("[{toCIDR: [8.8.8.0/24]}]", name="q")],
        [client("[{toEntities: [world]}]", section="egressDeny", name="q")],
    ],
)
def test_what_decides_anyway_needs_no_names(others: list[Written]) -> None:
    found = ask(client(LOOSE), *others, to=OUTSIDE, port=443, around=Surroundings())
    assert found.verdict in ("allowed", "denied")
    assert ask(client(LOOSE), to=WEB, port=443, around=Surroundings()).verdict == "denied"
    assert ask(client(LOOSE), to=OUTSIDE, port=80, around=Surroundings()).verdict == "denied"


def test_groups_are_unknown_until_their_copy_is_there() -> None:
    groups = client("[{toGroups: [{aws: {labels: {a: b}}}]}]")
    found = ask(groups, to=OUTSIDE)
    assert (found.verdict, found.egress.missing) == ("unknown", ("whether 8.8.8.8 belongs to groups of aws",))
    assert ask(groups, to=WEB).verdict == "denied"
    copy = client("[{toCIDRSet: [{cidr: 9.9.9.9/32}]}]", name="p-togroups-1234")
    assert ask(groups, copy, to=OUTSIDE).verdict == "denied"
    denies = client("[{toGroups: [{aws: {labels: {a: b}}}]}]", section="egressDeny", name="q")
    assert ask(denies, client("[{toEntities: [world]}]"), to=OUTSIDE).verdict == "unknown"
    assert ask(denies, to=OUTSIDE).verdict == "denied"


def test_nobody_knows_an_end_without_labels_and_address() -> None:
    ghost = Endpoint(name="ghost")
    assert ask(source=ghost).egress.missing == ("who ghost is",)
    assert ask(server("[{fromEndpoints: [{}]}]"), source=ghost).ingress.verdict == "unknown"
    assert ask(server("[{fromEntities: [all]}]"), source=ghost).ingress.verdict == "allowed"
    assert ask(server("[{}]"), source=ghost).ingress.verdict == "denied"


# -- versions and settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "setting"),
    [(KNP, "network_policies"), (CNP, "cilium_policies"), (CCNP, "clusterwide_policies")],
)
def test_a_kind_that_is_switched_off_does_not_count(kind: str, setting: str) -> None:
    held = policy("spec: {podSelector: {}}" if kind == KNP else "spec: {endpointSelector: {}, ingress: [{}]}", kind)
    assert ask(held).verdict == "denied"
    assert ask(held, **{setting: False}).verdict == "allowed"


@pytest.mark.parametrize(
    ("spec", "version", "words"),
    [
        ("enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [health]}]", (1, 16), ("denied", "allowed")),
        (
            "ingress: [{fromRequires: [{matchLabels: {app: web}}]}, {fromEndpoints: [{}]}]",
            (1, 19),
            ("denied", "allowed"),
        ),
        ("ingress: [{fromRequires: [{}], toPorts: [{ports: [{port: '80'}]}]}]", (1, 19), ("allowed", "allowed")),
        ("ingress: [{fromRequires: [{}]}]", (1, 19), ("denied", "denied")),
        ("ingress: [{toPorts: [{ports: [{port: '79', endPort: 90}]}]}]", (1, 16), ("denied", "allowed")),
        ("ingress: []", (1, 18), ("allowed", "allowed")),
    ],
)
def test_what_a_version_brought(spec: str, version: tuple[int, int], words: tuple[str, str]) -> None:
    held = policy(f"spec: {{endpointSelector: {{matchLabels: {{app: web}}}}, {spec}}}")
    assert (ask(held, version=(1, version[1] - 1)).verdict, ask(held, version=version).verdict) == words


def test_default_deny_cannot_be_switched_off_where_the_agents_do_not_know_of_it() -> None:
    held = policy(
        "spec: {endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [init]}]}"
    )
    assert ask(held).verdict == "allowed"
    assert ask(held, non_default_deny=False).verdict == "denied"


def test_services_with_pods_are_meant_since_1_17() -> None:
    around = Surroundings(dns={}, services=(Service("shop", "web", {"team": "a"}, {"app": "web"}),))
    named = client("[{toServices: [{k8sService: {serviceName: web, namespace: shop}}]}]")
    chosen = client("[{toServices: [{k8sServiceSelector: {selector: {matchLabels: {team: a}}}}]}]")
    for held in (named, chosen):
        assert ask(held, around=around).verdict == "allowed"
        assert ask(held, around=around, version=(1, 16)).verdict == "denied"


def test_a_service_whose_selector_has_dots_means_nobody() -> None:
    """Cilium takes what is before the first dot of a key for its source."""
    around = Surroundings(dns={}, services=(Service("shop", "web", {}, {"app.kubernetes.io/name": "web"}),))
    labels = ("k8s:app.kubernetes.io/name=web", "k8s:app=web", f"{SPACE}shop")
    held = client("[{toServices: [{k8sService: {serviceName: web}}]}]")
    assert ask(held, to=Endpoint(labels, "shop/web"), around=around).verdict == "denied"


def test_services_that_are_not_known_open_their_ports() -> None:
    held = client("[{toServices: [{k8sService: {serviceName: db}}], toPorts: [{ports: [{port: '80'}]}]}]")
    found = ask(held)
    assert found.verdict == "allowed"
    assert any("any peer, because no known service is meant by toServices" in step for step in found.egress.steps)


def test_audit_mode_lets_pass_what_layers_3_and_4_deny() -> None:
    found = ask(server("[{}]"), audit=True)
    assert (found.verdict, found.ingress.verdict) == ("allowed", "denied")
    assert found.reason.startswith("allowed by policy audit mode, otherwise denied by default: no rule allows")
    assert "is reported as AUDIT" in found.caveats[0]
    asking = server(on_port_80("rules: {http: [{method: GET}]}"))
    assert ask(asking, client("[{}]"), request=Request("PUT", "/"), audit=True).verdict == "denied"


def test_each_end_is_of_its_own_cluster() -> None:
    far = Endpoint((f"{CLUSTER}far", "k8s:app=client", f"{SPACE}shop"), "far/client")
    found = ask(client("[{}]"), server("[{}]"), source=far)
    assert (found.egress.verdict, found.ingress.verdict) == ("n/a", "denied")
    assert "far/client is of cluster far: the policies there decide on its side." in found.caveats


@pytest.mark.parametrize(
    ("entries", "to", "port", "caveat"),
    [
        (
            "[{toServices: [{k8sService: {serviceName: a}}], toPorts: [{ports: [{port: '80'}]}]}]",
            WEB,
            80,
            "open to all",
        ),
        (LOOSE, OUTSIDE, 443, "It is so only as long as DNS answers 8.8.8.8 for *.example.com."),
        ("[{toPorts: [{ports: [{port: http}]}]}]", WEB, 8080, "looks up port http in all pods"),
        (
            "[{toPorts: [{ports: [{port: '80'}], listener: {name: l, envoyConfig: {name: c}}}]}]",
            WEB,
            80,
            "leads to a listener of Envoy",
        ),
    ],
)
def test_what_a_deciding_rule_depends_on_is_a_caveat(entries: str, to: Endpoint, port: int, caveat: str) -> None:
    learned = Surroundings(dns={"a.example.com": frozenset(["8.8.8.8"])})
    found = ask(client(entries), to=to, port=port, around=learned)
    assert found.verdict == "allowed"
    assert any(caveat in each for each in found.caveats), found.caveats
    assert ask(client("[{toEntities: [all]}]"), to=to, port=port).caveats == ()


def test_the_labels_of_an_address_tell_it_where_it_is_not_given() -> None:
    labelled = Endpoint(("cidr:10.1.0.0/16", "fqdn:*.example.com", "reserved:world"))
    for entries, word in (
        ("[{toCIDR: [10.0.0.0/8]}]", "allowed"),
        ("[{toCIDR: [10.1.0.0/24]}]", "denied"),
        ("[{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]", "denied"),
        ("[{toFQDNs: [{matchPattern: '*.example.com'}]}]", "allowed"),
        ("[{toFQDNs: [{matchPattern: '*.example.org'}]}]", "denied"),
    ):
        assert ask(client(entries), to=labelled).verdict == word


def test_a_mode_of_authentication_is_told() -> None:
    for mode, because in (("required", "rule"), ("test-always-fail", "authentication")):
        found = ask(server(f"[{{fromEndpoints: [{{}}], authentication: {{mode: {mode}}}}}]"))
        assert (found.verdict, found.ingress.because, found.ingress.authentication) == ("allowed", because, mode)
        assert any("Authentication" in each for each in found.caveats)
    found = ask(server("[{fromEndpoints: [{}], authentication: {mode: required}}]"), authentication=False)
    assert any("nobody can meet it" in each for each in found.caveats)
    assert ask(server("[{fromEndpoints: [{}], authentication: {mode: required}}]"), version=(1, 13)).caveats == ()


# -- what is said --------------------------------------------------------------------------------------------------


def test_the_reason_names_policy_rule_and_file() -> None:
    opening = server("[{}, {fromEndpoints: [{matchLabels: {app: client}}]}]", name="open", file="shop/open.yaml")
    closing = policy(
        "specs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, ingressDeny: [{fromEntities: [all]}]}]",
        CCNP,
        "shut",
        file="shut.yaml",
    )
    assert ask(opening).reason == (
        "allowed by CiliumNetworkPolicy shop/open, spec.ingress[1], in shop/open.yaml: "
        "it allows TCP 80 from shop/client to shop/web"
    )
    assert ask(opening, closing).reason == (
        "denied by CiliumClusterwideNetworkPolicy shut, specs[1].ingressDeny[0], in shut.yaml: "
        "it denies TCP 80 from shop/client to shop/web"
    )
    found = ask(policy("spec: {podSelector: {}}", KNP, "none", file=""), port=8, protocol="icmp").reason
    assert found == (
        "denied by default: no rule allows ICMP type 8 from shop/client to shop/web, and NetworkPolicy shop/none, "
        "spec.policyTypes puts shop/web under default deny for ingress"
    )


def test_who_switched_default_deny_on_is_told_with_how_many() -> None:
    found = ask(server("[{}]", name="a"), server("[{}]", name="b"), server("[{}]", name="c"))
    assert [each.policy for each in found.ingress.enforced_by] == ["a", "b", "c"]
    assert "shop/a, spec.ingress[0], in p.yaml (and 2 more rules) puts shop/web under default deny" in found.reason
    assert found.ingress.steps[0].startswith("3 rules select shop/web for ingress: ")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "allowed: no policy selects shop/web for ingress"),
        ({"enforcement": "never"}, "allowed: policies are never enforced, at shop/web as elsewhere"),
        (
            {"enforcement": "always"},
            "denied by default: no rule allows TCP 80 from shop/client to shop/web, and policies are always enforced",
        ),
        (
            {"source": OUTSIDE, "to": Endpoint(ip="1.1.1.1")},
            "no policy is enforced at 1.1.1.1: it is outside the cluster",
        ),
        (
            {"to": Endpoint(("reserved:remote-node",), "node-2")},
            "allowed: no policy selects shop/client for egress",
        ),
        (
            {"source": OUTSIDE, "to": Endpoint(("reserved:host",))},
            "allowed: no policy is enforced at host, because the host firewall is off",
        ),
        ({"to": Endpoint(("reserved:init",))}, "and what is being created (reserved:init) is always enforced"),
    ],
)
def test_the_reason_without_rules(more: dict[str, Any], reason: str) -> None:
    assert reason in ask(**more).reason


def test_a_flow_is_told_by_what_is_known_of_its_ends() -> None:
    nameless = Endpoint(("k8s:app=web", f"{SPACE}shop"))
    found = ask(server("[{}]"), source=Endpoint(("reserved:remote-node",), ip="10.0.0.1"), to=nameless)
    assert "from remote-node 10.0.0.1 to shop/web" in found.reason


# -- what always holds ---------------------------------------------------------------------------------------------

ENDS = endpoints()
pairs = st.lists(
    st.tuples(st.sampled_from(sorted(ENDS)), st.sampled_from(sorted(ENDS)), st.sampled_from(FLOWS)),
    min_size=6,
    max_size=12,
)
Pairs = list[tuple[str, str, tuple[int, str]]]


def sides(book: Rulebook, asked: Pairs) -> list[Side]:
    found = []
    for source, to, (port, protocol) in asked:
        answer = verdict(book, Flow(ENDS[source], ENDS[to], port, protocol))
        found += [answer.egress, answer.ingress]
    return found


@given(policies(), written(9), surroundings, pairs)
def test_an_allow_more_denies_nothing_unless_it_brings_default_deny(
    held: tuple[Written, ...], more: Written, around: Surroundings, asked: Pairs
) -> None:
    added = rulebook([more], around).entries
    assume(added and not any(entry.deny or entry.requires for entry in added))
    before, after = rulebook(held, around), rulebook([*held, more], around)
    for one, two in zip(sides(before, asked), sides(after, asked), strict=True):
        worse = {"allowed": ("denied", "unknown"), "unknown": ("denied",)}.get(one.verdict, ())
        if two.verdict in worse:
            assert not one.enforced_by
            assert {each.policy for each in two.enforced_by} == {"p9"}


@given(policies(), surroundings, pairs)
def test_a_deny_beats_every_allow(held: tuple[Written, ...], around: Surroundings, asked: Pairs) -> None:
    spec = "spec: {%s: {}, ingressDeny: [{fromEntities: [all]}], egressDeny: [{toEntities: [all]}]}"
    denying = [policy(spec % each, CCNP, each) for each in ("endpointSelector", "nodeSelector")]
    before, after = rulebook(held, around), rulebook([*held, *denying], around)
    for one, two in zip(sides(before, asked), sides(after, asked), strict=True):
        if two.because in ("no endpoint", "not enforced") or two.missing:
            assert two.verdict == one.verdict
        else:
            assert (two.verdict, two.because) == ("denied", "deny rule")


@given(st.data(), policies(), surroundings, pairs)
def test_the_order_of_policies_and_rules_does_not_matter(
    data: st.DataObject, held: tuple[Written, ...], around: Surroundings, asked: Pairs
) -> None:
    def turned(each: Written) -> Written:
        spec = {key: value[::-1] if isinstance(value, list) else value for key, value in each.policy.spec.items()}
        return each._replace(policy=msgspec.structs.replace(each.policy, spec=spec))

    mixed = [turned(each) for each in data.draw(st.permutations(held))]
    for one, two in zip(sides(rulebook(held, around), asked), sides(rulebook(mixed, around), asked), strict=True):
        assert (one.verdict, one.because, one.authentication) == (two.verdict, two.because, two.authentication)
        assert one.redirected == two.redirected


@given(policies(), surroundings, pairs)
def test_an_answer_is_complete(held: tuple[Written, ...], around: Surroundings, asked: Pairs) -> None:
    for side in sides(rulebook(held, around), asked):
        assert (side.verdict == "unknown") == bool(side.missing)
        assert side.reason and not side.reason.endswith(".") and "\n" not in side.reason
        assert side.steps[-1] == f"So {side.reason}."
        assert all(step.endswith(".") for step in side.steps)
        assert bool(side.where) == (side.because in ("rule", "deny rule", "layer 7", "authentication")) or side.missing
