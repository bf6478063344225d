"""From bytes to rows: line framing, typed decoding of what a kind shows, the whole object compressed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import force_setattr

from tui.domain import redact
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Meta, Object, Packer, Ref, Row

LONGEST_LINE = 32 * 1024 * 1024  # bytes of one watch event; etcd stops objects at 1.5 MiB
MOST_SHARED = 2_000  # label sets, and namespaces with moments, remembered for each kind in each cluster
LARGEST_PACKED = 4 * 1024 * 1024  # bytes of an object that is kept; a larger one is fetched when opened


class Undecodable(ValueError):
    """Not even the name of the object can be read."""


class _HeadMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class Head(msgspec.Struct, gc=False):
    """Just enough to tell whether an object has changed."""

    metadata: _HeadMeta = _HeadMeta()


class ListMeta(msgspec.Struct, frozen=True, rename={"resource_version": "resourceVersion", "token": "continue"}):
    """`metadata` of a list."""

    resource_version: str = ""
    token: str = ""


class Page(msgspec.Struct):
    """One page of a list, its objects still as bytes."""

    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None
    kind: str = ""


class Event(msgspec.Struct, gc=False):
    """One watch event, its object still as bytes."""

    type: str
    object: msgspec.Raw


class Status(msgspec.Struct, gc=False):
    """The object of an ERROR event."""

    code: int = 0
    message: str = ""


decode_page = msgspec.json.Decoder(Page).decode
decode_event = msgspec.json.Decoder(Event).decode
decode_head = msgspec.json.Decoder(Head).decode
decode_status = msgspec.json.Decoder(Status).decode


_ADDED, _MODIFIED = b'{"type":"ADDED","object":{', b'{"type":"MODIFIED","object":{'


# A view of bytes that are all ASCII and have no @ in them: neither has any part of it to be looked for.
Text = bytes | memoryview


def cut(line: Text) -> Text | None:
    """What stands for the object of an event that adds or changes one, by how API servers write it; else None.

    It has not been read: only when it is JSON by itself, the line is such an event.
    """
    if line[-2:] == b"}}":
        for begins in (_ADDED, _MODIFIED):
            if line[: len(begins)] == begins:
                return line[len(begins) - 1 : -1]
    return None


class Lines:
    """Cuts a byte stream into lines, which are views of it where that is allowed.

    A line longer than `longest` is skipped and counted, the stream goes on.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False
        self.skipped = 0

    def feed(self, chunk: bytes) -> list[Text]:
        """The lines that this chunk completes."""
        end = chunk.find(b"\n")
        if end < 0:
            self._keep(chunk)
            return []
        self._keep(chunk[:end])
        lines: list[Text] = [] if self._skipping else [b"".join(self._parts)]
        self._parts, self._size, self._skipping = [], 0, False
        plain: Text = memoryview(chunk) if chunk.isascii() and b"@" not in chunk else chunk
        start, end = end + 1, chunk.find(b"\n", end + 1)
        while end >= 0:
            lines.append(plain[start:end])
            start, end = end + 1, chunk.find(b"\n", end + 1)
        self._keep(chunk[start:])
        return lines

    def _keep(self, part: bytes) -> None:
        if self._skipping or not part:
            return
        self._size += len(part)
        if self._size > self._longest:
            self._parts, self._skipping = [], True
            self.skipped += 1
        else:
            self._parts.append(part)


class Codec:
    """Makes the rows of one kind in one cluster."""

    def __init__(self, cluster: str, kind: Kind) -> None:
        self._cluster = cluster
        self._kind = kind
        self._resource = kind.resource
        self._decode = msgspec.json.Decoder(kind.record).decode
        self._discreet = (lambda obj: True) if kind.metadata_only else kind.discreet
        self._packer: Packer | None = None
        self._head = b""  # what list items of built-in kinds leave out
        self._names: dict[str, str] = {}
        self._labels: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        self.broken: dict[Ref, str] = {}  # objects of which only a part could be decoded, and why

    def ref(self, namespace: str, name: str) -> Ref:
        """The reference of an object of this kind."""
        if namespace:
            namespace = self._names.setdefault(namespace, namespace) if self._kind.namespaced else ""
        return Ref(self._cluster, self._resource, namespace, name)

    def serve(self, version: str, kind: str) -> None:
        """Objects come in this apiVersion from now on, and are of this kind; lists leave both out of their items."""
        self._head = b'{"apiVersion":"%b","kind":"%b",' % (version.encode(), kind.encode())

    def row(self, data: Text) -> Row:
        """The row of one object given as JSON.

        What is secret in it is masked. An object that does not fit its record gets a row with what fits. Raises
        `Undecodable` when it has no name.
        """
        garbled = False
        if not isinstance(data, memoryview):
            data, garbled = legible(data)
        if self._discreet is None or (isinstance(data, bytes) and b"@" in data):
            data = redact.data(bytes(data))
        try:
            obj = self._decode(data)
            if self._discreet is not None and not self._discreet(obj):
                seen = bytes(data)
                if (data := redact.data(seen)) is not seen:
                    obj = self._decode(data)
            ref = self.ref(obj.metadata.namespace, obj.metadata.name)
            if self.broken:
                self.broken.pop(ref, None)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            data = redact.data(bytes(data))
            obj = self._partly(data, error)
            ref = self.ref(obj.metadata.namespace, obj.metadata.name)
            if ref.name:
                self.broken[ref] = " ".join(str(error).split())[:200]
        if not ref.name:
            raise Undecodable("an object without a name")
        self._share(ref, obj.metadata)
        if garbled:
            self.broken[ref] = "a text in it is not UTF-8"
        if self._kind.metadata_only:
            return Row(ref, obj)
        if data[:11] == b'{"metadata"':
            data = self._head + bytes(data)[1:]
        if len(data) > LARGEST_PACKED:
            return Row(ref, obj)
        if self._packer is None:
            self._packer = Packer(bytes(data))
        return Row(ref, obj, self._packer.pack(data), self._packer)

    def _share(self, ref: Ref, meta: Meta) -> None:
        """Keep once what many objects of a kind have in common: the namespace, the moment of a rollout, labels."""
        force_setattr(meta, "namespace", ref.namespace)
        created = self._names.setdefault(meta.creation_timestamp, meta.creation_timestamp)
        force_setattr(meta, "creation_timestamp", created)
        if meta.labels:
            key = tuple(meta.labels.items())
            force_setattr(meta, "labels", self._labels.setdefault(key, meta.labels))
        if len(self._labels) > MOST_SHARED or len(self._names) > MOST_SHARED:
            self._labels.clear()
            self._names.clear()

    def _partly(self, data: bytes, error: Exception) -> Object:
        """A record of the fields that can be decoded one by one; raises `Undecodable` from `error` without a name."""
        try:
            raws = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Undecodable(str(error)) from error
        found: dict[str, Any] = {}
        for field in msgspec.structs.fields(self._kind.record):
            if (raw := raws.get(field.encode_name)) is None:
                continue
            try:
                found[field.name] = msgspec.json.decode(raw, type=field.type)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                if field.name == "metadata":
                    found["metadata"] = _least_meta(raw)
        try:
            return self._kind.record(**found)
        except TypeError:
            raise Undecodable(str(error)) from error


def legible(data: bytes) -> tuple[bytes, bool]:
    """The bytes as UTF-8, with U+FFFD for what was not, and whether anything was not."""
    if data.isascii():
        return data, False
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode(), True
    return data, False


def _least_meta(raw: msgspec.Raw) -> Meta:
    """The metadata whose identifying texts are texts; everything else is left out."""
    try:
        raws = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Meta()
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Meta):
        if (value := raws.get(field.encode_name)) is None:
            continue
        try:
            found[field.name] = msgspec.json.decode(value, type=field.type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue  # a broken label set must not hide the object; `broken` says that something is missing
    return Meta(**found)
