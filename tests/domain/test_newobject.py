"""New objects: from templates that are valid as they are, and from live objects without what a cluster adds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tui.domain import schema
from tui.domain.objects.defaults import pull_policy
from tui.domain.objects.new import Wanted, file_name, from_live, from_template, template_names, to_yaml
from tui.domain.objects.templates import TEMPLATES
from tui.domain.yamledit import Refused, get_value

META = {
    "uid": "u", "resourceVersion": "1", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z",
    "managedFields": [{}], "selfLink": "/x", "ownerReferences": [{"uid": "o"}],
    "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "deployment.kubernetes.io/revision": "4",
        "argocd.argoproj.io/tracking-id": "web:apps/Deployment:web/web",
    },
}  # fmt: skip
CONTAINER = {
    "name": "web", "image": "web:1", "imagePullPolicy": "IfNotPresent", "resources": {},
    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    "ports": [{"containerPort": 80, "protocol": "TCP"}],
    "livenessProbe": {
        "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
        "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
    },
}  # fmt: skip
POD = {
    "containers": [CONTAINER], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "securityContext": {},
    "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler", "serviceAccount": "web",
    "serviceAccountName": "web", "volumes": [{"name": "c", "configMap": {"name": "c", "defaultMode": 420}}],
}  # fmt: skip
DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "web", **META},
    "spec": {
        "replicas": 3, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"creationTimestamp": None, "labels": {"app": "web"}}, "spec": POD},
    },
    "status": {"replicas": 3},
}  # fmt: skip


def changed(value: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    made = copy.deepcopy(value)
    here: Any = made
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        here = here[step]
    here[last] = new
    return made


def at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value


def test_a_live_deployment_becomes_what_one_would_declare() -> None:
    before = copy.deepcopy(DEPLOYMENT)
    assert from_live(DEPLOYMENT) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "web"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": "web",
                            "image": "web:1",
                            "ports": [{"containerPort": 80}],
                            "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
                        }
                    ],
                    "serviceAccountName": "web",
                    "volumes": [{"name": "c", "configMap": {"name": "c"}}],
                },
            },
        },
    }
    assert before == DEPLOYMENT


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.progressDeadlineSeconds", 601),
        ("spec.revisionHistoryLimit", 0),
        ("spec.strategy", {"type": "Recreate"}),
        ("spec.strategy.rollingUpdate.maxSurge", 1),
        ("spec.template.spec.dnsPolicy", "Default"),
        ("spec.template.spec.terminationGracePeriodSeconds", 31),
        ("spec.template.spec.serviceAccount", "other"),
        ("spec.template.spec.containers.0.imagePullPolicy", "Always"),
        ("spec.template.spec.containers.0.terminationMessagePath", "/x"),
        ("spec.template.spec.containers.0.ports.0.protocol", "UDP"),
        ("spec.template.spec.containers.0.livenessProbe.timeoutSeconds", 2),
        ("spec.template.spec.volumes.0.configMap.defaultMode", 256),
        ("spec.template.spec.tolerations", []),
        ("metadata.finalizers", ["team/cleanup"]),
        ("metadata.labels", {"app.kubernetes.io/instance": "web"}),
    ],
)
def test_what_was_chosen_stays(path: str, value: Any) -> None:
    assert at(from_live(changed(DEPLOYMENT, path, value), "web"), path) == value


def service(**spec: Any) -> dict[str, Any]:
    assigned = {
        "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "type": "ClusterIP",
        "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}],
    }  # fmt: skip
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": assigned | spec}


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({}, {"ports": [{"port": 80}]}),
        ({"clusterIP": "None", "clusterIPs": ["None"]}, {"clusterIP": "None", "ports": [{"port": 80}]}),
        ({"ipFamilies": ["IPv6"]}, {"ipFamilies": ["IPv6"], "ports": [{"port": 80}]}),
        (
            {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack"},
            {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack", "ports": [{"port": 80}]},
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "targetPort": "http", "nodePort": 30080, "protocol": "TCP"}]},
            {"type": "NodePort", "ports": [{"port": 80, "targetPort": "http", "nodePort": 30080}]},
        ),
        ({"ports": [{"port": 80, "nodePort": 30080}]}, {"ports": [{"port": 80}]}),
    ],
)
def test_a_live_service(more: dict[str, Any], left: dict[str, Any]) -> None:
    assert from_live(service(**more))["spec"] == left


def test_a_live_pod_loses_its_token_and_its_node() -> None:
    default = [
        {"key": f"node.kubernetes.io/{why}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for why in ("not-ready", "unreachable")
    ]
    mine = {"key": "gpu", "operator": "Exists"}
    token = {"name": "kube-api-access-x1", "projected": {"sources": []}}
    mounts = [{"name": "kube-api-access-x1", "mountPath": "/t"}, {"name": "c", "mountPath": "/c"}]
    spec = POD | {
        "nodeName": "n1", "priority": 0, "preemptionPolicy": "PreemptLowerPriority", "serviceAccountName": "default",
        "serviceAccount": "default", "tolerations": [*default, mine], "volumes": [token, {"name": "c", "emptyDir": {}}],
        "containers": [{"name": "web", "image": "web", "imagePullPolicy": "Always", "volumeMounts": mounts}],
    }  # fmt: skip
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", **META}, "spec": spec}
    assert from_live(pod)["spec"] == {
        "containers": [{"name": "web", "image": "web", "volumeMounts": [mounts[1]]}],
        "tolerations": [mine],
        "volumes": [{"name": "c", "emptyDir": {}}],
    }


def test_the_label_that_argo_cd_tracks_by_goes_and_no_other() -> None:
    labels = {"app.kubernetes.io/instance": "web", "argocd.argoproj.io/instance": "web", "app": "web"}
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "labels": labels}}
    assert from_live(live, "web")["metadata"]["labels"] == {"app": "web"}
    assert "app.kubernetes.io/instance" in from_live(live, "other")["metadata"]["labels"]


def test_a_kind_of_the_same_name_in_another_group_is_not_touched() -> None:
    live = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "x"},
        "spec": {"type": "ClusterIP"},
    }
    assert from_live(live)["spec"] == {"type": "ClusterIP"}


@pytest.mark.parametrize(("version", "kind"), [("v1", "Secret"), ("meta.k8s.io/v1", "PartialObjectMetadata")])
def test_a_secret_is_refused(version: str, kind: str) -> None:
    with pytest.raises(Refused, match="never leave the cluster"):
        from_live({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "data": {"a": "++++++++"}})


def test_yaml_is_in_the_order_people_write() -> None:
    spec = {"containers": [{"env": [], "image": "web:1", "name": "web"}]}
    text = to_yaml({"spec": spec, "metadata": {"name": "web"}, "kind": "K", "on": "yes"})
    assert text.splitlines() == [
        "kind: K", "metadata:", "  name: web", "spec:", "  containers:", "  - name: web", "    image: web:1",
        "    env: []", '"on": "yes"',
    ]  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_good_as_they_are(name: str) -> None:
    text = from_template(name.lower(), Wanted("web", "shop", {"team": "web"}))
    assert [str(problem) for problem in schema.check(text, file=file_name(name, "web"))] == []
    assert "${" not in text
    value = get_value(text)
    assert value["metadata"]["labels"]["team"] == "web"
    assert value["kind"] == name
    if name not in ("Kustomization",):
        assert value["metadata"]["name"] == "web"


def test_templates_of_the_users_own() -> None:
    own = {"team-app": "kind: App\nmetadata:\n  name: ${name}\n  cost: $5\n", "Service": "kind: Mine\n"}
    assert template_names(own)[:2] == ["Service", "team-app"] and template_names(own).count("Service") == 1
    assert from_template("team-app", Wanted("web"), own) == "kind: App\nmetadata:\n  name: web\n  cost: $5\n"
    assert from_template("service", Wanted("web"), own) == "kind: Mine\n"
    with pytest.raises(Refused, match="there are: Deployment"):
        from_template("nothing", Wanted("web"))


@pytest.mark.parametrize("wanted", [Wanted("Web"), Wanted("a b"), Wanted("x: y"), Wanted("web", "A"), Wanted("")])
def test_names_that_kubernetes_does_not_allow(wanted: Wanted) -> None:
    with pytest.raises(Refused):
        from_template("Service", wanted)


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"), ("web:latest", "Always"), ("web:1", "IfNotPresent"), ("r:5000/web", "Always"),
        ("r:5000/web:1", "IfNotPresent"), ("web@sha256:00", "IfNotPresent"), ("web:latest@sha256:00", "Always"),
    ],
)  # fmt: skip
def test_the_pull_policy_of_a_tag(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_file_names() -> None:
    assert file_name("Deployment", "web") == "web-deployment.yaml"
    assert file_name("Kustomization", "web") == "kustomization.yaml"
