"""A draft's own commits made anew: joined, in another order, left out, amended, split.

Whatever is asked, the content that the draft ends with is the content it had, unless a commit is left out: a place in
the new list before which the same commits lie as in the old one has the old tree, and nothing is merged for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tui.adapters.git import checkout as clones
from tui.adapters.git.checkout import User
from tui.adapters.git.command import Refused
from tui.adapters.git.drafts import DraftRefs, as_shown
from tui.adapters.git.history import Commit, about, changed, commit, commits
from tui.adapters.git.objects import Missing, Pack
from tui.adapters.git.replay import Carried, again
from tui.adapters.git.staging import composed
from tui.domain import draft as model
from tui.domain import rewriting
from tui.domain.draft import Clash, Draft
from tui.domain.rewriting import EDITS, OwnCommit, Pick, Rewritten


def own_commits(refs: DraftRefs, draft: Draft) -> list[OwnCommit]:
    """The draft's commits, oldest first, with the files that each changes."""
    found = []
    for step in commits(refs.objects, draft.base, draft.tip):
        info = about(step)
        files = tuple(sorted(_changes(refs, step)))
        found.append(OwnCommit(step.oid, step.subject, step.message, info.author, info.time, files))
    return found


def rewrite(
    refs: DraftRefs,
    draft_id: str,
    picks: Sequence[Pick],
    *,
    action: str = "rewrite",
    shown: Draft | None = None,
    keep: bool = False,
) -> Rewritten:
    """Make the draft's commits those of the list, oldest first. Commits that are in no pick are left out.

    Authors and their dates stay, of joined commits the first one's; the committer is the user, who signs as configured.
    Edits not committed are carried along; with `keep` the draft's content stays whatever is left out, so that what was
    committed is an edit again. A commit with nothing left in it is left out. Raises Refused for a list that names a
    commit twice or one that is not there, Moved when the draft is not as `shown` any more.
    """
    clashes: tuple[Clash, ...] = ()
    emptied: tuple[str, ...] = ()

    def step(draft: Draft, pack: Pack) -> Draft:
        nonlocal clashes, emptied
        as_shown(draft, shown)
        work = _Work(refs, draft, pack, picks)
        done = work.run(keep, action)
        clashes, emptied = tuple(work.clashes), tuple(work.emptied)
        return done or draft

    return Rewritten(refs.apply(draft_id, step), clashes, emptied)


def split(
    refs: DraftRefs,
    draft_id: str,
    oid: str,
    first: Mapping[str, bytes | None],
    messages: tuple[str, str],
    *,
    whole: Iterable[str] = (),
    shown: Draft | None = None,
) -> Draft:
    """Make two commits of one: the first with these contents (and `whole` files as the commit has them) on its parent,
    the second with the rest. What follows stays as it is. Raises Refused when one of them would have nothing in it."""
    whole = tuple(whole)

    def step(draft: Draft, pack: Pack) -> Draft:
        as_shown(draft, shown)
        user = _user(refs)
        own = commits(refs.objects, draft.base, draft.tip)
        place = next((place for place, one in enumerate(own) if one.oid == oid), None)
        if place is None:
            raise Missing(f"{oid[:10]} is no commit of this draft")
        old = own[place]
        before = refs.objects.root(old.parents[0])
        entries = {path: refs.objects.entry(old.tree, path) for path in whole}
        tree = composed(refs, pack, before, first, old.tree)
        tree = (pack.replace(tree, entries) or pack.folder({})) if entries else tree
        if tree == before:
            raise Refused("the first of the two commits would have nothing in it")
        if tree == old.tree:
            raise Refused("the second of the two commits would have nothing in it")
        texts = [_plain(message) if message.strip() else old.message for message in messages]
        tip = again(
            refs.repository, pack, old._replace(message=texts[0]), tree, old.parents[0], user.committer, user.sign
        )
        for one in (old._replace(message=texts[1]), *own[place + 1 :]):
            tip = again(refs.repository, pack, one, one.tree, tip, user.committer, user.sign)
        head, index = _ends(refs, pack, draft, tip, own[-1].tree, refs.objects.root(draft.head), _index(refs, draft))
        return rewriting.rewritten(draft, tip, index, head, "split", refs.now())

    return refs.apply(draft_id, step)


class _Spot(NamedTuple):
    """Where a list has come to: the newest commit made and its tree."""

    tip: str
    tree: str


class _Work:
    """One rewriting, from the draft's state and a list of picks to the next state or to clashes."""

    def __init__(self, refs: DraftRefs, draft: Draft, pack: Pack, picks: Sequence[Pick]) -> None:
        self.refs, self.draft, self.pack = refs, draft, pack
        self.objects = refs.objects
        self.user = _user(refs)
        self.own = commits(refs.objects, draft.base, draft.tip)
        self.by_oid = {one.oid: one for one in self.own}
        self.picks = picks
        named = [oid for pick in picks for oid in pick.oids]
        for oid in named:
            if oid != EDITS and oid not in self.by_oid:
                raise Missing(f"{oid[:10]} is no commit of this draft")
        if len(set(named)) != len(named):
            raise Refused("a commit is in the list twice")
        self.folded = EDITS in named
        self.left_out = [one for one in self.own if one.oid not in set(named)]
        self.before = self.objects.root(draft.tip)
        self.head = self.objects.root(draft.head)
        self.taken = self.objects.root(draft.index or draft.head)
        if self.folded and self.taken == self.before and not self.own:
            raise Refused("there is nothing to commit")
        self.clashes: list[Clash] = []
        self.emptied: list[str] = []
        self._done: list[str] = []  # what has been applied, in order
        self._exact = draft.base  # a stored commit whose tree is the tree now, "" = it has been merged
        self._carried: Carried | None = None

    def run(self, keep: bool, action: str) -> Draft | None:
        """The next state; None when there are clashes or nothing is different."""
        spot = _Spot(self.draft.base, self.objects.root(self.draft.base))
        for pick in self.picks:
            for oid in pick.oids:
                self._apply(oid)
            if self.clashes:
                return None
            spot = self._committed(pick, spot)
        head, index = self._open(keep)
        if self.clashes:
            return None
        head, index = _ends(self.refs, self.pack, self.draft, spot.tip, spot.tree, head, index)
        if (spot.tip, index, head) == (self.draft.tip, self.draft.index, self.draft.head):
            return None
        return self._state(keep, action, spot.tip, index, head)

    def _apply(self, oid: str) -> None:
        """Make the change of one commit, or of the edits, on top of what has been applied."""
        self._done.append(oid)
        if exact := self._known():
            self._exact, self._carried = exact, None
            return
        if self._carried is None:
            self._carried = Carried(self.refs.repository, self._exact, self.pack)
        self._exact = ""
        old, new = self._ends_of(oid)
        for clash in self._carried.take(old, new):
            self.clashes.append(self._named(clash, oid))

    def _known(self) -> str:
        """A stored commit with the tree that the applied changes make, when the draft has had just these together."""
        applied = set(self._done)
        edits = EDITS in applied
        oids = applied - {EDITS}
        if oids != {one.oid for one in self.own[: len(oids)]} or (edits and len(oids) < len(self.own)):
            return ""
        if edits:
            return self.draft.index or self.draft.head
        return self.own[len(oids) - 1].oid

    def _tree(self) -> str:
        return self._carried.tree() if self._carried is not None else self.objects.root(self._exact)

    def _ends_of(self, oid: str) -> tuple[str, str]:
        if oid == EDITS:
            return self.before, self.taken
        one = self.by_oid[oid]
        return self.objects.root(one.parents[0]), one.tree

    def _committed(self, pick: Pick, spot: _Spot) -> _Spot:
        """The commit of one pick on top of those made so far; none when it has nothing in it."""
        members = [self.by_oid[oid] for oid in pick.oids if oid != EDITS]
        text = pick.message or rewriting.joined([one.message for one in members])
        text = _plain(text) if pick.message else text
        if EDITS in pick.oids:
            text = model.with_trailers(text, self.refs.waiting(self.draft, self.before, self.taken))
        elif len(members) == 1 and (not pick.message or text.rstrip("\n") == members[0].message.rstrip("\n")):
            text = members[0].message
            if members[0].parents == (spot.tip,):
                return _Spot(members[0].oid, members[0].tree)
        tree = self._tree()
        if tree == spot.tree:
            self.emptied.append(text.strip().partition("\n")[0])
            return spot
        if not text.strip():
            raise Refused("the commit message is empty")
        author = members[0].author if members else self.user.author
        new = Commit("", tree, (), author, self.user.committer, text)
        made = again(self.refs.repository, self.pack, new, tree, spot.tip, self.user.committer, self.user.sign)
        return _Spot(made, tree)

    def _open(self, keep: bool) -> tuple[str, str]:
        """The trees with all edits and with the picked ones ("" = none picked) on top of the new commits."""
        index = "" if self.folded else _index(self.refs, self.draft)
        if not self.left_out:
            return self.head, index
        if index:
            index = self._carry(self.before, index, "the picked edits")
        if keep:
            return self.head, index
        start = self.taken if self.folded else self.before
        return self._carry(start, self.head, "the edits not committed yet"), index

    def _carry(self, old: str, new: str, words: str) -> str:
        side = self._carried.copy() if self._carried else Carried(self.refs.repository, self._exact, self.pack)
        for clash in side.take(old, new):
            self.clashes.append(self._named(clash, "", words))
        return side.tree()

    def _state(self, keep: bool, action: str, tip: str, index: str, head: str) -> Draft:
        ops = self.draft.ops[: len(self.draft.ops) - self.draft.open_ops]
        places: set[int] = set()
        for one in self.left_out:
            places |= rewriting.belonging(ops, _changes(self.refs, one))
        taken = None
        if self.folded:
            still = {path for path, _, _ in changed(self.objects, self.taken, self.head)}
            ours = {path for path, _, _ in changed(self.objects, self.before, self.taken)}
            taken = {path.decode("utf-8", "surrogateescape") for path in ours - still}
        return rewriting.rewritten(
            self.draft, tip, index, head, action, self.refs.now(),
            gone=() if keep else places, reopened=places if keep else (), taken=taken,
        )  # fmt: skip

    def _named(self, clash: Clash, oid: str, words: str = "") -> Clash:
        """A clash in words that say which commits do not go together."""
        this = words or self._said(oid)
        order = [one.oid for one in self.own] + [EDITS]
        done = set(self._done)
        if oid:
            place = order.index(oid)
            early, late = set(order[:place]) - done, done & set(order[place + 1 :])
        else:
            early, late = {one.oid for one in self.left_out}, set()
        other = [self._said(one) for one in order if one in early | late and self._touches(one, clash.path)]
        lines = f"change {clash.field}" if clash.field else "change the same lines" if clash.lines else "change"
        if not other:
            reason = f"{this} does not fit any more: {clash.reason}"
        elif clash.field or clash.lines:
            reason = f"{this} and {', '.join(other)} {lines}"
        else:
            reason = f"{this} needs {', '.join(other)}"
        return msgspec.structs.replace(clash, reason=reason)

    def _said(self, oid: str) -> str:
        return "the edits not committed yet" if oid == EDITS else f"“{self.by_oid[oid].subject}”"

    def _touches(self, oid: str, path: str) -> bool:
        old, new = self._ends_of(oid)
        return self.objects.entry(old, path) != self.objects.entry(new, path)


def _ends(refs: DraftRefs, pack: Pack, draft: Draft, tip: str, tree: str, head: str, index: str) -> tuple[str, str]:
    """The commits that hold all edits and the picked ones, from their trees; `tree` is that of `tip`."""
    if (tip, head) == (draft.tip, refs.objects.root(draft.head)):
        head_commit = draft.head
    else:
        head_commit = tip if head == tree else refs.uncommitted(pack, head, tip)
    if index in ("", tree) or head == tree:
        return head_commit, ""
    if index == head:
        return head_commit, head_commit
    return head_commit, refs.uncommitted(pack, index, tip)


def _index(refs: DraftRefs, draft: Draft) -> str:
    return refs.objects.root(draft.index) if draft.index else ""


def _changes(refs: DraftRefs, one: Commit) -> dict[str, tuple[str, str]]:
    """The files of a commit with the ids of their contents before and after; "" = none."""
    before = commit(refs.objects, one.parents[0]).tree
    return {
        path.decode("utf-8", "surrogateescape"): (old.oid if old else "", new.oid if new else "")
        for path, old, new in changed(refs.objects, before, one.tree)
    }


def _plain(message: str) -> str:
    return message.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _user(refs: DraftRefs) -> User:
    place, is_checkout = refs.repository.place()
    user = clones.user(place, checkout=is_checkout)
    refs.repository.git.config = user.config
    return user
