"""The objects of one kind of one cluster as they were last read: tells what is new, changed and gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref, Row
from tui.fleet.bridge import Outbox
from tui.fleet.sync import codec
from tui.fleet.sync.history import older
from tui.fleet.sync.tables import TableCodec

Observer = Callable[[Row | None, Row | None, bool], None]

SLICE = 0.002  # seconds of decoding before the loop and the other thread get their turn

_log = logging.getLogger("fleet.sync")


class Held:
    """Rows by reference. What changes goes to the observer at once and to the outbox in slices."""

    def __init__(
        self,
        cluster: str,
        kind: Kind,
        outbox: Outbox,
        observer: Observer | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tables = TableCodec(cluster, kind, clock) if kind.tabled and not kind.metadata_only else None
        self._codec = self.tables or codec.Codec(cluster, kind)
        self._outbox = outbox
        self._observer = observer
        self._rows: dict[Ref, Row] = {}
        self._changes: dict[Ref, Row | None] = {}
        self._until = 0.0
        self._closed = False
        self.initial = True  # nothing has been listed completely yet
        self.doubted = False  # the same resourceVersion need not mean the same content, until the end of the next list
        self.rewound = False  # a list had an object in an older version than the one held
        self.skipped = 0  # objects without so much as a name, and lines that were too long

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Objects held, objects not fully readable, things not readable at all."""
        return len(self._rows), len(self._codec.broken), self.skipped

    @property
    def trouble(self) -> str:
        """What could not be read, in words; "" when everything could."""
        if broken := self._codec.broken.copy():  # other threads ask too
            ref, why = next(iter(broken.items()))
            name = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
            return f"{len(broken)} not fully readable, such as {name}: {why}"
        return f"{self.skipped} could not be read at all" if self.skipped else ""

    def serve(self, version: str, kind: str) -> None:
        """Objects come in this apiVersion and are of this kind."""
        self._codec.serve(version, kind)

    def put(self, data: msgspec.Raw, seen: set[Ref] | None = None) -> str:
        """Take in one object as JSON; one that is held in this resourceVersion changes nothing.

        `seen` collects what a list has, and says that most of it is expected to be held already. Returns the object's
        resourceVersion, "" when unreadable.
        """
        try:
            return self.take(data, seen)
        except codec.Undecodable:
            self.skipped += 1
            return ""

    def take(self, data: msgspec.Raw | codec.Text, seen: set[Ref] | None = None) -> str:
        """Like `put`, but raises `codec.Undecodable` for what is unreadable."""
        if seen is not None and not (self.initial or self.doubted) and (ref := self._unchanged(data)) is not None:
            seen.add(ref)
            return ""
        broken = len(self._codec.broken)
        row = self._codec.row(data if isinstance(data, bytes | memoryview) else bytes(data))
        ref = row.ref
        if seen is not None:
            seen.add(ref)
        old = self._rows.get(ref)
        version: str = row.obj.metadata.resource_version
        if old is None or not version or len(self._codec.broken) < broken or self._differs(old, row):
            if old is not None and seen is not None and not self.initial:
                self.rewound |= _contradict(old.obj.metadata, row.obj.metadata)
            self._rows[ref] = self._changes[ref] = row
            self._observe(old, row)
        return version

    def contradicts(self, data: msgspec.Raw, version: str) -> bool:
        """Whether an object, listed now, should have been seen to be so before `version`, up to which all was read."""
        try:
            head = codec.decode_head(data).metadata
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if not head.name or self.skipped or not older(head.resource_version, version):
            return False
        old = self._rows.get(self._codec.ref(head.namespace, head.name))
        return old is None or not _same_version(old, head)

    def remove(self, data: msgspec.Raw) -> str:
        """Take out the object that a DELETED event names; returns the event's resourceVersion, "" when unreadable."""
        try:
            head = codec.decode_head(data).metadata
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.skipped += 1
            return ""
        self._drop(self._codec.ref(head.namespace, head.name))
        return head.resource_version

    def keep_only(self, seen: set[Ref]) -> None:
        """Take out everything that a complete list did not have."""
        for ref in [ref for ref in self._rows if ref not in seen]:
            self._drop(ref)
        self.initial = self.doubted = self.rewound = False

    def clear(self) -> None:
        """Take out everything: it can no longer be read, which says nothing about the objects themselves."""
        for ref in list(self._rows):
            self._drop(ref, tell=False)
        self.initial = True
        self.hand_over()

    def close(self) -> None:
        """Take out everything, and hand over nothing from now on."""
        self.clear()
        self._closed = True

    @property
    def due(self) -> bool:
        """Whether a slice of work is done, after which `flush` is to be called before the next object."""
        return time.perf_counter() >= self._until

    async def flush(self) -> None:
        """Hand over what has changed, let others run, and wait while the main loop is behind."""
        self.hand_over()
        await asyncio.sleep(0)
        await self._outbox.room()
        self._until = time.perf_counter() + SLICE

    def hand_over(self) -> None:
        """Give what has changed to the outbox."""
        if self._changes:
            changes, self._changes = self._changes, {}
            if not self._closed:
                self._outbox.add(changes)

    def _differs(self, old: Row, new: Row) -> bool:
        if not _same_version(old, new.obj.metadata):
            return True
        return self.doubted and (old.obj != new.obj or not _same_content(old.json(), new.json()))

    def _unchanged(self, data: msgspec.Raw | codec.Text) -> Ref | None:
        try:
            head = codec.decode_head(data).metadata
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None  # the codec decides what can be kept of it
        ref = self._codec.ref(head.namespace, head.name)
        old = self._rows.get(ref)
        return ref if old is not None and head.resource_version and _same_version(old, head) else None

    def _drop(self, ref: Ref, tell: bool = True) -> None:
        row = self._rows.pop(ref, None)
        if row is None:
            return
        self._codec.broken.pop(ref, None)
        self._changes[ref] = None
        if tell:
            self._observe(row, None)

    def _observe(self, old: Row | None, new: Row | None) -> None:
        if self._observer is None:
            return
        try:
            self._observer(old, new, self.initial)
        except Exception:  # noqa: BLE001 - what is derived from one object must not end the watch of all
            _log.exception("an observer failed on %s", (new or old).ref)  # type: ignore[union-attr]


class _Version(Protocol):
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...


def _same_version(old: Row, new: _Version) -> bool:
    meta = old.obj.metadata
    return bool(meta.resource_version == new.resource_version and meta.uid == new.uid)


def _contradict(old: _Version, new: _Version) -> bool:
    """Whether a later list has an object in a version that cannot follow the one held: older, or of another object."""
    same = old.resource_version == new.resource_version
    return older(new.resource_version, old.resource_version) or (same and old.uid != new.uid)


def _same_content(old: bytes, new: bytes) -> bool:
    """Whether two JSON texts say the same: lists and watches write the keys of an object in another order."""
    if old == new:
        return True
    try:
        return bool(msgspec.json.decode(old) == msgspec.json.decode(new))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
