"""Where an Application's sources are and how they are rendered, read from its spec and status."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from tui.domain.source.model import SourcePlan, Tool, ValueFile, dig, plain, records, strings, text

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MANIFESTS = (".yaml", ".yml", ".json", ".jsonnet")
_TYPES: dict[str, Tool] = {"Helm": "helm", "Kustomize": "kustomize", "Directory": "directory", "Plugin": "plugin"}


def clean(path: str) -> str:
    """A repository path without leading, trailing or doubled slashes and dots; "" is the root.

    What would leave the repository is cut off at its root.
    """
    return posixpath.normpath("/" + path).strip("/")


def plans(application: Any) -> tuple[SourcePlan, ...]:
    """Every source of the Application that renders something, in order (the last duplicate of an object wins).

    A `sourceHydrator` stands for its dry source: what it writes elsewhere is not edited by hand.
    """
    app = plain(application)
    spec = dig(app, "spec") or {}
    hydrator = dig(spec, "sourceHydrator", "drySource")
    sources = records(dig(spec, "sources"))
    if isinstance(hydrator, Mapping):
        listed: list[tuple[str, Mapping[str, Any]]] = [("spec.sourceHydrator.drySource", hydrator)]
    elif sources:
        listed = [(f"spec.sources[{index}]", source) for index, source in enumerate(sources)]
    else:
        listed = [("spec.source", dig(spec, "source") or {})]
    refs = {text(source.get("ref")): source for source in sources if text(source.get("ref"))}
    out = []
    for index, (spot, source) in enumerate(listed):
        if text(source.get("ref")) and not text(source.get("path")) and not text(source.get("chart")):
            continue
        out.append(_plan(app, spot, source, refs, *_status(app, index, bool(sources), bool(hydrator))))
    return tuple(out)


def plan(application: Any) -> SourcePlan:
    """The first source that renders something. Raises ValueError when the Application has none."""
    found = plans(application)
    if not found:
        raise ValueError("the Application has no source that renders anything")
    return found[0]


def _status(app: Mapping[str, Any], index: int, several: bool, hydrated: bool) -> tuple[str, str]:
    """(revision that was compared, source type) of one source, "" where the status does not say."""
    status = dig(app, "status") or {}
    if hydrated:
        return text(dig(status, "sourceHydrator", "lastSuccessfulOperation", "drySHA")), ""
    if several:
        revisions, kinds = strings(dig(status, "sync", "revisions")), strings(dig(status, "sourceTypes"))
        return (
            revisions[index] if index < len(revisions) else "",
            kinds[index] if index < len(kinds) else "",
        )
    return text(dig(status, "sync", "revision")), text(dig(status, "sourceType"))


def _plan(
    app: Mapping[str, Any],
    spot: str,
    source: Mapping[str, Any],
    refs: Mapping[str, Mapping[str, Any]],
    deployed: str,
    kind: str,
) -> SourcePlan:
    repo, path = text(source.get("repoURL")), clean(text(source.get("path")))
    directory = dig(source, "directory") or {}
    helm = dig(source, "helm") or {}
    tool = _tool(source, kind)
    note = "rendered by a plugin, which fleet does not run" if tool == "plugin" else ""
    if tool == "chart":
        note = f"chart {text(source.get('chart'))} comes from a chart repository; only its values are in Git"
    return SourcePlan(
        application=text(dig(app, "metadata", "name")),
        namespace=text(dig(app, "metadata", "namespace")),
        destination_namespace=text(dig(app, "spec", "destination", "namespace")),
        repo_url=repo,
        revision=text(source.get("targetRevision")),
        path=path,
        tool=tool,
        deployed=deployed,
        chart=text(source.get("chart")),
        spot=spot,
        recurse=dig(directory, "recurse") is True,
        include=text(dig(directory, "include")),
        exclude=text(dig(directory, "exclude")),
        libraries=tuple(clean(path) for path in strings(dig(directory, "jsonnet", "libs"))),
        value_files=tuple(values_file(file, source, path, refs) for file in strings(dig(helm, "valueFiles"))),
        helm=helm if isinstance(helm, Mapping) else {},
        kustomize=dig(source, "kustomize") or {},
        note=note,
    )


def _tool(source: Mapping[str, Any], kind: str) -> Tool:
    """The explicit tool, else what Argo CD found out (`status.sourceType`), else unknown."""
    if text(source.get("chart")):
        return "chart"
    if text(source.get("repoURL")).startswith("oci://"):
        return "oci"
    for name, tool in (("plugin", "plugin"), ("helm", "helm"), ("kustomize", "kustomize"), ("directory", "directory")):
        block = source.get(name)
        if block or (isinstance(block, Mapping) and name == "plugin"):
            return _TYPES[tool.capitalize()]
    return _TYPES.get(kind, "unknown")


def values_file(file: str, source: Mapping[str, Any], path: str, refs: Mapping[str, Mapping[str, Any]]) -> ValueFile:
    """A values file: relative to the chart, `/x` from the repository's root, `$ref/x` from another source's root."""
    repo, revision = text(source.get("repoURL")), text(source.get("targetRevision"))
    if file.startswith("$"):
        name, _, rest = file[1:].partition("/")
        other = refs.get(name)
        if other is not None:
            inside = clean(rest)
            return ValueFile(f"${name}/{inside}", inside, text(other.get("repoURL")), text(other.get("targetRevision")))
    inside = clean(file) if file.startswith("/") else clean(f"{path}/{file}")
    return ValueFile(inside, inside, repo, revision)


def detect_tool(listing: Iterable[str], path: str = "") -> Tool:
    """How Argo CD renders a directory by the names in it: kustomization before chart, else plain manifests.

    Only the directory itself counts. `listing` holds paths from the repository's root.
    """
    prefix = clean(path) + "/" if clean(path) else ""
    names = {file[len(prefix) :] for file in listing if file.startswith(prefix)}
    here = {name for name in names if "/" not in name}
    if here & set(KUSTOMIZATIONS):
        return "kustomize"
    return "helm" if any(name.endswith("Chart.yaml") for name in here) else "directory"


@lru_cache(maxsize=256)
def glob(pattern: str) -> re.Pattern[str]:
    """A glob of `directory.include` or `exclude`: `*` crosses slashes, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\\` escapes."""
    out, at, depth = [], 0, 0
    while at < len(pattern):
        char = pattern[at]
        closing = pattern.find("]", at + 2) if char == "[" else -1
        if char == "*":
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif closing > 0:
            body = pattern[at + 1 : closing]
            negated = body.startswith(("!", "^"))
            out.append(f"[{'^' if negated else ''}{re.escape(body[negated:]).replace(chr(92) + '-', '-')}]")
            at = closing
        elif char == "{":
            depth += 1
            out.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        else:
            out.append(re.escape(char))
        at += 1
    try:
        return re.compile("".join(out) + ")" * depth, re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))


def in_directory(source: SourcePlan, file: str) -> bool:
    """Whether Argo CD reads this file of a plain directory source: suffix, depth, exclude, then include."""
    prefix = source.path + "/" if source.path else ""
    if not file.startswith(prefix) or not file.endswith(MANIFESTS):
        return False
    inner = file[len(prefix) :]
    if "/" in inner and not source.recurse:
        return False
    if source.exclude and glob(source.exclude).fullmatch(inner):
        return False
    return not source.include or bool(glob(source.include).fullmatch(inner))
