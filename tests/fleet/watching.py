"""A store kept equal to API servers by the real network thread, and waiting for what should become true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tui.adapters.kube import KubeClusters
from tui.domain.cluster import CLUSTERS, Cluster, KindStatus
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref, Row
from tui.domain.ports import Context
from tui.domain.settings import Settings
from tui.fleet.sync import Batch, Network, Observer, Timing
from tui.store import Store

PODS = Kind("pods", "Pod", watch="always")
QUICK = Timing(
    backoff=0.02,
    backoff_most=0.1,
    recheck=0.05,
    pulse=0.5,
    announce=0.01,
    poll=0.02,
    list_quiet=2.0,
    mend=0.05,
    slow=0.0,
    kubeconfig=0.02,
)


@dataclass
class Looked:
    """What a pane looks at."""

    resources: frozenset[str]
    clusters: frozenset[str] | None = None


@dataclass
class Watching:
    """The main loop's side."""

    store: Store = field(default_factory=Store)
    batches: list[Batch] = field(default_factory=list)
    network: Network = None  # type: ignore[assignment]
    contexts: tuple[Context, ...] = ()
    problems: tuple[str, ...] = ()
    renewed: list[tuple[str, ...]] = field(default_factory=list)  # of each reading of the kubeconfigs
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def deliver(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self.batches.append(batch)
            self.store.apply(batch.puts, batch.removes)
        self._moved.set()

    def learn(self, contexts: tuple[Context, ...], problems: tuple[str, ...], renewed: tuple[str, ...]) -> None:
        self.contexts, self.problems = contexts, problems
        self.renewed.append(renewed)
        self._moved.set()

    async def until(self, condition: Callable[[], Any], patience: float = 60.0) -> Any:
        """Wait for what should become true; fails with what is there instead."""
        try:
            async with asyncio.timeout(patience):
                while not (value := condition()):
                    self._moved.clear()
                    await self._moved.wait()
                return value
        except TimeoutError:
            state = [row.obj for row in self.store.rows(CLUSTERS)]
            raise AssertionError(
                f"it did not become true; clusters: {state}; names: {self.names()}; problems: {self.problems}"
            ) from None

    def names(self, resource: str = "pods", cluster: str | None = None) -> list[str]:
        return sorted(row.ref.name for row in self.store.rows(resource, cluster))

    def cluster(self, name: str = "c1") -> Cluster | None:
        row = self.store.get(Ref(name, CLUSTERS, "", name))
        return row.obj if row else None

    def kind(self, resource: str = "pods", cluster: str = "c1") -> KindStatus | None:
        found = self.cluster(cluster)
        return found.kinds.get(resource) if found else None

    def live(self, resource: str = "pods", cluster: str = "c1") -> bool:
        status = self.kind(resource, cluster)
        return status is not None and status.state.value == "live"

    def row(self, name: str, namespace: str = "shop", resource: str = "pods", cluster: str = "c1") -> Row | None:
        return self.store.get(Ref(cluster, resource, namespace, name))


def config(path: Path, servers: Mapping[str, str], user: Mapping[str, Any] | None = None, **cluster: Any) -> str:
    """A kubeconfig with one context per server URL."""
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": n, "cluster": {"server": url, **cluster}} for n, url in servers.items()],
                "users": [{"name": "u", "user": dict(user or {})}],
                "contexts": [{"name": n, "context": {"cluster": n, "user": "u"}} for n in servers],
            }
        )
    )
    return str(path)


@asynccontextmanager
async def watching(
    kubeconfig: str,
    kinds: Iterable[Kind] = (PODS,),
    timing: Timing = QUICK,
    settings: Settings | None = None,
    observers: Mapping[str, Observer] | None = None,
    clock: Callable[[], float] = time.time,
    wanted: Sequence[str] = (),
) -> AsyncIterator[Watching]:
    """The network thread on these clusters, stopped at the end; nothing of it may be left."""
    here = Watching()
    settings = settings or Settings()
    here.network = Network(
        lambda: KubeClusters(settings, kubeconfig, wanted),
        {kind.resource: kind for kind in kinds},
        settings,
        here.deliver,
        observers,
        clock,
        timing,
        here.learn,
    )
    here.network.start()
    try:
        yield here
    finally:
        await here.network.stop()
