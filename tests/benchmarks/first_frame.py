"""Time to the first painted frame: `fleet` against a minimal Textual app, alternating in one run.

    python -m tests.benchmarks.first_frame [--runs N]

`first` is the time from exec to the first text in the terminal, `ready` until the app answers to keys. The budget is
first ≤ 1.3 × the minimal app's first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.terminal import Terminal

MINIMAL = """
from textual.app import App, ComposeResult
from textual.widgets import Static
class Minimal(App):
    def compose(self) -> ComposeResult:
        yield Static("minimal: ready")
Minimal().run()
"""


def first_and_ready(argv: list[str], ready: str, env: dict[str, str]) -> tuple[float, float]:
    """Milliseconds from exec to the first visible text, and to the text `ready`."""
    with Terminal(argv, 160, 48, env) as terminal:
        terminal.wait(lambda screen: screen.strip(), 60)
        first = time.perf_counter()
        terminal.wait(ready, 60)
        done = time.perf_counter()
        return (first - terminal.started) * 1000, (done - terminal.started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "kubeconfig"
        empty.write_text("apiVersion: v1\nkind: Config\n")
        env = {"FLEET_STATE": folder, "KUBECONFIG": str(empty)}
        fleet, minimal = [], []
        for number in range(runs + 1):
            mine = first_and_ready([sys.executable, "-m", "tui"], "no clusters", env)
            other = first_and_ready([sys.executable, "-c", MINIMAL], "minimal: ready", {})
            if number:  # the first pair writes the bytecode cache
                fleet.append(mine)
                minimal.append(other)
    print(f"{'':12} {'first ms':>9} {'ready ms':>9}   (median of {runs})")
    for name, found in (("fleet", fleet), ("minimal app", minimal)):
        print(f"{name:12} {median(found, 0):9.0f} {median(found, 1):9.0f}")
    ratios = [median(fleet, part) / median(minimal, part) for part in (0, 1)]
    print(f"{'ratio':12} {ratios[0]:9.2f} {ratios[1]:9.2f}   budget: first ≤ 1.30")
    sys.exit(ratios[0] > 1.3)


def median(found: list[tuple[float, float]], part: int) -> float:
    """The median of one part of the pairs."""
    return statistics.median(pair[part] for pair in found)


if __name__ == "__main__":
    main()
