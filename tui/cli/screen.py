"""`fleet` without a command: the screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tui.cli.options import Options

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet


def open_screen(options: Options) -> None:
    """Show the fleet until the user leaves."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the screen needs a terminal; scripts use `fleet get`, `fleet events` and `fleet draft`")
    from tui.cli.wire import assemble, settings_of
    from tui.ui import run

    settings = settings_of(options)

    def factory() -> Fleet:
        return assemble(options, settings)

    run(factory, settings)
