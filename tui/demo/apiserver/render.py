"""The forms an answer can take: the object itself, a Table, or its metadata alone; for get, list and watch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from tui.demo.apiserver.columns import PLAIN
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.status import ApiError

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class _Metadata(msgspec.Struct, gc=False):
    metadata: msgspec.Raw


_metadata_of = msgspec.json.Decoder(_Metadata).decode


@dataclass(frozen=True, slots=True)
class Form:
    """What the client accepts: kind "object", "table" or "metadata"; `include` is what a Table row carries."""

    kind: str = "object"
    version: str = "v1"
    include: str = "Metadata"


OBJECT = Form()


def negotiate(accept: str, include: str = "") -> Form:
    """The first form in an Accept header that this server has. Raises ApiError 406 when there is none."""
    ranges = []
    for position, part in enumerate((accept or "*/*").split(",")):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        values = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        try:
            quality = float(values.pop("q", "1"))
        except ValueError:
            quality = 0.0
        ranges.append((-quality, position, media, values))
    for _, _, media, values in sorted(ranges, key=lambda entry: entry[:2]):
        if media not in ("application/json", "application/*", "*/*"):
            continue
        wanted, version = values.get("as", ""), values.get("v", "v1")
        if not wanted:
            return OBJECT
        if values.get("g") != "meta.k8s.io" or version not in ("v1", "v1beta1"):
            continue
        if wanted == "Table":
            return Form("table", version, include or "Metadata")
        if wanted in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return Form("metadata", version)
    raise ApiError(406, "only the following media types are accepted: application/json")


class Renderer:
    """Turns stored bytes of one resource into one form."""

    def __init__(self, resource: ResourceType, form: Form, now: float) -> None:
        """`now`: seconds since the epoch, for the ages in a Table."""
        self.resource = resource
        self.form = form
        self.now = now
        self.columns = resource.columns or PLAIN
        # Cells are computed from the stored form, so a Table converts only the objects that its rows carry.
        self._convert = resource.view.convert if resource.view and form.kind == "object" else None
        self._api = f"meta.k8s.io/{form.version}".encode()

    def one(self, data: bytes) -> bytes:
        """The answer to a GET of one object."""
        data = self._shown(data)
        if self.form.kind == "metadata":
            return self._partial(data)
        if self.form.kind == "table":
            version = _decode(data)["metadata"].get("resourceVersion", "")
            return self._table({"resourceVersion": version}, [self._row(data)], definitions=True)
        return data

    def listing(self, items: Iterable[bytes], metadata: dict[str, Any]) -> Iterator[bytes]:
        """The answer to a list, in pieces that belong together when joined."""
        form = self.form.kind
        if self._convert is not None:
            items = map(self._convert, items)
        if form == "table":
            head: dict[str, Any] = {
                "kind": "Table",
                "apiVersion": self._api.decode(),
                "metadata": metadata,
                "columnDefinitions": self._definitions(),
            }
            yield _encode(head)[:-1] + b',"rows":['
            pieces: Iterator[bytes] = (_encode(self._row(data)) for data in items)
        elif form == "metadata":
            head = {"kind": "PartialObjectMetadataList", "apiVersion": self._api.decode(), "metadata": metadata}
            yield _encode(head)[:-1] + b',"items":['
            pieces = (self._partial(data) for data in items)
        else:
            resource = self.resource
            head = {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata}
            yield _encode(head)[:-1] + b',"items":['
            pieces = iter(items) if resource.custom else self._untyped(items)
        first = True
        for piece in pieces:
            yield piece if first else b"," + piece
            first = False
        yield b"]}\n"

    def event(self, type_: str, data: bytes, definitions: bool = False) -> bytes:
        """One line of a watch. `definitions`: the first event of a Table watch names the columns."""
        data = self._shown(data)
        if self.form.kind == "metadata":
            data = self._partial(data)
        elif self.form.kind == "table":
            version = _decode(data)["metadata"].get("resourceVersion", "")
            data = self._table({"resourceVersion": version}, [self._row(data)], definitions)
        return b'{"type":"' + type_.encode() + b'","object":' + data + b"}\n"

    def bookmark(self, version: int, initial_end: bool = False) -> bytes:
        """A BOOKMARK line; `initial_end` marks the end of a streamed initial list."""
        metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        if self.form.kind == "table":
            body: dict[str, Any] = {"kind": "Table", "apiVersion": self._api.decode(), "metadata": metadata}
            body |= {"columnDefinitions": None, "rows": []}
        elif self.form.kind == "metadata":
            body = {"kind": "PartialObjectMetadata", "apiVersion": self._api.decode(), "metadata": metadata}
        else:
            body = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}
        return _encode({"type": "BOOKMARK", "object": body}) + b"\n"

    def _shown(self, data: bytes) -> bytes:
        return data if self._convert is None else self._convert(data)

    def _untyped(self, items: Iterable[bytes]) -> Iterator[bytes]:
        # Lists of Kubernetes' own types leave out kind and apiVersion of each item; those of custom resources do not.
        prefix = self.resource.item_prefix
        cut = len(prefix)
        for data in items:
            yield b"{" + data[cut:] if data.startswith(prefix) else data

    def _partial(self, data: bytes) -> bytes:
        metadata = bytes(_metadata_of(data).metadata)
        return b'{"kind":"PartialObjectMetadata","apiVersion":"' + self._api + b'","metadata":' + metadata + b"}"

    def _row(self, data: bytes) -> dict[str, Any]:
        obj = _decode(data)
        row: dict[str, Any] = {"cells": [column.cell(obj, self.now) for column in self.columns]}
        if self.form.include == "Object":
            row["object"] = msgspec.Raw(self.resource.view.convert(data) if self.resource.view else data)
        elif self.form.include != "None":
            row["object"] = msgspec.Raw(self._partial(data))
        return row

    def _definitions(self) -> list[dict[str, Any]]:
        return [
            {"name": c.name, "type": c.type, "format": c.format, "description": c.description, "priority": c.priority}
            for c in self.columns
        ]

    def _table(self, metadata: dict[str, Any], rows: list[dict[str, Any]], definitions: bool) -> bytes:
        body = {
            "kind": "Table",
            "apiVersion": self._api.decode(),
            "metadata": metadata,
            "columnDefinitions": self._definitions() if definitions else None,
            "rows": rows,
        }
        return _encode(body)
