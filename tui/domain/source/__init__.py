"""From a live object to its source: Application → repository and path → file → document → line.

Nothing is read here. The caller asks `plans` where to look, gives the repository's listing and, step by step, the texts
that `wanted` names, and gets from `find` the places to edit, best first. Exact for plain directories; for kustomize and
Helm what is known without rendering, and labelled so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from tui.domain.source.directory import find_directory
from tui.domain.source.helm import find_helm, wanted_files
from tui.domain.source.kustomize import find_kustomize, needed
from tui.domain.source.model import Candidate, Identity, SourcePlan, Tool, ValueFile, tracked
from tui.domain.source.planning import detect_tool, in_directory, plan, plans

__all__ = [
    "Candidate",
    "Identity",
    "SourcePlan",
    "Tool",
    "ValueFile",
    "detect_tool",
    "find",
    "plan",
    "plans",
    "resolve",
    "tracked",
    "wanted",
]


def resolve(source: SourcePlan, listing: Collection[str]) -> SourcePlan:
    """The plan with its tool found out by the names in its directory, where the Application did not say."""
    if source.tool != "unknown":
        return source
    return msgspec.structs.replace(source, tool=detect_tool(listing, source.path))


def wanted(source: SourcePlan, files: Mapping[str, str], listing: Collection[str]) -> set[str]:
    """Files that `find` wants and `files` lacks; give them and ask again until it is empty.

    Keys that start with `$ref/` lie in another source's repository: `source.value_files` says which.
    `listing` holds the paths of the source's repository at the revision looked at.
    """
    source = resolve(source, listing)
    if source.tool == "directory":
        return {path for path in listing if in_directory(source, path)} - files.keys()
    if source.tool == "kustomize":
        return needed(source, files, listing)
    if source.tool in ("helm", "chart"):
        return wanted_files(source, listing) - files.keys()
    prefix = f"{source.path}/" if source.path else ""
    return {path for path in listing if path.startswith(prefix) and path.endswith((".yaml", ".yml"))} - files.keys()


def find(
    source: SourcePlan, files: Mapping[str, str], identity: Identity, listing: Collection[str] = ()
) -> list[Candidate]:
    """Places to edit for an object, best first; [] when nothing in `files` has to do with it.

    `listing` may be left out when `files` holds everything.
    """
    source = resolve(source, listing or files)
    if source.tool == "directory":
        return find_directory(source, files, identity)
    if source.tool == "kustomize":
        return find_kustomize(source, files, identity)
    if source.tool in ("helm", "chart"):
        return find_helm(source, files, identity)
    prefix = f"{source.path}/" if source.path else ""
    return [
        Candidate(file, None, 0, "file", source.note or "holds the object's name")
        for file, text in sorted(files.items())
        if file.startswith(prefix) and identity.name in text
    ]
