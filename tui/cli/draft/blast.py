"""`fleet draft blast`: what a draft would touch, and what must be typed before it is pushed."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import click

from tui.cli.draft.common import OUTPUT, TROUBLE, emit, run, say
from tui.cli.output import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.options import Options
    from tui.domain.drafts.blast import Blast
    from tui.domain.settings import Settings
    from tui.fleet.drafts import Drafts
    from tui.fleet.runtime import Fleet

WAIT = 10.0  # seconds that a push waits for the clusters to answer


@click.command()
@click.argument("name")
@click.option("--offline", is_flag=True, help="Ask no cluster: only what the files themselves say.")
@OUTPUT
@click.pass_obj
def blast(options: Options, name: str, offline: bool, output: str) -> None:
    """Print the blast radius of a draft.

    That is the Applications it touches with where they deploy to, auto-sync, prune, health and sync windows; the
    objects in its files; what it deletes; and what of this cannot be told without rendering. Reads the Applications of
    every hub. Exit code 3 when a cluster did not answer.
    """

    async def work(drafts: Drafts) -> int:
        from tui.cli.wire import settings_of
        from tui.ui.drafting import blast_words

        _, held = await drafts.find(name)
        settings = settings_of(options)
        found, failures, _ = await radius(options, settings, drafts, name, None, offline)
        if output == "json":
            say(document(found, settings, held.name))
        else:
            emit(blast_words.text(blast_words.blast(found, time.time())[1:]))
        for failure in failures:
            complain(failure)
        return TROUBLE if failures else 0

    run(options, work)


def document(found: Blast, settings: Settings, name: str) -> str:
    """A radius as JSON, with what is counted and `confirm`: why the draft's name must be typed to push it."""
    import msgspec

    from tui.cli.output import json_text
    from tui.domain.drafts.blast import confirmation

    needed = confirmation(found, settings, name)
    counted = {"draft": name, "share": found.share, "clusters": found.clusters, "workloads": found.workloads}
    confirm = {"confirm": needed.reasons if needed is not None else ()}
    return json_text(msgspec.to_builtins({**counted, **msgspec.structs.asdict(found), **confirm}), 2)


async def radius(
    options: Options, settings: Settings, drafts: Drafts, name: str, wait: float | None, offline: bool
) -> tuple[Blast, list[str], bool]:
    """The blast radius, what could not be read, and whether any cluster is configured to be asked.

    `wait`: seconds the clusters get to answer; None: as many as they need.
    """
    from tui.cli.wire import assemble
    from tui.fleet.blast import NEEDED, Blasts

    fleet = assemble(options, settings, drafts=False, background=False)
    blasts = Blasts(drafts, fleet.store, fleet.facts)
    if offline:
        return await blasts.of(name), [], False
    failures: list[str] = []
    try:
        fleet.start()
        try:
            async with asyncio.timeout(wait):
                await _listed(fleet, NEEDED)
        except TimeoutError:
            failures.append(f"not every cluster answered within {wait:.0f} seconds")
        failures += [*fleet.problems, *_unanswered(fleet)]
        return await blasts.of(name), failures, fleet.contexts != ()
    finally:
        await blasts.close()
        await fleet.stop()


async def _listed(fleet: Fleet, resources: Sequence[str]) -> None:
    from tui.cli.progress import until_settled

    await fleet.announced()
    fleet.look("blast", resources)
    await until_settled(fleet)


def _unanswered(fleet: Fleet) -> list[str]:
    from tui.domain.argo.application import RESOURCE
    from tui.domain.cluster import ClusterState, KindState

    failures = []
    for cluster in fleet.clusters():
        status = cluster.kinds.get(RESOURCE)
        if cluster.state is not ClusterState.LIVE:
            failures.append(f"{cluster.metadata.name}: {cluster.state.value}: {cluster.reason}")
        elif status is not None and status.state in (KindState.DENIED, KindState.FAILED, KindState.STALE):
            failures.append(f"{cluster.metadata.name}: applications: {status.state.value}: {status.reason}")
    return failures


async def agreed(options: Options, drafts: Drafts, name: str, yes: bool, confirm: str, offline: bool) -> bool:
    """Say what a push touches and ask; False when the answer is no.

    Raises UsageError where nobody can be asked and the options do not answer.
    """
    from tui.cli.wire import settings_of
    from tui.domain.drafts.blast import confirmation
    from tui.ui.drafting import blast_words

    terminal = sys.stdin.isatty()
    if not (yes or confirm or terminal):
        raise click.UsageError("not asking without a terminal; add --yes")
    settings = settings_of(options)
    _, held = await drafts.find(name)
    found, _, asked = await radius(options, settings, drafts, name, WAIT, offline)
    for line in blast_words.facts(found):
        complain(line)
    needed = confirmation(found, settings, held.name)
    reasons = needed.reasons if needed is not None else ()
    if asked and not (reasons or found.known or yes):
        reasons = ("which Applications it touches is not known",)
    if confirm and confirm != held.name:
        raise click.UsageError(f"--confirm {confirm}: the name of this draft is {held.name}")
    if confirm or (yes and not reasons):
        return True
    if not reasons:
        return click.confirm("Push?", err=True)
    why = "; ".join(reasons)
    if not terminal:
        raise click.UsageError(f"{why}: add --confirm {held.name}")
    typed = click.prompt(f"{why}. Type {held.name} to push it", default="", show_default=False, err=True)
    if typed.strip() == held.name:
        return True
    complain(f"that is not {held.name}; nothing was pushed")
    return False


async def deleted(options: Options, drafts: Drafts, name: str) -> list[str]:
    """What a draft deletes, as far as its files say it, one line each."""
    from tui.cli.wire import settings_of
    from tui.ui.drafting import blast_words

    found, _, _ = await radius(options, settings_of(options), drafts, name, None, True)
    return [blast_words.named(each) for each in found.deleted]


VERBS = (blast,)
