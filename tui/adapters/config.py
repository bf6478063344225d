"""Reads `config.yaml` into `Settings`; every mistake is named with file, line and what is expected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from tui.domain.settings import Settings

MAX_BYTES = 1 << 20


class BadConfig(ValueError):
    """The configuration cannot be used; the message says where and why in one line."""


def read_settings(path: Path) -> Settings:
    """The settings in `path`, or the defaults when there is no such file.

    Raises BadConfig for anything that is not exactly understood: a typing error must not be silently ignored.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Settings()
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
        return Settings()
    try:
        return msgspec.convert(value, Settings)
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
    """msgspec's message with the path in the words of the file."""
    match = _AT.search(message)
    if not match:
        return message
    where = match[1].removeprefix("$").removeprefix(".")
    return f"{where or 'the file'}: {message[: match.start()]}"


def _place(node: Any, message: str) -> str:
    """`:line:column` of the node that msgspec complains about."""
    match = _AT.search(message)
    for step in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", match[1] if match else ""):
        found = _child(node, *step)
        if found is None:
            break
        node = found
    if unknown := _UNKNOWN.search(message):
        for key, _ in getattr(node, "value", ()):
            if getattr(key, "value", None) == unknown[1]:
                node = key
    return f":{node.start_mark.line + 1}:{node.start_mark.column + 1}" if node is not None else ""


def _child(node: Any, name: str, index: str) -> Any:
    import yaml

    if name and isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if getattr(key, "value", None) == name), None)
    if index.isdigit() and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        return node.value[int(index)]
    return None
