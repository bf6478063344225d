"""One conversation of the demo at one moment: what the policies say to it, and what the agents of its ends log."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

from tui.demo.content.traffic import CLIENTS, DNS, NAMES, Asked, Talk
from tui.demo.hubble import record
from tui.demo.hubble.record import Connection
from tui.demo.hubble.view import WORLD, End, View
from tui.domain.cilium.model import Direction, Endpoint, Request, Side, Verdict

Obj = dict[str, Any]

LOCAL_IDENTITIES = 16777216  # identities of addresses outside begin behind it


class Logged(NamedTuple):
    """An event as one agent logs it. `dropped`: the pod that lost traffic, and how its Event says it."""

    cluster: str
    node: str
    flow: Obj
    dropped: tuple[End, str] | None = None


class Scene:
    """The clusters that conversations go on in, by name."""

    def __init__(self, views: Mapping[str, View]) -> None:
        self._views = views

    def talks_in(self, talk: Talk, cluster: str) -> bool:
        """Whether both ends of a conversation that starts in a cluster are there now."""
        if talk.places and cluster not in talk.places:
            return False
        here, there = self._views[cluster], self._views.get(talk.peer or cluster)
        if there is None:
            return False
        if talk.protocol != "ICMP" and "node" in (talk.source, talk.destination) and not here.node_names():
            return False
        return all(
            view.pods(name) for view, name in ((here, talk.source), (there, talk.destination)) if _is_workload(name)
        )

    def held(self, talk: Talk, cluster: str, dice: random.Random) -> Iterator[Logged]:
        """Hold a conversation that starts in a cluster, once; what the agents of both ends log."""
        here, there = self._views[cluster], self._views[talk.peer or cluster]
        source = self._end(talk.source, here, dice)
        destination = self._end(talk.destination, there, dice)
        if source is None and destination is not None:
            source = here.host(dice.choice(here.node_names()), destination.node)
        if destination is None and source is not None:
            node = source.node or dice.choice(here.node_names())
            destination = here.host(node, node)
        assert source is not None and destination is not None
        if source == destination:
            return
        if destination.names:
            yield from self._lookup(source, destination, here, dice)
        number = 0 if talk.protocol == "ICMP" else dice.randint(32768, 60999)
        connection = Connection(source, destination, talk.protocol, talk.port, number)
        yield from self._connected(connection, dice.choice(talk.requests) if talk.requests else None, dice)

    def _end(self, name: str, view: View, dice: random.Random) -> End | None:
        """An end by its name; None for the node of the other one."""
        if name == "node":
            return None
        if _is_workload(name):
            return dice.choice(view.pods(name))
        address = dice.choice(CLIENTS) if name == "clients" else NAMES.get(name, name)
        return _outside(address, (name,) if name in NAMES else (), view)

    def _connected(self, connection: Connection, asked: Asked | None, dice: random.Random) -> Iterator[Logged]:
        """The events of a new connection, as far as it gets."""
        sides: list[tuple[View, Side, Direction, End]] = []
        for end, direction in ((connection.source, "egress"), (connection.destination, "ingress")):
            view = self._views.get(end.cluster)
            if view is None or not (end.pod or view.book.surroundings.settings.host_firewall):
                continue
            answer = _verdict(view, connection)
            side = answer.egress if direction == "egress" else answer.ingress
            if side.verdict == "n/a" or not end.node:
                continue
            audit = view.book.surroundings.settings.audit
            flow = record.decided(connection, _uuid(dice), side, view.book, audit)
            denied = side.verdict != "allowed"
            told = denied and not audit and flow["drop_reason_desc"] != "POLICY_DENY"  # hubble-drop-events-reasons
            dropped = (end, _drop_words(connection, side, flow)) if told else None
            yield Logged(end.cluster, end.node, flow, dropped)
            if denied and not audit:
                return
            sides.append((view, side, direction, end))  # type: ignore[arg-type]
        for view, side, direction, end in sides:
            if asked is not None and side.redirected:
                if (yield from self._asked(connection, asked, view, direction, end, dice)):
                    return
            elif dice.random() < 0.25:
                yield Logged(end.cluster, end.node, record.answered(connection, _uuid(dice), direction))

    def _asked(
        self, connection: Connection, asked: Asked, view: View, direction: Direction, end: End, dice: random.Random
    ) -> Generator[Logged, None, bool]:
        """A request through the proxy of one end, and its answer; returns whether it was refused."""
        name, namespace = connection.destination.workload[0], connection.destination.namespace
        host = f"{name}.{namespace}"
        request = Request(method=asked.method, path=asked.path, host=host)
        answer = _verdict(view, connection, request)
        side = answer.egress if direction == "egress" else answer.ingress
        denied = side.verdict != "allowed"
        said: Obj = {"method": asked.method, "url": f"http://{host}{asked.path}", "protocol": "HTTP/1.1"}
        code = {"code": 403} if denied else {}
        yield Logged(end.cluster, end.node, record.http(connection, _uuid(dice), direction, code | said, denied, 0))
        if not denied:
            took = dice.randint(600_000, 48_000_000)
            reply = record.http(connection, _uuid(dice), direction, {"code": asked.code} | said, False, took)
            yield Logged(end.cluster, end.node, reply)
        return denied

    def _lookup(self, source: End, destination: End, here: View, dice: random.Random) -> Iterator[Logged]:
        """The question for a name's address, where it passes the DNS proxy."""
        servers = here.pods(DNS)
        if not servers or not source.node:
            return
        connection = Connection(source, dice.choice(servers), "UDP", 53, dice.randint(32768, 60999))
        name = destination.names[0]
        if not _verdict(here, connection).egress.redirected:
            return
        answer = _verdict(here, connection, Request(dns=name))
        denied = answer.egress.verdict != "allowed"
        flow = record.dns(connection, _uuid(dice), name, [destination.ip], denied)
        yield Logged(source.cluster, source.node, flow)


def _is_workload(name: str) -> bool:
    return "/" in name


def _outside(address: str, names: tuple[str, ...], view: View) -> End:
    """An address outside, with the identity of the longest prefix that a policy of the cluster names."""
    found = ip_address(address)
    best = max((each for each in view.book.cidrs if found in each), key=lambda each: each.prefixlen, default=None)
    labels, identity = [WORLD], 2
    if names:
        labels = [f"fqdn:{names[0]}", WORLD]
    elif best is not None and best.prefixlen:
        labels = [f"cidr:{best}", WORLD]
    if len(labels) > 1:
        identity = LOCAL_IDENTITIES + 1 + sum(labels[0].encode()) % 4000
    return End(Endpoint(tuple(labels), ip=address), identity, names=names)


def _verdict(view: View, connection: Connection, request: Request | None = None) -> Verdict:
    source, destination = connection.source, connection.destination
    return view.verdict(source, destination, connection.port, connection.protocol, request)


def _drop_words(connection: Connection, side: Side, flow: Obj) -> str:
    """The message of the Event that tells of a drop (Cilium `pkg/hubble/dropeventemitter`)."""
    reason = str(flow["drop_reason_desc"]).lower()
    port = "ICMPv4" if connection.protocol == "ICMP" else f"{connection.protocol}/{connection.port}"
    if side.direction == "egress":
        return f"Outgoing packet dropped ({reason}) to {_told(connection.destination)} {port}."
    return f"Incoming packet dropped ({reason}) from {_told(connection.source)} {port}."


def _told(end: End) -> str:
    if end.pod:
        return f"{end.namespace}/{end.pod} ({end.ip})"
    known = {"reserved:host": "host", "reserved:remote-node": "remote-node"}
    name = next((word for label, word in known.items() if label in end.endpoint.labels), "world")
    return f"{name} ({end.ip})"


def _uuid(dice: random.Random) -> str:
    bits = f"{dice.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
