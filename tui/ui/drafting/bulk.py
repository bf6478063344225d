"""One edit of all marked objects: one form, one list of what it means for each, one draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.domain import yamledit
from tui.domain.cluster import CLUSTERS
from tui.domain.drafts.grouping import grouped
from tui.domain.edits import EDITS, kind_of, offered
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.fleet import bulk as core
from tui.ui.drafting import editing
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.dialogs import Choice
from tui.ui.screens.form import FormScreen

if TYPE_CHECKING:
    from tui.fleet.locating import Place
    from tui.ui.app import FleetApp

BY_PATH = "set"


async def edit(app: FleetApp, refs: Sequence[Ref]) -> None:
    """Choose an edit, fill its form once, show what it means for each object, and draft it for all."""
    drafts = editing.drafts_of(app)
    place = await _first(app, refs)
    if place is None:
        app.say(f"none of the {len(refs)} is declared exactly in a repository that is here", Tone.WARN)
        return
    content = await drafts.read(place.repo, place.target, place.file)
    document = yamledit.get_value(content.text, place.path, place.doc)
    kind = kind_of(document, place.file)
    choices = [(each.id, each.title, f"of all {len(refs)}") for each in offered(document, place.file)]
    choices.append((BY_PATH, "Set by path", "PATH=VALUE …, as in fleet draft set"))
    chosen = await app.wait_for(Choice(f"Edit {len(refs)} objects", choices, ("EDIT", "")))
    if chosen is None:
        return
    asked = await _asked(app, chosen, kind, document, content.text, place, len(refs))
    if asked is None:
        return
    title, change = asked
    draft = await editing.choose_draft(app, place.repo, place.target, title)
    if draft is editing.GIVEN_UP:
        return
    app.say(f"looking for the files of {len(refs)} objects")
    found = await core.work_out(drafts, app.fleet.locate, refs, change, draft, lambda ref: _cluster(app, ref))
    if not await app.wait_for(BulkScreen(title, found)):
        return
    done = await core.stage(drafts, found, title, draft)
    await _commit(app, done.id, done.name, found)


async def _asked(
    app: FleetApp, chosen: str, kind: str, document: Any, text: str, place: Place, count: int
) -> tuple[str, core.Edit] | None:
    """(title of the draft, the edit) that the user describes; None when the user turned back."""
    if chosen == BY_PATH:
        line = await app.ask_line("set: ", "spec.source.targetRevision=" if kind == "Application" else "")
        if not line:
            return None
        try:
            pairs = [yamledit.split_assignment(word) for word in line.split()]
            set_to = [(path, yamledit.get_value(word)) for path, word in pairs]
            return f"Set {', '.join(path for path, _ in pairs)} of {count}", core.assignments(set_to, kind)
        except yamledit.Refused as error:
            app.say(str(error), Tone.WARN)
            return None
    form = EDITS[chosen]

    def check(values: Mapping[str, str]) -> str:
        try:
            form.apply(text, place.doc, kind, values)
        except yamledit.Refused as error:
            return str(error)
        return ""

    where = f"{count} objects, filled with what {place.file} has"
    values = await app.wait_for(FormScreen(form.title, where, lambda now: form.fields(kind, document, now), check))
    return (f"{form.title} of {count}", core.form(chosen, values)) if values is not None else None


async def _commit(app: FleetApp, draft: str, name: str, found: core.Bulk) -> None:
    """Show the diff, to be committed at once; or make a commit for each cluster, group or Application."""
    groups = groups_of(app)
    operations = [operation for part in found.parts for operation in part.operations]
    paths = [path for part in found.parts for path in part.changed]
    choices = [("", "show the diff", "c there makes one commit")]
    for by in ("group", "cluster", "application"):
        heads = [heading for heading, _ in grouped(paths, operations, by, groups)]
        if len(heads) > 1:
            choices.append((by, f"one commit per {by}", ", ".join(head or "the rest" for head in heads[:4])))
    chosen: str | None = ""
    if len(choices) > 1:
        chosen = await app.wait_for(Choice(f"Commit {name}", choices, ("HOW", "")))
    if chosen is None:
        app.say(f"{name}: not committed yet")
    elif chosen:
        done = await editing.drafts_of(app).commit_by_group(draft, chosen, groups)
        app.say(f"{name}: {len(done)} commits; P in Drafts pushes them", Tone.GOOD)
        await app.show_drafts(name)
    else:
        await editing.review(app, name, by="cluster")


def groups_of(app: FleetApp) -> dict[str, str]:
    """The group of each cluster, as the tree shows it."""
    return {row.ref.name: "/".join(row.obj.groups) or row.ref.name for row in app.fleet.store.rows(CLUSTERS)}


async def _first(app: FleetApp, refs: Sequence[Ref]) -> Place | None:
    """A place to fill the form from: the first object that is declared exactly."""
    for ref in refs:
        for place in (await app.fleet.locate(ref)).places:
            if place.confidence == "exact":
                return place
    return None


def _cluster(app: FleetApp, ref: Ref) -> str:
    """The cluster that an object is for: of an Application the one it deploys to."""
    row = app.fleet.store.get(ref)
    if row is None or ref.resource != APPLICATIONS:
        return ref.cluster
    return app.fleet.facts.destination(row).rstrip("?")
