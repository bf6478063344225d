"""Clusters that are dead, slow, lying or many: each costs its own row, never another's, and never the program."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.scripted import Heard, http, raw
from tests.fleet.watching import PODS, Looked, Watching, config, watching
from tests.support import serving, thing
from tui.adapters.kube import session as kube_session
from tui.adapters.kube import transport
from tui.demo.apiserver.access import Deny, User
from tui.domain.cluster import CLUSTERS, ClusterState, KindState
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Meta, Object, Ref, Row
from tui.domain.settings import Settings
from tui.fleet import bridge
from tui.fleet.sync import Timing
from tui.fleet.sync.codec import Codec, Lines, Undecodable, cut

SYSTEM = thing("Namespace", "kube-system")
SHOP = thing("Namespace", "shop")
Page = Callable[[web.BaseRequest], bytes]


class Status(msgspec.Struct, frozen=True):
    phase: str = ""
    ready: int = 0


class PodRecord(Object, frozen=True):
    status: Status = Status()


TYPED = Kind("pods", "Pod", watch="always", record=PodRecord)


def pod(name: str, version: str = "1", **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}, **fields}


def page(*items: Any) -> bytes:
    return json.dumps({"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": items}).encode()


def line(kind: str, obj: Any) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


@asynccontextmanager
async def liar(listed: bytes, *events: bytes) -> AsyncIterator[Heard]:
    """An API server whose pods are these bytes, and whose watch then says these, and nothing more."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"gitVersion": "v1.30.0", "major": "1", "minor": "30"})
        if request.path != "/api/v1/pods":
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        if "watch" not in request.query:
            return web.Response(body=listed, content_type="application/json")
        response = web.StreamResponse()
        await response.prepare(request)
        for event in events:
            await response.write(event)
        await asyncio.Event().wait()
        return response

    async with http(handle) as server:
        yield server


# -- hostile content --------------------------------------------------------------------------------------------------


async def test_one_undecodable_object_marks_only_itself(tmp_path: Path) -> None:
    listed = page(
        pod("good", status={"phase": "Running"}),
        pod("wrong-status", status=[1, 2]),
        pod("half-wrong", status={"phase": "Running", "ready": "many"}),
        {
            "metadata": {
                "name": "wrong-meta",
                "namespace": "shop",
                "labels": [1],
                "generation": "x",
                "resourceVersion": "3",
            }
        },
        {"metadata": {"namespace": "nameless"}},
        {"metadata": 7},
        "not an object",
        None,
    )
    events = (
        line("ADDED", pod("after", "10", status={"phase": 3})),
        b"\xff\xfe not json\n",
        b"[1,2,3]\n",
        line("DELETED", {"metadata": None}),
        line("SOMETHING", pod("odd")),
        line("MODIFIED", pod("wrong-status", "11", status={"phase": "Mended"})),
    )
    async with liar(listed, *events) as server, watching(config(tmp_path / "c", {"c1": server.url}), [TYPED]) as here:
        await here.until(lambda: (r := here.row("wrong-status")) and r.obj.status.phase == "Mended")
        assert here.names() == ["after", "good", "half-wrong", "wrong-meta", "wrong-status"]
        assert here.row("good").obj.status.phase == "Running"
        assert here.row("after").obj.status == Status(), "what cannot be decoded is unknown"
        assert here.row("after").manifest()["status"] == {"phase": 3}, "the manifest still shows it"
        assert here.row("wrong-meta").obj.metadata.resource_version == "3"
        await here.until(lambda: here.kind().reason.startswith("3 not fully readable, such as shop/"))


async def test_a_huge_object(tmp_path: Path) -> None:
    big = pod("big")
    big["metadata"]["annotations"] = {"a": "x" * (10 << 20)}
    async with (
        liar(page(pod("small"), big), line("ADDED", pod("after", "10"))) as server,
        watching(config(tmp_path / "c", {"c1": server.url})) as here,
    ):
        await here.until(lambda: here.names() == ["after", "big", "small"])
        assert here.row("big").json() == b"", "it is fetched when opened"
        assert here.row("small").json()


async def test_an_event_longer_than_any_real_one_is_skipped(tmp_path: Path) -> None:
    huge = b'{"type":"ADDED","object":{"x":"' + b"y" * (33 << 20) + b'"}}\n'
    async with (
        liar(page(pod("a")), huge, line("ADDED", pod("after", "10"))) as server,
        watching(config(tmp_path / "c", {"c1": server.url})) as here,
    ):
        await here.until(lambda: here.names() == ["a", "after"])
        await here.until(lambda: here.kind() and "1 could not be read at all" in here.kind().reason)


@pytest.mark.parametrize("depth", [900, 100_000])
async def test_deep_nesting(tmp_path: Path, depth: int) -> None:
    deep = b'{"metadata":{"name":"deep","namespace":"shop"},"spec":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    listed = page(pod("a"))
    async with (
        liar(listed, b'{"type":"ADDED","object":' + deep + b"}\n", line("ADDED", pod("b", "10"))) as server,
        watching(config(tmp_path / "c", {"c1": server.url}), [TYPED]) as here,
    ):
        await here.until(lambda: "b" in here.names() and "a" in here.names())


@pytest.mark.parametrize(
    "listed",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"kind":"Table"}',
        b'{"kind":"PodList","items":{}}',
        b"<html>",
        b"[" * 100_000,
    ],
)
async def test_a_list_that_is_none(tmp_path: Path, listed: bytes) -> None:
    async with liar(listed) as server, watching(config(tmp_path / "c", {"c1": server.url})) as here:
        status = await here.until(lambda: (k := here.kind()) and k.state is KindState.FAILED and k)
        assert status.reason.startswith("a list ") and len(status.reason) < 300
        assert here.cluster().state is ClusterState.LIVE


async def test_a_watch_of_nonsense_is_given_up(tmp_path: Path) -> None:
    async with (
        liar(page(pod("a")), b"<html>\n" * 200) as server,
        watching(config(tmp_path / "c", {"c1": server.url})) as here,
    ):
        await here.until(lambda: (k := here.kind()) and "a watch is not what" in k.reason)
        assert here.names() == ["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"type":"ADDED","object":{"a":{}}}', {"a": {}}),
        (b'{"type":"MODIFIED","object":{}}', {}),
        (b'{"type":"ADDED","object":{"a":1},"more":{"b":{}}}', None),
        (b'{"type":"ADDED","object":{"a":{}}', None),
        (b'{"type":"ADDED","object":{', None),
        (b'{"type":"ADDED","object":{}} }', None),
        (b'{"object":{},"type":"ADDED"}', None),
        (b'{"type":"DELETED","object":{}}', None),
    ],
)
def test_what_is_cut_out_of_an_event_is_its_object_or_nothing_readable(text: bytes, expected: Any) -> None:
    found = cut(text)
    try:
        assert found is None or json.loads(found) == expected
    except json.JSONDecodeError:
        assert expected is None


@pytest.mark.parametrize("order", ["type first", "object first", "more after it"])
async def test_events_are_read_however_their_fields_are_ordered(tmp_path: Path, order: str) -> None:
    text = json.dumps(pod("web", "5"), separators=(",", ":"))
    written = {
        "type first": f'{{"type":"ADDED","object":{text}}}',
        "object first": f'{{"object":{text},"type":"ADDED"}}',
        "more after it": f'{{"type":"ADDED","object":{text},"more":{{"a":{{}}}}}}',
    }[order]
    async with (
        liar(page(), written.encode() + b"\n") as server,
        watching(config(tmp_path / "c", {"c1": server.url})) as here,
    ):
        await here.until(lambda: here.names() == ["web"])


def test_lines() -> None:
    lines = Lines(longest=10)
    assert lines.feed(b"") == []
    assert lines.feed(b"ab") == [] and lines.feed(b"c\nd\n\ne") == [b"abc", b"d", b""]
    assert lines.feed("ä".encode()[:1]) == [] and lines.feed("ä".encode()[1:] + b"\n") == ["eä".encode()]
    assert lines.feed(b"x" * 11) == [] and lines.skipped == 1
    assert lines.feed(b"more") == [] and lines.feed(b"end\nnext\n") == [b"next"]
    assert lines.skipped == 1


@given(st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.data())
def test_lines_are_the_same_however_they_arrive(whole: list[bytes], data: st.DataObject) -> None:
    stream, got, lines = b"".join(part + b"\n" for part in whole), [], Lines(longest=100)
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        got += lines.feed(stream[:cut])
        stream = stream[cut:]
    assert got == whole


KEYS = ["metadata", "managedFields", "name", "namespace", "labels", "status", "x", '"', "ownerReferences"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "managedFields", "name", "namespace", "labels", "status", "x", '"', "ownerReferences"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=settings.default.max_examples * 2)
@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), JSON))
def test_any_object_is_kept_without_loss_but_for_managed_fields(value: dict[str, Any]) -> None:
    data = json.dumps(value, separators=(",", ":")).encode()
    expected = dict(value)
    if isinstance(value.get("metadata"), dict):
        expected["metadata"] = {k: v for k, v in value["metadata"].items() if k != "managedFields"}
    codec = Codec("c", TYPED)
    codec.serve("v1", "Pod")
    try:
        row = codec.row(data)
    except Undecodable:
        return
    assert row.ref.name == value["metadata"]["name"]
    assert {k: v for k, v in row.manifest().items() if k not in ("apiVersion", "kind")} == expected


def test_what_many_objects_have_in_common_is_kept_once() -> None:
    codec = Codec("c", TYPED)
    codec.serve("v1", "Pod")
    meta = {"namespace": "shop", "labels": {"app": "web"}, "creationTimestamp": "2026-11-01T10:00:00Z"}
    one, two = (codec.row(json.dumps({"metadata": {"name": name, **meta}}).encode()).obj.metadata for name in "ab")
    assert one.namespace is two.namespace and one.labels is two.labels == {"app": "web"}
    assert one.creation_timestamp is two.creation_timestamp


# -- dead and slow clusters -------------------------------------------------------------------------------------------


def refusing() -> tuple[socket.socket, str]:
    unused = socket.socket()
    unused.bind(("127.0.0.1", 0))
    return unused, f"http://127.0.0.1:{unused.getsockname()[1]}"


async def test_one_good_cluster_among_bad_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_session, "CONNECT", 0.5)
    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(serving([SYSTEM, SHOP, thing("Pod", "p", "shop")]))
        silent = await stack.enter_async_context(raw(b"", hold=True))
        page_ = await stack.enter_async_context(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
        unused, refused = refusing()
        stack.callback(unused.close)
        hole = socket.socket()
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        stack.callback(hole.close)
        servers = {f"hole-{n}": f"http://127.0.0.1:{hole.getsockname()[1]}" for n in range(30)}
        servers |= {"refused": refused, "silent": silent.url, "page": page_.url, "bad": "ftp://x", "c1": good.url}
        timing = Timing(backoff=30, backoff_most=60, announce=0.01)
        options = Settings(request_timeout=0.5)
        kubeconfig = config(tmp_path / "c", servers)
        async with watching(kubeconfig, timing=timing, settings=options) as here:
            await here.until(lambda: here.names(cluster="c1") == ["p"])
            await here.until(lambda: all(r.obj.state is not ClusterState.CONNECTING for r in here.store.rows(CLUSTERS)))
            for name in servers:
                cluster = here.cluster(name)
                assert cluster is not None
                if name == "c1":
                    assert (cluster.state, cluster.reason) == (ClusterState.LIVE, "")
                    continue
                assert cluster.state is ClusterState.UNREACHABLE and cluster.reason
                assert bool(cluster.retry_at) == (name != "bad"), "what cannot work is not tried again"
            assert here.cluster("bad").reason == "its server 'ftp://x' is not an http or https URL"
            assert "not as a Kubernetes API server" in here.cluster("page").reason
            connections = silent.connections
            here.network.retry("silent")
            await here.until(lambda: silent.connections > connections)


async def test_a_cluster_that_dies_is_stale_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.1)
    async with (
        serving([SYSTEM, SHOP, thing("Pod", "p", "shop")], bookmark_interval=30) as server,
        watching(config(tmp_path / "c", {"c1": server.url}), settings=Settings(request_timeout=0.5)) as here,
    ):
        await here.until(here.live)
        server.faults.hang()  # a laptop that slept: connections are there, nothing comes
        timing_out = here.until(lambda: here.cluster().state is ClusterState.STALE)
        server.drop_watches()
        await timing_out
        assert "silent for" in here.cluster().reason or "closed" in here.cluster().reason
        assert here.names() == ["p"]
        server.faults.clear()
        await here.until(lambda: here.cluster().state is ClusterState.LIVE and here.live())


async def test_wrong_credentials_are_a_state_of_the_cluster(tmp_path: Path) -> None:
    users = [User("jane", token="right", groups=("system:masters",)), User("joe", token="weak")]
    deny = [Deny("*", users=("joe",))]
    async with (
        serving([SYSTEM], users=users, deny=deny) as server,
        watching(config(tmp_path / "c", {"c1": server.url}, {"token": "wrong"})) as here,
    ):
        cluster = await here.until(lambda: (c := here.cluster()) and c.state is ClusterState.DENIED and c)
        assert "does not accept these credentials" in cluster.reason
        async with watching(config(tmp_path / "d", {"c1": server.url}, {"token": "weak"})) as here:
            cluster = await here.until(lambda: (c := here.cluster()) and c.state is ClusterState.DENIED and c)
            assert "cannot list" in cluster.reason and cluster.kinds["pods"].state is KindState.DENIED


async def test_contexts_of_one_cluster_are_one_row(tmp_path: Path) -> None:
    async with serving([SYSTEM, SHOP, thing("Pod", "p", "shop")]) as server, serving([SYSTEM]) as other:
        servers = {"b-first": server.url, "a-second": server.url + "/", "third": other.url, "fourth": server.url}
        async with watching(config(tmp_path / "c", servers)) as here:
            await here.until(
                lambda: (
                    sorted(r.ref.name for r in here.store.rows(CLUSTERS)) == ["b-first", "third"]
                    and here.live(cluster="b-first")
                    and len(here.cluster("b-first").contexts) == 3
                )
            )
            assert here.cluster("b-first").contexts == ("b-first", "a-second", "fourth")
            assert here.cluster("third").contexts == ("third",)
            assert [row.ref.cluster for row in here.store.rows("pods")] == ["b-first"]


async def test_a_hundred_clusters(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        servers = {}
        for n in range(100):
            made = await stack.enter_async_context(serving([SYSTEM, SHOP, thing("Pod", f"p{n}", "shop")], f"c{n}"))
            servers[f"c{n}"] = made.url
        async with watching(config(tmp_path / "c", servers), [PODS, Kind("services", "Service")]) as here:
            here.network.want([Looked(frozenset({"services"}), frozenset({"c99"}))])
            await here.until(lambda: here.store.count("pods") == 100, 60)
            await here.until(lambda: all(here.live(cluster=name) for name in servers), 60)


# -- between the threads ----------------------------------------------------------------------------------------------


async def test_a_main_loop_that_is_behind_is_not_flooded() -> None:
    loop = asyncio.get_running_loop()
    delivered: list[bridge.Batch] = []
    outbox = bridge.Outbox(loop, loop, delivered.extend, most=10)

    def row(n: int, version: str = "1") -> Row:
        return Row(Ref("c", "pods", "ns", str(n)), Object(Meta(name=str(n), resource_version=version)))

    for version in range(1000):
        outbox.add({row(1).ref: row(1, str(version))})
    await asyncio.wait_for(outbox.room(), 60)
    outbox.add({row(n).ref: row(n) for n in range(20)})
    room = asyncio.ensure_future(outbox.room())
    await asyncio.sleep(0)
    assert not room.done(), "the network side waits"
    await asyncio.wait_for(room, 60)
    puts = [r for batch in delivered for r in batch.puts]
    assert len(puts) <= 21 and {r.ref.name for r in puts} == {str(n) for n in range(20)}
    outbox.add({row(1).ref: None})
    while not any(batch.removes for batch in delivered):
        await asyncio.sleep(0)
    outbox.close()
    outbox.add({row(2).ref: row(2)})


async def test_a_failing_kubeconfig_reader_is_said(tmp_path: Path) -> None:
    async with watching(str(tmp_path / "none")) as here:
        assert isinstance(here, Watching)
        with pytest.raises(Exception, match="no cluster is called"):
            await here.network.get(Ref("c", "pods", "x", "y"))


async def test_a_context_that_answers_late_takes_its_place(tmp_path: Path) -> None:
    """The first context of the kubeconfig gives the cluster its name, also when logging in with it takes long."""
    said = '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}'
    slow = f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)\nprint({said!r})"
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", slow]}
    users = [User("u", token="t", groups=("system:masters",))]
    async with serving([SYSTEM, SHOP, thing("Pod", "p", "shop")], users=users) as server:
        kubeconfig = {
            "clusters": [{"name": "k", "cluster": {"server": server.url}}],
            "users": [{"name": "slow", "user": {"exec": plugin}}, {"name": "quick", "user": {"token": "t"}}],
            "contexts": [
                {"name": "first", "context": {"cluster": "k", "user": "slow"}},
                {"name": "second", "context": {"cluster": "k", "user": "quick"}},
            ],
        }
        (tmp_path / "c").write_text(json.dumps(kubeconfig))
        async with watching(str(tmp_path / "c")) as here:
            await here.until(lambda: here.names(cluster="second") == ["p"] and here.live(cluster="second"))
            (tmp_path / "go").touch()
            await here.until(lambda: here.names(cluster="first") == ["p"] and not here.names(cluster="second"))
            await here.until(lambda: here.cluster("second") is None)
            assert here.cluster("first").contexts == ("first", "second")
            server.storage.create(thing("Pod", "q", "shop"))
            await here.until(lambda: here.names(cluster="first") == ["p", "q"])
            assert here.store.count("pods") == 2
