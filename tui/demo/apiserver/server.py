"""One Kubernetes API server on one port of 127.0.0.1. Many of them share an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from asyncio import sslproto
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from tui.demo.apiserver import answer, logs, protobuf
from tui.demo.apiserver.access import Access, Deny, User, forbidden
from tui.demo.apiserver.discovery import AGGREGATED, REVIEWS, Discovery, aggregated_version, encoded
from tui.demo.apiserver.faults import Action, Fault, Faults
from tui.demo.apiserver.openapi import OpenApi
from tui.demo.apiserver.options import Target, target_of
from tui.demo.apiserver.reads import read
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.spoiled import trickled
from tui.demo.apiserver.status import ApiError, no_such_path
from tui.demo.apiserver.storage import Snapshot, Storage
from tui.demo.apiserver.watching import BUFFER, Watches

_INTERACTIVE = ("exec", "attach", "portforward", "proxy")
_PUBLIC = ("/version", "/healthz", "/livez", "/readyz")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_REVIEW_TARGETS = frozenset(Target(group, "v1", plural) for group, rows in REVIEWS.items() for _, plural in rows)
_FILES = 65536
_SHUTDOWN = 0.1  # seconds for answers to finish; 0 would be for ever


@dataclass(frozen=True)
class ServerTls:
    """The server's certificate and key, and the authority whose client certificates it believes."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    buffer: int = 64 * 1024  # bytes that asyncio sets aside for each connection

    @cached_property
    def context(self) -> ssl.SSLContext:
        """One context for all servers that share the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0  # nobody resumes a session here, and each ticket costs time and memory
        context.load_cert_chain(self.certificate, self.key)
        if self.client_ca is not None:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


@lru_cache(maxsize=64)
def _documents(resources: tuple[ResourceType, ...], version: str) -> tuple[Discovery, OpenApi]:
    """Shared by all servers with the same resources: hundreds of clusters need not keep a copy each."""
    return Discovery(resources), OpenApi(resources, version)


@lru_cache(maxsize=1)
def _raise_file_limit() -> None:
    """Every watch is a connection: allow this process as many open files as the system grants without asking."""
    try:
        import resource
    except ImportError:  # not a POSIX system: there is no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # the kernel may grant less; it is enough for fewer watches
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(slots=True)
class Mutations:
    """Requests that would have changed the cluster, had they not been refused."""

    count: int = 0
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    def add(self, method: str, path: str) -> None:
        """Count one."""
        self.count += 1
        self.requests.append(f"{method} {path}")


class ApiServer:
    """Serves a storage read-only. `url` is known after `start()`.

    `faults` scripts bad weather, `mutations` counts refused writes, `requests` counts all, `logs` gives pod logs
    (see logs.py), `watches` are the running ones.
    """

    def __init__(
        self,
        storage: Storage,
        name: str,
        version: str = "v1.31.4",
        tls: ServerTls | None = None,
        users: Iterable[User] = (),
        deny: Iterable[Deny] = (),
        bookmark_interval: float = 60.0,
        watch_list: bool = True,
    ) -> None:
        """`bookmark_interval` in seconds; `watch_list` False: sendInitialEvents is refused, as by older clusters."""
        users = list(users)
        self.storage = storage
        self.name = name
        self.version = version
        self.tls = tls
        self.access = Access(users, deny, open_=tls is None and not users)
        self.watch_list = watch_list
        self.cache_ignores_limit = True
        self.watch_buffer = BUFFER
        self.faults = Faults()
        self.mutations = Mutations()
        self.requests = 0
        self.logs: logs.Source | None = None
        self.previous_logs: logs.Source | None = None
        self.watches = Watches(bookmark_interval)
        self.was: Storage | None = None
        self.ahead = 0.0  # seconds by which the dates of its answers are
        self.url = ""
        self.port = 0
        self._web: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._hole: socket.socket | None = None
        self._dead: set[Any] = set()  # connections that nothing comes through any more
        self._documents: tuple[int, Discovery, OpenApi] | None = None  # catalogue they were made for

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1, or on the one it had before. Returns the URL."""
        if self._listener is not None:
            return self.url
        if self._hole is not None:
            self._hole.close()
            self._hole = None
        if self.tls is not None and hasattr(sslproto.SSLProtocol, "max_size"):
            # asyncio reserves 256 KiB for every TLS connection; thousands of idle watches need a fraction of that.
            sslproto.SSLProtocol.max_size = min(sslproto.SSLProtocol.max_size, self.tls.buffer)
        _raise_file_limit()
        loop = asyncio.get_running_loop()
        if self._web is None:
            self._web = web.Server(self._handle, handler_cancellation=True, access_log=None, keepalive_timeout=120.0)
        self._listener = await loop.create_server(
            self._web, "127.0.0.1", self.port, ssl=self.tls.context if self.tls else None, backlog=512
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        return self.url

    async def stop(self) -> None:
        """Close the port and every connection. `start()` opens the same port again."""
        self.watches.stop()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._hole is not None:
            self._hole.close()
            self._hole = None
        if self._web is not None:
            await self._web.shutdown(_SHUTDOWN)
            self._web = None
        self._dead.clear()

    async def refuse(self) -> None:
        """Connections are refused from now on, and the open ones cut, until `start()`."""
        self.watches.drop()
        await self.stop()

    def half_open(self) -> None:
        """Open connections are dead from now on and nobody says so, as after a laptop slept; new ones are served."""
        self.watches.fall_silent()
        if self._web is not None:
            self._dead.update(self._web.connections)

    def black_hole(self) -> None:
        """SYNs are answered from now on and nothing else is, on old connections and on new ones, until `start()`.

        The connections that are old by then stay dead.
        """
        self.half_open()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._hole = socket.create_server(("127.0.0.1", self.port), backlog=512)  # which nobody accepts from

    def close_watches(self) -> None:
        """End all running watches cleanly, as a server does that restarts."""
        self.watches.close()

    def drop_watches(self) -> None:
        """Cut the connections of all running watches."""
        self.watches.drop()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a backup of the storage: every watch is cut, and the versions since then are given out again."""
        self.drop_watches()
        self.storage.restore(snapshot)

    def replace(self, storage: Storage) -> None:
        """Be another cluster behind the same URL: every watch is cut, and what is served is the other's.

        `was` is the storage of the first one, unless it is that one again.
        """
        self.drop_watches()
        first = self.was or self.storage
        self.was = None if storage is first else first
        self.storage = storage
        self._documents = None

    # Requests

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answered = await self._answer(request)
        if self.ahead and isinstance(answered, web.Response):
            answered.headers["Date"] = formatdate(time.time() + self.ahead, usegmt=True)
        return answered

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests += 1
        if request.protocol in self._dead:
            await asyncio.get_running_loop().create_future()
        fault = self.faults.take(request)
        try:
            if fault is None:
                return await self._route(request, None)
            early = await self._early(request, fault)
            if early is not None:
                return early
            answered = await self._route(request, fault)
            if fault.action is Action.TRICKLE and isinstance(answered, web.Response):
                return await trickled(request, answered, fault)
            return answered
        except ApiError as problem:
            return answer.error(problem)
        except ConnectionError:
            return web.Response(status=499)  # the client has gone; aiohttp wants a value all the same

    async def _early(self, request: web.BaseRequest, fault: Fault) -> web.StreamResponse | None:
        """Faults that need no knowledge of the request."""
        if fault.action is Action.DELAY:
            await asyncio.sleep(fault.seconds)
        if fault.action is Action.HANG:
            await asyncio.get_running_loop().create_future()
        if fault.action is Action.CLOSE:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError
        if fault.action is Action.ANSWER:
            headers = {"Content-Type": fault.content_type, **fault.headers}
            return web.Response(status=fault.status, body=fault.body, headers=headers)
        return None

    async def _route(self, request: web.BaseRequest, fault: Fault | None) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        if path == "/demo/mutations" and request.method == "GET":
            state = {"count": self.mutations.count, "requests": list(self.mutations.requests)}
            return answer.document(msgspec.json.encode(state))
        target = target_of(path)
        review = target is not None and target in _REVIEW_TARGETS
        if target is not None and review and request.method == "POST":
            return await self._review(request, target)
        interactive = bool(target and target.subresource.split("/")[0] in _INTERACTIVE)
        if interactive or request.method not in ("GET", "HEAD", "OPTIONS") or "Upgrade" in request.headers:
            self.mutations.add(request.method, request.raw_path)
            raise self._refusal(self.access.authenticate(request), request, target)
        if request.method == "OPTIONS":
            raise ApiError(405, "the server does not allow this method on the requested resource")
        if not (path.startswith(_PUBLIC) and "Authorization" not in request.headers):
            user = self.access.authenticate(request)
        else:
            user = User("system:anonymous", ("system:unauthenticated",))
        document = self._document(request, path)
        if document is not None:
            return document
        if target is None:
            raise no_such_path()
        resource = self.storage.resource(target.group, target.plural)
        if resource is None or resource.version != target.version:
            if review:
                raise ApiError(405, "the server does not allow this method on the requested resource")
            raise no_such_path()
        if resource.name == "pods" and target.subresource == "log":
            self.access.check(user, "get", resource, target.namespace or "", target.name)
            return await logs.serve(self, request, target, fault)
        return await read(self, request, user, resource, target, fault)

    def _refusal(self, user: User, request: web.BaseRequest, target: Target | None) -> ApiError:
        verb = _VERBS.get(request.method, "create")
        if target is None or not target.plural:
            message = f'forbidden: User "{user.name}" cannot {request.method.lower()} path "{request.path}"'
            return ApiError(403, message + ": this API server is read-only")
        if verb == "delete" and not target.name:
            verb = "deletecollection"
        where = target.namespace or (target.name if target.plural == "namespaces" else "")
        why = "this API server is read-only"
        return forbidden(user.name, verb, target.plural, target.group, where, target.name, target.subresource, why)

    async def _review(self, request: web.BaseRequest, target: Target) -> web.Response:
        user = self.access.authenticate(request)
        body = await request.read()
        try:
            if request.content_type == protobuf.MEDIA_TYPE:  # answered in JSON, which those clients accept too
                review = protobuf.review(body)
            else:
                review = msgspec.json.decode(body, type=dict[str, Any])
        except ValueError as error:  # what msgspec raises is one
            raise ApiError(400, f"the request body is not a review: {error}") from error
        if target.plural == "selfsubjectaccessreviews":
            result = self.access.review_access(user, review)
        elif target.plural == "selfsubjectrulesreviews":
            result = self.access.review_rules(user, review, self.storage.resources.values())
        else:
            result = self.access.review_self(user, review)
        return answer.document(msgspec.json.encode(result), status=201)

    # Documents

    def _current(self) -> tuple[Discovery, OpenApi]:
        if self._documents is None or self._documents[0] != self.storage.catalogue:
            self._documents = (
                self.storage.catalogue,
                *_documents(tuple(self.storage.resources.values()), self.version),
            )
        return self._documents[1], self._documents[2]

    def _document(self, request: web.BaseRequest, path: str) -> web.Response | None:
        """Version, health, discovery and OpenAPI; None for any other path."""
        if path.startswith(_PUBLIC):
            return self._health(path)
        parts = path.strip("/").split("/")
        if parts[0] not in ("api", "apis", "openapi") or (len(parts) > 3 and parts[0] != "openapi"):
            return None
        discovery, openapi = self._current()
        if parts[0] == "openapi":
            return openapi.answer(request, parts[1:])
        if len(parts) == 1:
            accept = request.headers.get("Accept", "")
            version = aggregated_version(accept)
            if version:
                body = encoded(discovery.aggregated(parts[0] == "api", version))
                return answer.document(body, AGGREGATED.format(version))
            return answer.document(
                encoded(discovery.api(f"127.0.0.1:{self.port}") if parts[0] == "api" else discovery.apis())
            )
        found = None
        if parts[0] == "api" and len(parts) == 2:
            found = discovery.version("", parts[1])
        elif parts[0] == "apis" and len(parts) == 2:
            found = discovery.group(parts[1])
        elif parts[0] == "apis":
            found = discovery.version(parts[1], parts[2])
        else:
            return None
        if found is None:
            raise no_such_path()
        return answer.document(encoded(found))

    def _health(self, path: str) -> web.Response:
        if path != "/version":
            return web.Response(text="ok")
        major, minor = [*self.version.lstrip("v").split("."), "", ""][:2]
        facts = {
            "major": major,
            "minor": minor,
            "gitVersion": self.version,
            "gitCommit": "0" * 40,
            "gitTreeState": "clean",
            "buildDate": "2025-01-01T00:00:00Z",
            "goVersion": "go1.23.0",
            "compiler": "gc",
            "platform": "linux/amd64",
        }
        return answer.document(msgspec.json.encode(facts))
