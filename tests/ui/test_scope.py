"""What belongs to the part of the fleet that is chosen, and the way back through views."""

from __future__ import annotations

from tests.ui.still import StillFleet
from tui.domain.obj import Ref
from tui.ui.scope import APPLICATIONS, History, Scope, View


def names(fleet: StillFleet, resource: str, scope: Scope) -> set[str]:
    clusters = scope.clusters(fleet.store)
    rows = fleet.store.rows(resource)
    return {row.ref.name for row in rows if scope.admits(row, clusters, fleet.facts)}


async def test_a_cluster_has_the_applications_that_deploy_to_it(fleet: StillFleet) -> None:
    found = names(fleet, APPLICATIONS, Scope(cluster="prod-eu"))
    assert found == {"storefront-prod-eu", "checkout-prod-eu", "payments-prod-eu"}


async def test_a_hub_has_the_applications_that_live_in_it(fleet: StillFleet) -> None:
    assert names(fleet, APPLICATIONS, Scope(cluster="hub-eu")) == names(fleet, APPLICATIONS, Scope())


async def test_a_group_has_its_clusters(fleet: StillFleet) -> None:
    assert names(fleet, "clusters", Scope(group=("edge",))) == {"edge-kiosk-7", "edge-kiosk-9"}
    pods = {name.partition("-")[0] for name in names(fleet, "pods", Scope(group=("edge",)))}
    assert pods == {"kiosk"}


async def test_a_namespace_narrows_applications_by_their_destination(fleet: StillFleet) -> None:
    found = names(fleet, APPLICATIONS, Scope(cluster="prod-eu", namespace="payments"))
    assert found == {"payments-prod-eu"}


async def test_an_application_has_what_it_tracks(fleet: StillFleet) -> None:
    application = Ref("hub-eu", APPLICATIONS, "argocd", "checkout-prod-us")
    assert names(fleet, "deployments.apps", Scope(application=application)) == {"checkout"}
    assert {name.partition("-")[0] for name in names(fleet, "pods", Scope(application=application))} == {"checkout"}
    assert names(fleet, APPLICATIONS, Scope(application=application)) == {"checkout-prod-us"}


async def test_drafts_belong_to_every_scope(fleet: StillFleet) -> None:
    assert names(fleet, "drafts", Scope(cluster="prod-eu")) == names(fleet, "drafts", Scope())


def test_history_goes_back_and_forward_and_swaps() -> None:
    history = History()
    first, second, third = View("applications"), View("policies"), View("events")
    for view in (first, second, third):
        history.visit(view)
    assert history.step(-1) == second
    assert history.step(-1) == first
    assert history.step(-1) is None
    assert history.step(1) == second
    history.visit(third)
    assert history.step(1) is None
    assert history.swap() == second
    assert history.swap() == third


def test_the_same_view_twice_is_one_step() -> None:
    history = History()
    history.visit(View("events"))
    history.visit(View("events"))
    assert len(history.views) == 1


def test_history_is_bounded() -> None:
    history = History()
    for number in range(500):
        history.visit(View("objects", str(number)))
    assert len(history.views) == 100
    assert history.current == View("objects", "499")
