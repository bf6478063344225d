"""The files of a draft by whom they are for: cluster, group of clusters or Application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tui.domain.drafts import hunks
from tui.domain.drafts.model import Operation

KEYS = ("cluster", "group", "application")
"""What files can be grouped by."""


def names(operations: Iterable[Operation], by: str, groups: Mapping[str, str] = {}) -> tuple[str, ...]:
    """Whom operations are about, each once and in order; `groups` are those of clusters (`prod/eu`).

    A cluster whose group is not known stands for itself.
    """
    if by == "application":
        found = {operation.application for operation in operations}
    else:
        found = {operation.cluster for operation in operations}
        if by == "group":
            found = {groups.get(cluster, cluster) for cluster in found}
    return tuple(sorted(name for name in found if name))


def grouped(
    paths: Iterable[str], operations: Sequence[Operation], by: str, groups: Mapping[str, str] = {}
) -> list[tuple[str, list[str]]]:
    """(heading, paths) in the order of the headings. A file that several share stands under all their names together,
    one that nobody is known for under "", last."""
    about: dict[str, list[Operation]] = {}
    for operation in operations:
        about.setdefault(operation.file, []).append(operation)
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(", ".join(names(about.get(path, ()), by, groups)), []).append(path)
    return sorted(found.items(), key=lambda entry: (not entry[0], "," in entry[0], entry[0]))


def patch_by(patch: str, operations: Sequence[Operation], by: str, groups: Mapping[str, str] = {}) -> str:
    """A patch with its files in the order of the groups, and a line with each group's name above its own.

    Lines between files that are not git's stay above the first file.
    """
    lines = patch.split("\n")
    files = hunks.parse(patch)
    if not files:
        return patch
    parts: dict[str, list[str]] = {}
    for file in files:
        parts.setdefault(file.path, []).extend(lines[file.number : file.end])
    out = lines[: files[0].number]
    for heading, paths in grouped(parts, operations, by, groups):
        out.append(f"{by} {heading}" if heading else f"no {by} is known")
        for path in paths:
            out += parts[path]
    return "\n".join(out) + "\n"
