"""Kubeconfig files that are changed, broken, replaced and removed while fleet reads the clusters they name."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fleet.watching import QUICK, Watching, watching
from tests.support import serving
from tests.weather.conditions import SYSTEM, Weather, pods, weather
from tui.adapters.kube import KubeClusters
from tui.adapters.kube.kubeconfigs import Kubeconfigs
from tui.demo.apiserver.access import User
from tui.demo.apiserver.server import ApiServer
from tui.domain.cluster import CLUSTERS, ClusterState
from tui.domain.contexts import reread
from tui.domain.settings import Settings
from tui.fleet.runtime import Fleet

CALM = replace(QUICK, pulse=600.0)  # a cluster that is not asked whether it is still there: every request has a reason
ADMIN = ("system:masters",)


def text(servers: Mapping[str, str], user: Mapping[str, Any] | None = None, **more: Any) -> str:
    """A kubeconfig with a context per server, all as one user."""
    document = {
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": "u", "user": dict(user or {})}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers],
    }
    return yaml.safe_dump(document | more)


def urls(sky: Weather) -> dict[str, str]:
    return {"bad": sky.bad.url, "good": sky.good.url}


async def readings(here: Watching, count: int = 1) -> None:
    """Wait until the files have been read again so many times."""
    until = len(here.renewed) + count
    await here.until(lambda: len(here.renewed) >= until)


async def watched(*servers: ApiServer) -> None:
    """Wait until each is watched: nothing more will be asked of them."""
    while not all(len(server.watches) for server in servers):
        await asyncio.sleep(0.002)


def in_place(path: Path, content: str) -> None:
    path.write_text(content)


def atomically(path: Path, content: str) -> None:
    """As most tools write: a new file takes the place of the old one."""
    new = path.with_name("config.new")
    new.write_text(content)
    new.replace(path)


def by_link(path: Path, content: str) -> None:
    """As a mounted Secret changes: the file is a link through a folder that is itself a link, which is swapped."""
    version = path.parent / f"..{len(list(path.parent.iterdir()))}"
    version.mkdir()
    (version / path.name).write_text(content)
    link = path.parent / "..next"
    link.symlink_to(version.name)
    link.replace(path.parent / "..data")
    if not path.is_symlink():
        path.unlink()
        path.symlink_to(Path("..data") / path.name)


def same_size_and_age(path: Path, content: str) -> None:
    """As copying with the times of the original does."""
    before = path.stat()
    path.write_text(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("write", [in_place, atomically, by_link, same_size_and_age])
async def test_contexts_come_and_go(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    async with weather(tmp_path, timing=CALM) as sky, serving([*SYSTEM, *pods("far")]) as third:
        here, config = sky.here, tmp_path / "config"
        await watched(sky.bad, sky.good)
        before, rev = sky.good.requests, here.store.resource_rev("pods")
        write(config, text({"good": sky.good.url, "new": third.url}))
        await here.until(lambda: here.live(cluster="new") and here.names(cluster="new") == ["far"])
        assert here.cluster("bad") is None and not here.names(cluster="bad"), "what is gone goes with its rows"
        assert [context.name for context in here.contexts] == ["good", "new"] and not here.problems
        assert {ref.cluster for ref in here.store.changes_since(rev, "pods").changed} == {"new"}
        assert sky.good.requests == before, "a context that is as before is asked nothing"
        await watched(third)
        asked = third.requests
        write(config, text(urls(sky)))
        await here.until(lambda: here.live(cluster="bad") and here.cluster("new") is None)
        assert sky.equal() and not here.names(cluster="new")
        await sky.unharmed()
        assert sky.good.requests == before and third.requests == asked


async def test_switching_the_context_connects_nothing_anew(tmp_path: Path) -> None:
    """kubectx and kubectl rewrite the whole file for it; so does whoever sorts it or names its users otherwise."""
    async with weather(tmp_path, timing=CALM) as sky:
        here, config, rev = sky.here, tmp_path / "config", sky.here.store.resource_rev("pods")
        await watched(sky.bad, sky.good)
        before = sky.bad.requests, sky.good.requests
        document = yaml.safe_load(config.read_text())
        document["current-context"] = "good"
        config.write_text(yaml.safe_dump(document))
        await readings(here)
        document["contexts"].reverse()
        document["contexts"][0]["context"] |= {"user": "me", "namespace": "shop"}
        document["users"].append({"name": "me", "user": {}})
        config.write_text("# sorted\n" + yaml.safe_dump(document))
        await readings(here)
        assert [context.name for context in here.contexts] == ["good", "bad"]
        assert here.renewed == [()] * 3 and (sky.bad.requests, sky.good.requests) == before
        assert here.store.resource_rev("pods") == rev
        await sky.unharmed()


def emptied(path: Path) -> None:
    path.write_text("")


def half(path: Path) -> None:
    path.write_text(path.read_text()[:60] + "\n  - {")


def other(path: Path) -> None:
    path.write_text("apiVersion: v1\nkind: Pod\n")


def binary(path: Path) -> None:
    path.write_bytes(b"\x00\xff" * 40)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (emptied, "is empty; its clusters are kept as they were read before until it can be read again"),
        (half, "not valid YAML"),
        (other, "not a kubeconfig but a Pod"),
        (binary, "not valid YAML"),
        (folder, "is a directory"),
        (dangling, "is gone; its clusters are kept as they were read before: put it back, or start fleet again"),
        (Path.unlink, "is gone; its clusters are kept"),
    ],
)
async def test_a_file_that_is_broken_costs_no_cluster(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    async with weather(tmp_path, timing=CALM) as sky:
        here, config = sky.here, tmp_path / "config"
        await watched(sky.bad, sky.good)
        before = sky.bad.requests, sky.good.requests
        whole = config.read_text()
        spoil(config)
        [said] = await here.until(lambda: here.problems)
        assert said.startswith(str(config)) and words in said and "kept as they were" in said
        await sky.unharmed()
        assert sky.equal() and len(here.contexts) == 2
        if config.is_dir():
            config.rmdir()
        config.unlink(missing_ok=True)
        config.write_text(whole)
        await here.until(lambda: not here.problems)
        await sky.unharmed()
        assert (sky.bad.requests, sky.good.requests) == before, "nothing was connected anew"


async def test_one_of_several_files_is_removed_while_another_changes(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("a")]) as a, serving([*SYSTEM, *pods("b")]) as b:
        first, second = tmp_path / "first", tmp_path / "second"
        first.write_text(text({"a": a.url}))
        second.write_text(text({"a": b.url, "b": b.url}))
        async with watching(f"{first}{os.pathsep}{second}", timing=CALM) as here:
            await here.until(lambda: here.names(cluster="a") == ["a"] and here.names(cluster="b") == ["b"])
            first.unlink()
            await here.until(lambda: any("is gone" in problem for problem in here.problems))
            second.write_text(text({"b": b.url, "c": a.url}))
            await here.until(lambda: here.cluster("a") and here.cluster("a").contexts == ("a", "c"))
            assert here.names(cluster="a") == ["a"] and here.names(cluster="b") == ["b"]
            first.write_text(text({}))
            await here.until(lambda: here.cluster("a") is None and here.names(cluster="c") == ["a"])
            assert here.problems == () and here.names(cluster="b") == ["b"]


async def test_the_second_file_that_names_a_context_is_heard_when_the_first_no_longer_does(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("a")]) as a, serving([*SYSTEM, *pods("b")]) as b:
        first, second = tmp_path / "first", tmp_path / "second"
        first.write_text(text({"same": a.url}))
        second.write_text(text({"same": b.url}))
        async with watching(f"{first}{os.pathsep}{second}", timing=CALM) as here:
            await here.until(lambda: here.names(cluster="same") == ["a"])
            first.write_text(text({}))
            await here.until(lambda: here.names(cluster="same") == ["b"])
            first.write_text(text({"same": a.url}))
            await here.until(lambda: here.names(cluster="same") == ["a"])
            assert here.cluster("same").server == a.url and not here.problems


async def test_two_contexts_with_one_name_and_one_without_a_user(tmp_path: Path) -> None:
    """Which of the two is meant cannot be known: neither is used, until there is one."""
    users = [User("jane", ADMIN, "right")]
    async with weather(tmp_path, users=users, user={"token": "right"}, timing=CALM) as sky:
        here, config = sky.here, tmp_path / "config"
        document = yaml.safe_load(config.read_text())
        document["contexts"].append({"name": "bad", "context": {"cluster": "good"}})
        config.write_text(yaml.safe_dump(document))
        await here.until(lambda: "two different contexts named bad" in sky.shown())
        assert here.cluster("bad").state is ClusterState.UNREACHABLE and not here.names(cluster="bad")
        await sky.unharmed()
        document["contexts"] = [{"name": "good", "context": {"cluster": "good", "user": "u"}}]
        document["contexts"].append({"name": "bad", "context": {"cluster": "bad"}})
        config.write_text(yaml.safe_dump(document))
        await here.until(lambda: here.cluster("bad").state is ClusterState.DENIED)
        assert "its context names no user" in sky.shown(), "and so nobody asks"
        await sky.unharmed()
        document["contexts"][1]["context"]["user"] = "u"
        config.write_text(yaml.safe_dump(document))
        await sky.clears()


async def test_a_new_token_connects_anew_and_reads_nothing_twice(tmp_path: Path) -> None:
    users = [User("jane", ADMIN, "old"), User("jane", ADMIN, "new")]
    async with weather(tmp_path, users=users, user={"token": "old"}, timing=CALM) as sky:
        here, config, rev = sky.here, tmp_path / "config", sky.here.store.resource_rev("pods")
        sky.bad.storage.create(pods("meanwhile")[0])
        for token, state in (("new", ClusterState.LIVE), ("wrong", ClusterState.DENIED), ("old", ClusterState.LIVE)):
            config.write_text(text(urls(sky), {"token": token}))
            await here.until(lambda token=token: here.renewed[-1] == ("bad", "good"))
            here.renewed.append(())
            await here.until(lambda state=state: here.cluster("bad").state is state)
            await here.until(lambda: len(here.names(cluster="bad")) == 4 and len(here.names(cluster="good")) == 3)
        sky.bad.storage.create(pods("after")[0])
        await sky.clears()
        assert {ref.name for ref in here.store.changes_since(rev, "pods").changed} == {"meanwhile", "after"}


async def test_a_plugin_that_hangs_is_not_waited_for_when_the_kubeconfig_offers_another_way_in(tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["600"]}
    async with serving([*SYSTEM, *pods("a")], users=[User("jane", ADMIN, "t")]) as server:
        config = tmp_path / "config"
        config.write_text(text({"c1": server.url}, {"exec": plugin}))
        async with watching(str(config), timing=CALM) as here:
            await here.until(lambda: here.cluster("c1"))
            config.write_text(text({"c1": server.url}, {"token": "t"}))
            await here.until(lambda: here.names() == ["a"])


async def test_a_context_that_leads_elsewhere_takes_its_rows_along(tmp_path: Path) -> None:
    async with weather(tmp_path, timing=CALM) as sky, serving([*SYSTEM, *pods("far", "web-0")]) as third:
        here, config = sky.here, tmp_path / "config"
        config.write_text(text({"bad": third.url, "good": sky.good.url}))
        await here.until(lambda: here.names(cluster="bad") == ["far", "web-0"])
        assert here.cluster("bad").server == third.url
        theirs = third.storage.get("pods", "shop", "web-0")["metadata"]["resourceVersion"]
        assert here.row("web-0", cluster="bad").obj.metadata.resource_version == theirs
        await sky.unharmed()


async def test_contexts_of_one_cluster_part_and_meet(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("a")]) as a, serving([*SYSTEM, *pods("b")]) as b:
        config = tmp_path / "config"
        config.write_text(text({"one": a.url, "two": a.url, "three": a.url}))

        def rows() -> dict[str, tuple[str, ...]]:
            return {row.ref.name: row.obj.contexts for row in here.store.rows(CLUSTERS)}

        def held() -> list[tuple[str, str]]:
            return sorted((row.ref.cluster, row.ref.name) for row in here.store.rows("pods"))

        async def becomes(clusters: dict[str, tuple[str, ...]], *objects: tuple[str, str]) -> None:
            await here.until(lambda: rows() == clusters and held() == sorted(objects))

        async with watching(str(config), timing=CALM) as here:
            await becomes({"one": ("one", "two", "three")}, ("one", "a"))
            config.write_text(text({"two": a.url, "three": a.url}))  # the one that reads goes
            await becomes({"two": ("two", "three")}, ("two", "a"))
            config.write_text(text({"two": a.url, "three": b.url}))  # one that stands by leads elsewhere
            await becomes({"two": ("two",), "three": ("three",)}, ("two", "a"), ("three", "b"))
            await watched(a, b)
            asked = a.requests
            config.write_text(text({"two": a.url, "three": b.url, "one": a.url}))  # a new one stands by
            await becomes({"two": ("two", "one"), "three": ("three",)}, ("two", "a"), ("three", "b"))
            assert a.requests - asked <= 4, "it is only asked who it is"
            config.write_text(text({"two": b.url, "three": b.url, "one": a.url}))  # the one that reads leads elsewhere
            await becomes({"one": ("one",), "three": ("three", "two")}, ("one", "a"), ("three", "b"))
            config.write_text(text({"one": a.url, "three": b.url}))  # one that stands by goes
            await becomes({"one": ("one",), "three": ("three",)}, ("one", "a"), ("three", "b"))


async def test_only_contexts_that_were_asked_for_are_taken_in(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("a")]) as a, serving([*SYSTEM, *pods("b")]) as b:
        config = tmp_path / "config"
        config.write_text(text({"prod-1": a.url}))
        async with watching(str(config), timing=CALM, wanted=["prod-*", "hub"]) as here:
            await here.until(lambda: here.names(cluster="prod-1") == ["a"])
            assert here.problems == ("no context is called hub",)
            config.write_text(text({"prod-1": a.url, "prod-2": b.url, "test-1": b.url}))
            await here.until(lambda: here.names(cluster="prod-2") == ["b"])
            assert [context.name for context in here.contexts] == ["prod-1", "prod-2"]
            config.write_text(text({"hub": a.url, "prod-1": a.url}))
            await here.until(lambda: here.cluster("prod-1") and here.cluster("prod-1").contexts == ("prod-1", "hub"))
            assert here.problems == () and here.cluster("prod-2") is None


async def test_a_kubeconfig_that_is_made_while_fleet_waits_for_one(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("a")]) as server:
        config = tmp_path / "config"
        async with watching(str(config), timing=CALM) as here:
            await here.until(lambda: here.problems == (f"{config}: no such file",))
            config.write_text(text({"c1": server.url}))
            await here.until(lambda: here.names() == ["a"])
            assert not here.problems


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(text({"a": "https://a"}))
    files = Kubeconfigs(str(config))
    assert [spec.context.name for spec in files.read()[0]] == ["a"]
    assert not files.changed()
    whole = text({"a": "https://a", "b": "https://b"})
    for end in (10, 40, len(whole)):
        config.write_text(whole[:end])
        assert not files.changed(), "it may still be written"
    assert files.changed() and files.changed()
    assert [spec.context.name for spec in files.read()[0]] == ["a", "b"]
    assert not files.changed()


@pytest.mark.parametrize("seed", range(60 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 2))
async def test_any_sequence_of_changes_ends_as_a_fresh_start_would(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contexts come, go, are pointed elsewhere and log in otherwise, in files that break in between."""
    chance, looks, changed = random.Random(seed), 0, Kubeconfigs.changed

    def counted(self: Kubeconfigs) -> bool:
        nonlocal looks
        looks += 1
        return changed(self)

    async def looked(count: int) -> None:
        until = looks + count
        while looks < until:
            await asyncio.sleep(0.002)

    monkeypatch.setattr(Kubeconfigs, "changed", counted)
    users = [User("jane", ADMIN, "t0"), User("jane", ADMIN, "t1")]
    async with (
        serving([*SYSTEM, *pods("a")], users=users) as a,
        serving([*SYSTEM, *pods("b", "b2")], users=users) as b,
        serving([*SYSTEM, *pods("c")], users=users) as c,
    ):
        config, by_url = tmp_path / "config", {server.url: server for server in (a, b, c)}
        config.write_text(text({"one": a.url}, {"token": "t0"}))
        async with watching(str(config), timing=CALM) as here:
            for step in range(12):
                names = chance.sample(["one", "two", "three", "four", "five"], chance.randint(1, 5))
                servers = {name: chance.choice(list(by_url)) for name in names}
                if chance.random() < 0.3:
                    chance.choice([emptied, half, Path.unlink])(config)
                    await looked(chance.randint(0, 3))
                (atomically if chance.random() < 0.5 else in_place)(
                    config, text(servers, {"token": f"t{chance.randint(0, 1)}"}, step=step)
                )
                await looked(chance.choice([0, 1, 2, 3, 5, 8]))

            def settled(servers: dict[str, str] = servers) -> bool:
                rows = [row.obj for row in here.store.rows(CLUSTERS)]
                groups = {row.metadata.name: set(row.contexts) for row in rows}
                found = {(r.ref.cluster, r.ref.name) for r in here.store.rows("pods")}
                wanted = {
                    (name, obj["metadata"]["name"])
                    for name in groups
                    if name in servers
                    for obj in by_url[servers[name]].storage.list("pods")
                }
                same = {url: {n for n, u in servers.items() if u == url} for url in servers.values()}
                return (
                    all(row.state is ClusterState.LIVE for row in rows)
                    and sorted(map(sorted, groups.values())) == sorted(map(sorted, same.values()))
                    and found == wanted
                )

            await here.until(settled)


def test_what_is_said_of_a_reading() -> None:
    from tui.domain.ports import Context

    def made(*names: str) -> list[Context]:
        return [Context(name, name) for name in names]

    assert reread(made("a", "b"), made("b", "a"), ()) == ""
    assert reread(made("a", "b"), made("b", "c"), ("b",)) == (
        "kubeconfig read again · new: c · gone: a · connected anew: b"
    )
    assert reread([], made(*"abcde"), ()) == "kubeconfig read again · new: a, b, c and 2 more"


async def test_the_fleet_knows_its_contexts_anew_and_has_something_to_tell(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("a")]) as a, serving([*SYSTEM, *pods("b")]) as b:
        config = tmp_path / "config"
        config.write_text(text({"one": a.url}))
        fleet = Fleet(lambda: KubeClusters(Settings(), str(config)), Settings(), background=False)
        fleet._network._timing = CALM

        async def until(condition: Callable[[], Any]) -> None:
            async with asyncio.timeout(60):
                while not condition():
                    await fleet.changed(fleet.version)

        fleet.start()
        try:
            fleet.look("test", ["pods"])
            await fleet.settled()
            assert not fleet.news and [context.name for context in fleet.contexts or ()] == ["one"]
            config.write_text(text({"one": a.url, "two": b.url}))
            await until(lambda: fleet.store.count("pods", "two"))  # what is looked at is read of new clusters too
            assert list(fleet.news) == ["kubeconfig read again · new: two"]
            await fleet.settled()
            config.unlink()
            await until(lambda: any("is gone; its clusters are kept" in problem for problem in fleet.problems))
            assert len(fleet.contexts or ()) == 2 and len(fleet.clusters()) == 2
        finally:
            await fleet.stop()
