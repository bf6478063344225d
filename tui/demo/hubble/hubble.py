"""Hubble in the demo's clusters: which pods' logs hold flows, and the Events that tell of drops."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from typing import Any

from tui.demo.content.traffic import TALKS
from tui.demo.hubble.conversation import Scene
from tui.demo.hubble.stream import Stream
from tui.demo.hubble.view import End, View
from tui.demo.world import World

Obj = dict[str, Any]

DROP_INTERVAL = 120.0  # demo seconds in which the same drop is told once (hubble-drop-events-interval)


class Hubble:
    """The streams of a world's clusters."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._views = {
            name: View(cluster.spec, cluster.storage, cluster.nodes)
            for name, cluster in world.clusters.items()
            if cluster.spec.flows
        }
        self._scene = Scene(self._views)
        self._streams: dict[str, Stream] = {}
        self._told: dict[tuple[str, str], float] = {}

    def follow(self, cluster: str, node: str) -> AsyncGenerator[tuple[float, str], None]:
        """The log of the agent on a node."""
        stream = self._streams.get(cluster)
        if stream is None:

            def dropped(end: End, words: str) -> None:
                self.tell(cluster, end, words)

            stream = Stream(self._views[cluster], self._scene, self._world.clock, self._seed, dropped)
            self._streams[cluster] = stream
        return stream.follow(node)

    def drop_something(self, dice: random.Random) -> None:
        """Let one conversation of some cluster be dropped, as it happens all the time, and tell it."""
        cluster = dice.choice(sorted(self._views))
        for talk in dice.sample(TALKS, len(TALKS)):
            if talk.peer or not self._scene.talks_in(talk, cluster):
                continue
            for logged in self._scene.held(talk, cluster, dice):
                if logged.dropped is not None:
                    self.tell(cluster, *logged.dropped)
                    return

    def tell(self, cluster: str, end: End, words: str) -> None:
        """Record the Event of a drop, unless the same has just been told."""
        if not end.pod:
            return
        storage, now = self._world.clusters[cluster].storage, self._world.clock.now()
        interval = DROP_INTERVAL / self._world.clock.speed
        if now - self._told.get((end.endpoint.name, words), -interval) < interval:
            return
        pod = storage.find("pods", end.namespace, end.pod)
        if pod is not None:
            self._told[end.endpoint.name, words] = now
            self._world.clusters[cluster].happenings.tell(pod, "PacketDrop", words, "cilium", warning=True)
