"""Key to repaint in the event tail while it grows by 1,000 lines a second, in bounded memory.

    python -m tests.benchmarks.tail [--rate R]

`cursor` and `page` are pressed while looking back, `paused` and `filtered` are cursor keys meanwhile; `filter` are the
keys of a word, `clear` takes it back. Times as in `tests.benchmarks.keys`. At last ten times as many lines come as are
kept, as fast as they can: memory must not grow. Ends with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys

from tests.benchmarks import loop
from tests.benchmarks.keys import CLEAR, Figures, Terminal, Times, memory

GROWTH = 4.0  # MiB
KEPT = 20_000  # lines


def measure(terminal: Terminal, count: int, seen: dict[str, float]) -> Times:
    """Times per kind of key; into `seen` how many MiB the flood has added."""
    chance = random.Random(1)
    times: Times = {"cursor": [], "page": [], "paused": [], "filter": [], "clear": [], "filtered": []}

    def press(name: str, key: bytes) -> None:
        terminal.quiet(chance.uniform(0.01, 0.05))
        times[name].append(terminal.press(key))

    def back() -> None:
        """Look back a few pages: from there the line of the cursor only moves by keys."""
        os.write(terminal.fd, b"G" + 6 * b"\x02")
        terminal.quiet(0.3)

    def some(name: str, keys: tuple[bytes, ...], number: int) -> None:
        back()
        for at in range(number):
            press(name, keys[at % len(keys)])

    lines, pages = (b"j", b"j", b"k", b"k"), (b"\x06", b"\x02")
    some("cursor", lines, count)
    some("page", pages, count // 2)
    os.write(terminal.fd, b"p")
    some("paused", lines, count // 2)
    for _ in range(max(1, count // 6)):
        os.write(terminal.fd, b"g/")
        terminal.quiet(0.1)
        for char in "197":
            press("filter", char.encode())
        press("clear", CLEAR)
    os.write(terminal.fd, b"p/1")
    some("filtered", lines, count // 2)
    os.write(terminal.fd, CLEAR + b"G")
    terminal.quiet(0.5)
    before = memory(terminal.pid)
    os.write(terminal.fd, b"!")
    terminal.quiet(0.5)
    terminal.press(b"g")  # answered when the flood is over
    terminal.quiet(0.5)
    seen["growth"] = memory(terminal.pid) - before
    return times


def main() -> int:
    """Run, print, and say whether the budgets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", type=float, metavar="RATE", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, default=1_000, help="lines a second")
    parser.add_argument("--count", type=int, default=150, help="cursor keys; half as many pages")
    options = parser.parse_args()
    if options.app is not None:
        run_app(options.app)
        return 0
    figures = Figures()
    seen: dict[str, float] = {}
    command = [sys.executable, "-m", "tests.benchmarks.tail", "--app", str(options.rate)]
    figures.run(f"{options.rate:g}/s", command, lambda terminal: measure(terminal, options.count, seen), texts=9)
    figures.bound(f"{10 * KEPT:,}", "MiB more", seen["growth"], GROWTH)
    return figures.tell()


def run_app(rate: float) -> None:
    """The tail alone, `rate` lines a second in 30 batches a second."""
    import gc
    import time

    from tui.domain.kinds.kind import Tone
    from tui.domain.tail import Tail, TailEvent
    from tui.ui.paint import Sparing
    from tui.ui.widgets.tail import TailView

    tail = Tail(KEPT)
    chance = random.Random(2)
    reasons = (("Synced", Tone.GOOD), ("OutOfSync", Tone.WARN), ("Degraded", Tone.BAD), ("OperationStarted", Tone.BUSY))

    def add(count: int) -> None:
        now = time.time()
        for _ in range(count):
            reason, tone = chance.choice(reasons)
            application = f"argocd/app-{chance.randrange(20_000):05}"
            message = f"line {tail.end} of what happened to it"
            cluster = f"prod-{chance.randrange(500):03}"
            tail.add(TailEvent(now, cluster, application, reason, message, "a" * 40, "auto-sync", tone=tone), now)

    class TailApp(Sparing):
        """A tail and a filter that is typed without an input."""

        CSS = "TailView { width: 1fr; height: 1fr; }"
        filtering = False
        typed = ""

        def compose(self):  # type: ignore[no-untyped-def]
            yield TailView(tail, kept=KEPT)

        def on_mount(self) -> None:
            self.view = self.query_one(TailView)
            self.view.focus()
            self.due = 0.0
            self.set_interval(1 / 30, self.change)
            gc.collect()
            gc.freeze()
            loop.watch()

        def change(self) -> None:
            self.due += rate / 30
            count, self.due = int(self.due), self.due % 1
            add(count)
            self.view.pull()

        def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
            if event.key == "slash":
                self.filtering = True
            elif event.key == "p":
                self.view.toggle_pause()
            elif event.character == "!":
                for _ in range(10 * KEPT // 100):
                    add(100)
                    self.view.pull()
            elif event.key == "ctrl+u":
                self.filtering, self.typed = False, ""
                self.view.set_filter("")
                self.view.go(0)
            elif self.filtering and event.character:
                self.typed += event.character
                self.view.set_filter(self.typed)
                self.view.go(len(self.typed))

    add(KEPT)
    TailApp().run()


if __name__ == "__main__":
    sys.exit(main())
