"""Servers that do exactly what a test says: HTTP with any answer, a CONNECT proxy, a socket that never answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tui.adapters.kube import KubeClusters
from tui.adapters.kube.transport import KubeConnection
from tui.demo.pki import Pair
from tui.domain.settings import Settings

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def tls(pair: Pair, client_ca: Path | None = None) -> ssl.SSLContext:
    """A server context; with `client_ca` it asks for a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@dataclass
class Heard:
    """A running server and the requests it got."""

    url: str
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    connections: int = 0

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]

    def header(self, name: str, index: int = -1) -> str:
        return self.requests[index][2].get(name, "")


@asynccontextmanager
async def http(handler: Handler | None = None, context: ssl.SSLContext | None = None) -> AsyncIterator[Heard]:
    """An HTTP server on 127.0.0.1; without a handler it answers `{}`."""
    heard = Heard("")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        heard.requests.append((request.method, request.raw_path, request.headers.copy()))
        return await handler(request) if handler else web.json_response({})

    server = web.Server(handle, handler_cancellation=True)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=context)
    port = listener.sockets[0].getsockname()[1]
    heard.url = f"http{'s' if context else ''}://127.0.0.1:{port}"
    try:
        yield heard
    finally:
        listener.close()
        await server.shutdown(0)


@asynccontextmanager
async def raw(answer: bytes, hold: bool = False) -> AsyncIterator[Heard]:
    """A TCP server that sends these bytes to whoever has sent something, and closes, or holds the connection open."""
    heard, waiting = Heard(""), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.connections += 1
        try:
            await reader.read(65536)
            writer.write(answer)
            await writer.drain()
            if hold:
                await waiting.wait()
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield heard
    finally:
        waiting.set()
        listener.close()


@asynccontextmanager
async def connect_proxy(
    context: ssl.SSLContext | None = None, status: str = "200 OK", port: int = 0
) -> AsyncIterator[Heard]:
    """An HTTP proxy that only tunnels; `requests` are its CONNECT targets. At its end it and its tunnels are gone."""
    heard = Heard("")
    pipes: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.split("\r\n")
        headers = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in rest if line)}
        method, target, _ = first.split()
        heard.requests.append((method, target, headers))
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if not status.startswith("200"):
            writer.close()
            return
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        for ends in ((reader, back), (there, writer)):
            task = asyncio.create_task(pipe(*ends))
            pipes.add(task)
            task.add_done_callback(pipes.discard)

    listener = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    scheme = "https" if context else "http"
    heard.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield heard
    finally:
        listener.close()
        for task in list(pipes):
            task.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)


@asynccontextmanager
async def connection(
    tmp_path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[KubeConnection]:
    """A connection to what this kubeconfig entry says."""
    import yaml

    path = tmp_path / "kubeconfig"
    config = {
        "clusters": [{"name": "c", "cluster": dict(cluster)}],
        "users": [{"name": "u", "user": dict(user or {})}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(config))
    clusters = KubeClusters(Settings(**{"request_timeout": 30.0, **settings}), str(path))
    made = clusters.connect("c")
    try:
        yield made
    finally:
        await made.close()
        await clusters.close()
