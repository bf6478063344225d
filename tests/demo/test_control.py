"""Bad weather for a demo that runs, by its socket and by `fleet demo fault`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import serving, thing
from tui.demo.apiserver.server import ApiServer
from tui.demo.apiserver.weather import WEATHER
from tui.demo.control import controlled, place

ROOT = Path(__file__).parents[2]
OBJECTS = [thing("Namespace", "shop"), thing("Pod", "web", "shop")]


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[dict[str, ApiServer]]:
    """Three servers that take commands from the folder."""
    async with AsyncExitStack() as stack:
        names = ("hub", "prod-eu", "prod-us")
        servers = {name: await stack.enter_async_context(serving(OBJECTS, name)) for name in names}
        await stack.enter_async_context(controlled(servers, folder))
        yield servers


async def ask(folder: Path, line: bytes) -> dict[str, Any]:
    """What the demo in this folder answers to a line."""
    reader, writer = await asyncio.open_unix_connection(place(folder))
    writer.write(line + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    return answer


async def command(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """`fleet demo fault` in a process of its own, whose temporary folder is the one above the demo's."""
    env = {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder.parent), "HOME": str(folder.parent), "LC_ALL": "C.UTF-8"}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", "demo", "fault", *arguments,
        env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await child.communicate()
    assert child.returncode is not None
    return child.returncode, out.decode(), err.decode()


async def status(server: ApiServer) -> int:
    """Of a list of pods; 0 when there is no answer."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{server.url}/api/v1/pods?limit=5") as response,
        ):
            await response.read()
            return response.status
    except aiohttp.ClientError:
        return 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fleet-demo-1"
    made.mkdir(mode=0o700)
    return made


async def test_faults_come_and_go_by_command(folder: Path) -> None:
    async with demo(folder) as servers:
        assert oct(place(folder).parent.stat().st_mode & 0o777) == "0o700"
        code, out, err = await command(folder, "502", "prod-*", "--for", "3600")
        assert (code, err) == (0, "") and "502 on prod-eu, prod-us for 3600 s: a load balancer" in out
        assert [await status(server) for server in servers.values()] == [200, 502, 502]
        code, out, _ = await command(folder, "refused", "prod-us")
        assert "now: 502 on prod-eu\nnow: refused on prod-us\n" in out
        assert [await status(server) for server in servers.values()] == [200, 502, 0], "one at a time on each"
        code, out, _ = await command(folder)
        assert code == 0 and all(f"\n{name} " in f"\n{out}" for name in WEATHER)
        code, out, _ = await command(folder, "clear")
        assert code == 0 and "fair weather everywhere" in out
        assert [await status(server) for server in servers.values()] == [200, 200, 200]
    assert not place(folder).exists()


async def test_an_end_that_was_asked_for_comes_by_itself(folder: Path) -> None:
    async with demo(folder) as servers:
        said = await ask(folder, b'{"fault": "500", "clusters": ["hub"], "seconds": 0.05}')
        assert said == {"weather": {"hub": "500"}, "met": ["hub"]}
        async with asyncio.timeout(60):
            while (await ask(folder, b'{"fault": "", "clusters": []}'))["weather"]:
                await asyncio.sleep(0)
        assert await status(servers["hub"]) == 200
        said = await ask(folder, b'{"fault": "restart", "clusters": ["*"]}')
        assert said == {"weather": {}, "met": ["hub", "prod-eu", "prod-us"]}, "over as soon as it has begun"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rain", "hub"), 2, "there is no weather called 'rain'; `fleet demo fault` lists them"),
        (("502",), 2, "which cluster? Name its context, or '*' for all: fleet demo fault 502 '*'"),
        (("502", "staging"), 1, "has no cluster that answers and is called 'staging'"),
        (("502", "hub", "--for", "0"), 2, "0.0 is not in the range"),
        (("502", "hub", "--state", "/nowhere"), 3, "no demo of yours is running in /nowhere"),
    ],
)
async def test_what_cannot_be_is_said(folder: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    async with demo(folder) as servers:
        said = await command(folder, *arguments)
        assert (said[0], words in " ".join(said[2].split())) == (code, True), said
        assert await status(servers["hub"]) == 200


async def test_a_folder_that_others_may_enter_is_not_believed(folder: Path) -> None:
    folder.chmod(0o755)
    async with demo(folder):
        code, _, err = await command(folder, "502", "hub")
        assert code == 3 and "no demo of yours is running" in err


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{", b'{"fault": "502"}', b'{"fault": "502", "clusters": ["hub"], "seconds": -1}', b"\xff" * 100_000],
)
async def test_nonsense_is_refused(folder: Path, line: bytes) -> None:
    async with demo(folder) as servers:
        assert "error" in await ask(folder, line)
        assert await status(servers["hub"]) == 200


@pytest.mark.parametrize("name", WEATHER)
async def test_every_weather_begins_and_ends(folder: Path, name: str) -> None:
    async with demo(folder) as servers:
        asked = json.dumps({"fault": name, "clusters": ["hub"]}).encode()
        assert (await ask(folder, asked))["met"] == ["hub"]
        await ask(folder, b'{"fault": "clear", "clusters": ["*"]}')
        assert await status(servers["hub"]) == 200
