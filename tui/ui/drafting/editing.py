"""From a key press to a commit: where an object is declared, the editor on it, the diff. `sending` goes on.

Each function runs as a worker of the app, so that it may wait for the user and for Git.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.domain import giturl, yamledit
from tui.domain.argo import application
from tui.domain.drafts.model import Draft, Operation
from tui.domain.drafts.told import operations
from tui.domain.edits import EDITS, kind_of, offered
from tui.domain.kinds.fleet import DRAFTS_RESOURCE
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.domain.ports import Found, Missing
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.dialogs import Choice, Confirm
from tui.ui.screens.editor import EditorScreen, Opened
from tui.ui.screens.form import FormScreen

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts
    from tui.fleet.locating import Place
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp

NEW = "new"
NEW_POLICY = "new policy"
RUN_PODS = frozenset(
    {"pods", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps", "jobs.batch",
     "cronjobs.batch", "rollouts.argoproj.io"}
)  # fmt: skip
"""Resources that a network policy can be made for."""


async def edit(app: FleetApp, ref: Ref) -> None:
    """Open the source of an object, asking where there is something to choose."""
    if ref.resource == DRAFTS_RESOURCE:
        await edit_draft(app, ref.name)
        return
    found = await locate(app, ref)
    if found is None:
        return
    draft = await choose_draft(app, found.repo, found.target, f"Edit {ref.name}")
    if draft is not GIVEN_UP:
        await open_place(app, found, draft, ref)


async def edit_place(app: FleetApp, place: Place) -> None:
    """Open a file that was found, in a draft that is chosen."""
    draft = await choose_draft(app, place.repo, place.target, f"Edit {place.file}")
    if draft is not GIVEN_UP:
        await open_place(app, place, draft)


async def locate(app: FleetApp, ref: Ref) -> Place | None:
    """The place to edit, chosen by the user when several are possible; None when there is none or nobody chose."""
    located = await app.fleet.locate(ref)
    if not located.places and located.to_clone and await fetch(app, located.to_clone):
        located = await app.fleet.locate(ref)
    if not located.places and ref.resource == APPLICATIONS:
        files = await app.fleet.files(ref)
        if not files.places and files.to_clone and await fetch(app, files.to_clone):
            files = await app.fleet.files(ref)
        if files.places:
            app.say(f"{ref.name} itself: {located.reason or 'no file declares it'}; these are its files")
            located = files
    if not located.places:
        await _not_from_git(app, ref, located.reason or "its source is not known", located.declarable)
        return None
    exact = [place for place in located.places if place.confidence == "exact"]
    if len(exact) == 1 or len(located.places) == 1:
        return (exact or located.places)[0]
    choices = [
        (str(number), place.file, " · ".join(part for part in (_sure(place), place.note, place.application) if part))
        for number, place in enumerate(located.places)
    ]
    chosen = await app.wait_for(Choice(f"Where {ref.name} comes from", choices, ("FILE", "WHAT IS KNOWN")))
    return None if chosen is None else located.places[int(chosen)]


def _sure(place: Place) -> str:
    return {"exact": "declares it", "likely": "shapes it", "file": "may hold it"}.get(place.confidence, "")


async def fetch(app: FleetApp, urls: tuple[str, ...]) -> bool:
    """Ask, and fetch repositories that are not here into fleet's own folder; True when one has been fetched."""
    done = False
    for url in urls:
        shown = giturl.shown(url)
        facts = ("No clone of it was found here or in the configuration.", "fleet would keep one of its own.")
        if await app.wait_for(Confirm(f"Fetch {shown}?", facts, yes="fetch")):
            app.say(f"fetching {shown}")
            await drafts_of(app).repository(url, clone=True)
            done = True
    return done


async def _not_from_git(app: FleetApp, ref: Ref, reason: str, declarable: bool) -> None:
    """Say that an object is not from Git, and where one could declare it offer to draft it as a new file."""
    known = used_first(app.fleet, ref.cluster, await drafts_of(app).here()) if declarable else []
    if not known:
        app.say(f"{ref.name}: {reason}", Tone.WARN)
        return
    question = f"Draft {ref.name} as a new file?"
    if not await app.wait_for(Confirm(question, (reason[:1].upper() + reason[1:] + ".",), yes="new file")):
        return
    from tui.ui.drafting import making

    await making.make_like(app, ref)


def used_first(fleet: Fleet, cluster: str, known: Sequence[Found]) -> list[Found]:
    """Repositories by who uses them: Applications that deploy to the cluster, other Applications, nobody."""
    here: set[str] = set()
    anywhere: set[str] = set()
    for row in fleet.store.rows(APPLICATIONS):
        urls = [source.repo_url for source in application.sources(row.obj)]
        anywhere.update(urls)
        if fleet.facts.destination(row).removesuffix("?") == cluster:
            here.update(urls)

    def rank(found: Found) -> int:
        return next((at for at, urls in enumerate((here, anywhere)) if any(giturl.same(found.url, u) for u in urls)), 2)

    return sorted(known, key=rank)


GIVEN_UP = Draft("", "", "", "", "", "", "", "")
"""What `choose_draft` gives when the user turned back."""


async def choose_draft(app: FleetApp, repo: str, target: str, title: str) -> Draft | None:
    """The draft to edit in; None for a new one, made when first saved; GIVEN_UP when the user turned back.

    A draft of other repositories is offered too: when chosen it gets a part in this one.
    """
    drafts, key = drafts_of(app), giturl.shown(repo)
    here: dict[str, Draft] = {}
    choices: list[tuple[str, str, str]] = []
    elsewhere: list[tuple[str, str, str]] = []
    for listed in reversed(await drafts.list()):
        if listed.standing.state not in ("local", "unknown"):
            continue
        first = listed.draft
        mine = [part.draft for part in listed.whole if giturl.shown(part.draft.repo) == key]
        if mine and target in ("", mine[0].target):
            here[first.id] = mine[0]
            choices.append((first.id, first.name, first.title))
        elif not mine:
            places = ", ".join(giturl.shown(part.draft.repo) for part in listed.whole)
            elsewhere.append((first.id, first.name, f"{first.title} · also in {places}"))
    if not choices and not elsewhere:
        return None
    every = [(NEW, "a new draft", title), *choices, *elsewhere]
    chosen = await app.wait_for(Choice("Into which draft", every, ("DRAFT", "TITLE")))
    if chosen is None:
        return GIVEN_UP
    if chosen in here or chosen == NEW:
        return here.get(chosen)
    return await drafts.extend(chosen, repo, target)


async def open_place(app: FleetApp, place: Place, draft: Draft | None, ref: Ref | None = None) -> None:
    """The editor on a place, with text that was typed and not saved offered first."""
    drafts = drafts_of(app)
    if draft is not None:
        content = await drafts.open(draft, place.file)
    else:
        content = await drafts.read(place.repo, place.target, place.file)
    name = ref.name if ref else place.file.rpartition("/")[2]
    opened = Opened(
        repo=place.repo,
        target=place.target,
        path=place.file,
        text=content.text,
        over=content.oid,
        base="" if draft else content.commit,
        draft=draft,
        title=f"Edit {name}",
        line=place.line,
        note=place.note,
        operation=Operation(
            place.file, application=place.application, cluster=place.cluster, object=named(ref) if ref else ""
        ),
    )
    await open_editor(app, opened)


async def open_editor(app: FleetApp, opened: Opened) -> None:
    """The editor, with text that was typed and not saved offered first."""
    drafts = drafts_of(app)
    name = opened.draft.name if opened.draft else ""
    typed = ""
    for kept in await drafts.recovered():
        if kept.path == opened.path and kept.draft == name and kept.text != opened.text:
            typed = kept.text
    if typed:
        facts = (
            opened.path,
            "fleet ended before it was saved, or you closed the editor without saving.",
            "Else :recover lists it.",
        )
        if await app.wait_for(Confirm("Go on with the text typed last time?", facts, yes="go on")):
            app.push_screen(EditorScreen(opened, typed))
            return
        await drafts.discard_autosave(opened.draft, opened.path, opened.over, given_up=True)
    app.push_screen(EditorScreen(opened))


async def form(app: FleetApp, ref: Ref) -> None:
    """Choose one of the edits people make most, fill its form, and show what it changes."""
    from tui.ui.drafting import renaming

    place = await locate(app, ref)
    if place is None:
        return
    draft = await choose_draft(app, place.repo, place.target, f"Edit {ref.name}")
    if draft is GIVEN_UP:
        return
    drafts = drafts_of(app)
    content = await (drafts.open(draft, place.file) if draft else drafts.read(place.repo, place.target, place.file))
    document = yamledit.Session(content.text, place.doc).value()
    choices = [(edit.id, edit.title, place.file) for edit in offered(document, place.file)] + renaming.choices(place)
    if ref.resource in RUN_PODS:
        choices.append((NEW_POLICY, "Network policy for it", "a new file beside it"))
    chosen = await app.wait_for(Choice(f"Edit {ref.name}", choices, ("EDIT", "IN")))
    if chosen is None:
        return
    if chosen == NEW_POLICY:
        from tui.ui.drafting import ruling

        await ruling.new(app, ref, place, draft)
        return
    if chosen not in EDITS:
        await renaming.rename(app, ref, place, draft, chosen)
        return
    if chosen == "policy":
        from tui.ui.drafting import ruling

        await ruling.rules(app, ref, place, draft, content)
        return
    chosen_edit, kind = EDITS[chosen], kind_of(document, place.file)

    def check(values: Mapping[str, str]) -> str:
        try:
            return "" if chosen_edit.apply(content.text, place.doc, kind, values).changed else "nothing would change"
        except yamledit.Refused as error:
            return str(error)

    values = await app.wait_for(
        FormScreen(chosen_edit.title, place.file, lambda chosen: chosen_edit.fields(kind, document, chosen), check)
    )
    if values is None:
        return
    text = chosen_edit.apply(content.text, place.doc, kind, values).text
    if draft is None:
        draft = await drafts.new(f"{chosen_edit.title} of {ref.name}", place.repo, place.target, base=content.commit)
    about = Operation(place.file, application=place.application, cluster=place.cluster, object=named(ref))
    staged = await drafts.edit(draft, place.file, text, operations(about, content.text, text), content.oid)
    await review(app, staged.name)


async def review(app: FleetApp, name: str, by: str = "") -> bool:
    """Show what is staged and not committed, `by` cluster say; True when it has been committed."""
    from tui.ui.screens.diff import DiffScreen

    committed = bool(await app.wait_for(DiffScreen(name, open_only=True, by=by)))
    if committed:
        await app.show_drafts(name)
    return committed


async def edit_draft(app: FleetApp, name: str) -> None:
    """Go on editing a draft: its only file, or the one that is chosen."""
    drafts = drafts_of(app)
    listed = await drafts.show(name)
    paths = list(dict.fromkeys([*(file.path for file in listed.files if file.status != "D"), *listed.draft.unsaved]))
    if not paths:
        app.say(f"{name} has no files yet: press e on what it shall change")
        return
    path: str | None = paths[0]
    if len(paths) > 1:
        path = await app.wait_for(Choice("Which file", [(p, p, "") for p in paths], ("FILE", "")))
    if path is None:
        return
    try:
        content = await drafts.open(listed.draft, path)
        text, over = content.text, content.oid
    except Missing:
        text, over = "", ""
    draft = listed.draft
    operation = next((op for op in reversed(draft.ops) if op.file == path), Operation(path))
    await open_editor(
        app, Opened(draft.repo, draft.target, path, text, over, draft, title=draft.title, operation=operation)
    )


async def drop(app: FleetApp, name: str) -> None:
    """Put a draft into the trash after asking."""
    listed = await drafts_of(app).show(name)
    facts = (listed.draft.title, f"{len(listed.commits)} commits, {len(listed.files)} files", "It can be brought back.")
    if await app.wait_for(Confirm(f"Drop {name}?", facts, yes="drop")):
        await drafts_of(app).drop(listed.draft)
        app.say(f"{name} is in the trash; t in Drafts lists it")


async def undo(app: FleetApp, name: str, again: bool = False) -> None:
    """Take back the last thing done to a draft, or do it again."""
    drafts = drafts_of(app)
    draft = await (drafts.redo(name) if again else drafts.undo(name))
    app.say(f"{draft.name}: {'done again' if again else 'taken back'}")


async def offer_recovered(app: FleetApp) -> None:
    """At the start: say that text was typed and not saved, and where it is."""
    if app.fleet.drafts is None:
        return
    found = await app.fleet.drafts.recovered()
    if found:
        newest = found[-1]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        where = f"draft {newest.draft}" if newest.draft else newest.path
        app.say(f"unsaved text of {where}{more} was kept: edit it again to go on", Tone.WARN)


def named(ref: Ref) -> str:
    """An object as trailers of a commit name it."""
    return f"{ref.resource} {ref.namespace}/{ref.name}" if ref.namespace else f"{ref.resource} {ref.name}"


def drafts_of(app: FleetApp) -> Drafts:
    if app.fleet.drafts is None:
        raise Missing("there is no Git here to draft in")
    return app.fleet.drafts
