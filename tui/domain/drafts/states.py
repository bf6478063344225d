"""The states of a draft in words: every action leaves one, and each can be gone back to."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui.domain.drafts.model import Draft, Operation, as_in, one_line

KEPT_DAYS = 90  # promised at least; fleet itself never deletes a state or a dropped draft
_NAMED = 3  # files or values that one line names

_WORDS = {
    "rebase": "rebase onto {base}",
    "undo": "undo",
    "redo": "redo",
    "drop": "drop the draft",
    "restore": "take the draft out of the trash",
    "pick": "pick edits for the next commit",
    "discard": "take back edits",
    "move": "change the order of commits",
    "drop commit": "leave a commit out",
    "uncommit": "make a commit open edits again",
    "split": "make two commits of one",
    "rewrite": "make the commits anew",
    "choose": "decide conflicts",
    "revive": "go back to an earlier state",
}


class StateInfo(msgspec.Struct, frozen=True):
    """One state of a draft in one repository, as a list shows it."""

    id: str  # of the state commit
    action: str  # what made it: new | edit | commit | typing | …
    words: str  # the same for people
    at: float  # seconds since the epoch
    repo: str = ""  # URL of the remote
    tip: str = ""  # the newest commit in it
    head: str = ""  # the commit that holds all edits in it
    files: tuple[str, ...] = ()  # with edits that are not committed in it
    unsaved: tuple[str, ...] = ()  # with text typed and not saved in it
    dirty: bool = False


def describe(state: Draft, before: Draft | None, subject: str = "") -> str:
    """What made a state, in words; `before` is the state before it, `subject` that of its newest commit."""
    if before is None or state.action == "new":
        return f"start on {state.target} at {state.base[:7]}"
    if state.action == "typing":
        changed = [path for path, text in state.unsaved.items() if before.unsaved.get(path) != text]
        if not changed:
            return "forget typed text of " + _some([path for path in before.unsaved if path not in state.unsaved])
        return f"type in {_some(changed)}"
    if state.action == "edit":
        return _edit(state, before)
    if state.action == "note":
        return _note(state, before)
    if state.action in ("commit", "amend", "reword", "squash", "fixup") and subject:
        return f"{state.action} {state.tip[:7]} {one_line(subject)}"
    return _WORDS.get(state.action, state.action).format(base=state.base[:7])


def _edit(state: Draft, before: Draft) -> str:
    had = set(before.ops)
    new = [operation for operation in state.ops if operation not in had]
    if not new:
        gone = [operation for operation in before.ops if operation not in set(state.ops)]
        return "edit back " + _some([operation.file for operation in gone])
    if all(operation.path for operation in new):
        return f"edit {_some([operation.file for operation in new])}: " + _some([_value(each) for each in new], "; ")
    return f"edit {_some([operation.file for operation in new])}"


def _value(operation: Operation) -> str:
    was, now = one_line(operation.old), one_line(operation.new)
    arrow = f" {was} → {now}" if was and now else f" {now}" if now else " removed" if was else ""
    return f"{operation.path}{arrow}"


def _note(state: Draft, before: Draft) -> str:
    if state.merged != before.merged and state.merged:
        return f"push {state.merged[:7]} to {state.target}"
    if state.pushed != before.pushed and state.pushed:
        return f"push {state.pushed[:7]} to {one_line(state.branch)}"
    if (state.name, state.title) != (before.name, before.title):
        return f"name it {state.name}"
    if state.target != before.target:
        return f"aim at {state.target}"
    return "note"


def _some(words: Sequence[str], joint: str = ", ") -> str:
    """The first few of what is named, each once."""
    each = list(dict.fromkeys(words))
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return joint.join(each[:_NAMED]) + more


def revived(draft: Draft, other: Draft, now: float) -> Draft:
    """The draft with the content of one of its earlier states; what was pushed stays known, undo returns from it.

    Text that was typed in that state comes back; of a file that has text typed now, the earlier text.
    """
    return as_in(
        draft,
        other,
        unsaved={**draft.unsaved, **other.unsaved},
        action="revive",
        at=now,
        done_at=now,
        undo=draft.state,
        redo="",
    )
