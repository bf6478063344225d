"""Rows as text: tables for people, JSON, YAML and names for programs."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from tui.domain import redact, when
from tui.domain.kinds.export import plain
from tui.domain.kinds.kind import Column, Facts, Kind, Value
from tui.domain.obj import Row

Stale = Mapping[tuple[str, str], float]  # (cluster, resource) of rows that are not kept up -> when last heard, 0 = ?
INTERRUPTED = 130  # exit code after Ctrl-C
CLOSED = 141  # when the reader of standard output has gone, as of a process that SIGPIPE ends
FORMATS = ("table", "wide", "json", "yaml", "name")
# What a terminal acts on or hides although JSON and YAML allow it as it is: C1 controls, bidi overrides, zero-width.
_ACTIVE = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


@contextmanager
def ending_quietly() -> Iterator[None]:
    """Ctrl-C, and a reader of standard output that has gone, end the command without a word.

    Nothing more is written then, not by the interpreter's last flush either.
    """
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError) as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        sys.exit(INTERRUPTED if isinstance(error, KeyboardInterrupt) else CLOSED)


def columns_of(kind: Kind, wide: bool = True) -> list[Column]:
    """The columns a report shows, without those that say what every report says first."""
    return [column for column in kind.columns if wide or not column.wide]


def record(row: Row, kind: Kind, facts: Facts, stale: Stale | None = None) -> dict[str, Value]:
    """One object as `-o json` prints it: identity first, then every column under its id.

    Of one that is not kept up also `staleSince`: when it was last known to be true, null where that is not known.
    """
    ref = row.ref
    found: dict[str, Value] = {"cluster": ref.cluster, "kind": kind.kind, "namespace": ref.namespace, "name": ref.name}
    for column in kind.columns:
        found.setdefault(column.id, plain(column, column.value(row, facts)))
    if (heard := _heard(row, kind, stale)) is not None:
        found["staleSince"] = when.rfc3339(heard) if heard else None
    return found


def _heard(row: Row, kind: Kind, stale: Stale | None) -> float | None:
    return stale.get((row.ref.cluster, kind.resource)) if stale else None


def print_rows(
    rows: Sequence[tuple[Row, Kind]],
    facts: Facts,
    form: str,
    out: IO[str],
    single: bool = False,
    stale: Stale | None = None,
) -> None:
    """Print rows in one of FORMATS. Rows of several kinds share a table when their columns agree."""
    if form == "json":
        _dump_json([record(row, kind, facts, stale) for row, kind in rows], out)
    elif form == "yaml":
        _print_yaml(rows, facts, out, single, stale)
    elif form == "name":
        for row, kind in rows:
            parts = (row.ref.cluster, kind.resource, row.ref.namespace, row.ref.name)
            out.write("/".join(_plain(part, out) for part in parts if part) + "\n")
    else:
        _print_tables(rows, facts, form == "wide", out, stale)


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON that is safe to look at: readable, but with everything a terminal would act on as an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _ACTIVE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _yaml_text(value: Any, **options: Any) -> str:
    """YAML that is safe to look at; without a need it is not escaped."""
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, **options)
    return yaml.safe_dump(value, sort_keys=False, **options) if _ACTIVE.search(text) else text


def _dump_json(value: Any, out: IO[str]) -> None:
    out.write(json_text(value, 2) + "\n")


def _print_yaml(
    rows: Sequence[tuple[Row, Kind]], facts: Facts, out: IO[str], single: bool, stale: Stale | None
) -> None:
    """Objects as their clusters hold them; what no API server holds (a cluster itself) as its record."""
    for row, kind in rows:
        if not single:
            out.write(f"---\n# cluster: {json_text(row.ref.cluster)}\n")
        if (heard := _heard(row, kind, stale)) is not None:
            out.write(f"# stale since {when.rfc3339(heard) if heard else 'nobody knows when'}\n")
        out.write(_yaml_text(redact.plain(row.manifest()) or record(row, kind, facts), width=1000))


def _print_tables(
    rows: Sequence[tuple[Row, Kind]], facts: Facts, wide: bool, out: IO[str], stale: Stale | None
) -> None:
    groups: dict[tuple[str, ...], list[tuple[Row, Kind]]] = {}
    for row, kind in rows:
        groups.setdefault(tuple(column.id for column in kind.columns), []).append((row, kind))
    for position, members in enumerate(groups.values()):
        if position:
            out.write("\n")
        shown = columns_of(members[0][1], wide)
        titles, cells = _identity(members, shown)
        if any(_heard(row, kind, stale) is not None for row, kind in members):
            titles.insert(0, "STALE")
            cells.insert(0, lambda row, kind: _age(_heard(row, kind, stale), facts.now))
        body = [
            [
                *(text(row, kind) for text in cells),
                *(column.show(column.value(row, facts), facts.now).text for column in _matching(kind, shown)),
            ]
            for row, kind in members
        ]
        print_table([*titles, *(column.title.upper() for column in shown)], body, out)


def _matching(kind: Kind, shown: Iterable[Column]) -> list[Column]:
    """This kind's own columns for the ids shown: kinds that share a table may compute them differently."""
    own = {column.id: column for column in kind.columns}
    return [own[column.id] for column in shown]


def _age(heard: float | None, now: float) -> str:
    """`◐ 5m` of a row that is not kept up; "" of one that is."""
    return "" if heard is None else f"◐ {when.age(now - heard) if heard else '?'}"


def _identity(
    members: Sequence[tuple[Row, Kind]], shown: Sequence[Column]
) -> tuple[list[str], list[Callable[[Row, Kind], str]]]:
    """Columns that say which object a line is about, where the kind's own columns do not say it already."""
    have = {column.id for column in shown}
    shown_titles = {column.title.upper() for column in shown}
    titles: list[str] = []
    cells: list[Callable[[Row, Kind], str]] = []
    if "cluster" not in have and any(row.ref.cluster not in ("", row.ref.name) for row, _ in members):
        titles.append("HUB" if "CLUSTER" in shown_titles else "CLUSTER")
        cells.append(lambda row, kind: row.ref.cluster)
    if "KIND" not in shown_titles and len({kind.resource for _, kind in members}) > 1:
        titles.append("KIND")
        cells.append(lambda row, kind: kind.kind)
    if "namespace" not in have and any(row.ref.namespace for row, _ in members):
        titles.append("NAMESPACE")
        cells.append(lambda row, kind: row.ref.namespace)
    if "name" not in have:
        titles.append("NAME")
        cells.append(lambda row, kind: row.ref.name)
    return titles, cells


def print_table(titles: Sequence[str], body: Sequence[Sequence[str]], out: IO[str]) -> None:
    from rich.cells import cell_len

    lines = [list(titles), *([_plain(text, out, line=True) for text in line] for line in body)]
    widths = [max(cell_len(line[position]) for line in lines) for position in range(len(titles))]
    for line in lines:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True))
        out.write("   ".join(padded).rstrip() + "\n")


def _plain(text: str, out: IO[str], line: bool = False) -> str:
    """Foreign text, made harmless where a terminal or a line-oriented reader will see it."""
    from tui.ui.text import safe

    return safe(text) if line or out.isatty() else text.replace("\n", " ")


def emit(text: str) -> None:
    """Foreign text on stdout: to the byte as it is for programs, harmless for a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    from tui.ui.text import safe

    for line in text.removesuffix("\n").split("\n"):
        sys.stdout.write(safe(line.removesuffix("\r")) + "\n")


def complain(message: str) -> None:
    """One line on stderr."""
    from tui.ui.text import safe

    sys.stderr.write(f"fleet: {safe(message)}\n")
