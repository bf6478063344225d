"""A draft that spans repositories, put on top of what moved in each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.git.conftest import World, git
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tui.adapters.git.repositories import GitRepositories
from tui.domain.drafts.conflict import Decision
from tui.domain.ports import Missing, Refused
from tui.fleet.drafts import Drafts

WEB = "shop/web.yaml"
KEY = f"{WEB}:replicas"


class Two:
    """Two remotes that have moved, and a draft with a commit in each."""

    def __init__(self, world: World, place: Path) -> None:
        place.mkdir()
        self.first, self.second = world, World(place)
        self.drafts = Drafts(GitRepositories(world.data, world.clone))

    async def make(self) -> None:
        draft = await self.drafts.new("both", str(self.first.clone))
        await self.drafts.extend(draft, str(self.second.clone))
        for one in (self.first, self.second):
            await self.drafts.edit("both", WEB, "replicas: 5\nimage: web:1\n", repo=str(one.clone))
        await self.drafts.commit("both", "five")


@pytest.fixture
async def two(world: World, tmp_path: Path) -> AsyncIterator[Two]:
    made = Two(world, tmp_path / "other")
    await made.make()
    yield made
    await made.drafts.close()


async def test_each_part_is_rebased_as_far_as_it_can_be(two: Two) -> None:
    tip = two.first.upstream({"shop/db.yaml": "size: 2\n"})
    two.second.upstream({WEB: "replicas: 4\nimage: web:1\n"})
    await two.drafts.fetch("both")
    done = await two.drafts.rebase("both")
    assert [clash.key for clash in done.clashes] == [KEY]
    bases = [held.base for _, held in await two.drafts.parts("both")]
    assert bases[0] == tip and bases[1] != git(two.second.origin, "rev-parse", "main")
    with pytest.raises(Missing, match="no conflict nowhere"):
        await two.drafts.choose("both", "nowhere", "ours")
    with pytest.raises(Refused, match="no decision"):
        await two.drafts.choose("both", KEY, "mine")
    await two.drafts.choose("both", KEY, "ours")
    assert (await two.drafts.show("both")).standing.detail == "1 conflict decided; rebase to go on"
    await two.drafts.unchoose("both", KEY)
    with pytest.raises(Missing, match="nothing has been decided"):
        await two.drafts.unchoose("both", KEY)
    done = await two.drafts.rebase("both", choices={KEY: Decision("text", "7")})
    assert done.clashes == ()
    assert (await two.drafts.open("both", WEB, repo=str(two.second.clone))).text == "replicas: 7\nimage: web:1\n"


async def test_the_same_conflict_in_two_repositories_asks_which_is_meant(two: Two) -> None:
    for one in (two.first, two.second):
        one.upstream({WEB: "replicas: 4\nimage: web:1\n"})
    await two.drafts.fetch("both")
    with pytest.raises(Refused, match="in several repositories, say which"):
        await two.drafts.choose("both", KEY, "ours")
    for _, held in await two.drafts.parts("both"):
        await two.drafts.choose(held, KEY, "ours")
    assert (await two.drafts.rebase("both")).clashes == ()
