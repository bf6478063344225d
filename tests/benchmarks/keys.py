"""Key to repaint, in a real pseudo-terminal: write a key, wait until the line with the cursor is painted anew.

    python -m tests.benchmarks.keys                      the table alone: 20,000 rows x 10 columns at three rates
    python -m tests.benchmarks.keys --command 'fleet …'  any program with our table, started in the same terminal

Times are in milliseconds, between the write of the key and the arrival of the bytes that show its effect. The first
line is the floor: a child that does nothing but write back what it reads. `stall` is how late the program's event loop
runs what is due meanwhile, CPU its share of one core. Ends with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import select
import shlex
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import loop

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = {"cursor": 16.0, "page": 16.0, "filter": 25.0, "clear": 25.0, "sort": 100.0}  # ms, p99
BUDGETS |= {"expand": 25.0, "paused": 16.0, "filtered": 16.0}
BUSY = 1.0  # ms: p99 of the floor on a machine that has nothing else to do stays below
CLEAR = b"\x15"  # ctrl+u: after a lone escape every program waits whether it begins the sequence of another key
PATIENCE = 5.0  # seconds for one repaint
BAR = "▌"  # what our lists draw at the left edge of the cursor's line
WORD = 24  # columns of a line that are taken for one of its texts
_PART = re.compile(r"\x1b(?:\[[0-9;:?<=>$]*)?\Z")  # of a code that has not come whole
# The escape codes that place text; others; text.
_CODES = re.compile(r"\x1b\[(\d*);?(\d*)H|\x1b\[(\d+)G|\x1b(?:\[[0-9;:?<=>$]*[@-~]|[^\[])|([^\x1b\x00-\x1f]+)")


Times = dict[str, list[float]]  # ms, by kind of key


class Terminal:
    """A child in a pseudo-terminal of its own, and what it has painted last."""

    def __init__(self, command: list[str], width: int, height: int, report: Path | None = None, texts: int = 1) -> None:
        """`report` is where a program that watches its own loop writes what it saw; `texts` how many styled texts of
        the cursor's line tell it from the others.
        """
        self._words = WORD * texts
        self._grid = [[" "] * width for _ in range(height)]
        self._place = (0, 0)
        self._bar: tuple[int, int] | None = None  # row and column of the cursor's line
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if report is not None:
                os.environ[loop.VARIABLE] = str(report)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
            os.environ.pop("NO_COLOR", None)
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.seen: tuple[object, ...] = ()  # row, column and first words of the cursor's line
        self._rest = ""
        self.arrived = 0.0  # when the last bytes came

    def read(self, patience: float) -> bool:
        """Take in what has arrived; False when nothing came within `patience` seconds."""
        if not select.select([self.fd], [], [], patience)[0]:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError as error:
            raise SystemExit(f"the program has ended: {error}") from error
        self.arrived = time.perf_counter()
        text = self._rest + self._decode(data)
        cut = _PART.search(text)
        self._rest = cut[0] if cut else ""
        self._paint(text[: len(text) - len(self._rest)])
        return True

    def _paint(self, text: str) -> None:
        """Follow what is written, and where the bar of the cursor's line is."""
        for found in _CODES.finditer(text):
            y, x, column, written = found.groups()
            if written is not None:
                self._write(written)
            elif column is not None:
                self._place = (self._place[0], int(column) - 1)
            elif y is not None:
                self._place = (int(y or 1) - 1, int(x or 1) - 1)
        if self._bar is not None:
            y, x = self._bar
            self.seen = (y, x, "".join(self._grid[y][x : x + self._words]))

    def _write(self, text: str) -> None:
        y, x = self._place
        if y >= len(self._grid):
            return
        for character in text:
            if x < len(self._grid[y]):
                self._grid[y][x] = character
                if character == BAR:
                    self._bar = (y, x)
            x += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        self._place = (y, x)

    def quiet(self, seconds: float) -> None:
        """Take in everything for a while."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def press(self, key: bytes) -> float:
        """Milliseconds until the cursor's line shows something else."""
        while self.read(0):
            pass
        before = self.seen
        started = time.perf_counter()
        os.write(self.fd, key)
        while self.seen == before:
            left = started + PATIENCE - time.perf_counter()
            if left <= 0 or not self.read(left):
                raise SystemExit(f"no repaint within {PATIENCE} s after {key!r}; the cursor's line is {before!r}")
        return (self.arrived - started) * 1000

    def close(self) -> None:
        """End the child; what it still writes is thrown away."""
        os.kill(self.pid, signal.SIGTERM)
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            with contextlib.suppress(SystemExit):
                self.read(0.05)
        os.close(self.fd)


def floor(count: int = 200) -> list[float]:
    """Round trips through a pseudo-terminal with nothing in between."""
    code = "import os,tty\ntty.setraw(0)\nos.write(1,b'!')\nwhile True: os.write(1, os.read(0, 9))"
    terminal = Terminal([sys.executable, "-c", code], 80, 24)
    times = []
    while b"!" not in os.read(terminal.fd, 99):
        pass
    for _ in range(count):
        started = time.perf_counter()
        os.write(terminal.fd, b"x")
        os.read(terminal.fd, 9)
        times.append((time.perf_counter() - started) * 1000)
    terminal.close()
    return times


def measure(terminal: Terminal, count: int, query: str, chance: random.Random, sorts: str = "") -> Times:
    """Times per kind of key, pressed at irregular moments.

    With `sorts` it is a program of ours: CLEAR clears the filter and goes to the top, each letter changes what is
    there.
    """
    times: Times = {"cursor": [], "page": [], "filter": []}
    for name, keys, number in (
        ("cursor", (b"j", b"j", b"k", b"\x1b[B", b"k", b"\x1b[A"), count),
        ("page", (b"\x06", b"\x06", b"\x02", b"\x1b[6~", b"\x1b[5~", b"\x02"), count // 2),
    ):
        for at in range(number):
            terminal.quiet(chance.uniform(0.01, 0.05))
            times[name].append(terminal.press(keys[at % len(keys)]))
    for _ in range(max(1, count // 6)):
        os.write(terminal.fd, b"g")
        terminal.quiet(0.1)
        os.write(terminal.fd, b"/")
        terminal.quiet(0.2)
        for char in query:
            terminal.quiet(chance.uniform(0.02, 0.08))
            times["filter"].append(terminal.press(char.encode()))
        if sorts:
            times.setdefault("clear", []).append(terminal.press(CLEAR))
        else:
            os.write(terminal.fd, b"\x1b")
        terminal.quiet(0.2)
    for at in range(count // 3 if sorts else 0):
        os.write(terminal.fd, b"g")
        terminal.quiet(0.1)
        times.setdefault("sort", []).append(terminal.press(sorts[at % len(sorts)].encode()))
    return times


def summary(times: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    ordered = sorted(times)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def memory(pid: int) -> float:
    """Resident MiB of a process; 0 where /proc is not."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def main() -> int:
    """Run, print, and say whether the budgets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", type=float, metavar="RATE", help=argparse.SUPPRESS)
    parser.add_argument("--command", help="a program to measure instead of the table alone")
    parser.add_argument("--ready", type=float, default=20.0, help="seconds the program gets to show its first row")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds to wait once it does")
    parser.add_argument("--query", default="197", help="typed into the filter; each key must change the first row")
    parser.add_argument("--rates", default="0,200,2000", help="changes a second, for the table alone")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--count", type=int, default=300, help="cursor keys; half as many pages and filter keys")
    parser.add_argument("--size", default="160x48")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.app is not None:
        run_app(options.rows, options.app)
        return 0
    runs = {"as given": shlex.split(options.command)} if options.command else {}
    for rate in options.rates.split(",") if not runs else ():
        command = ["-m", "tests.benchmarks.keys", "--app", rate, "--rows", str(options.rows)]
        runs[f"{rate}/s"] = [sys.executable, *command]
    table = Figures()
    for name, command in runs.items():
        table.run(
            name,
            command,
            lambda terminal: measure(
                terminal, options.count, options.query, random.Random(1), "" if options.command else "ABC"
            ),
            size=options.size,
            ready=options.ready,
            settle=options.settle,
        )
    return table.tell(as_json=options.json)


class Figures:
    """The table of a benchmark: what each run took, what it may take, and whether something took more."""

    def __init__(self) -> None:
        p50, p99 = summary(floor())
        self.rows: list[dict[str, object]] = [_row("floor", "-", [p50, p99])]
        self.rows[0].update(p50=p50, p99=p99)
        self.missed = False

    def run(
        self,
        name: str,
        command: list[str],
        measured: Callable[[Terminal], Times],
        texts: int = 1,
        size: str = "160x48",
        ready: float = 20.0,
        settle: float = 1.0,
    ) -> None:
        """Start a program, measure it, end it. `ready` seconds for its first row, `settle` more until the first key."""
        width, height = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "loop.json"
            terminal = Terminal(command, width, height, report, texts)
            deadline = time.perf_counter() + ready
            while not terminal.seen and time.perf_counter() < deadline:
                terminal.read(0.1)
            terminal.quiet(settle)
            times = measured(terminal)
            held = memory(terminal.pid)
            terminal.close()
            seen = loop.read(report)
        for key, values in times.items():
            self._add(_row(name, key, values, BUDGETS.get(key), held))
        if seen is not None:
            stall = {"changes": name, "key": "stall", "p50": seen.p50, "p99": seen.p99, "max": seen.longest}
            self._add(stall | {"budget": loop.BUDGETS["stall"], "MiB": held})
            share = {"changes": name, "key": "CPU %", "p50": seen.cpu, "p99": seen.cpu, "max": seen.cpu}
            self._add(share | {"budget": loop.BUDGETS["CPU %"], "MiB": held})

    def bound(self, name: str, what: str, value: float, budget: float) -> None:
        """One more figure, in its own unit, that must stay below `budget`."""
        row = {"changes": name, "key": what, "p50": value, "p99": value, "max": value, "budget": budget, "MiB": 0.0}
        self._add(row)

    def _add(self, row: dict[str, object]) -> None:
        self.rows.append(row)
        self.missed |= row["budget"] is not None and row["p99"] > row["budget"]  # type: ignore[operator]

    def tell(self, as_json: bool = False) -> int:
        """Print it; returns the exit code."""
        if as_json:
            print(json.dumps(self.rows))
        else:
            print(f"{'changes':>9}  {'key':<7} {'p50 ms':>7} {'p99 ms':>7} {'max ms':>7} {'budget':>7} {'MiB':>5}")
        for row in () if as_json else self.rows:
            budget = "" if row["budget"] is None else row["budget"]
            print(
                f"{row['changes']:>9}  {row['key']:<7} {row['p50']:7.1f} {row['p99']:7.1f} {row['max']:7.1f} "
                f"{budget:>7} {row['MiB']:5.0f}"
            )
        if self.rows[0]["p99"] > BUSY:  # type: ignore[operator]
            print(f"floor p99 above {BUSY} ms: this machine is busy, and the p99s are partly its own", file=sys.stderr)
        return 1 if self.missed else 0


def _row(name: str, key: str, values: list[float], budget: float | None = None, held: float = 0.0) -> dict[str, object]:
    p50, p99 = summary(values)
    return {"changes": name, "key": key, "p50": p50, "p99": p99, "max": max(values), "budget": budget, "MiB": held}


def run_app(rows: int, rate: float) -> None:
    """The table alone, changed `rate` times a second in 30 batches a second."""
    import gc

    from tui.domain.kinds.kind import Cell, Column, Tone, Value
    from tui.ui.paint import Sparing
    from tui.ui.widgets.table import Table, TableRow

    states_shown = (
        ("✔ Synced", Tone.GOOD),
        ("▲ OutOfSync", Tone.WARN),
        ("✖ Degraded", Tone.BAD),
        ("◔ Progressing", Tone.BUSY),
    )

    def plain(value: object, now: float) -> Cell:
        return Cell(str(value))

    def word(value: object, now: float) -> Cell:
        return Cell(*states_shown[int(str(value)) % 4])

    columns = (
        Column("name", "NAME", None, plain, 24, 10),  # type: ignore[arg-type]
        *(Column(f"w{at}", f"STATE{at}", None, word, 14, 8) for at in range(3)),  # type: ignore[arg-type]
        *(Column(f"c{at}", f"COLUMN{at}", None, plain, 12, 6) for at in range(6)),  # type: ignore[arg-type]
    )
    chance = random.Random(2)

    def make(at: int) -> TableRow:
        states = [chance.randrange(4) for _ in range(3)]
        words = ("".join(chance.choices("abcdefgh", k=7)) for _ in range(6))
        values: tuple[Value, ...] = (f"app-{at:05}", *states, *words)
        cells = tuple([column.show(value, 0.0) for column, value in zip(columns, values, strict=True)])
        return TableRow(at, cells, values)

    class TableApp(Sparing):
        """A table and a filter that is typed without an input."""

        CSS = "Table { width: 1fr; height: 1fr; }"
        filtering = False
        typed = ""

        def compose(self):  # type: ignore[no-untyped-def]
            yield Table(columns)

        def on_mount(self) -> None:
            self.table = self.query_one(Table)
            self.table.sort_by("name")
            self.table.replace([make(at) for at in range(rows)])
            self.table.focus()
            gc.collect()
            gc.freeze()
            if rate:
                self.set_interval(1 / 30, self.change)
            self.due = 0.0
            loop.watch()

        def change(self) -> None:
            self.due += rate / 30
            count, self.due = int(self.due), self.due % 1
            self.table.update([make(chance.randrange(rows)) for _ in range(count)])

        def on_key(self, event) -> None:  # type: ignore[no-untyped-def]
            if event.key == "slash":
                self.filtering = True
            elif event.key == "ctrl+u":
                self.filtering, self.typed = False, ""
                self.table.set_filter("")
                self.table.go(0)
            elif self.filtering and event.character:
                self.typed += event.character
                self.table.set_filter(self.typed)
            elif event.character in ("A", "B", "C"):  # another value at the top each time
                self.table.sort_by({"A": "name", "B": "c0", "C": "c1"}[event.character], event.character == "A")
                self.table.go(0)

    TableApp().run()


if __name__ == "__main__":
    sys.exit(main())
