"""The official client's session, made read-only. Importing this module imports `kubernetes` and aiohttp (0.8 s)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import yarl
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.rest import RESTClientObject, RESTResponse
from multidict import CIMultiDict

from tui import __version__
from tui.adapters.kube import guard, tls
from tui.adapters.kube.contexts import ClusterSpec
from tui.fleet.aside import aside

CONNECT = 5.0  # seconds for TCP and TLS; a healthy cluster answers in well under one
KEEP_ALIVE = 75.0  # seconds an idle connection is kept: longer than the pulse between two probes
READ_BUFFER = 2**18  # bytes aiohttp buffers per response before it stops reading from the socket
FILES = 16_384  # each watch is a connection of its own
NAMES = 60  # seconds an address is used again without asking: name servers may be away for as long
LOOKUPS = 32  # names looked up at the same time

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_lookups = threading.BoundedSemaphore(LOOKUPS)


class ReadOnlyRest(RESTClientObject):
    """The client's HTTP layer: reads only, no redirects, no environment, no pool limit, the TLS context it is given."""

    def __init__(self, configuration: Configuration, context: ssl.SSLContext | None) -> None:
        # The base class would build a TLS context of its own from files, 50 ms each without a CA (lesson W1).
        self.configuration = configuration
        self.maxsize = 0
        self.ssl_context = context  # type: ignore[assignment]
        self.proxy = configuration.proxy
        self.proxy_headers = configuration.proxy_headers
        self.pool_manager = None
        self.retry_client = None
        self.base = urlsplit(configuration.host).path.rstrip("/")

    def _create_pool_manager(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=_connector(self.ssl_context),
            trust_env=False,  # netrc would be sent to clusters (lesson R4)
            request_class=guard.request_class(self.base),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=READ_BUFFER,
        )

    async def request(
        self,
        method: str,
        url: str,
        headers: Any = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: float | None = None,
    ) -> RESTResponse:
        """One request; `_request_timeout` is the longest silence in seconds. Raises `Refused` unless it reads."""
        headers = CIMultiDict(headers or ())
        guard.check(method.upper(), url, headers, self.base)
        if self.pool_manager is None:
            self.pool_manager = self._create_pool_manager()
        response = await self.pool_manager.request(
            method,
            yarl.URL(url, encoded=True),
            headers=headers,
            json=body,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=_request_timeout),
            allow_redirects=False,
            proxy=self.proxy,
            server_hostname=self.configuration.tls_server_name or None,
        )
        return RESTResponse(response)


class ReadOnlyApi(ApiClient):
    """The official client around `ReadOnlyRest`."""

    def __init__(self, configuration: Configuration, context: ssl.SSLContext | None) -> None:
        self.configuration = configuration
        self.rest_client = ReadOnlyRest(configuration, context)
        self.default_headers: dict[str, str] = {}
        self.cookie = None
        self.client_side_validation = False
        self.user_agent = f"fleet/{__version__}"


def make_api(cluster: ClusterSpec, context: ssl.SSLContext | None, proxy: str | None) -> ReadOnlyApi:
    """A client for one cluster; identities travel as headers of each request."""
    configuration = Configuration(host=cluster.server, proxy=proxy, connection_pool_maxsize=0)
    configuration.verify_ssl = not cluster.insecure
    configuration.tls_server_name = cluster.tls_server_name or None
    return ReadOnlyApi(configuration, context)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets this user have, up to `FILES`; macOS starts with 256."""
    try:
        import resource
    except ImportError:
        return  # not a Unix: no such limit
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < most:
        with contextlib.suppress(ValueError, OSError):  # what the kernel grants is enough for smaller fleets
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _connector(context: ssl.SSLContext | None) -> aiohttp.TCPConnector:
    options: dict[str, Any] = {"limit": 0, "keepalive_timeout": KEEP_ALIVE, "ttl_dns_cache": NAMES}
    if context is not None:
        options["ssl"] = context
    return _Connector(socket_factory=_socket, resolver=_Resolver(), **options)


class _Connector(aiohttp.TCPConnector):
    """Verifies an https proxy by the system's authorities; aiohttp would use those of the cluster behind it."""

    def _update_proxy_auth_header_and_build_proxy_req(self, req: aiohttp.ClientRequest) -> aiohttp.ClientRequest:
        made = super()._update_proxy_auth_header_and_build_proxy_req(req)
        if made.is_ssl():
            made._ssl = tls.system_context()
        return made


class _Resolver(ThreadedResolver):
    """Looks names up in threads of fleet's own: a dead name server may be waited for."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a host. Raises OSError."""

        def look() -> list[Any]:
            with _lookups:
                try:
                    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
                except UnicodeError:
                    raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None

        return [
            ResolveResult(hostname=host, host=address[0], port=address[1], family=kind, proto=proto, flags=_NUMERIC)
            for kind, _, proto, _, address in await aside(look, f"lookup {host}")
        ]


def _socket(info: Any) -> socket.socket:
    """A socket whose silent death is noticed in about half a minute: a laptop that slept, a NAT that forgot."""
    family, kind, proto, _, _ = info
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls the first of them TCP_KEEPALIVE
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPALIVE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if (option := getattr(socket, name, None)) is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made


guard.seal_aiohttp()
tls.shrink_buffers()
raise_file_limit()
