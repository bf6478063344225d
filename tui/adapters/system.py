"""What systems do in different ways: locks of files, groups of processes, whose a file is. Windows has its own."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from typing import Protocol

BINARY: int = getattr(os, "O_BINARY", 0)
"""For `os.open` wherever bytes are meant: Windows changes line ends without it."""
NO_LINK: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""For `os.open` of what may be neither a link nor a pipe, where that can be said."""
_FAR = 0x7FFF_0000  # Windows locks bytes, and nobody else can then read them: one that no file of ours reaches


def lock(descriptor: int) -> bool:
    """Lock an open file for this process and those that inherit it; False when another has it. Raises OSError."""
    try:
        import fcntl
    except ImportError:
        return _lock_byte(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EINTR):
            raise
        return False
    return True


def _lock_byte(descriptor: int) -> bool:
    import msvcrt

    at = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EDEADLK):
            raise
        return False
    finally:
        os.lseek(descriptor, at, os.SEEK_SET)
    return True


def for_me_alone(descriptor: int, mode: int = 0o600) -> None:
    """Set the mode of an open file, where files have one."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def mine(status: os.stat_result) -> bool:
    """Whether a file is this user's; files that have no owner are."""
    return not hasattr(os, "getuid") or status.st_uid == os.getuid()


class Process(Protocol):
    """A child of `subprocess` or of `asyncio`."""

    @property
    def pid(self) -> int: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def end(process: Process, *, group: bool, now: bool) -> None:
    """Tell a child to end, or end it `now`; with `group` all that it has started too. One that is gone is fine."""
    with contextlib.suppress(ProcessLookupError):
        if group and hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL if now else signal.SIGTERM)
        elif now:
            process.kill()
        else:
            process.terminate()
