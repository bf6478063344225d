"""`--serve` as a process: the ready line, real HTTP, real Git, and nothing left behind."""

from __future__ import annotations

import base64
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from tui.cli.demo import DemoOptions, served

pytestmark = pytest.mark.slow

PATIENCE = 60.0


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The demo in a process of its own, and its ready line."""
    command = [sys.executable, "-m", "tui.demo.serve", "--speed=40", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout and child.stderr
    try:
        line = child.stdout.readline()
        assert line, child.stderr.read()
        yield child, json.loads(line)
    finally:
        child.terminate()
        _, errors = child.communicate(timeout=PATIENCE)
    assert errors == ""
    assert child.returncode == 0


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """One for all tests that ask it something; it leaves nothing behind."""
    with serving() as (child, ready):
        yield child, ready
    assert not Path(ready["state"]).exists()


def eventually(condition: Callable[[], Any]) -> Any:
    """The condition's first true value; fails when it takes too long."""
    until = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)
    return value


class Client:
    """Reads clusters through the demo's kubeconfig, with whatever credentials it has."""

    def __init__(self, kubeconfig: str) -> None:
        self.config = yaml.safe_load(Path(kubeconfig).read_text())
        self.directory = Path(kubeconfig).parent

    def _named(self, section: str, name: str) -> Any:
        found = next(entry for entry in self.config[section] if entry["name"] == name)
        return found[section.removesuffix("s")]

    def get(self, context: str, path: str) -> Any:
        """The JSON at a path of a context's cluster. Raises HTTPError, OSError."""
        about = self._named("contexts", context)
        cluster, user = self._named("clusters", about["cluster"]), self._named("users", about["user"])
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        headers = {}
        if "token" in user:
            headers["Authorization"] = f"Bearer {user['token']}"
        elif "exec" in user:
            said = subprocess.check_output([user["exec"]["command"], *user["exec"]["args"]])
            headers["Authorization"] = f"Bearer {json.loads(said)['status']['token']}"
        else:
            pair = self.directory / "pair.pem"
            data = [user["client-certificate-data"], user["client-key-data"]]
            pair.write_bytes(b"".join(map(base64.b64decode, data)))
            trust.load_cert_chain(pair)
        with urlopen(Request(cluster["server"] + path, headers=headers), context=trust, timeout=PATIENCE) as answer:
            return json.load(answer)

    def names(self, context: str, path: str) -> list[str]:
        """Names of a list's items."""
        return [item["metadata"]["name"] for item in self.get(context, path)["items"]]


def git(directory: str, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


APPS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def test_it_serves_what_the_ready_line_says(demo: tuple[subprocess.Popen[str], dict[str, Any]]) -> None:
    child, ready = demo
    assert set(ready) == {"kubeconfig", "repository", "origin", "clusters", "pid", "state"}
    assert ready["pid"] == child.pid
    client = Client(ready["kubeconfig"])
    assert {entry["name"] for entry in client.config["contexts"]} == set(ready["clusters"])
    assert len(client.names("hub", APPS)) >= 40
    assert len(client.names("prod-eu-1", "/api/v1/pods")) > 20
    assert len(client.names("prod-ap-1", "/api/v1/nodes")) == 4  # logs in by the exec plugin
    assert client.names("staging-eu-1", "/apis/cilium.io/v2/ciliumidentities")
    virtual = next(name for name in ready["clusters"] if name.startswith("vcluster_"))
    inner = client.names(virtual, "/api/v1/pods")
    outer = client.names("dev-eu-1", "/api/v1/namespaces/team-web/pods")
    assert sum("-x-" in name for name in outer) == len(inner) > 0
    with pytest.raises(HTTPError, match="403"):
        client.get("edge-gdansk-03", "/api/v1/pods")
    assert client.names("edge-gdansk-03", "/apis/apps/v1/deployments")
    with pytest.raises(OSError, match="refused"):
        client.get("edge-bergen-04", "/version")
    assert git(ready["repository"], "remote", "get-url", "origin") == Path(ready["origin"]).as_uri()
    assert oct(Path(ready["kubeconfig"]).stat().st_mode & 0o777) == "0o600"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads the kernel's table of sockets")
def test_it_listens_on_this_machine_only(demo: tuple[subprocess.Popen[str], dict[str, Any]]) -> None:
    inodes = set()
    for link in Path(f"/proc/{demo[0].pid}/fd").iterdir():
        target = str(link.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else ():
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append(fields[1].partition(":")[0])
    assert listening
    assert set(listening) == {f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"}


def test_a_push_changes_the_cluster_over_http(demo: tuple[subprocess.Popen[str], dict[str, Any]]) -> None:
    _, ready = demo
    client = Client(ready["kubeconfig"])
    file = Path(ready["repository"]) / "shop/checkout/prod-eu-1/deployment.yaml"
    file.write_text(file.read_text().replace("replicas: 3", "replicas: 5"))
    git(ready["repository"], "commit", "-qam", "five")
    git(ready["repository"], "push", "-q", "origin", "main")
    sha = git(ready["repository"], "rev-parse", "HEAD")

    def deployed() -> bool:
        app = client.get("hub", f"{APPS}/checkout-prod-eu-1")
        return app["status"]["history"][-1]["revision"] == sha and app["status"]["health"]["status"] == "Healthy"

    eventually(deployed)
    live = client.get("prod-eu-1", "/apis/apps/v1/namespaces/shop/deployments/checkout")
    assert live["status"]["availableReplicas"] == 5
    assert client.get("prod-eu-1", "/demo/mutations")["count"] == 0


def test_state_survives_between_runs(tmp_path: Path) -> None:
    state = str(tmp_path / "kept")
    with serving("--state", state) as (_, ready):
        file = Path(ready["repository"]) / "shop/checkout/prod-us-1/deployment.yaml"
        file.write_text(file.read_text().replace("replicas: 3", "replicas: 4"))
        git(ready["repository"], "commit", "-qam", "four")
        git(ready["repository"], "push", "-q", "origin", "main")
        sha = git(ready["repository"], "rev-parse", "HEAD")
        client = Client(ready["kubeconfig"])

        def history() -> Any:
            return client.get("hub", f"{APPS}/checkout-prod-us-1")["status"]["history"]

        eventually(lambda: history()[-1]["revision"] == sha)
        before, first = history(), client.config
    with serving("--state", state) as (_, ready):
        client = Client(ready["kubeconfig"])
        assert git(ready["repository"], "rev-parse", "origin/main") == sha
        assert history() == before
        live = client.get("prod-us-1", "/apis/apps/v1/namespaces/shop/deployments/checkout")
        assert live["spec"]["replicas"] == 4
        assert [entry["cluster"]["server"] for entry in client.config["clusters"]] == [
            entry["cluster"]["server"] for entry in first["clusters"]
        ]
        assert client.config["clusters"] == first["clusters"]  # the same authority as well
    assert Path(state).exists()


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, os\n"
        "child = subprocess.Popen([sys.executable, '-m', 'tui.demo.serve', f'--parent-pid={os.getpid()}'],"
        " stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
        "sys.stdin.readline()\n"
        "os._exit(1)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdin and parent.stdout
    ready = json.loads(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    eventually(lambda: not Path(ready["state"]).exists())
    parent.stdin.close()
    parent.stdout.close()


def test_fleet_demo_wraps_it() -> None:
    with served(DemoOptions(speed=40)) as ready:
        assert ready.kubeconfig.exists()
        assert ready.repository.exists()
        place = ready.state
    assert not place.exists()
