"""Bytes sent to the terminal: for each key, and for each minute that nobody presses one. What SSH has to carry.

    python -m tests.benchmarks.bytes [--seconds 60] [--rate 50] [--sizes 80x24,160x48]

The demo fleet in a pseudo-terminal: once where nothing happens, once with `--rate` changes of objects a second. A key's
bytes are all that is sent until nothing has come for a while. `most` is what budgets are for: 14,600 bytes are what a
TCP connection may send before it waits for an answer, so a key below that costs one round trip however slow the link.
Ends with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time

from tests.demos import Demo, served
from tests.terminal import Terminal

QUIET = 0.4  # seconds without a byte: a key has done what it does
FLIGHT = 10 * 1460  # bytes: the initial congestion window (RFC 6928)
KEYS: dict[str, tuple[tuple[str, ...], int]] = {  # what is pressed, and the bytes that each may send
    "cursor": (("j", "j", "j", "k", "k", "down", "up", "j", "k"), 2_000),
    "page": (("pagedown", "pageup", "G", "g"), FLIGHT),
    "panel": (("tab", "tab", "tab"), FLIGHT),
    "filter": (("/", *"pay", "backspace", "backspace", "backspace", "escape"), FLIGHT),
    "command": ((":", *"polic", "escape"), FLIGHT),
    "pane": (("E", "[", "]", "["), 2 * FLIGHT),
    "detail": (("enter", "tab", "tab", "escape"), 2 * FLIGHT),
    "help": (("?", "escape"), 4 * FLIGHT),  # dims every cell of the screen
}
START = 8 * FLIGHT  # bytes until everything is read
MINUTE = {"idle": 4_000, "changing": 200_000}  # bytes a minute


def quiet(terminal: Terminal, most: float, still: float = QUIET) -> int:
    """Bytes that come until none has come for `still` seconds, or for `most` seconds."""
    before, end = terminal.bytes, time.monotonic() + most
    while time.monotonic() < end:
        seen = terminal.bytes
        terminal.pump(min(still, max(0.0, end - time.monotonic())))
        if terminal.bytes == seen:
            break
    return terminal.bytes - before


def minute(terminal: Terminal, seconds: float) -> int:
    """Bytes of a minute, taken from `seconds`."""
    before, end = terminal.bytes, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.pump(left)
    return round((terminal.bytes - before) * 60 / seconds)


class Table:
    """Prints the figures, and remembers whether one is above its budget."""

    def __init__(self) -> None:
        self.missed = False
        print(f"{'size':>7}  {'what':<8} {'median':>9} {'most':>9} {'budget':>9}")

    def add(self, size: str, what: str, values: list[int], budget: int) -> None:
        """One line."""
        most = max(values)
        self.missed |= most > budget
        print(f"{size:>7}  {what:<8} {statistics.median(values):9,.0f} {most:9,} {budget:9,}", flush=True)


def measure(table: Table, demo: Demo, size: str, seconds: float, keys: bool) -> None:
    """Start fleet in a terminal of a size, press keys if asked to, then leave it alone."""
    width, height = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        env = {"FLEET_STATE": folder, "HOME": folder, "KUBECONFIG": str(demo.kubeconfig)}
        with Terminal([sys.executable, "-m", "tui"], width, height, env) as terminal:
            terminal.wait(lambda screen: "enter Open" in screen and "answered" not in screen)
            quiet(terminal, 20.0, still=2.0)
            if keys:
                table.add(size, "start", [terminal.bytes], START)
                for what, (pressed, budget) in KEYS.items():
                    sent = []
                    for key in pressed:
                        terminal.press(key)
                        sent.append(quiet(terminal, 5.0))
                    table.add(size, what, sent, budget)
            what = "idle" if keys else "changing"
            table.add(size, what, [minute(terminal, seconds)], MINUTE[what])


def main() -> int:
    """Run, print, and say whether the budgets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long nobody presses a key")
    parser.add_argument("--rate", type=float, default=50.0, help="changes a second where something happens")
    parser.add_argument("--sizes", default="80x24,160x48")
    options = parser.parse_args()
    table = Table()
    with served("--calm", "--seed", "7") as demo:
        for size in options.sizes.split(","):
            measure(table, demo, size, options.seconds, keys=True)
    with served("--seed", "7", f"--rate={options.rate}") as demo:
        for size in options.sizes.split(","):
            measure(table, demo, size, options.seconds, keys=False)
    return int(table.missed)


if __name__ == "__main__":
    sys.exit(main())
