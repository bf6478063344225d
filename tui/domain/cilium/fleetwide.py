"""The same policy across clusters: where it is the same, how it differs and where it is missing.

Policies of different clusters are the same policy when kind, namespace and name agree. What counts is what they mean:
order, descriptions and labels do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from tui.domain.cilium.impacts.changes import Change, changes
from tui.domain.cilium.impacts.comparing import canonical
from tui.domain.cilium.policy import Policy, rules

_IDLE = ("description", "labels")  # of a rule: they decide nothing
Standing = bool | None
"""Whether a cluster ought to have a policy: it has its namespace and has been read. None: nobody can tell."""


class Version(NamedTuple):
    """One wording of a policy and the clusters that have it. `changes` is against the first of them, () for that."""

    clusters: tuple[str, ...]
    policy: Policy
    changes: tuple[Change, ...] = ()


class Across(NamedTuple):
    """A policy across clusters: its versions, the one that most clusters have first."""

    resource: str
    namespace: str
    name: str
    versions: tuple[Version, ...]
    missing: tuple[str, ...] = ()  # clusters that have its namespace, were read and do not have it
    unknown: tuple[str, ...] = ()  # clusters of which nobody can tell

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same policy."""
        return self.resource, self.namespace, self.name

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that have it, by name."""
        return tuple(sorted(cluster for version in self.versions for cluster in version.clusters))

    @property
    def state(self) -> str:
        """`same`, `differs`, `missing` (somewhere, else the same) or `single` (one cluster alone ought to have it)."""
        if len(self.versions) > 1:
            return "differs"
        if self.missing:
            return "missing"
        return "single" if len(self.clusters) == 1 and not self.unknown else "same"


def across(
    policies: Iterable[tuple[str, str, Policy]],
    clusters: Collection[str],
    expected: Callable[[str, str, str], Standing],
) -> list[Across]:
    """Every policy of (cluster, resource, policy), by kind, namespace and name.

    `expected(cluster, resource, namespace)` tells whether a cluster ought to have such a policy.
    """
    held: dict[tuple[str, str, str], dict[str, Policy]] = defaultdict(dict)
    for cluster, resource, policy in policies:
        held[resource, policy.metadata.namespace, policy.metadata.name][cluster] = policy
    found = []
    for (resource, namespace, name), by_cluster in sorted(held.items()):
        missing, unknown = [], []
        for cluster in sorted(set(clusters) - by_cluster.keys()):
            ought = expected(cluster, resource, namespace)
            if ought is None:
                unknown.append(cluster)
            elif ought:
                missing.append(cluster)
        found.append(Across(resource, namespace, name, versions(by_cluster, resource), tuple(missing), tuple(unknown)))
    return found


def versions(by_cluster: dict[str, Policy], resource: str) -> tuple[Version, ...]:
    """The wordings of a policy, the most common first; among equally common ones that of the first cluster by name."""
    groups: dict[object, list[str]] = {}
    for cluster in sorted(by_cluster):
        every = rules(by_cluster[cluster], resource)
        said = canonical([{key: part for key, part in rule.raw.items() if key not in _IDLE} for rule in every])
        groups.setdefault(said, []).append(cluster)
    ordered = sorted(groups.values(), key=lambda members: (-len(members), members[0]))
    base = by_cluster[ordered[0][0]]
    same, others = list(ordered[0]), []
    for members in ordered[1:]:
        policy = by_cluster[members[0]]
        differing = tuple(changes(base, policy, resource))
        if differing:
            others.append(Version(tuple(members), policy, differing))
        else:
            same += members
    return Version(tuple(sorted(same)), base), *others
