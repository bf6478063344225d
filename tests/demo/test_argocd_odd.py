"""Files that no one should write, and pushes that come too fast: the demo goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.demo.running import application, push, running, settled_at, versions
from tui.demo.apiserver.resources import builtin
from tui.demo.apiserver.status import ApiError
from tui.demo.apiserver.storage import Storage
from tui.demo.argocd.compare import Target, served
from tui.demo.argocd.objects import same, stamped
from tui.demo.argocd.operation import Operation, Task, tasks_of
from tui.demo.argocd.source import RenderError, _parsed
from tui.demo.assembly import Demo
from tui.demo.clock import Clock
from tui.demo.content.tree import final_tree
from tui.demo.repository import git

FILES = [
    "shop/storefront/prod-eu-1/deployment.yaml",
    "shop/storefront/prod-eu-1/service.yaml",
    "shop/storefront/prod-eu-1/policy.yaml",
    "data/orders-db/prod-eu-1/statefulset.yaml",
    "finance/jobs/prod-eu-1/jobs.yaml",
    "platform/baseline/prod-eu-1/metrics-agent.yaml",
]
OBJECTS = [document for file in FILES for document in yaml.safe_load_all(final_tree("r")[file])]
STOREFRONT = FILES[0]

odd = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({}) | st.just([{}, 1])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every node below the top."""
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        found += places(inner, (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return new
    if isinstance(value, dict):
        return {key: replaced(inner, path[1:], new) if key == path[0] else inner for key, inner in value.items()}
    return [replaced(inner, path[1:], new) if index == path[0] else inner for index, inner in enumerate(value)]


@settings(max_examples=settings.default.max_examples * 2, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_object_with_anything_anywhere_is_applied_or_refused(data: st.DataObject) -> None:
    obj = data.draw(st.sampled_from(OBJECTS))
    path = data.draw(st.sampled_from(places(obj)))
    text = yaml.safe_dump(replaced(obj, path, data.draw(odd))).encode()
    storage = Storage(builtin("cilium.io"))
    try:
        objects = list(_parsed(text, "file.yaml"))
    except RenderError:
        return
    for each in objects:
        resource = served(storage, each)
        if resource is None:
            continue
        each["metadata"]["namespace"] = each["metadata"].get("namespace") or "shop"
        target = stamped(each, "app", "shop")
        (task,) = tasks_of([Target(target, resource.name)], [], storage, set())
        namespace = target["metadata"]["namespace"]
        storage.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        refused_or_applied(storage, task)


def refused_or_applied(storage: Storage, task: Task) -> None:
    """Apply one task as an operation would; what was applied must then be in sync."""
    operation = Operation(storage, Clock(), lambda changes: True, lambda resource, obj: None, True, "")
    try:
        operation._decoded(task)
    except ApiError:
        return
    live = storage.find(task.resource, task.key.namespace, task.key.name)
    assert live is not None
    assert same(task.obj, live)


@pytest_asyncio.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with running(tmp_path) as started:
        yield started


@pytest.mark.slow
async def test_pushes_in_a_row_end_at_the_last(demo: Demo) -> None:
    watched = versions(demo, "storefront-prod-eu-1")
    sha = ""
    for count in (5, 6, 7, 3):
        sha = push(demo, f"{count}", **{STOREFRONT: lambda text, count=count: _replicas(text, count)})
    done = await watched.until(settled_at(sha))
    assert done["status"]["history"][-1]["revision"] == sha
    live = demo.world.clusters["prod-eu-1"].storage.get("deployments.apps", "shop", "storefront")
    assert live["spec"]["replicas"] == 3


@pytest.mark.slow
async def test_a_rewritten_branch_is_followed(demo: Demo) -> None:
    watched = versions(demo, "storefront-prod-eu-1")
    before = git(demo.repository, "rev-parse", "HEAD").decode().strip()
    first = push(demo, "six", **{STOREFRONT: lambda text: _replicas(text, 6)})
    await watched.until(settled_at(first))
    git(demo.repository, "push", "--quiet", "--force", "origin", f"{before}:main")
    await watched.until(lambda app: app["status"]["sync"]["revision"] == before and first in _shas(app))
    live = demo.world.clusters["prod-eu-1"].storage
    await watched.until(
        lambda app: (
            live.get("deployments.apps", "shop", "storefront")["spec"]["replicas"] == 4
            and app["status"]["sync"]["status"] == "Synced"
        )
    )


@pytest.mark.slow
async def test_a_branch_of_ones_own_is_deployed_by_target_revision(demo: Demo) -> None:
    git(demo.repository, "checkout", "--quiet", "-b", "try")
    file = demo.repository / STOREFRONT
    file.write_text(_replicas(file.read_text(), 5))
    git(demo.repository, "commit", "--quiet", "-am", "five, to try")
    git(demo.repository, "push", "--quiet", "origin", "try")
    sha = git(demo.repository, "rev-parse", "try").decode().strip()
    git(demo.repository, "checkout", "--quiet", "main")
    watched = versions(demo, "storefront-prod-eu-1")
    path = "argocd/apps/storefront-prod-eu-1.yaml"
    push(demo, "try it", **{path: lambda text: text.replace("targetRevision: main", "targetRevision: try")})
    await watched.until(settled_at(sha))
    git(demo.repository, "push", "--quiet", "origin", ":try")
    bad = await watched.until(lambda app: app["status"].get("conditions"))
    assert "unable to resolve 'try' to a commit SHA" in bad["status"]["conditions"][0]["message"]


@pytest.mark.slow
async def test_turning_auto_sync_off_and_on_is_obeyed(demo: Demo) -> None:
    name, path = "storefront-prod-us-1", "argocd/apps/storefront-prod-us-1.yaml"
    watched = versions(demo, name)
    automated = "    automated:\n      prune: true\n      selfHeal: true\n"
    push(demo, "by hand", **{path: lambda text: text.replace(automated, "")})
    await watched.until(lambda app: "automated" not in app["spec"]["syncPolicy"])
    deployment = "shop/storefront/prod-us-1/deployment.yaml"
    sha = push(demo, "five", **{deployment: lambda text: _replicas(text, 5)})
    await watched.until(lambda app: app["status"]["sync"]["revision"] == sha)
    assert application(demo, name)["status"]["sync"]["status"] == "OutOfSync"
    assert "operation" not in application(demo, name)
    push(demo, "by itself", **{path: lambda text: text.replace("  syncPolicy:\n", "  syncPolicy:\n" + automated)})
    done = await watched.until(
        lambda app: (
            app["status"]["sync"]["status"] == "Synced"
            and app["status"]["health"]["status"] == "Healthy"
            and app["spec"]["syncPolicy"].get("automated")
            and "operation" not in app
            and app["status"]["sync"]["revision"] != sha
        )
    )
    assert done["status"]["operationState"]["phase"] == "Succeeded"


@pytest.mark.slow
async def test_applications_that_make_no_sense_say_so(demo: Demo) -> None:
    odd = [
        ("{}", "spec.source.repoURL"),
        ("{project: nowhere, source: {repoURL: r, path: p}, destination: {name: in-cluster}}", "project nowhere"),
        ("{project: shop, source: {repoURL: r, path: p}, destination: {name: a, server: b}}", "both name and server"),
        ("{project: shop, sources: [{repoURL: r}], destination: {name: in-cluster}}", "sources"),
    ]
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: odd-{}, namespace: argocd}}\nspec: {}\n"
    )
    watched = [versions(demo, f"odd-{at}") for at in range(len(odd))]
    push(demo, "odd", **{f"argocd/apps/odd-{at}.yaml": text.format(at, spec) for at, (spec, _) in enumerate(odd)})
    for each, (_, words) in zip(watched, odd, strict=True):
        app = await each.until(lambda app: (app.get("status") or {}).get("conditions"))
        (condition,) = app["status"]["conditions"]
        assert condition["type"] == "InvalidSpecError"
        assert words in condition["message"]


def _replicas(text: str, count: int) -> str:
    head, _, rest = text.partition("replicas: ")
    return f"{head}replicas: {count}{rest.lstrip('0123456789')}"


def _shas(app: Any) -> list[str]:
    return [entry["revision"] for entry in app["status"]["history"]]
