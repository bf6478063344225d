"""The form of a policy's rules: what it proposes, what it writes, and what it says about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.cilium.model import CidrGroup, Endpoint, HttpRule, Service, Surroundings, Written
from tui.domain.cilium.policy import CNP, KNP, Policy
from tui.domain.cilium.ruling import ruleform
from tui.domain.cilium.ruling.catalogue import Catalogue, catalogue, labels_of, telling_labels
from tui.domain.cilium.ruling.choice import Cidr, Entity, Fqdn, NewRule, Pods, Port
from tui.domain.drafts.message import describe_document
from tui.domain.edits import EDITS, offered
from tui.domain.edits.newpolicies import PASSES, NewPolicy
from tui.domain.edits.policies import ADD, CHANGE, DENY, REMOVE, PolicyRule
from tui.domain.obj import Meta
from tui.domain.yamledit import Refused, get_value

TEXT = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector:
    matchLabels: {app: web}
  ingress:
  # the gateway
  - fromEndpoints:
    - matchLabels: {app: gateway}
    toPorts:
    - ports:
      - {port: "8080", protocol: TCP}
"""


def pod(name: str, *labels: str, **ports: int) -> Endpoint:
    namespace = name.partition("/")[0]
    every = sorted((*(f"k8s:{each}" for each in labels), f"k8s:io.kubernetes.pod.namespace={namespace}"))
    return Endpoint(tuple(every), name, named_ports={f"{key}/TCP": value for key, value in ports.items()})


def known() -> Catalogue:
    return catalogue(
        [
            pod("shop/web-1", "app=web", "tier=front", http=8080),
            pod("shop/web-2", "app=web", "tier=front", http=8080),
            pod("data/db-1", "app.kubernetes.io/name=db", "app.kubernetes.io/instance=main", "x=y", sql=5432),
            Endpoint(("reserved:world",), "world"),
        ],
        Surroundings(
            namespaces={"shop": {}, "empty": {}},
            cidr_groups=(CidrGroup("office", {}, ()),),
            services=(Service("data", "db", {}, {}),),
        ),
        [
            Written(
                CNP,
                Policy(
                    metadata=Meta(name="x", namespace="shop"),
                    spec={
                        "endpointSelector": {},
                        "egress": [{"toFQDNs": [{"matchName": "a.example"}]}, {"toCIDR": ["10.0.0.0/8"]}],
                    },
                ),
            )
        ],
        [{"zone": "a"}],
        {"shop/web-1": ["9000/TCP"]},
    )


def by_name(found: Any) -> dict[str, Any]:
    return {field.name: field for field in found}


def test_a_catalogue_knows_what_exists() -> None:
    found = known()
    assert found.namespaces == ("data", "empty", "shop")
    assert found.pods == {
        "data": ("app.kubernetes.io/name=db, app.kubernetes.io/instance=main",),
        "shop": ("app=web",),
    }
    assert found.ports_of("shop", {"app": "web"}) == ("http/TCP", "8080/TCP", "9000/TCP")
    assert found.ports_of("", {}) == ("http/TCP", "8080/TCP", "9000/TCP", "sql/TCP", "5432/TCP")
    assert (found.groups, found.services, found.names, found.cidrs, found.nodes) == (
        ("office",),
        ("data/db",),
        ("a.example",),
        ("10.0.0.0/8",),
        ("zone=a",),
    )


def test_the_labels_that_tell_a_workload() -> None:
    assert telling_labels({"app": "web", "pod-template-hash": "x", "tier": "front"}) == {"app": "web"}
    assert telling_labels({"team": "a", "io.kubernetes.pod.namespace": "b"}) == {"team": "a"}


def test_the_form_proposes_what_exists_where_it_fits() -> None:
    document = get_value(TEXT)
    edit = PolicyRule(known())
    first = by_name(edit.fields("CiliumNetworkPolicy", document, {}))
    assert first["do"].choices == (ADD, CHANGE, REMOVE, DENY)
    assert first["ports"].choices == ("http/TCP", "8080/TCP", "9000/TCP")  # of the policy's own pods
    assert first["pods"].choices == ("app=web", "every pod")
    there = by_name(
        edit.fields(
            "CiliumNetworkPolicy",
            document,
            {"direction": "egress", "namespace": "data", "pods": "app.kubernetes.io/name=db"},
        )
    )
    assert there["ports"].choices == ("sql/TCP", "5432/TCP")  # of the peers
    assert "DNS name" in there["who"].choices
    assert "DNS name" not in first["who"].choices
    assert by_name(edit.fields("CiliumNetworkPolicy", document, {"who": "CIDR group"}))["groups"].choices == ("office",)


def apply(values: dict[str, str], text: str = TEXT, kind: str = "CiliumNetworkPolicy") -> str:
    return EDITS["policy"].apply(text, 0, kind, values).text


def test_adding_by_form_is_the_smallest_edit_and_says_what_it_did() -> None:
    after = apply(
        {"do": ADD, "direction": "ingress", "who": "pods", "namespace": "jobs", "pods": "app=cron", "ports": "http"}
    )
    assert after.startswith(TEXT)
    assert describe_document("x.yaml", get_value(TEXT), get_value(after)) == [
        "allow ingress from app=cron in jobs → TCP http"
    ]


def test_changing_by_form_begins_with_what_is_there() -> None:
    document = get_value(TEXT)
    values = {"do": CHANGE, "entry": "ingress[0] app=gateway → TCP 8080"}
    fields = by_name(EDITS["policy"].fields("CiliumNetworkPolicy", document, values))
    assert (fields["who"].value, fields["pods"].value, fields["ports"].value) == ("pods", "app=gateway", "8080/TCP")
    after = apply({**{name: field.value for name, field in fields.items()}, **values, "ports": "8443/TCP"})
    assert after == TEXT.replace("8080", "8443")


def test_removing_the_last_rule_asks_about_its_default_deny() -> None:
    document = get_value(TEXT)
    fields = by_name(EDITS["policy"].fields("CiliumNetworkPolicy", document, {"do": REMOVE}))
    assert fields["keep"].value == "stays"
    after = apply({"do": REMOVE, "entry": fields["entry"].value, "keep": "stays"})
    assert get_value(after, "spec.ingress") == [{}]
    with pytest.raises(Refused, match="only entry"):
        apply({"do": REMOVE, "entry": fields["entry"].value, "keep": "ends with it"})


@pytest.mark.parametrize(
    ("values", "spec"),
    [
        ({"direction": "egress", "deny": "on"}, {"egress": [{}]}),
        ({"direction": "ingress", "deny": "off"}, {"enableDefaultDeny": {"ingress": False}}),
        ({"direction": "ingress", "deny": "on"}, {"enableDefaultDeny": {"ingress": True}}),
    ],
)
def test_default_deny_by_form(values: dict[str, str], spec: dict[str, Any]) -> None:
    after = get_value(apply({"do": DENY, **values}), "spec")
    assert {key: after[key] for key in spec} == spec


def test_an_entry_that_the_form_cannot_show_is_not_touched() -> None:
    text = TEXT.replace("matchLabels: {app: gateway}", "matchExpressions: [{key: app, operator: Exists}]")
    values = {"do": CHANGE, "entry": "ingress[0] app set → TCP 8080"}
    fields = EDITS["policy"].fields("CiliumNetworkPolicy", get_value(text), values)
    assert "YAML" in by_name(fields)["entry"].help
    with pytest.raises(Refused, match="YAML"):
        apply({**values, "ports": "1"}, text)


def test_it_is_offered_for_policies_alone() -> None:
    assert [each.id for each in offered(get_value(TEXT))] == ["policy", "metadata"]
    assert not EDITS["policy"].applies("NetworkPolicy", {"kind": "NetworkPolicy", "apiVersion": "extensions/v1beta1"})
    assert not EDITS["policy"].applies("Deployment", {"kind": "Deployment", "apiVersion": "apps/v1", "spec": {}})


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"who": "entity", "entities": ""}, "say which entity"),
        ({"who": "service", "services": "db", "direction": "egress"}, "namespace/name"),
        ({"who": "pods", "pods": "a=b", "ports": "80", "above": "HTTP", "http": "FETCH /"}, "no request"),
        ({"who": "CIDR", "cidrs": "ten"}, "neither an address"),
        ({"who": "moon"}, "nobody"),
        ({"who": "pods", "pods": ""}, "say which pods"),  # nobody is let in by an empty field
    ],
)
def test_answers_that_make_no_sense_are_refused(values: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        apply({"do": ADD, **values})


_LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2)
_SOME_LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), min_size=1)
_PEERS = st.one_of(
    st.none(),
    st.builds(
        lambda each, where: tuple(Pods(labels, where) for labels in each),
        st.lists(_LABELS, min_size=1, max_size=2),
        st.sampled_from(["", "*", "x"]),
    ),
    st.builds(lambda labels: (Pods(labels, "", {"team": "a"}),), _LABELS),
    st.just((Cidr("10.0.0.0/8", ("10.1.0.0/16",)),)),
    st.just((Entity("world"), Entity("host"))),
)


@given(
    _PEERS,
    st.sampled_from([(), (Port("80"), Port("http")), (Port("53", "ANY"),)]),
    st.sampled_from(
        [{}, {"http": (HttpRule("GET", "/a"), HttpRule("", "/b"))}, {"dns": ("*",)}, {"server_names": ("a",)}]
    ),
    st.booleans(),
)
def test_answers_lead_back_to_the_rule(peers: Any, ports: Any, above: Any, deny: bool) -> None:
    rule = NewRule("egress", peers, ports, (), deny, **above)
    assert ruleform.rule_of(ruleform.values_of(rule), CNP) == rule


def test_a_rule_of_dns_names_and_labels_as_typed() -> None:
    rule = ruleform.rule_of({"direction": "egress", "who": "DNS name", "names": "a.example, *.b.example"}, CNP)
    assert rule.peers == (Fqdn("a.example"), Fqdn("*.b.example"))
    assert labels_of("app=web, tier") == {"app": "web", "tier": ""}
    assert ruleform.rule_of({"who": "pods", "pods": "every pod", "action": "deny"}, KNP).deny is False


def test_a_new_policy_for_a_workload() -> None:
    form = NewPolicy("web", "shop", {"app": "web"}, "apps/shop")
    form.catalogue = known()
    fields = by_name(form.fields({}))
    assert fields["file"].value == "apps/shop/web-ciliumnetworkpolicy.yaml"
    assert fields["ports"].choices == ("http/TCP", "8080/TCP", "9000/TCP")
    answers = {"kind": "CiliumNetworkPolicy", "name": "web", "who": "entity", "entities": "world", "rest": PASSES}
    spec = get_value(form.text(answers), "spec")
    assert spec["endpointSelector"] == {"matchLabels": {"app": "web"}}
    assert spec["enableDefaultDeny"] == {"ingress": False}
    assert "rest" not in by_name(form.fields({"kind": "NetworkPolicy"}))
    knp = {**answers, "kind": "NetworkPolicy", "who": "anybody"}
    assert get_value(form.text(knp), "spec") == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress"],
        "ingress": [{}],
    }
