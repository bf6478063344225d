"""Commits in words from real repositories: at once what is known, the rest as it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.git.conftest import World, git
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tui.adapters.git.repositories import GitRepositories
from tui.domain.ports import CommitInfo
from tui.fleet import commits as module
from tui.fleet.commits import READING, Commits
from tui.fleet.drafts import Drafts


class Desk:
    def __init__(self, world: World) -> None:
        self.now = 1000.0
        self.url = f"file://{world.origin}"
        self.drafts = Drafts(GitRepositories(world.data, world.clone))
        self.moved = asyncio.Event()
        self.commits = Commits(self.drafts, self.moved.set, lambda: self.now)

    async def read(self, revision: str, url: str = "") -> CommitInfo | str:
        """The answer once it has been looked for."""
        self.moved.clear()
        before = self.commits.look(url or self.url, revision)
        assert before == READING or isinstance(before, str)
        await self.moved.wait()
        return self.commits.look(url or self.url, revision)


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    made = Desk(world)
    yield made
    await made.commits.close()
    await made.drafts.close()


async def test_a_commit_is_read_behind_the_scenes_and_then_known(world: World, desk: Desk) -> None:
    oid = world.commit({"shop/web.yaml": "replicas: 9\n"}, "Nine of them\n\nfor the sale")
    git(world.clone, "push", "-q", "origin", "HEAD")
    found = await desk.read(oid)
    assert isinstance(found, CommitInfo)
    assert (found.oid, found.subject) == (oid, "Nine of them")
    assert found.author == git(world.clone, "log", "-1", "--format=%an")
    assert found.time == float(git(world.clone, "log", "-1", "--format=%at"))
    assert desk.commits.look(desk.url, oid) == found, "from now on at once"


async def test_what_is_not_here_says_so_and_is_looked_for_again_later(world: World, desk: Desk) -> None:
    assert await desk.read("0" * 40, "https://git.example.test/other/repo.git") == (
        "no clone of git.example.test/other/repo is here"
    )
    assert "as of the last fetch" in str(await desk.read("f" * 40))
    desk.moved.clear()
    desk.commits.look(desk.url, "f" * 40)
    assert not desk.commits._queue, "not in every frame"
    desk.now += module.AGAIN + 1
    desk.commits.look(desk.url, "f" * 40)
    await desk.moved.wait()


async def test_a_revision_that_is_no_commit_is_data_not_an_option(desk: Desk) -> None:
    for odd in ("--help", "1.2.3", "HEAD~1; rm"):
        assert isinstance(await desk.read(odd), str)


async def test_what_is_kept_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    for digit in "abc":
        await desk.read(digit * 40)
    assert len(desk.commits._known) == 2
