"""What a connection sends, what it trusts, and what it makes of every kind of answer and silence."""

from __future__ import annotations

import asyncio
import base64
import gc
import gzip
import socket
import tempfile
import weakref
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.adapters.scripted import connect_proxy, connection, http, raw, tls
from tui.adapters.kube import Refused, session
from tui.adapters.kube import tls as our_tls
from tui.adapters.kube.answers import retry_after
from tui.adapters.kube.contexts import ClusterSpec
from tui.adapters.kube.credentials import Identity
from tui.demo.pki import Authority
from tui.domain.ports import (
    Absent,
    Denied,
    Gone,
    ServerError,
    Throttled,
    Trouble,
    Unauthorized,
    Unreachable,
)

PODS = "/api/v1/pods"


def status(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


# -- what is sent -----------------------------------------------------------------------------------------------------


async def test_the_request_on_the_wire(tmp_path: Path) -> None:
    query = [("labelSelector", "a=b,c in (d,e)"), ("continue", "x/y+z=="), ("watch", "true")]
    async with http() as server, connection(tmp_path, {"server": server.url + "/k8s/c-1/"}, {"token": "t"}) as c:
        await c.get(PODS, query, "application/json;as=Table")
        method, path, headers = server.requests[0]
        assert method == "GET"
        assert (
            path == "/k8s/c-1/api/v1/pods?labelSelector=a%3Db%2Cc%20in%20%28d%2Ce%29&continue=x/y%2Bz%3D%3D&watch=true"
        )
        assert headers["Authorization"] == "Bearer t"
        assert headers["Accept"] == "application/json;as=Table"
        assert headers["User-Agent"].startswith("fleet/")
        assert headers["Accept-Encoding"] == "identity", "no compression on this machine"


async def test_a_netrc_and_the_environment_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesson R4: the official client sends the netrc's default entry to any cluster without a token."""
    (tmp_path / ".netrc").write_text("default login me password s3cret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with http() as server, connection(tmp_path, {"server": server.url}) as c:
        await c.get(PODS)
        assert server.header("Authorization") == ""


async def test_impersonation(tmp_path: Path) -> None:
    """Lesson C7: without these headers one silently acts as oneself."""
    user = {
        "token": "t",
        "as": "jane",
        "as-uid": "u-1",
        "as-groups": ["devs", "ops, all"],
        "as-user-extra": {"Dept/x": ["a", "b"]},
    }
    async with http() as server, connection(tmp_path, {"server": server.url}, user) as c:
        await c.get(PODS)
        headers: Any = server.requests[0][2]
        assert headers["Impersonate-User"] == "jane" and headers["Impersonate-Uid"] == "u-1"
        assert headers.getall("Impersonate-Group") == ["devs", "ops, all"]
        assert headers.getall("Impersonate-Extra-Dept%2Fx") == ["a", "b"]


async def test_reviews_are_the_only_posts(tmp_path: Path) -> None:
    async with http() as server, connection(tmp_path, {"server": server.url}) as c:
        await c.review("selfsubjectaccessreviews", {"kind": "SelfSubjectAccessReview", "spec": {}})
        assert server.requests[0][:2] == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        for kind in ("pods", "subjectaccessreviews", "../pods"):
            with pytest.raises(Refused):
                await c.review(kind, {})
        for path in ("/api/v1/namespaces/x/pods/y/exec", "/api/v1/nodes/n/proxy/x", "/metrics", "pods", "//evil/api"):
            with pytest.raises(Refused):
                await c.get(path)
        assert len(server.requests) == 1


async def test_redirects_are_not_followed(tmp_path: Path) -> None:
    async def elsewhere(request: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"Location": "https://login.example.com/?a=1"})

    async with http(elsewhere) as server, connection(tmp_path, {"server": server.url}, {"token": "t"}) as c:
        with pytest.raises(ServerError, match=r"redirects .* is its URL right"):
            await c.get(PODS)
        assert len(server.requests) == 1


# -- what is trusted --------------------------------------------------------------------------------------------------


async def test_tls_by_ca_file_and_data(tmp_path: Path, authority: Authority) -> None:
    data = base64.b64encode(authority.certificate.read_bytes()).decode()
    async with http(context=tls(authority.server())) as server:
        for ca in ({"certificate-authority": str(authority.certificate)}, {"certificate-authority-data": data}):
            async with connection(tmp_path, {"server": server.url, **ca}) as c:
                assert await c.get(PODS) == b"{}"


async def test_a_leaf_given_as_authority_is_an_anchor(tmp_path: Path, authority: Authority) -> None:
    pair = authority.server("leaf")
    async with (
        http(context=tls(pair)) as server,
        connection(tmp_path, {"server": server.url, "certificate-authority": str(pair.certificate)}) as c,
    ):
        assert await c.get(PODS) == b"{}"


@pytest.mark.parametrize("case", ["expired", "other-ca", "no-ca", "other-host"])
async def test_bad_certificates_are_refused(tmp_path: Path, authority: Authority, case: str) -> None:
    pair = authority.server("bad-" + case, days=-1 if case == "expired" else None)
    ca = authority.certificate
    if case == "other-ca":
        ca = Authority(tmp_path / "other", "other").certificate
    if case == "other-host":
        pair = authority.server("elsewhere", hosts=["elsewhere.example.com"])
    cluster = {} if case == "no-ca" else {"certificate-authority": str(ca)}
    async with http(context=tls(pair)) as server:
        async with connection(tmp_path, {"server": server.url, **cluster}) as c:
            with pytest.raises(Unreachable, match=r"certificate of 127.0.0.1:.* is not valid: .+"):
                await c.get(PODS)
        async with connection(tmp_path, {"server": server.url, "insecure-skip-tls-verify": True, **cluster}) as c:
            assert await c.get(PODS) == b"{}"
        if case == "other-host":
            name = {"tls-server-name": "elsewhere.example.com", **cluster}
            async with connection(tmp_path, {"server": server.url, **name}) as c:
                assert await c.get(PODS) == b"{}"


async def test_client_certificates_beside_a_token(tmp_path: Path, authority: Authority) -> None:
    """Lesson C3: the official client drops the certificate when there is a token."""
    pair = authority.client("jane")
    user = {"client-certificate": str(pair.certificate), "client-key": str(pair.key), "token": "t"}
    cluster = {"certificate-authority": str(authority.certificate)}
    before = set(Path(tempfile.gettempdir()).glob("fleet-*.pem"))
    async with http(context=tls(authority.server(), authority.certificate)) as server:
        async with connection(tmp_path, {"server": server.url, **cluster}, user) as c:
            assert await c.get(PODS) == b"{}"
            assert server.header("Authorization") == "Bearer t"
        async with connection(tmp_path, {"server": server.url, **cluster}) as c:
            with pytest.raises(Unreachable):
                await c.get(PODS)
    assert set(Path(tempfile.gettempdir()).glob("fleet-*.pem")) == before


def test_contexts_are_shared_by_what_they_are_made_of_alone(authority: Authority) -> None:
    """Reading a company's bundle of a hundred authorities takes 35 ms, for each of 500 clusters."""
    ca, jane, joe = authority.certificate.read_bytes(), authority.client("jane"), authority.client("joe")
    specs = [ClusterSpec("https://a", ca_data=ca), ClusterSpec("https://b", ca_data=ca)]
    specs += [ClusterSpec("https://a", ca_data=2 * ca), ClusterSpec("https://a", ca_data=ca, insecure=True)]
    users = [Identity(), *(Identity(cert=p.certificate.read_bytes(), key=p.key.read_bytes()) for p in (jane, joe))]
    made = [our_tls.context(spec, user) for user in users for spec in specs]
    assert len({id(context) for context in made}) == len(users) * (len(specs) - 1)
    assert made[0] is made[1] is our_tls.context(specs[0], Identity(headers=(("Authorization", "Bearer t"),)))
    first = weakref.ref(made[0])
    made.clear()
    gc.collect()
    assert first() is None, "what an old certificate was loaded into goes with its last connection"


def test_tls_buffers_are_small() -> None:
    """Private to asyncio: where it is gone, nothing breaks, but this test says so."""
    from asyncio import sslproto

    assert our_tls.shrink_buffers()
    assert sslproto.SSLProtocol.max_size == our_tls.READ_BUFFER  # type: ignore[attr-defined]


def test_the_file_limit_is_raised_as_far_as_allowed() -> None:
    import resource

    session.raise_file_limit()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft >= min(session.FILES, hard if hard != resource.RLIM_INFINITY else session.FILES)


# -- proxies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [False, True], ids=["http proxy", "https proxy"])
async def test_a_proxy_tunnels(tmp_path: Path, authority: Authority, secure: bool, monkeypatch: Any) -> None:
    cluster = {"certificate-authority": str(authority.certificate)}
    proxy_tls = None
    if secure:
        other = Authority(tmp_path / "proxy-ca", "proxy")
        proxy_tls = tls(other.server("proxy"))
        monkeypatch.setenv("SSL_CERT_FILE", str(other.certificate))
        monkeypatch.setattr(our_tls, "_system", None)
    async with http(context=tls(authority.server())) as server, connect_proxy(proxy_tls) as proxy:
        url = proxy.url.replace("://", "://me:pass@")
        async with connection(tmp_path, {"server": server.url, "proxy-url": url, **cluster}, {"token": "t"}) as c:
            assert await c.get(PODS) == b"{}"
        method, target, headers = proxy.requests[0]
        assert (method, target) == ("CONNECT", server.url.removeprefix("https://"))
        assert headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"me:pass").decode()
        assert "Authorization" not in headers
        assert "Proxy-Authorization" not in server.requests[0][2]


async def test_proxies_that_do_not_work(tmp_path: Path) -> None:
    async with http() as server:
        async with connection(tmp_path, {"server": server.url, "proxy-url": "socks5://p:1"}) as c:
            with pytest.raises(Unreachable, match="socks5 proxies are not supported"):
                await c.get(PODS)
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            async with connection(tmp_path, {"server": server.url, "proxy-url": url}) as c:
                with pytest.raises(Unreachable, match="its proxy cannot be reached: connection refused"):
                    await c.get(PODS)
    async with connect_proxy(status="407 Proxy Authentication Required") as proxy:
        cluster = {"server": "https://c1.invalid", "proxy-url": proxy.url}
        async with connection(tmp_path, cluster) as c:
            with pytest.raises(Unreachable, match="its proxy refused: 407"):
                await c.get(PODS)


# -- what answers mean ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (401, Unauthorized, "does not accept these credentials"),
        (403, Denied, "no way"),
        (404, Absent, "no way"),
        (410, Gone, "no way"),
        (429, Throttled, "asks to slow down"),
        (500, ServerError, "answered 500: no way"),
        (503, Throttled, "not available"),
        (422, ServerError, "no way"),
    ],
)
async def test_statuses(tmp_path: Path, code: int, error: type[Trouble], words: str) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.json_response(status(code, "no\nway"), status=code, headers={"Retry-After": "7"})

    async with http(answer) as server, connection(tmp_path, {"server": server.url}) as c:
        with pytest.raises(error, match=words) as caught:
            await c.get(PODS)
        assert "\n" not in str(caught.value)
        if isinstance(caught.value, Throttled):
            assert caught.value.retry_after == 7
        if isinstance(caught.value, ServerError):
            assert caught.value.status == code


async def test_an_error_page_of_any_size_and_kind(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=502, body=b"<html>\xff" + b"x" * 1_000_000, content_type="text/html")

    async with http(answer) as server, connection(tmp_path, {"server": server.url}) as c:
        with pytest.raises(ServerError, match=r"^the API server answered 502$"):
            await c.get(PODS)


def test_retry_after() -> None:
    assert [retry_after(t) for t in ("", "x", "5", "-3", "1e9", "nan", "Thu, 01 Jan 1970 00:00:00 GMT")] == [
        0.0,
        0.0,
        5.0,
        0.0,
        600.0,
        0.0,
        0.0,
    ]


# -- silence and noise ------------------------------------------------------------------------------------------------


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with connection(tmp_path, {"server": f"http://127.0.0.1:{port}"}) as c:
            with pytest.raises(Unreachable, match=f"^127.0.0.1:{port}: connection refused$"):
                await c.get(PODS)


async def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    async with connection(tmp_path, {"server": "https://nowhere.invalid:6443"}) as c:
        with pytest.raises(Unreachable, match=r"the name of nowhere.invalid:6443 cannot be found"):
            await c.get(PODS)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_black_hole(tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that never accepts: connecting works as long as the backlog lasts, and then nothing."""
    monkeypatch.setattr(session, "CONNECT", 0.2)
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        url = f"{scheme}://127.0.0.1:{hole.getsockname()[1]}"
        cluster = {"server": url, "insecure-skip-tls-verify": True}
        async with connection(tmp_path, cluster, request_timeout=0.2) as c:
            with pytest.raises(Unreachable, match=r"silent for|did not answer in time"):
                await c.get(PODS)


async def test_a_body_that_stops(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    async with raw(answer, hold=True) as server, connection(tmp_path, {"server": server.url}, request_timeout=0.2) as c:
        with pytest.raises(Unreachable, match=r"was silent for 0.2 s"):
            await c.get(PODS)
        with pytest.raises(Unreachable, match=r"was silent for 0.1 s"):
            async for _ in c.stream(PODS, quiet=0.1):
                pass
    async with raw(answer) as server, connection(tmp_path, {"server": server.url}) as c:
        with pytest.raises(Unreachable, match="closed the connection in the middle of an answer"):
            await c.get(PODS)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 smtp ready\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x00\xa5",
        b"SSH-2.0\r\n",
    ],
)
async def test_servers_that_are_something_else(tmp_path: Path, answer: bytes) -> None:
    async with raw(answer) as server, connection(tmp_path, {"server": server.url}) as c:
        with pytest.raises(Trouble) as caught:
            await c.get(PODS)
        assert "127.0.0.1" in str(caught.value) and "\n" not in str(caught.value)


async def test_plain_http_where_tls_was_expected(tmp_path: Path) -> None:
    async with http() as server:
        cluster = {"server": server.url.replace("http:", "https:"), "insecure-skip-tls-verify": True}
        async with connection(tmp_path, cluster) as c:
            with pytest.raises(Unreachable, match="no TLS connection to"):
                await c.get(PODS)


async def test_an_answer_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.adapters.kube import transport

    monkeypatch.setattr(transport, "LARGEST_BODY", 1 << 20)

    async def bomb(request: web.BaseRequest) -> web.Response:
        body = gzip.compress(b" " * (64 << 20))
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with http(bomb) as server, connection(tmp_path, {"server": server.url}) as c:
        with pytest.raises(ServerError, match="more than 1 MiB was given up"):
            await c.get(PODS)


# -- nothing is left --------------------------------------------------------------------------------------------------


async def test_abandoned_requests_give_their_socket_back(tmp_path: Path) -> None:
    """Lesson R3: the official client leaks the pool slot of a cancelled raw response."""

    async def forever(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{}\n")
        await asyncio.Event().wait()
        return response

    async with http(forever) as server, connection(tmp_path, {"server": server.url}) as c:
        started = [asyncio.Event() for _ in range(120)]  # more than the client's own pool limit, lesson R2

        async def follow(event: asyncio.Event) -> None:
            async with aclosing(c.stream(PODS, quiet=30)) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    if chunk:
                        event.set()

        tasks = [asyncio.create_task(follow(event)) for event in started]
        await asyncio.gather(*(event.wait() for event in started))
        connector = c._api.rest_client.pool_manager.connector
        assert len(connector._acquired) == 120
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(connector._acquired) == 0


async def test_a_closed_connection_stays_closed(tmp_path: Path) -> None:
    async with http() as server, connection(tmp_path, {"server": server.url}) as c:
        await c.get(PODS)
        await c.close()
        with pytest.raises(Trouble, match="closed"):
            await c.get(PODS)


async def test_a_client_that_was_replaced_ends_with_its_last_request(tmp_path: Path) -> None:
    more = asyncio.Event()

    async def page(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        if request.path.endswith("/nodes"):
            await more.wait()
            await response.write(b"last")
        return response

    async with http(page) as server, connection(tmp_path, {"server": server.url}) as c:
        async with aclosing(c.stream("/api/v1/nodes", quiet=30)) as chunks:  # type: ignore[type-var]
            while await anext(chunks) != b"first":
                pass
            old = c._api.rest_client.pool_manager
            for _ in range(5):  # a laptop that slept, a certificate that was renewed
                c.renew()
                await c.get(PODS)
            assert len(c._retired) == 1 and not old.closed, "only the one that is read from is kept"
            more.set()
            assert b"".join([chunk async for chunk in chunks]) == b"last"
        assert not c._retired and old.closed
        await c.get(PODS)
