"""Watches over HTTP: where they start, what a selector lets through, bookmarks, ends, and slow readers."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aiohttp
import pytest

from tests.demo.conftest import Fetch
from tests.support import Factory, definition, thing
from tui.demo.apiserver.server import ApiServer

PODS = "/api/v1/namespaces/shop/pods"
ALL = "/api/v1/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
STREAMED = {
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "allowWatchBookmarks": "true",
}


def pod(name: str, namespace: str = "shop", phase: str = "Running", **labels: str) -> dict[str, Any]:
    return thing("Pod", name, namespace, labels=labels, spec={"nodeName": "n1"}, status={"phase": phase})


def relabel(server: ApiServer, name: str, **labels: str) -> None:
    def change(obj: dict[str, Any]) -> None:
        obj["metadata"]["labels"] = labels

    server.storage.patch("pods", "shop", name, change)


async def until_idle(server: ApiServer) -> None:
    """Until the server has noticed that all watches are gone."""
    async with asyncio.timeout(10):
        while len(server.watches):
            await asyncio.sleep(0.01)


async def test_from_a_version_only_what_came_after(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    then = server.storage.resource_version
    server.storage.create(pod("b"))
    server.storage.delete("pods", "shop", "a")
    watch = await open_watch(server, PODS, resourceVersion=then)
    assert await watch.take(2) == [("ADDED", "b"), ("DELETED", "a")]
    server.storage.update_status("pods", "shop", "b", {"phase": "Failed"})
    event = await watch.next()
    assert event["type"] == "MODIFIED"
    assert event["object"]["kind"] == "Pod"
    assert event["object"]["status"] == {"phase": "Failed"}
    assert event["object"]["metadata"]["resourceVersion"] == str(server.storage.resource_version)


async def test_a_version_from_the_future_is_waited_for(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    watch = await open_watch(server, PODS, resourceVersion=server.storage.resource_version + 2)
    for name in "bcd":
        server.storage.create(pod(name))
    assert await watch.take(1) == [("ADDED", "d")]


async def test_a_restored_backup_gives_its_versions_out_again(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    backup = server.storage.snapshot()
    server.storage.create(pod("b"))
    watch = await open_watch(server, PODS, resourceVersion=server.storage.resource_version)
    server.restore(backup)
    with pytest.raises(aiohttp.ClientPayloadError):
        await watch.next()
    assert server.storage.resource_version == backup.resource_version
    assert server.storage.create(pod("c"))["metadata"]["resourceVersion"] == str(backup.resource_version + 1)
    assert [obj["metadata"]["name"] for obj in server.storage.list("pods")] == ["a", "c"]
    watch = await open_watch(server, PODS, resourceVersion=backup.resource_version)
    assert await watch.take(1) == [("ADDED", "c")]


async def test_removing_a_definition_deletes_its_objects_and_ends_its_watches(api_server: Factory, open_watch: Any):
    widgets = definition("widgets", "Widget", "example.com")
    server = await api_server([widgets, thing("Widget", "w", "shop", "example.com/v1")])
    path = "/apis/example.com/v1/widgets"
    watch = await open_watch(server, path, resourceVersion=server.storage.resource_version)
    server.storage.delete("customresourcedefinitions.apiextensions.k8s.io", "", "widgets.example.com")
    assert await watch.take(1) == [("DELETED", "w")]
    assert await watch.next() is None


async def test_without_a_version_or_with_0_the_present_comes_first(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a"), pod("b"), pod("x", "other")])
    for query in ({}, {"resourceVersion": "0"}):
        watch = await open_watch(server, PODS, **query)
        assert await watch.take(2) == [("ADDED", "a"), ("ADDED", "b")]
    server.storage.create(pod("y", "other"))
    server.storage.create(pod("c"))
    assert await watch.take(1) == [("ADDED", "c")]


async def test_a_streamed_list_ends_with_its_bookmark(api_server: Factory, open_watch: Any):
    server = await api_server([pod(f"p{number:04}") for number in range(1200)])
    version = server.storage.resource_version
    watch = await open_watch(server, ALL, **STREAMED)
    names = [name for _, name in await watch.take(1200)]
    assert names == [f"p{number:04}" for number in range(1200)]
    mark = await watch.next()
    assert mark["type"] == "BOOKMARK"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["object"]["metadata"]["resourceVersion"] == str(version)
    server.storage.create(pod("q"))
    assert await watch.take(1) == [("ADDED", "q")]


async def test_changes_during_a_streamed_list_come_after_it(api_server: Factory, open_watch: Any):
    server = await api_server([pod(f"p{number:04}") for number in range(5000)])
    watch = await open_watch(server, ALL, **STREAMED)
    server.storage.delete("pods", "shop", "p4999")
    seen = await watch.take(5002)
    assert seen[4999] == ("ADDED", "p4999")
    assert seen[5000][0] == "BOOKMARK"
    assert seen[5001] == ("DELETED", "p4999")


async def test_older_servers_refuse_streamed_lists(api_server: Factory, fetch: Fetch):
    server = await api_server(watch_list=False)
    answer = await fetch(server, PODS, watch="true", **STREAMED)
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    assert "WatchList feature gate" in answer.json["message"]


async def test_selectors_turn_changes_into_appearing_and_vanishing(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a", app="web"), pod("b")])
    then = server.storage.resource_version
    live = await open_watch(server, PODS, resourceVersion=then, labelSelector="app=web")
    relabel(server, "b", app="web")
    relabel(server, "b", app="web", more="1")
    relabel(server, "a", app="db")
    relabel(server, "a", app="db", more="1")
    server.storage.delete("pods", "shop", "a")
    server.storage.delete("pods", "shop", "b")
    expected = [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "a"), ("DELETED", "b")]
    assert await live.take(4) == expected
    replayed = await open_watch(server, PODS, resourceVersion=then, labelSelector="app=web")
    assert await replayed.take(4) == expected


async def test_what_leaves_a_selection_is_last_seen_as_it_was(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a", app="web")])
    watch = await open_watch(server, PODS, resourceVersion=server.storage.resource_version, labelSelector="app=web")
    other = await open_watch(server, PODS, resourceVersion=server.storage.resource_version)
    relabel(server, "a", app="db")
    event = await watch.next()
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"] == {"app": "web"}
    assert event["object"]["metadata"]["resourceVersion"] == str(server.storage.resource_version)
    assert (await other.next())["object"]["metadata"]["labels"] == {"app": "db"}


async def test_field_selectors_apply_to_the_beginning_and_to_changes(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a", phase="Pending"), pod("b")])
    watch = await open_watch(server, PODS, fieldSelector="status.phase=Running")
    assert await watch.take(1) == [("ADDED", "b")]
    server.storage.update_status("pods", "shop", "a", {"phase": "Running"})
    server.storage.update_status("pods", "shop", "b", {"phase": "Failed"})
    assert await watch.take(2) == [("ADDED", "a"), ("DELETED", "b")]


async def test_bookmarks_only_for_those_who_ask(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    then = server.storage.resource_version
    asked = await open_watch(server, PODS, resourceVersion=then, allowWatchBookmarks="true")
    other = await open_watch(server, PODS, resourceVersion=then)
    server.storage.create(thing("Node", "n"))
    server.watches.bookmark()
    event = await asked.next()
    assert event == {
        "type": "BOOKMARK",
        "object": {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": str(server.storage.resource_version), "creationTimestamp": None},
        },
    }
    server.storage.create(pod("b"))
    assert await other.take(1) == [("ADDED", "b")]


async def test_bookmarks_come_by_the_clock_too(api_server: Factory, open_watch: Any):
    server = await api_server(bookmark_interval=0.01)
    watch = await open_watch(server, PODS, resourceVersion=1, allowWatchBookmarks="true")
    assert [(await watch.next())["type"] for _ in range(3)] == ["BOOKMARK"] * 3


async def test_a_forgotten_version_is_an_error_event(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    server.storage.create(pod("b"))
    server.storage.compact()
    watch = await open_watch(server, PODS, resourceVersion=1)
    (event,) = await watch.rest()
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert (event["object"]["kind"], event["object"]["apiVersion"]) == ("Status", "v1")


async def test_a_timeout_ends_the_watch_with_a_last_bookmark(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    watch = await open_watch(server, PODS, timeoutSeconds=1, allowWatchBookmarks="true")
    assert [event["type"] for event in await watch.rest()] == ["ADDED", "BOOKMARK"]
    await until_idle(server)


async def test_closing_all_watches_delivers_what_was_said(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    watches = [await open_watch(server, PODS, resourceVersion=server.storage.resource_version) for _ in range(3)]
    server.storage.create(pod("b"))
    server.close_watches()
    for watch in watches:
        assert [event["object"]["metadata"]["name"] for event in await watch.rest()] == ["b"]
    await until_idle(server)


async def test_a_client_that_leaves_is_forgotten(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    watch = await open_watch(server, PODS)
    assert await watch.take(1) == [("ADDED", "a")]
    assert len(server.watches) == 1
    watch.response.close()
    await until_idle(server)
    server.storage.create(pod("b"))


async def test_a_reader_that_is_too_slow_is_dropped_and_others_are_not(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a")])
    server.watch_buffer = 200_000
    then = server.storage.resource_version
    slow = await open_watch(server, PODS, resourceVersion=then)
    server.watch_buffer = 10**9
    quick = await open_watch(server, PODS, resourceVersion=then)
    text = "x" * 100_000
    for number in range(300):
        server.storage.update_status("pods", "shop", "a", {"message": text, "number": number})
    count = 0
    while (event := await quick.next()) is not None:
        count += 1
        if event["object"]["status"]["number"] == 299:
            break
    assert count == 300
    assert len(server.watches) == 1
    slow.response.close()


async def test_table_watches_name_the_columns_once(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a"), pod("b")])
    watch = await open_watch(server, PODS, accept=TABLE)
    events = [await watch.next() for _ in range(2)]
    server.storage.update_status("pods", "shop", "a", {"phase": "Failed"})
    events.append(await watch.next())
    assert [event["object"]["kind"] for event in events] == ["Table"] * 3
    assert [bool(event["object"]["columnDefinitions"]) for event in events] == [True, False, False]
    assert [event["object"]["rows"][0]["cells"][0] for event in events] == ["a", "b", "a"]
    assert events[2]["object"]["rows"][0]["cells"][2] == "Failed"


async def test_metadata_watches(api_server: Factory, open_watch: Any):
    server = await api_server([pod("a", app="web")])
    watch = await open_watch(server, PODS, accept=PARTIAL)
    event = await watch.next()
    assert set(event["object"]) == {"kind", "apiVersion", "metadata"}
    assert event["object"]["kind"] == "PartialObjectMetadata"
    server.storage.delete("pods", "shop", "a")
    gone = await watch.next()
    assert (gone["type"], set(gone["object"])) == ("DELETED", {"kind", "apiVersion", "metadata"})


@pytest.mark.parametrize("seed", range(8))
async def test_a_cache_fed_by_list_and_watch_ends_up_like_the_server(
    api_server: Factory, fetch: Fetch, open_watch: Any, seed: int
):
    chance = random.Random(seed)
    server = await api_server([pod(f"p{number}", app=chance.choice("ab")) for number in range(5)])
    query = {"labelSelector": "app=a"} if seed % 2 else {}
    listing = (await fetch(server, PODS, **query)).json
    cache = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in listing["items"]}
    version = listing["metadata"]["resourceVersion"]
    for _ in range(6):
        before = await open_watch(server, PODS, resourceVersion=version, allowWatchBookmarks="true", **query)
        for _ in range(chance.randrange(30)):
            name = f"p{chance.randrange(8)}"
            present = server.storage.find("pods", "shop", name)
            if present and chance.random() < 0.3:
                server.storage.delete("pods", "shop", name)
            else:
                server.storage.apply(pod(name, phase=chance.choice("xyz"), app=chance.choice("ab")))
        server.watches.bookmark()
        server.close_watches()
        # One that was there during the changes, and one that comes after them, tell the same story.
        after = await open_watch(server, PODS, resourceVersion=version, allowWatchBookmarks="true", **query)
        server.watches.bookmark()
        events = await before.rest()
        server.close_watches()
        after_events = await after.rest()
        assert after_events == events
        for event in events:
            metadata = event["object"]["metadata"]
            assert int(metadata["resourceVersion"]) >= int(version)
            version = metadata["resourceVersion"]
            if event["type"] == "ADDED":
                assert metadata["name"] not in cache
            elif event["type"] != "BOOKMARK":
                assert metadata["name"] in cache
            if event["type"] == "DELETED":
                del cache[metadata["name"]]
            elif event["type"] != "BOOKMARK":
                cache[metadata["name"]] = metadata["resourceVersion"]
        items = (await fetch(server, PODS, **query)).json["items"]
        assert cache == {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in items}


async def test_many_watches_of_many_clusters_get_every_change(api_server: Factory, open_watch: Any):
    servers = [await api_server([pod("a")], name=f"c{number}") for number in range(10)]
    watches = []
    for server in servers:
        version = server.storage.resource_version
        watches += [(server, await open_watch(server, PODS, resourceVersion=version)) for _ in range(5)]
    for round_ in range(3):
        for server in servers:
            server.storage.create(pod(f"new-{round_}"))
    for _, watch in watches:
        assert await watch.take(3) == [("ADDED", f"new-{round_}") for round_ in range(3)]
