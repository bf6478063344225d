"""The number of replicas of a workload, of a kustomize `replicas` entry, or in Helm values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.domain.edits.base import (
    KUSTOMIZATION,
    VALUES,
    Field,
    Spot,
    arrow,
    chosen_spot,
    dig,
    named,
    pick,
    where,
)
from tui.domain.yamledit import Edited, Match, Refused, Session, Step, set_value

SCALABLE = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")
_KEYS = ("replicas", "replicaCount")
_DEPTH = 4
MOST = 2**31 - 1  # int32 in the API


class Replicas:
    """Another number of replicas."""

    id = "replicas"
    title = "Replicas"

    def spots(self, kind: str, document: Mapping[str, Any]) -> list[Spot]:
        """Every count of the document. A workload that says nothing runs one replica."""
        if kind in SCALABLE:
            return [Spot("replicas", ("spec", "replicas"), dig(document, "spec", "replicas"))]
        if kind == KUSTOMIZATION:
            return [
                Spot(str(entry.get("name", "")), ("replicas", step, "count"), entry.get("count"))
                for step, entry in named(document.get("replicas"))
            ]
        return list(_in_values(document, ())) if kind == VALUES else []

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        return kind == KUSTOMIZATION or bool(self.spots(kind, document))

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        spots = self.spots(kind, document)
        current = chosen_spot(spots, chosen)
        value = "" if current is None or current.value is None else str(current.value)
        count = Field("replicas", "Replicas", value, help="0 or more")
        if kind == KUSTOMIZATION:
            names = tuple(spot.label for spot in spots)
            return (Field("where", "Workload", current.label if current else "", names), count)
        return (*where(spots, "Workload", current), count)

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        count = values.get("replicas", "").strip()
        if not (count.isascii() and count.isdigit() and int(count) <= MOST):
            raise Refused(f"{count!r} is no number of replicas")
        document = Session(text, doc).value()
        spots = self.spots(kind, document if isinstance(document, Mapping) else {})
        label = values.get("where", "")
        if kind == KUSTOMIZATION and label and all(spot.label != label for spot in spots):
            return set_value(text, ("replicas", Match("name", label)), {"name": label, "count": int(count)}, doc)
        return set_value(text, pick(spots, label).path, int(count), doc)

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        before, after = ({spot.label: spot.value for spot in self.spots(kind, side)} for side in (old, new))
        out = []
        for label, value in after.items():
            was = before.get(label)
            if was == value or (value is None and was is None):
                continue
            of = "" if label in ("replicas", "replicaCount") or kind in SCALABLE else f" of {label}"
            out.append(f"{_verb(was, value)} replicas{of} {arrow(was, value)}")
        return out


def _verb(old: Any, new: Any) -> str:
    if isinstance(old, int) and isinstance(new, int):
        return "raise" if new > old else "lower"
    return "set"


def _in_values(value: Any, path: tuple[Step, ...]) -> Iterator[Spot]:
    if len(path) >= _DEPTH or not isinstance(value, Mapping):
        return
    for key, part in value.items():
        inner = (*path, key)
        if key in _KEYS and (part is None or isinstance(part, int)) and not isinstance(part, bool):
            yield Spot(".".join(map(str, inner)), inner, part)
        else:
            yield from _in_values(part, inner)
