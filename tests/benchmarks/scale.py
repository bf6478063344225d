"""fleet at size: what it costs to read a large fleet, to keep it, and to leave it open. Writes `scale.md` beside it.

    python -m tests.benchmarks.scale [--applications N] [--spokes N] [--objects N] [--runs N] [--soak SECONDS]

A hub with 20,000 Applications of about 8 KB and 50 spokes with 100,000 other objects are served over TLS by one
process; `fleet` runs in a terminal of 160 by 48. The same with 100 Applications runs beside it: what the rest costs
is the difference of the two. CPU is that of the whole process, user and system. Ends with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.servers import Served, served
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(__file__).with_name("scale.md")
FEW = 100  # Applications of the fleet that is subtracted
RATE = 500  # changes a second; with twice as many a busy machine's server drops the watch, and the tail never fills
FILLING = 90.0  # seconds of them: 20,000 events and the keys of 40,000 are kept; only then does growth mean anything
PLURALS = {"policies": 2, "pods": 10, "deployments": 5, "services": 3}  # panes of spokes' objects, of each 20 objects


class Figure(NamedTuple):
    """One line of the table. `met` is None where there is no budget."""

    name: str
    value: str
    budget: str = ""
    met: bool | None = None


# --- what the benchmark looks at ----------------------------------------------------------------------------------


def resident(pid: int) -> float:
    """MiB of a process that are resident now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quiet(terminal: Terminal, seconds: float) -> None:
    """Take in what is painted for a while."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.pump(left)


def total(count: int) -> re.Pattern[str]:
    """What a pane's lower edge says when it shows `count` rows."""
    return re.compile(rf"─ {count:,} ─")


@contextmanager
def fleet(server: Served, code: str = "from tui.cli import main; main()", **env: str) -> Iterator[Terminal]:
    """fleet on these clusters, in a terminal and a state folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"FLEET_STATE": folder, "KUBECONFIG": server.kubeconfig, "PYTHONPATH": str(ROOT), **env}
        with Terminal([sys.executable, "-c", code], 160, 48, given, Path(folder)) as terminal:
            yield terminal


def loaded(terminal: Terminal, applications: int, clusters: int) -> float:
    """Wait until all Applications are on the screen and all clusters are read; returns the CPU seconds until then."""

    def stands(screen: str) -> bool:
        head = screen.partition("\n")[0]
        read = f"{clusters}/{clusters}" in head and "answered" not in head and "objects" not in head
        return read and total(applications).search(screen) is not None

    terminal.wait(stands, 180)
    return cpu(terminal.pid)


# --- the parts ----------------------------------------------------------------------------------------------------

READER = """
import asyncio, json, os, time
async def run():
    from tui.adapters.kube import KubeClusters
    from tui.domain.settings import Settings
    clusters = KubeClusters(Settings(), os.environ["KUBECONFIG"])
    hub = clusters.connect("hub")
    await hub.get("/version")
    query = {"watch": "true", "allowWatchBookmarks": "true", "sendInitialEvents": "true", "timeoutSeconds": "300"}
    query["resourceVersionMatch"] = "NotOlderThan"
    start, size = time.process_time(), 0
    async for chunk in hub.stream("/apis/argoproj.io/v1alpha1/applications", list(query.items())):
        size += len(chunk)
        if b"initial-events-end" in chunk[-1000:]:
            break
    print(json.dumps({"cpu": time.process_time() - start, "bytes": size}))
    await hub.close()
asyncio.run(run())
"""


def reading(server: Served) -> dict[str, float]:
    """CPU seconds to read the same stream by fleet's own client and to throw the bytes away; the bytes."""
    env = {**os.environ, "KUBECONFIG": server.kubeconfig, "PYTHONPATH": str(ROOT)}
    out = subprocess.run([sys.executable, "-c", READER], env=env, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(out.stdout)
    return found


def loading(many: Served, few: Served, applications: int, clusters: int, runs: int) -> list[Figure]:
    """CPU until all Applications are on the screen, against reading their bytes.

    The three alternate, and of each the least is taken: what else a machine does only adds to it.
    """
    readers, least, most, times = [], [], [], []
    for _ in range(runs):
        readers.append(reading(many))
        with fleet(few) as terminal:
            least.append(loaded(terminal, FEW, clusters))
        with fleet(many) as terminal:
            most.append(loaded(terminal, applications, clusters))
            times.append(time.perf_counter() - terminal.started)
    floor = min(found["cpu"] for found in readers)
    cost = min(most) - min(least)
    size = readers[0]["bytes"] / 2**20
    return [
        Figure(f"reading {applications:,} Applications ({size:.0f} MiB), CPU", f"{floor:.2f} s"),
        Figure("listed, indexed and on the screen, CPU", f"{cost:.2f} s"),
        Figure("the same, in units of reading the bytes", f"{cost / floor:.1f} ×", "≤ 5 ×", cost <= 5 * floor),
        Figure("from exec until all clusters are read, wall", f"{statistics.median(times):.1f} s"),
    ]


def visit(terminal: Terminal, spokes: int, objects: int) -> None:
    """Look into every pane, and wait until it shows all that there is."""
    wanted = {"clusters": spokes + 1, **{name: objects * part // 20 for name, part in PLURALS.items()}}
    for name in ("clusters", "events", "flows", "drafts", "nodes", *PLURALS, "applications"):
        terminal.press(":", *name, "enter")
        if wanted.get(name):
            terminal.wait(lambda screen, count=wanted[name]: total(count).search(screen), 180)
        quiet(terminal, 1.0)


TICKER = """
import asyncio, json, os, time
from tui.ui import app
begin, gaps = app.FleetApp._begin, []
async def tick():
    while True:
        at = time.perf_counter()
        await asyncio.sleep(0.005)
        gaps.append((time.perf_counter() - at - 0.005) * 1000)
        if len(gaps) % 100 == 0:
            with open(os.environ["GAPS"], "w") as out:
                json.dump(gaps, out)
def begun(self):
    self.ticking = asyncio.ensure_future(tick())
    begin(self)
app.FleetApp._begin = begun
from tui.cli import main
main()
"""


def stalls(many: Served, applications: int, clusters: int) -> list[Figure]:
    """How late a 5 ms ticker on the screen's loop comes while everything loads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gaps"
        with fleet(many, TICKER, GAPS=str(path)) as terminal:
            loaded(terminal, applications, clusters)
            quiet(terminal, 1.0)
        gaps = sorted(json.loads(path.read_text()))
    p99 = gaps[int(len(gaps) * 0.99)]
    return [
        Figure("event loop late while all of it loads, p99", f"{p99:.1f} ms", "≤ 16 ms", p99 <= 16),
        Figure("the same, at most", f"{gaps[-1]:.0f} ms"),
    ]


def watches(asked: dict[str, int]) -> dict[str, int]:
    """Watches of one server by path, of its requests."""
    found = {what.rpartition(" ")[2]: number for what, number in asked.items() if "watch " in what}
    return found


def requests(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]], spokes: int) -> list[Figure]:
    """What each server was asked: before any pane was opened beside the first, and after all were."""
    opened = [name for name in before if any(path.endswith("/pods") for path in watches(before[name]))]
    lists = [
        number
        for asked in after.values()
        for what, number in asked.items()
        if not what.startswith("watch ") and what.rpartition(" ")[2] in watches(asked) and not what.startswith("page ")
    ]
    most = max(lists)
    watched = [number for asked in after.values() for number in watches(asked).values()]
    sums = sorted(sum(asked.values()) for name, asked in after.items() if name != "hub")
    figures = [
        Figure("lists of each kind in each cluster, at most", f"{most}", "1", most <= 1),
        Figure("watches of each kind in each cluster, at most", f"{max(watched)}", "1", max(watched) <= 1),
        Figure("spokes asked for pods before the pane was opened", f"{len(opened)}", "0", not opened),
    ]
    if spokes:
        figures.append(Figure("requests to a spoke in all, all panes visited, median", f"{sums[len(sums) // 2]}"))
    return figures


def soak(terminal: Terminal, server: Served, seconds: float) -> list[Figure]:
    """Memory and CPU of a full fleet that changes all the time, and what its quiet clusters are asked meanwhile."""
    server.change(RATE, FILLING)
    quiet(terminal, FILLING + 5)
    before, made = server.requests(), server.changed()
    server.change(RATE, seconds)
    start, used, samples = time.monotonic(), cpu(terminal.pid), []
    while time.monotonic() - start < seconds:
        quiet(terminal, min(1.0, seconds / 60))
        samples.append(resident(terminal.pid))
    used = (cpu(terminal.pid) - used) / (time.monotonic() - start)
    after, made = server.requests(), server.changed() - made
    part = max(1, len(samples) // 6)
    growth = statistics.median(samples[-part:]) - statistics.median(samples[:part])
    spokes = [name for name in after if name != "hub"]
    figures = [
        Figure(
            f"growth in {seconds:.0f} s at {made / seconds:.0f} changes/s", f"{growth:+.1f} MiB", "≤ 2", growth <= 2
        ),
        Figure("CPU meanwhile, Applications on the screen", f"{used:.0%} of a core"),
    ]
    if spokes:
        asked = sum(sum(after[name].values()) - sum(before[name].values()) for name in spokes)
        held = sum(len(watches(after[name])) for name in spokes)
        rate = asked / held / seconds * 60
        figures.append(Figure("requests to a quiet spoke per watch and minute", f"{rate:.2f}", "< 1", rate < 1))
    return figures


# --- all of it ----------------------------------------------------------------------------------------------------


def measured(applications: int, spokes: int, objects: int, runs: int, seconds: float) -> list[Figure]:
    """Every figure, in the order of the table."""
    with ExitStack() as stack:
        few = stack.enter_context(served(FEW, spokes, objects))
        many = stack.enter_context(served(applications, spokes, objects))
        figures = loading(many, few, applications, spokes + 1, runs)
        figures += stalls(many, applications, spokes + 1)
    with ExitStack() as stack:  # servers nobody has asked anything yet
        few = stack.enter_context(served(FEW, spokes, objects))
        with fleet(few) as terminal:
            loaded(terminal, FEW, spokes + 1)
            visit(terminal, spokes, objects)
            empty = resident(terminal.pid)
        many = stack.enter_context(served(applications, spokes, objects))
        terminal = stack.enter_context(fleet(many))
        loaded(terminal, applications, spokes + 1)
        quiet(terminal, 2.0)
        before = many.requests()
        visit(terminal, spokes, objects)
        full = resident(terminal.pid)
        each = (full - empty) * 10_000 / (applications - FEW)
        figures += [
            Figure("resident per 10,000 Applications, all panes visited", f"{each:.1f} MiB", "≤ 20 MiB", each <= 20),
            Figure(f"resident in all, with {objects:,} other objects of {spokes} clusters", f"{full:.0f} MiB"),
        ]
        figures += requests(before, many.requests(), spokes)
        figures += soak(terminal, many, seconds)
    return figures


def table(figures: list[Figure]) -> str:
    """The figures as Markdown."""
    marks = {None: "", True: "✔", False: "✖"}
    lines = ["| | measured | budget | |", "|---|---:|---:|---|"]
    lines += [f"| {each.name} | {each.value} | {each.budget} | {marks[each.met]} |" for each in figures]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=20_000)
    parser.add_argument("--spokes", type=int, default=50)
    parser.add_argument("--objects", type=int, default=100_000, help="beside the Applications, over all spokes")
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--soak", type=float, default=60.0, metavar="SECONDS", help="3600 is the long form")
    given = parser.parse_args()
    start = time.monotonic()
    figures = measured(given.applications, given.spokes, given.objects, given.runs, given.soak)
    load = os.getloadavg()[0]
    head = (
        f"A hub with {given.applications:,} Applications, {given.spokes} spokes with {given.objects:,} other objects, "
        f"over TLS; {given.runs} runs. Load of the machine at the end: {load:.1f} on {os.cpu_count()} cores.\n"
    )
    text = f"{head}\n{table(figures)}"
    OUT.write_text(text, encoding="utf-8")
    print(f"{text}\n{time.monotonic() - start:.0f} s; written to {OUT.relative_to(ROOT)}")
    sys.exit(any(each.met is False for each in figures))


if __name__ == "__main__":
    main()
