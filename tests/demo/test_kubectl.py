"""The real kubectl against the server: what a user of the demo types, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support import kubeconfig, serving, thing
from tui.demo.apiserver.access import Deny, User
from tui.demo.apiserver.server import ApiServer, ServerTls
from tui.demo.pki import Authority

pytestmark = [pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"), pytest.mark.slow]


class Kubectl:
    """kubectl with a kubeconfig and a home of its own."""

    def __init__(self, server: ApiServer, config: Path) -> None:
        self.server = server
        self.config = config
        self.environment = {"HOME": str(config.parent), "PATH": os.environ["PATH"], "KUBECONFIG": str(config)}

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        """A running kubectl."""
        return await asyncio.create_subprocess_exec(
            "kubectl",
            *arguments,
            env=self.environment | environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        process = await self.start(*arguments, **environment)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def __call__(self, *arguments: str) -> str:
        """Standard output of a command that succeeds."""
        code, out, err = await self.run(*arguments)
        assert code == 0, err
        return out


def pod(name: str, **labels: str) -> dict[str, Any]:
    statuses = [{"name": "main", "ready": True, "restartCount": 2, "state": {"running": {}}}]
    made = thing(
        "Pod",
        name,
        "shop",
        labels={"app": "web", **labels},
        spec={"nodeName": "n1", "containers": [{"name": "main", "image": "shop/web:1.2"}]},
        status={"phase": "Running", "podIP": "10.0.0.7", "containerStatuses": statuses},
    )
    made["metadata"]["uid"] = f"uid-of-{name}"
    return made


def objects() -> list[dict[str, Any]]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    counts = {"replicas": 3, "readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 2}
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    sync = {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Healthy"}}
    about = {"kind": "Pod", "name": "web-1", "namespace": "shop", "uid": "uid-of-web-1"}
    policy = {"endpointSelector": {"matchLabels": {"app": "web"}}}
    return [
        thing("Namespace", "shop", status={"phase": "Active"}),
        thing("Node", "n1", status={"conditions": [condition], "nodeInfo": {"kubeletVersion": "v1.31.4"}}),
        *(pod(f"web-{number}", n=str(number)) for number in range(5)),
        thing("Deployment", "web", "shop", "apps/v1", spec=spec, status=counts),
        thing("Service", "web", "shop", spec={"clusterIP": "10.1.2.3", "ports": [{"port": 80}]}),
        thing("Event", "e1", "shop", involvedObject=about, type="Warning", reason="BackOff", message="again", count=4),
        thing("Application", "web", "argocd", "argoproj.io/v1alpha1", spec={"project": "shop"}, status=sync),
        thing("CiliumNetworkPolicy", "web", "shop", "cilium.io/v2", spec=policy),
        thing("Secret", "s", "shop", data={}),
    ]


@pytest_asyncio.fixture
async def kubectl(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Kubectl]:
    """kubectl of a user with a client certificate, and a server with TLS."""
    authority = Authority(tmp_path / "pki")
    pair = authority.server()
    tls = ServerTls(pair.certificate, pair.key, authority.certificate)
    users = [User("bob", ("devs",), "bobs-token")]
    writes = request.node.get_closest_marker("writes") is not None
    async with serving(objects(), tls=tls, users=users, deny=[Deny("secrets")], writes=writes) as server:
        client = authority.client("alice", ["ops"])
        yield Kubectl(
            server, kubeconfig(tmp_path / "config", server, authority.certificate, pair=client, namespace="shop")
        )
        assert server.requests


def table(out: str) -> list[list[str]]:
    """Rows of a kubectl table as words."""
    return [line.split() for line in out.splitlines()]


async def test_get_in_every_form(kubectl: Kubectl):
    out = table(await kubectl("get", "pods"))
    assert out[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert out[1][:4] == ["web-0", "1/1", "Running", "2"]
    assert len(out) == 6
    wide = table(await kubectl("get", "po", "-A", "-o", "wide"))
    assert wide[0][0] == "NAMESPACE"
    assert wide[1][6:8] == ["10.0.0.7", "n1"]
    names = await kubectl("get", "pods", "-o", "name", "--chunk-size=2")
    assert names.split() == [f"pod/web-{number}" for number in range(5)]
    assert json.loads(await kubectl("get", "pod", "web-3", "-o", "json"))["status"]["podIP"] == "10.0.0.7"
    assert len(json.loads(await kubectl("get", "pods", "-o", "json", "--chunk-size=1"))["items"]) == 5
    assert "podIP: 10.0.0.7" in await kubectl("get", "pod/web-0", "-o", "yaml")
    assert await kubectl("get", "pods", "-o", "jsonpath={.items[0].spec.nodeName}") == "n1"
    assert "shop/web:1.2" in await kubectl("get", "pods", "-o", "custom-columns=I:.spec.containers[0].image")


async def test_get_with_selectors(kubectl: Kubectl):
    for arguments, count in (
        (("-l", "n=3"), 1),
        (("-l", "n in (1,2),app!=db"), 2),
        (("--field-selector", "metadata.name!=web-0,spec.nodeName=n1"), 4),
        (("-l", "app=db"), 0),
    ):
        out = await kubectl("get", "pods", "--no-headers", *arguments)
        assert len(out.splitlines()) == count, arguments
    code, _, err = await kubectl.run("get", "pods", "--field-selector", "spec.nope=1")
    assert (code, "field label not supported: spec.nope" in err) == (1, True)


async def test_get_of_many_kinds_by_short_names(kubectl: Kubectl):
    out = await kubectl("get", "no,ns,deploy,svc,cnp,events")
    for word in ("node/n1", "namespace/shop", "deployment.apps/web", "service/web", "BackOff"):
        assert word in out
    apps = table(await kubectl("get", "apps", "-A"))
    assert apps[0] == ["NAMESPACE", "NAME", "SYNC", "STATUS", "HEALTH", "STATUS"]
    assert apps[1] == ["argocd", "web", "Synced", "Healthy"]
    everything = await kubectl("get", "all")
    assert "deployment.apps/web   2/3" in everything


async def test_errors_in_the_words_of_kubernetes(kubectl: Kubectl):
    for arguments, words in (
        (("get", "pod", "nope"), '(NotFound): pods "nope" not found'),
        (("get", "nopes"), 'the server doesn\'t have a resource type "nopes"'),
        (("get", "secrets"), '(Forbidden): secrets is forbidden: User "alice" cannot list resource "secrets"'),
        (("get", "pods", "--token", "wrong"), "You must be logged in to the server"),
    ):
        code, _, err = await kubectl.run(*arguments)
        assert (code, words in err) == (1, True), err


async def test_watch(kubectl: Kubectl):
    process = await kubectl.start("get", "pods", "-w", "--output-watch-events")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            rows = [(await process.stdout.readline()).split() for _ in range(6)]
            assert rows[0][:2] == [b"EVENT", b"NAME"]
            assert {row[0] for row in rows[1:]} == {b"ADDED"}
            kubectl.server.storage.update_status("pods", "shop", "web-2", {"phase": "Failed"})
            assert (await process.stdout.readline()).split()[:4] == [b"MODIFIED", b"web-2", b"0/1", b"Failed"]
            kubectl.server.storage.delete("pods", "shop", "web-2")
            assert (await process.stdout.readline()).split()[:2] == [b"DELETED", b"web-2"]
    finally:
        process.terminate()
        await process.communicate()


async def test_describe(kubectl: Kubectl):
    out = await kubectl("describe", "pod", "web-1")
    assert "shop/web:1.2" in out
    assert "BackOff" in out
    assert "web-4" in await kubectl("describe", "node", "n1")
    assert "3 desired" in await kubectl("describe", "deploy", "web")
    assert "Endpoint Selector" in await kubectl("describe", "cnp", "web")
    for kind in ("ns/shop", "svc/web"):
        assert "Name:" in await kubectl("describe", kind)
    assert "Health" in await kubectl("describe", "app", "web", "-n", "argocd")


async def test_discovery(kubectl: Kubectl):
    out = table(await kubectl("api-resources", "--no-headers"))
    assert ["pods", "po", "v1", "true", "Pod"] in out
    assert ["applications", "app,apps", "argoproj.io/v1alpha1", "true", "Application"] in out
    assert "networkpolicies.networking.k8s.io" not in await kubectl("api-resources", "--namespaced=false", "-o", "name")
    assert {"v1", "apps/v1", "cilium.io/v2"} <= set((await kubectl("api-versions")).split())
    assert "Server Version: v1.31.4" in await kubectl("version")


async def test_explain(kubectl: Kubectl):
    assert "KIND:       Pod" in await kubectl("explain", "pods")
    out = await kubectl("explain", "applications.spec.source.targetRevision")
    assert "FIELD: targetRevision <string>" in out
    out = await kubectl("explain", "deployment.spec", "--recursive")
    assert "imagePullPolicy" in out


async def test_logs(kubectl: Kubectl):
    live: asyncio.Queue[str] = asyncio.Queue()

    async def source(namespace: str, name: str, container: str) -> AsyncIterator[str]:
        for number in range(5):
            yield f"{namespace}/{name}/{container} {number}"
        while True:
            yield await live.get()

    kubectl.server.logs = source
    assert (await kubectl("logs", "web-0", "--tail=2")).splitlines() == ["shop/web-0/main 3", "shop/web-0/main 4"]
    assert "Z shop/web-0/main 4" in await kubectl("logs", "deploy/web", "--timestamps", "--tail=1")
    process = await kubectl.start("logs", "-f", "web-1", "-c", "main", "--tail=1")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"shop/web-1/main 4\n"
            live.put_nowait("more")
            assert await process.stdout.readline() == b"more\n"
    finally:
        process.terminate()
        await process.communicate()


# kubectl may be one that picks the release that fits the server; from 1.32 on it posts reviews in protobuf.
@pytest.mark.parametrize("version", ["v1.31.4", "v1.33.1"])
async def test_auth(kubectl: Kubectl, version: str):
    kubectl.server.version = version
    assert (await kubectl("auth", "can-i", "list", "pods")).strip() == "yes"
    for verb, resource in (("list", "secrets"), ("delete", "pods"), ("create", "deployments.apps"), ("*", "*")):
        code, out, _ = await kubectl.run("auth", "can-i", verb, resource)
        assert (code, out.split()[0]) == (1, "no"), (verb, resource)
    rules = await kubectl("auth", "can-i", "--list")
    assert "deployments.apps" in rules
    assert "secrets" not in rules
    whoami = json.loads(await kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert whoami == {"username": "alice", "groups": ["ops", "system:authenticated"]}
    assert kubectl.server.mutations.count == 0


MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: main, image: other}]}
"""

REFUSED = [
    "apply -f FILE",
    "apply -f FILE --server-side",
    "apply -f FILE --dry-run=server",
    "create namespace x",
    "delete pod web-1",
    "delete pods --all",
    "edit pod web-1",
    "exec web-1 -- ls",
    "attach web-1",
    "port-forward pod/web-1 :80",
    "scale deployment/web --replicas=5",
    "label pod web-1 a=b",
    "annotate pod web-1 a=b",
    "patch pod web-1 -p {}",
    "rollout restart deployment/web",
    "set image deployment/web main=x",
    "cordon n1",
    "taint node n1 a=b:NoSchedule",
    "run x --image=y",
    "expose deployment web --port=80 --name=other",
    "debug web-1 --image=x",
]


@pytest.mark.writes
@pytest.mark.parametrize("command", REFUSED)
async def test_changes_are_refused(kubectl: Kubectl, tmp_path: Path, command: str):
    file = tmp_path / "pod.yaml"
    file.write_text(MANIFEST, encoding="utf-8")
    before = kubectl.server.storage.resource_version
    arguments = [str(file) if word == "FILE" else word for word in command.split()]
    code, _, err = await kubectl.run(*arguments, EDITOR="sed -i s/web:1/web:2/")
    assert code != 0 or command.startswith("cordon")  # cordon reports the refusal, and ends with 0 all the same
    assert "forbidden" in err.lower(), err
    assert kubectl.server.mutations.count > 0
    assert kubectl.server.storage.resource_version == before
    assert kubectl.server.storage.count("pods") == 5


async def test_a_token_user_and_impersonation(kubectl: Kubectl, tmp_path: Path):
    ca = kubectl.config.parent / "pki" / "ca.crt"
    other = Kubectl(kubectl.server, kubeconfig(tmp_path / "bob", kubectl.server, ca, token="bobs-token"))
    whoami = ("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert await other(*whoami) == "bob"
    assert await other(*whoami, "--as", "carol") == "carol"


async def test_wait_and_rollout_status(kubectl: Kubectl):
    assert "condition met" in await kubectl(
        "wait", "pod/web-0", "--for=jsonpath={.status.phase}=Running", "--timeout=30s"
    )
    process = await kubectl.start("wait", "pod/web-0", "--for=delete", "--timeout=30s")
    kubectl.server.storage.delete("pods", "shop", "web-0")
    async with asyncio.timeout(60):
        await process.communicate()
    assert process.returncode == 0
