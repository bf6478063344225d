"""Self-reviews in Kubernetes' protobuf encoding, which kubectl posts from 1.32 on, as the JSON they stand for.

Field numbers are those of the published generated.proto files of k8s.io/apimachinery (runtime.Unknown) and
k8s.io/api (authorization/v1, authentication/v1). What a review needs not is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"  # before every message: the envelope, a runtime.Unknown, follows

# field number -> name, for texts; or -> (name, fields) for a message within
Fields = Mapping[int, "str | tuple[str, Fields]"]

_ENVELOPE: Fields = {1: ("typeMeta", {1: "apiVersion", 2: "kind"})}
_RAW = 2  # of the envelope: the message itself
_RESOURCE: Fields = {
    1: "namespace",
    2: "verb",
    3: "group",
    4: "version",
    5: "resource",
    6: "subresource",
    7: "name",
}
_ACCESS: Fields = {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", {1: "path", 2: "verb"})}
_REVIEWS: Mapping[str, Fields] = {
    "SelfSubjectAccessReview": {2: ("spec", _ACCESS)},
    "SelfSubjectRulesReview": {2: ("spec", {1: "namespace"})},
    "SelfSubjectReview": {},
}


def review(data: bytes) -> dict[str, Any]:
    """A posted self-review as its JSON object. Raises ValueError when it is none or damaged."""
    if not data.startswith(MAGIC):
        raise ValueError("it does not begin with the magic number of Kubernetes' protobuf encoding")
    envelope = data[len(MAGIC) :]
    about: dict[str, str] = _message(envelope, _ENVELOPE).get("typeMeta", {})
    fields = _REVIEWS.get(about.get("kind", ""))
    if fields is None:
        raise ValueError(f"{about.get('kind', '')!r} is no kind of self-review")
    raw = b"".join(value for number, value in _fields(envelope) if number == _RAW and isinstance(value, bytes))
    return {**about, **_message(raw, fields)}


def _message(data: bytes, fields: Fields) -> dict[str, Any]:
    """The known fields of a message; an empty text is left out, as JSON leaves it out, an empty message is kept."""
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        field = fields.get(number)
        if field is None or not isinstance(value, bytes):
            continue
        if not isinstance(field, str):
            name, inner = field
            found[name] = {**found.get(name, {}), **_message(value, inner)}
        elif value:
            found[field] = value.decode("utf-8")
    return found


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """(field number, value) in the order written. Raises ValueError where the message is cut off or not one."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, form = key >> 3, key & 7
        if form == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if form == 2:
            length, at = _varint(data, at)
        elif form in (1, 5):
            length = 8 if form == 1 else 4
        else:
            raise ValueError(f"wire type {form} is not used")
        if at + length > len(data):
            raise ValueError("it is cut off")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it. At most ten bytes, as 64 bits need."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it is cut off")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("a number is too long")
