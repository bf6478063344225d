"""Schemas: the outline notation, and that closed objects know exactly the fields that the real definitions have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tui.demo.apiserver.crds import definition_of, resources_of
from tui.demo.apiserver.outline import parse
from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.schemas import schema_for

CRDS = Path(__file__).resolve().parents[3] / "shared" / "data" / "crds"


def test_outline():
    schema = parse(
        """
        spec! obj What is wanted.
          replicas! int How many.
          mode Fast|Slow
          labels map
          limits {port}
          parts [obj] The parts.
            name! str
            from &place
          grid [[num]]
        status obj
          ...
        """,
        {"place": "  x int\n  y int"},
    )
    spec = schema["properties"]["spec"]
    assert schema["required"] == ["spec"]
    assert (spec["description"], spec["required"]) == ("What is wanted.", ["replicas"])
    fields = spec["properties"]
    assert fields["replicas"] == {"type": "integer", "format": "int64", "description": "How many."}
    assert fields["mode"] == {"type": "string", "enum": ["Fast", "Slow"]}
    assert fields["limits"]["additionalProperties"]["x-kubernetes-int-or-string"] is True
    part = fields["parts"]["items"]
    assert part["required"] == ["name"]
    assert set(part["properties"]["from"]["properties"]) == {"x", "y"}
    assert fields["grid"]["items"]["items"] == {"type": "number"}
    assert schema["properties"]["status"]["x-kubernetes-preserve-unknown-fields"] is True


@pytest.mark.parametrize("text", ["name", "a thing", "a str\n  b str", "a obj\n    b str\n  c str"])
def test_outline_refuses_nonsense(text: str):
    with pytest.raises(ValueError):
        parse(text)


def test_every_named_resource_exists():
    served = {resource.name for resource in BUILTIN}
    known = [resource for resource in BUILTIN if resource.schema is not None]
    assert len(known) > 15
    for resource in known:
        assert resource.name in served
        assert resource.schema is not None
        assert resource.schema["description"]


def test_a_definition_reads_back_as_the_resource_it_was_made_of():
    for resource in BUILTIN:
        if resource.custom and resource.schema:
            (again,) = resources_of(definition_of(resource))
            for field in ("group", "version", "plural", "kind", "namespaced", "short_names", "categories", "schema"):
                assert getattr(again, field) == getattr(resource, field)
            assert ("status" in again.subresources) == ("status" in resource.subresources)


def differences(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    """Where a closed object of ours has other fields than theirs, or another type or requirement."""
    if not isinstance(theirs, dict) or ours.get("x-kubernetes-preserve-unknown-fields"):
        return
    if "type" in ours and "type" in theirs and ours["type"] != theirs["type"]:
        yield f"{path}: {ours['type']} is {theirs['type']}"
    if "items" in ours and "items" in theirs:
        yield from differences(ours["items"], theirs["items"], path + "[]")
    fields, known = ours.get("properties"), theirs.get("properties")
    if not fields or not known:
        return
    if path:
        yield from (f"{path}.{name} is missing" for name in known.keys() - fields.keys())
    yield from (f"{path}.{name} is invented" for name in fields.keys() - known.keys())
    for name in set(ours.get("required", ())) - set(theirs.get("required", ())):
        yield f"{path}.{name} is not required"
    for name in fields.keys() & known.keys():
        yield from differences(fields[name], known[name], f"{path}.{name}")


FILES = sorted(CRDS.glob("argo-cd/v3.5.1/**/*.yaml")) + sorted(CRDS.glob("cilium/v2/**/*.yaml"))


@pytest.mark.skipif(not FILES, reason="the real definitions are not here")
def test_closed_objects_have_the_fields_of_the_real_definitions():
    checked = []
    found = []
    for file in FILES:
        for definition in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if not definition or definition.get("kind") != "CustomResourceDefinition":
                continue
            for resource in resources_of(definition):
                ours = schema_for(resource.name)
                if ours is not None and resource.schema is not None:
                    checked.append(resource.name)
                    found += [f"{resource.name} {line}" for line in differences(ours, resource.schema, "")]
    assert len(checked) >= 4
    assert found == []
