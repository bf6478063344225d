"""The audit of dependencies fails for what is known, passes when nothing is, and says when it could not ask."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad import closed_port

ROOT = Path(__file__).resolve().parents[2]
Answer = Callable[[list[dict[str, Any]]], bytes]


@pytest.fixture
def service() -> Iterator[Callable[[Answer], str]]:
    """`service(answer)`: the URL of a service that answers the queries of one question."""
    running: list[HTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer(queries))

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def knows(*names: str) -> Answer:
    def answer(queries: list[dict[str, Any]]) -> bytes:
        held = [{"vulns": [{"id": "PYSEC-1"}]} if each["package"]["name"] in names else {} for each in queries]
        return json.dumps({"results": held}).encode()

    return answer


def audited(service: str, accepted: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit code and output of the audit, in a process of its own: that of other tests may let nothing POST any more."""
    code = (
        f"import sys; from tests import audit; audit.ACCEPTED = {accepted or {}!r}; sys.exit(audit.main(sys.argv[1:]))"
    )
    argv = [sys.executable, "-c", code, "--service", service]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_nothing_known(service: Callable[[Answer], str]) -> None:
    code, said = audited(service(knows()))
    assert code == 0 and "0 known vulnerabilities" in said


def test_something_known(service: Callable[[Answer], str]) -> None:
    url = service(knows("aiohttp", "pytest"))
    code, said = audited(url)
    assert code == 1 and "(comes with fleet): PYSEC-1" in said and "pytest" in said and "2 known" in said
    assert audited(url, {"PYSEC-1": "only with a feature that fleet does not use"})[0] == 0


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"results": []}'])
def test_a_service_that_does_not_answer(service: Callable[[Answer], str], answer: bytes) -> None:
    for url in (service(lambda queries: answer), closed_port()):
        code, said = audited(url)
        assert code == 0 and said.startswith("NOT AUDITED")
