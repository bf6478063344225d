"""Get and list over HTTP: paging, versions, selectors, forms of answer, errors."""

from __future__ import annotations

import gzip
import json
from typing import Any

import aiohttp
import pytest

from tests.demo.conftest import Fetch
from tests.support import Factory, thing
from tui.demo.apiserver.status import ApiError

PODS = "/api/v1/namespaces/shop/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def pod(name: str, namespace: str = "shop", node: str = "n1", phase: str = "Running", **labels: str) -> dict[str, Any]:
    containers = [{"name": "main", "image": "app:1"}]
    spec = {"nodeName": node, "containers": containers}
    return thing("Pod", name, namespace, labels=labels, spec=spec, status={"phase": phase})


def pods(count: int) -> list[dict[str, Any]]:
    return [pod(f"p{number:03}") for number in range(count)]


async def test_get_and_list_in_the_shape_of_kubernetes(api_server: Factory, fetch: Fetch):
    server = await api_server([pod("a"), pod("b", "other"), thing("Application", "x", "cd", "argoproj.io/v1alpha1")])
    one = (await fetch(server, PODS + "/a")).json
    assert (one["apiVersion"], one["kind"], one["metadata"]["namespace"]) == ("v1", "Pod", "shop")
    everywhere = (await fetch(server, "/api/v1/pods")).json
    assert (everywhere["apiVersion"], everywhere["kind"]) == ("v1", "PodList")
    assert everywhere["metadata"] == {"resourceVersion": str(server.storage.resource_version)}
    assert [item["metadata"]["name"] for item in everywhere["items"]] == ["b", "a"]
    assert (await fetch(server, PODS)).names == ["a"]
    # Items of Kubernetes' own lists carry no kind; those of custom resources do.
    assert "kind" not in everywhere["items"][0]
    applications = (await fetch(server, "/apis/argoproj.io/v1alpha1/applications")).json
    assert applications["items"][0]["kind"] == "Application"
    assert applications["kind"] == "ApplicationList"
    assert (await fetch(server, PODS + "/a/status")).json == one
    namespaced = await fetch(server, "/api/v1/namespaces/nowhere/pods")
    assert (namespaced.status, namespaced.names) == (200, [])


async def test_pages_show_one_version_while_the_world_moves(api_server: Factory, fetch: Fetch):
    server = await api_server(pods(7))
    first = (await fetch(server, PODS, limit=3)).json
    assert first["metadata"]["remainingItemCount"] == 4
    server.storage.delete("pods", "shop", "p003")
    server.storage.create(pod("p0035"))
    server.storage.update_status("pods", "shop", "p005", {"phase": "Failed"})
    second = (await fetch(server, PODS, limit=3, **{"continue": first["metadata"]["continue"]})).json
    third = (await fetch(server, PODS, limit=3, **{"continue": second["metadata"]["continue"]})).json
    names = [item["metadata"]["name"] for page in (first, second, third) for item in page["items"]]
    assert names == [f"p{number:03}" for number in range(7)]
    assert second["items"][2]["status"] == {"phase": "Running"}
    assert len({page["metadata"]["resourceVersion"] for page in (first, second, third)}) == 1
    assert "continue" not in third["metadata"]
    assert "p0035" in (await fetch(server, PODS)).names


async def test_an_expired_page_is_410_and_a_broken_token_400(api_server: Factory, fetch: Fetch):
    server = await api_server(pods(4))
    token = (await fetch(server, PODS, limit=2)).json["metadata"]["continue"]
    server.storage.create(pod("new"))
    server.storage.compact()
    answer = await fetch(server, PODS, limit=2, **{"continue": token})
    assert (answer.status, answer.json["reason"], answer.json["kind"]) == (410, "Expired", "Status")
    for broken in ("!!", "bm90IGpzb24", "e30"):
        assert (await fetch(server, PODS, limit=2, **{"continue": broken})).status == 400


async def test_pages_with_a_selector_hold_what_is_selected(api_server: Factory, fetch: Fetch):
    server = await api_server([pod(f"p{n:02}", app="even" if n % 2 == 0 else "odd") for n in range(10)])
    names, token = [], ""
    for _ in range(3):
        page = (await fetch(server, PODS, labelSelector="app=even", limit=2, **{"continue": token})).json
        names.append([item["metadata"]["name"] for item in page["items"]])
        token = page["metadata"].get("continue", "")
    assert names == [["p00", "p02"], ["p04", "p06"], ["p08"]]
    assert token == ""


async def test_resource_versions_of_a_list(api_server: Factory, fetch: Fetch):
    server = await api_server(pods(3))
    then = server.storage.resource_version
    server.storage.create(pod("later"))
    now = server.storage.resource_version

    async def count(**query: Any) -> tuple[int, int]:
        answer = await fetch(server, PODS, **query)
        assert answer.status == 200, answer.body
        return len(answer.names), int(answer.json["metadata"]["resourceVersion"])

    assert await count(resourceVersion="") == (4, now)
    assert await count(resourceVersion=0) == (4, now)
    assert await count(resourceVersion=then) == (4, now)
    assert await count(resourceVersion=then, resourceVersionMatch="NotOlderThan") == (4, now)
    assert await count(resourceVersion=then, resourceVersionMatch="Exact") == (3, then)
    assert await count(resourceVersion=then, limit=2) == (2, then)
    assert await count(resourceVersion=0, limit=2) == (4, now)  # the watch cache does not page
    server.cache_ignores_limit = False
    assert await count(resourceVersion=0, limit=2) == (2, now)


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ({"resourceVersion": "99999"}, 504, "Timeout"),
        ({"resourceVersion": "99999", "resourceVersionMatch": "NotOlderThan"}, 504, "Timeout"),
        ({"resourceVersion": "x"}, 400, "BadRequest"),
        ({"resourceVersionMatch": "Exact"}, 422, "Invalid"),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, "Invalid"),
        ({"resourceVersionMatch": "Newest", "resourceVersion": "1"}, 422, "Invalid"),
        ({"sendInitialEvents": "true", "watch": "1"}, 422, "Invalid"),
        ({"resourceVersionMatch": "NotOlderThan", "resourceVersion": "1", "watch": "1"}, 422, "Invalid"),
        ({"limit": "many"}, 400, "BadRequest"),
        ({"limit": "-1"}, 422, "Invalid"),
        ({"labelSelector": "a in (b"}, 400, "BadRequest"),
        ({"labelSelector": "=b"}, 400, "BadRequest"),
        ({"labelSelector": "a=b,,"}, 400, "BadRequest"),
        ({"fieldSelector": "spec.containers=x"}, 400, "BadRequest"),
        ({"fieldSelector": "status.phase"}, 400, "BadRequest"),
        ({"includeObject": "Some"}, 400, "BadRequest"),
    ],
)
async def test_bad_options_are_structured_errors(
    api_server: Factory, fetch: Fetch, query: dict[str, str], status: int, reason: str
):
    server = await api_server(pods(1))
    answer = await fetch(server, PODS, **query)
    document = answer.json
    assert (answer.status, document["code"], document["reason"]) == (status, status, reason)
    assert (document["kind"], document["apiVersion"], document["status"]) == ("Status", "v1", "Failure")


async def test_a_version_from_the_future_says_when_to_retry(api_server: Factory, fetch: Fetch):
    server = await api_server()
    answer = await fetch(server, PODS, resourceVersion=99999)
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert "Too large resource version: 99999" in answer.json["message"]


async def test_an_exact_version_that_is_forgotten_is_410(api_server: Factory, fetch: Fetch):
    server = await api_server(pods(1))
    then = server.storage.resource_version
    server.storage.create(pod("new"))
    server.storage.compact()
    answer = await fetch(server, PODS, resourceVersion=then, resourceVersionMatch="Exact")
    assert (answer.status, answer.json["reason"]) == (410, "Expired")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web", "a b"),
        ("app==web,tier!=front", "b"),
        ("app!=web", "c d"),
        ("tier", "a c"),
        ("!tier", "b d"),
        ("app in (web, db)", "a b c"),
        ("app notin (web,db)", "d"),
        ("tier in (front),app notin (db)", "a"),
        ("example.org/x=1", "d"),
        ("size>2", "c"),
        ("size<3", "b"),
        ("app=", ""),
        ("", "a b c d"),
    ],
)
async def test_label_selectors(api_server: Factory, fetch: Fetch, selector: str, names: str):
    server = await api_server(
        [
            pod("a", app="web", tier="front"),
            pod("b", app="web", size="2"),
            pod("c", app="db", tier="back", size="10"),
            pod("d", **{"example.org/x": "1", "size": "big"}),
        ]
    )
    assert (await fetch(server, PODS, labelSelector=selector)).names == names.split()


@pytest.mark.parametrize(
    ("path", "selector", "names"),
    [
        (PODS, "metadata.name=a", "a"),
        (PODS, "metadata.name!=a", "b c"),
        ("/api/v1/pods", "metadata.namespace=shop", "a b c"),
        (PODS, "spec.nodeName=n2", "b"),
        (PODS, "spec.nodeName=n1,status.phase!=Succeeded", "a"),
        (PODS, "spec.nodeName=", ""),
        ("/api/v1/events", "involvedObject.name=a,involvedObject.kind=Pod", "e1"),
        ("/api/v1/events", "type!=Normal", "e2"),
        ("/api/v1/events", "reason=Killing", "e1"),
        ("/api/v1/events", r"involvedObject.fieldPath=spec.containers{a\,b}", "e2"),
        ("/api/v1/nodes", "spec.unschedulable=false", "n1"),
        ("/api/v1/nodes", "spec.unschedulable=true", "n2"),
    ],
)
async def test_field_selectors(api_server: Factory, fetch: Fetch, path: str, selector: str, names: str):
    about = {"kind": "Pod", "name": "a", "namespace": "shop"}
    server = await api_server(
        [
            pod("a"),
            pod("b", node="n2"),
            pod("c", phase="Succeeded"),
            thing("Event", "e1", "shop", involvedObject=about, type="Normal", reason="Killing"),
            thing("Event", "e2", "shop", involvedObject={"fieldPath": "spec.containers{a,b}"}, type="Warning"),
            thing("Node", "n1", spec={}),
            thing("Node", "n2", spec={"unschedulable": True}),
        ]
    )
    assert (await fetch(server, path, fieldSelector=selector)).names == names.split()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (PODS + "/nope", 'pods "nope" not found'),
        ("/apis/apps/v1/namespaces/shop/deployments/nope", 'deployments.apps "nope" not found'),
        ("/api/v1/nopes", "the server could not find the requested resource"),
        ("/apis/nope.io/v1/things", "the server could not find the requested resource"),
        ("/apis/apps/v1beta1/deployments", "the server could not find the requested resource"),
        ("/apis/apps/v2", "the server could not find the requested resource"),
        ("/apis/nope.io", "the server could not find the requested resource"),
        ("/api/v2", "the server could not find the requested resource"),
        ("/nope", "the server could not find the requested resource"),
        ("/api/v1/namespaces/shop/nodes", "the server could not find the requested resource"),
        ("/api/v1/pods/a", "the server could not find the requested resource"),
        (PODS + "/a/nope", "the server could not find the requested resource"),
        (PODS + "/a/scale", "the server could not find the requested resource"),
    ],
)
async def test_what_is_not_there_is_404(api_server: Factory, fetch: Fetch, path: str, message: str):
    server = await api_server([pod("a")])
    answer = await fetch(server, path)
    assert (answer.status, answer.json["reason"], answer.json["message"]) == (404, "NotFound", message)


async def test_tables_carry_columns_cells_and_as_much_object_as_asked(api_server: Factory, fetch: Fetch):
    server = await api_server(pods(3))
    table = (await fetch(server, PODS, accept=TABLE + ",application/json", limit=2)).json
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [c["name"] for c in table["columnDefinitions"] if not c["priority"]] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
    ]
    assert table["rows"][0]["cells"][:3] == ["p000", "0/1", "Running"]
    assert table["metadata"]["remainingItemCount"] == 1
    kept = table["rows"][0]["object"]
    assert (kept["kind"], kept["metadata"]["name"]) == ("PartialObjectMetadata", "p000")
    assert "spec" not in kept
    whole = (await fetch(server, PODS, accept=TABLE, includeObject="Object")).json
    assert whole["rows"][0]["object"]["spec"]["nodeName"] == "n1"
    bare = (await fetch(server, PODS, accept=TABLE, includeObject="None")).json
    assert "object" not in bare["rows"][0]
    single = (await fetch(server, PODS + "/p001", accept=TABLE.replace("v=v1;", "v=v1beta1;"))).json
    assert (single["apiVersion"], len(single["rows"])) == ("meta.k8s.io/v1beta1", 1)


async def test_partial_metadata(api_server: Factory, fetch: Fetch):
    server = await api_server([pod("a", app="web")])
    listing = (await fetch(server, PODS, accept=PARTIAL_LIST)).json
    assert (listing["kind"], listing["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert set(listing["items"][0]) == {"kind", "apiVersion", "metadata"}
    assert listing["items"][0]["metadata"]["labels"] == {"app": "web"}
    one = (await fetch(server, PODS + "/a", accept=PARTIAL_LIST.replace("List", ""))).json
    assert (one["kind"], one["metadata"]["name"]) == ("PartialObjectMetadata", "a")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "PodList"),
        ("application/vnd.kubernetes.protobuf,application/json", "PodList"),
        ("application/json;q=0.1," + TABLE, "Table"),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "PodList"),
        ("application/yaml", "Status"),
        ("application/vnd.kubernetes.protobuf", "Status"),
        (TABLE.replace("v=v1", "v=v9"), "Status"),
    ],
)
async def test_negotiation(api_server: Factory, fetch: Fetch, accept: str, kind: str):
    server = await api_server()
    answer = await fetch(server, PODS, accept=accept)
    assert answer.json["kind"] == kind
    assert answer.status == (406 if kind == "Status" else 200)


async def test_scale_of_a_workload(api_server: Factory, fetch: Fetch):
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}}
    server = await api_server([thing("Deployment", "web", "shop", "apps/v1", spec=spec, status={"replicas": 2})])
    scale = (await fetch(server, "/apis/apps/v1/namespaces/shop/deployments/web/scale")).json
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": 3})
    assert scale["status"] == {"replicas": 2, "selector": "app=web"}


async def test_large_answers_are_compressed_when_accepted(api_server: Factory):
    server = await api_server(pods(1500))
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        url = server.url + PODS
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            packed = await response.read()
        async with session.get(url, headers={"Accept-Encoding": "identity"}) as response:
            assert "Content-Encoding" not in response.headers
            plain = await response.read()
        async with session.get(url, params={"limit": 5}, headers={"Accept-Encoding": "gzip"}) as response:
            assert "Content-Encoding" not in response.headers
        async with session.head(url) as response:
            assert (response.status, await response.read()) == (200, b"")
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 5
    assert len(json.loads(plain)["items"]) == 1500


async def test_both_event_groups_show_the_same_events(api_server: Factory, fetch: Fetch, open_watch: Any):
    about = {"kind": "Pod", "name": "a"}
    times = {"firstTimestamp": "2024-05-06T07:08:09Z", "count": 3}
    server = await api_server(
        [
            thing("Event", "e1", "shop", involvedObject=about, reason="Killing", message="Stopping", **times),
            thing("Event", "e2", "shop", involvedObject={"name": "b"}),
        ]
    )
    path = "/apis/events.k8s.io/v1/namespaces/shop/events"
    one = (await fetch(server, path + "/e1")).json
    assert (one["apiVersion"], one["kind"], one["note"], one["regarding"]) == (
        "events.k8s.io/v1",
        "Event",
        "Stopping",
        about,
    )
    assert (one["deprecatedCount"], "message" in one) == (3, False)
    listing = await fetch(server, path, fieldSelector="regarding.name=a")
    assert listing.json["apiVersion"] == "events.k8s.io/v1"
    assert listing.names == ["e1"]
    assert "kind" not in listing.json["items"][0]
    core = await open_watch(server, "/api/v1/events", resourceVersion=server.storage.resource_version)
    new = await open_watch(server, path, resourceVersion=server.storage.resource_version)
    server.storage.create(thing("Event", "e3", "shop", message="later"))
    assert (await core.next())["object"]["message"] == "later"
    assert (await new.next())["object"]["note"] == "later"
    table = (await fetch(server, path, accept=TABLE)).json
    cells = dict(zip([c["name"] for c in table["columnDefinitions"]], table["rows"][0]["cells"], strict=True))
    assert (cells["Reason"], cells["Object"], cells["Message"]) == ("Killing", "pod/a", "Stopping")
    with pytest.raises(ApiError):
        server.storage.create(thing("Event", "e4", "shop", "events.k8s.io/v1"))
