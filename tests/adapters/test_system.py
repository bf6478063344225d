"""What fleet does on systems without the modules and calls that only Unix has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui.adapters import system

ROOT = Path(__file__).parents[2]
WINDOWS = """
import os, signal, socket, sys, types

GONE = {"fcntl", "termios", "resource", "pty", "tty", "grp", "pwd", "syslog"}

class Windows:
    def find_spec(self, name, *rest):
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in GONE:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Windows())
import asyncio, multiprocessing, subprocess, tempfile  # as the system's own would be
import textual.app, aiohttp, git, kubernetes.aio

locked = set()

def locking(descriptor, mode, count):
    key = os.fstat(descriptor).st_ino
    if key in locked:
        raise OSError(13, "Permission denied")
    locked.add(key)

sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
for name in ("getuid", "geteuid", "fchmod", "fchown", "killpg", "getpgid", "setsid", "fork", "pread"):
    delattr(os, name)
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGTSTP", "SIGCONT", "SIGWINCH", "SIGUSR1", "SIGPIPE"):
    delattr(signal, name)
pair, unix = socket.socketpair, socket.AF_UNIX
socket.socketpair = lambda *given: pair(unix)  # asyncio's own
del socket.AF_UNIX
"""
IMPORTS = """
import importlib, pkgutil, tui

for module in pkgutil.walk_packages(tui.__path__, "tui."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
STARTS = """
from pathlib import Path
from tests.ui.still import StillFleet, screen
from tui.adapters import logfile
from tui.adapters.git.journal import FileJournal
from tui.adapters.ring import EventRing
from tui.domain.tail import TailEvent
from tui.ui.ending import Ending
from tui.ui.frame import Terminal

folder = Path(sys.argv[1])
for at, text in enumerate(("one", "two")):
    ring = EventRing(folder / "ring")
    ring.append([TailEvent(1e12 + at, "c1", "shop", "Synced", text, key=text)])
    ring.close()
    assert not ring.problem, ring.problem
    locked.clear()  # its file is closed
assert [event.message for event in EventRing(folder / "ring").read(0.0, 9)] == ["one", "two"]
asyncio.run(FileJournal(folder / "journal").keep("a", "text"))
logfile.start(folder / "log", "info")

async def main():
    terminal = Terminal()
    Ending(terminal)
    terminal.leave()
    async with screen(StillFleet()) as (app, pilot):
        await pilot.press("j", "enter", "ctrl+z", "escape")
        assert app.is_running

asyncio.run(main())
"""


def test_every_module_is_imported_and_the_screen_starts_without_what_only_unix_has(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver"}
    ran = subprocess.run(
        [sys.executable, "-c", WINDOWS + IMPORTS + STARTS, str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_lock_is_of_one_process_at_a_time(tmp_path: Path) -> None:
    first, second = (os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT | system.BINARY) for _ in range(2))
    assert system.lock(first) and not system.lock(second)
    os.close(first)
    assert system.lock(second)
    os.close(second)
    with pytest.raises(OSError):
        system.lock(second)


def test_a_child_ends_with_all_it_has_started() -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60']); print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        system.end(child, group=True, now=True)
        assert child.stdout.read() == b""  # nobody has it open any more
        child.wait()
        system.end(child, group=True, now=True)  # one that is gone is fine
