"""A policy's rules by form, and a new policy for a workload: from the row to the draft."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tui.domain import yamledit
from tui.domain.cilium.impacts.amending import pod_labels_of
from tui.domain.cilium.ruling.catalogue import Catalogue, telling_labels
from tui.domain.drafts.model import Content, Draft, Operation
from tui.domain.drafts.told import operations
from tui.domain.edits import kind_of
from tui.domain.edits.newpolicies import NewPolicy
from tui.domain.edits.policies import PolicyRule
from tui.domain.obj import Ref
from tui.domain.ports import Refused
from tui.fleet.netpol import offering
from tui.fleet.netpol.impact import Edited
from tui.fleet.netpol.needs import POLICIES
from tui.ui.drafting import editing, impact_words
from tui.ui.screens.rule import Impact, Learn, RuleScreen
from tui.ui.words import Line

if TYPE_CHECKING:
    from tui.fleet.locating import Place
    from tui.ui.app import FleetApp

OWNER = "rule"  # who looks at a cluster's policies while a form is open


async def rules(app: FleetApp, ref: Ref, place: Place, draft: Draft | None, content: Content) -> None:
    """Fill the form of a policy's rule, draft what it changes and show the diff."""
    document = yamledit.Session(content.text, place.doc).value()
    kind = kind_of(document, place.file)
    edit = PolicyRule(namespace=ref.namespace)

    def apply(values: Mapping[str, str]) -> str:
        return edit.apply(content.text, place.doc, kind, values).text

    where = f"draft {draft.name}" if draft else f"new draft on {place.target}"
    title = f"{ref.namespace}/{ref.name}".lstrip("/")
    screen = RuleScreen(
        f"{title} · {place.file} · {where}",
        content.text,
        lambda chosen: edit.fields(kind, document, chosen),
        apply,
        doing(app, Edited(place.repo, place.target, content.commit, place.file, content.text, draft)),
        _learning(app, ref.cluster, edit),
    )
    values = await _asked(app, ref.cluster, screen)
    if values is None:
        return
    text = apply(values)
    drafts = editing.drafts_of(app)
    if draft is None:
        draft = await drafts.new(f"Rules of {ref.name}", place.repo, place.target, base=content.commit)
    about = Operation(place.file, application=place.application, cluster=place.cluster, object=editing.named(ref))
    staged = await drafts.edit(draft, place.file, text, operations(about, content.text, text), content.oid)
    await editing.review(app, staged.name)


async def new(app: FleetApp, ref: Ref, place: Place, draft: Draft | None) -> None:
    """Fill the form of a new policy for a workload, draft its file and show the diff."""
    manifest = (await app.fleet.manifest(ref)).object
    labels = pod_labels_of(manifest, str(manifest.get("kind") or ""))
    if not (subject := telling_labels(labels)):
        raise Refused(f"the pods of {ref.name} have no labels that a policy could select them by")
    folder = place.file.rpartition("/")[0]
    form = NewPolicy(ref.name, ref.namespace, subject, folder)
    where = f"draft {draft.name}" if draft else f"new draft on {place.target}"
    screen = RuleScreen(
        f"New policy for {ref.namespace}/{ref.name} · {where}",
        "",
        form.fields,
        form.text,
        learn=_learning(app, ref.cluster, form),
    )
    values = await _asked(app, ref.cluster, screen)
    if values is None:
        return
    drafts, path = editing.drafts_of(app), values["file"].strip()
    about = Operation(path, application=place.application, cluster=place.cluster)
    plan = await drafts.plan_create(place.repo, path, form.text(values), about, target=place.target, draft=draft)
    for note in plan.work.notes:
        app.say(note)
    done = await drafts.carry_out(plan, draft, f"Network policy for {ref.name}")
    await editing.review(app, done.name)


async def _asked(app: FleetApp, cluster: str, screen: RuleScreen) -> Mapping[str, str] | None:
    """Show the form, with what it speaks of watched meanwhile."""
    app.fleet.look(OWNER, offering.NEEDED, {cluster})
    app.fleet.netpol.look(OWNER, {cluster}, reach=True)
    try:
        answer: Mapping[str, str] | None = await app.wait_for(screen)
    finally:
        app.fleet.netpol.unlook(OWNER)
        app.fleet.unlook(OWNER)
    return answer


def doing(app: FleetApp, edited: Edited) -> Impact | None:
    """Says what a text would do to network policies."""
    impacts = app.fleet.impacts
    if impacts is None:
        return None

    async def lines(text: str) -> Sequence[Line]:
        return impact_words.body(await impacts.of_text(edited._replace(text=text)))

    return lines


class Knows(Protocol):
    """A form that proposes what exists."""

    catalogue: Catalogue


def _learning(app: FleetApp, cluster: str, form: Knows) -> Learn:
    """Gives a form what exists in a cluster by now, when that has changed."""
    seen = -1

    async def learn() -> bool:
        nonlocal seen
        rev = app.fleet.store.resource_rev(*offering.NEEDED, *POLICIES)
        if rev == seen:
            return False
        seen = rev
        found = await asyncio.to_thread(offering.gathering(app.fleet.store, app.fleet.netpol, cluster))
        if found == form.catalogue:
            return False
        form.catalogue = found
        return True

    return learn
