"""Objects of a stream of manifests put into the documents that declare them, and lists of operations done to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tui.domain import yamledit
from tui.domain.objects import new as newobject
from tui.domain.yamledit import Document, Refused

LIVE = ("managedFields", "uid", "resourceVersion")  # of metadata: then it comes from a cluster


class Given(msgspec.Struct, frozen=True):
    """One object of a stream: `text` is its YAML, comments and all, when it is to be a new document."""

    kind: str
    group: str
    namespace: str
    name: str
    value: Mapping[str, Any]
    text: str

    @property
    def words(self) -> str:
        """`Kind namespace/name`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation of a list: see `do`."""

    file: str
    op: str  # set | unset | append | insert | rename
    path: str
    doc: str | int = ""  # number from 0, Kind/name or Kind/namespace/name
    value: Any = None  # for set, append, insert
    index: int | None = None  # for insert: before the item of this number
    key: str = ""  # for rename


def read(text: str) -> tuple[list[Given], list[Step]]:
    """What a stream holds: objects, or, when it is one YAML or JSON list, operations. The items of a List are objects.

    An object that comes from a cluster loses what the cluster wrote into it. Raises Refused.
    """
    found = yamledit.documents(text)
    if not found:
        raise Refused("there is nothing to apply")
    if len(found) == 1 and isinstance(value := yamledit.get_value(text, "", 0), list):
        try:
            return [], msgspec.convert(value, list[Step])
        except msgspec.ValidationError as error:
            raise Refused(f"not a list of operations: {error}") from error
    objects: list[Given] = []
    lines = text.splitlines(keepends=True)
    for document in found:
        value = yamledit.get_value(text, "", document.index)
        own = "".join(lines[document.start_line - 1 : document.end_line])
        if not isinstance(value, dict):
            raise Refused(f"document {document.index} is no object", document.line, 1)
        if document.kind.endswith("List") and isinstance(value.get("items"), list):
            objects += [_given(item, "", document) for item in value["items"]]
        else:
            objects.append(_given(value, own, document))
    return objects, []


def _given(value: Any, text: str, document: Document) -> Given:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if (
        not isinstance(value, dict)
        or not isinstance(metadata, dict)
        or not value.get("kind")
        or not metadata.get("name")
    ):
        raise Refused(f"document {document.index} has no kind or no metadata.name", document.line, 1)
    if any(key in metadata for key in LIVE):
        value, text = newobject.from_live(value), ""
    text = text or newobject.to_yaml(value)
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    namespace, name = (str(value["metadata"].get(key) or "") for key in ("namespace", "name"))
    return Given(str(value["kind"]), group, namespace, name, value, text)


def declares(document: Document, given: Given) -> bool:
    """Whether a document declares an object; one of the two may leave the namespace to the Application."""
    same = (document.kind, document.group, document.name) == (given.kind, given.group, given.name)
    return same and (document.namespace == given.namespace or "" in (document.namespace, given.namespace))


def put(text: str, doc: int, value: Mapping[str, Any], merge: bool) -> str:
    """The text with a document made equal to an object, only what differs changed.

    With `merge`, keys that the object does not name stay, null takes a key away, and lists of named items are joined by
    name. Raises Refused.
    """
    before = yamledit.get_value(text, "", doc)
    if not isinstance(before, dict):
        raise Refused("the document is no mapping")
    wanted = dict(value)
    if "namespace" not in _map(wanted.get("metadata")) and "namespace" in _map(before.get("metadata")):
        wanted["metadata"] = {**wanted["metadata"], "namespace": before["metadata"]["namespace"]}
    return yamledit.set_value(text, "", merged(before, wanted) if merge else wanted, doc).text


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def merged(old: Any, new: Any) -> Any:
    """A value with another laid over it: mappings key by key, lists of named items by name, all else replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        out = {key: value for key, value in old.items() if not (key in new and new[key] is None)}
        for key, value in new.items():
            if value is not None:
                out[key] = merged(old.get(key), value)
        return out
    if isinstance(old, list) and isinstance(new, list) and old and new and _named(old) and _named(new):
        over = {item["name"]: item for item in new}
        out_list = [merged(item, over.pop(item["name"], {})) for item in old]
        return [*out_list, *over.values()]
    return new


def _named(items: Sequence[Any]) -> bool:
    names = [item.get("name") for item in items if isinstance(item, dict)]
    return len(names) == len(items) == len(set(map(str, names))) and all(isinstance(name, str) for name in names)


def do(text: str, step: Step) -> str:
    """The text after one operation. Raises Refused."""
    doc = yamledit.select(text, step.doc)
    if step.op == "set":
        return yamledit.set_value(text, step.path, step.value, doc).text
    if step.op == "unset":
        return yamledit.delete(text, step.path, doc).text
    if step.op == "append":
        return yamledit.append_item(text, step.path, step.value, doc).text
    if step.op == "insert":
        return yamledit.insert_item(text, step.path, step.index, step.value, doc).text
    if step.op == "rename":
        return yamledit.rename_key(text, step.path, step.key, doc).text
    raise Refused(f"there is no operation {step.op!r}: set, unset, append, insert or rename")
