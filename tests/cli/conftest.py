"""The command as a user runs it: a process of its own against API servers over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from tests.support import serving, thing
from tui.demo.apiserver.server import ApiServer


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


class Commands:
    """Runs `fleet` with a kubeconfig and a state folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.servers: list[ApiServer] = []

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the command is run with: nothing of the machine's own configuration."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
        mine = {"HOME": str(self.folder), "FLEET_STATE": str(self.folder / "state"), "KUBECONFIG": str(self.kubeconfig)}
        return {**kept, **mine, **(more or {})}

    async def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
        """Start `fleet`; its outputs are pipes."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui", *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**self.environment(env), "PYTHONPATH": str(Path(__file__).parents[2])}, cwd=self.folder,
        )  # fmt: skip

    async def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run `fleet` to its end."""
        child = await self.start(*arguments, env=env)
        out, err = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode is not None
        return Ran(child.returncode, out.decode(), err.decode())

    def write_kubeconfig(self, servers: Mapping[str, str]) -> None:
        """One context a server, named as the key."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
            "users": [{"name": "user", "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "user"}} for name in servers],
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))


def closed_port() -> str:
    """A URL on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def application(name: str, sync: str = "Synced", health: str = "Healthy", cluster: str = "prod-1") -> dict[str, Any]:
    """An Application in few words."""
    spec = {
        "project": "shop",
        "source": {"repoURL": "https://git.example.com/shop/deploy.git", "path": name, "targetRevision": "main"},
        "destination": {"name": cluster, "namespace": "shop"},
    }
    status = {"sync": {"status": sync, "revision": "a" * 40}, "health": {"status": health}}
    return thing("Application", name, "argocd", "argoproj.io/v1alpha1", {"team": name[0]}, spec=spec, status=status)


@pytest_asyncio.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Commands]:
    """`await fleet("get", "pods")` against a hub, a spoke, and a cluster that refuses connections."""
    commands = Commands(tmp_path)
    system = thing("Namespace", "kube-system")
    pods = [
        thing("Pod", "web-1", "shop", labels={"app": "web"}, status={"phase": "Running"}),
        thing("Pod", "web-2", "shop", labels={"app": "web"}, status={"phase": "Pending"}),
        thing("Pod", "db-0", "data", labels={"app": "db"}, status={"phase": "Running"}),
    ]
    apps = [application("payments", "OutOfSync", "Degraded"), application("search")]
    async with serving([system, *apps], name="hub") as hub, serving([system, *pods], name="prod-1") as spoke:
        commands.servers = [hub, spoke]
        commands.write_kubeconfig({"hub": hub.url, "prod-1": spoke.url, "gone": closed_port()})
        yield commands
        assert [server.mutations.count for server in commands.servers] == [0, 0]


@pytest.fixture
def calm(fleet: Commands) -> Commands:
    """The same fleet without the cluster that refuses connections."""
    fleet.write_kubeconfig({server.name: server.url for server in fleet.servers})
    return fleet
