"""Runs programs: an argument vector (never a shell), a time limit, a size limit, and an end for the whole group.

`call` blocks and is for worker threads; `run` is the same for a coroutine and may be cancelled. The program gets its
own session, so that it has no terminal to prompt on and everything it started can be ended with it.
"""

from __future__ import annotations

import asyncio
import os
import select
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tui.adapters import system
from tui.domain.ports import Trouble

GRACE = 2.0  # seconds between SIGTERM and SIGKILL
LIMIT = 64 << 20  # bytes of output


class NotInstalled(Trouble):
    """The program is not there or may not be executed."""


class TimedOut(Trouble):
    """The program was ended because it took too long."""


class TooMuch(Trouble):
    """The program was ended because it wrote more than allowed."""


class Stopped(Trouble):
    """The program was ended because nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended: exit code (negative: the signal) and what it wrote."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes

    @property
    def errors(self) -> str:
        """stderr as text; foreign text, to be shown as data only."""
        return self.err.decode("utf-8", "replace").strip()


def call(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    data: bytes = b"",
    timeout: float = 60.0,
    limit: int = LIMIT,
    keep: Sequence[int] = (),
    on_error_line: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    terminal: bool = False,
) -> Result:
    """Run a program to its end and return what it wrote, whatever its exit code.

    `data` is its stdin, `timeout` in seconds, `limit` the bytes of stdout and of stderr, `keep` file descriptors it
    inherits, `on_error_line` gets stderr line by line as it comes (a carriage return ends a line too). With
    `terminal` it stays in this session and may talk to the user. Raises NotInstalled, TimedOut, TooMuch, Stopped.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.PIPE if data else (None if terminal else subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(keep),
            start_new_session=not terminal,
            bufsize=0,
        )
    except OSError as error:
        missing = cwd is not None and not Path(cwd).is_dir()
        raise NotInstalled(f"{cwd} is not there" if missing else f"cannot run {argv[0]}: {error.strerror}") from error
    except ValueError as error:  # a NUL in an argument
        raise NotInstalled(f"cannot run {argv[0]}: {error}") from error
    streams = _Streams(process, data, limit, on_error_line)
    try:
        streams.pump(time.monotonic() + timeout, stop)
    except BaseException:
        _end(process, group=not terminal)
        raise
    finally:
        streams.close()
    return Result(tuple(argv), process.returncode, bytes(streams.out), bytes(streams.err))


async def run(argv: Sequence[str], *, on_error_line: Callable[[str], None] | None = None, **options: Any) -> Result:
    """`call` for coroutines: takes the same arguments and raises the same errors. Cancelling it ends the program.

    It works in any thread's event loop and never blocks it; `on_error_line` is called on the loop.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()
    stop = threading.Event()
    if on_error_line is not None:
        listener = on_error_line
        options["on_error_line"] = lambda line: loop.call_soon_threadsafe(listener, line)

    def settle(result: Result | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        elif result is not None:
            done.set_result(result)

    def work() -> None:
        result: Result | None = None
        failure: BaseException | None = None
        try:
            result = call(argv, stop=stop, **options)
        except BaseException as error:  # noqa: BLE001  handed over to the coroutine, which raises it
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=f"run {Path(argv[0]).name}", daemon=True).start()
    try:
        return await done
    finally:
        stop.set()


class _Streams:
    """The three pipes of a running program, moved without ever blocking on one of them."""

    def __init__(
        self, process: subprocess.Popen[bytes], data: bytes, limit: int, on_error_line: Callable[[str], None] | None
    ) -> None:
        self.process = process
        self.out = bytearray()
        self.err = bytearray()
        self._data = memoryview(data)
        self._limit = limit
        self._listener = on_error_line
        self._partial = b""
        self._selector = selectors.DefaultSelector()
        for pipe, events in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
            (process.stderr, selectors.EVENT_READ),
        ):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, events)

    def pump(self, deadline: float, stop: threading.Event | None) -> None:
        """Move bytes until the program has ended. A daemon it left behind may keep a pipe open: not waited for."""
        ended_at = 0.0
        while self._selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(f"{Path(str(self.process.args[0])).name} took too long and was ended")  # type: ignore[index]
            if stop is not None and stop.is_set():
                raise Stopped("given up")
            for key, _ in self._selector.select(min(left, 0.1)):
                self._move(key.fileobj)  # type: ignore[arg-type]
            if ended_at or self.process.poll() is not None:
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > 0.3:
                    break
        try:
            _ended(self.process, max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise TimedOut("the program closed its output but did not end, and was ended") from error
        if self._listener is not None and self._partial:
            self._listener(self._partial.decode("utf-8", "replace"))

    def close(self) -> None:
        self._selector.close()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _move(self, pipe: IO[bytes]) -> None:
        if pipe is self.process.stdin:
            self._feed(pipe)
            return
        try:
            chunk = os.read(pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return
        if not chunk:
            self._selector.unregister(pipe)
            return
        held = self.out if pipe is self.process.stdout else self.err
        held += chunk
        if len(held) > self._limit:
            raise TooMuch(f"more than {self._limit >> 20} MiB of output, given up")
        if held is self.err and self._listener is not None:
            *lines, self._partial = (self._partial + chunk).replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                if line:
                    self._listener(line.decode("utf-8", "replace"))

    def _feed(self, pipe: IO[bytes]) -> None:
        try:
            self._data = self._data[os.write(pipe.fileno(), self._data[: 1 << 16]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it does not want the rest; its exit code tells why
            self._data = self._data[:0]
        if not self._data:
            self._selector.unregister(pipe)
            pipe.close()


def _ended(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the end of a program, told by the kernel where it can: `Popen.wait` looks, sleeps and looks again."""
    if process.returncode is None and hasattr(os, "pidfd_open"):
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:  # gone already, or a kernel without it
            descriptor = -1
        if descriptor >= 0:
            try:
                poll = select.poll()  # not select: it takes no descriptors from 1,024 on
                poll.register(descriptor, select.POLLIN)
                poll.poll(seconds * 1000)
            finally:
                os.close(descriptor)
    process.wait(seconds)


def _end(process: subprocess.Popen[bytes], group: bool) -> None:
    """End a program and, when it leads its own session, all that it started."""

    system.end(process, group=group, now=False)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    else:
        if not group:
            return
    system.end(process, group=group, now=True)
    process.wait()
