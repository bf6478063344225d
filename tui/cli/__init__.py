"""The command line: wires adapters, the running fleet and the screen together, or prints a report."""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper

TYPE_CHECKING = False  # as `typing` has it, which takes as long to import as Python to start
if TYPE_CHECKING:
    from tui.ui import Stage


def main() -> None:
    """Entry point of the `fleet` command. Exit code 3 when what it has to say cannot be written."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules are imported needs no traceback
    _mend_streams()
    sys.excepthook = _crashed
    from tui.cli.early import first_frame

    stage = first_frame(sys.argv[1:], os.environ)
    try:
        _command(stage)
    except BaseException:
        if stage is not None:
            stage.leave()
        raise


def _command(stage: Stage | None) -> None:
    from tui.cli.commands import fleet

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            fleet(prog_name="fleet", complete_var="_FLEET_COMPLETE", obj=stage)
        finally:
            sys.stdout.flush()
    except OSError as error:  # a full disk behind standard output, a folder that may not be written
        from tui.cli.output import complain

        if stage is not None:
            stage.leave()
        complain(str(error))
        sys.stdout = _nowhere()  # for the interpreter's last flush
        sys.exit(3)


def _crashed(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """Tell of what ends the program unforeseen; Python's own report quotes what was being read."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, error.__traceback__)
        return
    from tui.domain import failure

    sys.stderr.write(f"fleet: an error nobody foresaw\n{failure.report(error)}\n")


def _mend_streams() -> None:
    """Output that never fails for its encoding: what a locale has no character for is written as an escape."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this
            setattr(sys, name, _nowhere())
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIOWrapper:
    return open(os.devnull, "w")  # noqa: PTH123 - pathlib takes time that every start would pay
