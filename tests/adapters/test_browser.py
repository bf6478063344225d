"""Who is let in by `fleet serve`: who has the token, from a page of the server's own, under a name of this machine."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import WSServerHandshakeError, web

from tui.adapters.browser import Browser, listening, loopback

SIZE = "width=80&height=24"
ECHO = """
import sys
out = sys.stdout.buffer
def send(data): out.write(b"D%s%s" % (len(data).to_bytes(4, "big"), data)); out.flush()
out.write(b"__GANGLION__\\n")
send(sys.argv[1].encode())
while (head := sys.stdin.buffer.read(5)) and (data := sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))):
    if b"quit" in data: break
    send(data)
"""
ODD = "a b; $(id) `id` 'x' \"y\" *"


@dataclass
class Served:
    """A server, and somebody who asks it."""

    browser: Browser
    session: aiohttp.ClientSession
    at: str  # "http://127.0.0.1:1234"

    async def ask(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        """Ask for a path; redirections are not followed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.session.get(f"{self.at}{path}", headers=named, allow_redirects=False)

    async def enter(self) -> None:
        """Use the token."""
        assert (await self.ask(f"/?token={self.browser.token}")).status == 303

    async def connect(self, origin: str | None = "", size: str = SIZE) -> aiohttp.ClientWebSocketResponse:
        """Open the socket as a page of the server's own does."""
        return await self.session.ws_connect(f"{self.at}/ws?{size}", origin=self.at if origin == "" else origin)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    """The server around a program that sends back what it gets."""
    bound = listening("127.0.0.1", 0)
    port = bound.getsockname()[1]
    browser = Browser([sys.executable, "-c", ECHO, ODD], "127.0.0.1", port, sessions=2)
    runner = web.AppRunner(browser.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Served(browser, session, f"http://127.0.0.1:{port}")
    await runner.cleanup()
    gc.collect()  # textual-serve lets its processes go without closing them: not after the loop has ended
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=x", "/?token=é", "/static/js/textual.js", "/focus.js", "/no"]
)
async def test_nobody_gets_anything_without_the_token(served: Served, path: str) -> None:
    answer = await served.ask(path)
    assert answer.status == 403 and "token" in await answer.text() and "Set-Cookie" not in answer.headers


async def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(served: Served) -> None:
    answer = await served.ask(f"/?token={served.browser.token}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and served.browser.token not in cookie
    page = await served.ask("/")
    assert page.status == 200 and "xterm.css" in await page.text()
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src 'self';" in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert (await served.ask("/static/js/textual.js")).status == 200


async def test_each_start_has_a_token_of_its_own() -> None:
    first, second = (Browser(["true"], "127.0.0.1", 1, 1) for _ in range(2))
    assert len(first.token) >= 43 and first.token != second.token
    assert first.url == f"http://127.0.0.1:1/?token={first.token}"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:80", 403),
        ("", 403),
        ("[", 403),
        ("localhost:9000", 200),  # the near end of ssh -L
        ("[::1]:9000", 200),
        ("10.1.2.3", 200),  # a number is nobody's to lead elsewhere
    ],
)
async def test_a_foreign_name_that_leads_here_is_refused(served: Served, host: str, status: int) -> None:
    await served.enter()
    assert (await served.ask("/", Host=host)).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),  # another server of this machine
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
async def test_pages_of_other_sites_get_nothing_with_the_cookie(
    served: Served, headers: dict[str, str], status: int
) -> None:
    await served.enter()
    assert (await served.ask("/static/js/textual.js", **headers)).status == status


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_a_socket_is_opened_by_the_servers_own_page_only(served: Served, origin: str | None) -> None:
    await served.enter()
    with pytest.raises(WSServerHandshakeError) as refused:
        await served.connect(origin)
    assert refused.value.status == 403 and served.browser.open == 0


async def test_a_socket_needs_the_cookie(served: Served) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await served.connect()
    assert refused.value.status == 403


@pytest.mark.parametrize("size", ["", "width=80", "width=-1&height=24", "width=80&height=99999999", "width=x&height=y"])
async def test_a_terminal_has_a_sensible_size(served: Served, size: str) -> None:
    await served.enter()
    with pytest.raises(WSServerHandshakeError) as refused:
        await served.connect(size=size)
    assert refused.value.status == 400


async def test_a_session_is_a_process_with_these_arguments_and_there_are_only_so_many(served: Served) -> None:
    await served.enter()
    first, second = await served.connect(), await served.connect()
    assert (await first.receive()).data == ODD.encode()
    await first.send_json(["stdin", "j"])
    assert (await first.receive()).data == b"j"
    with pytest.raises(WSServerHandshakeError) as refused:
        await served.connect()
    assert refused.value.status == 503
    await second.close()
    while served.browser.open > 1:
        await first.send_json(["stdin", "j"])
        await first.receive()
    third = await served.connect()
    assert (await third.receive()).data == ODD.encode()
    await first.close()
    await third.close()


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("192.0.2.1", False)]
)
def test_only_loopback_is_this_machine_alone(host: str, own: bool) -> None:
    assert loopback(host) is own
