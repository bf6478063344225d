"""Keeps the rows of one kind of one cluster true: list, watch, and again after every kind of end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, aclosing
from typing import cast

import msgspec

from tui.domain.cluster import KindState, KindStatus
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref
from tui.domain.ports import (
    Absent,
    Denied,
    Gone,
    ServerError,
    Throttled,
    Trouble,
    Unauthorized,
    Unreachable,
)
from tui.fleet.sync import codec, tables
from tui.fleet.sync.events import Events
from tui.fleet.sync.held import Held
from tui.fleet.sync.history import older
from tui.fleet.sync.host import Host
from tui.fleet.sync.timing import Backoff, Timing, cancelled

_log = logging.getLogger("fleet.sync")

LARGEST_PAGE = 24 * 1024 * 1024  # bytes; older API servers answer resourceVersion=0 with everything at once
ELSEWHERE = frozenset({502, 503, 504})  # said by what stands before an API server that is not there
REWOUND = "its history went back: everything is read again"
RETURNS = 5  # tries, by the back-off, in which a kind that is not served any more may come back before its rows go
JSON = "application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA_WATCH = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class _Again(Exception):
    """We end the watch ourselves, to open it anew."""


class Reflector:
    """One kind in one cluster. `run` never ends by itself; cancelling it leaves no socket behind."""

    def __init__(self, host: Host, kind: Kind, held: Held, timing: Timing, now: Callable[[], float]) -> None:
        self.kind = kind
        self.held = held
        self._host = host
        self._timing = timing
        self._now = now
        self._form = tables.ACCEPT if held.tables else JSON
        self._backoff = Backoff(timing)
        self.odd = ""  # what the watch said that fleet does not understand and need not
        self.version = ""  # resourceVersion to watch from; "" = list first
        self._reached = ""  # the newest resourceVersion that was heard of
        self._where = ""  # path of the collection, while there is a version
        self._unfinished = False  # a list has begun and not ended
        self._breaks = 0  # the host's, when `version` was last known to lead on
        self._broke = False  # the cycle has ended, or would, so that the cluster itself must be asked
        self._missing = 0  # times in a row that the kind was not served
        self._expired = 0  # lists in a row that took longer than the API server keeps their pages
        self._cached_lists = True  # whether to list from the watch cache, which older servers answer unpaged
        self._try = 0  # which of the kind's versions to try when discovery does not answer
        self._state = KindState.WAITING
        self._reason = ""
        self._heard = 0.0
        self._counts = (0, 0, 0)  # as last told
        self._slow = -1  # seconds that a slow list was last said to take
        self._kick = asyncio.Event()
        self._waiting: asyncio.Timeout | None = None  # around the wait for the next chunk of a stream
        self._doubted = False
        self._mends = 0  # lists in a row of which something could not be read
        self.settled = asyncio.Event()  # the first list has ended, well or not

    @property
    def status(self) -> KindStatus:
        """Where the watch stands, for the cluster's row."""
        return KindStatus(self._state, self._reason or self.held.trouble or self.odd, len(self.held), self._heard)

    def kick(self) -> None:
        """Try again now rather than when the pause is over."""
        self._kick.set()

    def doubt(self) -> None:
        """Give up the open watch, whose connection may be dead without anybody having said so."""
        if self._waiting is not None and not self._waiting.expired():
            self._doubted = True
            self._waiting.reschedule(0.0)

    def advance(self, version: str) -> None:
        """Everything up to this resourceVersion has been read."""
        self.version = self._reached = version

    def start_over(self) -> None:
        """Forget how far it was read, and take the next list for another history: compare what it says by content."""
        self.version = self._reached = ""
        self.held.doubted = True

    async def run(self) -> None:
        """List and watch until cancelled."""
        while not cancelled():
            if not self._host.up.is_set():
                await self._host.up.wait()
                await self._wait(self._backoff.between(0, self._timing.backoff))  # all the others have waited too
            began = time.monotonic()
            pause = 0.0
            self._broke = False
            try:
                await self._cycle()
                lasted = time.monotonic() - began
                if lasted < self._timing.brief:
                    self._set(KindState.STALE, f"the API server ended the watch after {lasted:.0f} s")
            except _Again:
                pass
            except Trouble as error:
                pause = self._failed(error)
            except Exception as error:  # noqa: BLE001 - a mistake of ours must cost this kind only
                _log.exception("watching %s", self.kind.resource)
                pause = self._failed(ServerError(f"fleet failed: {type(error).__name__}: {error}"))
            if self._broke:
                self._host.suspect()
            if time.monotonic() - began >= self._timing.healthy:
                self._backoff.reset()
            await self._wait(pause + self._backoff.next())

    async def _wait(self, pause: float) -> None:
        self._kick.clear()
        try:
            async with asyncio.timeout(pause):
                await self._kick.wait()
        except TimeoutError:
            return

    def _failed(self, error: Trouble) -> float:
        """Note what ended the cycle; returns the seconds to wait before the back-off begins."""
        pause, state = 0.0, KindState.FAILED if self.held.initial else KindState.STALE
        if isinstance(error, Gone):
            self.version = ""
            self._broke = False  # it is there, and has only forgotten
            return 0.0
        self._missing += isinstance(error, Absent)
        if isinstance(error, Absent) and not self.held.initial and self._missing <= RETURNS:
            self.version = ""  # an API server that starts, and a chart that is replaced, lack it for a moment
        elif isinstance(error, Denied | Absent):
            state = KindState.DENIED if isinstance(error, Denied) else KindState.ABSENT
            pause = self._host.recheck()
            self._backoff.reset()
            self.version = ""
            self._try += 1
            self.held.clear()
        elif isinstance(error, Throttled):
            pause = error.retry_after
        if isinstance(error, Unreachable | Unauthorized) or error.status in ELSEWHERE:
            self._broke = True
        self._set(state, str(error))
        self.settled.set()
        return pause

    def _set(self, state: KindState, reason: str = "") -> None:
        if (state, reason) != (self._state, self._reason):
            self._state, self._reason = state, reason
            self._host.changed()

    def _live(self) -> None:
        self._missing = 0
        self._set(KindState.LIVE)
        self._host.changed()
        self.settled.set()

    def _hear(self) -> None:
        self._heard = self._now()
        self._host.heard()

    # -- one cycle ------------------------------------------------------------------------------------------------

    async def _cycle(self) -> None:
        """List if needed, then watch until the stream ends; raises what ended it otherwise."""
        if self.held.skipped:
            self.version = ""  # what could not be read may be readable by now, and only a list tells
        if self.version:
            try:
                await self._watch(self._where)
                return
            except Absent:
                raise Absent("not served by this cluster any more") from None
            except Denied:
                self.version = ""  # may be only the watching
        path, watchable = await self._path()
        async with AsyncExitStack() as slot:
            await slot.enter_async_context(self._host.lists)
            self.held.skipped, self.odd = 0, ""
            self._set(KindState.LISTING if self.held.initial else KindState.STALE)
            self._begin_list()
            streams = (
                self._host.streaming_lists and not self.held.tables
            )  # their bookmarks may not say where a list ends
            if watchable and streams and await self._streaming_list(path, slot):
                return
            await self._list(path)
        self._where = path
        self._live()
        if watchable:
            try:
                await self._watch(path)
                return
            except Denied:
                self.version = ""  # may list but not watch: then it is asked from time to time
        again = time.monotonic() + self._host.recheck() if watchable else float("inf")
        while time.monotonic() < again:
            await self._wait(self._timing.poll)
            async with self._host.lists:
                self._begin_list()
                await self._list(path)
            self._live()

    def _begin_list(self) -> None:
        self._breaks = self._host.breaks
        self.held.doubted |= self._unfinished  # one broke off, and what it has left may be of another history
        self._unfinished = True

    async def _path(self) -> tuple[str, bool]:
        """The collection's path in the version to use, and whether it can be watched; `Absent` when not served."""
        kind = self.kind
        everything = await self._host.served(fresh=self._missing > 0)
        verbs: tuple[str, ...] = ()
        name = kind.kind
        version = kind.versions[self._try % len(kind.versions)]
        if everything is not None:
            served = everything.get(kind.collection)
            if served is None:
                raise Absent("not served by this cluster")
            verbs, name = served.verbs, kind.kind or served.kind
            if verbs and "list" not in verbs:
                raise Absent("cannot be listed")
            version = next((v for v in kind.versions if v in served.versions), served.versions[0])
        api = f"{kind.group}/{version}" if kind.group else version
        self.held.serve(api, name)
        where = f"namespaces/{kind.within}/" if kind.within else ""
        return f"/{'apis' if kind.group else 'api'}/{api}/{where}{kind.plural}", not verbs or "watch" in verbs

    def _selection(self) -> list[tuple[str, str]]:
        return [("fieldSelector", self.kind.field_selector)] if self.kind.field_selector else []

    # -- list -----------------------------------------------------------------------------------------------------

    async def _list(self, path: str) -> None:
        """Read all pages; objects that are no longer there vanish at the end."""
        seen: set[Ref] = set()
        query = self._selection()
        if self._expired < 2:  # else its pages never last as long as they take to read
            query.append(("limit", str(self._timing.page)))
        cached = self._cached_lists and self.held.initial and not (self._reached or self.held.doubted)
        token = ""
        while True:
            more = [("continue", token)] if token else [("resourceVersion", "0")] if cached else []
            most = LARGEST_PAGE if cached and not token else 8 * LARGEST_PAGE
            try:
                body = await self._page(path, query + more, most)
            except Gone:
                self._expired += bool(token)
                raise
            if body is None:
                if not cached:
                    raise ServerError("one page of a list is larger than any real one")
                cached = self._cached_lists = False
                continue
            try:
                page = self.held.tables.page(body) if self.held.tables else codec.decode_page(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise ServerError(f"a list is not what an API server answers: {error}") from None
            if not page.kind.endswith("List"):
                raise ServerError(f"a list was answered with {page.kind[:80] or 'something else'}")
            del body
            if older(page.metadata.resource_version, self._reached):
                self._host.rewound(self)
            for item in page.items or ():
                self.held.put(item, seen)
                if self.held.due:
                    await self.held.flush()
            await self.held.flush()
            self._host.changed()
            token = page.metadata.token
            if not token:
                self._complete(seen, page.metadata.resource_version)
                self.held.hand_over()
                return

    def _complete(self, seen: set[Ref], version: str) -> None:
        """A list as of `version` has ended: what it did not have is gone. Raises `Gone` when it must be read again."""
        if not self.held.doubted and (self.held.rewound or older(version, self._reached)):
            self._host.rewound(self)
            raise Gone(REWOUND)
        self.held.keep_only(seen)
        self.version = self._reached = version
        self._expired, self._unfinished = 0, False
        if not self.held.skipped:
            self._mends = 0

    async def _check(self) -> None:
        """Raises `Gone` unless what follows a watch that broke off goes on from it; asked when the next one stands."""
        breaks = self._host.breaks
        query = [*self._selection(), ("limit", "1")]
        try:
            body = await self._page(self._where, query, LARGEST_PAGE, METADATA_LIST)
            page = codec.decode_page(body or b"")
        except Denied:  # may watch and not list: then it cannot be known
            self.start_over()
            raise Gone("it may not be listed, and the watch broke off") from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ServerError(f"a list is not what an API server answers: {error}") from None
        known = page.items is None or not any(self.held.contradicts(item, self.version) for item in page.items)
        if older(page.metadata.resource_version, self.version) or not known:
            self._host.rewound(self)
            raise Gone(REWOUND)
        self._breaks = breaks

    async def _page(self, path: str, query: list[tuple[str, str]], most: int, accept: str = "") -> bytes | None:
        """One page's bytes, or None when there are more than `most`."""
        accept = accept or (METADATA_LIST if self.kind.metadata_only else self._form)
        body = bytearray()
        began, self._slow = time.monotonic(), -1
        stream = self._host.connection.stream(path, query, accept, self._timing.list_quiet)
        async with aclosing(cast(AsyncGenerator[bytes, None], stream)) as chunks:
            async for chunk in chunks:
                self._hear()
                body += chunk
                self._tell_slow(began, len(body))
                if len(body) > most:
                    return None
        return bytes(body)

    def _tell_slow(self, began: float, size: int) -> None:
        """Say once a second how far a list is that takes long."""
        seconds = int(time.monotonic() - began)
        if size and seconds >= self._timing.slow and seconds != self._slow:
            self._slow = seconds
            self._set(self._state, f"its list comes slowly: {size / 1024:,.0f} KiB in {seconds} s")

    async def _streaming_list(self, path: str, slot: AsyncExitStack) -> bool:
        """List and then watch in one stream; False when this API server does not offer that.

        https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
        """
        try:
            await self._follow(path, slot)
        except ServerError as error:
            if error.status not in (400, 422):
                raise
            self._host.streaming_lists = self._broke = False
            return False
        except Denied:
            return False  # may be only the watching
        return True

    # -- watch ----------------------------------------------------------------------------------------------------

    async def _watch(self, path: str) -> None:
        """Follow changes from where the list or the last watch ended."""
        await self._follow(path, None)

    async def _follow(self, path: str, slot: AsyncExitStack | None) -> None:
        """Read one watch to its end; with `slot`, it begins with all objects, and the slot is free after these."""
        timing = self._timing
        began = time.monotonic()
        seconds = self._backoff.between(timing.watch_least, timing.watch_most)
        query = [*self._selection(), ("watch", "true"), ("allowWatchBookmarks", "true")]
        query.append(("timeoutSeconds", str(max(1, round(seconds)))))
        if slot is not None:
            self._where = path
            query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
        else:
            query.append(("resourceVersion", self.version))
        accept = METADATA_WATCH if self.kind.metadata_only else self._form
        stream = self._host.connection.stream(path, query, accept, seconds + timing.watch_slack)
        lines, reader = codec.Lines(), Events(self, slot)
        ends = float("inf")
        async with aclosing(cast(AsyncGenerator[bytes, None], stream)) as chunks:
            while True:
                chunk = await self._next(chunks, reader.initial, ends)
                if chunk is None:
                    break
                self._hear()
                if not self._broke and slot is None and self._breaks != self._host.breaks:
                    await self._check()
                self._broke = True  # unless it ends in time
                if not reader.initial and self._state is not KindState.LIVE:
                    self._live()
                found: Iterable[codec.Text] = lines.feed(chunk)
                await reader.take(self.held.tables.events(found) if self.held.tables else found)
                self.held.hand_over()
                self.held.skipped, lines.skipped = self.held.skipped + lines.skipped, 0
                if self.held.skipped and not reader.initial and ends == float("inf"):
                    ends = self._mends_at()
                if self.held.counts != self._counts:
                    self._counts = self.held.counts
                    self._host.changed()
        if reader.initial:
            raise Unreachable("the stream ended in the middle of the list")
        if time.monotonic() - began >= seconds - timing.watch_early:
            self._broke, self._breaks = False, self._host.breaks

    def _mends_at(self) -> float:
        """Monotonic time to list again for what could not be read; twice as late each time that it does not help."""
        pause = self._backoff.between(self._timing.mend, 2 * self._timing.mend) * 2 ** min(self._mends, 8)
        self._mends += 1
        return time.monotonic() + pause

    async def _next(self, chunks: AsyncGenerator[bytes, None], initial: bool, ends: float) -> bytes | None:
        """The next chunk or None at the end of the stream; nothing is waited for that may never come.

        Raises `Unreachable` for a list that goes silent before its end and for a stream that is doubted, and `_Again`
        when the watch has been silent for too long, or at the monotonic time `ends`.
        """
        timing = self._timing
        quiet = timing.list_quiet if initial else min(timing.watch_quiet, max(0.0, ends - time.monotonic()))
        try:
            async with asyncio.timeout(quiet) as self._waiting:
                return await anext(chunks, None)
        except TimeoutError:
            if self._doubted:
                raise Unreachable("its connection was given up, as nothing had come through it") from None
            if not initial:
                self._broke, self._breaks = False, -1  # it may be as well as dead: the next one is checked
                raise _Again from None
            self._host.streaming_lists = False  # servers that ignore what they do not know never end the list
            raise Unreachable(f"the list was silent for {timing.list_quiet:g} s") from None
        finally:
            self._waiting, self._doubted = None, False

    async def initial_end(self, seen: set[Ref], version: str, slot: AsyncExitStack) -> None:
        """The list that began a stream is complete as of `version`: what it did not have is gone."""
        self._complete(seen, version)
        await self.held.flush()
        self._live()
        await slot.aclose()
