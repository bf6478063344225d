"""The resource tree of an Application from the rows at hand."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.domain.rows import meta, owned, row, store
from tui.domain.argo.application import Application
from tui.domain.argo.tree import Node, build, flatten, needs, orphans
from tui.domain.kinds.kind import Health
from tui.domain.obj import Ref
from tui.store import Store

DEPLOYMENT = {
    "group": "apps",
    "version": "v1",
    "kind": "Deployment",
    "namespace": "shop",
    "name": "web",
    "status": "Synced",
}
POD_BROKEN = {
    "phase": "Running",
    "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}],
}


def application(*resources: dict[str, Any]) -> Application:
    return msgspec.convert(
        {"metadata": meta("checkout", "argocd"), "status": {"resources": list(resources)}}, Application
    )


def live() -> Store:
    replicas = {
        "observedGeneration": 0,
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": 1,
        "readyReplicas": 1,
    }
    return store(
        row("prod", "deployments.apps", {"metadata": meta("web"), "spec": {"replicas": 1}, "status": replicas}),
        row("prod", "replicasets.apps", {"metadata": owned("web-1", "Deployment", "web"), "spec": {"replicas": 1}}),
        row("prod", "pods", {"metadata": owned("web-1-b", "ReplicaSet", "web-1"), "spec": {}, "status": POD_BROKEN}),
        row("prod", "pods", {"metadata": owned("web-1-a", "ReplicaSet", "web-1"), "status": {"phase": "Pending"}}),
        row("prod", "ciliumendpoints.cilium.io", {"metadata": owned("web-1-a", "Pod", "web-1-a")}),
        row("other", "pods", {"metadata": owned("web-1-x", "ReplicaSet", "web-1"), "status": {"phase": "Pending"}}),
    )


def shape(roots: list[Node]) -> list[str]:
    return [f"{'  ' * depth}{node.kind} {node.name}" for depth, node in flatten(roots)]


def test_a_deployment_with_its_replica_set_and_pods() -> None:
    roots = build(application(DEPLOYMENT), "hub", "prod", live())
    assert shape(roots) == ["Deployment web", "  ReplicaSet web-1", "    Pod web-1-a", "    Pod web-1-b"]
    deployment, replicas, first, second = (node for _, node in flatten(roots))
    assert (deployment.sync, deployment.health, deployment.told, deployment.seen) == (
        "Synced",
        Health("Healthy"),
        "computed",
        True,
    )
    assert replicas.sync == "" and replicas.edge == "owned"
    assert (first.state, first.health) == ("Pending", Health("Progressing"))
    assert (second.state, second.detail) == ("CrashLoopBackOff", "back-off")
    assert second.ref == Ref("prod", "pods", "shop", "web-1-b")
    assert deployment.worst == "Degraded"


def test_stored_health_wins_over_computed_and_says_so() -> None:
    stored = {**DEPLOYMENT, "health": {"status": "Degraded", "message": "deadline\nexceeded"}}
    (node,) = build(application(stored), "hub", "prod", live())
    assert (node.health, node.told, node.detail) == (
        Health("Degraded", "deadline\nexceeded"),
        "stored",
        "deadline exceeded",
    )


def test_missing_is_only_said_where_the_kind_was_listed() -> None:
    gone = {**DEPLOYMENT, "name": "gone", "status": "OutOfSync"}
    (unknown,) = build(application(gone), "hub", "prod", live())
    assert (unknown.seen, unknown.health) == (None, None)
    (missing,) = build(application(gone), "hub", "prod", live(), lambda cluster, resource: True)
    assert (missing.seen, missing.health, missing.told) == (False, Health("Missing"), "computed")
    (hook,) = build(application({**gone, "hook": True}), "hub", "prod", live(), lambda cluster, resource: True)
    assert hook.health is None


def test_nothing_is_seen_when_the_destination_is_not_known() -> None:
    (node,) = build(application(DEPLOYMENT), "hub", "", live(), lambda cluster, resource: True)
    assert (node.ref, node.seen, node.health, node.children) == (None, None, None, ())


def test_a_kind_fleet_has_no_name_for_is_shown_as_stored() -> None:
    strange = {
        "group": "example.com",
        "kind": "Widget",
        "namespace": "shop",
        "name": "w",
        "status": "OutOfSync",
        "requiresPruning": True,
        "syncWave": 3,
    }
    (node,) = build(application(strange), "hub", "prod", live())
    assert (node.ref, node.sync, node.pruning, node.wave, node.seen) == (None, "OutOfSync", True, 3, None)


def test_child_applications_show_their_own_health() -> None:
    child = {"group": "argoproj.io", "kind": "Application", "namespace": "argocd", "name": "child", "status": "Synced"}
    rows = store(
        row(
            "hub",
            "applications.argoproj.io",
            {"metadata": meta("child", "argocd"), "status": {"health": {"status": "Missing"}}},
        )
    )
    (node,) = build(application(child), "hub", "hub", rows)
    assert (node.health, node.told) == (Health("Missing"), "own")
    assert node.children == ()


def test_owner_references_that_form_a_cycle_end() -> None:
    rows = store(
        row("prod", "deployments.apps", {"metadata": owned("web", "Pod", "a")}),
        row("prod", "pods", {"metadata": owned("a", "Deployment", "web")}),
        row("prod", "pods", {"metadata": owned("b", "Pod", "b")}),
    )
    assert shape(build(application(DEPLOYMENT), "hub", "prod", rows)) == ["Deployment web", "  Pod a"]


def test_a_managed_object_below_another_is_shown_once_as_a_root() -> None:
    pod = {"kind": "Pod", "namespace": "shop", "name": "web-1-a", "status": "Synced"}
    assert shape(build(application(DEPLOYMENT, pod), "hub", "prod", live())) == [
        "Deployment web",
        "  ReplicaSet web-1",
        "    Pod web-1-b",
        "Pod web-1-a",
    ]


def test_claims_of_a_stateful_set_and_tokens_of_an_account_are_inferred() -> None:
    templates = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    token = meta("bot-token-x", annotations={"kubernetes.io/service-account.uid": "shop/bot"})
    foreign = meta("bot-token-y", annotations={"kubernetes.io/service-account.uid": "another"})
    rows = store(
        row("prod", "statefulsets.apps", {"metadata": meta("db"), "spec": templates}),
        *(
            row("prod", "persistentvolumeclaims", {"metadata": meta(name)})
            for name in ("data-db-0", "data-db-x", "data-db2-0")
        ),
        row("prod", "serviceaccounts", {"metadata": meta("bot")}),
        row("prod", "secrets", {"metadata": token}),
        row("prod", "secrets", {"metadata": foreign}),
    )
    sts = {"group": "apps", "kind": "StatefulSet", "namespace": "shop", "name": "db"}
    account = {"kind": "ServiceAccount", "namespace": "shop", "name": "bot"}
    roots = build(application(sts, account), "hub", "prod", rows)
    assert shape(roots) == [
        "StatefulSet db",
        "  PersistentVolumeClaim data-db-0",
        "ServiceAccount bot",
        "  Secret bot-token-x",
    ]
    assert roots[0].children[0].edge == "inferred"


def test_what_is_being_deleted_is_progressing() -> None:
    gone = {"metadata": meta("web", deletionTimestamp="2026-11-22T09:00:00Z"), "spec": {"paused": True}}
    (node,) = build(application(DEPLOYMENT), "hub", "prod", store(row("prod", "deployments.apps", gone)))
    assert node.health == Health("Progressing", "Pending deletion")


def test_what_a_full_tree_needs_to_look_at() -> None:
    widget = {"group": "example.com", "kind": "Widget", "name": "w"}
    assert needs(application(DEPLOYMENT, widget)) == {"deployments.apps", "replicasets.apps", "pods"}


def test_orphans_are_top_level_and_nobodys() -> None:
    tracked = meta("mine", annotations={"argocd.argoproj.io/tracking-id": "a:/ConfigMap:shop/mine"})
    rows = [
        row("prod", "configmaps", {"metadata": tracked}),
        row("prod", "configmaps", {"metadata": meta("kube-root-ca.crt")}),
        row("prod", "configmaps", {"metadata": meta("left")}),
        row("prod", "configmaps", {"metadata": meta("managed")}),
        row("prod", "configmaps", {"metadata": meta("far", "elsewhere")}),
        row("prod", "serviceaccounts", {"metadata": meta("default")}),
        row("prod", "pods", {"metadata": owned("p", "Job", "j")}),
    ]
    assert [each.ref.name for each in orphans("shop", rows, {rows[3].ref})] == ["left"]


def test_applications_that_a_set_has_made_say_their_own_health_and_sync() -> None:
    made = {"metadata": owned("shop-eu", "ApplicationSet", "shop"), "status": {"health": {"status": "Degraded"}}}
    made["status"]["sync"] = {"status": "OutOfSync"}
    rows = store(
        row("hub", "applicationsets.argoproj.io", {"metadata": meta("shop")}),
        row("hub", "applications.argoproj.io", made),
    )
    managed = {
        "group": "argoproj.io",
        "kind": "ApplicationSet",
        "namespace": "shop",
        "name": "shop",
        "status": "Synced",
    }
    (root,) = build(application(managed), "hub", "hub", rows)
    (child,) = root.children
    assert (child.health, child.told, child.state, child.sync) == (Health("Degraded"), "own", "OutOfSync", "")
