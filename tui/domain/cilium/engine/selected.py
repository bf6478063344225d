"""Which entries of a rulebook select an endpoint, remembered by the rulebook for endpoints with the same labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from tui.domain.cilium.engine.conflicts import conflicts
from tui.domain.cilium.engine.identity import Identity, holds
from tui.domain.cilium.model import Direction, Endpoint, Entry, Rulebook, Where


class Selected(NamedTuple):
    """What selects one endpoint: the entries by direction, and which of them the agent cannot put together."""

    entries: Mapping[Direction, tuple[Entry, ...]]
    conflicts: tuple[tuple[str, tuple[Where, Where]], ...]


def selected(book: Rulebook, endpoint: Endpoint, who: Identity) -> Selected:
    """The entries that select an endpoint, whose identity is `who`."""
    known: dict[Hashable, Selected] = book.__dict__.setdefault("_selected", {})
    key = (endpoint.labels, who.address)
    found = known.get(key)
    if found is None:
        entries = [entry for entry in book.entries if holds(entry.subject, who)]
        ingress = tuple(entry for entry in entries if entry.direction == "ingress")
        egress = tuple(entry for entry in entries if entry.direction == "egress")
        found = known[key] = Selected({"ingress": ingress, "egress": egress}, tuple(conflicts(entries)))
    return found
