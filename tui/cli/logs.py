"""`fleet logs`: the logs of pods, workloads and Applications, of many clusters, in the order of their times."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

import click

from tui.cli.output import complain, ending_quietly
from tui.cli.policy.flows import Moment
from tui.domain import selector
from tui.domain.kinds.kind import Tone
from tui.domain.logs.ansi import pieces
from tui.domain.logs.asked import Asked
from tui.domain.logs.lines import NOTE, SECOND, LogLine, as_bytes, since
from tui.domain.logs.names import labels
from tui.domain.logs.targets import Wanted, target

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.fleet.logs import Follow
    from tui.fleet.runtime import Fleet

GATHERED = 1.0  # seconds that the past of many logs is waited for, so that it is in order, before what comes is printed
TAKEN = 20_000  # lines printed at once
PARTLY = 3  # exit code: something could not be reached or read
# SGR: of pods beside each other, and of the colours that lines themselves have
_PODS = (36, 32, 33, 35, 34, 96, 92, 95)
_TONES = {Tone.BAD: 31, Tone.GOOD: 32, Tone.WARN: 33, Tone.BUSY: 34, Tone.PAUSED: 35, Tone.ACCENT: 36, Tone.MUTED: 90}


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("-f", "--follow", is_flag=True, help="Go on printing; pods that come are followed too.")
@click.option("--since", "moment", type=Moment(), metavar="TIME", help="Only lines since: 10m, 2h30m, 3d, or a time.")
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines of each container.")
@click.option("-p", "--previous", is_flag=True, help="Of the containers' instances before their last restart.")
@click.option("--timestamps", is_flag=True, help="Each line with its time, RFC 3339.")
@click.option("-c", "--container", metavar="GLOB", default="*", help="Only containers whose name matches.")
@click.option("-l", "--selector", metavar="SELECTOR", default="", help="Pods with these labels, as kubectl's.")
@click.option("-n", "--namespace", metavar="NS", default="", help="Only this namespace.")
@click.option("--cluster", metavar="GLOB", default="*", help="Only clusters whose name matches.")
@click.pass_obj
def logs(
    options: Options,
    targets: tuple[str, ...],
    follow: bool,
    moment: float | None,
    tail: int | None,
    previous: bool,
    timestamps: bool,
    container: str,
    selector: str,
    namespace: str,
    cluster: str,
) -> None:
    """Print the logs of every container of each TARGET, or of the pods with the labels of -l, in the order of time.

    A TARGET is a pod's name or KIND/NAME: pod, deploy, sts, ds, rs, job, cronjob, svc, or app for all workloads of an
    Application; names may be globs. Where several containers are read, each line begins with what tells them apart.
    """
    wanted = _wanted(targets, selector, cluster, namespace)
    if follow and previous:
        raise click.UsageError("-f and -p exclude each other: what is over gets no new lines")
    asked = Asked(
        time=int(moment * SECOND) if moment is not None else 0,
        tail=tail,
        previous=previous,
        follow=follow,
        containers=container,
    )
    with ending_quietly():
        sys.exit(asyncio.run(_logs(options, wanted, asked, Printer(timestamps))))


def _wanted(targets: tuple[str, ...], labels: str, cluster: str, namespace: str) -> Wanted:
    """What was asked for. Raises UsageError."""
    if not targets and not labels:
        raise click.UsageError("whose logs? Name a TARGET (web-0, deploy/web, app/shop), or labels with -l")
    if targets and labels:
        raise click.UsageError("TARGET and -l exclude each other")
    try:
        selector.parse(labels)
        return Wanted(tuple(map(target, targets)), labels, cluster, namespace)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


class Printer:
    """Prints lines: to a terminal harmless and in colours, elsewhere to the byte as they are."""

    def __init__(self, timestamps: bool) -> None:
        self._timestamps = timestamps
        self._tty = sys.stdout.isatty()
        self._colours = self._tty and not os.environ.get("NO_COLOR")
        self._labels: list[str] = []
        self._places = 0

    def print(self, follow: Follow, lines: list[LogLine]) -> None:
        """Lines of some logs, at once: a reader on a pipe follows too."""
        if len(follow.sources) != self._places:
            self._places = len(follow.sources)
            self._labels = labels([source.place for source in follow.sources])
        for line in lines:
            if line.source == NOTE:
                sys.stdout.flush()
                name = self._labels[line.about] if 0 <= line.about < len(self._labels) else ""
                complain(f"{name}: {line.text}" if name else line.text)
                continue
            stamp = f"{since(line.time)} " if self._timestamps else ""
            label = self._labels[line.source]
            sys.stdout.buffer.write(self._shown(label, line.source, stamp, line.text) + b"\n")
        sys.stdout.flush()

    def _shown(self, label: str, source: int, stamp: str, text: str) -> bytes:
        if not self._tty:
            return f"{label} {stamp}".encode() * bool(label) + stamp.encode() * (not label) + as_bytes(text)
        from tui.ui.text import safe

        parts = [self._coloured(safe(label) + " ", _PODS[source % len(_PODS)])] if label else []
        parts.append(stamp)
        parts += [self._coloured(safe(piece), _TONES.get(tone, 0)) for piece, tone in pieces(text)]
        return "".join(parts).encode()

    def _coloured(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if code and self._colours else text


async def _logs(options: Options, wanted: Wanted, asked: Asked, printer: Printer) -> int:
    from tui.cli.progress import until_settled
    from tui.cli.wire import make_fleet
    from tui.fleet.logs.finding import of_words

    async with make_fleet(options, drafts=False) as fleet:
        fleet.start()
        await until_settled(fleet)
        found = await of_words(fleet, wanted)
        for problem in (*fleet.problems, *found.problems):
            complain(problem)
        if not found.selections:
            return PARTLY if any(cluster.reason for cluster in fleet.clusters(wanted.cluster)) else 1
        follow = fleet.logs.follow(found.selections, asked, bounded=asked.goes_on)
        try:
            await (_on(fleet, follow, printer) if asked.goes_on else _all(fleet, follow, printer))
        finally:
            follow.close()
        unread = follow.book.troubles or any(source.state in ("denied", "failed") for source in follow.sources)
        if found.problems or unread:
            return PARTLY
        read = any(source.reader.read for source in follow.sources)
        return 0 if read or (follow.sources and not asked.previous) else 1


async def _all(fleet: Fleet, follow: Follow, printer: Printer) -> None:
    """Print everything there is, in order."""
    held: list[LogLine] = []
    version = -1
    while not follow.done:
        version = await fleet.changed(version)
        held += follow.take(sys.maxsize)
    printer.print(follow, sorted(held))
    for words in follow.words():
        complain(words)


async def _on(fleet: Fleet, follow: Follow, printer: Printer) -> None:
    """Print what there is, in order, and then what comes."""
    held: list[LogLine] = []
    said = set[str]()
    version, missed = -1, 0
    end = time.monotonic() + GATHERED
    while not follow.done:
        await _moved(fleet, version, end - time.monotonic() if end else None)
        version = fleet.version
        held += follow.take(TAKEN)
        if end and time.monotonic() < end:
            continue
        end = 0.0
        printer.print(follow, sorted(held))
        held.clear()
        if follow.missed > missed:
            complain(f"{follow.missed - missed:,} lines were dropped: they came faster than they could be written")
            missed = follow.missed
        words = set(follow.words())
        for line in sorted(words - said):
            complain(line)
        said = words


async def _moved(fleet: Fleet, version: int, most: float | None) -> None:
    """Wait until something has changed, for so many seconds at most."""
    try:
        async with asyncio.timeout(most):
            await fleet.changed(version)
    except TimeoutError:
        return
