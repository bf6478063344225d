"""The chain of a draft's states: walked a page at a time along first parents, and gone back to."""

from __future__ import annotations

from collections.abc import Iterator

from tui.adapters.git import history
from tui.adapters.git.command import Refused
from tui.adapters.git.drafts import DraftRefs
from tui.adapters.git.objects import Missing, Pack
from tui.domain.drafts import states as words
from tui.domain.drafts.model import Draft
from tui.domain.drafts.states import StateInfo

SEARCHED = 20_000  # states that are looked through for one that is named
_SHORTEST = 6  # digits that name a state


def chain(refs: DraftRefs, draft: Draft) -> Iterator[tuple[Draft, Draft | None]]:
    """Each state of a draft with the one before it, newest first. Reads only as far as it is followed."""
    here = draft
    while True:
        before = None
        if here.action != "new" and (parents := refs.parents(here.state)):
            before = refs.load(parents[0])
        yield here, before
        if before is None:
            return
        here = before


def states(refs: DraftRefs, draft_id: str, limit: int = 50, before: str = "") -> list[StateInfo]:
    """At most `limit` states of a draft, dropped or not, newest first; `before` goes on after that one.

    Raises Missing when there is no such draft.
    """
    newest = refs.get(draft_id)
    if before:
        parents = [] if refs.load(before).action == "new" else refs.parents(before)
        if not parents:
            return []
        newest = refs.load(parents[0])
    found: list[StateInfo] = []
    for state, earlier in chain(refs, newest):
        if len(found) == limit:
            break
        found.append(_info(refs, state, earlier))
    return found


def _info(refs: DraftRefs, state: Draft, before: Draft | None) -> StateInfo:
    subject = "" if state.tip == state.base else history.commit(refs.objects, state.tip).subject
    open_ones = state.ops[len(state.ops) - state.open_ops :]
    return StateInfo(
        state.state,
        state.action,
        words.describe(state, before, subject),
        state.at,
        state.repo,
        state.tip,
        state.head,
        tuple(dict.fromkeys(operation.file for operation in open_ones)),
        tuple(state.unsaved),
        state.dirty,
    )


def revive(refs: DraftRefs, draft_id: str, state: str) -> Draft:
    """Give a draft the content of an earlier state of its own, named by its id or the first digits of it.

    Raises Missing when it is none of the draft's, Refused when several begin so.
    """
    if len(state) < _SHORTEST:
        raise Refused(f"{state}: name a state by at least {_SHORTEST} digits")

    def step(draft: Draft, pack: Pack) -> Draft:
        other = _named(refs, draft, state)
        if other.state == draft.state:
            raise Refused("the draft is in that state")
        return words.revived(draft, other, refs.now())

    return refs.apply(draft_id, step)


def _named(refs: DraftRefs, draft: Draft, name: str) -> Draft:
    found: list[Draft] = []
    for number, (state, _) in enumerate(chain(refs, draft)):
        if state.state == name:
            return state
        if state.state.startswith(name):
            found.append(state)
        if number == SEARCHED:
            break
    if len(found) > 1:
        raise Refused(f"{name} fits {len(found)} states of {draft.name}")
    if not found:
        raise Missing(f"{draft.name} has had no state {name}")
    return found[0]
