"""Back to what was deployed: real repositories, an Application's history as Argo CD writes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.fleet.test_bulk import HEAD, Hub
from tests.fleet.test_sourcefiles import APPLICATIONS, row
from tests.git.conftest import World, git
from tests.git.conftest import home as home  # a home of its own for every test here too
from tests.git.conftest import world as world
from tui.domain.drafts.model import Operation
from tui.domain.obj import Row
from tui.domain.ports import Clashing, Refused, Trouble
from tui.fleet.reverting import Reversion, draft_it, entry_of, work_out

WEB = "kind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {0}}}\n"


@pytest.fixture
async def hub(world: World) -> AsyncIterator[Hub]:
    made = Hub(world)
    yield made
    await made.drafts.close()


def push(hub: Hub, files: dict[str, str | bytes], message: str) -> str:
    oid = hub.world.commit(files, message)
    git(hub.world.clone, "push", "-q", "origin", "HEAD")
    return oid


def application(hub: Hub, history: list[dict[str, Any]], parent: str = "", **spec: Any) -> Row:
    tracking = {"argocd.argoproj.io/tracking-id": f"{parent}:argoproj.io/Application:argocd/web"}
    meta = {"name": "web", "namespace": "argocd"} | ({"annotations": tracking} if parent else {})
    spec = {"destination": {"name": "prod-eu", "namespace": "shop"}} | spec
    entries = [{"id": number} | entry for number, entry in enumerate(history)]
    made = row(APPLICATIONS, {"metadata": meta, "spec": spec, "status": {"history": entries}}, "hub")
    hub.store.apply([made])
    return made


def source(hub: Hub, path: str = "apps/web", revision: str = "main", **more: Any) -> dict[str, Any]:
    return {"repoURL": f"file://{hub.world.origin}", "path": path, "targetRevision": revision} | more


async def out(hub: Hub, app: Row, word: int | str) -> Reversion:
    hub.world.seal()
    return await work_out(hub.drafts, hub.locator, app, entry_of(app, word), "prod-eu")


async def test_the_path_gets_what_it_had_as_one_commit(hub: Hub) -> None:
    good = push(hub, {"apps/web/web.yaml": WEB.format(1), "apps/web/logo.png": b"\0"}, "Start web")
    git(hub.world.clone, "rm", "-q", "apps/web/logo.png")
    bad = push(hub, {"apps/web/web.yaml": WEB.format(9), "apps/web/new.yaml": "a: 1\n"}, "Scale web")
    push(hub, {"other.yaml": "a: 1\n"}, "Another thing")
    app = application(hub, [{"revision": good, "source": source(hub)}], source=source(hub))
    plan = await out(hub, app, good[:8])
    assert not plan.pins and not plan.outside and not plan.notes
    draft = await draft_it(hub.drafts, hub.locator.locate, plan)
    listed = await hub.drafts.show(draft)
    assert {file.path: file.status for file in listed.files} == {
        "apps/web/web.yaml": "M", "apps/web/new.yaml": "D", "apps/web/logo.png": "A",
    }  # fmt: skip
    assert not draft.dirty
    ((_, (commit,)),) = await hub.drafts.log(draft.name)
    lines = commit.message.splitlines()
    assert lines[0] == f"Revert web to {good[:7]}: Start web"
    assert f"- {bad[:10]} Scale web" in lines and "Another thing" not in commit.message
    assert {"Fleet-Application: web", "Fleet-Cluster: prod-eu"} <= set(lines)
    with pytest.raises(Refused, match="nothing to revert"):
        await out(hub, application(hub, [{"revision": "main", "source": source(hub)}], source=source(hub)), 0)


async def test_bases_and_values_come_back_too(hub: Hub) -> None:
    kustomization = "resources: [../base]\n"
    files: dict[str, str | bytes] = {
        "apps/web/kustomization.yaml": kustomization,
        "apps/base/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/base/web.yaml": WEB.format(1),
        "values/web.yaml": "a: 1\n",
    }
    good = push(hub, files, "one")
    push(hub, {"apps/base/web.yaml": WEB.format(2), "values/web.yaml": "a: 2\n", "values/x.yaml": "a: 2\n"}, "two")
    chart = {"repoURL": "https://charts.example", "chart": "x", "targetRevision": "1.0.0"}
    sources = [
        source(hub),
        chart | {"helm": {"valueFiles": ["$v/values/web.yaml"]}},
        {key: value for key, value in source(hub).items() if key != "path"} | {"ref": "v"},
    ]
    entry = {"revisions": [good, "1.0.0", good], "sources": sources}
    plan = await out(hub, application(hub, [entry], sources=sources), 0)
    changed = {file.path for back in plan.backs for file in back.files}
    assert changed == {"apps/base/web.yaml", "values/web.yaml"} == set(plan.outside)
    draft = await draft_it(hub.drafts, hub.locator.locate, plan)
    assert {file.path for file in (await hub.drafts.show(draft)).files} == changed


async def test_a_chart_gets_the_version_it_had(hub: Hub) -> None:
    chart = {"repoURL": "https://charts.example", "chart": "x", "targetRevision": "2.0.0"}
    spec = "spec:\n  source:\n    chart: x\n    targetRevision: 2.0.0  # newest\n"
    push(hub, {"argocd/web.yaml": f"{HEAD}metadata: {{name: web, namespace: argocd}}\n{spec}"}, "web")
    hub.application("root", "prod-eu", parent="")
    old = chart | {"targetRevision": "1.0.0"}
    app = application(hub, [{"revision": "1.0.0", "source": old}], "root", source=chart)
    plan = await out(hub, app, 0)
    assert plan.pins == (("spec.source.targetRevision", "1.0.0"),) and not plan.backs
    draft = await draft_it(hub.drafts, hub.locator.locate, plan)
    assert "targetRevision: 1.0.0  # newest" in (await hub.drafts.open(draft, "argocd/web.yaml")).text
    ((_, (commit,)),) = await hub.drafts.log(draft.name)
    assert commit.subject == "Revert web to 1.0.0" and not draft.dirty


async def test_a_pinned_source_is_pinned_again(hub: Hub) -> None:
    good = push(hub, {"apps/web/web.yaml": WEB.format(1)}, "one")
    git(hub.world.clone, "tag", "v1")
    git(hub.world.clone, "push", "-q", "origin", "v1")
    then = source(hub, revision="v1")
    plan = await out(hub, application(hub, [{"revision": good, "source": then}], source=source(hub, revision="v2")), 0)
    assert plan.pins == (("spec.source.targetRevision", "v1"),)
    with pytest.raises(Refused, match="the manifest of web: no Application tracks it"):
        await draft_it(hub.drafts, hub.locator.locate, plan)
    assert await hub.drafts.list() == []


@pytest.mark.parametrize("word", [7, "7", "ffff", "v9"])
async def test_what_was_never_deployed_is_refused(hub: Hub, word: int | str) -> None:
    app = application(hub, [{"revision": "0123456789" * 4, "source": source(hub)}], source=source(hub))
    with pytest.raises(Refused, match=r"its history: 0 \(0123456"):
        entry_of(app, word)


async def test_a_revision_that_is_not_here(hub: Hub) -> None:
    app = application(hub, [{"revision": "0123456789" * 4, "source": source(hub)}], source=source(hub))
    with pytest.raises(Trouble, match="is not in"):
        await out(hub, app, 0)
    assert await hub.drafts.list() == []


async def test_one_commit_is_reverted(hub: Hub) -> None:
    push(hub, {"apps/web/web.yaml": WEB.format(1)}, "one")
    bad = push(hub, {"apps/web/web.yaml": WEB.format(2), "x.yaml": "a: 1\n"}, "two")
    push(hub, {"apps/web/new.yaml": "a: 1\n"}, "three")
    repo = str(hub.world.clone)
    hub.world.seal()
    draft = await hub.drafts.revert_commit(repo, bad, ["apps/web"], Operation("", "revert", application="web"))
    assert {file.path for file in (await hub.drafts.show(draft)).files} == {"apps/web/web.yaml"}
    ((_, (commit,)),) = await hub.drafts.log(draft.name)
    assert commit.message.startswith(f'Revert "two"\n\nThis reverts commit {bad} below apps/web.\n')
    hub.world.upstream({"apps/web/web.yaml": WEB.format(3)})
    await (await hub.drafts.repository(repo)).fetch()
    with pytest.raises(Clashing) as failed:
        await hub.drafts.revert_commit(repo, bad, ["apps/web"], Operation("", "revert"))
    assert [clash.path for clash in failed.value.clashes] == ["apps/web/web.yaml"]
    assert [listed.draft.id for listed in await hub.drafts.list()] == [draft.id]
    assert msgspec.structs.asdict(draft)["tip"] != draft.base
