"""What a change that nobody has applied yet would do to a cluster, and whether somebody should think twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

import msgspec

from tui.domain.cilium.engine.rulebook import rulebook
from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.impacts.amending import (
    Amendment,
    Said,
    endpoint_after,
    key_of,
    policies_after,
    said,
    surroundings_after,
)
from tui.domain.cilium.impacts.impact import Impact, Replay, Replayed, impact, port_names, replay
from tui.domain.cilium.model import Flow, Written
from tui.domain.cilium.reachability.reach import Reach

MOST_NAMED = 3  # flows that a reason names


class ClusterImpact(msgspec.Struct, frozen=True):
    """What a change does in one cluster. `unknown` and `caveats` are sentences; None: it could not be worked out."""

    cluster: str
    policies: tuple[Said, ...] = ()
    effect: Impact | None = None
    flows: Replay | None = None  # of flows that were seen lately; None: none are known
    relabelled: int = 0  # endpoints that get other labels
    nothing: tuple[str, ...] = ()  # names of new and changed policies that select nothing
    rejected: tuple[tuple[str, str], ...] = ()  # (name, reason) of new and changed policies that Cilium rejects
    unknown: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def cut(self) -> list[Replayed]:
        """The flows that passed and would not any more."""
        return [each for each in self.flows.changed if _cut(each)] if self.flows is not None else []

    @property
    def empty(self) -> bool:
        """Whether nothing is known to change."""
        return not (self.policies or self.relabelled or self.effect or (self.flows and self.flows.changed))


def _cut(each: Replayed) -> bool:
    return (each.before, each.after) == ("allowed", "denied")


class DraftImpact(msgspec.Struct, frozen=True):
    """What a draft, or a text that is being edited, does in every cluster that it reaches."""

    clusters: tuple[ClusterImpact, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it has nothing to do with network policies, as far as that is known."""
        return not self.unknown and all(each.empty and not each.unknown for each in self.clusters)

    @property
    def alarms(self) -> tuple[str, ...]:
        """Why one should think twice, a line each: traffic that was seen is cut, policies do nothing."""
        found: list[str] = []
        for each in self.clusters:
            if cut := each.cut:
                named = ", ".join(flow_words(one.flow) for one in cut[:MOST_NAMED])
                more = f" and {len(cut) - MOST_NAMED} more" if len(cut) > MOST_NAMED else ""
                found.append(f"it cuts traffic seen in {each.cluster}: {named}{more}")
            found += [f"{name} selects nothing in {each.cluster}" for name in each.nothing]
            found += [f"{name} is rejected by Cilium in {each.cluster}: {reason}" for name, reason in each.rejected]
        return tuple(found)


def flow_words(flow: Flow) -> str:
    """`shop/web → data/db TCP/5432`."""
    return f"{flow.source.name or '?'} → {flow.destination.name or '?'} {flow.protocol}/{flow.port}"


class Now(NamedTuple):
    """A cluster as it is."""

    cluster: str
    written: tuple[Written, ...]
    reach: Reach
    caveats: tuple[str, ...] = ()


class Then(NamedTuple):
    """The same cluster once a change has been applied."""

    written: tuple[Written, ...]
    reach: Reach
    relabelled: frozenset[Hashable]


def then(now: Now, change: Amendment) -> Then:
    """A cluster with a change applied. Takes time."""
    written = tuple(policies_after(now.written, change))
    book = rulebook(written, surroundings_after(now.reach.book.surroundings, change))
    ends = now.reach.endpoints.items()
    put = {key: after for key, each in ends if (after := endpoint_after(each, change)) is not each}
    reach = now.reach.with_book(book)
    return Then(written, reach.changed(put) if put else reach, frozenset(put))


def impact_on(now: Now, change: Amendment, flows: Iterable[Flow] | None = None, no_flows: str = "") -> ClusterImpact:
    """What a change does in a cluster; `flows` were seen lately, None and why where nobody knows any. Takes time."""
    after = then(now, change)
    different = tuple(said(now.written, after.written))
    touched = {each.key for each in different}
    named = {key_of(each): _name(each) for each in after.written}
    nothing = {(each.resource, each.namespace, each.name) for each in after.reach.selecting_nothing()}
    invalid = {
        (each.where.resource, each.where.namespace, each.where.policy): each.reason for each in after.reach.book.invalid
    }
    return ClusterImpact(
        now.cluster,
        different,
        impact(now.reach, after.reach),
        _replayed(now.reach, after.reach, flows, change) if flows is not None else None,
        len(after.relabelled),
        tuple(sorted(named[key] for key in touched & nothing if key in named)),
        tuple(sorted((named[key], reason) for key, reason in invalid.items() if key in touched and key in named)),
        change.unknown,
        (*now.caveats, *([f"What was talked about lately is not known: {no_flows}."] if no_flows else [])),
    )


def _name(written: Written) -> str:
    meta = written.policy.metadata
    return f"{meta.namespace}/{meta.name}".lstrip("/")


def _replayed(before: Reach, after: Reach, flows: Iterable[Flow], change: Amendment) -> Replay:
    """Flows decided again; those of ends that get other labels one by one."""
    same: list[Flow] = []
    moved: list[Replayed] = []
    for flow in map(port_names(before), flows):
        source, destination = endpoint_after(flow.source, change), endpoint_after(flow.destination, change)
        if source is flow.source and destination is flow.destination:
            same.append(flow)
            continue
        later = msgspec.structs.replace(flow, source=source, destination=destination)
        was, now = verdict(before.book, flow), verdict(after.book, later)
        if was.verdict != now.verdict:
            moved.append(Replayed(flow, was.verdict, now.verdict, 1, now.reason))
    found = replay(before, after, same)
    return found._replace(changed=(*moved, *found.changed), flows=found.flows + len(moved))
