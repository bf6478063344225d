"""What a form edit is: one class that the screen's form, the command line and the commit message all use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

import msgspec

from tui.domain.yamledit import Edited, Match, Refused, Step

VALUES = "Values"
"""The kind given to a Helm values file, which has none of its own."""

KUSTOMIZATION = "Kustomization"

_KUSTOMIZE_KEYS = frozenset(
    (
        "resources",
        "bases",
        "components",
        "images",
        "patches",
        "patchesStrategicMerge",
        "namePrefix",
        "configMapGenerator",
    )
)


class Field(msgspec.Struct, frozen=True):
    """One field of a form. `value` is what is there now, "" for nothing; `free`: others than `choices` may be typed."""

    name: str
    label: str
    value: str = ""
    choices: tuple[str, ...] = ()
    free: bool = True
    help: str = ""


class Spot(msgspec.Struct, frozen=True):
    """A place an edit can be made at: how people call it, where it is, what it says now."""

    label: str
    path: tuple[Step, ...]
    value: Any
    form: Literal["plain", "reference", "tag", "kustomize"] = "plain"


class Edit(Protocol):
    """An edit that people make often. `kind` is what `kind_of` says; documents are plain values."""

    id: str
    title: str

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        """Whether the form makes sense for this document."""

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        """The form, filled with what is there now; `chosen` holds choices made so far, which others may depend on."""

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        """The edited text. Raises Refused for values that make no sense, and where the text cannot take the edit."""

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """What changed from one document to the other as far as this edit knows, in plain words; [] for nothing."""


def kind_of(document: Any, file: str = "") -> str:
    """The document's kind; Kustomization and Values also where they do not say so, by file name and keys; else ""."""
    if not isinstance(document, Mapping):
        return ""
    kind = document.get("kind")
    if isinstance(kind, str) and document.get("apiVersion"):
        return kind
    name = file.rpartition("/")[2].lower()
    if name.startswith("kustomization") or (not name and _KUSTOMIZE_KEYS & document.keys()):
        return KUSTOMIZATION
    return VALUES if "apiVersion" not in document and name not in ("chart.yaml", "chart.lock") else ""


def dig(value: Any, *keys: str) -> Any:
    """The value below these keys; None as soon as something is missing."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in what should be a list of mappings."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def named(value: Any, key: str = "name") -> Iterator[tuple[Step, Mapping[str, Any]]]:
    """Every mapping of a list with a step that leads to it: by name where the name is there once, else by number."""
    if not isinstance(value, list):
        return
    names = [item.get(key) for item in value if isinstance(item, Mapping)]
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            name = item.get(key)
            yield (Match(key, name) if isinstance(name, str) and names.count(name) == 1 else index), item


def pod_template(kind: str) -> tuple[str, ...] | None:
    """Where a kind keeps its pod spec; None for kinds without one."""
    if kind == "Pod":
        return ("spec",)
    if kind == "CronJob":
        return ("spec", "jobTemplate", "spec", "template", "spec")
    if kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout"):
        return ("spec", "template", "spec")
    return None


def pick(spots: list[Spot], label: str) -> Spot:
    """The spot of that name; the only one for "". Raises Refused when it is not there or not the only one."""
    if not label and len(spots) == 1:
        return spots[0]
    for spot in spots:
        if spot.label == label:
            return spot
    known = ", ".join(spot.label for spot in spots) or "none"
    raise Refused(f"say which: {known}" if not label else f"there is no {label!r} here, only: {known}")


def chosen_spot(spots: list[Spot], chosen: Mapping[str, str]) -> Spot | None:
    """The spot a form shows: the chosen one, else the first."""
    return next((spot for spot in spots if spot.label == chosen.get("where")), spots[0] if spots else None)


def where(spots: list[Spot], label: str, current: Spot | None) -> tuple[Field, ...]:
    """The field that says which spot, when there are several."""
    if len(spots) < 2 or current is None:
        return ()
    return (Field("where", label, current.label, tuple(spot.label for spot in spots), free=False),)


def arrow(old: object, new: object) -> str:
    """`old → new`, with what is missing as words."""
    return f"{show(old)} → {show(new)}"


def show(value: object) -> str:
    """A value as people write it in a sentence; never more than 60 characters and one line."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    plain = isinstance(value, str | int | float)
    line = " ".join(str(value).split()) if plain else msgspec.json.encode(value).decode()
    return line if len(line) <= 60 else line[:59] + "…"
