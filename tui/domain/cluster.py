"""A cluster as fleet sees it: its state in one word, why, since when, and what is known about each kind in it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from tui.domain.obj import Meta

CLUSTERS = "clusters"  # the resource name under which cluster rows live in the store
GRACE = 10.0  # seconds in which a broken watch may come back before its rows are called stale
REPLACED = "another cluster answers here"  # notes begin with these words
REWOUND = "its history went back, as when a backup is restored"
NO_CONTEXT = "no kubeconfig has a context that matches (KUBECONFIG, --kubeconfig, --context)"


class ClusterState(Enum):
    """Where a cluster stands. Only LIVE is green; data of a STALE cluster is shown with its age."""

    CONNECTING = "Connecting"
    LIVE = "Live"
    STALE = "Stale"  # was live, is not being heard now
    UNREACHABLE = "Unreachable"  # never answered, or gave up for now: `reason` and `retry_at` say more
    DENIED = "Denied"  # answers, but refuses these credentials altogether


class KindState(Enum):
    """Where the watch of one kind in one cluster stands."""

    WAITING = "waiting"  # in the queue
    LISTING = "listing"
    LIVE = "live"
    STALE = "stale"  # listed once, the watch is broken and being retried
    DENIED = "denied"  # 403: retried slowly
    ABSENT = "absent"  # 404: the cluster does not serve it; retried slowly
    FAILED = "failed"  # never listed; `reason` says why


class KindStatus(msgspec.Struct, frozen=True):
    """The watch of one kind: its state, the reason in words, objects listed so far, time of the last answer."""

    state: KindState = KindState.WAITING
    reason: str = ""
    objects: int = 0
    heard: float = 0.0  # seconds since the epoch; 0 = never


class Cluster(msgspec.Struct, frozen=True):
    """The record of a cluster row. `metadata.name` is fleet's name for it, usually that of its context."""

    metadata: Meta
    state: ClusterState = ClusterState.CONNECTING
    reason: str = ""  # why it is not Live, in words
    since: float = 0.0  # seconds since the epoch: start of this state
    retry_at: float = 0.0  # next try; 0 = none planned
    heard: float = 0.0  # last answer of any kind; 0 = never
    version: str = ""  # gitVersion of the API server; "" = not known
    uid: str = ""  # uid of its kube-system namespace: the same cluster behind two contexts has one
    server: str = ""  # URL as the kubeconfig says it
    contexts: tuple[str, ...] = ()  # all contexts that lead to it, the one in use first
    groups: tuple[str, ...] = ()  # path in the tree, outermost first: ("prod", "eu")
    hub: bool = False  # has Applications
    registered: bool = False  # an Argo CD here holds a cluster Secret for its URL; its labels are metadata.labels
    host: str = ""  # name of the cluster it runs in, for virtual clusters
    kinds: dict[str, KindStatus] = {}  # resource -> state of its watch
    note: str = ""  # what happened to it that is no trouble by now: another cluster behind its URL, a restored backup
    noted: float = 0.0  # when, seconds since the epoch


def unheard(cluster: Cluster, resources: Iterable[str], now: float) -> float | None:
    """When what is held of a cluster was last known to be true, in seconds since the epoch (0 = unknown).

    None while it is kept up: the cluster answers, and no watch of these resources is broken for longer than `GRACE`.
    """
    if cluster.state not in (ClusterState.LIVE, ClusterState.CONNECTING):
        return cluster.heard
    broken = [
        status.heard
        for resource in resources
        if (status := cluster.kinds.get(resource)) is not None
        and status.state is KindState.STALE
        and now - status.heard >= GRACE
    ]
    return min(broken) if broken else None
