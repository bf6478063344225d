"""A headless Chromium, driven over its DevTools protocol: what a page's terminal shows, and keys typed into it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pyte

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 90.0  # seconds
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--no-first-run", "--remote-debugging-port=0", "--window-size=1200,800",
)  # fmt: skip


class Page:
    """One page. `screen` is what its terminal was told to show."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._session = ""
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._moved = asyncio.Event()
        self._loaded = asyncio.Event()
        self.screen = pyte.Screen(300, 100)
        self._stream = pyte.ByteStream(self.screen)
        self.requests: list[str] = []  # addresses that the page has asked for
        self.complaints: list[str] = []  # errors of the page's own: scripts, policy, network

    async def listen(self) -> None:
        """Take in what the browser tells."""
        async for message in self._socket:
            told = json.loads(message.data)
            if (answer := self._answers.pop(told.get("id", 0), None)) is not None:
                answer.set_result(told)
            self._take(told.get("method", ""), told.get("params", {}))
            self._moved.set()

    def _take(self, method: str, given: dict[str, Any]) -> None:
        if method == "Network.webSocketFrameReceived" and given["response"]["opcode"] == 2:
            self._stream.feed(base64.b64decode(given["response"]["payloadData"]))
        elif method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(given["exceptionDetails"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.complaints.append(json.dumps(given["entry"]))

    async def call(self, method: str, **given: Any) -> Any:
        """Ask the browser something; returns the result. AssertionError for an error."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        at = {"sessionId": self._session} if self._session else {}
        await self._socket.send_json({"id": self._number, "method": method, "params": given, **at})
        told = await asyncio.wait_for(answer, PATIENCE)
        assert "error" not in told, told
        return told["result"]

    async def attach(self) -> None:
        """Begin with an empty page."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def go(self, url: str) -> None:
        """Open an address, and wait for what it shows."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        return (await self.call("Runtime.evaluate", expression=script, returnByValue=True))["result"].get("value")

    async def type(self, text: str) -> None:
        """Type characters, as a keyboard does."""
        for character in text:
            key: dict[str, Any] = {"key": character}
            if character == "\r":
                key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
            await self.call("Input.dispatchKeyEvent", type="keyDown", text=character, **key)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def text(self) -> str:
        """What the terminal shows."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    async def wait(self, found: str | Callable[[], object]) -> None:
        """Wait until the terminal shows a text, or something holds."""
        holds = found if callable(found) else lambda: found in self.text()
        end = asyncio.get_running_loop().time() + PATIENCE
        while not holds():
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), end - asyncio.get_running_loop().time())
            except TimeoutError:
                raise AssertionError(f"the page never showed {found!r}; it shows:\n{self.text()}") from None


@asynccontextmanager
async def page() -> AsyncIterator[Page]:
    """An empty page of a browser that ends with the block."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        env = {**os.environ, "HOME": folder}
        child = await asyncio.create_subprocess_exec(
            PROGRAM, *_FLAGS, f"--user-data-dir={folder}/profile", "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=env,
        )  # fmt: skip
        assert child.stderr is not None
        try:
            async with asyncio.timeout(PATIENCE):
                while b"DevTools listening on " not in (line := await child.stderr.readline()):
                    assert line, "chromium has ended"
            address = line.decode().split()[-1]
            async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
                made = Page(socket)
                listening = asyncio.create_task(made.listen())
                await made.attach()
                yield made
                listening.cancel()
        finally:
            child.terminate()
            await child.communicate()
