"""`fleet policy flows`: what a Hubble exporter has recorded, and what policies would say of it."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from tui.cli.events import Duration
from tui.cli.output import complain, ending_quietly, json_text
from tui.domain import when
from tui.domain.cilium.hubble.flowlines import Wanted, cells, decision
from tui.domain.cilium.hubble.flows import Lines
from tui.domain.cilium.hubble.observed import VERDICTS, Lost, Party, Record

if TYPE_CHECKING:
    from tui.domain.cilium.hubble.replay import Replay

CHUNK = 1 << 16  # bytes read at once; what a pipe holds


class Moment(click.ParamType):
    """A duration before now, or an RFC 3339 time → seconds since the epoch."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        text = str(value)
        moment = when.seconds(text) if "-" in text else None
        return moment if moment is not None else time.time() - Duration().convert(text, param, ctx)


@click.command()
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False, exists=True))
@click.option(
    "--verdict",
    "verdicts",
    multiple=True,
    type=click.Choice(VERDICTS, case_sensitive=False),
    help="Only flows with this verdict; can be given several times.",
)
@click.option("-n", "--namespace", default="", metavar="GLOB", help="Only flows from or to this namespace.")
@click.option(
    "--pod", default="", metavar="GLOB", help="Only flows from or to this pod or workload: web-*, shop/web-*."
)
@click.option(
    "--since", type=Moment(), default=0.0, metavar="TIME", help="Only flows since: 10m, 2h30m, 3d, or a time."
)
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N of them.")
@click.option(
    "--policies",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="Replay against the policies of a file or folder; can be given several times.",
)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print.")
def flows(
    file: str,
    verdicts: tuple[str, ...],
    namespace: str,
    pod: str,
    since: float,
    last: int | None,
    policies: tuple[Path, ...],
    output: str,
) -> None:
    """Print the flows of a Hubble exporter's FILE, or of standard input (-), one line each.

    The file may be the exporter's own or the log of a cilium-agent, whose other lines are left out. Standard input is
    followed as long as it is open. Events that Hubble has lost are told where they are missing.

    With --policies only the flows are printed about which these policies would decide otherwise than was recorded, and
    what they say; manifests of namespaces, services, CIDR groups and cilium-config in the same paths count too. Exit
    code 1 when there are such flows.
    """
    wanted = Wanted(frozenset(verdict.upper() for verdict in verdicts), namespace, pod, since)
    replay = _replay(policies) if policies else None
    printer = Printer(output == "json", replay)
    with ending_quietly():
        found = _records(file, printer.lines)
        admitted = (record for record in found if wanted.admits(record))
        for record in deque(admitted, last) if last else admitted:
            printer.print(record)
        sys.stdout.flush()
    sys.exit(printer.summary())


def _records(file: str, lines: Lines) -> Iterator[Record]:
    """The records of a file or of standard input, each as soon as its line is there. Raises OSError."""
    if file == "-":
        yield from _stream(sys.stdin.buffer, lines)
        return
    with Path(file).open("rb") as stream:
        yield from _stream(stream, lines)


def _stream(stream: IO[bytes], lines: Lines) -> Iterator[Record]:
    while chunk := os.read(stream.fileno(), CHUNK):
        yield from lines.feed(chunk)
    yield from lines.end()


class Printer:
    """Prints records, and at the end what else there was."""

    def __init__(self, as_json: bool, replay: Replay | None) -> None:
        self.lines = Lines()
        self._json = as_json
        self._replay = replay
        self._live = sys.stdout.isatty() or not sys.stdin.isatty()

    def print(self, record: Record) -> None:
        """One line, at once when somebody may be waiting for it."""
        judged = None
        if self._replay is not None:
            if isinstance(record, Lost):
                return
            judged = self._replay.take(record)
            if not judged.changes(record):
                return
        if self._json:
            made = as_record(record)
            if judged is not None:
                made["replay"] = {"verdict": judged.word, "reason": judged.reason}
            text = json_text(made)
        else:
            decided = f"now {judged.reason}" if judged is not None else None
            text = plain(record, decided)
        sys.stdout.write(text + "\n")
        if self._live:
            sys.stdout.flush()

    def summary(self) -> int:
        """What was left out, on stderr; the exit code."""
        lines = self.lines
        if lines.unreadable:
            complain(f"{_count(lines.unreadable, 'line')} could not be read as a flow: {lines.problem}")
        if lines.too_long:
            complain(f"{_count(lines.too_long, 'line')} longer than {lines.longest >> 10} KiB left out")
        if not lines.flows and not lines.gaps:
            complain('no flow was found: lines of a Hubble exporter begin with {"flow":')
        if self._replay is None:
            return 0
        for line in self._replay.told():
            complain(line)
        return 1 if self._replay.changed else 0


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def plain(record: Record, decided: str | None = None) -> str:
    """A record as a line for people; the time is local."""
    from tui.ui.text import safe

    try:
        at = datetime.fromtimestamp(record.time).strftime("%Y-%m-%d %H:%M:%S") if record.time else "?"
    except (OverflowError, OSError, ValueError):
        at = "?"
    return safe(f"{at:<19}  {cells(record, decided)}")


def as_record(record: Record) -> dict[str, Any]:
    """A record as `-o json` prints it; times are RFC 3339 in UTC, what is not known is null or empty."""
    if isinstance(record, Lost):
        return {"time": _time(record.time), "lost": record.events, "source": record.source, "node": record.node}
    return {
        "time": _time(record.time),
        "verdict": record.verdict,
        "direction": record.direction,
        "from": _end(record.source),
        "to": _end(record.destination),
        "protocol": record.protocol,
        "port": record.port,
        "reply": record.reply,
        "reason": record.reason,
        "layer7": record.layer7,
        "policies": [
            {"direction": told.direction, "allowed": told.allowed, "kind": told.kind, "namespace": told.namespace,
             "name": told.name} for told in record.told
        ],
        "decided": decision(record),
        "node": record.node,
    }  # fmt: skip


def _end(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "namespace": party.namespace,
        "pod": party.pod,
        "workload": party.workload,
        "ip": party.ip,
        "cluster": party.cluster,
        "labels": list(party.labels),
        "names": list(party.names),
    }


def _time(moment: float) -> str | None:
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") or None
    except (OverflowError, OSError, ValueError):
        return None


def _replay(paths: tuple[Path, ...]) -> Replay:
    """The policies of files and folders, ready to be asked. Raises UsageError for a file that cannot be read."""
    from tui.domain.cilium.hubble.replay import Replay
    from tui.domain.cilium.reading import objects
    from tui.domain.yamledit import Refused

    try:
        return Replay(placed for file in _files(paths) for placed in objects(file.read_text("utf-8"), str(file)))
    except (Refused, UnicodeDecodeError) as error:
        raise click.UsageError(f"--policies: {error}") from error


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files given, and the YAML and JSON files of the folders given."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix in (".yaml", ".yml", ".json"))
        else:
            yield path
