"""The log: what fleet did and what went wrong, without what it read.

There is none unless the user asks for it with `--log`. It names clusters, paths of requests, kinds of errors and how
long things took; bodies, headers, queries, tokens and the texts of unforeseen errors are never in it.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from io import TextIOWrapper
from pathlib import Path

from tui.adapters import system
from tui.domain import failure, redact

LEVELS = ("debug", "info", "warning", "error")
BYTES = 4 << 20  # of the file; then it becomes FILE.1 and another is begun
LONGEST = 2000  # characters of a message
_OURS = ("fleet", "asyncio")  # other libraries log contents


class Safe(logging.Formatter):
    """One line a message, credentials masked and nothing a terminal would act on; errors as `failure` has them."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Without `exc_text`, which other formatters keep at the record and fill with everything."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        said = redact.words(_said(record)[:LONGEST])
        plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in said)
        line = f"{self.formatTime(record)} {record.levelname:7} {record.name}: {plain}"
        return line if error is None else f"{line}\n{failure.report(error)}"


def _said(record: logging.LogRecord) -> str:
    """The message. Of asyncio's only the first line: the others are the representations of tasks and callbacks."""
    said = record.getMessage()
    return said.partition("\n")[0] if record.name == "asyncio" else said


def ours(record: logging.LogRecord) -> bool:
    """Whether a record may be in the log."""
    return record.name.partition(".")[0] in _OURS


def calm() -> None:
    """What goes wrong is told on stderr without contents where there is no log, and where a thread ends by it."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Safe())
    threading.excepthook = _thread_failed


def _thread_failed(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        logging.getLogger("fleet").critical("a thread has failed", exc_info=found.exc_value)


def start(path: Path, level: str) -> None:
    """Log to this file from now on, at one of LEVELS. Raises OSError when it cannot be written or is no file."""
    from logging.handlers import RotatingFileHandler

    class Private(RotatingFileHandler):
        """A bounded file that only this user may read; never one that a link leads to."""

        def _open(self) -> TextIOWrapper:
            def opener(name: str, flags: int) -> int:
                return os.open(name, flags | system.NO_LINK, 0o600)

            made = open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=opener)  # noqa: SIM115
            status = os.fstat(made.fileno())
            if not stat.S_ISREG(status.st_mode):
                made.close()
                raise OSError(22, "it is no regular file")
            if status.st_mode & 0o077:
                system.for_me_alone(made.fileno())
            return made

        def handleError(self, record: logging.LogRecord) -> None:
            """A full disk must not write on the screen; the lines are missing then."""

    handler = Private(path.expanduser(), maxBytes=BYTES, backupCount=1)
    handler.setFormatter(Safe())
    handler.addFilter(ours)
    logging.getLogger().addHandler(handler)
    logging.getLogger("fleet").setLevel(level.upper())
