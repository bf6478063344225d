"""Drafts in one private repository: each is one ref that points to its newest state commit.

    refs/fleet/drafts/<id>  ->  state: the draft as JSON in its message, texts not saved yet in its tree,
                                parents: state before, head, base
    refs/fleet/trash/<id>       the same for a dropped draft

An action stores everything it makes and then moves the one ref, from the value it started from: after a crash the
draft is as before or as after, and with two writers the second starts again. States are only ever added.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tui.adapters.git import committing, content, unborn
from tui.adapters.git.command import GitTrouble, Refused
from tui.adapters.git.history import changed
from tui.adapters.git.hooks import HookRefused
from tui.adapters.git.objects import FILE, Entry, Missing, Pack
from tui.adapters.git.repository import Repository
from tui.domain import ports
from tui.domain.drafts import model
from tui.domain.drafts.model import Draft, Operation, Unsaved
from tui.domain.drafts.sending import AS_CONFIGURED, CommitOptions
from tui.domain.gitpath import folded

OPEN, TRASH = "refs/fleet/drafts/", "refs/fleet/trash/"
_SELF = "fleet <fleet@localhost>"
_TRIES = 5
_UPDATES = 7  # tries, a second apart
_LOOKED_BACK = 5000  # states


class Moved(GitTrouble, ports.Moved):
    """Somebody else changed the same thing first; nothing was changed by this attempt."""


Step = Callable[[Draft, Pack], Draft]


class DraftRefs:
    """The drafts of one repository. Methods block; call them from a worker thread."""

    def __init__(self, repository: Repository, now: Callable[[], float] = time.time) -> None:
        self.repository = repository
        self.objects = repository.objects
        self.now = now

    def all(self, *, trash: bool = False) -> tuple[list[Draft], list[str]]:
        """Every draft, oldest first, and a line about each that cannot be read."""
        found: list[Draft] = []
        broken: list[str] = []
        for name, oid in sorted(self.repository.refs(TRASH if trash else OPEN).items()):
            try:
                found.append(self._load(oid, trash))
            except GitTrouble as error:
                broken.append(f"{name.rpartition('/')[2]}: {error}")
        return found, broken

    def get(self, draft_id: str) -> Draft:
        """The newest state of a draft, dropped ones too. Raises Missing when there is none with this id."""
        for prefix in (OPEN, TRASH):
            if oid := self.objects.resolve(prefix + draft_id):
                return self._load(oid, prefix == TRASH)
        raise Missing("this draft does not exist any more")

    def create(self, title: str, target: str, name: str, draft_id: str = "", base: str = "") -> Draft:
        """A new draft that starts from the target branch as of the last fetch, or from the commit `base` of it.

        Where the remote has no branch at all it starts from an empty commit.
        """
        fresh = not self.repository.branches()
        tip = unborn.first_commit(self.repository) if fresh else self.repository.resolve(target)
        if base and not self.repository.contains(tip, base):
            raise Refused(f"{base[:10]} is not a commit of {target}")
        base = base or tip
        now = self.now()
        draft = Draft(
            id=draft_id or model.new_id(now, os.urandom(10)),
            name=name, title=title, repo=self.repository.url, target=target,
            base=base, tip=base, head=base, at=now, created=now, unborn=fresh,
        )  # fmt: skip
        pack = Pack(self.objects)
        with self.repository.lock() as held:
            taken = {other.name for other in self.all()[0]}
            if name in taken:  # another fleet has just used it
                draft = msgspec.structs.replace(draft, name=model.slug(title, taken))
            state = self._state(pack, draft, {}, "")
            pack.store()
            self._move(OPEN + draft.id, state, "", "new", held)
        return msgspec.structs.replace(draft, state=state)

    def edit(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        operations: Sequence[Operation] = (),
        over: Mapping[str, str] | None = None,
    ) -> Draft:
        """Stage new contents of files (None removes one); returns the draft, the same when nothing differs.

        `over` says which content (id, "" for none) each was typed over; Moved when it is another by now. File modes
        are kept, also by a file that moves. Raises Refused for links, submodules and files that Git converts.
        """

        def step(draft: Draft, pack: Pack) -> Draft:
            root = self.objects.root(draft.head)
            changes: dict[str, Entry | None] = {}
            blobs: dict[str, tuple[str, str]] = {}
            going = [path for path, data in files.items() if data is None]
            coming: dict[str, str] = {}
            moved = {operation.new: operation.old for operation in operations if operation.op == "rename"}
            for path, data in files.items():
                held = self.objects.entry(root, path)
                source = self.objects.entry(root, moved[path]) if held is None and moved.get(path) in going else held
                if held is None and data is not None:
                    content.refuse_name(self.objects, root, path, going)
                    if (twin := coming.setdefault(folded(path), path)) != path:
                        raise Refused(f"{path} and {twin} differ only in case or accents")
                before = held.oid if held else ""
                if over is not None and path in over and over[path] != before:
                    raise Moved(f"{path} has changed in this draft since it was opened")
                change = self._change(path, held, data, pack, root, source.mode if source else FILE)
                after = change.oid if change else ""
                if after != before:
                    changes[path] = change
                    blobs[path] = (before, after)
            if not changes:
                return draft
            tree = pack.replace(root, changes) or pack.folder({})
            head = draft.tip  # edited back to what is committed
            if tree != self.objects.root(draft.tip):
                head = self.uncommitted(pack, tree, draft.tip)
            done = [
                _with_blobs(operation, *blobs[operation.file]) for operation in operations if operation.file in blobs
            ]
            said = {operation.file for operation in done}
            done += [
                _with_blobs(Operation(path, at=self.now()), *ids) for path, ids in blobs.items() if path not in said
            ]
            return model.edited(draft, head, done, self.now())

        return self._change_draft(draft_id, step)

    def commit(
        self,
        draft_id: str,
        message: str,
        *,
        expected: str = "",
        options: CommitOptions = AS_CONFIGURED,
        listen: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Draft:
        """Make one commit, by the user, after the hooks and signed when configured: of the edits that were picked, of
        all when none were. The others stay open.

        `expected` is the draft's head as it was shown; Moved when it is another by now. Raises HookRefused, and what
        else `committing.make` raises; the edits stay staged, and files that a hook has corrected are staged with them.
        """
        message = message.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
        if not message.strip():
            raise Refused("the commit message is empty")
        draft = self.get(draft_id)
        if draft.dropped:
            raise Missing("this draft does not exist any more")
        if expected and draft.head != expected:
            raise Moved("the draft has changed since its diff was shown")
        tree, before = self.objects.root(draft.index or draft.head), self.objects.root(draft.tip)
        if tree == before:
            raise Refused("there is nothing to commit")
        text = model.with_trailers(message, self.waiting(draft, before, tree))
        try:
            made = committing.make(self.repository, [draft.tip], tree, text, options, listen=listen, stop=stop)
        except HookRefused as refusal:
            raise self.corrected(draft, refusal, tree) from None

        def step(held: Draft, pack: Pack) -> Draft:
            as_shown(held, draft)
            return self.committed(pack, held, made.oid, made.tree)

        return self._change_draft(draft_id, step)

    def corrected(self, draft: Draft, refusal: HookRefused, tree: str) -> HookRefused:
        """The refusal to raise, after the files of `tree` that the hook has corrected were staged in the draft."""
        if not refusal.fixes:
            return refusal
        root = self.objects.root(draft.head)
        here = {path: self.objects.entry(root, path) for path in refusal.fixes}
        try:
            if any(entry != self.objects.entry(tree, path) for path, entry in here.items()):
                raise Refused("there are edits of these files that were not picked")
            self.edit(draft.id, refusal.fixes, (), {path: entry.oid if entry else "" for path, entry in here.items()})
        except GitTrouble as error:
            words = f"{refusal}; they cannot be taken into the draft: {error}"
            return HookRefused(words, refusal.hook, refusal.lines, {})
        words = f"{refusal}; the changes are staged in the draft, commit again"
        return HookRefused(words, refusal.hook, refusal.lines, refusal.fixes)

    def waiting(self, draft: Draft, before: str, after: str) -> list[Operation]:
        """The operations not committed yet on files that differ between two stored trees."""
        files = self._differing(before, after)
        return [operation for operation in draft.ops[len(draft.ops) - draft.open_ops :] if operation.file in files]

    def committed(self, pack: Pack, draft: Draft, tip: str, made: str) -> Draft:
        """The draft after what was picked, or everything, became the commit `tip`; the rest stays open on top of it.

        `made` is the stored tree of that commit: a hook may have corrected files in it, and they stay so corrected.
        """
        head, picked = (self.objects.root(commit) for commit in (draft.head, draft.index or draft.head))
        waiting = self._differing(picked, head)
        if not waiting:
            return model.committed(draft, tip, self.now())
        tree = self.corrections(pack, head, picked, made)
        return model.committed(draft, tip, self.now(), self.uncommitted(pack, tree, tip), waiting)

    def corrections(self, pack: Pack, root: str, before: str, after: str) -> str:
        """A tree with what a hook has corrected, from `before` to `after`, in files that are as they were before."""
        fixes = {
            path: self.objects.entry(after, path)
            for path in self._differing(before, after)
            if self.objects.entry(root, path) == self.objects.entry(before, path)
        }
        return (pack.replace(root, fixes) or pack.folder({})) if fixes else root

    def _differing(self, before: str, after: str) -> set[str]:
        return {path.decode("utf-8", "surrogateescape") for path, _, _ in changed(self.objects, before, after)}

    def undo(self, draft_id: str) -> Draft:
        """Back to before the last edit, commit or rebase. Raises Refused when there is none."""

        def step(draft: Draft, pack: Pack) -> Draft:
            if not draft.undo:
                raise Refused("there is nothing to undo")
            return model.undone(draft, self._load(draft.undo), self.now())

        return self._change_draft(draft_id, step)

    def redo(self, draft_id: str) -> Draft:
        """What the last undo took back. Raises Refused when there is none."""

        def step(draft: Draft, pack: Pack) -> Draft:
            if not draft.redo:
                raise Refused("there is nothing to redo")
            return model.redone(draft, self._load(draft.redo), self.now())

        return self._change_draft(draft_id, step)

    def keep_unsaved(self, draft_id: str, path: str, text: str | None, over: str = "") -> Draft:
        """Keep what is being typed into a file (None forgets it). Not an edit: undo does not see it."""
        if not path.isascii() and path.encode("utf-8", "replace").decode("utf-8") != path:
            raise Refused(f"the file name is not UTF-8: {path!r}")

        def step(draft: Draft, pack: Pack) -> Draft:
            unsaved = dict(draft.unsaved)
            if text is None:
                if unsaved.pop(path, None) is None:
                    return draft
            else:
                blob = pack.add("blob", text.encode("utf-8", "surrogatepass"))
                unsaved[path] = Unsaved(blob, over, self.now())
            return msgspec.structs.replace(draft, unsaved=unsaved, action="typing", at=self.now())

        return self._change_draft(draft_id, step)

    def unsaved(self, draft: Draft) -> dict[str, str]:
        """The texts typed and not saved, by file."""
        return {
            path: self.objects.read(held.blob, "blob").decode("utf-8", "surrogatepass")
            for path, held in draft.unsaved.items()
        }

    def update(self, draft_id: str, **fields: object) -> Draft:
        """Change what is known about a draft (title, name, target, branch, pushed, merged, page); no edit."""

        def step(draft: Draft, pack: Pack) -> Draft:
            return msgspec.structs.replace(draft, **fields, action="note", at=self.now())

        return self._change_draft(draft_id, step)

    def was_tip(self, draft: Draft, oid: str) -> bool:
        """Whether a commit has been the tip of this draft in one of its last states."""
        state = draft.state
        for _ in range(_LOOKED_BACK):
            known = self._load(state)
            if known.tip == oid:
                return True
            if known.action == "new":
                return False
            state = self._parents(state)[0]
        return False

    def rebased(self, draft_id: str, step: Step) -> Draft:
        """Apply a step that gives the draft another base, under the lock."""
        return self._change_draft(draft_id, step)

    def apply(self, draft_id: str, step: Step) -> Draft:
        """Apply any other step to a draft that is open, as one new state."""
        return self._change_draft(draft_id, step)

    def load(self, state: str) -> Draft:
        """The draft as one of its states has it."""
        return self._load(state)

    def parents(self, commit: str) -> list[str]:
        """The parents of a commit; of a state the first is the state before, but for that of a new draft."""
        return self._parents(commit)

    def uncommitted(self, pack: Pack, tree: str, tip: str) -> str:
        """A commit on the tip that holds edits which are not committed yet."""
        return pack.commit(tree, [tip], self._stamp(), self._stamp(), "edits not committed yet")

    def drop(self, draft_id: str) -> Draft:
        """Move a draft to the trash, where it keeps everything."""
        return self._transfer(draft_id, OPEN, TRASH)

    def restore(self, draft_id: str) -> Draft:
        """Take a draft out of the trash."""
        return self._transfer(draft_id, TRASH, OPEN)

    def finish_moves(self) -> None:
        """Complete a move to or from the trash that a crash left with both refs; the older of the two goes."""
        trash = self.repository.refs(TRASH)
        for name, oid in self.repository.refs(OPEN).items():
            other = TRASH + name.removeprefix(OPEN)
            if other not in trash:
                continue
            with self.repository.lock() as held:
                stale, value = (name, oid) if self._descends(trash[other], oid) else (other, trash[other])
                self._delete(stale, value, held)

    def _descends(self, state: str, ancestor: str) -> bool:
        return self.repository.contains(state, ancestor) is True

    def _transfer(self, draft_id: str, source: str, destination: str) -> Draft:
        """Create there first and delete here after: a crash in between leaves both, never none."""
        with self.repository.lock() as held:
            old = self.objects.resolve(source + draft_id)
            if not old:
                raise Missing("this draft does not exist any more")
            draft = self._load(old)
            pack = Pack(self.objects)
            action = "drop" if destination == TRASH else "restore"
            moved = msgspec.structs.replace(draft, action=action, at=self.now())
            state = self._state(pack, moved, self._kept(draft), old)
            pack.store()
            self._move(destination + draft_id, state, "", action, held)
            self._delete(source + draft_id, old, held)
        return msgspec.structs.replace(moved, state=state, dropped=destination == TRASH)

    def _change_draft(self, draft_id: str, step: Step) -> Draft:
        """One action on a draft: load, make, store, move the ref. Tries again when another program moved it."""
        for attempt in range(_TRIES):
            with self.repository.lock() as held:
                old = self.objects.resolve(OPEN + draft_id)
                if not old:
                    raise Missing("this draft does not exist any more")
                draft = self._load(old)
                pack = Pack(self.objects)
                new = step(draft, pack)
                if new is draft:
                    return draft
                goes_on = new.action == draft.action == "typing" and draft.unsaved.keys() <= new.unsaved.keys()
                parent = self._parents(old)[0] if goes_on else old  # text that is given up stays in a state
                state = self._state(pack, new, self._kept(new), parent)
                pack.store()
                try:
                    self._move(OPEN + draft_id, state, old, new.action, held)
                except Moved:
                    if attempt == _TRIES - 1:
                        raise
                    continue
                return msgspec.structs.replace(new, state=state)
        raise AssertionError("unreachable")

    def _change(
        self, path: str, held: Entry | None, data: bytes | None, pack: Pack, root: str, mode: int
    ) -> Entry | None:
        if held is not None:
            content.editable(path, held, self.objects)
        if data is None:
            return None
        if held is not None:
            content.decoded(path, self.objects.read(held.oid, "blob"))
        else:
            data = content.stored_ends(self.objects, root, path, data)
        content.refuse_attributes(self.objects, root, path)
        content.decoded(path, data)
        return Entry(mode, pack.add("blob", data))

    def _state(self, pack: Pack, draft: Draft, kept: Mapping[bytes, Entry], parent: str) -> str:
        message = f"fleet: {draft.action}\n\n{model.encode(draft).decode('utf-8')}"
        parents = dict.fromkeys(oid for oid in (parent, draft.head, draft.base, draft.index) if oid)
        return pack.commit(pack.folder(kept), parents, self._stamp(), self._stamp(), message)

    @staticmethod
    def _kept(draft: Draft) -> dict[bytes, Entry]:
        """The folder that keeps texts reachable that are in no commit: typed and not saved, decided in a conflict."""
        unsaved = {_hashed(path): Entry(FILE, text.blob) for path, text in draft.unsaved.items()}
        decided = {b"choice-" + _hashed(key): Entry(FILE, one.blob) for key, one in draft.choices.items() if one.blob}
        return unsaved | decided

    def _load(self, state: str, dropped: bool = False) -> Draft:
        stored = self.objects.read(state, "commit").partition(b"\n\nfleet: ")[2].partition(b"\n\n")[2]
        try:
            return model.decode(stored, state, dropped)
        except ValueError as error:
            raise GitTrouble(str(error)) from error

    def _parents(self, commit: str) -> list[str]:
        header = self.objects.read(commit, "commit").partition(b"\n\n")[0].decode("utf-8", "replace")
        return [line[7:] for line in header.splitlines() if line.startswith("parent ")]

    def _stamp(self) -> str:
        return f"{_SELF} {int(self.now())} +0000"

    def _move(self, ref: str, new: str, old: str, action: str, held: int) -> None:
        """Compare and swap; `old` is "" when the ref must not exist yet."""
        zero = "0" * self.objects.size
        try:
            self._update_ref(["--create-reflog", "-m", f"fleet: {action}", ref, new, old or zero], held)
        except GitTrouble as error:
            if self.repository.ref(ref) != old:
                raise Moved("the draft was changed by another program") from error
            raise

    def _delete(self, ref: str, old: str, held: int) -> None:
        self._update_ref(["-d", ref, old], held)

    def _update_ref(self, arguments: list[str], held: int) -> None:
        """`git update-ref`; again when a git that was killed has left a lock file behind."""
        for attempt in range(_UPDATES):
            try:
                self.repository.git("update-ref", *arguments, keep=(held,))
                return
            except GitTrouble as error:
                if "File exists" not in error.said or attempt == _UPDATES - 1:
                    raise
                if not (self.repository.sweep_drafts() or self.repository.sweep_remotes()):
                    time.sleep(1.0)  # packed-refs may be held by a fetch, or by one that has just been killed


def as_shown(draft: Draft, shown: Draft | None) -> None:
    """Raises Moved when a draft's commits, picked or open edits are not what they were when it was shown."""
    if shown is not None and (draft.tip, draft.index, draft.head) != (shown.tip, shown.index, shown.head):
        raise Moved("the draft has changed since it was shown")


def _hashed(name: str) -> bytes:
    """A name for a tree: a file's own may not suit one."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:20].encode()


def _with_blobs(operation: Operation, before: str, after: str) -> Operation:
    return msgspec.structs.replace(operation, before=before, after=after)
