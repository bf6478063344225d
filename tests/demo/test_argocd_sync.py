"""Pushes to origin and what Argo CD's stand-in makes of them, in its shapes and words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.demo.running import Obj, Versions, application, events, phase, push, running, settled_at, versions
from tui.demo.assembly import Demo

pytestmark = pytest.mark.slow

STOREFRONT = "shop/storefront/prod-eu-1/deployment.yaml"


@pytest_asyncio.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with running(tmp_path) as started:
        yield started


async def test_a_replica_count_goes_from_git_to_the_pods(demo: Demo) -> None:
    """What it comes to, what is written in which order on the way, and which events tell of it."""
    name = "storefront-prod-eu-1"
    before = application(demo, name)
    watched = versions(demo, name)
    first = len(watched.seen)
    sha = push(demo, "six", **{STOREFRONT: lambda text: text.replace("replicas: 4", "replicas: 6")})
    done = await watched.until(settled_at(sha))
    storage = demo.world.clusters["prod-eu-1"].storage
    deployment = storage.get("deployments.apps", "shop", "storefront")
    assert deployment["spec"]["replicas"] == 6
    assert deployment["status"]["availableReplicas"] == 6
    note = deployment["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    assert note == "storefront-prod-eu-1:apps/Deployment:shop/storefront"
    pods = [pod for pod in storage.list("pods", "shop") if pod["metadata"]["name"].startswith("storefront-")]
    assert len(pods) == 6
    assert {pod["metadata"]["name"] for pod in pods} == {
        endpoint["metadata"]["name"]
        for endpoint in storage.list("ciliumendpoints.cilium.io", "shop")
        if endpoint["metadata"]["name"].startswith("storefront-")
    }
    history = done["status"]["history"]
    assert [entry["id"] for entry in history] == list(range(history[0]["id"], history[-1]["id"] + 1))
    assert history[-1]["id"] == before["status"]["history"][-1]["id"] + 1
    assert history[-1]["revision"] == sha
    assert history[-1]["initiatedBy"] == {"automated": True}
    assert done["metadata"]["generation"] > before["metadata"]["generation"]  # there is no status subresource
    _order_of_writes(watched.seen[first:], sha)
    _events(demo, name, sha)


def _order_of_writes(seen: list[Obj], sha: str) -> None:
    refresh = next(app for app in seen if "argocd.argoproj.io/refresh" in app["metadata"]["annotations"])
    assert refresh["status"]["sync"]["status"] == "Synced"
    requested = next(app for app in seen if "operation" in app)
    assert "operationState" not in requested["status"]
    assert requested["operation"] == {
        "initiatedBy": {"automated": True},
        "retry": {"limit": 5},
        "sync": {"prune": True, "revision": sha, "syncOptions": ["CreateNamespace=true"]},
    }
    messages = [app["status"]["operationState"].get("message") for app in seen if phase(app) == "Running"]
    assert "waiting for healthy state of apps/Deployment/storefront" in messages
    grown = next(index for index, app in enumerate(seen) if app["status"]["history"][-1]["revision"] == sha)
    assert phase(seen[grown]) == "Running"
    succeeded = next(index for index, app in enumerate(seen) if index >= grown and phase(app) == "Succeeded")
    assert seen[succeeded]["status"]["operationState"]["message"] == "successfully synced (all tasks run)"
    assert "operation" not in seen[succeeded]
    healthy = next(
        index
        for index, app in enumerate(seen)
        if index >= grown and app["status"]["health"]["status"] == "Healthy" and phase(app) == "Succeeded"
    )
    assert healthy > succeeded or seen[grown]["status"]["health"]["status"] == "Healthy"
    results = seen[succeeded]["status"]["operationState"]["syncResult"]["resources"]
    words = {entry["kind"]: entry["message"] for entry in results}
    assert words["Deployment"] == "deployment.apps/storefront configured"
    assert words["Service"] == "service/storefront unchanged"
    assert words["CiliumNetworkPolicy"] == "ciliumnetworkpolicy.cilium.io/storefront unchanged"
    kinds = [entry["kind"] for entry in results]
    assert kinds == ["ConfigMap", "Service", "Deployment", "CiliumNetworkPolicy"]


def _events(demo: Demo, name: str, sha: str) -> None:
    told = events(demo, name)
    assert told[0] == ("ResourceUpdated", "Updated sync status: Synced -> OutOfSync")
    assert told[1] == ("OperationStarted", f"Initiated automated sync to '{sha}'")
    assert ("OperationCompleted", f"Sync operation to {sha} succeeded") in told
    assert ("ResourceUpdated", "Updated health status: Healthy -> Progressing") in told
    event = next(
        event
        for event in demo.world.hub.list("events", "argocd")
        if event["reason"] == "OperationCompleted" and event["involvedObject"]["name"] == name
    )
    assert event["source"] == {"component": "argocd-application-controller"}
    assert event["count"] == 1
    assert event["firstTimestamp"] == event["lastTimestamp"]
    assert event["metadata"]["annotations"]["dest-namespace"] == "shop"
    assert event["involvedObject"]["uid"] == application(demo, name)["metadata"]["uid"]


async def test_without_auto_sync_it_stays_out_of_sync(demo: Demo) -> None:
    name = "payments-prod-eu-1"
    app = application(demo, name)
    assert app["status"]["sync"]["status"] == "OutOfSync"
    assert "automated" not in app["spec"]["syncPolicy"]
    watched = versions(demo, name)
    path = "shop/payments/prod-eu-1/deployment.yaml"
    sha = push(demo, "five", **{path: lambda text: text.replace("replicas: 4", "replicas: 5")})
    seen = await watched.until(lambda app: app["status"]["sync"]["revision"] == sha)
    assert seen["status"]["sync"]["status"] == "OutOfSync"
    assert "operation" not in application(demo, name)
    live = demo.world.clusters["prod-eu-1"].storage.get("deployments.apps", "payments", "payments")
    assert live["spec"]["replicas"] == 3


async def test_a_refused_sync_says_why_and_a_fix_heals_it(demo: Demo) -> None:
    name = "catalog-staging-eu-1"
    app = application(demo, name)
    state = app["status"]["operationState"]
    why = (
        'Service "catalog" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'
    )
    assert state["phase"] == "Failed"
    assert state["message"] == f"one or more objects failed to apply, reason: {why} (retried 5 times)."
    (condition,) = app["status"]["conditions"]
    assert condition["type"] == "SyncError"
    assert (
        condition["message"] == f"Failed last sync attempt to [{app['status']['sync']['revision']}]: {state['message']}"
    )
    watched = versions(demo, name)
    path = "shop/catalog/staging-eu-1/service.yaml"
    sha = push(demo, "7000 was meant", **{path: lambda text: text.replace("70000", "7000")})
    done = await watched.until(settled_at(sha))
    assert "conditions" not in done["status"]


async def test_a_failing_sync_retries_and_gives_up(demo: Demo) -> None:
    name = "mailer-prod-eu-1"
    watched = versions(demo, name)
    path = "shop/mailer/prod-eu-1/service.yaml"
    sha = push(demo, "slip", **{path: lambda text: text.replace("port: 80\n", "port: 0\n")})
    retry = await watched.until(lambda app: (app["status"].get("operationState") or {}).get("retryCount") == 1)
    state = retry["status"]["operationState"]
    assert state["phase"] == "Running"
    assert "finishedAt" in state
    assert "must be between 1 and 65535, inclusive. Retrying attempt #1 at " in state["message"]
    await watched.until(
        lambda app: (app["status"].get("operationState") or {}).get("message") == "Retrying operation. Attempt #2"
    )
    failed = await watched.until(lambda app: phase(app) == "Failed")
    assert failed["status"]["operationState"]["message"].endswith("inclusive (retried 5 times).")
    assert "operation" not in failed
    await watched.until(lambda app: any(c["type"] == "SyncError" for c in app["status"].get("conditions") or ()))
    told = next(message for reason, message in reversed(events(demo, name)) if reason == "OperationCompleted")
    assert told.startswith(f"Sync operation to {sha} failed: one or more objects failed to apply, reason: ")


async def test_broken_yaml_is_a_comparison_error(demo: Demo) -> None:
    watched = versions(demo, "storefront-prod-eu-1")
    push(demo, "oops", **{STOREFRONT: lambda text: text.replace("spec:\n", "spec:\n  replicas: [\n", 1)})
    bad = await watched.until(lambda app: app["status"].get("conditions"))
    (condition,) = bad["status"]["conditions"]
    assert condition["type"] == "ComparisonError"
    assert condition["message"].startswith(
        "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: "
        'code = FailedPrecondition desc = Failed to unmarshal "deployment.yaml": '
    )
    assert bad["status"]["sync"]["status"] == "Unknown"
    assert bad["status"]["health"]["status"] == "Unknown"


async def test_an_image_that_works_ends_the_crash_loop(demo: Demo) -> None:
    name = "payments-prod-us-1"
    assert application(demo, name)["status"]["health"]["status"] == "Degraded"
    watched = versions(demo, name)
    path = "shop/payments/prod-us-1/deployment.yaml"
    sha = push(demo, "back to 2.13.4", **{path: lambda text: text.replace("2.14.0", "2.13.4")})
    await watched.until(settled_at(sha))
    pods = demo.world.clusters["prod-us-1"].storage.list("pods", "payments")
    states = [pod["status"]["containerStatuses"][0]["state"] for pod in pods if not _leaving(pod)]
    assert len(states) == 3
    assert all("running" in state for state in states)


async def test_an_image_that_crashes_fails_the_sync(demo: Demo) -> None:
    name = "mailer-staging-eu-1"
    watched = versions(demo, name)
    path = "shop/mailer/staging-eu-1/deployment.yaml"

    def worse(text: str) -> str:
        text = text.replace("1.9.3", "1.9.4-broken")
        return text.replace("  replicas: 1", "  progressDeadlineSeconds: 60\n  replicas: 1")

    push(demo, "bad build", **{path: worse})
    failed = await watched.until(lambda app: phase(app) == "Failed")
    message = failed["status"]["operationState"]["message"]
    assert message == "one or more synchronization tasks completed unsuccessfully (retried 5 times)."


async def test_what_leaves_git_is_pruned(demo: Demo) -> None:
    name = "storefront-dev-eu-1"
    watched = versions(demo, name)
    sha = push(demo, "no policy in dev", **{"shop/storefront/dev-eu-1/policy.yaml": None})
    done = await watched.until(settled_at(sha))
    results = {entry["kind"]: entry for entry in done["status"]["operationState"]["syncResult"]["resources"]}
    assert results["CiliumNetworkPolicy"]["status"] == "Pruned"
    assert results["CiliumNetworkPolicy"]["message"] == "pruned"
    storage = demo.world.clusters["dev-eu-1"].storage
    assert storage.find("ciliumnetworkpolicies.cilium.io", "shop", "storefront") is None


async def test_self_heal_undoes_a_change_by_hand(demo: Demo) -> None:
    name = "catalog-prod-eu-1"
    watched = versions(demo, name)

    def scale(live: dict) -> None:
        live["spec"]["replicas"] = 9

    storage = demo.world.clusters["prod-eu-1"].storage
    storage.patch("deployments.apps", "shop", "catalog", scale)
    healing = await watched.until(lambda app: "operation" in app)
    sync = healing["operation"]["sync"]
    assert sync["autoHealAttemptsCount"] == 1
    assert sync["resources"] == [{"group": "apps", "kind": "Deployment", "name": "catalog", "namespace": "shop"}]
    deployment = Versions(storage, "deployments.apps", "shop", "catalog")
    await deployment.until(lambda live: live["spec"]["replicas"] == 3)
    history = application(demo, name)["status"]["history"]
    await watched.until(lambda app: phase(app) == "Succeeded" and app["status"]["sync"]["status"] == "Synced")
    assert application(demo, name)["status"]["history"] == history  # a partial sync is no deployment


async def test_a_new_directory_becomes_an_application(demo: Demo) -> None:
    text = (demo.repository / "edge/till/edge-oslo-01/till.yaml").read_text()
    watched = versions(demo, "till-edge-malmo-05")
    push(demo, "Malmö", **{"edge/till/edge-malmo-05/till.yaml": text})
    app = await watched.until(lambda app: (app.get("status") or {}).get("conditions"))
    assert app["metadata"]["ownerReferences"][0]["kind"] == "ApplicationSet"
    assert app["spec"]["source"]["path"] == "edge/till/edge-malmo-05"
    assert app["status"]["conditions"][0]["type"] == "InvalidSpecError"
    assert "there are no clusters with this name: edge-malmo-05" in app["status"]["conditions"][0]["message"]
    assert ("created", 'created Application "till-edge-malmo-05"') in events(demo, "till")
    appset = demo.world.hub.get("applicationsets.argoproj.io", "argocd", "till")
    assert "till-edge-malmo-05" in [entry["name"] for entry in appset["status"]["resources"]]


async def test_an_application_that_leaves_git_takes_its_resources_along(demo: Demo) -> None:
    watched = versions(demo, "storefront-dev-eu-1")
    push(demo, "no storefront in dev", **{"argocd/apps/storefront-dev-eu-1.yaml": None})
    await watched.until(lambda app: "deletionTimestamp" in app["metadata"])
    await watched.gone()
    storage = demo.world.clusters["dev-eu-1"].storage
    assert storage.find("deployments.apps", "shop", "storefront") is None
    left = [pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in storage.list("pods", "shop")]
    assert left == ["catalog"]


async def test_hooks_and_waves_run_in_order(demo: Demo) -> None:
    name = "mailer-prod-eu-1"
    watched = versions(demo, name)
    hook = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  namespace: shop
  annotations:
    argocd.argoproj.io/hook: PreSync
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: migrate
          image: registry.harbour.example/shop/mailer:1.9.3
"""
    late = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: late
  namespace: shop
  annotations:
    argocd.argoproj.io/sync-wave: "5"
data: {}
"""
    sha = push(demo, "hook", **{"shop/mailer/prod-eu-1/hook.yaml": hook, "shop/mailer/prod-eu-1/late.yaml": late})
    done = await watched.until(settled_at(sha))
    results = done["status"]["operationState"]["syncResult"]["resources"]
    assert (results[0]["syncPhase"], results[0]["name"]) == ("PreSync", "migrate")
    assert results[0]["hookType"] == "PreSync"
    assert results[0]["hookPhase"] == "Succeeded"
    assert results[-1]["name"] == "late"
    messages = [app["status"]["operationState"].get("message") for app in watched.seen if phase(app) == "Running"]
    assert "waiting for completion of hook batch/Job/migrate" in messages
    assert "migrate" not in [entry["name"] for entry in done["status"]["resources"]]


async def test_a_cluster_that_does_not_answer_makes_everything_unknown(demo: Demo) -> None:
    app = application(demo, "till-edge-bergen-04")
    server = demo.world.servers["edge-bergen-04"]
    (condition,) = app["status"]["conditions"]
    assert condition["type"] == "ComparisonError"
    assert condition["message"].startswith(f'Failed to load live state: failed to get cluster info for "{server}": ')
    assert condition["message"].endswith("connect: connection refused")
    assert app["status"]["sync"]["status"] == "Unknown"
    assert {entry["status"] for entry in app["status"]["resources"]} == {"Unknown"}


def _leaving(pod: dict) -> bool:
    return "deletionTimestamp" in pod["metadata"]
