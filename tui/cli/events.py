"""`fleet events`: the event tail, as lines."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from tui.cli.output import complain, json_text
from tui.domain.kinds.argo import APPLICATIONS
from tui.domain.tail import TailEvent

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.cluster import Cluster
    from tui.fleet.runtime import Fleet

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+)([smhdw])")


class Duration(click.ParamType):
    """`90s`, `10m`, `2h30m`, `3d` → seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        text = str(value)
        if not text or _DURATION.sub("", text):
            self.fail(f"{text!r} is not a duration such as 90s, 10m, 2h30m or 3d", param, ctx)
        return float(sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(text)))


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on printing events as they happen.")
@click.option("--since", type=Duration(), default="1h", metavar="DURATION", help="How far back: 90s, 10m, 2h30m, 3d.")
@click.option(
    "--cluster",
    metavar="GLOB",
    default="*",
    help="Only events of clusters whose name matches; of Applications also those that deploy there.",
)
@click.option("--application", metavar="GLOB", default="*", help="Only events of Applications whose name matches.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print.")
@click.pass_obj
def events(options: Options, follow: bool, since: float, cluster: str, application: str, output: str) -> None:
    """Print what happened in the fleet: syncs, health, deployments, conditions; one line each."""
    printer = Printer(time.time() - since, cluster, application, output)
    try:
        sys.exit(asyncio.run(_events(options, printer, follow)))
    except KeyboardInterrupt:
        sys.exit(130)


class Printer:
    """Prints the events that were asked for."""

    def __init__(self, since: float, cluster: str, application: str, output: str) -> None:
        self.since = since
        self.cluster = cluster
        self.application = application
        self.json = output == "json"
        self._destinations: dict[tuple[str, str], str] = {}  # (hub, Application) -> cluster, of deleted ones too

    def learn(self, fleet: Fleet) -> None:
        """Know from now on where the Applications deploy to. What is not known counts as the hub alone."""
        if self.cluster == "*":
            return
        for row in fleet.store.rows(APPLICATIONS.resource):
            place = (row.ref.cluster, f"{row.ref.namespace}/{row.ref.name}")
            self._destinations[place] = fleet.facts.destination(row).removesuffix("?")

    def asks(self, cluster: Cluster) -> bool:
        """Whether a cluster may tell of what was asked for: every hub may, of an Application that deploys elsewhere."""
        return cluster.hub or fnmatchcase(cluster.metadata.name, self.cluster)

    def print(self, event: TailEvent) -> None:
        """One line, at once: a reader on a pipe follows too."""
        if not self._wanted(event):
            return
        line = json_text(record(event)) if self.json else plain(event)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def _wanted(self, event: TailEvent) -> bool:
        name = event.application.rpartition("/")[2]
        clusters = (event.cluster, self._destinations.get((event.cluster, event.application), event.cluster))
        return (
            event.time >= self.since
            and any(fnmatchcase(cluster, self.cluster) for cluster in clusters)
            and (fnmatchcase(name, self.application) or fnmatchcase(event.application, self.application))
        )


def record(event: TailEvent) -> dict[str, str | None]:
    """One event as `-o json` prints it; times are RFC 3339 in UTC."""
    return {
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "cluster": event.cluster,
        "application": event.application,
        "reason": event.reason,
        "message": event.message,
        "revision": event.revision,
        "actor": event.actor,
        "source": event.source,
    }


def plain(event: TailEvent) -> str:
    """One event as a line for people; the time is local."""
    from tui.ui.text import safe

    at = datetime.fromtimestamp(event.time).strftime("%Y-%m-%d %H:%M:%S")
    by = f" by {event.actor}" if event.actor else ""
    revision = f" {event.revision[:7]}" if event.revision else ""
    return safe(f"{at}  {event.cluster}  {event.application or '-'}  {event.reason}{revision}  {event.message}{by}")


async def _events(options: Options, printer: Printer, follow: bool) -> int:
    from tui.cli.progress import until_settled
    from tui.cli.wire import make_fleet

    async with make_fleet(options, drafts=False) as fleet:
        fleet.start()
        fleet.look("events", fleet.tailed())
        await until_settled(fleet)
        backlog = sorted((event for _, event in fleet.tail.since(0)), key=lambda event: event.time)
        sequence = fleet.tail.end
        printer.learn(fleet)
        for event in backlog:
            printer.print(event)
        if follow:
            await _follow(fleet, printer, sequence)
        unreached = [cluster for cluster in fleet.clusters() if cluster.reason and printer.asks(cluster)]
        for cluster in unreached:
            complain(f"{cluster.metadata.name}: {cluster.state.value}: {cluster.reason}")
        return 3 if unreached else 0


def _silence(fleet: Fleet, printer: Printer, before: set[str]) -> set[str]:
    """Say on stderr which clusters have fallen silent, or are heard again; returns those that are silent now."""
    now = set()
    for cluster in fleet.clusters():
        name = cluster.metadata.name
        if cluster.reason:
            now.add(name)
        if not printer.asks(cluster) or bool(cluster.reason) is (name in before):
            continue
        told = (
            f"{cluster.state.value}: {cluster.reason}: its events are missing" if cluster.reason else "is heard again"
        )
        complain(f"{name}: {told}")
    return now


async def _follow(fleet: Fleet, printer: Printer, sequence: int) -> None:
    version = fleet.version
    applications = fleet.store.resource_rev(APPLICATIONS.resource)
    silent = set[str]()
    while True:
        silent = _silence(fleet, printer, silent)
        if applications != (applications := fleet.store.resource_rev(APPLICATIONS.resource)):
            printer.learn(fleet)
        for position, event in fleet.tail.since(sequence):
            printer.print(event)
            sequence = position + 1
        version = await fleet.changed(version)
