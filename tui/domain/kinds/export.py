"""Lists as files, with the values and not what the screen makes of them: CSV for spreadsheets, JSON and YAML."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from tui.domain import when
from tui.domain.kinds.kind import Column, Value
from tui.domain.obj import Ref

ENDINGS = (".csv", ".json", ".yaml", ".yml")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for the beginning of one

Line = tuple[Ref, Sequence[Value]]


def plain(column: Column, value: Value) -> Value:
    """A value as a program reads it: times as RFC 3339."""
    return when.rfc3339(value) if column.time and isinstance(value, int | float) else value


def export(lines: Sequence[Line], columns: Sequence[Column], ending: str) -> bytes:
    """The lines in the format that a file name's ending means. Raises ValueError for an ending that means none."""
    if ending == ".csv":
        return _csv(lines, columns)
    records = [_record(ref, values, columns) for ref, values in lines]
    if ending == ".json":
        return (json.dumps(records, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    if ending in (".yaml", ".yml"):
        import yaml

        text: str = yaml.safe_dump(records, sort_keys=False, allow_unicode=True, width=1000)
        return text.encode("utf-8", "backslashreplace")
    raise ValueError(f"the name ends in {ending or 'nothing'}; it says the format: {', '.join(ENDINGS)}")


def _record(ref: Ref, values: Sequence[Value], columns: Sequence[Column]) -> dict[str, Value]:
    found: dict[str, Value] = {"cluster": ref.cluster, "namespace": ref.namespace, "name": ref.name}
    for column, value in zip(columns, values, strict=True):
        found.setdefault(column.id, plain(column, value))
    return found


def _csv(lines: Sequence[Line], columns: Sequence[Column]) -> bytes:
    """One line each, its cluster, namespace and name first where no column has them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    names = list(_record(Ref("", "", "", ""), [None] * len(columns), columns))
    writer.writerow(names)
    for ref, values in lines:
        writer.writerow([_cell(value) for value in _record(ref, values, columns).values()])
    return out.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Value) -> Value:
    """A text of a cluster's must not be run as a formula by who opens the file."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
