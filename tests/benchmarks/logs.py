"""Key to repaint in the logs while ten pods write 10,000 lines a second, over HTTP, and whether a line was lost.

    python -m tests.benchmarks.logs [--rate R] [--pods N]

An API server in a process of its own writes numbered lines; the screen's lines follow them through the network thread.
`cursor` and `page` are pressed while looking back, `paused` and `filtered` are cursor keys meanwhile; `filter` are the
keys of a text, `clear` takes it back, `wrap` wraps all lines. Times and stalls as in `tests.benchmarks.keys`. Every
line must have come, once and in the order its pod wrote it, before it made room for newer ones; memory must not grow
once it is full. Ends with 1 when a budget is missed or a line was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import loop
from tests.benchmarks.keys import CLEAR, ROOT, Figures, Terminal, Times, memory

GROWTH = 20.0  # MiB once the bound of lines is reached: what comes while paused is held beside what is shown
SERVED = 300  # seconds after which the server ends by itself, whatever happens
WRITES = 20  # a second, of each pod
CHECKED = "FLEET_BENCHMARK_LINES"  # the file that the measured program writes what it has seen of the lines to


def measure(terminal: Terminal, count: int, seen: dict[str, float]) -> Times:
    """Times per kind of key; into `seen` how many MiB came while full."""
    chance = random.Random(1)
    times: Times = {name: [] for name in ("cursor", "page", "paused", "filter", "clear", "filtered", "wrap")}

    def press(name: str, key: bytes) -> None:
        terminal.quiet(chance.uniform(0.01, 0.05))
        times[name].append(terminal.press(key))

    def back() -> None:
        """Look back a few pages: from there the line of the cursor only moves by keys."""
        os.write(terminal.fd, b"G" + 6 * b"\x02")
        terminal.quiet(0.3)

    def some(name: str, keys: tuple[bytes, ...], number: int) -> None:
        for at in range(number):
            if at % 20 == 0:  # at 10,000 lines a second what one looks back at is dropped after seconds
                back()
            press(name, keys[at % len(keys)])

    terminal.quiet(8.0)  # until the bound is reached
    before = memory(terminal.pid)
    lines, pages = (b"j", b"j", b"k", b"k"), (b"\x06", b"\x02")
    some("cursor", lines, count)
    some("page", pages, count // 2)
    os.write(terminal.fd, b"G ")
    terminal.quiet(0.2)
    some("paused", lines, count // 2)
    os.write(terminal.fd, b" ")
    for _ in range(max(1, count // 10)):
        os.write(terminal.fd, b"G /")
        terminal.quiet(0.3)
        for char in "197":
            press("filter", char.encode())
        press("clear", CLEAR)
        os.write(terminal.fd, b" ")
        terminal.quiet(0.2)
    os.write(terminal.fd, b"/1")
    some("filtered", lines, count // 2)
    os.write(terminal.fd, CLEAR)
    for _ in range(max(1, count // 10)):
        back()
        press("wrap", b"w")
    terminal.quiet(3.0)
    seen["growth"] = memory(terminal.pid) - before
    return times


def main() -> int:
    """Run, print, and say whether the budgets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", metavar="KUBECONFIG", help=argparse.SUPPRESS)
    parser.add_argument("--serve", metavar="KUBECONFIG", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, default=10_000, help="lines a second, of all pods together")
    parser.add_argument("--pods", type=int, default=10)
    parser.add_argument("--count", type=int, default=100, help="cursor keys; half as many pages")
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve, options.rate, options.pods))
        return 0
    if options.app is not None:
        run_app(options.app)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig, report = Path(folder) / "kubeconfig", Path(folder) / "lines.json"
        rate = [f"--rate={options.rate}", f"--pods={options.pods}"]
        module = [sys.executable, "-m", "tests.benchmarks.logs"]
        server = subprocess.Popen([*module, "--serve", str(kubeconfig), *rate], cwd=ROOT, stdout=subprocess.PIPE)
        assert server.stdout is not None
        server.stdout.readline()  # it serves
        os.environ[CHECKED] = str(report)
        figures = Figures()
        seen: dict[str, float] = {}
        try:
            figures.run(
                f"{options.rate:,}/s", [*module, "--app", str(kubeconfig)],
                lambda terminal: measure(terminal, options.count, seen), texts=9,
            )  # fmt: skip
        finally:
            server.terminate()
            server.wait()
        told = json.loads(report.read_text())
    figures.bound(f"{told['lines']:,} lines", "lost or doubled", told["wrong"], 0.5)
    figures.bound(f"{told['lines']:,} lines", "lines/s of asked", options.rate - told["rate"], 0.1 * options.rate)
    figures.bound("full", "MiB more", seen["growth"], GROWTH)
    return figures.tell()


async def serve(kubeconfig: Path, rate: int, pods: int) -> None:
    """An API server with pods that write numbered lines as long as they are read; says when it serves."""
    import time

    import yaml

    from tests.support import serving, thing

    async def source(namespace: str, pod: str, container: str):  # type: ignore[no-untyped-def]
        number, began = 0, time.monotonic()
        while True:
            due = int((time.monotonic() - began) * rate / pods)
            for number in range(number, due):  # noqa: B020 - it goes on where it was
                yield (
                    time.time(),
                    f"{number} level=info msg=request path=/v1/articles/{number * 7 % 100_000} ms=12 worker=4",
                )
            number = max(number, due)
            await asyncio.sleep(1 / WRITES)

    status = {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"running": {}}}]}
    spec = {"containers": [{"name": "app"}]}
    held = [thing("Pod", f"web-{at}", "shop", labels={"app": "web"}, spec=spec, status=status) for at in range(pods)]
    async with serving([thing("Namespace", "shop"), *held]) as server:
        server.logs = source
        config = {
            "clusters": [{"name": "c1", "cluster": {"server": server.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c1", "context": {"cluster": "c1", "user": "u"}}],
        }
        kubeconfig.write_text(yaml.safe_dump(config))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.sleep(SERVED)


def run_app(kubeconfig: str) -> None:
    """The lines alone, over the real network thread, and a filter that is typed without an input."""
    import gc
    import signal
    import time

    from textual.app import App

    from tui.adapters.kube import KubeClusters
    from tui.domain.logs.asked import Asked, Selection
    from tui.domain.logs.lines import LogLine
    from tui.domain.settings import Settings
    from tui.fleet.logs import Logs
    from tui.fleet.sync import Network
    from tui.ui.screens.logs import PORTION
    from tui.ui.widgets.log_view import LogView

    class LogsApp(App[None]):
        """The lines, as the screen fills them."""

        CSS = "LogView { width: 1fr; height: 1fr; }"
        filtering = False
        typed = ""
        again = False

        def compose(self):  # type: ignore[no-untyped-def]
            yield LogView()

        def on_mount(self) -> None:
            self.view = self.query_one(LogView)
            self.view.focus()
            self.next: dict[int, int] = {}
            self.wrong = self.lines = 0
            settings = Settings()
            self.network = Network(lambda: KubeClusters(settings, kubeconfig, ()), {}, settings, lambda batches: None)
            self.network.start()
            self.logs = Logs(self.network, self.pull)
            self.follow = self.logs.follow([Selection("c1", "shop", labels=("app=web",))], Asked(tail=0))
            self.began = 0.0
            gc.collect()
            gc.freeze()
            loop.watch()
            watched = signal.getsignal(signal.SIGTERM)
            assert watched is not None
            self.set_interval(0.5, self.report)

        def pull(self) -> None:
            """As the screen does: a portion, and the rest after the keys."""
            if self.view.paused:
                return
            if len(self.follow.sources) != len(self.view._labels):
                self.view.call([source.place for source in self.follow.sources])
            came = self.follow.take(PORTION)
            if came and not self.began:
                self.began = time.monotonic()
            self.check(came)
            self.view.add(came)
            if self.follow.waiting and not self.again:
                self.again = True
                self.set_timer(0.002, self.pull_again)

        def pull_again(self) -> None:
            self.again = False
            self.pull()

        def check(self, came: list[LogLine]) -> None:
            """Each pod's lines are numbered: none may be missing, none come twice."""
            self.lines += len(came)
            for line in came:
                number = int(line.text[: line.text.index(" ")])
                due = self.next.get(line.source, 0)
                if number != due and not self.follow.missed:
                    self.wrong += 1
                self.next[line.source] = number + 1

        def report(self) -> None:
            seconds = max(0.001, time.monotonic() - self.began)
            told = {"lines": self.lines, "wrong": self.wrong, "rate": (self.lines + self.follow.waiting) / seconds}
            Path(os.environ[CHECKED]).write_text(json.dumps(told))

        def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
            if event.key == "slash":
                self.filtering = True
            elif event.key == "space":
                self.view.toggle_pause()
            elif event.key == "w":
                self.view.set_wrap(not self.view.wrap)
                self.view.go(self.view.cursor - 1)
            elif event.key == "ctrl+u":
                self.filtering, self.typed = False, ""
                self.view.set_filter("")
                self.view.go(0)
            elif self.filtering and event.character:
                self.typed += event.character
                self.view.set_filter(self.typed)
                self.view.go(len(self.typed))

    LogsApp().run()


if __name__ == "__main__":
    sys.exit(main())
