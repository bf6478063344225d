"""What a change of policies, or of anything else in a cluster, does to who may talk to whom.

    impact(before, after)          -> Impact    # two `Reach` values of one cluster: pairs, default deny, selection
    replay(before, after, flows)   -> Replay    # recorded `Flow` values: those whose verdict is another one

Only what changed is computed: the rows of classes of endpoints whose policies, or whose labels, are other ones. What is
told is bounded, and the counts are of everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from tui.domain.cilium.engine.verdict import verdict
from tui.domain.cilium.impacts.aligned import Aligned, Moved
from tui.domain.cilium.model import Direction, Endpoint, Flow, Invalid, Word
from tui.domain.cilium.reachability.classes import bits
from tui.domain.cilium.reachability.grouping import Group
from tui.domain.cilium.reachability.portset import PortSet
from tui.domain.cilium.reachability.reach import PolicyName, Reach
from tui.domain.cilium.reachability.rows import Answers, SidePorts

# What becomes of ports: no longer denied or unknown; no longer allowed or unknown; no longer certain; something is now
# asked above layer 4; nothing is asked any more.
Kind = Literal["allowed", "denied", "unknown", "restricted", "freed"]
KINDS: tuple[Kind, ...] = ("denied", "restricted", "allowed", "freed", "unknown")
_MANY = 4  # so many groups with one peer and the same ports are told as one


class Parties(NamedTuple):
    """One or more groups at one end."""

    groups: tuple[Group, ...]

    @property
    def outside(self) -> bool:
        """True for peers that are no endpoints; both are never together."""
        return self.groups[0].kind == "outside"

    @property
    def words(self) -> str:
        """`web in shop`, or `7 applications in shop`, `12 applications in 3 namespaces`, `5 peers outside`."""
        if len(self.groups) == 1:
            return self.groups[0].words
        if self.outside:
            return f"{_many(len(self.groups), 'peer')} outside"
        spaces = sorted({group.namespace for group in self.groups})
        place = spaces[0] if len(spaces) == 1 else f"{len(spaces)} namespaces"
        return f"{_many(len(self.groups), 'application')} in {place}"


class Change(NamedTuple):
    """One line: what becomes of the same ports between the same groups."""

    kind: Kind
    source: Parties
    destination: Parties
    ports: PortSet
    pairs: int  # of two endpoints, or of an endpoint and a peer outside

    @property
    def words(self) -> str:
        """`web in shop → db in data on TCP 5432: 12 pairs`."""
        where = f"{self.source.words} → {self.destination.words} on {self.ports.words}"
        return f"{where}: {_many(self.pairs, 'pair')}"


class Closing(NamedTuple):
    """Endpoints that become (`on`) or cease to be default-deny in a direction."""

    direction: Direction
    on: bool
    group: Group
    endpoints: int

    @property
    def words(self) -> str:
        """`web in shop becomes default-deny for ingress: 3 endpoints`."""
        verb = "becomes" if self.on else "is no longer"
        return f"{self.group.words} {verb} default-deny for {self.direction}: {_many(self.endpoints, 'endpoint')}"


class Selecting(NamedTuple):
    """Endpoints that a policy selects now (`now`) or no longer. `policy` None: that any policy at all selects."""

    policy: PolicyName | None
    now: bool
    group: Group
    endpoints: int

    @property
    def words(self) -> str:
        """`web in shop is no longer selected by shop/allow-web: 3 endpoints`."""
        verb = "is selected" if self.now else "is no longer selected"
        held = f"{self.policy.namespace}/{self.policy.name}".lstrip("/") if self.policy else "any policy"
        return f"{self.group.words} {verb} by {held}: {_many(self.endpoints, 'endpoint')}"


class Impact(NamedTuple):
    """What a change does. Every list but `changes` is whole."""

    changes: tuple[Change, ...]  # what is denied first, then by pairs
    more: int  # lines that are left out of `changes`
    pairs: dict[Kind, int]  # every pair of endpoints with a port that changed so; a pair can be of several kinds
    outside: dict[Kind, int]  # the same of an endpoint and a peer outside
    default_deny: tuple[Closing, ...]
    selection: tuple[Selecting, ...]
    selecting_nothing: tuple[PolicyName, ...]  # valid policies that select nothing and did not do so before
    invalid: tuple[Invalid, ...]  # policies that become invalid, or are new and invalid

    def __bool__(self) -> bool:
        return bool(self.changes or self.default_deny or self.selection or self.selecting_nothing or self.invalid)


def impact(before: Reach, after: Reach, most: int = 50) -> Impact:
    """What differs between two states of one cluster, in at most so many lines of changed pairs.

    Endpoints that are in one state alone are left out: what is told is the effect on those that stay.
    """
    both = Aligned(before, after)
    tally = _Tally(both)
    tally.run()
    changes = sorted(_merged(tally.found), key=lambda each: (KINDS.index(each.kind), -each.pairs, each.words))
    known = {_policy(each) for each in before.book.invalid}
    nothing = set(before.selecting_nothing())
    return Impact(
        tuple(changes[:most]),
        max(0, len(changes) - most),
        dict(tally.pairs),
        dict(tally.outside),
        tuple(_closings(both)),
        tuple(_selections(both)),
        tuple(each for each in after.selecting_nothing() if each not in nothing),
        tuple(each for each in after.book.invalid if _policy(each) not in known),
    )


def _policy(invalid: Invalid) -> PolicyName:
    return PolicyName(invalid.where.resource, invalid.where.namespace, invalid.where.policy)


@lru_cache(65536)
def differences(before: SidePorts, after: SidePorts) -> tuple[tuple[Kind, PortSet], ...]:
    """What became of which ports."""
    stayed = before.allowed & after.allowed
    found: list[tuple[Kind, PortSet]] = [
        ("allowed", after.allowed - before.allowed),
        ("denied", after.denied - before.denied),
        ("unknown", after.unknown - before.unknown),
        ("restricted", (after.conditional - before.conditional) & stayed),
        ("freed", (before.conditional - after.conditional) & stayed),
    ]
    return tuple((kind, ports) for kind, ports in found if ports)


class _Tally:
    """The changed pairs, counted by groups and ports."""

    def __init__(self, both: Aligned) -> None:
        self.both = both
        self.found: Counter[tuple[Kind, Group, Group, PortSet]] = Counter()
        self.pairs: Counter[Kind] = Counter()
        self.outside: Counter[Kind] = Counter()

    def run(self) -> None:
        """Rows of the sources that changed, then, from the other sources, columns of the destinations that did."""
        both = self.both
        sources, destinations = both.changed("egress"), both.changed("ingress")
        stayed = [Moved(slot, slot, both.sizes[slot]) for slot in bits(sources)]
        for source in (*stayed, *both.moved):
            rows = both.before.row_of_slot(source.before), both.after.row_of_slot(source.after)
            self._among(source, *rows, both.stay, out=True)
            for other in both.moved:
                itself = source.size if other is source else 0
                ports = _at(rows[0], other.before), _at(rows[1], other.after)
                self._note(source.after, other.after, source.size * other.size - itself, *ports)
        stayed = [Moved(slot, slot, both.sizes[slot]) for slot in bits(destinations)]
        for destination in (*stayed, *both.moved):
            columns = both.before.column_of_slot(destination.before), both.after.column_of_slot(destination.after)
            self._among(destination, *columns, both.stay & ~sources, out=False)

    def _among(self, end: Moved, before: Answers, after: Answers, among: int, out: bool) -> None:
        for mask, was in before:
            for held, now in after:
                if was is not now and (shared := mask & held & among) and differences(was, now):
                    for peer in bits(shared):
                        itself = end.size if peer == end.before == end.after else 0
                        ends = (end.after, peer) if out else (peer, end.after)
                        self._note(*ends, end.size * self.both.sizes[peer] - itself, was, now)

    def _note(self, source: int, destination: int, pairs: int, before: SidePorts, after: SidePorts) -> None:
        one, other = (self.both.after.group_of_slot(slot) for slot in (source, destination))
        if not pairs and one != other:
            return
        inside = self.both.after.classes
        totals = self.outside if (1 << source | 1 << destination) & inside.outside else self.pairs
        for kind, ports in differences(before, after):
            self.found[kind, one, other, ports] += pairs
            totals[kind] += pairs


def _at(row: Answers, slot: int) -> SidePorts:
    return next(ports for mask, ports in row if mask >> slot & 1)


# -- lines ---------------------------------------------------------------------------------------------------------


def _merged(found: Counter[tuple[Kind, Group, Group, PortSet]]) -> list[Change]:
    """Many groups that have the same ports with one other become one line; so do several that have the same such line.

    A group of one endpoint has no pair with itself and is not missed there: that would tell such lines apart.
    """
    lines = [
        Change(kind, Parties((one,)), Parties((other,)), ports, n) for (kind, one, other, ports), n in found.items()
    ]
    lines = _joined(lines, by_source=False, least=_MANY)
    lines = _joined(lines, by_source=True, least=_MANY)
    return [line for line in _joined(lines, by_source=True, least=2, several=True) if line.pairs]


def _joined(lines: Iterable[Change], by_source: bool, least: int, several: bool = False) -> list[Change]:
    """Lines that differ at one end only, joined there when there are enough of them; what is outside stays apart.

    `by_source`: they have the source in common. `several`: only where that is many groups already.
    """
    alike: dict[tuple[Kind, Parties, PortSet, bool], list[Change]] = {}
    for line in lines:
        common, other = (line.source, line.destination) if by_source else (line.destination, line.source)
        alike.setdefault((line.kind, common, line.ports, other.outside), []).append(line)
    found: list[Change] = []
    for (kind, common, ports, _), held in alike.items():
        if len(held) < least or (several and len(common.groups) == 1):
            found += held
            continue
        ends = (each.destination if by_source else each.source for each in held)
        others = Parties(tuple(sorted({group for end in ends for group in end.groups})))
        pairs = sum(each.pairs for each in held)
        found.append(Change(kind, *((common, others) if by_source else (others, common)), ports, pairs))
    return found


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# -- policies ------------------------------------------------------------------------------------------------------


def _closings(both: Aligned) -> Iterator[Closing]:
    """By group: the endpoints that become or cease to be default-deny."""
    found: Counter[tuple[Direction, bool, Group]] = Counter()
    for was, now, count in _ends(both):
        one, two = both.before.default_deny_of_slot(was), both.after.default_deny_of_slot(now)
        group = both.after.group_of_slot(now)
        if one.ingress != two.ingress:
            found["ingress", two.ingress, group] += count
        if one.egress != two.egress:
            found["egress", two.egress, group] += count
    for (direction, on, group), count in sorted(found.items(), key=lambda each: (not each[0][1], each[0])):
        yield Closing(direction, on, group, count)


def _selections(both: Aligned) -> Iterator[Selecting]:
    """By policy and group: the endpoints that it selects now, or no longer. Those of no policy at all come first."""
    found: Counter[tuple[PolicyName | None, bool, Group]] = Counter()
    was, now = both.before.policies(), both.after.policies()
    some = 0, 0
    for name in was.keys() | now.keys():
        masks = was.get(name, 0), now.get(name, 0)
        some = some[0] | masks[0], some[1] | masks[1]
        _compare(both, name, masks, found)
    _compare(both, None, some, found)
    order = sorted(found.items(), key=lambda each: (each[0][0] is not None, each[0][0] or (), each[0][1:]))
    for (policy, selected, group), count in order:
        yield Selecting(policy, selected, group, count)


def _compare(
    both: Aligned,
    name: PolicyName | None,
    masks: tuple[int, int],
    found: Counter[tuple[PolicyName | None, bool, Group]],
) -> None:
    for slot in bits((masks[0] ^ masks[1]) & both.inside):
        found[name, bool(masks[1] >> slot & 1), both.after.group_of_slot(slot)] += both.sizes[slot]
    for each in both.moved:
        one, two = masks[0] >> each.before & 1, masks[1] >> each.after & 1
        if one != two:
            found[name, bool(two), both.after.group_of_slot(each.after)] += each.size


def _ends(both: Aligned) -> Iterator[Moved]:
    """The endpoints whose policies may be other ones."""
    for slot in bits((both.changed("egress") | both.changed("ingress")) & both.inside):
        yield Moved(slot, slot, both.sizes[slot])
    yield from both.moved


# -- recorded flows ------------------------------------------------------------------------------------------------


class Replayed(NamedTuple):
    """Flows of the same two classes of endpoints, port and request, whose verdict changes alike."""

    flow: Flow  # the first of them
    before: Word
    after: Word
    flows: int
    reason: str  # why it is so afterwards


class Replay(NamedTuple):
    """What recorded flows would become. The counts are of every flow."""

    changed: tuple[Replayed, ...]  # what would be denied first, then by flows
    more: int  # lines that are left out of `changed`
    flows: int
    counts: dict[tuple[Word, Word], int]  # (before, after) -> flows, where these differ


def replay(before: Reach, after: Reach, flows: Iterable[Flow], most: int = 100) -> Replay:
    """The flows whose verdict is another one afterwards, in at most so many lines. The ends may be of any cluster."""
    judges = _Judge(before), _Judge(after)
    alike: dict[Hashable, tuple[Flow, int]] = {}
    total = 0
    for flow in flows:
        total += 1
        key = _sort_of(flow)
        first, seen = alike.get(key, (flow, 0))
        alike[key] = first, seen + 1
    named = port_names(before)
    for judge in judges:
        judge.know(named(flow) for flow, _ in alike.values())
    found: list[tuple[Flow, Word, Word, int]] = []
    counts: Counter[tuple[Word, Word]] = Counter()
    for flow, seen in alike.values():
        was, now = (judge.word(named(flow)) for judge in judges)
        if was != now:
            found.append((flow, was, now, seen))
            counts[was, now] += seen
    found.sort(key=lambda each: (each[2] != "denied", each[2] != "unknown", -each[3]))
    lines = (Replayed(*each, verdict(after.book, named(each[0])).reason) for each in found[:most])
    return Replay(tuple(lines), max(0, len(found) - most), total, dict(counts))


def port_names(reach: Reach) -> Callable[[Flow], Flow]:
    """Gives a flow as it was recorded the named ports of its destination, which no record tells.

    They are those of the endpoint by its name or, when it is gone, of one with the same labels.
    """
    ends = reach.endpoints.values()
    by_labels = {end.labels: end.named_ports for end in ends if end.named_ports}
    by_name = {end.name: end.named_ports for end in ends if end.name}

    def named(flow: Flow) -> Flow:
        end = flow.destination
        ports = end.named_ports or by_name.get(end.name, by_labels.get(end.labels, {}))
        if not ports:
            return flow
        return msgspec.structs.replace(flow, destination=msgspec.structs.replace(end, named_ports=ports))

    return named


def _end_of(end: Endpoint) -> Hashable:
    return end.labels, end.ip, tuple(sorted(end.named_ports.items()))


def _sort_of(flow: Flow) -> Hashable:
    asked = flow.request
    request = None if asked is None else msgspec.json.encode(asked, order="sorted")
    return _end_of(flow.source), _end_of(flow.destination), flow.port, flow.protocol, request


class _Judge:
    """Verdicts of flows by the compiled form; by the plain one where something is asked above layer 4."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def know(self, flows: Iterable[Flow]) -> None:
        """Give the ends of flows their classes."""
        ends = {_end_of(end): end for flow in flows for end in (flow.source, flow.destination)}
        self._reach = self._reach.changed({_Recorded(key): end for key, end in ends.items()})

    def word(self, flow: Flow) -> Word:
        """The verdict of a flow whose ends are known."""
        source, destination = _Recorded(_end_of(flow.source)), _Recorded(_end_of(flow.destination))
        found = self._reach.between(source, destination)
        if flow.request is not None and any(side.conditional.has(flow.port, flow.protocol) for side in found[:2]):
            return verdict(self._reach.book, flow).verdict
        if found.both.allowed.has(flow.port, flow.protocol):
            return "allowed"
        return "denied" if found.both.denied.has(flow.port, flow.protocol) else "unknown"


class _Recorded(NamedTuple):
    """The key of an end of recorded flows."""

    end: Hashable
