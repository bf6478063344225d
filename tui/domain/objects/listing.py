"""Which entries of a kustomization name a file, and the kustomization with such an entry added, gone or renamed.

Entries are those of kustomize's `types.Kustomization` that hold paths; each is relative to the kustomization's folder.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tui.domain.source.planning import KUSTOMIZATIONS, clean
from tui.domain.yamledit import Edited, Refused, Session, Step, append_item, delete, insert_item, set_value

LISTS = (
    "resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators",
    "patchesStrategicMerge",
)  # fmt: skip
"""Keys that hold a list of paths."""

WITH_PATH = ("patches", "patchesJson6902", "replacements")
"""Keys that hold a list of mappings with a `path`."""

GENERATORS = ("configMapGenerator", "secretGenerator")
_HEAD = frozenset(("apiVersion", "kind", "metadata"))


class Entry(msgspec.Struct, frozen=True):
    """One entry that names a file: where it stands, the text of it, and what goes when the file goes."""

    path: tuple[Step, ...]
    text: str
    whole: tuple[Step, ...]  # the item to delete with it: the patch, say, that is in the file


def is_kustomization(file: str) -> bool:
    """Whether kustomize reads a file of this name as a kustomization."""
    return file.rpartition("/")[2] in KUSTOMIZATIONS


def folder_of(file: str) -> str:
    """The folder of a path; "" is the root."""
    return file.rpartition("/")[0]


def entries(file: str, text: str, path: str) -> list[Entry]:
    """The entries of the kustomization `file` that name `path`, or its folder when `path` is itself a kustomization.

    Raises Refused when the kustomization cannot be read.
    """
    said = Session(text, 0).value()
    wanted = {path, folder_of(path)} if is_kustomization(path) else {path}
    folder = folder_of(file)

    def names(entry: Any) -> bool:
        return isinstance(entry, str) and "\n" not in entry and "://" not in entry and _at(folder, entry) in wanted

    return [entry for entry in _all(said) if names(entry.text.rpartition("=")[2])] if isinstance(said, Mapping) else []


def lists_below(file: str, text: str, folder: str) -> bool:
    """Whether the kustomization `file` names a manifest in this folder or below it. Raises Refused."""
    said = Session(text, 0).value()
    if not isinstance(said, Mapping):
        return False
    found = (_at(folder_of(file), entry.text) for entry in _all(said) if "://" not in entry.text)
    return any(path.startswith(folder + "/") and path.endswith((".yaml", ".yml", ".json")) for path in found)


def _at(folder: str, entry: str) -> str:
    return clean(f"{folder}/{entry}")


def _all(said: Mapping[str, Any]) -> Iterator[Entry]:
    for key in LISTS:
        for index, item in enumerate(_list(said.get(key))):
            if isinstance(item, str):
                yield Entry((key, index), item, (key, index))
    for key in WITH_PATH:
        for index, item in enumerate(_list(said.get(key))):
            if isinstance(item, Mapping) and isinstance(item.get("path"), str):
                yield Entry((key, index, "path"), item["path"], (key, index))
    for key in GENERATORS:
        for index, item in enumerate(_list(said.get(key))):
            if not isinstance(item, Mapping):
                continue
            for part in ("files", "envs"):
                for number, name in enumerate(_list(item.get(part))):
                    if isinstance(name, str):
                        yield Entry((key, index, part, number), name, (key, index, part, number))
            if isinstance(item.get("env"), str):
                yield Entry((key, index, "env"), item["env"], (key, index, "env"))
    for index, item in enumerate(_list(said.get("helmCharts"))):
        if isinstance(item, Mapping):
            if isinstance(item.get("valuesFile"), str):
                yield Entry(
                    ("helmCharts", index, "valuesFile"), item["valuesFile"], ("helmCharts", index, "valuesFile")
                )
            for number, name in enumerate(_list(item.get("additionalValuesFiles"))):
                if isinstance(name, str):
                    place = ("helmCharts", index, "additionalValuesFiles", number)
                    yield Entry(place, name, place)
    schema = said.get("openapi")
    if isinstance(schema, Mapping) and isinstance(schema.get("path"), str):
        yield Entry(("openapi", "path"), schema["path"], ("openapi",))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def unlisted(file: str, text: str, path: str) -> Edited:
    """The kustomization without the entries that name a file. A list that gets empty goes, unless nothing else is left.

    Raises Refused.
    """
    after = text
    while found := entries(file, after, path):
        after = _without(after, found[-1].whole)
    return Edited.between(text, after)


def _without(text: str, place: tuple[Step, ...]) -> str:
    session = Session(text, 0)
    holder = place[:-1]
    if isinstance(place[-1], int) and len(session.value(holder)) == 1:
        said = session.value()
        if len(holder) > 1 or set(said) - _HEAD - {holder[0]}:
            return delete(text, holder, 0).text
    return delete(text, place, 0).text


def relisted(file: str, text: str, old: str, new: str) -> Edited:
    """The kustomization with the entries that name a file naming it at its new place. Raises Refused.

    A generator's file keeps the key it has in the object that is generated.
    """
    after = text
    for entry in entries(file, text, old):
        name, equals, inner = entry.text.rpartition("=")
        moved = relative(folder_of(file), new, dotted=inner.startswith("./"))
        if entry.path[0] in GENERATORS and "files" in entry.path:
            name = name or inner.rpartition("/")[2]
            moved = moved if name == new.rpartition("/")[2] and not equals else f"{name}={moved}"
        after = set_value(after, entry.path, moved, 0).text
    return Edited.between(text, after)


def relative(folder: str, path: str, dotted: bool = False) -> str:
    """A path as an entry of a kustomization in `folder` names it."""
    found = posixpath.relpath("/" + path, "/" + folder)
    return "./" + found if dotted and not found.startswith(".") else found


def listed(file: str, text: str, path: str) -> Edited:
    """The kustomization with `path` among its `resources`, where it belongs in a sorted list, else at the end.

    What lists it already is not changed. Raises Refused.
    """
    if entries(file, text, path):
        return Edited(text)
    said = Session(text, 0).value() if text.strip() else {}
    if not isinstance(said, Mapping):
        raise Refused("a kustomization is a mapping", 1, 1)
    held = said.get("resources")
    names = [name for name in _list(held) if isinstance(name, str)]
    entry = relative(
        folder_of(file), path, dotted=bool(names) and all(name.startswith(("./", "../")) for name in names)
    )
    if not names:
        return set_value(text, "resources", [*_list(held), entry], 0)
    if len(names) > 1 and names == sorted(names) and len(names) == len(_list(held)):
        at = next((index for index, name in enumerate(names) if name > entry), None)
        return insert_item(text, "resources", at, entry, 0)
    return append_item(text, "resources", entry, 0)
