"""A draft's own commits made anew: joined, in another order, left out, amended, split.

Whatever is asked, the content that the draft ends with is the content it had, unless a commit is left out: a place in
the new list before which the same commits lie as in the old one has the old tree, and nothing is merged for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tui.adapters.git import checkout as clones
from tui.adapters.git import committing
from tui.adapters.git.command import Refused
from tui.adapters.git.committing import Listener, Made
from tui.adapters.git.drafts import DraftRefs, as_shown
from tui.adapters.git.history import Commit, about, changed, commit, commits
from tui.adapters.git.hooks import HookRefused
from tui.adapters.git.objects import Missing, Pack
from tui.adapters.git.replay import Carried
from tui.adapters.git.staging import composed
from tui.domain.drafts import model, rewriting
from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Draft
from tui.domain.drafts.rewriting import EDITS, OwnCommit, Pick, Rewritten
from tui.domain.drafts.sending import AS_CONFIGURED, CommitOptions


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
    options: CommitOptions = AS_CONFIGURED,
    listen: Listener | None = None,
    stop: threading.Event | None = None,
) -> Rewritten:
    """Make the draft's commits those of the list, oldest first. Commits that are in no pick are left out.

    Authors and their dates stay, of joined commits the first one's; the committer is the user, who signs as configured.
    A commit whose content or message is new goes through the hooks, one that only has another place does not. Edits not
    committed are carried along; with `keep` the draft's content stays whatever is left out, so that what was committed
    is an edit again. A commit with nothing left in it is left out.

    Takes no lock before all is made. Raises Refused for a list that names a commit twice, Missing for one that is not
    there, Moved when the draft is not as `shown` any more, and what `committing.make` raises.
    """
    draft = _opened(refs, draft_id, shown)
    pack = Pack(refs.objects)
    maker = _Maker(refs, draft, pack, options, listen, stop)
    work = _Work(refs, draft, pack, picks, maker)
    done = work.run(keep)
    if done is None:
        return Rewritten(draft, tuple(work.clashes), tuple(work.emptied))
    pack.store()

    def step(held: Draft, _: Pack) -> Draft:
        as_shown(held, draft)
        return work.state(held, done, keep, action)

    return Rewritten(refs.apply(draft_id, step), (), tuple(work.emptied))


def split(
    refs: DraftRefs,
    draft_id: str,
    oid: str,
    first: Mapping[str, bytes | None],
    messages: tuple[str, str],
    *,
    whole: Iterable[str] = (),
    shown: Draft | None = None,
    options: CommitOptions = AS_CONFIGURED,
    listen: Listener | None = None,
    stop: threading.Event | None = None,
) -> Draft:
    """Make two commits of one: the first with these contents (and `whole` files as the commit has them) on its parent,
    the second with the rest. What follows stays as it is. A message "" is that of the commit. Raises as `rewrite`, and
    Refused when one of the two would have nothing in it."""
    draft = _opened(refs, draft_id, shown)
    pack = Pack(refs.objects)
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
    maker = _Maker(refs, draft, pack, options, listen, stop)
    tip = old.parents[0]
    for half, message in zip((tree, old.tree), messages, strict=True):
        made = maker.new(tip, half, message if message.strip() else old.message, old.author)
        if made.tree != half:
            raise maker.unwanted(made, message or old.subject)
        tip = made.oid
    for one in own[place + 1 :]:
        tip = maker.again(one, one.tree, tip)
    head, index = _ends(refs, pack, draft, tip, own[-1].tree, refs.objects.root(draft.head), _index(refs, draft))
    pack.store()

    def step(held: Draft, _: Pack) -> Draft:
        as_shown(held, draft)
        return rewriting.rewritten(held, tip, index, head, "split", refs.now())

    return refs.apply(draft_id, step)


def _opened(refs: DraftRefs, draft_id: str, shown: Draft | None) -> Draft:
    draft = refs.get(draft_id)
    if draft.dropped:
        raise Missing("this draft does not exist any more")
    as_shown(draft, shown)
    return draft


class _Maker:
    """Makes the commits of one rewriting."""

    def __init__(
        self, refs: DraftRefs, draft: Draft, pack: Pack, options: CommitOptions,
        listen: Listener | None, stop: threading.Event | None,
    ) -> None:  # fmt: skip
        self.refs, self.draft, self.pack, self.options, self.listen, self.stop = (
            refs, draft, pack, options, listen, stop,
        )  # fmt: skip
        place, is_checkout = refs.repository.place()
        self.user = clones.user(place, checkout=is_checkout)
        refs.repository.git.config = self.user.config

    def again(self, old: Commit, tree: str, parent: str) -> str:
        """A commit as it was, on another parent."""
        if self.user.sign if self.options.sign is None else self.options.sign:
            self.pack.store()
            return committing.signed(
                self.refs.repository, [parent], tree, old.message, old.author, self.options.terminal
            )
        return self.pack.commit(tree, [parent], old.author, self.user.committer, old.message)

    def new(self, parent: str, tree: str, message: str, author: str = "", *, amends: str = "", taken: str = "") -> Made:
        """A commit whose content or message is new, after the hooks. `amends` is the commit it stands for, `taken` the
        tree with the edits that it takes: what a hook corrects of these is staged in the draft."""
        message = message.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
        if not message.strip():
            raise Refused("the commit message is empty")
        self.pack.store()
        source = ("commit", amends) if amends else ("message",)
        try:
            return committing.make(
                self.refs.repository, [parent], tree, message, self.options,
                author=author, source=source, listen=self.listen, stop=self.stop,
            )  # fmt: skip
        except HookRefused as refusal:
            if tree == taken:
                raise self.refs.corrected(self.draft, refusal, tree) from None
            raise HookRefused(str(refusal), refusal.hook, refusal.lines, {}) from None

    @staticmethod
    def unwanted(made: Made, subject: str) -> HookRefused:
        """What is raised when a hook has corrected files of a commit that others follow: they would take it back."""
        words = f"your hook changes files of “{subject.strip().partition(chr(10))[0]}”, which another commit follows"
        return HookRefused(f"{words}; nothing was changed", "pre-commit", made.lines, {})


class _Spot(NamedTuple):
    """Where a list has come to: the newest commit made and its tree."""

    tip: str
    tree: str


class _Done(NamedTuple):
    """The commits of the next state."""

    tip: str
    picked: str  # "" = nothing is
    head: str


class _Work:
    """One rewriting, from the draft's state and a list of picks to the next state or to clashes."""

    def __init__(self, refs: DraftRefs, draft: Draft, pack: Pack, picks: Sequence[Pick], maker: _Maker) -> None:
        self.refs, self.draft, self.pack, self.maker = refs, draft, pack, maker
        self.objects = refs.objects
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
        self._corrected = ("", "")  # the newest commit's tree before and after a hook has corrected files in it

    def run(self, keep: bool) -> _Done | None:
        """The commits of the next state; None when there are clashes or nothing is different."""
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
        if self._corrected != ("", ""):
            head = self.refs.corrections(self.pack, head, *self._corrected)
            index = self.refs.corrections(self.pack, index, *self._corrected) if index else ""
        head, index = _ends(self.refs, self.pack, self.draft, spot.tip, spot.tree, head, index)
        if (spot.tip, index, head) == (self.draft.tip, self.draft.index, self.draft.head):
            return None
        return _Done(spot.tip, index, head)

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
        text = pick.message if pick.message.strip() else rewriting.joined([one.message for one in members])
        edits = EDITS in pick.oids
        if edits:
            text = model.with_trailers(text, self.refs.waiting(self.draft, self.before, self.taken))
        same = not edits and len(members) == 1 and (text.strip() == members[0].message.strip() or not pick.message)
        if same and members[0].parents == (spot.tip,):
            return _Spot(members[0].oid, members[0].tree)
        tree = self._tree()
        if tree == spot.tree:
            self.emptied.append(text.strip().partition("\n")[0])
            return spot
        if same:
            return _Spot(self.maker.again(members[0], tree, spot.tip), tree)
        author, amends = (members[0].author, members[0].oid) if members else ("", "")
        taken = self.taken if edits else ""
        made = self.maker.new(spot.tip, tree, text, author, amends=amends, taken=taken)
        if made.tree != tree:
            if pick is not self.picks[-1]:
                raise self.maker.unwanted(made, text)
            self._corrected = (tree, made.tree)
        return _Spot(made.oid, made.tree)

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

    def state(self, held: Draft, done: _Done, keep: bool, action: str) -> Draft:
        """The next state; `held` is the draft as it is now, with the same commits and edits."""
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
            held, done.tip, done.picked, done.head, action, self.refs.now(),
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
