"""Kinds with the user's own columns: what a JSONPath finds in each whole object, found once and kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from tui.domain import jsonpath
from tui.domain.kinds import find
from tui.domain.kinds.kind import Cell, Column, Facts, Kind, Tone, Value
from tui.domain.obj import Ref, Row
from tui.domain.usercolumns import UserColumn

REMEMBERED = 20_000  # objects of a kind whose values are kept: a table asks for each again and again
KEEP = 8  # as states: whoever asks for a column wants to see it
LONGEST = 300  # characters of a value


class _Values:
    """The values of some columns of a kind, found together: an object is unpacked once for all of them."""

    def __init__(self, columns: Sequence[UserColumn]) -> None:
        self._paths = [jsonpath.compiled(column.path) for column in columns]
        self._known: dict[Ref, tuple[str, tuple[Value, ...]]] = {}

    def at(self, row: Row, index: int) -> Value:
        """One value of an object; None when it has none, or is not held whole."""
        version: str = row.obj.metadata.resource_version
        known = self._known.get(row.ref)
        if known is None or known[0] != version or not version:
            whole = row.manifest()
            known = version, tuple(shown(path.find(whole)) for path in self._paths)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[row.ref] = known
        return known[1][index]


def shown(values: Sequence[Any]) -> Value:
    """What a path found as one value: a single one as what it is, several as text with commas, none as None."""
    if not values:
        return None
    if len(values) == 1 and isinstance(values[0], str | int | float | bool | None):
        return values[0][:LONGEST] if isinstance(values[0], str) else values[0]
    return ", ".join(map(_text, values))[:LONGEST]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _show(value: Value, now: float) -> Cell:
    if value is None:
        return Cell("", Tone.MUTED)
    return Cell(str(value).lower() if isinstance(value, bool) else str(value))


def means(word: str, kind: Kind) -> bool:
    """Whether a word of the user's means a kind: any by which `:` opens it."""
    known = find(word)
    if known is not None:
        return known.resource == kind.resource
    return word.strip().lower() in (kind.resource, kind.plural, kind.kind.lower(), *kind.short)


def extended(kind: Kind, columns: Iterable[UserColumn], wide: bool = True) -> Kind:
    """The kind with the user's columns for it.

    They stand after what is most important of it. Without `wide` those that are for wide tables are not there at all,
    and cost nothing.
    """
    chosen = [column for column in columns if (wide or not column.wide) and means(column.kind, kind)]
    if not chosen:
        return kind
    values = _Values(chosen)
    there = {column.id for column in kind.columns}
    made = tuple(
        Column(
            id=f"user_{own.id}" if own.id in there else own.id,
            title=own.title.strip(),
            value=_value_at(values, at),
            show=_show,
            width=max(own.width, len(own.title.strip())),
            right=own.right,
            wide=own.wide,
            keep=KEEP,
        )
        for at, own in enumerate(chosen)
    )
    at = max((at for at, column in enumerate(kind.columns, 1) if column.keep >= KEEP and not column.wide), default=1)
    return replace(kind, columns=(*kind.columns[:at], *made, *kind.columns[at:]))


def _value_at(values: _Values, index: int) -> Any:
    def value(row: Row, facts: Facts) -> Value:
        return values.at(row, index)

    return value
