"""Which clusters can form a mesh, by what their agents are called and numbered.

No Kubernetes object lists the peers of a mesh. Clusters with a cluster-id other than 0 can be in one; within a mesh
names and ids are unique (Cilium `pkg/clustermesh/types`), so that equal ones can never be connected to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Membership(NamedTuple):
    """What one cluster is called in a mesh. `id` 0: it is in none."""

    name: str  # cluster-name
    id: int  # cluster-id
    peers: tuple[str, ...] = ()  # clusters of the fleet that it can be connected to
    same_id: tuple[str, ...] = ()  # clusters with its id: never of one mesh with it
    same_name: tuple[str, ...] = ()  # clusters in a mesh with its name: likewise


def memberships(configs: Mapping[str, Mapping[str, str]]) -> dict[str, Membership]:
    """The membership of every cluster whose `cilium-config` is known, by the cluster's name in the fleet."""
    named = {
        cluster: (config.get("cluster-name") or "default", _number(config.get("cluster-id", "")))
        for cluster, config in configs.items()
    }
    meshed = sorted(cluster for cluster, (_, number) in named.items() if number)
    found = {}
    for cluster, (name, number) in named.items():
        others = [other for other in meshed if other != cluster] if number else []
        same_id = tuple(other for other in others if named[other][1] == number)
        same_name = tuple(other for other in others if named[other][0] == name)
        peers = tuple(other for other in others if other not in same_id and other not in same_name)
        found[cluster] = Membership(name, number, peers, same_id, same_name)
    return found


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0
