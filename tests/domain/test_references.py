"""What objects name, by the fields in which they name it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.objects.references import MOST, links, owners, selected

POD = {
    "serviceAccountName": "web",
    "nodeName": "n1",
    "priorityClassName": "high",
    "imagePullSecrets": [{"name": "registry"}],
    "containers": [
        {
            "name": "web",
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}},
                {"name": "B", "value": "x"},
                {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "volumeMounts": [{"name": "conf", "mountPath": "/c"}],
        }
    ],
    "volumes": [
        {"name": "conf", "configMap": {"name": "settings"}},
        {"name": "tls", "secret": {"secretName": "web-tls"}},
        {"name": "all", "projected": {"sources": [{"configMap": {"name": "ca"}}, {"secret": {"name": "extra"}}]}},
        {"name": "disk", "persistentVolumeClaim": {"claimName": "data"}},
    ],
}
IN_POD = [
    ("acts as", "ServiceAccount/web"),
    ("runs on", "Node/n1"),
    ("priorityClassName", "PriorityClass/high"),
    ("pulls images with", "Secret/registry"),
    ("env", "Secret/keys"),
    ("env", "ConfigMap/settings"),
    ("volume", "Secret/web-tls"),
    ("volume", "ConfigMap/ca"),
    ("volume", "Secret/extra"),
    ("volume", "PersistentVolumeClaim/data"),
]
BACKEND = {"backend": {"service": {"name": "web", "port": {"number": 80}}}}


def of(**manifest: Any) -> list[tuple[str, str]]:
    whole = {"metadata": {"name": "me", "namespace": "shop"}, **manifest}
    return [
        (
            link.how,
            f"{link.kind}/{link.name}" if link.namespace == "shop" else f"{link.kind}/{link.namespace}/{link.name}",
        )
        for link in links(whole)
    ]


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        ({"spec": POD}, IN_POD),
        ({"spec": {"template": {"spec": POD}}}, IN_POD),
        ({"spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}}}, IN_POD),
        (
            {
                "spec": {
                    "ingressClassName": "nginx",
                    "rules": [{"http": {"paths": [BACKEND]}}],
                    "tls": [{"secretName": "t"}],
                }
            },
            [("ingressClassName", "IngressClass/nginx"), ("sends to", "Service/web"), ("TLS", "Secret/t")],
        ),
        (
            {
                "spec": {
                    "parentRefs": [{"name": "gw", "namespace": "infra"}],
                    "rules": [
                        {
                            "backendRefs": [
                                {"name": "web", "port": 80},
                                {"name": "b", "kind": "Backend", "group": "x.io"},
                            ]
                        }
                    ],
                }
            },
            [("parentRefs", "Gateway/infra/gw"), ("sends to", "Service/web"), ("sends to", "Backend/b")],
        ),
        (
            {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}},
            [("scaleTargetRef", "Deployment/web")],
        ),
        (
            {"spec": {"volumeName": "pv1", "storageClassName": "fast"}},
            [("volumeName", "PersistentVolume/pv1"), ("storageClassName", "StorageClass/fast")],
        ),
        (
            {
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
                "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "other"}],
            },
            [("roleRef", "Role/reader"), ("subjects", "ServiceAccount/other/web")],
        ),
        (
            {"spec": {"secretName": "tls", "issuerRef": {"name": "acme", "kind": "ClusterIssuer"}}},
            [("secretName", "Secret/tls"), ("issuerRef", "ClusterIssuer/acme")],
        ),
        ({"status": {"resources": [{"kind": "Pod", "name": "x"}]}, "data": {"secretName": "x"}}, []),
    ],
    ids=[
        "pod",
        "workload",
        "cronjob",
        "ingress",
        "httproute",
        "hpa",
        "pvc",
        "binding",
        "certificate",
        "status and data",
    ],
)
def test_references_of(manifest: dict[str, Any], named: list[tuple[str, str]]) -> None:
    assert of(**manifest) == named


def test_groups_are_told_where_they_are_said() -> None:
    named = {
        "a": {"kind": "A", "name": "a", "apiVersion": "x.io/v1"},
        "b": {"kind": "B", "name": "b", "apiVersion": "v1"},
    }
    found = links({"metadata": {}, "spec": {**named, "c": {"kind": "C", "name": "c"}}})
    assert [link.group for link in found] == ["x.io", "", None]


def test_the_controlling_owner_is_first() -> None:
    meta = {"namespace": "shop", "ownerReferences": [
        {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1"},
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "2", "controller": True},
    ]}  # fmt: skip
    assert [(link.how, link.group, link.kind, link.uid) for link in owners({"metadata": meta})] == [
        ("controls it", "apps", "ReplicaSet", "2"),
        ("owns it", "", "Node", "1"),
    ]


@pytest.mark.parametrize(
    ("kind", "selector", "matches"),
    [
        ("Service", {"app": "web"}, True),
        ("Service", {"app": "db"}, False),
        ("Service", {}, None),
        ("Service", None, None),
        ("PodDisruptionBudget", {"matchLabels": {"app": "web"}}, True),
        ("PodDisruptionBudget", {"matchExpressions": 3}, None),
        ("Deployment", {"matchLabels": {"app": "web"}}, None),
    ],
)
def test_pods_that_are_selected(kind: str, selector: Any, matches: bool | None) -> None:
    found = selected({"spec": {"selector": selector}}, kind)
    assert (None if found is None else found.matches({"app": "web"})) is matches


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "kind", "group", "apiVersion", "secretName", "configMap", "backendRefs", "spec"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["spec", "metadata", "roleRef", "subjects"]), anything, max_size=3))
def test_no_object_is_too_odd(manifest: dict[str, Any]) -> None:
    for link in (*links(manifest), *owners(manifest)):
        assert all(isinstance(part, str) for part in (link.kind, link.namespace, link.name))
    selected(manifest, "Service")


def test_a_flood_of_references_is_cut() -> None:
    assert len(links({"spec": {"refs": [{"kind": "K", "name": str(at)} for at in range(5_000)]}})) == MOST
    deep: dict[str, Any] = {"secretName": "s"}
    for _ in range(500):
        deep = {"a": deep}
    assert links({"spec": deep}) == []
