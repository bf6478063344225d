"""The objects of one cluster: JSON bytes by key, one resourceVersion counter, and the recent changes for watches.

Not thread-safe: use it in the event loop that serves it. Objects go in and come out as plain dicts (copies); inside
they are bytes, because ten thousand Applications as dicts cost half a GiB.
"""

from __future__ import annotations

import time
import uuid
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from tui.demo.apiserver.crds import completed, resources_of
from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.shelf import ADDED, DELETED, MODIFIED, Event, Page, Shelf, in_namespace
from tui.demo.apiserver.status import ApiError, already_exists, expired_version, not_found, qualified

__all__ = ["ADDED", "DELETED", "MODIFIED", "Event", "Page", "Snapshot", "Storage", "timestamp"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Snapshot(NamedTuple):
    """A backup of a storage: its version, and the objects of each resource as JSON by key."""

    resource_version: int
    objects: dict[ResourceType, dict[str, bytes]]


class Storage:
    """The state of one cluster. Errors are `ApiError`s with the status a Kubernetes API server would answer."""

    def __init__(
        self,
        resources: Iterable[ResourceType],
        clock: Callable[[], float] = time.time,
        window: int = 1000,
        new_uid: Callable[[], str] = lambda: str(uuid.uuid4()),
        resource_version: int = 1,
    ) -> None:
        """`window`: events kept per resource for watches and old pages. `clock`: seconds since the epoch."""
        self.clock = clock
        self.window = window
        self.resource_version = resource_version
        self._new_uid = new_uid
        self._shelves: dict[str, Shelf] = {}
        self._views: dict[str, ResourceType] = {}
        self._kinds: dict[tuple[str, str], ResourceType] = {}
        self._untold: deque[tuple[Shelf, Event | None]] = deque()  # None: the resource is no longer served
        self._telling = False
        self.catalogue = 0  # changes when a resource is added or removed
        for resource in resources:
            self.serve(resource)

    # Which resources there are

    @property
    def resources(self) -> dict[str, ResourceType]:
        """The served resources by name ("pods", "deployments.apps")."""
        return {name: shelf.resource for name, shelf in self._shelves.items()} | self._views

    def serve(self, resource: ResourceType) -> None:
        """Serve one more resource, or a known one with another definition."""
        self.catalogue += 1
        if resource.view is not None:
            self._views[resource.name] = resource
            return
        shelf = self._shelves.get(resource.name)
        if shelf:
            self._kinds.pop((shelf.resource.group, shelf.resource.kind), None)
            shelf.resource = resource
        else:
            self._shelves[resource.name] = Shelf(resource, self.window, self.resource_version)
        self._kinds[resource.group, resource.kind] = resource

    def resource(self, group: str, plural: str) -> ResourceType | None:
        """The resource of that group and plural, if served."""
        name = qualified(plural, group)
        shelf = self._shelves.get(name)
        return shelf.resource if shelf else self._views.get(name)

    def resource_of(self, obj: dict[str, Any]) -> ResourceType:
        """The resource an object belongs to, by its apiVersion and kind. Raises ApiError 404 when it is not served."""
        api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        group = api_version.rpartition("/")[0]
        found = self._kinds.get((group, kind))
        if found is None:
            raise ApiError(404, f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    # Changes

    def create(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Store a new object; a given uid and creationTimestamp are kept. Raises ApiError 409 when it exists."""
        resource, obj = self._prepared(obj)
        shelf = self._shelves[resource.name]
        key = _key_of(resource, obj["metadata"])
        if key in shelf.objects:
            raise already_exists(resource.plural, resource.group, obj["metadata"]["name"])
        return self._insert(shelf, key, obj)

    def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Create or replace. Identity is kept, and the status too when none is given; no change is no new version."""
        resource, obj = self._prepared(obj)
        shelf = self._shelves[resource.name]
        key = _key_of(resource, obj["metadata"])
        data = shelf.objects.get(key)
        if data is None:
            return self._insert(shelf, key, obj)
        old = _decode(data)
        if "status" not in obj and "status" in old:
            obj["status"] = old["status"]
        return self._replace(shelf, key, old, obj)

    def update_status(self, resource: str, namespace: str, name: str, status: dict[str, Any]) -> dict[str, Any]:
        """Replace the status of an object and nothing else. Raises ApiError 404."""

        def change(obj: dict[str, Any]) -> None:
            obj["status"] = _copy(status)

        return self.patch(resource, namespace, name, change)

    def patch(
        self, resource: str, namespace: str, name: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> dict[str, Any]:
        """Let `change` edit a copy of the object in place (or return another). Raises ApiError 404."""
        shelf, key = self._find(resource, namespace, name)
        old = _decode(shelf.objects[key])
        obj = _decode(shelf.objects[key])
        return self._replace(shelf, key, old, _copy(change(obj) or obj))

    def delete(self, resource: str, namespace: str, name: str, cascade: bool = True) -> dict[str, Any]:
        """Remove an object; with `cascade` also what it owns or, as a namespace, contains. Raises ApiError 404."""
        shelf, key = self._find(resource, namespace, name)
        obj: dict[str, Any] = _decode(shelf.objects[key])
        self._remove(shelf, key, obj)
        if cascade:
            for other in list(self._dependents(obj)):
                if other[1] in other[0].objects:
                    self.delete(other[0].resource.name, *_split(other[1]))
        return obj

    # Reads

    def get(self, resource: str, namespace: str, name: str) -> dict[str, Any]:
        """One object. Raises ApiError 404."""
        return _decode(self.get_bytes(resource, namespace, name))

    def find(self, resource: str, namespace: str, name: str) -> dict[str, Any] | None:
        """One object, or None."""
        shelf = self._shelves.get(resource)
        data = shelf.objects.get(_key(shelf.resource, namespace, name)) if shelf else None
        return _decode(data) if data is not None else None

    def get_bytes(self, resource: str, namespace: str, name: str) -> bytes:
        """One object as JSON. Raises ApiError 404."""
        shelf, key = self._find(resource, namespace, name)
        return shelf.objects[key]

    def list(self, resource: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """All objects of a resource, or those of one namespace, by namespace and name."""
        shelf = self._shelf(resource)
        return [_decode(shelf.objects[key]) for key in in_namespace(shelf.keys, namespace)]

    def count(self, resource: str) -> int:
        """How many objects of a resource there are."""
        return len(self._shelf(resource).objects)

    def page(
        self, resource: str, namespace: str | None = None, version: int | None = None, after: str = "", limit: int = 0
    ) -> Page:
        """Objects after a key as they were at a version (default: now). Raises ApiError 410 when that is forgotten."""
        return self._shelf(resource).page(namespace, self.resource_version, version, after, limit)

    # Watches

    def events_since(self, resource: str, version: int) -> Sequence[Event]:
        """Changes after a version. Raises ApiError 410 when some of them are forgotten."""
        shelf = self._shelf(resource)
        if version < shelf.floor:
            raise expired_version(version, shelf.floor)
        return [event for event in shelf.log if event.resource_version > version]

    def subscribe(
        self, resource: str, listener: Callable[[Event], None], ended: Callable[[], None] | None = None
    ) -> object:
        """Call `listener` for every change of a resource, and `ended` once it is no longer served.

        Returns a token for `unsubscribe`.
        """
        token = object()
        shelf = self._shelf(resource)
        shelf.listeners[token] = listener
        if ended is not None:
            shelf.ends[token] = ended
        return token

    def unsubscribe(self, resource: str, token: object) -> None:
        """End a subscription."""
        shelf = self._shelves.get(resource)
        if shelf:
            shelf.listeners.pop(token, None)
            shelf.ends.pop(token, None)

    def compact(self) -> None:
        """Forget all events, as etcd does every few minutes: older versions answer 410 from now on."""
        for shelf in self._shelves.values():
            shelf.log.clear()
            shelf.floor = self.resource_version

    # Backups

    def snapshot(self) -> Snapshot:
        """A backup as of now, as `etcdctl snapshot save` makes one."""
        return Snapshot(
            self.resource_version, {shelf.resource: dict(shelf.objects) for shelf in self._shelves.values()}
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Become what the backup holds: versions go on from the backup's, and so are given out a second time.

        Nobody is told: an etcd is restored while its API servers are down (`ApiServer.restore`).
        """
        kept = {resource.name for resource in snapshot.objects}
        for name in [name for name in self._shelves if name not in kept]:
            self._retire(name)
        self.resource_version = snapshot.resource_version
        for resource, objects in snapshot.objects.items():
            self.serve(resource)
            self._shelves[resource.name].put_back(objects, snapshot.resource_version)

    # Inside

    def _shelf(self, resource: str) -> Shelf:
        shelf = self._shelves.get(resource)
        if shelf is None:
            raise ApiError(404, "the server could not find the requested resource")
        return shelf

    def _find(self, resource: str, namespace: str, name: str) -> tuple[Shelf, str]:
        shelf = self._shelf(resource)
        key = _key(shelf.resource, namespace, name)
        if key not in shelf.objects:
            raise not_found(shelf.resource.plural, shelf.resource.group, name)
        return shelf, key

    def _prepared(self, obj: dict[str, Any]) -> tuple[ResourceType, dict[str, Any]]:
        """A private copy with identity first in order and the namespace settled."""
        resource = self.resource_of(obj)
        obj = _copy(obj)
        metadata = dict(obj.get("metadata") or {})
        if not metadata.get("name"):
            raise ApiError(422, f'{resource.kind} "" is invalid: metadata.name: Required value: name is required')
        if resource.namespaced:
            metadata["namespace"] = metadata.get("namespace") or "default"
        else:
            metadata.pop("namespace", None)
        if resource.name == "namespaces":
            metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
        ordered: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        ordered.update((key, value) for key, value in obj.items() if key not in ordered)
        return resource, ordered

    def _insert(self, shelf: Shelf, key: str, obj: dict[str, Any]) -> dict[str, Any]:
        metadata = obj["metadata"]
        metadata["uid"] = metadata.get("uid") or self._new_uid()
        metadata["creationTimestamp"] = metadata.get("creationTimestamp") or timestamp(self.clock())
        if shelf.resource.generation:
            metadata["generation"] = metadata.get("generation") or 1
        data = self._stamp(obj)
        shelf.objects[key] = data
        insort(shelf.keys, key)
        self._defined(shelf, obj)
        self._record(shelf, Event(self.resource_version, ADDED, key, data, None))
        return obj

    def _replace(self, shelf: Shelf, key: str, old: dict[str, Any], obj: dict[str, Any]) -> dict[str, Any]:
        metadata, before = obj["metadata"], old["metadata"]
        for field in ("name", "namespace", "uid", "creationTimestamp", "resourceVersion", "generation"):
            if field in before:
                metadata[field] = before[field]
            else:
                metadata.pop(field, None)
        if obj == old:
            return old
        if shelf.resource.generation and _desired(obj, shelf.resource) != _desired(old, shelf.resource):
            metadata["generation"] = int(before.get("generation", 0)) + 1
        previous = shelf.objects[key]
        shelf.objects[key] = data = self._stamp(obj)
        self._defined(shelf, obj)
        self._record(shelf, Event(self.resource_version, MODIFIED, key, data, previous))
        return obj

    def _remove(self, shelf: Shelf, key: str, obj: dict[str, Any]) -> None:
        previous = shelf.objects.pop(key)
        del shelf.keys[bisect_left(shelf.keys, key)]
        self._record(shelf, Event(self.resource_version + 1, DELETED, key, self._stamp(obj), previous))
        if shelf.resource.name == "customresourcedefinitions.apiextensions.k8s.io":
            for resource in resources_of(obj):
                self._retire(resource.name)

    def _retire(self, name: str) -> None:
        """Serve a resource no longer: its objects are deleted first, then its watches end, as with a removed CRD."""
        shelf = self._shelves.get(name)
        if shelf is None:
            return
        for key in list(shelf.keys):
            self._remove(shelf, key, _decode(shelf.objects[key]))
        del self._shelves[name]
        self._kinds.pop((shelf.resource.group, shelf.resource.kind), None)
        self.catalogue += 1
        self._tell(shelf, None)

    def _record(self, shelf: Shelf, event: Event) -> None:
        """Log an event and tell the listeners."""
        shelf.record(event)
        self._tell(shelf, event)

    def _tell(self, shelf: Shelf, event: Event | None) -> None:
        """Tell listeners of a change or (None) of the end, in order even when a listener makes the next change."""
        self._untold.append((shelf, event))
        if self._telling:
            return
        self._telling = True
        try:
            while self._untold:
                told, next_event = self._untold.popleft()
                if next_event is None:
                    told.end()
                else:
                    told.tell(next_event)
        finally:
            self._telling = False

    def _stamp(self, obj: dict[str, Any]) -> bytes:
        self.resource_version += 1
        obj["metadata"]["resourceVersion"] = str(self.resource_version)
        return _encode(obj)

    def _defined(self, shelf: Shelf, obj: dict[str, Any]) -> None:
        """A stored CustomResourceDefinition serves its resource, with the schema and columns it says."""
        if shelf.resource.name == "customresourcedefinitions.apiextensions.k8s.io":
            for resource in resources_of(obj):
                known = self.resource(resource.group, resource.plural)
                self.serve(completed(resource, known) if known else resource)

    def _dependents(self, owner: dict[str, Any]) -> Iterator[tuple[Shelf, str]]:
        uid = owner["metadata"]["uid"]
        needle = uid.encode()
        namespace = owner["metadata"]["name"] if owner["kind"] == "Namespace" else None
        for shelf in tuple(self._shelves.values()):
            if namespace is not None and shelf.resource.namespaced:
                for key in in_namespace(shelf.keys, namespace):
                    yield shelf, key
                continue
            # A search in the bytes finds the few candidates without decoding every object of the cluster.
            for key, data in tuple(shelf.objects.items()):
                if needle in data:
                    owners = _decode(data)["metadata"].get("ownerReferences") or ()
                    if any(reference.get("uid") == uid for reference in owners):
                        yield shelf, key


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with whole seconds, as Kubernetes writes times."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(resource: ResourceType, namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if resource.namespaced else name


def _key_of(resource: ResourceType, metadata: dict[str, Any]) -> str:
    return _key(resource, metadata.get("namespace", ""), metadata["name"])


def _split(key: str) -> tuple[str, str]:
    namespace, _, name = key.rpartition("/")
    return namespace, name


def _copy(value: dict[str, Any]) -> dict[str, Any]:
    """A copy as JSON sees it: dates become strings and tuples lists, so that it compares with what was stored."""
    result: dict[str, Any] = _decode(_encode(value))
    return result


def _desired(obj: dict[str, Any], resource: ResourceType) -> dict[str, Any]:
    """What a generation counts: everything beside metadata, and beside the status where that is a subresource."""
    left_out = ("metadata", "status") if "status" in resource.subresources else ("metadata",)
    return {key: value for key, value in obj.items() if key not in left_out}
