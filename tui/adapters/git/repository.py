"""The private bare repository that fleet keeps for one remote: made, opened, locked, swept, fetched.

It lies in fleet's data folder and only fleet writes there, so a lock file that nobody holds is left over from a
process that was killed, and may go.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui.adapters import system
from tui.adapters.git import checkout as clones
from tui.adapters.git.checkout import Checkout
from tui.adapters.git.command import CODE, Git, GitTrouble, Refused
from tui.adapters.git.objects import Objects
from tui.adapters.paths import private
from tui.domain import giturl

Progress = Callable[[str], None]
PATIENCE = 15.0  # seconds to wait for another fleet's lock
NETWORK = 600.0  # seconds a fetch may take
_FETCHES = 6  # tries, longer together than a lock is taken to be held
_LOOSE = 2000  # objects in files of their own before they are packed
_STALE = 5.0  # seconds after which a lock under refs/remotes is nobody's: git holds one for milliseconds
_LITTER = 86_400.0  # seconds after which a half-written object is nobody's
UPSTREAM = "refs/remotes/origin/"
_SINGLE_LOCKS = ("packed-refs.lock", "shallow.lock", "HEAD.lock", "config.lock")

_CONFIG = """\
[core]
\trepositoryformatversion = {version}
\tbare = true
\tfilemode = true
\tlogAllRefUpdates = always
\tfsync = committed
\tsharedRepository = 0600
[gc]
\tauto = 0
\treflogExpire = never
\treflogExpireUnreachable = never
[maintenance]
\tauto = false
[fetch]
\tprune = true
\trecurseSubmodules = false
\twriteCommitGraph = false
[push]
\tfollowTags = false
\trecurseSubmodules = no
[extensions]
{extension}[remote "origin"]
\turl = {url}
\tfetch = +refs/heads/*:refs/remotes/origin/*
"""


class Repository:
    """One private repository. Its methods block; `fleet` calls them from a worker thread."""

    def __init__(self, path: Path, url: str, algorithm: str, checkout: Checkout | None) -> None:
        self.path = path
        self.remote = giturl.parse(url)
        self.url = self.remote.url
        self.checkout = checkout
        self.git = Git(path, local=self.remote.scheme == "file")
        self.objects = Objects(self.git, algorithm)
        self._settings: tuple[float, tuple[tuple[str, str], ...]] = (0.0, ())

    @contextmanager
    def lock(self, name: str = "lock", patience: float = PATIENCE) -> Iterator[int]:
        """Keep other fleets out; yields the descriptor. Raises GitTrouble when another holds it for `patience` seconds.

        A git command that moves refs inherits the descriptor, so that the lock outlives a killed fleet until that
        command has ended too.
        """
        with locked(self.path.with_suffix(f".{name}"), patience) as descriptor:
            yield descriptor

    def refs(self, prefix: str) -> dict[str, str]:
        """Full ref name -> object id, of every ref below `prefix`."""
        lines = self.git.text("for-each-ref", "--format=%(objectname) %(refname)", "--", prefix).splitlines()
        return {name: oid for oid, _, name in (line.partition(" ") for line in lines)}

    def ref(self, name: str) -> str:
        """The object id of one ref as it is now; "" when there is none."""
        result = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", name, codes=(0, 1))
        return result.out.decode("ascii").strip() if result.code == 0 else ""

    def branches(self) -> dict[str, str]:
        """The remote's branches as of the last fetch: name -> commit."""
        found = self.refs(UPSTREAM)
        return {name[len(UPSTREAM) :]: oid for name, oid in found.items() if name != UPSTREAM + "HEAD"}

    def default_branch(self) -> str:
        """The remote's default branch as far as it is known; "" otherwise."""
        result = self.git("symbolic-ref", "-q", UPSTREAM + "HEAD", codes=(0, 1, 128))
        name = result.out.decode("utf-8", "replace").strip()
        if name.startswith(UPSTREAM):
            return name[len(UPSTREAM) :]
        branches = self.branches()
        return next((name for name in ("main", "master") if name in branches), "")

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag, `HEAD` or (shortened) id of the remote means. Raises GitTrouble when none."""
        revision = revision.removeprefix("refs/heads/") or "HEAD"
        if revision == "HEAD" and not self.objects.resolve(UPSTREAM + "HEAD"):
            revision = self.default_branch()
        for name in (UPSTREAM + revision, "refs/tags/" + revision.removeprefix("refs/tags/")):
            if oid := self.objects.resolve(name):
                return oid
        if len(revision) >= 7 and all(char in "0123456789abcdef" for char in revision):
            result = self.git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}", codes=(0, 1, 128)
            )
            if result.code == 0:
                return result.out.decode("ascii").strip()
        raise GitTrouble(f"{revision or 'the default branch'} is not in {giturl.shown(self.url)} as of the last fetch")

    def contains(self, commit: str, ancestor: str) -> bool | None:
        """Whether `ancestor` is part of the history of `commit`; None when either is not in the repository."""
        if not CODE.fullmatch(commit) or not CODE.fullmatch(ancestor):
            return None
        result = self.git("merge-base", "--is-ancestor", ancestor, commit, codes=(0, 1, 128))
        return None if result.code == 128 else result.code == 0

    def settings(self) -> tuple[tuple[str, str], ...]:
        """How the user reaches the remote: read from the clone anew when it is older than a minute."""
        read_at, held = self._settings
        if not read_at or time.monotonic() - read_at > 60:
            place, is_checkout = self.place()
            config = clones.configuration(place, checkout=is_checkout)
            held, self.git.login = clones.taken_over(config), clones.login(config, self.url)
            self._settings = (time.monotonic(), held)
        return held

    def place(self) -> tuple[Path, bool]:
        """Where to ask for the user's configuration: the clone, or this repository when the clone is gone."""
        if self.checkout is not None and self.checkout.common.is_dir() and self.checkout.root.is_dir():
            return self.checkout.root, not self.checkout.bare
        return self.path, False

    async def fetch(self, progress: Progress | None = None, *, terminal: bool = False) -> None:
        """Bring in the remote's branches. Raises GitTrouble and changes nothing but remote-tracking refs.

        Talks to the remote with the user's own configuration; asks nothing unless `terminal`.
        """
        for attempt in range(_FETCHES):
            try:
                await self.git.run(
                    "fetch", "--progress", "--prune", "--no-auto-maintenance", "--no-write-fetch-head",
                    "--no-recurse-submodules", "--end-of-options", "origin",
                    terminal=terminal, on_error_line=progress, timeout=NETWORK,
                )  # fmt: skip
                return
            except GitTrouble as error:
                locked_out = "File exists" in error.said or "cannot lock ref" in error.said
                if attempt == _FETCHES - 1 or not locked_out:
                    raise
                if not self.sweep_remotes():  # another fetch is at it, or was killed a moment ago
                    await asyncio.sleep(0.2 * 2**attempt)

    async def find_default_branch(self, *, terminal: bool = False) -> None:
        """Ask the remote for its default branch and remember it; a remote without one leaves all as it is."""
        result = await self.git.run("ls-remote", "--symref", "--end-of-options", "origin", "HEAD", terminal=terminal)
        for line in result.out.decode("utf-8", "replace").splitlines():
            name = line.removeprefix("ref: refs/heads/").partition("\t")[0]
            if line.startswith("ref: refs/heads/") and name in self.branches():
                self.git("symbolic-ref", UPSTREAM + "HEAD", UPSTREAM + name)

    def sweep(self) -> None:
        """Remove the locks that a killed process left behind; called with the lock held."""
        self.sweep_drafts()
        self.sweep_remotes()

    def _sweep_litter(self) -> None:
        """Remove half-written objects that nobody can be writing any more."""
        for pattern in ("objects/*/tmp_obj_*", "objects/pack/tmp_*", "objects/incoming-*", "objects/tmp_objdir-*"):
            for litter in self.path.glob(pattern):
                with suppress(FileNotFoundError):
                    if time.time() - litter.stat().st_mtime > _LITTER:
                        shutil.rmtree(litter) if litter.is_dir() else litter.unlink()

    def sweep_drafts(self) -> bool:
        """Remove lock files of draft refs; called with the lock held, when nobody can be using one."""
        found = list((self.path / "refs" / "fleet").rglob("*.lock"))
        for lock in found:
            lock.unlink(missing_ok=True)
        return bool(found)

    def sweep_remotes(self) -> bool:
        """Remove lock files that no fetch holds any more; returns whether there were any."""
        found = False
        places = [*(self.path / "refs" / "remotes").rglob("*.lock"), *(self.path / "refs" / "tags").rglob("*.lock")]
        for lock in [*places, *map(self.path.joinpath, _SINGLE_LOCKS)]:
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > _STALE:
                    lock.unlink()
                    found = True
        return found

    async def tidy(self) -> None:
        """Pack what has piled up one file each. No object is removed; other work may go on meanwhile."""
        await asyncio.to_thread(self._sweep_litter)
        if await asyncio.to_thread(self._loose) > _LOOSE:
            await self.git.run("repack", "-d", "-q", timeout=NETWORK)

    def _loose(self) -> int:
        return sum(1 for _ in (self.path / "objects").glob("[0-9a-f][0-9a-f]/*"))

    def mark(self) -> tuple[int, ...]:
        """Equal as long as no ref has changed: git replaces a ref by renaming a file into its folder."""
        places = ("refs/fleet/drafts", "refs/fleet/trash", "refs/remotes/origin", "packed-refs")
        return tuple(_changed(self.path / place) for place in places)

    def remember(self, checkout: Checkout) -> None:
        """Note the clone, so that the next start need not look for it."""
        self.checkout = checkout
        self.git("config", "fleet.checkout", str(checkout.root))

    def close(self) -> None:
        """End the reading process."""
        self.objects.close()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@contextmanager
def locked(path: Path, patience: float = PATIENCE) -> Iterator[int]:
    """Hold an exclusive lock on a file of its own; yields the descriptor, freed when the last copy of it is closed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        system.for_me_alone(descriptor)
    except OSError as error:
        raise GitTrouble(f"the data folder {path.parent} cannot be written: {error.strerror}") from error
    try:
        deadline, pause = time.monotonic() + patience, 0.001
        while True:
            try:
                if system.lock(descriptor):
                    break
            except OSError as error:
                raise GitTrouble(f"{path} cannot be locked: {error.strerror}") from error
            if time.monotonic() > deadline:
                raise GitTrouble(f"another fleet has been writing for more than {patience:.0f} s; try again")
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        yield descriptor
    finally:
        os.close(descriptor)


def location(data: Path, url: str) -> Path:
    """Where the private repository of a remote lies: the same for every spelling of its URL."""
    return data / "git" / (hashlib.sha256(giturl.parse(url).key.encode()).hexdigest() + ".git")


def open_repository(data: Path, url: str, checkout: Checkout | None) -> Repository | None:
    """The private repository of a remote, swept; None when there is none yet. Raises GitTrouble when it is damaged."""
    path = location(data, url)
    if not path.is_dir():
        return None
    values = dict(clones.configuration(path, checkout=False))
    stored = values.get("remote.origin.url", "")
    if not giturl.same(stored, url):
        raise GitTrouble(f"{path} is not the repository of {giturl.shown(url)}")
    noted = values.get("fleet.checkout", "")
    known = checkout or (clones.known(Path(noted), stored) if noted else None)
    repository = Repository(path, stored, values.get("extensions.objectformat", "sha1"), known)
    with repository.lock():
        repository.sweep()
        if values.get("core.sharedrepository") != "0600":
            _close(path)
            repository.git("config", "core.sharedRepository", "0600")  # for what git makes from now on
        if repository.url != stored:
            repository.git("config", "remote.origin.url", repository.url)
        if checkout is not None and str(checkout.root) != noted:
            repository.remember(checkout)
    return repository


def create_repository(data: Path, url: str, checkout: Checkout | None) -> Repository:
    """Make the private repository of a remote, seeded from the user's clone; without a clone it is empty until fetched.

    It appears at its place complete or not at all. The clone is only read, by git's own upload-pack.
    """
    remote = giturl.parse(url)
    if remote.scheme == "file" and checkout is None:
        raise Refused("a local repository is opened only when it is the remote of a clone of yours")
    path = location(data, url)
    try:
        private(path.parent)
    except OSError as error:
        raise GitTrouble(f"the data folder {path.parent} cannot be written: {error.strerror}") from error
    with locked(path.with_suffix(".lock"), PATIENCE):
        if not path.is_dir():
            for leftover in path.parent.glob(path.stem + ".new-*"):
                shutil.rmtree(leftover)
            fresh = path.with_name(f"{path.stem}.new-{os.getpid()}")
            _make(fresh, remote.url, checkout)
            fresh.rename(path)
    repository = open_repository(data, url, checkout)
    if repository is None:
        raise GitTrouble(f"{path} has been taken away")
    return repository


def _close(path: Path) -> None:
    """Take from a folder and all below it what others may do with it."""
    for each in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            if not each.is_symlink():
                each.chmod(each.stat().st_mode & 0o7700)


def _make(path: Path, url: str, checkout: Checkout | None) -> None:
    algorithm = "sha1"
    if checkout is not None:
        algorithm = checkout.git().text("rev-parse", "--show-object-format")
    path.mkdir(mode=0o700)
    git = Git(path, local=True)
    files = {"GIT_DEFAULT_REF_FORMAT": "files"}  # the sweep knows where their locks are
    git("init", "--bare", "--quiet", "--template=", f"--object-format={algorithm}", "--shared=0600", env=files)
    # Written whole and quoted here: a value with `;`, `#` or quotes must not become another setting or a comment.
    version, extension = (1, f"\tobjectformat = {algorithm}\n") if algorithm != "sha1" else (0, "")
    (path / "config").write_text(
        _CONFIG.format(version=version, extension=extension, url=_quoted(url)), encoding="utf-8"
    )
    if checkout is None or checkout.problem:
        return
    source, head = f"refs/remotes/{checkout.remote}/", f"refs/remotes/{checkout.remote}/HEAD"
    if checkout.bare and not checkout.git().text("for-each-ref", "--count=1", "--format=x", source):
        source, head = "refs/heads/", "HEAD"  # `git clone --bare` keeps the remote's branches as its own
    git(
        "fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head", "--no-recurse-submodules",
        "--end-of-options", str(checkout.common), f"+{source}*:{UPSTREAM}*", f"^{source}HEAD",
        timeout=NETWORK,
    )  # fmt: skip
    named = checkout.git()("symbolic-ref", "-q", head, codes=(0, 1, 128))
    default = named.out.decode("utf-8", "replace").strip()
    if default.startswith(source):
        git("symbolic-ref", UPSTREAM + "HEAD", UPSTREAM + default[len(source) :])


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
