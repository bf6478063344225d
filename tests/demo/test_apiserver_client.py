"""The official Python client against the server: it lists, pages, watches and is refused as on a real cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from kubernetes.aio import client, config, watch

from tests.support import kubeconfig, serving, thing
from tui.demo.apiserver.access import Deny
from tui.demo.apiserver.server import ApiServer, ServerTls
from tui.demo.pki import Authority

Setup = tuple[ApiServer, client.ApiClient]


def pod(name: str) -> dict[str, Any]:
    return thing("Pod", name, "shop", labels={"app": "web"}, spec={"containers": [{"name": "main", "image": "web:1"}]})


@pytest_asyncio.fixture
async def setup(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Setup]:
    writes = request.node.get_closest_marker("writes") is not None
    authority = Authority(tmp_path / "pki")
    pair = authority.server()
    tls = ServerTls(pair.certificate, pair.key, authority.certificate)
    objects = [
        *(pod(f"web-{number}") for number in range(7)),
        thing("Application", "web", "argocd", "argoproj.io/v1alpha1", spec={"project": "shop"}),
    ]
    async with serving(objects, tls=tls, deny=[Deny("secrets")], writes=writes) as server:
        path = kubeconfig(tmp_path / "config", server, authority.certificate, pair=authority.client("alice"))
        configuration = client.Configuration()
        await config.load_kube_config(str(path), client_configuration=configuration)
        async with client.ApiClient(configuration) as api:
            yield server, api


async def test_typed_lists_and_pages(setup: Setup):
    _, api = setup
    core = client.CoreV1Api(api)
    listing = await core.list_namespaced_pod("shop")
    assert [item.metadata.name for item in listing.items] == [f"web-{number}" for number in range(7)]
    assert listing.items[0].spec.containers[0].image == "web:1"
    names: list[str] = []
    token = None
    while token != "":
        page = await core.list_pod_for_all_namespaces(limit=3, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue or ""
    assert len(names) == 7


async def test_custom_objects(setup: Setup):
    _, api = setup
    custom = client.CustomObjectsApi(api)
    listing = await custom.list_cluster_custom_object("argoproj.io", "v1alpha1", "applications")
    assert listing["items"][0]["spec"] == {"project": "shop"}


async def test_watch(setup: Setup):
    server, api = setup
    core = client.CoreV1Api(api)
    listing = await core.list_namespaced_pod("shop")
    seen = []
    stream = watch.Watch()
    version = listing.metadata.resource_version
    server.storage.create(pod("web-7"))
    async for event in stream.stream(core.list_namespaced_pod, "shop", resource_version=version, timeout_seconds=30):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 1:
            server.storage.update_status("pods", "shop", "web-0", {"phase": "Failed"})
            server.storage.delete("pods", "shop", "web-1")
        if len(seen) == 3:
            break
    await stream.close()
    assert seen == [("ADDED", "web-7"), ("MODIFIED", "web-0"), ("DELETED", "web-1")]


@pytest.mark.writes
async def test_errors_are_api_exceptions(setup: Setup):
    server, api = setup
    core = client.CoreV1Api(api)
    for call, status in (
        (core.read_namespaced_pod("nope", "shop"), 404),
        (core.list_secret_for_all_namespaces(), 403),
        (core.delete_namespaced_pod("web-0", "shop"), 403),
        (core.patch_namespaced_pod("web-0", "shop", {"metadata": {"labels": {"a": "b"}}}), 403),
        (core.create_namespaced_pod("shop", pod("new")), 403),
    ):
        with pytest.raises(client.ApiException) as error:
            await call
        assert error.value.status == status
    assert server.mutations.count == 3
    assert server.storage.count("pods") == 7


async def test_version_discovery_and_reviews(setup: Setup):
    _, api = setup
    assert (await client.VersionApi(api).get_code()).git_version == "v1.31.4"
    groups = await client.ApisApi(api).get_api_versions()
    assert "apps" in [group.name for group in groups.groups]
    attributes = client.V1ResourceAttributes(verb="list", resource="pods")
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    answer = await client.AuthorizationV1Api(api).create_self_subject_access_review(review)
    assert answer.status.allowed is True
    assert (await client.CoreV1Api(api).read_namespaced_pod_log("web-0", "shop")) == ""
