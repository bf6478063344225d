"""The event ring on disk: yesterday's events are there tomorrow, within a bounded number of bytes and days.

Events are JSON lines in numbered segments. A segment belongs to the one process that holds its lock; a second fleet
writes segments of its own, so that two never mix lines. A line torn by a crash is skipped when read.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tui.adapters import system
from tui.adapters.paths import private
from tui.domain.tail import TailEvent

SEGMENT_BYTES = 4 << 20
SEGMENTS = 16  # oldest are removed beyond this, so the ring never exceeds about 64 MiB
DAY = 86_400.0

_log = logging.getLogger("fleet.ring")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(TailEvent)


class EventRing:
    """Appends in a thread of its own, so that a slow disk never costs a key press."""

    def __init__(self, folder: Path, days: float = 14.0) -> None:
        self._folder = folder
        self._days = days
        self._queue: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._descriptor = -1
        self._size = 0
        self.problem = ""  # why events are not being kept on disk, in words; "" = they are

    def read(self, since: float, most: int) -> list[TailEvent]:
        """Kept events at or after `since` (seconds since the epoch), oldest first, the newest `most` of them."""
        events: dict[str, TailEvent] = {}  # by key: the same fact is kept once
        for path in reversed(self._segments()):
            if len(events) >= most:
                break
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # removed by another fleet meanwhile
            except OSError as error:
                self.problem = f"{path}: {error.strerror}"
                continue
            for number, line in enumerate(data.splitlines()):
                try:
                    event = _decoder.decode(line)
                except msgspec.DecodeError:
                    continue  # torn by a crash, or written by another version
                if event.time >= since:
                    events.setdefault(event.key or f"{path.name}:{number}", event)
        return sorted(events.values(), key=lambda event: event.time)[-most:]

    def append(self, events: Sequence[TailEvent]) -> None:
        """Keep these events; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fleet-ring", daemon=True)
            self._thread.start()
        self._queue.put([_encoder.encode(event) for event in events])

    def close(self) -> None:
        """Write what is queued and let go of the segment."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _segments(self) -> list[Path]:
        try:
            return sorted(self._folder.glob("events-*.jsonl"))
        except OSError as error:
            self.problem = f"{self._folder}: {error.strerror}"
            return []

    def _work(self) -> None:
        while (lines := self._queue.get()) is not None:
            try:
                self._write(b"".join(line + b"\n" for line in lines))
                self.problem = ""
            except OSError as error:
                if not self.problem:
                    _log.warning("events are not kept on disk: %s", error)
                self.problem = f"{self._folder}: {error.strerror}"
                self._let_go()
        self._let_go()

    def _write(self, data: bytes) -> None:
        if self._descriptor < 0 or self._size > SEGMENT_BYTES:
            self._open()
        written = os.write(self._descriptor, data)
        self._size += written
        if written < len(data):  # the disk is full: end the torn line, so that the next one is whole
            raise OSError(28, "No space left on device")

    def _open(self) -> None:
        """Continue the newest segment nobody else writes, or start one; remove what is too old or too much."""
        full = self._size > SEGMENT_BYTES
        self._let_go()
        private(self._folder)
        segments = self._segments()
        if segments and not full and self._take(segments[-1]):
            return
        number = int(segments[-1].stem.partition("-")[2]) + 1 if segments else 1
        while not self._take(self._folder / f"events-{number:08d}.jsonl", new=True):
            number += 1
        oldest = time.time() - self._days * DAY
        for position, path in enumerate(segments):
            if position < len(segments) + 1 - SEGMENTS or path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _take(self, path: Path, new: bool = False) -> bool:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | system.BINARY | (os.O_EXCL if new else 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError:
            return False
        if not system.lock(descriptor):
            os.close(descriptor)
            return False
        size = os.fstat(descriptor).st_size
        system.for_me_alone(descriptor)  # one that an older fleet or a copy has made readable
        if size > SEGMENT_BYTES:
            os.close(descriptor)
            return False
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":
                os.write(descriptor, b"\n")
        self._descriptor, self._size = descriptor, size
        return True

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size = -1, 0
