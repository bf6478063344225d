"""Real repositories in temporary folders: a bare remote, the user's clone of it, and fleet's data folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository

NAME, MAIL = "Ada Lovelace", "ada@example.com"


def git(place: Path, *arguments: str, data: bytes | None = None) -> str:
    """Run git the way a user would; returns stdout without the last newline."""
    result = subprocess.run(["git", *arguments], cwd=place, input=data, capture_output=True, check=True)
    return result.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and content of everything below a folder, `.git` with it; also times of change of every file."""
    found: dict[str, tuple[int, str]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest() + str(status.st_mtime_ns)
        else:
            content = str(status.st_mtime_ns)
        found[str(path.relative_to(folder))] = (status.st_mode, content)
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, so that nobody's configuration decides a test."""
    place = tmp_path / "home"
    place.mkdir()
    (place / ".gitconfig").write_text(
        f"[user]\n\tname = {NAME}\n\temail = {MAIL}\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n"
    )
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return place


class World:
    """A remote, a clone of it, and the folder where fleet keeps its own."""

    def __init__(self, place: Path) -> None:
        self.origin = place / "origin.git"
        self.clone = place / "clone"
        self.data = place / "data"
        self.sealed: dict[str, tuple[int, str]] | None = None
        git(place, "init", "-q", "--bare", str(self.origin))
        git(place, "clone", "-q", str(self.origin), str(self.clone))
        self.commit(
            {"shop/web.yaml": "replicas: 1\nimage: web:1\n", "shop/db.yaml": "size: 1\n", "README.md": "hello\n"}
        )
        git(self.clone, "push", "-q", "origin", "HEAD")
        git(self.clone, "remote", "set-head", "origin", "main")

    def seal(self) -> None:
        """From here on the user's clone must not change by a single byte or time of change."""
        self.sealed = fingerprint(self.clone)

    def commit(self, files: dict[str, str | bytes], message: str = "change") -> str:
        """A commit in the clone by hand."""
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        git(self.clone, "add", "-A")
        git(self.clone, "commit", "-q", "-m", message)
        return git(self.clone, "rev-parse", "HEAD")

    def upstream(self, files: dict[str, str | bytes | None], branch: str = "main", message: str = "upstream") -> str:
        """A commit by a colleague, pushed from another clone."""
        other = self.clone.parent / "colleague"
        if not other.exists():
            git(self.clone.parent, "clone", "-q", str(self.origin), str(other))
        git(other, "fetch", "-q")
        git(other, "checkout", "-q", "-B", branch, f"origin/{branch}")
        for name, content in files.items():
            path = other / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        git(other, "add", "-A")
        git(other, "commit", "-q", "-m", message)
        git(other, "push", "-q", "origin", branch)
        return git(other, "rev-parse", "HEAD")

    def at_origin(self, path: str, branch: str = "main") -> str:
        return git(self.origin, "cat-file", "-p", f"{branch}:{path}") + "\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The world; a sealed clone must be exactly as it was when it was sealed."""
    made = World(tmp_path)
    yield made
    if made.sealed is not None:
        assert fingerprint(made.clone) == made.sealed


@pytest.fixture
async def repositories(world: World) -> AsyncIterator[GitRepositories]:
    service = GitRepositories(world.data, world.clone)
    yield service
    await service.close()


@pytest.fixture
async def repository(world: World, repositories: GitRepositories) -> GitRepository:
    world.seal()
    return await repositories.open(str(world.clone))
