"""What adversarial tests of the whole program share: API servers in a thread, bad addresses, and a strict terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support import serving
from tests.terminal import Terminal
from tui.demo.apiserver.server import ApiServer

ROOT = Path(__file__).resolve().parents[2]
FLEET = [sys.executable, "-m", "tui"]


class Servers:
    """Runs API servers on an event loop in a thread, for tests that are busy reading a terminal."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the servers' loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def call(self, work: Callable[[], Any]) -> Any:
        """Call a function on the servers' loop and return its result."""

        async def called() -> Any:
            return work()

        return self.do(called())

    def start(self, objects: Iterable[dict[str, Any]] = (), name: str = "c1", **options: Any) -> ApiServer:
        """A running API server with these objects."""

        async def started() -> ApiServer:
            return await self._stack.enter_async_context(serving(objects, name=name, **options))

        server: ApiServer = self.do(started())
        return server

    def close(self) -> None:
        """End all of them."""
        self.do(self._stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(60)
        self.loop.close()


@contextmanager
def black_hole() -> Iterator[str]:
    """A URL whose connections are accepted by the kernel and answered by nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


def closed_port() -> str:
    """A URL on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{probe.getsockname()[1]}"


def kubeconfig(path: Path, clusters: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write one context a cluster; a `user` among a cluster's fields is that context's user."""
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, fields in clusters.items():
        cluster = {key: value for key, value in fields.items() if key != "user"}
        config["clusters"].append({"name": name, "cluster": cluster})
        config["users"].append({"name": name, "user": fields.get("user", {})})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    path.write_text(yaml.safe_dump(config))
    return path


class Watched(Terminal):
    """A terminal that keeps every byte it was sent."""

    def __init__(self, argv: Iterable[str], *given: Any, **named: Any) -> None:
        self.all = bytearray()
        super().__init__(list(argv), *given, **named)

    def pump(self, seconds: float) -> bool:
        before = self.bytes
        alive = super().pump(seconds)
        if grown := self.bytes - before:
            self.all += self.raw[-grown:]
        return alive

    def settle(self, quiet: float = 0.6, most: float = 10.0) -> str:
        """Pump until nothing has come for `quiet` seconds, at most `most`; returns the screen."""
        import time

        end = time.monotonic() + most
        while time.monotonic() < end:
            before = self.bytes
            if not self.pump(quiet):
                break
            if self.bytes == before:
                break
        return self.text()


def environment(folder: Path, config: Path, **more: str) -> dict[str, str]:
    """Variables for a fleet whose home, state and clusters are the test's own."""
    return {
        "HOME": str(folder), "FLEET_STATE": str(folder / "state"), "KUBECONFIG": str(config),
        "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), **more,
    }  # fmt: skip


def fleet(env: Mapping[str, str], *arguments: str, seconds: float = 60, cwd: Path | None = None) -> Any:
    """Run a command of fleet to its end, without a terminal."""
    return subprocess.run(
        [*FLEET, *arguments], env={**os.environ, **env}, cwd=cwd, capture_output=True, text=True, timeout=seconds,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


# Escape sequences a screen is painted with. Whatever else a program sends came out of its data.
_OWN = re.compile(
    rb"\x1b\[[0-9;:]*[mHABCDGJKdXP@LMhlSTr]|\x1b\[\?[0-9;]*[hlu]|\x1b\[[<>=?]?[0-9;]*[uqc]|\x1b\[[0-9;]*[nt]|"
    rb"\x1b\[\?[0-9;]*\$p|\x1b[78=>]|\x1b\([B0]|\x1bP=[12]s\x1b\\|\x1b\[[0-9] q|\x1b_Gi=[0-9]+[^\x1b]*\x1b\\|"
    rb"\x1b\]22;[a-z]*\x07"
    rb"|\x1b\]52;c;(?!T1dORUQ=\x07)[A-Za-z0-9+/=]*\x07"  # a copy the user asked for
)

_ACTIVE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def strange(data: bytes) -> list[bytes]:
    """Escape sequences and control characters among bytes for a terminal that no painter of ours sends."""
    rest = _OWN.sub(b"", data)
    text = rest.decode("utf-8", "replace")
    bad = re.compile(
        "[\x00-\x06\x07\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
    )
    return [text[max(0, m.start() - 40) : m.end() + 60].encode() for m in bad.finditer(text)]


@contextmanager
def suspended(pid: int, stop: int, go: int) -> Iterator[None]:
    """A process that is stopped for the length of the block."""
    os.kill(pid, stop)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, go)
