"""Random storms: whatever happens to the servers and the way to them, in fair weather the store is equal to them.

`STORMS=500` looks at that many storms instead of five; a failure names the seed of its storm, and `STORM=seed STORMS=1`
looks at that one again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fleet.watching import PODS, Watching, config, watching
from tests.support import definition, serving, thing
from tui.demo.apiserver.access import Deny, User
from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.server import ApiServer
from tui.demo.apiserver.status import ApiError
from tui.demo.apiserver.storage import Snapshot, Storage
from tui.demo.apiserver.weather import WEATHER, begin, end
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref, Row
from tui.domain.settings import Settings
from tui.fleet.sync import Timing

FIRST, STORMS = int(os.environ.get("STORM", "0")), int(os.environ.get("STORMS", "5"))
ROUNDS, GUSTS = 3, 40
WIDGETS = definition("widgets", "Widget", "example.com")
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
KINDS = (
    PODS,
    Kind("nodes", "Node", namespaced=False, watch="always"),
    Kind("widgets", "Widget", "example.com", watch="always"),
    Kind("secrets", "Secret", watch="always", metadata_only=True),
)
APIS = {"pods": "v1", "nodes": "v1", "widgets": "example.com/v1", "secrets": "v1"}
PLACES = (
    "watch=",
    "continue=",
    "/pods",
    "/nodes",
    "/widgets",
    "/secrets",
    "limit=1",
    "kube-system",
    "/version",
    "/api",
)
# Not what takes long by itself, and not what makes a readable object another one without a new version.
NAMED = WEATHER.keys() - {"slow", "trickle", "huge", "replaced", "big-numbers", "bad-utf8"}
TIMING = Timing(
    page=3,
    backoff=0.01,
    backoff_most=0.05,
    recheck=0.05,
    pulse=0.5,
    announce=0.01,
    poll=0.02,
    list_quiet=0.2,
    watch_quiet=0.3,
    mend=0.05,
)


@dataclass
class Cluster:
    """One server and what was done to it."""

    server: ApiServer
    backups: list[Snapshot] = field(default_factory=list)
    limit: int | None = None  # after a restore: the version below which versions must stay until fleet has noticed
    rewritten: bool = False  # the same content may come again: it was denied, restored or replaced in between

    def writable(self) -> bool:
        """Whether a change (of two versions at most) lets fleet still notice that a backup was restored."""
        return self.limit is None or self.server.storage.resource_version + 3 < self.limit


class Storm:
    """Does random things to clusters, and checks what is delivered meanwhile."""

    def __init__(self, seed: int, clusters: dict[str, Cluster]) -> None:
        self.random = random.Random(seed)
        self.clusters = clusters
        self.here: Watching = None  # type: ignore[assignment]
        self.doubled: list[str] = []

    # -- what is checked ------------------------------------------------------------------------------------------

    def observe(self, old: Row | None, new: Row | None, initial: bool) -> None:
        """Of each change in the network thread: it must be one."""
        if old is not None and new is not None and same(old, new):
            self.doubled.append(f"observed twice: {new.ref}")

    def watch_store(self) -> None:
        """Look at every row before the store takes it in."""
        store = self.here.store
        take_in = store.apply

        def apply(puts: Iterable[Row], removes: Iterable[Ref] = ()) -> int:
            puts = list(puts)
            for row in puts:
                before, cluster = store.get(row.ref), self.clusters[row.ref.cluster]
                if before is not None and row.ref.resource != CLUSTERS and not cluster.rewritten and same(before, row):
                    self.doubled.append(f"delivered twice: {row.ref}")
            return take_in(puts, removes)

        store.apply = apply  # type: ignore[method-assign]

    def difference(self) -> list[str]:
        """How the store differs from the servers, in words."""
        found: list[str] = []
        for name, cluster in self.clusters.items():
            for kind in KINDS:
                there = objects(cluster.server, kind)
                held = {(row.ref.namespace, row.ref.name): row for row in self.here.store.rows(kind.resource, name)}
                found += [f"{name} {kind.plural} {key}: lost" for key in there.keys() - held.keys()]
                found += [f"{name} {kind.plural} {key}: long gone" for key in held.keys() - there.keys()]
                for key in there.keys() & held.keys():
                    row, obj = held[key], there[key]
                    if row.obj != msgspec.json.decode(msgspec.json.encode(obj), type=kind.record):
                        found.append(f"{name} {kind.plural} {key}: {row.obj} is not {obj}")
                    elif row.manifest() != ({} if kind.metadata_only else obj):
                        found.append(f"{name} {kind.plural} {key}: {row.manifest()} is not {obj}")
        return found

    async def fair(self) -> None:
        """Everything is well again; then the store becomes equal."""
        for cluster in self.clusters.values():
            cluster.server.was = None  # another cluster stays where it is
            await end(cluster.server)
            cluster.server.access.deny.clear()
            cluster.server.drop_watches()  # those, too, that a fault keeps silent for ever
        try:
            await self.here.until(lambda: not self.difference() and self.live(), 30)
        except AssertionError as error:
            raise AssertionError("\n".join(["the store is not equal:", *self.difference()[:20], str(error)])) from None
        for cluster in self.clusters.values():
            cluster.limit = None

    def live(self) -> bool:
        for name, cluster in self.clusters.items():
            states = {kind.plural: (self.here.kind(kind.resource, name)) for kind in KINDS}
            for plural, status in states.items():
                served = plural != "widgets" or "widgets.example.com" in cluster.server.storage.resources
                if status is None or status.state.value != ("live" if served else "absent"):
                    return False
        return True

    # -- what happens ---------------------------------------------------------------------------------------------

    async def gust(self) -> None:
        """One thing happens to one cluster."""
        name = self.random.choice(list(self.clusters))
        cluster = self.clusters[name]
        change = self.random.random() < 0.55
        if change:
            if cluster.writable():
                self.change(cluster.server.storage)
        else:
            happens = [self.definitions, self.backup, self.backup, self.restore, self.restore, self.replace, self.deny]
            happens += [self.fault, self.fault, self.fault, self.cut, self.cut, self.forget]
            happens += [self.weather, self.weather, self.lull, self.lull, self.lull]
            await self.random.choice(happens)(name, cluster)
        # How long it blows, rather than a wait for something to become true.
        await asyncio.sleep(self.random.choice([0, 0, 0, 0.001, 0.01, 0.04]))

    def change(self, storage: Storage) -> None:
        served = [plural for plural in APIS if plural != "widgets" or "widgets.example.com" in storage.resources]
        plural = self.random.choice(served)
        kind = next(kind for kind in KINDS if kind.plural == plural)
        namespace = "" if plural == "nodes" else self.random.choice(["shop", "bank"])
        name = f"{plural[0]}{self.random.randrange(6)}"
        known = storage.find(kind.resource, namespace, name)
        if known is None:
            storage.create(self.made(plural, name, namespace))
            return
        match self.random.randrange(4):
            case 0:
                storage.delete(kind.resource, namespace, name)
            case 1:
                storage.delete(kind.resource, namespace, name)
                storage.create(self.made(plural, name, namespace))
            case 2:
                storage.patch(kind.resource, namespace, name, lambda o: o.update(data={"x": str(self.random.random())}))
            case 3:
                label = {"tier": self.random.choice("abc")}
                storage.patch(kind.resource, namespace, name, lambda o: o["metadata"].update(labels=label))

    def made(self, plural: str, name: str, namespace: str) -> dict[str, Any]:
        kind = plural[:-1].capitalize()
        return thing(kind, name, namespace, APIS[plural], data={"x": str(self.random.random())})

    async def fault(self, name: str, cluster: Cluster) -> None:
        # A 403 or a 404 takes the rows out, and they come back.
        refusals = [403, 404] if cluster.rewritten else []
        faults, times, match = cluster.server.faults, self.random.randint(1, 3), self.random.choice(PLACES)
        page = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":'
        self.random.choice(
            [
                lambda: faults.delay(0.03, match, times),
                lambda: faults.hang(match, 1),
                lambda: faults.close(match, times),
                lambda: faults.throttle(0, match, times),
                lambda: faults.unavailable(match, times),
                lambda: faults.html(502, match, times),
                lambda: faults.html(200, match, times),
                lambda: faults.answer(500, b"{}", match, times),
                lambda: faults.answer(401, b"{}", match, times),
                *(partial(faults.answer, status, b"{}", match, times) for status in refusals),
                lambda: faults.answer(200, page, match, times),
                lambda: faults.truncate(self.random.randrange(2000), match, times),
                lambda: faults.garbage(times=times),
                lambda: faults.silence(times=1),
                lambda: faults.expire(times=times),
                lambda: faults.gone(times=times),
                lambda: faults.gone("continue=", times),
                lambda: faults.eof(times=times),
            ]
        )()

    async def cut(self, name: str, cluster: Cluster) -> None:
        self.random.choice([cluster.server.drop_watches, cluster.server.close_watches])()

    async def forget(self, name: str, cluster: Cluster) -> None:
        cluster.server.storage.compact()

    async def deny(self, name: str, cluster: Cluster) -> None:
        cluster.rewritten = True
        if cluster.server.access.deny:
            cluster.server.access.deny.clear()
        else:
            verbs = self.random.choice([("get", "list", "watch"), ("watch",), ("list",)])
            cluster.server.access.deny.append(Deny(self.random.choice(["pods", "nodes", "*"]), verbs))
        cluster.server.drop_watches()

    async def weather(self, name: str, cluster: Cluster) -> None:
        """Any of what the server knows by name, on top of what there is already."""
        chosen = self.random.choice(sorted(NAMED))
        cluster.rewritten |= chosen in ("403", "no-metadata", "malformed", "truncated")
        await begin(cluster.server, chosen)

    async def lull(self, name: str, cluster: Cluster) -> None:
        cluster.server.was = None
        await end(cluster.server)

    async def definitions(self, name: str, cluster: Cluster) -> None:
        cluster.rewritten = True
        storage = cluster.server.storage
        if cluster.limit is not None:
            return
        if storage.find(CRDS, "", "widgets.example.com"):
            storage.delete(CRDS, "", "widgets.example.com")
        else:
            storage.create(WIDGETS)

    async def backup(self, name: str, cluster: Cluster) -> None:
        cluster.backups.append(cluster.server.storage.snapshot())

    async def restore(self, name: str, cluster: Cluster) -> None:
        if not cluster.backups:
            return
        cluster.rewritten = True
        chosen = self.random.randrange(len(cluster.backups))
        served = {resource.name for resource in cluster.backups[chosen].objects}
        kinds = [kind.resource for kind in KINDS if kind.resource in served]
        rows = [row for resource in kinds for row in self.here.store.rows(resource, name)]
        # fleet has read this far at least, whether it has noticed an earlier restore or not.
        read = max((int(row.obj.metadata.resource_version) for row in rows), default=0)
        cluster.limit = min(
            read, cluster.server.storage.resource_version, read if cluster.limit is None else cluster.limit
        )
        changed = lost(cluster.server.storage, cluster.backups[chosen].resource_version)
        await self.without(cluster, lambda: cluster.server.restore(cluster.backups[chosen]))
        if self.random.random() < 0.7:  # the same versions for the same objects, and other contents
            for kind, namespace, name in changed:
                storage = cluster.server.storage
                if cluster.writable() and kind.resource in storage.resources:
                    if storage.find(kind.resource, namespace, name):
                        storage.patch(kind.resource, namespace, name, lambda o: o.update(data={"x": "again"}))
                    else:
                        storage.create(self.made(kind.plural, name, namespace))
        del cluster.backups[chosen + 1 :]  # those of a time that has never been

    async def replace(self, name: str, cluster: Cluster) -> None:
        if self.random.random() < 0.5:
            return
        cluster.rewritten, cluster.limit = True, None
        cluster.backups.clear()
        other = stored(self)
        for _ in range(self.random.randrange(200)):
            self.change(other)
        await self.without(cluster, lambda: cluster.server.replace(other))

    async def without(self, cluster: Cluster, act: Callable[[], None]) -> None:
        """An etcd is restored, and a cluster replaced, while nobody answers."""
        await cluster.server.refuse()
        act()
        await cluster.server.start()


def lost(storage: Storage, version: int) -> list[tuple[Kind, str, str]]:
    """The objects that changed after a version, in order, as far as the server remembers."""
    found: list[tuple[int, Kind, str]] = []
    for kind in KINDS:
        with suppress(ApiError):
            found += [
                (event.resource_version, kind, event.key) for event in storage.events_since(kind.resource, version)
            ]
    found.sort(key=lambda each: each[0])
    return [(kind, *key.rpartition("/")[::2]) for _, kind, key in found]


def same(old: Row, new: Row) -> bool:
    return bool(old.obj == new.obj and old.manifest() == new.manifest())


def objects(server: ApiServer, kind: Kind) -> dict[tuple[str, str], dict[str, Any]]:
    if kind.resource not in server.storage.resources:
        return {}
    found = server.storage.list(kind.resource)
    return {(obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj for obj in found}


def stored(storm: Storm) -> Storage:
    storage = Storage(BUILTIN, resource_version=storm.random.randrange(1, 400))
    for obj in beginning():
        storage.create(obj)
    return storage


def beginning() -> list[dict[str, Any]]:
    namespaces = [thing("Namespace", name) for name in ("kube-system", "shop", "bank")]
    secret = thing("Secret", "s0", "shop", data={"x": "aHVudGVyMg=="})
    return [*namespaces, WIDGETS, secret, *(thing("Pod", f"p{index}", "shop", data={"x": "0"}) for index in range(5))]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + STORMS))
async def test_after_any_storm_the_store_is_equal_to_the_servers(tmp_path: Path, seed: int) -> None:
    async with AsyncExitStack() as stack:
        clusters = {}
        for name, version in (("paged", "v1.30.0"), ("streaming", "v1.34.0"), ("old", "v1.33.0")):
            users = [User("u", ("system:masters",), "t")]
            options: dict[str, Any] = {"version": version, "users": users, "bookmark_interval": 0.05}
            server = await stack.enter_async_context(
                serving(beginning(), name, watch_list=name != "old", window=50, **options)
            )
            server.cache_ignores_limit = name == "old"
            clusters[name] = Cluster(server)
        storm = Storm(seed, clusters)
        urls = {name: cluster.server.url for name, cluster in clusters.items()}
        settings = Settings(request_timeout=0.3)
        observers = {kind.resource: storm.observe for kind in KINDS}
        kubeconfig = config(tmp_path / "config", urls, {"token": "t"})
        storm.here = await stack.enter_async_context(watching(kubeconfig, KINDS, TIMING, settings, observers))
        storm.watch_store()
        await storm.fair()
        for _ in range(ROUNDS):
            for _ in range(GUSTS):
                await storm.gust()
            await storm.fair()
        assert not storm.doubled, storm.doubled[:10]
