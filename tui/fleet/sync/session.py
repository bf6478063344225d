"""One cluster: is it there, what does it serve, which kinds are watched, and its row in the store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tui.domain.cluster import CLUSTERS, REPLACED, REWOUND, ClusterState, KindStatus
from tui.domain.kinds.kind import Kind
from tui.domain.kinds.tabled import Tabled
from tui.domain.obj import Ref, Row
from tui.domain.ports import (
    Absent,
    Clusters,
    Connection,
    Context,
    Denied,
    Served,
    ServerError,
    Throttled,
    Trouble,
    Unauthorized,
    Unreachable,
)
from tui.domain.pulse import Meter, Pulse
from tui.fleet.bridge import Outbox
from tui.fleet.sync import probing
from tui.fleet.sync.gate import Gate
from tui.fleet.sync.held import Held, Observer
from tui.fleet.sync.reflector import Reflector
from tui.fleet.sync.standing import Standing
from tui.fleet.sync.timing import Backoff, Timing, cancelled

_log = logging.getLogger("fleet.sync")

METADATA_ONLY = frozenset({"secrets"})  # whatever a table says: their values are not asked for


@dataclass(slots=True)
class Shared:
    """What all sessions have in common."""

    clusters: Clusters
    kinds: Mapping[str, Kind]
    outbox: Outbox
    observers: Mapping[str, Observer]
    timing: Timing
    now: Callable[[], float]
    probes: Gate
    bootstraps: Gate
    identified: Callable[[Session], bool]  # told the uid; whether the session is the one to read this cluster
    renamed: Callable[[Session], None]  # told that another cluster answers


@dataclass(slots=True)
class _Watch:
    reflector: Reflector
    task: asyncio.Task[None]
    unwanted: float = 0.0  # monotonic time since when nobody looks at it; 0 = somebody does


class Session:
    """Implements `host.Host` for one context, for as long as the program runs."""

    def __init__(self, context: Context, index: int, shared: Shared) -> None:
        self.context = context
        self.index = index
        self.up = asyncio.Event()
        self.lists = asyncio.Semaphore(shared.timing.requests)
        self.streaming_lists = False
        self.standing = Standing(contexts=(context.name,), since=shared.now())
        self.meter = Meter()
        self.merged_into: Session | None = None
        self.looked_at = False
        self.likely_hub = False
        self.dirty = True
        self._shared = shared
        self._view: frozenset[str] = frozenset()
        self._watches: dict[str, _Watch] = {}
        self._backoff = Backoff(shared.timing)
        self.breaks = 0  # how often something of it broke off
        self._heard = 0.0  # monotonic
        self._recheck = 0.0  # monotonic time at which denied and absent kinds are tried again
        self._identified = 0.0  # monotonic time at which the uid was last asked for
        self._suspected = asyncio.Event()
        self._retry = asyncio.Event()
        self._connection: Connection | None = None
        self._life: asyncio.Task[None] | None = None

    # -- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, watch, notice when the cluster is lost, and try again; until cancelled. Its rows go at the end."""
        try:
            while not cancelled():
                self._life = asyncio.create_task(self._live(), name=f"connect {self.context.name}")
                await asyncio.wait([self._life])
        finally:
            if self._life is not None:
                self._life.cancel()
                await asyncio.wait([self._life])
            await self.drop_all()
            if self._connection is not None:
                await self._connection.close()

    def restart(self) -> None:
        """Connect, identify and read anew, whatever it waits for now: its place among the others is another."""
        self.up.clear()
        self._backoff.reset()
        if self._life is not None:
            self._life.cancel()

    async def renew(self) -> None:
        """The kubeconfig says that this context logs in differently now: connect anew, and go on with what is held."""
        closing, self._connection = self._connection, None
        self.restart()
        if closing is not None:
            await closing.close()

    async def _live(self) -> None:
        while not cancelled():
            try:
                await self._connect()
            except Exception as error:  # noqa: BLE001 - a mistake of ours must cost this cluster's row only
                while isinstance(error, ExceptionGroup):
                    error = error.exceptions[0]
                _log.exception("cluster %s", self.context.name)
                await self._lost(ServerError(f"fleet failed: {type(error).__name__}: {error}"))

    async def _connect(self) -> None:
        while not cancelled():
            try:
                if self._connection is None:
                    self._connection = self._shared.clusters.connect(self.context.name, self.meter)
                if not await self._probe():
                    await self._probe()
            except Trouble as error:
                await self._lost(error)
                continue
            if self.merged_into is not None or not self._shared.identified(self):
                await self._stand_by()
                continue
            self._backoff.reset()
            self.standing.retry_at = 0.0
            self.standing.found += 1
            self._stand(ClusterState.LIVE, "")
            self.up.set()
            async with asyncio.TaskGroup() as tasks:
                bootstrap = tasks.create_task(self._bootstrap())
                await self._guard()
                bootstrap.cancel()

    async def _probe(self, identify: bool = True, there: bool = False) -> bool:
        """Ask whether it is there, unless that is known, and with `identify` (or if that is long ago) which it is.

        False when it is another cluster than before: nothing is held of that any more. Raises the `Trouble` of one that
        is not there.
        """
        async with self._shared.probes.turn(self.priority, self._shared.timing.place):
            standing, timing = self.standing, self._shared.timing
            self._suspected.clear()
            found = None if there else await probing.version(self.connection)
            if found is not None:
                standing.version = found.git_version
                if not standing.answered:
                    self.streaming_lists = found.streams_lists
            if identify or time.monotonic() - self._identified >= timing.recheck:
                self._identified = time.monotonic()
                uid = await probing.uid(self.connection, bool(standing.uid)) or standing.uid
                if standing.uid not in ("", uid):
                    await self._replaced(uid)
                    return False
                standing.uid = uid
            if not standing.answered:
                self.likely_hub = await probing.has_argo(self.connection)
            standing.answered = True
            self.heard()
            return True

    async def _replaced(self, uid: str) -> None:
        """Another cluster answers at this URL: take out all rows of the one before, and what was known of it."""
        self.up.clear()
        await self.drop_all()
        closing, self._connection = self.connection, None
        await closing.close()  # with what it has learnt of the other's kinds
        self._connection = self._shared.clusters.connect(self.context.name, self.meter)
        standing = self.standing
        standing.uid, standing.answered, standing.version = uid, False, ""
        self._shared.renamed(self)
        self._note(f"{REPLACED}: kube-system has the uid {uid}")

    def _note(self, words: str) -> None:
        self.standing.note, self.standing.noted = words, self._shared.now()
        self.dirty = True
        if (observer := self._shared.observers.get(CLUSTERS)) is not None:
            observer(None, self.row(), False)

    async def _lost(self, error: Trouble) -> None:
        """Say why the cluster is not there, and wait until it is worth another try."""
        self.up.clear()
        self.breaks += 1
        if isinstance(error, Unauthorized | Denied):
            state = ClusterState.DENIED
        elif self.standing.answered:
            state = ClusterState.STALE
        else:
            state = ClusterState.UNREACHABLE
        if isinstance(error, Unreachable):
            for watch in self._watches.values():
                watch.reflector.doubt()
        pause = self._backoff.next() + (error.retry_after if isinstance(error, Throttled) else 0.0)
        if self.context.problem:
            pause = float("inf")
        elif "certificate" in str(error):
            pause += self._shared.timing.backoff_most
        self.standing.retry_at = 0.0 if pause == float("inf") else self._shared.now() + pause
        self._stand(state, str(error))
        await self._wait(self._retry, pause)

    async def _stand_by(self) -> None:
        """Another context reads this same cluster."""
        self.up.clear()
        await self.drop_all()
        await self._wait(self._retry, float("inf"))

    async def _guard(self) -> None:
        """Return when the cluster no longer answers, or is another one.

        It is asked when something suspects so, and when it is silent.
        """
        now, timing = self._shared.now, self._shared.timing
        while self.merged_into is None:
            began, ticking = now(), time.monotonic()
            left = timing.pulse - (ticking - self._heard)
            suspected = await self._noticed(self._suspected, max(left, timing.pulse / 50))
            there = False
            if now() - began - (time.monotonic() - ticking) >= timing.pulse:
                # This machine slept, which monotonic clocks do not count: whoever was there before may have hung up.
                for watch in self._watches.values():
                    watch.reflector.doubt()
                self.connection.renew()
            elif suspected:
                # Whoever else lost this server lost it at the same moment, and whatever is still heard is there.
                at = time.monotonic()
                await self._wait(self._retry, self._backoff.between(0, timing.backoff))
                there = self._heard > at
            elif time.monotonic() - self._heard < timing.pulse:
                continue
            try:
                if self.merged_into is not None or not await self._probe(suspected, there):
                    return
            except Trouble as error:
                await self._lost(error)
                return
            if not self._suspected.is_set():
                self.up.set()
                self._apply()

    async def _bootstrap(self) -> None:
        """Start what is wanted, in turn with other clusters; the turn ends when everything has listed or failed.

        Or sooner, when the cluster is slow or silent: the others do not wait for it.
        """
        timing = self._shared.timing
        async with self._shared.bootstraps.turn(self.priority, timing.bootstrap):
            self._apply()
            waits = {asyncio.create_task(watch.reflector.settled.wait()) for watch in self._watches.values()}
            try:
                while waits:
                    received = self.meter.received
                    done, waits = await asyncio.wait(waits, timeout=timing.place, return_when=asyncio.FIRST_COMPLETED)
                    if not done and self.meter.received - received < timing.worth:
                        break
            finally:
                for task in waits:
                    task.cancel()

    def priority(self) -> tuple[int, int]:
        """Who bootstraps first: what is looked at, hubs, then the order of the kubeconfig."""
        return (0 if self.looked_at else 1 if self.likely_hub else 2, self.index)

    async def _wait(self, event: asyncio.Event, seconds: float) -> bool:
        event.clear()
        return await self._noticed(event, seconds)

    @staticmethod
    async def _noticed(event: asyncio.Event, seconds: float) -> bool:
        """Whether it is set, or becomes so within this time."""
        try:
            async with asyncio.timeout(None if seconds == float("inf") else seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True

    # -- what is watched ------------------------------------------------------------------------------------------

    def want(self, resources: frozenset[str]) -> None:
        """The kinds that are looked at in this cluster, beside those that are always watched."""
        if resources == self._view:
            return
        self._view = resources
        self.looked_at = bool(resources)
        if self.up.is_set():
            self._apply()

    def _wanted(self) -> dict[str, Kind]:
        wanted = {name: kind for name, kind in list(self._shared.kinds.items()) if kind.watch != "view"}
        for name in self._view:
            wanted[name] = self._shared.kinds.get(name) or _unknown_kind(name)
        return wanted

    def _apply(self) -> None:
        """Start what is wanted and not yet watched, and mark what nobody looks at any more."""
        wanted = self._wanted()
        for name, kind in wanted.items():
            watch = self._watches.get(name)
            if watch is None:
                self._start(name, kind)
            elif watch.unwanted:
                watch.unwanted = 0.0
        for name, watch in self._watches.items():
            if name not in wanted and not watch.unwanted:
                watch.unwanted = time.monotonic()
        self.changed()

    def _start(self, name: str, kind: Kind) -> None:
        shared = self._shared
        held = Held(self.context.name, kind, shared.outbox, shared.observers.get(name), shared.now)
        reflector = Reflector(self, kind, held, shared.timing, shared.now)
        task = asyncio.create_task(reflector.run(), name=f"{self.context.name} {name}")
        self._watches[name] = _Watch(reflector, task)

    async def drop_idle(self) -> None:
        """End the watches that nobody has looked at for a while."""
        now = time.monotonic()
        names = [n for n, w in self._watches.items() if w.unwanted and now - w.unwanted >= self._shared.timing.idle]
        await self._drop(names)

    async def drop_all(self) -> None:
        """End every watch and take its rows out."""
        await self._drop(list(self._watches))

    async def _drop(self, names: Iterable[str]) -> None:
        watches = [self._watches.pop(name) for name in names]
        for watch in watches:
            watch.task.cancel()
            watch.reflector.held.close()  # before anything is awaited: the kind may be wanted again meanwhile
        await asyncio.gather(*(watch.task for watch in watches), return_exceptions=True)
        if watches:
            self.changed()

    def retry(self) -> None:
        """Try again now: the cluster when it is lost, else its kinds that wait."""
        self._retry.set()
        self._suspected.set()
        for watch in self._watches.values():
            watch.reflector.kick()

    async def path_of(self, ref: Ref, kind: Kind | None) -> str:
        """The path of one object. Raises `Absent` when the cluster does not serve its kind."""
        plural, _, group = ref.resource.partition(".")
        served = (await self.served() or {}).get(ref.resource)
        versions = kind.versions if kind is not None else ()
        if served is not None:
            version = next((v for v in versions if v in served.versions), served.versions[0])
        elif versions:
            version = versions[0]
        else:
            raise Absent(f"{ref.resource} is not served by {self.context.name}")
        parts = ["apis", group, version] if group else ["api", version]
        if ref.namespace:
            parts += ["namespaces", ref.namespace]
        return "/" + "/".join(quote(part, safe=":") for part in [*parts, plural, ref.name])

    @property
    def connection(self) -> Connection:
        """Raises `Unreachable` when there is none: the context cannot be used, or it is too early."""
        if self._connection is None:
            raise Unreachable(self.standing.reason or "not connected yet")
        return self._connection

    # -- host.Host ------------------------------------------------------------------------------------------------

    async def served(self, fresh: bool = False) -> Mapping[str, Served] | None:
        """What the API server serves; None when it will not say."""
        try:
            return await self.connection.served(fresh)
        except (Denied, Absent, ServerError):
            return None

    def recheck(self) -> float:
        """Seconds until what is refused or missing is asked for again.

        It is one time for all kinds of the cluster, so that they share what it says it serves.
        """
        now, least = time.monotonic(), self._shared.timing.recheck
        if self._recheck <= now:
            self._recheck = now + self._backoff.between(least, 2 * least)
        return self._recheck - now

    def heard(self) -> None:
        """Something came from the API server."""
        self._heard = time.monotonic()  # the clock on the wall may be set
        now = self._shared.now()
        if not 0 <= now - self.standing.announced < self._shared.timing.age:  # or the clock was set back
            self.standing.announced = now
            self.dirty = True
        self.standing.heard = now

    def changed(self) -> None:
        """The status of a kind is another."""
        self.dirty = True

    def suspect(self) -> None:
        """A watch broke off, which may mean the whole cluster: no watch starts until it has been asked."""
        self.breaks += 1
        self.up.clear()
        self._suspected.set()

    def rewound(self, reflector: Reflector) -> None:
        """What `reflector` reads is older than what it has read before: list every kind anew and compare contents."""
        self._note(f"{REWOUND}: everything was read again")
        for watch in self._watches.values():
            watch.reflector.start_over()
            if watch.reflector is not reflector:
                watch.task.cancel()
                watch.task = asyncio.create_task(_after(watch.task, watch.reflector.run()), name=watch.task.get_name())

    # -- its row --------------------------------------------------------------------------------------------------

    def _stand(self, state: ClusterState, reason: str) -> None:
        standing = self.standing
        if standing.state is not state:
            standing.since = self._shared.now()
            _log.info("cluster %s: %s: %s", self.context.name, state.value, reason)
        standing.state, standing.reason = state, reason
        self.dirty = True

    @property
    def ref(self) -> Ref:
        """Where the cluster's row lives in the store."""
        return Ref(self.context.name, CLUSTERS, "", self.context.name)

    def row(self) -> Row:
        """The cluster's row as of now."""
        return Row(self.ref, self.standing.record(self.context, self._statuses()))

    def pulse(self) -> Pulse:
        """The cluster as of now, for any thread: reads what the network thread keeps, and alters nothing."""
        return self.standing.pulse(self.context, self.meter, self._statuses())

    def _statuses(self) -> dict[str, KindStatus]:
        return {name: watch.reflector.status for name, watch in self._watches.copy().items()}


async def _after(ending: asyncio.Task[None], run: Coroutine[Any, Any, None]) -> None:
    """Run once a cancelled task has ended."""
    try:
        await asyncio.wait([ending])
    except BaseException:
        run.close()
        raise
    await run


def _unknown_kind(resource: str) -> Kind:
    """A kind that fleet has no table for: its version and scope come from discovery."""
    plural, _, group = resource.partition(".")
    if resource in METADATA_ONLY:
        return Kind(plural=plural, kind="", group=group, metadata_only=True)
    return Kind(plural=plural, kind="", group=group, record=Tabled, tabled=True)
