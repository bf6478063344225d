"""A Git remote over https that asks for a user and a password, and looks who can see them meanwhile."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tui.demo.apiserver.server import ServerTls
from tui.demo.pki import Authority


class Remote:
    """`url` with and `bare` without the password; `arguments` of all processes that ran while it was asked."""

    def __init__(self, root: Path, pki: Path, user: str, password: str) -> None:
        self.logins: list[str] = []
        self.arguments = b""
        authority = Authority(pki)
        pair = authority.server()
        self.ca = authority.certificate
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(root, user, password))
        self.server.daemon_threads = True
        context = ServerTls(pair.certificate, pair.key).context
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.bare = f"https://127.0.0.1:{self.server.server_port}/shop.git"
        self.url = self.bare.replace("://", f"://{user}:{password}@")

    def _handler(remote, root: Path, user: str, password: str) -> type[BaseHTTPRequestHandler]:
        wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                remote.arguments += everybody()
                given = self.headers.get("Authorization", "")
                remote.logins.append(given)
                if given != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path, _, query = self.path.partition("?")
                answer = subprocess.run(
                    ["git", "http-backend"], input=data, capture_output=True,
                    env={
                        **os.environ, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                        "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": user,
                        "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                        "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                        "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    },
                )  # fmt: skip
                head, _, body = answer.stdout.partition(b"\r\n\r\n")
                fields = [line.split(b": ", 1) for line in head.split(b"\r\n") if line]
                named = {name.decode().lower(): value.decode() for name, value in fields}
                self.send_response(int(named.pop("status", "200").split()[0]))
                for name, value in named.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        return Handler


def everybody() -> bytes:
    """The arguments of every process of this machine, as `ps` shows them to every user."""
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            found += path.read_bytes()
    return found


@contextmanager
def remote(root: Path, pki: Path, user: str, password: str) -> Iterator[Remote]:
    """Serves the bare repositories below `root`."""
    made = Remote(root, pki, user, password)
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
