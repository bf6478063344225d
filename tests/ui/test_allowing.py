"""From a dropped flow to a draft with the rule that lets it pass, by keys, with real Git."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml
from textual.pilot import Pilot

from tests.git.conftest import World, git
from tests.git.conftest import home as home
from tests.git.conftest import world as world
from tests.ui import shop
from tests.ui.still import at_rest, screen
from tests.ui.test_editing import DEPLOYMENT, EditingFleet, until
from tests.ui.test_making import KUSTOMIZATION, answer, choose
from tests.ui.test_policies import CNP, EU, config, endpoint
from tui.domain.cilium.hubble.observed import Observed, Party
from tui.domain.obj import Ref, Row
from tui.ui.app import FleetApp
from tui.ui.screens.dialogs import Choice, Confirm
from tui.ui.screens.diff import DiffScreen
from tui.ui.widgets.viewer import Viewer

WEB: dict[str, Any] = {
    "endpointSelector": {"matchLabels": {"app": "web"}},
    "ingress": [{"fromEndpoints": [{"matchLabels": {"app": "probe"}}]}],
}
FILE = """\
# who may call the web
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: web
  namespace: web
spec:
  endpointSelector:
    matchLabels: {app: web}
  ingress:
    - fromEndpoints:
        - matchLabels: {app: probe}  # ours
"""


@pytest.fixture
def ready(world: World) -> World:
    files: dict[str, str | bytes] = {
        "deploy/web/deployment.yaml": DEPLOYMENT,
        "deploy/web/policy.yaml": FILE,
        "deploy/web/kustomization.yaml": KUSTOMIZATION.replace("other.yaml", "policy.yaml"),
    }
    world.commit(files, "web")
    git(world.clone, "push", "-q", "origin", "HEAD")
    world.seal()
    return world


def end(app: str, number: int) -> tuple[Party, Any]:
    """A pod as flows know it, and its CiliumEndpoint's row."""
    row = endpoint(EU, "web", f"{app}-1", app, number)
    labels = tuple(sorted(row.obj.status.identity.labels))
    return Party("web", f"{app}-1", app, "Deployment", labels, f"10.1.0.{number}", EU), row


@asynccontextmanager
async def dropping(place: World, *pods: Row, **spec: Any) -> AsyncIterator[tuple[EditingFleet, FleetApp, Pilot[None]]]:
    """The Flows pane with the cursor on a flow that was dropped twice; the namespace has one policy."""
    fleet = EditingFleet(place)
    (client, one), (web, other) = end("client", 1), end("web", 2)
    tracked = {"argocd.argoproj.io/tracking-id": "web:cilium.io/CiliumNetworkPolicy:web/web"}
    made = {"kind": "CiliumNetworkPolicy", "metadata": shop.meta("web", "web", annotations=tracked), "spec": spec}
    held = shop.row(EU, CNP, made)
    gone = [row.ref for row in fleet.store.rows(CNP, EU)]
    fleet.store.apply([*config(EU), one, other, *pods, held], [ref for ref in gone if ref != held.ref])
    for age in (60, 30):
        flow = Observed(
            shop.NOW - age, "DROPPED", client, web, direction="ingress", protocol="TCP", port=9090,
            reason="POLICY_DENIED", event=1,
        )  # fmt: skip
        fleet.flows.put(EU, flow)
    async with screen(fleet, (120, 36)) as (app, pilot):
        await app.shell.go("flows", cluster=EU, namespace="web")
        await at_rest(app, pilot)
        yield fleet, app, pilot


async def committed(fleet: EditingFleet, app: FleetApp, pilot: Pilot[None]) -> str:
    """Commit what is shown; the whole message."""
    message = await fleet.drafts.message((await fleet.drafts.list())[0].draft)
    await pilot.press("c")
    await until(lambda: app.screen.query("#prompt Input"), pilot)
    await pilot.press("enter")
    await until(lambda: app.screen is app.shell, pilot)
    listed = (await fleet.drafts.list())[0]
    assert len(listed.commits) == 1 and not listed.draft.dirty
    return message


async def test_into_the_policy_of_the_workload(ready: World) -> None:
    async with dropping(ready, **WEB) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        facts = list(app.screen._facts)
        assert facts[0] == "allow ingress from app=client, port 9090/TCP"
        assert "into web/web; dropped 2 times" in facts[1]
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, Choice | DiffScreen), pilot)
        if isinstance(app.screen, Choice):  # which of the files that may declare it
            await pilot.press("enter")
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        await until(lambda: "client" in app.screen.query_one(Viewer).text, pilot)
        (listed,) = await fleet.drafts.list()
        assert listed.draft.title == "Allow web/client to web/web TCP/9090"
        text = (await fleet.drafts.open(listed.draft, "deploy/web/policy.yaml")).text
        assert text.startswith(FILE)
        added = yaml.safe_load(text)["spec"]["ingress"][1]
        assert added == {
            "fromEndpoints": [{"matchLabels": {"app": "client"}}],
            "toPorts": [{"ports": [{"port": "9090", "protocol": "TCP"}]}],
        }
        message = await committed(fleet, app, pilot)
        assert "web/client to web/web TCP/9090 was dropped 2 times" in " ".join(message.split())
        assert "POLICY_DENIED" in message and max(map(len, message.splitlines())) <= 72


async def test_as_a_policy_of_its_own_beside_the_workload(ready: World) -> None:
    everything: dict[str, Any] = {"endpointSelector": {}, "ingress": [{}]}
    async with dropping(ready, **everything) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        assert "in a policy of its own in web; dropped 2 times" in " ".join(app.screen._facts)
        await pilot.press("y")
        await answer(app, pilot, None)
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        (listed,) = await fleet.drafts.list()
        text = (await fleet.drafts.open(listed.draft, "deploy/web/ciliumnetworkpolicy-web.yaml")).text
        assert text.startswith("# drafted by fleet from a flow that was dropped 2 times, 2026-11-22T08:59:00Z to ")
        assert yaml.safe_load(text)["metadata"] == {"name": "allow-web-ingress", "namespace": "web"}
        listing = (await fleet.drafts.open(listed.draft, "deploy/web/kustomization.yaml")).text
        assert "ciliumnetworkpolicy-web.yaml" in listing
        assert "was dropped 2 times" in " ".join((await committed(fleet, app, pilot)).split())


async def test_what_would_be_enforced_by_it_is_asked_about(ready: World) -> None:
    """Its labels select another workload too, which nothing enforces yet."""
    only: dict[str, Any] = {"endpointSelector": {"matchLabels": {"track": "a"}}, "ingress": [{}]}
    pods = (endpoint(EU, "web", "web-1", "web", 2, **{"k8s:track": "a"}), endpoint(EU, "web", "web-2", "web", 3))
    async with dropping(ready, *pods, **only) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        facts = " ".join(app.screen._facts)
        assert "It would switch default deny on for web in web (ingress)" in facts
        await pilot.press("y")
        await choose(app, pilot, "leave the rest open")
        await answer(app, pilot, None)
        await until(lambda: isinstance(app.screen, DiffScreen), pilot)
        (listed,) = await fleet.drafts.list()
        text = (await fleet.drafts.open(listed.draft, "deploy/web/ciliumnetworkpolicy-web.yaml")).text
        assert yaml.safe_load(text)["spec"]["enableDefaultDeny"] == {"ingress": False}


async def test_turning_back_drafts_nothing(ready: World) -> None:
    async with dropping(ready, **WEB) as (fleet, app, pilot):
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, Confirm), pilot)
        await pilot.press("n")
        await at_rest(app, pilot)
        assert await fleet.drafts.list() == [] and app.screen is app.shell
        assert fleet.netpol._owners.keys() == {"flows"}
        assert Ref(EU, CNP, "web", "web") in {row.ref for row in fleet.store.rows(CNP)}
