"""`fleet describe`: one object, or several, as readable text."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tui.cli.get import PARTLY, Wanted, _listed, complete_kind
from tui.cli.output import complain, emit
from tui.domain.obj import Row
from tui.domain.selector import Selector

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.kinds.core import Event
    from tui.fleet.runtime import Fleet


@click.command()
@click.argument("kind", shell_complete=complete_kind)
@click.argument("name")
@click.option("-n", "--namespace", metavar="NS", help="Only this namespace.")
@click.option("--cluster", metavar="GLOB", default="*", help="Only clusters whose name matches.")
@click.pass_obj
def describe(options: Options, kind: str, name: str, namespace: str | None, cluster: str) -> None:
    """Print objects called NAME as text: conditions, fields, references and Events; one of each cluster that has it.

    Of Secrets only the metadata is read.
    """
    sys.exit(asyncio.run(_describe(options, Wanted(kind, name, namespace, Selector(), cluster))))


async def _describe(options: Options, wanted: Wanted) -> int:
    from tui.cli.wire import make_fleet

    wanted.kinds = wanted.known_kinds()
    async with make_fleet(options, drafts=False) as fleet:
        failures = await _listed(fleet, wanted, whole=False)
        rows = [row for kind in wanted.kinds for row in fleet.store.rows(kind.resource)]
        found = sorted((row for row in rows if wanted.matches(row, fleet.facts)), key=lambda row: row.ref)
        for number, row in enumerate(found):
            if number:
                emit("\n")
            failures += await _print(fleet, row)
        for failure in failures:
            complain(failure)
        if not found:
            complain(f"no {wanted.word} called {wanted.name} found")
        return PARTLY if failures else 0 if found else 1


async def _print(fleet: Fleet, row: Row) -> list[str]:
    """Print one object; returns what could not be read of it."""
    from tui.domain.objects.describing import describe, text_of
    from tui.domain.ports import Trouble

    kind = fleet.offers.catalogue.get(row.ref.resource)
    try:
        manifest = (await fleet.manifest(row.ref)).object
    except Trouble as error:
        return [f"{row.ref}: {error}"]
    refused = ""
    try:
        events: Sequence[Event] | str = await fleet.events(row.ref)
    except Trouble as error:
        events = refused = str(error)
    called = kind.kind if kind is not None else row.ref.resource
    emit(text_of(describe(manifest, row.ref.cluster, called, events, fleet.facts.now)))
    return [f"{row.ref}: Events: {refused}"] if refused else []
