"""The pods of a selection, watched while their logs are read. Lives in the network thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import cast
from urllib.parse import quote

import msgspec

from tui.domain.logs.asked import Selection
from tui.domain.logs.containers import LogPod, containers
from tui.domain.logs.names import Place
from tui.domain.ports import Connection, Denied, ServerError, Trouble
from tui.fleet.logs.book import Book
from tui.fleet.logs.container import ContainerLog
from tui.fleet.logs.stream import again
from tui.fleet.selected import Changed, selected
from tui.fleet.sync.timing import Timing

STREAMS = 100  # logs that are open at the same time

Connect = Callable[[str], Connection]
"""The connection of a cluster as of now. Raises Trouble."""


async def read_logs(connect: Connect, book: Book, timing: Timing, moved: Callable[[], None]) -> None:
    """Read what the book asks for: until cancelled where that goes on, else to the end."""
    slots = asyncio.Semaphore(STREAMS)
    works = [_Pods(connect, book, selection, timing, slots, moved) for selection in book.selections]
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work.follow() if book.asked.goes_on else work.once())
    finally:
        book.done = True
        moved()


class _Pods:
    """The pods of one selection, and the logs of their containers."""

    def __init__(
        self,
        connect: Connect,
        book: Book,
        selection: Selection,
        timing: Timing,
        slots: asyncio.Semaphore,
        moved: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._book = book
        self._selection = selection
        self._timing = timing
        self._slots = slots
        self._moved = moved
        self._held: dict[str, list[ContainerLog]] = {}  # by the pod's uid
        self._tasks: dict[ContainerLog, asyncio.Task[None]] = {}
        namespace = selection.namespace
        self._path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods" if namespace else "/api/v1/pods"

    async def follow(self) -> None:
        """Follow the pods there are and those that come."""
        try:
            await again(self._watch, self._timing, self._unlisted)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def once(self) -> None:
        """Read the logs of the pods there are."""
        try:
            self._take(await self._listed())
        except Trouble as error:
            self._unlisted(error)
        await asyncio.gather(*(log.once() for logs in self._held.values() for log in logs))

    async def _watch(self) -> None:
        """Follow the pods until the watch ends. Raises Trouble."""
        try:
            async with aclosing(self._selected()) as changes:
                async for changed in changes:
                    self._take(changed)
        except Denied:
            if not self._selection.name:
                raise
        else:
            return
        while True:  # one pod may be read where pods may not be listed
            self._take(await self._asked(self._selection.namespace, self._selection.name))
            await asyncio.sleep(self._timing.poll)

    def _selected(self) -> AsyncGenerator[Changed[LogPod], None]:
        connection = self._connect(self._selection.cluster)
        chosen = selected(connection, [self._path], self._selection.query(), LogPod, self._timing)
        return cast(AsyncGenerator[Changed[LogPod], None], chosen)

    async def _listed(self) -> Changed[LogPod]:
        try:
            async with aclosing(self._selected()) as changes:
                return await anext(changes)
        except Denied:
            if not self._selection.name:
                raise
            return await self._asked(self._selection.namespace, self._selection.name)

    async def _asked(self, namespace: str, name: str) -> Changed[LogPod]:
        """One pod by its name. Raises Trouble."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}"
        data = await self._connect(self._selection.cluster).get(path)
        try:
            return Changed([msgspec.json.decode(data, type=LogPod)], [], True)
        except msgspec.MsgspecError as error:
            raise ServerError(f"the API server's answer cannot be read: {error}") from None

    async def _look(self, namespace: str, name: str) -> None:
        """See how a pod is that is known already. Raises Trouble."""
        (pod,) = (await self._asked(namespace, name)).put
        if pod.metadata.uid in self._held:
            self._put(pod)

    # -- what there is ----------------------------------------------------------------------------------------------

    def _take(self, changed: Changed[LogPod]) -> None:
        """Take in how the pods are."""
        self._book.troubles.pop(self._selection, None)
        if changed.listed:
            self._leave(self._held.keys() - {pod.metadata.uid for pod in changed.put})
        for pod in changed.put:
            owner = next((each.name for each in pod.metadata.owner_references if each.controller), "")
            if self._selection.admits(pod.metadata.name, pod.metadata.labels, owner):
                self._put(pod)
        self._leave([pod.metadata.uid for pod in changed.gone])
        self._book.pods[self._selection] = len(self._held)
        self._moved()

    def _leave(self, uids: Iterable[str]) -> None:
        for uid in uids:
            for log in self._held.pop(uid, ()):
                log.gone()

    def _put(self, pod: LogPod) -> None:
        meta = pod.metadata
        logs = self._held.setdefault(meta.uid, [])
        known = {log.source.place.container: log for log in logs}
        for container in containers(pod):
            if not self._book.asked.wants(container.name):
                continue
            if (log := known.get(container.name)) is not None:
                log.update(container)
                continue
            place = Place(self._selection.cluster, meta.namespace, meta.name, container.name)
            source = self._book.source(place, container)
            source.container = container
            log = ContainerLog(
                self._book,
                source,
                lambda: self._connect(self._selection.cluster),
                self._slots,
                self._moved,
                lambda name: self._look(meta.namespace, name),
            )
            logs.append(log)
            if self._book.asked.goes_on:
                task = self._tasks[log] = asyncio.create_task(log.follow(self._timing))
                task.add_done_callback(lambda _, log=log: self._tasks.pop(log, None))  # type: ignore[misc]

    def _unlisted(self, error: Trouble) -> None:
        """The pods cannot be listed; what is being read goes on."""
        self._book.troubles[self._selection] = error
        self._moved()
