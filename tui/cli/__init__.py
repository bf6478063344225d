"""The command line: wires adapters, the running fleet and the screen together, or prints a report."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `fleet` command."""
    from tui.cli.commands import fleet

    fleet(prog_name="fleet", complete_var="_FLEET_COMPLETE")
