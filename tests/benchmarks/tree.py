"""Key to repaint in a tree of 500 clusters and 100,000 nodes, all of them open.

    python -m tests.benchmarks.tree [--clusters N] [--each N]

Times as in `tests.benchmarks.keys`; `expand` opens or closes one cluster in the middle of the tree, `clear` takes the
filter back. Labels change 2,000 times a second in the second run. Ends with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys

from tests.benchmarks import loop
from tests.benchmarks.keys import CLEAR, Figures, Terminal, Times


def measure(terminal: Terminal, count: int) -> Times:
    """Times per kind of key."""
    chance = random.Random(1)
    times: Times = {"cursor": [], "page": [], "expand": [], "filter": [], "clear": []}
    for name, keys, number in (
        ("cursor", (b"j", b"j", b"k"), count),
        ("page", (b"\x06", b"\x06", b"\x02"), count // 2),
    ):
        for at in range(number):
            terminal.quiet(chance.uniform(0.01, 0.05))
            times[name].append(terminal.press(keys[at % len(keys)]))
    os.write(terminal.fd, b"m")  # a cluster in the middle
    terminal.quiet(0.3)
    for _ in range(count // 3):
        terminal.quiet(chance.uniform(0.02, 0.08))
        times["expand"].append(terminal.press(b" "))
    for _ in range(max(1, count // 6)):
        os.write(terminal.fd, b"g")
        terminal.quiet(0.1)
        os.write(terminal.fd, b"/")
        terminal.quiet(0.1)
        for char in "197":
            terminal.quiet(chance.uniform(0.02, 0.08))
            times["filter"].append(terminal.press(char.encode()))
        times["clear"].append(terminal.press(CLEAR))
    return times


def main() -> int:
    """Run, print, and say whether the budgets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", type=float, metavar="RATE", help=argparse.SUPPRESS)
    parser.add_argument("--clusters", type=int, default=500)
    parser.add_argument("--each", type=int, default=200, help="nodes in every cluster")
    parser.add_argument("--count", type=int, default=150, help="cursor keys; half as many pages")
    options = parser.parse_args()
    if options.app is not None:
        run_app(options.clusters, options.each, options.app)
        return 0
    figures = Figures()
    for rate in (0, 2_000):
        command = [sys.executable, "-m", "tests.benchmarks.tree", "--app", str(rate)]
        command += ["--clusters", str(options.clusters), "--each", str(options.each)]
        figures.run(f"{rate}/s", command, lambda terminal: measure(terminal, options.count), texts=5)
    return figures.tell()


def run_app(clusters: int, each: int, rate: float) -> None:
    """The tree alone, with labels that change `rate` times a second in 30 batches a second."""
    import gc
    from collections.abc import Hashable

    from tui.domain.kinds.kind import Cell, Tone
    from tui.ui.paint import Sparing
    from tui.ui.widgets.tree import LazyTree, Node

    tones = (Tone.GOOD, Tone.WARN, Tone.BAD)
    chance = random.Random(2)

    def leaf(cluster: int, number: int, change: int = 0) -> Node:
        label = (Cell("●", tones[change % 3]), Cell(f"app-{number:03}-of-{cluster:03}"))
        return Node((cluster, number), label, (Cell(f"✖{change}", Tone.BAD),) if change else ())

    def children(node: Hashable) -> list[Node]:
        if node is None:
            label = [(Cell("●", Tone.GOOD), Cell(f"cluster-{number:03}")) for number in range(clusters)]
            return [Node(number, label[number], expandable=True, open=True) for number in range(clusters)]
        assert isinstance(node, int)
        return [leaf(node, number) for number in range(each)]

    class TreeApp(Sparing):
        """A tree and a filter that is typed without an input."""

        CSS = "LazyTree { width: 1fr; height: 1fr; }"
        filtering = False
        typed = ""

        def compose(self):  # type: ignore[no-untyped-def]
            yield LazyTree(children)

        def on_mount(self) -> None:
            self.tree_ = self.query_one(LazyTree)
            self.tree_.reload()
            self.tree_.focus()
            gc.collect()
            gc.freeze()
            self.changes = 0
            if rate:
                self.set_interval(1 / 30, self.change)
            loop.watch()

        def change(self) -> None:
            self.changes += 1
            count = int(rate / 30)
            self.tree_.update_labels(
                [leaf(chance.randrange(clusters), chance.randrange(each), self.changes) for _ in range(count)]
            )

        def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
            if event.key == "slash":
                self.filtering = True
            elif event.key == "m":
                self.tree_.move_to(clusters // 2)
            elif event.key == "ctrl+u":
                self.filtering, self.typed = False, ""
                self.tree_.set_filter("")
                self.tree_.go(0)
            elif self.filtering and event.character:
                self.typed += event.character
                self.tree_.set_filter(self.typed)
                self.tree_.go(len(self.typed))

    TreeApp().run()


if __name__ == "__main__":
    sys.exit(main())
