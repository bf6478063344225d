"""What an API server serves: aggregated discovery in two requests, and the older way of one per group version.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import msgspec

from tui.domain.ports import Absent, Denied, Served, ServerError, Throttled, Trouble

T = TypeVar("T")

AGE = 600.0  # seconds an answer is used
FRESH = 5.0  # seconds it is fresh: several absent kinds ask again at about the same time
AGGREGATED = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")]
    + ["application/json"]
)


class _Get(Protocol):
    def __call__(self, path: str, query: Sequence[tuple[str, str]] = ..., accept: str = ...) -> Awaitable[bytes]: ...


class _GroupKind(msgspec.Struct):
    kind: str = ""


class _Sub(msgspec.Struct, rename="camel"):
    resource: str = ""
    response_kind: _GroupKind | None = None
    scope: str = ""
    singular_resource: str = ""
    short_names: tuple[str, ...] | None = None
    verbs: tuple[str, ...] | None = None


class _Version(msgspec.Struct):
    version: str = ""
    resources: tuple[_Sub, ...] | None = None


class _Name(msgspec.Struct, frozen=True):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _Name = _Name()
    versions: tuple[_Version, ...] | None = None


class _LegacyResource(msgspec.Struct, rename="camel"):
    name: str = ""
    kind: str = ""
    namespaced: bool = False
    singular_name: str = ""
    short_names: tuple[str, ...] | None = None
    verbs: tuple[str, ...] | None = None


class _LegacyList(msgspec.Struct):
    resources: tuple[_LegacyResource, ...] | None = None


class _LegacyVersion(msgspec.Struct):
    version: str = ""


class _LegacyGroup(msgspec.Struct, rename="camel"):
    name: str = ""
    versions: tuple[_LegacyVersion, ...] | None = None
    preferred_version: _LegacyVersion | None = None


class _Answer(msgspec.Struct):
    """Either shape: an APIGroupDiscoveryList has `items`, the older answers have `versions` or `groups`."""

    kind: str = ""
    items: tuple[_Group, ...] | None = None
    groups: tuple[_LegacyGroup, ...] | None = None
    versions: tuple[str, ...] | None = None


class Discovery:
    """What one API server serves, asked for when needed."""

    def __init__(self, get: _Get, clock: Callable[[], float] = time.monotonic) -> None:
        self._get = get
        self._clock = clock
        self._served: dict[str, Served] = {}
        self._loaded = -AGE
        self._refusal: Trouble | None = None
        self._lock = asyncio.Lock()

    async def served(self, fresh: bool = False) -> Mapping[str, Served]:
        """Resources by `plural.group`. Raises `Trouble` when not even the core group can be read."""
        async with self._lock:
            age = self._clock() - self._loaded
            if self._refusal is not None and age <= FRESH:
                raise self._refusal
            if not self._served or age > (FRESH if fresh else AGE):
                self._loaded = self._clock()
                try:
                    self._served, self._refusal = await self._load(), None
                except (Absent, Denied, ServerError) as refusal:
                    self._refusal = refusal  # every kind asks, and would be refused as well
                    raise
            return self._served

    async def _load(self) -> dict[str, Served]:
        core, named = await _both(self._root("/api"), self._root("/apis"))
        found: dict[str, Served] = {}
        legacy: list[tuple[str, str]] = []
        for answer in (core, named):
            for group in answer.items or ():
                _aggregated(found, group)
        legacy += [("", version) for version in core.versions or ()]
        for old in named.groups or ():
            versions = [version.version for version in old.versions or ()]
            preferred = old.preferred_version.version if old.preferred_version else ""
            versions.sort(key=lambda version, first=preferred: version != first)  # type: ignore[misc]
            legacy += [(old.name, version) for version in versions]
        slots = asyncio.Semaphore(3)
        lists = await _both(*(self._legacy(group, version, slots) for group, version in legacy))
        for (name, version), resources in zip(legacy, lists, strict=True):
            _add_legacy(found, name, version, resources)
        return found

    async def _root(self, path: str) -> _Answer:
        try:
            data = await self._get(path, (), AGGREGATED)
        except ServerError as error:
            if error.status != 406:
                raise
            data = await self._get(path)
        try:
            return msgspec.json.decode(data, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ServerError(f"discovery at {path} is not what an API server answers: {error}") from None

    async def _legacy(self, group: str, version: str, slots: asyncio.Semaphore) -> Iterable[_LegacyResource]:
        """The resources of one group version; none when its extension API server is down, as kubectl has it."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        async with slots:
            try:
                data = await self._get(path)
                return msgspec.json.decode(data, type=_LegacyList).resources or ()
            except (Absent, Denied, ServerError, Throttled, msgspec.MsgspecError, UnicodeDecodeError) as error:
                if not group and isinstance(error, Trouble):
                    raise
                return ()


async def _both(*asked: Coroutine[Any, Any, T]) -> list[T]:
    """All answers, or the first error once all have ended.

    A plain gather that is cancelled while one of its parts fails raises the failure, and the cancellation is lost.
    """
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return cast(list[T], answers)


def _aggregated(found: dict[str, Served], group: _Group) -> None:
    name = group.metadata.name
    for version in group.versions or ():
        for sub in version.resources or ():
            if sub.resource and "/" not in sub.resource:
                _add(
                    found,
                    Served(
                        sub.resource,
                        sub.response_kind.kind if sub.response_kind else "",
                        name,
                        (version.version,),
                        sub.scope == "Namespaced",
                        sub.singular_resource,
                        sub.short_names or (),
                        sub.verbs or (),
                    ),
                )


def _add_legacy(found: dict[str, Served], group: str, version: str, resources: Iterable[_LegacyResource]) -> None:
    for item in resources:
        if item.name and "/" not in item.name:
            _add(
                found,
                Served(
                    item.name,
                    item.kind,
                    group,
                    (version,),
                    item.namespaced,
                    item.singular_name,
                    item.short_names or (),
                    item.verbs or (),
                ),
            )


def _add(found: dict[str, Served], new: Served) -> None:
    """A later version of a known resource is only remembered as served: the first one is the server's preferred."""
    held = found.get(new.resource)
    found[new.resource] = new if held is None else msgspec.structs.replace(held, versions=held.versions + new.versions)
