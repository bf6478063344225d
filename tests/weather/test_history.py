"""What an API server says about its objects: refused, gone, forgotten, older than before, or of another cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fleet.watching import PODS, QUICK, Watching, config, watching
from tests.support import definition, serving, thing
from tests.weather.conditions import SYSTEM, Weather, pods, weather
from tui.adapters.kube import discovery
from tui.demo.apiserver.access import Deny, User
from tui.demo.apiserver.resources import BUILTIN
from tui.demo.apiserver.server import ApiServer
from tui.demo.apiserver.storage import Storage
from tui.domain.cluster import ClusterState, KindState
from tui.domain.kinds.fleet import reason
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Row
from tui.fleet.sync import Timing

PAGED, STREAMED = "v1.30.0", "v1.34.0"
VERSIONS = pytest.mark.parametrize("version", [PAGED, STREAMED])
WIDGETS = Kind("widgets", "Widget", "example.com", watch="always")
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
ADMIN: dict[str, Any] = {"users": [User("u", ("system:masters",), "t")], "user": {"token": "t"}}
# Long enough for what is refused to be asked again a few times at most, whatever the machine does.
SLOW = Timing(backoff=0.02, backoff_most=0.1, recheck=30.0, pulse=5.0, announce=0.01, poll=0.02, list_quiet=2.0)


def phase(server: ApiServer, name: str, word: str) -> None:
    server.storage.update_status("pods", "shop", name, {"phase": word})


def phases(here: Watching, cluster: str = "bad") -> dict[str, str]:
    return {row.ref.name: row.manifest()["status"]["phase"] for row in here.store.rows("pods", cluster)}


def kind(sky: Weather, plural: str = "pods") -> KindState | None:
    status = sky.here.kind(plural, "bad")
    return status.state if status else None


class Seen:
    """What observers, such as the event tail, are told of pods."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def __call__(self, old: Row | None, new: Row | None, initial: bool) -> None:
        row = new or old
        assert row is not None
        if row.ref.cluster == "bad" and not initial:
            self.words.append(f"{'new' if old is None else 'gone' if new is None else 'changed'} {row.ref.name}")


# -- 403 --------------------------------------------------------------------------------------------------------------


@VERSIONS
async def test_403_on_a_kind(tmp_path: Path, version: str) -> None:
    seen = Seen()
    services = Kind("services", "Service", watch="always")
    objects = [*pods("web-0", "web-1"), thing("Service", "web", "shop", spec={"ports": []})]
    more = {"kinds": [PODS, services], "timing": SLOW, "observers": {"pods": seen}}
    async with weather(tmp_path, objects, version=version, **ADMIN, **more) as sky:
        sky.bad.access.deny.append(Deny("pods"))
        sky.bad.drop_watches()
        await sky.here.until(lambda: kind(sky) is KindState.DENIED)
        before = sky.bad.requests
        status = sky.here.kind("pods", "bad")
        assert "pods" in status.reason and "forbidden" in status.reason and "Live" in sky.shown()
        assert not sky.here.names("pods", "bad"), "what may not be read is not shown"
        sky.bad.storage.create(thing("Service", "new", "shop", spec={"ports": []}))
        await sky.here.until(lambda: sky.here.names("services", "bad") == ["new", "web"])
        await sky.unharmed()
        assert sky.bad.requests <= before + 8, "the watch of the other kind comes back, and nothing else is asked"
        sky.bad.storage.delete("pods", "shop", "web-1")
        sky.bad.access.deny.clear()
        sky.here.network.retry("bad")
        await sky.clears()
        assert not seen.words, "that they may not be read says nothing about the pods themselves"


@VERSIONS
async def test_403_on_watching_alone(tmp_path: Path, version: str) -> None:
    """It is listed from time to time meanwhile, and watched once that is allowed again."""
    async with weather(tmp_path, version=version, **ADMIN) as sky:
        rev = sky.here.store.resource_rev("pods")
        sky.bad.access.deny.append(Deny("pods", ("watch",)))
        sky.bad.drop_watches()
        sky.bad.storage.create(pods("new")[0])
        await sky.clears()
        assert {ref.name for ref in sky.here.store.changes_since(rev, "pods").changed} == {"new"}
        sky.bad.access.deny.clear()
        await sky.here.until(lambda: len(sky.bad.watches) == 1)
        await sky.clears()


async def test_403_on_everything(tmp_path: Path) -> None:
    async with weather(tmp_path, **ADMIN) as sky:
        rev = sky.here.store.resource_rev("pods")
        sky.bad.access.deny.append(Deny("*"))
        sky.bad.drop_watches()
        await sky.here.until(lambda: "Denied" in sky.shown())
        assert "forbidden" in sky.shown()
        await sky.unharmed()
        sky.bad.storage.create(pods("new")[0])
        sky.bad.access.deny.clear()
        await sky.clears()
        assert "Live" in sky.shown() and "forbidden" not in sky.shown()
        changed = sky.here.store.changes_since(rev, "pods").changed
        assert {ref.name for ref in changed if ref.cluster == "good"} == {"seen-3"}


# -- definitions that come and go -------------------------------------------------------------------------------------


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server serves is asked whenever a kind is missing, not only some seconds after the last time."""
    monkeypatch.setattr(discovery, "FRESH", -1.0)


def widget(name: str, version: str = "v1") -> dict[str, Any]:
    return thing("Widget", name, "shop", f"example.com/{version}", spec={"size": 3})


@VERSIONS
async def test_a_definition_is_removed_while_watched_and_comes_back(tmp_path: Path, version: str, fresh: None) -> None:
    crd = definition("widgets", "Widget", "example.com")
    objects = [*pods("web-0"), crd, widget("a"), widget("b")]
    async with weather(tmp_path, objects, [PODS, WIDGETS], SLOW, version=version) as sky:
        sky.bad.storage.delete(DEFINITIONS, "", "widgets.example.com")
        await sky.here.until(lambda: kind(sky, "widgets.example.com") is KindState.ABSENT)
        assert sky.here.kind("widgets.example.com", "bad").reason.startswith("not served by this cluster")
        assert not sky.here.names("widgets.example.com", "bad") and "Live" in sky.shown()
        await sky.unharmed()
        sky.bad.storage.create(crd)
        sky.bad.storage.create(widget("c"))
        sky.here.network.retry("bad")  # rather than in some minutes
        await sky.here.until(lambda: sky.here.names("widgets.example.com", "bad") == ["c"])
        await sky.here.until(lambda: sky.here.live("widgets.example.com", "bad"))


@VERSIONS
async def test_a_definition_is_missing_for_a_moment(tmp_path: Path, version: str, fresh: None) -> None:
    """As right after an API server has started: nothing is taken away, and nothing is delivered again."""
    seen = Seen()
    objects = [*pods("web-0"), definition("widgets", "Widget", "example.com"), widget("a"), widget("b")]
    more = {"timing": SLOW, "observers": {"widgets.example.com": seen}, "version": version}
    async with weather(tmp_path, objects, [PODS, WIDGETS], **more) as sky:
        rev = sky.here.store.resource_rev("widgets.example.com")
        unserved = sky.bad.faults.answer(404, b"404 page not found", match="/widgets", times=3)
        sky.bad.drop_watches()
        await sky.here.until(lambda: unserved.hits == 3)
        await sky.clears()
        assert sky.here.store.resource_rev("widgets.example.com") == rev and not seen.words


async def test_a_definition_is_added_while_running(tmp_path: Path, fresh: None) -> None:
    async with weather(tmp_path, kinds=[PODS, WIDGETS], settled=False) as sky:
        here, both = sky.here, ("bad", "good")
        await here.until(
            lambda: (
                all(
                    here.live("pods", name)
                    and (status := here.kind("widgets.example.com", name))
                    and status.state is KindState.ABSENT
                    for name in both
                )
                and sky.equal()
            )
        )
        rev = here.store.resource_rev("pods")
        sky.bad.storage.create(definition("widgets", "Widget", "example.com"))
        sky.bad.storage.create(widget("a"))
        await sky.here.until(lambda: sky.here.names("widgets.example.com", "bad") == ["a"])
        await sky.here.until(lambda: kind(sky, "widgets.example.com") is KindState.LIVE)
        assert sky.here.kind("widgets.example.com", "good").state is KindState.ABSENT
        assert sky.here.store.resource_rev("pods") == rev


async def test_a_definition_moves_to_another_version(tmp_path: Path, fresh: None) -> None:
    old, new = (definition("widgets", "Widget", "example.com", version) for version in ("v1", "v2"))
    async with weather(tmp_path, [*pods("web-0"), old, widget("a")], [PODS, WIDGETS]) as sky:
        sky.bad.storage.apply(new)
        sky.bad.storage.create(widget("b", "v2"))
        sky.bad.drop_watches()
        await sky.here.until(lambda: sky.here.names("widgets.example.com", "bad") == ["a", "b"])
        assert sky.here.row("b", resource="widgets.example.com", cluster="bad").manifest()["apiVersion"].endswith("v2")


# -- 410, and lists that take long ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["gone", "expire"])
async def test_410_on_a_watch(tmp_path: Path, fault: str) -> None:
    """Every way a watch can end is in tests/fleet/test_sync_watch.py; here, what is asked and shown meanwhile."""
    async with weather(tmp_path, version=PAGED) as sky:
        rev, before = sky.here.store.resource_rev("pods"), sky.bad.requests
        refused = getattr(sky.bad.faults, fault)(times=2)
        sky.bad.storage.delete("pods", "shop", "web-0")
        sky.bad.close_watches()
        await sky.here.until(lambda: refused.hits == 2)
        await sky.clears()
        assert "Live" in sky.shown() and not sky.stale()
        assert not sky.here.store.changes_since(rev, "pods").changed
        # Two watches that are refused, each followed by a list and the next watch; and who it is, once.
        assert sky.bad.requests <= before + 10
        await sky.unharmed()


async def test_pages_that_expire_before_they_are_read(tmp_path: Path) -> None:
    """After two of them the list is read in one piece: it would never end otherwise."""
    timing = Timing(page=2, backoff=0.02, announce=0.01)
    objects = pods(*(f"web-{index}" for index in range(9)))
    async with weather(tmp_path, objects, timing=timing, version=PAGED, settled=False) as sky:
        sky.bad.cache_ignores_limit = sky.good.cache_ignores_limit = False
        expired = sky.bad.faults.gone(match="continue=", times=None)
        await sky.clears()
        assert expired.hits == 2
        await sky.unharmed()


async def test_a_list_that_changes_while_its_pages_are_read(tmp_path: Path) -> None:
    timing = Timing(page=2, backoff=0.02, announce=0.01)
    objects = pods(*(f"web-{index}" for index in range(8)))
    async with weather(tmp_path, objects, timing=timing, version=PAGED, settled=False) as sky:
        sky.bad.cache_ignores_limit = sky.good.cache_ignores_limit = False
        waits = sky.bad.faults.delay(0.3, match="continue=", times=1)
        await sky.here.until(lambda: waits.hits and sky.here.row("web-1", cluster="bad"))
        sky.bad.storage.delete("pods", "shop", "web-0")  # of a page that has been read
        sky.bad.storage.delete("pods", "shop", "web-7")  # of one that has not
        sky.bad.storage.create(pods("web-00")[0])
        phase(sky.bad, "web-1", "Failed")
        await sky.clears()
        assert phases(sky.here)["web-1"] == "Failed"
        await sky.unharmed()


# -- a restored backup ------------------------------------------------------------------------------------------------


@VERSIONS
async def test_a_restored_backup(tmp_path: Path, version: str) -> None:
    """Versions are given out a second time, for other contents; and a watch from later on would never say a word."""
    async with weather(tmp_path, pods(*(f"web-{index}" for index in range(6))), version=version) as sky:
        backup = sky.bad.storage.snapshot()
        phase(sky.bad, "web-0", "Failed")
        sky.bad.storage.delete("pods", "shop", "web-1")
        sky.bad.storage.create(pods("lost")[0])
        phase(sky.bad, "web-2", "Unknown")
        await sky.clears()
        rev, before = sky.here.store.resource_rev("pods"), sky.bad.requests
        held = sky.here.row("web-0", cluster="bad").obj.metadata
        sky.bad.restore(backup)
        phase(sky.bad, "web-0", "Pending")
        there = sky.bad.storage.get("pods", "shop", "web-0")["metadata"]
        assert (there["resourceVersion"], there["uid"]) == (held.resource_version, held.uid), "and another content"
        await sky.here.until(lambda: phases(sky.here).get("web-0") == "Pending")
        await sky.clears()
        assert phases(sky.here) == {"web-0": "Pending"} | {f"web-{index}": "Running" for index in range(1, 6)}
        changes = sky.here.store.changes_since(rev, "pods")
        assert {ref.name for ref in changes.changed} == {"web-0", "web-1", "web-2"}
        assert {ref.name for ref in changes.removed} == {"lost"}
        assert sky.bad.requests <= before + 10
        assert "Live" in sky.shown() and "its history went back, as when a backup is restored" in sky.shown()
        await sky.unharmed()
        assert "history" not in sky.shown("good")


async def test_a_backup_restored_for_one_kind_is_one_for_all(tmp_path: Path) -> None:
    """The versions of a quiet kind may not tell: all kinds of a cluster share one counter."""
    services = Kind("services", "Service", watch="always")
    objects = [*pods("web-0"), thing("Service", "web", "shop", spec={"ports": []})]
    async with weather(tmp_path, objects, [PODS, services], version=PAGED) as sky:
        backup = sky.bad.storage.snapshot()
        sky.bad.storage.delete("services", "shop", "web")
        for index in range(9):
            sky.bad.storage.create(pods(f"lost-{index}")[0])
        await sky.clears()
        sky.bad.restore(backup)
        for index in range(5):  # past what was heard of services, not past what was heard of pods
            sky.bad.storage.create(pods(f"new-{index}")[0])
        await sky.clears()
        assert sky.here.names("services", "bad") == ["web"]


# -- another cluster --------------------------------------------------------------------------------------------------


def another(*objects: dict[str, Any], version: int = 1) -> Storage:
    storage = Storage(BUILTIN, resource_version=version)
    for obj in [*SYSTEM, *objects]:
        storage.create(obj)
    return storage


@pytest.mark.parametrize("ahead", [1, 500], ids=["younger", "older"])
@VERSIONS
async def test_another_cluster_behind_the_same_url(tmp_path: Path, version: str, ahead: int) -> None:
    seen = Seen()
    async with weather(tmp_path, version=version, observers={"pods": seen}) as sky:
        old, before = sky.here.cluster("bad").uid, sky.bad.requests
        sky.bad.replace(another(*pods("web-1", "other"), version=ahead))
        await sky.here.until(lambda: sky.here.names("pods", "bad") == ["other", "web-1"])
        await sky.clears()
        new = sky.here.cluster("bad").uid
        assert new and new != old
        assert "Live" in sky.shown() and f"another cluster answers here: kube-system has the uid {new}" in sky.shown()
        (pulse,) = [each for each in sky.here.network.pulse() if each.cluster == "bad"]
        assert reason(pulse) == reason(sky.here.cluster("bad"))
        assert not seen.words, "nobody has deleted the pods of the cluster before"
        assert sky.bad.requests <= before + 12
        await sky.unharmed()
        assert "another" not in sky.shown("good")


async def test_contexts_of_one_cluster_part_when_one_of_them_leads_elsewhere(tmp_path: Path) -> None:
    async with serving([*SYSTEM, *pods("web-0")], "a") as a, serving([], "b") as b:
        b.replace(a.storage)
        kubeconfig = config(tmp_path / "config", {"a": a.url, "b": b.url})
        async with watching(kubeconfig, timing=QUICK) as here:
            await here.until(lambda: here.live("pods", "a") and here.cluster("a").contexts == ("a", "b"))
            assert here.cluster("b") is None
            a.replace(another(*pods("elsewhere")))
            await here.until(lambda: here.names("pods", "a") == ["elsewhere"] and here.names("pods", "b") == ["web-0"])
            await here.until(lambda: here.cluster("a").contexts == ("a",) and here.cluster("b").contexts == ("b",))
            assert here.cluster("b").state is ClusterState.LIVE and not here.cluster("b").note
