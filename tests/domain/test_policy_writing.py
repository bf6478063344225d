"""Policies changed in their files: what was chosen is what the entry means, and nothing else of the file moves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.cilium.model import HttpRule
from tui.domain.cilium.policy import CCNP, CNP, KNP
from tui.domain.cilium.ruling import newpolicy, writing
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
    port_word,
    ports_of,
    words_of,
)
from tui.domain.cilium.ruling.spelling import entry
from tui.domain.yamledit import Missing, Refused, get_value

FILE = """\
# who may reach the shop
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  endpointSelector:
    matchLabels: {app: web}
  ingress:
    # the gateway
    - fromEndpoints:
        - matchLabels:
            app: gateway
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP   # plain
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: gateway
    ports:
    - port: 8080
"""

SHARED = Path(__file__).parents[3] / "shared" / "data"
GATEWAY = Pods({"app": "gateway"})


def added(before: str, after: str) -> list[str]:
    """The lines that are new; every old line must still be there, in order."""
    new = after.splitlines()
    out = []
    old = before.splitlines()
    at = 0
    for line in new:
        if at < len(old) and old[at] == line:
            at += 1
        else:
            out.append(line)
    assert at == len(old), old[at]
    return out


def cnp() -> writing.Held:
    return writing.find(FILE, CNP, "shop", "web")


def knp() -> writing.Held:
    return writing.find(FILE, KNP, "shop", "web")


def test_the_same_peers_get_the_port_and_nothing_else_moves() -> None:
    done = writing.add_rule(FILE, cnp(), NewRule("ingress", (GATEWAY,), (Port("9090"),)))
    assert added(FILE, done.text) == ['            - port: "9090"', "              protocol: TCP"]


def test_other_peers_get_an_entry_in_the_style_of_the_file() -> None:
    done = writing.add_rule(FILE, cnp(), NewRule("ingress", (Pods({"app": "jobs"}, "batch"),), (Port("http"),)))
    assert added(FILE, done.text) == [
        "    - fromEndpoints:",
        "        - matchLabels:",
        "            app: jobs",
        "            k8s:io.kubernetes.pod.namespace: batch",
        "      toPorts:",
        "        - ports:",
        "            - port: http",
        "              protocol: TCP",
    ]


def test_a_network_policy_gets_its_own_spelling_and_its_policy_types() -> None:
    rule = NewRule("egress", (Pods({"app": "db"}, "data"), Cidr("10.1.2.3")), (Port("5432"),))
    done = writing.add_rule(FILE, knp(), rule)
    value = get_value(done.text, "spec", 1)
    assert value["policyTypes"] == ["Ingress", "Egress"]
    assert value["egress"] == [
        {
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}},
                    "podSelector": {"matchLabels": {"app": "db"}},
                },
                {"ipBlock": {"cidr": "10.1.2.3/32"}},
            ],
            "ports": [{"protocol": "TCP", "port": 5432}],
        }
    ]
    assert done.text.startswith(FILE[: FILE.index("---")])


@pytest.mark.parametrize(("port", "new"), [("8080", False), ("8081", True)])
def test_a_port_of_a_network_policy_without_protocol_is_tcp(port: str, new: bool) -> None:
    assert writing.add_rule(FILE, knp(), NewRule("ingress", (GATEWAY,), (Port(port),))).changed is new


@pytest.mark.parametrize(
    "rule",
    [
        NewRule("ingress", (GATEWAY,), (Port("8080"),)),
        NewRule("ingress", (Pods({"app": "gateway"}),), (Port("8080", "TCP"), Port("8080", "TCP"))),
    ],
)
def test_what_is_there_changes_no_byte(rule: NewRule) -> None:
    assert not writing.add_rule(FILE, cnp(), rule).changed


def test_ports_beyond_forty_go_to_a_further_list() -> None:
    ports = tuple(Port(str(number)) for number in range(1000, 1045))
    done = writing.add_rule(FILE, cnp(), NewRule("ingress", (GATEWAY,), ports))
    lists = get_value(done.text, "spec.ingress[0].toPorts", 0)
    assert [len(each["ports"]) for each in lists] == [40, 6]


def test_a_rule_above_layer_4_gets_an_entry_of_its_own() -> None:
    rule = NewRule("ingress", (GATEWAY,), (Port("8080"),), http=(HttpRule("GET", "/api/.*"),))
    done = writing.add_rule(FILE, cnp(), rule)
    assert get_value(done.text, "spec.ingress[1].toPorts", 0) == [
        {
            "ports": [{"port": "8080", "protocol": "TCP"}],
            "rules": {"http": [{"method": "GET", "path": "/api/.*"}]},
        }
    ]


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        (NewRule("ingress"), {"fromEntities": ["all"]}),
        (NewRule("ingress", None, (Port("80"),)), {"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}]}]}),
        (NewRule("egress", (Pods(),)), {"toEndpoints": [{}]}),
        (NewRule("egress", (Cidr("10.0.0.0/8"),)), {"toCIDR": ["10.0.0.0/8"]}),
        (
            NewRule("egress", (Cidr("10.0.0.0/8", ("10.1.0.0/16",)), Group("office"))),
            {"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}, {"cidrGroupRef": "office"}]},
        ),
        (
            NewRule("egress", (Fqdn("api.example.com"), Fqdn("*.example.org"))),
            {"toFQDNs": [{"matchName": "api.example.com"}, {"matchPattern": "*.example.org"}]},
        ),
        (
            NewRule("egress", (ToService("shop", "db"),)),
            {"toServices": [{"k8sService": {"serviceName": "db", "namespace": "shop"}}]},
        ),
        (NewRule("ingress", (Nodes({"zone": "a"}),)), {"fromNodes": [{"matchLabels": {"zone": "a"}}]}),
        (
            NewRule("ingress", (Pods(namespace_labels={"team": "pay"}),)),
            {"fromEndpoints": [{"matchLabels": {"k8s:io.cilium.k8s.namespace.labels.team": "pay"}}]},
        ),
        (
            NewRule("ingress", (Pods(namespace="*"),)),
            {
                "fromEndpoints": [
                    {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "Exists"}]}
                ]
            },
        ),
        (NewRule("ingress", None, icmps=(Icmp("8"),)), {"icmps": [{"fields": [{"type": 8}]}]}),
        (
            NewRule("egress", None, (Port("53", "ANY"),), dns=("*.example.com",)),
            {
                "toPorts": [
                    {
                        "ports": [{"port": "53", "protocol": "ANY"}],
                        "rules": {"dns": [{"matchPattern": "*.example.com"}]},
                    }
                ]
            },
        ),
    ],
)
def test_every_choice_in_the_spelling_of_cilium(rule: NewRule, made: object) -> None:
    assert entry(rule, CNP) == made


@pytest.mark.parametrize(
    ("resource", "rule", "reason"),
    [
        (CNP, NewRule("ingress", (GATEWAY, Entity("world"))), "cannot be combined"),
        (CNP, NewRule("ingress", (Fqdn("a.example"),)), "only be peers of egress"),
        (CNP, NewRule("egress", (Fqdn("a.example"),), deny=True), "cannot be denied"),
        (CNP, NewRule("ingress", ()), "say whom"),
        (CNP, NewRule("ingress", (Cidr("10.0.0.0/8", ("11.0.0.0/8",)),)), "not inside"),
        (CNP, NewRule("ingress", None, (Port("80"),), (Icmp("8"),)), "not about both"),
        (CNP, NewRule("ingress", None, http=(HttpRule("GET"),)), "needs ports"),
        (CNP, NewRule("ingress", None, (Port("80"),), http=(HttpRule(path="["),)), "regular expression"),
        (CNP, NewRule("ingress", None, (Port("80"),), deny=True, http=(HttpRule("GET"),)), "not allowed in deny"),
        (CNP, NewRule("ingress", (Entity("moon"),)), "unsupported entity moon"),
        (CNP, NewRule("ingress", None, (Port("80", "UDP"),), http=(HttpRule("GET"),)), "only apply to TCP"),
        (KNP, NewRule("ingress", (GATEWAY,), deny=True), "only allows"),
        (KNP, NewRule("ingress", (Entity("host"),)), "cannot name entity host"),
        (KNP, NewRule("ingress", None, (Port("53", "ANY"),)), "TCP, UDP or SCTP"),
    ],
)
def test_what_a_kind_cannot_say_is_refused_with_the_reason(resource: str, rule: NewRule, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        writing.add_rule(FILE, writing.find(FILE, resource, "shop", "web"), rule)


def test_removing_keeps_comments_and_the_rest() -> None:
    two = writing.add_rule(FILE, cnp(), NewRule("ingress", (Entity("world"),))).text
    done = writing.remove_entry(two, writing.find(two, CNP, "shop", "web"), "ingress", 1)
    assert done.text == FILE


@pytest.mark.parametrize("keep", [False, True])
def test_the_last_entry_of_a_section_takes_its_default_deny_along_unless_kept(keep: bool) -> None:
    both = writing.add_rule(FILE, cnp(), NewRule("egress", (Entity("world"),))).text
    done = writing.remove_entry(both, writing.find(both, CNP, "shop", "web"), "egress", 0, keep_deny=keep)
    spec = get_value(done.text, "spec", 0)
    assert spec.get("egress") == ([{}] if keep else None)


def test_the_only_entry_of_a_policy_stays() -> None:
    with pytest.raises(Refused, match="only entry"):
        writing.remove_entry(FILE, cnp(), "ingress", 0)
    left = writing.remove_entry(FILE, knp(), "ingress", 0).text
    assert get_value(left, "spec.ingress", 1) == []


def test_changing_an_entry_writes_only_what_differs() -> None:
    rule = NewRule("ingress", (GATEWAY,), (Port("8443"),))
    done = writing.change_entry(FILE, cnp(), "ingress", 0, rule)
    assert done.text == FILE.replace('port: "8080"', 'port: "8443"')
    with pytest.raises(Refused, match="cannot become"):
        writing.change_entry(FILE, cnp(), "ingress", 0, NewRule("egress", (GATEWAY,)))


@pytest.mark.parametrize(("on", "told"), [(False, {"ingress": False}), (True, {"ingress": True})])
def test_default_deny_of_cilium(on: bool, told: dict[str, bool]) -> None:
    done = writing.set_default_deny(FILE, cnp(), "ingress", on)
    assert get_value(done.text, "spec.enableDefaultDeny", 0) == told
    again = writing.set_default_deny(done.text, writing.find(done.text, CNP, "shop", "web"), "ingress", None)
    assert again.text == FILE


def test_default_deny_without_entries_is_an_empty_entry() -> None:
    with pytest.raises(Refused, match=r"egress: \[\{\}\]"):
        writing.set_default_deny(FILE, cnp(), "egress", True)
    assert get_value(writing.deny_all(FILE, cnp(), "egress").text, "spec.egress", 0) == [{}]


def test_default_deny_of_a_network_policy_is_its_policy_types() -> None:
    done = writing.set_default_deny(FILE, knp(), "egress", True)
    assert added(FILE.replace("[Ingress]", "[Ingress, Egress]"), done.text) == []
    with pytest.raises(Refused, match="enforce the direction whatever"):
        writing.set_default_deny(FILE, knp(), "ingress", False)


def test_specs_are_rules_too() -> None:
    text = json.dumps(
        {
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumClusterwideNetworkPolicy",
            "metadata": {"name": "base"},
            "specs": [{"endpointSelector": {}, "ingress": [{}]}, {"nodeSelector": {}, "ingress": [{}]}],
        },
        indent=2,
    )
    held = writing.find(text, CCNP, "", "base")
    done = writing.add_rule(text, held, NewRule("ingress", (Entity("cluster"),)), 1)
    assert json.loads(done.text)["specs"][1]["ingress"] == [{}, {"fromEntities": ["cluster"]}]
    with pytest.raises(Missing, match="2 rules"):
        writing.add_rule(text, held, NewRule("ingress", (Entity("cluster"),)), 2)


def test_an_item_of_a_list_is_found_and_edited() -> None:
    text = "kind: List\napiVersion: v1\nitems:\n" + "".join(
        f"- apiVersion: cilium.io/v2\n  kind: CiliumNetworkPolicy\n  metadata: {{name: {name}, namespace: shop}}\n"
        f"  spec: {{endpointSelector: {{}}, ingress: [{{fromEntities: [host]}}]}}\n"
        for name in ("a", "b")
    )
    done = writing.add_rule(text, writing.find(text, CNP, "shop", "b"), NewRule("ingress", (Entity("world"),)))
    assert get_value(done.text, "items[1].spec.ingress") == [{"fromEntities": ["host"]}, {"fromEntities": ["world"]}]
    assert done.text.splitlines()[:-1] == text.splitlines()[:-1]


def test_a_policy_of_another_namespace_is_not_mistaken() -> None:
    with pytest.raises(Missing, match="no CiliumNetworkPolicy other/web"):
        writing.find(FILE, CNP, "other", "web")
    assert writing.find(FILE, KNP, "anywhere", "web").doc == 1  # the file does not say


def test_an_invalid_policy_can_still_be_mended() -> None:
    text = FILE.replace("    - fromEndpoints:", "    - fromEntities: [moon]\n    - fromEndpoints:", 1)
    held = writing.find(text, CNP, "shop", "web")
    assert writing.add_rule(text, held, NewRule("ingress", (GATEWAY,), (Port("1"),))).changed  # no new reason
    assert writing.remove_entry(text, held, "ingress", 0).changed


@pytest.mark.parametrize("resource", [CNP, CCNP, KNP])
def test_a_new_policy(resource: str) -> None:
    rules = (NewRule("ingress", (GATEWAY,), (Port("8080"),)),)
    text = newpolicy.new_policy(resource, "web", "shop", {"app": "web"}, rules, comment="for the shop")
    assert text.startswith("# for the shop\napiVersion: ")
    held = writing.find(text, resource, "shop", "web")
    assert held.namespace == ("" if resource == CCNP else "shop")
    assert held.value["spec"]["ingress"] == [entry(rules[0], resource)]
    whole = newpolicy.add_policy("a: 1\n", text)
    assert whole.text == "a: 1\n---\n" + text
    with pytest.raises(Refused, match="already"):
        newpolicy.add_policy(text, text)


def test_a_new_policy_without_default_deny() -> None:
    text = newpolicy.new_policy(CNP, "web", "shop", {}, (NewRule("egress", (Entity("world"),)),), default_deny=False)
    assert get_value(text, "spec.enableDefaultDeny") == {"egress": False}
    with pytest.raises(Refused, match="always denies"):
        newpolicy.new_policy(KNP, "web", "shop", {}, default_deny=False)
    with pytest.raises(Refused, match="does nothing"):
        newpolicy.new_policy(CNP, "web", "shop", {})


def test_names() -> None:
    assert newpolicy.policy_name("web", "allow", ["allow-web", "allow-web-2"]) == "allow-web-3"
    assert newpolicy.policy_file(CNP, "web") == "web-ciliumnetworkpolicy.yaml"


@given(
    st.lists(
        st.one_of(
            st.builds(Port, st.integers(1, 65535).map(str), st.sampled_from(["TCP", "UDP", "SCTP", "ANY"])),
            st.builds(Port, st.sampled_from(["http", "web-2"]), st.just("TCP")),
            st.integers(1, 65000).map(lambda low: Port(str(low), "TCP", low + 7)),
        ),
        max_size=4,
        unique=True,
    ),
    st.lists(st.builds(Icmp, st.sampled_from(["8", "EchoRequest"]), st.sampled_from(["IPv4", "IPv6"])), unique=True),
)
def test_ports_are_read_as_they_are_written(ports: list[Port], icmps: list[Icmp]) -> None:
    words = ", ".join(map(port_word, (*ports, *icmps)))
    assert ports_of(words) == (tuple(ports), tuple(icmps))


@pytest.mark.parametrize("word", ["70000", "90-80", "80/TPC", "Üml", "icmp/", "80--90"])
def test_what_is_no_port_is_refused(word: str) -> None:
    with pytest.raises(Refused, match=r"port|ICMP|range"):
        ports_of(word)


def test_a_rule_in_words() -> None:
    rule = NewRule("ingress", (Pods({"app": "web"}, "shop"),), (Port("8080"),), http=(HttpRule("GET", "/"),))
    assert words_of(rule) == "allow ingress from app=web in shop, port 8080/TCP, HTTP GET /"


@pytest.mark.parametrize("folder", ["cilium/examples", "network-policy-recipes"])
def test_real_policies_take_a_rule_and_keep_every_line(folder: str) -> None:
    root = SHARED / folder
    if not root.is_dir():
        pytest.skip("the shared data is not here")
    count = 0
    for file in sorted(each for each in root.rglob("*") if each.suffix in (".yaml", ".yml", ".json")):
        text = file.read_text(encoding="utf-8")
        for held in writing.policies(text):
            for number in range(len(writing.rule_paths(held))):
                done = writing.add_rule(text, held, NewRule("ingress", (Pods({"x": "y"}),), (Port("8080"),)), number)
                added(text.replace("ingress: []", "ingress:"), done.text)
                count += 1
    assert count > 10
