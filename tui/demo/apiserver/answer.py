"""Writing answers: errors, JSON documents, large bodies in pieces, compression when the client accepts it."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Iterable

from aiohttp import web

from tui.demo.apiserver.faults import Fault
from tui.demo.apiserver.spoiled import through
from tui.demo.apiserver.status import ApiError

JSON = "application/json"
GZIP_FROM = 128 * 1024  # bytes; Kubernetes compresses answers from this size on
_PIECE = 256 * 1024


def error(problem: ApiError) -> web.Response:
    """The answer that reports an error."""
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else None
    return web.Response(status=problem.code, body=problem.body(), content_type=JSON, headers=headers)


def document(body: bytes, content_type: str = JSON, status: int = 200) -> web.Response:
    """A short answer in one piece. `content_type` may carry parameters."""
    return web.Response(status=status, body=body, headers={"Content-Type": content_type})


def accepts_gzip(request: web.BaseRequest) -> bool:
    """Whether the client said that it reads gzip."""
    return any(part.split(";")[0].strip() == "gzip" for part in request.headers.get("Accept-Encoding", "").split(","))


def _grouped(pieces: Iterable[bytes]) -> Iterable[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


async def body_of(request: web.BaseRequest, pieces: Iterable[bytes], fault: Fault | None = None) -> web.StreamResponse:
    """Send a body made of pieces, past the fault; other requests get their turn between them."""
    groups = iter(_grouped(pieces))
    first = next(groups)
    second = next(groups, None)
    zipped = accepts_gzip(request) and (second is not None or len(first) >= GZIP_FROM)
    headers = {"Content-Type": JSON} | ({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if zipped else {})
    if fault is None and request.method == "HEAD":
        return web.Response(headers=headers)
    if second is None and not zipped and fault is None:
        return web.Response(body=first, headers=headers)
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31) if zipped else None
    loop = asyncio.get_running_loop()
    stream = through(response, request, fault)
    group: bytes | None = first
    upcoming = second
    with contextlib.suppress(ConnectionError):  # the client has gone, or the fault has cut it off
        while group is not None:
            # Compression of a large list takes a tenth of a second: not in the loop that serves the other clusters.
            data = await loop.run_in_executor(None, packer.compress, group) if packer else group
            if data:
                await stream.write(data)
            await asyncio.sleep(0)
            group, upcoming = upcoming, next(groups, None)
        if packer:
            await stream.write(packer.flush())
        await stream.write_eof()
    return response
