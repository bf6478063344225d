"""The objects of one resource, and its recent changes: what pages of a list and watches are made from."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.status import expired_continue

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"

_decode = msgspec.json.Decoder().decode


class Event:
    """One change. `data` and `previous` are whole objects as JSON; a deletion's `data` is the last state."""

    __slots__ = ("_new", "_old", "data", "key", "lines", "previous", "resource_version", "type")

    def __init__(self, resource_version: int, type_: str, key: str, data: bytes, previous: bytes | None) -> None:
        self.resource_version = resource_version
        self.type = type_
        self.key = key
        self.data = data
        self.previous = previous
        self.lines: dict[Any, bytes] = {}  # encoded once per form of answer, shared by all watches
        self._new: Any = None
        self._old: Any = None

    def forget(self) -> None:
        """Drop what was computed for the listeners: the log keeps bytes only."""
        self.lines.clear()
        self._new = self._old = None

    def new(self) -> dict[str, Any]:
        """`data`, decoded once. Shared: not to be changed."""
        if self._new is None:
            self._new = _decode(self.data)
        return self._new

    def vanished(self) -> bytes:
        """The state before, with this event's version: how a watch whose selector it has left sees the object last."""
        obj = dict(self.old() or {})
        obj["metadata"] = {**obj.get("metadata", {}), "resourceVersion": str(self.resource_version)}
        return msgspec.json.encode(obj)

    def old(self) -> dict[str, Any] | None:
        """`previous`, decoded once."""
        if self._old is None and self.previous is not None:
            self._old = _decode(self.previous)
        return self._old


class Shelf:
    """All objects of one resource and its recent events."""

    __slots__ = ("ends", "floor", "keys", "listeners", "log", "objects", "resource")

    def __init__(self, resource: ResourceType, window: int, floor: int) -> None:
        self.resource = resource
        self.objects: dict[str, bytes] = {}
        self.keys: list[str] = []  # sorted
        self.log: deque[Event] = deque(maxlen=window)
        self.floor = floor  # resourceVersion of the newest event no longer in the log
        self.listeners: dict[object, Callable[[Event], None]] = {}
        self.ends: dict[object, Callable[[], None]] = {}  # called when the resource is no longer served

    def record(self, event: Event) -> None:
        """Keep an event in the log; the oldest one leaves it when it is full."""
        if self.log and len(self.log) == self.log.maxlen:
            self.floor = self.log[0].resource_version
        self.log.append(event)

    def tell(self, event: Event) -> None:
        """Call the listeners, all of them even if one fails; the first failure is raised at the end."""
        failure: Exception | None = None
        for listener in tuple(self.listeners.values()):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001  (a broken listener must not hide the change from the watches)
                failure = failure or error
        event.forget()
        if failure is not None:
            raise failure

    def end(self) -> None:
        """Tell those who want to know that nothing will happen here any more."""
        for ended in tuple(self.ends.values()):
            ended()

    def put_back(self, objects: dict[str, bytes], version: int) -> None:
        """Hold other objects, as of a version, before which nothing is known."""
        self.objects = dict(objects)
        self.keys = sorted(objects)
        self.log.clear()
        self.floor = version

    def page(self, namespace: str | None, current: int, version: int | None, after: str, limit: int) -> Page:
        """See `Storage.page`; `current` is the version of the whole storage."""
        objects, keys, shown = self.objects, self.keys, current
        if version is not None and version != shown:
            if version < self.floor:
                raise expired_continue()
            objects, keys = self._rewound(version)
            shown = version
        names = in_namespace(keys, namespace)
        start = bisect_left(names, after + "\0") if after else 0
        end = min(len(names), start + limit) if limit else len(names)
        items = [(key, objects[key]) for key in names[start:end]]
        remaining = len(names) - end
        return Page(items, shown, names[end - 1] if remaining and items else None, remaining)

    def _rewound(self, version: int) -> tuple[dict[str, bytes], list[str]]:
        """The objects as they were at a version, by taking back the events after it."""
        before: dict[str, bytes | None] = {}
        for event in self.log:
            if event.resource_version > version:
                before.setdefault(event.key, event.previous)
        if not before:
            return self.objects, self.keys
        objects = dict(self.objects)
        for key, data in before.items():
            if data is None:
                objects.pop(key, None)
            else:
                objects[key] = data
        return objects, sorted(objects)


class Page:
    """A slice of a consistent list: keys and objects, the version it shows, and where the next slice starts."""

    __slots__ = ("items", "next_key", "remaining", "resource_version")

    def __init__(
        self, items: list[tuple[str, bytes]], resource_version: int, next_key: str | None, remaining: int
    ) -> None:
        self.items = items
        self.resource_version = resource_version
        self.next_key = next_key
        self.remaining = remaining


def in_namespace(keys: list[str], namespace: str | None) -> list[str]:
    """The part of sorted keys that lies in a namespace; all of them for None."""
    if namespace is None:
        return keys
    # "0" is the character after "/": every key of the namespace lies between the two.
    return keys[bisect_left(keys, namespace + "/") : bisect_left(keys, namespace + "0")]
