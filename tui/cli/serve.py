"""`fleet serve`: the screen in a browser, to look at and nothing else."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import click

from tui.cli.options import Options

_OPEN = """\
This is served to the network, not to this machine alone. Whoever gets the address below sees what your kubeconfigs let
you see, until you end this; and because it is plain HTTP, whoever can read the traffic gets the address and the screen.
`ssh -L {port}:127.0.0.1:{port} HOST` to a server on 127.0.0.1 has neither risk.
"""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Else one that is free.")
@click.option("--open-to-network", is_flag=True, help="Allow an address that other machines can reach.")
@click.option("--sessions", type=click.IntRange(1, 64), default=4, show_default=True, help="Screens open at once.")
@click.option("--screen", is_flag=True, hidden=True)
@click.pass_obj
def serve(options: Options, host: str, port: int, open_to_network: bool, sessions: int, screen: bool) -> None:
    """Show the screen in a browser, read-only: nothing is edited, drafted, pushed or saved there.

    Prints one address with a token that is made anew at each start; without it nobody gets in. Every page that is open
    is a process of its own that watches the fleet. Needs `pip install 'fleet-tui[serve]'`.
    """
    options = replace(options, read_only=True)
    if screen:
        os.environ["TEXTUAL_DRIVER"] = "tui.ui.served:ServedDriver"  # read when Textual is imported
        from tui.cli.screen import open_screen

        open_screen(options, served=True)
        return
    try:
        from tui.adapters.browser import Browser, listening, loopback
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("textual_serve", "aiohttp_jinja2", "jinja2"):
            raise
        raise click.UsageError("fleet serve needs textual-serve: pip install 'fleet-tui[serve]'") from error
    try:
        if not loopback(host) and not open_to_network:
            raise click.UsageError(
                f"--host {host}: other machines can reach that; say so with --open-to-network, or better, "
                "leave it at 127.0.0.1 and use ssh -L"
            )
        bound = listening(host, port)
    except OSError as error:
        raise click.UsageError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    port = bound.getsockname()[1]
    browser = Browser([sys.executable, "-m", "tui", *arguments(options), "serve", "--screen"], host, port, sessions)
    if not loopback(host):
        click.echo(_OPEN.format(port=port), err=True)
    click.echo(f"fleet, read-only, in a browser; Ctrl-C ends it:\n{browser.url}")
    browser.run(bound)


def arguments(options: Options) -> list[str]:
    """The options every command shares, as they are written on a command line."""
    made = [f"--context={glob}" for glob in options.contexts]
    made += [f"--repo={folder.expanduser().absolute()}" for folder in options.repositories]
    for name, value in (
        ("kubeconfig", options.kubeconfig),
        ("config", options.config),
        ("state", options.state),
        ("theme", options.theme),
        ("log", options.log),
        ("log-level", options.log_level),
    ):
        if value:
            made.append(f"--{name}={value}")
    return [*made, *(["--read-only"] if options.read_only else [])]
