"""Puts the parts together: adapters into a running fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tui.adapters.config import BadConfig, Config, read_config, read_templates
from tui.adapters.paths import Paths, paths
from tui.cli.options import Options
from tui.domain.settings import Repository, Settings

if TYPE_CHECKING:
    from tui.domain.ports import Clusters
    from tui.fleet.drafts import Drafts
    from tui.fleet.runtime import Fleet


def places(options: Options) -> Paths:
    """The folders in use."""
    return paths(options.state, options.config)


def where(options: Options) -> dict[str, str]:
    """The folders in use, for reports."""
    used = places(options)
    return {"config": str(used.config), "data": str(used.data), "state": str(used.state)}


def config_of(options: Options) -> Config:
    """The configuration file as it is. Raises click's usage error for one that cannot be used."""
    if options.config is not None and not options.config.is_file():
        raise click.UsageError(f"--config {options.config}: no such file; `fleet config init` writes one")
    try:
        return read_config(places(options).config)
    except BadConfig as error:
        raise click.UsageError(str(error)) from error


def settings_of(options: Options, config: Config | None = None) -> Settings:
    """The configuration with what the command line overrides. Raises click's usage error for a bad file."""
    settings = (config or config_of(options)).settings
    for folder in options.repositories:
        if not folder.expanduser().is_dir():
            raise click.UsageError(f"--repo {folder}: no such folder")
    named = tuple(Repository(path=str(path.expanduser().absolute())) for path in options.repositories)
    return msgspec.structs.replace(
        settings,
        theme=options.theme or settings.theme,
        repositories=named + settings.repositories,
        read_only=options.read_only or settings.read_only,
    )


def assemble(options: Options, settings: Settings, drafts: bool = True, background: bool = True) -> Fleet:
    """A fleet that is ready to start. Nothing is contacted and nothing heavy imported yet."""
    from tui.adapters import logfile
    from tui.adapters.ring import EventRing
    from tui.fleet.runtime import Fleet

    logfile.calm()

    def clusters() -> Clusters:
        from tui.adapters.kube import KubeClusters, seal_process

        seal_process()
        return KubeClusters(settings, options.kubeconfig or "", options.contexts)

    keeper = EventRing(places(options).events, settings.tail_days)
    return Fleet(clusters, settings, make_drafts(options, settings) if drafts else None, keeper, background=background)


def make_drafts(options: Options, settings: Settings) -> Drafts:
    """The drafts of this machine: the clone of the current folder is found, configured ones are known."""
    from tui.adapters.git.journal import FileJournal
    from tui.adapters.git.repositories import GitRepositories
    from tui.fleet.drafts import Drafts

    used = places(options)
    clones = [(Path(named.path).expanduser(), named.url) for named in settings.repositories]
    repositories = GitRepositories(used.data, _current_folder(), clones, settings=settings)
    make = Drafts
    if settings.read_only:
        from tui.fleet.drafts.readonly import ReadOnlyDrafts

        make = ReadOnlyDrafts
    drafts = make(repositories, FileJournal(used.journal), settings=settings)
    drafts.templates = lambda: read_templates(settings)
    return drafts


def _current_folder() -> Path:
    """The folder fleet was started in; the root when it has been removed meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")


@asynccontextmanager
async def make_fleet(options: Options, drafts: bool = True, background: bool = False) -> AsyncIterator[Fleet]:
    """A fleet for one command; it is stopped at the end, whatever happens. `background`: reads what a screen reads."""
    fleet = assemble(options, settings_of(options), drafts, background)
    try:
        yield fleet
    finally:
        await fleet.stop()
