"""Rows stay equal to the API server through every way a list or a watch can end."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fleet.watching import PODS, Looked, Watching, config, watching
from tests.support import serving, thing
from tui.adapters.kube import KubeClusters
from tui.demo.apiserver.server import ApiServer
from tui.domain.cluster import ClusterState, KindState
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref, Row
from tui.domain.ports import Absent
from tui.domain.settings import Settings
from tui.fleet.sync import Network, Timing

NAMESPACES = [thing("Namespace", "kube-system"), thing("Namespace", "shop")]


def pod(name: str, **fields: Any) -> dict[str, Any]:
    return thing("Pod", name, "shop", **fields)


@asynccontextmanager
async def both(
    tmp_path: Path, objects: Iterable[dict[str, Any]], kinds: Iterable[Kind] = (PODS,), **options: Any
) -> AsyncIterator[tuple[ApiServer, Watching]]:
    """An API server with kube-system, shop and these objects, and somebody who watches it."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving([*NAMESPACES, *objects], **options))
        here = await stack.enter_async_context(watching(config(tmp_path / "c", {"c1": server.url}), kinds))
        yield server, here


def pods(count: int) -> list[dict[str, Any]]:
    return [pod(f"p{index:04}") for index in range(count)]


@pytest.fixture(params=[True, False], ids=["streaming lists", "paged lists"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[ApiServer]:
    version = "v1.34.0" if request.param else "v1.30.0"
    async with serving([*NAMESPACES, *pods(3)], version=version, bookmark_interval=0.05) as made:
        yield made


@pytest.fixture
async def here(server: ApiServer, tmp_path: Path) -> AsyncIterator[Watching]:
    async with watching(config(tmp_path / "c", {"c1": server.url})) as made:
        yield made


async def test_list_then_watch(server: ApiServer, here: Watching) -> None:
    await here.until(lambda: here.live() and len(here.names()) == 3)
    server.storage.create(pod("new"))
    server.storage.patch("pods", "shop", "p0001", lambda o: o.update(status={"phase": "Failed"}))
    server.storage.delete("pods", "shop", "p0000")
    await here.until(lambda: here.names() == ["new", "p0001", "p0002"])
    row = await here.until(lambda: (r := here.row("p0001")) and r.manifest().get("status") and r)
    assert row.manifest()["status"] == {"phase": "Failed"}
    assert (row.manifest()["apiVersion"], row.manifest()["kind"]) == ("v1", "Pod")
    cluster = here.cluster()
    assert cluster is not None and cluster.state is ClusterState.LIVE
    assert cluster.version == server.version and cluster.uid and cluster.heard
    assert not server.mutations.count


async def settle(here: Watching, count: int = 3) -> int:
    await here.until(lambda: here.live() and len(here.names()) == count)
    return here.store.resource_rev("pods")


@pytest.mark.parametrize(
    "weather",
    [
        lambda server: server.faults.expire(),
        lambda server: server.faults.gone(),
        lambda server: server.faults.gone(times=3),
        lambda server: server.faults.eof(times=3),
        lambda server: server.faults.garbage(times=2),
        lambda server: server.faults.html(502, match="watch=", times=2),
        lambda server: server.faults.html(200, match="watch=", times=2),
        lambda server: server.faults.throttle(0, match="watch=", times=2),
        lambda server: server.faults.unavailable(match="watch=", times=2),
        lambda server: server.faults.close(match="watch=", times=2),
        lambda server: server.faults.truncate(40, match="watch=", times=1),
        lambda server: server.faults.answer(500, b"[]", match="watch=", times=1),
    ],
    ids=["410-event", "410", "410x3", "eof", "garbage", "502", "html-200", "429", "503", "closed", "cut", "500"],
)
@pytest.mark.parametrize("end", ["close", "drop"])
async def test_after_every_end_the_watch_comes_back(server: ApiServer, here: Watching, weather: Any, end: str) -> None:
    rev = await settle(here)
    weather(server)
    server.storage.delete("pods", "shop", "p0002")  # seen before the end or by the next list or watch
    getattr(server, f"{end}_watches")()
    server.storage.create(pod("after"))
    await here.until(lambda: here.names() == ["after", "p0000", "p0001"])
    await here.until(here.live)
    changed = {ref.name for ref in here.store.changes_since(rev, "pods").changed}
    assert changed == {"after"}, "objects that did not change were delivered again"


async def test_a_deletion_while_away_is_found_by_the_relist(server: ApiServer, here: Watching) -> None:
    rev = await settle(here)
    await server.refuse()
    await here.until(lambda: here.cluster().state is ClusterState.STALE)
    assert here.names() == ["p0000", "p0001", "p0002"], "what was read stays, as stale"
    server.storage.delete("pods", "shop", "p0001")
    server.storage.create(pod("new"))
    server.storage.compact()
    await server.start()
    await here.until(lambda: here.names() == ["new", "p0000", "p0002"] and here.live())
    changes = here.store.changes_since(rev, "pods")
    assert {ref.name for ref in changes.changed} == {"new"} and {ref.name for ref in changes.removed} == {"p0001"}
    await here.until(lambda: here.cluster().state is ClusterState.LIVE)


async def test_observers_see_each_change_once(server: ApiServer, tmp_path: Path) -> None:
    seen: list[tuple[str, str, bool]] = []

    def observe(old: Row | None, new: Row | None, initial: bool) -> None:
        assert threading.current_thread().name == "fleet-network"
        word = "new" if old is None else "gone" if new is None else "changed"
        seen.append((word, (new or old).ref.name, initial))  # type: ignore[union-attr]
        if new is not None and new.ref.name == "broken":
            raise RuntimeError("a mistake in an observer")

    async with watching(config(tmp_path / "c", {"c1": server.url}), observers={"pods": observe}) as here:
        await settle(here)
        assert sorted(seen) == [("new", f"p000{index}", True) for index in range(3)]
        seen.clear()
        server.storage.create(pod("broken"))
        server.storage.patch("pods", "shop", "p0001", lambda o: o.update(status={"phase": "Failed"}))
        await here.until(lambda: here.row("broken") and "status" in here.row("p0001").manifest())
        server.faults.gone()
        server.close_watches()
        server.storage.delete("pods", "shop", "p0000")
        await here.until(lambda: len(here.names()) == 3)
    assert seen == [("new", "broken", False), ("changed", "p0001", False), ("gone", "p0000", False)]


async def test_many_pages(tmp_path: Path) -> None:
    async with serving([*NAMESPACES, *pods(95)], version="v1.30.0") as server:
        server.cache_ignores_limit = False
        timing = Timing(page=10, backoff=0.02, announce=0.01)
        async with watching(config(tmp_path / "c", {"c1": server.url}), timing=timing) as here:
            await settle(here, 95)


async def test_an_expired_continue_token_starts_the_list_again(tmp_path: Path) -> None:
    async with serving([*NAMESPACES, *pods(30)], version="v1.30.0") as server:
        server.cache_ignores_limit = False
        fault = server.faults.gone(match="continue=", times=2)
        timing = Timing(page=10, backoff=0.02, announce=0.01)
        async with watching(config(tmp_path / "c", {"c1": server.url}), timing=timing) as here:
            await settle(here, 30)
        assert fault.hits == 2


async def test_an_old_server_refuses_streaming_lists(tmp_path: Path) -> None:
    async with (
        serving([*NAMESPACES, *pods(3)], version="v1.33.0", watch_list=False) as server,
        watching(config(tmp_path / "c", {"c1": server.url})) as here,
    ):
        await settle(here)


async def test_a_streaming_list_that_never_ends_is_given_up(tmp_path: Path) -> None:
    async with serving([*NAMESPACES, *pods(3)], version="v1.33.0") as server:
        server.faults.silence(match="sendInitialEvents", times=1)
        timing = Timing(list_quiet=0.3, backoff=0.02, announce=0.01)
        async with watching(config(tmp_path / "c", {"c1": server.url}), timing=timing) as here:
            await settle(here)


async def test_denied_and_absent_kinds_do_not_stop_the_others(tmp_path: Path) -> None:
    from tui.demo.apiserver.access import Deny, User

    kinds = [PODS, Kind("secrets", "Secret", watch="always", metadata_only=True)]
    kinds.append(Kind("widgets", "Widget", "example.com", watch="hub"))
    deny = [Deny("secrets")]
    users = [User("u", token="t", groups=("system:masters",))]
    async with serving([*NAMESPACES, *pods(3)], users=users, deny=deny) as server:
        kubeconfig = config(tmp_path / "c", {"c1": server.url}, {"token": "t"})
        async with watching(kubeconfig, kinds) as here:
            await settle(here)
            denied = await here.until(lambda: (s := here.kind("secrets")) and s.state is KindState.DENIED and s)
            assert "secrets" in denied.reason and "forbidden" in denied.reason
            absent = await here.until(
                lambda: (s := here.kind("widgets.example.com")) and s.state is KindState.ABSENT and s
            )
            assert absent.reason == "not served by this cluster"
            assert here.cluster().state is ClusterState.LIVE and not here.cluster().hub
            server.access.deny.clear()
            here.network.retry("c1")
            await here.until(lambda: here.live("secrets"))


@pytest.mark.parametrize("version", ["v1.30.0", "v1.34.0"])
async def test_what_may_be_listed_but_not_watched_is_asked_again(tmp_path: Path, version: str) -> None:
    from tui.demo.apiserver.access import Deny, User

    users = [User("u", token="t", groups=("system:masters",))]
    deny = [Deny("pods", verbs=("watch",))]
    async with (
        serving([*NAMESPACES, *pods(3)], users=users, deny=deny, version=version) as server,
        watching(config(tmp_path / "c", {"c1": server.url}, {"token": "t"})) as here,
    ):
        rev = await settle(here)
        server.storage.create(pod("new"))
        server.storage.delete("pods", "shop", "p0000")
        await here.until(lambda: here.names() == ["new", "p0001", "p0002"] and here.live())
        assert {ref.name for ref in here.store.changes_since(rev, "pods").changed} == {"new"}


@pytest.mark.parametrize("known", [True, False])
async def test_secrets_arrive_without_their_data(tmp_path: Path, known: bool) -> None:
    secret = thing("Secret", "s", "shop", data={"password": "aHVudGVyMg=="}, type="Opaque")
    secret["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":"aHVudGVyMg=="}'}
    kinds = [Kind("secrets", "Secret", watch="always", metadata_only=True)]
    async with (
        serving([*NAMESPACES, secret]) as server,
        watching(config(tmp_path / "c", {"c1": server.url}), kinds) as here,
    ):
        row = await here.until(lambda: here.row("s", resource="secrets"))
        assert row.json() == b"" and row.manifest() == {} and "aHVudGVyMg" not in repr(row)
        fetched = await here.network.get(row.ref)
        assert b'"data":{' not in fetched and b"PartialObjectMetadata" in fetched


async def test_kinds_are_watched_while_looked_at(tmp_path: Path) -> None:
    kinds = [PODS, Kind("services", "Service")]
    service = thing("Service", "web", "shop", spec={"ports": []})
    async with serving([*NAMESPACES, *pods(1), service]) as server:
        timing = Timing(idle=0.1, backoff=0.02, announce=0.01)
        async with watching(config(tmp_path / "c", {"c1": server.url}), kinds, timing) as here:
            await settle(here, 1)
            assert here.kind("services") is None
            here.network.want([Looked(frozenset({"services"})), Looked(frozenset({"configmaps"}), frozenset({"none"}))])
            await here.until(lambda: here.names("services") == ["web"])
            assert here.kind("configmaps") is None
            here.network.want([])
            await here.until(lambda: here.names("services") == [] and here.kind("services") is None)
            assert here.names() == ["p0000"]


async def test_a_kind_that_fleet_has_no_table_for(tmp_path: Path) -> None:
    lease = thing("Lease", "l", "shop", "coordination.k8s.io/v1", spec={"holderIdentity": "x"})
    async with both(tmp_path, [lease]) as (_, here):
        here.network.want([Looked(frozenset({"leases.coordination.k8s.io"}))])
        row = await here.until(lambda: here.row("l", resource="leases.coordination.k8s.io"))
        assert "x" in row.obj.cells and not row.packed, "the cells that its server gives, and not the whole of it"
        fetched = msgspec.json.decode(await here.network.get(row.ref))
        assert (fetched["apiVersion"], fetched["kind"]) == ("coordination.k8s.io/v1", "Lease")


async def test_one_fresh_object(server: ApiServer, here: Watching) -> None:
    await settle(here)
    assert b'"p0001"' in await here.network.get(Ref("c1", "pods", "shop", "p0001"))
    with pytest.raises(Absent):
        await here.network.get(Ref("c1", "pods", "shop", "nobody"))
    with pytest.raises(Absent):
        await here.network.get(Ref("c2", "pods", "shop", "nobody"))
    with pytest.raises(Absent):
        await here.network.get(Ref("c1", "unheardofs.example.com", "shop", "nobody"))


async def test_hubs_are_known_by_their_applications(tmp_path: Path) -> None:
    kinds = [Kind("applications", "Application", "argoproj.io", ("v1alpha1",), watch="hub")]
    app = thing("Application", "shop", "argocd", "argoproj.io/v1alpha1", spec={})
    async with (
        serving([*NAMESPACES, app]) as server,
        watching(config(tmp_path / "c", {"c1": server.url}), kinds) as here,
    ):
        await here.until(lambda: here.cluster() and here.cluster().hub)


async def test_plugins_run_in_the_network_thread(tmp_path: Path) -> None:
    """Their ends are waited for by a loop that is not the main thread's."""
    from tui.demo.apiserver.access import User

    api = "client.authentication.k8s.io/v1"
    said = f'{{"kind":"ExecCredential","apiVersion":"{api}","status":{{"token":"t"}}}}'
    user = {"exec": {"apiVersion": api, "command": sys.executable, "args": ["-c", f"print({said!r})"]}}
    users = [User("u", token="t", groups=("system:masters",))]
    async with (
        serving([*NAMESPACES, *pods(3)], users=users) as server,
        watching(config(tmp_path / "c", {"c1": server.url}, user)) as here,
    ):
        await settle(here)


async def test_what_is_wanted_before_the_start_is_not_forgotten(tmp_path: Path) -> None:
    async with serving([*NAMESPACES, *pods(1)]) as server:
        here = Watching()
        kubeconfig = config(tmp_path / "c", {"c1": server.url})
        here.network = Network(
            lambda: KubeClusters(Settings(), kubeconfig), {"pods": Kind("pods", "Pod")}, Settings(), here.deliver
        )
        here.network.want([Looked(frozenset({"pods"}))])
        here.network.start()
        await here.until(lambda: here.names() == ["p0000"])
        await here.network.stop()


async def test_stopping_at_once(tmp_path: Path) -> None:
    async with watching(config(tmp_path / "c", {"c1": "http://127.0.0.1:9"})):
        pass
    never = Network(lambda: KubeClusters(Settings()), {}, Settings(), lambda batches: None)
    await never.stop()


async def test_nothing_is_left_behind(server: ApiServer, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    async with watching(config(tmp_path / "c", {"c1": server.url})) as here:
        await settle(here)
        asking = asyncio.ensure_future(here.network.get(Ref("c1", "pods", "shop", "p0000")))
        server.faults.hang(match="p0001")
        hanging = asyncio.ensure_future(here.network.get(Ref("c1", "pods", "shop", "p0001")))
        await asking
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    assert not [t for t in asyncio.all_tasks() if "fleet" in repr(t.get_coro()) and t is not asyncio.current_task()]
