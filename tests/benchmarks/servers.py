"""A process that serves a hub full of Applications and the clusters they deploy to, over TLS, for the benchmarks.

    python -m tests.benchmarks.servers --applications 20000 --spokes 50 --objects 100000

Prints one line of JSON when it serves, then answers one line for each line it reads (`Served` asks), and ends when its
standard input is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.benchmarks.applications import TEAMS, application
from tui.demo.apiserver.access import User
from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.server import ApiServer, ServerTls
from tui.demo.apiserver.storage import Storage, timestamp
from tui.demo.pki import Authority

APPLICATIONS = "applications.argoproj.io"
USER = User("bench", ("system:masters",), token="bench")
VERSION = "v1.34.1"  # streams lists, as every supported release does
BUSY = 2_000  # Applications that change: each many times, so that what grows does not grow by what is new
PULSE = 0.02  # seconds between two handfuls of changes


@dataclass
class Served:
    """The running process, and questions to it."""

    child: subprocess.Popen[str]
    kubeconfig: str
    bytes: int  # of all Applications as JSON

    def requests(self) -> dict[str, dict[str, int]]:
        """Requests so far, by cluster and by what was asked: `watch /api/v1/pods`."""
        found: dict[str, dict[str, int]] = self._ask(do="requests")
        return found

    def change(self, rate: int, seconds: float) -> None:
        """Change busy Applications so often a second for so long; returns at once."""
        self._ask(do="change", rate=rate, seconds=seconds)

    def changed(self) -> int:
        """How many changes have been made."""
        return int(self._ask(do="changed"))

    def _ask(self, **question: Any) -> Any:
        assert self.child.stdin is not None and self.child.stdout is not None
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())


@contextmanager
def served(applications: int, spokes: int = 0, objects: int = 0) -> Iterator[Served]:
    """The process, serving; it has ended afterwards. `objects`: beside the Applications, over all spokes."""
    argv = [sys.executable, "-m", "tests.benchmarks.servers"]
    for name, number in (("applications", applications), ("spokes", spokes), ("objects", objects)):
        argv += [f"--{name}", str(number)]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    try:
        said = child.stdout.readline()
        if not said:
            raise RuntimeError("the servers have not started; what they said is above")
        yield Served(child, **json.loads(said))
    finally:
        child.stdin.close()
        child.wait(30)
        child.stdout.close()


class CountingServer(ApiServer):
    """An API server that remembers what it was asked for, and how often."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.asked: Counter[str] = Counter()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        query = request.query
        watch = "list and watch" if query.get("sendInitialEvents") == "true" else "watch"
        verb = watch if query.get("watch") in ("true", "1") else "page" if "continue" in query else "get"
        only = f"?{query['fieldSelector']}" if "fieldSelector" in query else ""
        self.asked[f"{verb} {request.path}{only}"] += 1
        return await super()._handle(request)


def neighbours(spoke: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` objects of an ordinary cluster: 10 pods, 5 Deployments, 3 Services, 2 policies of each twenty."""
    kinds = ("Pod",) * 10 + ("Deployment",) * 5 + ("Service",) * 3 + ("CiliumNetworkPolicy",) * 2
    for at in range(count):
        team = TEAMS[at % len(TEAMS)]
        made = _BODIES[kinds[at % 20]](f"{team}-{at:05d}", team, spoke, at)
        made["metadata"] = {"name": f"{team}-{at:05d}", "namespace": team, "labels": {"app": team}}
        yield made


def _pod(name: str, team: str, spoke: int, at: int) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": f"registry.example.com/{team}/web:1.{at % 40}.0",
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "env": [{"name": f"SETTING_{number}", "value": f"value-{number}"} for number in range(6)],
    }
    state = {"name": "web", "ready": True, "restartCount": at % 5, "state": {"running": {"startedAt": _AT}}}
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": _AT}
        for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"nodeName": f"node-{at % 20}", "containers": [container]},
        "status": {
            "phase": "Running",
            "podIP": f"10.{spoke}.{at // 250 % 250}.{at % 250}",
            "conditions": conditions,
            "containerStatuses": [state],
        },
    }


def _deployment(name: str, team: str, spoke: int, at: int) -> dict[str, Any]:
    pod = {"metadata": {"labels": {"app": team}}, "spec": _pod(name, team, spoke, at)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": team}}, "template": pod},
        "status": {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
    }


def _service(name: str, team: str, spoke: int, at: int) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "clusterIP": f"172.20.{at // 250 % 250}.{at % 250}", "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "spec": {**spec, "selector": {"app": team}}}


def _policy(name: str, team: str, spoke: int, at: int) -> dict[str, Any]:
    ingress = [{"fromEndpoints": [{"matchLabels": {"app": TEAMS[(at + step) % len(TEAMS)]}}]} for step in range(3)]
    spec = {"endpointSelector": {"matchLabels": {"app": team}}, "ingress": ingress}
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "spec": spec}


_AT = "2026-11-01T10:00:00Z"
_BODIES = {"Pod": _pod, "Deployment": _deployment, "Service": _service, "CiliumNetworkPolicy": _policy}


class _Process:
    """What the child does."""

    def __init__(self) -> None:
        self.servers: list[CountingServer] = []
        self.made = 0
        self._changes: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def serving(self, folder: Path, applications: int, spokes: int, objects: int) -> AsyncIterator[int]:
        """Serve and write the kubeconfig into `folder`; gives the bytes of all Applications."""
        authority = Authority(folder / "pki")
        pair = authority.server()
        tls = ServerTls(pair.certificate, pair.key)
        async with AsyncExitStack() as stack:
            for number in range(spokes):
                of_spoke = objects // spokes + (number < objects % spokes)
                await self._start(stack, f"spoke-{number:02d}", tls, neighbours(number, of_spoke))
            urls = [server.url for server in self.servers]
            hub = await self._start(stack, "hub", tls, (application(number, urls) for number in range(applications)))
            _write(folder / "kubeconfig", authority.certificate, self.servers)
            page = hub.storage.page(APPLICATIONS)
            yield sum(len(data) for _, data in page.items)

    async def _start(
        self, stack: AsyncExitStack, name: str, tls: ServerTls, objects: Iterable[dict[str, Any]]
    ) -> CountingServer:
        storage = Storage(BUILTIN)
        for namespace in ("kube-system", *TEAMS):
            storage.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for obj in objects:
            storage.create(obj)
        server = CountingServer(storage, name, VERSION, tls, [USER])
        await server.start()
        stack.push_async_callback(server.stop)
        self.servers.append(server)
        return server

    def answer(self, question: dict[str, Any]) -> Any:
        """What one line asks for."""
        match question["do"]:
            case "requests":
                return {server.name: dict(server.asked) for server in self.servers}
            case "change":
                self._changes = asyncio.ensure_future(self._change(question["rate"], question["seconds"]))
            case "changed":
                return self.made
        return None

    async def _change(self, rate: int, seconds: float) -> None:
        """Change busy Applications of the hub at random: health, when they were compared, one of their resources."""
        storage = self.servers[-1].storage
        names = [key.rpartition("/")[2] for key, _ in storage.page(APPLICATIONS, limit=BUSY).items]
        chance = random.Random(self.made)
        start, done = time.monotonic(), 0
        while (gone := time.monotonic() - start) < seconds:
            while done < min(gone, seconds) * rate:
                done += 1
                self.made += 1
                storage.patch(APPLICATIONS, "argocd", chance.choice(names), _moved)
            await asyncio.sleep(PULSE)


def _moved(obj: dict[str, Any]) -> None:
    status = obj["status"]
    status["reconciledAt"] = timestamp(time.time())
    status["health"]["status"] = "Healthy" if status["health"]["status"] != "Healthy" else "Progressing"
    status["resources"][0]["status"] = "Synced" if status["resources"][0]["status"] != "Synced" else "OutOfSync"


def _write(path: Path, authority: Path, servers: list[CountingServer]) -> None:
    cluster = {"certificate-authority": str(authority)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": each.name, "cluster": {"server": each.url, **cluster}} for each in servers],
        "users": [{"name": "bench", "user": {"token": USER.token}}],
        "contexts": [{"name": each.name, "context": {"cluster": each.name, "user": "bench"}} for each in servers],
    }
    path.write_text(json.dumps(config))  # JSON is YAML


async def _serve(applications: int, spokes: int, objects: int) -> None:
    process = _Process()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with process.serving(folder, applications, spokes, objects) as size:
            print(json.dumps({"kubeconfig": str(folder / "kubeconfig"), "bytes": size}), flush=True)
            reader = asyncio.StreamReader()
            loop = asyncio.get_running_loop()
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            while line := await reader.readline():
                print(json.dumps(process.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--applications", "--spokes", "--objects"):
        parser.add_argument(option, type=int, default=0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(**vars(parser.parse_args())))
