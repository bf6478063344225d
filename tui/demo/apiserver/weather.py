"""Bad weather by name: what `fleet demo fault` and the tests of bad weather do to one API server, and its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tui.demo.apiserver.faults import Faults
from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.server import ApiServer
from tui.demo.apiserver.storage import Storage

LISTS = "limit="  # what a list's query has and a watch's has not
WATCHES = "watch="
APPS = "/applications"
HUGE = 20 * 1024 * 1024  # bytes
RETRY_AFTER = 2  # seconds
DAY = 86_400.0  # seconds
_OBJECT = b'"metadata":{'
_NO_JSON = b'{"kind":"List","items":[{"metadata":{"name":oops}}]}'
_HALF = b'{"kind":"List","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"na'
_HALF_LINE = b'{"type":"ADDED","object":{"metadata":{"na\n'
_UNKNOWN = b'{"type":"RENAMED","object":{"metadata":{"name":"a"},"from":"b"}}\n'
_NUMBERS = b'"weather":[36893488147419103232,-9223372036854775809,1e400],'


class Weather(NamedTuple):
    """One kind of it: in words, and the rules for answers or the turn of the server that make it."""

    words: str
    rules: Callable[[Faults], object] | None = None
    turn: Callable[[ApiServer], Awaitable[None] | None] | None = None
    lasts: bool = True  # until it is ended; else it is over as soon as it has begun


async def begin(server: ApiServer, name: str) -> None:
    """Let it begin. Open watches are cut where it is one of answers, so that it is met at once.

    Raises KeyError for an unknown name.
    """
    weather = WEATHER[name]
    if weather.rules is not None:
        weather.rules(server.faults)
        server.drop_watches()
    if weather.turn is not None and (turning := weather.turn(server)) is not None:
        await turning


async def end(server: ApiServer) -> None:
    """Fair weather again; what it has broken stays broken until the client notices."""
    server.faults.clear()
    server.ahead = 0.0
    if server.was is not None:
        server.replace(server.was)
    await server.start()


def _replace(server: ApiServer) -> None:
    other = Storage(BUILTIN, server.storage.clock, resource_version=server.storage.resource_version)
    other.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    server.replace(other)


def _ahead(server: ApiServer) -> None:
    server.ahead = DAY


async def _restart(server: ApiServer) -> None:
    await server.refuse()
    await server.start()


WEATHER = {
    "refused": Weather("connections are refused, the open ones cut", turn=ApiServer.refuse),
    "black-hole": Weather("connections are accepted, and nothing is answered", turn=ApiServer.black_hole),
    "half-open": Weather("open connections die without a word; new ones live", None, ApiServer.half_open, False),
    "restart": Weather("the server restarts: all connections are cut at once", None, _restart, False),
    "clock": Weather("the server's clock is a day ahead", turn=_ahead),
    "slow": Weather("every answer is three seconds late", lambda faults: faults.delay(3.0)),
    "trickle": Weather("answers come at 1 KB/s", Faults.trickle),
    "cut-line": Weather("watches are cut in the middle of a line", lambda faults: faults.truncate(90, WATCHES)),
    "cut-page": Weather("lists are cut in the middle", lambda faults: faults.truncate(400, LISTS)),
    "cut-watch": Weather("watches are cut before they are answered", lambda faults: faults.close(WATCHES)),
    "401": Weather("nobody's credentials are accepted", lambda faults: faults.refuse(401, "Unauthorized")),
    "403": Weather("everything is forbidden", lambda faults: faults.refuse(403, "nothing is allowed today")),
    "410": Weather("every watch is too old", lambda faults: faults.expire(times=None)),
    "410-pages": Weather(
        "the pages of lists expire before they are asked for", lambda faults: faults.gone("continue=", None)
    ),
    "403-kind": Weather(
        "Applications are forbidden", lambda faults: faults.refuse(403, "applications.argoproj.io is forbidden", APPS)
    ),
    "404-kind": Weather("the definition of Applications is gone", lambda faults: faults.answer(404, b"{}", APPS)),
    "replaced": Weather("another, empty cluster answers at the same address", turn=_replace),
    "429": Weather(
        f"priority and fairness asks everybody to come back in {RETRY_AFTER} s",
        lambda faults: faults.throttle(RETRY_AFTER),
    ),
    "500": Weather("every request fails inside", lambda faults: faults.refuse(500, "etcdserver: request timed out")),
    "502": Weather("a load balancer says that its server is bad", lambda faults: faults.html(502)),
    "503": Weather("a load balancer has no server", Faults.unavailable),
    "504": Weather("a load balancer waits for its server in vain", lambda faults: faults.html(504)),
    "malformed": Weather(
        "lists and watches are no JSON",
        lambda faults: (faults.answer(200, _NO_JSON, LISTS), faults.garbage(times=None)),
    ),
    "truncated": Weather(
        "the JSON of lists and watches ends too early, as if that were its end",
        lambda faults: (faults.answer(200, _HALF, LISTS), faults.insert(_HALF_LINE)),
    ),
    "unknown-event": Weather("watches say an event of an unknown type", lambda faults: faults.insert(_UNKNOWN)),
    "no-metadata": Weather("the first object has no metadata", lambda faults: faults.spoil(b'"metadat":{')),
    "big-numbers": Weather(
        "the first object has numbers beyond 64 bits, and beyond doubles",
        lambda faults: faults.spoil(_OBJECT + _NUMBERS),
    ),
    "bad-utf8": Weather(
        "the first object has a text that is not UTF-8", lambda faults: faults.spoil(_OBJECT + b'"weather":"\xff\xfe",')
    ),
    "huge": Weather(
        "the first object has 20 MB", lambda faults: faults.spoil(b'%b"weather":"%b",' % (_OBJECT, b"x" * HUGE))
    ),
}
