"""Calls every generated method of both Kubernetes clients in a sealed process; prints what happened as JSON.

Run as a program by test_kube_guard.py: a process cannot be unsealed again.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tui.adapters.kube import Refused, seal_process
from tui.adapters.kube.contexts import ClusterSpec

VARIANTS = ("_with_http_info", "_without_preload_content")  # of the same request
GIVEN = {"group": "g.example", "version": "v1", "plural": "things", "path": "metrics", "logpath": "x"}
RECEIVED: list[str] = []


class Recorder(socketserver.StreamRequestHandler):
    """Remembers every request line and answers `{}`."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline():
            RECEIVED.append(line.decode("latin-1").strip())
            length = 0
            while (header := self.rfile.readline().strip()) != b"":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            self.rfile.read(length)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


def methods(module: Any, client: Any) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Name, function and arguments of every generated method, without the argument checks around it."""
    for name in dir(module):
        if not name.endswith("Api"):
            continue
        api = getattr(module, name)(client)
        for method, function in inspect.getmembers(type(api), inspect.isfunction):
            if (
                method.startswith("_")
                or method == "close"
                or method.endswith(("_with_http_info", "_without_preload_content"))
            ):
                continue
            inner = inspect.unwrap(function)
            given = {
                p.name: {} if p.name == "body" else GIVEN.get(p.name, "x")
                for p in list(inspect.signature(inner).parameters.values())[1:]
                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
            }
            yield f"{name}.{method}", lambda inner=inner, api=api, given=given: inner(api, **given), given


def refused_by_us(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, Refused):
            return True
        error = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(error, BaseException):
            return False
    return False


def outcome(error: BaseException | None) -> str:
    return "refused" if refused_by_us(error) else "answered, unreadable"


def use_sync(url: str) -> dict[str, str]:
    import kubernetes.client as module

    results = {}
    configuration = module.Configuration(host=url, retries=False)
    for name, call, _ in methods(module, module.ApiClient(configuration)):
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever a client makes of it
            results[name] = outcome(error)
        else:
            results[name] = "answered"
    return results


async def use_async(client: Any) -> dict[str, str]:
    import kubernetes.aio.client as module

    results = {}
    for name, call, _ in methods(module, client):
        try:
            await call()
        except Exception as error:  # noqa: BLE001 - whatever a client makes of it
            results[name] = outcome(error)
        else:
            results[name] = "answered"
    await client.close()
    return results


async def use_both(url: str) -> dict[str, Any]:
    import kubernetes.aio.client as module

    from tui.adapters.kube.session import make_api

    def taken() -> list[str]:
        lines, RECEIVED[:] = list(RECEIVED), []
        return lines

    taken()
    ours = await use_async(make_api(ClusterSpec(server=url), None, None))
    ours_received = taken()
    plain = await use_async(module.ApiClient(module.Configuration(host=url)))
    return {"ours": [ours, ours_received], "sealed aio": [plain, taken()]}


def main() -> None:
    with Server(("127.0.0.1", 0), Recorder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        import kubernetes.client as module

        module.CoreV1Api(module.ApiClient(module.Configuration(host=url))).create_namespaced_pod("x", {})
        report: dict[str, Any] = {"control": [{}, list(RECEIVED)]}
        seal_process()
        report |= asyncio.run(use_both(url))
        RECEIVED.clear()
        report["sealed sync"] = [use_sync(url), list(RECEIVED)]
        server.shutdown()
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
