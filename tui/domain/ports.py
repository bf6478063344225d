"""What the runtime asks of the outside world, and the errors it may answer with. Adapters implement these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from tui.domain.tail import TailEvent


class Trouble(Exception):
    """The outside world said no. `str(error)` is one plain line that says what happened and, if known, what to do."""


class Unreachable(Trouble):
    """No answer: refused, timed out, TLS failure, name not found."""


class Unauthorized(Trouble):
    """401: credentials missing, expired or refused; one refresh has been tried."""


class Denied(Trouble):
    """403: these credentials may not read this."""


class Absent(Trouble):
    """404: the API server does not serve this resource, or the object is gone."""


class Gone(Trouble):
    """410: the resourceVersion or continue token is too old; list again."""


class Throttled(Trouble):
    """429 or 503; `retry_after` in seconds, 0 when the server did not say."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerError(Trouble):
    """Any other status, or an answer that is not what was asked for."""


class Context(msgspec.Struct, frozen=True):
    """A usable kubeconfig context, without any secret: what the tree, matching and `fleet doctor` need."""

    name: str
    cluster: str  # name of the kubeconfig's cluster entry
    user: str = ""
    namespace: str = ""
    server: str = ""
    ca_sha256: str = ""  # hex digest of the first CA certificate (DER); "" = none given
    identity: tuple[str, ...] = ()  # what exec arguments or names tell: EKS ARN tail, GKE location/name, --cluster-id
    source: str = ""  # file it was read from
    problem: str = ""  # why it cannot be used, in words; "" = usable


class Connection(Protocol):
    """One cluster, read only. All methods may raise any `Trouble`."""

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "application/json") -> bytes:
        """One GET, the whole body."""

    def stream(
        self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "application/json", quiet: float = 60.0
    ) -> AsyncIterator[bytes]:
        """One GET, the body in chunks as they arrive; `quiet` seconds without a byte are Unreachable."""

    async def review(self, kind: str, body: Mapping[str, object]) -> bytes:
        """POST to `selfsubject{access,rules}reviews` (`kind` is that plural), the only POST: it stores nothing."""

    async def close(self) -> None:
        """Give up every request and socket."""


class Clusters(Protocol):
    """All contexts of the kubeconfigs."""

    def contexts(self) -> Sequence[Context]:
        """Every context that was asked for, broken ones too (with `problem`)."""

    def connect(self, context: str) -> Connection:
        """A connection; nothing is sent before its first request."""


class EventKeeper(Protocol):
    """Keeps the event tail beyond this run."""

    problem: str  # why events are not being kept, in words; "" = they are

    def read(self, since: float, most: int) -> list[TailEvent]:
        """Kept events at or after `since`, oldest first. Blocks: call it off the loop."""

    def append(self, events: Sequence[TailEvent]) -> None:
        """Keep these; returns at once."""

    def close(self) -> None:
        """Write what is queued. Blocks."""


class Clock(Protocol):
    """Time as the runtime sees it, so that tests and screenshots can hold it still."""

    def now(self) -> float:
        """Seconds since the epoch."""
