"""Policies in words, their validity and what they select, against the real engine's answers where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.cilium.describe import one_line, sentences
from tui.domain.cilium.engine.validity import problems, validity
from tui.domain.cilium.policy import CCNP, CNP, KNP, Policy, directions, enforced, rules
from tui.domain.cilium.select import EndpointIndex, pod_labels, policy_mask, split_label, subject_requirements
from tui.domain.obj import Ref

DATA = Path(__file__).parents[3] / "shared" / "data"
RESOURCES = {"CiliumNetworkPolicy": CNP, "CiliumClusterwideNetworkPolicy": CCNP, "NetworkPolicy": KNP}
# Invalid only in some versions or with some settings of the agent, which a policy's text does not tell.
DEPENDS_ON_THE_CLUSTER = {"DD07": "rejected since 1.18", "HOST11": "needs enable-node-selector-labels"}


def policy(text: str, name: str = "p", namespace: str = "shop") -> Policy:
    return msgspec.convert({"metadata": {"name": name, "namespace": namespace}, **yaml.safe_load(text)}, Policy)


def oracle() -> list[Any]:
    path = DATA / "cilium" / "oracle.json"
    if not path.exists():
        return [pytest.param(None, marks=pytest.mark.skip("the engine's answers are not at hand"))]
    return [pytest.param(case, id=case["id"]) for case in json.loads(path.read_text())["cases"]]


def examples() -> list[Any]:
    found = []
    for path in sorted((DATA / "cilium" / "examples").rglob("*.y*ml")):
        for number, doc in enumerate(yaml.safe_load_all(path.read_text())):
            for each in doc.get("items", [doc]) if isinstance(doc, dict) else []:
                if each.get("kind") in RESOURCES:
                    found.append(pytest.param(each, id=f"{path.stem}-{number}"))
    return found or [pytest.param(None, marks=pytest.mark.skip("the examples are not at hand"))]


@pytest.mark.parametrize("case", oracle())
def test_offline_checks_reject_exactly_what_the_engine_rejects(case: dict[str, Any]) -> None:
    if case["id"] in DEPENDS_ON_THE_CLUSTER:
        pytest.skip(DEPENDS_ON_THE_CLUSTER[case["id"]])
    found = [
        text for each in case["policies"] for text in problems(msgspec.convert(each, Policy), RESOURCES[each["kind"]])
    ]
    assert bool(found) == bool(case.get("policy_invalid")), found


@pytest.mark.parametrize("case", oracle())
def test_default_deny_needs_a_policy_that_selects_and_enforces(case: dict[str, Any]) -> None:
    """Where the engine denies by default, some rule selects the endpoint and switches that on."""
    if case.get("config") or case.get("policy_invalid") or not case.get("engine"):
        pytest.skip("other settings than the usual, or nothing was enforced")
    for side, direction in (("from", "egress"), ("to", "ingress")):
        said = str(case["engine"].get(direction))
        if said != "default-deny" or "labels" not in case[side]:
            continue
        index = EndpointIndex()
        index.put(Ref("c", "ciliumendpoints.cilium.io", "n", "x"), tuple(case[side]["labels"]))
        selected = any(
            index.mask(subject_requirements(rule, each["metadata"].get("namespace", "default"), resource))
            for each in case["policies"]
            for resource in [RESOURCES[each["kind"]]]
            for rule in rules(msgspec.convert(each, Policy), resource)
            if not rule.nodes and rule.selector is not None and enforced(rule, direction, resource)
        )
        assert selected


@pytest.mark.parametrize("example", examples())
def test_published_examples_are_valid_and_can_be_described(example: dict[str, Any]) -> None:
    resource = RESOURCES[example["kind"]]
    found = msgspec.convert(example, Policy)
    assert problems(found, resource) == []
    assert all(text.endswith((".", "?")) or text.startswith("Its description") for text in sentences(found, resource))
    assert "\n" not in one_line(found, resource)


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("spec: {endpointSelector: {}, ingress: [{}]}", "in: nothing"),
        ("spec: {endpointSelector: {}, ingress: []}", ""),
        ("spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}", "in: every pod of the namespace"),
        ("spec: {endpointSelector: {}, ingress: [{fromEndpoints: []}]}", "in: nothing"),
        ("spec: {endpointSelector: {}, ingress: [{fromEntities: [cluster, host]}]}", "in: cluster, host"),
        ("spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80'}]}]}]}", "in: any → port 80"),
        ("spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}], toPorts: [{}]}]}", "in: nothing"),
        (
            "spec: {endpointSelector: {}, egress: [{toFQDNs: [], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]}",
            "out: any → TCP 443",
        ),
        (
            "spec: {endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: "
            "[10.1.0.0/16]}, {cidrGroupRef: office}]}]}",
            "out: 10.0.0.0/8 except 10.1.0.0/16, CIDR group office",
        ),
        (
            "spec: {endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: db, namespace: data}}]}]}",
            "out: service data/db",
        ),
        (
            "spec: {endpointSelector: {}, egressDeny: [{toEntities: [world]}], enableDefaultDeny: {egress: false}}",
            "deny out: world",
        ),
        (
            "spec: {endpointSelector: {}, ingress: [{icmps: [{fields: [{type: 8}, {type: EchoRequest, "
            "family: IPv6}]}]}]}",
            "in: any → ICMP 8, ICMPv6 EchoRequest",
        ),
        (
            "spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{matchExpressions: [{key: "
            "'k8s:tier', operator: NotIn, values: [a, b]}, {key: x, operator: Exists}]}]}]}",
            "in: tier not in (a,b), x set",
        ),
        (
            "spec: {endpointSelector: {}, egress: [{toEndpoints: [{matchLabels: "
            "{'k8s:io.cilium.k8s.namespace.labels.team': shop}}], toPorts: [{ports: [{port: '1', "
            "endPort: 9, protocol: UDP}, {port: '0', protocol: TCP}]}]}]}",
            "out: namespace label team=shop → UDP 1-9, any TCP port",
        ),
        (
            "specs: [{endpointSelector: {}, ingress: [{fromEntities: [host]}]}, {endpointSelector: {}, egress: [{}]}]",
            "in: host; out: nothing",
        ),
    ],
)
def test_a_cilium_policy_in_one_line(spec: str, line: str) -> None:
    assert one_line(policy(spec), CNP) == line


@pytest.mark.parametrize(
    ("spec", "line", "where"),
    [
        ("spec: {podSelector: {}, policyTypes: [Ingress]}", "in: nothing", "ingress"),
        ("spec: {podSelector: {}}", "in: nothing", "ingress"),
        ("spec: {podSelector: {}, policyTypes: [Egress]}", "out: nothing", "egress"),
        ("spec: {podSelector: {}, ingress: [{}]}", "in: any", "ingress"),
        ("spec: {podSelector: {}, ingress: [{from: []}]}", "in: any", "ingress"),
        (
            "spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}",
            "in: every pod of the namespace",
            "ingress",
        ),
        (
            "spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: http}, "
            "{protocol: UDP}]}]}",
            "in: every pod of every namespace → TCP http, any UDP port",
            "ingress",
        ),
        # Cilium enforces a direction that is listed even when policyTypes does not name it.
        ("spec: {podSelector: {}, policyTypes: [Ingress], egress: [{}]}", "in: nothing; out: any", "ingress, egress"),
    ],
)
def test_a_network_policy_in_one_line(spec: str, line: str, where: str) -> None:
    assert (one_line(policy(spec), KNP), directions(policy(spec), KNP)) == (line, where)


def test_one_line_is_short_and_sentences_are_exact() -> None:
    text = """
    spec:
      endpointSelector: {}
      egress: [{toEndpoints: [{matchLabels: {app.kubernetes.io/name: db, "k8s:io.kubernetes.pod.namespace": data}},
                              {matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system}}]}]
    """
    assert one_line(policy(text), CNP) == "out: name=db in data, namespace kube-system"
    assert "app.kubernetes.io/name=db in namespace data, namespace kube-system" in sentences(policy(text), CNP)[1]


def test_a_policy_in_sentences() -> None:
    text = """
    spec:
      description: Only the shop front
      endpointSelector: {matchLabels: {app: checkout}}
      ingress:
      - fromEndpoints: [{matchLabels: {app: web}}]
        toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
      egressDeny: [{toEntities: [world]}]
      enableDefaultDeny: {egress: false}
    """
    assert sentences(policy(text), CNP) == [
        "It selects endpoints with app=checkout in namespace shop.",
        "Its description: Only the shop front",
        "Allows ingress from app=web on TCP 8080.",
        "All other ingress is denied, unless another policy allows it.",
        "Denies egress to world, on any port.",
    ]
    deny = policy("spec: {endpointSelector: {}, ingress: [{}]}", namespace="")
    assert sentences(deny, CCNP) == [
        "It selects every endpoint in the whole cluster.",
        "All ingress is denied, unless another policy allows it.",
    ]
    assert sentences(policy("spec: 3"), CNP) == ["It has no rules that can be read."]
    two = policy(
        "specs: [{endpointSelector: {}}, {nodeSelector: {matchLabels: {role: edge}}, ingress: "
        "[{fromCIDR: [10.0.0.0/8]}]}]"
    )
    assert sentences(two, CCNP)[:2] == [
        "Rule 1: It selects every endpoint in the whole cluster.",
        "Rule 2: It selects nodes with role=edge.",
    ]


# -- validity ------------------------------------------------------------------------------------------------------


def test_the_condition_decides_and_its_absence_is_not_validity() -> None:
    spec = "spec: {endpointSelector: {}, ingress: [{}]}"
    assert validity(policy(spec), CNP) == ("Unknown", "Cilium has not said")
    said = "\nstatus: {conditions: [{type: Valid, status: 'False', message: no such entity}]}"
    assert validity(policy(spec + said), CNP) == ("Invalid", "no such entity")
    assert validity(policy("spec: {}\nstatus: {conditions: [{type: Valid, status: 'True'}]}"), CNP) == ("Valid", "")
    assert validity(policy(spec), KNP) == ("", "")


def test_the_offline_checks_name_the_entry() -> None:
    many = ", ".join("{port: '1'}" for _ in range(41))
    for spec, text in (
        ("{endpointSelector: {}, nodeSelector: {}}", "EndpointSelector and NodeSelector exclude each other"),
        ("{ingress: [{}]}", "it must have an EndpointSelector or a NodeSelector"),
        ("{nodeSelector: {}}", "NodeSelector is only for CiliumClusterwideNetworkPolicy"),
        ("{endpointSelector: {}, egress: [{}, {toCIDR: [nonsense]}]}", "egress[1]: nonsense is no CIDR"),
        (
            "{endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: ['fd00::/8']}]}]}",
            "egress[0]: except fd00::/8 is not contained in 10.0.0.0/8",
        ),
        (
            f"{{endpointSelector: {{}}, ingress: [{{toPorts: [{{ports: [{many}]}}]}}]}}",
            "ingress[0]: too many ports: 41, at most 40 are allowed",
        ),
        (
            "{endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.0/8], fromEntities: [world]}]}",
            "ingress[0]: combining FromCIDR and FromEntities is not supported",
        ),
    ):
        assert problems(policy(f"spec: {spec}"), CNP) == [text]
    assert problems(policy("{}"), CNP) == ["it has neither spec nor specs"]


# -- selection -----------------------------------------------------------------------------------------------------


def endpoint(name: str, namespace: str, *labels: str) -> tuple[Ref, tuple[str, ...]]:
    return Ref("c", "ciliumendpoints.cilium.io", namespace, name), (
        *labels,
        f"k8s:io.kubernetes.pod.namespace={namespace}",
    )


@pytest.fixture
def index() -> EndpointIndex:
    made = EndpointIndex()
    for ref, labels in (
        endpoint("web-1", "shop", "k8s:app=web", "k8s:tier=front"),
        endpoint("web-2", "shop", "k8s:app=web", "k8s:tier=front"),
        endpoint("db", "shop", "k8s:app=db"),
        endpoint("web", "other", "k8s:app=web"),
        endpoint("odd", "shop", "container:app=web"),
    ):
        made.put(ref, labels)
    return made


def selected(index: EndpointIndex, spec: str, resource: str = CNP) -> list[str]:
    mask = policy_mask(index, policy(spec), resource)
    names = [f"{ref.namespace}/{ref.name}" for ref in index.members(mask)]
    assert index.count(mask) == len(names)
    return names


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("{}", ["shop/db", "shop/odd", "shop/web-1", "shop/web-2"]),
        ("{matchLabels: {'k8s:app': web}}", ["shop/web-1", "shop/web-2"]),
        ("{matchLabels: {app: web}}", ["shop/odd", "shop/web-1", "shop/web-2"]),
        ("{matchLabels: {'any:app': web}}", ["shop/odd", "shop/web-1", "shop/web-2"]),
        ("{matchLabels: {'container:app': web}}", ["shop/odd"]),
        ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", ["shop/db", "shop/odd"]),
        (
            "{matchExpressions: [{key: 'k8s:app', operator: NotIn, values: [db]}]}",
            ["shop/odd", "shop/web-1", "shop/web-2"],
        ),
        (
            "{matchExpressions: [{key: app, operator: In, values: [db, web]}, {key: tier, operator: Exists}]}",
            ["shop/web-1", "shop/web-2"],
        ),
        # The written namespace is overwritten with the policy's own; a bare key or an expression is added to it.
        ("{matchLabels: {'k8s:io.kubernetes.pod.namespace': other, 'k8s:app': web}}", ["shop/web-1", "shop/web-2"]),
        ("{matchLabels: {'io.kubernetes.pod.namespace': other}}", []),
        ("{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: In, values: [other]}]}", []),
    ],
)
def test_whom_a_namespaced_policy_selects(index: EndpointIndex, selector: str, names: list[str]) -> None:
    assert selected(index, f"spec: {{endpointSelector: {selector}}}") == names


def test_whom_other_policies_select(index: EndpointIndex) -> None:
    assert len(selected(index, "spec: {endpointSelector: {}}", CCNP)) == 5
    assert selected(
        index, "spec: {endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': other}}}", CCNP
    ) == ["other/web"]
    assert selected(index, "spec: {podSelector: {matchLabels: {app: web}}}", KNP) == ["shop/web-1", "shop/web-2"]
    assert selected(index, "spec: {nodeSelector: {}}", CCNP) == []
    assert selected(index, "spec: {}", CNP) == []
    both = "specs: [{endpointSelector: {matchLabels: {app: db}}}, {endpointSelector: {matchLabels: {tier: front}}}]"
    assert selected(index, both) == ["shop/db", "shop/web-1", "shop/web-2"]


def test_endpoints_that_change_and_go(index: EndpointIndex) -> None:
    front = "spec: {endpointSelector: {matchLabels: {tier: front}}}"
    before = index.generation
    ref, _ = endpoint("web-2", "shop")
    index.put(*endpoint("web-2", "shop", "k8s:app=db"))
    assert index.generation == before  # an identity that is known already changes no answer about identities
    assert selected(index, front) == ["shop/web-1"]
    index.remove(ref)
    index.remove(ref)
    assert len(index) == 4
    index.put(*endpoint("web-3", "shop", "k8s:tier=front"))
    assert index.generation > before and selected(index, front) == ["shop/web-1", "shop/web-3"]


def test_identities_that_came_and_went_do_not_pile_up() -> None:
    index = EndpointIndex()
    for number in range(5000):
        ref, labels = endpoint("job", "shop", f"k8s:run=r{number}")
        index.put(ref, labels)
        if number % 2:
            index.remove(ref)
    index.put(*endpoint("job", "shop", "k8s:run=last"))
    assert len(index._slots) < 3000
    assert selected(index, "spec: {endpointSelector: {matchLabels: {run: last}}}") == ["shop/job"]


def test_labels_of_a_pod_as_cilium_would_give_them() -> None:
    pod = {"app": "web", "pod-template-hash": "x", "app.kubernetes.io/name": "web", "beta.kubernetes.io/os": "linux"}
    assert pod_labels(pod, "shop", {"team": "a"}, "") == (
        "k8s:app.kubernetes.io/name=web",
        "k8s:app=web",
        "k8s:io.cilium.k8s.namespace.labels.team=a",
        "k8s:io.cilium.k8s.policy.serviceaccount=default",
        "k8s:io.kubernetes.pod.namespace=shop",
    )
    assert split_label("k8s:a.b/c=d=e") == ("k8s", "a.b/c", "d=e")
    assert split_label("reserved:host") == ("reserved", "host", "")
    assert split_label("bare=x") == ("unspec", "bare", "x")


keys, values = st.sampled_from(["app", "tier", "team"]), st.sampled_from(["a", "b", "c"])
label_sets = st.dictionaries(keys, values, max_size=3)
expressions = st.builds(
    lambda key, operator, chosen: {
        "key": key,
        "operator": operator,
        **({"values": chosen} if "In" in operator else {}),
    },
    keys,
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(values, min_size=1, max_size=2),
)


@given(
    pods=st.lists(st.tuples(st.sampled_from(["shop", "other"]), label_sets), max_size=12),
    labels=label_sets,
    terms=st.lists(expressions, max_size=2),
)
def test_the_index_agrees_with_matching_one_by_one(
    pods: list[tuple[str, dict[str, str]]], labels: dict[str, str], terms: list[dict[str, Any]]
) -> None:
    from tui.domain.selector import from_object

    index = EndpointIndex()
    for number, (namespace, held) in enumerate(pods):
        index.put(*endpoint(str(number), namespace, *(f"k8s:{key}={value}" for key, value in held.items())))
    selector = {"matchLabels": labels, "matchExpressions": terms}
    found = msgspec.convert({"metadata": {"name": "p", "namespace": "shop"}, "spec": {"podSelector": selector}}, Policy)
    slow = from_object(selector)
    expected = sorted(str(n) for n, (namespace, held) in enumerate(pods) if namespace == "shop" and slow.matches(held))
    mask = policy_mask(index, found, KNP)
    assert sorted(ref.name for ref in index.members(mask)) == expected and index.count(mask) == len(expected)
