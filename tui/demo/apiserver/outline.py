"""A short notation for OpenAPI schemas: one field a line, indented below its parent.

    spec! obj What is wanted.
      replicas int How many pods.
      template! &pod
      ...

`name type description`; `!` after the name makes the field required. Types: str, int, bool, num, time, any, map
(string to string), port (number or name), obj; `[type]` is a list, `{type}` a map to that type, `&name` another
outline, `a|b|c` an enumeration. The line `...` leaves an object open to fields that are not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_SIMPLE: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "bool": {"type": "boolean"},
    "num": {"type": "number"},
    "time": {"type": "string", "format": "date-time"},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
    "map": {"type": "object", "additionalProperties": {"type": "string"}},
    "port": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
}


def parse(text: str, outlines: Mapping[str, str] | None = None) -> Schema:
    """The schema of an outline, an object. `outlines` are those it may refer to. Raises ValueError for a bad line."""
    lines = [line for line in text.splitlines() if line.strip()]
    margin = min((_indent(line) for line in lines), default=0)
    schema, rest = _object(lines, margin, outlines or {})
    if rest:
        raise ValueError(f"unexpected indentation: {rest[0]!r}")
    return schema


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _object(lines: list[str], indent: int, outlines: Mapping[str, str]) -> tuple[Schema, list[str]]:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    schema: Schema = {"type": "object"}
    while lines and _indent(lines[0]) == indent:
        line, lines = lines[0].strip(), lines[1:]
        if line == "...":
            schema["x-kubernetes-preserve-unknown-fields"] = True
            continue
        name, _, rest = line.partition(" ")
        type_, _, description = rest.strip().partition(" ")
        if not type_:
            raise ValueError(f"no type: {line!r}")
        if name.endswith("!"):
            name = name[:-1]
            required.append(name)
        children: Schema | None = None
        if lines and _indent(lines[0]) > indent:
            children, lines = _object(lines, _indent(lines[0]), outlines)
        field = _type(type_, children, outlines)
        if description:
            field = {**field, "description": description.strip()}
        properties[name] = field
    if properties:
        schema["properties"] = properties
    if required:
        schema["required"] = required
    return schema, lines


def _type(text: str, children: Schema | None, outlines: Mapping[str, str]) -> Schema:
    if text.startswith("[") and text.endswith("]"):
        return {"type": "array", "items": _type(text[1:-1], children, outlines)}
    if text.startswith("{") and text.endswith("}"):
        return {"type": "object", "additionalProperties": _type(text[1:-1], children, outlines)}
    if text == "obj":
        return children or {"type": "object"}
    if children is not None:
        raise ValueError(f"{text!r} has no fields")
    if text.startswith("&"):
        return parse(outlines[text[1:]], outlines)
    if "|" in text:
        return {"type": "string", "enum": text.split("|")}
    if text not in _SIMPLE:
        raise ValueError(f"unknown type {text!r}")
    return dict(_SIMPLE[text])
