"""One cluster's connection: the official client's session with fleet's identity, TLS, proxy and guard.

`kubernetes.aio` is used for its configuration, its session and `param_serialize` + `call_api`, which give raw bytes;
what of it is not used, and why, is in the design's section on Kubernetes access. Everything heavy is imported when
the first request is made, in the network thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tui.adapters.kube import guard, tls
from tui.adapters.kube.answers import ahead, refusal, status_trouble, trouble
from tui.adapters.kube.contexts import Spec
from tui.adapters.kube.credentials import Credentials, Identity, tls_files
from tui.adapters.kube.discovery import Discovery
from tui.adapters.kube.proxies import proxy_for
from tui.domain.ports import Absent, Gone, Served, ServerError, Unauthorized
from tui.domain.pulse import Meter

_log = logging.getLogger("fleet.kube")
PATIENCE = 5.0  # seconds for connecting, beside those for the answer
CLOSED = "the connection is closed"
LARGEST_ERROR = 64 * 1024
LARGEST_BODY = 64 * 1024 * 1024  # bytes of one whole answer; longer ones are read as a stream


class KubeConnection:
    """Implements `ports.Connection` for one context."""

    def __init__(
        self, spec: Spec, credentials: Credentials, quiet: float, gzip: bool, meter: Meter | None = None
    ) -> None:
        self._meter = meter or Meter()
        self._spec = spec
        self._credentials = credentials
        self._quiet = quiet
        host = urlsplit(spec.cluster.server).hostname or ""
        local = host in ("localhost", "::1") or host.startswith("127.")
        self._encoding = "gzip" if gzip and spec.cluster.compression and not local else "identity"
        self._api: Any = None
        self._made_for: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        self._retired: list[Any] = []  # clients that take no more requests; closed when their last one has ended
        self._using: Counter[Any] = Counter()  # requests of each client that are under way
        self._answers: set[Any] = set()  # being read
        self._closed = False
        self._discovery = Discovery(self.get)

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "application/json") -> bytes:
        """One GET, the whole body, at most 64 MiB of it (`ServerError` beyond)."""
        async with self._open("GET", path, query, accept, self._quiet) as response:
            return await self._read(response, LARGEST_BODY)

    async def stream(
        self, path: str, query: Sequence[tuple[str, str]] = (), accept: str = "application/json", quiet: float = 60.0
    ) -> AsyncIterator[bytes]:
        """One GET, the body in chunks as they arrive; `quiet` seconds without a byte are Unreachable.

        The first chunk is empty and comes with the answer's headers, which on a quiet watch is long before any event.
        """
        watch = ("watch", "true") in query
        async with self._open("GET", path, query, accept, quiet) as response:
            self._meter.watches += watch
            try:
                yield b""
                async for chunk in response.content.iter_any():
                    self._meter.received += len(chunk)
                    yield chunk
            except self._network_errors() as error:
                self._meter.errors += 1
                raise trouble(error, self._spec, quiet) from None
            finally:
                self._meter.watches -= watch

    async def review(self, kind: str, body: Mapping[str, object]) -> bytes:
        """POST to `selfsubject{access,rules}reviews` or `selfsubjectreviews`; raises `Refused` for any other kind."""
        if kind not in guard.REVIEWS:
            raise guard.Refused(f"fleet does not POST to {kind}")
        async with self._open("POST", guard.REVIEWS[kind], (), "application/json", self._quiet, body) as response:
            return await self._read(response, LARGEST_BODY)

    async def served(self, fresh: bool = False) -> Mapping[str, Served]:
        """Everything the API server serves; cached for ten minutes unless `fresh`."""
        return await self._discovery.served(fresh)

    def renew(self) -> None:
        """Send no more requests over the sockets there are: they may be dead. What runs over them goes on."""
        if self._api is not None:
            self._retired.append(self._api)
            self._api = None

    async def close(self) -> None:
        """Give up every request and socket; whoever reads an answer gets `Unreachable`."""
        self._closed = True
        for answer in self._answers:
            answer.close()  # tells its reader; closing the session would leave that waiting for ever
        apis, self._retired, self._api = [*self._retired, self._api], [], None
        for api in apis:
            if api is not None:
                await api.close()

    @contextlib.asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        accept: str,
        quiet: float,
        body: Mapping[str, object] | None = None,
    ) -> AsyncIterator[Any]:
        """The response to one request, status already judged. A 401 is tried once more with a new identity."""
        guard.check_secrets(path, accept)
        identity = await self._credentials.current()
        for attempt in (1, 2):
            async with self._client(identity) as api:
                response = await self._send(api, identity, method, path, query, accept, quiet, body)
                self._answers.add(response)
                try:
                    if self._closed:  # while it was on its way
                        raise ServerError(CLOSED)
                    if 200 <= response.status < 300:
                        yield response
                        return
                    error = await self._refused(response)
                finally:
                    self._answers.discard(response)
                    response.close()
            self._meter.errors += not isinstance(error, Absent | Gone)
            if attempt == 2 or not isinstance(error, Unauthorized):
                raise error
            renewed = await self._credentials.current(refused=identity)
            if renewed is identity:
                raise self._credentials.explained(error, identity)
            identity = renewed

    async def _send(
        self,
        api: Any,
        identity: Identity,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        accept: str,
        quiet: float,
        body: Mapping[str, object] | None,
    ) -> Any:
        headers = {"Accept": accept, "Accept-Encoding": self._encoding}
        method, url, headers, body, _ = await api.param_serialize(
            method, path, query_params=list(query) or None, header_params=headers, body=body
        )
        self._meter.requests += 1
        began = time.monotonic()
        try:
            # A watch may be silent for minutes once it is answered; until then it is as late as anything else.
            async with asyncio.timeout(self._quiet + PATIENCE):
                answer = await api.call_api(method, url, [*headers.items(), *identity.headers], body, None, quiet)
        except self._network_errors() as error:
            self._meter.errors += 1
            raise trouble(error, self._spec, min(quiet, self._quiet)) from None
        seconds = time.monotonic() - began
        self._meter.answered(seconds, ahead(answer.response.headers.get("Date", ""), time.time()))
        # the path alone: a query may hold a selector or a token, a header does
        _log.debug("%s %s %s: %d, %.0f ms", self._spec.context.name, method, path, answer.status, seconds * 1000)
        return answer.response

    @contextlib.asynccontextmanager
    async def _client(self, identity: Identity) -> AsyncIterator[Any]:
        """The client for this identity during one request; those that are retired end with their last one."""
        if self._closed:
            raise ServerError(CLOSED)
        api = self._current(identity)
        self._using[api] += 1
        try:
            yield api
        finally:
            self._using[api] -= 1
            idle = [] if self._closed else [each for each in self._retired if not self._using[each]]
            self._retired = [each for each in self._retired if each not in idle]
            self._using = +self._using
            for each in idle:
                await each.close()

    def _current(self, identity: Identity) -> Any:
        """The official client for this identity: another certificate needs another, the old one takes no more requests.

        So do other authorities: their file may have been replaced since.
        """
        made_for = (identity.cert, identity.key, tls_files(self._spec.cluster))
        if self._api is None or self._made_for != made_for:
            self.renew()
            from tui.adapters.kube.session import make_api

            proxy = proxy_for(self._spec.cluster.server, self._spec.cluster.proxy_url)
            self._api = make_api(self._spec.cluster, tls.context(self._spec.cluster, identity), proxy)
            self._made_for = made_for
        return self._api

    async def _refused(self, response: Any) -> Exception:
        if 300 <= response.status < 400:
            return refusal(response.status, response.headers.get("Location", ""))
        try:
            data = await self._read(response, LARGEST_ERROR, cut=True)
        except ServerError:
            data = b""
        return status_trouble(response.status, response.headers, data)

    async def _read(self, response: Any, most: int, cut: bool = False) -> bytes:
        body = bytearray()
        try:
            async for chunk in response.content.iter_any():
                self._meter.received += len(chunk)
                body += chunk
                if len(body) > most:
                    if cut:
                        break
                    raise ServerError(f"an answer of more than {most >> 20} MiB was given up")
        except self._network_errors() as error:
            self._meter.errors += 1
            raise trouble(error, self._spec, self._quiet) from None
        return bytes(body)

    @staticmethod
    def _network_errors() -> tuple[type[BaseException], ...]:
        import aiohttp

        return (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError)
