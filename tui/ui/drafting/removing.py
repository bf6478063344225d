"""The removal of an object, drafted where Git declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.domain import yamledit
from tui.domain.drafts.model import Draft, Operation
from tui.domain.kinds.fleet import DRAFTS_RESOURCE
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.ui.drafting import editing
from tui.ui.screens.dialogs import Choice, Confirm

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts
    from tui.fleet.drafts.filing import Planned
    from tui.fleet.locating import Place
    from tui.ui.app import FleetApp

MOST_SHOWN = 12  # lines of a question


async def remove(app: FleetApp, ref: Ref) -> None:
    """Draft the removal of an object from the file that declares it, after asking; what is generated is refused."""
    if ref.resource == DRAFTS_RESOURCE:
        await editing.drop(app, ref.name)
        return
    place = await _declared(app, ref)
    if place is None:
        return
    draft = await editing.choose_draft(app, place.repo, place.target, f"Remove {ref.name}")
    if draft is editing.GIVEN_UP:
        return
    drafts = editing.drafts_of(app)
    about = Operation(place.file, application=place.application, cluster=place.cluster)
    doc = await document_in(drafts, place, draft)
    plan = await drafts.plan_removal(
        place.repo, place.file, about, doc=doc, item=place.path, target=place.target, draft=draft
    )
    what = plan.work.operations[0].object or ref.name
    facts = [*([place.note] if place.note else []), *told(plan), "Argo CD deletes it from the cluster where it prunes."]
    if not await app.wait_for(Confirm(f"Draft the removal of {what}?", facts, yes="draft it")):
        return
    done = await drafts.carry_out(plan, draft, f"Remove {what}")
    await editing.review(app, done.name)


def told(plan: Planned) -> list[str]:
    """What a plan does to which file, and its notes, as lines of a question."""
    lines = [f"{'removes' if text is None else 'changes'} {path}" for path, text in plan.work.files.items()]
    lines += plan.work.notes
    return lines if len(lines) <= MOST_SHOWN else [*lines[:MOST_SHOWN], f"and {len(lines) - MOST_SHOWN} more"]


async def _declared(app: FleetApp, ref: Ref) -> Place | None:
    """The document that is the object; None, said why, when nothing is exactly that."""
    located = await app.fleet.locate(ref)
    if not located.places and located.to_clone and await editing.fetch(app, located.to_clone):
        located = await app.fleet.locate(ref)
    exact = [place for place in located.places if place.confidence == "exact" and place.role == "manifest"]
    if len(exact) > 1:
        choices = [(str(number), place.file, place.note) for number, place in enumerate(exact)]
        chosen = await app.wait_for(Choice(f"Which declares {ref.name}", choices, ("FILE", "WHAT IS KNOWN")))
        return None if chosen is None else exact[int(chosen)]
    if exact:
        return exact[0]
    if located.places:
        first = located.places[0]
        why = f"; {first.note}" if first.note else ""
        app.say(f"{ref.name} is no document of its own: {first.file} makes it{why}. e edits that", Tone.WARN)
    else:
        app.say(f"{ref.name}: {located.reason or 'its source is not known'}", Tone.WARN)
    return None


async def document_in(drafts: Drafts, place: Place, draft: Draft | None) -> int:
    """The number of the object's document in the file as a draft has it: others may have come and gone there."""
    doc = place.doc or 0
    if draft is None:
        return doc
    before = yamledit.documents((await drafts.read(place.repo, place.target, place.file)).text)[doc]
    now = yamledit.documents((await drafts.open(draft, place.file)).text)
    same = [
        document.index
        for document in now
        if (document.kind, document.namespace, document.name) == (before.kind, before.namespace, before.name)
    ]
    return same[0] if len(same) == 1 else doc
