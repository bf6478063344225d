"""Verdicts of running clusters: rows of the store in, answers out, with what is missing said and never green."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.domain.rows import cluster, meta, row
from tests.fleet.test_sync_watch import both
from tests.fleet.watching import Looked
from tests.support import thing
from tui.domain.cilium.model import Request
from tui.domain.cluster import CLUSTERS, ClusterState, KindState, KindStatus
from tui.domain.kinds.single import CILIUM_CONFIG, SINGLE
from tui.domain.obj import Ref, Row
from tui.domain.settings import Settings
from tui.fleet.derive import StoreFacts
from tui.fleet.netpol import model, needs
from tui.fleet.netpol.asking import Answer, Question, Unanswerable, ask, everywhere
from tui.fleet.netpol.state import State
from tui.fleet.netpol.typed import parse_port, parse_request
from tui.fleet.netpol.watching import WORKING, Netpol
from tui.store import Store

CNP, CCNP, KNP = needs.POLICIES
CONFIG = Ref("eu", needs.CONFIG, "kube-system", "cilium-config")


class Place:
    """A store, who looks at it, and waiting for answers."""

    def __init__(self) -> None:
        self.store = Store()
        self.looked: dict[str, frozenset[str]] = {}
        self.facts = StoreFacts(self.store, Settings(), lambda: 1000.0)
        self.netpol = Netpol(self.store, self.facts, self._look, self._unlook, self._notify)
        self._moved = asyncio.Event()

    def _look(self, owner: str, resources: Any, clusters: Any) -> None:
        self.looked[owner] = frozenset(resources)

    def _unlook(self, owner: str) -> None:
        self.looked.pop(owner, None)

    def _notify(self) -> None:
        self._moved.set()

    def put(self, *rows: Row, gone: tuple[Ref, ...] = ()) -> None:
        self.store.apply(rows, gone)

    async def until(self, ready: Callable[[State], bool] = lambda state: True, cluster: str = "eu") -> State:
        """The first answer that is ready."""
        async with asyncio.timeout(60):
            while True:
                state = self.netpol.state(cluster)
                if isinstance(state, State) and ready(state):
                    return state
                self._moved.clear()
                await self._moved.wait()

    async def after(self, *rows: Row, gone: tuple[Ref, ...] = (), cluster: str = "eu") -> State:
        """The answer that follows from a change."""
        before = self.netpol.state(cluster)
        self.put(*rows, gone=gone)
        return await self.until(lambda state: state is not before, cluster)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    yield made
    await made.netpol.close()


# -- a cluster ------------------------------------------------------------------------------------------------------


def known(name: str = "eu", without: dict[str, KindState] | None = None, **fields: Any) -> Row:
    """The row of a cluster in which everything has been listed, but for `without`."""
    made = cluster(name, needs.EVERY)
    kinds = {**made.obj.kinds, **{each: KindStatus(state, "no") for each, state in (without or {}).items()}}
    return Row(made.ref, msgspec.structs.replace(made.obj, kinds=kinds, **fields))


def labels(namespace: str, app: str, where: str = "default") -> list[str]:
    return sorted(
        [
            f"k8s:app={app}",
            f"k8s:io.kubernetes.pod.namespace={namespace}",
            f"k8s:io.cilium.k8s.namespace.labels.team={namespace}",
            f"k8s:io.cilium.k8s.policy.cluster={where}",
        ]
    )


def endpoint(
    name: str,
    app: str,
    namespace: str = "shop",
    ip: str = "10.0.0.1",
    node: str = "10.9.0.1",
    at: str = "eu",
    **more: Any,
) -> Row:
    status = {
        "identity": {"id": 7, "labels": more.pop("labels", labels(namespace, app))},
        "networking": {"addressing": [{"ipv4": ip}], "node": node},
        "named-ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        **more,
    }
    return row(at, needs.ENDPOINTS, {"metadata": meta(name, namespace), "status": status})


def pod(name: str, app: str, namespace: str = "shop", at: str = "eu", **spec: Any) -> Row:
    ports = [{"name": "http", "containerPort": 8080}]
    return row(
        at,
        "pods",
        {
            "metadata": meta(name, namespace, labels={"app": app, "pod-template-hash": "x"}),
            "spec": {"nodeName": "n1", "containers": [{"name": "main", "ports": ports}], **spec},
            "status": {"phase": "Running", "podIP": "10.0.0.9"},
        },
    )


def policy(name: str = "web", at: str = "eu", namespace: str = "shop", **spec: Any) -> Row:
    return row(at, CNP, {"metadata": meta(name, namespace), "spec": spec})


def node(name: str, ip: str, **more: str) -> Row:
    status = {"addresses": [{"type": "InternalIP", "address": ip}]}
    return row("eu", "nodes", {"metadata": meta(name, "", labels=more), "status": status})


def config(at: str = "eu", **data: str) -> Row:
    values = {key.replace("_", "-"): value for key, value in data.items()}
    manifest = {"metadata": {"name": "cilium-config", "namespace": "kube-system"}, "data": values}
    record = msgspec.convert(manifest, SINGLE[needs.CONFIG].record)
    return Row(Ref(at, needs.CONFIG, "kube-system", "cilium-config"), record)


def agents(tag: str, at: str = "eu") -> Row:
    containers = [{"name": "cilium-agent", "image": f"quay.io/cilium/cilium:{tag}"}]
    manifest = {"metadata": meta("cilium", "kube-system"), "spec": {"template": {"spec": {"containers": containers}}}}
    record = msgspec.convert(manifest, SINGLE[needs.AGENTS].record)
    return Row(Ref(at, needs.AGENTS, "kube-system", "cilium"), record)


def space(name: str, at: str = "eu", **more: str) -> Row:
    return row(at, "namespaces", {"metadata": meta(name, "", labels={"team": name, **more})})


WEB = {
    "endpointSelector": {"matchLabels": {"app": "web"}},
    "ingress": [
        {
            "fromEndpoints": [{"matchLabels": {"app": "client"}}],
            "toPorts": [{"ports": [{"port": "http", "protocol": "TCP"}], "rules": {"http": [{"method": "GET"}]}}],
        }
    ],
}
SHOP = (
    known(),
    config(cluster_name="default"),
    agents("v1.18.4"),
    space("shop"),
    node("n1", "10.9.0.1"),
    node("n2", "10.9.0.2"),
    endpoint("web-1", "web", ip="10.0.0.1"),
    endpoint("client-1", "client", ip="10.0.0.2"),
    endpoint("other-1", "other", ip="10.0.0.3", node="10.9.0.2"),
    policy("web", **WEB),
)


def asked(state: State, source: str, destination: str, port: int = 8080, request: Request | None = None) -> Answer:
    name = state.cluster
    return ask({name: state}, Question(name, source, name, destination, port, "TCP", request))


def words(state: State, source: str, destination: str, port: int = 8080) -> str:
    return asked(state, source, destination, port).verdict.verdict


# -- answers --------------------------------------------------------------------------------------------------------


async def test_rows_in_answers_out(place: Place) -> None:
    place.put(*SHOP)
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert (state.caveats, state.blind) == ((), ())
    assert state.surroundings.settings.version == (1, 18) and state.surroundings.namespaces["shop"]["team"] == "shop"
    assert words(state, "shop/client-1", "shop/web-1") == "allowed"
    found = asked(state, "shop/other-1", "shop/web-1").verdict
    assert (found.verdict, found.ingress.because, found.caveats) == ("denied", "default deny", ())
    assert found.ingress.enforced_by[0].name == "shop/web"
    assert (
        asked(state, "shop/client-1", "shop/web-1", request=Request("POST", "/")).verdict.ingress.because == "layer 7"
    )
    assert words(state, "shop/client-1", "shop/web-1", 9090) == "denied"  # the named port is that of the endpoint


async def test_ends_by_application_address_and_reserved_name(place: Place) -> None:
    place.put(*SHOP, endpoint("web-2", "web", labels=[*labels("shop", "web"), "k8s:tier=new"], ip="10.0.0.8"))
    place.netpol.look("test", {"eu"})
    state = await place.until()
    found = asked(state, "shop/client", "shop/web")
    assert (found.source.name, found.destination.name) == ("shop/client-1", "shop/web-1")
    assert any("2 identities" in each for each in found.verdict.caveats)
    assert asked(state, "10.0.0.2", "shop/web-1").source.name == "shop/client-1"
    outside = asked(state, "192.0.2.7", "shop/web-1").verdict
    assert (outside.verdict, outside.egress.verdict) == ("denied", "n/a")
    assert words(state, "world", "shop/web-1") == "denied"
    with pytest.raises(Unanswerable, match="no endpoint shop/we; near: shop/web-1, shop/web-2"):
        asked(state, "shop/client-1", "shop/we")


async def test_a_node_is_host_to_its_own_pods_and_remote_to_others(place: Place) -> None:
    place.put(*SHOP)
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert asked(state, "n1", "shop/web-1").verdict.ingress.because == "local host"
    assert words(state, "n2", "shop/web-1") == "denied"
    state = await place.after(endpoint("web-1", "web", ip="10.0.0.1", node="10.9.9.9"))
    found = asked(state, "n1", "shop/web-1").verdict
    assert found.verdict == "denied" and any("web-1 is on is not known" in each for each in found.caveats)


async def test_host_policies_judge_the_node_itself(place: Place) -> None:
    spec = {"nodeSelector": {"matchLabels": {"role": "edge"}}, "ingress": [{"fromEntities": ["health"]}]}
    host = row("eu", CCNP, {"metadata": meta("edge", ""), "spec": spec})
    place.put(*SHOP, config(enable_host_firewall="true"), node("n1", "10.9.0.1", role="edge"), host)
    place.netpol.look("test", {"eu"})
    state = await place.until()
    found = asked(state, "shop/web-1", "n1").verdict
    assert (found.verdict, found.ingress.because) == ("denied", "default deny")
    assert words(state, "shop/web-1", "n2") == "allowed"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (policy("web", **{**WEB, "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "other"}}]}]}), "allowed"),
        (config(enable_policy="never"), "allowed"),
        (endpoint("other-1", "client", ip="10.0.0.3"), "allowed"),
        (policy("more", **{"endpointSelector": {}, "ingress": [{"fromEntities": ["all"]}]}), "allowed"),
        (policy("more", **{"endpointSelector": {}, "egress": [{}]}), "denied"),
    ],
    ids=["policy changed", "settings changed", "identity changed", "policy came", "another policy came"],
)
async def test_a_change_gives_another_answer(place: Place, change: Row, expected: str) -> None:
    place.put(*SHOP)
    place.netpol.look("test", {"eu"}, reach=True)
    state = await place.until(lambda found: found.reach is not None)
    assert words(state, "shop/other-1", "shop/web-1") == "denied"
    place.put(change)
    state = await place.until(lambda found: found is not state)
    assert words(state, "shop/other-1", "shop/web-1") == expected
    assert state.reach is not None
    found = state.reach.between("shop/other-1", "shop/web-1").both
    assert found.allowed.has(8080, "TCP") == (expected == "allowed")


async def test_what_goes_is_forgotten(place: Place) -> None:
    place.put(*SHOP)
    place.netpol.look("test", {"eu"})
    await place.until()
    state = await place.after(gone=(Ref("eu", CNP, "shop", "web"),))
    assert state.written == () and words(state, "shop/other-1", "shop/web-1") == "allowed"
    state = await place.after(gone=(Ref("eu", needs.ENDPOINTS, "shop", "other-1"),))
    with pytest.raises(Unanswerable, match="no endpoint shop/other-1"):
        asked(state, "shop/other-1", "shop/web-1")


async def test_nothing_of_other_clusters_counts(place: Place) -> None:
    place.put(*SHOP, known("us"), policy("deny", "us", **{"endpointSelector": {}, "ingress": [{}]}))
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert [each.policy.metadata.name for each in state.written] == ["web"]
    place.put(policy("deny", "us", **{"endpointSelector": {}, "egress": [{}]}))
    assert place.netpol.state("eu") is state


# -- what is watched ------------------------------------------------------------------------------------------------


async def test_what_is_watched_follows_what_is_looked_at(place: Place) -> None:
    place.put(*SHOP)
    assert place.netpol.state("eu") == "eu is not looked at" and not place.looked
    place.netpol.look("test", {"eu"})
    watched = place.looked["netpol eu"]
    assert {CNP, needs.CONFIG, needs.ENDPOINTS} <= watched
    assert not watched & {"pods", "services", "configmaps", needs.SLICES}
    await place.until()
    names = {"toServices": [{"k8sService": {"serviceName": "db", "namespace": "shop"}}]}
    await place.after(policy("db", **{"endpointSelector": {}, "egress": [names]}))
    assert place.looked["netpol eu"] - watched == {"services"}
    await place.after(row("eu", "services", {"metadata": meta("db"), "spec": {"ports": [{"port": 1}]}}))
    assert place.looked["netpol eu"] - watched == {"services", needs.SLICES}
    place.netpol.unlook("test")
    assert not place.looked and place.netpol.state("eu") == "eu is not looked at"


async def test_services_without_a_selector_mean_their_addresses(place: Place) -> None:
    names = {"toServices": [{"k8sService": {"serviceName": "db", "namespace": "shop"}}]}
    slices = {
        "metadata": meta("db-x", labels={"kubernetes.io/service-name": "db"}),
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.7"]}],
    }
    place.put(
        *SHOP,
        policy("db", **{"endpointSelector": {"matchLabels": {"app": "web"}}, "egress": [names]}),
        row("eu", "services", {"metadata": meta("db"), "spec": {}}),
        row("eu", needs.SLICES, slices),
    )
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert (words(state, "shop/web-1", "192.0.2.7"), words(state, "shop/web-1", "192.0.2.8")) == ("allowed", "denied")


async def test_why_there_is_no_answer_yet(place: Place) -> None:
    place.netpol.look("test", {"eu"})
    assert place.netpol.state("eu") == "no cluster is called eu"
    place.put(cluster("eu", (CNP, CCNP)))
    assert place.netpol.state("eu") == "loading cilium, cilium-config, ciliumcidrgroups and 6 more…"
    lost = msgspec.structs.replace(cluster("eu").obj, state=ClusterState.UNREACHABLE, reason="connection refused")
    place.put(Row(Ref("eu", CLUSTERS, "", "eu"), lost))
    assert place.netpol.state("eu") == "eu is Unreachable: connection refused"
    place.put(known(without={"pods": KindState.DENIED, needs.ENDPOINTS: KindState.DENIED}))
    assert place.netpol.state("eu") == "nothing tells the endpoints of eu: pods may not be read: no"
    place.put(*SHOP)
    assert place.netpol.state("eu") == WORKING
    await place.until()


async def test_the_work_is_not_done_on_the_loop(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def made(*given: Any) -> Any:
        threads.append(threading.get_ident())
        return original(*given)

    original = model.rulebook
    monkeypatch.setattr(model, "rulebook", made)
    place.put(*SHOP)
    place.netpol.look("test", {"eu"})
    await place.until()
    assert threads and threading.get_ident() not in threads


async def test_a_failure_is_told_and_the_next_change_tried(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> Any:
        raise RuntimeError("nobody foresaw this")

    place.put(*SHOP)
    place.netpol.look("test", {"eu"})
    with monkeypatch.context() as patch:
        patch.setattr(model, "rulebook", broken)
        place.netpol.state("eu")
        await asyncio.gather(*[held.task for held in place.netpol._clusters.values() if held.task])
        assert place.netpol.state("eu") == "fleet failed: RuntimeError: nobody foresaw this"
    state = await place.after(endpoint("web-2", "web"))
    assert "shop/web-2" in state.ends and "shop/web-1" in state.ends


# -- what is missing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", needs.POLICIES)
async def test_policies_that_cannot_be_read_make_answers_unknown(place: Place, resource: str) -> None:
    deny = {"endpointSelector": {}, "ingressDeny": [{"fromEndpoints": [{"matchLabels": {"app": "client"}}]}]}
    held = row("eu", CCNP, {"metadata": meta("deny", ""), "spec": {"endpointSelector": {}, "egress": [{}]}})
    place.put(*SHOP, held, policy("deny", **deny))
    place.put(known(without={resource: KindState.DENIED}))
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert len(state.blind) == 1 and "may not be read: no" in state.blind[0]
    found = asked(state, "shop/other-1", "shop/web-1").verdict
    assert found.verdict == "unknown" and state.blind[0] in found.ingress.missing
    assert words(state, "shop/client-1", "shop/web-1") == "denied"  # by a deny rule, which nothing overrules


@pytest.mark.parametrize(
    ("rows", "gone", "expected"),
    [
        ((), (CONFIG,), "the defaults are assumed"),
        ((known(without={needs.CONFIG: KindState.DENIED}),), (CONFIG,), "may not be read: no"),
        ((agents("latest"),), (), "The version of Cilium is not known"),
        ((config(static_cnp_path="/etc/policies"),), (), "from files in /etc/policies"),
        ((config(policy_audit_mode="true"),), (), "policy-audit-mode"),
        ((row("eu", needs.NODE_CONFIGS, {"metadata": meta("n", "kube-system")}),), (), "1 CiliumNodeConfig overrides"),
        ((known(without={needs.NODE_CONFIGS: KindState.DENIED}),), (), "Whether nodes have settings of their own"),
        ((known(without={needs.GROUPS: KindState.FAILED}),), (), "What is in CIDR groups is not known"),
        ((endpoint("new", "web", labels=[]),), (), "1 endpoint has no identity yet"),
        ((known(state=ClusterState.STALE, reason="reset"),), (), "The cluster is Stale (reset)"),
        ((known(without=dict.fromkeys((CNP, CCNP), KindState.ABSENT)),), (), "Cilium's policies are not served here"),
    ],
    ids=[
        "no configuration", "configuration denied", "no version", "policies in files", "audit", "node settings",
        "node settings denied", "CIDR groups", "no identity", "stale", "no Cilium",
    ],
)  # fmt: skip
async def test_what_is_not_counted_is_said(
    place: Place, rows: tuple[Row, ...], gone: tuple[Ref, ...], expected: str
) -> None:
    place.put(*SHOP)
    place.put(*rows, gone=gone)
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert [each for each in state.caveats if expected in each], state.caveats
    assert any(expected in each for each in asked(state, "shop/client-1", "shop/web-1").verdict.caveats)


async def test_endpoints_from_pods_where_there_are_no_others(place: Place) -> None:
    ends = {each.ref for each in SHOP if each.ref.resource == needs.ENDPOINTS}
    place.put(*SHOP, pod("web-1", "web"), pod("client-1", "client"), pod("agent", "agent", hostNetwork=True), gone=())
    place.put(known(without={needs.ENDPOINTS: KindState.DENIED}), gone=tuple(ends))
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert place.looked["netpol eu"] >= {"pods"}
    assert {name for name in state.ends if "/" in name} == {"shop/web-1", "shop/client-1"}
    assert any("told from pods" in each for each in state.caveats)
    assert words(state, "shop/client-1", "shop/web-1") == "allowed"
    named = {"matchLabels": {"k8s:io.cilium.k8s.namespace.labels.team": "new"}}
    state = await place.after(policy("web", **{**WEB, "ingress": [{"fromEndpoints": [named]}]}))
    assert words(state, "shop/client-1", "shop/web-1") == "denied"
    state = await place.after(row("eu", "namespaces", {"metadata": meta("shop", "", labels={"team": "new"})}))
    assert words(state, "shop/client-1", "shop/web-1") == "allowed"


async def test_the_api_server_is_a_node_or_outside(place: Place) -> None:
    def servers(address: str) -> Row:
        manifest = {"metadata": meta("kubernetes", "default"), "endpoints": [{"addresses": [address]}]}
        return Row(
            Ref("eu", needs.SERVERS, "default", "kubernetes"), msgspec.convert(manifest, SINGLE[needs.SERVERS].record)
        )

    out = {"endpointSelector": {}, "egress": [{"toEntities": ["remote-node"]}]}
    place.put(*SHOP, policy("out", **out), servers("10.9.0.2"))
    place.netpol.look("test", {"eu"})
    state = await place.until()
    assert words(state, "shop/client-1", "kube-apiserver", 6443) == "allowed"
    state = await place.after(servers("203.0.113.9"))
    assert words(state, "shop/client-1", "kube-apiserver", 6443) == "denied"


# -- several clusters -----------------------------------------------------------------------------------------------


def other_cluster(name: str = "us", **spec: Any) -> Iterator[Row]:
    yield known(name)
    yield config(name, cluster_name=name)
    yield agents("v1.18.4", name)
    yield space("shop", name)
    yield endpoint("web-9", "web", at=name, labels=labels("shop", "web", name))
    yield endpoint("client-9", "client", at=name, labels=labels("shop", "client", name))
    if spec:
        yield policy("web", name, **spec)


async def test_each_side_is_judged_by_its_own_cluster(place: Place) -> None:
    closed = {"endpointSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]}
    place.put(*SHOP, *other_cluster(**closed))
    place.netpol.look("test", {"eu", "us"})
    states = {name: await place.until(cluster=name) for name in ("eu", "us")}
    found = ask(states, Question("eu", "shop/client-1", "us", "shop/web-9", 8080)).verdict
    assert (found.verdict, found.egress.verdict, found.ingress.verdict) == ("denied", "allowed", "denied")
    assert any("joined to a mesh" in each for each in found.caveats)
    assert ask(states, Question("us", "shop/web-9", "eu", "shop/client-1", 8080)).verdict.verdict == "allowed"


async def test_the_same_question_in_every_cluster(place: Place) -> None:
    place.put(*SHOP, *other_cluster(), known("empty"))
    place.netpol.look("test", {"eu", "us", "empty"})
    states = {name: await place.until(cluster=name) for name in ("eu", "us", "empty")}
    question = Question("eu", "shop/other-1", "eu", "shop/web-1", 8080)
    first = ask(states, question)
    ends = (first.source, first.destination)
    found = everywhere([*states.items(), ("down", "down is Unreachable")], question, ends)
    assert [(each.cluster, each.answer.verdict.verdict if each.answer else each.why) for each in found] == [
        ("eu", "denied"),
        ("us", "us has no endpoint shop/other"),
        ("empty", "empty has no endpoint shop/other"),
        ("down", "down is Unreachable"),
    ]
    asked_client = ask(states, Question("eu", "shop/client-1", "eu", "shop/web-1", 8080))
    found = everywhere(list(states.items())[:2], question, (asked_client.source, asked_client.destination))
    assert [each.answer.verdict.verdict for each in found if each.answer] == ["allowed", "allowed"]


# -- questions as they are typed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8080", (8080, "TCP")), (" 53/udp ", (53, "UDP")), ("8/ICMP", (8, "ICMP")), ("0/icmpv6", (0, "ICMPv6"))],
)
def test_ports(text: str, expected: tuple[int, str]) -> None:
    assert parse_port(text) == expected


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "256/ICMP", "80/QUIC", "-1", "80 90"])
def test_ports_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"give a port|give an ICMP type|is no protocol"):
        parse_port(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("GET /orders of shop.example", Request("GET", "/orders", "shop.example")),
        ("/orders", Request("GET", "/orders")),
        ("DNS db.example", Request(dns="db.example")),
        ("sni db.example POST /", Request("POST", "/", sni="db.example")),
    ],
)
def test_requests(text: str, expected: Request | None) -> None:
    assert parse_request(text) == expected


def test_requests_that_are_none() -> None:
    for text in ("orders", "dns", "GET shop.example"):
        with pytest.raises(ValueError, match=r"needs a name|is not understood"):
            parse_request(text)


# -- over HTTP --------------------------------------------------------------------------------------------------------


async def test_of_config_maps_only_the_one_is_read(tmp_path: Path) -> None:
    objects = [
        thing("ConfigMap", "cilium-config", "kube-system", data={"cluster-name": "one"}),
        thing("ConfigMap", "other", "kube-system", data={"password": "never read"}),
        thing("ConfigMap", "cilium-config", "shop", data={"cluster-name": "not this"}),
    ]
    async with both(tmp_path, objects, [CILIUM_CONFIG]) as (server, here):
        resource = CILIUM_CONFIG.resource
        here.network.want([Looked(frozenset({resource}))])
        await here.until(lambda: here.live(resource))
        assert here.names(resource) == ["cilium-config"]
        held = here.row("cilium-config", "kube-system", resource)
        assert held is not None and held.obj.data == {"cluster-name": "one"}
        server.storage.patch(
            "configmaps", "kube-system", "cilium-config", lambda o: o.update(data={"enable-policy": "never"})
        )
        await here.until(
            lambda: (r := here.row("cilium-config", "kube-system", resource)) and "enable-policy" in r.obj.data
        )
        server.storage.patch("configmaps", "kube-system", "other", lambda o: o.update(data={"password": "still not"}))
        server.storage.delete("configmaps", "kube-system", "cilium-config")
        await here.until(lambda: here.names(resource) == [])
