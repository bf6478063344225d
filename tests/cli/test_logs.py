"""`fleet logs`: whose, in which order, to a pipe and a terminal, while they grow, and what cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.conftest import Commands
from tests.support import thing
from tui.cli.logs import logs
from tui.demo.apiserver.access import Deny

NOW = 1_700_000_000.0


def deployment(name: str) -> dict[str, Any]:
    spec = {"selector": {"matchLabels": {"app": name}}, "template": {"spec": {"containers": [{"name": "app"}]}}}
    return thing("Deployment", name, "shop", "apps/v1", spec=spec)


@pytest.fixture
def shop(calm: Commands) -> Commands:
    """Two pods of `web` on each cluster, which have said something at odd and at even seconds."""
    for server in calm.servers:
        for number, name in ((1, "web-1"), (2, "web-2")):
            status = {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"running": {}}}]}
            pod = thing(
                "Pod", name, "shop", labels={"app": "web"}, spec={"containers": [{"name": "app"}]}, status=status
            )
            pod["metadata"]["uid"] = f"{server.name}-{number}"
            server.storage.apply(pod)

        def said(namespace: str, name: str, container: str, cluster: str = server.name) -> Iterator[tuple[float, str]]:
            for number in range(3):
                yield NOW + 2 * number + (name == "web-2") + 0.5 * (cluster == "hub"), f"\x1b[31m{name}\x1b[2J {number}"

        server.logs = said
        server.storage.apply(deployment("web"))
    return calm


async def test_of_a_workload_of_many_clusters_by_time(shop: Commands) -> None:
    ran = await shop("logs", "deploy/web", "--tail", "1", "--timestamps")
    assert ran.code == 0 and ran.err == ""
    assert ran.out.splitlines() == [
        f"{cluster}/web-{pod} 2023-11-14T22:13:2{second}00000000Z \x1b[31mweb-{pod}\x1b[2J 2"
        for second, cluster, pod in (("4.0", "prod-1", 1), ("4.5", "hub", 1), ("5.0", "prod-1", 2), ("5.5", "hub", 2))
    ]
    ran = await shop("logs", "-l", "app=web", "-n", "shop", "--cluster", "hub", "--since", "2023-11-14T22:13:25Z")
    assert ran.out == "web-2 \x1b[31mweb-2\x1b[2J 2\n"


async def test_what_grows_is_followed(shop: Commands) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()

    async def source(namespace: str, name: str, container: str) -> AsyncIterator[str]:
        yield "began"
        while True:
            yield await said.get()

    shop.servers[1].logs = source
    child = await shop.start("logs", "-f", "web-1", "--cluster", "prod-1")
    assert child.stdout is not None
    try:
        assert await asyncio.wait_for(child.stdout.readline(), 60) == b"began\n"
        said.put_nowait("\xff and more")
        assert await asyncio.wait_for(child.stdout.readline(), 60) == "\xff and more\n".encode()
    finally:
        child.terminate()
        await child.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "whose logs?"),
        (["deploy/web", "-l", "app=web"], "exclude each other"),
        (["nodes/a"], "nodes has no logs: pod, deploy"),
        (["deploy/"], "a name is missing"),
        (["-l", "a in"], "not a label selector"),
        (["web-0", "-f", "-p"], "-f and -p exclude each other"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], words: str) -> None:
    ran = CliRunner().invoke(logs, arguments)
    assert ran.exit_code == 2 and words in ran.output


async def test_one_pod_is_printed_without_a_name_and_what_is_not_found_is_said(shop: Commands) -> None:
    ran = await shop("logs", "web-1", "deploy/none", "--cluster", "hub")
    assert ran.out == "".join(f"\x1b[31mweb-1\x1b[2J {number}\n" for number in range(3))
    assert (ran.code, ran.err) == (3, "fleet: no Deployment is called none\n")


async def test_pods_may_be_listed_and_their_logs_not_read(shop: Commands) -> None:
    shop.servers[1].access.deny.append(Deny("pods", ("get",)))
    ran = await shop("logs", "deploy/web", "--tail", "1")
    assert ran.code == 3 and len(ran.out.splitlines()) == 2
    assert "web-1/app: pods may be seen, but not their logs (pods/log): " in ran.err
