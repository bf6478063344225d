"""The table of kinds: everything fleet knows how to show, by resource, and the words people call them by."""

from __future__ import annotations

from tui.domain.kinds import apps, argo, batch, cilium, cilium_infra, core, fleet, networking, scaling
from tui.domain.kinds.cilium import POLICY_COLUMNS, POLICY_RESOURCES
from tui.domain.kinds.kind import Kind

__all__ = [
    "KINDS",
    "OWN",
    "POLICY_COLUMNS",
    "POLICY_RESOURCES",
    "VIEWS",
    "find",
    "resources",
]

KINDS: dict[str, Kind] = {
    kind.resource: kind
    for module in (fleet, argo, cilium, cilium_infra, core, apps, batch, networking, scaling)
    for kind in module.KINDS
}

OWN = frozenset(kind.resource for kind in fleet.KINDS)  # filled by fleet itself, not by an API server

VIEWS: dict[str, tuple[str, ...]] = {"policies": POLICY_RESOURCES, "policy": POLICY_RESOURCES, "pol": POLICY_RESOURCES}


def _words(kind: Kind) -> list[str]:
    """What a kind is called, lower case. The singular of a plural is its Kind in lower case."""
    name = kind.kind.lower()
    full = [kind.resource, f"{name}.{kind.group}"] if kind.group else []
    return [kind.plural, name, *kind.short, *full]


_BY_WORD: dict[str, Kind] = {}
for _kind in KINDS.values():
    for _word in _words(_kind):
        _BY_WORD.setdefault(_word, _kind)


def find(word: str) -> Kind | None:
    """The kind a word means: plural, singular, short name, Kind or plural.group, in any case; None for none."""
    return _BY_WORD.get(word.strip().lower())


def resources(word: str) -> tuple[str, ...]:
    """The resources a word means: several for a combined view such as `policies`; () for a word nobody knows."""
    key = word.strip().lower()
    if key in VIEWS:
        return VIEWS[key]
    kind = find(key)
    return (kind.resource,) if kind else ()
