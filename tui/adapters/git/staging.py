"""What the next commit takes: edits picked by file or by line, put back, and taken back for good.

A draft's `index` is a commit on its tip that holds what was picked; without one a commit takes all edits. Everything
here is one state of the draft, so undo brings back what was picked and what was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tui.adapters.git.command import Refused
from tui.adapters.git.drafts import DraftRefs, as_shown
from tui.adapters.git.objects import FILE, FOLDER, MODULE, Entry, Pack
from tui.domain.drafts import model
from tui.domain.drafts.model import Draft, Operation


def pick(
    refs: DraftRefs,
    draft_id: str,
    files: Mapping[str, bytes | None],
    *,
    whole: Iterable[str] = (),
    back: Iterable[str] = (),
    shown: Draft | None = None,
) -> Draft:
    """Pick for the next commit: `files` with these contents (None: removed), `whole` with all edits, `back` with none.

    `back` alone, when nothing was picked, picks everything else. With no edit picked at all a commit takes all of them
    again. Raises Refused for a file without an edit, Moved when the draft is not as `shown` any more.
    """
    whole, back = tuple(whole), tuple(back)

    def step(draft: Draft, pack: Pack) -> Draft:
        as_shown(draft, shown)
        tip, head = (refs.objects.root(commit) for commit in (draft.tip, draft.head))
        _refuse_unedited(refs, draft, (*files, *whole, *back))
        leave_out = not draft.index and not files and not whole
        start = refs.objects.root(draft.index or (draft.head if leave_out else draft.tip))
        tree = composed(refs, pack, start, files, head)
        tree = _taken(refs, pack, tree, whole, head)
        tree = _taken(refs, pack, tree, back, tip)
        if tree == tip:
            if leave_out:
                raise Refused("these are all the edits there are; a commit would have nothing to take")
            index = ""
        else:
            index = draft.head if tree == head else refs.uncommitted(pack, tree, draft.tip)
        if index == draft.index or (index and draft.index and tree == start):
            return draft
        now = refs.now()
        return msgspec.structs.replace(
            draft, index=index, action="pick", at=now, done_at=now, undo=draft.state, redo=""
        )

    return refs.apply(draft_id, step)


def discard(
    refs: DraftRefs,
    draft_id: str,
    files: Mapping[str, bytes | None],
    *,
    whole: Iterable[str] = (),
    shown: Draft | None = None,
) -> Draft:
    """Take back edits that are not committed: `files` get these contents, `whole` those that they have in the tip.

    What was picked of other files, and of `files`, stays picked. Raises as `pick`.
    """
    whole = tuple(whole)

    def step(draft: Draft, pack: Pack) -> Draft:
        as_shown(draft, shown)
        tip, head = (refs.objects.root(commit) for commit in (draft.tip, draft.head))
        _refuse_unedited(refs, draft, (*files, *whole))
        tree = _taken(refs, pack, composed(refs, pack, head, files, head), whole, tip)
        if tree == head:
            return draft
        new_head = draft.tip if tree == tip else refs.uncommitted(pack, tree, draft.tip)
        index = draft.index
        if index and whole:
            left = _taken(refs, pack, refs.objects.root(index), whole, tip)
            index = "" if left == tip else new_head if left == tree else refs.uncommitted(pack, left, draft.tip)
        partly = {}
        for path, data in files.items():
            was, becomes = refs.objects.entry(head, path), pack.add("blob", data) if data is not None else ""
            partly[path] = (was.oid if was else "", becomes)
        gone = {path for path in partly if _is(refs, tip, path, partly[path][1])} | set(whole)
        first = len(draft.ops) - draft.open_ops
        waiting = [operation for operation in draft.ops[first:] if operation.file not in gone]
        kept = msgspec.structs.replace(draft, ops=(*draft.ops[:first], *waiting), open_ops=len(waiting))
        now = refs.now()
        done = [
            Operation(path, before=before, after=after, at=now)
            for path, (before, after) in partly.items()
            if path not in gone
        ]
        edited = model.edited(kept, new_head, done, now)
        return msgspec.structs.replace(
            edited, index=index if new_head != draft.tip else "", action="discard", unsaved=draft.unsaved
        )

    return refs.apply(draft_id, step)


def composed(refs: DraftRefs, pack: Pack, root: str, files: Mapping[str, bytes | None], modes: str) -> str:
    """The tree `root` with these contents; a file has the mode that it has below `modes`, else below `root`."""
    changes: dict[str, Entry | None] = {}
    for path, data in files.items():
        held = refs.objects.entry(modes, path) or refs.objects.entry(root, path)
        if held is not None and held.mode in (FOLDER, MODULE):
            raise Refused(f"{path} is {'a folder' if held.mode == FOLDER else 'a submodule'}, not a file")
        changes[path] = None if data is None else Entry(held.mode if held else FILE, pack.add("blob", data))
    return _replaced(pack, root, changes)


def _taken(refs: DraftRefs, pack: Pack, root: str, paths: Iterable[str], source: str) -> str:
    """The tree `root`, which may not be stored yet, with some paths as they are in another one."""
    return _replaced(pack, root, {path: refs.objects.entry(source, path) for path in paths})


def _replaced(pack: Pack, root: str, changes: Mapping[str, Entry | None]) -> str:
    return (pack.replace(root, changes) or pack.folder({})) if changes else root


def _refuse_unedited(refs: DraftRefs, draft: Draft, paths: Iterable[str]) -> None:
    roots = [refs.objects.root(commit) for commit in dict.fromkeys((draft.tip, draft.head, draft.index)) if commit]
    for path in paths:
        if len({refs.objects.entry(root, path) for root in roots}) == 1:
            raise Refused(f"{path} has no edit that is not committed")


def _is(refs: DraftRefs, root: str, path: str, oid: str) -> bool:
    held = refs.objects.entry(root, path)
    return (held.oid if held else "") == oid
