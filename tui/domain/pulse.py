"""How the fleet's clusters are doing, as numbers: what is sent to each of them, what comes back, and what is held."""

from __future__ import annotations

import msgspec

from tui.domain.cluster import ClusterState, KindState

RECENT = 32  # latencies that the typical one is taken from


class Meter:
    """Counts what passes between fleet and one API server. Written by the network thread, read by any."""

    __slots__ = ("_recent", "ahead", "answers", "errors", "latency", "received", "requests", "watches")

    def __init__(self) -> None:
        self.requests = 0  # sent, those that were repeated with a new identity too
        self.answers = 0
        self.errors = 0  # requests that failed or broke off, and refusals; what is absent or expired is an answer
        self.received = 0  # bytes of bodies, after decompression
        self.watches = 0  # streams open now
        self.latency = 0.0  # seconds until the last answer began; 0 = none yet
        self.ahead = 0.0  # seconds by which the server's clock is ahead of this machine's, as of its last answer
        self._recent: list[float] = []

    def answered(self, seconds: float, ahead: float | None = None) -> None:
        """An answer has begun so many seconds after its request; its date was so many seconds ahead, if it had one."""
        self.latency = seconds
        if ahead is not None:
            self.ahead = ahead
        if len(self._recent) < RECENT:
            self._recent.append(seconds)
        else:
            self._recent[self.answers % RECENT] = seconds
        self.answers += 1

    @property
    def typical(self) -> float:
        """The median of the last answers' latencies in seconds; 0 = none yet."""
        recent = sorted(self._recent)
        return recent[len(recent) // 2] if recent else 0.0


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """A kind that is denied, has failed, or is stale: its resource, and when its watch was last heard."""

    resource: str
    state: KindState
    heard: float = 0.0


class Pulse(msgspec.Struct, frozen=True, gc=False):
    """One cluster at one moment: where it stands, what is held of it, and what its API server was asked since start.

    Moments are seconds since the epoch with 0 = never, latencies seconds with 0 = none yet.
    """

    cluster: str
    server: str = ""
    state: ClusterState = ClusterState.CONNECTING
    reason: str = ""
    since: float = 0.0
    heard: float = 0.0
    retry_at: float = 0.0
    hub: bool = False
    objects: int = 0
    kinds: int = 0  # that are wanted, without those that the cluster does not serve
    trouble: tuple[Trouble, ...] = ()
    watches: int = 0
    requests: int = 0
    errors: int = 0
    received: int = 0
    latency: float = 0.0
    typical: float = 0.0
    reconnects: int = 0  # times it was lost and found again
    ahead: float = 0.0  # seconds by which its clock is ahead of this machine's; answers tell it to the second
    note: str = ""  # what happened to it that is no trouble by now
