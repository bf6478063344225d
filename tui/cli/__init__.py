"""The command line: wires adapters, the running fleet and the screen together, or prints a report."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def main() -> None:
    """Entry point of the `fleet` command. Exit code 3 when what it has to say cannot be written."""
    _mend_streams()
    from tui.cli.commands import fleet

    try:
        try:
            fleet(prog_name="fleet", complete_var="_FLEET_COMPLETE")
        finally:
            sys.stdout.flush()
    except OSError as error:  # a full disk behind standard output, a folder that may not be written
        from tui.cli.output import complain

        complain(str(error))
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the interpreter's last flush
        sys.exit(3)


def _mend_streams() -> None:
    """Output that never fails for its encoding: what a locale has no character for is written as an escape."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - until the program ends
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
