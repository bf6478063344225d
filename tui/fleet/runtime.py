"""The running fleet, without a screen: what the panes and the commands read from and act through."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec

from tui.domain.cluster import CLUSTERS, NO_CONTEXT, Cluster, ClusterState
from tui.domain.contexts import reread
from tui.domain.drafts.blast import Blast
from tui.domain.groups import cluster_secret_name, groups_of, host_of
from tui.domain.kinds import KINDS, OWN
from tui.domain.kinds.core import EVENTS, Event
from tui.domain.kinds.kind import Kind
from tui.domain.kinds.single import SINGLE
from tui.domain.obj import Ref, Row
from tui.domain.ports import Absent, Clusters, CommitInfo, Context, Denied, EventKeeper, Missing, Served, Trouble
from tui.domain.pulse import Pulse
from tui.domain.schema import Problem
from tui.domain.settings import Settings
from tui.domain.tail import Tail, TailEvent
from tui.fleet import objectevents, xray
from tui.fleet.blast import Blasts
from tui.fleet.checking import Checker
from tui.fleet.commits import Commits
from tui.fleet.derive import StoreFacts
from tui.fleet.flows import Flows
from tui.fleet.loading import Loading
from tui.fleet.locating import Located, Locator
from tui.fleet.logs import Logs
from tui.fleet.manifest import Manifest, cleaned
from tui.fleet.netpol.impact import Impacts
from tui.fleet.netpol.watching import Netpol
from tui.fleet.offers import Offers
from tui.fleet.owners import Owners
from tui.fleet.sourcefiles import SourceFiles
from tui.fleet.sync import Batch, Network
from tui.fleet.tailing import APPLICATIONS, Tailing
from tui.store import Store

if TYPE_CHECKING:
    from tui.domain.drafts.model import Draft
    from tui.fleet.drafts import Drafts


@dataclass(frozen=True, slots=True)
class Progress:
    """What is still loading: clusters that have answered or failed of all, objects held, kinds still being listed."""

    answered: int
    clusters: int
    objects: int
    loading: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Every cluster has answered or failed, and nothing is being listed."""
        return self.answered == self.clusters and not self.loading


@dataclass(slots=True)
class Look:
    """What one pane watches: resources, in these clusters or (None) in all."""

    resources: frozenset[str] = field(default_factory=frozenset)
    clusters: frozenset[str] | None = None


class Fleet:
    """Clusters, events and drafts, live. Every method belongs to the loop that called `start`."""

    def __init__(
        self,
        clusters: Callable[[], Clusters],
        settings: Settings,
        drafts: Drafts | None = None,
        keeper: EventKeeper | None = None,
        clock: Callable[[], float] = time.time,
        background: bool = True,
    ) -> None:
        """`clusters` makes the kubeconfig adapter; it is called in the network thread, after the first paint.

        Without `background` nothing is watched but what somebody looks at, as one report needs it.
        """
        self.kinds: dict[str, Kind] = {
            resource: kind if background else replace(kind, watch="view")
            for resource, kind in (KINDS | SINGLE).items()
            if resource not in OWN
        }
        self.settings = settings
        self.store = Store()
        self.tail = Tail()
        self.facts = StoreFacts(self.store, settings, clock)
        self.drafts = drafts
        self._commits = Commits(drafts, self.notify, clock) if drafts is not None else None
        self._blasts = Blasts(drafts, self.store, self.facts, self.notify) if drafts is not None else None
        self.contexts: tuple[Context, ...] | None = None  # of the kubeconfigs; None = not read yet
        self._files: SourceFiles | None = None
        if drafts is not None and background:
            self._files = SourceFiles(self.store, Locator(self.store, self.facts, drafts), self._found_files)
            self.facts.locate = self._files.locate
        self._kubeconfig_problems: tuple[str, ...] = ()
        self.news: deque[str] = deque(maxlen=10)  # what the user should be told once, as soon as there is a screen
        self.version = 0  # moves with every change of the store, the tail or a problem
        self._tailing = Tailing(self.tail, keeper, settings, clock)
        self._network = Network(
            clusters, self.kinds, settings, self._deliver, self._tailing.observers(), clock, learn=self._learn
        )
        self.flows = Flows(self._network, self.notify)
        self.offers = Offers(self._network, self.notify)
        self.logs = Logs(self._network, self.notify)
        self._hubs: set[str] = set()  # asked for their registrations
        self._asked: dict[str, set[str]] = {}  # hub that denies all Secrets -> namespaces asked for theirs
        self._registered: dict[str, dict[str, str]] = {}  # cluster Secret -> labels
        self._asking: set[asyncio.Future[None]] = set()
        self._loading = Loading(self.store, self._looked_at)
        self._checker = Checker(self._network.read)
        self._looks: dict[str, Look] = {}
        self._waiters: set[asyncio.Future[None]] = set()
        self.netpol = Netpol(self.store, self.facts, self.look, self.unlook, self.notify)
        self.impacts: Impacts | None = None  # of drafts on network policies
        if drafts is not None:
            more = (self.changed, self.notify, self.flows)
            self.impacts = Impacts(drafts, self.store, self.facts, self.netpol, *more)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start reading every cluster; returns at once."""
        self._network.start(self._network_failed)
        self._tailing.start()
        if self.drafts is not None:
            self.drafts.attach(self.store, self.notify, self._tell)

    async def stop(self) -> None:
        """End every watch, thread and child; what was learned is kept on disk where it belongs."""
        for asking in self._asking:
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        if self.impacts is not None:
            await self.impacts.close()
        await self.flows.close()
        await self.logs.close()
        await self._network.stop()
        await self.netpol.close()
        if self._commits is not None:
            await self._commits.close()
        if self._blasts is not None:
            await self._blasts.close()
        if self._files is not None:
            await self._files.close()
        if self.drafts is not None:
            await self.drafts.close()
        await asyncio.to_thread(self._tailing.close)

    def _learn(self, contexts: tuple[Context, ...], problems: tuple[str, ...], renewed: tuple[str, ...]) -> None:
        """What is in the kubeconfigs: when they have been read, and again when they have changed."""
        if self.contexts is not None and (words := reread(self.contexts, contexts, renewed)):
            self.news.append(words)
        self.contexts = contexts
        self._kubeconfig_problems = problems
        self._hubs &= {context.name for context in contexts}
        self.facts.learn(contexts)
        self.notify()

    def _network_failed(self, error: BaseException) -> None:
        """Nothing is read any more: say so, and let nobody wait for it."""
        told = f"fleet reads no cluster any more: {type(error).__name__}: {error}"
        self._kubeconfig_problems = (*self._kubeconfig_problems, told)
        if self.contexts is None:
            self.contexts = ()
        self.notify()

    @property
    def problems(self) -> list[str]:
        """What the user should know and no cluster's row says, one line each."""
        found = list(self._kubeconfig_problems)
        if self.contexts == ():
            found.append(NO_CONTEXT)
        if self._tailing.problem:
            found.append(f"events are not kept on disk: {self._tailing.problem}")
        if self.drafts is not None:
            found += self.drafts.problems
        return found

    def _found_files(self) -> None:
        self.facts.files_rev += 1
        self.notify()

    # -- change ---------------------------------------------------------------------------------------------------

    def notify(self) -> None:
        """Something that a reader can see has moved."""
        self.version += 1
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, version: int) -> int:
        """Wait until `version` is no longer the newest; returns the newest."""
        while self.version == version:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
        return self.version

    def _tell(self, event: TailEvent) -> None:
        self._tailing.tell(event)
        self._tailing.drain()
        self.notify()

    def _deliver(self, batches: Sequence[Batch]) -> None:
        """Take in what the network thread has read: called on the main loop, in bounded portions."""
        for batch in batches:
            puts: Iterable[Row] = batch.puts
            if any(row.ref.resource == CLUSTERS for row in puts):
                puts = [self._placed(row) if row.ref.resource == CLUSTERS else row for row in puts]
            self.store.apply(puts, batch.removes)
            if self._asked:
                refs = (row.ref for row in puts if row.ref.resource == APPLICATIONS and row.ref.cluster in self._asked)
                self._ask_namespaces({(ref.cluster, ref.namespace) for ref in refs})
        self._tailing.drain()
        self.notify()

    async def _read_registrations(self, hub: str) -> None:
        """Learn which clusters a hub's Argo CD knows, and their labels, where these credentials may read that."""
        try:
            self._register(await self._network.cluster_secrets(hub))
        except Denied:
            self._asked[hub] = set()  # a Role in Argo CD's own namespace may still allow it
            self._ask_namespaces({(hub, row.ref.namespace) for row in self.store.rows(APPLICATIONS, hub)})
        except Trouble:
            return  # an option: groups then come from names, destinations from other evidence

    def _ask_namespaces(self, places: Iterable[tuple[str, str]]) -> None:
        """Look for registrations in namespaces that hold Applications, on hubs that do not list Secrets everywhere."""
        for hub, namespace in places:
            if namespace not in self._asked.get(hub, (namespace,)):
                self._asked[hub].add(namespace)
                self._asking.add(asyncio.ensure_future(self._read_namespace(hub, namespace)))

    async def _read_namespace(self, hub: str, namespace: str) -> None:
        try:
            self._register(await self._network.cluster_secrets(hub, namespace))
        except Trouble:
            return  # as above: an option

    def _register(self, found: Mapping[str, dict[str, str]]) -> None:
        self._registered |= found
        self.store.apply([self._placed(row) for row in self.store.rows(CLUSTERS)])
        self.notify()

    def _placed(self, row: Row) -> Row:
        """A cluster row with its place in the tree, and what Argo CD calls it."""
        cluster: Cluster = row.obj
        name = cluster.metadata.name
        if cluster.hub and cluster.state is ClusterState.LIVE and name not in self._hubs:
            self._hubs.add(name)
            self._asking.add(asyncio.ensure_future(self._read_registrations(name)))
        servers = {context.server for context in self.contexts or () if context.name in cluster.contexts}
        secret = next((name for name in map(cluster_secret_name, servers) if name in self._registered), "")
        labels = self._registered.get(secret, cluster.metadata.labels or {})
        groups = groups_of(cluster.metadata.name, labels, self.settings.groups)
        host = host_of(cluster.metadata.name, (held.ref.name for held in self.store.rows(CLUSTERS)))
        return msgspec.structs.replace(
            row,
            obj=msgspec.structs.replace(
                cluster,
                metadata=msgspec.structs.replace(cluster.metadata, labels=labels),
                registered=bool(secret),
                groups=groups,
                host=host,
            ),
        )

    # -- what is watched ------------------------------------------------------------------------------------------

    def look(self, owner: str, resources: Iterable[str], clusters: Iterable[str] | None = None) -> None:
        """What `owner` (a pane) needs from now on, with the resources its columns draw facts from."""
        wanted = set(resources)
        for resource in list(wanted):
            wanted.update(KINDS[resource].depends if resource in KINDS else ())
        look = Look(frozenset(wanted - OWN), None if clusters is None else frozenset(clusters))
        if self._looks.get(owner) != look:
            self._looks[owner] = look
            self._loading.start_again()
            self._network.want(self._wanted())

    def unlook(self, owner: str) -> None:
        """`owner` no longer needs anything; its watches end after some idle minutes."""
        if self._looks.pop(owner, None) is not None:
            self._loading.start_again()
            self._network.want(self._wanted())

    def _looked_at(self, cluster: str) -> set[str]:
        """The resources that somebody looks at in a cluster."""
        here = (look.resources for look in self._looks.values() if look.clusters is None or cluster in look.clusters)
        return set[str]().union(*here)

    def _wanted(self) -> list[Look]:
        return list(self._looks.values())

    def retry(self, cluster: str | None = None) -> None:
        """Try an unreachable cluster (or all) again now."""
        self._network.retry(cluster)

    def pulse(self) -> tuple[Pulse, ...]:
        """Every cluster as of now: where it stands, what is held of it, what was sent and came."""
        return self._network.pulse()

    # -- questions ------------------------------------------------------------------------------------------------

    def clusters(self, pattern: str = "*") -> list[Cluster]:
        """The clusters whose name matches a glob, by name."""
        held = (row.obj for row in self.store.rows(CLUSTERS))
        return sorted((c for c in held if fnmatchcase(c.metadata.name, pattern)), key=lambda c: c.metadata.name)

    def progress(self) -> Progress:
        """How far loading is."""
        answered, clusters, loading = self._loading.read()
        objects = sum(self.store.count(resource) for resource in self.store.resources() if resource != CLUSTERS)
        return Progress(answered, clusters, objects, loading)

    def names(self, pattern: str) -> list[str]:
        """Names of the clusters that match a glob."""
        return [cluster.metadata.name for cluster in self.clusters(pattern)]

    @staticmethod
    def tailed() -> tuple[str, ...]:
        """The resources that the event tail is derived from."""
        return (APPLICATIONS, EVENTS.resource)

    async def settled(self, ready: Callable[[], bool] = lambda: True) -> None:
        """Wait until every cluster has answered or failed and all that is wanted has been listed."""
        while not (self._all_known() and self.progress().settled and ready()):
            await self.changed(self.version)
        while not all(asking.done() for asking in self._asking):  # one may lead to others
            await asyncio.gather(*self._asking)

    async def announced(self) -> None:
        """Wait until every cluster has a row, whatever its state."""
        while not self._all_known():
            await self.changed(self.version)

    def _all_known(self) -> bool:
        """Whether every context has a row, or is one with another that has."""
        rows = [row.obj for row in self.store.rows(CLUSTERS)]
        return self.contexts is not None and {c.name for c in self.contexts} <= {n for r in rows for n in r.contexts}

    async def manifest(self, ref: Ref) -> Manifest:
        """The whole object, fresh from its cluster; when that cannot be had, as last seen, saying why.

        Raises Trouble when it is neither to be had nor held.
        """
        row = self.store.get(ref)
        try:
            return Manifest(cleaned(msgspec.json.decode(await self._network.get(ref))), fresh=True)
        except Trouble as error:
            if row is None or isinstance(error, Absent) or not (held := row.manifest()):
                raise
            return Manifest(cleaned(held), fresh=False, reason=str(error))

    async def naming(self, ref: Ref) -> tuple[list[tuple[Ref, Mapping[str, Any]]], list[str]]:
        """Whole objects of kinds that nobody watches and that may name this one; and what could not be read."""
        await self.offers.gather()
        found: list[tuple[Ref, Mapping[str, Any]]] = []
        refused = []
        for resource in xray.ASKED.get(ref.resource, ()):
            try:
                found += await self.offers.wholes(ref.cluster, resource, ref.namespace)
            except Trouble as error:
                refused.append(f"{resource.partition('.')[0]}: {error}")
        return found, refused

    async def events(self, ref: Ref) -> list[Event]:
        """The Kubernetes Events about an object, newest first, as its cluster keeps them now. Raises Trouble."""
        found = self.offers.catalogue.get(ref.resource)
        kind = found.kind if found is not None else ref.resource
        return objectevents.decode(await self._network.read(ref.cluster, objectevents.path(ref, kind)))

    def commit(self, url: str, revision: str) -> CommitInfo | str:
        """A commit of a remote as far as it is known by now, or why not; `notify` follows when more is known."""
        return self._commits.look(url, revision) if self._commits is not None else "no repository is read here"

    def blast(self, draft: str) -> Blast | str:
        """The blast radius of a draft as far as it is known by now, or why not; `notify` follows when more is known."""
        return self._blasts.look(draft) if self._blasts is not None else "no repository is read here"

    async def blast_of(self, draft: Draft | str) -> Blast:
        """The blast radius of a draft. Raises Trouble."""
        if self._blasts is None:
            raise Missing("no repository is read here")
        return await self._blasts.of(draft)

    async def locate(self, ref: Ref) -> Located:
        """The places in Git that declare an object: what `e` opens."""
        if self.drafts is None:
            return Located(reason="drafts are not available here")
        owners = Owners(self.store, self._network.get, self._network.served)
        return await Locator(self.store, self.facts, self.drafts, owners).locate(ref)

    async def files(self, ref: Ref) -> Located:
        """The files that an Application is rendered from."""
        if self.drafts is None:
            return Located(reason="drafts are not available here")
        return await Locator(self.store, self.facts, self.drafts).files(ref)

    async def check(self, text: str, file: str = "", cluster: str = "") -> list[Problem]:
        """What is wrong with a text that is to be committed, by the schemas that the cluster publishes."""
        return await self._checker.check(text, file, cluster)

    # -- questions to the clusters --------------------------------------------------------------------------------

    async def served(self, cluster: str) -> Mapping[str, Served]:
        """Every resource that a cluster serves, by `plural.group`. Raises Trouble."""
        return await self._network.served(cluster)

    async def may(self, cluster: str, verb: str, kind: Kind) -> bool:
        """Whether these credentials have this right in all namespaces, as the API server says. Raises Trouble."""
        attributes = {"verb": verb, "group": kind.group, "resource": kind.plural}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = msgspec.json.decode(await self._network.review(cluster, "selfsubjectaccessreviews", review))
        return bool(answer.get("status", {}).get("allowed"))

    async def discover(self, word: str, pattern: str = "*") -> list[Kind]:
        """The kinds that clusters serve under this word; they can be looked at from then on."""
        found = await self.offers.all(word)
        offers = self.offers.catalogue.offers
        return [k for k in found if any(fnmatchcase(name, pattern) for name in offers[k.resource].clusters)]
