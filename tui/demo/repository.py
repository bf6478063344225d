"""The demo's Git side: a bare `origin`, the user's clone, and how the Argo CD stand-in reads them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tui.demo.clock import stamp
from tui.demo.content.history import Commit

NAME = "Robin Berg"
EMAIL = "robin.berg@harbour.example"


class GitError(RuntimeError):
    """git said no; the text is what it said."""


def environment() -> dict[str, str]:
    """The environment for git: nothing of the user's own configuration, so that the demo is the same everywhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def git(directory: Path, *arguments: str, data: bytes | None = None) -> bytes:
    """Run git in a directory; returns its output. Raises GitError with git's words."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, input=data, capture_output=True, env=environment(), check=False
    )
    if done.returncode:
        raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def create_origin(path: Path, commits: Sequence[Commit], now: float) -> None:
    """A bare repository whose `main` holds the commits, oldest first; `now` is the time that their ages refer to."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    git(path, "fast-import", "--quiet", "--date-format=raw", data=b"".join(_import_lines(commits, now)))
    git(path, "repack", "-adq")


def create_clone(origin: str, path: Path) -> None:
    """The user's clone of `origin` (a URL), with an identity to commit with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    git(path.parent, "clone", "--quiet", "--branch", "main", origin, str(path))
    git(path, "config", "user.name", NAME)
    git(path, "config", "user.email", EMAIL)


def _import_lines(commits: Iterable[Commit], now: float) -> Iterable[bytes]:
    """The stream for `git fast-import`."""
    for number, commit in enumerate(commits):
        name, email = commit.author
        who = f"{name} <{email}> {int(now - commit.hours * 3600)} +0000"
        message = commit.message.encode() + b"\n"
        yield b"commit refs/heads/main\n"
        yield f"author {who}\ncommitter {who}\ndata {len(message)}\n".encode() + message
        if number == 0:
            yield b"deleteall\n"
        for path, text in sorted(commit.files.items()):
            if text is None:
                yield f"D {path}\n".encode()
                continue
            content = text.encode()
            yield f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
        yield b"\n"


class Revision:
    """One commit as Argo CD needs it: its time, author and the paths it changed."""

    __slots__ = ("_places", "author", "paths", "sha", "time")

    def __init__(self, sha: str, time: int, author: str, paths: list[str]) -> None:
        self.sha = sha
        self.time = time
        self.author = author
        self.paths = paths
        self._places: set[str] | None = None

    @property
    def places(self) -> set[str]:
        """Its paths, every directory above them, and "" for the repository itself."""
        if self._places is None:
            self._places = set(ancestors(self.paths))
        return self._places

    def __repr__(self) -> str:
        return f"Revision({self.sha[:7]}, {stamp(self.time)}, {len(self.paths)} paths)"


def ancestors(paths: Iterable[str]) -> Iterator[str]:
    """Every path, and every directory above it, up to the root ""."""
    for path in paths:
        yield ""
        while path:
            yield path
            path = path.rpartition("/")[0]


class Reader:
    """Reads a bare repository: refs by their files' times, contents through one long-lived `git cat-file --batch`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._trees: dict[str, dict[str, str]] = {}
        self._subtrees: dict[tuple[str, str], dict[str, str]] = {}
        self._commits: set[str] = set()
        self._batch: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the child process."""
        if self._batch:
            assert self._batch.stdin and self._batch.stdout
            self._batch.stdin.close()
            self._batch.wait()
            self._batch.stdout.close()
            self._batch = None

    def signature(self) -> tuple[tuple[str, int], ...]:
        """Changes when a ref may have moved; a few stat calls, no process."""
        heads = self.path / "refs" / "heads"
        files = [self.path / "packed-refs", heads, *sorted(heads.rglob("*"))]
        return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.exists())

    def refs(self) -> dict[str, str]:
        """Commit of every branch and tag by short name."""
        lines = git(self.path, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads", "refs/tags")
        return dict(line.split(" ", 1) for line in lines.decode().splitlines())

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or SHA names; None when there is none."""
        if revision in self._commits:
            return revision
        try:
            text = git(self.path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitError:
            return None
        found = text.decode().strip()
        self._commits.add(found)
        return found

    def tree(self, sha: str) -> dict[str, str]:
        """Blob id of every file of a commit by path."""
        found = self._trees.get(sha)
        if found is None:
            found = {}
            for kind, oid, path in self._listed(sha):
                if kind == "blob":
                    found[path] = oid
                elif kind == "tree":
                    found |= self._subtree(path, oid)
            self._trees = {key: self._trees[key] for key in list(self._trees)[-7:]} | {sha: found}
        return found

    def _subtree(self, top: str, oid: str) -> dict[str, str]:
        """Files of a top directory. Most commits leave most of these alone, so they are kept by their tree's id."""
        found = self._subtrees.get((top, oid))
        if found is None:
            found = {f"{top}/{path}": blob for kind, blob, path in self._listed(oid, "-r") if kind == "blob"}
            self._subtrees = {key: self._subtrees[key] for key in list(self._subtrees)[-99:]} | {(top, oid): found}
        return found

    def _listed(self, oid: str, *options: str) -> Iterator[tuple[str, str, str]]:
        out = git(self.path, "ls-tree", "-z", *options, oid)
        for line in out.decode(errors="surrogateescape").split("\0"):
            if line:
                about, path = line.split("\t", 1)
                _, kind, blob = about.split(" ")
                yield kind, blob, path

    def blob(self, oid: str) -> bytes:
        """Content of a blob. Raises GitError when it is missing."""
        if self._batch is None:
            self._batch = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                cwd=self.path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
            )
        assert self._batch.stdin and self._batch.stdout
        self._batch.stdin.write(oid.encode() + b"\n")
        self._batch.stdin.flush()
        header = self._batch.stdout.readline().split()
        if len(header) != 3:
            raise GitError(f"{oid}: {b' '.join(header).decode()}")
        data = self._batch.stdout.read(int(header[2]))
        self._batch.stdout.read(1)
        return data

    def log(self, revision: str, limit: int = 2000) -> list[Revision]:
        """Commits reachable from a revision, newest first, with the paths each changed."""
        out = git(
            self.path,
            "log",
            f"--max-count={limit}",
            "--format=%x01%H%x00%ct%x00%an <%ae>",
            "--name-only",
            "-m",
            "--first-parent",
            "--no-renames",
            "--end-of-options",
            revision,
        )
        revisions = []
        for entry in out.decode(errors="replace").split("\x01")[1:]:
            head, *paths = entry.splitlines()
            sha, time, author = head.split("\0")
            self._commits.add(sha)
            revisions.append(Revision(sha, int(time), author, [path for path in paths if path]))
        return revisions

    def changed(self, old: str, new: str) -> list[str]:
        """Paths that differ between two commits."""
        before, after = self.tree(old), self.tree(new)
        return [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]

    def export(self, sha: str, target: Path, top: str) -> None:
        """Write what a commit has below `top` ("" is everything) into a directory, for tools that read directories."""
        for path, oid in self.tree(sha).items():
            if not top or path.startswith(top + "/"):
                file = target / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(self.blob(oid))
