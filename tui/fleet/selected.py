"""A selection of objects of one cluster, listed and then watched, for those that need no rows of the store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec

from tui.domain.obj import Meta, Object
from tui.domain.ports import Connection, Denied, Gone, ServerError
from tui.fleet.sync.codec import Lines
from tui.fleet.sync.reflector import JSON, METADATA_LIST, METADATA_WATCH
from tui.fleet.sync.timing import Backoff, Timing

T = TypeVar("T", bound=Object)


class Changed(NamedTuple, Generic[T]):
    """What is there now or new (`listed`: and nothing else is), and what is gone."""

    put: list[T]
    gone: list[T]
    listed: bool = False


class _Listed(msgspec.Struct):
    metadata: Meta = Meta()
    items: list[msgspec.Raw] = []


class _Event(msgspec.Struct):
    type: str = ""
    object: msgspec.Raw = msgspec.Raw(b"{}")


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


async def selected(
    connection: Connection, paths: Sequence[str], selection: Sequence[tuple[str, str]], record: type[T], timing: Timing
) -> AsyncIterator[Changed[T]]:
    """The objects of the first of `paths` that may be read, and then what changes, until the watch ends.

    Of a record that is `Object` itself only the metadata is asked for. Raises Trouble.
    """
    partly = record is Object
    listed = None
    for path in paths:
        try:
            data = await connection.get(path, selection, METADATA_LIST if partly else JSON)
            listed = _decoded(data, _Listed)
            break
        except Denied:
            if path == paths[-1]:
                raise
    assert listed is not None
    yield Changed([_decoded(item, record) for item in listed.items], [], True)
    seconds = Backoff(timing).between(timing.watch_least, timing.watch_most)
    query = [*selection, ("watch", "true"), ("resourceVersion", listed.metadata.resource_version)]
    query.append(("timeoutSeconds", str(max(1, round(seconds)))))
    stream = connection.stream(path, query, METADATA_WATCH if partly else JSON, seconds + timing.watch_slack)
    lines = Lines()
    async with aclosing(cast(AsyncGenerator[bytes, None], stream)) as chunks:
        async for chunk in chunks:
            changed: Changed[T] = Changed([], [])
            for line in lines.feed(chunk):
                event = _decoded(line, _Event)
                if event.type == "ERROR":
                    status = _decoded(event.object, _Status)
                    raise Gone(status.message) if status.code == 410 else ServerError(status.message, status.code)
                if event.type in ("ADDED", "MODIFIED"):
                    changed.put.append(_decoded(event.object, record))
                elif event.type == "DELETED":
                    changed.gone.append(_decoded(event.object, record))
            if changed.put or changed.gone:
                yield changed


def _decoded(data: Any, record: type[Any]) -> Any:
    try:
        return msgspec.json.decode(data, type=record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ServerError(f"the API server's answer cannot be read: {error}") from None
