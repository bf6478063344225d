"""From a dropped flow to the smallest rule: who, whom, what, where, what else, and when there is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.hubble.judging import judge
from tui.domain.cilium.hubble.observed import Observed, Party, Told
from tui.domain.cilium.hubble.propose import Around, NoRule, Proposal, propose, refusal, why
from tui.domain.cilium.hubble.proposed import effect, told
from tui.domain.cilium.model import Endpoint, Request, Settings, Surroundings, Written
from tui.domain.cilium.policy import CNP
from tui.domain.cilium.reading import identity, objects, policies
from tui.domain.cilium.ruling import writing
from tui.domain.cilium.ruling.choice import NewRule, Pods, words_of
from tui.domain.cilium.ruling.newpolicy import new_policy

DENY_ALL = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {endpointSelector: {}, ingress: [{}], egress: [{}]}
"""
WEB = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
  - toEndpoints: [{matchLabels: {app: cart}}]
"""
API = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
"""


def labels(namespace: str = "shop", cluster: str = "default", **own: str) -> tuple[str, ...]:
    given = [f"{key.replace('__', '/').replace('_', '.')}={value}" for key, value in own.items()]
    return identity(given, namespace, {}, cluster)


def pod(name: str, namespace: str = "shop", **own: str) -> Endpoint:
    return Endpoint(labels(namespace, **(own or {"app": name.rpartition("-")[0]})), f"{namespace}/{name}", "10.0.0.1")


PODS = (
    pod("web-1"), pod("web-2"), pod("api-1"), pod("api-2"), pod("cart-1"), pod("probe-1", "ops"),
    pod("coredns-1", "kube-system", **{"k8s-app": "kube-dns"}),
)  # fmt: skip


def around(*texts: str, pods: tuple[Endpoint, ...] = PODS, settings: Settings | None = None) -> Around:
    written = tuple(each for text in texts for each in policies(objects(text, "git/p.yaml")))
    book = rulebook(written, Surroundings(settings or Settings(), {"shop": {}, "ops": {}}, dns=None))
    return Around(book, written, pods)


def party(endpoint: Endpoint) -> Party:
    namespace, _, name = endpoint.name.partition("/")
    return Party(namespace, name, name.rpartition("-")[0], "Deployment", endpoint.labels, endpoint.ip, "default")


BY_NAME = {each.name.partition("/")[2]: party(each) for each in PODS}
OUTSIDE = Party(labels=("reserved:world",), ip="198.51.100.7")


def drop(
    source: str | Party = "web-1", destination: str | Party = "api-1", way: str = "egress", **more: Any
) -> Observed:
    ends = [BY_NAME[each] if isinstance(each, str) else each for each in (source, destination)]
    given = {"protocol": "TCP", "port": 9090, "reason": "POLICY_DENIED", "verdict": "DROPPED", "event": 1, **more}
    return Observed(time=1_700_000_000.0, source=ends[0], destination=ends[1], direction=way, **given)


def words(proposal: Proposal) -> list[str]:
    return [words_of(rule) for rule in proposal.rules]


def drafted(proposal: Proposal, here: Around) -> Around:
    """The cluster after the proposal has been written into its file, or one of its own, and applied."""
    if proposal.home is None:
        text = new_policy(CNP, "drafted", proposal.namespace, proposal.subject, proposal.rules)
        (made,) = policies(objects(text))
        written = (*here.written, made)
    else:
        old = proposal.home.written
        meta = old.policy.metadata
        source = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy",
                  "metadata": {"name": meta.name, "namespace": meta.namespace}, "spec": old.policy.spec}  # fmt: skip
        text = yaml.safe_dump(source)
        for rule in proposal.rules:
            held = writing.find(text, CNP, meta.namespace, meta.name)
            text = writing.add_rule(text, held, rule, proposal.home.number).text
        (made,) = policies(objects(text))
        written = tuple(made if each is old else each for each in here.written)
    return Around(rulebook(written, here.book.surroundings), written, here.endpoints)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (drop(), ["allow egress to app=api, port 9090/TCP"]),
        (drop(way="ingress"), ["allow ingress from app=web, port 9090/TCP"]),
        (drop("probe-1", "api-1", "ingress"), ["allow ingress from app=probe in ops, port 9090/TCP"]),
        (drop(protocol="ICMP", port=8), ["allow egress to app=api, port icmp/8"]),
        (drop(protocol="ICMPv6", port=128), ["allow egress to app=api, port icmpv6/128"]),
        (drop(protocol="UDP", port=53, destination="coredns-1"),
         ["allow egress to k8s-app=kube-dns in kube-system, port 53/UDP"]),
        (drop(destination=Party(labels=("reserved:remote-node",), ip="10.0.9.9")),
         ["allow egress to remote-node, port 9090/TCP"]),
        (drop(destination=Party(labels=("reserved:kube-apiserver", "reserved:remote-node"), ip="10.0.9.9")),
         ["allow egress to kube-apiserver, port 9090/TCP"]),
        (drop(destination=Party(labels=("reserved:kube-apiserver", "reserved:world"), ip="10.0.9.9")),
         ["allow egress to kube-apiserver, port 9090/TCP"]),
        (drop(Party(labels=("reserved:ingress",), ip="10.0.9.9"), "api-1", "ingress"),
         ["allow ingress from ingress, port 9090/TCP"]),
        (drop(destination=OUTSIDE), ["allow egress to 198.51.100.7/32, port 9090/TCP"]),
        (drop(OUTSIDE, "api-1", "ingress"), ["allow ingress from 198.51.100.7/32, port 9090/TCP"]),
        (drop(destination=msgspec.structs.replace(OUTSIDE, ip="2001:db8::1")),
         ["allow egress to 2001:db8::1/128, port 9090/TCP"]),
        (drop(destination=msgspec.structs.replace(OUTSIDE, names=("a.example",)), port=443),
         ["allow egress to a.example, port 443/TCP",
          "allow egress to k8s-app=kube-dns in kube-system, port 53/ANY, DNS a.example"]),
    ],
    ids=["egress", "ingress", "namespace", "icmp", "icmpv6", "dns", "node", "apiserver", "apiserver-outside", "gateway",
         "cidr-out", "cidr-in", "cidr-6", "name"],
)  # fmt: skip
def test_the_smallest_rule_lets_exactly_the_flow_pass(record: Observed, expected: list[str]):
    here = around(DENY_ALL)
    assert judge(here.book, record, here.known).word == "denied"
    made = propose(record, here)
    assert (words(made), made.home) == (expected, None)
    then = drafted(made, here)
    if made.record.destination.names:  # what a name means is learned by Cilium's proxy
        assert judge(then.book, record, then.known).word == "allowed"
    else:
        assert judge(then.book, record, then.known).word == "allowed"
        assert judge(then.book, msgspec.structs.replace(record, port=record.port + 1), then.known).word == "denied"
    assert effect(made, here).passes.word == "allowed"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"reply": True}, "it is a reply"),
        ({"verdict": "FORWARDED", "reason": ""}, "it was not dropped but forwarded"),
        ({"reason": "POLICY_DENY", "told": (Told("egress", False, "CiliumNetworkPolicy", "shop", "no"),)}, "shop/no"),
        ({"reason": "AUTH_REQUIRED"}, "have not authenticated"),
        ({"reason": "INVALID_SOURCE_IP"}, "INVALID_SOURCE_IP"),
        ({"reason": "", "event": 4}, "a reason that is not told"),
        ({"way": ""}, "which end dropped it"),
        ({"protocol": ""}, "protocol and port"),
        ({"destination": Party(labels=("reserved:health",))}, "health check"),
        ({"source": Party(labels=("reserved:host",), ip="10.0.0.9")}, "is no pod"),
    ],
)
def test_why_there_is_no_rule(more: dict[str, Any], reason: str):
    record = drop(**more)
    assert reason in refusal(record)
    with pytest.raises(NoRule, match=reason.replace("(", r"\(")):
        propose(record, around(DENY_ALL))


DENY = DENY_ALL.replace("ingress: [{}], egress: [{}]", "egressDeny: [{toEntities: [all]}]")


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ((), "by the policies of now it passes: .*no policy selects"),
        ((WEB.replace("cart", "api"),), "by the policies of now it passes: allowed by"),
        ((DENY,), "by the policies of now a rule denies it"),
    ],
)
def test_what_passes_by_now_or_is_denied_by_now_needs_no_rule(texts: tuple[str, ...], reason: str):
    with pytest.raises(NoRule, match=reason):
        propose(drop(), around(*texts))


def test_an_end_that_nobody_knows_has_no_rule():
    with pytest.raises(NoRule, match="does not tell who"):
        propose(drop(destination=Party()), around(DENY_ALL), audited=False)
    bare = pod("bare-1", **{"pod-template-hash": "x"})
    here = around(DENY_ALL, pods=(*PODS, bare))
    with pytest.raises(NoRule, match="no labels of its own"):
        propose(drop(party(bare)), here)


def test_the_rule_goes_to_the_policy_of_the_workload():
    here = around(DENY_ALL, WEB, API)
    made = propose(drop(), here)
    assert made.home is not None and made.home.written.policy.metadata.name == "web"
    assert judge(drafted(made, here).book, made.record, here.known).word == "allowed"
    turned = propose(drop(way="ingress"), here)
    assert turned.home is not None and turned.home.written.policy.metadata.name == "api"
    # one that selects others too, or only some, or is invalid, is not the workload's
    for other in (
        WEB.replace("{matchLabels: {app: web}}", "{}"),
        WEB.replace("{app: web}", "{app: web, track: canary}"),
        WEB.replace("toEndpoints: [", "toEntities: [nobody]\n    toEndpoints: ["),
        WEB.replace("{matchLabels: {app: web}}", "{matchExpressions: [{key: app, operator: In, values: [web]}]}"),
        WEB.replace("namespace: shop", "namespace: ops"),
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\n"
        "spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}",
    ):
        assert propose(drop(), around(DENY_ALL, other)).home is None


def test_a_policy_that_has_the_direction_is_preferred_and_then_one_with_a_file():
    egress = WEB.replace("name: web", "name: zz")
    ingress = API.replace("name: api", "name: aa").replace("app: api", "app: web")
    made = propose(drop(), around(DENY_ALL, ingress, egress))
    assert made.home is not None and made.home.written.policy.metadata.name == "zz"
    here = around(DENY_ALL, WEB.replace("name: web", "name: a"), WEB.replace("name: web", "name: b"))
    nameless = tuple(each._replace(file="") if each.policy.metadata.name == "a" else each for each in here.written)
    made = propose(drop(), Around(here.book, nameless, here.endpoints))
    assert made.home is not None and made.home.written.policy.metadata.name == "b"


@pytest.mark.parametrize(
    ("own", "kin", "chosen", "note"),
    [
        ({"app": "web", "pod-template-hash": "x"}, {}, {"app": "web"}, ""),
        ({"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "eu", "app": "x"}, {},
         {"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": "eu"}, ""),
        ({"k8s-app": "web"}, {}, {"k8s-app": "web"}, ""),
        ({"tier": "front"}, {}, {"tier": "front"}, "no label says which application"),
        ({"app.kubernetes.io/instance": "eu", "app": "web", "part": "x"},
         {"app.kubernetes.io/name": "other", "app": "web"},
         {"app.kubernetes.io/instance": "eu", "app": "web", "part": "x"}, ""),
        ({"app": "web"}, {"app.kubernetes.io/name": "other", "app": "web"},
         {"app": "web"}, "also select other in shop"),
    ],
)  # fmt: skip
def test_the_labels_of_a_subject(own: dict[str, str], kin: dict[str, str], chosen: dict[str, str], note: str):
    me = Endpoint(labels("shop", **{}) + tuple(f"k8s:{k}={v}" for k, v in own.items()), "shop/me-1", "10.0.0.1")
    me = msgspec.structs.replace(me, labels=tuple(sorted(me.labels)))
    others = (pod("kin-1", **kin),) if kin else ()
    made = propose(drop(party(me)), around(DENY_ALL, pods=(*PODS[2:], me, *others)))
    assert dict(made.subject) == chosen
    assert note in " ".join(made.notes)


def test_drops_above_layer_4_ask_for_the_request_alone():
    allowed = API.replace("protocol: TCP}]", 'protocol: TCP}], rules: {http: [{method: GET, path: "/"}]}')
    here = around(allowed)
    asked = Request(method="POST", path="/v1/a+b?x=1", host="api")
    record = drop(way="ingress", port=8080, reason="", event=129, request=asked)
    assert judge(here.book, record, here.known).word == "denied"
    made = propose(record, here)
    assert made.home is not None
    assert words(made) == [r"allow ingress from app=web, port 8080/TCP, HTTP POST /v1/a\+b(\?.*)?"]
    then = drafted(made, here)
    assert judge(then.book, record, then.known).word == "allowed"
    other = msgspec.structs.replace(record, request=msgspec.structs.replace(asked, path="/v1/aab"))
    assert judge(then.book, other, then.known).word == "denied"


def test_a_name_that_may_be_looked_up_already_needs_no_dns_rule():
    dns = WEB.replace(
        "toEndpoints: [{matchLabels: {app: cart}}]",
        "toEndpoints: [{matchLabels: {k8s-app: kube-dns, k8s:io.kubernetes.pod.namespace: kube-system}}]\n"
        '    toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]',
    )
    made = propose(drop(destination=msgspec.structs.replace(OUTSIDE, names=("a.example", "b.example"))), around(dns))
    assert words(made) == ["allow egress to a.example, port 9090/TCP"]
    assert made.notes == ("its address was also looked up as b.example",)


def test_the_world_may_be_let_in_when_it_is_asked_for():
    made = propose(drop(OUTSIDE, "api-1", "ingress"), around(DENY_ALL), world=True)
    assert words(made) == ["allow ingress from world, port 9090/TCP"]
    assert "everybody outside of the cluster may then connect" in made.notes


def test_a_peer_of_another_cluster_is_named_with_it():
    far = Endpoint(labels("shop", "west", app="api"), "shop/api-9", "10.9.0.1")
    made = propose(drop(destination=party(far)), around(DENY_ALL))
    (peer,) = made.rules[0].peers or ()
    assert isinstance(peer, Pods) and (peer.cluster, peer.namespace) == ("west", "")


def test_what_else_a_rule_would_do():
    here = around(DENY_ALL, API)
    record = drop(port=8080)
    cart = drop("cart-1", "api-1", port=8080)
    made = propose(record, here)
    found = effect(made, here, [record])
    assert (found.also, found.seen, found.switches, found.next) == ((), (), (), None)
    wide = msgspec.structs.replace(made, subject={}, rules=(NewRule("egress", (Pods({}),), made.rules[0].ports),))
    found = effect(wide, here, [record, cart])
    assert "cart in shop → api in shop" in found.seen and "cart in shop → web in shop" in found.also
    assert "web in shop → api in shop" not in (*found.seen, *found.also)
    assert any("It would also allow, never seen" in line for line in told(wide, found))


def test_the_other_end_needs_a_rule_too():
    here = around(DENY_ALL)
    made = propose(drop(), here)
    found = effect(made, here)
    assert found.next is not None and words(found.next) == ["allow ingress from app=web, port 9090/TCP"]
    assert "The other end drops it next: it needs to allow ingress from app=web" in " ".join(told(made, found))
    both = drafted(found.next, drafted(made, here))
    for way in ("ingress", "egress"):
        assert judge(both.book, drop(way=way), both.known).word == "allowed"
    never = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: never, namespace: shop}\n" + (
        "spec: {endpointSelector: {matchLabels: {app: api}}, ingressDeny: [{fromEntities: [all]}]}"
    )
    found = effect(made, around(DENY_ALL, never))
    assert found.next is None and "the other end would drop it, and no rule helps" in found.blocked


def test_a_rule_that_would_switch_default_deny_on_says_so():
    here = around(WEB.replace("matchLabels: {app: web}", "matchLabels: {app: web, track: a}"), pods=(
        *PODS, pod("web-3", app="web", track="a")))  # fmt: skip
    record = drop(party(here.endpoints[-1]))
    made = propose(record, here)
    assert dict(made.subject) == {"app": "web"} and made.home is None
    found = effect(made, here)
    assert found.switches == ("web in shop (egress)",)
    assert "It would switch default deny on for web in shop (egress)" in " ".join(told(made, found))
    assert effect(made, here, default_deny=False).switches == ()


def test_how_often_it_was_dropped():
    flows = [msgspec.structs.replace(drop(source=name), time=1_700_000_000.0 + at) for at, name in
             enumerate(["web-1", "web-2", "cart-1", "web-1"])]  # fmt: skip
    made = propose(flows[0], around(DENY_ALL), flows)
    assert (made.seen.count, made.seen.first, made.seen.last) == (3, 1_700_000_000.0, 1_700_000_003.0)
    assert why(made) == "dropped 3 times, 2023-11-14T22:13:20Z to 2023-11-14T22:13:23Z"
    assert why(propose(drop(), around(DENY_ALL))) == "dropped once, 2023-11-14T22:13:20Z"


def test_flows_without_labels_are_known_by_the_pods_of_the_cluster():
    """As PacketDrop Events tell them."""
    record = drop(Party("shop", "web-1"), Party("shop", "api-1", ip="10.0.0.1"))
    here = around(DENY_ALL)
    assert words(propose(record, here)) == ["allow egress to app=api, port 9090/TCP"]


def test_no_written_value_is_shared() -> None:
    here = around(DENY_ALL, WEB)
    before = msgspec.json.encode([each.policy for each in here.written])
    effect(propose(drop(), here), here)
    assert msgspec.json.encode([each.policy for each in here.written]) == before
    assert all(isinstance(each, Written) for each in here.written)
