"""Files and objects made, removed and renamed: what of it changes in which file, worked out before anything is done.

Nothing is read here: the caller gives the texts of the kustomizations that may name a file, and of the files that may
mention an object, and does what `Work` says as one step.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tui.domain import yamledit
from tui.domain.drafts.model import Operation
from tui.domain.objects import listing
from tui.domain.source.planning import KUSTOMIZATIONS, clean
from tui.domain.yamledit import Document, Refused, Session

MOST_MENTIONS = 20  # places of an object that are named

_BY_CONTEXT: dict[str, str] = {
    "service": "Service", "configMap": "ConfigMap", "configMapRef": "ConfigMap", "configMapKeyRef": "ConfigMap",
    "secretRef": "Secret", "secretKeyRef": "Secret",
}  # fmt: skip
_BY_KEY: dict[str, str] = {
    "serviceName": "Service", "serviceAccountName": "ServiceAccount", "claimName": "PersistentVolumeClaim",
    "secretName": "Secret", "priorityClassName": "PriorityClass", "storageClassName": "StorageClass",
    "ingressClassName": "IngressClass",
}  # fmt: skip
_WITH_KIND = frozenset(("scaleTargetRef", "targetRef", "target", "roleRef", "subjects", "involvedObject", "parentRefs"))


class Work(msgspec.Struct, frozen=True):
    """What is to be done to files of one repository, in one step; None removes a file. `notes` are for a person."""

    files: dict[str, str | None]
    operations: tuple[Operation, ...]
    notes: tuple[str, ...] = ()


def label(document: Document) -> str:
    """A document as trailers name it: `Kind namespace/name`."""
    place = f"{document.namespace}/{document.name}" if document.namespace else document.name
    return f"{document.kind} {place}".strip()


def check_path(path: str, names: Mapping[str, Collection[str]]) -> str:
    """The path of a new file, tidied. `names` are those in each folder on the way ("" is the root) that exists.

    Raises Refused when it leaves the repository, is taken, or differs only in upper and lower case from what is there:
    such files cannot both be checked out on macOS and Windows.
    """
    made = path.strip().strip("/")
    parts = made.split("/")
    if not made or any(part in ("", ".", "..") or part.lower() == ".git" or not part.isprintable() for part in parts):
        raise Refused(f"{path!r} is no path of a file in the repository")
    folder = ""
    for number, part in enumerate(parts):
        held = names.get(folder)
        if held is None:
            break
        for other in held:
            if other != part and other.casefold() == part.casefold():
                there = f"{folder}/{other}" if folder else other
                raise Refused(f"{there} is there already and differs from {made} only in upper and lower case")
        folder = f"{folder}/{part}" if folder else part
        if number == len(parts) - 1 and part in held:
            raise Refused(f"{made} is there already")
    return made


def create(path: str, text: str, about: Operation, listings: Mapping[str, str] = {}, chart: str | None = None) -> Work:
    """A new file; `listings` are the kustomizations (file -> text) that must list it.

    `chart` is the folder of the Helm chart it lies in. Raises Refused.
    """
    found = [label(document) for document in yamledit.documents(text) if document.name] if _yaml(path) else []
    files: dict[str, str | None] = {path: text}
    operations = [replace(about, file=path, op="create", object=about.object or (found[0] if found else ""))]
    notes = []
    for file, held in listings.items():
        edited = _at(file, lambda file=file, held=held: listing.listed(file, held, path))
        if edited.changed:
            files[file] = edited.text
            entry = listing.relative(listing.folder_of(file), path)
            operations.append(replace(about, file=file, op="append", path="resources", new=entry))
            notes.append(f"listed in {file}")
    if chart is not None:
        inside = path.startswith(f"{chart}/templates/" if chart else "templates/")
        notes.append(
            "a template of a Helm chart: every release of the chart gets it"
            if inside
            else "in the folder of a Helm chart but not below templates/: Helm does not render it"
        )
    return Work(files, tuple(operations), tuple(notes))


def append(path: str, before: str, text: str, about: Operation) -> Work:
    """One more document in a file that is there. Raises Refused."""
    after = before
    objects = []
    for document in yamledit.documents(text):
        chunk = text.splitlines(keepends=True)[document.start_line - 1 : document.end_line]
        after = _at(path, lambda after=after, chunk=chunk: yamledit.append_document(after, "".join(chunk))).text
        objects.append(label(document))
    number = len(yamledit.documents(before))
    operations = [
        replace(about, file=path, op="create", doc=str(number + index), object=name)
        for index, name in enumerate(objects)
    ]
    return Work({path: after}, tuple(operations))


def remove_file(path: str, text: str | None, about: Operation, kustomizations: Mapping[str, str]) -> Work:
    """A file gone, and every entry that names it in the kustomizations given (file -> text). Raises Refused."""
    found = [label(document) for document in yamledit.documents(text or "") if document.name] if _yaml(path) else []
    files: dict[str, str | None] = {path: None}
    object_ = about.object or (found[0] if len(found) == 1 else "")
    operations = [replace(about, file=path, op="remove", object=object_)]
    notes = []
    for file, held in kustomizations.items():
        if file == path:
            continue
        edited = _at(file, lambda file=file, held=held: listing.unlisted(file, held, path))
        if not edited.changed:
            continue
        files[file] = edited.text
        operations.append(replace(about, file=file, op="delete", old=listing.relative(listing.folder_of(file), path)))
        notes.append(f"{file} lists it no more")
        left = Session(edited.text, 0).value()
        if not any(value for key, value in left.items() if key not in ("apiVersion", "kind", "metadata")):
            notes.append(f"{file} has nothing left: kustomize refuses an empty kustomization")
    return Work(files, tuple(operations), tuple(notes))


def remove_object(
    path: str, text: str, doc: int, about: Operation, kustomizations: Mapping[str, str], item: str = ""
) -> Work:
    """An object gone: its document, or its `item` of a List, or with the last one the file and what names it.

    Raises Refused.
    """
    found = yamledit.documents(text)
    if not 0 <= doc < len(found):
        raise Refused(f"there is no document {doc}; the file has {len(found)}").at(path)
    object_ = about.object or label(found[doc])
    about = replace(about, doc=str(doc), object=object_)
    if item:
        items = _at(path, lambda: Session(text, doc)).value("items")
        if len(items) > 1:
            edited = _at(path, lambda: yamledit.delete(text, item, doc))
            return Work({path: edited.text}, (replace(about, file=path, op="remove", path=item),))
    if len(found) > 1:
        edited = _at(path, lambda: yamledit.remove_document(text, doc))
        return Work({path: edited.text}, (replace(about, file=path, op="remove"),))
    return remove_file(path, text, about, kustomizations)


def rename_file(
    old: str, new: str, text: str, about: Operation, kustomizations: Mapping[str, str], values: Mapping[str, str] = {}
) -> Work:
    """A file at another place, and what names it: entries of kustomizations, and `valueFiles` of the files in `values`
    (file -> text), which hold Applications of the same repository. Raises Refused.
    """
    if listing.is_kustomization(old) or listing.is_kustomization(new):
        raise Refused(f"{old}: what a kustomization names is relative to its folder: move the files it lists instead")
    files: dict[str, str | None] = {old: None, new: text}
    operations = [replace(about, file=file, op="rename", old=old, new=new) for file in (old, new)]
    notes = []
    for file, held in kustomizations.items():
        edited = _at(file, lambda file=file, held=held: listing.relisted(file, held, old, new))
        if edited.changed:
            files[file] = edited.text
            names = [listing.relative(listing.folder_of(file), each) for each in (old, new)]
            operations.append(replace(about, file=file, op="set", old=names[0], new=names[1]))
            notes.append(f"{file} follows")
            if names[1].startswith("../"):
                notes.append(f"{file}: kustomize reads files outside its own folder only when it is told to")
    for file, held in values.items():
        after, changes = _value_files(file, held, old, new, about)
        if changes:
            files[file] = after
            operations += changes
            notes.append(f"valueFiles in {file} follow")
    return Work(files, tuple(operations), tuple(notes))


def _value_files(file: str, text: str, old: str, new: str, about: Operation) -> tuple[str, list[Operation]]:
    """The text with the `helm.valueFiles` that mean a file naming it at its new place, and what was done."""
    operations = []
    for document in yamledit.documents(text):
        if document.kind not in ("Application", "ApplicationSet") or document.problem:
            continue
        try:
            value = Session(text, document.index).value()
        except Refused as error:
            raise error.at(file) from None
        for place, source in _sources(value, document.kind):
            helm = source.get("helm")
            names = helm.get("valueFiles") if isinstance(helm, Mapping) else None
            for index, name in enumerate(names if isinstance(names, list) else []):
                moved = _moved_value(name, clean(str(source.get("path") or "")), old, new)
                if moved is None:
                    continue
                path = (*place, "helm", "valueFiles", index)
                text = yamledit.set_value(text, path, moved, document.index).text
                told = yamledit.format_path(path)
                operations.append(
                    replace(about, file=file, op="set", doc=str(document.index), path=told, old=str(name), new=moved)
                )
    return text, operations


def _sources(value: Any, kind: str) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    root: tuple[str, ...] = ("spec",) if kind == "Application" else ("spec", "template", "spec")
    for key in root:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("source"), Mapping):
        yield (*root, "source"), value["source"]
    several = value.get("sources")
    for index, source in enumerate(several if isinstance(several, list) else []):
        if isinstance(source, Mapping):
            yield (*root, "sources", index), source


def _moved_value(name: Any, folder: str, old: str, new: str) -> str | None:
    """A values file as it is to be named after the move, in the same manner; None when it is another file."""
    if not isinstance(name, str) or "://" in name or "{{" in name:
        return None
    if name.startswith("$"):
        ref, _, inner = name.partition("/")
        return f"{ref}/{new}" if clean(inner) == old else None
    if name.startswith("/"):
        return f"/{new}" if clean(name) == old else None
    return posixpath.relpath("/" + new, "/" + folder) if clean(f"{folder}/{name}") == old else None


def rename_object(path: str, text: str, doc: int, name: str, about: Operation) -> Work:
    """Another `metadata.name`; who refers to the old one is not changed: see `mentions`. Raises Refused."""
    found = yamledit.documents(text)
    if not 0 <= doc < len(found) or not found[doc].name:
        raise Refused(f"document {doc} has no name").at(path)
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.:]{0,251}[a-z0-9])?", name):
        raise Refused(f"{name!r} is no name: lower-case letters, digits, - and . only").at(path)
    edited = _at(path, lambda: yamledit.set_value(text, "metadata.name", name, doc))
    about = replace(about, object=about.object or label(found[doc]))
    done = replace(about, file=path, op="rename", doc=str(doc), path="metadata.name", old=found[doc].name, new=name)
    return Work({path: edited.text}, (done,))


def mentions(texts: Mapping[str, str], kind: str, name: str, skip: Sequence[tuple[str, int]] = ()) -> list[str]:
    """Where else an object is referred to, `file:line: place`: patches and replicas of kustomizations, scale targets,
    backends, volumes and the like. `skip` are the (file, document) that declare it. Unreadable documents are left out.
    """
    out: list[str] = []
    for file in sorted(texts):
        for document in yamledit.documents(texts[file]):
            if (file, document.index) in skip:
                continue
            try:
                session = Session(texts[file], document.index)
                value = session.value()
                kustomization = file.rpartition("/")[2] in KUSTOMIZATIONS
                for place in _references(value, kind, name, (), kustomization):
                    line = session.position(place, nearest=True)[0]
                    out.append(f"{file}:{line}: {yamledit.format_path(place)}")
            except Refused:
                continue
            if len(out) > MOST_MENTIONS:
                return [*out[:MOST_MENTIONS], "and more"]
    return out


def _references(
    value: Any, kind: str, name: str, path: tuple[str | int, ...], kustomization: bool
) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, kind, name, (*path, index), kustomization)
        return
    if not isinstance(value, Mapping):
        return
    context = next((step for step in reversed(path) if isinstance(step, str)), "")
    if value.get("name") == name and (
        (context in _WITH_KIND and value.get("kind", kind) == kind)
        or _BY_CONTEXT.get(context) == kind
        or (context == "parentRefs")
        or (context == "backendRefs" and value.get("kind", "Service") == kind)
        or (kustomization and context == "replicas")
    ):
        yield (*path, "name")
    for key, inner in value.items():
        if inner == name and _BY_KEY.get(key) == kind:
            yield (*path, key)
        else:
            yield from _references(inner, kind, name, (*path, key), kustomization)


def _yaml(path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json"))


def _at(file: str, make: Any) -> Any:
    """What `make` gives; a refusal names the file."""
    try:
        return make()
    except Refused as error:
        raise error.at(file) from None
