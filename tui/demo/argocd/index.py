"""What is asked about Applications often, without decoding twenty thousand of them: paths, revisions, owners."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from tui.demo.apiserver.storage import DELETED, Event, Storage
from tui.demo.argocd.names import APPLICATIONS, NAMESPACE
from tui.demo.argocd.objects import Obj
from tui.demo.repository import ancestors

PATHS = "argocd.argoproj.io/manifest-generate-paths"


class _Owner(msgspec.Struct):
    uid: str = ""


class _Meta(msgspec.Struct):
    name: str = ""
    annotations: dict[str, str] = {}
    ownerReferences: list[_Owner] = []


class _Application(msgspec.Struct):
    metadata: _Meta
    spec: msgspec.Raw = msgspec.Raw(b"{}")


class Entry(NamedTuple):
    """What matters of one Application."""

    revision: str  # targetRevision
    roots: tuple[str, ...]  # directories that concern it; "" is the whole repository
    owner: str  # uid of the ApplicationSet
    spec: bytes


_decoder = msgspec.json.Decoder(_Application)


class Index:
    """Kept from the hub's Application events."""

    def __init__(self, hub: Storage) -> None:
        self._entries: dict[str, Entry] = {}
        hub.subscribe(APPLICATIONS, self._heard)

    def _heard(self, event: Event) -> None:
        namespace, _, name = event.key.rpartition("/")
        if namespace != NAMESPACE:
            return
        if event.type == DELETED:
            self._entries.pop(name, None)
            return
        found = _decoder.decode(event.data)
        spec = bytes(found.spec)
        known = self._entries.get(name)
        if known is None or known.spec != spec:
            source = (msgspec.json.decode(spec).get("source")) or {}
            roots = roots_of(source.get("path", ""), found.metadata.annotations.get(PATHS, ""))
            owner = found.metadata.ownerReferences[0].uid if found.metadata.ownerReferences else ""
            self._entries[name] = Entry(source.get("targetRevision") or "HEAD", roots, owner, spec)

    def names(self) -> list[str]:
        """All Applications."""
        return list(self._entries)

    def owned_by(self, uid: str) -> list[str]:
        """Applications of an ApplicationSet."""
        return [name for name, entry in self._entries.items() if entry.owner == uid]

    def spec(self, name: str) -> bytes:
        """The spec as JSON; b"" for an unknown Application."""
        entry = self._entries.get(name)
        return entry.spec if entry else b""

    def touched(self, moved: dict[str, list[str] | None]) -> Iterator[str]:
        """Applications that a push concerns. `moved`: changed paths by branch, None when they are not known."""
        by_root: dict[str, set[str] | None] = {}
        for branch, paths in moved.items():
            by_root[branch] = None if paths is None else set(ancestors(paths))
        for name, entry in list(self._entries.items()):
            branch = "main" if entry.revision == "HEAD" else entry.revision
            if branch not in by_root:
                continue
            touched = by_root[branch]
            if touched is None or any(root in touched for root in entry.roots):
                yield name


def watched_roots(app: Obj) -> tuple[str, ...]:
    """Directories that concern an Application; "" is the whole repository."""
    source: dict[str, Any] = app["spec"].get("source") or {}
    return roots_of(source.get("path", ""), ((app["metadata"].get("annotations")) or {}).get(PATHS, ""))


def roots_of(path: str, watched: str) -> tuple[str, ...]:
    """What `manifest-generate-paths` names: `;`-separated, relative to the path, or absolute in the repository."""
    base = str(path).strip("/")
    return tuple(_resolved(base, part) for part in (str(watched) or "/").split(";") if part)


def concerns(app: Obj, places: Collection[str]) -> bool:
    """Whether a change concerns an Application; `places`: changed paths and all directories above them."""
    return any(root in places for root in watched_roots(app))


def _resolved(base: str, relative: str) -> str:
    if relative.startswith("/"):
        return relative.strip("/")
    parts: list[str] = []
    for part in f"{base}/{relative}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
