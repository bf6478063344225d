"""What is made from the table of settings: the JSON schema for editors, the commented file, the README's example."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tui.domain.settings import Settings

SCHEMA_FILE = "config.schema.json"  # beside the configuration, which names it in its first line
WIDTH = 100  # columns of the commented file
_README = 120
_TAKEN = 30  # columns before the README's explanations

_HEAD = f"""\
# yaml-language-server: $schema=./{SCHEMA_FILE}
## The configuration of fleet. Everything is optional. A line with one # is a setting at its default: take the # away
## and change it. `fleet config check` says what is wrong, with file and line; fleet reads this file when it starts.
"""


def schema(names: Mapping[str, Mapping[str, str]] = {}) -> dict[str, Any]:
    """The JSON schema (draft 7, which every editor understands) of a configuration.

    `names` says for a setting that is a mapping which keys it may have, and what each means.
    """
    made: dict[str, Any] = msgspec.to_builtins(msgspec.json.schema(Settings))
    parts: dict[str, Any] = made["$defs"]
    for part in parts.values():
        part.pop("description", None)  # of the class, for who reads the code
        if not part["required"]:
            del part["required"]
    root = parts.pop("Settings")
    for setting, meanings in names.items():
        value = root["properties"][setting]
        one = value.pop("additionalProperties")
        value["properties"] = {name: {"description": meaning, **one} for name, meaning in meanings.items()}
        value["additionalProperties"] = False
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of fleet",
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": parts,
    }


def commented() -> str:
    """A configuration that changes nothing and says what could be changed, for `fleet config init`."""
    lines = [_HEAD]
    parts: dict[str, Any] = schema()["$defs"]
    for name, value in schema()["properties"].items():
        lines += [*_explained(value, parts), *(f"#{line}" for line in _setting(name, value["default"], value, parts))]
        lines.append("")
    return "\n".join(lines)


def _explained(value: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    """What a setting means, what may be chosen, and what it may look like."""
    yield from textwrap.wrap(
        value["description"], WIDTH, initial_indent="## ", subsequent_indent="## ", break_on_hyphens=False
    )
    if choices := _choices(value):
        yield f"## One of: {', '.join(choices)}."
    if entries := parts.get(_part(value.get("items", {}))):
        for name, entry in entries["properties"].items():
            yield from _entry(name, entry, name in entries.get("required", ()))
    for example in value.get("examples", ()):
        yield "## For example:"
        yield from (f"##     {line}" for line in _yaml(example))


def _entry(name: str, value: Mapping[str, Any], required: bool) -> Iterator[str]:
    """What one field of an entry of a list means."""
    told = value["description"]
    if choices := _choices(value):
        told += f" One of: {', '.join(choices)}."
    default = value.get("default")
    if not required and default not in ("", [], {}, False):
        told += f" Else {_inline(default)}."
    first = f"##   {name:<9} " + ("" if required else "(optional) ")
    yield from textwrap.wrap(
        told, WIDTH, initial_indent=first, subsequent_indent="##" + " " * 13, break_on_hyphens=False
    )


def _setting(name: str, default: Any, value: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a setting at its default; of one that has settings of its own, those with what they mean."""
    inner = parts.get(_part(value))
    if inner is None:
        yield f"{name}: {_inline(default)}"
        return
    yield f"{name}:"
    for key, each in inner["properties"].items():
        told = each["description"]
        if choices := _choices(each):
            told = f"One of: {', '.join(choices)}. {told}"
        yield from textwrap.wrap(told, WIDTH, initial_indent="  # ", subsequent_indent="  # ", break_on_hyphens=False)
        for example in each.get("examples", ()):
            yield f"  # For example: {_inline(example)}"
        yield f"  {key}: {_inline(default[key])}"


def readme() -> str:
    """Every setting with a value and what it means, as one YAML document."""
    lines: list[str] = []
    parts: dict[str, Any] = schema()["$defs"]
    for name, value in schema()["properties"].items():
        lines += _row(name, value, 0)
        if (inner := parts.get(_part(value))) is not None:
            for key, each in inner["properties"].items():
                lines += _row(key, {"default": value["default"][key], **each}, 2)
    return "\n".join(lines)


def _row(name: str, value: Mapping[str, Any], indent: int) -> Iterator[str]:
    shown = value["default"]
    below = bool(_part(value))  # its own settings follow
    if shown in ("", [], {}) and value.get("examples"):
        shown = value["examples"][0]
        below = not isinstance(shown, str)
    head = " " * indent + name + ":" + ("" if below else f" {_inline(shown)}")
    told = value["description"]
    if choices := _choices(value):
        told = f"{' | '.join(choices)}. {told}"
    room = max(_TAKEN, len(head) + 2)
    first, *rest = textwrap.wrap(told, _README - room - 2, break_on_hyphens=False)
    yield f"{head:<{room}}# {first}"
    yield from (" " * room + f"# {line}" for line in rest)
    if below and not _part(value):
        yield from (" " * indent + line for line in _yaml(shown))


def _part(value: Mapping[str, Any]) -> str:
    """The definition that a setting refers to; "" for none."""
    if "$ref" not in value:
        return _part(value["allOf"][0]) if "allOf" in value else ""
    return str(value["$ref"]).rpartition("/")[2]


def _choices(value: Mapping[str, Any]) -> list[str]:
    """What may be chosen, for a setting or for each value of a mapping."""
    additional = value.get("additionalProperties")
    return value.get("enum") or (additional.get("enum") if isinstance(additional, dict) else None) or []


def _inline(value: Any) -> str:
    """A value in one line of YAML."""
    import yaml

    if isinstance(value, float) and value.is_integer():
        value = int(value)
    style = '"' if value == "" or "\n" in str(value) else None
    made: str = yaml.safe_dump(
        value, default_flow_style=True, default_style=style, width=1 << 20, allow_unicode=True, sort_keys=False
    )
    return made.removesuffix("\n").removesuffix("\n...")


def _yaml(value: Any) -> list[str]:
    """A value as YAML, an entry of a list or a mapping in each line."""
    if isinstance(value, list):
        return [f"- {_inline(entry)}" for entry in value]
    if isinstance(value, dict):
        return [f"  {_inline(key)}: {_inline(entry)}" for key, entry in value.items()]
    return [_inline(value)]
