"""CustomResourceDefinitions: the resources a stored one defines, and a definition object for a built-in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tui.demo.apiserver import cells
from tui.demo.apiserver.resource import Column, ResourceType

_STEP = re.compile(
    r"\.([A-Za-z0-9_\-]+)|\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]|\[\?\(@\.([\w.]+)==\"?'?([^\"')]*)\"?'?\)\]"
)


def resources_of(definition: Mapping[str, Any]) -> Iterator[ResourceType]:
    """The resource that a CustomResourceDefinition object defines, at its storage version (or its first served one)."""
    spec = definition.get("spec") or {}
    served = [version for version in spec.get("versions") or () if version.get("served", True)]
    names = spec.get("names") or {}
    if not served or not names.get("plural") or not names.get("kind"):
        return
    version = next((entry for entry in served if entry.get("storage")), served[0])
    columns = version.get("additionalPrinterColumns") or ()
    yield ResourceType(
        group=str(spec.get("group", "")),
        version=str(version["name"]),
        plural=str(names["plural"]),
        kind=str(names["kind"]),
        namespaced=spec.get("scope") != "Cluster",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        singular=str(names.get("singular", "")),
        columns=(Column("Name", cells.name, format="name"), *map(_column, columns)) if columns else (),
        schema=(version.get("schema") or {}).get("openAPIV3Schema"),
        subresources=tuple(version.get("subresources") or ()),
        custom=True,
        generation=True,
    )


def completed(resource: ResourceType, known: ResourceType) -> ResourceType:
    """A defined resource with the columns and schema of the built-in one where the definition has none."""
    return replace(resource, columns=resource.columns or known.columns, schema=resource.schema or known.schema)


def _column(column: Mapping[str, Any]) -> Column:
    return Column(
        name=str(column["name"]),
        cell=json_path(str(column.get("jsonPath", "")), str(column.get("type", "string"))),
        type=str(column.get("type", "string")),
        priority=int(column.get("priority", 0)),
        format=str(column.get("format", "")),
        description=str(column.get("description", "")),
    )


def json_path(path: str, type_: str) -> Callable[[Mapping[str, Any], float], Any]:
    """A cell for a simple JSONPath (`.a.b`, `['x']`, `[0]`, `[?(@.k=="v")]`); None when nothing is there."""
    steps = _STEP.findall(path)

    def cell(obj: Mapping[str, Any], now: float) -> Any:
        value: Any = obj
        for name, single, double, index, key, wanted in steps:
            if index:
                value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
            elif key:
                entries = value if isinstance(value, list) else []
                value = next((e for e in entries if isinstance(e, Mapping) and str(e.get(key)) == wanted), None)
            else:
                value = value.get(name or single or double) if isinstance(value, Mapping) else None
        if value is not None and type_ == "date":
            return cells.age_of(str(value), now)
        if isinstance(value, dict | list):
            return str(value)
        return value

    return cell


def definition_of(resource: ResourceType) -> dict[str, Any]:
    """The CustomResourceDefinition object that a cluster serving `resource` would show."""
    version: dict[str, Any] = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": resource.schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        },
    }
    if "status" in resource.subresources:
        version["subresources"] = {"status": {}}
    names = {
        "plural": resource.plural,
        "singular": resource.singular_name,
        "kind": resource.kind,
        "listKind": resource.list_kind,
    }
    accepted = {
        **names,
        **({"shortNames": list(resource.short_names)} if resource.short_names else {}),
        **({"categories": list(resource.categories)} if resource.categories else {}),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.name},
        "spec": {
            "group": resource.group,
            "names": accepted,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "conversion": {"strategy": "None"},
            "versions": [version],
        },
        "status": {
            "acceptedNames": accepted,
            "storedVersions": [resource.version],
            "conditions": [
                {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"},
                {
                    "type": "Established",
                    "status": "True",
                    "reason": "InitialNamesAccepted",
                    "message": "the initial names have been accepted",
                },
            ],
        },
    }
