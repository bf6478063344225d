"""What the real engine answers in cases that surprise, and that the dossiers of the field do not tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.enginecases import CASES, Case, ask, book, flow, word
from tui.domain.cilium.model import Request
from tui.domain.cilium.reachability.reach import Reach


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_each_end_answers_as_the_real_engine_does(case: Case) -> None:
    found = ask(case)
    assert (word(found.egress), word(found.ingress)) == (case.egress, case.ingress), found.reason


@pytest.mark.parametrize("case", CASES, ids=[case.says for case in CASES])
def test_the_compiled_form_answers_the_same(case: Case) -> None:
    asked = flow(case.flow)
    found = Reach(book(case.policies, case.settings), {"from": asked.source, "to": asked.destination}).between(
        "from", "to"
    )
    for ports, answer in zip(found, (case.egress, case.ingress), strict=False):
        assert ports.allowed.has(asked.port, asked.protocol) == ("deny" not in answer)
        assert ports.denied.has(asked.port, asked.protocol) == ("deny" in answer)


DNS = "toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchPattern: '*.example.com'}]}}]"


@pytest.mark.parametrize(
    ("beside", "passes"),
    [
        ("{toEntities: [host]}", False),
        ("{toEntities: [all], toPorts: [{ports: [{port: '53'}]}]}", True),
        ("{toEntities: [all], toPorts: [{ports: [{port: '53', protocol: TCP}]}]}", False),
        ("{toEntities: [all]}", False),
        ("{toEntities: [all], toPorts: [{ports: [{port: '50', endPort: 60, protocol: UDP}]}]}", False),
    ],
)
def test_the_dns_proxy_knows_the_rules_of_its_port_alone(beside: str, passes: bool) -> None:
    """Source: the proxy gets the rules of one port (`pkg/proxy/dns.go`), the map entry of it wins over wider ones."""
    case = Case("", f"cnp endpointSelector: CLIENT, egress: [{{toEntities: [all], {DNS}}}, {beside}]", "", "", "")
    case = case._replace(flow="client > kube-dns UDP/53")
    assert ask(case, Request(dns="www.example.com")).verdict == "allowed"
    assert ask(case, Request(dns="other.org")).verdict == ("allowed" if passes else "denied")
    assert ask(case).egress.redirected


@pytest.mark.parametrize("version", [(1, 17), (1, 18), (1, 19), (1, 20)])
def test_1_18_cannot_read_an_ip_block_with_policy_default_local_cluster(version: tuple[int, int]) -> None:
    """Source: `pkg/k8s/network_policy.go` of 1.18, which gives the entry two kinds of peers and then refuses it."""
    text = "knp podSelector: SERVER, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"
    held = book(text, {"version": version, "default_local_cluster": True})
    assert [each.reason for each in held.invalid] == (
        ["spec.ingress[0]: combining FromEndpoints and FromCIDRSet is not supported yet"] if version == (1, 18) else []
    )


HTTP = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]"
KAFKA = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {kafka: [{}]}}]"
NAMES = "toPorts: [{ports: [{port: '80', protocol: TCP}], serverNames: [a.example.com]}]"


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (f"{HTTP}", f"{KAFKA}", "http and kafka rules"),
        (f"{NAMES}", f"{HTTP}", "server names and http rules"),
        (f"fromEntities: [all], {HTTP}", f"{KAFKA}", "http and kafka rules"),
        (f"fromEndpoints: [CLIENT], {HTTP}", f"fromEntities: [all], {KAFKA}", ""),
        ("authentication: {mode: required}, toPorts: []", f"authentication: {{mode: disabled}}, {HTTP}", ""),
        (
            f"authentication: {{mode: required}}, {HTTP}",
            f"authentication: {{mode: disabled}}, {HTTP}",
            "authentication required and disabled",
        ),
    ],
)
def test_what_the_agent_cannot_put_together_is_a_caveat(one: str, other: str, what: str) -> None:
    """Source: "cannot merge conflicting L7 parsers" and its like; the endpoint then keeps its policy."""
    text = f"cnp endpointSelector: SERVER, ingress: [{{{one}}}]\ncnp endpointSelector: SERVER, ingress: [{{{other}}}]"
    found = [each for each in ask(Case("", text, "client > server UDP/1", "", "")).caveats if "together" in each]
    assert len(found) == bool(what)
    assert what in "".join(found)


@pytest.mark.parametrize(("version", "answer"), [((1, 15), "allow"), ((1, 16), "default-deny")])
@pytest.mark.parametrize("peers", ["fromEndpoints: []", "fromEntities: []", "fromCIDRSet: [{cidrGroupRef: missing}]"])
def test_before_1_16_an_empty_list_of_peers_counts_as_missing(
    peers: str, version: tuple[int, int], answer: str
) -> None:
    """Source: `GetSourceEndpointSelectorsWithRequirements` of 1.15.19 and 1.16.5 (`pkg/policy/api/ingress.go`)."""
    case = Case(
        "",
        f"cnp endpointSelector: SERVER, ingress: [{{{peers}, toPorts: [{{ports: [{{port: '80'}}]}}]}}]",
        "client > server TCP/80",
        "allow",
        answer,
        {"version": version},
    )
    assert word(ask(case).ingress) == answer
    case = case._replace(policies=f"cnp endpointSelector: SERVER, ingress: [{{{peers}}}]")
    assert word(ask(case).ingress) == "default-deny"


@pytest.mark.parametrize(
    ("version", "settings", "peers", "answer"),
    [
        ((1, 19), {}, "toCIDR: ['::/0']", "default-deny"),
        ((1, 19), {}, "toCIDRSet: [{cidr: '::/0'}]", "default-deny"),
        ((1, 18), {}, "toCIDR: ['::/0']", "default-deny"),
        ((1, 18), {}, "toCIDRSet: [{cidr: '::/0'}]", "allow"),
        ((1, 18), {"ipv6": True}, "toCIDRSet: [{cidr: '::/0'}]", "default-deny"),
        ((1, 14), {"ipv6": True}, "toCIDR: ['::/0']", "allow"),
    ],
)
def test_the_world_of_ipv6_may_be_the_world_before_1_19(
    version: tuple[int, int], settings: dict[str, Any], peers: str, answer: str
) -> None:
    """Source: 1.19.0 and 1.18.0 asked; `pkg/policy/api/cidr.go` of 1.14.5, where the world has no families."""
    case = Case("", f"cnp endpointSelector: CLIENT, egress: [{{{peers}}}]", "client > 8.8.8.8 TCP/443", answer, "n/a")
    assert word(ask(case._replace(settings={"version": version, **settings})).egress) == answer


@pytest.mark.parametrize(("version", "rejected"), [((1, 18), True), ((1, 19), False)])
def test_a_requirement_is_read_as_long_as_it_is_known(version: tuple[int, int], rejected: bool) -> None:
    """Source: 1.18.0 asked; the custom resource of 1.19 does not have the field, so that it is pruned."""
    text = "cnp endpointSelector: SERVER, ingress: [{fromRequires: [{matchExpressions: [{key: app, operator: Has}]}]}]"
    assert bool(book(text, {"version": version}).invalid) == rejected


@pytest.mark.parametrize(
    ("peers", "passes"),
    [
        ("fromEntities: [all]", True),
        ("fromEntities: [cluster]", False),
        ("fromEntities: [host]", False),
        ("fromEndpoints: [{matchLabels: {'reserved:host': ''}}]", False),
    ],
)
def test_a_request_of_the_own_node_passes_unless_a_rule_of_its_own_asks(peers: str, passes: bool) -> None:
    """Source: 1.19.0 asked, and `L4Filter.attach` (`pkg/policy/l4.go`): the node is let in where no rule is for it."""
    http = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /healthz}]}}]"
    case = Case("", f"cnp endpointSelector: SERVER, ingress: [{{{peers}, {http}}}]", "host > server TCP/80", "", "")
    assert ask(case, Request(path="/healthz")).verdict == "allowed"
    assert ask(case, Request(path="/admin")).verdict == ("allowed" if passes else "denied")
    assert ask(case).ingress.redirected


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("ingress: [{toPorts: [80]}]", "ingress[0].toPorts[0] must be a mapping"),
        ("ingress: [{toPorts: {ports: []}}]", "ingress[0].toPorts must be a list"),
        ("egressDeny: [{toPorts: [{ports: {port: '80'}}]}]", "egressDeny[0].toPorts[0].ports must be a list"),
        ("ingress: [{toPorts: [{ports: [{port: '80', protocol: 6}]}]}]", "invalid protocol 6"),
        ("ingress: [{fromEntities: [[world]]}]", "unsupported entity"),
        ("ingress: [{fromEndpoints: [{matchExpressions: [{key: 1, operator: Exists}]}]}]", "key must be a string"),
        ("ingress: [{icmps: [{fields: {type: 8}}]}]", "ingress[0].icmps[0].fields must be a list"),
        ("enableDefaultDeny: 'no', ingress: [{}]", "enableDefaultDeny must be a mapping"),
        ("ingress: [{toPorts: [null]}]", "ingress[0].toPorts[0] must be a mapping"),
        ("ingress: [{toPorts: null}]", ""),
        ("ingress: [{madeUp: 1}]", ""),
    ],
)
def test_a_value_of_the_wrong_kind_is_no_policy(rule: str, reason: str) -> None:
    """Source: reading such an object into the types of 1.19.0 fails; the API server refuses it before that."""
    held = book(f"cnp endpointSelector: SERVER, {rule}", {})
    assert [reason in each.reason for each in held.invalid] == ([True] if reason else [])
