"""Flows whose verdict another rulebook turns: what a change would cut, and what it would let through."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tui.domain.cilium.model import Flow, Rulebook, Word
from tui.domain.cilium.verdict import verdict

MOST = 2_000  # different flows that are decided; more than that are of the same kind


class Turned(NamedTuple):
    """A flow that is decided otherwise than before. `seen`: how many like it were seen."""

    flow: Flow
    before: Word
    after: Word
    reason: str  # why, after the change
    seen: int = 1

    @property
    def cut(self) -> bool:
        """Whether it passed and would no longer."""
        return self.before == "allowed" and self.after == "denied"


def turned(
    before: Rulebook, after: Rulebook, flows: Iterable[Flow], later: Callable[[Flow], Flow] = lambda flow: flow
) -> list[Turned]:
    """The flows that are decided otherwise, those that are cut first. Ends with the same labels count as one.

    `later` gives a flow as it will be, where its ends get other labels.
    """
    alike: dict[object, list[Flow]] = {}
    for flow in flows:
        one, other = flow.source, flow.destination
        key = (one.labels, one.ip * (not one.labels or "reserved:world" in one.labels), other.labels)
        outside = other.ip if not other.labels or "reserved:world" in other.labels else ""
        alike.setdefault((key, outside, flow.port, flow.protocol, repr(flow.request)), []).append(flow)
        if len(alike) > MOST:
            break
    found = []
    for like in alike.values():
        was, now = verdict(before, like[0]), verdict(after, later(like[0]))
        if was.verdict != now.verdict:
            found.append(Turned(like[0], was.verdict, now.verdict, now.reason, len(like)))
    return sorted(found, key=lambda each: (not each.cut, -each.seen, each.flow.source.name, each.flow.destination.name))
