"""`fleet serve` in a headless Chromium: who has the address sees the fleet, live, and can change nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import chromium
from tests.e2e.bad import FLEET, environment, kubeconfig
from tests.support import serving, thing

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """`fleet serve` on one small cluster: the address it prints, and its process."""
    async with serving([thing("Namespace", "kube-system"), thing("Node", "n1")]) as server:
        env = environment(folder, kubeconfig(folder / "config", {"c1": {"server": server.url}}))
        child = await asyncio.create_subprocess_exec(
            *FLEET, "serve", env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        try:
            await child.stdout.readline()
            yield (await child.stdout.readline()).decode().strip(), child
        finally:
            if child.returncode is None:
                child.terminate()
            await child.communicate()


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until_gone(pids: list[int]) -> None:
    async with asyncio.timeout(30):
        while any(map(runs, pids)):
            await asyncio.sleep(0.02)


@pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no chromium here")
async def test_a_browser_shows_the_fleet_and_changes_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (url, child), chromium.page() as page:
        await page.go(url)
        await page.wait("1/1")
        assert await page.ask("location.search") == "" and await page.ask("document.cookie") == ""
        await page.wait("read-only")
        assert "Draft edit" not in page.text()
        await page.type(":nodes\r")
        await page.wait("n1")
        await page.type("e")
        await page.wait("nothing is edited, drafted, pushed or saved here")
        assert {request.partition("/?")[0].split("/")[2] for request in page.requests} <= {url.split("/")[2], ""}
        assert page.complaints == []
        screens = children(child.pid)
        assert len(screens) == 1
        await page.go("about:blank")
        await until_gone(screens)


async def test_a_screen_ends_when_its_server_is_killed(tmp_path: Path) -> None:
    import aiohttp

    async with served(tmp_path) as (url, child):
        address, origin = url.partition("?")[0], url.partition("/?")[0]
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            assert (await session.get(url)).status == 200
            socket = await session.ws_connect(f"{address}ws?width=80&height=24", origin=origin)
            while b"Applications" not in (await socket.receive()).data:
                pass
            screens = children(child.pid)
            assert len(screens) == 1 and all(map(runs, screens))
            child.send_signal(signal.SIGKILL)
            await until_gone(screens)
