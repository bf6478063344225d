"""A program in a real pseudo-terminal, and the screen a person would see of it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "backspace": "\x7f", "space": " ",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}  # fmt: skip


class Terminal:
    """Starts `argv` in a pty of its own and keeps the screen it draws. Use as a context manager."""

    def __init__(
        self,
        argv: Sequence[str],
        columns: int = 120,
        lines: int = 36,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.started = time.perf_counter()
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.bytes = 0  # how much the program has written
        self.raw = bytearray()  # the last of it, for messages
        full = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        full.pop("NO_COLOR", None) if not env or "NO_COLOR" not in env else None
        size = struct.pack("HHHH", lines, columns, 0, 0)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)  # before the program may ask for it
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(argv[0], list(argv), full)
            finally:
                os._exit(127)
        self.status: int | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def pump(self, seconds: float) -> bool:
        """Take in what the program writes within `seconds`; False when it has ended."""
        ready, _, _ = select.select([self.fd], [], [], max(0.0, seconds))
        if not ready:
            return True
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        if not data:
            return False
        self.bytes += len(data)
        self.raw = (self.raw + data)[-65536:]
        self._stream.feed(data)
        return True

    def text(self) -> str:
        """The screen as text, one line a row, trailing blanks cut."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, what: str | Callable[[str], object], seconds: float = 60.0) -> str:
        """Wait until the screen shows a text or satisfies a condition; returns the screen. AssertionError otherwise."""
        end = time.monotonic() + seconds
        found = what if callable(what) else lambda screen: what in screen
        while True:
            text = self.text()
            if found(text):
                return text
            left = end - time.monotonic()
            if left <= 0 or not self.pump(left):
                if found(self.text()):
                    return self.text()
                raise AssertionError(f"the screen never showed {what!r}; it shows:\n{self.text()}")

    def press(self, *keys: str) -> None:
        """Type keys by name (`enter`, `ctrl+s`) or as they are."""
        for key in keys:
            os.write(self.fd, KEYS.get(key, key).encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the terminal."""
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def wait_end(self, seconds: float = 60.0) -> int:
        """Wait for the program to end; returns its exit code."""
        end = time.monotonic() + seconds
        while self.pump(min(0.2, end - time.monotonic())):
            if time.monotonic() > end:
                raise AssertionError(f"the program did not end; it shows:\n{self.text()}")
            if self._reap(os.WNOHANG):
                break
        self._reap(0)
        while select.select([self.fd], [], [], 0.2)[0] and self.pump(0):
            pass  # its last words
        assert self.status is not None
        return os.waitstatus_to_exitcode(self.status)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def close(self) -> None:
        """End the program, gently at first."""
        if self.status is None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                if self._reap(os.WNOHANG):
                    break
                os.kill(self.pid, number)
                end = time.monotonic() + 10
                while time.monotonic() < end and not self._reap(os.WNOHANG):
                    if not self.pump(0.05):
                        self._reap(0)
        os.close(self.fd)

    def _reap(self, flags: int) -> bool:
        if self.status is None:
            pid, status = os.waitpid(self.pid, flags)
            if pid:
                self.status = status
        return self.status is not None
