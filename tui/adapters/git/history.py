"""What a draft changed, and what its target did meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tui.adapters.git.command import GitTrouble
from tui.adapters.git.merging import merge_contents
from tui.adapters.git.objects import FOLDER, Entry, Objects
from tui.adapters.git.repository import Repository
from tui.domain.drafts.model import Change, Draft
from tui.domain.ports import CommitInfo

SEARCHED = 2000  # commits of the target that are looked through for a squashed or rebased draft
_NAMED = 500  # files that are named on a command line
_SIGNED = re.compile(r"(.*?)\s*<[^>]*>\s+(-?\d{1,12})(?:\s+[+-]\d{4})?")
_LINE = re.compile(rb"^[ +-](?!-- |\+\+ ).*$", re.MULTILINE)  # of a patch, but for its head
_BLANKS = bytes.maketrans(b" \t\r\v\f", b"\1\2\3\4\5")
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


def renames(repository: Repository, old: str, new: str) -> dict[str, str]:
    """Old name -> new name of the files that git takes to be renamed between two trees or commits."""
    arguments = ("diff-tree", "-r", "-M", "-z", "--raw", "--no-ext-diff", "--diff-filter=R", "--end-of-options")
    words = iter(repository.git(*arguments, old, new).out.decode("utf-8", "surrogateescape").split("\0"))
    return {next(words): next(words) for word in words if word.startswith(":")}


def patch(repository: Repository, old: str, new: str) -> str:
    """Git's own diff between two commits. File contents are foreign text; undecodable bytes show as replacements."""
    arguments = ("diff-tree", "-r", "-p", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    raw = repository.git(*arguments, *prefixes, "--end-of-options", old, new, limit=PATCH).out
    return raw.decode("utf-8", "replace")


def behind(repository: Repository, base: str, target: str) -> int:
    """Commits that the target has and the base has not."""
    return int(repository.git.text("rev-list", "--count", f"{base}..{target}"))


def lost(repository: Repository, base: str, target: str) -> int:
    """Commits that the base has and the target has not any more: 0 unless the target was force-pushed."""
    return (
        0 if repository.contains(target, base) else int(repository.git.text("rev-list", "--count", f"{target}..{base}"))
    )


def related(repository: Repository, one: str, other: str) -> bool:
    """Whether two commits have any commit in common."""
    return repository.git("merge-base", "--end-of-options", one, other, codes=(0, 1)).code == 0


def landed(repository: Repository, draft: Draft, target: str) -> str:
    """The commit of the target from which on the draft's changes are in it; "" when they are not.

    Merged as they are, squashed into one commit, or rebased: the last two are told by a commit whose files have the
    draft's changes in them, or by one that has the draft's patch id.
    """
    if draft.tip == draft.base:
        return ""
    if repository.contains(target, draft.tip):
        return draft.tip
    ends = _ends(repository, draft)
    if not ends:
        return ""
    some = list(ends)[:_NAMED]
    candidates = _touching(repository, draft.base, target, some)[::-1]
    for candidate in candidates:
        if _holds(repository, candidate, ends):
            return candidate
    return _same_patch(repository, draft, some, target) if candidates and len(some) == len(ends) else ""


def reverted(repository: Repository, draft: Draft, landed: str, target: str) -> str:
    """The commit of the target that took all of a landed draft's changes out again; "" while any of them is there.

    Undone is a file that is as before the draft, or into which merging the change backwards does nothing.
    """
    back = {path: (after, before) for path, (before, after) in _ends(repository, draft).items()}
    if landed == target or not back or not _holds(repository, target, back):
        return ""
    first = ""
    for candidate in _touching(repository, landed, target, list(back)[:_NAMED]):  # newest first
        if not _holds(repository, candidate, back):
            break
        first = candidate
    return first


Ends = dict[str, tuple[Entry | None, Entry | None]]


def _ends(repository: Repository, draft: Draft) -> Ends:
    """(before, after) of every file that the commits of a draft change."""
    objects = repository.objects
    return {
        path.decode("utf-8", "surrogateescape"): (before, after)
        for path, before, after in changed(objects, objects.root(draft.base), objects.root(draft.tip))
    }


def _touching(repository: Repository, since: str, target: str, paths: list[str]) -> list[str]:
    """The commits of the target that changed one of the files, newest first."""
    return repository.git.text("rev-list", f"--max-count={SEARCHED}", f"{since}..{target}", "--", *paths).splitlines()


def _holds(repository: Repository, commit: str, ends: Ends) -> bool:
    root = repository.objects.root(commit)
    return all(_has(repository, path, repository.objects.entry(root, path), *change) for path, change in ends.items())


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
    wanted = git("patch-id", "--stable", data=_blanks_kept(own)).out.split(b" ")[0]
    theirs = git(
        "log", "--reverse", "--format=%x00commit %H", f"--max-count={SEARCHED}", "--no-merges", *shape,
        f"{draft.base}..{target}", "--", *paths, limit=8 * PATCH,
    ).out  # fmt: skip
    ids = git("patch-id", "--stable", data=_blanks_kept(theirs.replace(b"\0commit ", b"commit "))).out
    for line in ids.decode("ascii").splitlines():
        patch_id, _, oid = line.partition(" ")
        if patch_id.encode() == wanted:
            return oid
    return ""


def _blanks_kept(patch: bytes) -> bytes:
    """A patch whose blanks count for `git patch-id`, which leaves them out: in YAML they say where a value belongs."""
    return _LINE.sub(lambda line: line[0][:1] + line[0][1:].translate(_BLANKS), patch)
