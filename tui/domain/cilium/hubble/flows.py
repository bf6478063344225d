"""Flows as Hubble's exporter writes them: lines of JSON, in a file or between the log lines of a cilium-agent.

Format: Hubble `api/v1/flow/flow.proto` and `observer.proto` as JSON with the names of the protocol (`pod_name`) or with
those of protobuf's default mapping (`podName`). Nothing here trusts a line: it may be cut, huge, or no JSON at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tui.domain import when
from tui.domain.cilium import model
from tui.domain.cilium.hubble.observed import (
    AUTHENTICATION,
    DEFAULT_DENY,
    DENY_RULE,
    VERDICTS,
    Lost,
    Observed,
    Party,
    Record,
    Told,
)

LONGEST = 1 << 20  # bytes of one line; a flow takes 1 to 4 KiB
REMEMBERED = 8_192  # ends of flows that share their texts in memory
SHARED = 8_192  # bytes: larger ends are no ordinary pods and are not remembered
_REASONS = {133: DEFAULT_DENY, 181: DENY_RULE, 189: AUTHENTICATION}
_DIRECTIONS: dict[object, str] = {"INGRESS": "ingress", "EGRESS": "egress", 1: "ingress", 2: "egress"}
_LAYER4 = (("TCP", "TCP"), ("UDP", "UDP"), ("SCTP", "SCTP"), ("ICMPv4", "ICMP"), ("ICMPv6", "ICMPv6"))
_MARKS = (b'"flow"', b'"lost_events"', b'"lostEvents"', b'"verdict"', b'\\"flow\\"')
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_CAMELS = tuple(
    f'"{name}"'.encode()
    for name in ("podName", "nodeName", "trafficDirection", "isReply", "sourcePort", "destinationPort", "eventType",
                 "clusterName", "dropReasonDesc", "numEventsLost")
)  # fmt: skip
_BARE = re.compile(rb'\{\s*"(?:flow|lost_events|lostEvents)"\s*:')


class Unreadable(ValueError):
    """A line that says it is a flow and cannot be read as one."""


class _Flow(msgspec.Struct, gc=False):
    """The fields that are read; anything may stand in any of them. Ends stay text: most of them are known already."""

    time: Any = None
    verdict: Any = None
    drop_reason: Any = None
    drop_reason_desc: Any = None
    IP: Any = None
    l4: Any = None
    source: msgspec.Raw = msgspec.Raw()
    destination: msgspec.Raw = msgspec.Raw()
    source_names: Any = None
    destination_names: Any = None
    node_name: Any = None
    l7: Any = None
    is_reply: Any = None
    reply: Any = None
    event_type: Any = None
    traffic_direction: Any = None
    ingress_allowed_by: Any = None
    ingress_denied_by: Any = None
    egress_allowed_by: Any = None
    egress_denied_by: Any = None


class _Line(msgspec.Struct, gc=False):
    """What the exporter wraps a flow in, or a log collector its line."""

    flow: _Flow | None = None
    lost_events: Any = None
    node_name: Any = None
    time: Any = None
    log: Any = None
    message: Any = None


class Decoder:
    """Lines to records. Ends that occur again share their memory: a ring of flows is mostly the same few pods."""

    def __init__(self) -> None:
        self._parties: dict[tuple[bytes, str, tuple[str, ...]], Party] = {}
        self._line = msgspec.json.Decoder(_Line).decode
        self._bare = msgspec.json.Decoder(_Flow).decode

    def line(self, line: bytes) -> Record | None:
        """The flow or gap that a line of the exporter or of a log holds; None when it holds none. Raises Unreadable."""
        if not any([mark in line for mark in _MARKS]):
            return None
        start = line.find(b"{")
        if start < 0:
            return None
        if start and (found := _BARE.search(line)) is not None:
            start = found.start()  # behind a time stamp, a pod's name, or what else a log collector puts in front
        text = line[start:].strip()
        try:
            return self._record(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if _BARE.match(text) is None:
                return None  # some other line that mentions a flow
            raise Unreadable(" ".join(str(error).split())[:200]) from None

    def _record(self, text: bytes) -> Record | None:
        if any([name in text for name in _CAMELS]):
            text = msgspec.json.encode(_renamed(msgspec.json.decode(text)))
        held = self._line(text)
        if held.flow is not None:
            return self._flow(held.flow, held)
        if isinstance(held.lost_events, dict):
            lost = held.lost_events
            count, source = _number(lost.get("num_events_lost")), _text(lost.get("source"))
            return Lost(_time(held.time), count, source, _text(held.node_name))
        for inner in (held.log, held.message):  # as container runtimes and log collectors wrap a line
            if isinstance(inner, str) and inner.lstrip().startswith("{"):
                return self.line(inner.lstrip().encode("utf-8", "replace"))
        if b'"verdict"' in text and (b'"IP"' in text or b'"l4"' in text or b'"source"' in text):
            bare = self._bare(text)
            return self._flow(bare, held) if bare.verdict is not None else None
        return None

    def _flow(self, flow: _Flow, held: _Line) -> Observed:
        layer7, request = _layer7(_dict(flow.l7)) if flow.l7 else ("", None)
        protocol, source_port, port, syn = _layer4(_dict(flow.l4))
        ip = _dict(flow.IP)
        reply = flow.is_reply if flow.is_reply is not None else flow.reply
        verdict = flow.verdict
        if isinstance(verdict, int) and not isinstance(verdict, bool):
            verdict = VERDICTS[verdict - 1] if 0 < verdict <= len(VERDICTS) else ""
        reason = _text(flow.drop_reason_desc)
        if not reason and (number := _number(flow.drop_reason)):
            reason = _REASONS.get(number, f"drop reason {number}")
        return Observed(
            time=_time(flow.time) or _time(held.time),
            verdict=_text(verdict).upper(),
            source=self._party(flow.source, _text(ip.get("source")), flow.source_names),
            destination=self._party(flow.destination, _text(ip.get("destination")), flow.destination_names),
            direction=_direction(flow.traffic_direction),
            protocol=protocol,
            port=port,
            source_port=source_port,
            reply=reply if isinstance(reply, bool) else syn,
            reason="" if reason == "DROP_REASON_UNKNOWN" else reason,
            told=_told(flow),
            request=request,
            layer7=layer7,
            event=_number(flow.event_type.get("type") if isinstance(flow.event_type, dict) else flow.event_type),
            node=_text(flow.node_name) or _text(held.node_name),
        )

    def _party(self, raw: msgspec.Raw, ip: str, names: Any) -> Party:
        looked_up = () if not names else tuple(
            [name.rstrip(".") for name in _list(names) if isinstance(name, str) and name.rstrip(".")]
        )  # fmt: skip
        key = bytes(raw), ip, looked_up
        if (known := self._parties.get(key)) is not None:
            return known
        held = _dict(msgspec.json.decode(raw)) if key[0] else {}
        workload = next((each for each in _list(held.get("workloads")) if isinstance(each, dict)), {})
        party = Party(
            namespace=_text(held.get("namespace")),
            pod=_text(held.get("pod_name")),
            workload=_text(workload.get("name")),
            workload_kind=_text(workload.get("kind")),
            labels=tuple(sorted(label for label in _list(held.get("labels")) if isinstance(label, str))),
            ip=ip,
            cluster=_text(held.get("cluster_name")),
            identity=_number(held.get("identity")),
            names=looked_up,
        )
        if len(key[0]) < SHARED:
            if len(self._parties) >= REMEMBERED:
                self._parties.clear()
            self._parties[key] = party
        return party


class Lines:
    """Chunks of bytes to records, whatever their sizes: holds one line at most, and counts what it could not use."""

    def __init__(self, decoder: Decoder | None = None, longest: int = LONGEST) -> None:
        self._decoder = decoder or Decoder()
        self.longest = longest
        self._rest = bytearray()
        self._skipping = False  # inside a line that is too long
        self.flows = self.gaps = self.others = self.unreadable = self.too_long = 0
        self.problem = ""  # of the last unreadable line

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """The records of all lines that a chunk ends."""
        head, newline, rest = chunk.partition(b"\n")
        if not newline:
            self._keep(head)
            return
        self._keep(head)
        first, self._rest = bytes(self._rest), bytearray()
        if not self._skipping:
            yield from self._take(first)
        self._skipping = False
        lines = rest.split(b"\n")
        last = lines.pop()
        for line in lines:
            if len(line) > self.longest:
                self.too_long += 1
            else:
                yield from self._take(line)
        self._keep(last)

    def end(self) -> Iterator[Record]:
        """The record of a last line that has no end, when it is whole."""
        rest, self._rest = bytes(self._rest), bytearray()
        if not self._skipping:
            yield from self._take(rest)
        self._skipping = False

    def _keep(self, piece: bytes) -> None:
        if self._skipping:
            return
        if len(self._rest) + len(piece) > self.longest:
            self._rest, self._skipping = bytearray(), True
            self.too_long += 1
            return
        self._rest += piece

    def _take(self, line: bytes) -> Iterator[Record]:
        if not line or line.isspace():
            return
        try:
            record = self._decoder.line(line)
        except Unreadable as error:
            self.unreadable += 1
            self.problem = str(error)
            return
        if record is None:
            self.others += 1
        elif isinstance(record, Lost):
            self.gaps += 1
            yield record
        else:
            self.flows += 1
            yield record


def read(lines: Iterable[bytes]) -> Iterator[Record]:
    """The records of lines; what cannot be read is left out."""
    framer = Lines()
    for line in lines:
        yield from framer.feed(line if line.endswith(b"\n") else line + b"\n")


# -- parts of a flow, whatever they are ---------------------------------------------------------------------------


def _renamed(value: Any) -> Any:
    """The same with the protocol's names at every level; protobuf's own mapping writes `podName` for `pod_name`."""
    if isinstance(value, dict):
        return {
            _CAMEL.sub(r"_\1", key).lower() if key[:1].islower() else key: _renamed(each)  # ICMPv4 and IP stay
            for key, each in value.items()
        }
    return [_renamed(each) for each in value] if isinstance(value, list) else value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    """An integer; 64-bit ones are strings in protobuf's JSON. 0 when it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _time(value: Any) -> float:
    if isinstance(value, dict):
        return float(_number(value.get("seconds"))) + _number(value.get("nanos")) / 1e9
    return when.seconds(value) or 0.0 if isinstance(value, str) else 0.0


def _direction(value: Any) -> str:
    return _DIRECTIONS.get(value, "") if isinstance(value, str | int) else ""


def _layer4(held: dict[str, Any]) -> tuple[str, int, int, bool | None]:
    """(protocol, source port, destination port or ICMP type, whether TCP's first packets say it is a reply)."""
    for name, protocol in _LAYER4:
        part = held.get(name)
        if not isinstance(part, dict):
            continue
        if name.startswith("ICMP"):
            return protocol, 0, _number(part.get("type")), None
        flags = _dict(part.get("flags"))
        reply = bool(flags.get("ACK")) if flags.get("SYN") else None
        return protocol, _number(part.get("source_port")), _number(part.get("destination_port")), reply
    return "", 0, 0, None


def _layer7(held: dict[str, Any]) -> tuple[str, model.Request | None]:
    """(in words, as the engine asks it) of what was seen above layer 4."""
    if http := _dict(held.get("http")):
        method, url, code = _text(http.get("method")), _text(http.get("url")), _number(http.get("code"))
        try:
            parts = urlsplit(url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            host = parts.netloc
        except ValueError:
            path, host = url, ""
        headers = {
            _text(each.get("key")): _text(each.get("value"))
            for each in _list(http.get("headers"))
            if isinstance(each, dict)
        }
        words = " ".join(part for part in (method, path if url else "", str(code) if code else "") if part)
        return words or "HTTP", model.Request(method=method, path=path, host=host, headers=headers)
    if dns := _dict(held.get("dns")):
        query = _text(dns.get("query")).rstrip(".")
        types = ",".join(each for each in _list(dns.get("qtypes")) if isinstance(each, str))
        ips = [each for each in _list(dns.get("ips")) if isinstance(each, str)]
        answer = f"→ {', '.join(ips[:3])}{' …' if len(ips) > 3 else ''}" if ips else ""
        code = _number(dns.get("rcode"))
        failed = {2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}.get(code, f"rcode {code}" if code else "")
        return " ".join(part for part in ("DNS", types, query, answer, failed) if part), model.Request(dns=query)
    if kafka := _dict(held.get("kafka")):
        topic, key = _text(kafka.get("topic")), _text(kafka.get("api_key"))
        error = _number(kafka.get("error_code"))
        words = " ".join(part for part in ("Kafka", key, topic, f"error {error}" if error else "") if part)
        return words, model.Request(kafka={"topic": topic, "apiKey": key})
    return "", None


def _told(flow: _Flow) -> tuple[Told, ...]:
    """`ingress_allowed_by`, `egress_allowed_by` (Cilium 1.15 and later), `…_denied_by` (1.16 and later)."""
    found: list[Told] = []
    for direction, allowed, policies in (
        ("ingress", False, flow.ingress_denied_by),
        ("ingress", True, flow.ingress_allowed_by),
        ("egress", False, flow.egress_denied_by),
        ("egress", True, flow.egress_allowed_by),
    ):
        for each in _list(policies) if policies else ():
            if isinstance(each, dict) and (policy := _text(each.get("name"))):
                kind, namespace = _text(each.get("kind")), _text(each.get("namespace"))
                found.append(Told(direction, allowed, kind, namespace, policy))
    return tuple(found)
