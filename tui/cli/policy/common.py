"""What the verbs of `fleet policy` share: files of policies, exit codes, refusals."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.output import complain

if TYPE_CHECKING:
    from tui.domain.cilium.reading import Placed

DIFFERENT, MALFORMED, TROUBLE = 1, 2, 3  # exit codes
ENDINGS = (".yaml", ".yml", ".json")


def text_of(path: Path | str) -> str:
    """A file's text, or that of standard input for `-`. Raises OSError, or ValueError for what is no UTF-8."""
    if str(path) == "-":
        return sys.stdin.read()
    from tui.domain.yamledit import decode

    return decode(Path(path).read_bytes())


def files_in(path: Path) -> Iterator[Path]:
    """The file, or every YAML and JSON file below a folder, sorted; hidden folders are left out. Raises OSError."""
    if not path.is_dir():
        yield path
        return
    for each in sorted(path.iterdir()):
        if each.is_dir() and not each.name.startswith(".") and not each.is_symlink():
            yield from files_in(each)
        elif each.suffix in ENDINGS and each.is_file():
            yield each


def matching(pattern: str, folder: Path) -> list[tuple[str, str]]:
    """(path, text) of the files that a path or glob means, relative to a folder. Raises OSError and ValueError."""
    wanted = str(folder / pattern)  # may be absolute, may lead upwards
    found = sorted(glob.glob(wanted, recursive=True)) if glob.has_magic(pattern) else [wanted]  # noqa: PTH207
    return [(_told(file), text_of(file)) for each in found for file in files_in(Path(each))]


def objects_of(paths: Iterable[Path]) -> list[Placed]:
    """Every object in files and folders. Raises OSError, and Refused or ValueError for what cannot be read."""
    from tui.domain.cilium.reading import objects

    found: list[Placed] = []
    for path in paths:
        for file in files_in(path):
            found.extend(objects(text_of(file), _told(file)))
    return found


def _told(path: Path) -> str:
    """A path as it is told to people: without detours."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))


def refuse(error: Exception, path: Path | str = "") -> None:
    """Say on standard error why a file could not be read."""
    reason = getattr(error, "strerror", None) or str(error)
    told = getattr(error, "filename", None) or path
    complain(f"{told}: {reason}" if told and not str(reason).startswith(str(told)) else str(reason))
