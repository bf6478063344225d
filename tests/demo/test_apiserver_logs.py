"""Pod logs: which container, how much of the past, and what comes while following."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from tests.demo.conftest import Fetch
from tests.support import Factory, thing
from tui.demo.apiserver.logs import Line

NOW = 1_700_000_000.0
LOG = "/api/v1/namespaces/shop/pods/{}/log"


def past(namespace: str, pod: str, container: str) -> Iterator[Line]:
    for number in range(5):
        yield NOW - 50 + 10 * number, f"{namespace}/{pod}/{container} {number}"


@pytest.fixture
def objects() -> list[dict[str, Any]]:
    one = {"containers": [{"name": "main"}], "initContainers": [{"name": "setup"}]}
    two = {"containers": [{"name": "main"}, {"name": "proxy"}]}
    return [thing("Pod", "one", "shop", spec=one), thing("Pod", "two", "shop", spec=two)]


async def lines(fetch: Fetch, server: Any, pod: str = "one", **query: Any) -> list[str]:
    answer = await fetch(server, LOG.format(pod), **query)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain"), answer.body
    return answer.body.decode().splitlines()


async def test_the_past_and_its_cuts(api_server: Factory, fetch: Fetch, objects: list[dict[str, Any]]):
    server = await api_server(objects, clock=lambda: NOW)
    server.logs = past
    everything = [f"shop/one/main {number}" for number in range(5)]
    assert await lines(fetch, server) == everything
    assert await lines(fetch, server, tailLines=2) == everything[3:]
    assert await lines(fetch, server, tailLines=0) == []
    assert await lines(fetch, server, sinceSeconds=25) == everything[3:]
    assert await lines(fetch, server, sinceTime="2023-11-14T22:13:00Z") == everything[3:]
    assert await lines(fetch, server, limitBytes=20) == ["shop/one/main 0", "shop"]
    stamped = await lines(fetch, server, timestamps="true", tailLines=1)
    assert stamped == ["2023-11-14T22:13:10.000000000Z shop/one/main 4"]
    assert (await fetch(server, LOG.format("one"), tailLines="x")).status == 400


async def test_containers(api_server: Factory, fetch: Fetch, objects: list[dict[str, Any]]):
    server = await api_server(objects, clock=lambda: NOW)
    server.logs = past
    assert (await lines(fetch, server, container="setup", tailLines=1)) == ["shop/one/setup 4"]
    assert (await lines(fetch, server, "two", container="proxy", tailLines=1)) == ["shop/two/proxy 4"]
    for query, words in (({}, "choose one of: [main proxy]"), ({"container": "x"}, "container x is not valid")):
        answer = await fetch(server, LOG.format("two"), **query)
        assert answer.status == 400
        assert words in answer.json["message"]
    assert (await fetch(server, LOG.format("nope"))).status == 404


async def test_the_previous_container(api_server: Factory, fetch: Fetch, objects: list[dict[str, Any]]):
    server = await api_server(objects, clock=lambda: NOW)
    server.logs = past
    answer = await fetch(server, LOG.format("one"), previous="true")
    assert answer.status == 400
    assert "previous terminated container" in answer.json["message"]
    server.previous_logs = lambda namespace, pod, container: ["the end"]
    assert await lines(fetch, server, previous="true") == ["the end"]


async def test_a_pod_without_a_log_has_an_empty_one(api_server: Factory, fetch: Fetch, objects: list[dict[str, Any]]):
    server = await api_server(objects)
    assert await lines(fetch, server) == []


async def test_following(api_server: Factory, session: aiohttp.ClientSession, objects: list[dict[str, Any]]):
    server = await api_server(objects, clock=lambda: NOW)
    more: asyncio.Queue[str] = asyncio.Queue()
    ended = asyncio.Event()

    async def source(namespace: str, pod: str, container: str) -> AsyncIterator[Line]:
        try:
            for line in past(namespace, pod, container):
                yield line
            while True:
                yield NOW, await more.get()
        finally:
            ended.set()

    server.logs = source
    url = server.url + LOG.format("one")
    async with session.get(url, params={"tailLines": "2"}) as response:
        assert (await response.read()).decode().splitlines() == ["shop/one/main 3", "shop/one/main 4"]
    async with asyncio.timeout(60):
        await ended.wait()
    ended.clear()
    async with session.get(url, params={"follow": "true", "tailLines": "1"}) as response:
        assert await response.content.readline() == b"shop/one/main 4\n"
        more.put_nowait("live")
        assert await response.content.readline() == b"live\n"
        assert not ended.is_set()
    async with asyncio.timeout(60):
        await ended.wait()
