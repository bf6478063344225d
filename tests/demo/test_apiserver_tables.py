"""Cells of Tables: the words and numbers that kubectl shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import thing
from tui.demo.apiserver import cells
from tui.demo.apiserver.columns import PLAIN
from tui.demo.apiserver.resources import BUILTIN

NOW = 1_700_000_000.0
RESOURCES = {resource.name: resource for resource in BUILTIN}


def row(resource: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Cells by column name."""
    columns = RESOURCES[resource].columns or PLAIN
    return {column.name: column.cell(obj, NOW) for column in columns}


@pytest.mark.parametrize("name", sorted(RESOURCES))
@pytest.mark.parametrize("fields", [{}, {"spec": None, "status": None}, {"spec": {}, "status": {}, "data": None}])
def test_every_column_stands_an_empty_object(name: str, fields: dict[str, Any]):
    resource = RESOURCES[name]
    values = row(name, thing(resource.kind, "x", api=resource.api_version, **fields))
    for column in resource.columns or PLAIN:
        value = values[column.name]
        assert isinstance(value, {"integer": int, "boolean": bool}.get(column.type, str)), column.name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 3600, "8h"),
        (48 * 3600 - 1, "47h"),
        (48 * 3600, "2d"),
        (51 * 3600, "2d3h"),
        (8 * 86400, "8d"),
        (700 * 86400, "700d"),
        (730 * 86400, "2y"),
        (735 * 86400, "2y5d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations(seconds: int, text: str):
    assert cells.duration(seconds) == text


def status(state: dict[str, Any], ready: bool = False, restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": "main", "state": state, "ready": ready, "restartCount": restarts, **more}


CRASHING = {"waiting": {"reason": "CrashLoopBackOff"}}
PULLING = {"waiting": {"reason": "ErrImagePull"}}
SIDECAR = status({}, started=True)
RUNNING = status({"running": {}}, ready=True)


@pytest.mark.parametrize(
    ("pod_status", "word"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, "Running"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        (
            {"phase": "Running", "containerStatuses": [status(CRASHING)]},
            "CrashLoopBackOff",
        ),
        ({"phase": "Failed", "containerStatuses": [status({"terminated": {"exitCode": 3}})]}, "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [status({"terminated": {"signal": 9}})]}, "Signal:9"),
        ({"phase": "Succeeded", "containerStatuses": [status({"terminated": {"reason": "Completed"}})]}, "Completed"),
        (
            {"phase": "Running", "containerStatuses": [RUNNING, status({"terminated": {"reason": "Completed"}})]},
            "Running",
        ),
        ({"phase": "Pending", "initContainerStatuses": [status({"running": {}}), status({})]}, "Init:0/2"),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [status({"terminated": {"exitCode": 0}}), status({"waiting": {}})],
            },
            "Init:1/2",
        ),
        (
            {"phase": "Pending", "initContainerStatuses": [status(PULLING)]},
            "Init:ErrImagePull",
        ),
        ({"phase": "Pending", "initContainerStatuses": [status({"terminated": {"exitCode": 2}})]}, "Init:ExitCode:2"),
        (
            {"phase": "Running", "initContainerStatuses": [SIDECAR], "containerStatuses": [RUNNING]},
            "Running",
        ),
    ],
)
def test_the_word_for_a_pod(pod_status: dict[str, Any], word: str):
    pod = thing("Pod", "p", "shop", status=pod_status)
    assert row("pods", pod)["Status"] == word
    pod["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z"
    if not word.startswith("Init"):
        assert row("pods", pod)["Status"] == "Terminating"


def test_pods():
    crashed = status({"waiting": {"reason": "CrashLoopBackOff"}}, restarts=4)
    crashed["lastState"] = {"terminated": {"finishedAt": "2023-11-14T22:11:20Z"}}
    spec = {"containers": [{"name": "a"}, {"name": "b"}], "nodeName": "n1", "readinessGates": [{"conditionType": "x"}]}
    conditions = [{"type": "x", "status": "True"}]
    pod = thing("Pod", "p", spec=spec, status={"containerStatuses": [RUNNING, crashed], "conditions": conditions})
    pod["metadata"]["creationTimestamp"] = "2023-11-14T20:13:20Z"
    found = row("pods", pod)
    assert (found["Ready"], found["Restarts"], found["Age"]) == ("1/2", "4 (2m ago)", "120m")
    assert (found["Node"], found["IP"], found["Readiness Gates"]) == ("n1", "<none>", "1/1")


def test_services():
    ports = [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]
    spec = {"type": "LoadBalancer", "clusterIP": "10.0.0.1", "ports": ports, "selector": {"b": "2", "a": "1"}}
    service = thing("Service", "s", spec=spec)
    found = row("services", service)
    assert (found["External-IP"], found["Port(s)"], found["Selector"]) == (
        "<pending>",
        "80:30080/TCP,53/UDP",
        "a=1,b=2",
    )
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    assert row("services", service)["External-IP"] == "1.2.3.4"
    outside = thing("Service", "s", spec={"type": "ExternalName", "externalName": "example.org"})
    assert row("services", outside)["External-IP"] == "example.org"


def test_nodes():
    labels = {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "", "x": "y"}
    addresses = [{"type": "InternalIP", "address": "10.0.0.9"}]
    node = thing("Node", "n", labels=labels, spec={"unschedulable": True}, status={"addresses": addresses})
    found = row("nodes", node)
    assert (found["Status"], found["Roles"]) == ("Unknown,SchedulingDisabled", "control-plane,worker")
    assert (found["Internal-IP"], found["External-IP"]) == ("10.0.0.9", "<none>")
    for value, word in (("True", "Ready"), ("False", "NotReady"), ("Unknown", "NotReady")):
        other = thing("Node", "n", status={"conditions": [{"type": "Ready", "status": value}]})
        assert row("nodes", other)["Status"] == word


def test_jobs_and_cronjobs():
    spec = {"completions": 3}
    times = {"startTime": "2023-11-14T22:11:20Z", "completionTime": "2023-11-14T22:12:00Z"}
    done = {"succeeded": 3, "conditions": [{"type": "Complete", "status": "True"}], **times}
    found = row("jobs.batch", thing("Job", "j", spec=spec, status=done))
    assert (found["Status"], found["Completions"], found["Duration"]) == ("Complete", "3/3", "40s")
    del done["completionTime"], done["conditions"]
    found = row("jobs.batch", thing("Job", "j", spec=spec, status=done))
    assert (found["Status"], found["Duration"]) == ("Running", "2m")
    cron = thing("CronJob", "c", spec={"schedule": "*/5 * * * *"}, status={"lastScheduleTime": "2023-11-14T22:13:00Z"})
    found = row("cronjobs.batch", cron)
    assert (found["Schedule"], found["Suspend"], found["Last Schedule"]) == ("*/5 * * * *", "False", "20s")


def test_selectors_in_one_line():
    expressions = [
        {"key": "a", "operator": "In", "values": ["x", "y"]},
        {"key": "b", "operator": "Exists"},
        {"key": "c", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"z": "1"}, "matchExpressions": expressions}
    assert cells.selector_text(selector) == "z=1,a in (x,y),b,!c"
    policy = thing("NetworkPolicy", "p", spec={"podSelector": {}})
    assert row("networkpolicies.networking.k8s.io", policy)["Pod-Selector"] == "<none>"


def test_events_applications_and_policies():
    event = thing("Event", "e", involvedObject={"kind": "Pod", "name": "p"}, type="Warning", message=" text\n")
    event |= {"lastTimestamp": "2023-11-14T22:13:10Z", "source": {"component": "kubelet", "host": "n1"}}
    found = row("events", event)
    assert (found["Last Seen"], found["Object"], found["Message"]) == ("10s", "pod/p", "text")
    assert (found["Source"], found["Count"]) == ("kubelet, n1", 1)
    status_ = {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}}
    found = row("applications.argoproj.io", thing("Application", "a", status=status_))
    assert (found["Sync Status"], found["Health Status"]) == ("OutOfSync", "Degraded")
    policy = thing("CiliumNetworkPolicy", "c", status={"conditions": [{"type": "Valid", "status": "False"}]})
    assert row("ciliumnetworkpolicies.cilium.io", policy)["Valid"] == "False"


def test_autoscalers_and_owners():
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "metrics": [metric, {"type": "Pods"}]}
    scaler = thing("HorizontalPodAutoscaler", "h", spec=spec)
    assert row("horizontalpodautoscalers.autoscaling", scaler)["Targets"] == "cpu: <unknown>/80%, pods: <unknown>"
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 41}}}
    scaler["status"] = {"currentMetrics": [current]}
    found = row("horizontalpodautoscalers.autoscaling", scaler)
    assert (found["Targets"], found["Reference"]) == ("cpu: 41%/80%, pods: <unknown>", "Deployment/web")
    revision = thing("ControllerRevision", "r", revision=4)
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}
    revision["metadata"]["ownerReferences"] = [owner]
    found = row("controllerrevisions.apps", revision)
    assert (found["Controller"], found["Revision"]) == ("statefulset.apps/db", 4)
