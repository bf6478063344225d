"""What an API server serves, asked the new way, the old way, and of servers that answer badly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.adapters.scripted import connection
from tests.support import serving, thing
from tui.adapters.kube.discovery import AGE, FRESH, Discovery
from tui.domain.ports import Absent, Denied, ServerError, Throttled, Trouble


class Server:
    """Answers paths from a table; errors are raised. Counts what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {path.replace("_", "/"): answer for path, answer in answers.items()}
        self.asked: list[str] = []
        self.now = 1000.0
        self.discovery = Discovery(self.get, lambda: self.now)

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "") -> bytes:
        self.asked.append(path)
        answer = self.answers.get(path, Absent("404"))
        if isinstance(answer, Trouble):
            raise answer
        if "as=APIGroupDiscoveryList" in accept and isinstance(answer, tuple):
            raise answer[0]
        answer = answer[1] if isinstance(answer, tuple) else answer
        return answer if isinstance(answer, bytes) else msgspec.json.encode(answer)


def resource(name: str, kind: str, *verbs: str, namespaced: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "namespaced": namespaced,
        "verbs": verbs or ["list", "watch"],
        "shortNames": ["x"],
    }


LEGACY = {
    "_api": {"kind": "APIVersions", "versions": ["v1"]},
    "_apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "apps.example",
                "versions": [{"version": "v1beta1"}, {"version": "v1"}],
                "preferredVersion": {"version": "v1"},
            },
            {"name": "broken.example", "versions": [{"version": "v1"}]},
        ],
    },
    "_api_v1": {"resources": [resource("pods", "Pod"), resource("pods/log", "Pod"), resource("nodes", "Node", "get")]},
    "_apis_apps.example_v1": {"resources": [resource("things", "Thing", namespaced=False)]},
    "_apis_apps.example_v1beta1": {"resources": [resource("things", "Thing"), resource("olds", "Old")]},
}


async def test_both_ways_say_the_same(tmp_path: Path) -> None:
    async with serving([thing("Namespace", "kube-system")]) as server:
        async with connection(tmp_path, {"server": server.url}) as c:
            served = await c.served()
            before = server.requests
            assert await c.served() is served and server.requests == before
        legacy = server.faults.answer(406, b"{}", match="GET /api", times=2)
        async with connection(tmp_path, {"server": server.url}) as c:
            again = await c.served()
        assert legacy.hits == 2
    assert served["pods"].namespaced and not served["nodes"].namespaced
    assert served["pods"].short == ("po",) and "watch" in served["pods"].verbs
    assert served["deployments.apps"].kind == "Deployment" and served["deployments.apps"].versions[0] == "v1"
    assert not any("/" in name for name in served)
    assert set(again) == set(served)
    for name, one in served.items():
        assert (again[name].kind, again[name].namespaced) == (one.kind, one.namespaced), name


async def test_legacy() -> None:
    server = Server(**LEGACY)
    found = await server.discovery.served()
    assert set(found) == {"pods", "nodes", "things.apps.example", "olds.apps.example"}
    assert found["things.apps.example"].versions == ("v1", "v1beta1"), "preferred first"
    assert found["things.apps.example"].namespaced is False, "as in the preferred version"
    assert found["olds.apps.example"].versions == ("v1beta1",)


async def test_a_server_that_knows_no_aggregation() -> None:
    answers = dict(LEGACY)
    answers["_apis"] = (ServerError("406", 406), LEGACY["_apis"])
    found = await Server(**answers).discovery.served()
    assert "things.apps.example" in found


@pytest.mark.parametrize("error", [Denied("no"), ServerError("500", 500), Throttled("slow"), Absent("no")])
async def test_an_extension_that_is_down_hides_only_itself(error: Trouble) -> None:
    answers = LEGACY | {"_apis_broken.example_v1": error}
    assert "pods" in await Server(**answers).discovery.served()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"<html>", b'{"items": [{"versions": {}}]}'])
async def test_answers_that_are_none(body: bytes) -> None:
    with pytest.raises(ServerError, match=r"discovery at /apis? is not what"):
        await Server(_api=body, _apis=body).discovery.served()


async def test_when_it_is_asked_again() -> None:
    server = Server(**LEGACY)
    await server.discovery.served()
    count = len(server.asked)
    server.now += FRESH
    await server.discovery.served(fresh=True)
    await server.discovery.served()
    assert len(server.asked) == count, "several absent kinds ask at the same time"
    server.now += 1
    await server.discovery.served(fresh=True)
    assert len(server.asked) == 2 * count
    server.now += AGE + 1
    await server.discovery.served()
    assert len(server.asked) == 3 * count


async def test_a_refusal_is_remembered_for_a_while() -> None:
    server = Server(_api=Denied("no"), _apis=Denied("no"))
    for _ in range(5):
        with pytest.raises(Denied):
            await server.discovery.served()
    assert len(server.asked) == 2
    server.answers = Server(**LEGACY).answers
    server.now += FRESH + 1
    assert "pods" in await server.discovery.served()


def test_nothing_heavy_is_imported_before_the_first_connection() -> None:
    """The screen is painted first: reading kubeconfigs must not load the client."""
    code = """
import sys
from tui.adapters.kube import KubeClusters, seal_process
from tui.domain.settings import Settings
import tui.fleet.sync, tui.fleet.bridge
seal_process()
KubeClusters(Settings(), "/nonexistent").contexts()
print(sorted({"kubernetes", "aiohttp", "cryptography", "requests", "httpx", "kr8s"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_second_http_client_is_ever_loaded() -> None:
    """`kubernetes` brings websocket-client; nothing brings httpx or kr8s, which the seal does not cover."""
    code = "import sys, tui.adapters.kube.session; print(sorted({'httpx', 'kr8s', 'pycurl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
