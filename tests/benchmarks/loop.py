"""How a program's event loop does while it is measured from outside: how late it is, and what processor time it takes.

`watch()` runs in the measured program; when that is ended by SIGTERM, it writes what it saw to the file that
`FLEET_BENCHMARK_LOOP` names, and `read` takes it from there.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from array import array
from pathlib import Path
from typing import NamedTuple

BEAT = 0.005  # seconds between two beats of the heart
VARIABLE = "FLEET_BENCHMARK_LOOP"
BUDGETS = {"stall": 10.0, "CPU %": 60.0}  # ms of lateness, p99; share of one core


class Seen(NamedTuple):
    """p50, p99 and longest lateness in ms, share of one core in percent, seconds watched."""

    p50: float
    p99: float
    longest: float
    cpu: float
    seconds: float


def watch() -> None:
    """From now on, note how late the loop runs what is due. Call it on the loop."""
    loop = asyncio.get_running_loop()
    late = array("d")
    began, cpu = time.perf_counter(), time.process_time()

    def beat(due: float) -> None:
        now = loop.time()
        late.append(max(0.0, now - due) * 1000)
        loop.call_at(now + BEAT, beat, now + BEAT)

    def end() -> None:
        seconds = time.perf_counter() - began
        share = (time.process_time() - cpu) / seconds * 100
        ordered = sorted(late)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        seen = Seen(ordered[len(ordered) // 2], p99, ordered[-1], share, seconds)
        Path(os.environ[VARIABLE]).write_text(json.dumps(seen))
        sys.stdout.flush()
        os._exit(0)

    if os.environ.get(VARIABLE):
        beat(loop.time())
        loop.add_signal_handler(signal.SIGTERM, end)


def read(path: Path) -> Seen | None:
    """What a program that has ended saw; None when it did not say."""
    return Seen(*json.loads(path.read_text())) if path.exists() else None
