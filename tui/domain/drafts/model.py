"""A draft: a change on its way into Git, from the first keystroke until every Application has it.

What is stored is what the user did; where the draft stands is derived from facts every time it is asked for. Each
action makes a new state that points to the one an undo returns to, so undo and redo reach back for ever and cost the
same however long the history is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from tui.domain.drafts.conflict import Choice

DRAFTS = "drafts"  # the resource name under which draft rows live in the store
FORMAT = 1  # version of the stored form
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing the user did to a file, as far as it can be said and done again on other content."""

    file: str
    op: str = "text"  # set | insert | append | delete | rename | text (free text) | create | remove
    doc: str = ""  # which document of the file: its number or Kind/namespace/name
    path: str = ""  # place in the document: spec.replicas
    old: str = ""  # value before, as YAML
    new: str = ""  # value after, as YAML
    before: str = ""  # id of the file's content before; "" = it did not exist
    after: str = ""  # id of the file's content after; "" = removed
    application: str = ""  # who it is about: become trailers of the commit
    cluster: str = ""
    object: str = ""  # Kind namespace/name
    at: float = 0.0  # seconds since the epoch


class Unsaved(msgspec.Struct, frozen=True):
    """Text typed into an editor and not saved yet: where it is kept and what it was typed over."""

    blob: str  # id of the text
    over: str = ""  # id of the content that was being edited; "" = a new file
    at: float = 0.0


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored form, in the message of a state commit. `id` is the same in every repository that the draft spans."""

    id: str
    name: str  # how people call it: a slug, unique among open drafts
    title: str
    repo: str  # URL of the remote, as git is given it
    target: str  # branch it is to be merged into
    base: str  # commit of the target it starts from
    tip: str  # newest commit of the draft; the base itself when there is none yet
    head: str  # tip, or a commit on top of it that holds edits not committed yet
    index: str = ""  # commit on top of tip that holds what was picked for the next commit; "" = all will be taken
    v: int = FORMAT
    ops: tuple[Operation, ...] = ()  # everything done since the base, oldest first
    open_ops: int = 0  # how many of the last `ops` are not committed yet
    action: str = "new"  # what made this state
    at: float = 0.0
    done_at: float = 0.0  # when what undo would take back was done
    created: float = 0.0
    undo: str = ""  # state that undo returns to; "" = nothing to undo
    redo: str = ""  # state that redo returns to
    unsaved: dict[str, Unsaved] = {}  # file -> text typed and not saved
    branch: str = ""  # branch on the remote, once chosen
    pushed: str = ""  # commit the remote acknowledged on that branch
    merged: str = ""  # commit the remote acknowledged on the target, when fleet pushed there itself
    page: str = ""  # page for a pull request, as the remote or the forge's rules say
    choices: dict[str, Choice] = {}  # what was decided about conflicts of a rebase that is not through yet, by key
    onto: str = ""  # branch that rebase is onto, when it is another than the target
    unborn: bool = False  # the remote had no commit; the base is an empty one that goes along with the first push
    state: str = ""  # id of the state commit it was read from; never stored
    dropped: bool = False  # it is in the trash; never stored

    @property
    def dirty(self) -> bool:
        """Whether there are edits that are not committed yet."""
        return self.head != self.tip

    @property
    def empty(self) -> bool:
        """Whether nothing has been changed at all."""
        return self.head == self.base


class Content(msgspec.Struct, frozen=True):
    """A file as it is at some revision. `text` has the file's own line endings and byte order mark."""

    path: str
    text: str
    oid: str  # id of the content; hand it back when saving, so that a change in between is noticed
    mode: int = 0o100644  # Git's: 0o100755 is executable
    commit: str = ""  # where it was read; give it to `new`, so that the draft starts from what was seen


class Change(msgspec.Struct, frozen=True):
    """One file of a draft's diff."""

    path: str
    status: str  # A added, M modified, D deleted, R renamed, T type changed
    old_path: str = ""
    added: int = -1  # lines; -1 = not text
    removed: int = -1


def encode(draft: Draft) -> bytes:
    """The stored form as JSON."""
    return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(draft, state="", dropped=False)), indent=1)


def decode(data: bytes, state: str = "", dropped: bool = False) -> Draft:
    """The draft in stored JSON. Raises ValueError when it is damaged or was written by a newer fleet."""
    try:
        version = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("v", msgspec.Raw(b"%d" % FORMAT))
        if int(bytes(version)) > FORMAT:
            raise ValueError("this draft was made by a newer fleet")
        draft = msgspec.json.decode(data, type=Draft)
    except msgspec.MsgspecError as error:
        raise ValueError(f"this draft cannot be read: {error}") from error
    return msgspec.structs.replace(draft, state=state, dropped=dropped)


def new_id(now: float, randomness: bytes) -> str:
    """A ULID in lower case: sorts by time. `now` in seconds since the epoch, `randomness` ten bytes."""
    number = (int(now * 1000) & ((1 << 48) - 1)) << 80 | int.from_bytes(randomness[:10], "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def slug(title: str, taken: Iterable[str] = ()) -> str:
    """A name for commands and branches: lower-case ASCII words joined by dashes, at most 40 characters, not taken."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) > 40:
        words = words[:40].rpartition("-")[0] or words[:40]
    name = words or "draft"
    others, number = set(taken), 2
    candidate = name
    while candidate in others:
        candidate, number = f"{name}-{number}", number + 1
    return candidate


def branch_name(draft: Draft, user: str) -> str:
    """`fleet/<user>/<slug>-<last six of the id>`: always three levels deep, so that no branch is another's folder."""
    return f"fleet/{slug(user)}/{draft.name}-{draft.id[-6:]}"


def with_trailers(message: str, operations: Sequence[Operation]) -> str:
    """The commit message with `Fleet-Application`, `Fleet-Cluster` and `Fleet-Object` trailers, each value once."""
    lines: list[str] = []
    for key, values in (
        ("Fleet-Application", [op.application for op in operations]),
        ("Fleet-Cluster", [op.cluster for op in operations]),
        ("Fleet-Object", [op.object for op in operations]),
    ):
        lines += [f"{key}: {one_line(value)}" for value in sorted(set(values)) if value]
    body = message.strip("\n").rstrip()
    held = set(body.splitlines())
    missing = [line for line in lines if line not in held]
    if not missing:
        return body + "\n"
    last = body.rpartition("\n\n")[2] if "\n\n" in body else ""
    joined = bool(last) and all(re.match(r"[A-Za-z0-9-]+: ", line) for line in last.splitlines())
    return body + ("\n" if joined else "\n\n") + "\n".join(missing) + "\n"


def one_line(text: str) -> str:
    """Foreign text on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def edited(draft: Draft, head: str, operations: Sequence[Operation], now: float) -> Draft:
    """The draft after an edit: `head` holds it, undo returns to the state before, redo is gone."""
    files = {operation.file for operation in operations}
    done, waiting = draft.ops[: len(draft.ops) - draft.open_ops], draft.ops[len(draft.ops) - draft.open_ops :]
    waiting = (*waiting, *operations) if head != draft.tip else ()
    return msgspec.structs.replace(
        draft,
        head=head,
        index=draft.index if head != draft.tip else "",
        ops=(*done, *waiting),
        open_ops=len(waiting),
        action="edit",
        at=now,
        done_at=now,
        undo=draft.state,
        redo="",
        unsaved={path: text for path, text in draft.unsaved.items() if path not in files},
    )


def committed(draft: Draft, tip: str, now: float, head: str = "", waiting: Collection[str] = ()) -> Draft:
    """The draft after its edits, or those that were picked, became the commit `tip`.

    `head` holds the edits that were not picked, `waiting` names their files: what was done to these stays open.
    """
    first = len(draft.ops) - draft.open_ops
    done = [operation for operation in draft.ops[first:] if operation.file not in waiting]
    still = [operation for operation in draft.ops[first:] if operation.file in waiting]
    return msgspec.structs.replace(
        draft, tip=tip, head=head or tip, index="", ops=(*draft.ops[:first], *done, *still), open_ops=len(still),
        action="commit", at=now, done_at=now, undo=draft.state, redo="",
    )  # fmt: skip


def moved(
    draft: Draft, base: str, tip: str, index: str, head: str, now: float,
    target: str = "", renamed: Mapping[str, str] | None = None,
) -> Draft:  # fmt: skip
    """The draft after it was re-applied on another base, of another branch with `target`.

    `renamed` are files that it changes under another name now.
    """
    names = renamed or {}
    ops = tuple(msgspec.structs.replace(one, file=names[one.file]) if one.file in names else one for one in draft.ops)
    return msgspec.structs.replace(
        draft, base=base, tip=tip, index=index, head=head, action="rebase", ops=ops, choices={}, onto="",
        unborn=draft.unborn and base == draft.base,
        target=target or draft.target, merged="" if target and target != draft.target else draft.merged,
        at=now, done_at=now, undo=draft.state, redo="",
    )  # fmt: skip


def undone(draft: Draft, before: Draft, now: float) -> Draft:
    """The draft as in `before`, the state that its `undo` names; what was pushed or typed since stays known."""
    return _back(draft, before, "undo", undo=before.undo, redo=draft.state, now=now)


def redone(draft: Draft, after: Draft, now: float) -> Draft:
    """The draft as in `after`, the state that its `redo` names."""
    return _back(draft, after, "redo", undo=after.undo, redo=after.redo, now=now)


def _back(draft: Draft, other: Draft, action: str, undo: str, redo: str, now: float) -> Draft:
    return as_in(draft, other, action=action, at=now, done_at=other.done_at, undo=undo, redo=redo)


def as_in(draft: Draft, other: Draft, **more: object) -> Draft:
    """The draft with the content of one of its other states; what is known of pushes and typed texts stays."""
    return msgspec.structs.replace(
        draft,
        base=other.base,
        tip=other.tip,
        head=other.head,
        index=other.index,
        ops=other.ops,
        open_ops=other.open_ops,
        target=other.target,
        unborn=other.unborn,
        choices={**other.choices, **draft.choices},
        onto=draft.onto or other.onto,
        **more,
    )
