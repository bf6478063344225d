"""Time to the first text and to the first answered key: `fleet` against a bare Python and a minimal Textual app.

    python -m tests.benchmarks.first_frame [--runs N]

The three alternate in one run, and ratios are the median of those within one round, because the machine's own speed
comes and goes. `first` is the time from exec to the first text in the terminal. `key` is the time until a key is
answered that is typed when the first text stands: `:` in fleet, which shows it while panes and fleet are still being
imported, and an `on_key` that updates a `Static` in the minimal app. `panes` is the time until fleet's own panes stand.
The budget: first ≤ 3 × a bare Python's, key ≤ 1.15 × the minimal app's.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.terminal import Terminal

FIRST, KEY = 3.0, 1.15  # the budget
BARE = "print('bare: ready', flush=True); input()"
MINIMAL = """
from textual.app import App, ComposeResult
from textual.widgets import Static
class Minimal(App):
    def compose(self) -> ComposeResult:
        yield Static("minimal: ready")
    def on_key(self) -> None:
        self.query_one(Static).update("minimal: answered")
Minimal().run()
"""
Shown = Callable[[str], object]


def times(argv: list[str], env: dict[str, str], key: str, *shown: Shown) -> list[float]:
    """Milliseconds from exec to the first visible text, and to each of `shown` after a key typed then."""
    with Terminal([sys.executable, *argv], 160, 48, env) as terminal:
        terminal.wait(lambda screen: screen.strip(), 60)
        found = [time.perf_counter()]
        terminal.press(key)
        for each in shown:
            terminal.wait(each, 60)
            found.append(time.perf_counter())
        return [(at - terminal.started) * 1000 for at in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    bare, minimal, fleet = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "kubeconfig"
        empty.write_text("apiVersion: v1\nkind: Config\n")
        env = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        own = env | {"FLEET_STATE": folder, "KUBECONFIG": str(empty)}
        for number in range(runs + 1):
            of_bare = times(["-c", BARE], env, "enter")
            of_minimal = times(["-c", MINIMAL], env, "x", lambda screen: "minimal: answered" in screen)
            of_fleet = times(["-m", "tui"], own, ":", typed, lambda screen: "no clusters" in screen)
            if number:  # the first round writes the bytecode
                bare.append(of_bare)
                minimal.append(of_minimal)
                fleet.append(of_fleet)
    print(f"{'':14}{'first ms':>9}{'key ms':>9}{'panes ms':>9}   (median of {runs})")
    for name, found in (("bare Python", bare), ("minimal app", minimal), ("fleet", fleet)):
        print(f"{name:14}" + "".join(f"{statistics.median(column):9.0f}" for column in zip(*found, strict=True)))
    first = statistics.median(mine[0] / other[0] for mine, other in zip(fleet, bare, strict=True))
    key = statistics.median(mine[1] / other[1] for mine, other in zip(fleet, minimal, strict=True))
    print(f"first text     {first:6.2f} × bare Python    budget ≤ {FIRST}")
    print(f"first key      {key:6.2f} × minimal app    budget ≤ {KEY}")
    sys.exit(first > FIRST or key > KEY)


def typed(screen: str) -> bool:
    """Whether the key stands in the last line."""
    return screen.splitlines()[-1].startswith(" :")


if __name__ == "__main__":
    main()
