"""The agents' logs: flows in Hubble's form that obey the policies which the API server has at that moment."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.demo.running import PATIENCE, push, running
from tui.demo.assembly import Demo
from tui.demo.content.clusters import CLUSTERS
from tui.demo.hubble.hubble import Hubble
from tui.demo.hubble.stream import PAST
from tui.domain.cilium import model
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.hubble.flows import Lines
from tui.domain.cilium.hubble.observed import Observed
from tui.domain.cilium.hubble.packetdrop import from_event

pytestmark = pytest.mark.slow

FLOWING = [spec.name for spec in CLUSTERS if spec.flows]


@pytest_asyncio.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with running(tmp_path) as running_demo:
        yield running_demo


def agent_of(demo: Demo, cluster: str, node: str = "") -> tuple[str, str]:
    """(pod, node) of an agent."""
    for pod in demo.world.clusters[cluster].storage.list("pods", "kube-system"):
        if pod["metadata"]["labels"].get("k8s-app") == "cilium" and node in ("", pod["spec"]["nodeName"]):
            return pod["metadata"]["name"], pod["spec"]["nodeName"]
    raise AssertionError(f"no agent in {cluster}")


async def read(demo: Demo, cluster: str, node: str) -> AsyncIterator[str]:
    """The log of the agent on a node, as the API server gives it."""
    source: Any = demo.servers[cluster].logs
    async with aclosing(source("kube-system", agent_of(demo, cluster, node)[0], "cilium-agent")) as lines:
        async for _, text in lines:
            yield text


async def past(demo: Demo, cluster: str) -> list[str]:
    """What all agents of a cluster have logged before anybody read."""
    found: list[str] = []
    nodes = [node.name for node in demo.world.clusters[cluster].nodes]
    for node in nodes:
        async with aclosing(read(demo, cluster, node)) as lines:
            while True:
                upcoming = asyncio.ensure_future(anext(lines))
                await asyncio.sleep(0)
                if not upcoming.done():
                    upcoming.cancel()
                    await asyncio.gather(upcoming, return_exceptions=True)
                    break
                found.append(upcoming.result())
    return found


def observed(texts: list[str]) -> list[Observed]:
    framer = Lines()
    records = [record for text in texts for record in framer.feed(text.encode() + b"\n")]
    assert framer.unreadable == framer.too_long == 0
    return [record for record in records if isinstance(record, Observed)]


def between(flow: Observed) -> str:
    return f"{flow.source.workload or flow.source.ip} {flow.destination.workload or flow.destination.ip}"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[str]], dict[str, model.Rulebook]]:
    """The past of every cluster whose agents log flows, and the rulebook that it was told by."""

    async def told() -> tuple[dict[str, list[str]], dict[str, model.Rulebook]]:
        async with running(tmp_path_factory.mktemp("demo")) as demo:
            texts = {cluster: await past(demo, cluster) for cluster in FLOWING}
            assert demo._hubble
            return texts, {cluster: view.book for cluster, view in demo._hubble._views.items()}

    return asyncio.run(told())


Story = tuple[dict[str, list[str]], dict[str, model.Rulebook]]


@pytest.mark.parametrize("cluster", FLOWING)
def test_every_line_is_of_hubbles_form_or_of_the_agents(story: Story, cluster: str) -> None:
    kinds: Counter[str] = Counter()
    texts = story[0][cluster]
    for text in texts:
        if not text.startswith("{"):
            assert text.startswith("time=") and "level=info" in text
            kinds["agent"] += 1
            continue
        line = json.loads(text)
        kinds.update(line.keys() & {"flow", "lost_events"})
        assert line["node_name"].startswith(f"{cluster}/")
        if "flow" in line:
            assert (line["flow"]["node_name"], line["flow"]["time"]) == (line["node_name"], line["time"])
            assert ("is_reply" in line["flow"]) == ("drop_reason" not in line["flow"])
    assert kinds["flow"] > kinds["agent"] > kinds["lost_events"] > 0
    flows = observed(texts)
    assert len(flows) == kinds["flow"]
    assert {flow.source.cluster or flow.destination.cluster for flow in flows} <= set(FLOWING)


@pytest.mark.parametrize(
    ("cluster", "ends", "verdict", "reason", "port"),
    [
        ("prod-eu-1", "checkout mailer", "DROPPED", "POLICY_DENIED", 8086),
        ("prod-eu-1", "payments 198.51.100.81", "DROPPED", "POLICY_DENIED", 443),
        ("prod-eu-1", "storefront 169.254.169.254", "DROPPED", "POLICY_DENY", 80),
        ("prod-eu-1", "storefront search", "DROPPED", "", 8085),  # by the proxy
        ("prod-eu-1", "198.51.100.16 catalog", "FORWARDED", "", 8081),
        ("prod-us-1", "198.51.100.16 catalog", "DROPPED", "POLICY_DENIED", 8081),  # its policy is invalid
        ("prod-us-1", "catalog orders-db", "DROPPED", "POLICY_DENIED", 5432),  # a peer without cluster is of this one
        ("prod-ap-1", "catalog orders-db", "FORWARDED", "", 5432),  # … here it is of any
        ("dev-eu-1", "metrics-agent catalog", "AUDIT", "", 9090),
        ("edge-oslo-01", "10.21.99.14 172.21.0.", "DROPPED", "POLICY_DENIED", 22),
        ("edge-oslo-01", "10.21.7.40 till", "FORWARDED", "", 8090),
    ],
)
def test_what_comes_of_a_conversation(
    story: Story, cluster: str, ends: str, verdict: str, reason: str, port: int
) -> None:
    flows = [flow for flow in observed(story[0][cluster]) if between(flow).startswith(ends) and flow.port == port]
    found = {(flow.verdict, flow.reason) for flow in flows if not flow.reply}
    assert (verdict, reason) in found
    if verdict == "DROPPED" and reason:
        assert found == {(verdict, reason)}


def test_names_and_requests_are_told(story: Story) -> None:
    flows = observed(story[0]["prod-eu-1"])
    assert "api.acquirer.example" in {name for flow in flows for name in flow.destination.names}
    words = " / ".join(flow.layer7 for flow in flows)
    assert "GET /v1/search?q=fender 200" in words
    assert "POST /v1/reindex 403" in words
    assert "DNS A api.acquirer.example → 198.51.100.80" in words
    denied = next(flow for flow in flows if flow.reason == "POLICY_DENY" and flow.direction == "egress")
    assert [told.name for told in denied.told if not told.allowed] == ["deny-cloud-metadata"]


@pytest.mark.parametrize("cluster", ["prod-eu-1", "prod-us-1"])
def test_verdicts_are_those_of_the_engine(story: Story, cluster: str) -> None:
    asked = 0
    for flow in observed(story[0][cluster]):
        if flow.reply or flow.event not in (1, 5) or not flow.port:
            continue
        ends = [
            model.Endpoint(end.labels if end.pod else ("reserved:world",), ip=end.ip)
            for end in (flow.source, flow.destination)
            if end.pod or "reserved:world" in end.labels
        ]
        if len(ends) == 2:
            question = model.Flow(ends[0], ends[1], port=flow.port, protocol=flow.protocol)
            answer = verdict(story[1][cluster], question)
            side = answer.egress if flow.direction == "egress" else answer.ingress
            assert side.verdict == ("denied" if flow.verdict == "DROPPED" else "allowed"), flow
            asked += 1
    assert asked > 50


async def test_a_policy_that_argo_cd_applies_changes_the_flows(demo: Demo) -> None:
    path = "shop/checkout/prod-eu-1/policy.yaml"
    rule = (
        "    - toEndpoints:\n        - matchLabels:\n            app.kubernetes.io/name: mailer\n"
        '      toPorts:\n        - ports:\n            - port: "8086"\n              protocol: TCP\n'
    )
    assert "checkout mailer" in {between(f) for f in observed(await past(demo, "prod-eu-1")) if f.verdict == "DROPPED"}
    push(demo, "checkout may mail", **{path: lambda text: text + rule})
    storage = demo.world.clusters["prod-eu-1"].storage
    nodes = {
        pod["spec"]["nodeName"]
        for pod in storage.list("pods", "shop")
        if pod["metadata"]["labels"].get("app.kubernetes.io/name") == "checkout"
    }
    seen: list[Observed] = []

    async def watch(node: str) -> None:
        async with aclosing(read(demo, "prod-eu-1", node)) as lines:
            async for text in lines:
                seen.extend(flow for flow in observed([text]) if between(flow) == "checkout mailer")
                if seen and seen[-1].verdict == "FORWARDED" and seen[-1].direction == "egress":
                    return

    async with asyncio.timeout(PATIENCE):
        _, waiting = await asyncio.wait(
            [asyncio.ensure_future(watch(node)) for node in nodes], return_when=asyncio.FIRST_COMPLETED
        )
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    passed = next(flow for flow in seen if flow.verdict == "FORWARDED")
    assert [told.name for told in passed.told] == ["checkout"]
    assert any(flow.verdict == "DROPPED" for flow in seen), "the past stays as it was"


async def test_nothing_is_made_while_nobody_reads(demo: Demo) -> None:
    async with aclosing(read(demo, "edge-porto-02", agent_of(demo, "edge-porto-02")[1])) as lines:
        assert (await anext(lines)).startswith("level=info")  # agents that are not set up to log flows
    assert demo._hubble is None
    node = agent_of(demo, "prod-eu-1")[1]
    async with aclosing(read(demo, "prod-eu-1", node)) as lines:
        first = await anext(lines)
        assert demo._hubble
        stream = demo._hubble._streams["prod-eu-1"]
        assert stream._ticking is not None
    assert stream._ticking is None
    assert set(demo._hubble._streams) == {"prod-eu-1"}
    async with aclosing(read(demo, "prod-eu-1", node)) as lines:
        assert await anext(lines) == first, "a second reader is told the same past"


async def test_a_seed_is_a_story_whose_drops_are_told_in_events(demo: Demo) -> None:
    slots = range(1000, 1000 + PAST)
    stories = []
    for _ in range(2):
        hubble = Hubble(demo.world, 1)
        hubble.follow("prod-eu-1", "")
        stream = hubble._streams["prod-eu-1"]
        for slot in slots:
            stream._hold(slot, float(slot))
        stories.append([line.text for line in stream._lines])
    assert stories[0] == stories[1]

    storage = demo.world.clusters["prod-eu-1"].storage
    told = [
        from_event("", event["involvedObject"]["name"], event["message"], 0.0)
        for event in storage.list("events")
        if (event["reason"], event["type"], event["source"]["component"]) == ("PacketDrop", "Warning", "cilium")
    ]
    assert {(drop.reason, drop.direction, drop.port) for drop in told if drop} == {
        ("POLICY_DENIED", "egress", 8086),
        ("POLICY_DENIED", "egress", 443),
    }
    before = sum(event["reason"] == "PacketDrop" for name in FLOWING for event in _events(demo, name))
    dice = random.Random(3)
    for _ in range(5):
        demo._drop(dice)
    assert sum(event["reason"] == "PacketDrop" for name in FLOWING for event in _events(demo, name)) > before


def _events(demo: Demo, cluster: str) -> list[dict[str, Any]]:
    return demo.world.clusters[cluster].storage.list("events")
