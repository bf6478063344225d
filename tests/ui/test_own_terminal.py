"""A program of the user's that has the terminal: handed over, and taken back without damage."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.terminal import Terminal

ROOT = Path(__file__).parents[2]
SHOW = """
import sys
from tui.domain.settings import Settings
from tui.domain.usercommands import UserCommand
from tui.ui import run

def make():
    from tests.ui.still import StillFleet
    return StillFleet()

ask = "import sys; input('is this ' + sys.argv[1] + '?'); sys.exit(7)"
run(make, Settings(commands=(UserCommand("ask", (sys.executable, "-c", ask, "$NAME"), "ctrl-y", show="terminal"),)))
"""


def test_the_terminal_is_handed_over_and_taken_back() -> None:
    with Terminal([sys.executable, "-c", SHOW], 120, 36, {"PYTHONPATH": str(ROOT)}, cwd=ROOT) as terminal:
        terminal.wait(lambda screen: "catalogue-dev" in screen and "ctrl-y ask" in screen)
        terminal.press("ctrl+y")
        terminal.wait("is this catalogue-dev?")
        terminal.press("enter")
        terminal.wait("ended with 7; enter leads back to fleet")
        terminal.press("enter")
        terminal.wait(lambda screen: screen.startswith(" fleet   Clusters") and "leads back" not in screen)
        terminal.press(":", "q", "enter")
        assert terminal.wait_end() == 0


def test_a_manifest_is_read_in_the_pager_and_the_screen_is_whole_after_it(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    shows = "import sys; print('PAGER', sys.stdin.read()[:60]); open('/dev/tty').readline()"
    pager.write_text(f"#!{sys.executable}\n{shows}\n")
    pager.chmod(0o700)
    env = {"PYTHONPATH": str(ROOT), "PAGER": str(pager)}
    with Terminal([sys.executable, "-c", SHOW], 120, 36, env, cwd=ROOT) as terminal:
        terminal.wait(lambda screen: "catalogue-dev" in screen and "enter Open" in screen)
        terminal.press("y")
        before = terminal.wait(lambda screen: "apiVersion" in screen and "Search" in screen)
        terminal.press("|")
        terminal.wait("PAGER apiVersion")
        terminal.press("enter")
        terminal.wait(lambda screen: screen.splitlines()[2:] == before.splitlines()[2:])
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
