"""A draft's own commits made anew: in another order, joined, with other words, left out, taken apart.

A new list of commits is a list of picks, oldest first. It is made here from the commits there are; the repository then
makes it so, or says which commits do not go together that way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Draft, Operation

EDITS = "edits"  # in a pick: what a commit would take now, the edits that were picked or else all
_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S")


class Pick(msgspec.Struct, frozen=True):
    """One commit of the new list: what becomes part of it, oldest first, and its message."""

    oids: tuple[str, ...]  # ids of commits; EDITS for what is not committed yet
    message: str = ""  # "" = those of its commits


class OwnCommit(msgspec.Struct, frozen=True):
    """A commit of a draft. Texts may be foreign."""

    oid: str
    subject: str
    message: str
    author: str = ""  # name, without the address
    time: float | None = None  # when it was written, seconds since the epoch
    files: tuple[str, ...] = ()


class Rewritten(msgspec.Struct, frozen=True):
    """How rewriting ended. With clashes nothing was changed."""

    draft: Draft
    clashes: tuple[Clash, ...] = ()
    emptied: tuple[str, ...] = ()  # subjects of commits that had nothing left in them and were left out


class Unfit(ValueError):
    """This cannot be done with these commits, for the reason given."""


def found(commits: Sequence[OwnCommit], said: str) -> OwnCommit:
    """The commit somebody means: its number (1 = oldest), its id or the beginning of one. Raises Unfit."""
    if said.isdigit() and len(said) < 4:
        if 1 <= int(said) <= len(commits):
            return commits[int(said) - 1]
        raise Unfit(f"the draft has {len(commits)} commits, not {said}" if commits else "the draft has no commit yet")
    fits = [commit for commit in commits if len(said) >= 4 and commit.oid.startswith(said.lower())]
    if len(fits) != 1:
        raise Unfit(f"{said} is no commit of this draft" if not fits else f"{said} may be several commits")
    return fits[0]


def kept(commits: Iterable[OwnCommit]) -> list[Pick]:
    """The list as it is."""
    return [Pick((commit.oid,)) for commit in commits]


def moved_up(commits: Sequence[OwnCommit], oid: str) -> list[Pick]:
    """The list with a commit made later: after the one that now follows it. Up is newer, as in a log."""
    return _swapped(commits, oid, 1, "it is the newest commit already")


def moved_down(commits: Sequence[OwnCommit], oid: str) -> list[Pick]:
    """The list with a commit made earlier: before the one that it now follows."""
    return _swapped(commits, oid, -1, "it is the oldest commit already")


def squashed(commits: Sequence[OwnCommit], oid: str, message: str = "") -> list[Pick]:
    """The list with a commit joined to the one before it; without a message both are kept, trailers once."""
    place = _below(commits, oid)
    both = commits[place - 1 : place + 1]
    message = message or joined([commit.message for commit in both])
    return [*kept(commits[: place - 1]), Pick(tuple(one.oid for one in both), message), *kept(commits[place + 1 :])]


def fixup(commits: Sequence[OwnCommit], oid: str) -> list[Pick]:
    """The list with a commit joined to the one before it, whose message stays, with the trailers of both."""
    place = _below(commits, oid)
    first, second = commits[place - 1], commits[place]
    return squashed(commits, oid, with_lines(first.message, apart(second.message)[1]))


def reworded(commits: Sequence[OwnCommit], oid: str, message: str) -> list[Pick]:
    """The list with another message for one commit."""
    if not message.strip():
        raise Unfit("the commit message is empty")
    place = _place(commits, oid)
    return [*kept(commits[:place]), Pick((oid,), message), *kept(commits[place + 1 :])]


def amended(commits: Sequence[OwnCommit], oid: str, message: str = "") -> list[Pick]:
    """The list with what is not committed yet made part of one commit."""
    place = _place(commits, oid)
    message = message or commits[place].message
    return [*kept(commits[:place]), Pick((oid, EDITS), message), *kept(commits[place + 1 :])]


def dropped(commits: Sequence[OwnCommit], oid: str) -> list[Pick]:
    """The list without a commit."""
    place = _place(commits, oid)
    return kept([*commits[:place], *commits[place + 1 :]])


def joined(messages: Sequence[str]) -> str:
    """One message of several: texts one after the other, then the trailers of all, each once."""
    parts = [apart(message) for message in messages]
    body = "\n\n".join(text for text, _ in parts if text)
    return with_lines(body, [line for _, lines in parts for line in lines])


def apart(message: str) -> tuple[str, list[str]]:
    """The text of a message and its trailers: the last paragraph when all of its lines are some."""
    text = message.strip("\n").rstrip()
    body, blank, last = text.rpartition("\n\n")
    lines = last.splitlines()
    if blank and lines and all(_TRAILER.match(line) for line in lines):
        return body.rstrip(), lines
    return text, []


def with_lines(message: str, lines: Iterable[str]) -> str:
    """A message with more trailers; those that it has stay once."""
    text, own = apart(message)
    every = list(dict.fromkeys([*own, *lines]))
    return text + ("\n\n" + "\n".join(every) if every else "") + "\n"


def belonging(operations: Sequence[Operation], changes: Mapping[str, tuple[str, str]]) -> set[int]:
    """Which operations a commit is made of: places in the list. `changes` are its files with the ids of their
    contents before and after ("" = none). Of a file that was merged since nothing can be told."""
    places: set[int] = set()
    for path, (before, after) in changes.items():
        own = [place for place, operation in enumerate(operations) if operation.file == path]
        for start in range(len(own)):
            if operations[own[start]].before == before and (run := _run(operations, own[start:], after)):
                places |= set(run)
                break
    return places


def _run(operations: Sequence[Operation], own: Sequence[int], after: str) -> list[int]:
    """The operations from the first on that lead to a content; none when they do not."""
    run: list[int] = []
    for place in own:
        last = operations[run[-1]] if run else None
        here = operations[place]
        if last is not None and (here.before, here.after) != (last.before, last.after):
            if last.after == after:
                return run
            if here.before != last.after:
                return []
        run.append(place)
    return run if operations[run[-1]].after == after else []


def rewritten(
    draft: Draft, tip: str, index: str, head: str, action: str, now: float, *,
    gone: Iterable[int] = (), reopened: Iterable[int] = (), taken: Iterable[str] | None = None,
) -> Draft:  # fmt: skip
    """The draft after its commits were made anew.

    `gone` and `reopened` are places in `ops`: of what was left out, and of what is not committed any more. `taken` are
    the files all of whose edits are committed now; None = nothing has been committed.
    """
    first_open = len(draft.ops) - draft.open_ops
    left_out, again, files = set(gone), set(reopened), set(taken or ())
    done: list[Operation] = []
    waiting: list[Operation] = []
    for place, operation in enumerate(draft.ops):
        if place in left_out:
            continue
        is_open = place in again or (place >= first_open and operation.file not in files)
        (waiting if is_open else done).append(operation)
    return msgspec.structs.replace(
        draft, tip=tip, index=index, head=head, ops=(*done, *waiting), open_ops=len(waiting), action=action,
        at=now, done_at=now, undo=draft.state, redo="",
    )  # fmt: skip


def _place(commits: Sequence[OwnCommit], oid: str) -> int:
    for place, commit in enumerate(commits):
        if commit.oid == oid:
            return place
    raise Unfit(f"{oid[:10]} is no commit of this draft")


def _below(commits: Sequence[OwnCommit], oid: str) -> int:
    """The place of a commit that has one of this draft before it."""
    place = _place(commits, oid)
    if place == 0:
        raise Unfit("it is the oldest commit of the draft: there is none before it to join it to")
    return place


def _swapped(commits: Sequence[OwnCommit], oid: str, step: int, why_not: str) -> list[Pick]:
    order = list(commits)
    place = _place(order, oid)
    if not 0 <= place + step < len(order):
        raise Unfit(why_not)
    order[place], order[place + step] = order[place + step], order[place]
    return kept(order)
