"""Objects that do not exist yet: from a template, or from a live object without what its cluster wrote into it."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from string import Template
from typing import Any

import msgspec

from tui.domain.objects import defaults
from tui.domain.objects.templates import TEMPLATES
from tui.domain.source.planning import KUSTOMIZATIONS
from tui.domain.yamledit import Refused, documents, get_value, set_value
from tui.domain.yamledit.render import Layout, block

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\Z")
_FIRST = ("apiVersion", "kind", "type", "metadata", "name", "namespace", "image", "labels", "annotations")
_LAST = ("data", "binaryData")
_BUILT_IN = re.compile(r"(?:[a-z]*|[a-z.]+\.k8s\.io|argoproj\.io)\Z")


class Wanted(msgspec.Struct, frozen=True):
    """What a new object is to be called. `labels` are added to those of its template."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = {}


def template_names(own: Mapping[str, str] = {}) -> list[str]:
    """The templates there are: the user's own (name -> text) first, then the kinds that fleet knows."""
    return [*sorted(own), *(name for name in TEMPLATES if name not in own)]


def from_template(name: str, wanted: Wanted, own: Mapping[str, str] = {}) -> str:
    """The text of a new file. Raises Refused for a template nobody has, or a name that Kubernetes does not allow.

    In a template `${name}`, `${namespace}` are replaced; what else starts with a dollar stays as it is.
    """
    known = {each.lower(): each for each in template_names(own)}
    found = known.get(name.lower())
    if found is None:
        raise Refused(f"there is no template {name}; there are: {', '.join(template_names(own))}")
    if not _NAME.match(wanted.name):
        raise Refused(f"{wanted.name!r} is no name: lower-case letters, digits, - and . only")
    if wanted.namespace and not _LABEL.match(wanted.namespace):
        raise Refused(f"{wanted.namespace!r} is no namespace: lower-case letters, digits and - only")
    source = own.get(found) or TEMPLATES[found]
    text = Template(source).safe_substitute(name=wanted.name, namespace=wanted.namespace or "default")
    for document in documents(text):
        for key, value in wanted.labels.items():
            text = set_value(text, ("metadata", "labels", key), value, document.index).text
    return text


def from_live(manifest: Mapping[str, Any], instance: str = "") -> dict[str, Any]:
    """What of a live object one would declare in Git. `instance` is the Argo CD Application that tracks it by label.

    Raises Refused for a Secret: its values never leave the cluster.
    """
    kind = str(manifest.get("kind", ""))
    group = str(manifest.get("apiVersion", "")).rpartition("/")[0]
    if (kind == "Secret" and not group) or group == "meta.k8s.io":  # of a Secret only the metadata is ever read
        raise Refused("the values of a Secret never leave the cluster: declare an ExternalSecret, SealedSecret or sops")
    made = copy.deepcopy(dict(manifest))
    tracked = _map(made.get("metadata")).get("annotations")
    by_label = "argocd.argoproj.io/tracking-id" not in _map(tracked)
    defaults.strip(made, kind if _BUILT_IN.match(group) else "")
    metadata = made.get("metadata")
    if isinstance(metadata, dict):
        _prune(metadata, "annotations", defaults.ANNOTATIONS)
        _prune(metadata, "labels", defaults.LABELS)
        labels = metadata.get("labels")
        if by_label and instance and _map(labels).get("app.kubernetes.io/instance") == instance:
            _prune(metadata, "labels", frozenset(("app.kubernetes.io/instance",)))
        if isinstance(finalizers := metadata.get("finalizers"), list):
            metadata["finalizers"] = [each for each in finalizers if each not in defaults.FINALIZERS]
            if not metadata["finalizers"]:
                del metadata["finalizers"]
    for key in ("status", "spec"):
        if made.get(key) in ({}, None):
            made.pop(key, None)
    return made


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _prune(metadata: dict[str, Any], key: str, names: frozenset[str]) -> None:
    held = metadata.get(key)
    if isinstance(held, dict):
        metadata[key] = {name: value for name, value in held.items() if name not in names}
        if not metadata[key]:
            del metadata[key]


def to_yaml(value: Mapping[str, Any]) -> str:
    """An object as one would write it: identity first, long texts as blocks, quotes where any parser needs them."""
    ordered = _ordered(value)
    text = "\n".join(block(ordered, 0, Layout())) + "\n"
    if get_value(text) != ordered:
        raise Refused("this object cannot be written as YAML without changing it")
    return text


def _ordered(value: Any) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    first = [key for key in _FIRST if key in value and (key != "type" or "name" not in value)]
    rest = [key for key in value if key not in first and key not in _LAST]
    return {key: _ordered(value[key]) for key in (*first, *rest, *(key for key in _LAST if key in value))}


def file_name(kind: str, name: str) -> str:
    """The name of a new object's file: a kustomization has its own, others are called after name and kind."""
    if kind == "Kustomization":
        return KUSTOMIZATIONS[0]
    return f"{name}-{kind.lower()}.yaml" if name else f"{kind.lower()}.yaml"
