"""The object that controls another one: held, or asked of its cluster, since most owners are kinds nobody looks at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from tui.domain.kinds import KINDS
from tui.domain.obj import Object, Owner, Ref, Row
from tui.domain.ports import Absent, Served
from tui.store import Store

Get = Callable[[Ref], Awaitable[bytes]]  # one object as JSON, fresh from its cluster
Discover = Callable[[str], Awaitable[Mapping[str, Served]]]  # what a cluster serves, by `plural.group`


def controlling(row: Row) -> Owner | None:
    """The owner that controls an object, else its first one; None when nothing owns it."""
    owners: tuple[Owner, ...] = row.obj.metadata.owner_references
    return next((owner for owner in owners if owner.controller), owners[0] if owners else None)


class Owners:
    """Finds owners. Without `get` and `served` only among what is held."""

    def __init__(self, store: Store, get: Get | None = None, served: Discover | None = None) -> None:
        self._store = store
        self._get = get
        self._served = served

    async def of(self, row: Row) -> Row | None:
        """The controlling owner of an object, with the uid that the object names.

        None when nothing owns it, when it is gone, or when it is not held and no cluster can be asked.
        Raises Trouble when the cluster does not answer or refuses.
        """
        owner = controlling(row)
        if owner is None:
            return None
        return self._held(row, owner) or await self._asked(row, owner)

    def _held(self, row: Row, owner: Owner) -> Row | None:
        for resource in self._store.resources():
            for namespace in dict.fromkeys((row.ref.namespace, "")):
                held = self._store.get(Ref(row.ref.cluster, resource, namespace, owner.name))
                if held is not None and held.obj.metadata.uid == owner.uid:
                    return held
        return None

    async def _asked(self, row: Row, owner: Owner) -> Row | None:
        if self._get is None:
            return None
        ref = await self._ref(row, owner)
        if ref is None:
            return None
        try:
            data = await self._get(ref)
        except Absent:
            return None
        kind = KINDS.get(ref.resource)
        found = Row(ref, msgspec.json.decode(data, type=kind.record if kind else Object), packed=data)
        return found if found.obj.metadata.uid == owner.uid else None

    async def _ref(self, row: Row, owner: Owner) -> Ref | None:
        """Where the owner lives: its API group and kind stand in the object's own ownerReferences."""
        group = _group(row.manifest() or await self._whole(row.ref), owner.uid)
        if group is None:
            return None
        kind = next((kind for kind in KINDS.values() if (kind.group, kind.kind) == (group, owner.kind)), None)
        if kind is None:
            return await self._discovered(row, owner, group)
        return Ref(row.ref.cluster, kind.resource, row.ref.namespace if kind.namespaced else "", owner.name)

    async def _whole(self, ref: Ref) -> dict[str, Any]:
        """An object of which only metadata is held."""
        return dict(msgspec.json.decode(await self._get(ref))) if self._get is not None else {}

    async def _discovered(self, row: Row, owner: Owner, group: str) -> Ref | None:
        if self._served is None:
            return None
        for resource, served in (await self._served(row.ref.cluster)).items():
            if (served.group, served.kind) == (group, owner.kind):
                return Ref(row.ref.cluster, resource, row.ref.namespace if served.namespaced else "", owner.name)
        return None


def _group(manifest: Mapping[str, Any], uid: str) -> str | None:
    """The API group of the owner with this uid ("" = core); None when the object does not name it."""
    for each in (manifest.get("metadata") or {}).get("ownerReferences") or ():
        if isinstance(each, dict) and each.get("uid") == uid:
            return str(each.get("apiVersion", "")).rpartition("/")[0]
    return None
