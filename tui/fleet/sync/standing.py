"""What is known about a cluster itself, and the record its row shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from tui.domain.cluster import Cluster, ClusterState, KindState, KindStatus
from tui.domain.obj import Meta
from tui.domain.ports import Context
from tui.domain.pulse import Meter, Pulse, Trouble

APPLICATIONS = "applications.argoproj.io"  # a cluster that has some is a hub


class Version(msgspec.Struct, rename="camel"):
    """What /version answers."""

    git_version: str = ""
    major: str = ""
    minor: str = ""

    @property
    def streams_lists(self) -> bool:
        """Streaming lists are on by default from Kubernetes 1.32 (API concepts: streaming lists)."""
        minor = "".join(char for char in self.minor if char.isdigit())
        return self.major == "1" and minor.isdigit() and int(minor) >= 32


class Uid(msgspec.Struct, frozen=True):
    uid: str = ""


class Namespace(msgspec.Struct):
    """The namespace kube-system, as far as it identifies a cluster."""

    metadata: Uid = Uid()


@dataclass(slots=True)
class Standing:
    """What is known about the cluster itself."""

    state: ClusterState = ClusterState.CONNECTING
    reason: str = ""
    since: float = 0.0
    retry_at: float = 0.0
    heard: float = 0.0
    version: str = ""
    uid: str = ""
    contexts: tuple[str, ...] = ()
    answered: bool = False
    found: int = 0  # times it has become live
    announced: float = 0.0  # when its row was last sent for being heard
    note: str = ""  # what happened to it that one should know while it is live
    noted: float = 0.0

    def stands(self, kinds: Mapping[str, KindStatus]) -> tuple[ClusterState, str]:
        """Its state and the reason: a cluster that answers and lets nothing be read is denied."""
        if self.state is ClusterState.LIVE and (said := _all_denied(kinds)):
            return ClusterState.DENIED, said
        return self.state, self.reason

    def record(self, context: Context, kinds: dict[str, KindStatus]) -> Cluster:
        """The cluster's record as of now."""
        state, reason = self.stands(kinds)
        applications = kinds.get(APPLICATIONS)
        return Cluster(
            metadata=Meta(name=context.name, uid=self.uid),
            state=state,
            reason=reason,
            since=self.since,
            retry_at=self.retry_at,
            heard=self.heard,
            version=self.version,
            uid=self.uid,
            server=context.server,
            contexts=self.contexts,
            hub=applications is not None and applications.objects > 0,
            kinds=kinds,
            note=self.note,
            noted=self.noted,
        )

    def pulse(self, context: Context, meter: Meter, kinds: Mapping[str, KindStatus]) -> Pulse:
        """The cluster at this moment, with what has been counted of it."""
        state, reason = self.stands(kinds)
        applications = kinds.get(APPLICATIONS)
        objects, absent, trouble = 0, 0, []
        for name, status in kinds.items():
            objects += status.objects
            if status.state is KindState.ABSENT:
                absent += 1
            elif status.state in _TROUBLE:
                trouble.append(Trouble(name, status.state, status.heard))
        return Pulse(
            cluster=context.name,
            server=context.server,
            state=state,
            reason=reason,
            since=self.since,
            heard=self.heard,
            retry_at=self.retry_at,
            hub=applications is not None and applications.objects > 0,
            objects=objects,
            kinds=len(kinds) - absent,
            trouble=tuple(trouble),
            watches=meter.watches,
            requests=meter.requests,
            errors=meter.errors,
            received=meter.received,
            latency=meter.latency,
            typical=meter.typical,
            reconnects=max(0, self.found - 1),
            ahead=meter.ahead,
            note=self.note,
        )


_TROUBLE = (KindState.DENIED, KindState.FAILED, KindState.STALE)  # a tuple: enums are slow to hash


def _all_denied(kinds: Mapping[str, KindStatus]) -> str:
    """The reason when every kind that exists is refused; "" when not."""
    reason = ""
    for status in kinds.values():
        if status.state is KindState.DENIED:
            reason = reason or status.reason
        elif status.state is not KindState.ABSENT:
            return ""
    return reason
