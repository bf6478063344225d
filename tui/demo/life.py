"""Small things that happen by themselves: a restart here, a drift there, heartbeats; and load on request."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from tui.demo.argocd.controller import Controller
from tui.demo.controllers.cluster import SimulatedCluster
from tui.demo.controllers.nodes import node_conditions
from tui.demo.controllers.pods import ready
from tui.demo.world import World

Obj = dict[str, Any]

HEARTBEAT = 300.0  # seconds: nodeStatusReportFrequency of the kubelet
RESTART = 90.0  # about how often a container somewhere restarts
DROP = 60.0  # about how often a drop of packets is told in an Event while nobody reads flows
DRIFT = 240.0  # about how often somebody changes something by hand


class Life:
    """Background changes. `rate` above 0 adds that many object changes a second; `calm` leaves heartbeats only.

    `drop` lets packets of some conversation be dropped.
    """

    def __init__(
        self,
        world: World,
        argocd: Controller,
        seed: int,
        rate: float,
        calm: bool = False,
        drop: Callable[[random.Random], None] = lambda dice: None,
    ) -> None:
        self._world = world
        self._argocd = argocd
        self._rate = rate
        self._calm = calm
        self._drop = drop
        self._random = random.Random(f"life/{seed}")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin. Needs a running loop."""
        work = [self._heartbeats()]
        if not self._calm:
            work += [self._restarts(), self._drift(), self._drops()]
        if self._rate > 0:
            work.append(self._load())
        self._tasks = [asyncio.get_running_loop().create_task(part) for part in work]

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _reachable(self) -> list[SimulatedCluster]:
        return [cluster for name, cluster in self._world.clusters.items() if name not in self._world.refusing]

    async def _heartbeats(self) -> None:
        while True:
            clusters = self._reachable()
            for cluster in clusters:
                await self._world.clock.sleep(HEARTBEAT / len(clusters))
                now = self._world.clock.now()
                cluster.happenings.forget()
                for node in cluster.nodes:
                    live = cluster.storage.find("nodes", "", node.name)
                    if live is None:
                        continue
                    times = {entry["type"]: entry["lastTransitionTime"] for entry in live["status"]["conditions"]}
                    conditions = node_conditions(now, now)
                    for entry in conditions:
                        entry["lastTransitionTime"] = times.get(entry["type"], entry["lastTransitionTime"])
                    cluster.storage.update_status("nodes", "", node.name, {**live["status"], "conditions": conditions})

    async def _restarts(self) -> None:
        while True:
            await self._world.clock.sleep(self._random.uniform(0.5, 1.5) * RESTART)
            cluster = self._random.choice(self._reachable())
            pods = [
                pod for pod in cluster.storage.list("pods") if ready(pod) and pod["metadata"].get("ownerReferences")
            ]
            if pods:
                cluster.restart_container(self._random.choice(pods), 137, "OOMKilled\n")

    async def _drops(self) -> None:
        while True:
            await self._world.clock.sleep(self._random.uniform(0.5, 1.5) * DROP)
            self._drop(self._random)

    async def _drift(self) -> None:
        """Somebody scales a Deployment by hand; self-heal puts it back."""
        while True:
            await self._world.clock.sleep(self._random.uniform(0.5, 1.5) * DRIFT)
            cluster = self._world.clusters["staging-eu-1"]
            for deployment in cluster.storage.list("deployments.apps", "shop"):
                meta = deployment["metadata"]
                if meta["name"] == "storefront":

                    def scale(live: Obj) -> None:
                        live["spec"]["replicas"] = int(live["spec"].get("replicas", 1)) + 1

                    cluster.storage.patch("deployments.apps", "shop", meta["name"], scale)

    async def _load(self) -> None:
        """Touch objects evenly: Applications' reconciledAt, pods' restarts and endpoints, as controllers do."""
        loop = asyncio.get_running_loop()
        due, names = loop.time(), self._names()
        while True:
            due = max(due + 0.02, loop.time() - 0.1)  # what was missed for longer is not made up for in a burst
            await asyncio.sleep(max(0.0, due - loop.time()))
            count = self._rate * 0.02
            for _ in range(int(count) + (self._random.random() < count % 1)):
                self._touch(*self._random.choice(names))

    def _names(self) -> list[tuple[SimulatedCluster, str, str, str]]:
        found: list[tuple[SimulatedCluster, str, str, str]] = []
        for cluster in self._reachable():
            for resource in ("pods", "applications.argoproj.io", "deployments.apps"):
                if resource in cluster.storage.resources:
                    for key, _ in cluster.storage.page(resource).items:
                        namespace, _, name = key.rpartition("/")
                        found.append((cluster, resource, namespace, name))
        return found

    def _touch(self, cluster: SimulatedCluster, resource: str, namespace: str, name: str) -> None:
        """One change that concerns nobody inside: no controller looks at it."""
        if cluster.storage.find(resource, namespace, name) is None:
            return
        moment = f"{self._world.clock.now():.6f}"

        def write(live: Obj) -> None:
            if resource == "applications.argoproj.io" and live.get("status"):
                live["status"]["reconciledAt"] = self._world.clock.stamp()
            live["metadata"].setdefault("annotations", {})["harbour.example/touched"] = moment

        cluster.quiet = self._argocd.hushed = True
        try:
            cluster.storage.patch(resource, namespace, name, write)
        finally:
            cluster.quiet = self._argocd.hushed = False
