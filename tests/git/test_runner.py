"""Programs are run to their end, or ended with all that they started."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tui.adapters import runner

PYTHON = sys.executable


def alive(pid: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


def test_output_input_and_exit_code() -> None:
    code = "import sys as s; s.stdout.buffer.write(s.stdin.buffer.read()[::-1]); s.stderr.write('oops'); s.exit(3)"
    data = os.urandom(1 << 20)
    result = runner.call([PYTHON, "-c", code], data=data)
    assert (result.code, result.out, result.errors) == (3, data[::-1], "oops")


def test_input_that_nobody_reads_is_no_error() -> None:
    assert runner.call([PYTHON, "-c", "print(1)"], data=b"x" * (1 << 20)).out == b"1\n"


def test_a_program_has_no_terminal_and_no_input() -> None:
    code = ["import os, sys", "print(sys.stdin.read() == '')"]
    code += ["try: os.open('/dev/tty', os.O_RDWR); print('tty')", "except OSError: print('none')"]
    assert runner.call([PYTHON, "-c", "\n".join(code)]).out.split() == [b"True", b"none"]


def test_a_program_that_takes_too_long_ends_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {note}; trap '' TERM; sleep 300"
    for seconds in (0.5, 5, 30):  # a busy machine may need longer to start the child
        with pytest.raises(runner.TimedOut):
            runner.call(["/bin/sh", "-c", script], timeout=seconds)
        if note.exists() and note.read_text():
            break
    child = int(note.read_text())
    wait_until(lambda: not alive(child))


def test_too_much_output_ends_it() -> None:
    with pytest.raises(runner.TooMuch):
        runner.call([PYTHON, "-c", "while True: print('x' * 1000)"], limit=100_000)


def test_a_daemon_left_behind_is_not_waited_for() -> None:
    start = time.monotonic()
    result = runner.call(["/bin/sh", "-c", "sleep 60 & echo $!"], timeout=30)
    assert time.monotonic() - start < 20
    os.kill(int(result.out), signal.SIGKILL)


@pytest.mark.parametrize("argv", [["/nonexistent/program"], ["/"], ["/etc/hostname"]])
def test_what_cannot_be_run_is_said_plainly(argv: list[str]) -> None:
    with pytest.raises(runner.NotInstalled, match=argv[0]):
        runner.call(argv)


def test_a_missing_folder_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(runner.NotInstalled, match="gone is not there"):
        runner.call(["true"], cwd=tmp_path / "gone")


async def test_the_loop_goes_on_meanwhile_and_lines_come_as_they_are_written(tmp_path: Path) -> None:
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    lines: list[str] = []
    first = asyncio.Event()

    def on_line(line: str) -> None:
        lines.append(line)
        first.set()

    script = f"printf 'one\\r' >&2; read x < {fifo}; printf 'two\\nthree' >&2; echo out"
    task = asyncio.create_task(runner.run(["/bin/sh", "-c", script], on_error_line=on_line))
    await asyncio.wait_for(first.wait(), 60)
    assert lines == ["one"] and not task.done()
    await asyncio.to_thread(fifo.write_text, "go\n")
    result = await asyncio.wait_for(task, 60)
    assert result.out == b"out\n" and lines == ["one", "two", "three"]


async def test_cancelling_ends_the_program(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    task = asyncio.create_task(runner.run(["/bin/sh", "-c", f"echo $$ > {note}.new; mv {note}.new {note}; sleep 300"]))
    while not note.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    pid = int(note.read_text())
    while alive(pid):
        await asyncio.sleep(0.01)


def test_a_nul_in_an_argument_is_said_plainly() -> None:
    with pytest.raises(runner.NotInstalled):
        runner.call(["echo", "a\0b"])


async def test_errors_reach_the_coroutine() -> None:
    with pytest.raises(runner.NotInstalled):
        await runner.run(["/nonexistent/program"])


def test_run_works_in_the_loop_of_another_thread() -> None:
    found: list[bytes] = []

    def work() -> None:
        found.append(asyncio.run(runner.run(["echo", "hello"])).out)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert found == [b"hello\n"]
