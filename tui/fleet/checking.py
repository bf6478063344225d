"""Is a text what its cluster will take? The schemas that clusters publish, fetched once, and the checks on them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from tui.domain import schema, yamledit
from tui.domain.ports import Trouble
from tui.domain.schema import Problem, Schema

Read = Callable[[str, str], Awaitable[bytes]]  # (cluster, path) -> body of a GET


class Checker:
    """Checks texts against schemas. `read` is one GET; what a cluster does not publish is not checked."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._indexes: dict[str, Mapping[str, str]] = {}  # cluster -> "apis/apps/v1" -> path of its document
        self._documents: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def check(self, text: str, file: str = "", cluster: str = "") -> list[Problem]:
        """The problems of a file's documents, with the schemas of `cluster` where it is given and answers."""
        found: dict[tuple[str, str], Schema] = {}
        if cluster:
            for api, kind in await asyncio.to_thread(_kinds, text):
                try:
                    published = await self.schema(cluster, api, kind)
                except Trouble:
                    break  # it does not answer: what can be told without it still is
                if published is not None:
                    found[api, kind] = published
        return await asyncio.to_thread(schema.check, text, lambda api, kind: found.get((api, kind)), file)

    async def schema(self, cluster: str, api: str, kind: str) -> Schema | None:
        """The schema of an object with the components it refers to; None when none is published. Raises Trouble."""
        group, _, version = api.rpartition("/")
        place = f"apis/{group}/{version}" if group else f"api/{version}"
        if cluster not in self._indexes:
            self._indexes[cluster] = _paths(await self._read(cluster, "/openapi/v3"))
        path = self._indexes[cluster].get(place)
        if path is None:
            return None
        if (cluster, path) not in self._documents:
            data = await self._read(cluster, path)
            self._documents[cluster, path] = await asyncio.to_thread(_components, data)
        components = self._documents[cluster, path]
        wanted = {"group": group, "version": version, "kind": kind}
        for component in components.values():
            if isinstance(component, dict) and wanted in (component.get("x-kubernetes-group-version-kind") or ()):
                return {**component, "components": {"schemas": components}}
        return None


def _kinds(text: str) -> set[tuple[str, str]]:
    try:
        documents = yamledit.documents(text)
    except yamledit.Refused:
        return set()
    return {(each.apiVersion, each.kind) for each in documents if each.apiVersion and each.kind}


def _paths(data: bytes) -> Mapping[str, str]:
    """`apis/apps/v1` -> path of its OpenAPI document, from the index at /openapi/v3."""
    try:
        paths = msgspec.json.decode(data).get("paths") or {}
        return {place: str(entry["serverRelativeURL"]) for place, entry in paths.items()}
    except (msgspec.MsgspecError, AttributeError, KeyError, TypeError):
        return {}


def _components(data: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(data).get("components", {}).get("schemas", {})
    except (msgspec.MsgspecError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
