"""A fault nobody foresaw, in words that may be passed on: where it happened and what kind it is, never with contents.

Python's own reports print the error's text, Rich's even the variables: both may hold an object or a credential.
"""

from __future__ import annotations

import os
import traceback

from tui.domain import redact
from tui.domain.ports import Trouble

# Their texts are made of names, types and paths; those of ValueError, KeyError and all others quote what was read.
_TELLING = (
    AttributeError, NameError, TypeError, ImportError, IndexError, RecursionError, MemoryError, NotImplementedError,
    OSError, Trouble,
)  # fmt: skip
_FRAMES = 60  # of each error, the last ones


def words(error: BaseException) -> str:
    """The kind of an error, with its text where that says nothing of what was being read."""
    kind = type(error).__name__
    if isinstance(error, _TELLING) and not isinstance(error, UnicodeError) and (said := str(error)):
        return f"{kind}: {redact.words(said)}"
    return kind


def report(error: BaseException) -> str:
    """Several lines: the calls that led to an error and to those behind it, and what kind each is."""
    lines: list[str] = []
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if lines:
            lines.append("caused by")
        frames = list(traceback.walk_tb(found.__traceback__))[-_FRAMES:]
        lines += [f"  {_file(frame.f_code.co_filename)}:{number} {frame.f_code.co_name}" for frame, number in frames]
        lines.append(words(found))
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return "\n".join(lines)


def _file(path: str) -> str:
    """The file from its package on: the folders above it name the user."""
    parts = path.replace(os.sep, "/").split("/")
    for mark in ("site-packages", "dist-packages"):
        if mark in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(mark) :])
    return "/".join(parts[parts.index("tui") :]) if "tui" in parts else "/".join(parts[-2:])
