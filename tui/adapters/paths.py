"""Where fleet keeps things on this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from tui.adapters import system


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders and files of one fleet. Nothing is created before it is needed."""

    config: Path  # config.yaml
    data: Path  # private Git repositories: worth keeping, drafts live in them
    state: Path  # event ring, journals, logs

    @property
    def events(self) -> Path:
        """Folder of the event ring."""
        return self.state / "events"

    @property
    def themes(self) -> Path:
        """Folder of the user's own themes."""
        return self.config.parent / "themes"

    @property
    def layout(self) -> Path:
        """File of how the user has divided the screen."""
        return self.state / "layout"

    @property
    def journal(self) -> Path:
        """Folder of text typed but not saved yet."""
        return self.state / "journal"


def private(folder: Path) -> None:
    """Make a folder for this user alone, and what lacks above it; one that others may enter is closed to them."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            with suppress(FileExistsError):  # another fleet was quicker
                each.mkdir(mode=0o700)
    status = folder.stat()
    if status.st_mode & 0o077 and system.mine(status):
        folder.chmod(0o700)


def paths(state: Path | None = None, config: Path | None = None) -> Paths:
    """The folders in use: `--state`/`FLEET_STATE` puts everything under one folder, else each system's own places."""
    root = state or (Path(os.environ["FLEET_STATE"]) if os.environ.get("FLEET_STATE") else None)
    dirs = PlatformDirs("fleet", appauthor=False)
    named = config or (Path(os.environ["FLEET_CONFIG"]) if os.environ.get("FLEET_CONFIG") else None)
    if root is not None:
        root = root.expanduser().absolute()
        return Paths(config=named or root / "config.yaml", data=root / "data", state=root / "state")
    return Paths(
        config=named or Path(dirs.user_config_dir) / "config.yaml",
        data=Path(dirs.user_data_dir),
        state=Path(dirs.user_state_dir),
    )
