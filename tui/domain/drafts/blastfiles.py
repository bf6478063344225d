"""Which objects a change of a file is about: those that it adds, changes or deletes, as far as it names them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from tui.domain.source.directory import SKIP
from tui.domain.source.leads import TOLD_BY, leads
from tui.domain.source.model import Identity, dig, records, text
from tui.domain.source.planning import KUSTOMIZATIONS
from tui.domain.yamledit import Refused, Session, documents
from tui.domain.yamlvalue import same

ARGO = "argoproj.io"
APPLICATION, SET, PROJECT = "Application", "ApplicationSet", "AppProject"
_YAML = (".yaml", ".yml", ".json")
_TEMPLATE = "a template: its objects are only known after rendering"
_GENERATORS = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}


class Place(NamedTuple):
    """A file of a repository."""

    repo: str
    path: str


class FileText(msgspec.Struct, frozen=True):
    """A changed file. None: it is not there, or cannot be read for the `problem`.

    A renamed file is two: `moved` at its old path, and a new one.
    """

    place: Place
    before: str | None
    after: str | None
    removed: bool = False
    moved: bool = False
    problem: str = ""


class Changed(msgspec.Struct, frozen=True):
    """An object that a change of a file is about, and what the file says of it; None where it says nothing."""

    identity: Identity
    how: Literal["added", "changed", "deleted"]
    before: Any = None
    after: Any = None


class Diff(msgspec.Struct, frozen=True):
    """What a change of one file is about. `note`: which objects it is about cannot be told, and why."""

    place: Place
    objects: tuple[Changed, ...] = ()
    unlisted: tuple[str, ...] = ()  # what a kustomization no longer lists although it is still there
    gone: str = ""  # path of a file that is removed
    note: str = ""
    yaml: bool = True  # the file is YAML or JSON


def compare(file: FileText, patches: Collection[str] = (), removed: Collection[str] = ()) -> Diff:
    """What the change of one file is about.

    `patches`: paths of files that only change objects declared elsewhere. `removed`: paths of the repository that the
    draft removes or renames, so that a kustomization that no longer lists them deletes nothing more. Takes time.
    """
    path = file.place.path
    gone = path if file.removed or file.moved else ""
    if file.problem:
        return Diff(file.place, gone=gone, note=f"cannot be read: {file.problem}")
    if not path.endswith(_YAML) and _name(path) not in TOLD_BY:
        return Diff(file.place, gone=gone, note="no manifest: what it shapes is only known after rendering", yaml=False)
    template = "{{" in (file.before or "") + (file.after or "")
    if template and "templates" in path.split("/")[:-1]:
        return Diff(file.place, gone=gone, note=_TEMPLATE)
    try:
        was, loose = _declared(file.before, path)
        now, other = _declared(file.after, path)
    except Refused as error:
        return Diff(file.place, gone=gone, note=_TEMPLATE if template else f"not YAML: {error.reason}")
    objects = tuple(_compared(was, now, path in patches))
    gone = path if file.removed or (file.moved and loose) else ""  # else its objects say what becomes of them
    note = "" if loose == other else "values: which objects they shape is only known after rendering"
    if _name(path) in KUSTOMIZATIONS:
        made, unlisted = _kustomization(file, loose, other, removed)
        return Diff(file.place, (*objects, *made), unlisted, gone, note and note.replace("values", "a kustomization"))
    return Diff(file.place, objects, (), gone, note)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _declared(content: str | None, path: str) -> tuple[dict[Identity, Any], list[Any]]:
    """The objects of a file, and its documents that are none. Raises Refused."""
    found: dict[Identity, Any] = {}
    loose: list[Any] = []
    if content is None or SKIP in content or not (path.endswith(_YAML) or _name(path) in TOLD_BY):
        return found, loose
    for document in documents(content):
        for value in _values(Session(content, document.index).value()):
            if (identity := _identity(value)) is not None:
                found[identity] = value
            else:
                loose.append(value)
    return found, loose


def _values(value: Any) -> Iterator[Any]:
    """The objects of a document: the items of a List are objects of their own."""
    if isinstance(value, Mapping) and text(value.get("kind")).endswith("List") and not dig(value, "metadata", "name"):
        yield from records(value.get("items"))
    else:
        yield value


def _identity(value: Any) -> Identity | None:
    kind, api = text(dig(value, "kind")), text(dig(value, "apiVersion"))
    name, namespace = text(dig(value, "metadata", "name")), text(dig(value, "metadata", "namespace"))
    return Identity(api.rpartition("/")[0], kind, namespace, name) if kind and api and name else None


def _compared(was: Mapping[Identity, Any], now: Mapping[Identity, Any], patch: bool) -> Iterator[Changed]:
    for identity, value in now.items():
        before = was.get(identity)
        if _drops(value) and not _drops(before):
            yield Changed(identity, "deleted", before, value)
        elif identity not in was:
            yield Changed(identity, "changed" if patch else "added", None, value)
        elif not same(before, value):
            yield Changed(identity, "changed", before, value)
    for identity, before in was.items():
        if identity not in now:
            yield Changed(identity, "changed" if patch or _drops(before) else "deleted", before)


def _drops(value: Any) -> bool:
    """Whether a strategic merge patch deletes its object."""
    return dig(value, "$patch") == "delete"


def _kustomization(
    file: FileText, was: list[Any], now: list[Any], removed: Collection[str]
) -> tuple[list[Changed], tuple[str, ...]]:
    """The objects that a kustomization no longer generates, and the files and folders it no longer lists."""
    folder, name = file.place.path.rpartition("/")[0], _name(file.place.path)
    before = leads(folder, {name: file.before or ""}).resources
    after = leads(folder, {name: file.after or ""}).resources
    unlisted = tuple(place for place in before if place not in after and place not in removed)
    made = []
    for key, kind in _GENERATORS.items():
        old = {text(entry.get("name")): entry for value in was for entry in records(dig(value, key))}
        kept = {text(entry.get("name")) for value in now for entry in records(dig(value, key))}
        made += [
            Changed(Identity("", kind, text(entry.get("namespace")), name), "deleted", entry)
            for name, entry in old.items()
            if name not in kept
        ]
    return made, unlisted
