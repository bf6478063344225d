"""Answers that go out spoiled: cut off, slowly, or with objects in them that no API server sends."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import web

from tui.demo.apiserver.faults import Action, Fault

TICK = 0.1  # seconds between two pieces of a trickle
_OBJECT = b'"metadata":{'  # where what spoils an object is put in
_CHANGES = (b'{"type":"ADDED"', b'{"type":"MODIFIED"')


class Stream(Protocol):
    """Where the bytes of an answer go."""

    async def write(self, data: bytes) -> None:
        """Send these bytes."""

    async def write_eof(self) -> None:
        """Nothing follows."""


def through(response: web.StreamResponse, request: web.BaseRequest, fault: Fault | None) -> Stream:
    """The way into a prepared answer, past the fault where it is one of bytes."""
    if fault is not None and fault.action is Action.TRUNCATE:
        return Cut(response, request, fault.after)
    if fault is not None and fault.action is Action.TRICKLE:
        return Trickle(response, fault)
    if fault is not None and fault.action is Action.SPOIL:
        return Spoil(response, fault)
    return response


async def abort(request: web.BaseRequest) -> None:
    """Let go of the connection without ending the answer: what was written goes out, an end does not."""
    transport = request.transport
    if transport is not None:
        await asyncio.sleep(0)
        transport.close()


class Cut:
    """Lets so many bytes through, then closes the connection and raises ConnectionResetError."""

    def __init__(self, response: web.StreamResponse, request: web.BaseRequest, left: int) -> None:
        self._response, self._request, self._left = response, request, left

    async def write(self, data: bytes) -> None:
        await self._response.write(data[: self._left])
        self._left -= len(data)
        if self._left <= 0:
            await self.write_eof()

    async def write_eof(self) -> None:
        await abort(self._request)
        raise ConnectionResetError("cut off as told")


class Trickle:
    """Lets `rate` bytes a second through; the rest goes out at once when the fault is over."""

    def __init__(self, response: web.StreamResponse, fault: Fault) -> None:
        self._response, self._fault = response, fault

    async def write(self, data: bytes) -> None:
        step = max(1, round(self._fault.rate * TICK))
        sent = 0
        while sent < len(data) and not self._fault.over:
            await self._response.write(data[sent : sent + step])
            sent += step
            await asyncio.sleep(TICK)
        if sent < len(data):
            await self._response.write(data[sent:])

    async def write_eof(self) -> None:
        await self._response.write_eof()


class Spoil:
    """Spoils the first object of a watch."""

    def __init__(self, response: web.StreamResponse, fault: Fault) -> None:
        self._response, self._fault = response, fault
        self._done = False

    async def write(self, data: bytes) -> None:
        if not self._done:
            lines = data.splitlines(keepends=True)
            for index, line in enumerate(lines):
                if line.startswith(_CHANGES):
                    lines[index], self._done = spoil(line, self._fault), True
                    break
            data = b"".join(lines)
        await self._response.write(data)

    async def write_eof(self) -> None:
        await self._response.write_eof()


def spoil(data: bytes, fault: Fault) -> bytes:
    """The bytes with what the fault puts where the metadata of their first object begins."""
    return data if fault.over else data.replace(_OBJECT, fault.body, 1)


async def trickled(request: web.BaseRequest, whole: web.Response, fault: Fault) -> web.StreamResponse:
    """A short answer, slowly."""
    response = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.headers["Content-Type"]})
    await response.prepare(request)
    stream = Trickle(response, fault)
    await stream.write(whole.body if isinstance(whole.body, bytes) else b"")
    await stream.write_eof()
    return response
