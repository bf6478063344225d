"""What happens inside a simulated cluster when objects are applied to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.demo.running import PATIENCE, Versions
from tui.demo.apiserver.resources import builtin
from tui.demo.apiserver.storage import Storage
from tui.demo.clock import Clock
from tui.demo.content.clusters import MIDDLE, ClusterSpec
from tui.demo.content.scenario import fate
from tui.demo.controllers import pods as p
from tui.demo.controllers.cilium import problem_of
from tui.demo.controllers.cluster import SimulatedCluster
from tui.demo.controllers.defaults import fill
from tui.demo.controllers.nodes import bytes_of

Obj = dict[str, Any]


@pytest.fixture
def cluster() -> SimulatedCluster:
    spec = ClusterSpec("c1", "prod", "eu-west", 11, shape=MIDDLE, nodes=3, control=1)
    made = SimulatedCluster(spec, Storage(builtin("cilium.io")), Clock(100.0), fate)
    made.populate(1_790_000_000.0)
    made.storage.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"tier": "gold"}}}
    )
    return made


def workload(kind: str, image: str = "r/app:1", replicas: int = 3, **pod: Any) -> Obj:
    """A workload called `app` in `shop`."""
    labels = {"app": "app"}
    container = {"name": "app", "image": image, "ports": [{"name": "http", "containerPort": 80}], **pod}
    spec: Obj = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    meta = {"name": "app", "namespace": "shop"}
    return fill({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec})


def pods(cluster: SimulatedCluster) -> list[Obj]:
    return cluster.storage.list("pods", "shop")


async def until(cluster: SimulatedCluster, condition: Callable[[], Any], resource: str = "pods") -> None:
    """Wait for changes of a resource until the condition holds."""
    news = asyncio.Event()
    token = cluster.storage.subscribe(resource, lambda event: news.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                news.clear()
                await news.wait()
    finally:
        cluster.storage.unsubscribe(resource, token)


def available(count: int) -> Callable[[Obj], bool]:
    def check(obj: Obj) -> bool:
        status = obj.get("status") or {}
        observed = status.get("observedGeneration") == obj["metadata"]["generation"]
        return observed and status.get("availableReplicas", 0) == status.get("updatedReplicas") == count

    return check


async def test_a_rolling_update_keeps_enough_pods(cluster: SimulatedCluster) -> None:
    cluster.start()
    watched = Versions(cluster.storage, "deployments.apps", "shop", "app")
    cluster.storage.apply(workload("Deployment", replicas=8))
    await watched.until(available(8))
    ready, total = [], []

    def count(event: Any) -> None:
        found = [pod for pod in pods(cluster) if "deletionTimestamp" not in pod["metadata"]]
        ready.append(sum(map(p.ready, found)))
        total.append(len(found))

    cluster.storage.subscribe("pods", count)
    cluster.storage.apply(workload("Deployment", image="r/app:2", replicas=8))
    await watched.until(
        lambda obj: (
            available(8)(obj)
            and obj["spec"]["template"]["spec"]["containers"][0]["image"] == "r/app:2"
            and obj["status"]["replicas"] == 8
        )
    )
    assert min(ready) >= 6  # 25 % may be unavailable
    assert max(total) <= 10  # 25 % surge
    sets = cluster.storage.list("replicasets.apps", "shop")
    assert sorted(entry["spec"]["replicas"] for entry in sets) == [0, 8]
    revisions = {entry["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for entry in sets}
    assert revisions == {"1", "2"}


async def test_scaling_down_to_nothing_takes_endpoints_along(cluster: SimulatedCluster) -> None:
    cluster.start()
    watched = Versions(cluster.storage, "deployments.apps", "shop", "app")
    cluster.storage.apply(workload("Deployment", replicas=4))
    await watched.until(available(4))
    found = cluster.storage.list("ciliumendpoints.cilium.io", "shop")
    assert len(found) == 4
    assert len({endpoint["status"]["identity"]["id"] for endpoint in found}) == 1
    labels = found[0]["status"]["identity"]["labels"]
    assert "k8s:app=app" in labels
    assert "k8s:io.kubernetes.pod.namespace=shop" in labels
    assert "k8s:io.cilium.k8s.namespace.labels.tier=gold" in labels
    assert not [label for label in labels if "pod-template-hash" in label]
    assert len({pod["status"]["podIP"] for pod in pods(cluster)}) == 4
    cluster.storage.apply(workload("Deployment", replicas=0))
    await until(cluster, lambda: not pods(cluster))
    assert cluster.storage.list("ciliumendpoints.cilium.io", "shop") == []


async def test_new_labels_of_a_namespace_make_new_identities(cluster: SimulatedCluster) -> None:
    cluster.start()
    watched = Versions(cluster.storage, "deployments.apps", "shop", "app")
    cluster.storage.apply(workload("Deployment", replicas=2))
    await watched.until(available(2))
    (before,) = cluster.storage.list("ciliumidentities.cilium.io")
    assert before["security-labels"]["k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name"] == "shop"

    def relabel(namespace: Obj) -> None:
        namespace["metadata"]["labels"]["tier"] = "silver"

    cluster.storage.patch("namespaces", "", "shop", relabel)
    (after,) = cluster.storage.list("ciliumidentities.cilium.io")
    assert after["security-labels"]["k8s:io.cilium.k8s.namespace.labels.tier"] == "silver"
    for endpoint in cluster.storage.list("ciliumendpoints.cilium.io", "shop"):
        assert str(endpoint["status"]["identity"]["id"]) == after["metadata"]["name"] != before["metadata"]["name"]
        assert "k8s:io.cilium.k8s.namespace.labels.tier=silver" in endpoint["status"]["identity"]["labels"]
        assert endpoint["status"]["named-ports"] == [{"name": "http", "port": 80, "protocol": "TCP"}]


async def test_a_stateful_set_comes_up_and_rolls_in_order(cluster: SimulatedCluster) -> None:
    cluster.start()
    order: list[str] = []
    cluster.storage.subscribe(
        "pods", lambda event: order.append(event.new()["metadata"]["name"]) if event.type == "ADDED" else None
    )
    watched = Versions(cluster.storage, "statefulsets.apps", "shop", "app")
    cluster.storage.apply(workload("StatefulSet"))
    await watched.until(available(3))
    assert order == ["app-0", "app-1", "app-2"]
    cluster.storage.apply(workload("StatefulSet", image="r/app:2"))
    done = await watched.until(
        lambda obj: (
            available(3)(obj)
            and obj["status"]["currentRevision"] == obj["status"]["updateRevision"]
            and obj["metadata"]["generation"] == 2
        )
    )
    assert order[3:] == ["app-2", "app-1", "app-0"]
    assert done["status"]["readyReplicas"] == 3


async def test_a_daemon_set_has_one_pod_on_each_worker(cluster: SimulatedCluster) -> None:
    cluster.start()
    watched = Versions(cluster.storage, "daemonsets.apps", "shop", "app")
    cluster.storage.apply(workload("DaemonSet"))
    await watched.until(lambda obj: (obj.get("status") or {}).get("numberReady") == 3)
    workers = {node.name for node in cluster.nodes if not node.control}
    assert {pod["spec"]["nodeName"] for pod in pods(cluster)} == workers


async def test_jobs_complete_and_suspended_ones_wait(cluster: SimulatedCluster) -> None:
    cluster.start()
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "j", "image": "r/j:1"}]}}}
    job: Obj = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "shop"}, "spec": spec}
    watched = Versions(cluster.storage, "jobs.batch", "shop", "j")
    held = Versions(cluster.storage, "jobs.batch", "shop", "held")
    cluster.storage.apply(job)
    cluster.storage.apply({**job, "metadata": {"name": "held", "namespace": "shop"}, "spec": {**spec, "suspend": True}})
    done = await watched.until(lambda obj: (obj.get("status") or {}).get("completionTime"))
    assert {entry["type"] for entry in done["status"]["conditions"]} == {"SuccessCriteriaMet", "Complete"}
    waiting = await held.until(lambda obj: (obj.get("status") or {}).get("conditions"))
    assert waiting["status"]["conditions"][0]["type"] == "Suspended"


@pytest.mark.parametrize(
    ("image", "reason", "event"),
    [("r/app:1-broken", "CrashLoopBackOff", "BackOff"), ("r/app:1-missing", "ImagePullBackOff", "Failed")],
)
async def test_bad_images_end_as_they_do(cluster: SimulatedCluster, image: str, reason: str, event: str) -> None:
    cluster.start()
    cluster.storage.apply(workload("Deployment", image=image, replicas=1))

    def stuck() -> bool:
        return any(
            entry["state"].get("waiting", {}).get("reason") == reason
            for pod in pods(cluster)
            for entry in pod["status"].get("containerStatuses") or ()
        )

    await until(cluster, stuck)
    assert event in {entry["reason"] for entry in cluster.storage.list("events", "shop")}


async def test_a_deployment_that_cannot_progress_says_so(cluster: SimulatedCluster) -> None:
    cluster.start()
    watched = Versions(cluster.storage, "deployments.apps", "shop", "app")
    obj = workload("Deployment", image="r/app:1-broken", replicas=1)
    obj["spec"]["progressDeadlineSeconds"] = 30
    cluster.storage.apply(obj)

    def late(live: Obj) -> bool:
        conditions = (live.get("status") or {}).get("conditions") or ()
        return any(entry["reason"] == "ProgressDeadlineExceeded" for entry in conditions)

    await watched.until(late)


async def test_a_pod_that_fits_nowhere_waits_and_says_why(cluster: SimulatedCluster) -> None:
    cluster.start()
    big = workload("Deployment", replicas=1, resources={"requests": {"memory": "900Gi"}})
    cluster.storage.apply(big)
    await until(cluster, lambda: any(pod["status"].get("conditions") for pod in pods(cluster)))
    (condition,) = pods(cluster)[0]["status"]["conditions"]
    assert condition["reason"] == "Unschedulable"
    assert condition["message"] == "0/4 nodes are available: 3 Insufficient memory."


async def test_services_follow_their_pods(cluster: SimulatedCluster) -> None:
    cluster.start()
    service: Obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "app", "namespace": "shop"},
        "spec": {"selector": {"app": "app"}, "ports": [{"name": "http", "port": 8080, "targetPort": "http"}]},
    }
    cluster.storage.apply(service)
    cluster.storage.apply(workload("Deployment", replicas=2))

    def behind() -> list[Obj]:
        slices = cluster.storage.list("endpointslices.discovery.k8s.io", "shop")
        return slices[0]["endpoints"] if slices else []

    await until(
        cluster,
        lambda: len(behind()) == 2 and all(entry["conditions"]["ready"] for entry in behind()),
        "endpointslices.discovery.k8s.io",
    )
    assert cluster.storage.get("services", "shop", "app")["spec"]["clusterIP"].startswith("10.")
    (found,) = cluster.storage.list("endpointslices.discovery.k8s.io", "shop")
    assert found["ports"] == [{"name": "http", "port": 80, "protocol": "TCP"}]


def test_settling_needs_no_loop_and_ends_where_reconciling_would(cluster: SimulatedCluster) -> None:
    made = cluster.storage.apply(workload("Deployment", replicas=2))
    cluster.settle(made, 1_790_000_000.0)
    live = cluster.storage.get("deployments.apps", "shop", "app")
    assert live["status"]["availableReplicas"] == 2
    assert all(map(p.ready, pods(cluster)))
    assert len(cluster.storage.list("ciliumendpoints.cilium.io", "shop")) == 2


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"ingress": [{"fromEndpoints": [{}], "fromCIDR": ["10.0.0.0/8"]}]}, "combining FromEndpoints and FromCIDR"),
        ({"ingress": [{"fromEntities": ["everyone"]}]}, "unsupported entity: everyone"),
        ({}, "rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny"),
        ({"ingress": [{}], "nodeSelector": {}}, "cannot have both EndpointSelector and NodeSelector"),
        (
            {"egress": [{"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["192.168.0.0/16"]}]}]},
            "does not contain exclude CIDR prefix",
        ),
        ({"egress": [{"toPorts": [{"ports": [{"port": str(n)} for n in range(41)]}]}]}, "too many ports"),
    ],
)
def test_invalid_policies_are_told_why(rule: Obj, words: str) -> None:
    policy = {"kind": "CiliumNetworkPolicy", "spec": {"endpointSelector": {}, **rule}}
    assert words in problem_of(policy)


def test_a_valid_policy_gets_its_condition(cluster: SimulatedCluster) -> None:
    policy: Obj = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"endpointSelector": {}, "ingress": [{}]},
    }
    cluster.settle(cluster.storage.apply(policy), 1_790_000_000.0)
    live = cluster.storage.get("ciliumnetworkpolicies.cilium.io", "shop", "p")
    (condition,) = live["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Valid", "True")


def test_an_older_cilium_refuses_what_a_newer_one_takes() -> None:
    rule = {"fromCIDRSet": [{"cidrGroupSelector": {"matchLabels": {"kind": "scanner"}}}]}
    policy: Obj = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumClusterwideNetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"endpointSelector": {}, "ingressDeny": [rule]},
    }
    words = {}
    for version in ("1.16.12", "1.17.9"):
        spec = ClusterSpec("c1", "prod", "eu-west", 11, cilium=version)
        made = SimulatedCluster(spec, Storage(builtin("cilium.io")), Clock(100.0), fate)
        made.settle(made.storage.apply(policy), 1_790_000_000.0)
        live = made.storage.get("ciliumclusterwidenetworkpolicies.cilium.io", "", "deny")
        words[version] = live["status"]["conditions"][0]["status"]
    assert words == {"1.16.12": "False", "1.17.9": "True"}


def test_quantities() -> None:
    assert bytes_of("64Mi") == 64 * 2**20
    assert bytes_of("1.5Gi") == 3 * 2**29
    assert bytes_of("1000") == 1000
    assert bytes_of("2G") == 2 * 10**9
    assert bytes_of("nonsense") == 0
