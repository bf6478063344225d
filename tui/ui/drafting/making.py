"""A new object, drafted as a file: from a template, or like one that is there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.domain import giturl, yamledit
from tui.domain import source as sources
from tui.domain.drafts.model import Operation
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.domain.objects.new import Wanted, file_name, from_live, from_template, template_names, to_yaml
from tui.domain.ports import Refused
from tui.ui.drafting import editing
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.dialogs import Choice
from tui.ui.screens.editor import Opened

if TYPE_CHECKING:
    from tui.ui.app import FleetApp

LIVE = "live"


async def make(app: FleetApp, ref: Ref | None) -> None:
    """Ask what the new object is made from and where it is to be, draft its file, and go on in the editor."""
    own: Mapping[str, str] = {}
    try:
        own = await asyncio.to_thread(editing.drafts_of(app).templates)
    except ValueError as error:  # the folder that is configured cannot be read
        app.say(str(error), Tone.WARN)
    like = [(LIVE, f"like {ref.name}", "the live object, without what its cluster wrote into it")] if ref else []
    choices = [*like, *((name, name, "yours" if name in own else "") for name in template_names(own))]
    chosen = await app.wait_for(Choice("A new object", choices, ("FROM", "")))
    if chosen is None:
        return
    if chosen == LIVE:
        assert ref is not None
        await make_like(app, ref)
        return
    name = await app.ask_line("its name: ", "")
    if not name:
        return
    namespace = ref.namespace if ref is not None and ref.resource != APPLICATIONS else ""
    where = await where_of(app, ref)
    if where is None:
        return
    try:
        text = from_template(chosen, Wanted(name, namespace), own)
    except yamledit.Refused as error:
        raise Refused(str(error)) from error
    await _draft(app, ref, where, text, file_name(chosen, name), name)


async def make_like(app: FleetApp, ref: Ref) -> None:
    """Draft a file that declares what a live object is."""
    row = app.fleet.store.get(ref)
    manifest = (await app.fleet.manifest(ref)).object
    try:
        text = to_yaml(from_live(manifest, app.fleet.facts.application(row) if row is not None else ""))
    except yamledit.Refused as error:
        raise Refused(str(error)) from error
    where = await where_of(app, ref)
    if where is not None:
        await _draft(app, ref, where, text, file_name(str(manifest.get("kind", "")), ref.name), ref.name)


class Where:
    """Where a new file goes: repository, branch ("" is the default), folder, and the Application it is for."""

    def __init__(self, repo: str, target: str, folder: str, source: str | None = None, application: str = "") -> None:
        self.repo = repo
        self.target = target
        self.folder = folder
        self.source = source  # path of the Application's source; None when it is for none
        self.application = application


async def where_of(app: FleetApp, ref: Ref | None) -> Where | None:
    """The source of the Application of an object; without one, a repository that the user chooses."""
    row = app.fleet.store.get(ref) if ref is not None else None
    owner = row
    if ref is not None and row is not None and ref.resource != APPLICATIONS:
        found = app.fleet.facts.application_ref(row)
        owner = app.fleet.store.get(found) if found is not None else None
    drafts = editing.drafts_of(app)
    if owner is not None and owner.ref.resource == APPLICATIONS:
        for plan in sources.plans(owner.manifest()):
            if plan.chart or not plan.repo_url:
                continue
            found_here = await drafts.find_repository(plan.repo_url)
            if not (found_here.ready or found_here.checkout) and not await editing.fetch(app, (plan.repo_url,)):
                return None
            repository = await drafts.repository(plan.repo_url)
            target = plan.revision if plan.revision in await repository.branches() else ""
            return Where(plan.repo_url, target, plan.path, plan.path, owner.ref.name)
    cluster = ref.cluster if ref is not None else ""
    known = editing.used_first(app.fleet, cluster, await drafts.here())
    if not known:
        raise Refused("no clone is known to put it into: start fleet in one, or name one with --repo")
    choices = [(each.url, giturl.shown(each.url), each.checkout) for each in known]
    url: str | None = choices[0][0]
    if len(choices) > 1:
        url = await app.wait_for(Choice("Into which repository", choices, ("REMOTE", "CLONE")))
    folder = (ref.namespace or ref.cluster) if ref is not None else ""
    return Where(url, "", folder) if url is not None else None


async def _draft(app: FleetApp, ref: Ref | None, where: Where, text: str, file: str, name: str) -> None:
    """Ask for the path, draft the file with its entry in the kustomization, and open it in the editor."""
    path = await app.ask_line("new file: ", f"{where.folder}/{file}".lstrip("/"))
    if not path:
        return
    title = f"Add {name}"
    draft = await editing.choose_draft(app, where.repo, where.target, title)
    if draft is editing.GIVEN_UP:
        return
    drafts = editing.drafts_of(app)
    cluster = ""
    if ref is not None:
        row = app.fleet.store.get(ref)
        application = row is not None and ref.resource == APPLICATIONS
        cluster = app.fleet.facts.destination(row).rstrip("?") if row is not None and application else ref.cluster
    about = Operation(path, application=where.application, cluster=cluster)
    plan = await drafts.plan_create(
        where.repo, path, text, about, target=where.target, draft=draft, source=where.source
    )
    for note in plan.work.notes:
        app.say(note)
    done = await drafts.carry_out(plan, draft, title)
    made = plan.work.operations[0].file
    content = await drafts.open(done, made)
    told = plan.work.operations[0]
    opened = Opened(done.repo, done.target, made, content.text, content.oid, done, title=title, operation=told)
    await editing.open_editor(app, opened)
