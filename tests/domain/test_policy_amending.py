"""What a change of files means for the policies of a cluster, decided exactly or said not to be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tui.domain.cilium.impacts import amending
from tui.domain.cilium.impacts.amending import Amendment, amendment
from tui.domain.cilium.model import CidrGroup, Endpoint, Surroundings
from tui.domain.cilium.policy import CCNP, CNP, KNP
from tui.domain.source.building import Build, build
from tui.domain.source.model import SourcePlan

POLICY = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web}
spec: {endpointSelector: {}, ingress: [{fromEntities: [host]}]}
"""
WIDER = POLICY.replace("[host]", "[host, world]")
CLUSTERWIDE = POLICY.replace("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
KUBERNETES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: a}}}, {podSelector: {}}]}]
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web, pod-template-hash: x}}
    spec: {containers: [{name: app, image: web}]}
"""


def plan(tool: Any = "directory", path: str = "apps/web", **more: Any) -> SourcePlan:
    return SourcePlan("web", "argocd", "shop", "https://git.example/x.git", "", path, tool, **more)


def made(texts: Mapping[str, str], source: SourcePlan | None = None) -> Build:
    return build(source or plan(), texts, amending.wanted)


def change(before: Mapping[str, str], after: Mapping[str, str], source: SourcePlan | None = None) -> Amendment:
    return amendment(made(before, source), made(after, source))


def names(held: Build) -> list[str]:
    return [f"{each.identity.kind} {each.identity.namespace}/{each.identity.name}" for each in held.objects]


def test_plain_manifests_get_the_destinations_namespace() -> None:
    found = made(
        {"apps/web/a.yaml": POLICY + "---\n" + CLUSTERWIDE, "apps/web/deep/b.yaml": WIDER, "other/c.yaml": POLICY}
    )
    assert names(found) == ["CiliumNetworkPolicy shop/web", "CiliumClusterwideNetworkPolicy /web"]


def test_added_changed_and_removed_policies() -> None:
    before = {"apps/web/a.yaml": POLICY, "apps/web/b.yaml": CLUSTERWIDE, "apps/web/same.yaml": KUBERNETES}
    after = {"apps/web/a.yaml": WIDER, "apps/web/same.yaml": KUBERNETES + "\n# a comment\n"}
    found = change(before, after)
    assert set(found.policies) == {(CNP, "shop", "web"), (CCNP, "", "web")}
    assert found.policies[CCNP, "", "web"] is None
    assert found.unknown == ()
    written = [each for each in change({}, before).policies.values() if each is not None]
    later = amending.policies_after(written, found)
    assert sorted(amending.key_of(each)[0] for each in later) == sorted([CNP, KNP])
    assert [(each.name, [one.how for one in each.changes]) for each in amending.said(written, later)] == [
        ("web", ["policy removed", "removed", "default deny off"]),
        ("shop/web", ["widened"]),
    ]


KUSTOMIZED = {
    "base/kustomization.yaml": "resources: [policy.yaml, knp.yaml, deploy.yaml]\n",
    "base/policy.yaml": POLICY,
    "base/knp.yaml": KUBERNETES,
    "base/deploy.yaml": DEPLOYMENT,
    "apps/web/kustomization.yaml": (
        "resources: [../../base, ns.yaml]\nnamespace: pay\nnamePrefix: x-\nlabels:\n"
        "- {pairs: {team: a}, includeSelectors: true}\n"
    ),
    "apps/web/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: old}\n",
}


def test_kustomize_sets_namespace_names_and_labels() -> None:
    found = made(KUSTOMIZED, plan("kustomize"))
    assert names(found) == [
        "CiliumNetworkPolicy pay/x-web",
        "NetworkPolicy pay/x-web",
        "Deployment pay/x-web",
        "Namespace /pay",
    ]
    policy, knp, deployment, _ = (each.value for each in found.objects)
    assert policy["spec"]["endpointSelector"] == {}  # kustomize knows no selectors of CiliumNetworkPolicies
    assert knp["spec"]["podSelector"]["matchLabels"] == {"app": "web", "team": "a"}
    peers = knp["spec"]["ingress"][0]["from"]
    assert peers == [{"podSelector": {"matchLabels": {"app": "a", "team": "a"}}}, {"podSelector": {}}]
    assert deployment["spec"]["template"]["metadata"]["labels"]["team"] == "a"


def test_what_a_kustomization_no_longer_lists_is_gone() -> None:
    after = {**KUSTOMIZED, "base/kustomization.yaml": "resources: [knp.yaml, deploy.yaml]\n"}
    found = change(KUSTOMIZED, after, plan("kustomize"))
    assert found.policies == {(CNP, "pay", "x-web"): None}


@pytest.mark.parametrize(
    ("more", "unknown"),
    [
        ("patches: [{path: p.yaml}]\n", "CiliumNetworkPolicy pay/x-web: the patch apps/web/p.yaml changes it"),
        ("patches: [{target: {kind: Service}, path: p.yaml}]\n", ""),
        ("transformers: [t.yaml]\n", "apps/web/kustomization.yaml: transformers, which fleet does not run"),
        ("components: [../../lost]\n", "lost has no kustomization"),
    ],
)
def test_patches_and_plugins_are_said_not_to_be_known(more: str, unknown: str) -> None:
    top = KUSTOMIZED["apps/web/kustomization.yaml"] + more
    patch = POLICY.replace("[host]", "[cluster]")
    after = {**KUSTOMIZED, "apps/web/kustomization.yaml": top, "apps/web/p.yaml": patch}
    found = change(KUSTOMIZED, after, plan("kustomize"))
    assert found.empty
    assert len(found.unknown) == bool(unknown)
    assert all(line.startswith(unknown) for line in found.unknown)
    assert change(after, after, plan("kustomize")).unknown == ()


def test_templates_and_values_are_said_not_to_be_known() -> None:
    before = {
        "apps/web/Chart.yaml": "name: web\n",
        "apps/web/values.yaml": "a: 1\n",
        "apps/web/templates/plain.yaml": POLICY,
        "apps/web/templates/t.yaml": "{{ if .x }}\n" + POLICY + "{{ end }}\n",
    }
    after = {**before, "apps/web/values.yaml": "a: 2\n", "apps/web/templates/plain.yaml": WIDER}
    found = change(before, after, plan("helm"))
    assert set(found.policies) == {(CNP, "shop", "web")}
    assert found.unknown == ("values of apps/web: what its templates make of them is known only after rendering",)
    without = {key: value for key, value in before.items() if not key.endswith("t.yaml")}
    assert change(without, {**without, "apps/web/values.yaml": "a: 2\n"}, plan("helm")) == Amendment()


def test_a_file_that_cannot_be_read_is_named() -> None:
    found = change({"apps/web/a.yaml": POLICY}, {"apps/web/a.yaml": POLICY + "---\na: [\n"})
    assert found.unknown and found.unknown[0].startswith("apps/web/a.yaml: ")


def test_groups_namespaces_and_pod_labels_count_too() -> None:
    group = "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: office}\n"
    group += "spec: {externalCIDRs: [10.0.0.0/8]}\n"
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n"
    before = {"apps/web/g.yaml": group, "apps/web/n.yaml": space, "apps/web/d.yaml": DEPLOYMENT}
    after = {
        "apps/web/g.yaml": group.replace("10.0.0.0/8", "10.1.0.0/16"),
        "apps/web/n.yaml": space.replace("team: a", "team: b"),
        "apps/web/d.yaml": DEPLOYMENT.replace("app: web,", "app: shop,"),
    }
    found = change(before, after)
    around = amending.surroundings_after(Surroundings(cidr_groups=(CidrGroup("office", {}, ("x",)),)), found)
    assert around.cidr_groups == (CidrGroup("office", {}, ("10.1.0.0/16",)),)
    assert around.namespaces["shop"]["team"] == "b"
    endpoint = Endpoint(
        (
            "k8s:app=web",
            "k8s:io.cilium.k8s.namespace.labels.team=a",
            "k8s:io.kubernetes.pod.namespace=shop",
            "k8s:own=1",
        ),
        "shop/web-1",
    )
    assert amending.endpoint_after(endpoint, found).labels == (
        "k8s:app=shop",
        "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop",
        "k8s:io.cilium.k8s.namespace.labels.team=b",
        "k8s:io.kubernetes.pod.namespace=shop",
        "k8s:own=1",
    )
    other = Endpoint(("k8s:app=web", "k8s:io.kubernetes.pod.namespace=else"), "else/web-1")
    assert amending.endpoint_after(other, found) is other


def test_a_plugin_is_not_known() -> None:
    source = plan("plugin", note="rendered by a plugin, which fleet does not run")
    assert change({"apps/web/a": "1"}, {"apps/web/a": "2"}, source).unknown == (source.note,)
