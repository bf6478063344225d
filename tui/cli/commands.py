"""The commands of `fleet`; each lives in a module of its own, imported when it is called."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from tui import __version__
from tui.cli.options import Options

LAZY = {
    "completion": "tui.cli.completion:completion",
    "config": "tui.cli.config:config",
    "demo": "tui.cli.demo:demo",
    "describe": "tui.cli.describe:describe",
    "doctor": "tui.cli.doctor:doctor",
    "draft": "tui.cli.draft:draft",
    "events": "tui.cli.events:events",
    "get": "tui.cli.get:get",
    "logs": "tui.cli.logs:logs",
    "policy": "tui.cli.policy:policy",
    "serve": "tui.cli.serve:serve",
    "yaml": "tui.cli.yaml:yaml",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(LAZY)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in LAZY:
            return None
        module, _, attribute = LAZY[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.command(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kubeconfig", metavar="FILES", help="Kubeconfig file(s), separated as in KUBECONFIG, used instead.")
@click.option("--context", "contexts", metavar="GLOB", multiple=True, help="Only contexts that match; may be repeated.")
@click.option(
    "--repo",
    "repositories",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A clone of a repository that Applications use; it is only read. May be repeated.",
)
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--state", metavar="DIR", type=click.Path(path_type=Path), help="Keep drafts, events and journals here.")
@click.option("--theme", metavar="NAME", help="Theme of the screen.")
@click.option("--read-only", is_flag=True, help="Begin, change and push no draft, whatever the configuration says.")
@click.option(
    "--log",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write what fleet does and what goes wrong, but no contents, to FILE: for you alone, 8 MiB at most.",
)
@click.option(
    "--log-level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="info",
    help="The least that is logged; debug has every request. The default is info.",
)
@click.version_option(__version__, prog_name="fleet")
@click.pass_context
def fleet(ctx: click.Context, **given: Any) -> None:
    """Watch a fleet of Kubernetes clusters, Argo CD Applications and Cilium policies; change it through Git.

    Without a command the screen opens. Nothing here ever changes a cluster: edits become Git commits.

    Exit codes: 0 fine, 1 nothing found or differences where a command says so, 2 wrong usage, 3 something could not
    be reached or read (what could be is still printed).
    """
    stage, ctx.obj = ctx.obj, Options(**given)
    if ctx.obj.log is not None:
        from tui.adapters import logfile

        try:
            logfile.start(ctx.obj.log, ctx.obj.log_level)
        except OSError as error:
            if stage is not None:
                stage.leave()
            raise click.UsageError(f"--log {ctx.obj.log}: {error.strerror or error}") from error
    if ctx.invoked_subcommand is None:
        from tui.cli.screen import open_screen

        open_screen(ctx.obj, stage)
