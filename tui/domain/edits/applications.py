"""What people change most in an Application: its target revision, and whether it syncs by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.domain.edits.base import Field, Spot, arrow, chosen_spot, dig, mappings, pick, where
from tui.domain.yamledit import Edited, Refused, Session, Step, delete, set_value

ROOTS: dict[str, tuple[str, ...]] = {"Application": ("spec",), "ApplicationSet": ("spec", "template", "spec")}


class TargetRevision:
    """Another branch, tag, commit or chart version to deploy."""

    id = "revision"
    title = "Target revision"

    def spots(self, kind: str, document: Mapping[str, Any]) -> list[Spot]:
        """Every source that renders or is referred to."""
        root = ROOTS.get(kind)
        spec = dig(document, *root) if root else None
        if root is None or not isinstance(spec, Mapping):
            return []
        dry = dig(spec, "sourceHydrator", "drySource")
        if isinstance(dry, Mapping):
            return [_spot((*root, "sourceHydrator", "drySource"), dry)]
        sources = mappings(spec.get("sources"))
        if sources:
            return _apart([_spot((*root, "sources", index), source) for index, source in enumerate(sources)])
        source = spec.get("source")
        return [_spot((*root, "source"), source)] if isinstance(source, Mapping) else []

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        return bool(self.spots(kind, document))

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        spots = self.spots(kind, document)
        current = chosen_spot(spots, chosen)
        value = "" if current is None or current.value is None else str(current.value)
        help_ = "branch, tag, commit or chart version; HEAD is the default branch"
        return (*where(spots, "Source", current), Field("revision", "Target revision", value, help=help_))

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        revision = values.get("revision", "").strip()
        if not revision or not revision.isprintable() or revision.startswith("-") or " " in revision:
            raise Refused(f"{revision!r} is no revision")
        document = Session(text, doc).value()
        spots = self.spots(kind, document if isinstance(document, Mapping) else {})
        return set_value(text, pick(spots, values.get("where", "")).path, revision, doc)

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        before, after = ({spot.label: spot.value for spot in self.spots(kind, side)} for side in (old, new))
        alone = len(after) == 1
        return [
            f"deploy revision {arrow(before[label], value)}" + ("" if alone else f" of {label}")
            for label, value in after.items()
            if label in before and before[label] != value
        ]


def _spot(path: tuple[Step, ...], source: Mapping[str, Any]) -> Spot:
    names = (source.get(key) for key in ("name", "chart", "path", "ref", "repoURL"))
    label = next((name for name in names if isinstance(name, str) and name), "source")
    return Spot(label, (*path, "targetRevision"), source.get("targetRevision"))


def _apart(spots: list[Spot]) -> list[Spot]:
    """Sources of the same name get their number."""
    labels = [spot.label for spot in spots]
    return [
        Spot(f"{spot.label} ({index + 1})", spot.path, spot.value) if labels.count(spot.label) > 1 else spot
        for index, spot in enumerate(spots)
    ]


class AutoSync:
    """Automatic sync on or off; prune and self-heal stay as they are unless they are changed too.

    Off is written as `automated.enabled: false`, which keeps the other settings; Argo CD before 3.1 does not know it
    and goes on syncing, so `remove` takes the whole block away instead.
    """

    id = "auto-sync"
    title = "Auto-sync"

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        root = ROOTS.get(kind)
        return root is not None and isinstance(dig(document, *root), Mapping)

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        automated = _automated(kind, document)
        switch = ("on", "off")
        return (
            Field("auto-sync", "Auto-sync", "on" if is_on(automated) else "off", switch, free=False),
            Field(
                "prune", "Prune", _switch(dig(automated, "prune")), switch, free=False, help="delete what leaves Git"
            ),
            Field("self-heal", "Self-heal", _switch(dig(automated, "selfHeal")), switch, free=False, help="undo drift"),
            Field(
                "method",
                "Switch off by",
                "disable",
                ("disable", "remove"),
                free=False,
                help="disable keeps prune and self-heal but needs Argo CD 3.1; remove works everywhere",
            ),
        )

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        root = ROOTS.get(kind)
        if root is None:
            raise Refused(f"a {kind} has no auto-sync")
        wanted = {name: _read(name, values[name]) for name in ("auto-sync", "prune", "self-heal") if values.get(name)}
        document = Session(text, doc).value()
        automated = _automated(kind, document)
        path: tuple[Step, ...] = (*root, "syncPolicy", "automated")
        turn = wanted.get("auto-sync", is_on(automated))
        if not turn and values.get("method") == "remove":
            return delete(text, path, doc) if automated is not None else Edited(text)
        new: dict[str, Any] = dict(automated) if isinstance(automated, Mapping) else {}
        for name, key in (("prune", "prune"), ("self-heal", "selfHeal")):
            if name in wanted and wanted[name] != bool(new.get(key)):
                new[key] = wanted[name]
        if turn != is_on(automated) and ("enabled" in new or not turn):
            new["enabled"] = turn
        if automated is None and not turn:
            return Edited(text)
        return set_value(text, path, new, doc)

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        before, after = _automated(kind, old), _automated(kind, new)
        out = []
        if is_on(before) != is_on(after):
            out.append(f"turn auto-sync {'on' if is_on(after) else 'off'}")
        if (before is not None and after is not None) or is_on(after):
            for key, word in (("prune", "prune"), ("selfHeal", "self-heal")):
                if bool(dig(before, key)) != bool(dig(after, key)):
                    out.append(f"turn {word} {'on' if dig(after, key) else 'off'}")
        return out


def _automated(kind: str, document: Any) -> Mapping[str, Any] | None:
    block = dig(document, *ROOTS.get(kind, ("spec",)), "syncPolicy", "automated")
    return block if isinstance(block, Mapping) else None


def is_on(automated: Mapping[str, Any] | None) -> bool:
    """Auto-sync is on when the block is there and `enabled` is not false (Argo CD: nil counts as true)."""
    return automated is not None and automated.get("enabled") is not False


def _switch(value: Any) -> str:
    return "on" if value is True else "off"


def _read(name: str, value: str) -> bool:
    if value not in ("on", "off"):
        raise Refused(f"{name} is on or off, not {value!r}")
    return value == "on"
