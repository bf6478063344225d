"""Flows out of lines as exporters write them, whole, cut, huge and hostile; and a flow as a line."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.cilium import model
from tui.domain.cilium.hubble.flowlines import Wanted, cells, decision
from tui.domain.cilium.hubble.flows import Decoder, Lines, Unreadable, read
from tui.domain.cilium.hubble.observed import Lost, Observed, Record

HUBBLE = Path(__file__).parents[3] / "shared" / "data" / "cilium" / "hubble"
SAMPLES = sorted(HUBBLE.glob("*.jsonl"))
needs_samples = pytest.mark.skipif(not SAMPLES, reason="the sample flows are not at hand")


def end(name: str, **more: Any) -> dict[str, Any]:
    labels = [f"k8s:app={name}", "k8s:io.kubernetes.pod.namespace=shop"]
    pod = {"namespace": "shop", "pod_name": f"{name}-1", "workloads": [{"name": name, "kind": "Deployment"}]}
    return {"ID": 1, "identity": 5000, "cluster_name": "prod", "labels": labels, **pod, **more}


def flow(**more: Any) -> dict[str, Any]:
    return {
        "time": "2026-01-08T10:00:00.5Z", "verdict": "DROPPED", "drop_reason_desc": "POLICY_DENIED",
        "IP": {"source": "10.0.0.1", "destination": "10.0.0.2"},
        "l4": {"TCP": {"source_port": 40000, "destination_port": 8080, "flags": {"SYN": True}}},
        "source": end("web"), "destination": end("api"), "Type": "L3_L4", "event_type": {"type": 1, "sub_type": 133},
        "traffic_direction": "INGRESS", "node_name": "prod/worker-1", **more,
    }  # fmt: skip


def line(**more: Any) -> bytes:
    return json.dumps({"flow": flow(**more), "node_name": "prod/worker-1"}, separators=(",", ":")).encode()


def one(data: bytes) -> Observed:
    (record,) = read([data])
    assert isinstance(record, Observed)
    return record


def camel(value: Any) -> Any:
    """As protobuf's JSON mapping names fields."""
    if isinstance(value, dict):
        return {re.sub("_([a-z])", lambda found: found[1].upper(), key): camel(each) for key, each in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def records(path: Path) -> list[Record]:
    return list(read(path.read_bytes().splitlines()))


@needs_samples
def test_the_samples_tell_what_they_say():
    found = records(HUBBLE / "synthetic-flows.jsonl")
    told = [str(cells(record)) for record in found]
    ends = "shop/web-7d4b9c6f5-x2x9k → shop/api-6c8d5f7b9-q8w7e"
    assert told[0] == f"dropped    in   {ends}  TCP/8080  POLICY_DENIED (default deny)"
    assert "dns.google (8.8.8.8)  TCP/443" in told[1]
    assert told[2].endswith("denied by shop/deny-metrics")
    assert told[3].endswith("allowed by shop/api-ingress")
    assert "DNS A api.example.com" in told[6]
    assert told[7].endswith("POST /private  refused above layer 4")
    assert "remote-node 10.0.9.9  ICMP type 8" in told[8]
    assert "42 events lost in HUBBLE_RING_BUFFER on prod-a/worker-1" in told[10]
    assert [record.by_policy for record in found if isinstance(record, Observed)] == [
        True, True, True, False, True, True, False, True, True, True
    ]  # fmt: skip


@needs_samples
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_both_spellings_of_names_are_one(path: Path):
    lines = path.read_bytes().splitlines()
    other = [json.dumps(camel(json.loads(each))).encode() for each in lines]
    assert lines != other
    assert list(read(other)) == list(read(lines))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: b"2026-01-08T10:00:00.1Z " + data,
        lambda data: b"2026-01-08T10:00:00.1Z stdout F " + data,
        lambda data: b"[pod/cilium-abc/cilium-agent] " + data,
        lambda data: data + b"\r",
        lambda data: json.dumps(json.loads(data), indent=None, separators=(", ", ": ")).encode(),
        lambda data: json.dumps({"log": data.decode() + "\n", "stream": "stdout"}).encode(),
        lambda data: json.dumps(json.loads(data)["flow"]).encode(),
        lambda data: json.dumps(dict(reversed(json.loads(data).items()))).encode(),
    ],
    ids=["timestamps", "cri", "prefix", "windows", "spaces", "docker", "bare", "order"],
)
def test_what_collectors_put_around_a_line(wrap: Any):
    assert one(wrap(line())) == one(line())


def test_numbers_of_old_encoders():
    old = flow(verdict=2, traffic_direction=2, drop_reason=181, time={"seconds": "1767866400", "nanos": 500000000})
    del old["drop_reason_desc"]
    found = one(json.dumps({"flow": old}).encode())
    assert (found.verdict, found.direction, found.reason, found.time) == (
        "DROPPED", "egress", "POLICY_DENY", 1767866400.5
    )  # fmt: skip


OTHERS = [
    b"", b"   ", b"level=info msg=\"Starting\" subsys=daemon", b'{"level":"info","msg":"a \\"flow\\": {"}', b"{",
    b'level=info msg="{\\"flow\\":1}"', b'{"agent_event":{"type":"POLICY_UPDATED"},"node_name":"x"}',
    b'{"node_status":{"state_change":"NODE_CONNECTED"}}', b'["flow"]', b'"flow"', b"\xff\xfe\"flow\"{",
    b'{"verdict":1}',
]  # fmt: skip


@pytest.mark.parametrize("data", OTHERS)
def test_other_lines_are_no_flows(data: bytes):
    assert Decoder().line(data) is None


@pytest.mark.parametrize(
    "data",
    [b'{"flow":{"time":"2026', b'{"flow":5}', b'{"flow":[]}', b'{"flow":{"verdict":"\xff"}}', b'{"flow":{}}}',
     b'{"flow":{"source":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"],
    ids=["cut", "number", "list", "encoding", "more", "deep"],
)  # fmt: skip
def test_broken_flows_are_told(data: bytes):
    with pytest.raises(Unreadable):
        Decoder().line(data)


WRONG = [None, 0, -1, 1.5, True, "", "x", "\x1b[2J", [], [1], {}, {"a": 1}, 10**30, [[]], "2026-13-45", "9" * 400]


@pytest.mark.parametrize("name", sorted(flow()))
def test_nonsense_in_a_field_costs_that_field_alone(name: str):
    for wrong in WRONG:
        found = one(line(**{name: wrong}))
        assert (name == "verdict" or found.verdict == "DROPPED") and str(cells(found))
        assert name == "destination" or found.destination.pod == "api-1"
        assert found.flow().protocol
        assert not Wanted(text="nowhere to be found").admits(found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = [*flow(), "l7", "is_reply", "source_names", "destination_names", "ingress_denied_by", "egress_allowed_by"]


@given(st.dictionaries(st.sampled_from(NAMES), json_values), st.randoms(use_true_random=False))
def test_no_line_breaks_the_reader(fields: dict[str, Any], chance: random.Random):
    data = line(**fields)
    (found,) = read([data])
    assert str(cells(found))
    cut = data[: chance.randrange(len(data))]
    framer = Lines()
    assert list(framer.feed(cut + b"\n" + line() + b"\n"))[-1] == one(line())


@given(st.lists(st.integers(1, 400), max_size=60))
def test_chunks_of_any_size_give_the_same(sizes: list[int]):
    data = b"\n".join([line(), b"level=info", line(verdict="FORWARDED"), b'{"flow":{', b"", line(is_reply=True)])
    whole, framer = list(read(data.split(b"\n"))), Lines()
    found: list[Record] = []
    at = 0
    for size in sizes:
        found += framer.feed(data[at : at + size])
        at += size
    found += framer.feed(data[at:])
    found += framer.end()
    assert found == whole and len(whole) == 3
    assert (framer.flows, framer.others, framer.unreadable) == (3, 1, 1)


def test_a_line_without_end_holds_no_memory():
    framer = Lines(longest=10_000)
    for _ in range(1000):
        assert not list(framer.feed(b"x" * 1000))
    assert len(framer._rest) <= 10_000 and framer.too_long == 1
    assert list(framer.feed(b"\n" + line() + b"\n" + b"y" * 20_000 + b"\n" + line() + b"\n")) == [one(line())] * 2
    assert framer.too_long == 2
    assert not list(framer.end())


def test_ends_that_occur_again_share_memory():
    decoder = Decoder()
    first, second = decoder.line(line()), decoder.line(line(time="2026-01-08T10:00:01Z", verdict="FORWARDED"))
    assert isinstance(first, Observed) and isinstance(second, Observed)
    assert first.source is second.source and first.destination is second.destination


def test_what_the_engine_is_asked():
    http = {"type": "REQUEST", "http": {"method": "GET", "url": "http://api:8080/items?x=1", "headers": [
        {"key": "X-Token", "value": "1"}]}}  # fmt: skip
    asked = one(line(l7=http, Type="L7", drop_reason_desc="", event_type={"type": 129})).flow()
    assert asked.request == model.Request("GET", "/items?x=1", "api:8080", {"X-Token": "1"})
    assert (asked.port, asked.protocol, asked.source.name, asked.source.ip) == (8080, "TCP", "shop/web-1", "10.0.0.1")
    assert asked.destination.labels == ("k8s:app=api", "k8s:io.kubernetes.pod.namespace=shop")
    ping = one(line(l4={"ICMPv6": {"type": 128, "code": 0}})).flow()
    assert (ping.port, ping.protocol) == (128, "ICMPv6")


@pytest.mark.parametrize(
    ("fields", "reply", "by_policy"),
    [
        ({"is_reply": True}, True, True),
        ({"is_reply": False}, False, True),
        ({}, False, True),  # the first packet of a connection
        ({"l4": {"TCP": {"destination_port": 1, "flags": {"SYN": True, "ACK": True}}}}, True, True),
        ({"l4": {"UDP": {"destination_port": 53}}}, None, True),
        ({"drop_reason_desc": "INVALID_SOURCE_IP"}, False, False),
        ({"drop_reason_desc": "AUTH_REQUIRED"}, False, True),
        ({"verdict": "AUDIT", "drop_reason_desc": ""}, False, True),
        ({"verdict": "FORWARDED", "drop_reason_desc": ""}, False, False),
        ({"verdict": "DROPPED", "drop_reason_desc": ""}, False, False),
    ],
)
def test_replies_and_what_policies_decided(fields: dict[str, Any], reply: bool | None, by_policy: bool):
    found = one(line(**fields))
    assert (found.reply, found.by_policy) == (reply, by_policy)


def test_who_decided():
    both = {
        "ingress_allowed_by": [{"name": "api", "namespace": "shop", "kind": "CiliumNetworkPolicy"}],
        "egress_allowed_by": [{"name": "out", "kind": "CiliumClusterwideNetworkPolicy"}],
    }
    passed = {"verdict": "FORWARDED", "drop_reason_desc": "", **both}
    assert decision(one(line(**passed))) == "allowed by shop/api"
    assert decision(one(line(**{**passed, "traffic_direction": "EGRESS"}))) == "allowed by out"
    denied = {**both, "egress_denied_by": [{"name": "no", "namespace": "shop"}], "drop_reason_desc": "POLICY_DENY"}
    assert decision(one(line(**denied))) == "denied by shop/no"
    assert decision(one(line())) == "POLICY_DENIED (default deny)"
    assert decision(one(line(verdict="FORWARDED", drop_reason_desc=""))) == ""


@pytest.mark.parametrize(
    ("wanted", "admitted"),
    [
        (Wanted(), True),
        (Wanted(verdicts=frozenset({"DROPPED"})), True),
        (Wanted(verdicts=frozenset({"AUDIT"})), False),
        (Wanted(namespace="sh*"), True),
        (Wanted(namespace="web"), False),
        (Wanted(pod="web-*"), True),
        (Wanted(pod="shop/api"), True),
        (Wanted(pod="other/api"), False),
        (Wanted(since=1767866400.4), True),
        (Wanted(since=1767866401.0), False),
        (Wanted(text="tcp/8080"), True),
        (Wanted(text="!tcp/8080"), False),
    ],
)
def test_filters(wanted: Wanted, admitted: bool):
    assert wanted.admits(one(line())) is admitted


def test_gaps_are_shown_whatever_is_asked_for():
    lost = {"source": "PERF_EVENT_RING_BUFFER", "num_events_lost": "7"}
    (gap,) = read([json.dumps({"lost_events": lost, "time": "2026-01-08T10:00:00Z"}).encode()])
    assert gap == Lost(1767866400.0, 7, "PERF_EVENT_RING_BUFFER", "")
    assert Wanted(frozenset({"AUDIT"}), namespace="x").admits(gap)
    assert not Wanted(since=1767866401.0).admits(gap)
