"""Files and objects of a draft made, removed, renamed and brought back, in real repositories."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.git.conftest import World, git
from tui.adapters.git.journal import FileJournal
from tui.adapters.git.repositories import GitRepositories
from tui.domain.drafts.model import Operation
from tui.domain.ports import Moved, Refused
from tui.fleet.drafts import Drafts

ABOUT = Operation("", application="web", cluster="prod-eu")
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"
HPA = "kind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  scaleTargetRef: {kind: Deployment, name: web}\n"
FILES = {
    "apps/base/kustomization.yaml": "resources:\n  - all.yaml\n  - hpa.yaml  # scales\n",
    "apps/base/all.yaml": DEPLOYMENT + "---\n# for everybody\n" + SERVICE,
    "apps/base/hpa.yaml": HPA,
    "apps/prod/kustomization.yaml": "resources: [../base]\npatches:\n  - path: ../base/hpa.yaml\n",
    "plain/x.yaml": SERVICE,
    "charts/web/Chart.yaml": "name: web\n",
    "argocd/web.yaml": "kind: Application\nspec:\n  source:\n    path: charts/web\n    helm:\n"
    "      valueFiles:\n        - ../../values/web.yaml\n",
    "values/web.yaml": "replicas: 1\n",
}


@pytest.fixture
async def drafts(world: World) -> AsyncIterator[Drafts]:
    world.commit(FILES, "apps")
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    made = Drafts(GitRepositories(world.data, world.clone), FileJournal(world.data / "journal"))
    yield made
    await made.close()


async def text(drafts: Drafts, name: str, path: str) -> str:
    return (await drafts.open(name, path)).text


async def statuses(drafts: Drafts, name: str) -> dict[str, str]:
    return {file.path: file.status for file in (await drafts.show(name)).files}


async def test_a_new_object_is_listed_in_the_same_step(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_create(str(world.clone), "apps/base/config.yaml", SERVICE, ABOUT)
    draft = await drafts.carry_out(plan, None, "Add web")
    assert await statuses(drafts, draft.name) == {
        "apps/base/config.yaml": "A",
        "apps/base/kustomization.yaml": "M",
    }
    listed = await text(drafts, draft.name, "apps/base/kustomization.yaml")
    assert listed == "resources:\n  - all.yaml\n  - config.yaml\n  - hpa.yaml  # scales\n"
    assert [operation.op for operation in draft.ops] == ["create", "append"]
    assert (await drafts.undo(draft)).empty


@pytest.mark.parametrize(
    ("path", "source", "changed"),
    [
        ("plain/new.yaml", None, {"plain/new.yaml"}),
        ("apps/base/sub/new.yaml", None, {"apps/base/sub/new.yaml"}),
        ("apps/base/sub/new.yaml", "apps/base", {"apps/base/sub/new.yaml", "apps/base/kustomization.yaml"}),
        ("other/new.yaml", None, {"other/new.yaml"}),
    ],
)
async def test_only_the_kustomization_that_must_lists_it(
    drafts: Drafts, world: World, path: str, source: str | None, changed: set[str]
) -> None:
    plan = await drafts.plan_create(str(world.clone), path, SERVICE, ABOUT, source=source)
    assert set(plan.work.files) == changed


@pytest.mark.parametrize("path", ["plain/x.yaml", "plain/X.yaml", "Plain/y.yaml", "../x.yaml", "charts/web"])
async def test_a_place_that_is_taken_is_refused(drafts: Drafts, world: World, path: str) -> None:
    with pytest.raises(Refused):
        await drafts.plan_create(str(world.clone), path, SERVICE, ABOUT)


async def test_an_object_joins_a_file(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_create(str(world.clone), "plain/x.yaml", DEPLOYMENT, ABOUT, append=True)
    draft = await drafts.carry_out(plan, None, "x")
    assert await text(drafts, draft.name, "plain/x.yaml") == SERVICE + "---\n" + DEPLOYMENT


async def test_a_new_file_in_a_chart_is_warned_of(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_create(str(world.clone), "charts/web/templates/x.yaml", SERVICE, ABOUT)
    assert "every release" in plan.work.notes[0]


async def test_an_object_of_many_goes_alone(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_removal(str(world.clone), "apps/base/all.yaml", ABOUT, doc=0)
    assert plan.work.notes == ("also mentions it: apps/base/hpa.yaml:4: spec.scaleTargetRef.name",)
    draft = await drafts.carry_out(plan, None, "Remove web")
    assert await text(drafts, draft.name, "apps/base/all.yaml") == "# for everybody\n" + SERVICE
    assert await statuses(drafts, draft.name) == {"apps/base/all.yaml": "M"}
    (done,) = draft.ops
    assert (done.op, done.object, done.application) == ("remove", "Deployment web", "web")


async def test_the_last_object_takes_its_file_and_every_entry(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_removal(str(world.clone), "apps/base/hpa.yaml", ABOUT, doc=0)
    draft = await drafts.carry_out(plan, None, "Remove the HPA")
    assert await statuses(drafts, draft.name) == {
        "apps/base/hpa.yaml": "D",
        "apps/base/kustomization.yaml": "M",
        "apps/prod/kustomization.yaml": "M",
    }
    assert await text(drafts, draft.name, "apps/base/kustomization.yaml") == "resources:\n  - all.yaml\n"
    assert await text(drafts, draft.name, "apps/prod/kustomization.yaml") == "resources: [../base]\n"
    assert (await drafts.undo(draft)).empty


async def test_a_file_moves_with_what_names_it(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_move(str(world.clone), "values/web.yaml", "values/prod/web.yaml", ABOUT)
    draft = await drafts.carry_out(plan, None, "Move values")
    assert await statuses(drafts, draft.name) == {"values/prod/web.yaml": "R", "argocd/web.yaml": "M"}
    assert "- ../../values/prod/web.yaml\n" in await text(drafts, draft.name, "argocd/web.yaml")
    assert "move values/web.yaml to values/prod/web.yaml" in await drafts.propose(draft)
    plan = await drafts.plan_move(str(world.clone), "apps/base/hpa.yaml", "apps/base/scale.yaml", ABOUT, draft=draft)
    draft = await drafts.carry_out(plan, draft)
    assert "  - scale.yaml  # scales\n" in await text(drafts, draft.name, "apps/base/kustomization.yaml")
    assert "  - path: ../base/scale.yaml\n" in await text(drafts, draft.name, "apps/prod/kustomization.yaml")
    assert "values/prod/web.yaml" in await statuses(drafts, (await drafts.undo(draft)).name)


async def test_an_object_gets_another_name(drafts: Drafts, world: World) -> None:
    plan = await drafts.plan_rename(str(world.clone), "apps/base/all.yaml", 0, "shop-web", ABOUT)
    assert plan.work.notes == ("also mentions it: apps/base/hpa.yaml:4: spec.scaleTargetRef.name",)
    draft = await drafts.carry_out(plan, None, "Rename web")
    assert "  name: shop-web\n---" in await text(drafts, draft.name, "apps/base/all.yaml")
    assert set(await statuses(drafts, draft.name)) == {"apps/base/all.yaml"}


async def test_a_plan_does_not_overwrite_what_came_after_it(drafts: Drafts, world: World) -> None:
    draft = await drafts.new("x", str(world.clone))
    plan = await drafts.plan_removal(str(world.clone), "apps/base/hpa.yaml", ABOUT, doc=0, draft=draft)
    await drafts.edit(draft, "apps/base/kustomization.yaml", "resources:\n  - hpa.yaml\n")
    with pytest.raises(Moved):
        await drafts.carry_out(plan, draft)
    assert "apps/base/hpa.yaml" not in await statuses(drafts, draft.name)


async def test_search_knows_no_magic(drafts: Drafts, world: World) -> None:
    repository = await drafts.repository(str(world.clone))
    assert await repository.search("main", ["web"], ["hpa.yaml"]) == ["apps/base/hpa.yaml"]
    assert await repository.search("main", ["-e", "replicas"], ["*.yaml"], "values") == ["values/web.yaml"]
    assert await repository.search("main", ["web"], ["*.yaml"], "val*") == []
    assert await repository.search("main", ["no such thing"], ["*"]) == []


async def test_what_lay_at_a_path_comes_back_exactly(drafts: Drafts, world: World) -> None:
    clone = world.clone
    (clone / "apps/base/run.sh").write_bytes(b"#!/bin/sh\n")
    (clone / "apps/base/run.sh").chmod(0o755)
    (clone / "apps/base/link.yaml").symlink_to("all.yaml")
    then = world.commit({"apps/base/logo.png": b"\0\1\2", "apps/base/bad.txt": b"\xff"}, "more")
    git(clone, "rm", "-q", "-r", "apps/base")
    world.commit({"apps/base/new.yaml": SERVICE, "plain/x.yaml": "other: 1\n"}, "replace")
    git(clone, "push", "-q", "origin", "HEAD")
    world.seal()
    repository = await drafts.repository(str(clone))
    await repository.fetch()
    draft = await drafts.new("x", str(clone))
    done = await repository.bring_back(draft.id, then, ["apps/base"], ABOUT)
    listing = git(repository.repository.path, "ls-tree", "-r", done.head, "apps/base")
    assert listing == git(repository.repository.path, "ls-tree", "-r", then, "apps/base")
    assert "120000" in listing and "100755" in listing and "new.yaml" not in listing
    assert await text(drafts, "x", "plain/x.yaml") == "other: 1\n"
    assert {operation.file for operation in done.ops} >= {"apps/base/logo.png", "apps/base/new.yaml"}
    again = await repository.bring_back(draft.id, then, ["apps/base"], ABOUT)
    assert again.state == done.state
    assert (await drafts.undo("x")).empty
    log = await repository.log(then, done.base, ["apps/base"])
    assert [subject for _, subject in log] == ["replace"]


async def test_one_commit_is_taken_back(drafts: Drafts, world: World) -> None:
    bad = world.upstream({"plain/x.yaml": SERVICE + "spec: {type: NodePort}\n", "values/web.yaml": "replicas: 9\n"})
    world.upstream({"plain/y.yaml": SERVICE})
    repository = await drafts.repository(str(world.clone))
    await repository.fetch()
    draft = await drafts.new("x", str(world.clone))
    done, clashes = await repository.take_back(draft.id, bad, ["plain"], ABOUT)
    assert not clashes and done.dirty
    assert await statuses(drafts, "x") == {"plain/x.yaml": "M"}
    assert await text(drafts, "x", "plain/x.yaml") == SERVICE
    world.upstream({"values/web.yaml": "replicas: 10\n"})
    await repository.fetch()
    other = await drafts.new("y", str(world.clone))
    done, clashes = await repository.take_back(other.id, bad, [""], ABOUT)
    assert [clash.path for clash in clashes] == ["values/web.yaml"]
    assert not done.dirty
