"""`fleet demo fault`: bad weather for the clusters of a demo that is running, to rehearse it."""

from __future__ import annotations

import json
import socket
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

PATIENCE = 30.0  # seconds for an answer; a demo of hundreds of clusters may be busy


@click.command()
@click.argument("name", required=False, default="")
@click.argument("clusters", nargs=-1)
@click.option("--for", "seconds", type=click.FloatRange(0.1, 86_400), metavar="S", help="End it after so many seconds.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="As the demo was given.")
@click.pass_context
def fault(ctx: click.Context, name: str, clusters: tuple[str, ...], seconds: float | None, state: Path | None) -> None:
    """Give the clusters of a running demo bad weather: NAME on every CLUSTER (contexts or patterns such as 'prod-*').

    Without NAME: every weather there is, and where it is bad now. `clear` ends it, on all clusters when none is named.
    It lasts until then, or for the seconds given with --for. Only a demo of your own is reached, through a socket in
    its folder; clusters of others cannot be.
    """
    from tui.demo.apiserver.weather import WEATHER
    from tui.demo.control import CLEAR

    if name not in ("", CLEAR, *WEATHER):
        raise click.UsageError(f"there is no weather called {name!r}; `fleet demo fault` lists them")
    if name not in ("", CLEAR) and not clusters:
        raise click.UsageError(f"which cluster? Name its context, or '*' for all: fleet demo fault {name} '*'")
    state = state or (ctx.parent.params.get("state") if ctx.parent else None)
    path = _socket(state)
    if path is None and not name:  # there is still something to tell
        said: dict[str, Any] = {"weather": {}, "met": []}
    else:
        said = _ask(path or _none(state), {"fault": name, "clusters": clusters or ["*"], "seconds": seconds})
    if "error" in said:
        raise click.ClickException(said["error"])
    if not name:
        for each, kind in WEATHER.items():
            click.echo(f"{each:<14} {kind.words}")
        click.echo()
    elif name != CLEAR:
        lasts = WEATHER[name].lasts
        until = f" for {seconds:g} s" if seconds and lasts else " until `fleet demo fault clear`" if lasts else ""
        click.echo(f"{name} on {_counted(said['met'])}{until}: {WEATHER[name].words}")
    _show(said["weather"] if path is not None else None)


def _show(weather: dict[str, str] | None) -> None:
    if weather is None:
        click.echo("No demo of yours is running.")
        return
    for name in sorted(set(weather.values())):
        click.echo(f"now: {name} on {_counted(context for context, what in weather.items() if what == name)}")
    if not weather:
        click.echo("now: fair weather everywhere")


def _counted(contexts: Iterable[str]) -> str:
    names = list(contexts)
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more clusters"


def _none(state: Path | None) -> Path:
    where = f" in {state}" if state else "; name the --state of one that has it"
    raise _Unreached(f"no demo of yours is running{where} (`fleet demo`, or `fleet demo --serve`)")


class _Unreached(click.ClickException):
    exit_code = 3


def _socket(state: Path | None) -> Path | None:
    """The socket of the demo in this folder or, without one, of the only one that lives in a temporary folder."""
    from tui.demo.control import place

    if state is not None:
        return place(state) if place(state).exists() else None
    found = [place(folder) for folder in Path(tempfile.gettempdir()).glob("fleet-demo-*") if _mine(folder)]
    found = [path for path in found if path.exists()]
    if len(found) > 1:
        names = "\n".join(f"  --state {path.parent.parent}" for path in found)
        raise click.UsageError(f"several demos are running; say which:\n{names}")
    return found[0] if found else None


def _mine(folder: Path) -> bool:
    """Whether nobody else could have put something there."""
    try:
        about = folder.stat(follow_symlinks=False)
    except OSError:
        return False
    from tui.adapters import system

    return stat.S_ISDIR(about.st_mode) and system.mine(about) and not about.st_mode & 0o077


def _ask(path: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request. Raises ClickException."""
    try:
        if not hasattr(socket, "AF_UNIX"):
            raise _Unreached("this system has no sockets that a demo takes commands from")
        with socket.socket(socket.AF_UNIX) as there, there.makefile("rwb") as lines:
            there.settimeout(PATIENCE)
            there.connect(str(path))
            lines.write(json.dumps(asked).encode() + b"\n")
            lines.flush()
            said = json.loads(lines.readline())
    except (OSError, ValueError) as error:
        raise _Unreached(f"the demo in {path.parent.parent} does not answer: {error}") from None
    return said if isinstance(said, dict) else {"error": "the demo answered with something else"}
