"""OpenAPI documents for `kubectl explain` and client-side validation: v3 per group and version, v2 as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from tui.demo.apiserver import answer
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.status import ApiError, no_such_path

_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

_METADATA_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Standard object metadata: what every object has, whatever its kind.",
    "properties": {
        "name": {"type": "string", "description": "Unique among the objects of this resource in its namespace."},
        "generateName": {"type": "string", "description": "Prefix from which the server makes a unique name."},
        "namespace": {
            "type": "string",
            "description": "The namespace the object lives in; empty at the cluster scope.",
        },
        "labels": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Keys and values by which selectors find the object.",
        },
        "annotations": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Keys and values that tools keep with the object; selectors do not see them.",
        },
        "uid": {"type": "string", "description": "Unique in time and space; given by the server."},
        "resourceVersion": {"type": "string", "description": "Opaque; changes with every change of the object."},
        "generation": {"type": "integer", "format": "int64", "description": "Counts changes of the desired state."},
        "creationTimestamp": {"type": "string", "format": "date-time", "description": "When the server created it."},
        "deletionTimestamp": {"type": "string", "format": "date-time", "description": "When it is to be gone."},
        "finalizers": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What must happen before deletion.",
        },
        "ownerReferences": {
            "type": "array",
            "description": "The objects this one depends on; it is collected when all of them are gone.",
            "items": {
                "type": "object",
                "required": ["apiVersion", "kind", "name", "uid"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "name": {"type": "string"},
                    "uid": {"type": "string"},
                    "controller": {"type": "boolean"},
                    "blockOwnerDeletion": {"type": "boolean"},
                },
            },
        },
    },
}


def schema_name(resource: ResourceType) -> str:
    """The component name of a kind: its group reversed, version and kind."""
    group = (
        ".".join(reversed(resource.group.split(".")))
        if "." in resource.group
        else f"io.k8s.api.{resource.group or 'core'}"
    )
    return f"{group}.{resource.version}.{resource.kind}"


def schema_of(resource: ResourceType, meta_ref: str) -> dict[str, Any]:
    """The schema of a kind, with the fields that every object has."""
    schema = dict(resource.schema or {"description": f"{resource.kind}: this API server publishes no fields of it."})
    schema.setdefault("type", "object")
    common = {
        "apiVersion": {"type": "string", "description": "Group and version of the schema this object follows."},
        "kind": {"type": "string", "description": "The kind of object, in CamelCase."},
        "metadata": {"allOf": [{"$ref": meta_ref}], "default": {}, "description": "Standard object metadata."},
    }
    schema["properties"] = {**(schema.get("properties") or {}), **common}
    if resource.schema is None:
        schema["x-kubernetes-preserve-unknown-fields"] = True
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    schema["x-kubernetes-group-version-kind"] = [gvk]
    return schema


class OpenApi:
    """The documents for one set of resources, built when asked for."""

    def __init__(self, resources: Iterable[ResourceType], version: str) -> None:
        self.version = version
        self._groups: dict[str, list[ResourceType]] = {}
        for resource in resources:
            path = f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"
            self._groups.setdefault(path, []).append(resource)
        self._built: dict[str, bytes] = {}

    def answer(self, request: web.BaseRequest, parts: list[str]) -> web.Response:
        """GET /openapi/v2, /openapi/v3 and below."""
        path = "/".join(parts)
        if not any(media in request.headers.get("Accept", "*/*") for media in ("application/json", "*/*")):
            raise ApiError(406, "only the following media types are accepted: application/json")
        if path not in self._built:
            self._built[path] = msgspec.json.encode(self._build(parts))
        return answer.document(self._built[path])

    def _build(self, parts: list[str]) -> dict[str, Any]:
        if parts == ["v2"]:
            return self._v2()
        if parts == ["v3"]:
            paths = {}
            for path, resources in sorted(self._groups.items()):
                digest = hashlib.sha256(msgspec.json.encode([str(r) for r in resources])).hexdigest().upper()
                paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
            return {"paths": paths}
        path = "/".join(parts[1:])
        if parts[:1] != ["v3"] or path not in self._groups:
            raise no_such_path()
        return self._v3(path)

    def _v3(self, path: str) -> dict[str, Any]:
        resources = self._groups[path]
        schemas: dict[str, Any] = {_META: _METADATA_SCHEMA}
        for resource in resources:
            schemas[schema_name(resource)] = schema_of(resource, f"#/components/schemas/{_META}")
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": self.version},
            "paths": {key: value for r in resources for key, value in _paths(path, r).items()},
            "components": {"schemas": schemas},
        }

    def _v2(self) -> dict[str, Any]:
        definitions: dict[str, Any] = {_META: _METADATA_SCHEMA}
        paths: dict[str, Any] = {}
        for path, resources in self._groups.items():
            for resource in resources:
                schema = schema_of(resource, f"#/definitions/{_META}")
                schema["properties"]["metadata"] = {"$ref": f"#/definitions/{_META}"}
                definitions[schema_name(resource)] = schema
                paths.update(_paths(path, resource))
        info = {"title": "Kubernetes", "version": self.version}
        return {"swagger": "2.0", "info": info, "paths": paths, "definitions": definitions}


def _paths(path: str, resource: ResourceType) -> dict[str, Any]:
    base = (
        f"/{path}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"/{path}/{resource.plural}"
    )
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}

    def operation(action: str) -> dict[str, Any]:
        return {
            "operationId": f"{action}{resource.kind}",
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk,
        }

    patch = operation("patch")
    # kubectl looks here whether the server validates fields; only then it sends what it is given.
    patch["parameters"] = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}]
    return {base: {"get": operation("list")}, base + "/{name}": {"get": operation("get"), "patch": patch}}
