"""Paths of a draft brought back to what they were at another commit: the tree's own entries, so that modes, symbolic
links and binary files come back exactly."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tui.adapters.git.command import Refused
from tui.adapters.git.drafts import DraftRefs
from tui.adapters.git.history import changed, commit
from tui.adapters.git.objects import FOLDER, Entry, Pack
from tui.adapters.git.replay import Carried
from tui.domain.drafts import model
from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Draft, Operation


def bring_back(refs: DraftRefs, draft_id: str, revision: str, paths: Sequence[str], about: Operation) -> Draft:
    """The draft with what lies at `paths` ("" is everything) as it was at the commit `revision`; nothing there then is
    removed. The same draft when nothing differs."""
    objects = refs.objects

    def step(draft: Draft, pack: Pack) -> Draft:
        then = objects.root(revision)
        root = objects.root(draft.head)
        tree = then if "" in paths else pack.replace(root, {path: objects.entry(then, path) for path in paths})
        return staged(refs, draft, pack, tree or pack.folder({}), about)

    return refs.rebased(draft_id, step)


def take_back(
    refs: DraftRefs, draft_id: str, revision: str, paths: Sequence[str], about: Operation
) -> tuple[Draft, list[Clash]]:
    """The draft without what one commit did below `paths` ("" is everything); with clashes it is as it was."""
    objects = refs.objects
    clashes: list[Clash] = []

    def step(draft: Draft, pack: Pack) -> Draft:
        done = commit(objects, revision)
        if len(done.parents) != 1:
            kind = "a merge" if done.parents else "the first of its history"
            raise Refused(f"{revision[:10]} is {kind}: say which revision to go back to instead")
        before = objects.root(done.parents[0])
        part = done.tree
        if "" not in paths:
            part = pack.replace(before, {path: objects.entry(done.tree, path) for path in paths})
            pack.store()  # what is compared is read from the repository
        carried = Carried(refs.repository, draft.head, pack)
        clashes[:] = carried.take(part or pack.folder({}), before)
        return draft if clashes else staged(refs, draft, pack, carried.tree(), about)

    return refs.rebased(draft_id, step), clashes


def staged(refs: DraftRefs, draft: Draft, pack: Pack, tree: str, about: Operation) -> Draft:
    """The draft with another tree of edits not committed, each file it changes an operation like `about`."""
    objects = refs.objects
    root = objects.root(draft.head)
    if tree == root:
        return draft
    pack.store()
    now = refs.now()
    operations = [
        replace(about, file=path.decode("utf-8", "surrogateescape"), before=_oid(was), after=_oid(becomes), at=now)
        for path, was, becomes in changed(objects, root, tree)
    ]
    head = draft.tip
    if tree != objects.root(draft.tip):
        head = pack.commit(tree, [draft.tip], refs._stamp(), refs._stamp(), "edits not committed yet")
    return model.edited(draft, head, operations, now)


def _oid(entry: Entry | None) -> str:
    return entry.oid if entry is not None and entry.mode != FOLDER else ""
