"""From a dropped flow to a draft with the smallest rule that would let it pass."""

from __future__ import annotations

import asyncio
import textwrap
from typing import TYPE_CHECKING

from tui.domain.cilium.hubble.observed import Observed
from tui.domain.cilium.hubble.propose import Around, NoRule, Proposal, propose, why
from tui.domain.cilium.hubble.proposed import effect, told
from tui.domain.cilium.policy import CNP
from tui.domain.cilium.ruling import newpolicy, writing
from tui.domain.cilium.ruling.choice import Cidr, words_of
from tui.domain.cluster import CLUSTERS, ClusterState, KindState
from tui.domain.drafts.message import clean
from tui.domain.drafts.model import Draft, Operation
from tui.domain.drafts.told import operations
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.domain.ports import Refused
from tui.domain.yamledit import Refused as NotWritten
from tui.fleet.netpol.state import State
from tui.ui.drafting import editing, making
from tui.ui.screens.dialogs import Choice, Confirm

if TYPE_CHECKING:
    from tui.fleet.locating import Place
    from tui.ui.app import FleetApp

OWNER = "allow"  # who looks, to the fleet
BODY = 72  # characters of a line in a commit's message
ONE, WORLD = "one", "world"
ENFORCE, LEAVE = "enforce", "leave"
_WORKLOADS = {
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "CronJob": "cronjobs.batch",
}


async def allow(app: FleetApp, cluster: str, record: Observed) -> None:
    """Work out the rule, show what it would do, and draft it where the policy is declared."""
    app.fleet.netpol.look(OWNER, {cluster})
    try:
        state = await _state(app, cluster)
        around = Around(state.book, state.written, state.endpoints)
        flows = app.fleet.flows.recent(cluster)
        try:
            found = await asyncio.to_thread(propose, record, around, flows)
            if record.direction == "ingress" and isinstance((found.rules[0].peers or (None,))[0], Cidr):
                chosen = await _from_outside(app, found, record, around, flows)
                if chosen is None:
                    return
                found = chosen
        except NoRule as error:
            app.say(f"no rule to draft: {error}", Tone.WARN)
            return
        made = await asyncio.to_thread(effect, found, around, flows)
    finally:
        app.fleet.netpol.unlook(OWNER)
    default_deny = await _asked(app, cluster, found, [*state.blind, *told(found, made)], bool(made.switches))
    if default_deny is None:
        return
    await _draft(app, cluster, found, default_deny)


async def _state(app: FleetApp, cluster: str) -> State:
    """What is known of the cluster, as soon as it is."""
    while True:
        version = app.fleet.version
        state = app.fleet.netpol.state(cluster)
        if isinstance(state, State):
            return state
        await app.fleet.changed(version)


async def _from_outside(
    app: FleetApp, found: Proposal, record: Observed, around: Around, flows: tuple[Observed, ...]
) -> Proposal | None:
    """Whom of the outside to let in; None when the user turned back."""
    address = record.peer.ip
    choices = [
        (ONE, f"{address} alone", "the address that was seen"),
        (WORLD, "world", "everybody outside"),
    ]
    chosen = await app.wait_for(Choice("Let in from outside", choices, ("WHO", "")))
    if chosen is None:
        return None
    return await asyncio.to_thread(propose, record, around, flows, world=True) if chosen == WORLD else found


async def _asked(app: FleetApp, cluster: str, found: Proposal, told: list[str], switches: bool) -> bool | None:
    """Show the rule and what it would do: whether to switch default deny on where it is not; None for no."""
    where = found.home.written.policy.metadata if found.home else None
    place = f"into {where.namespace}/{where.name}" if where else f"in a policy of its own in {found.namespace}"
    facts = [
        *(words_of(rule) for rule in found.rules),
        f"for {found.workload} in {cluster}, {place}; {why(found)}.",
        "",
        *told,
    ]
    if not switches:
        return True if await app.wait_for(Confirm("Draft this rule?", facts, yes="draft")) else None
    if found.home is not None:
        return True if await app.wait_for(Confirm("Draft this rule all the same?", facts, yes="draft")) else None
    if not await app.wait_for(Confirm("This rule would enforce what was open. Draft it?", facts, yes="go on")):
        return None
    choices = [
        (LEAVE, "leave the rest open", "enableDefaultDeny: false (Cilium 1.16 and later)"),
        (ENFORCE, "deny the rest", "what no rule allows is dropped from then on"),
    ]
    chosen = await app.wait_for(Choice("What no rule allows", choices, ("DO", "")))
    return None if chosen is None else chosen == ENFORCE


async def _draft(app: FleetApp, cluster: str, found: Proposal, default_deny: bool) -> None:
    if found.home is not None:
        meta = found.home.written.policy.metadata
        ref = Ref(cluster, CNP, meta.namespace, meta.name)
        place = await editing.locate(app, ref)
        if place is None:
            return
        await _into(app, ref, place, found)
        return
    await _as_new(app, await _tracked(app, cluster, found), found, default_deny)


async def _tracked(app: FleetApp, cluster: str, found: Proposal) -> Ref:
    """The workload, or another object of its namespace whose Application is known: where a new file belongs."""
    subject, store = found.record.subject, app.fleet.store
    resource = _WORKLOADS.get(subject.workload_kind, "")
    ref = Ref(cluster, resource, found.namespace, subject.workload)
    if resource:
        app.fleet.look(OWNER, {resource}, {cluster})
        try:
            while store.get(ref) is None and not _listed(app, cluster, resource):
                await app.fleet.changed(app.fleet.version)
        finally:
            app.fleet.unlook(OWNER)
    row = store.get(ref)
    if row is not None and app.fleet.facts.application_ref(row) is not None:
        return ref
    for other in store.rows(CNP, cluster):
        if other.ref.namespace == found.namespace and app.fleet.facts.application_ref(other) is not None:
            return other.ref
    return ref


def _listed(app: FleetApp, cluster: str, resource: str) -> bool:
    """Whether what a cluster has of a resource is known, or cannot be."""
    row = app.fleet.store.get(Ref(cluster, CLUSTERS, "", cluster))
    if row is None or row.obj.state is not ClusterState.LIVE:
        return True
    status = row.obj.kinds.get(resource)
    return status is not None and status.state not in (KindState.WAITING, KindState.LISTING)


def _title(found: Proposal) -> str:
    record = found.record
    port = f"{record.protocol}/{record.port}"
    return f"Allow {record.source.owner} to {record.destination.owner} {port}"


async def _into(app: FleetApp, ref: Ref, place: Place, found: Proposal) -> None:
    """Add the rule to the policy's file."""
    assert found.home is not None
    drafts = editing.drafts_of(app)
    draft = await editing.choose_draft(app, place.repo, place.target, _title(found))
    if draft is editing.GIVEN_UP:
        return
    content = await (drafts.open(draft, place.file) if draft else drafts.read(place.repo, place.target, place.file))
    text = content.text
    try:
        for rule in found.rules:
            held = writing.find(text, CNP, ref.namespace, ref.name)
            text = writing.add_rule(text, held, rule, found.home.number).text
    except NotWritten as error:
        raise Refused(str(error.at(place.file))) from error
    if text == content.text:
        app.say(f"{place.file} says so already: it has not arrived in the cluster yet", Tone.WARN)
        return
    if draft is None:
        draft = await drafts.new(_title(found), place.repo, place.target, base=content.commit)
    about = Operation(place.file, application=place.application, cluster=place.cluster, object=editing.named(ref))
    staged = await drafts.edit(draft, place.file, text, operations(about, content.text, text), content.oid)
    await _review(app, staged, found)


async def _as_new(app: FleetApp, ref: Ref, found: Proposal, default_deny: bool) -> None:
    """A policy of its own, beside the workload."""
    where = await making.where_of(app, ref)
    if where is None:
        return
    name = newpolicy.policy_name(f"{found.workload}-{found.direction}", "allow")
    comment = f"drafted by fleet from a flow that was {why(found)}"
    try:
        text = newpolicy.new_policy(
            CNP, name, found.namespace, found.subject, found.rules, default_deny=default_deny, comment=comment
        )
    except NotWritten as error:
        raise Refused(str(error)) from error
    path = await app.ask_line("new file: ", f"{where.folder}/ciliumnetworkpolicy-{found.workload}.yaml".lstrip("/"))
    if not path:
        return
    draft = await editing.choose_draft(app, where.repo, where.target, _title(found))
    if draft is editing.GIVEN_UP:
        return
    drafts = editing.drafts_of(app)
    about = Operation(path, application=where.application, cluster=ref.cluster)
    plan = await drafts.plan_create(
        where.repo, path, text, about, target=where.target, draft=draft, source=where.source
    )
    for note in plan.work.notes:
        app.say(note)
    await _review(app, await drafts.carry_out(plan, draft, _title(found)), found)


async def _review(app: FleetApp, draft: Draft, found: Proposal) -> None:
    """Show the diff; the commit's message tells what was allowed and why."""
    drafts = editing.drafts_of(app)
    subject, _, rest = (await drafts.message(draft)).partition("\n")
    record = found.record
    reason = f"{record.source.owner} to {record.destination.owner} {record.protocol}/{record.port} was {why(found)}"
    if clean(reason) not in " ".join(rest.split()):
        because = f" ({record.reason})" if record.reason else ""
        told_why = "\n".join(textwrap.wrap(clean(f"{reason}{because}."), BODY, break_on_hyphens=False))
        await drafts.keep_message(draft, f"{subject}\n\n{told_why}\n{rest}")
    await editing.review(app, draft.name)
