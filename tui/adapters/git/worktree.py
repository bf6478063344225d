"""A working tree for a moment: a few folders of a commit-to-be, for programs that want to see files.

It belongs to the private repository and lies beside it, so no checkout of the user's is involved. Nothing of it is
needed later: the lock of one that a killed fleet left behind is free, and the next fleet removes it.
"""

from __future__ import annotations

import os
import posixpath
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tui.adapters import system
from tui.adapters.git.command import Git, GitTrouble
from tui.adapters.git.objects import FOLDER, Objects
from tui.adapters.git.repository import Repository

WHOLE = 1000  # files: a repository or folder of at most so many is there in whole
_SPARSE = (
    ("core.sparseCheckout", "true"),
    ("core.sparseCheckoutCone", "true"),
    ("index.sparse", "true"),
)


class Worktree:
    """Where it is, and git in it. `folder` is its root, `admin` what the repository keeps about it."""

    def __init__(self, folder: Path, admin: Path, config: Sequence[tuple[str, str]]) -> None:
        self.folder = folder
        self.admin = admin
        self.config = (*config, *_SPARSE)
        self.git = Git(admin, worktree=folder)  # named, not found: a hook may take away what git finds it by
        self.git.config = self.config

    @property
    def index(self) -> Path:
        """Its index file."""
        return self.admin / "index"


@contextmanager
def worktree(
    repository: Repository, head: str, tree: str, touched: Iterable[str], config: Sequence[tuple[str, str]] = ()
) -> Iterator[Worktree]:
    """A working tree with `tree` staged on top of the commit `head`, as far as `touched` files need it.

    There are the files at the root, the folders of the touched files, and `folders_for` says what else. `config` are
    settings for git in it. Files are as Git stores them: no filter runs. It is gone afterwards.
    """
    place = _place(repository)
    place.mkdir(mode=0o700, exist_ok=True)
    name, lock = _claim(place)
    folder, admin = place / name, repository.path / "worktrees" / name
    try:
        repository.git("worktree", "add", "--no-checkout", "--detach", "--quiet", str(folder), head)
        (admin / "info").mkdir(exist_ok=True)
        patterns = "\n".join(_patterns(repository.objects, tree, touched))
        (admin / "info" / "sparse-checkout").write_bytes(patterns.encode("utf-8", "surrogateescape") + b"\n")
        made = Worktree(folder, admin, (*config, *_no_filters(repository)))
        made.git("read-tree", "-m", "-u", "--no-recurse-submodules", tree, timeout=120)
        yield made
    finally:
        _remove(folder, admin)
        with suppress(FileNotFoundError):
            (place / f"{name}.lock").unlink()
        os.close(lock)


def sweep(repository: Repository) -> None:
    """Remove what killed fleets left behind; what a living one uses stays."""
    place = _place(repository)
    for path in place.glob("*.lock") if place.is_dir() else ():
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            try:
                free = system.lock(descriptor)
            except OSError:  # a file system without locks: what is in use cannot be told
                free = False
            if free:
                _remove(place / path.stem, repository.path / "worktrees" / path.stem)
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _place(repository: Repository) -> Path:
    return repository.path.with_suffix(".work")


def _claim(place: Path) -> tuple[str, int]:
    """A name of its own and the descriptor that keeps others from sweeping it."""
    while True:
        name = secrets.token_hex(8)
        descriptor = os.open(place / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        if system.lock(descriptor):
            return name, descriptor
        os.close(descriptor)  # a sweep came in between and takes the file away


def _remove(folder: Path, admin: Path) -> None:
    for path in (folder, admin):
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            for below, names, _ in os.walk(path):  # a hook may have taken away the right to write
                for one in names:
                    with suppress(OSError):
                        Path(below, one).chmod(0o700)
            shutil.rmtree(path, ignore_errors=True)


def _patterns(objects: Objects, tree: str, touched: Iterable[str]) -> Iterator[str]:
    """What of a tree is checked out, in Git's cone form."""
    if few(objects, tree, WHOLE):
        yield "/*"
        return
    yield "/*"
    yield "!/*/"
    folders = {posixpath.dirname(path) for path in touched} - {""}
    parents = {parent for folder in folders for parent in _above(folder)}
    whole = {folder for folder in folders if _is_few(objects, tree, folder)}
    for folder in sorted(parents | (folders - whole)):
        yield f"/{_escaped(folder)}/"
        yield f"!/{_escaped(folder)}/*/"
    for folder in sorted(whole - parents):
        yield f"/{_escaped(folder)}/"


def few(objects: Objects, tree: str, most: int) -> bool:
    """Whether a tree holds at most so many files; reads no more folders than that takes."""
    left, waiting = most, [tree]
    while waiting:
        for entry in objects.tree(waiting.pop()).values():
            left -= 1
            if left < 0:
                return False
            if entry.mode == FOLDER:
                waiting.append(entry.oid)
    return True


def _is_few(objects: Objects, tree: str, folder: str) -> bool:
    try:
        entry = objects.entry(tree, folder)
    except GitTrouble:
        return False
    return entry is None or (entry.mode == FOLDER and few(objects, entry.oid, WHOLE))


def _above(folder: str) -> Iterator[str]:
    while folder := posixpath.dirname(folder):
        yield folder


def _escaped(folder: str) -> str:
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in folder)


def _no_filters(repository: Repository) -> list[tuple[str, str]]:
    """Settings that leave file contents as they are: large files of LFS are not fetched, nothing is decrypted."""
    listed = repository.git("config", "--list", "-z", "--name-only").out.decode("utf-8", "surrogateescape")
    drivers = {name.rpartition(".")[0] for name in listed.split("\0") if name.startswith("filter.")}
    return [
        (f"{driver}.{part}", value)
        for driver in sorted(drivers)
        for part, value in (("smudge", ""), ("clean", ""), ("process", ""), ("required", "false"))
    ]
