"""Recorded flows put to the verdict engine: what policies say of them, and whether that is what happened.

A record is about one side: what the source's policies or the destination's policies did. That side alone is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from tui.domain.cilium import model
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.hubble.observed import Observed, Party

Known = Callable[[Party], model.Endpoint | None]
"""What a cluster knows of an end beyond the flow (labels, named ports); None when it does not know it."""


class Judged(NamedTuple):
    """What policies say of a record."""

    word: str  # "allowed" | "denied" | "unknown"; "" = policies do not decide about it
    reason: str
    side: model.Side | None = None  # None when nothing was asked, or both sides were
    verdict: model.Verdict | None = None

    def changes(self, record: Observed) -> bool:
        """Whether these policies would have decided otherwise than what was recorded."""
        return self.word in ("allowed", "denied") and bool(seen := recorded(record)) and self.word != seen


def recorded(record: Observed) -> str:
    """What policies decided about a flow when it was seen: "allowed", "denied", "" = it does not tell."""
    if record.by_policy:
        return "denied"
    return "allowed" if record.verdict in ("FORWARDED", "REDIRECTED") else ""


def judge(book: model.Rulebook, record: Observed, known: Known | None = None) -> Judged:
    """What the policies of a rulebook say of a recorded flow, on the side that recorded it."""
    if record.answer:
        return Judged("", "a reply: no policy decides about it")
    if not recorded(record):
        what = record.reason or record.verdict.lower() or "no verdict"
        return Judged("", f"{what}: not a policy's decision")
    if not record.protocol:
        return Judged("unknown", "the flow tells no protocol")
    ends = []
    for party in (record.source, record.destination):
        end = (known(party) if known is not None else None) or _alone(party)
        if end is None:
            return Judged("unknown", f"the flow tells no labels of {party.name or 'an end'}")
        ends.append(end)
    flow = model.Flow(ends[0], ends[1], record.port, record.protocol, record.request)
    book = _with_names(book, record)
    found = verdict(book, flow)
    judged = _of(found, record)
    for other in _as_named(book, flow, judged):
        if (again := _of(verdict(book, other), record)).word != judged.word:
            return Judged("unknown", f"{again.reason}, if its port has that name: a flow does not tell", again.side)
    return judged


def words(judged: Judged, record: Observed) -> str:
    """What policies say of a flow in a few words that say who says so: `default deny by shop/web (fleet)`.

    "" when policies do not decide about it.
    """
    if not judged.word:
        return ""
    lead = "now " if judged.changes(record) else ""
    side = judged.side
    if judged.word == "unknown" or side is None:
        return f"{lead}{judged.word} (fleet)"
    if side.because == "default deny":
        by = ", ".join(dict.fromkeys(each.name for each in side.enforced_by))
        return f"{lead}default deny{f' by {by}' if by else ''} (fleet)"
    if side.because == "not enforced":
        return f"{lead}allowed, no policy (fleet)"
    by = ", ".join(dict.fromkeys(each.name for each in side.where))
    return f"{lead}{judged.word}{f' by {by}' if by else f', {side.because}'} (fleet)"


def _of(found: model.Verdict, record: Observed) -> Judged:
    if not record.direction:
        return Judged(found.verdict, found.reason, None, found)
    side = found.ingress if record.direction == "ingress" else found.egress
    word = "allowed" if side.verdict == "n/a" else side.verdict
    return Judged(word, side.reason, side, found)


def _alone(party: Party) -> model.Endpoint | None:
    """The end as the flow alone tells it; None when that is not enough to know its identity."""
    if not party.labels and (party.pod or party.workload or not party.ip or party.identity not in (2, 9, 10)):
        return None
    return party.endpoint()


def _with_names(book: model.Rulebook, record: Observed) -> model.Rulebook:
    """The names that the flow itself says were looked up for its destination are known to have been learned."""
    names = record.destination.names
    if not names or not record.destination.ip or record.destination.pod:
        return book
    address = frozenset({record.destination.ip})
    held = book.surroundings.dns
    learned = {**(held or {}), **{name: (held or {}).get(name, frozenset()) | address for name in names}}
    return msgspec.structs.replace(book, surroundings=msgspec.structs.replace(book.surroundings, dns=learned))


def _as_named(book: model.Rulebook, flow: model.Flow, judged: Judged) -> Iterator[model.Flow]:
    """The same flow to a destination whose port has a name that rules use, when nobody knows the names it has."""
    if flow.destination.named_ports or (judged.word != "denied" and judged.word != "allowed"):
        return
    for name in _port_names(book):
        ends = msgspec.structs.replace(flow.destination, named_ports={f"{name}/{flow.protocol}": flow.port})
        yield msgspec.structs.replace(flow, destination=ends)


def _port_names(book: model.Rulebook) -> tuple[str, ...]:
    found = {ports.name for entry in book.entries for rule in entry.ports for ports in rule.ports or () if ports.name}
    return tuple(sorted(found))
