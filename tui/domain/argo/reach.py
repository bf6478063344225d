"""Which files of a repository an Application is made of, as far as that can be told without rendering it.

In doubt a file counts: an Application that is named and not touched costs a look, one that is touched and not named an
outage. Argo CD v3.5: util/app/path (manifest-generate-paths), reposerver/repository (values files, jsonnet libraries).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from tui.domain import giturl
from tui.domain.source.model import SourcePlan, Tool, dig, plain, records, strings, text
from tui.domain.source.planning import clean, in_directory, plans, values_file

GENERATE_PATHS = "argocd.argoproj.io/manifest-generate-paths"
_JSONNET = (".jsonnet", ".libsonnet")
_MAGIC = frozenset("*?[\\")

Why = Literal["path", "values", "library", "base", "watched", "edit", "manifest", "set", "project"]
"""How a file touches an Application.

path: it lies in the source's path; values: a Helm values or parameters file; library: a jsonnet library; base: a
kustomization or chart of the path leads to it; watched: manifest-generate-paths names it, so that Argo CD compares anew
although nothing may change; edit: a draft's edit was made for this Application; manifest: it declares the Application
itself; set: its ApplicationSet; project: its project.
"""


class Use(msgspec.Struct, frozen=True, gc=False):
    """What an Application takes from one repository at one revision. Paths are those of `clean`: "" is the root."""

    repo: str  # equal for every spelling of a remote
    revision: str  # as written; "" means HEAD
    compared: str = ""  # commit the Application was last compared with; "" unknown
    path: str | None = None  # None: nothing is rendered from here, only values are read
    tool: Tool = "unknown"
    recurse: bool = False
    include: str = ""
    exclude: str = ""
    values: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    components: tuple[str, ...] = ()  # kustomize components the Application itself adds, relative to the path
    watched: tuple[str, ...] = ()  # of manifest-generate-paths, from the repository's root; may be globs


@lru_cache(maxsize=4096)
def repository_key(url: str) -> str:
    """A key that is equal for every spelling of a remote; "" for a URL that fleet would not give to git."""
    try:
        return giturl.parse(url).key
    except giturl.BadUrl:
        return ""


def uses(application: Any) -> tuple[Use, ...]:
    """What an Application (manifest or struct) takes from which repositories."""
    app = plain(application)
    annotation = text(dig(app, "metadata", "annotations", GENERATE_PATHS))
    refs, compared = _referred(app)
    made: list[Use] = []
    for plan in plans(app):
        elsewhere: dict[tuple[str, str], list[str]] = {}
        own: list[str] = []
        for repo, revision, path in _values(plan, refs):
            if repo:
                elsewhere.setdefault((repo, revision), []).append(path)
            elif plan.tool != "chart":
                own.append(path)
        if not plan.chart:
            made.append(_use(plan, own, annotation))
        for (repo, revision), paths in elsewhere.items():
            at = compared.get((repo, revision), "")
            made.append(Use(repository_key(repo), revision, at, values=tuple(paths), watched=_absolute(annotation)))
    return tuple(made)


def _use(plan: SourcePlan, values: list[str], annotation: str) -> Use:
    return Use(
        repository_key(plan.repo_url),
        plan.revision,
        plan.deployed,
        plan.path,
        plan.tool,
        plan.recurse,
        plan.include,
        plan.exclude,
        tuple(values),
        plan.libraries,
        tuple(strings(dig(plan.kustomize, "components"))),
        watched_paths(annotation, plan.path),
    )


def _referred(app: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], dict[tuple[str, str], str]]:
    """The sources that `$ref` may mean, and the commit that was last compared by (repoURL, targetRevision)."""
    listed = records(dig(app, "spec", "sources"))
    revisions = strings(dig(app, "status", "sync", "revisions"))
    refs = {text(source.get("ref")): source for source in listed if text(source.get("ref"))}
    at = {
        (text(source.get("repoURL")), text(source.get("targetRevision"))): revision
        for source, revision in zip(listed, revisions, strict=False)
    }
    return refs, at


def _values(plan: SourcePlan, refs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """(repoURL, revision, path) of every values and parameters file; repoURL "" for the source's own repository."""
    source = {"repoURL": plan.repo_url, "targetRevision": plan.revision}
    parameters = [text(entry.get("path")) for entry in records(plan.helm.get("fileParameters"))]
    files = [*plan.value_files, *(values_file(path, source, plan.path, refs) for path in parameters if path)]
    for file in files:
        if file.key.startswith("$"):
            yield file.repo_url, file.revision, file.path
        else:
            yield "", "", file.path


def watched_paths(annotation: str, path: str) -> tuple[str, ...]:
    """What `manifest-generate-paths` names, from the repository's root.

    Entries are separated by `;` and not trimmed; one with a leading slash starts at the root, others at `path`.
    """
    return tuple(clean(item if item.startswith("/") else f"{path}/{item}") for item in annotation.split(";") if item)


def _absolute(annotation: str) -> tuple[str, ...]:
    """The same for a source that only holds values: nothing is relative to it."""
    return tuple(clean(item) for item in annotation.split(";") if item.startswith("/"))


class Files:
    """Paths of changed files, to be asked which of them lie where."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(dict.fromkeys(paths))
        self._held = frozenset(self.paths)
        self._below: dict[str, list[str]] = {}
        for path in self.paths:
            folder = path
            while folder:
                folder = folder.rpartition("/")[0]
                self._below.setdefault(folder, []).append(path)

    def at(self, place: str) -> list[str]:
        """The file of this path, or the files below the folder of this path; "" is all."""
        return [place] if place in self._held else self._below.get(place, [])

    def like(self, pattern: str) -> list[str]:
        """As `at`, and where the path has glob characters the files that match it as Go's `filepath.Match` does."""
        found = self.at(pattern)
        if found or not _MAGIC.intersection(pattern):
            return found
        matches = path_glob(pattern).fullmatch
        return [path for path in self.paths if matches(path)]


def matched(use: Use, files: Files, led: Iterable[str] = ()) -> dict[str, Why]:
    """The files that touch an Application through one source, with the most telling reason.

    `led`: files and folders outside the path that its kustomizations and charts lead to (`lead`).
    """
    found: dict[str, Why] = {}

    def add(paths: Iterable[str], why: Why) -> None:
        for path in paths:
            found.setdefault(path, why)

    for value in use.values:
        add(files.like(value), "values")
    if use.path is not None:
        add((path for path in files.at(use.path) if _rendered(use, path)), "path")
    for place in use.libraries:
        add(files.at(place), "library")
    for place in led:
        add(files.at(place), "base")
    for place in use.watched:
        add(files.like(place), "watched")
    return found


def _rendered(use: Use, file: str) -> bool:
    """Whether a file in the path may be part of what is rendered; jsonnet may import any file of its kind."""
    if use.tool != "directory" or file.endswith(_JSONNET):
        return True
    plan = SourcePlan("", "", "", "", "", use.path or "", "directory", recurse=use.recurse)
    return in_directory(msgspec.structs.replace(plan, include=use.include, exclude=use.exclude), file)


@lru_cache(maxsize=1024)
def path_glob(pattern: str, across: bool = False) -> re.Pattern[str]:
    """A glob of paths: `*` and `?` stay within one element, `[a-z]`, `[^a]`, `\\` escapes, as Go's `filepath.Match`.

    With `across` also `**` for any number of elements, as the Git generators of ApplicationSets have it.
    """
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        closing = pattern.find("]", at + 2) if char == "[" else -1
        if across and pattern.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 2
        elif across and pattern.startswith("**", at):
            out.append(".*")
            at += 1
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif closing > 0:
            body = pattern[at + 1 : closing]
            negated = body.startswith("^")
            out.append(f"[{'^/' if negated else ''}{re.escape(body[negated:]).replace(chr(92) + '-', '-')}]")
            at = closing
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        else:
            out.append(re.escape(char))
        at += 1
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))


def parent(path: str) -> str:
    """The folder of a path; "" is the root."""
    return path.rpartition("/")[0]
