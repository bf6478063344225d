"""How the program ends, whoever ends it: the terminal given back, no child left, no traceback, no text lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.demos import Demo, served
from tests.e2e.bad import FLEET, ROOT, Servers, Watched, environment, kubeconfig
from tests.support import thing

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One demo for the whole module; nobody asks it to change anything."""
    with served("--speed", "5") as made:
        yield made
        assert made.mutations() == 0


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Callable[[], Watched]]:
    """Makes a fleet on a terminal, on a small cluster."""
    servers = Servers()
    server = servers.start([thing("Namespace", "kube-system"), thing("Node", "n1")], "c1")
    env = environment(tmp_path, kubeconfig(tmp_path / "config", {"c1": {"server": server.url}}))
    made: list[Watched] = []

    def make() -> Watched:
        made.append(Watched(FLEET, 100, 30, env))
        return made[-1]

    yield make
    for terminal in made:
        terminal.close()
    servers.close()


def assert_given_back(terminal: Watched) -> None:
    """The terminal is as a shell wants it: echo, lines, cursor, main screen, no mouse reports, no traceback."""
    flags = termios.tcgetattr(terminal.fd)[3]
    assert flags & termios.ECHO and flags & termios.ICANON
    raw = bytes(terminal.all)
    assert b"Traceback" not in raw, raw[-2000:].decode(errors="replace")
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1003h", b"\x1b[?1003l")):
        assert raw.rfind(off) > raw.rfind(on) or on not in raw, (on, raw[-300:])


def painted(terminal: Watched) -> bool:
    """Whether the first frame stands; Textual is being imported then."""
    return b"\x1b[?1049h" in terminal.all


def mounted(terminal: Watched) -> bool:
    """Whether Textual has taken the terminal."""
    return b"\x1b[?1003h" in terminal.all


def live(terminal: Watched) -> bool:
    """Whether the cluster has been read."""
    return "1/1" in terminal.text()


@pytest.mark.parametrize("ready", [painted, mounted, live], ids=lambda ready: ready.__name__)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_gives_the_terminal_back(screen: Callable[[], Watched], number: signal.Signals, ready: object) -> None:
    terminal = screen()
    terminal.wait(lambda _: ready(terminal))  # type: ignore[operator]
    if number is signal.SIGINT:
        terminal.press("\x03")
    else:
        terminal.kill(number)
    code = terminal.wait_end(15)
    assert code == 128 + number or (number is signal.SIGINT and code == 0)  # Textual has it: Ctrl-C is a key
    assert_given_back(terminal)


def test_a_terminal_that_is_closed_ends_the_program(screen: Callable[[], Watched]) -> None:
    terminal = screen()
    terminal.wait(lambda _: live(terminal))
    os.close(terminal.fd)
    end = time.monotonic() + 10
    while not terminal._reap(os.WNOHANG):
        assert time.monotonic() < end, "it still runs"
        os.sched_yield()
    terminal.fd = os.open(os.devnull, os.O_RDONLY)


INTERRUPTED = """
import os, signal, sys, tui.cli

class Impatient:
    def find_spec(self, name, *rest):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
tui.cli.main()
"""


def test_ctrl_c_while_modules_are_imported_is_no_traceback() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", INTERRUPTED], env=env, capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (-signal.SIGINT, "")


def running(pid: int) -> bool:
    """Whether a process that is not ours to wait for still runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("stage", ["Starting", "Healthy"])
def test_the_demo_ends_with_its_screen(tmp_path: Path, number: signal.Signals, stage: str) -> None:
    env = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp_path)}
    with Watched([*FLEET, "demo"], 120, 36, env) as terminal:
        terminal.wait(stage, 60)
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(terminal.pid)], capture_output=True, text=True)
        children = [int(pid) for pid in listed.stdout.split()]
        assert children
        terminal.kill(number)
        terminal.wait_end(30)
        if number is signal.SIGTERM:
            assert_given_back(terminal)
        end = time.monotonic() + 20
        while any(map(running, children)) or list(tmp_path.glob("fleet-demo-*")):
            assert time.monotonic() < end, (children, list(tmp_path.iterdir()))
            time.sleep(0.05)
