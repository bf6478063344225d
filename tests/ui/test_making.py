"""Objects removed, made and edited together, and Applications reverted, by keys, with real Git."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

import pytest  # isort: skip

from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.ui import shop
from tests.ui.still import at_rest
from tests.ui.test_editing import DEPLOYMENT, WEB, editing, until
from tui.domain.obj import Ref
from tui.ui.app import FleetApp
from tui.ui.panes.drafts import DraftsPane
from tui.ui.scope import APPLICATIONS
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.dialogs import Choice, Confirm
from tui.ui.screens.diff import DiffScreen
from tui.ui.screens.editor import EditorScreen
from tui.ui.screens.form import FormScreen
from tui.ui.widgets.editor import Editor
from tui.ui.widgets.viewer import Viewer

KUSTOMIZATION = "resources:\n  - deployment.yaml\n  - other.yaml\n"
APP = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: %s, namespace: argocd}\n"


@pytest.fixture
def ready(world: World) -> World:
    files: dict[str, str | bytes] = {
        "deploy/web/deployment.yaml": DEPLOYMENT,
        "deploy/web/other.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: other}\n",
        "deploy/web/kustomization.yaml": KUSTOMIZATION,
    }
    world.commit(files, "web")
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    return world


async def choose(app: FleetApp, pilot: Pilot[None], name: str) -> None:
    """Choose a line of a list by what it is called."""
    await until(lambda: isinstance(app.screen, Choice), pilot)
    choices = app.screen._choices
    at = next(index for index, choice in enumerate(choices) if choice[1] == name)
    await pilot.press("g", *("j",) * at, "enter")


async def answer(app: FleetApp, pilot: Pilot[None], text: str | None) -> None:
    """Type a line at the bottom, or (None) take the one proposed."""
    await until(lambda: app.screen.query("#prompt Input"), pilot)
    line = app.screen.query_one("#prompt Input")
    await pilot.press(*(text or ""), "enter")
    await until(lambda: not line.is_attached, pilot)  # else the next answer would go to this line


async def test_an_object_is_removed_with_its_entry(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("ctrl+d")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert "removes deploy/web/deployment.yaml" in app.screen._facts
        assert "deploy/web/kustomization.yaml lists it no more" in app.screen._facts
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        await until(lambda: "deleted file" in app.screen.query_one(Viewer).text, pilot)
        assert "-  - deployment.yaml" in app.screen.query_one(Viewer).text
        (listed,) = await fleet.drafts.list()
        assert listed.draft.ops[0].op == "remove" and listed.draft.ops[0].application == "web"


async def test_giving_up_a_removal_makes_no_draft(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("delete")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("n")
        await at_rest(app, pilot)
        assert await fleet.drafts.list() == []


async def test_what_no_file_declares_is_not_removed(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        other = Ref("prod-eu", "deployments.apps", "payments", "payments")
        fleet.store.apply(
            [shop.row("prod-eu", "deployments.apps", {"metadata": {"name": "payments", "namespace": "payments"}})]
        )
        await at_rest(app, pilot)
        assert app.shell.pane.table.move_to(other)
        await pilot.press("ctrl+d")
        await at_rest(app, pilot)
        told = [notification.message for notification in app._notifications]
        assert any("payments: " in line for line in told)
        assert await fleet.drafts.list() == []


async def test_an_object_and_its_file_get_other_names(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("a")
        await choose(app, pilot, "Move the file")
        await until(lambda: app.screen.query("#prompt Input"), pilot)
        await pilot.press(*("backspace",) * len("deployment.yaml"), *"web.yaml", "enter")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert "deploy/web/kustomization.yaml follows" in app.screen._facts
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        (listed,) = await fleet.drafts.list()
        assert "  - web.yaml\n" in (await fleet.drafts.open(listed.draft, "deploy/web/kustomization.yaml")).text
        assert "move deploy/web/deployment.yaml" in await fleet.drafts.propose(listed.draft)


async def test_a_new_object_from_a_template_is_listed_and_edited(ready: World) -> None:
    async with editing(ready) as (fleet, app, pilot):
        await pilot.press("n")
        await choose(app, pilot, "Service")
        await answer(app, pilot, "web")
        await answer(app, pilot, None)
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        assert "namespace: web" in app.screen.query_one(Editor).text
        (listed,) = await fleet.drafts.list()
        assert {file.path: file.status for file in listed.files} == {
            "deploy/web/web-service.yaml": "A",
            "deploy/web/kustomization.yaml": "M",
        }


async def test_a_new_object_like_another(ready: World) -> None:
    async with editing(ready) as (_, app, pilot):
        await pilot.press("n")
        await choose(app, pilot, "like web")
        await answer(app, pilot, None)
        await until(lambda: isinstance(app.screen, EditorScreen), pilot)
        text = app.screen.query_one(Editor).text
        assert text.startswith("apiVersion: apps/v1\nkind: Deployment\n") and "status" not in text
        assert "uid" not in text and "tracking-id" not in text


def applications(world: World, fleet: object) -> list[Ref]:
    """Two Applications that one directory of the repository declares, under a third one."""
    refs = []
    for name, path, parent in (
        ("root", "argocd", ""),
        ("one", "x", "root"),
        ("two", "x", "root"),
        ("lost", "x", "root"),
    ):
        app = shop.application(name, "shop", "prod-eu", "x", "Synced", "Healthy", path, True, "")
        app["spec"]["source"]["repoURL"] = str(world.origin)
        if parent:
            tracking = f"{parent}:argoproj.io/Application:argocd/{name}"
            app["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": tracking}
        made = shop.row(shop.HUB, APPLICATIONS, app)
        fleet.store.apply([made])  # type: ignore[attr-defined]
        refs.append(made.ref)
    return refs[1:]


async def test_marked_applications_are_edited_together(ready: World) -> None:
    spec = "spec:\n  source:\n    path: x\n    targetRevision: v1  # released\n"
    ready.upstream({f"argocd/{name}.yaml": APP % name + spec for name in ("one", "two")})
    async with editing(ready) as (fleet, app, pilot):
        await (await fleet.drafts.repository(str(ready.origin))).fetch()
        refs = applications(ready, fleet)
        await app.shell.go("applications")
        await at_rest(app, pilot)
        for ref in refs:
            assert app.shell.pane.table.move_to(ref)
            await pilot.press("space")
        await pilot.press("a")
        await choose(app, pilot, "Target revision")
        await until(lambda: isinstance(app.screen, FormScreen) and isinstance(app.focused, Input), pilot)
        await pilot.press("backspace", "v", "2", "enter")
        await until(lambda: isinstance(app.screen, BulkScreen), pilot)
        found = {one.ref.name: one.state for one in app.screen._bulk.found}
        assert found == {"one": "will change", "two": "will change", "lost": "cannot"}
        await pilot.press("y")
        await choose(app, pilot, "one commit per application")
        await until(lambda: app.screen is app.shell and isinstance(app.shell.pane, DraftsPane), pilot)
        (listed,) = await fleet.drafts.list()
        assert len(listed.commits) == 2 and not listed.draft.dirty
        assert "targetRevision: v2  # released" in (await fleet.drafts.open(listed.draft, "argocd/one.yaml")).text


async def test_a_deployed_revision_is_reverted_to(ready: World) -> None:
    good = git(ready.clone, "rev-parse", "HEAD")
    ready.upstream({"deploy/web/deployment.yaml": DEPLOYMENT.replace("replicas: 3", "replicas: 9")}, message="too many")
    async with editing(ready) as (fleet, app, pilot):
        manifest = shop.application("web", "shop", "prod-eu", "web", "Synced", "Healthy", "deploy/web", True, "")
        manifest["spec"]["source"]["repoURL"] = str(ready.origin)
        manifest["status"]["history"] = [{"id": 4, "revision": good, "source": manifest["spec"]["source"]}]
        made = shop.row(shop.HUB, APPLICATIONS, manifest)
        fleet.store.apply([made])
        app.show_object(made.ref, "history")
        await at_rest(app, pilot)
        await pilot.press("R")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert f"to {good[:7]} web" in app.screen._facts
        assert any(fact.startswith("undoes ") and fact.endswith("too many") for fact in app.screen._facts)
        await pilot.press("y")
        await until(lambda: app.screen is app.shell and isinstance(app.shell.pane, DraftsPane), pilot)
        (listed,) = await fleet.drafts.list()
        assert listed.commits[0][1] == f"Revert web to {good[:7]}: web"
        assert "replicas: 3" in (await fleet.drafts.open(listed.draft, "deploy/web/deployment.yaml")).text


async def test_r_elsewhere_says_where_it_works(ready: World) -> None:
    async with editing(ready) as (_, app, pilot):
        app.show_object(WEB)
        await at_rest(app, pilot)
        await pilot.press("R")
        assert any("History" in notification.message for notification in app._notifications)
