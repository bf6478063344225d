"""The commands of `fleet`."""

from __future__ import annotations

import click

from tui import __version__


@click.group(invoke_without_command=True)
@click.version_option(__version__, prog_name="fleet")
def fleet() -> None:
    """Watch a fleet of Kubernetes clusters; change it through Git."""
