"""Fixtures of the demo's tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest_asyncio

from tests.support import api_server
from tui.demo.apiserver.server import ApiServer

__all__ = ["Answer", "Fetch", "Stream", "api_server", "fetch", "open_watch", "session"]


class Answer:
    """Status, headers and body of one answer."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def names(self) -> list[str]:
        """Names of a list's items."""
        return [item["metadata"]["name"] for item in self.json["items"]]


Fetch = Callable[..., Awaitable[Answer]]


class Stream:
    """The lines of a watch as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> dict[str, Any] | None:
        """The next event; None at the end."""
        line = await self.response.content.readline()
        return json.loads(line) if line else None

    async def take(self, count: int) -> list[tuple[str, str]]:
        """Type and name of the next events."""
        events = [await self.next() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events if event]

    async def rest(self) -> list[dict[str, Any]]:
        """Everything until the end."""
        return [json.loads(line) async for line in self.response.content]


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client that sends no Accept header of its own; a wait of a minute is a failure."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True, read_bufsize=2**20) as client:
        yield client


@pytest_asyncio.fixture
async def fetch(session: aiohttp.ClientSession) -> Fetch:
    """`await fetch(server, path, method="GET", **query)`."""

    async def ask(
        server: ApiServer, path: str, method: str = "GET", accept: str = "", json: Any = None, **query: Any
    ) -> Answer:
        headers = {"Accept": accept} if accept else {}
        params = {key: str(value) for key, value in query.items()}
        async with session.request(method, server.url + path, params=params, headers=headers, json=json) as response:
            return Answer(response.status, response.headers, await response.read())

    return ask


@pytest_asyncio.fixture
async def open_watch(session: aiohttp.ClientSession) -> AsyncIterator[Callable[..., Awaitable[Stream]]]:
    """`await open_watch(server, path, **query)`: a running watch, closed after the test."""
    responses: list[aiohttp.ClientResponse] = []

    async def start(server: ApiServer, path: str, accept: str = "", **query: Any) -> Stream:
        params = {"watch": "true"} | {key: str(value) for key, value in query.items()}
        headers = {"Accept": accept} if accept else {}
        response = await session.get(server.url + path, params=params, headers=headers)
        responses.append(response)
        assert response.status == 200, await response.text()
        return Stream(response)

    yield start
    for response in responses:
        response.close()
