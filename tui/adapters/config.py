"""Reads `config.yaml` into `Settings`; every mistake is named with file, line and what is expected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui.domain.settings import Settings

MAX_BYTES = 1 << 20


class BadConfig(ValueError):
    """The configuration cannot be used; the message says where and why in one line."""


class Config:
    """A configuration that was read: its settings, and where each stands."""

    def __init__(self, path: Path, settings: Settings = Settings(), node: Any = None) -> None:  # noqa: B008 - frozen
        self.path = path
        self.settings = settings
        self._node = node

    def place(self, steps: Sequence[str | int]) -> str:
        """`file:line:column` of a setting, as steps from the root; of what is not written there, the nearest above."""
        node, mark = self._node, getattr(self._node, "start_mark", None)
        for step in steps:
            key, node = _child(node, step)
            if node is None:
                break
            mark = (key or node).start_mark
        return f"{self.path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(self.path)


def read_settings(path: Path) -> Settings:
    """The settings in `path`, or the defaults when there is no such file. Raises BadConfig as `read_config` does."""
    return read_config(path).settings


def read_config(path: Path) -> Config:
    """The configuration in `path`; that of a file which does not exist has the defaults.

    Raises BadConfig for anything that is not exactly understood: a typing error must not be silently ignored.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Config(path)
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read: {error.strerror}") from error
    import yaml  # not before there is something to read: every start would wait for it

    if len(data) > MAX_BYTES:
        raise BadConfig(f"{path}: larger than {MAX_BYTES} bytes: not a configuration of fleet")
    try:
        text = data.decode("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise BadConfig(f"{path}{where}: {getattr(error, 'problem', None) or error}") from error
    if value is None:
        return Config(path)
    try:
        return Config(path, msgspec.convert(value, Settings), node)
    except msgspec.ValidationError as error:
        raise BadConfig(f"{path}{_place(node, str(error))}: {_words(str(error))}") from error


def read_templates(settings: Settings) -> dict[str, str]:
    """The user's own templates of new objects: name -> text. Raises BadConfig for what cannot be read."""
    if not settings.templates:
        return {}
    folder = Path(settings.templates).expanduser()
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".json"))
        return {path.stem: path.read_bytes()[:MAX_BYTES].decode("utf-8") for path in files}
    except OSError as error:
        raise BadConfig(f"templates: {error.filename or folder}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadConfig(f"templates: {folder}: a file is not UTF-8 at byte {error.start}") from error


_AT = re.compile(r" - at `(\$[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`")


def _words(message: str) -> str:
    """msgspec's message with the path in the words of the file, and what an unknown name was perhaps meant to be."""
    unknown = _UNKNOWN.search(message)
    hint = _meant(unknown[1]) if unknown else ""
    match = _AT.search(message)
    if not match:
        return f"{message}{hint}"
    where = match[1].removeprefix("$").removeprefix(".")
    return f"{where or 'the file'}: {message[: match.start()]}{hint}"


def _meant(unknown: str) -> str:
    """The settings that a name comes near to."""
    from difflib import get_close_matches

    from tui.domain.settingsfile import schema

    whole = schema()
    names = {name for part in (whole, *whole["$defs"].values()) for name in part["properties"]}
    near = get_close_matches(unknown, sorted(names), 2)
    return f"; did you mean {' or '.join(near)}?" if near else "; `fleet config init --stdout` shows all there are"


def _place(node: Any, message: str) -> str:
    """`:line:column` of the node that msgspec complains about."""
    match = _AT.search(message)
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", match[1] if match else ""):
        _, found = _child(node, int(index) if index.isdigit() else name)
        if found is None:
            break
        node = found
    if unknown := _UNKNOWN.search(message):
        for key, _ in getattr(node, "value", ()):
            if getattr(key, "value", None) == unknown[1]:
                node = key
    return f":{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node is not None else ""


def _child(node: Any, step: str | int) -> tuple[Any, Any]:
    """(key, value) of a mapping's entry, or (None, entry) of a list; (None, None) where there is none."""
    import yaml

    if isinstance(step, str) and isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if getattr(key, "value", None) == step), (None, None))
    if isinstance(step, int) and isinstance(node, yaml.SequenceNode) and step < len(node.value):
        return None, node.value[step]
    return None, None
