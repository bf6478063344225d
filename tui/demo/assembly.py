"""Puts the demo together: clusters, repository, Argo CD, the past, and what happens by itself."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.demo import kubeconfig, pki
from tui.demo.apiserver.access import Deny, User
from tui.demo.apiserver.crds import definition_of
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.resources import builtin
from tui.demo.apiserver.server import ApiServer, ServerTls
from tui.demo.apiserver.storage import Storage
from tui.demo.argocd.controller import Controller
from tui.demo.argocd.names import APPLICATIONS, NAMESPACE
from tui.demo.clock import Clock, stamp
from tui.demo.content import logs, scenario, system
from tui.demo.content.certificates import certificate_objects
from tui.demo.content.cilium import absent_kinds, cilium_objects
from tui.demo.content.clusters import CLUSTERS, VIRTUAL_NAME, VIRTUAL_NAMESPACE, ClusterSpec
from tui.demo.content.generated import FILE, GeneratedApp, application, more_apps, more_clusters, project
from tui.demo.content.history import AUTHORS, Commit, commits_of
from tui.demo.content.tree import final_tree
from tui.demo.controllers.cluster import SimulatedCluster
from tui.demo.controllers.defaults import fill
from tui.demo.controllers.virtual import Mirror
from tui.demo.life import Life
from tui.demo.past import Past
from tui.demo.repository import Reader, create_clone, create_origin
from tui.demo.scale import Sleeper, SleepyServer
from tui.demo.world import World

if TYPE_CHECKING:
    from tui.demo.hubble.hubble import Hubble

SAVE_SECONDS = 10.0
BEHIND_BYTES = 20_000  # a watch may be this much behind for each change a second: about seven seconds of them
SHOP_APPS = 50  # Applications of the shop itself
FLEET_HOURS = 2300.0  # age of the commit that brought in the generated part


@dataclass(frozen=True)
class Options:
    """What `fleet demo` may be told. `state` None: a temporary directory that is removed at the end."""

    clusters: int = len(CLUSTERS)
    apps: int = 0
    seed: int = 1
    state: Path | None = None
    speed: float = 1.0
    rate: float = 0.0
    calm: bool = False  # nothing happens by itself
    parent: int = 0  # end when this process does; 0 = nobody's


class Demo:
    """The running demo. `await start()`, then it serves until `await stop()`."""

    def __init__(self, options: Options, directory: Path) -> None:
        self.options = options
        self.directory = directory
        self.clock = Clock(options.speed)
        self.world = World(self.clock)
        self.servers: dict[str, SleepyServer] = {}
        self.origin = directory / "origin" / "harbour" / "deploy.git"
        self.repository = directory / "work" / "deploy"
        self.kubeconfig = directory / "kubeconfig"
        self.argocd: Controller | None = None
        self.life: Life | None = None
        self._specs = [*CLUSTERS, *more_clusters(options.clusters, options.seed)]
        self._apps = list(more_apps(options.apps - SHOP_APPS, self._specs, options.seed))
        self._sleeping: set[str] = set()
        self._reserved: list[socket.socket] = []
        self._saver: asyncio.Task[None] | None = None
        self._reader: Reader | None = None
        self._hubble: Hubble | None = None

    def by_context(self) -> dict[str, ApiServer]:
        """The servers that answer, by the names of their contexts in the kubeconfig."""
        return {spec.context: self.servers[spec.name] for spec in self._specs if spec.name in self.servers}

    @property
    def repo_url(self) -> str:
        """The URL that Applications name."""
        return self.origin.as_uri()

    async def start(self) -> dict[str, Any]:
        """Bring everything up; what the ready line says."""
        now = self._anchor()
        if not self.origin.exists():
            create_origin(self.origin, self._commits(), now)
        clone = asyncio.create_task(asyncio.to_thread(self._clone))
        saved = self._load()
        authority = pki.Authority(self.directory / "pki")
        await self._start_servers(authority, saved.get("ports", {}))
        self._populate(authority, now)
        self._reader = Reader(self.origin)
        self.argocd = Controller(self.world, self._reader, self._scratch(), self.options.seed)
        past = Past(self.world, self.argocd, self.options.seed, saved.get("applications"))
        self._generate(now)
        past.replay(self.repo_url)
        past.record()
        mirror = Mirror(self.world, "vcluster-preview", VIRTUAL_NAME, VIRTUAL_NAMESPACE)
        mirror.copy_all()
        for name, cluster in self.world.clusters.items():
            if name not in self._sleeping:
                cluster.start()
        self.argocd.start()
        for name in self.argocd.index.names():
            if name not in self.argocd.lazy:
                self.argocd.touch(name, False, 1.0)
        self.life = Life(self.world, self.argocd, self.options.seed, self.options.rate, self.options.calm, self._drop)
        self.life.start()
        await clone
        self._saver = asyncio.get_running_loop().create_task(self._keep_saving())
        return {
            "kubeconfig": str(self.kubeconfig),
            "repository": str(self.repository),
            "origin": str(self.origin),
            "clusters": [spec.context for spec in self.world.specs()],
            "pid": os.getpid(),
            "state": str(self.directory),
        }

    async def stop(self) -> None:
        """End everything; state that a later run can use is written."""
        if self._saver:
            self._saver.cancel()
            await asyncio.gather(self._saver, return_exceptions=True)
        if self.life:
            await self.life.stop()
        if self.argocd:
            await self.argocd.stop()
        for cluster in self.world.clusters.values():
            cluster.stop()
        await asyncio.gather(*(server.stop() for server in self.servers.values()))
        for reserved in self._reserved:
            reserved.close()
        if self._reader:
            self._reader.close()
        if self.options.state and self.life:
            self._save()

    def _scratch(self) -> Path:
        """Where sources are rendered: here, so that it goes with the demo; what a killed run left there is removed."""
        place = self.directory / "render"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place

    def _clone(self) -> None:
        if not self.repository.exists():
            create_clone(self.repo_url, self.repository)

    def _anchor(self) -> float:
        """The time that the history's ages refer to: whole minutes, or SOURCE_DATE_EPOCH where it is set."""
        fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
        return float(fixed) if fixed.isdigit() else self.clock.now() // 60 * 60

    # Servers

    async def _start_servers(self, authority: pki.Authority, ports: dict[str, int]) -> None:
        pair = authority.server("server")
        tls = ServerTls(pair.certificate, pair.key, authority.certificate)
        logins = []
        for spec in self._specs:
            # A client must be able to watch from the version of a long list, whatever happens meanwhile.
            storage = Storage(_served(spec), window=max(1000, int(self.options.rate * 15)))
            self.world.clusters[spec.name] = SimulatedCluster(
                spec, storage, self.clock, scenario.fate, self.options.seed
            )
            token = self._token(spec)
            wanted = ports.get(spec.name, 0)
            if spec.refuses:
                url = self._reserve(wanted)
                self.world.refusing.add(spec.name)
            else:
                server = self._server(spec, storage, tls, token)
                url = await _started(server, wanted)
                self.servers[spec.name] = server
            self.world.servers[spec.name] = url
            logins.append(kubeconfig.Login(spec, url, token))
        kubeconfig.write(self.kubeconfig, authority, logins)

    def _commits(self) -> list[Commit]:
        commits = commits_of(final_tree(self.repo_url))
        if self._apps:
            files: dict[str, str | None] = {f"{app.path}/{FILE}": app.manifest() for app in self._apps}
            commits.append(Commit(AUTHORS["ingrid"], FLEET_HOURS, "Bring in the rest of the fleet", files))
            commits.sort(key=lambda commit: -commit.hours)
        return commits

    def _token(self, spec: ClusterSpec) -> str:
        dice = random.Random(f"token/{self.options.seed}/{spec.name}")
        return f"{spec.name}.{dice.getrandbits(128):032x}"

    def _server(self, spec: ClusterSpec, storage: Storage, tls: ServerTls, token: str) -> SleepyServer:
        users = [User(kubeconfig.USER, kubeconfig.GROUPS, token)]
        deny = [Deny(resource) for resource in spec.denies]
        if not spec.hub:
            deny.append(Deny("secrets"))
        server = SleepyServer(storage, spec.name, spec.version, tls, users, deny)
        server.watch_buffer = max(server.watch_buffer, int(self.options.rate * BEHIND_BYTES))

        def find(namespace: str, name: str) -> dict[str, Any] | None:
            return storage.find("pods", namespace, name)

        def flows(node: str) -> AsyncGenerator[tuple[float, str], None]:
            return self._flows().follow(spec.name, node)

        last_words = lambda image: scenario.fate(image).last_words  # noqa: E731
        server.logs = logs.source(find, last_words, self.clock, flows if spec.flows else None)
        server.previous_logs = logs.previous(find, last_words, self.clock)
        return server

    def _drop(self, dice: random.Random) -> None:
        self._flows().drop_something(dice)

    def _flows(self) -> Hubble:
        """Hubble, from when somebody first reads flows."""
        from tui.demo.hubble.hubble import Hubble

        if self._hubble is None:
            self._hubble = Hubble(self.world, self.options.seed)
        return self._hubble

    def _reserve(self, port: int) -> str:
        """An address that refuses connections: bound, so that nobody else gets it, but nobody listens."""
        reserved = socket.socket()
        try:
            reserved.bind(("127.0.0.1", port))
        except OSError:
            reserved.bind(("127.0.0.1", 0))
        self._reserved.append(reserved)
        return f"https://127.0.0.1:{reserved.getsockname()[1]}"

    # Content

    def _populate(self, authority: pki.Authority, now: float) -> None:
        ca = authority.certificate.read_bytes()
        created = now - 210 * 86400
        for cluster in self.world.clusters.values():
            if cluster.spec.refuses or dict(cluster.spec.labels).get("fleet"):
                continue
            self._basics(cluster, created)
            objects: list[dict[str, Any]] = []
            if cluster.spec.hub:
                objects += [_namespace("argocd"), _namespace("observability"), *system.argocd_objects()]
                objects += [
                    system.cluster_secret(spec, self.world.servers[spec.name], ca)
                    for spec in self.world.specs()
                    if not spec.hub
                ]
            if cluster.spec.name == "dev-eu-1":
                objects += system.virtual_host_objects()
            objects += certificate_objects(cluster.spec, now)
            for obj in objects:
                made = cluster.storage.apply(fill(_dated(obj, created + 3600)))
                cluster.settle(made, created + 3600 * 24 * (150 + cluster.spec.number))

    def _basics(self, cluster: SimulatedCluster, created: float) -> None:
        """Nodes, and what runs in kube-system."""
        cluster.populate(created)
        for resource in list(cluster.storage.resources.values()):
            if resource.custom:
                cluster.storage.apply(_dated(definition_of(resource), created + 1800))
        installed = [] if cluster.spec.host else cilium_objects(cluster.spec)
        for obj in (*system.dns_objects(), *installed):
            made = cluster.storage.apply(fill(_dated(obj, created + 3600)))
            cluster.settle(made, created + 3600 * 24 * (150 + cluster.spec.number % 50))

    def _generate(self, now: float) -> None:
        """The Applications beyond the shop's, and what fills their clusters at the first look."""
        assert self.argocd and self._reader
        head = self._reader.resolve("main") or ""
        sha = next((revision.sha for revision in self._reader.log("main") if "fleet" in revision.places), head)
        by_cluster: dict[str, list[GeneratedApp]] = {}
        if self._apps:
            self.world.hub.apply(project(self.repo_url))
        for app in self._apps:
            by_cluster.setdefault(app.cluster, []).append(app)
            reachable = app.cluster not in self.world.refusing
            server = self.world.servers[app.cluster]
            self.world.hub.apply(application(app, self.repo_url, [sha], server, now, reachable))
            self.argocd.lazy.add(app.name)
        created = now - 210 * 86400
        for name, cluster in self.world.clusters.items():
            generated = bool(dict(cluster.spec.labels).get("fleet"))
            server_ = self.servers.get(name)
            if server_ is None or not (generated or name in by_cluster):
                continue
            basics = (lambda found: self._basics(found, created)) if generated else None
            sleeper = Sleeper(cluster, self.argocd, by_cluster.get(name, []), basics, self.clock, head)
            if generated:
                self._sleeping.add(name)
            server_.wake = sleeper.wake
            self.world.sleepers[name] = sleeper.wake_all

    # State between runs

    @property
    def _state_file(self) -> Path:
        return self.directory / "state.json"

    def _load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._state_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _save(self) -> None:
        """Ports and what Applications remember; replaced in one step, so that a kill leaves the old or the new."""
        applications = {}
        for name in self.argocd.index.names() if self.argocd else ():
            if name in self.argocd.lazy:  # type: ignore[union-attr]
                continue
            app = self.world.hub.get(APPLICATIONS, NAMESPACE, name)
            status = app.get("status") or {}
            kept = {key: status[key] for key in ("history", "operationState") if key in status}
            if "operation" in app:
                kept["operation"] = app["operation"]
            applications[app["metadata"]["name"]] = kept
        ports = {name: int(url.rpartition(":")[2]) for name, url in self.world.servers.items()}
        text = json.dumps({"ports": ports, "applications": applications})
        scratch = self._state_file.with_suffix(".new")
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(self._state_file)

    async def _keep_saving(self) -> None:
        while self.options.state:
            await asyncio.sleep(SAVE_SECONDS)
            self._save()


async def _started(server: ApiServer, port: int) -> str:
    """Start on the port of an earlier run, or on another one when that is taken."""
    server.port = port
    try:
        return await server.start()
    except OSError:
        server.port = 0
        return await server.start()


def _served(spec: ClusterSpec) -> list[ResourceType]:
    """The resources of a cluster: Argo CD's on the hub only, no Cilium in a virtual cluster, none of other versions."""
    groups = ("argoproj.io", "cilium.io") if spec.hub else () if spec.host else ("cilium.io",)
    absent = absent_kinds(spec)
    return [resource for resource in builtin(*groups) if resource.plural not in absent]


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}


def _dated(obj: dict[str, Any], created: float) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], "creationTimestamp": stamp(created)}}
