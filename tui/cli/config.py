"""`fleet config`: the configuration file: written, described to editors, checked; and every action that has a key."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tui.adapters.config import Config
    from tui.cli.options import Options

WRONG = 1  # exit code: the configuration has mistakes


@click.group()
def config() -> None:
    """The configuration file: write one that explains itself, check it, describe it to editors, list all keys."""


@config.command()
@click.option("--stdout", "printed", is_flag=True, help="Print it instead.")
@click.pass_obj
def init(options: Options, printed: bool) -> None:
    """Write a configuration that changes nothing and explains every setting, and beside it the schema for editors.

    A configuration that is there is left alone; its schema is written anew.
    """
    from tui.cli.wire import places
    from tui.domain.settingsfile import SCHEMA_FILE, commented

    if printed:
        sys.stdout.write(commented())
        return
    path = places(options).config
    schema = path.with_name(SCHEMA_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    schema.write_text(_schema(), encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(commented())
    except FileExistsError:
        click.echo(f"{schema}: written; {path} was there and is as it was (--stdout prints what would be written)")
        line = f"# yaml-language-server: $schema=./{SCHEMA_FILE}"
        if line not in path.read_text(encoding="utf-8", errors="replace"):
            click.echo(f"for editors to know the schema, put this into its first line:\n{line}")
        return
    click.echo(f"{path}: written, with {SCHEMA_FILE} beside it; `fleet config check` says what is wrong in it")


@config.command()
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there.")
def schema(output: Path | None) -> None:
    """Print the JSON schema of the configuration, for editors: completion, explanations and mistakes as you type."""
    if output is None:
        sys.stdout.write(_schema())
    else:
        output.write_text(_schema(), encoding="utf-8")


def _schema() -> str:
    from tui.domain.settingsfile import schema as made
    from tui.ui.keys import ACTIONS, BY_EVENT, MOVES

    actions = {action.id: action.help for action in (*ACTIONS, *MOVES) if action.id not in BY_EVENT}
    return json.dumps(made({"keys": actions}), indent=2, ensure_ascii=False) + "\n"


@config.command()
@click.pass_obj
def check(options: Options) -> None:
    """Say what is wrong in the configuration, with file and line, and what to do.

    Exit code 1 when something is.
    """
    from tui.adapters.config import BadConfig, read_config
    from tui.adapters.themes import ThemeFolder
    from tui.cli.screen import take_themes
    from tui.cli.wire import places

    path = options.config or places(options).config
    if not path.exists():
        click.echo(f"{path}: there is no such file: everything is at its default; `fleet config init` writes one")
        return
    try:
        themes = take_themes(ThemeFolder(places(options).themes))
        found = [*problems(read_config(path)), *themes]
    except BadConfig as error:
        found = [str(error)]
    for line in found:
        click.echo(line)
    if found:
        sys.exit(WRONG)
    click.echo(f"{path}: nothing is wrong")


def problems(read: Config) -> Iterator[str]:
    """What a configuration that can be read asks for and cannot have, a line each."""
    from tui.adapters.config import BadConfig, read_templates
    from tui.domain.kinds import find
    from tui.ui import keytable, themes

    settings = read.settings
    if settings.theme not in themes.PALETTES:
        there = ", ".join(themes.PALETTES)
        yield f"{read.place(['theme'])}: there is no theme {settings.theme}; themes: {there}"
    for problem in keytable.of(settings)[1]:
        yield f"{read.place(problem.where)}: {problem.text}"
    for at, repository in enumerate(settings.repositories):
        if not Path(repository.path).expanduser().is_dir():
            yield f"{read.place(['repositories', at, 'path'])}: {repository.path}: no such folder"
    for at, column in enumerate(settings.columns):
        if find(column.kind) is None:
            yield (
                f"{read.place(['columns', at, 'kind'])}: columns are for the kinds that fleet itself knows, which "
                f"{column.kind} is not: `fleet get` completes them; of others the API server says the columns"
            )
    for at, command in enumerate(settings.commands):
        if shutil.which(command.run[0]) is None:
            yield f"{read.place(['commands', at, 'run'])}: {command.run[0]}: no such program on the PATH"
    try:
        read_templates(settings)
    except BadConfig as error:
        yield f"{read.place(['templates'])}: {error}"


@config.command()
@click.option("--preset", metavar="NAME", help="Of another preset: fleet, k9s, lazygit, vim, arrows.")
@click.pass_obj
def keys(options: Options, preset: str | None) -> None:
    """List every action with its keys as configured, and what it does: what `keys:` in the configuration can change."""
    import msgspec

    from tui.cli.wire import config_of
    from tui.ui import keytable
    from tui.ui.keys import PLACES, shown
    from tui.ui.presets import PRESETS

    settings = config_of(options).settings
    if preset is not None and preset not in PRESETS:
        raise click.UsageError(f"there is no preset {preset}; presets: {', '.join(PRESETS)}")
    chosen = settings if preset is None else msgspec.structs.replace(settings, preset=preset, keys={})
    table, wrong = keytable.of(chosen)
    width = max(len(action.id) for action in table.actions)
    for place, title in PLACES.items():
        click.echo(f"{title}:")
        for action in table.actions:
            if action.where == place:
                pressed = ", ".join(map(shown, action.keys)) or "(no key)"
                click.echo(f"  {action.id:<{width}}  {pressed:<20}  {action.help}")
    if wrong:
        click.echo(f"{len(wrong)} of your keys cannot be used: see `fleet config check`", err=True)
