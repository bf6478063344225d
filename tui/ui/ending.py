"""Signals that end the program: the screen is left in order, children are ended, the terminal is given back.

This runs before the first frame, so that next to nothing is imported.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from typing import Any

    from tui.ui.app import FleetApp
    from tui.ui.frame import Terminal

PATIENCE = 8.0  # seconds for an orderly end
PATIENCE_WITHOUT_TERMINAL = 2.0  # painting on a terminal that is gone holds it up for ever


class Ending:
    """From its making on, SIGTERM, SIGHUP and SIGINT end the program in order. `app` is told once there is one.

    SIGINT comes only while the terminal still makes one of Ctrl-C, before Textual has it, or from outside.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.app: FleetApp | None = None
        self.number = 0  # the signal that came; 0 = none
        self._terminal = terminal
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            if (number := getattr(signal, name, None)) is not None:
                signal.signal(number, self._asked)
        self._told_unraisable, sys.unraisablehook = sys.unraisablehook, self._unraisable

    @property
    def code(self) -> int:
        """The exit code by the convention of shells; 0 when no signal came."""
        return 128 + self.number if self.number else 0

    def check(self) -> None:
        """End now when a signal came where the interpreter drops exceptions. Raises SystemExit."""
        if self.number:
            raise SystemExit(self.code)

    def _asked(self, number: int, frame: Any) -> None:
        again, self.number = self.number, number
        if self.app is None:
            raise SystemExit(self.code)
        import asyncio
        import threading

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise SystemExit(self.code) from None
        if not again:
            gone = number == getattr(signal, "SIGHUP", None)
            timer = threading.Timer(PATIENCE_WITHOUT_TERMINAL if gone else PATIENCE, self._at_once)
            timer.daemon = True
            timer.start()
        loop.call_soon_threadsafe(self.app.exit)

    def _unraisable(self, dropped: Any) -> None:
        if dropped.exc_type is not SystemExit:  # else `check` ends the program
            self._told_unraisable(dropped)

    def _at_once(self) -> None:
        try:
            self._terminal.leave()
        finally:
            os._exit(self.code)
