"""What an object hangs together with, out of what is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.domain.rows import cluster, meta, row, store
from tests.fleet.watching import config
from tests.support import serving, thing
from tui.adapters.kube import KubeClusters
from tui.demo.apiserver.access import Deny
from tui.domain.kinds.catalogue import Catalogue
from tui.domain.obj import Ref
from tui.domain.settings import Settings
from tui.fleet.runtime import Fleet
from tui.fleet.xray import Thing, XRay, needed

SPEC = {
    "containers": [{"name": "web", "envFrom": [{"configMapRef": {"name": "settings"}}]}],
    "serviceAccountName": "web",
    "nodeName": "n1",
}


def grown(name: str, kind: str, owner: str, **more: Any) -> dict[str, Any]:
    """Metadata of an object that a workload controls."""
    named = {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": f"shop/{owner}", "controller": True}
    return meta(name, ownerReferences=[named], **more)


ROWS = [
    cluster("c1"),
    row("c1", "deployments.apps", {"metadata": meta("web"), "spec": {"template": {"spec": SPEC}}}),
    row(
        "c1",
        "replicasets.apps",
        {"metadata": grown("web-1", "Deployment", "web"), "spec": {"template": {"spec": SPEC}}},
    ),
    *(
        row("c1", "pods", {"metadata": grown(name, "ReplicaSet", "web-1", labels={"app": "web"}), "spec": SPEC})
        for name in ("web-1-a", "web-1-b")
    ),
    row("c1", "pods", {"metadata": meta("bare", labels={"app": "bare"}), "spec": {**SPEC, "nodeName": "n2"}}),
    row("c1", "pods", {"metadata": meta("web-1-a", "other", labels={"app": "web"}), "spec": SPEC}),
    row("c2", "pods", {"metadata": meta("web-1-a", labels={"app": "web"}), "spec": SPEC}),
    row("c1", "services", {"metadata": meta("web", uid="service"), "spec": {"selector": {"app": "web"}}}),
    row("c1", "configmaps", {"metadata": meta("settings")}),
    row("c1", "nodes", {"metadata": meta("n1", "")}),
    row(
        "c1",
        "horizontalpodautoscalers.autoscaling",
        {
            "metadata": meta("web"),
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
        },
    ),
]


def lines(things: tuple[Thing, ...], depth: int = 0) -> list[str]:
    made = []
    for each in things:
        mark = {True: "", False: " missing", None: " ?"}[each.seen]
        made.append("  " * depth + f"{each.how} {each.kind}/{each.name}{mark}".strip())
        made += lines(each.children, depth + 1)
    return made


def picture(resource: str, name: str, namespace: str = "shop", others: Any = ()) -> dict[str, list[str]]:
    held = store(*ROWS)
    found = held.get(Ref("c1", resource, namespace, name))
    assert found is not None
    listed = {"serviceaccounts", "nodes", "configmaps"}
    made = XRay(found, found.manifest(), held, Catalogue(), lambda cluster, resource: resource in listed, others)
    return {part.title: lines(part.things) for part in made.parts()}


def test_a_service_leads_to_pods_and_nodes() -> None:
    assert picture("services", "web") == {
        "Uses": [
            *("selects Pod/web-1-a", "  runs on Node/n1"),
            *("selects Pod/web-1-b", "  runs on Node/n1"),
        ]
    }  # fmt: skip


def test_a_pod_leads_up_to_its_deployment_and_to_all_it_uses() -> None:
    assert picture("pods", "bare") == {
        "Uses": ["env ConfigMap/settings", "acts as ServiceAccount/web missing", "runs on Node/n2 missing"]
    }
    found = picture("pods", "web-1-a")
    assert found["Used by"] == ["selects it Service/web"]
    assert found["Uses"] == ["env ConfigMap/settings", "acts as ServiceAccount/web missing", "runs on Node/n1"]


def test_of_a_workload_and_its_pods_only_the_workload_uses_a_config_map() -> None:
    assert picture("configmaps", "settings") == {
        "Used by": ["env Pod/bare", "  runs on Node/n2 missing", "env Deployment/web"]
    }


def test_what_grew_from_a_deployment() -> None:
    found = picture("deployments.apps", "web")
    assert found["Used by"] == ["scaleTargetRef HorizontalPodAutoscaler/web"]
    assert found["Grew from it"] == [
        "ReplicaSet/web-1",
        *("  Pod/web-1-a", "    runs on Node/n1", "  Pod/web-1-b", "    runs on Node/n1"),
    ]  # fmt: skip


def test_a_node_has_its_pods_in_every_namespace() -> None:
    names = [line for line in picture("nodes", "n1", "")["Used by"] if line.startswith("runs on it")]
    assert names == ["runs on it Pod/web-1-a", "runs on it Pod/web-1-b", "runs on it Pod/web-1-a"]


def test_an_owner_of_a_kind_nobody_told_of_is_named_all_the_same() -> None:
    manifest = {
        "metadata": meta("x", ownerReferences=[{"apiVersion": "x.io/v1", "kind": "Gadget", "name": "g", "uid": "1"}])
    }
    made = row("c1", "configmaps", manifest)
    found = XRay(made, manifest, store(made), Catalogue(), lambda cluster, resource: True)
    (part,) = found.parts()
    assert (part.title, lines(part.things), found.owner()) == ("Owned by", ["owns it Gadget/g ?"], None)


def test_what_is_watched_for_it() -> None:
    found = store(*ROWS).get(Ref("c1", "configmaps", "shop", "settings"))
    assert found is not None
    wanted = needed(found, found.manifest(), Catalogue())
    assert {"pods", "deployments.apps", "cronjobs.batch"} <= wanted and "nodes" not in wanted


@pytest.mark.parametrize("denied", [False, True])
async def test_kinds_that_nobody_watches_are_asked_for(tmp_path: Path, denied: bool) -> None:
    binding = thing(
        "RoleBinding", "web", "shop", "rbac.authorization.k8s.io/v1",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        subjects=[{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}],
    )  # fmt: skip
    account = thing("ServiceAccount", "web", "shop")
    deny = [Deny("rolebindings.rbac.authorization.k8s.io")] if denied else []
    async with serving([thing("Namespace", "kube-system"), account, binding], deny=deny) as server:
        kubeconfig = config(tmp_path / "c", {"c1": server.url})
        fleet = Fleet(lambda: KubeClusters(Settings(), kubeconfig), Settings(), background=False)
        fleet.start()
        try:
            ref = Ref("c1", "serviceaccounts", "shop", "web")
            fleet.look("x", {"serviceaccounts"})
            await fleet.settled(lambda: fleet.store.get(ref) is not None)
            others, refused = await fleet.naming(ref)
            held = fleet.store.get(ref)
            assert held is not None
            made = XRay(held, held.manifest(), fleet.store, fleet.offers.catalogue, fleet.facts.known, others)
            if denied:
                assert others == [] and "rolebindings: " in refused[0] and "forbidden" in refused[0]
            else:
                assert refused == [] and [lines(part.things) for part in made.parts()] == [["subjects RoleBinding/web"]]
            assert await fleet.offers.wholes("c1", "secrets", "") == []
        finally:
            await fleet.stop()
