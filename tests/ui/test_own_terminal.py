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
