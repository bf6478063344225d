"""Which Applications a draft reaches through the folders of a real repository."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fleet.test_drafts import Desk
from tests.git.conftest import World
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tui.domain.drafts.model import Draft

BASE = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": "kind: Deployment\n",
    "other/web.yaml": "kind: Deployment\n",
    "apps/eu/kustomization.yaml": "resources: [../../base]\n",
    "apps/us/kustomization.yaml": "resources: [../../base]\n",
    "apps/asia/kustomization.yaml": "resources: []\n",
}


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    world.upstream(BASE)
    made = Desk(world)
    await (await made.drafts.repository(str(world.clone))).fetch()
    for name in ("eu", "us", "asia"):
        made.application(name, "abc", path=f"apps/{name}")
    yield made
    await made.drafts.close()


async def touched(desk: Desk, draft: Draft) -> dict[str, dict[str, str]]:
    repository, held = await desk.drafts.find(draft)
    changes = await repository.changes(held.base, held.head)
    found = await desk.drafts.reach.reached(desk.store, repository, held, changes)
    assert found.unknown == ()
    return {each.row.ref.name: dict(each.why) for each in found.reached}


async def change(desk: Desk, draft: Draft, path: str, text: str) -> Draft:
    return await desk.drafts.edit(draft, path, text)


async def test_a_base_touches_every_overlay_that_uses_it(desk: Desk) -> None:
    draft = await desk.drafts.new("x", str(desk.world.clone))
    draft = await change(desk, draft, "base/web.yaml", "kind: Deployment\nspec: {}\n")
    expected = {"eu": {"base/web.yaml": "base"}, "us": {"base/web.yaml": "base"}}
    assert await touched(desk, draft) == expected
    draft = await change(desk, draft, "other/web.yaml", "kind: X\n")
    assert await touched(desk, draft) == expected


async def test_what_the_draft_itself_begins_or_ceases_to_use_counts(desk: Desk) -> None:
    draft = await desk.drafts.new("x", str(desk.world.clone))
    draft = await change(desk, draft, "other/web.yaml", "kind: X\n")
    draft = await change(desk, draft, "base/web.yaml", "kind: X\n")
    draft = await change(desk, draft, "apps/asia/kustomization.yaml", "resources: [../../other/web.yaml]\n")
    draft = await change(desk, draft, "apps/eu/kustomization.yaml", "resources: []\n")
    found = await touched(desk, draft)
    assert found["asia"] == {"apps/asia/kustomization.yaml": "path", "other/web.yaml": "base"}
    assert found["eu"] == {"apps/eu/kustomization.yaml": "path", "base/web.yaml": "base"}


async def test_bases_follow_the_target_when_it_moves(desk: Desk) -> None:
    draft = await desk.drafts.new("x", str(desk.world.clone))
    draft = await change(desk, draft, "base/web.yaml", "kind: X\n")
    assert set(await touched(desk, draft)) == {"eu", "us"}
    desk.world.upstream({"apps/us/kustomization.yaml": "resources: []\n", "apps/asia/kustomization.yaml": None})
    desk.world.upstream({"apps/asia/kustomization.yml": "resources: [../../base]\n"})
    repository, _ = await desk.drafts.find(draft)
    await repository.fetch()
    assert set(await touched(desk, draft)) == {"eu", "asia"}


async def test_an_application_that_changed_is_looked_at_again(desk: Desk) -> None:
    draft = await desk.drafts.new("x", str(desk.world.clone))
    draft = await change(desk, draft, "other/web.yaml", "kind: X\n")
    assert await touched(desk, draft) == {}
    desk.application("eu", "abc", path="other")
    desk.application("branch", "abc", path="other", targetRevision="elsewhere")
    assert await touched(desk, draft) == {"eu": {"other/web.yaml": "path"}}
