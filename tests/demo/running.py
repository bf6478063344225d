"""A running demo for tests: hurried, with ways to push commits and to wait for what they cause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tui.demo.apiserver.storage import Event, Storage
from tui.demo.assembly import Demo, Options
from tui.demo.repository import git

SPEED = 60.0
PATIENCE = 60.0  # seconds after which a test gives up on a condition

Obj = dict[str, Any]


@asynccontextmanager
async def running(directory: Path, speed: float = SPEED) -> AsyncIterator[Demo]:
    """The demo in this process and loop."""
    demo = Demo(Options(speed=speed), directory)
    await demo.start()
    assert demo.life
    await demo.life.stop()  # what happens by itself is not what a test is about
    try:
        yield demo
    finally:
        await demo.stop()


def push(demo: Demo, message: str, **edits: Callable[[str], str] | str | None) -> str:
    """Edit files of the clone (`path=text`, `path=function of its text`, `path=None` removes), push; the commit."""
    for path, edit in edits.items():
        file = demo.repository / path
        if edit is None:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(edit if isinstance(edit, str) else edit(file.read_text()))
    git(demo.repository, "add", "--all")
    git(demo.repository, "commit", "--quiet", "--message", message)
    git(demo.repository, "push", "--quiet", "origin", "main")
    return git(demo.repository, "rev-parse", "HEAD").decode().strip()


def application(demo: Demo, name: str) -> Obj:
    """An Application as it is now."""
    return demo.world.hub.get("applications.argoproj.io", "argocd", name)


class Versions:
    """Every version of one object, as a watch sees them."""

    def __init__(self, storage: Storage, resource: str, namespace: str, name: str) -> None:
        self._key = f"{namespace}/{name}" if namespace else name
        self.seen: list[Obj] = []
        self.deleted = False
        found = storage.find(resource, namespace, name)
        if found:
            self.seen.append(found)
        self._news = asyncio.Event()
        storage.subscribe(resource, self._heard)

    def _heard(self, event: Event) -> None:
        if event.key != self._key:
            return
        self.deleted = event.type == "DELETED"
        if not self.deleted:
            self.seen.append(event.new())
        self._news.set()

    async def until(self, condition: Callable[[Obj], Any]) -> Obj:
        """The first version, old or yet to come, for which the condition holds."""
        looked = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                while looked < len(self.seen):
                    if condition(self.seen[looked]):
                        return self.seen[looked]
                    looked += 1
                self._news.clear()
                await self._news.wait()

    async def gone(self) -> None:
        """Return when the object has been deleted."""
        async with asyncio.timeout(PATIENCE):
            while not self.deleted:
                self._news.clear()
                await self._news.wait()


def versions(demo: Demo, name: str) -> Versions:
    """Versions of an Application."""
    return Versions(demo.world.hub, "applications.argoproj.io", "argocd", name)


def phase(app: Obj) -> str:
    """Phase of its operation; "" when there is none."""
    return str(((app.get("status") or {}).get("operationState") or {}).get("phase", ""))


def settled_at(sha: str) -> Callable[[Obj], bool]:
    """Synced, Healthy, and done with the operation that deployed this commit."""

    def check(app: Obj) -> bool:
        status = app["status"]
        return (
            status["sync"]["status"] == "Synced"
            and status["health"]["status"] == "Healthy"
            and phase(app) == "Succeeded"
            and status["operationState"]["syncResult"]["revision"] == sha
        )

    return check


def events(demo: Demo, name: str) -> list[tuple[str, str]]:
    """(reason, message) of an Application's Events since the demo started, oldest first."""
    found = [event for event in demo.world.hub.list("events", "argocd") if event["involvedObject"]["name"] == name]
    found.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
    return [(event["reason"], event["message"]) for event in found]
