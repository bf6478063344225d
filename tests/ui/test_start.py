"""The first moments in a real terminal: a frame at once, and never a blank after it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
SHOW = """
from tui.domain.settings import Settings
from tui.ui import run

def make():
    from tests.ui.still import StillFleet
    return StillFleet()

run(make, Settings())
"""
WAITS = """
import sys, time
from pathlib import Path
from tui.domain.settings import Settings
from tui.ui import run

def make():
    from tests.ui.still import StillFleet
    while not Path(sys.argv[1]).exists():
        time.sleep(0.01)
    return StillFleet()

run(make, Settings())
"""
BREAKS = """
from tui.domain.settings import Settings
from tui.ui import run

def make():
    raise ValueError("no fleet today")

run(make, Settings())
"""


def test_the_first_frame_stays_until_the_rows_are_there() -> None:
    with Terminal([sys.executable, "-c", SHOW], 120, 36, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait(lambda _: terminal.screen.buffer[35][119].bg == "161c24")  # its last cell: a tty reads in parts
        while "catalogue-dev" not in terminal.text():
            lines = terminal.text().splitlines()
            assert lines[0].startswith(" fleet   Clusters  Applications"), lines[0]
            assert lines[1].startswith("╭─ Clusters ─"), lines[1]
            assert terminal.screen.buffer[5][60].bg == "0f1318"
            assert terminal.pump(20), terminal.text()
        terminal.press(":", "q", "enter")
        assert terminal.wait_end() == 0


def test_keys_typed_while_it_starts_are_not_lost() -> None:
    with Terminal([sys.executable, "-c", SHOW], 120, 36, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait("connecting…")
        terminal.press(*"/payments", "enter")  # a terminal that is not yet told makes ctrl-j of enter
        terminal.wait(lambda screen: "payments-prod-eu" in screen and "2 of 12" in screen and "enter Open" in screen)
        terminal.press("ctrl+c")
        assert terminal.wait_end() == 0


def test_keys_are_answered_before_the_panes_are_there(tmp_path: Path) -> None:
    go = tmp_path / "go"
    argv = [sys.executable, "-c", WAITS, str(go)]
    with Terminal(argv, 120, 36, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait("connecting…")
        terminal.press("/", "p", "a", "y", "m", "left")
        terminal.wait(lambda screen: screen.splitlines()[-1] == " /paym<←>")
        assert "╭─ Applications ─" in terminal.text()
        go.touch()
        terminal.wait(lambda screen: " /paym" in screen and "2 of 12" in screen and "<left>" not in screen)
        terminal.press("x", "backspace", "e", "ctrl+c")
        assert terminal.wait_end() == 0


def test_one_may_leave_before_the_panes_are_there(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", WAITS, str(tmp_path / "never")]
    with Terminal(argv, 120, 36, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait("connecting…")
        terminal.press("x")
        terminal.wait(lambda screen: screen.splitlines()[-1] == " x")
        terminal.press("ctrl+c")
        assert terminal.wait_end() == 0
        assert "Traceback" not in terminal.text()


def test_what_fails_at_the_start_is_seen_on_the_own_screen() -> None:
    with Terminal([sys.executable, "-c", BREAKS], 120, 36, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        assert terminal.wait_end() == 1
        assert "no fleet today" in terminal.text()
        assert b"\x1b[?1049l" in terminal.raw
