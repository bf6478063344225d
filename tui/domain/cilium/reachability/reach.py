"""Who may talk to whom on which ports: the compiled form of a rulebook over every endpoint of a cluster.

    reach = Reach(book, endpoints)                      # Rulebook, {key: Endpoint}; keys are any hashable values
    reach = reach.with_book(other)                      # after a change of policies: only what they select is redone
    reach = reach.put(key, endpoint).remove(key)        # after a change of an endpoint
    reach = reach.changed({key: endpoint}, [key])       # after many: one step for all

    reach.between(a, b)          -> PairPorts           # egress, ingress, both: allowed, denied, unknown, conditional
    reach.reachable_from(keys)   -> tuple[Line, ...]    # whom they may reach, by application (or by="namespace")
    reach.reaching(keys)         -> tuple[Line, ...]    # who may reach them
    reach.members(line)          -> list[Key]           # the endpoints of a line
    reach.default_deny(key)      -> DefaultDeny         # per direction, with the entries that switched it on
    reach.selected_by(key)       -> tuple[Where, ...]   # the entries that select an endpoint
    reach.selects(policy)        -> list[Key]           # the endpoints that a policy selects
    reach.unselected()           -> list[Key]           # endpoints that no policy selects
    reach.selecting_nothing()    -> list[PolicyName]    # policies that select no endpoint
    reach.pairs()                -> Pairs               # every ordered pair of endpoints counted
    reach.row(key)               -> Answers             # an endpoint's answer towards every class: (mask, SidePorts)

A `Reach` is a value: a change gives another one and leaves the first as it was, so that both can be compared
(`impact`) and read in several threads. What did not change is shared. Its answers are those of `verdict` for a flow
without a request, for every pair, port and protocol; a port on which something is asked above layer 4 is allowed and
`conditional`.

Besides the endpoints there are peers outside, whose keys are `Outside` values: the reserved identities, every prefix
that policies name (without the prefixes inside it) and every name of a toFQDNs rule (an address that DNS told for it
and that no prefix names). They stand in the answers of `reachable_from` and `reaching`, can be asked about by key, and
are never counted as endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from tui.domain.cilium.model import Direction, Endpoint, Rulebook, Where
from tui.domain.cilium.reachability.classes import Classes, EndpointClass, Key, bits, class_of
from tui.domain.cilium.reachability.compiled import Compiled
from tui.domain.cilium.reachability.grouping import By, Group, group_of
from tui.domain.cilium.reachability.outside import outside
from tui.domain.cilium.reachability.rows import Answers, Columns, SidePorts, audited, both, crossed

Sides = Literal["both", "egress", "ingress"]


class PolicyName(NamedTuple):
    """What tells a policy from others."""

    resource: str
    namespace: str
    name: str


class PairPorts(NamedTuple):
    """What becomes of each port from one end to another; to pass, a port must pass both sides."""

    egress: SidePorts
    ingress: SidePorts
    both: SidePorts


class DefaultDeny(NamedTuple):
    """The directions in which an endpoint lets pass only what is allowed, and the entries that make it so.

    No entry makes it so where the enforcement mode or the identity does.
    """

    ingress: bool
    egress: bool
    ingress_by: tuple[Where, ...] = ()
    egress_by: tuple[Where, ...] = ()


class Line(NamedTuple):
    """One line of an answer about some endpoints: their peers of one group that have the same ports."""

    group: Group
    ports: SidePorts
    peers: int  # how many
    pairs: int  # of an asked endpoint and a peer
    mask: int  # the peers' classes: `Reach.members` names the endpoints
    itself: frozenset[Key] = frozenset()  # asked endpoints of these classes that are no peers: only themselves asked


class Pairs(NamedTuple):
    """Ordered pairs of different endpoints, by what passes both sides."""

    open: int  # every port allowed
    some: int  # some ports allowed
    unknown: int  # no port allowed for certain, some unknown
    closed: int  # every port denied


class Reach:
    """A rulebook over the endpoints of one cluster. See the module."""

    def __init__(self, book: Rulebook, endpoints: Mapping[Key, Endpoint]) -> None:
        """`endpoints`: every one of the cluster, and whatever other ends are to be asked about."""
        around = book.surroundings
        known: dict[Key, EndpointClass] = {key: class_of(each, around) for key, each in endpoints.items()}
        self.book = book
        self.classes = Classes(around).changed({**known, **outside(book)})
        self._endpoints = dict(endpoints)
        self.compiled = Compiled(book, self.classes)
        self._columns: dict[Direction, Columns] = {}
        self._groups: dict[tuple[By, int], Group] = {}

    # -- changes ---------------------------------------------------------------------------------------------------

    def with_book(self, book: Rulebook) -> Reach:
        """The same endpoints under another rulebook. What only unchanged entries decide is not looked at again."""
        now, then = book.surroundings, self.book.surroundings
        if (now.settings, now.cidr_groups) != (then.settings, then.cidr_groups):
            return Reach(book, self._endpoints)
        known, wanted = outside(self.book), outside(book)
        classes = self.classes
        if known != wanted:
            put: dict[Key, EndpointClass] = {key: each for key, each in wanted.items() if known.get(key) != each}
            classes = classes.changed(put, known.keys() - wanted.keys())
        return self.over(book, classes, self._endpoints)

    def put(self, key: Key, endpoint: Endpoint) -> Reach:
        """With an endpoint added or changed."""
        return self.changed({key: endpoint})

    def remove(self, key: Key) -> Reach:
        """Without an endpoint; the same when there is none."""
        return self.changed({}, [key])

    def changed(self, put: Mapping[Key, Endpoint], removed: Iterable[Key] = ()) -> Reach:
        """With endpoints added or changed (`put`) and others removed, in one step."""
        around = self.book.surroundings
        endpoints = self._endpoints.copy()
        gone = [key for key in removed if endpoints.pop(key, None) is not None]
        endpoints.update(put)
        classes = self.classes.changed({key: class_of(each, around) for key, each in put.items()}, gone)
        return self.over(self.book, classes, endpoints)

    def over(self, book: Rulebook, classes: Classes, endpoints: dict[Key, Endpoint] | None = None) -> Reach:
        """The same over classes made from its own; settings and CIDR groups of the book must be its own too."""
        found = object.__new__(Reach)
        found.book, found.classes = book, classes
        found._endpoints = self._endpoints if endpoints is None else endpoints
        same = classes.lineage is self.classes.lineage
        found.compiled = self.compiled.changed(book, classes) if same else Compiled(book, classes)
        found._columns = {}
        found._groups = self._groups if same and len(classes.slots) == len(self.classes.slots) else {}
        return found

    # -- pairs -----------------------------------------------------------------------------------------------------

    def between(self, source: Key, destination: Key) -> PairPorts:
        """What becomes of each port from one end to another. Raises KeyError for an end that is not known."""
        one, other = self.classes.slot(source), self.classes.slot(destination)
        egress, ingress = self.compiled.cell(one, "egress", other), self.compiled.cell(other, "ingress", one)
        return PairPorts(egress, ingress, self._passing(egress, ingress))

    def row(self, key: Key, sides: Sides = "both") -> Answers:
        """What becomes of each port from an end to every class, as disjoint masks. Raises KeyError."""
        return self.row_of_slot(self.classes.slot(key), sides)

    def column(self, key: Key, sides: Sides = "both") -> Answers:
        """What becomes of each port from every class to an end, as disjoint masks. Raises KeyError."""
        return self.column_of_slot(self.classes.slot(key), sides)

    def row_of_slot(self, slot: int, sides: Sides = "both") -> Answers:
        """`row` of a class."""
        if sides == "egress":
            return self.compiled.row(slot, "egress")
        turned = self._turned("ingress").at(slot)
        return turned if sides == "ingress" else crossed(self.compiled.row(slot, "egress"), turned, self._passing)

    def column_of_slot(self, slot: int, sides: Sides = "both") -> Answers:
        """`column` of a class."""
        if sides == "ingress":
            return self.compiled.row(slot, "ingress")
        turned = self._turned("egress").at(slot)
        return turned if sides == "egress" else crossed(self.compiled.row(slot, "ingress"), turned, self._passing)

    @property
    def endpoints(self) -> Mapping[Key, Endpoint]:
        """The endpoints as they were given."""
        return self._endpoints

    @property
    def _passing(self) -> Callable[[SidePorts, SidePorts], SidePorts]:
        return audited if self.book.surroundings.settings.audit else both

    def _turned(self, direction: Direction) -> Columns:
        found = self._columns.get(direction)
        if found is None:
            found = self._columns[direction] = Columns(self.compiled.every_row(direction))
        return found

    def pairs(self) -> Pairs:
        """Every ordered pair of different endpoints, counted by what passes."""
        found = [0, 0, 0, 0]
        inside = self.classes.inside
        for slot in bits(inside):
            size = len(self.classes.members(slot))
            for mask, ports in self.row_of_slot(slot):
                count = size * (self.classes.count(mask & inside) - (mask >> slot & 1))
                found[0 if ports.open else 1 if ports.allowed else 2 if ports.unknown else 3] += count
        return Pairs(*found)

    # -- several endpoints -----------------------------------------------------------------------------------------

    def reachable_from(self, keys: Iterable[Key], by: By = "application", sides: Sides = "both") -> tuple[Line, ...]:
        """Whom these ends may reach and not, by group. Raises KeyError for an end that is not known.

        `sides`: "egress" = what their own policies let out, "ingress" = what the peers' policies let in.
        """
        return self._lines(keys, by, lambda slot: self.row_of_slot(slot, sides))

    def reaching(self, keys: Iterable[Key], by: By = "application", sides: Sides = "both") -> tuple[Line, ...]:
        """Who may reach these ends and who not, by group; otherwise as `reachable_from`."""
        return self._lines(keys, by, lambda slot: self.column_of_slot(slot, sides))

    def members(self, line: Line) -> list[Key]:
        """The peers of a line."""
        return [key for key in self.classes.keys(line.mask) if key not in line.itself]

    def group(self, key: Key, by: By = "application") -> Group:
        """The group of an end. Raises KeyError."""
        return self.group_of_slot(self.classes.slot(key), by)

    def group_of_slot(self, slot: int, by: By = "application") -> Group:
        """The group of a class."""
        found = self._groups.get((by, slot))
        if found is None:
            found = self._groups[by, slot] = self._group(slot, by)
        return found

    def _group(self, slot: int, by: By) -> Group:
        held = self.classes.slots[slot]
        return group_of(
            self.classes.identities[slot], by, self.book.surroundings.settings.cluster, held.outside or held.ip
        )

    def _lines(self, keys: Iterable[Key], by: By, answers: Callable[[int], Answers]) -> tuple[Line, ...]:
        asked: dict[int, list[Key]] = {}
        for key in keys:
            asked.setdefault(self.classes.slot(key), []).append(key)
        askers: dict[SidePorts, dict[int, int]] = {}  # ports -> class of peers -> how many ask
        own: dict[tuple[SidePorts, int], int] = {}
        for slot, held in asked.items():
            for mask, ports in answers(slot):
                counts = askers.setdefault(ports, {})
                for peer in bits(mask & self.classes.live):
                    counts[peer] = counts.get(peer, 0) + len(held)
                if mask >> slot & 1:
                    own[ports, slot] = len(held)
        found: list[Line] = []
        for ports, counts in askers.items():
            by_group: dict[Group, list[int]] = {}
            for peer in counts:
                by_group.setdefault(self.group_of_slot(peer, by), []).append(peer)
            for group, peers in by_group.items():
                line = self._line(group, ports, peers, counts, own, asked)
                if line.peers:
                    found.append(line)
        return tuple(sorted(found, key=lambda line: (*line.group.order, line.ports.closed, -line.peers)))

    def _line(
        self,
        group: Group,
        ports: SidePorts,
        peers: list[int],
        counts: Mapping[int, int],
        own: Mapping[tuple[SidePorts, int], int],
        asked: Mapping[int, list[Key]],
    ) -> Line:
        """One line; an endpoint is no peer of its own."""
        mask = count = pairs = 0
        itself: list[Key] = []
        for peer in peers:
            size, asking, selves = len(self.classes.members(peer)), counts[peer], own.get((ports, peer), 0)
            mask |= 1 << peer
            pairs += asking * size - selves
            alone = selves == asking == 1
            count += size - alone
            if alone:
                itself += asked[peer]
        return Line(group, ports, count, pairs, mask, frozenset(itself))

    # -- policies --------------------------------------------------------------------------------------------------

    def default_deny(self, key: Key) -> DefaultDeny:
        """The directions in which an endpoint is closed by default. Raises KeyError."""
        return self.default_deny_of_slot(self.classes.slot(key))

    def default_deny_of_slot(self, slot: int) -> DefaultDeny:
        """`default_deny` of a class."""
        found: list[tuple[bool, tuple[Where, ...]]] = []
        directions: tuple[Direction, ...] = ("ingress", "egress")
        for direction in directions:
            key = self.compiled.key(slot, direction)
            entries = [self.compiled.selection.entries[number] for number in key.profile]
            enforced = key.enforced and bool(self.compiled.governed >> slot & 1)
            found.append((enforced, tuple(each.where for each in entries if each.default_deny)))
        return DefaultDeny(found[0][0], found[1][0], found[0][1], found[1][1])

    def selected_by(self, key: Key) -> tuple[Where, ...]:
        """The entries that select an endpoint, in the order of the rulebook. Raises KeyError."""
        return tuple(entry.where for entry in self.compiled.entries_at(self.classes.slot(key)))

    def selects(self, policy: PolicyName) -> list[Key]:
        """The endpoints and reserved identities that a policy selects, in no order; [] when it has no entries."""
        return self.classes.keys(self.policies().get(policy, 0))

    def unselected(self) -> list[Key]:
        """The endpoints that policies could select and none does, in no order."""
        free = self.classes.inside & self.compiled.subjects
        for mask in self.policies().values():
            free &= ~mask
        return self.classes.keys(free)

    def selecting_nothing(self) -> list[PolicyName]:
        """The valid policies that select no endpoint and no reserved identity, sorted."""
        return sorted(policy for policy, mask in self.policies().items() if not mask)

    def policies(self) -> dict[PolicyName, int]:
        """Policy -> the classes, reserved identities among them, that its entries select."""
        found: dict[PolicyName, int] = {}
        able = self.classes.live & self.compiled.subjects
        selection = self.compiled.selection
        for number, entry in selection.entries.items():
            name = PolicyName(entry.where.resource, entry.where.namespace, entry.where.policy)
            found[name] = found.get(name, 0) | selection.subjects[number] & able
        return found
