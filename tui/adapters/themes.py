"""The user's own themes: one YAML file each in the folder `themes` beside the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MAX_BYTES = 1 << 16
SUFFIXES = (".yaml", ".yml")


class ThemeFolder:
    """A folder of themes, looked at again whenever somebody asks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stamp(self) -> object:
        """What tells whether a theme was added, changed or taken away since."""
        return tuple((path.name, status.st_mtime_ns, status.st_size) for path, status in self._files())

    def read(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """(values by name of the theme, files that cannot be read, each with its reason)."""
        found: dict[str, dict[str, Any]] = {}
        problems = []
        for path, _ in self._files():
            try:
                found[path.stem] = _values(path)
            except ValueError as error:
                problems.append(f"{path}: {error}")
        return found, problems

    def _files(self) -> list[tuple[Path, Any]]:
        """The files and their status, by name; none where there is no such folder."""
        found = []
        try:
            for path in sorted(self.folder.iterdir()):
                if path.suffix in SUFFIXES and not path.name.startswith("."):
                    found.append((path, path.stat()))
        except OSError:
            pass  # there is no folder, or a file has just gone: the next look tells
        return found


def _values(path: Path) -> dict[str, Any]:
    """The values in a file. Raises ValueError in one line."""
    import yaml  # not before there is something to read

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES} bytes: not a theme of fleet")
        values = yaml.safe_load(data.decode("utf-8"))
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}{getattr(error, 'problem', None) or 'not YAML'}") from error
    if not isinstance(values, dict):
        raise ValueError("colours by name are expected, such as good: '#18be94'")
    return {str(key): value for key, value in values.items()}
