"""The newest flows of one cluster: written in the network thread, read on the main loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain.cilium.hubble.observed import Observed, Record

KEPT = 20_000  # records of one cluster; about 1 KiB each


class Ring:
    """Records in the order in which they came. Readers keep a sequence number and ask what came after it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._records: deque[Record] = deque(maxlen=kept)
        self.end = 0  # sequence number of the next record

    def add(self, records: Iterable[Record]) -> None:
        """Append."""
        with self._lock:
            before = list(records)
            self._records.extend(before)
            self.end += len(before)

    def since(self, sequence: int, most: int = KEPT) -> tuple[list[Record], int, int]:
        """(records from `sequence` on, at most so many; where to go on; how many the ring no longer had)."""
        with self._lock:
            start = self.end - len(self._records)
            missed = max(0, start - sequence)
            first = max(sequence, start)
            found = list(islice(self._records, first - start, first - start + most))
        return found, first + len(found), missed

    def flows(self) -> tuple[Observed, ...]:
        """Every flow held, oldest first; without gaps."""
        from tui.domain.cilium.hubble.observed import Observed

        with self._lock:
            return tuple(record for record in self._records if isinstance(record, Observed))
