"""`fleet demo`: a living fleet on this machine, and the screen on it. Needs nothing but Python and git."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import click

import tui
from tui.cli.options import Options

PATIENCE = 20.0  # seconds that the served fleet may take to end before it is killed


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the demo may be told. `state` None: everything is gone afterwards."""

    clusters: int | None = None
    apps: int | None = None
    seed: int = 1
    state: Path | None = None
    speed: float = 1.0
    rate: float = 0.0
    calm: bool = False
    serve: bool = False
    tour: bool = False

    def arguments(self) -> list[str]:
        """As `tui.demo.serve` takes them."""
        given = [f"--seed={self.seed}", f"--speed={self.speed}", f"--rate={self.rate}"]
        for name, value in (("clusters", self.clusters), ("apps", self.apps), ("state", self.state)):
            if value is not None:
                given.append(f"--{name}={value}")
        return [*given, *(["--calm"] if self.calm else [])]


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the served fleet is."""

    kubeconfig: Path
    repository: Path
    state: Path


Screen = Callable[[Ready], None]


def run_demo(options: DemoOptions, start_screen: Screen) -> None:
    """Serve in this process, or serve in a child and show the screen on it until the user leaves.

    Raises click.ClickException with the child's last words when it does not come up.
    """
    if options.serve:
        from tui.demo.serve import main

        main(options.arguments())
        return
    with served(options) as ready:
        start_screen(ready)


@contextmanager
def served(options: DemoOptions) -> Iterator[Ready]:
    """A child process that serves the fleet; it ends with the block, and with this process whatever happens to it."""
    command = [sys.executable, "-m", "tui.demo.serve", *options.arguments(), f"--parent-pid={os.getpid()}"]
    package = str(Path(tui.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
    with tempfile.TemporaryFile() as words:
        # A session of its own: Ctrl-C at the screen is the screen's, and its terminal is never painted over.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        try:
            yield _ready(child, words)
        finally:
            _end(child)


def _ready(child: subprocess.Popen[bytes], words: IO[bytes]) -> Ready:
    assert child.stdout is not None
    line = _first_line(child.stdout)
    try:
        said: dict[str, Any] = json.loads(line)
        return Ready(Path(said["kubeconfig"]), Path(said["repository"]), Path(said["state"]))
    except (ValueError, KeyError) as error:
        child.wait()
        words.seek(0)
        last = words.read().decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise click.ClickException(f"the demo did not start: {last[0]}") from error


def _first_line(stream: IO[bytes]) -> bytes:
    """The first line of the child, with a sign of life on stderr while it takes its time."""
    if not sys.stderr.isatty():
        return stream.readline()
    done = threading.Event()

    def show() -> None:
        seconds = 0
        while not done.wait(0.2 if not seconds else 1.0):
            sys.stderr.write(f"\r\x1b[KStarting the demo's clusters{'.' * (seconds % 4)}")
            sys.stderr.flush()
            seconds += 1

    shower = threading.Thread(target=show, daemon=True)
    shower.start()
    try:
        return stream.readline()
    finally:
        done.set()
        shower.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout:
        child.stdout.close()


class _Demo(click.Group):
    """Its one command is imported when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["fault"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "fault":
            return None
        from tui.cli.fault import fault

        return fault


@click.command(cls=_Demo, invoke_without_command=True)
@click.option("--serve", is_flag=True, help="No screen: print one line of JSON when ready, serve until SIGTERM.")
@click.option("--clusters", type=click.IntRange(1, 2000), metavar="N", help="How many clusters.")
@click.option("--apps", type=click.IntRange(0, 100_000), metavar="N", help="How many Applications.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which fleet: the same seed, the same fleet.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep it between runs.")
@click.option("--speed", type=click.FloatRange(0.01, 1000), default=1.0, metavar="X", help="Hurry its clock.")
@click.option("--rate", type=click.FloatRange(0, 100_000), default=0.0, metavar="R", help="Object changes a second.")
@click.option("--calm", is_flag=True, help="Nothing happens by itself.")
@click.option("--tour", is_flag=True, help="Begin with a tour of ten steps, by doing; `:tour` is the same.")
@click.pass_context
def demo(ctx: click.Context, **given: Any) -> None:
    """A living fleet on this machine: clusters, Argo CD, a Git repository, and the screen on them.

    No network, no container, no cluster. With --state it is kept between runs; otherwise nothing is left behind.
    `fleet demo fault`, in another terminal, gives its clusters bad weather while it runs.
    """
    if ctx.invoked_subcommand is not None:
        return
    show(ctx.obj, DemoOptions(**given))


def show(obj: Options, options: DemoOptions) -> None:
    """The demo, with the screen on it unless it only serves."""

    def screen(ready: Ready) -> None:
        from tui.cli.screen import open_screen

        kept = obj.state or ready.state / "fleet"
        kubeconfig, repositories = str(ready.kubeconfig), (ready.repository, *obj.repositories)
        open_screen(replace(obj, kubeconfig=kubeconfig, repositories=repositories, state=kept), tour=options.tour)

    run_demo(options, screen)
