"""What a change that nobody has applied yet would do to a cluster, and whether somebody should think twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from tui.domain.cilium.amending import (
    Amendment,
    Said,
    endpoint_after,
    key_of,
    policies_after,
    said,
    surroundings_after,
)
from tui.domain.cilium.grouping import Group
from tui.domain.cilium.model import Flow, Rulebook, Written
from tui.domain.cilium.reach import Reach
from tui.domain.cilium.rulebook import rulebook
from tui.domain.cilium.turning import Turned, turned

MOST_NAMED = 3  # flows and policies that a reason names


class Turn(NamedTuple):
    """Endpoints of a group for which something begins or ends, and how many of them."""

    group: Group
    endpoints: int


class ClusterImpact(msgspec.Struct, frozen=True):
    """What a change does in one cluster. Counts are of endpoints. `unknown` and `caveats` are sentences."""

    cluster: str
    policies: tuple[Said, ...] = ()
    closed: Mapping[str, tuple[Turn, ...]] = {}  # direction -> who is closed by default from then on
    opened: Mapping[str, tuple[Turn, ...]] = {}  # direction -> who no longer is
    freed: tuple[Turn, ...] = ()  # selected by policies now, and then by none
    taken: tuple[Turn, ...] = ()  # the other way round
    relabelled: int = 0  # endpoints that get other labels
    nothing: tuple[str, ...] = ()  # names of new and changed policies that select nothing
    rejected: tuple[tuple[str, str], ...] = ()  # (name, reason) of new and changed policies that Cilium rejects
    turned: tuple[Turned, ...] = ()  # flows seen lately that would be decided otherwise
    flows: int | None = None  # how many different ones were looked at; None: none are known
    unknown: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def cut(self) -> list[Turned]:
        """The flows that passed and would not any more."""
        return [each for each in self.turned if each.cut]

    @property
    def empty(self) -> bool:
        """Whether nothing is known to change."""
        return not (self.policies or self.relabelled or self.turned or self.closed or self.opened)


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
            for verb, names in (
                ("selects nothing", each.nothing),
                ("is rejected by Cilium", [f"{name} ({reason})" for name, reason in each.rejected]),
            ):
                found += [f"{name} {verb} in {each.cluster}" for name in names]
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

    @property
    def book(self) -> Rulebook:
        """Its rulebook."""
        return self.reach.book


def then(now: Now, change: Amendment) -> Then:
    """A cluster with a change applied. Takes time."""
    written = tuple(policies_after(now.written, change))
    book = rulebook(written, surroundings_after(now.reach.book.surroundings, change))
    put = {
        key: after for key, each in now.reach.endpoints.items() if (after := endpoint_after(each, change)) is not each
    }
    reach = now.reach.with_book(book)
    return Then(written, reach.changed(put) if put else reach, frozenset(put))


def impact_on(now: Now, change: Amendment, flows: Iterable[Flow] | None = None, no_flows: str = "") -> ClusterImpact:
    """What a change does in a cluster; `flows` were seen lately, None and why where nobody knows any. Takes time."""
    after = then(now, change)
    old, new = now.reach, after.reach
    different = tuple(said(now.written, after.written))
    touched = {each.key for each in different}
    named = {key_of(each): _name(each) for each in after.written}
    nothing = {(each.resource, each.namespace, each.name) for each in new.selecting_nothing()}
    invalid = {
        (each.where.resource, each.where.namespace, each.where.policy): each.reason for each in after.book.invalid
    }
    closed, opened = _defaults(old, new)
    free_before, free_after = set(old.unselected()), set(new.unselected())
    seen = list(flows) if flows is not None else None
    return ClusterImpact(
        now.cluster,
        different,
        closed,
        opened,
        _turns(new, free_after - free_before),
        _turns(new, free_before - free_after),
        len(after.relabelled),
        tuple(sorted(named[key] for key in touched & nothing if key in named)),
        tuple(sorted((named[key], reason) for key, reason in invalid.items() if key in touched and key in named)),
        tuple(turned(old.book, after.book, seen, lambda flow: _moved(flow, change))) if seen else (),
        len(seen) if seen is not None else None,
        change.unknown,
        (*now.caveats, *([f"What was talked about lately is not known: {no_flows}."] if no_flows else [])),
    )


def _name(written: Written) -> str:
    meta = written.policy.metadata
    return f"{meta.namespace}/{meta.name}".lstrip("/")


def _moved(flow: Flow, change: Amendment) -> Flow:
    """A flow with the labels that its ends will have."""
    source, destination = endpoint_after(flow.source, change), endpoint_after(flow.destination, change)
    return msgspec.structs.replace(flow, source=source, destination=destination)


def _defaults(old: Reach, new: Reach) -> tuple[dict[str, tuple[Turn, ...]], dict[str, tuple[Turn, ...]]]:
    """Who becomes closed by default, and who no longer is, by direction."""
    begins: dict[str, list[Hashable]] = {"ingress": [], "egress": []}
    stops: dict[str, list[Hashable]] = {"ingress": [], "egress": []}
    for key in old.endpoints:
        was, now = old.default_deny(key), new.default_deny(key)
        for direction in ("ingress", "egress"):
            on = getattr(was, direction), getattr(now, direction)
            if on == (False, True):
                begins[direction].append(key)
            elif on == (True, False):
                stops[direction].append(key)
    begun, stopped = (
        {direction: _turns(new, keys) for direction, keys in side.items() if keys} for side in (begins, stops)
    )
    return begun, stopped


def _turns(reach: Reach, keys: Iterable[Hashable]) -> tuple[Turn, ...]:
    counts = Counter(reach.group(key) for key in keys)
    return tuple(Turn(group, count) for group, count in sorted(counts.items(), key=lambda each: each[0].order))
