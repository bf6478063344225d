"""Kinds that fleet has no columns for: the API server's own Table says which there are, and what stands in them.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from tui.domain import redact
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Facts, Kind, Tone, Value
from tui.domain.obj import Object, Row

MOST_COLUMNS = 40  # of a Table; those beyond are left out, and it is said
LONGEST_CELL = 1_000  # characters of one cell; nobody reads more of it in a table
LONGEST_TITLE = 40
CELLS = "fleet/cells"  # the field under which the cells of its row are put into an object: no object has such a one

_STATES = frozenset({"status", "state", "phase", "health", "healthstatus", "sync", "syncstatus", "condition"})
_TRUTHS = frozenset(
    {"ready", "available", "valid", "established", "synced", "healthy", "accepted", "programmed", "reconciled"}
)
_SENTENCES = frozenset({"message", "reason", "description", "hosts", "images", "endpoints"})
_TRUTH = {"True": Cell("✔ True", Tone.GOOD), "False": Cell("✖ False", Tone.BAD), "Unknown": Cell("?", Tone.UNKNOWN)}
_AGE = re.compile(r"(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = (365 * 86400, 86400, 3600, 60, 1)


class Definition(msgspec.Struct, frozen=True):
    """One column as the server defines it. A priority above 0 is for wide tables."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0


class Layout(msgspec.Struct, frozen=True):
    """The columns of one Table; the cells of its rows are in the same order."""

    columns: tuple[Definition, ...] = ()
    left_out: int = 0  # columns beyond `MOST_COLUMNS`

    def place(self, name: str) -> int:
        """Where a column stands; -1 when there is none of the name."""
        return _places(self).get(name, -1)


NO_LAYOUT = Layout()


@lru_cache(maxsize=256)
def _places(layout: Layout) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, definition in enumerate(layout.columns):
        found.setdefault(definition.name, at)
    return found


class Tabled(Object, frozen=True, gc=False):
    """An object as a row of its server's Table: its metadata, and the cells."""

    cells: tuple[Any, ...] = msgspec.field(default=(), name=CELLS)
    layout: Layout = msgspec.field(default=NO_LAYOUT, name="fleet/layout")

    def cell(self, name: str) -> Value:
        """What stands in a column; None when its Table has none of the name."""
        at = self.layout.place(name)
        value: Value = self.cells[at] if 0 <= at < len(self.cells) else None
        return value


def layout(definitions: Iterable[Definition]) -> Layout:
    """The columns of a Table with titles that fit a table; columns of the same name are one, the first."""
    made = tuple(
        msgspec.structs.replace(each, name=_printable(each.name)[:LONGEST_TITLE].strip()) for each in definitions
    )
    return Layout(made[:MOST_COLUMNS], max(0, len(made) - MOST_COLUMNS))


def fitted(cells: Iterable[Any], of: Layout, now: float) -> tuple[Value, ...]:
    """The cells of a row as values: no longer than anybody reads, secrets masked, dates as seconds since the epoch.

    A server tells dates as ages: `now` is when it did, and the moment is as exact as the age was.
    """
    return tuple(_value(cell, definition, now) for cell, definition in zip(cells, of.columns, strict=False))


def _value(cell: Any, definition: Definition, now: float) -> Value:
    if cell is None or isinstance(cell, bool | int | float):
        return cell
    if definition.format == "name" or definition.name.lower() == "age":
        return None  # the metadata has both
    text = cell if isinstance(cell, str) else msgspec.json.encode(cell).decode("utf-8", "replace")
    if definition.type == "date":
        age = seconds_of(text)
        return None if age is None else now - age
    if len(text) > LONGEST_CELL:
        text = text[:LONGEST_CELL] + "…"
    return redact.MASK if text and redact.says(definition.name.replace(" ", "-")) else redact.urls(text)


def seconds_of(age: str) -> float | None:
    """How long `4d6h`, `5m20s` or `1y20d` is; None for what is no age."""
    found = _AGE.fullmatch(age)
    if found is None or not age:
        return None
    return float(sum(int(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "·" for char in text)


# -- columns ----------------------------------------------------------------------------------------------------------


def kind_of(plural: str, kind: str, group: str, version: str, namespaced: bool, short: tuple[str, ...] = ()) -> Kind:
    """A kind that only its servers know the columns of; until they have said, it has name, labels and age."""
    columns = _columns((), namespaced)
    return Kind(
        plural=plural, kind=kind, group=group, versions=(version,), namespaced=namespaced, columns=columns, short=short,
        record=Tabled, tabled=True,
    )  # fmt: skip


def shaped(kind: Kind, layouts: Iterable[Layout]) -> Kind:
    """The kind with the columns of these Tables: those of the first, then what others have beside them."""
    found = dict.fromkeys(each for each in layouts if each.columns)
    return replace(kind, columns=_columns(tuple(found), kind.namespaced))


@lru_cache(maxsize=256)
def _columns(layouts: tuple[Layout, ...], namespaced: bool) -> tuple[Column, ...]:
    """Cluster, namespace and name as everywhere in fleet, the servers' own columns, age, and labels.

    The servers' name, namespace and age are left out: fleet's follow from the metadata, and its age grows.
    """
    told: dict[str, Definition] = {}
    for each in layouts:
        for definition in each.columns:
            told.setdefault(definition.name, definition)
    same = {"name", "age", ""} | ({"namespace"} if namespaced else set())
    columns = [
        _column(definition)
        for definition in told.values()
        if definition.format != "name" and definition.name.lower() not in same
    ]
    own = c.namespaced if namespaced else c.cluster_scoped
    return own(*columns, c.LABELS)


def _column(definition: Definition) -> Column:
    name, word = definition.name, re.sub(r"[^a-z]", "", definition.name.lower())

    def value(row: Row, facts: Facts) -> Value:
        return row.obj.cell(name) if isinstance(row.obj, Tabled) else None

    more: dict[str, Any] = {"wide": definition.priority > 0, "least": min(max(len(name), 4), 12)}
    if definition.type == "date":
        return c.column(_id(name), name.upper(), value, c.show_since, 10, right=True, time=True, **more)
    if definition.type in ("integer", "number"):
        return c.column(_id(name), name.upper(), value, _number, 14, right=True, sort=lambda value: value, **more)
    show: Callable[[Value, float], Cell] = _text
    if word in _STATES:
        more |= {"keep": 8, "least": 11, "sort": c.severity}
        show = _state
    elif word in _TRUTHS:
        more |= {"keep": 8, "least": 7, "sort": _truth_first}
        show = _truth
    else:
        more |= {"grow": 2 if word in _SENTENCES else 0, "sort": c.natural}
    return c.column(_id(name), name.upper(), value, show, 60 if word in _SENTENCES else 32, **more)


def _id(name: str) -> str:
    """`Sync Status` as `syncStatus`: what scripts read it by."""
    first, *rest = re.findall(r"[^\W_]+", name) or [name]
    return first[:1].lower() + first[1:] + "".join(word[:1].upper() + word[1:] for word in rest)


def _text(value: Value, now: float) -> Cell:
    text = "" if value is None else str(value)
    return Cell(text, Tone.MUTED if text in ("<none>", "") else Tone.UNKNOWN if text == "<unknown>" else Tone.PLAIN)


def _number(value: Value, now: float) -> Cell:
    return Cell("" if value is None else str(value), Tone.PLAIN if value else Tone.MUTED)


def _state(value: Value, now: float) -> Cell:
    return c.state_cell(str(value)) if value not in (None, "", "<none>") else _text(value, now)


def _truth(value: Value, now: float) -> Cell:
    return _TRUTH.get(str(value)) or _text(value, now)


def _truth_first(value: Value) -> Value:
    """What is not so before what is."""
    return {"False": "0", "Unknown": "1", "True": "9"}.get(str(value), f"5 {value}") if value is not None else None
