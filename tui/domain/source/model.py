"""From a live object to the place in Git that declares it: the values that are passed around."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tui.domain.argo.tracking import TrackingId

Tool = Literal["directory", "kustomize", "helm", "chart", "plugin", "oci", "unknown"]
"""How a source is rendered. `chart`: Helm, from a chart repository instead of Git; `unknown`: ask `detect_tool`."""

Confidence = Literal["exact", "likely", "file"]
"""exact: this document is the object; likely: it shapes the object, not proven; file: the object is somewhere in it."""

Role = Literal["manifest", "patch", "overlay", "values", "template", "application"]


class Identity(msgspec.Struct, frozen=True):
    """What an object is, whatever cluster and version: API group ("" for core), kind, namespace ("" if none), name."""

    group: str
    kind: str
    namespace: str
    name: str


def tracked(id: TrackingId) -> Identity:
    """The object that a tracking id names; cluster-scoped ones carry the Application's destination namespace."""
    return Identity(id.group, id.kind, id.namespace, id.name)


class ValueFile(msgspec.Struct, frozen=True):
    """A Helm values file: `find` looks it up by `key`: its path, or `$ref/path` when it lies in another source."""

    key: str
    path: str
    repo_url: str
    revision: str


class SourcePlan(msgspec.Struct, frozen=True):
    """One source of an Application, with all that is needed to look for its objects.

    `revision` is the target revision as written ("" means HEAD), `deployed` the commit compared last ("" unknown).
    `spot` is the source's place in the Application's manifest. `path` has no slash at either end, "" is the root.
    """

    application: str
    namespace: str
    destination_namespace: str
    repo_url: str
    revision: str
    path: str
    tool: Tool
    deployed: str = ""
    chart: str = ""
    spot: str = "spec.source"
    recurse: bool = False
    include: str = ""
    exclude: str = ""
    libraries: tuple[str, ...] = ()  # jsonnet library paths, from the repository's root
    value_files: tuple[ValueFile, ...] = ()
    helm: Mapping[str, Any] = {}
    kustomize: Mapping[str, Any] = {}
    note: str = ""


class Candidate(msgspec.Struct, frozen=True):
    """A place to edit. `file` is a path in the repository (or `$ref/path`), "" for the Application's own manifest.

    `doc` is the document's index in the file, None when the file as a whole is meant; `path` is where in the document,
    `line` counts from 1 and is 0 when only the file is known.
    """

    file: str
    doc: int | None
    line: int
    confidence: Confidence
    note: str = ""
    role: Role = "manifest"
    path: str = ""


def plain(application: Any) -> Mapping[str, Any]:
    """An Application as plain values, from a decoded manifest or from a msgspec struct."""
    if isinstance(application, Mapping):
        return application
    value = msgspec.to_builtins(application)
    if not isinstance(value, dict):
        raise TypeError(f"no Application: {type(application).__name__}")
    return value


def dig(value: Any, *keys: str) -> Any:
    """The value below these keys; None as soon as something is missing or is no mapping."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text(value: Any) -> str:
    """A string field that may be missing or of another type."""
    return value if isinstance(value, str) else ""


def records(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in what should be a list of mappings."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def strings(value: Any) -> list[str]:
    """The strings in what should be a list of strings."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []
