"""ApplicationSets: generators and templates of the kinds the demo uses, and the Applications that come of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from tui.demo.argocd.objects import Obj
from tui.demo.repository import Reader
from tui.demo.world import World

FINALIZER = "resources-finalizer.argocd.argoproj.io"

_PLACEHOLDER = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_WILD = re.compile(r"[*?\[]")
_FIELD = re.compile(r"^\.([\w.\-]+)$")
_INDEX = re.compile(r'^index\s+\.([\w.\-]+)\s+"([^"]+)"$')


class GeneratorError(Exception):
    """Parameters could not be generated; the text is for the ErrorOccurred condition."""


def applications_of(appset: Obj, world: World, reader: Reader) -> list[Obj]:
    """The Applications that a set asks for now. Raises GeneratorError."""
    meta, spec = appset["metadata"], appset["spec"]
    made: dict[str, Obj] = {}
    for parameters in _parameters(spec, world, reader):
        template = _filled(spec["template"], parameters)
        name = template["metadata"]["name"]
        if name in made:
            raise GeneratorError(f"ApplicationSet {meta['name']} contains applications with duplicate name: {name}")
        made[name] = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "finalizers": [FINALIZER],
                **template["metadata"],
                "namespace": meta["namespace"],
                "ownerReferences": [
                    {
                        "apiVersion": appset["apiVersion"],
                        "kind": "ApplicationSet",
                        "name": meta["name"],
                        "uid": meta["uid"],
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "spec": template["spec"],
        }
    return list(made.values())


def _parameters(spec: Obj, world: World, reader: Reader) -> Iterator[dict[str, Any]]:
    for generator in spec.get("generators") or ():
        if "list" in generator:
            yield from generator["list"].get("elements") or ()
        elif "clusters" in generator:
            yield from _clusters(generator["clusters"].get("selector") or {}, world)
        elif "git" in generator:
            yield from _directories(generator["git"], reader)
        else:
            raise GeneratorError(f"unsupported generator: {', '.join(generator)}")


def _clusters(selector: Obj, world: World) -> Iterator[dict[str, Any]]:
    for secret in world.hub.list("secrets", "argocd"):
        labels = secret["metadata"].get("labels") or {}
        if labels.get("argocd.argoproj.io/secret-type") != "cluster" or not _selected(selector, labels):
            continue
        name, server = (base64.b64decode(secret["data"][field]).decode() for field in ("name", "server"))
        yield {
            "name": name,
            "nameNormalized": name.replace("_", "-").lower(),
            "server": server,
            "metadata": {"labels": labels, "annotations": secret["metadata"].get("annotations") or {}},
        }


def _selected(selector: Obj, labels: dict[str, str]) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions") or ():
        value, present = labels.get(rule["key"]), rule["key"] in labels
        fine = {
            "In": value in rule.get("values", ()),
            "NotIn": value not in rule.get("values", ()),
            "Exists": present,
            "DoesNotExist": not present,
        }
        if not fine[rule["operator"]]:
            return False
    return True


def _directories(generator: Obj, reader: Reader) -> Iterator[dict[str, Any]]:
    revision = generator.get("revision", "HEAD")
    sha = reader.resolve(revision)
    if sha is None:
        raise GeneratorError(f"error getting directories from repo: unable to resolve '{revision}' to a commit SHA")
    rules = generator.get("directories") or ()
    for path in sorted(set(_candidates(reader.tree(sha), [rule["path"] for rule in rules]))):
        hits = [rule for rule in rules if _path_match(path, rule["path"])]
        if hits and not any(rule.get("exclude") for rule in hits):
            name = PurePosixPath(path).name
            segments = path.split("/")
            yield {
                "path": {
                    "path": path,
                    "basename": name,
                    "basenameNormalized": name.replace("_", "-").lower(),
                    "segments": segments,
                }
            }


def _candidates(files: Iterable[str], patterns: list[str]) -> Iterator[str]:
    """Directories deep enough to match a pattern, below the part of it that has no wildcard."""
    for pattern in patterns:
        depth = pattern.count("/") + 1
        fixed = _WILD.split(pattern, maxsplit=1)[0]
        for file in files:
            if file.startswith(fixed):
                parts = file.split("/")
                if len(parts) > depth:
                    yield "/".join(parts[:depth])


def _path_match(path: str, pattern: str) -> bool:
    """Go's path.Match: `*` stops at `/`."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _filled(template: Any, parameters: dict[str, Any]) -> Any:
    """Every string of a template with its placeholders filled: `.a.b` and `index .a.b "key"` of Go templates."""
    if isinstance(template, dict):
        return {_filled(key, parameters): _filled(value, parameters) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, parameters) for value in template]
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda found: _value(found[1], parameters), template)
    return template


def _value(expression: str, parameters: dict[str, Any]) -> str:
    field, index = _FIELD.match(expression), _INDEX.match(expression)
    if not field and not index:
        raise GeneratorError(f"failed to execute go template {{{{{expression}}}}}: function not supported")
    steps = (field or index)[1].split(".")  # type: ignore[index]
    if index:
        steps.append(index[2])
    value: Any = parameters
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            raise GeneratorError(
                f'failed to execute go template {{{{{expression}}}}}: map has no entry for key "{step}"'
            )
        value = value[step]
    return str(value)


def status_of(appset: Obj, made: list[Obj], problem: str, now: str) -> Obj:
    """The set's status: its conditions, its Applications and its health."""
    old = {entry["type"]: entry for entry in (appset.get("status") or {}).get("conditions") or ()}
    rows = (
        ("ErrorOccurred", bool(problem), "ApplicationParamsGenerationError", "ApplicationSetUpToDate"),
        ("ParametersGenerated", not problem, "ParametersGenerated", "ErrorOccurred"),
        ("ResourcesUpToDate", not problem, "ApplicationSetUpToDate", "ErrorOccurred"),
    )
    fine = {
        "ErrorOccurred": "All applications have been generated successfully",
        "ParametersGenerated": "Successfully generated parameters for all Applications",
        "ResourcesUpToDate": "All applications have been generated successfully",
    }
    conditions = []
    for name, true, reason_true, reason_false in rows:
        status = "True" if true else "False"
        condition = {
            "type": name,
            "status": status,
            "reason": reason_true if true else reason_false,
            "message": problem or fine[name],
            "lastTransitionTime": now,
        }
        before = old.get(name)
        if before and all(before.get(key) == condition[key] for key in ("status", "reason", "message")):
            condition = before
        conditions.append(condition)
    resources = []
    for app in sorted(made, key=lambda app: app["metadata"]["name"]):
        found = app.get("status") or {}
        entry = {
            "group": "argoproj.io",
            "version": "v1alpha1",
            "kind": "Application",
            "namespace": app["metadata"]["namespace"],
            "name": app["metadata"]["name"],
            "status": (found.get("sync") or {}).get("status", "Unknown"),
        }
        if found.get("health"):
            entry["health"] = {"status": found["health"]["status"]}
        resources.append(entry)
    health = {"status": "Degraded" if problem else "Healthy", "message": problem or fine["ResourcesUpToDate"]}
    return {
        "conditions": conditions,
        "health": health,
        "resources": resources,
        "resourcesCount": len(resources),
    }
