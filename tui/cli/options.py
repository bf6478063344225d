"""What was asked for on the command line, whichever command it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """The options every command shares."""

    kubeconfig: str | None = None
    contexts: tuple[str, ...] = ()
    repositories: tuple[Path, ...] = ()
    config: Path | None = None
    state: Path | None = None
    theme: str | None = None
    read_only: bool = False
    log: Path | None = None
    log_level: str = "info"
