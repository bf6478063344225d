"""Flows that were seen: who, whom, on what port, what became of it and who says so. Values alone.

Names of fields and verdicts: Hubble `api/v1/flow/flow.proto`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

import msgspec

from tui.domain.cilium import model

VERDICTS = ("FORWARDED", "DROPPED", "ERROR", "AUDIT", "REDIRECTED", "TRACED", "TRANSLATED")
FAULTS = frozenset({"DROPPED", "ERROR", "AUDIT"})
# Drop reasons that policies cause (Cilium `bpf/lib/common.h`): nothing allows it, a rule denies it, no authentication.
DEFAULT_DENY, DENY_RULE, AUTHENTICATION = "POLICY_DENIED", "POLICY_DENY", "AUTH_REQUIRED"


class Party(msgspec.Struct, frozen=True, gc=False):
    """One end of a flow as Hubble knew it. All texts are foreign."""

    namespace: str = ""
    pod: str = ""
    workload: str = ""  # "web"; "" = not told
    workload_kind: str = ""
    labels: tuple[str, ...] = ()  # of its identity, sorted: "k8s:app=web", "reserved:host"
    ip: str = ""
    cluster: str = ""  # Cilium's cluster name
    identity: int = 0
    names: tuple[str, ...] = ()  # DNS names that were looked up for the address, without the last dot

    @property
    def reserved(self) -> tuple[str, ...]:
        """`host`, `remote-node`, `kube-apiserver`, `world` …: what of Cilium's own it is; () for a pod."""
        return tuple(label.removeprefix("reserved:").rstrip("=") for label in self.labels if label[:9] == "reserved:")

    @property
    def name(self) -> str:
        """As people call it: `shop/web-1`, `api.example.com`, `remote-node 10.0.9.9`, `8.8.8.8`; "" = not told."""
        if self.pod:
            return f"{self.namespace}/{self.pod}" if self.namespace else self.pod
        if self.workload:
            return f"{self.namespace}/{self.workload}" if self.namespace else self.workload
        if self.names:
            return self.names[0]
        kinds = [kind for kind in self.reserved if not kind.startswith("world")]
        return " ".join(part for part in ("+".join(kinds), self.ip) if part) or "+".join(self.reserved)

    @property
    def owner(self) -> str:
        """`shop/web` of a pod whose workload is told; else as `name`."""
        return f"{self.namespace}/{self.workload}" if self.workload else self.name

    def endpoint(self) -> model.Endpoint:
        """For the verdict engine. What a flow does not tell (the names of ports) is not there."""
        return model.Endpoint(labels=self.labels, name=self.name, ip=self.ip)


class Told(NamedTuple):
    """A policy that Hubble says has decided."""

    direction: str  # "ingress" | "egress"
    allowed: bool
    kind: str
    namespace: str
    name: str

    @property
    def words(self) -> str:
        """`shop/allow-web`, or `deny-all` for one that is cluster-wide."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Observed(msgspec.Struct, frozen=True, gc=False):
    """A flow that was seen, without what nobody needs afterwards."""

    time: float  # seconds since the epoch; 0.0 = not told
    verdict: str  # one of VERDICTS, or what else was written
    source: Party
    destination: Party
    direction: str = ""  # "ingress" | "egress": the side that saw it; "" = not told
    protocol: str = ""  # TCP, UDP, SCTP, ICMP, ICMPv6; "" = not told
    port: int = 0  # of the destination; for ICMP its type
    source_port: int = 0
    reply: bool | None = None  # None = nobody can tell
    reason: str = ""  # why it was dropped: POLICY_DENIED, …
    told: tuple[Told, ...] = ()
    request: model.Request | None = None
    layer7: str = ""  # in words: "POST /private 403", "DNS A api.example.com"
    event: int = 0  # 1 drop, 4 trace, 5 policy verdict, 129 layer 7
    node: str = ""

    @property
    def allowed(self) -> bool | None:
        """Whether the side that saw it let it pass; audited flows passed. None when the verdict says neither."""
        if self.verdict in ("FORWARDED", "REDIRECTED", "AUDIT"):
            return True
        return False if self.verdict == "DROPPED" else None

    @property
    def by_policy(self) -> bool:
        """Whether a policy denied it (audited flows: would have), and not some other reason."""
        if self.verdict == "AUDIT":
            return True
        above = self.event == 129 or self.request is not None  # the proxy gives no reason
        return self.verdict == "DROPPED" and (
            self.reason in (DEFAULT_DENY, DENY_RULE, AUTHENTICATION) or (above and not self.reason)
        )

    @property
    def key(self) -> Hashable:
        """Equal for flows about which policies decide alike: everything but when, where and from which port."""
        asked = self.request
        above = asked and (asked.method, asked.path, asked.host, asked.dns, asked.sni, *sorted(asked.headers.items()),
                           *sorted(asked.kafka.items()))  # fmt: skip
        return (
            self.source, self.destination, self.direction, self.protocol, self.port, self.verdict, self.reason,
            self.reply, self.event, above,
        )  # fmt: skip

    @property
    def answer(self) -> bool:
        """Whether it is reply traffic, which no policy decides about.

        Drops do not tell (Hubble `parser/threefour`): what a policy drops is a first packet, replies pass.
        """
        return bool(self.reply)

    @property
    def subject(self) -> Party:
        """The end whose policies decided: where it was seen."""
        return self.source if self.direction == "egress" else self.destination

    @property
    def peer(self) -> Party:
        """The other end."""
        return self.destination if self.direction == "egress" else self.source

    def flow(self) -> model.Flow:
        """For the verdict engine."""
        source, destination = self.source.endpoint(), self.destination.endpoint()
        return model.Flow(source, destination, self.port, self.protocol or "TCP", self.request)


class Lost(NamedTuple):
    """A gap: events that happened and that nobody recorded."""

    time: float
    events: int
    source: str = ""  # HUBBLE_RING_BUFFER, PERF_EVENT_RING_BUFFER …
    node: str = ""


Record = Observed | Lost
