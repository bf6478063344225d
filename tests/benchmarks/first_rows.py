"""From a cluster's first answer to its rows on the main loop, alone and behind many clusters that are not there.

    python -m tests.benchmarks.first_rows [--runs N] [--dead N]

A third of the dead clusters refuse connections, two thirds accept them and never answer; they stand before the living
one in the kubeconfig. `asked` is the time from the start until the living cluster is first asked, `rows` from then
until its rows have been delivered. The budget: rows within 0.3 s, whatever the others do.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.fleet.watching import PODS, config, watching
from tests.support import serving
from tests.weather.conditions import SYSTEM, pods
from tui.domain.settings import Settings
from tui.fleet.sync import Timing

BUDGET = 0.3  # seconds


async def once(folder: Path, dead: int) -> tuple[float, float]:
    """(seconds until the living cluster is asked, seconds from then until its rows are there)."""
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    hole = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    others = {f"dead-{number:03}": hole if number % 3 else "http://127.0.0.1:9" for number in range(dead)}
    async with serving([*SYSTEM, *pods(*(f"web-{number}" for number in range(100)))], "good") as good:
        kubeconfig = config(folder / "config", {**others, "good": good.url})
        start = time.perf_counter()
        asked = 0.0
        async with watching(kubeconfig, (PODS,), Timing(), Settings()) as here:
            while len(here.names("pods", "good")) < 100:
                await asyncio.sleep(0.002)
                asked = asked or (time.perf_counter() if good.requests else 0.0)
            rows = time.perf_counter()
    silent.close()
    return asked - start, rows - asked


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--dead", type=int, default=470)
    given = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {0: [], given.dead: []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.runs + 1):
            for dead, times in found.items():
                measured = await once(Path(folder), dead)
                if number:  # the first round imports
                    times.append(measured)
    print(f"{'dead clusters':14}{'asked s':>9}{'rows s':>9}   (median of {given.runs})")
    for dead, times in found.items():
        print(f"{dead:<14}" + "".join(f"{statistics.median(column):9.2f}" for column in zip(*times, strict=True)))
    rows = statistics.median(row for _, row in found[given.dead])
    print(f"rows           {rows:6.2f} s    budget ≤ {BUDGET} s")
    sys.exit(rows > BUDGET)


if __name__ == "__main__":
    asyncio.run(main())
