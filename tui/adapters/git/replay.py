"""Commits made anew on top of another one: after the target has moved, or in another order."""

from __future__ import annotations

import msgspec

from tui.adapters.git import committing
from tui.adapters.git.history import Commit, changed, commit, commits
from tui.adapters.git.merging import merge_contents
from tui.adapters.git.objects import EXECUTABLE, FILE, Entry, Pack
from tui.adapters.git.repository import Repository
from tui.domain.draft import Clash, Draft


class Replayed(msgspec.Struct, frozen=True):
    """A draft re-applied on another base; with clashes nothing was made."""

    tip: str
    index: str
    head: str
    clashes: tuple[Clash, ...]


class Carried:
    """A tree that takes changes made elsewhere, one after the other. Only the folders on their way are read."""

    def __init__(self, repository: Repository, onto: str, pack: Pack) -> None:
        """`onto` is the stored commit whose tree is started from; what is made goes into `pack`."""
        self.repository = repository
        self.pack = pack
        self._root = repository.objects.root(onto)
        self._overlay: dict[str, Entry | None] = {}
        self._made: dict[str, bytes] = {}

    def take(self, before: str, after: str) -> list[Clash]:
        """Make the change between two stored trees here too; returns what does not fit, and then that is left out.

        A file that nobody else touched is taken as it is; one that both changed is merged by lines, then by fields.
        """
        objects = self.repository.objects
        clashes: list[Clash] = []
        for raw, old, new in changed(objects, before, after):
            path = raw.decode("utf-8", "surrogateescape")
            here = self._overlay[path] if path in self._overlay else objects.entry(self._root, path)
            merged = _merge(self.repository, path, old, new, here, self.pack, self._made)
            if isinstance(merged, list):
                clashes += merged
            else:
                self._overlay[path] = merged
        return clashes

    def tree(self) -> str:
        """The id of the tree as it is now."""
        return self.pack.replace(self._root, self._overlay) or self.pack.folder({})

    def copy(self) -> Carried:
        """The same tree, to take other changes."""
        other = Carried.__new__(Carried)
        other.__dict__ |= self.__dict__
        other._overlay = dict(self._overlay)
        return other


def replay(repository: Repository, draft: Draft, onto: str, pack: Pack, committer: str, sign: bool) -> Replayed:
    """The draft's commits, and its edits not committed yet, one by one on top of another commit.

    Commits whose whole change is there already disappear. Author and message stay.
    """
    objects = repository.objects
    carried = Carried(repository, onto, pack)
    last = objects.root(onto)
    tip = onto
    clashes: list[Clash] = []
    for step in commits(objects, draft.base, draft.tip):
        clashes += carried.take(objects.root(step.parents[0]), step.tree)
        if clashes:
            continue
        tree = carried.tree()
        if tree != last:
            tip = again(repository, pack, step, tree, tip, committer, sign)
            last = tree
    ends: dict[str, str] = {}
    for oid in dict.fromkeys((draft.index, draft.head)):
        if oid in ("", draft.tip):
            ends[oid] = tip if oid else ""
            continue
        step, side = commit(objects, oid), carried.copy()
        clashes += side.take(objects.root(step.parents[0]), step.tree)
        if not clashes:
            tree = side.tree()
            ends[oid] = tip
            if tree != last:
                ends[oid] = pack.commit(tree, [tip], step.author, step.committer, step.message)
    if clashes:
        return Replayed("", "", "", tuple(clashes))
    return Replayed(tip, "" if ends[draft.index] == tip else ends[draft.index], ends[draft.head], ())


def again(repository: Repository, pack: Pack, step: Commit, tree: str, parent: str, committer: str, sign: bool) -> str:
    """A commit with the author and message of another one, on another parent; signed by git itself when asked for."""
    if sign:
        pack.store()
        return committing.signed(repository, [parent], tree, step.message, step.author)
    return pack.commit(tree, [parent], step.author, committer, step.message)


def _merge(
    repository: Repository, path: str, old: Entry | None, new: Entry | None, here: Entry | None, pack: Pack,
    made: dict[str, bytes],
) -> Entry | list[Clash] | None:  # fmt: skip
    """What becomes of one file: `old` → `new` is the draft's change, `here` what it meets."""
    if here in (old, new):
        return new
    if here is None:
        return [Clash(path, "removed from the target meanwhile, changed in the draft")]
    if new is None:
        return [Clash(path, "changed in the target meanwhile, removed in the draft")]
    if any(entry is not None and entry.mode not in (FILE, EXECUTABLE) for entry in (old, new, here)):
        return [Clash(path, "not a plain file on both sides")]

    def data(entry: Entry | None) -> bytes:
        if entry is None:
            return b""
        return made[entry.oid] if entry.oid in made else repository.objects.read(entry.oid, "blob")

    ours, base, theirs = data(new), data(old), data(here)
    merged = merge_contents(repository, path, ours, base, theirs)
    if isinstance(merged, list):
        reason = "added on both sides with different content" if old is None else ""
        return [msgspec.structs.replace(clash, reason=reason or clash.reason) for clash in merged]
    oid = pack.add("blob", merged)
    made[oid] = merged
    mode = new.mode if old is None or new.mode != old.mode else here.mode
    return Entry(mode, oid)
