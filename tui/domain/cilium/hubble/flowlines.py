"""A flow as one line, and which lines somebody wants to see."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from tui.domain.cilium.hubble.observed import DEFAULT_DENY, FAULTS, Lost, Observed, Party, Record
from tui.domain.kinds.kind import Tone

WAYS = {"ingress": "in", "egress": "out"}
TONES = {
    "FORWARDED": Tone.GOOD,
    "REDIRECTED": Tone.GOOD,
    "DROPPED": Tone.BAD,
    "ERROR": Tone.BAD,
    "AUDIT": Tone.WARN,
}
REPLIES = {True: "←", False: "→", None: "↔"}


class Cells(NamedTuple):
    """The parts of a line behind its time. Texts are foreign."""

    verdict: str  # "forwarded", "dropped" …
    way: str  # "in", "out": the side that saw it
    source: str
    arrow: str  # → a request, ← a reply, ↔ nobody can tell
    destination: str
    port: str  # "TCP/8080", "ICMP type 8"
    layer7: str
    decided: str  # which policy, or why

    def __str__(self) -> str:
        return "  ".join(
            part
            for part in (
                f"{self.verdict:<9}",
                f"{self.way:<3}",
                f"{self.source} {self.arrow} {self.destination}",
                self.port,
                self.layer7,
                self.decided,
            )
            if part
        )


def cells(record: Record, decided: str | None = None) -> Cells:
    """The parts of a record's line; `decided` instead of what Hubble has told of policies."""
    if isinstance(record, Lost):
        lost = f"{record.events:,} events lost" if record.events != 1 else "1 event lost"
        where = f"{lost} in {record.source or 'Hubble'}{f' on {record.node}' if record.node else ''}"
        return Cells("gap", "", where, "", "", "", "", "what happened meanwhile is not known")
    way = "?" if not record.direction else WAYS[record.direction]
    arrow = REPLIES[record.reply if not (record.reply is None and record.by_policy) else False]
    return Cells(
        record.verdict.lower() or "?",
        way,
        _end(record.source),
        arrow,
        _end(record.destination),
        port(record),
        record.layer7,
        decision(record) if decided is None else decided,
    )


def _end(party: Party) -> str:
    """A name, with the address where the name is not the address's own."""
    if party.names and not party.pod and not party.workload and party.ip:
        return f"{party.name} ({party.ip})"
    return party.name or party.ip or "?"


def port(record: Observed) -> str:
    """`TCP/8080`, `ICMP type 8`; of a reply the port that it comes from. "" when the flow tells no protocol."""
    if record.protocol.startswith("ICMP"):
        return f"{record.protocol} type {record.port}"
    number = record.source_port if record.answer and record.source_port else record.port
    return f"{record.protocol}/{number}" if record.protocol else ""


def decision(record: Observed) -> str:
    """Which policies Hubble says decided, or its reason; "" when it says nothing."""
    denied = [told for told in record.told if not told.allowed]
    if denied and record.verdict not in ("FORWARDED", "REDIRECTED"):
        return f"denied by {', '.join(told.words for told in denied)}"
    if record.by_policy and not record.reason and record.request is not None:
        return "refused above layer 4"
    if record.verdict in FAULTS:
        return record.reason + (" (default deny)" if record.reason == DEFAULT_DENY else "")
    here = [told for told in record.told if told.allowed and told.direction in (record.direction, "")]
    named = here or [told for told in record.told if told.allowed]
    return f"allowed by {', '.join(told.words for told in named)}" if named else ""


class Wanted(msgspec.Struct, frozen=True):
    """Which records to show; empty fields do not narrow. Patterns are globs."""

    verdicts: frozenset[str] = frozenset()  # upper case
    namespace: str = ""  # of either end
    pod: str = ""  # of either end: "web-*", "shop/web-*"; a workload's name will do
    since: float = 0.0  # seconds since the epoch
    text: str = ""  # somewhere in the line, without case; "!text" = nowhere

    def admits(self, record: Record) -> bool:
        """Whether to show it. Gaps are always shown, unless they are too old: what was lost may have been wanted."""
        if self.since and 0.0 < record.time < self.since:
            return False
        if isinstance(record, Lost):
            return True
        if self.verdicts and record.verdict not in self.verdicts:
            return False
        ends = (record.source, record.destination)
        if self.namespace and not any(fnmatchcase(end.namespace, self.namespace) for end in ends):
            return False
        if self.pod and not any(_is(end, self.pod) for end in ends):
            return False
        return not self.text or self._has_text(record)

    def _has_text(self, record: Observed) -> bool:
        line = str(cells(record)).lower()
        if self.text.startswith("!"):
            return len(self.text) == 1 or self.text[1:].lower() not in line
        return self.text.lower() in line


def _is(end: Party, pattern: str) -> bool:
    if not end.pod and not end.workload:
        return False
    names = (end.pod, end.workload)
    if "/" in pattern:
        return any(name and fnmatchcase(f"{end.namespace}/{name}", pattern) for name in names)
    return any(name and fnmatchcase(name, pattern) for name in names)
