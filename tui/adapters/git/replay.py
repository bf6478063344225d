"""Commits made anew on top of another one: after the target has moved, or in another order."""

from __future__ import annotations

import msgspec

from tui.adapters.git import committing
from tui.adapters.git.command import Refused
from tui.adapters.git.content import twin
from tui.adapters.git.history import Commit, changed, commit, commits, renames
from tui.adapters.git.merging import merge_contents, shown_text
from tui.adapters.git.objects import EXECUTABLE, FILE, FOLDER, Entry, Pack
from tui.adapters.git.repository import Repository
from tui.domain.drafts import conflict
from tui.domain.drafts.conflict import Clash, Decision, Ledger
from tui.domain.drafts.model import Draft

_SIDES = ("ours", "theirs", "base")


class Replayed(msgspec.Struct, frozen=True):
    """A draft re-applied on another base; with clashes nothing was made."""

    tip: str
    index: str
    head: str
    clashes: tuple[Clash, ...]  # those that are still open
    renamed: dict[str, str] = {}  # file as the draft knew it -> as it is called now


class Carried:
    """A tree that takes changes made elsewhere, one after the other. Only the folders on their way are read."""

    def __init__(
        self, repository: Repository, onto: str, pack: Pack, ledger: Ledger | None = None, since: str = ""
    ) -> None:
        """`onto` is the stored commit whose tree is started from; what is made goes into `pack`.

        With `since`, the commit the changes were made on, they follow files that were renamed between it and `onto`.
        """
        self.repository = repository
        self.pack = pack
        self.ledger = ledger or Ledger()
        self.renamed: dict[str, str] = {}
        self._onto, self._since = onto, since
        self._root = repository.objects.root(onto)
        self._base = repository.objects.root(since) if since else ""
        self._overlay: dict[str, Entry | None] = {}
        self._made: dict[str, bytes] = {}
        self._renames: dict[str, str] | None = None
        self._open: set[str] = set()  # files that wait for a decision

    def take(self, before: str, after: str) -> list[Clash]:
        """Make the change between two stored trees here too; returns what does not fit, and then that is left out.

        A file that nobody else touched is taken as it is; one that both changed is merged by lines, then by fields.
        Later changes of a file that waits for a decision are left out too: what they meet is not known yet.
        """
        steps = [(raw.decode("utf-8", "surrogateescape"), old, new) for raw, old, new in
                 changed(self.repository.objects, before, after)]  # fmt: skip
        sources = self._own_renames(steps, before, after)
        clashes: list[Clash] = []
        for path, old, new in steps:
            if path in self._open or self.renamed.get(path) in self._open:
                continue
            if path in sources.values():  # what became of it is told by its new name
                self._overlay[path] = None
                continue
            source = sources.get(path)
            if source is not None:
                old = next(was for name, was, _ in steps if name == source)
                done = self._file(path, old, new, self._here(source))
            else:
                place, old, done = self._followed(path, old, new)
                path = place
            if isinstance(done, list):
                self._open.add(path)
                clashes += done
            else:
                self._overlay[path] = done
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

    def _here(self, path: str) -> Entry | None:
        return self._overlay[path] if path in self._overlay else self.repository.objects.entry(self._root, path)

    def _own_renames(
        self, steps: list[tuple[str, Entry | None, Entry | None]], before: str, after: str
    ) -> dict[str, str]:
        """New name -> old name of files that the change renames and that are another one's content here."""
        gone = [path for path, old, new in steps if new is None and self._here(path) not in (old, None)]
        if not gone:
            return {}
        found = renames(self.repository, before, after)
        return {found[path]: path for path in gone if path in found and self._here(found[path]) is None}

    def _followed(
        self, path: str, old: Entry | None, new: Entry | None
    ) -> tuple[str, Entry | None, Entry | list[Clash] | None]:
        """(name here, before, what becomes of it) of one file, that may have another name here."""
        place = self.renamed.get(path, path)
        here = self._here_or_in_the_way(place)
        if isinstance(here, str):
            return place, old, self._in_the_way(place, new, here)
        if here is None and old is None and new is not None and (beside := self._twin(path)):
            words = f"upstream has {beside}, which differs only in case or accents"
            return place, old, self._whole(path, words, old, new, here, ("ours", "theirs"), "")
        if here is not None or old is None or place != path:
            return place, old, self._file(place, old, new, here)
        other = self._upstream_renames().get(path)
        if other is None:
            return place, old, self._file(place, old, new, here)
        if new is None:
            words = f"upstream renamed it to {other}, you removed it"
            done = self._whole(path, words, old, None, self._here(other), ("ours", "theirs"), "ours")
            if isinstance(done, list):
                return path, old, done
            return other, old, done
        self.renamed[path] = other
        self.ledger.note(f"upstream renamed {path} to {other}; the draft's change is made there")
        return other, old, self._file(other, old, new, self._here(other))

    def _twin(self, path: str) -> str:
        """What upstream has added meanwhile that many checkouts could not hold beside a file of the draft."""
        if not self._since or path in self._overlay:
            return ""
        objects = self.repository.objects
        found = twin(objects, self._root, path, [name for name, entry in self._overlay.items() if entry is None])
        try:
            return found if found and objects.entry(self._base, found) is None else ""
        except Refused:  # its way led through a link then, so it was not there
            return found

    def _upstream_renames(self) -> dict[str, str]:
        if self._renames is None:
            found = renames(self.repository, self._since, self._onto) if self._since else {}
            self._renames = {old: new for old, new in found.items() if new.isprintable()}  # others cannot be edited
        return self._renames

    def _here_or_in_the_way(self, path: str) -> Entry | str | None:
        """What is at a path here, or the file, link or submodule here that its way leads through."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            entry = self._here(above)
            if entry is None:
                break
            if entry.mode != FOLDER:
                return above
        return self._here(path)

    def _in_the_way(self, path: str, new: Entry | None, above: str) -> Entry | list[Clash] | None:
        if new is None:
            return None
        done = self._whole(path, f"upstream has a file {above} where you have a folder", None, new, None,
                           ("ours", "theirs"), "")  # fmt: skip
        if not isinstance(done, list) and done is not None:
            self._overlay[above] = None
        return done

    def _file(
        self, path: str, old: Entry | None, new: Entry | None, here: Entry | None
    ) -> Entry | list[Clash] | None:  # fmt: skip
        """What becomes of one file: `old` → `new` is the draft's change, `here` what it meets."""
        if here in (old, new):
            return new
        if here is None:
            return self._whole(path, "removed from the target meanwhile, changed in the draft", old, new, here,
                               (*_SIDES, "text"), "theirs")  # fmt: skip
        if new is None:
            return self._whole(path, "changed in the target meanwhile, removed in the draft", old, new, here,
                               (*_SIDES, "text"), "ours")  # fmt: skip
        if any(entry is not None and entry.mode not in (FILE, EXECUTABLE) for entry in (old, new, here)):
            return self._whole(path, "not a plain file on both sides", old, new, here, _SIDES, "")
        ours, base, theirs = self._data(new), self._data(old), self._data(here)
        merged = merge_contents(self.repository, path, ours, base, theirs, self.ledger)
        if isinstance(merged, list):
            if old is not None:
                return merged
            return [msgspec.structs.replace(one, reason=f"added on both sides: {one.reason}") for one in merged]
        mode = new.mode if old is None or new.mode != old.mode else here.mode
        return self._made_of(merged, mode)

    def _whole(
        self, path: str, reason: str, old: Entry | None, new: Entry | None, here: Entry | None,
        takes: tuple[str, ...], gone: str,
    ) -> Entry | list[Clash] | None:  # fmt: skip
        """A file that can only be taken from one side: what was decided, or the clash."""
        saw = conflict.digest(*(f"{entry.mode:o} {entry.oid}" if entry else "" for entry in (old, new, here)))
        shown = [self._shown(entry) for entry in (new, here, old)]
        clash = Clash(path, reason, (), shown[0], shown[1], "", path, conflict.FILE, shown[2], takes=takes, gone=gone)
        seen, decision = self.ledger.see(clash, saw)
        if decision is None:
            return [seen]
        return self._decided(decision, old, new, here)

    def _decided(self, decision: Decision, old: Entry | None, new: Entry | None, here: Entry | None) -> Entry | None:
        if decision.take == "text":
            mode = next((entry.mode for entry in (new, here, old) if entry is not None), FILE)
            return self._made_of(decision.text.encode("utf-8", "surrogateescape"), mode)
        return {"ours": new, "theirs": here, "base": old}[decision.take]

    def _made_of(self, content: bytes, mode: int) -> Entry:
        oid = self.pack.add("blob", content)
        self._made[oid] = content
        return Entry(mode, oid)

    def _data(self, entry: Entry | None) -> bytes:
        if entry is None:
            return b""
        return self._made[entry.oid] if entry.oid in self._made else self.repository.objects.read(entry.oid, "blob")

    def _shown(self, entry: Entry | None) -> str:
        return shown_text(self._data(entry)) if entry is not None and entry.mode in (FILE, EXECUTABLE) else ""


def replay(
    repository: Repository, draft: Draft, onto: str, pack: Pack, committer: str, sign: bool,
    ledger: Ledger | None = None,
) -> Replayed:  # fmt: skip
    """The draft's commits, and its edits not committed yet, one by one on top of another commit.

    Commits whose whole change is there already disappear. Author and message stay. The ledger knows what was decided
    about clashes, and afterwards holds all there are.
    """
    objects = repository.objects
    ledger = ledger or Ledger()
    carried = Carried(repository, onto, pack, ledger, draft.base)
    last = objects.root(onto)
    tip = onto
    clashes: list[Clash] = []
    for step in commits(objects, draft.base, draft.tip):
        ledger.at(step.oid, step.subject)
        clashes += carried.take(objects.root(step.parents[0]), step.tree)
        if clashes:
            continue
        tree = carried.tree()
        if tree != last:
            tip = again(repository, pack, step, tree, tip, committer, sign)
            last = tree
    ledger.at("", "")
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
    index = "" if ends[draft.index] == tip else ends[draft.index]
    return Replayed(tip, index, ends[draft.head], (), carried.renamed)


def again(repository: Repository, pack: Pack, step: Commit, tree: str, parent: str, committer: str, sign: bool) -> str:
    """A commit with the author and message of another one, on another parent; signed by git itself when asked for."""
    if sign:
        pack.store()
        return committing.signed(repository, [parent], tree, step.message, step.author)
    return pack.commit(tree, [parent], step.author, committer, step.message)
