"""All clusters: starts their sessions, merges contexts that lead to the same cluster, hands on what is looked at."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

import msgspec

from tui.domain import redact
from tui.domain.kinds.catalogue import Catalogue, union
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Object, Ref, Row
from tui.domain.ports import Absent, Clusters, Connection, Served, ServerError
from tui.domain.pulse import Pulse
from tui.fleet.bridge import Outbox
from tui.fleet.sync.gate import Gate
from tui.fleet.sync.held import Observer
from tui.fleet.sync.reflector import JSON, METADATA_LIST, METADATA_WATCH
from tui.fleet.sync.session import METADATA_ONLY, Session, Shared
from tui.fleet.sync.timing import Timing

if TYPE_CHECKING:
    from tui.fleet.sync.network import Want

_log = logging.getLogger("fleet.sync")

HOUSEKEEPING = 10.0  # seconds between two looks for watches that nobody needs


class _Listed(msgspec.Struct):
    """A PartialObjectMetadataList, as far as it is read."""

    items: list[Object] = []


class Supervisor:
    """Lives in the network thread."""

    def __init__(
        self,
        clusters: Clusters,
        kinds: Mapping[str, Kind],
        outbox: Outbox,
        observers: Mapping[str, Observer],
        timing: Timing,
        now: Callable[[], float],
        reread: Callable[[Collection[str]], object] = lambda renewed: None,
    ) -> None:
        """`reread` is told when the contexts, or the problems of their files, are others than at first.

        It gets the names of contexts of before that are connected anew.
        """
        self._clusters = clusters
        self._reread = reread
        self._kinds = kinds
        self._outbox = outbox
        self._timing = timing
        self._shared = Shared(
            clusters=clusters,
            kinds=kinds,
            outbox=outbox,
            observers=observers,
            timing=timing,
            now=now,
            probes=Gate(timing.probes),
            bootstraps=Gate(timing.bootstraps),
            identified=self._identified,
            renamed=self._part,
        )
        self.sessions: dict[str, Session] = {}  # replaced as a whole: other threads read it
        self._indexes = itertools.count()
        self._primary: dict[str, Session] = {}  # uid -> the session that reads this cluster
        self._wants: tuple[Want, ...] = ()
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[Session, asyncio.Task[None]] = {}
        self._take_in()

    async def run(self) -> None:
        """Read every cluster until cancelled."""
        self._announce()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._begin()
                self._tasks.create_task(self._announce_always(), name="announce")
                self._tasks.create_task(self._housekeep(), name="housekeeping")
                self._tasks.create_task(self._follow_kubeconfigs(), name="kubeconfigs")
        finally:
            await self._clusters.close()

    def want(self, wants: Iterable[Want]) -> None:
        """What is looked at from now on."""
        self._wants = wants = tuple(wants)
        everywhere = frozenset[str]().union(*(want.resources for want in wants if want.clusters is None))
        for name, session in self.sessions.items():
            here = (want.resources for want in wants if want.clusters is not None and name in want.clusters)
            session.want(everywhere.union(*here))

    def pulse(self) -> tuple[Pulse, ...]:
        """Every cluster as of now, in the order of the kubeconfig; any thread may ask."""
        sessions = self.sessions.copy().values()
        return tuple(session.pulse() for session in sessions if session.merged_into is None)

    def retry(self, cluster: str | None) -> None:
        """Try one cluster or all again now."""
        for name, session in self.sessions.items():
            if cluster in (None, name):
                session.retry()

    async def get(self, ref: Ref) -> bytes:
        """One object as JSON, fresh, secrets masked; metadata only for kinds of which fleet reads no more."""
        session = self._session(ref.cluster)
        kind = self._kinds.get(ref.resource)
        path = await session.path_of(ref, kind)
        partly = ref.resource in METADATA_ONLY or (kind is not None and kind.metadata_only)
        accept = METADATA_WATCH if partly else JSON
        try:
            return redact.whole(await session.connection.get(path, (), accept), ref.resource == "secrets")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ServerError(f"the object cannot be read: {error}") from None

    async def served(self, cluster: str) -> Mapping[str, Served]:
        """What a cluster serves."""
        return await self._session(cluster).connection.served()

    async def offered(self, patience: float) -> Catalogue:
        """What the clusters that are there serve, of those that say so within `patience` seconds."""
        there = [n for n, s in self.sessions.items() if s.standing.answered and s.merged_into is None]
        asked = {asyncio.create_task(self.sessions[name].served()): name for name in there}
        if asked:
            _, late = await asyncio.wait(asked, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        answers = (
            (name, task.result()) for task, name in asked.items() if not task.cancelled() and not task.exception()
        )
        found = {name: answer for name, answer in answers if answer}
        return Catalogue(union(found.items()), found)

    async def review(self, cluster: str, kind: str, body: Mapping[str, object]) -> bytes:
        """A self-review."""
        return await self._session(cluster).connection.review(kind, body)

    async def read(self, cluster: str, path: str) -> bytes:
        """One GET of a path below a cluster's API, with its query."""
        path, _, query = path.partition("?")
        return await self._session(cluster).connection.get(path, parse_qsl(query))

    def connection(self, cluster: str) -> Connection:
        """A cluster's connection as of now. Raises Absent, Unreachable."""
        return self._session(cluster).connection

    async def cluster_secrets(self, hub: str, namespace: str = "") -> dict[str, dict[str, str]]:
        """Names and labels of Argo CD's cluster Secrets, of one namespace or of all.

        Their data is not asked for and does not leave the server.
        """
        query = [("labelSelector", "argocd.argoproj.io/secret-type=cluster")]
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets" if namespace else "/api/v1/secrets"
        data = await self._session(hub).connection.get(path, query, METADATA_LIST)
        try:
            listed = msgspec.json.decode(data, type=_Listed)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ServerError(f"the list of cluster Secrets cannot be read: {error}") from None
        return {item.metadata.name: item.metadata.labels or {} for item in listed.items}

    def _session(self, cluster: str) -> Session:
        session = self.sessions.get(cluster)
        if session is None:
            raise Absent(f"no cluster is called {cluster}")
        return session

    # -- contexts that come, change and go ------------------------------------------------------------------------

    async def _follow_kubeconfigs(self) -> None:
        while True:
            await asyncio.sleep(self._timing.kubeconfig)
            try:
                renewed = await self._clusters.reread()
                if renewed is not None:
                    await self._adopt(renewed)
            except Exception:  # noqa: BLE001 - a mistake of ours must not end the reading of clusters
                _log.exception("reading the kubeconfigs again")

    async def _adopt(self, renewed: Collection[str]) -> None:
        """Go by the kubeconfigs as they are now; `renewed` are contexts that lead elsewhere or log in differently.

        One that leads to another server, or cannot be used any more, is begun anew: its rows may be another cluster's.
        """
        contexts = {context.name: context for context in self._clusters.contexts()}
        self._reread([name for name in contexts if name in renewed])
        leaving = [s for name, s in self.sessions.items() if name not in contexts]
        for name in renewed:
            session, context = self.sessions[name], contexts[name]
            if context.problem or session.context.problem or context.server != session.context.server:
                leaving.append(session)
        await asyncio.gather(*(self._leave(session) for session in leaving))
        self._take_in(leaving)
        gone = (session.ref for session in leaving if session.context.name not in self.sessions)
        self._outbox.add(dict.fromkeys(gone))  # now that nobody announces them any more
        self.want(self._wants)
        self._begin()
        self._announce()
        await asyncio.gather(*(s.renew() for n, s in self.sessions.items() if n in renewed and s not in leaving))

    def _take_in(self, leaving: Collection[Session] = ()) -> None:
        """Have a session for each context, in their order; those there are keep their rank when new ones come."""
        sessions: dict[str, Session] = {}
        for context in self._clusters.contexts():
            session = self.sessions.get(context.name)
            if session is None or session in leaving:
                session = Session(context, next(self._indexes), self._shared)
            elif session.context != context:
                session.context, session.dirty = context, True
            sessions[context.name] = session
        self.sessions = sessions

    def _begin(self) -> None:
        """Run the sessions that do not run yet."""
        assert self._tasks is not None
        for name, session in self.sessions.items():
            if session not in self._running:
                self._running[session] = self._tasks.create_task(session.run(), name=f"cluster {name}")

    async def _leave(self, session: Session) -> None:
        """End a session; the rows of its objects go."""
        task = self._running.pop(session)
        task.cancel()
        await asyncio.wait([task])
        self._part(session)

    # -- one cluster behind several contexts ----------------------------------------------------------------------

    def _identified(self, session: Session) -> bool:
        """Whether this session is the one to read its cluster: the first of the kubeconfig among those that answer."""
        uid = session.standing.uid
        if not uid:
            return True
        first = self._primary.get(uid)
        if first is None or first is session:
            self._primary[uid] = session
            return True
        keeper, other = (first, session) if first.index < session.index else (session, first)
        self._primary[uid] = keeper
        for each in self.sessions.values():
            if each.merged_into is other:
                each.merged_into = keeper
        names = {*keeper.standing.contexts, *other.standing.contexts} - {keeper.context.name}
        order = sorted(names, key=lambda name: self.sessions[name].index)
        keeper.standing.contexts = (keeper.context.name, *order)
        other.merged_into = keeper
        keeper.dirty = True
        self._outbox.add({other.ref: None})
        if other is first:
            other.restart()  # it stands by from now on
        return keeper is session

    def _part(self, session: Session) -> None:
        """A session no longer leads to its cluster; the first of the others that do reads it from now on."""
        name, keeper = session.context.name, session.merged_into
        session.merged_into, session.standing.contexts = None, (name,)
        if keeper is not None:
            keeper.standing.contexts = tuple(each for each in keeper.standing.contexts if each != name)
            keeper.dirty = True
            return
        for uid in [uid for uid, first in self._primary.items() if first is session]:
            del self._primary[uid]
            others = sorted((s for s in self.sessions.values() if s.merged_into is session), key=lambda s: s.index)
            for other in others:
                other.merged_into = others[0]
            if others:
                heir = self._primary[uid] = others[0]
                heir.merged_into, heir.dirty = None, True
                heir.standing.contexts = tuple(other.context.name for other in others)
                heir.restart()

    # -- telling --------------------------------------------------------------------------------------------------

    async def _announce_always(self) -> None:
        while True:
            await asyncio.sleep(self._timing.announce)
            self._announce()

    def _announce(self) -> None:
        changes: dict[Ref, Row | None] = {}
        for session in self.sessions.values():
            if session.dirty and session.merged_into is None:
                session.dirty = False
                changes[session.ref] = session.row()
        if changes:
            self._outbox.add(changes)

    async def _housekeep(self) -> None:
        while True:
            await asyncio.sleep(min(HOUSEKEEPING, self._timing.idle))
            for session in self.sessions.values():
                await session.drop_idle()
