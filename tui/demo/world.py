"""The demo's clusters together: their storages, their addresses, and what Argo CD on the hub can reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.demo.apiserver.storage import Storage
from tui.demo.clock import Clock
from tui.demo.content.clusters import HUB, ClusterSpec
from tui.demo.controllers.cluster import SimulatedCluster

IN_CLUSTER = "https://kubernetes.default.svc"


class DestinationError(Exception):
    """A destination that names no cluster, in Argo CD's words."""


@dataclass
class World:
    """All clusters by Argo CD's name for them. `servers` are URLs as Argo CD's cluster Secrets say them."""

    clock: Clock
    clusters: dict[str, SimulatedCluster] = field(default_factory=dict)
    servers: dict[str, str] = field(default_factory=dict)
    refusing: set[str] = field(default_factory=set)
    lazy: set[str] = field(default_factory=set)  # Applications whose objects come into being when looked at
    sleepers: dict[str, Callable[[], None]] = field(default_factory=dict)  # fill a cluster that nobody has looked at

    @property
    def hub(self) -> Storage:
        """The hub's storage, where Applications live."""
        return self.clusters[HUB].storage

    def specs(self) -> list[ClusterSpec]:
        """All clusters, the hub first."""
        return [cluster.spec for cluster in self.clusters.values()]

    def destination(self, wanted: dict[str, str]) -> str:
        """The cluster an Application's destination names. Raises DestinationError."""
        name, server = wanted.get("name", ""), wanted.get("server", "").rstrip("/")
        if name and server:
            raise DestinationError(f"application destination can't have both name and server defined: {name} {server}")
        if name == "in-cluster" or server == IN_CLUSTER:
            return HUB
        if name:
            if name in self.servers:
                return name
            raise DestinationError(f"unable to find destination server: there are no clusters with this name: {name}")
        for known, url in self.servers.items():
            if url == server:
                return known
        if not server:
            raise DestinationError("Destination server missing from app spec")
        raise DestinationError(
            f'unable to find destination server: error getting cluster by server "{server}": '
            f'rpc error: code = NotFound desc = cluster "{server}" not found'
        )

    def wake(self, name: str, application: str) -> None:
        """Fill a cluster with all that it holds, if that has not happened yet and the Application is one of it."""
        if application in self.lazy and name in self.sleepers:
            self.sleepers[name]()

    def server_of(self, name: str) -> str:
        """The URL that Argo CD uses for a cluster."""
        return IN_CLUSTER if name == HUB else self.servers[name]
