"""Label and field selectors: parsed once, then a test for one decoded object.

Grammar: Kubernetes documentation, "Labels and Selectors" and "Field Selectors".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.status import ApiError

Matches = Callable[[Mapping[str, Any]], bool]
_LabelTest = Callable[[Mapping[str, str]], bool]

_KEY = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_EXISTS = re.compile(rf"(!?)\s*({_KEY})\Z")
_EQUALS = re.compile(rf"({_KEY})\s*(==|!=|=)\s*({_VALUE})\Z")
_COMPARES = re.compile(rf"({_KEY})\s*([<>])\s*(-?\d+)\Z")
_IN = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)\Z")
_SPLIT = re.compile(r",(?![^()]*\))")
_FIELD = re.compile(r"((?:[^=!,\\]|\\.)+?)(==|!=|=)((?:[^=,\\]|\\.)*)\Z")
_FIELD_SPLIT = re.compile(r"(?<!\\),")

# Field selectors are declared per resource; these are the declared ones, every resource has metadata.name/namespace.
FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "replicationcontrollers": ("status.replicas",),
    "replicasets.apps": ("status.replicas",),
    "jobs.batch": ("status.successful",),
    "services": ("spec.clusterIP", "spec.type"),
}


class _Labels(msgspec.Struct, frozen=True, gc=False):
    labels: dict[str, str] | None = None


class _Labelled(msgspec.Struct, frozen=True, gc=False):
    metadata: _Labels = _Labels()


_decode_labels = msgspec.json.Decoder(_Labelled).decode


def _label_test(text: str) -> _LabelTest:
    if found := _EXISTS.match(text):
        absent, key = bool(found[1]), found[2]
        return lambda labels: (key in labels) != absent
    if found := _EQUALS.match(text):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _COMPARES.match(text):
        key, sign, limit = found[1], 1 if found[2] == ">" else -1, int(found[3])
        return lambda labels: (
            bool(re.fullmatch(r"-?\d+", labels.get(key, ""))) and sign * (int(labels[key]) - limit) > 0
        )
    if found := _IN.match(text):
        key, operator = found[1], found[2]
        values = {value.strip() for value in found[3].split(",")}
        if all(re.fullmatch(_VALUE, value) for value in values):
            if operator == "in":
                return lambda labels: labels.get(key) in values
            return lambda labels: key not in labels or labels[key] not in values
    raise ApiError(400, f'unable to parse requirement: found "{text}", expected: a label selector requirement')


class Selector:
    """A label selector and a field selector together. False when it selects everything."""

    __slots__ = ("_fields", "_labels", "fields", "labels")

    def __init__(self, labels: str, fields: str, resource: ResourceType) -> None:
        """Raises ApiError 400 for a selector that cannot be read or names a field the resource does not offer."""
        self.labels, self.fields = labels.strip(), fields.strip()
        self._labels = [_label_test(part.strip()) for part in _SPLIT.split(self.labels)] if self.labels else []
        self._fields = [
            _field_test(part, resource, fields) for part in _FIELD_SPLIT.split(self.fields) if self.fields and part
        ]

    def __bool__(self) -> bool:
        return bool(self._labels or self._fields)

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether a decoded object is selected."""
        labels = obj.get("metadata", {}).get("labels") or {}
        return all(test(labels) for test in self._labels) and all(test(obj) for test in self._fields)

    def matches_bytes(self, data: bytes) -> bool:
        """Whether an encoded object is selected; decodes no more of it than the selector needs."""
        if self._labels:
            labels = _decode_labels(data).metadata.labels or {}
            if not all(test(labels) for test in self._labels):
                return False
        if self._fields:
            obj = msgspec.json.decode(data)
            return all(test(obj) for test in self._fields)
        return True


def _field_test(text: str, resource: ResourceType, whole: str) -> Matches:
    found = _FIELD.match(text)
    if not found:
        raise ApiError(400, f'invalid field selector "{whole}": "{text}" is not field=value')
    path, operator, raw = found[1].strip(), found[2], found[3]
    for shown, stored in resource.view.fields if resource.view else ():
        if path.startswith(shown):
            path = stored + path.removeprefix(shown)
    wanted = re.sub(r"\\(.)", r"\1", raw)
    if path not in ("metadata.name", "metadata.namespace") and path not in FIELDS.get(resource.stored_as, ()):
        raise ApiError(400, f"field label not supported: {path}")
    keys = path.split(".")
    negative = operator == "!="

    def test(obj: Mapping[str, Any]) -> bool:
        return (field_text(obj, keys) == wanted) != negative

    return test


def field_text(obj: Mapping[str, Any], keys: list[str]) -> str:
    """The value at a path as a field selector compares it: "" when absent, "true" and "false" in lower case."""
    value: Any = obj
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if keys == ["source"] and isinstance(value, Mapping):
        value = value.get("component")
    if isinstance(value, bool):
        return str(value).lower()
    if keys[-1] in ("unschedulable", "hostNetwork") and value is None:
        return "false"
    return "" if value is None else str(value)
