"""Bad weather: each fault does what it says, to the requests it matches, as often as it says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.demo.conftest import Fetch
from tests.support import Factory, thing

PODS = "/api/v1/namespaces/shop/pods"
OBJECTS = [thing("Pod", f"p{number}", "shop") for number in range(50)]


async def test_answers_come_in_order_and_end_after_their_times(api_server: Factory, fetch: Fetch):
    server = await api_server(OBJECTS)
    server.faults.throttle(7, match="pods", times=2)
    server.faults.unavailable(match="GET /api/v1/namespaces", times=1)
    statuses = [(await fetch(server, PODS)).status for _ in range(4)]
    assert statuses == [429, 429, 503, 200]
    fault = server.faults.html(502, match="/version")
    answer = await fetch(server, "/version")
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")
    assert answer.body.startswith(b"<html>")
    assert (await fetch(server, PODS)).status == 200
    assert fault.hits == 1
    server.faults.clear()
    assert (await fetch(server, "/version")).status == 200


async def test_throttling_says_when_to_come_back(api_server: Factory, fetch: Fetch):
    server = await api_server()
    server.faults.throttle(7)
    assert (await fetch(server, PODS)).headers["Retry-After"] == "7"


async def test_delays_answer_properly(api_server: Factory, fetch: Fetch):
    server = await api_server(OBJECTS)
    fault = server.faults.delay(0.05, match="pods")
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert len((await fetch(server, PODS)).names) == 50
    assert loop.time() - start >= 0.05
    assert fault.hits == 1


async def test_hanging(api_server: Factory, session: aiohttp.ClientSession):
    server = await api_server()
    server.faults.hang("pods")
    with pytest.raises(asyncio.TimeoutError):
        await session.get(server.url + PODS, timeout=aiohttp.ClientTimeout(total=0.2))
    async with session.get(server.url + "/version") as response:
        assert response.status == 200


async def test_closing_without_an_answer(api_server: Factory, fetch: Fetch):
    server = await api_server()
    server.faults.close(times=2)  # aiohttp itself tries a GET a second time on a fresh connection
    with pytest.raises(aiohttp.ClientError):
        await fetch(server, PODS)


@pytest.mark.parametrize("after", [0, 10, 1000])
async def test_a_list_cut_off(api_server: Factory, session: aiohttp.ClientSession, after: int):
    server = await api_server(OBJECTS)
    server.faults.truncate(after, match="pods")
    body = b""
    with pytest.raises(aiohttp.ClientPayloadError):
        async with session.get(server.url + PODS) as response:
            async for chunk in response.content.iter_any():
                body += chunk
    assert len(body) == after


async def test_a_watch_cut_off_in_the_middle_of_a_line(api_server: Factory, open_watch: Any):
    server = await api_server(OBJECTS)
    server.faults.truncate(350, match="watch=")
    watch = await open_watch(server, PODS)
    first = await watch.next()
    assert first["type"] == "ADDED"
    with pytest.raises((aiohttp.ClientPayloadError, json.JSONDecodeError)):
        while await watch.next():
            pass


async def test_watch_faults(api_server: Factory, open_watch: Any, fetch: Fetch):
    server = await api_server(OBJECTS)
    server.faults.garbage()
    with pytest.raises(json.JSONDecodeError):
        await (await open_watch(server, PODS)).next()
    server.faults.expire()
    (event,) = await (await open_watch(server, PODS, resourceVersion=1)).rest()
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    server.faults.gone()
    answer = await fetch(server, PODS, watch="true")
    assert (answer.status, answer.json["reason"]) == (410, "Expired")
    server.faults.eof(times=1)
    assert await (await open_watch(server, PODS)).rest() == []
    assert (await (await open_watch(server, PODS)).next())["type"] == "ADDED"


async def test_silence_is_complete(api_server: Factory, open_watch: Any):
    server = await api_server(OBJECTS)
    server.faults.silence(times=1)
    silent = await open_watch(server, PODS, allowWatchBookmarks="true")
    loud = await open_watch(server, PODS, allowWatchBookmarks="true")
    server.storage.create(thing("Pod", "new", "shop"))
    server.watches.bookmark()
    assert len(await loud.take(52)) == 52
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(silent.next(), 0.1)


async def test_dropping_watches_is_no_clean_end(api_server: Factory, open_watch: Any):
    server = await api_server(OBJECTS)
    watch = await open_watch(server, PODS)
    await watch.take(50)
    server.drop_watches()
    with pytest.raises(aiohttp.ClientError):
        await watch.next()


async def test_refusing_and_coming_back_on_the_same_port(api_server: Factory, fetch: Fetch, open_watch: Any):
    server = await api_server(OBJECTS)
    watch = await open_watch(server, PODS)
    await watch.take(50)
    url = server.url
    await server.refuse()
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(server, "/version")
    with pytest.raises(aiohttp.ClientError):
        await watch.next()
    assert await server.start() == url
    assert len((await fetch(server, PODS)).names) == 50


async def test_stopping_ends_hanging_requests(api_server: Factory, session: aiohttp.ClientSession):
    server = await api_server()
    server.faults.hang()
    request = asyncio.ensure_future(session.get(server.url + "/version"))
    async with asyncio.timeout(60):
        while not server.requests:
            await asyncio.sleep(0.005)
        await server.stop()
        with pytest.raises(aiohttp.ClientError):
            await request
