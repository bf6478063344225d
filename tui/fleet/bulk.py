"""One edit of many objects: each found where it is declared, every file edited once, all of it one draft."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tui.domain import yamledit
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.drafts.model import Content, Draft, Operation
from tui.domain.drafts.told import operations
from tui.domain.edits import EDITS, kind_of
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref
from tui.domain.ports import Refused, Trouble
from tui.domain.yamledit import Edited
from tui.fleet.drafts import Drafts
from tui.fleet.locating import Located, Place

CHANGE, SAME, CANNOT = "will change", "already so", "cannot"

Edit = Callable[[str, int, str, str], Edited]
"""text, document, path of the object in it ("" or the item of a List), its kind -> the edited text; raises Refused."""

Locate = Callable[[Ref], Awaitable[Located]]


class Found(msgspec.Struct, frozen=True):
    """What an edit means for one object: `state` is CHANGE, SAME or CANNOT, `why` says so in words."""

    ref: Ref
    state: str
    why: str = ""
    place: Place | None = None


class Part(msgspec.Struct):
    """What is to be edited in one repository."""

    repo: str
    target: str
    contents: dict[str, Content]  # as they were read
    texts: dict[str, str]  # as they are to be
    operations: list[Operation]

    @property
    def changed(self) -> dict[str, str]:
        """The files whose text differs."""
        return {path: text for path, text in self.texts.items() if text != self.contents[path].text}


class Bulk(msgspec.Struct, frozen=True):
    """An edit of many objects, worked out and not done: see `stage`."""

    found: tuple[Found, ...]
    parts: tuple[Part, ...]

    def count(self, state: str) -> int:
        """How many objects are in a state."""
        return sum(one.state == state for one in self.found)


def assignments(pairs: Sequence[tuple[str, Any]], kind: str = "") -> Edit:
    """Set values by path in objects of a kind ("" is any). Raises Refused for paths that cannot be read."""
    steps = [(yamledit.parse(path), value) for path, value in pairs]

    def edit(text: str, doc: int, inside: str, found: str) -> Edited:
        if kind and found != kind:
            raise yamledit.Refused(f"it is declared by a {found or 'file without a kind'}, where the paths are others")
        after = text
        for path, value in steps:
            after = yamledit.set_value(after, (*yamledit.parse(inside), *path), value, doc).text
        return Edited.between(text, after)

    return edit


def form(name: str, values: Mapping[str, str]) -> Edit:
    """One of the edits people make most, by its id, with the values of its form."""

    def edit(text: str, doc: int, inside: str, found: str) -> Edited:
        if inside:
            raise yamledit.Refused("it is an item of a List, for which there is no form")
        return EDITS[name].apply(text, doc, found, values)

    return edit


async def work_out(
    drafts: Drafts, locate: Locate, refs: Iterable[Ref], edit: Edit, draft: Draft | str | None = None,
    cluster_of: Callable[[Ref], str] = lambda ref: ref.cluster,
) -> Bulk:  # fmt: skip
    """Find each object and edit its text, on top of what a draft has when one is given. Nothing is changed.

    `cluster_of` says which cluster an object is for: of an Application the one it deploys to.

    What several objects share is edited once. A repository can only be edited on one of its branches at a time: of
    several, the one most objects come from; the others are left out, and say so.
    """
    placed: list[tuple[Ref, Place | str]] = [(ref, _place(await locate(ref))) for ref in dict.fromkeys(refs)]
    targets = _targets([place for _, place in placed if isinstance(place, Place)])
    held = {part.repo: part for _, part in await drafts.parts(draft)} if draft is not None else {}
    targets |= {repo: part.target for repo, part in held.items()}
    parts: dict[str, Part] = {}
    done: dict[tuple[str, str, int, str], tuple[str, str]] = {}
    found: list[Found] = []
    for ref, place in placed:
        if isinstance(place, str):
            found.append(Found(ref, CANNOT, place))
            continue
        if place.target != targets[place.repo]:
            why = f"it follows the branch {place.target}, the draft is for {targets[place.repo]}"
            found.append(Found(ref, CANNOT, why, place))
            continue
        part = parts.setdefault(place.repo, Part(place.repo, place.target, {}, {}, []))
        about = _about(ref, place, cluster_of(ref))
        found.append(await _edit(drafts, part, held.get(place.repo), ref, place, edit, about, done))
    return Bulk(tuple(found), tuple(part for part in parts.values() if part.changed))


async def stage(drafts: Drafts, bulk: Bulk, title: str, draft: Draft | str | None = None) -> Draft:
    """Do what was worked out: in a draft, or in a new one; one step of undo in each repository.

    Raises Refused when nothing would change, Moved when a file has changed since.
    """
    if not bulk.parts:
        raise Refused("nothing would change")
    for part in bulk.parts:
        base = next(iter(part.contents.values())).commit
        if draft is None:
            here = await drafts.new(title, part.repo, part.target, base=base)
        else:
            here = await drafts.extend(draft, part.repo, part.target)
        files = {path: text.encode("utf-8") for path, text in part.changed.items()}
        over = {path: part.contents[path].oid for path in files}
        made = await drafts.edit_files(here, files, part.operations, over, repo=part.repo)
        draft = draft or made
    return (await drafts.show(draft.id if isinstance(draft, Draft) else draft or "")).draft


def _place(located: Located) -> Place | str:
    """The one place that declares an object, or why there is none."""
    exact = [place for place in located.places if place.confidence == "exact"]
    if len(exact) == 1:
        return exact[0]
    if located.to_clone:
        return f"its repository is not here: {', '.join(located.to_clone)}"
    if exact:
        return f"declared in {len(exact)} places: {', '.join(place.file for place in exact[:3])}"
    if located.places:
        return f"nothing declares it exactly; {located.places[0].file} shapes it"
    return located.reason or "its source is not known"


def _targets(places: Sequence[Place]) -> dict[str, str]:
    """The branch of each repository that most places are on."""
    counts: dict[str, dict[str, int]] = {}
    for place in places:
        held = counts.setdefault(place.repo, {})
        held[place.target] = held.get(place.target, 0) + 1
    return {repo: max(held, key=lambda target: held[target]) for repo, held in counts.items()}


async def _edit(
    drafts: Drafts, part: Part, held: Draft | None, ref: Ref, place: Place, edit: Edit, about: Operation,
    done: dict[tuple[str, str, int, str], tuple[str, str]],
) -> Found:  # fmt: skip
    """Edit the text of one object within the part of its repository."""
    try:
        if place.file not in part.texts:
            reading = drafts.open(held, place.file) if held else drafts.read(place.repo, place.target, place.file)
            part.contents[place.file] = content = await reading
            part.texts[place.file] = content.text
    except Trouble as error:
        return Found(ref, CANNOT, str(error), place)
    doc = place.doc or 0
    key = (place.repo, place.file, doc, place.path)
    before = part.texts[place.file]
    if key in done:
        state, other = done[key]
        if state == CHANGE:
            part.operations.append(replace(about, op="set", doc=str(doc)))
        return Found(ref, state, f"together with {other}", place)
    try:
        edited, told = await asyncio.to_thread(_edited, before, doc, place, edit, about)
    except yamledit.Refused as error:
        return Found(ref, CANNOT, str(error.at(place.file)), place)
    state = CHANGE if edited.changed else SAME
    done[key] = (state, ref.name)
    if edited.changed:
        part.texts[place.file] = edited.text
        part.operations += told
    return Found(ref, state, place.note, place)


def _edited(text: str, doc: int, place: Place, edit: Edit, about: Operation) -> tuple[Edited, list[Operation]]:
    value = yamledit.get_value(text, place.path, doc)
    edited = edit(text, doc, place.path, kind_of(value, place.file))
    return edited, operations(about, text, edited.text) if edited.changed else []


def _about(ref: Ref, place: Place, cluster: str) -> Operation:
    """Who an edit is about: an Application that is edited itself, else the one that declares the object."""
    kind = KINDS[ref.resource].kind if ref.resource in KINDS else ref.resource
    object_ = f"{kind} {ref.namespace}/{ref.name}" if ref.namespace else f"{kind} {ref.name}"
    application = ref.name if ref.resource == APPLICATIONS else place.application
    return Operation(place.file, application=application, cluster=cluster, object=object_)
