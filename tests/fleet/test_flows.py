"""Flows out of agents' logs over real HTTP: which logs, how far, what breaks, and why there is nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.watching import QUICK, Watching, config, watching
from tests.support import serving, thing
from tui.demo.apiserver.access import Deny
from tui.demo.apiserver.server import ApiServer
from tui.domain.cilium.hubble.observed import Lost, Observed
from tui.domain.cilium.hubble.packetdrop import from_event
from tui.fleet.flows import Flows, Ring
from tui.fleet.flows import follow as following

NOW = 1_700_000_000.0
LOG = "/log?"


def line(number: int, node: str = "a", verdict: str = "FORWARDED") -> str:
    """A flow whose number is its time, port and pod."""
    pod = {"namespace": "shop", "pod_name": f"web-{number}", "labels": ["k8s:app=web"]}
    return json.dumps(
        {
            "flow": {
                "time": f"2023-11-14T22:{number // 60 % 60:02}:{number % 60:02}.123456789Z", "verdict": verdict,
                "l4": {"TCP": {"destination_port": number}}, "source": pod, "destination": pod, "node_name": node,
            }
        },
        separators=(",", ":"),
    )  # fmt: skip


def agent(name: str, namespace: str = "kube-system") -> dict[str, Any]:
    return thing("Pod", name, namespace, labels={"k8s-app": "cilium"}, spec={"containers": [{"name": "cilium-agent"}]})


@dataclass
class Logs:
    """What the agents' logs hold; lines put in later come to those who follow."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)  # (pod, container)
    open: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, pod: str, *lines: str) -> None:
        self.lines.setdefault(pod, []).extend(lines)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def source(self, namespace: str, pod: str, container: str) -> AsyncIterator[tuple[float, str]]:
        self.asked.append((pod, container))
        self.open += 1
        at = 0
        try:
            while True:
                moved = self._moved
                while at < len(self.lines.get(pod, ())):
                    yield NOW, self.lines[pod][at]
                    at += 1
                await moved.wait()
        finally:
            self.open -= 1


@dataclass
class Here:
    flows: Flows
    logs: Logs
    server: ApiServer
    watching: Watching

    def ports(self) -> list[int]:
        return [flow.port for flow in self.flows.recent("c1")]

    async def until(self, condition: Callable[[], Any]) -> Any:
        try:
            return await self.watching.until(condition)
        except AssertionError:
            raise AssertionError(f"not true; {self.flows.status('c1')} {self.ports()[-5:]}") from None


@asynccontextmanager
async def reading(tmp_path: Path, objects: Sequence[dict[str, Any]], **options: Any) -> AsyncIterator[Here]:
    async with AsyncExitStack() as stack:
        system = [thing("Namespace", "kube-system"), *objects]
        server = await stack.enter_async_context(serving(system, clock=lambda: NOW, **options))
        logs = Logs()
        server.logs = logs.source
        here = await stack.enter_async_context(watching(config(tmp_path / "config", {"c1": server.url})))
        flows = Flows(here.network, here._moved.set, QUICK)
        try:
            yield Here(flows, logs, server, here)
        finally:
            await flows.close()


async def test_the_past_and_what_comes_of_every_agent(tmp_path: Path):
    async with reading(tmp_path, [agent("cilium-a"), agent("cilium-b"), thing("Pod", "web", "shop")]) as here:
        here.logs.put("cilium-a", 'level=info msg="Starting"', line(1), line(2), '{"flow":{"cut')
        here.logs.put("cilium-b", line(3), json.dumps({"lost_events": {"num_events_lost": "5"}}))
        assert here.flows.recent("c1") == () and here.flows.status("c1").state == "off"
        here.flows.want("pane", ["c1"])
        await here.until(lambda: sorted(here.ports()) == [1, 2, 3])
        here.logs.put("cilium-a", line(4))
        await here.until(lambda: 4 in here.ports())
        records, end, missed = here.flows.since("c1", 0)
        assert (len(records), end, missed) == (5, 5, 0)
        assert [record.events for record in records if isinstance(record, Lost)] == [5]
        assert here.flows.since("c1", end) == ([], 5, 0)
        assert set(here.logs.asked) == {("cilium-a", "cilium-agent"), ("cilium-b", "cilium-agent")}
        status = await here.until(lambda: (found := here.flows.status("c1")).state == "flows" and found)
        assert (status.agents, status.following, status.words) == (2, 2, "")


async def test_streams_end_when_nobody_wants_flows_and_go_on_where_they_were(tmp_path: Path):
    async with reading(tmp_path, [agent("cilium-a")]) as here:
        here.logs.put("cilium-a", *map(line, range(10)))
        here.flows.want("pane", ["c1"])
        here.flows.want("impact", ["c1"])
        await here.until(lambda: len(here.ports()) == 10)
        here.flows.unwant("pane")
        assert here.flows.status("c1").state != "off"
        here.flows.unwant("impact")
        assert here.flows.status("c1").state == "off"
        assert len(here.ports()) == 10  # what was seen stays for a while
        async with asyncio.timeout(60):
            while here.logs.open:
                await asyncio.sleep(0)
        here.logs.put("cilium-a", line(10))
        here.flows.want("pane", ["c1"])
        await here.until(lambda: 10 in here.ports())
        assert here.ports() == list(range(11))


@pytest.mark.parametrize("weather", ["close", "truncate", "html", "unavailable", "throttle"])
async def test_bad_weather_loses_nothing_and_tells_nothing_twice(tmp_path: Path, weather: str):
    async with reading(tmp_path, [agent("cilium-a")]) as here:
        here.logs.put("cilium-a", *map(line, range(50)))
        if weather == "truncate":  # in the middle of a line
            fault = here.server.faults.truncate(len(line(1)) * 20 + 7, LOG, times=2)
        elif weather == "throttle":
            fault = here.server.faults.throttle(0, LOG, times=2)
        elif weather == "html":
            fault = here.server.faults.html(502, LOG, times=2)
        else:
            fault = getattr(here.server.faults, weather)(LOG, times=2)
        here.flows.want("pane", ["c1"])
        await here.until(lambda: len(here.ports()) >= 50)
        assert here.ports() == list(range(50)) and fault.hits == 2
        here.server.faults.clear()
        here.logs.put("cilium-a", line(50))
        await here.until(lambda: 50 in here.ports())
        assert here.ports() == list(range(51))


async def test_a_broken_watch_of_the_agents_is_begun_again(tmp_path: Path):
    async with reading(tmp_path, [agent("cilium-a")]) as here:
        here.server.faults.expire(times=2)
        here.server.faults.garbage(times=1)
        here.logs.put("cilium-a", line(1))
        here.logs.put("cilium-b", line(2))
        here.flows.want("pane", ["c1"])
        await here.until(lambda: here.ports() == [1])
        here.server.storage.create(agent("cilium-b"))
        await here.until(lambda: here.ports() == [1, 2])
        here.server.storage.delete("pods", "kube-system", "cilium-a")
        await here.until(lambda: here.flows.status("c1").agents == 1)
        assert here.ports() == [1, 2]


@pytest.mark.parametrize(
    ("objects", "lines", "deny", "state", "words"),
    [
        ([], [], [], "none", "no pod has the label k8s-app=cilium"),
        ([agent("cilium-a")], ["level=info msg=up"], [], "none", "hubble-export-file-path: stdout"),
        ([agent("cilium-a")], [], [], "flows", "no flow yet"),
        ([agent("cilium-a")], [], [Deny("pods", ("get",))], "denied", "pods/log"),
        ([agent("cilium-a")], [], [Deny("pods")], "denied", "may not be listed"),
        ([thing("Pod", "cilium-a", "kube-system", labels={"k8s-app": "cilium"},
                spec={"containers": [{"name": "other"}]})], [], [], "failed", "cilium-agent is not valid"),
    ],
)  # fmt: skip
async def test_why_there_are_no_flows(
    tmp_path: Path, objects: list[Any], lines: list[str], deny: list[Deny], state: str, words: str
):
    async with reading(tmp_path, objects, deny=deny) as here:
        here.logs.put("cilium-a", *lines)
        here.flows.want("pane", ["c1"])
        status = await here.until(lambda: (found := here.flows.status("c1")).state == state and found)
        assert words in status.words
        assert here.flows.recent("c1") == ()


async def test_no_more_logs_are_followed_than_may_be(tmp_path: Path):
    async with reading(tmp_path, [agent("cilium-a"), agent("cilium-b")]) as here:
        here.flows._slots = asyncio.Semaphore(1)
        here.logs.put("cilium-a", line(1))
        here.logs.put("cilium-b", line(2))
        here.flows.want("pane", ["c1"])
        status = await here.until(lambda: (found := here.flows.status("c1")).state == "partly" and found)
        assert status.words.startswith("1 of 2 agents' logs are not read now: they are being opened, at most")
        assert here.logs.open == 1
        here.server.storage.delete("pods", "kube-system", here.logs.asked[0][0])
        await here.until(lambda: sorted(here.ports()) == [1, 2])


async def test_what_hostile_logs_cost(tmp_path: Path):
    async with reading(tmp_path, [agent("cilium-a")]) as here:
        huge = '{"flow":{"verdict":"' + "x" * (following.LONGEST + 1) + '"}}'
        here.logs.put("cilium-a", huge, "\x1b[2J" * 100, '{"flow":' + "[" * 5000, line(1))
        here.flows.want("pane", ["c1"])
        await here.until(lambda: here.ports() == [1])


async def test_drops_that_events_tell(tmp_path: Path):
    drop = thing(
        "Event", "web-1.1", "shop", type="Warning", reason="PacketDrop", count=1,
        message="Outgoing packet dropped (policy_denied) to kube-system/coredns-1 (10.0.3.3) UDP/53.",
        lastTimestamp="2023-11-14T22:00:00Z", involvedObject={"kind": "Pod", "namespace": "shop", "name": "web-1"},
        source={"component": "cilium"},
    )  # fmt: skip
    async with reading(tmp_path, [drop]) as here:
        here.flows.want("pane", ["c1"])
        await here.until(lambda: len(here.flows.recent("c1")) == 1)
        (found,) = here.flows.recent("c1")
        assert (found.source.name, found.destination.name, found.port, found.protocol, found.by_policy) == (
            "shop/web-1", "kube-system/coredns-1", 53, "UDP", True
        )  # fmt: skip
        assert len(here.flows.recent("c1")) == 1


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Incoming packet dropped (policy_denied) from shop/web-1 (10.0.0.1) TCP/8080.", "shop/web-1 TCP 8080"),
        ("Incoming packet dropped (policy_denied) from shop/web-1 (10.0.0.1) TCP/8080", "shop/web-1 TCP 8080"),
        ("Incoming packet dropped (policy_deny) from 2001:db8::1 SCTP. Denied by a, b.", "2001:db8::1  0"),
        ("Incoming packet dropped (auth_required) from remote-node (10.0.0.9) ICMPv4.", "remote-node 10.0.0.9  0"),
        ("Incoming packet dropped (policy_denied) from 8.8.8.8 UDP/53.", "8.8.8.8 UDP 53"),
        ("Back-off restarting failed container", None),
        ("Incoming packet dropped (" * 1000, None),
    ],
)
def test_the_texts_of_drops(message: str, told: str | None):
    found = from_event("shop", "api-1", message, NOW)
    assert told == (found and f"{found.source.name} {found.protocol} {found.port}")
    assert found is None or (found.destination.name == "shop/api-1" and found.by_policy)


def test_the_ring_says_what_it_has_dropped():
    ring = Ring(kept=3)
    flows = [Observed(float(number), "DROPPED", None, None) for number in range(5)]  # type: ignore[arg-type]
    ring.add(flows[:2])
    assert ring.since(0) == (flows[:2], 2, 0)
    ring.add([*flows[2:4], Lost(4.0, 1)])
    assert ring.since(0) == ([*flows[2:4], Lost(4.0, 1)], 5, 2)
    assert ring.since(3, most=1) == (flows[3:4], 4, 0)
    assert ring.flows() == tuple(flows[2:4])
