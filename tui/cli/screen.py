"""`fleet` without a command: the screen."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tui.cli.early import DUMB
from tui.cli.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.adapters.themes import ThemeFolder
    from tui.fleet.runtime import Fleet
    from tui.ui import Stage


def open_screen(options: Options, stage: Stage | None = None, tour: bool = False, served: bool = False) -> None:
    """Show the fleet until the user leaves, on the stage that has the first frame if there is one.

    `served`: standard input and output lead to a server, which shows it in a browser.

    Raises click's usage error for what cannot be shown as it was asked for, with the terminal given back.
    """
    try:
        _open(options, stage, tour, served)
    except BaseException:
        if stage is not None:
            stage.leave()
        raise


def _open(options: Options, stage: Stage | None, tour: bool, served: bool) -> None:
    from tui.adapters.memory import Memory
    from tui.adapters.themes import ThemeFolder
    from tui.cli.wire import assemble, config_of, places, settings_of

    config = config_of(options)
    settings = settings_of(options, config)
    folder = ThemeFolder(places(options).themes)
    problems = take_themes(folder)
    _check(options.theme, problems)
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the screen needs a terminal; scripts use `fleet get`, `fleet events` and `fleet draft`")
    if not served and (term := os.environ.get("TERM")) in DUMB:
        raise click.UsageError(
            f"TERM={term}: this terminal cannot place text, which the screen needs; `fleet get`, `fleet events` and "
            "`fleet draft` print lines, or set TERM to what the terminal is, such as xterm-256color"
        )
    from tui.ui import run

    def factory() -> Fleet:
        return assemble(options, settings)

    memory = Memory(places(options).layout)
    if run(factory, settings, stage, config.place, options.kubeconfig or "", tour, memory, folder):
        from tui.cli.demo import DemoOptions, show

        show(replace(options, contexts=()), DemoOptions(tour=True))


def take_themes(folder: ThemeFolder) -> list[str]:
    """Have the user's themes beside fleet's own; what is wrong with the others."""
    from tui.ui import themes

    found, problems = folder.read()
    usable, wrong = themes.own(found)
    themes.use(usable)
    return [*problems, *wrong]


def _check(theme: str | None, problems: Sequence[str]) -> None:
    """Refuse a theme that was asked for and that the screen does not have, and say which it has, and which not."""
    from tui.ui.themes import PALETTES

    if theme and theme not in PALETTES:
        told = "".join(f"\n{problem}" for problem in problems)
        raise click.UsageError(f"there is no theme {theme}; themes: {', '.join(PALETTES)}{told}")
    for problem in problems:
        click.echo(f"fleet: {problem}", err=True)
