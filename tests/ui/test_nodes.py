"""The cluster tree: what stands below each node."""

from __future__ import annotations

import pytest

from tests.ui import shop
from tests.ui.still import StillFleet, at_rest, screen
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref
from tui.ui.panes import tree as tree_pane
from tui.ui.panes.nodes import ALL, CUSTOM, Nodes
from tui.ui.panes.tree import TreePane
from tui.ui.scope import APPLICATIONS, Scope
from tui.ui.widgets.tree import LazyTree, Node


def ids(nodes: Nodes, node: object = None) -> list[object]:
    return [child.id for child in nodes.children(node)]  # type: ignore[arg-type]


def words(nodes: Nodes, node: object, child: object) -> str:
    found = next(each for each in nodes.children(node) if each.id == child)  # type: ignore[arg-type]
    return " ".join(cell.text for cell in (*found.label, *found.aside))


async def test_groups_stand_first_and_know_how_many_are_live(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    assert ids(nodes) == [ALL, *(("group", name) for name in ("dev", "edge", "platform", "prod", "staging"))]
    assert words(nodes, None, ("group", "edge")) == "edge 1/2"


async def test_a_virtual_cluster_stands_in_the_one_it_runs_in(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    assert ids(nodes, ("group", "prod")) == [("cluster", "prod-eu"), ("cluster", "prod-us")]
    assert ids(nodes, ("cluster", "prod-eu"))[-1] == ("cluster", "prod-eu-tenant")


async def test_a_cluster_says_its_state_and_the_age_of_what_is_known(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    assert words(nodes, ("group", "dev"), ("cluster", "dev-1")).startswith("◐ dev-1 5m")
    assert words(nodes, ("group", "edge"), ("cluster", "edge-kiosk-7")).startswith("✖ edge-kiosk-7")
    assert "✖1" in words(nodes, ("group", "prod"), ("cluster", "prod-eu"))


async def test_what_is_not_known_is_no_number(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    assert words(nodes, ("cluster", "edge-kiosk-7"), ("nodes", "edge-kiosk-7")) == "Nodes ?"
    assert words(nodes, ("cluster", "prod-eu"), ("nodes", "prod-eu")) == "Nodes 3"


async def test_applications_of_a_cluster_worst_first(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    assert [ref.name for ref in ids(nodes, ("applications", "prod-us"))] == [  # type: ignore[attr-defined]
        "payments-prod-us",
        "storefront-prod-us",
        "checkout-prod-us",
    ]


async def test_workloads_have_their_pods_without_replicasets_between(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    assert ids(nodes, ("namespace", "prod-eu", "payments")) == [
        Ref("prod-eu", "deployments.apps", "payments", "payments")
    ]
    pods = ids(nodes, Ref("prod-eu", "deployments.apps", "payments", "payments"))
    assert [ref.name for ref in pods] == ["payments-6d4f-x7k2p", "payments-6d4f-z9q4m"]  # type: ignore[attr-defined]
    assert {ref.cluster for ref in pods} == {"prod-eu"}  # type: ignore[attr-defined]


async def test_a_namespace_without_workloads_says_so(fleet: StillFleet) -> None:
    fleet.store.apply([shop.row("prod-eu", "namespaces", {"kind": "Namespace", "metadata": shop.meta("empty")})])
    nodes = Nodes(fleet.store, fleet.facts)
    assert "no workloads" in words(nodes, ("namespace", "prod-eu", "empty"), ("none", "prod-eu", "empty"))


async def test_the_chosen_part_stands_out(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)

    def tones(group: str) -> dict[object, str]:
        return {node.id: node.label[-1].tone.value for node in nodes.children(("group", group))}

    assert tones("dev") == {("cluster", "dev-1"): "plain"}
    nodes.scope = Scope(cluster="dev-1")
    assert tones("dev") == {("cluster", "dev-1"): "accent"}
    assert set(tones("prod").values()) == {"loud"}, "production is so whatever is chosen"


async def test_every_node_of_the_shop_has_an_id_of_its_own(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    seen: set[object] = set()
    waiting: list[object] = [None]
    while waiting:
        for child in nodes.children(waiting.pop()):  # type: ignore[arg-type]
            assert child.id not in seen, child.id
            seen.add(child.id)
            if child.expandable:
                waiting.append(child.id)
    assert len(seen) > 80


def test_custom_resources_are_kinds_fleet_knows() -> None:
    assert CUSTOM and all(resource in KINDS for resource in CUSTOM)
    assert all(resource.endswith("cilium.io") for resource in CUSTOM)


def labels(nodes: list[Node]) -> list[str]:
    return [" ".join(cell.text for cell in (*node.label, *node.aside)) for node in nodes]


async def test_below_an_application_is_its_resource_tree(fleet: StillFleet) -> None:
    nodes = Nodes(fleet.store, fleet.facts)
    ref = Ref("hub-eu", APPLICATIONS, "argocd", "payments-prod-us")
    (application,) = [node for node in nodes.children(("applications", "prod-us")) if node.id == ref]
    assert application.expandable
    roots = nodes.children(ref)
    assert labels(roots) == [
        "↑ deploy/payments OutOfSync",
        "♥ svc/payments",
        "∅ cm/payments-settings Missing",
    ]
    (replicas,) = nodes.children(roots[0].id)
    pods = nodes.children(replicas.id)
    assert labels(pods)[-1].endswith("po/payments-6d4f-z9q4m CrashLoopBackOff")
    assert len({node.id for node in (*roots, replicas, *pods)}) == 6, "ids are unique in the whole tree"
    assert not roots[2].expandable


async def test_an_open_application_has_its_objects_watched_and_opens_them(fleet: StillFleet) -> None:
    ref = Ref("hub-eu", APPLICATIONS, "argocd", "payments-prod-us")
    async with screen(fleet) as (app, pilot):
        tree = app.screen.query_one(TreePane)
        for node in (("cluster", "prod-us"), ("applications", "prod-us"), ref):
            tree.lines.expand_node(node)
        await at_rest(app, pilot)
        resources, clusters = fleet.looked["tree"]
        assert {"pods", "replicasets.apps", "configmaps"} <= resources and clusters == {"prod-us"}
        deployment = Ref("prod-us", "deployments.apps", "payments", "payments")
        tree.lines.expand_node(("resource", ref, deployment))
        tree.take_focus()
        tree.lines.move_to(("resource", ref, deployment))
        assert tree.here() == deployment
        await pilot.press("enter")
        await at_rest(app, pilot)
        assert app.screen.ref == deployment  # type: ignore[attr-defined]


async def test_the_tree_asks_again_only_for_what_may_have_changed(
    fleet: StillFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_pane, "RELOAD", 0.0)
    async with screen(fleet) as (app, pilot):
        pane = app.shell.query_one(TreePane)
        for cluster in ("prod-eu", "prod-us"):
            pane.lines.expand_node(("cluster", cluster))
            pane.lines.expand_node(("namespaces", cluster))
        await at_rest(app, pilot)
        asked: list[object] = []
        children = pane.nodes.children
        monkeypatch.setattr(pane.nodes, "children", lambda node: asked.append(node) or children(node))
        fleet.store.apply([shop.row("prod-us", "namespaces", {"metadata": shop.meta("brand-new")})])
        fleet.notify()
        while ("namespace", "prod-us", "brand-new") not in pane.lines.visible_ids:
            await pilot.pause()
        assert ("namespaces", "prod-us") in asked and ("namespaces", "prod-eu") not in asked


@pytest.mark.parametrize("change", ["other", "gone"])
async def test_an_application_that_changes_its_destination_or_goes_leaves_the_tree_where_it_was(
    fleet: StillFleet, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(tree_pane, "RELOAD", 0.0)
    async with screen(fleet) as (app, pilot):
        lines = app.shell.query_one(TreePane).lines
        for word in ("cluster", "applications"):
            for cluster in ("prod-eu", "prod-us"):
                lines.expand_node((word, cluster))
        await at_rest(app, pilot)
        known = list(next(each for each in shop.APPLICATIONS if each[0] == "storefront-prod-eu"))
        ref = Ref(shop.HUB, APPLICATIONS, "argocd", known[0])
        assert _under(lines, ref) == ("applications", "prod-eu")
        if change == "gone":
            fleet.store.apply([], [ref])
        else:
            known[2] = next(each for each in shop.APPLICATIONS if each[0].endswith("prod-us"))[2]
            fleet.store.apply([shop.row(shop.HUB, APPLICATIONS, shop.application(*known))])
        fleet.notify()
        wanted = None if change == "gone" else ("applications", "prod-us")
        while _under(lines, ref) != wanted:
            await pilot.pause()


def _under(lines: LazyTree, node: object) -> object:
    """The node that another one is shown below; None when it is not shown."""
    return next((item.parent.node.id for item in lines._flat if item.node.id == node), None)
