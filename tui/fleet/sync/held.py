"""The objects of one kind of one cluster as they were last read: tells what is new, changed and gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref, Row
from tui.fleet.bridge import Outbox
from tui.fleet.sync import codec

Observer = Callable[[Row | None, Row | None, bool], None]

SLICE = 0.002  # seconds of decoding before the loop and the other thread get their turn

_log = logging.getLogger("fleet.sync")


class Held:
    """Rows by reference. What changes goes to the observer at once and to the outbox in slices."""

    def __init__(self, cluster: str, kind: Kind, outbox: Outbox, observer: Observer | None) -> None:
        self._codec = codec.Codec(cluster, kind)
        self._outbox = outbox
        self._observer = observer
        self._rows: dict[Ref, Row] = {}
        self._changes: dict[Ref, Row | None] = {}
        self._until = 0.0
        self.initial = True  # nothing has been listed completely yet
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
        if seen is not None and self._rows and (ref := self._unchanged(data)) is not None:
            seen.add(ref)
            return ""
        try:
            row = self._codec.row(bytes(data))
        except codec.Undecodable:
            self.skipped += 1
            return ""
        if seen is not None:
            seen.add(row.ref)
        old = self._rows.get(row.ref)
        version: str = row.obj.metadata.resource_version
        if old is None or not version or old.obj.metadata.resource_version != version:
            self._rows[row.ref] = self._changes[row.ref] = row
            self._observe(old, row)
        return version

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
        self.initial = False

    def clear(self, tell: bool = True) -> None:
        """Take out everything: it can no longer be read, or (`tell` false) nobody looks at it any more."""
        for ref in list(self._rows):
            self._drop(ref, tell)
        self.hand_over()

    async def breathe(self) -> None:
        """Between two objects: after a slice of work, hand over what has changed and let others run."""
        if time.perf_counter() >= self._until:
            await self.flush()

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
            self._outbox.add(changes)

    def _unchanged(self, data: msgspec.Raw) -> Ref | None:
        try:
            head = codec.decode_head(data).metadata
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None  # the codec decides what can be kept of it
        ref = self._codec.ref(head.namespace, head.name)
        old = self._rows.get(ref)
        same = old is not None and old.obj.metadata.resource_version == head.resource_version != ""
        return ref if same else None

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
