"""The event ring on disk: nothing acknowledged is lost, nothing torn is shown, never more than its bound."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tui.adapters import ring as ring_module
from tui.adapters.ring import EventRing
from tui.domain.obj import Ref
from tui.domain.tail import TailEvent


def event(number: int, time: float | None = None) -> TailEvent:
    at = float(number) if time is None else time
    return TailEvent(at, "hub", "argocd/shop", "Synced", f"[bold]{number}\x1b[0m", key=f"k{number}")


def kept(folder: Path, since: float = 0.0, most: int = 1000) -> list[TailEvent]:
    return EventRing(folder).read(since, most)


def test_events_come_back_as_they_were(tmp_path: Path) -> None:
    full = TailEvent(1.5, "c", "a", "r", "m", "abc", "ann", ref=Ref("c", "pods", "n", "p"), key="x")
    ring = EventRing(tmp_path)
    ring.append([full, event(2)])
    ring.close()
    assert kept(tmp_path) == [full, event(2)]


def test_reading_is_bounded_by_time_and_number_and_free_of_repeats(tmp_path: Path) -> None:
    ring = EventRing(tmp_path)
    ring.append([event(number) for number in (5, 1, 3, 2, 4, 3)])
    ring.close()
    assert [item.time for item in kept(tmp_path)] == [1, 2, 3, 4, 5]
    assert [item.time for item in kept(tmp_path, since=3)] == [3, 4, 5]
    assert [item.time for item in kept(tmp_path, most=2)] == [4, 5]


def test_two_fleets_write_segments_of_their_own_and_a_later_one_continues(tmp_path: Path) -> None:
    first, second = EventRing(tmp_path), EventRing(tmp_path)
    first.append([event(1)])
    second.append([event(2)])
    first.close()
    second.close()
    third = EventRing(tmp_path)
    third.append([event(3)])
    third.close()
    assert [item.time for item in kept(tmp_path)] == [1, 2, 3]
    assert len(list(tmp_path.iterdir())) <= 2


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    ring = EventRing(tmp_path)
    ring.append([event(1)])
    ring.close()
    segment = next(tmp_path.iterdir())
    with segment.open("ab") as file:
        file.write(b'{"time": 7, "clus')
    again = EventRing(tmp_path)
    again.append([event(2)])
    again.close()
    assert [item.time for item in kept(tmp_path)] == [1, 2]


def test_the_ring_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "SEGMENT_BYTES", 400)
    ring = EventRing(tmp_path)
    for number in range(200):
        ring.append([event(number)])
    ring.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) <= ring_module.SEGMENTS
    assert sum(sizes) <= ring_module.SEGMENTS * 800
    assert kept(tmp_path)[-1].time == 199


def test_segments_older_than_the_days_kept_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "SEGMENT_BYTES", 10)
    ring = EventRing(tmp_path, days=1)
    ring.append([event(1)])
    ring.close()
    os.utime(next(tmp_path.iterdir()), (0, 0))
    ring = EventRing(tmp_path, days=1)
    ring.append([event(2)])
    ring.close()
    assert [item.time for item in kept(tmp_path)] == [2]


WRITER = """
import sys
from pathlib import Path
from tui.adapters.ring import EventRing
from tui.domain.tail import TailEvent
ring = EventRing(Path(sys.argv[1]))
number = 0
while True:
    ring.append([TailEvent(float(number), "c", "a", "r", "x" * 300, key=str(number))])
    number += 1
    if number % 50 == 0:
        ring.close()
        print(number, flush=True)
"""


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(4)][-1]
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    times = [item.time for item in kept(tmp_path, most=100_000)]
    assert times[:acknowledged] == [float(number) for number in range(acknowledged)]
    again = EventRing(tmp_path)
    again.append([event(10_000_000)])
    again.close()
    assert kept(tmp_path)[-1].time == 10_000_000


FULL = """
import sys
from pathlib import Path
from tui.adapters.ring import EventRing
from tui.domain.tail import TailEvent
ring = EventRing(Path(sys.argv[1]))
for number in range(200):
    ring.append([TailEvent(float(number), "c", "a", "r", "x" * 300, key=str(number))])
ring.close()
print(ring.problem)
"""


def test_a_full_disk_is_said_and_harms_nothing_kept(tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], preexec_fn=limit, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() != ""
    assert [item.time for item in kept(tmp_path)][:10] == [float(number) for number in range(10)]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ring = EventRing(tmp_path / "file" / "events")
    ring.append([event(1)])
    ring.close()
    assert "Not a directory" in ring.problem
