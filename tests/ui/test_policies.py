"""Policies on the screen: what they say of an endpoint, who may reach whom, and may A talk to B."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.ui import shop
from tests.ui.picture import compare
from tests.ui.still import StillFleet, at_rest, screen
from tests.ui.test_detail import view
from tui.domain.cilium.hubble.observed import Observed, Party
from tui.domain.cluster import CLUSTERS, KindState, KindStatus
from tui.domain.kinds.single import SINGLE
from tui.domain.obj import Ref, Row
from tui.fleet.netpol import needs
from tui.fleet.netpol.asking import Question
from tui.ui.app import FleetApp
from tui.ui.policies.asking import question_of, question_of_flow
from tui.ui.policies.reach_table import ReachTable
from tui.ui.screens.detail import DetailScreen
from tui.ui.screens.verdict import VerdictScreen
from tui.ui.screens.words_view import WordsView
from tui.ui.widgets.table import Table

CNP, CCNP, KNP = needs.POLICIES
EU, US = "prod-eu", "prod-us"
LOOKS = [((80, 24), "fleet-dark"), ((160, 48), "fleet-light")]
IDS = [f"{size[0]}x{size[1]}-{theme}" for size, theme in LOOKS]


def config(cluster: str) -> list[Row]:
    """The settings and the version of a cluster's agents."""
    data = {"metadata": {"name": "cilium-config", "namespace": "kube-system"}, "data": {"cluster-name": cluster}}
    image = {"name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.18.4"}
    agents = {
        "metadata": {"name": "cilium", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [image]}}},
    }
    return [
        Row(Ref(cluster, resource, "kube-system", name), msgspec.convert(made, SINGLE[resource].record))
        for resource, name, made in ((needs.CONFIG, "cilium-config", data), (needs.AGENTS, "cilium", agents))
    ]


def endpoint(cluster: str, namespace: str, name: str, app: str, number: int, **labels: str) -> Row:
    """A CiliumEndpoint."""
    held = {"k8s:app": app, "k8s:io.kubernetes.pod.namespace": namespace, "k8s:io.cilium.k8s.policy.cluster": cluster}
    every = sorted(f"{key}={value}" for key, value in (held | labels).items())
    status = {
        "identity": {"id": 4000 + number, "labels": every},
        "networking": {"addressing": [{"ipv4": f"10.1.0.{number}"}], "node": f"10.0.1.{number % 3 + 1}"},
        "named-ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "state": "ready",
    }
    manifest = {"metadata": shop.meta(name, namespace), "status": status}
    return shop.row(cluster, needs.ENDPOINTS, manifest)


def policy(namespace: str, name: str, cluster: str = EU, **spec: Any) -> Row:
    return shop.row(cluster, CNP, {"kind": "CiliumNetworkPolicy", "metadata": shop.meta(name, namespace), "spec": spec})


PAYMENTS = {
    "endpointSelector": {"matchLabels": {"app": "payments"}},
    "ingress": [
        {
            "fromEndpoints": [{"matchLabels": {"app": "checkout", "k8s:io.kubernetes.pod.namespace": "checkout"}}],
            "toPorts": [
                {
                    "ports": [{"port": "8080", "protocol": "TCP"}],
                    "rules": {"http": [{"method": "POST", "path": "/pay"}]},
                }
            ],
        },
        {"fromEntities": ["ingress"], "toPorts": [{"ports": [{"port": "8443", "protocol": "TCP"}]}]},
    ],
    "ingressDeny": [{"fromCIDR": ["198.51.100.0/24"]}],
    "egress": [{"toFQDNs": [{"matchPattern": "*.bank.example"}], "toPorts": [{"ports": [{"port": "443"}]}]}],
}
CHECKOUT = {
    "endpointSelector": {"matchLabels": {"app": "checkout"}},
    "egress": [{"toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "payments"}}]}],
}
POD = Ref(EU, "pods", "payments", "payments-6d4f-x7k2p")
POLICY = Ref(EU, CNP, "payments", "payments")


def fill(fleet: StillFleet) -> None:
    """Endpoints and policies for two of the shop's clusters."""
    rows: list[Row] = []
    for cluster, spaces in ((EU, ("storefront", "checkout", "payments")), (US, ("storefront", "checkout"))):
        rows += config(cluster)
        for at, space in enumerate(spaces):
            rows.append(endpoint(cluster, space, f"{space}-6d4f-x7k2p", space, 10 * at + 1))
            rows.append(endpoint(cluster, space, f"{space}-6d4f-z9q4m", space, 10 * at + 2))
    rows += [policy("payments", "payments", **PAYMENTS), policy("checkout", "checkout", **CHECKOUT)]
    gone = [row.ref for resource in (CNP, KNP) for row in fleet.store.rows(resource) if row.ref.cluster in (EU, US)]
    fleet.store.apply(rows, gone)
    fleet.notify()


@pytest.fixture
def fleet() -> StillFleet:
    made = StillFleet()
    fill(made)
    return made


async def settled(app: FleetApp, pilot: Any) -> None:
    """Wait for what is worked out in threads, and for what follows from it on the screen."""
    for _ in range(3):  # an answer may ask for more: all pairs after the rulebook
        await at_rest(app, pilot)
        while any(held.task is not None for held in app.fleet.netpol._clusters.values()):
            await asyncio.sleep(0.002)
        found: Any = app.screen
        found._rest = 0.0
        found.pull()
    await at_rest(app, pilot)


async def opened(app: FleetApp, pilot: Any, ref: Ref, tab: str) -> DetailScreen:
    app.show_object(ref, tab)
    await pilot.pause()
    await settled(app, pilot)
    assert isinstance(app.screen, DetailScreen)
    return app.screen


def text(app: FleetApp) -> str:
    """What the words of the shown tab say."""
    return view(app, WordsView).text()


def reach(app: FleetApp) -> list[str]:
    """The rows of the matrix, cells joined."""
    table = view(app, ReachTable)
    entries = table._rows.window(0, 1000)
    return [" | ".join(part for part in entry.texts if part) for entry in entries]


def put(fleet: StillFleet, *rows: Row, gone: tuple[Ref, ...] = ()) -> None:
    fleet.store.apply(rows, gone)
    fleet.notify()


def deny(fleet: StillFleet, *resources: str) -> None:
    """Let these kinds of prod-eu be refused from now on."""
    held = fleet.store.get(Ref(EU, CLUSTERS, "", EU))
    assert held is not None
    kinds = {**held.obj.kinds, **dict.fromkeys(resources, KindStatus(KindState.DENIED, "forbidden"))}
    put(fleet, Row(held.ref, msgspec.structs.replace(held.obj, kinds=kinds)))


# -- an endpoint ----------------------------------------------------------------------------------------------------


async def test_what_policies_say_of_a_pod(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POD, "policies")
        lines = text(app).split("\n")
        assert [line.split() for line in lines[1:3]] == [
            ["Ingress", "on", "by", "payments/payments"],
            ["Egress", "on", "by", "payments/payments"],
        ]
        held = [" ".join(line.split()) for line in lines]
        assert "CNP payments/payments ingress, egress" in held
        assert "✖ 198.51.100.0/24 every port payments/payments ingressDeny[0]" in held
        assert "✔ app=checkout in checkout TCP 8080 payments/payments ingress[0] only POST /pay" in held
        assert "? *.bank.example port 443 payments/payments egress[0]" in held
        assert any(line.startswith("✔ its own node every port") for line in held)
        assert "Not counted" not in held
        put(fleet, gone=(POLICY,))
        await settled(app, pilot)
        assert "no policy selects it" in text(app) and "everything" in text(app)


async def test_a_workload_stands_for_each_of_its_identities(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        workload = Ref(EU, "deployments.apps", "payments", "payments")
        await opened(app, pilot, workload, "policies")
        assert text(app).count("Default deny") == 1
        put(fleet, endpoint(EU, "payments", "payments-6d4f-z9q4m", "other", 22))
        await settled(app, pilot)
        found = text(app)
        assert found.count("Default deny") == 2
        assert "As payments/payments-6d4f-x7k2p" in found and "As payments/payments-6d4f-z9q4m" in found
        assert "no policy selects it" in found


async def test_a_pod_of_the_hosts_network_and_a_node(fleet: StillFleet) -> None:
    held = fleet.store.get(POD)
    assert held is not None
    manifest = held.manifest()
    manifest["spec"]["hostNetwork"] = True
    put(fleet, shop.row(EU, "pods", manifest), gone=(Ref(EU, needs.ENDPOINTS, POD.namespace, POD.name),))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POD, "policies")
        assert "it uses the network of its node prod-eu-node-1: policies see the node, not the pod" in text(app)
        await opened(app, pilot, Ref(EU, "nodes", "", "prod-eu-node-1"), "policies")
        assert "the host firewall is off" in text(app)


async def test_policies_that_may_not_be_read_are_no_absence_of_policies(fleet: StillFleet) -> None:
    put(fleet, gone=(POLICY,))
    deny(fleet, CNP)
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POD, "policies")
        found = text(app)
        assert "no policy; CiliumNetworkPolicies may not be read: forbidden" in found
        assert "Not counted" in found


# -- the matrix -----------------------------------------------------------------------------------------------------


async def test_who_may_reach_what_a_policy_selects(fleet: StillFleet) -> None:
    async with screen(fleet, (160, 48)) as (app, pilot):
        await opened(app, pilot, POLICY, "reach")
        assert reach(app) == [
            "▾ May be reached by | 2",
            "  ▸ checkout in checkout | 2 | ◐ TCP 8080, some requests",
            "    host | every port",
            "    ingress | TCP 8443",
            "  nobody else: not 2 applications | 4",
            "▾ May reach",
            "    *.bank.example | port 443",
            "    world | ? port 443, perhaps",
            "  nothing else: not 3 applications | 6",
        ]
        table = view(app, ReachTable)
        await pilot.press("j", "enter")
        await settled(app, pilot)
        assert [line.strip() for line in reach(app)[2:4]] == [
            f"checkout/checkout-6d4f-{end} | ◐ TCP 8080, some requests" for end in ("x7k2p", "z9q4m")
        ]
        await pilot.press("b")
        await settled(app, pilot)
        assert "  ▸ checkout | 2 | ◐ TCP 8080, some requests" in reach(app) and "by namespace" in table.note


async def test_a_matrix_of_several_applications(fleet: StillFleet) -> None:
    entry = {"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}]}]}
    wide = {"endpointSelector": {}, "ingress": [{"fromEntities": ["all"], **entry}]}
    everybody = {"metadata": shop.meta("wide"), "spec": wide}
    put(fleet, shop.row(EU, CCNP, everybody))
    async with screen(fleet, (160, 48)) as (app, pilot):
        await opened(app, pilot, Ref(EU, CCNP, "", "wide"), "reach")
        table = view(app, ReachTable)
        titles = [column.title for column in table.columns]
        assert titles[2:5] == ["checkout in checkout", "payments in payments", "storefront in storefront"]
        row = next(line for line in reach(app) if "checkout in checkout" in line)
        assert row == "  ▸ checkout in checkout | 2 | – | TCP 80; ◐ TCP 8080 | –"


async def test_a_matrix_follows_what_happens_and_keeps_the_cursor(fleet: StillFleet) -> None:
    async with screen(fleet, (120, 36)) as (app, pilot):
        await opened(app, pilot, POLICY, "reach")
        table = view(app, ReachTable)
        await pilot.press("j", "j", "j")
        under = table.cursor_key
        put(fleet, endpoint(EU, "checkout", "checkout-6d4f-new", "checkout", 40))
        await settled(app, pilot)
        assert "  ▸ checkout in checkout | 3 | ◐ TCP 8080, some requests" in reach(app)
        assert table.cursor_key == under


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"endpointSelector": {"matchLabels": {"app": "nobody"}}, "ingress": [{}]}, "it selects nobody"),
        ({"endpointSelector": {}, "ingress": [{"fromEntities": ["nonsense"]}]}, "Cilium rejects this policy"),
    ],
    ids=["selects nobody", "invalid"],
)
async def test_why_there_is_no_matrix(fleet: StillFleet, spec: dict[str, Any], expected: str) -> None:
    put(fleet, policy("payments", "odd", **spec))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, Ref(EU, CNP, "payments", "odd"), "reach")
        assert reach(app) == [] and expected in view(app, ReachTable)._empty


async def test_what_is_awaited_is_said(fleet: StillFleet) -> None:
    held = fleet.store.get(Ref(EU, CLUSTERS, "", EU))
    assert held is not None
    kinds = {**held.obj.kinds, needs.GROUPS: KindStatus(KindState.LISTING)}
    put(fleet, Row(held.ref, msgspec.structs.replace(held.obj, kinds=kinds)))
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POLICY, "reach")
        assert view(app, ReachTable)._empty == "loading ciliumcidrgroups…"
        put(fleet, held)
        await settled(app, pilot)
        assert reach(app)[0].startswith("▾ May be reached by")


# -- may A talk to B? -------------------------------------------------------------------------------------------------


def told(app: FleetApp) -> tuple[str, str]:
    """The question and the answer that are shown."""
    assert isinstance(app.screen, VerdictScreen)
    return tuple(app.screen.query_one(name, WordsView).text() for name in ("#question", "#answer"))  # type: ignore[return-value]


async def test_a_verdict_by_keys_alone(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        app.show_object(POD, "summary")
        await pilot.pause()
        await pilot.press("v")
        await settled(app, pilot)
        assert "Choose who calls (f)" in told(app)[1]
        await pilot.press("f", *"check", "enter")
        await settled(app, pilot)
        assert told(app)[1] == "Choose the port (p)."
        await pilot.press("p", *"8080", "enter")
        await settled(app, pilot)
        question, answer = told(app)
        assert "checkout/checkout  in prod-eu  on prod-eu-node-3" in question
        assert answer.startswith("✔ allowed") and "payments/payments ingress[0]" in answer
        await pilot.press("r", *"GET /pay", "enter")
        await settled(app, pilot)
        assert told(app)[1].startswith("✖ denied  Denied above layer 4")
        await pilot.press("x")
        await settled(app, pilot)
        question, answer = told(app)
        assert question.split()[:2] == ["From", "payments/payments-6d4f-x7k2p"] and answer.startswith("✖ denied")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)


async def test_what_is_typed_wrong_is_said_and_changes_nothing(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        app.show_verdict(Question(EU, "checkout/checkout", EU, "payments/payments", 8080))
        await settled(app, pilot)
        before = told(app)
        await pilot.press("p", *"http", "enter")
        await pilot.press("r", *"what", "enter")
        await settled(app, pilot)
        assert told(app) == before
        assert [each.message for each in app._notifications][-2:] == [
            "http: give a port from 1 to 65535, as in 8080/TCP",
            "what is not understood: write GET /path of host, DNS name or SNI name",
        ]
        await pilot.press("t", *"nobody", "enter")
        await settled(app, pilot)
        assert told(app)[1] == "prod-eu has no endpoint nobody"


async def test_the_same_question_in_every_cluster(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        app.show_verdict(Question(EU, "storefront/storefront", EU, "checkout/checkout", 80))
        await settled(app, pilot)
        await pilot.press("m")
        await settled(app, pilot)
        table = app.screen.query_one(Table)
        rows = {entry.key: entry.texts[1:3] for entry in table._rows.window(0, 100)}
        assert rows[EU][0] == rows[US][0] == "✔ allowed"
        assert rows["staging-eu"] == ("–", "staging-eu has no endpoint storefront/storefront")
        assert fleet.looked[f"netpol {US}"][1] == {US}
        table.move_to(US)
        await pilot.press("enter")
        await settled(app, pilot)
        question, answer = told(app)
        assert "in prod-us" in question and answer.startswith("✔ allowed")
        await pilot.press("escape")
        await pilot.pause()
        assert not [owner for owner in fleet.looked if owner.startswith("netpol")]


async def test_the_other_end_in_another_cluster(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        app.show_verdict(Question(US, "storefront/storefront", US))
        await settled(app, pilot)
        await pilot.press("t", *"payments/payments @prod-eu", "enter")
        await pilot.press("p", *"8080", "enter")
        await settled(app, pilot)
        answer = told(app)[1]
        assert answer.startswith("✖ denied") and "Ingress of payments/payments-6d4f-x7k2p in prod-eu" in answer
        assert "Whether the two clusters are joined to a mesh" in answer


async def test_allowed_is_not_green_where_something_is_not_counted(fleet: StillFleet) -> None:
    put(fleet, gone=(Ref(EU, needs.CONFIG, "kube-system", "cilium-config"),))
    async with screen(fleet) as (app, pilot):
        app.show_verdict(Question(EU, "storefront/storefront", EU, "checkout/checkout", 80))
        await settled(app, pilot)
        assert told(app)[1].startswith("◐ allowed") and "Not counted" in told(app)[1]
        deny(fleet, CCNP)
        await settled(app, pilot)
        assert told(app)[1].startswith("? unknown  CiliumClusterwideNetworkPolicies may not be read: forbidden")


async def test_the_command_asks_as_much_as_it_says(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await pilot.press("colon", *"verdict checkout/checkout payments/payments 8080 POST /pay @prod-eu", "enter")
        await settled(app, pilot)
        assert told(app)[1].startswith("✔ allowed")
        await pilot.press("colon", *"verdict a b nonsense", "enter")
        await at_rest(app, pilot)
        assert "nonsense: give a port" in [*app._notifications][-1].message


def test_words_of_the_command() -> None:
    assert question_of("", "eu") == Question("eu", "", "eu")
    assert question_of("a/b @us", "eu") == Question("us", "a/b", "us")
    assert question_of("a/b c/d 53/UDP @us @eu", "x") == Question("us", "a/b", "eu", "c/d", 53, "UDP")


def test_a_flow_that_was_seen_as_a_question() -> None:
    pod, outside = Party("shop", "web-1", labels=("k8s:app=web",)), Party(ip="192.0.2.7", labels=("reserved:world",))
    seen = Observed(0.0, "DROPPED", outside, pod, "ingress", "TCP", 8080)
    assert question_of_flow(seen, "eu") == Question("eu", "192.0.2.7", "eu", "shop/web-1", 8080, "TCP")
    node = Party(ip="10.9.0.1", labels=("reserved:kube-apiserver", "reserved:remote-node"))
    assert question_of_flow(Observed(0.0, "FORWARDED", pod, node), "eu").destination == "kube-apiserver"


async def test_from_a_pair_of_the_matrix(fleet: StillFleet) -> None:
    async with screen(fleet) as (app, pilot):
        await opened(app, pilot, POLICY, "reach")
        await pilot.press("j", "v")
        await settled(app, pilot)
        question, answer = told(app)
        assert "checkout/checkout" in question and "TCP 8080" in question and answer.startswith("✔ allowed")


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=IDS)
@pytest.mark.parametrize("shown", ["pod-policies", "policy-reach"])
async def test_tabs(fleet: StillFleet, shown: str, size: tuple[int, int], theme: str) -> None:
    async with screen(fleet, size, theme) as (app, pilot):
        ref, tab = (POD, "policies") if shown == "pod-policies" else (POLICY, "reach")
        await opened(app, pilot, ref, tab)
        compare(app, f"detail-{shown}-{size[0]}x{size[1]}-{theme}")


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=IDS)
@pytest.mark.parametrize("shown", ["steps", "everywhere"])
async def test_verdicts(fleet: StillFleet, shown: str, size: tuple[int, int], theme: str) -> None:
    async with screen(fleet, size, theme) as (app, pilot):
        app.show_verdict(Question(EU, "storefront/storefront", EU, "payments/payments", 8080))
        await settled(app, pilot)
        if shown == "everywhere":
            await pilot.press("m")
            await settled(app, pilot)
        compare(app, f"verdict-{shown}-{size[0]}x{size[1]}-{theme}")
