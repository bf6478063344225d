"""One line of the tail from one fact about an Application, and the key by which the same fact is known again.

A key is `fact|uid|detail`. `fact` is what Events and status can both tell; `detail` tells apart two facts of one kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2s
from typing import NamedTuple

from tui.domain import when
from tui.domain.argo.application import RESOURCE, Application, Initiator, Operation, ResourceStatus, short
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.domain.tail import TailEvent

AUTO_SYNC = "auto-sync"
KARGO = "kargo.akuity.io/promotion"
_NAMED = 3  # resources named in one line before the rest is only counted
_SAME_MOMENT = 2.0  # seconds; the times Argo CD writes are whole seconds, too coarse to order what follows closely
_SHA = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")

HEALTH_TONES = {
    "Healthy": Tone.GOOD,
    "Progressing": Tone.BUSY,
    "Degraded": Tone.BAD,
    "Missing": Tone.WARN,
    "Suspended": Tone.PAUSED,
}
SYNC_TONES = {"Synced": Tone.GOOD, "OutOfSync": Tone.WARN}
PHASE_REASONS = {
    "Succeeded": ("SyncSucceeded", Tone.GOOD),
    "Failed": ("SyncFailed", Tone.BAD),
    "Error": ("SyncError", Tone.BAD),
    "Terminating": ("SyncTerminating", Tone.WARN),
    "Running": ("SyncStarted", Tone.BUSY),
}


class Subject(NamedTuple):
    """The Application that facts are about, where it lives and when they were heard."""

    cluster: str
    namespace: str
    name: str
    uid: str
    now: float

    def line(
        self,
        reason: str,
        message: str,
        fact: str,
        detail: str = "",
        at: str | float | None = None,
        revision: str = "",
        actor: str = "",
        tone: Tone = Tone.PLAIN,
        source: str = "status",
    ) -> TailEvent:
        """One event. `at` is the time of the fact itself, RFC 3339 or seconds.

        A fact without a time, and one that has just happened, is dated when it was heard: so the tail keeps the order
        in which things were written.
        """
        moment = when.seconds(at) if isinstance(at, str) else at
        if moment is not None and abs(moment - self.now) <= _SAME_MOMENT:
            moment = None
        return TailEvent(
            time=self.now if moment is None else moment,
            cluster=self.cluster,
            application=f"{self.namespace}/{self.name}",
            reason=reason,
            message=" ".join(shorten(message).split()),
            revision=revision,
            actor=actor,
            source=source,
            tone=tone,
            ref=Ref(self.cluster, RESOURCE, self.namespace, self.name),
            key=f"{fact}|{self.uid or f'{self.cluster}/{self.namespace}/{self.name}'}|{detail}",
        )


def subject(app: Application, cluster: str, now: float) -> Subject:
    """Who these facts are about."""
    meta = app.metadata
    return Subject(cluster, meta.namespace, meta.name, meta.uid, now)


def fact_of(event: TailEvent) -> str:
    """The kind of fact an event tells, the same from every source; "" for events of fleet's own."""
    return event.key.partition("|")[0] if "|" in event.key else ""


def shorten(text: str) -> str:
    """The text with its commit ids in seven digits."""
    return _SHA.sub(lambda found: short(found[0]), text)


def digest(text: str) -> str:
    """A short stable name of a text, for keys."""
    return blake2s(text.encode("utf-8", "replace"), digest_size=6).hexdigest()


def actor_of(initiator: Initiator, operation: Operation | None = None) -> str:
    """Who started an operation: a user, `auto-sync`, `kargo`, `applicationset-controller`; "" when not known."""
    if operation is not None and any(each.name == KARGO for each in operation.info or ()):
        return "kargo"
    if initiator.username:
        return initiator.username
    return AUTO_SYNC if initiator.automated else ""


def move(before: str, after: str) -> str:
    """`Synced → OutOfSync`; only the new word when there was none before."""
    return f"{before} → {after}" if before else after


def resource_name(kind: str, namespace: str, name: str) -> str:
    """`Deployment shop/checkout`."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def naming(resources: Iterable[ResourceStatus]) -> str:
    """`Deployment shop/a, Service shop/b and 4 more`."""
    names = [resource_name(each.kind, each.namespace, each.name) for each in resources]
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def joined(revisions: Iterable[str]) -> str:
    """Revisions, short, joined by ", "."""
    return ", ".join(short(revision) for revision in revisions)
