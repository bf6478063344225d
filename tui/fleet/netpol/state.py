"""What is known of one cluster at one moment: its policies, who can talk, and what is missing for a sure answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from tui.domain.cilium.model import Endpoint, Invalid, Rulebook, Surroundings, Written
from tui.domain.cilium.reachability.grouping import Group
from tui.domain.cilium.reachability.reach import Reach
from tui.domain.obj import Ref


class End(NamedTuple):
    """Somebody who can talk: the endpoint as policies see it, and where it is found in the cluster."""

    endpoint: Endpoint
    group: Group  # the application
    ref: Ref | None = None  # its CiliumEndpoint, pod or node; None for `world` and the like
    node: str = ""  # of a pod, and of a node itself; "" when not known
    own: Endpoint | None = None  # of a node: as its own host policies see it

    @property
    def name(self) -> str:
        """`shop/web-1`, a node's name, or what Cilium calls it: `world`."""
        return self.endpoint.name

    @property
    def called(self) -> str:
        """As it is called in every cluster: its application, `shop/web`, or its own name where it has none."""
        return f"{self.group.namespace}/{self.group.name}" if self.group.kind == "application" else self.name


class Member(NamedTuple):
    """The end that stands for an application, how many endpoints it has, and how many identities these have."""

    end: End
    endpoints: int
    identities: int


@dataclass(frozen=True, eq=False)
class State:
    """Answers follow from `book` and `ends`. `caveats` and `blind` say in sentences what they do not count."""

    cluster: str
    serial: int  # moves with every other answer
    written: tuple[Written, ...]
    book: Rulebook
    ends: Mapping[str, End]  # by name
    told_from: str  # "ciliumendpoints.cilium.io" or "pods"
    caveats: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()  # policies that exist and cannot be read: what they might decide is unknown
    reach: Reach | None = None  # who may talk to whom, by name of the ends; None = not worked out (yet)
    unidentified: frozenset[str] = field(default=frozenset())  # names of endpoints that have no identity yet

    @property
    def surroundings(self) -> Surroundings:
        """What else decides in the cluster."""
        return self.book.surroundings

    @property
    def invalid(self) -> tuple[Invalid, ...]:
        """Policies that Cilium rejects."""
        return self.book.invalid

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint, and what is none but can talk: nodes, the API server, the world."""
        return tuple(end.endpoint for end in self.ends.values())

    @cached_property
    def applications(self) -> Mapping[str, Member]:
        """The applications by name, `shop/web`, each with its first endpoint."""
        found: dict[str, Member] = {}
        labels: dict[str, set[tuple[str, ...]]] = {}
        for end in sorted(self.ends.values(), key=lambda end: end.name):
            if end.group.kind == "application":
                known = labels.setdefault(end.called, set())
                known.add(end.endpoint.labels)
                held = found.get(end.called)
                first, count = (held.end, held.endpoints) if held is not None else (end, 0)
                found[end.called] = Member(first, count + 1, len(known))
        return found

    @cached_property
    def by_ref(self) -> Mapping[Ref, End]:
        """The ends that are objects."""
        return {end.ref: end for end in self.ends.values() if end.ref is not None}
