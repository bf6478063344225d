"""A label or an annotation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tui.domain.edits.base import Field, dig, show
from tui.domain.yamledit import Edited, Refused, Session, delete, set_value

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\Z")
_PLACES = {"label": "labels", "annotation": "annotations"}


def check_key(key: str) -> None:
    """Raises Refused for what Kubernetes takes for no label or annotation key: `prefix/name`, 253 and 63 characters."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not _PREFIX.match(prefix)):
        raise Refused(f"{prefix!r} is no DNS name, as the part of a key before the slash must be")
    if not _NAME.match(name):
        raise Refused(f"{name!r} is no key: up to 63 letters, digits, - _ and ., letters or digits at both ends")


def check_label(value: str) -> None:
    """Raises Refused for what Kubernetes takes for no label value."""
    if value and not _NAME.match(value):
        raise Refused(
            f"{value!r} is no label value: up to 63 letters, digits, - _ and ., letters or digits at both ends"
        )


class Metadata:
    """Sets, changes or removes one label or annotation."""

    id = "metadata"
    title = "Label or annotation"

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        return bool(kind) and isinstance(document.get("metadata"), Mapping)

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        what = chosen.get("what") or "label"
        there = dig(document, "metadata", _PLACES.get(what, "labels"))
        there = there if isinstance(there, Mapping) else {}
        key = chosen.get("key", "")
        value = there.get(key)
        return (
            Field("what", "What", what, tuple(_PLACES), free=False),
            Field("key", "Key", key, tuple(map(str, there))),
            Field("value", "Value", "" if value is None else str(value)),
            Field("remove", "Remove it", "no", ("no", "yes"), free=False),
        )

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        what, key, value = values.get("what") or "label", values.get("key", "").strip(), values.get("value", "")
        if what not in _PLACES:
            raise Refused(f"{what!r} is neither label nor annotation")
        path = ("metadata", _PLACES[what], key)
        if values.get("remove") == "yes":
            return delete(text, path, doc) if Session(text, doc).has(path) else Edited(text)
        check_key(key)
        if what == "label":
            check_label(value)
        return set_value(text, path, value, doc)

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        out = []
        for word, place in _PLACES.items():
            before, after = (dig(side, "metadata", place) for side in (old, new))
            before, after = (side if isinstance(side, Mapping) else {} for side in (before, after))
            for key in sorted(before.keys() | after.keys()):
                if key not in after:
                    out.append(f"remove {word} {key}")
                elif before.get(key) != after[key]:
                    out.append(f"set {word} {key} to {show(after[key])}")
        return out
