"""A kubeconfig of which nearly nothing answers, in a real terminal: rows, keys, and what the pulse says of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.fleet.watching import config
from tests.support import serving
from tests.terminal import Terminal
from tests.weather.conditions import SYSTEM, pods

ROOT = Path(__file__).parents[2]
DEAD = 120  # a third refuses connections, the others never answer


@pytest.mark.e2e
async def test_what_answers_is_seen_and_the_pulse_says_what_is_not(tmp_path: Path) -> None:
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    hole = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    dead = {f"dead-{number:03}": hole if number % 3 else "http://127.0.0.1:9" for number in range(DEAD)}
    async with serving([*SYSTEM, *pods("web-0")], "good") as good:
        kubeconfig = config(tmp_path / "config", {**dead, "good": good.url})
        await asyncio.to_thread(_look, kubeconfig, tmp_path)
    silent.close()


def _look(kubeconfig: str, state: Path) -> None:
    argv = [sys.executable, "-m", "tui", "--kubeconfig", kubeconfig]
    with Terminal(argv, 120, 36, {"FLEET_STATE": str(state / "state"), "PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait("connecting…")
        terminal.press(*":pods", "enter")  # typed before there is anything to type into
        terminal.wait(lambda screen: "web-0" in screen and "Running" in screen)
        terminal.press(*":pulse", "enter")
        terminal.wait(lambda screen: "fleet sees 1 of 121 clusters" in screen and "connection refused" in screen)
        terminal.press(":", "q", "enter")
        assert terminal.wait_end() == 0
