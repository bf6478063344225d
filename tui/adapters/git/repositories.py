"""The private repositories of all remotes: found by URL or clone, opened once, made when asked for."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tui.adapters.git import checkout as clones
from tui.adapters.git import worktree
from tui.adapters.git.checkout import Checkout
from tui.adapters.git.command import GitTrouble, Refused
from tui.adapters.git.objects import Missing
from tui.adapters.git.repository import Progress, Repository, create_repository, location, open_repository
from tui.adapters.git.service import DEFAULTS, GitRepository
from tui.adapters.git.threads import in_thread
from tui.adapters.runner import NotInstalled
from tui.domain import giturl
from tui.domain.ports import Found
from tui.domain.settings import Settings


class GitRepositories:
    """All repositories; the port `Repositories`. `clones` are (path, URL or "") of clones the user named."""

    def __init__(
        self,
        data: Path,
        folder: Path | None = None,
        clones: Sequence[tuple[Path, str]] = (),
        now: Callable[[], float] = time.time,
        settings: Settings = DEFAULTS,
    ) -> None:
        self.data = data
        self.settings = settings
        self.folder = folder
        self.folders = [*([(folder, "")] if folder else []), *clones]
        self._now = now
        self._open: dict[str, GitRepository] = {}
        self._opening = asyncio.Lock()
        self._urls: dict[Path, str] = {}  # of private repositories, read once
        self._noted: dict[str, str] = {}  # URL -> the clone that was used last, read with it
        self._found: list[Checkout] | None = None  # the clone of the folder fleet was started in, looked for once

    async def find(self, url: str) -> Found:
        return await in_thread(None, self._find, url)

    async def here(self) -> list[Found]:
        return await in_thread(None, self._here)

    async def open(
        self, url: str, *, clone: bool = False, progress: Progress | None = None, terminal: bool = False
    ) -> GitRepository:
        if known := self._open.get(clones.key_of(url)):
            return known
        async with self._opening:
            url, checkout = await in_thread(None, self._place, url)
            key = giturl.parse(url).key
            if key in self._open:
                held = self._open[key]
                if checkout is not None and held.checkout != str(checkout.root):
                    await held.moved_to(checkout)
                return held
            found = await in_thread(None, open_repository, self.data, url, checkout)
            fresh = found is None
            if found is None and not clone and (checkout is None or checkout.problem):
                why = checkout.problem if checkout else f"there is no clone of {giturl.shown(url)} here"
                raise Missing(f"{why}; fleet can make one of its own")
            if found is None:
                found = await in_thread(None, create_repository, self.data, url, checkout)
            opened = await self._keep(key, found)
        if fresh and (checkout is None or checkout.problem) and clone:
            await opened.fetch(progress, terminal=terminal)
        return opened

    async def existing(self) -> tuple[list[GitRepository], list[str]]:
        async with self._opening:
            urls, broken = await in_thread(None, self._stored)
            for url in urls:
                key = giturl.parse(url).key
                if key in self._open:
                    continue
                try:
                    found = await in_thread(None, self._reopen, url)
                    if found is not None:
                        await self._keep(key, found)
                except (GitTrouble, NotInstalled) as error:
                    broken.append(f"{giturl.shown(url)}: {error}")
        return list(self._open.values()), broken

    async def close(self) -> None:
        for repository in self._open.values():
            await repository.close()
        self._open.clear()

    async def _keep(self, key: str, found: Repository) -> GitRepository:
        opened = self._open[key] = GitRepository(found, self._now, self.settings)
        await opened._call(opened.refs.finish_moves)
        await opened._call(worktree.sweep, found)
        return opened

    def _place(self, url: str) -> tuple[str, Checkout | None]:
        """The URL git is to be given and the clone to start from; `url` may be the path of a clone."""
        folder = Path(url).expanduser() if url.startswith((".", "~", "/")) else None
        if folder is None or url.startswith("/"):
            url = self._checked(url)
            if checkout := clones.match(self.folders, url):
                return checkout.url, checkout
            if location(self.data, url).is_dir():
                return url, None
        if folder is not None and folder.is_dir() and (found := clones.find_checkouts(folder)):
            return self._checked(found[0].url), found[0]
        return self._checked(url), None

    def _find(self, url: str) -> Found:
        url, checkout = self._place(url)
        root = str(checkout.root) if checkout else ""
        return Found(url, giturl.parse(url).key, root, location(self.data, url).is_dir())

    def _here(self) -> list[Found]:
        found: dict[str, Found] = {}
        for folder, _ in self.folders:
            try:
                checkouts = clones.find_checkouts(folder)[:1]
            except (GitTrouble, NotInstalled):
                if shutil.which("git") is None:
                    raise  # a clone may well be here, but nobody can tell
                continue
            for checkout in checkouts:
                try:
                    key = giturl.parse(checkout.url).key
                except giturl.BadUrl:
                    continue
                ready = location(self.data, checkout.url).is_dir()
                found.setdefault(key, Found(checkout.url, key, str(checkout.root), ready))
        return list(found.values())

    def _stored(self) -> tuple[list[str], list[str]]:
        """The remotes of all private repositories, and a line about each that cannot be read."""
        broken = []
        for path in sorted((self.data / "git").glob("*.git")):
            if path in self._urls:
                continue
            try:
                values = dict(clones.configuration(path, checkout=False))
                url = self._urls[path] = self._checked(values.get("remote.origin.url", ""))
                self._noted[url] = values.get("fleet.checkout", "")
            except (GitTrouble, NotInstalled) as error:
                broken.append(f"{path}: {error}")
        return list(self._urls.values()), broken

    def _reopen(self, url: str) -> Repository | None:
        return open_repository(self.data, url, self._clone_of(url))

    def _clone_of(self, url: str) -> Checkout | None:
        """The clone whose user and hooks count from now on; None = still the one that was used last.

        That is the one fleet was started in, else any that is known once the last one is gone.
        """
        noted = Path(self._noted.get(url) or os.devnull)
        here = self._started_in(self.folder) if self.folder and not self.folder.is_relative_to(noted) else []
        if found := next((one for one in here if giturl.same(one.url, url)), None):
            return found
        return None if noted.is_dir() else clones.match(self.folders, url)

    def _started_in(self, folder: Path) -> list[Checkout]:
        if self._found is None:
            self._found = []
            with suppress(GitTrouble, NotInstalled):
                if any((place / ".git").exists() for place in (folder, *folder.parents)):
                    self._found = clones.find_checkouts(folder)
        return self._found

    @staticmethod
    def _checked(url: str) -> str:
        """The URL without a password. Raises Refused for what fleet does not give to git."""
        try:
            return giturl.parse(url).url
        except giturl.BadUrl as error:
            raise Refused(str(error)) from error
