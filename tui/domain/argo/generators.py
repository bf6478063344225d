"""What the Git generators of an ApplicationSet read: files and folders from which Applications are made.

Argo CD v3.5, applicationset/generators/git.go; patterns as `path_glob` with `across` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tui.domain.argo.reach import path_glob, repository_key
from tui.domain.source.model import records, text

_NESTING = ("matrix", "merge")
_DEEPEST = 4  # Argo CD allows two levels


class GitGenerator(msgspec.Struct, frozen=True):
    """One Git generator. Patterns are globs of paths from the repository's root."""

    repo: str  # equal for every spelling of a remote
    revision: str
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def reads(self, path: str) -> bool:
        """Whether an Application is made from this file."""
        return any(path_glob(pattern, True).fullmatch(path) for pattern in self.files)

    def folder(self, path: str) -> bool:
        """Whether an Application is made from this folder."""
        if any(path_glob(pattern, True).fullmatch(path) for pattern in self.excluded):
            return False
        return any(path_glob(pattern, True).fullmatch(path) for pattern in self.folders)


def git_generators(generators: Iterable[Mapping[str, Any]], depth: int = 0) -> Iterator[GitGenerator]:
    """The Git generators in `spec.generators`, also those inside others."""
    for entry in generators:
        git = entry.get("git")
        if isinstance(git, Mapping):
            folders = records(git.get("directories"))
            yield GitGenerator(
                repository_key(text(git.get("repoURL"))),
                text(git.get("revision")),
                tuple(text(each.get("path")) for each in records(git.get("files")) if not each.get("exclude")),
                tuple(text(each.get("path")) for each in folders if not each.get("exclude")),
                tuple(text(each.get("path")) for each in folders if each.get("exclude")),
            )
        for name in _NESTING:
            inner = entry.get(name)
            if isinstance(inner, Mapping) and depth < _DEEPEST:
                yield from git_generators(records(inner.get("generators")), depth + 1)
