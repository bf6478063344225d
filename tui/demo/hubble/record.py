"""A flow as Hubble's exporter writes it: one line of JSON (`api/v1/flow/flow.proto`, names of the protocol)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from tui.demo.hubble.view import End
from tui.domain.cilium.model import Direction, Entry, Rulebook, Side, Where
from tui.domain.cilium.policy import CCNP, CNP, KNP

Obj = dict[str, Any]

DROP, TRACE, POLICY_VERDICT, ACCESS_LOG = 1, 4, 5, 129  # types of events
TO_ENDPOINT, TO_STACK, FROM_PROXY = 0, 3, 1  # observation points of traces
DENIED_BY_DEFAULT, DENIED_BY_RULE, AUTH_REQUIRED = 133, 181, 189
REASONS = {DENIED_BY_DEFAULT: "POLICY_DENIED", DENIED_BY_RULE: "POLICY_DENY", AUTH_REQUIRED: "AUTH_REQUIRED"}
KINDS = {CNP: "CiliumNetworkPolicy", CCNP: "CiliumClusterwideNetworkPolicy", KNP: "NetworkPolicy"}
ALL, L3, L3_L4, L4 = 4, 1, 2, 3  # policy_match_type


@dataclass(frozen=True)
class Connection:
    """What is the same in all events of one connection."""

    source: End
    destination: End
    protocol: str
    port: int  # of the destination; the type of ICMP
    source_port: int

    def reversed(self) -> Connection:
        """What goes back. A flow's direction stays that of its connection, whichever way the packet goes."""
        return Connection(self.destination, self.source, self.protocol, self.source_port, self.port)


def encoded(flow: Obj, node: str, when: float) -> str:
    """The exporter's line: the flow with the node that saw it and when. `node`: `cluster/node`."""
    time = timestamp(when)
    line = {"flow": {"time": time, **flow, "node_name": node}, "node_name": node, "time": time}
    return msgspec.json.encode(line).decode()


def lost(count: int, node: str, when: float) -> str:
    """The line that tells of events that the exporter has missed."""
    time = timestamp(when)
    line = {
        "lost_events": {"source": "HUBBLE_RING_BUFFER", "num_events_lost": str(count)},
        "node_name": node,
        "time": time,
    }
    return msgspec.json.encode(line).decode()


def timestamp(when: float) -> str:
    """RFC 3339 with nanoseconds."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "417Z"


def base(connection: Connection, uuid: str, direction: Direction, reply: bool | None) -> Obj:
    """The fields of every flow of a connection; whether a dropped one is a reply, nobody knows."""
    flow: Obj = {
        "uuid": uuid,
        "IP": {"source": connection.source.ip, "destination": connection.destination.ip, "ipVersion": "IPv4"},
        "l4": layer4(connection, bool(reply)),
        "source": _end(connection.source),
        "destination": _end(connection.destination),
        "Type": "L3_L4",
        "traffic_direction": direction.upper(),
    }
    if reply is not None:
        flow["is_reply"] = reply
    if connection.destination.names:
        flow["destination_names"] = list(connection.destination.names)
    if connection.source.names:
        flow["source_names"] = list(connection.source.names)
    return flow


def layer4(connection: Connection, reply: bool) -> Obj:
    """`l4`: ports and the flags of the first packets, or the type of an ICMP message."""
    if connection.protocol == "ICMP":
        return {"ICMPv4": {"type": connection.port}}
    ports: Obj = {"source_port": connection.source_port, "destination_port": connection.port}
    if connection.protocol == "TCP":
        ports["flags"] = {"SYN": True, "ACK": True} if reply else {"SYN": True}
    return {connection.protocol: ports}


def _summary(connection: Connection, reply: bool) -> str:
    if connection.protocol == "ICMP":
        return "ICMPv4 EchoRequest"
    return connection.protocol if connection.protocol != "TCP" else f"TCP Flags: {'SYN, ACK' if reply else 'SYN'}"


def _end(end: End) -> Obj:
    found: Obj = {"ID": end.number} if end.number else {}
    found["identity"] = end.identity
    if end.cluster:
        found["cluster_name"] = end.cluster
    if end.namespace:
        found["namespace"] = end.namespace
    found["labels"] = list(end.endpoint.labels)
    if end.pod:
        found["pod_name"] = end.pod
    if end.workload[0]:
        found["workloads"] = [{"name": end.workload[0], "kind": end.workload[1]}]
    return found


def decided(connection: Connection, uuid: str, side: Side, book: Rulebook, audit: bool) -> Obj:
    """The event of a new connection at the end whose policies `side` tells of."""
    denied = side.verdict == "denied" and side.because != "layer 7"
    flow = base(connection, uuid, side.direction, None if denied and not audit else False)
    flow["Summary"] = _summary(connection, False)
    if denied and audit:
        return {"verdict": "AUDIT", **flow, "event_type": {"type": POLICY_VERDICT}, "policy_match_type": 0}
    if denied:
        return _dropped(flow, side)
    if side.because in ("rule", "authentication", "layer 7"):
        flow |= {
            "event_type": {"type": POLICY_VERDICT},
            "policy_match_type": _match_type(side.where, side.direction, book),
            f"{side.direction}_allowed_by": policies(side.where),
        }
        return {"verdict": "REDIRECTED" if side.redirected else "FORWARDED", **flow}
    return {"verdict": "FORWARDED", **flow, **_trace(side.direction)}


def _trace(direction: Direction) -> Obj:
    point = TO_ENDPOINT if direction == "ingress" else TO_STACK
    return {
        "event_type": {"type": TRACE, "sub_type": point} if point else {"type": TRACE},
        "trace_observation_point": "TO_ENDPOINT" if point == TO_ENDPOINT else "TO_STACK",
        "trace_reason": "NEW",
    }


def _dropped(flow: Obj, side: Side) -> Obj:
    codes = {"deny rule": DENIED_BY_RULE, "authentication": AUTH_REQUIRED}
    code = codes.get(side.because, DENIED_BY_DEFAULT)
    flow |= {"drop_reason": code, "drop_reason_desc": REASONS[code]}
    if code == DENIED_BY_RULE:  # only verdicts of policies tell which one it was
        flow |= {"event_type": {"type": POLICY_VERDICT}, f"{side.direction}_denied_by": policies(side.where)}
    else:
        flow["event_type"] = {"type": DROP, "sub_type": code}
    return {"verdict": "DROPPED", **flow}


def answered(connection: Connection, uuid: str, direction: Direction) -> Obj:
    """The reply to a connection that got through, as it reaches who asked."""
    flow = base(connection.reversed(), uuid, direction, True)
    flow["Summary"] = _summary(connection, True)
    trace = {"event_type": {"type": TRACE}, "trace_observation_point": "TO_ENDPOINT", "trace_reason": "REPLY"}
    return {"verdict": "FORWARDED", **flow, **trace}


def http(connection: Connection, uuid: str, direction: Direction, asked: Obj, denied: bool, took: int) -> Obj:
    """What the proxy saw of a request (`took` 0) or of its answer (`took` in nanoseconds)."""
    reply = took > 0
    flow = base(connection.reversed() if reply else connection, uuid, direction, reply)
    kind = {"type": "RESPONSE", "latency_ns": str(took)} if reply else {"type": "REQUEST"}
    words = f"HTTP/1.1 {asked['method']} {asked['url']}"
    flow |= {"Type": "L7", "l7": {**kind, "http": asked}, "event_type": {"type": ACCESS_LOG}, "Summary": words}
    return {"verdict": "DROPPED" if denied else "FORWARDED", **flow}


def dns(connection: Connection, uuid: str, name: str, ips: Iterable[str], denied: bool) -> Obj:
    """The answer of the DNS proxy, or its refusal."""
    addresses = list(ips)
    asked: Obj = {"query": f"{name}.", "observation_source": "proxy", "qtypes": ["A"]}
    if denied:
        flow = base(connection, uuid, "egress", False)
        asked["rcode"] = 5
        words, kind = f"DNS Query {name}. A", {"type": "REQUEST"}
    else:
        flow = base(connection.reversed(), uuid, "egress", True)
        asked |= {"ips": addresses, "ttl": 30, "rrtypes": ["A"]}
        words = f'DNS Answer "{",".join(addresses)}" TTL: 30 (Proxy {name}. A)'
        kind = {"type": "RESPONSE", "latency_ns": "412388"}
    flow |= {"Type": "L7", "l7": {**kind, "dns": asked}, "event_type": {"type": ACCESS_LOG}, "Summary": words}
    return {"verdict": "DROPPED" if denied else "FORWARDED", **flow}


def policies(where: Iterable[Where]) -> list[Obj]:
    """Policies as flows name them, each once."""
    found: dict[tuple[str, str, str], Obj] = {}
    for each in where:
        kind = KINDS[each.resource]
        named: Obj = {"name": each.policy}
        labels = [f"k8s:io.cilium.k8s.policy.derived-from={kind}", f"k8s:io.cilium.k8s.policy.name={each.policy}"]
        if each.namespace:
            named["namespace"] = each.namespace
            labels.append(f"k8s:io.cilium.k8s.policy.namespace={each.namespace}")
        found[each.resource, each.namespace, each.policy] = {**named, "labels": labels, "revision": "14", "kind": kind}
    return list(found.values())


def _match_type(where: Iterable[Where], direction: Direction, book: Rulebook) -> int:
    places = set(where)
    return max((_type_of(entry) for entry in book.entries if entry.where in places), default=ALL)


def _type_of(entry: Entry) -> int:
    ports = any(rule.ports is not None for rule in entry.ports)
    if entry.peers is None:
        return L4 if ports else ALL
    return L3_L4 if ports else L3
