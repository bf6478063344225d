"""The Kubernetes Events about one object, asked of its cluster: nobody watches them while nobody looks."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec

from tui.domain import redact
from tui.domain.kinds.core import Event, event_time
from tui.domain.obj import Ref
from tui.domain.ports import ServerError

MOST = 500  # Events asked for; API servers keep an hour of them


class _Listed(msgspec.Struct, frozen=True, gc=False):
    items: tuple[Event, ...] = ()


def path(ref: Ref, kind: str) -> str:
    """Where the Events about an object are read. Those of cluster-scoped objects lie in any namespace."""
    selector = f"involvedObject.kind={kind},involvedObject.name={ref.name}"
    if ref.namespace:
        selector += f",involvedObject.namespace={ref.namespace}"
    where = f"/api/v1/namespaces/{quote(ref.namespace, safe='')}/events" if ref.namespace else "/api/v1/events"
    return f"{where}?{urlencode({'fieldSelector': selector, 'limit': MOST})}"


def decode(data: bytes) -> list[Event]:
    """The Events of a list, newest first. Raises ServerError when it is none."""
    try:
        listed = msgspec.json.decode(redact.data(data), type=_Listed)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ServerError(f"the list of Events cannot be read: {error}") from None
    return sorted(listed.items, key=lambda event: -(event_time(event) or 0.0))
