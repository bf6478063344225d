"""Another name for an object, or another path for its file, drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.domain import yamledit
from tui.domain.drafts.model import Draft, Operation
from tui.domain.obj import Ref
from tui.ui.drafting import editing
from tui.ui.drafting.removing import document_in, told
from tui.ui.screens.dialogs import Confirm

if TYPE_CHECKING:
    from tui.fleet.locating import Place
    from tui.ui.app import FleetApp

OBJECT, FILE = "rename-object", "rename-file"


def choices(place: Place) -> list[tuple[str, str, str]]:
    """What can be renamed at a place, as lines of a list."""
    found = [(FILE, "Move the file", place.file)]
    if place.confidence == "exact" and place.role == "manifest" and not place.path:
        found.insert(0, (OBJECT, "Rename the object", "who refers to it is told, not changed"))
    return found


async def rename(app: FleetApp, ref: Ref, place: Place, draft: Draft | None, which: str) -> None:
    """Ask for the new name, show what follows from it, and draft it."""
    drafts = editing.drafts_of(app)
    about = Operation(place.file, application=place.application, cluster=place.cluster)
    if which == FILE:
        new = await app.ask_line("new path: ", place.file)
        if not new or new == place.file:
            return
        plan = await drafts.plan_move(place.repo, place.file, new, about, target=place.target, draft=draft)
        title = f"Move {place.file.rpartition('/')[2]}"
    else:
        doc = await document_in(drafts, place, draft)
        reading = drafts.open(draft, place.file) if draft else drafts.read(place.repo, place.target, place.file)
        held = yamledit.documents((await reading).text)[doc].name
        new = await app.ask_line("new name: ", held)
        if not new or new == held:
            return
        plan = await drafts.plan_rename(place.repo, place.file, doc, new, about, target=place.target, draft=draft)
        title = f"Rename {held} to {new}"
    if await app.wait_for(Confirm(f"Draft it: {title}?", told(plan), yes="draft it")):
        done = await drafts.carry_out(plan, draft, title)
        await editing.review(app, done.name)
