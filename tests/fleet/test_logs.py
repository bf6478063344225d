"""Logs over real HTTP: which pods and containers, restarts, broken streams, what is refused, and bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.watching import QUICK, Watching, config, watching
from tests.support import serving, thing
from tui.demo.apiserver.access import Deny
from tui.demo.apiserver.server import ApiServer
from tui.domain.logs.asked import HEAD, Asked, Selection
from tui.domain.logs.lines import NOTE, LogLine
from tui.fleet.logs import Follow, Logs
from tui.fleet.logs.book import Inbox

NOW = 1_700_000_000.0
LOG = "/log?"
WEB = Selection("c1", "shop", labels=("app=web",))
Key = tuple[str, str]


def pod(name: str, *containers: str, state: Any = None, **fields: Any) -> dict[str, Any]:
    """A pod whose containers run; `state` is of all of them."""
    names = containers or ("app",)
    entry = {"restartCount": fields.pop("restarts", 0), **(state or {"state": {"running": {}}})}
    status = {"phase": "Running", "containerStatuses": [{"name": each, **entry} for each in names]}
    spec = {"containers": [{"name": each} for each in names], **fields}
    return thing("Pod", name, "shop", labels={"app": "web"}, spec=spec, status=status)


@dataclass
class Kept:
    """What the containers' logs hold; lines put in later come to those who follow."""

    lines: dict[Key, list[tuple[float, str]]] = field(default_factory=dict)
    ended: set[Key] = field(default_factory=set)
    open: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, name: str, *texts: str, container: str = "app", at: float = NOW) -> None:
        held = self.lines.setdefault((name, container), [])
        held += [(at + 0.001 * len(held) + 0.001 * number, text) for number, text in enumerate(texts)]
        self.stir()

    def end(self, name: str, container: str = "app") -> None:
        """The container ends: so do the streams of its log."""
        self.ended.add((name, container))
        self.stir()

    def stir(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def source(self, namespace: str, name: str, container: str) -> AsyncIterator[tuple[float, str]]:
        self.open += 1
        at = 0
        try:
            while True:
                moved = self._moved
                held = self.lines.get((name, container), [])
                while at < len(held):
                    yield held[at]
                    at += 1
                if (name, container) in self.ended:
                    return
                await moved.wait()
        finally:
            self.open -= 1


@dataclass
class Here:
    logs: Logs
    kept: Kept
    server: ApiServer
    watching: Watching
    follow: Follow = None  # type: ignore[assignment]
    lines: list[LogLine] = field(default_factory=list)

    def read(self, *selections: Selection, **asked: Any) -> None:
        self.follow = self.logs.follow(selections or (WEB,), Asked(**asked))

    def texts(self) -> list[str]:
        """`pod: text` in order of time; notes without a pod."""
        self.lines += self.follow.take(100_000)
        names = [source.place.pod for source in self.follow.sources]
        return [
            f"{names[line.source]}: {line.text}" if line.source != NOTE else line.text for line in sorted(self.lines)
        ]

    async def until(self, condition: Callable[[], Any]) -> Any:
        try:
            return await self.watching.until(condition)
        except AssertionError:
            raise AssertionError(f"not true; {self.follow.words()} {self.texts()[-8:]}") from None

    async def finished(self) -> list[str]:
        """All there is, once nothing more comes."""
        self.lines.clear()
        await self.until(lambda: self.texts() is not None and self.follow.done)
        return self.texts()

    async def has(self, *texts: str) -> None:
        await self.until(lambda: self.texts() == list(texts))


@asynccontextmanager
async def reading(tmp_path: Path, objects: Sequence[dict[str, Any]], **options: Any) -> AsyncIterator[Here]:
    async with AsyncExitStack() as stack:
        system = [thing("Namespace", "shop"), *objects]
        server = await stack.enter_async_context(serving(system, clock=lambda: NOW, **options))
        kept = Kept()
        server.logs = kept.source
        here = await stack.enter_async_context(watching(config(tmp_path / "config", {"c1": server.url})))
        logs = Logs(here.network, here._moved.set, QUICK)
        try:
            yield Here(logs, kept, server, here)
        finally:
            await logs.close()


async def test_all_containers_of_the_pods_by_time_and_those_that_come_and_go(tmp_path: Path):
    init = {"initContainers": [{"name": "setup"}]}
    first = pod("web-1", **init)
    first["status"]["initContainerStatuses"] = [
        {"name": "setup", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    ]
    async with reading(tmp_path, [first, pod("web-2"), thing("Pod", "db-1", "shop")]) as here:
        here.kept.put("web-1", "set up", container="setup", at=NOW - 60)
        here.kept.end("web-1", "setup")
        here.kept.put("web-1", "a", at=NOW - 9)
        here.kept.put("web-2", "b", at=NOW - 10)
        here.read()
        await here.has("web-1: set up", "web-2: b", "web-1: a")
        here.kept.put("web-2", "c")
        await here.until(lambda: here.texts()[-1] == "web-2: c")
        here.server.storage.create(pod("web-3"))
        here.kept.put("web-3", "d", at=NOW + 1)
        await here.until(lambda: here.texts()[-1] == "web-3: d")
        here.server.storage.delete("pods", "shop", "web-3")
        here.kept.end("web-3")
        await here.until(lambda: here.texts()[-1] == "the pod is gone")
        assert here.follow.words() == []  # it ended as it should
        here.follow.close()
        async with asyncio.timeout(60):
            while here.kept.open:
                await asyncio.sleep(0)


async def test_a_restart_loses_nothing_and_is_said(tmp_path: Path):
    async with reading(tmp_path, [pod("web-1")]) as here:
        here.kept.put("web-1", "old 1", "old 2")
        here.read()
        await here.has("web-1: old 1", "web-1: old 2")
        here.kept.put("web-1", "last words")
        here.kept.end("web-1")
        crashed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
        here.server.storage.apply(pod("web-1", state={"state": waiting, "lastState": crashed}))
        words = "web-1/app: waiting: CrashLoopBackOff: back-off 10s; it ended: OOMKilled, exit code 137"
        await here.until(lambda: here.follow.words() == [words])
        here.kept.lines.clear()
        here.kept.ended.clear()
        here.kept.put("web-1", "new 1", at=NOW + 10)
        here.server.storage.apply(pod("web-1", restarts=1, state={"state": {"running": {}}, "lastState": crashed}))
        await here.has("web-1: old 1", "web-1: old 2", "web-1: last words", "app: restart 1", "web-1: new 1")


async def test_what_an_instance_said_while_the_stream_was_broken_is_read_from_the_previous_one(tmp_path: Path):
    async with reading(tmp_path, [pod("web-1")]) as here:
        here.kept.put("web-1", "old 1")
        here.read()
        await here.has("web-1: old 1")
        here.server.faults.close(LOG, times=10_000)
        await here.server.refuse()  # the stream is cut
        here.kept.put("web-1", "old 2")
        old = list(here.kept.lines["web-1", "app"])
        here.server.previous_logs = lambda namespace, name, container: old
        here.kept.lines.clear()
        here.kept.put("web-1", "new 1", at=NOW + 10)
        here.server.storage.apply(
            pod("web-1", restarts=1, state={"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}})
        )
        here.server.faults.clear()
        await here.server.start()
        await here.has("web-1: old 1", "web-1: old 2", "app: restart 1", "web-1: new 1")


@pytest.mark.parametrize("weather", ["close", "truncate", "html", "unavailable", "throttle"])
async def test_bad_weather_loses_nothing_and_tells_nothing_twice(tmp_path: Path, weather: str):
    wanted = [f"line {number:03}" for number in range(60)]
    async with reading(tmp_path, [pod("web-1")]) as here:
        for number, text in enumerate(wanted):  # ten lines of each moment
            here.kept.lines.setdefault(("web-1", "app"), []).append((NOW + number // 10, text))
        if weather == "truncate":  # in the middle of a line
            fault = here.server.faults.truncate(40 * 20 + 7, LOG, times=2)
        elif weather == "throttle":
            fault = here.server.faults.throttle(0, LOG, times=2)
        elif weather == "html":
            fault = here.server.faults.html(502, LOG, times=2)
        else:
            fault = getattr(here.server.faults, weather)(LOG, times=2)
        here.read()
        await here.has(*(f"web-1: {text}" for text in wanted))
        assert fault.hits == 2
        here.kept.put("web-1", "the end", at=NOW + 100)
        await here.has(*(f"web-1: {text}" for text in [*wanted, "the end"]))


@pytest.mark.parametrize(
    ("objects", "deny", "words"),
    [
        ([], [], "no pod with app=web in c1/shop"),
        ([pod("web-1")], [Deny("pods", ("get",))], "may be seen, but not their logs (pods/log)"),
        ([pod("web-1")], [Deny("pods")], "c1/shop: pods may not be listed"),
        ([pod("web-1", state={"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}})], [],
         "web-1/app: waiting: ImagePullBackOff: no such image"),
        ([thing("Pod", "web-1", "shop", labels={"app": "web"}, spec={"containers": [{"name": "app"}]},
                status={"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                        "reason": "Unschedulable", "message": "0/3 nodes are available"}]})], [],
         "web-1/app: waiting: Unschedulable: 0/3 nodes are available"),
    ],
    ids=["no-pod", "no-logs", "no-list", "no-image", "no-node"],
)  # fmt: skip
@pytest.mark.parametrize("follow", [True, False])
async def test_why_there_is_nothing(tmp_path: Path, objects: list[Any], deny: list[Deny], words: str, follow: bool):
    async with reading(tmp_path, objects, deny=deny) as here:
        here.read(follow=follow)
        await here.until(lambda: words in "; ".join(here.follow.words()))
        if not follow:
            await here.until(lambda: here.follow.done)


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "the pod is gone"), (410, "no longer there (410)"), (500, "the API server answered 500")],
)
async def test_refusals_in_words(tmp_path: Path, status: int, words: str):
    async with reading(tmp_path, [pod("web-1")]) as here:
        here.server.faults.answer(status, b"", LOG, times=1)
        here.kept.put("web-1", "a")
        here.read(follow=False)
        assert await here.finished() == []
        assert words in "; ".join(here.follow.words())


async def test_one_pod_may_be_read_where_pods_may_not_be_listed(tmp_path: Path):
    async with reading(tmp_path, [pod("web-1")], deny=[Deny("pods", ("list", "watch"))]) as here:
        here.kept.put("web-1", "a")
        here.read(Selection("c1", "shop", "web-1"))
        await here.has("web-1: a")


async def test_previous_head_since_and_tail(tmp_path: Path):
    last = {"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}}
    async with reading(tmp_path, [pod("web-1", state=last), pod("web-2")]) as here:
        here.server.previous_logs = lambda namespace, name, container: [(NOW - 5, f"before {name}")]
        many = [f"{number}" for number in range(HEAD + 10)]
        here.kept.put("web-1", *many, at=NOW - 2 * HEAD)
        here.read(previous=True)
        assert await here.finished() == ["web-1: before web-1"]
        assert here.follow.words() == ["web-2/app: it has not been restarted: there is no log before this one"]
        here.read(head=True)
        assert (found := await here.finished())[-1] == f"web-1: {HEAD - 1}" and len(found) == HEAD
        here.kept.put("web-1", "now", at=NOW - 1)
        here.read(seconds=60, tail=None, follow=False)
        assert await here.finished() == ["web-1: now"]
        here.read(tail=2, containers="a*", follow=False)
        assert len(await here.finished()) == 2
        here.read(containers="proxy", follow=False)
        assert await here.finished() == [] and not here.follow.sources


async def test_hostile_lines(tmp_path: Path):
    async with reading(tmp_path, [pod("web-1")]) as here:
        huge = "x" * (2 << 20)
        here.kept.put("web-1", "\x1b[2J\x1b]0;title\x07", huge, "\xff\x00", "last")
        here.read()
        await here.until(lambda: len(here.texts()) == 4)
        found = here.texts()
        assert found[0] == "web-1: \x1b[2J\x1b]0;title\x07" and found[2:] == ["web-1: \xff\x00", "web-1: last"]
        assert len(found[1]) < len(huge) and found[1].endswith(" bytes more")


def test_the_inbox_is_bounded_and_says_what_it_dropped():
    inbox = Inbox(kept=3, size=100)
    lines = [LogLine(number, number, 0, str(number)) for number in range(5)]
    inbox.add(lines)
    assert inbox.take(2) == (lines[2:4], 2)
    assert inbox.take(9) == (lines[4:], 0)
    inbox.add([LogLine(1, 1, 0, "x" * 99), LogLine(2, 2, 0, "y" * 99)])
    assert inbox.take(9) == ([LogLine(2, 2, 0, "y" * 99)], 1)
