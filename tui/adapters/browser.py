"""The screen in a browser: textual-serve's terminal page and processes, behind a token and checks of its own.

textual-serve alone lets in whoever reaches its port, and a page of any site that somebody visits reaches a port of
their machine. Used of it are the terminal that runs in the browser and the process behind each connection; page, routes
and who may use them are here. Nothing of the page comes from anywhere else.
"""

from __future__ import annotations

import hmac
import html
import ipaddress
import secrets
import shlex
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_CELLS = 1000  # columns, and rows, of a browser's terminal
ENDING = 3.0  # seconds that open connections get when the server ends
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/xterm.css">
<style>
@font-face {{
  font-family: "Roboto Mono"; font-weight: 100 700; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf");
}}
body {{ background: #0f1318; color: #d3dae3; font: 16px "Roboto Mono", monospace; margin: 0; }}
.said {{ position: absolute; inset: 0; display: flex; align-items: center; justify-content: center; }}
.said a {{ color: #8fb9f4; margin-left: 1ch; }}
body.-first-byte #starting, #closed {{ display: none; }}
body.-closed #closed {{ display: flex; background: #0f1318; z-index: 10; }}
body.-closed #starting {{ display: none; }}
</style>
<script src="/static/js/textual.js"></script>
<script src="/focus.js"></script>
</head>
<body>
<div class="said" id="starting">fleet starts …</div>
<div class="said" id="closed">This screen has ended. <a href="/">Open it again</a></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}/ws" data-font-size="{size}"></div>
</body>
</html>
"""
# Keys go to the terminal without a click on it, once it is connected and when the window is come back to.
_FOCUS = """\
const focus = () => {
  if (document.body.classList.contains("-first-byte")) document.querySelector(".xterm-helper-textarea")?.focus();
};
addEventListener("load", () => new MutationObserver(focus).observe(document.body, {attributeFilter: ["class"]}));
addEventListener("focus", focus);
"""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine; port 0 = any that is free. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let another program take the port over
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound


def loopback(host: str) -> bool:
    """Whether every address that a name leads to is this machine's own. Raises OSError for a name of nobody."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_loopback for entry in found)


class Browser(Server):
    """Serves a program with a Textual screen, a process of it for each connection, to who has the token."""

    def __init__(self, argv: Sequence[str], host: str, port: int, sessions: int, title: str = "fleet") -> None:
        """`argv` is the program; `host` and `port` where it is served; `sessions` how many may be open at once."""
        shell = subprocess.list2cmdline(argv) if sys.platform == "win32" else f"exec {shlex.join(argv)}"
        super().__init__(shell, host, port, title)
        self.token = secrets.token_urlsafe(32)
        self.open = 0  # sessions
        self._most = sessions
        self._cookie = f"fleet-{port}"  # cookies do not tell ports apart
        self._session = secrets.token_urlsafe(32)
        self._names = {"localhost", host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    @property
    def url(self) -> str:
        """Where a browser is let in: the token is in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/?token={self.token}"

    def application(self) -> web.Application:
        """What is served, and to whom."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = self._refused(request) or await handler(request)
            if not response.prepared:
                response.headers.update(_HEADERS)
            return response

        app = web.Application(middlewares=[guard])
        app.router.add_get("/", self.handle_page)
        app.router.add_get("/focus.js", self.handle_focus)
        app.router.add_get("/ws", self.handle_websocket)
        app.router.add_static("/static", self.statics_path)
        return app

    def run(self, bound: socket.socket) -> None:
        """Serve on a socket until SIGINT or SIGTERM."""
        web.run_app(self.application(), sock=bound, print=None, access_log=None, shutdown_timeout=ENDING)

    # -- who may ---------------------------------------------------------------------------------------------------

    def _refused(self, request: web.Request) -> web.Response | None:
        """Why a request is not answered; None when it is."""
        if not self._ours(request.headers.get("Host", "")):
            return _no("this address is none of the server's names")  # a foreign name that was led here
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.headers['Host']}":
            return _no("another site's page may not use this server")
        if origin is None and request.path == "/ws":
            return _no("a browser says from which page it connects")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and request.path != "/":
            return _no("another site's page may not use this server")
        if request.path == "/" and _same(request.query.get("token", ""), self.token):
            return self._let_in()
        if not _same(request.cookies.get(self._cookie, ""), self._session):
            return _no("open the address that `fleet serve` has printed: it has the token in it")
        return None

    def _ours(self, host: str) -> bool:
        """Whether a Host header is a number or a name of this machine: anybody may lead other names here."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def _let_in(self) -> web.Response:
        """The token becomes a cookie, and leaves the address."""
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
        return response

    # -- what they get ---------------------------------------------------------------------------------------------

    async def handle_page(self, request: web.Request) -> web.Response:
        """The page with the terminal."""
        size = request.query.get("fontsize", "")
        at = f"ws://{request.headers['Host']}"
        page = _PAGE.format(
            title=html.escape(self.title), socket=html.escape(at), size=int(size) if size.isdecimal() else 16
        )
        return web.Response(
            text=page, content_type="text/html", headers={"Content-Security-Policy": _POLICY.format(socket=at)}
        )

    async def handle_focus(self, request: web.Request) -> web.Response:
        """The only script of our own."""
        return web.Response(text=_FOCUS, content_type="text/javascript")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A process of the program for one connection. Raises HTTPException for what cannot be."""
        for name in ("width", "height"):
            value = request.query.get(name, "")
            if not (value.isdecimal() and 0 < int(value) <= MOST_CELLS):
                raise web.HTTPBadRequest(text=f"{name} is a number of cells up to {MOST_CELLS}\n")
        if self.open >= self._most:
            raise web.HTTPServiceUnavailable(text=f"{self._most} screens are open, and no more are allowed\n")
        self.open += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self.open -= 1


def _no(why: str) -> web.Response:
    return web.Response(status=403, text=f"fleet: {why}\n")


def _same(given: str, right: str) -> bool:
    """Whether they are equal, told in the same time wherever they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
