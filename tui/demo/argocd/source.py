"""What the repo-server does: a source at a revision becomes objects, or an error in its words."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tui.demo.repository import GitError, Reader, environment

Obj = dict[str, Any]

TOOL_TIMEOUT = 30.0  # seconds that helm or kustomize may take


class RenderError(Exception):
    """Manifests could not be generated; the text is what Argo CD's condition says after its own prefix."""


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Rendered:
    """Objects of a source (not yet namespaced or stamped) and how they were made."""

    objects: tuple[Obj, ...]
    source_type: str  # Directory | Kustomize | Helm
    files: tuple[str, ...] = ()  # of a directory: the file each object comes from, by path in the repository


class Renderer:
    """Renders sources of one repository; results are kept as long as the files they come from are the same.

    What tools need as files is written below `place`, which must be there (default: where temporary files go).
    """

    def __init__(self, reader: Reader, place: Path | None = None) -> None:
        self._reader = reader
        self._place = place
        self._checkout: tuple[tuple[str, ...], tempfile.TemporaryDirectory[str]] | None = None
        self._kept: dict[tuple[Any, ...], Rendered | RenderError] = {}

    def close(self) -> None:
        """Remove what was written for the tools."""
        if self._checkout:
            self._checkout[1].cleanup()
            self._checkout = None

    def render(self, source: Obj, sha: str, name: str, namespace: str, roots: tuple[str, ...] = ("",)) -> Rendered:
        """Objects of a source at a commit. Raises RenderError in Argo CD's words.

        `roots`: directories whose change matters; what was rendered is kept while they are the same.
        """
        tree = self._reader.tree(sha)
        path = str(source.get("path", ".")).strip("/")
        prefix = "" if path in ("", ".") else path + "/"
        inside = {file[len(prefix) :]: oid for file, oid in tree.items() if file.startswith(prefix)}
        if not inside:
            raise RenderError(f"rpc error: code = Unknown desc = {path}: app path does not exist")
        kind = _type_of(source, inside)
        if kind == "Directory":
            fingerprint: tuple[Any, ...] = tuple(sorted(inside.items()))
        else:  # overlays may reach beyond their own directory
            places = tuple(root + "/" if root else "" for root in (*roots, path))
            fingerprint = (name, namespace, tuple(sorted(pair for pair in tree.items() if pair[0].startswith(places))))
        key = (path, repr(source), fingerprint)
        if key not in self._kept:
            if len(self._kept) > 4000:
                self._kept.clear()
            try:
                made = list(self._objects(kind, source, sha, path, inside, name, namespace))
                files = tuple(prefix + file for file, _ in made) if kind == "Directory" else ()
                self._kept[key] = Rendered(tuple(obj for _, obj in made), kind, files)
            except RenderError as error:
                self._kept[key] = error
        found = self._kept[key]
        if isinstance(found, RenderError):
            raise found
        return found

    def _objects(
        self, kind: str, source: Obj, sha: str, path: str, inside: dict[str, str], name: str, namespace: str
    ) -> Iterator[tuple[str, Obj]]:
        """(file below the path, object); the file is "" for what a tool made."""
        if kind == "Directory":
            for file in _files(source, inside):
                for obj in self._documents(file, inside[file]):
                    yield file, obj
            return
        if kind == "Kustomize":
            command = _kustomize(path)
            text = _run(command, self._files(sha, path), _KUSTOMIZE_FAILED.format(path=path))
        else:
            command = _helm(source, name, namespace)
            text = _run(command, self._files(sha, path) / path, "`helm template . <args> failed`", _values(source))
        for obj in _parsed(text, path):
            yield "", obj

    def _files(self, sha: str, path: str) -> Path:
        """A checkout of the top directory that a path is in; the last one is kept for the next Application."""
        top = path.partition("/")[0]
        if self._checkout is None or self._checkout[0] != (sha, top):
            self.close()
            scratch = tempfile.TemporaryDirectory(prefix="fleet-demo-render-", dir=self._place)
            self._checkout = ((sha, top), scratch)
            self._reader.export(sha, Path(scratch.name), top)
        return Path(self._checkout[1].name)

    def _documents(self, file: str, oid: str) -> Iterator[Obj]:
        try:
            data = self._reader.blob(oid)
        except GitError as error:
            raise RenderError(f"rpc error: code = Internal desc = {error}") from error
        if b"+argocd:skip-file-rendering" in data:
            return
        yield from _parsed(data, file)


def _type_of(source: Obj, inside: dict[str, str]) -> str:
    """Explicit block first, then discovery by file name; both files present means Kustomize."""
    for block, kind in (("kustomize", "Kustomize"), ("helm", "Helm"), ("directory", "Directory")):
        if source.get(block):
            return kind
    if {"kustomization.yaml", "kustomization.yml", "Kustomization"} & inside.keys():
        return "Kustomize"
    return "Helm" if "Chart.yaml" in inside else "Directory"


def _files(source: Obj, inside: dict[str, str]) -> list[str]:
    options = source.get("directory") or {}
    chosen = []
    for file in sorted(inside):
        if not options.get("recurse") and "/" in file:
            continue
        if PurePosixPath(file).suffix not in (".yaml", ".yml", ".json"):
            continue
        if options.get("exclude") and _matches(file, options["exclude"]):
            continue
        if options.get("include") and not _matches(file, options["include"]):
            continue
        chosen.append(file)
    return chosen


def _matches(file: str, pattern: str) -> bool:
    """Argo CD's glob: `*` crosses `/`, and `{a,b}` is a choice."""
    if pattern.startswith("{") and pattern.endswith("}"):
        return any(fnmatchcase(file, part.strip()) for part in pattern[1:-1].split(","))
    return fnmatchcase(file, pattern)


def _parsed(data: bytes, file: str) -> Iterator[Obj]:
    try:
        documents = list(yaml.load_all(data, _Loader))
    except yaml.YAMLError as error:
        if not all(word in data for word in (b"apiVersion:", b"kind:", b"metadata:")):
            return
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "invalid YAML"
        raise RenderError(
            f'rpc error: code = FailedPrecondition desc = Failed to unmarshal "{file}": '
            f"failed to unmarshal manifest: error converting YAML to JSON: yaml: {where}{problem}"
        ) from error
    for document in documents:
        yield from _flattened(document, file)


def _flattened(document: Any, file: str) -> Iterator[Obj]:
    if document is None:
        return
    if not isinstance(document, dict) or not (document.get("kind") and isinstance(document["kind"], str)):
        raise RenderError(
            f'rpc error: code = FailedPrecondition desc = Failed to unmarshal "{file}": '
            f"Object 'Kind' is missing in '{str(document)[:80]}'"
        )
    if not document.get("apiVersion") or not isinstance(document["apiVersion"], str):
        raise RenderError(
            f'rpc error: code = FailedPrecondition desc = Failed to unmarshal "{file}": '
            f"Object 'apiVersion' is missing in '{str(document)[:80]}'"
        )
    if "items" in document and str(document["kind"]).endswith("List"):
        for item in document["items"] or ():
            yield from _flattened(item, file)
        return
    problem = _meta_problem(document.get("metadata"))
    if problem:
        raise RenderError(
            f'rpc error: code = FailedPrecondition desc = Failed to unmarshal "{file}": {document["kind"]}: {problem}'
        )
    yield document


def _meta_problem(meta: Any) -> str:
    """What is wrong with an object's metadata; "" when nothing is."""
    if meta is None or (isinstance(meta, dict) and not meta.get("name")):
        return "metadata.name: Required value: name is required"
    if not isinstance(meta, dict):
        return "json: cannot unmarshal value into Go struct field .metadata of type v1.ObjectMeta"
    for field in ("name", "namespace"):
        if not isinstance(meta.get(field) or "", str):
            return f"json: cannot unmarshal value into Go struct field ObjectMeta.metadata.{field} of type string"
    for field in ("labels", "annotations"):
        found = meta.get(field) or {}
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            return f"json: cannot unmarshal value into Go struct field ObjectMeta.metadata.{field} of type string"
    return ""


_KUSTOMIZE_FAILED = "`kustomize build <path to cached source>/{path}` failed"


def _kustomize(path: str) -> list[str]:
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return [*command, path]
    raise RenderError(
        f"rpc error: code = Unknown desc = {_KUSTOMIZE_FAILED.format(path=path)}: "
        'exec: "kustomize": executable file not found in $PATH'
    )


def _helm(source: Obj, name: str, namespace: str) -> list[str]:
    if not shutil.which("helm"):
        raise RenderError(
            "rpc error: code = Unknown desc = error getting helm version: "
            'exec: "helm": executable file not found in $PATH'
        )
    options = source.get("helm") or {}
    command = ["helm", "template", ".", "--name-template", options.get("releaseName") or name, "--namespace", namespace]
    for parameter in options.get("parameters") or ():
        flag = "--set-string" if parameter.get("forceString") else "--set"
        command += [flag, f"{parameter['name']}={parameter['value']}"]
    for file in options.get("valueFiles") or ():
        command += ["--values", file]
    if options.get("valuesObject") or options.get("values"):
        command += ["--values", "-"]
    return [*command, "--include-crds"]


def _values(source: Obj) -> bytes:
    """Inline values, for helm's standard input."""
    options = source.get("helm") or {}
    if options.get("valuesObject"):
        return yaml.safe_dump(options["valuesObject"]).encode()
    return str(options.get("values") or "").encode()


def _run(command: list[str], directory: Path, said: str, data: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            input=data,
            capture_output=True,
            env=environment(),
            timeout=TOOL_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"rpc error: code = Unknown desc = {said} timeout after {TOOL_TIMEOUT:.0f}s") from error
    if done.returncode:
        text = " ".join(done.stderr.decode(errors="replace").split())
        raise RenderError(f"rpc error: code = Unknown desc = {said} exit status {done.returncode}: {text}")
    return done.stdout
