"""The read-only guard: what may be sent to an API server, decided on the final method, URL and headers.

Three layers use `check`: the client's own request function (early, with a readable traceback), the request class that
aiohttp calls for every hop, and the process-wide seal that also covers clients which fleet does not know about.
The rule is an allow-list of the path grammar of the Kubernetes API, not a list of known dangers: `exec`, `attach`,
`portforward` and `proxy` are GET requests that can change things, and new ones appear with every extension API.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from tui.domain.ports import Trouble

READ_METHODS = frozenset({"GET", "HEAD"})
# The only POSTs: they ask "may I" and "who am I", and store nothing (Kubernetes API reference, authorization.k8s.io).
REVIEWS = {
    "selfsubjectaccessreviews": "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "selfsubjectrulesreviews": "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    "selfsubjectreviews": "/apis/authentication.k8s.io/v1/selfsubjectreviews",
}
READ_SUBRESOURCES = frozenset({"status", "scale", "log"})
CONNECT_WORDS = frozenset(
    {"proxy", "exec", "attach", "portforward", "token", "eviction", "binding", "ephemeralcontainers", "redirect"}
)
ROOTS = frozenset({"version", "livez", "readyz", "healthz"})
# Switching the protocol is how exec and port-forward begin; an overridden method is a write in disguise.
BAD_HEADERS = ("upgrade", "x-http-method-override", "x-http-method", "x-method-override")

_SEGMENT = re.compile(r"[^/%\\\x00-\x20\x7f]+")
_GROUP_OR_VERSION = re.compile(r"[A-Za-z0-9.-]+")
_SECRETS = re.compile(r"/api/[^/]+/(namespaces/[^/]+/)?secrets(/|$)")
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r\n")

_identity_urls: set[str] = set()
_sealed = False


class Refused(Trouble):
    """fleet itself will not send this request, because it could change a cluster."""


def check(method: str, url: str, headers: Iterable[str] = (), base: str = "") -> None:
    """Raise `Refused` unless the request can only read. `base` is the path of the server's URL ("" for none).

    `headers` are the names of the request's headers. The query is free: no parameter turns a GET into a write.
    """
    parts = urlsplit(url)
    check_headers(method, headers)
    path = _below(parts.path, base)
    if method in READ_METHODS:
        if not is_read_path(path):
            raise Refused(f"fleet does not ask for {parts.path}: it is not a read of the Kubernetes API")
    elif method == "POST":
        if path not in REVIEWS.values() or parts.query:
            raise Refused(f"fleet does not POST to {parts.path}")
    else:
        raise Refused(f"fleet only reads: {method} {parts.path} is refused")


def check_secrets(path: str, accept: str) -> None:
    """Raise `Refused` for a read of Secrets that would bring their values: only their metadata may be asked for."""
    if _SECRETS.match(unquote(path)) and not all("as=PartialObjectMetadata" in form for form in accept.split(",")):
        raise Refused("fleet does not ask for the values of Secrets")


def check_headers(method: str, headers: Iterable[str]) -> None:
    """Raise `Refused` for headers that leave plain HTTP or hide the real method."""
    for name in headers:
        low = name.lower()
        if low in BAD_HEADERS or low.startswith("sec-websocket"):
            raise Refused(f"fleet only reads: {method} with a {name} header is refused")


def is_read_path(path: str) -> bool:
    """Whether a raw (still percent-encoded) path belongs to the readable part of the Kubernetes API.

    The grammar: `/api[/v1[/RESOURCE[/NAME[/SUB]]]]`, the same below `/apis/GROUP/VERSION`, either with
    `namespaces/NS/` before RESOURCE, plus /version, health and the published OpenAPI documents.
    """
    if not path.startswith("/"):
        return False
    raw = path[1:].split("/")
    if raw[-1] == "" and len(raw) > 1:
        raw.pop()
    segments = [unquote(segment) for segment in raw]
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in (".", ".."):
            return False
    head, rest = segments[0], segments[1:]
    if head in ROOTS:
        return not rest
    if head == "openapi":
        return bool(rest) and rest[0] in ("v2", "v3")
    if head == "api":
        return _is_resource_path(rest[1:]) if rest else True
    if head != "apis":
        return False
    if not all(_GROUP_OR_VERSION.fullmatch(segment) for segment in rest[:2]):
        return False
    return _is_resource_path(rest[2:])


def _is_resource_path(segments: list[str]) -> bool:
    if len(segments) >= 3 and segments[0] == "namespaces" and segments[2] not in READ_SUBRESOURCES:
        segments = segments[2:]
    if not segments:
        return True
    if segments[0] in CONNECT_WORDS or len(segments) > 3:
        return False
    return len(segments) < 3 or segments[2] in READ_SUBRESOURCES


def _below(path: str, base: str) -> str:
    base = base.rstrip("/")
    if not path.startswith(base + "/"):
        raise Refused(f"fleet does not leave the API server's own path {base or '/'}")
    return path[len(base) :]


def allow_token_endpoint(url: str, servers: Iterable[str]) -> None:
    """Let the seal pass POSTs to this identity provider's token endpoint.

    Raises `Refused` when it is on the same host and port as one of `servers`, the clusters of the kubeconfig.
    """
    target = urlsplit(url)
    if target.scheme != "https" or not target.hostname:
        raise Refused(f"the identity provider's token endpoint must be https, not {url}")
    for server in servers:
        if _origin(server) == _origin(url):
            raise Refused("the identity provider's token endpoint is a cluster of the kubeconfig: refused")
    _identity_urls.add(url)


def allow_issuer(url: str) -> None:
    """Let the seal pass reads of this identity provider's discovery document, whatever its path looks like."""
    _identity_urls.add(url)


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return (parts.hostname or "", port or (80 if parts.scheme == "http" else 443))


@cache
def request_class(base: str) -> type[Any]:
    """aiohttp's request class with the guard where the request is sent: it sees each hop as it will be on the wire.

    `base` is the path of the server's URL, as for `check`.
    """
    from aiohttp import ClientRequest

    class GuardedRequest(ClientRequest):
        """A request of a cluster's session."""

        async def send(self, conn: Any) -> Any:
            check(self.method, str(self.url), self.headers, base)
            if self.method in READ_METHODS and self.body:
                raise Refused(f"fleet does not send a body with {self.method}")
            return await super().send(conn)

    return GuardedRequest


def seal_process() -> None:
    """Let no HTTP client of this process write, whoever made it. Cannot be undone; for the product's own processes.

    http.client (and so urllib3 and the synchronous Kubernetes client) is covered by an audit hook, aiohttp by
    `seal_aiohttp`, which the transport calls as soon as it has imported aiohttp.
    """
    global _sealed
    if _sealed:
        return
    _sealed = True
    sys.addaudithook(_audit)
    if "aiohttp" in sys.modules:
        seal_aiohttp()


def seal_aiohttp() -> None:
    """Put the guard under every aiohttp client of a sealed process; nothing happens in one that is not sealed."""
    if not _sealed:
        return
    from aiohttp import ClientRequest

    plain = ClientRequest.send
    if getattr(plain, "fleet_guard", False):
        return

    async def send(self: Any, conn: Any) -> Any:
        check_foreign(self.method, str(self.url), self.headers)
        return await plain(self, conn)

    send.fleet_guard = True  # type: ignore[attr-defined]
    ClientRequest.send = send  # type: ignore[method-assign]


def check_foreign(method: str, url: str, headers: Iterable[str] | Mapping[str, str] = ()) -> None:
    """The seal's rule, for requests whose server is not known: raise `Refused` for what could write to any cluster.

    CONNECT is let through for the tunnel to a proxy only: it names no path of an API.
    """
    check_headers(method, headers)
    parts = urlsplit(url)
    if method == "CONNECT" and parts.path in ("", "/"):
        return
    if url in _identity_urls and method in ("GET", "POST"):
        return
    if method == "POST":
        if any(parts.path.endswith(path) for path in REVIEWS.values()):
            return
        raise Refused(f"fleet does not POST to {parts.path}")
    if method not in READ_METHODS:
        raise Refused(f"fleet only reads: {method} {parts.path} is refused")
    segments = parts.path.split("/")
    starts = [index for index, segment in enumerate(segments) if segment in ("api", "apis")]
    if starts and not any(is_read_path("/" + "/".join(segments[start:])) for start in starts):
        raise Refused(f"fleet does not ask for {parts.path}: it is not a read of the Kubernetes API")


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event != "http.client.send":
        return
    data = args[1]
    if not isinstance(data, (bytes, bytearray)):
        return
    line = _REQUEST_LINE.match(data)
    if line is None:
        return
    head = bytes(data).split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    names = [field.split(b":", 1)[0].decode("latin-1") for field in head]
    check_foreign(line[1].decode("latin-1"), line[2].decode("latin-1"), names)
