"""Memory of a running fleet per 10,000 Applications, with what the manifest view needs.

    python -m tests.benchmarks.memory [--applications N]

The fleet runs in a process of its own without a screen. Budget: 20 MiB per 10,000.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.applications import served

CHILD = "from tests.benchmarks.memory import measured; measured()"


def resident() -> float:
    """MiB of this process that are resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured() -> None:
    """In the child: read the cluster, print MiB before and after as JSON."""

    async def run() -> None:
        from tui.cli.options import Options
        from tui.cli.wire import assemble, settings_of

        with tempfile.TemporaryDirectory() as folder:
            options = Options(kubeconfig=os.environ["KUBECONFIG"], state=Path(folder))
            fleet = assemble(options, settings_of(options), drafts=False)
            fleet.start()
            before = resident()
            cpu = time.process_time()
            fleet.look("bench", ["applications.argoproj.io"])
            await fleet.settled(lambda: fleet.store.count("applications.argoproj.io") > 0)
            cpu = time.process_time() - cpu
            gc.collect()
            rows = list(fleet.store.rows("applications.argoproj.io"))
            assert all(row.manifest()["metadata"]["name"] == row.ref.name for row in rows[:: len(rows) // 50])
            print(json.dumps({"rows": len(rows), "before": before, "after": resident(), "cpu": cpu}))
            await fleet.stop()

    asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=10_000)
    count = parser.parse_args().applications
    few, many = read(100), read(count)
    grown = (many["after"] - few["after"]) * 10_000 / (many["rows"] - few["rows"])
    print(f"{many['rows']:,} Applications, {many['bytes'] / 2**20:.0f} MiB as JSON, CPU {many['cpu']:.2f} s")
    print(f"resident: {many['before']:.0f} MiB at start, {few['after']:.0f} with 100, {many['after']:.0f} with all")
    print(f"{grown:.1f} MiB per 10,000 Applications   budget: ≤ 20")
    sys.exit(grown > 20)


def read(count: int) -> dict[str, Any]:
    """What a child that reads `count` Applications printed."""
    with served(count) as server:
        env = {**os.environ, "KUBECONFIG": server["kubeconfig"]}
        out = subprocess.run([sys.executable, "-c", CHILD], env=env, check=True, capture_output=True, text=True)
    return {**json.loads(out.stdout), "bytes": server["bytes"]}


if __name__ == "__main__":
    main()
