"""`fleet draft blast`: what a draft would touch, and what must be typed before it is pushed."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tui.cli.draft.common import OUTPUT, TROUBLE, emit, run, say
from tui.cli.output import complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.cli.options import Options
    from tui.domain.cilium.impacts.drafted import DraftImpact
    from tui.domain.drafts.blast import Blast
    from tui.domain.settings import Settings
    from tui.fleet.drafts import Drafts
    from tui.fleet.netpol.impact import Impacts
    from tui.fleet.runtime import Fleet

WAIT = 10.0  # seconds that a push waits for the clusters to answer


class Radius(NamedTuple):
    """What a draft touches, what it does to network policies (or why that is not known), and who did not answer."""

    blast: Blast
    policies: DraftImpact | str
    failures: list[str]
    asked: bool  # whether any cluster is configured to be asked

    @property
    def alarms(self) -> tuple[str, ...]:
        """Why one should think twice about what it does to network policies."""
        return () if isinstance(self.policies, str) else self.policies.alarms


@click.command()
@click.argument("name")
@click.option("--offline", is_flag=True, help="Ask no cluster: only what the files themselves say.")
@OUTPUT
@click.pass_obj
def blast(options: Options, name: str, offline: bool, output: str) -> None:
    """Print the blast radius of a draft.

    That is the Applications it touches with where they deploy to, auto-sync, prune, health and sync windows; the
    objects in its files; what it deletes; and what of this cannot be told without rendering. A draft that changes
    network policies tells who may newly talk to whom, who no longer, and which traffic seen lately it cuts. Reads the
    Applications of every hub. Exit code 3 when a cluster did not answer.
    """

    async def work(drafts: Drafts) -> int:
        from tui.cli.wire import settings_of
        from tui.ui.drafting import blast_words, impact_words
        from tui.ui.words import BLANK

        _, held = await drafts.find(name)
        settings = settings_of(options)
        found = await radius(options, settings, drafts, name, None, offline)
        if output == "json":
            say(document(found, settings, held.name))
        else:
            lines = blast_words.blast(found.blast, time.time())[1:]
            if policies := impact_words.impact(found.policies):
                lines += [BLANK, *policies]
            emit(blast_words.text(lines))
        for failure in found.failures:
            complain(failure)
        return TROUBLE if found.failures else 0

    run(options, work)


def document(found: Radius, settings: Settings, name: str) -> str:
    """A radius as JSON, with what is counted and `confirm`: why the draft's name must be typed to push it."""
    import msgspec

    from tui.cli.output import json_text
    from tui.domain.drafts.blast import confirmation

    blast = found.blast
    needed = confirmation(blast, settings, name, found.alarms)
    counted = {"draft": name, "share": blast.share, "clusters": blast.clusters, "workloads": blast.workloads}
    more = {"policies": _policies(found.policies), "confirm": needed.reasons if needed is not None else ()}
    return json_text(msgspec.to_builtins({**counted, **msgspec.structs.asdict(blast), **more}), 2)


def _policies(found: DraftImpact | str) -> dict[str, Any]:
    """What a draft does to network policies, by cluster, in numbers and words; `unknown` where it is not known."""
    from tui.ui.drafting import impact_words

    if isinstance(found, str):
        return {"clusters": [], "unknown": [found]}
    clusters = [
        {
            "cluster": each.cluster,
            "policies": [said.name for said in each.policies],
            "pairs": dict(each.effect.pairs) if each.effect is not None else None,
            "changes": [one.words for one in each.effect.changes] if each.effect is not None else None,
            "flows": each.flows.flows if each.flows is not None else None,
            "cut": [impact_words.flow_words(one.flow) for one in each.cut],
            "unknown": each.unknown,
        }
        for each in found.clusters
        if not each.empty or each.unknown
    ]
    return {"clusters": clusters, "unknown": found.unknown}


async def radius(
    options: Options, settings: Settings, drafts: Drafts, name: str, wait: float | None, offline: bool
) -> Radius:
    """What a draft touches. `wait`: seconds the clusters get to answer; None: as many as they need."""
    from tui.cli.wire import assemble
    from tui.fleet.blast import NEEDED, Blasts
    from tui.fleet.netpol.impact import Impacts

    fleet = assemble(options, settings, drafts=False, background=False)
    blasts = Blasts(drafts, fleet.store, fleet.facts)
    if offline:
        return Radius(await blasts.of(name), "no cluster was asked", [], False)
    impacts = Impacts(drafts, fleet.store, fleet.facts, fleet.netpol, fleet.changed, flows=fleet.flows)
    failures: list[str] = []
    try:
        fleet.start()
        try:
            async with asyncio.timeout(wait):
                await _listed(fleet, NEEDED)
        except TimeoutError:
            failures.append(f"not every cluster answered within {wait:.0f} seconds")
        failures += [*fleet.problems, *_unanswered(fleet)]
        return Radius(await blasts.of(name), await _on_policies(impacts, name), failures, fleet.contexts != ())
    finally:
        await impacts.close()
        await blasts.close()
        await fleet.stop()


async def _on_policies(impacts: Impacts, name: str) -> DraftImpact | str:
    from tui.domain.ports import Trouble

    try:
        return await impacts.of(name)
    except Trouble as error:
        return str(error)


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
    from tui.ui.drafting import blast_words, impact_words

    terminal = sys.stdin.isatty()
    if not (yes or confirm or terminal):
        raise click.UsageError("not asking without a terminal; add --yes")
    settings = settings_of(options)
    _, held = await drafts.find(name)
    found = await radius(options, settings, drafts, name, WAIT, offline)
    for line in blast_words.facts(found.blast):
        complain(line)
    if isinstance(found.policies, str):
        if found.asked:
            complain(f"network policies: not known: {found.policies}")
    else:
        for line in impact_words.facts(found.policies):
            complain(line)
    needed = confirmation(found.blast, settings, held.name, found.alarms)
    reasons = needed.reasons if needed is not None else ()
    if found.asked and not (reasons or found.blast.known or yes):
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

    found = await radius(options, settings_of(options), drafts, name, None, True)
    return [blast_words.named(each) for each in found.blast.deleted]


VERBS = (blast,)
