"""What a draft changed, what its target did meanwhile, and the draft re-applied on the moved target."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui.adapters.git.command import GitTrouble
from tui.adapters.git.objects import EXECUTABLE, FILE, FOLDER, Entry, Objects, Pack
from tui.adapters.git.repository import Repository
from tui.domain import merge
from tui.domain.draft import Change, Clash, Draft
from tui.domain.ports import CommitInfo

SEARCHED = 2000  # commits of the target that are looked through for a squashed or rebased draft
_PARSED = 256 << 10  # bytes of a file that is merged by fields
_NAMED = 500  # files that are named on a command line
_SIGNED = re.compile(r"(.*?)\s*<[^>]*>\s+(-?\d{1,12})(?:\s+[+-]\d{4})?")
PATCH = 4 << 20  # bytes of a diff that is shown


class Commit(NamedTuple):
    """A commit taken apart; `author` and `committer` are lines in Git's form, `message` the raw text."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    message: str

    @property
    def subject(self) -> str:
        return self.message.strip().partition("\n")[0]


def commit(objects: Objects, oid: str) -> Commit:
    """A commit of the repository."""
    header, _, message = objects.read(oid, "commit").partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in header.decode("utf-8", "replace").split("\n"):
        key, _, value = line.partition(" ")
        fields.setdefault(key, []).append(value)
    return Commit(
        oid,
        fields["tree"][0],
        tuple(fields.get("parent", ())),
        fields["author"][0],
        fields["committer"][0],
        message.decode("utf-8", "replace"),
    )


def about(found: Commit) -> CommitInfo:
    """A commit as people read it."""
    signed = _SIGNED.fullmatch(found.author)
    name, seconds = (signed[1].strip(), float(signed[2])) if signed else (found.author, None)
    return CommitInfo(found.oid, found.subject, name, seconds)


def commits(objects: Objects, base: str, tip: str) -> list[Commit]:
    """A draft's own commits, oldest first."""
    found: list[Commit] = []
    while tip != base:
        found.append(commit(objects, tip))
        if not found[-1].parents:
            raise GitTrouble("the draft does not start from its base")
        tip = found[-1].parents[0]
    return found[::-1]


def changed(
    objects: Objects, old: str, new: str, prefix: bytes = b""
) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """(path, before, after) of every file that differs between two trees. Costs what differs, not what is there."""
    if old == new:
        return
    before = objects.tree(old) if old else {}
    after = objects.tree(new) if new else {}
    for name in sorted(before.keys() | after.keys()):
        one, two = before.get(name), after.get(name)
        if one == two:
            continue
        path = prefix + name
        inner, outer = (entry.oid if entry and entry.mode == FOLDER else "" for entry in (one, two))
        if inner or outer:
            yield from changed(objects, inner, outer, path + b"/")
        was, becomes = (entry if entry and entry.mode != FOLDER else None for entry in (one, two))
        if was or becomes:
            yield path, was, becomes


def files(repository: Repository, old: str, new: str) -> list[Change]:
    """Every file that differs between two commits, renames found, with the lines added and removed."""
    arguments = ("diff-tree", "-r", "-M", "-z", "--no-ext-diff", "--no-textconv")
    raw = repository.git(*arguments, "--raw", "--numstat", "--end-of-options", old, new).out
    words = iter(raw.decode("utf-8", "surrogateescape").split("\0"))
    status: dict[str, str] = {}
    found: list[Change] = []
    for word in words:
        if word.startswith(":"):
            letter, path = word.rpartition(" ")[2][0], next(words)
            status[next(words) if letter in "RC" else path] = letter
        elif word:
            added, removed, path = word.split("\t", 2)
            source = ""
            if not path:
                source, path = next(words), next(words)
            counts = [int(number) if number.isdigit() else -1 for number in (added, removed)]
            found.append(Change(path, status.get(path, "M"), source, *counts))
    return found


def patch(repository: Repository, old: str, new: str) -> str:
    """Git's own diff between two commits. File contents are foreign text; undecodable bytes show as replacements."""
    arguments = ("diff-tree", "-r", "-p", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    raw = repository.git(*arguments, *prefixes, "--end-of-options", old, new, limit=PATCH).out
    return raw.decode("utf-8", "replace")


def behind(repository: Repository, base: str, target: str) -> int:
    """Commits that the target has and the base has not."""
    return int(repository.git.text("rev-list", "--count", f"{base}..{target}"))


def landed(repository: Repository, draft: Draft, target: str) -> str:
    """The commit of the target from which on the draft's changes are in it; "" when they are not.

    Merged as they are, squashed into one commit, or rebased: the last two are told by a commit whose files have the
    draft's changes in them, or by one that has the draft's patch id.
    """
    if draft.tip == draft.base:
        return ""
    if repository.contains(target, draft.tip):
        return draft.tip
    objects = repository.objects
    ends = {
        path.decode("utf-8", "surrogateescape"): (before, after)
        for path, before, after in changed(objects, objects.root(draft.base), objects.root(draft.tip))
    }
    if not ends:
        return ""
    some = list(ends)[:_NAMED]
    candidates = repository.git.text(
        "rev-list", "--reverse", f"--max-count={SEARCHED}", f"{draft.base}..{target}", "--", *some
    ).splitlines()
    for candidate in candidates:
        root = objects.root(candidate)
        if all(_has(repository, path, objects.entry(root, path), *change) for path, change in ends.items()):
            return candidate
    return _same_patch(repository, draft, some, target) if candidates and len(some) == len(ends) else ""


def _has(repository: Repository, path: str, here: Entry | None, before: Entry | None, after: Entry | None) -> bool:
    """Whether a file has a change in it: it is what the change made of it, or merging the change in does nothing."""
    if here == after:
        return True
    if here is None or before is None or after is None or here in (before, after):
        return False
    theirs = repository.objects.read(here.oid, "blob")
    ours, base = (repository.objects.read(entry.oid, "blob") for entry in (after, before))
    return merge_contents(repository, path, ours, base, theirs) == theirs


def _same_patch(repository: Repository, draft: Draft, paths: list[str], target: str) -> str:
    """The first commit of the target whose patch of these paths is the draft's whole patch."""
    git = repository.git
    shape = ("-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
    own = git("diff-tree", "-r", *shape, draft.base, draft.tip, "--", *paths, limit=PATCH).out
    wanted = git("patch-id", "--stable", data=own).out.split(b" ")[0]
    theirs = git(
        "log", "--reverse", "--format=%x00commit %H", f"--max-count={SEARCHED}", "--no-merges", *shape,
        f"{draft.base}..{target}", "--", *paths, limit=8 * PATCH,
    ).out  # fmt: skip
    ids = git("patch-id", "--stable", data=theirs.replace(b"\0commit ", b"commit ")).out
    for line in ids.decode("ascii").splitlines():
        patch_id, _, oid = line.partition(" ")
        if patch_id.encode() == wanted:
            return oid
    return ""


class Replayed(NamedTuple):
    """A draft re-applied on another base; with clashes nothing was made."""

    tip: str
    head: str
    clashes: tuple[Clash, ...]


def replay(repository: Repository, draft: Draft, onto: str, pack: Pack, committer: str, sign: bool) -> Replayed:
    """The draft's commits, and its edits not committed yet, one by one on top of another commit.

    A file the target did not touch is taken as it is; one that both changed is merged by lines. Commits whose whole
    change is there already disappear. Author and message stay.
    """
    objects = repository.objects
    overlay: dict[str, Entry | None] = {}
    made: dict[str, bytes] = {}
    root = last = objects.root(onto)
    parent = onto
    clashes: list[Clash] = []
    steps = commits(objects, draft.base, draft.tip)
    if draft.dirty:
        steps.append(commit(objects, draft.head))
    tip = onto
    for step in steps:
        before = objects.root(step.parents[0])
        for raw, old, new in changed(objects, before, step.tree):
            path = raw.decode("utf-8", "surrogateescape")
            here = overlay[path] if path in overlay else objects.entry(root, path)
            merged = _merge(repository, path, old, new, here, pack, made)
            if isinstance(merged, list):
                clashes += merged
            else:
                overlay[path] = merged
        if clashes:
            continue
        tree = pack.replace(root, overlay) or pack.folder({})
        if tree != last:
            if step.oid == draft.head and draft.dirty:
                return Replayed(tip, pack.commit(tree, [parent], step.author, step.committer, step.message), ())
            if sign:
                pack.store()
                parent = _signed(repository, tree, parent, step)
            else:
                parent = pack.commit(tree, [parent], step.author, committer, step.message)
            last = tree
        tip = parent
    return Replayed("", "", tuple(clashes)) if clashes else Replayed(tip, tip, ())


def _signed(repository: Repository, tree: str, parent: str, step: Commit) -> str:
    name, mail, when = re.fullmatch(r"(.*) <(.*)> (.*)", step.author).groups()  # type: ignore[union-attr]
    env = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": when}
    data = step.message.encode("utf-8")
    return repository.git.text("commit-tree", "-S", "-p", parent, "-F", "-", tree, data=data, env=env)


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


def merge_contents(repository: Repository, path: str, ours: bytes, base: bytes, theirs: bytes) -> bytes | list[Clash]:
    """Three contents of a file merged by lines, and where lines clash by fields of its YAML; or what clashes."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as place:
        names = []
        for name, content in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(place, name).write_bytes(content)
            names.append(str(Path(place, name)))
        result = repository.git(
            "merge-file", "-p", "--marker-size=32", "-L", "ours", "-L", "base", "-L", "theirs", *names,
            codes=range(256),
        )  # fmt: skip
    if result.code == 0:
        return result.out
    by_field = _merge_fields(path, ours, base, theirs)
    if by_field.text is not None:
        return by_field.text.encode("utf-8")
    if by_field.clashes:
        return [
            Clash(
                path, f"{clash.path} was changed on both sides", (clash.line,) if clash.line else (),
                clash.ours, clash.theirs, clash.path,
            )
            for clash in by_field.clashes
        ]  # fmt: skip
    lines, mine, other = _places(ours, result.out if result.code < 128 else b"")
    return [Clash(path, "the same lines were changed", lines, mine, other)]


def _merge_fields(path: str, ours: bytes, base: bytes, theirs: bytes) -> merge.Merged:
    if not path.endswith((".yaml", ".yml", ".json")) or max(len(ours), len(base), len(theirs)) > _PARSED:
        return merge.Merged()
    try:
        return merge.merge(base.decode("utf-8"), ours.decode("utf-8"), theirs.decode("utf-8"))
    except UnicodeDecodeError:
        return merge.Merged()


def _places(ours: bytes, marked: bytes) -> tuple[tuple[int, ...], str, str]:
    """Where the conflicts are in our text (line numbers), and both sides of the first."""
    lines: list[int] = []
    sides: list[tuple[str, str]] = []
    own = ours.splitlines(keepends=True)
    at = 0
    pattern = rb"^<{32} ours\r?\n(.*?)^={32}\r?\n(.*?)^>{32} theirs\r?$"
    for match in re.finditer(pattern, marked, re.MULTILINE | re.DOTALL):
        block = match[1].splitlines(keepends=True)
        while block and at < len(own) and own[at : at + len(block)] != block:
            at += 1
        lines.append(at + 1)
        at += len(block)
        sides.append((match[1].decode("utf-8", "replace"), match[2].decode("utf-8", "replace")))
    return (tuple(lines), *(sides[0] if sides else ("", "")))
