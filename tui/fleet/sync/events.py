"""The events of one watch stream: what each line means for the rows, and what ends the stream."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import msgspec

from tui.domain.obj import Ref
from tui.domain.ports import Absent, Denied, Gone, ServerError, Throttled, Trouble, Unauthorized
from tui.fleet.sync import codec

if TYPE_CHECKING:
    from tui.fleet.sync.reflector import Reflector

NONSENSE = 100  # unreadable lines in a row before a stream is given up: an error page, not a watch
INITIAL_END = "k8s.io/initial-events-end"


class Events:
    """Understands the events of one watch stream."""

    def __init__(self, reflector: Reflector, slot: AsyncExitStack | None) -> None:
        self._reflector = reflector
        self._slot = slot
        self._seen: set[Ref] | None = None if slot is None else set()
        self._nonsense = 0

    @property
    def initial(self) -> bool:
        """Whether these are still the objects of the list."""
        return self._seen is not None

    async def take(self, lines: Iterable[codec.Text]) -> None:
        """Some lines, in slices. Raises what an ERROR event says, and `ServerError` when this is no watch at all."""
        held = self._reflector.held
        for line in lines:
            if (data := codec.cut(line)) is not None:  # nearly every line: its object is read once, by the codec
                try:
                    version = held.take(data, self._seen)
                except codec.Undecodable:
                    await self._take(line)  # what it is instead is found there
                else:
                    self._nonsense = 0
                    if version and self._seen is None:
                        self._reflector.advance(version)
            elif bytes(line).strip():
                await self._take(line)
            if held.due:
                await held.flush()

    async def _take(self, line: codec.Text) -> None:
        held = self._reflector.held
        try:
            event = codec.decode_event(line)
            kind = event.type
            head = codec.decode_head(event.object).metadata if kind == "BOOKMARK" else None
            status = codec.decode_status(event.object) if kind == "ERROR" else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            held.skipped += 1
            self._nonsense += 1
            if self._nonsense >= NONSENSE:
                raise ServerError(f"a watch is not what an API server answers: {error}") from None
            return
        self._nonsense = 0
        if kind in ("ADDED", "MODIFIED"):
            self._advance(held.put(event.object, self._seen))
        elif kind == "DELETED":
            self._advance(held.remove(event.object))
        elif status is not None:
            raise _in_stream(status)
        elif head is not None:
            if self._seen is not None and self._slot is not None:
                if (head.annotations or {}).get(INITIAL_END) == "true":
                    seen, self._seen = self._seen, None
                    await self._reflector.initial_end(seen, head.resource_version, self._slot)
            else:
                self._advance(head.resource_version)
        else:
            self._reflector.odd = f"an event of the unknown type {' '.join(kind.split())[:40]} was ignored"

    def _advance(self, version: str) -> None:
        if version and self._seen is None:
            self._reflector.advance(version)


def _in_stream(status: codec.Status) -> Trouble:
    """The error for a Status inside a watch stream."""
    words = " ".join(status.message.split())[:300] or f"the watch ended with {status.code}"
    match status.code:
        case 410:
            return Gone(words)
        case 401:
            return Unauthorized(words)
        case 403:
            return Denied(words)
        case 404:
            return Absent(words)
        case 429 | 503:
            return Throttled(words)
    return ServerError(words, status.code)
