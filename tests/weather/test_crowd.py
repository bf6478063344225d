"""Many clusters that hang, and one behind them all that answers: its rows do not wait for the others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fleet.watching import QUICK, config, watching
from tests.support import serving
from tests.weather.conditions import SYSTEM, pods
from tui.domain.cluster import ClusterState
from tui.domain.settings import Settings

PATIENT = replace(QUICK, probes=4, bootstraps=2, place=0.01, list_quiet=600.0, pulse=600.0)
MANY = 40  # ten times the places


async def test_black_holes_do_not_hold_back_the_one_that_answers(tmp_path: Path) -> None:
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    hole = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    holes = {f"hole-{number}": hole for number in range(MANY)}
    async with serving([*SYSTEM, *pods("web")], "good") as good:
        kubeconfig = config(tmp_path / "config", {**holes, "good": good.url})
        async with watching(kubeconfig, timing=PATIENT, settings=Settings(request_timeout=600.0)) as here:
            await here.until(lambda: here.names("pods", "good") == ["web"])
            states = {here.cluster(name).state for name in holes}
            assert states == {ClusterState.CONNECTING}  # none of them has been given up to make room
    silent.close()


@pytest.mark.parametrize("fault", ["hang", "trickle"])
async def test_clusters_that_answer_and_then_list_nothing_do_not_hold_back_the_one_that_does(
    fault: str, tmp_path: Path
) -> None:
    async with (
        serving([*SYSTEM, *pods("web")], "bad") as bad,
        serving([*SYSTEM, *pods("web")], "good") as good,
    ):
        if fault == "hang":
            bad.faults.hang("/pods")
        else:
            bad.faults.trickle(20.0, "/pods")
        # one server under many names would be one cluster: it does not say which it is
        bad.storage.delete("namespaces", "", "kube-system")
        names = [f"slow-{number}" for number in range(MANY // 4)]
        kubeconfig = config(tmp_path / "config", {**dict.fromkeys(names, bad.url), "good": good.url})
        async with watching(kubeconfig, timing=PATIENT, settings=Settings(request_timeout=600.0)) as here:
            await here.until(lambda: here.names("pods", "good") == ["web"])
            assert not any(here.live("pods", name) for name in names)
