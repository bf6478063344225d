"""One text file of the user's: read whole, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from tui.adapters import system
from tui.domain.yamledit import Unreadable, decode
from tui.domain.yamledit.split import MAX_TEXT


class TextFile(msgspec.Struct, frozen=True):
    """A file as it was read: `path` with symbolic links resolved, `stamp` what tells whether it changed since."""

    path: Path
    text: str
    stamp: tuple[int, int, int, int]


def read_bounded(stream: BinaryIO) -> str:
    """The text of a stream, a byte order mark kept. Raises Unreadable for what is too large or not UTF-8."""
    size = os.fstat(stream.fileno())
    if stat.S_ISREG(size.st_mode) and size.st_size > MAX_TEXT:
        raise Unreadable(f"the file has {size.st_size >> 20} MB; fleet edits files up to {MAX_TEXT >> 20} MB")
    data = stream.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise Unreadable(f"the text has more than {MAX_TEXT >> 20} MB, the most that fleet edits")
    return decode(data)


def read(path: Path) -> TextFile:
    """Reads a file. Raises OSError, and Unreadable as `read_bounded` does."""
    target = Path(os.path.realpath(path))
    with target.open("rb") as file:
        return TextFile(target, read_bounded(file), _stamp(os.fstat(file.fileno())))


def write(before: TextFile, text: str) -> None:
    """Puts another text in the place of the file that was read: a new file beside it, synced, takes over its name.

    Symbolic links keep pointing at it; mode and, where allowed, owner stay. Whatever happens, the name stands for the
    old text or the new one. Raises OSError, also when the file is read-only or is no regular file any more, and
    FileExistsError when somebody else changed it since.
    """
    path = before.path
    now = path.stat()
    if not stat.S_ISREG(now.st_mode):
        raise OSError("it is no regular file and cannot be replaced")
    if not os.access(path, os.W_OK):
        raise PermissionError("it is read-only")
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".fleet", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            with suppress(PermissionError, AttributeError):  # files of Windows have no owner of this kind
                os.fchown(handle, now.st_uid, now.st_gid)
            system.for_me_alone(handle, stat.S_IMODE(now.st_mode))
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(handle)
        if _stamp(path.stat()) != before.stamp:
            raise FileExistsError("it was changed by somebody else meanwhile; nothing was written")
        os.replace(name, path)  # noqa: PTH105 - says what happens
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _sync_folder(folder: Path) -> None:
    """Makes the new name last through a power loss, where the file system can do that for a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
