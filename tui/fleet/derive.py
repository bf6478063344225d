"""Facts that need more than one row, answered from the store and kept up by what changed, not by walking it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from posixpath import normpath
from typing import NamedTuple

from tui.domain.argo import tracking
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.argo.application import ApplicationBrief, main_source, of_row
from tui.domain.argo.destinations import Candidate, Candidates, Match, Registered, match, normalise_url
from tui.domain.argo.destinations import Verdict as Sureness
from tui.domain.argo.tree import Node, build
from tui.domain.argo.windows import Verdict, verdict
from tui.domain.cluster import CLUSTERS, Cluster, KindState
from tui.domain.kinds import KINDS, find
from tui.domain.obj import Ref, Row
from tui.domain.ports import Context
from tui.domain.settings import Settings
from tui.fleet.netpol.needs import POLICIES, standing
from tui.fleet.netpol.selections import Selections
from tui.store import Store

# Kinds whose objects prove, by their tracking id, which cluster a destination means. All are few or watched anyway.
_EVIDENCE = (
    "namespaces",
    "ciliumnetworkpolicies.cilium.io",
    "networkpolicies.networking.k8s.io",
    "deployments.apps",
    "services",
)
PROJECTS = "appprojects.argoproj.io"
_MOST_OWNERS = 6  # steps from a pod up to what Git declares: pod, ReplicaSet, Deployment, and some to spare


class _Target(NamedTuple):
    """A destination as written, on one hub: what Applications share that deploy to the same place."""

    hub: str
    server: str
    name: str


class StoreFacts:
    """`Facts` over a store. Belongs to the loop that owns the store."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._contexts: dict[str, Context] = {}
        self._selections = Selections(store, self.known)
        self.locate: Callable[[Row, Ref], str] | None = None  # the file of an Application's object, where it is known
        self.files_rev = 0  # moves when `locate` knows more
        self._seen = -1  # revision of the store that was read last
        # Applications
        self._rev = 0
        self._held: dict[Ref, tuple[_Target, str]] = {}  # Application -> destination and health word
        self._counts: dict[_Target, Counter[str]] = {}
        self._members: dict[_Target, set[Ref]] = {}
        self._named: dict[str, set[Ref]] = {}  # Application name -> Applications
        # destinations
        self._clusters_rev = 0
        self._candidates: dict[Ref, Candidate] = {}
        self._places = 0  # counts what may have changed matches
        self._index: Candidates | None = None  # of the candidates, made when first asked
        self._matches: dict[_Target, Match] = {}
        self._reached: dict[str, list[_Target]] | None = None  # cluster -> destinations that mean it
        self._tracked: dict[str, set[str]] = {}  # instance -> clusters with an object of it
        self._evidence_revs: dict[str, int] = {}

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def learn(self, contexts: Iterable[Context]) -> None:
        """Contexts of the kubeconfigs: their certificate authorities and identities are evidence for destinations."""
        self._contexts = {context.name: context for context in contexts}
        self._clusters_rev = 0
        self._seen = -1

    # -- endpoints --------------------------------------------------------------------------------------------------

    def selected(self, row: Row) -> int | None:
        """How many endpoints (or nodes) a policy selects in its cluster; None when they could not be read."""
        return self._selections.count(row)

    def selected_refs(self, row: Row) -> tuple[list[Ref], str]:
        """The endpoints a policy selects, and what they were told from: `endpoints`, `pods`, `nodes` or "" unknown."""
        return self._selections.members(row)

    def unpoliced(self, cluster: str) -> tuple[list[Ref], str]:
        """The endpoints of a cluster that no policy selects, and what they were told from; ([], "") when not known."""
        stands = standing(self._store, cluster)
        if not all(stands.known(resource) or stands.absent(resource) for resource in POLICIES):
            return [], ""
        rows = [row for resource in POLICIES for row in self._store.rows(resource, cluster)]
        return self._selections.uncovered(cluster, rows)

    # -- ownership --------------------------------------------------------------------------------------------------

    def application(self, row: Row) -> str:
        """Name of the Application that tracks this object or one of its owners; `namespace/name` outside Argo CD's own.

        The tracking annotation decides; the instance label only counts when an Application of that name deploys to
        this cluster, because charts set the label too.
        """
        current: Row | None = row
        for _ in range(_MOST_OWNERS):
            if current is None:
                return ""
            meta = current.obj.metadata
            if (found := _tracked(current)) is not None:
                namespace, name = found.application
                return f"{namespace}/{name}" if namespace else name
            if (label := (meta.labels or {}).get(tracking.LABEL)) and self._deploys(label, row.ref.cluster):
                return str(label)
            current = self._owner(current)
        return ""

    def application_ref(self, row: Row) -> Ref | None:
        """The Application of `application`, when it is held and only one can be meant."""
        named = self.application(row)
        namespace, slash, name = named.rpartition("/")
        self._read()
        found = [ref for ref in self._named.get(name, ()) if not slash or ref.namespace == namespace]
        if len(found) > 1:
            found = [ref for ref in found if self._match(self._held[ref][0]).cluster == row.ref.cluster]
        return found[0] if len(found) == 1 else None

    def source_file(self, row: Row) -> str:
        """The file an object comes from where a repository is indexed, else the folder of its Application's source."""
        ref = self.application_ref(row)
        if ref is not None and self.locate is not None and (found := self.locate(row, ref)):
            return found
        app = self._store.get(ref) if ref else None
        if app is None:
            return ""
        path = normpath(main_source(app.obj).path or ".").strip("/")
        return "" if path in (".", "..") else f"{path}/"

    def _owner(self, row: Row) -> Row | None:
        owners = row.obj.metadata.owner_references
        owner = next((each for each in owners if each.controller), owners[0] if owners else None)
        kind = find(owner.kind) if owner else None
        if owner is None or kind is None:
            return None
        ref = row.ref
        found = self._store.get(Ref(ref.cluster, kind.resource, ref.namespace if kind.namespaced else "", owner.name))
        return found if found is not None and found.obj.metadata.uid == owner.uid else None

    def _deploys(self, name: str, cluster: str) -> bool:
        self._read()
        return any(self._match(self._held[ref][0]).cluster == cluster for ref in self._named.get(name, ()))

    # -- destinations -----------------------------------------------------------------------------------------------

    def destination(self, row: Row) -> str:
        """fleet's name of the cluster an Application deploys to, "?" appended unless the match is certain or strong."""
        target = _target(row)
        found = self._match(target)
        if found.cluster:
            return found.cluster if found.sure else f"{found.cluster}?"
        return f"{target.name or normalise_url(target.server).partition('://')[2] or 'no destination'}?"

    @property
    def places_rev(self) -> int:
        """Moves when destinations may mean other clusters than before; states of clusters do not matter to it."""
        self._read()
        return self._places

    def destination_match(self, row: Row) -> Match:
        """How an Application's destination was matched, why, and what else it may mean."""
        return self._match(_target(row))

    def _match(self, target: _Target) -> Match:
        self._read()
        found = self._matches.get(target)
        if found is None:
            proven = self._proven(target)
            registered = Registered(server=target.server, name=target.name)
            pins = self._settings.destinations
            if self._index is None:
                self._index = Candidates(self._candidates.values())
            near = self._index.every.values() if pins else self._index.near(registered, proven)
            found = match(registered, target.hub, near, pins, proven)
            self._matches[target] = found
        return found

    def _proven(self, target: _Target) -> list[str]:
        """Clusters that hold an object with the tracking id of an Application of this destination."""
        instances = {
            name for ref in self._members.get(target, ()) for name in (ref.name, f"{ref.namespace}_{ref.name}")
        }
        found = {cluster for name in instances for cluster in self._tracked.get(name, ())}
        return sorted(found)

    def _read(self) -> None:
        """Take in what has changed since the last question."""
        if self._store.rev != self._seen:
            self._seen = self._store.rev
            self._read_applications()
            self._read_clusters()
            self._read_evidence()

    def _read_clusters(self) -> None:
        """Forget matches when a cluster came, went or turned out to be another; its state does not matter here."""
        if self._store.resource_rev(CLUSTERS) <= self._clusters_rev:
            return
        changes = self._store.changes_since(self._clusters_rev, CLUSTERS)
        self._clusters_rev = changes.rev
        before = dict(self._candidates)
        if changes.reset:
            self._candidates.clear()
        for ref in changes.removed:
            self._candidates.pop(ref, None)
        for ref in changes.changed:
            if (row := self._store.get(ref)) is not None:
                self._candidates[ref] = self._candidate(row.obj)
        if self._candidates != before:
            self._index = None
            self._places += 1
            self._matches.clear()
            self._reached = None

    def _candidate(self, cluster: Cluster) -> Candidate:
        contexts = [self._contexts[name] for name in cluster.contexts if name in self._contexts]
        servers = {normalise_url(url) for url in (cluster.server, *(c.server for c in contexts)) if url}
        return Candidate(
            name=cluster.metadata.name,
            servers=tuple(sorted(servers)),
            names=tuple(dict.fromkeys((*cluster.contexts, *(context.cluster for context in contexts)))),
            ca_sha256=tuple(dict.fromkeys(context.ca_sha256 for context in contexts if context.ca_sha256)),
            identity=tuple(dict.fromkeys(part for context in contexts for part in context.identity)),
            uid=cluster.uid,
            registered=cluster.registered,
        )

    def _read_evidence(self) -> None:
        """Collect tracking ids of what changed. A new one settles matches that were not certain before."""
        grown = False
        for resource in _EVIDENCE:
            seen = self._evidence_revs.get(resource, 0)
            if self._store.resource_rev(resource) <= seen:
                continue
            changes = self._store.changes_since(seen, resource)
            self._evidence_revs[resource] = changes.rev
            for ref in changes.changed:
                row = self._store.get(ref)
                if row is None or (found := _tracked(row)) is None:
                    continue
                held = self._tracked.setdefault(found.instance, set())
                if ref.cluster not in held:
                    held.add(ref.cluster)
                    grown = True
        if grown:
            self._places += 1
            self._matches = {key: held for key, held in self._matches.items() if held.verdict is Sureness.CERTAIN}
            self._reached = None

    def tree(self, row: Row) -> list[Node]:
        """The resource tree of an Application, made of what is held of the cluster it deploys to."""
        found = self.destination_match(row)
        return build(of_row(row), row.ref.cluster, found.cluster if found.sure else "", self._store, self.known)

    def windows(self, row: Row) -> Verdict | None:
        """What the sync windows of an Application's project say now; None when the project is not held."""
        app: ApplicationBrief = row.obj
        name = app.spec.project or "default"
        project = self._store.get(Ref(row.ref.cluster, PROJECTS, row.ref.namespace, name))
        if project is None:  # Applications may live in other namespaces than Argo CD and its projects
            held = (each for each in self._store.rows(PROJECTS, row.ref.cluster) if each.ref.name == name)
            project = next(held, None)
        return verdict(project.obj.spec.sync_windows or (), app, self.now) if project is not None else None

    # -- counts -----------------------------------------------------------------------------------------------------

    def health_counts(self, cluster: str) -> dict[str, int]:
        """Applications that deploy to this cluster, by health word."""
        self._read()
        if self._reached is None:
            self._reached = {}
            for target in self._counts:
                if (found := self._match(target)).cluster:
                    self._reached.setdefault(found.cluster, []).append(target)
        total: Counter[str] = Counter()
        for target in self._reached.get(cluster, ()):
            total.update(self._counts.get(target, {}))
        return {word: count for word, count in total.items() if count}

    def count(self, cluster: str, resource: str) -> int | None:
        """Objects of a resource held for a cluster; None when they are not known."""
        return self._store.count(resource, cluster) if self.known(cluster, resource) else None

    def known(self, cluster: str, resource: str) -> bool:
        """Whether this resource of this cluster has been listed, so that what is not held is not there."""
        row = self._store.get(Ref(cluster, CLUSTERS, "", cluster))
        status = row.obj.kinds.get(resource) if row else None
        return status is not None and status.state in (KindState.LIVE, KindState.STALE)

    def _read_applications(self) -> None:
        """Take in the Applications that changed since the last look."""
        if self._store.resource_rev(APPLICATIONS) <= self._rev:
            return
        changes = self._store.changes_since(self._rev, APPLICATIONS)
        if changes.reset:
            self._held.clear()
            self._counts.clear()
            self._members.clear()
            self._named.clear()
            self._reached = None
        self._rev = changes.rev
        for ref in changes.removed:
            self._drop(ref)
        for ref in changes.changed:
            if (row := self._store.get(ref)) is not None:
                self._take(row)

    def _take(self, row: Row) -> None:
        app: ApplicationBrief = row.obj
        now = (_target(row), app.status.health.status or "Unknown")
        before = self._held.get(row.ref)
        if before == now:
            return
        if before is not None:
            self._drop(row.ref)
        target, health = now
        self._held[row.ref] = now
        if target not in self._counts:
            self._counts[target] = Counter()
            self._reached = None
        self._counts[target][health] += 1
        members = self._members.setdefault(target, set())
        if row.ref not in members:
            members.add(row.ref)
            if (found := self._matches.get(target)) is not None and not found.sure:
                del self._matches[target]  # one more Application may have left proof in a cluster
                self._reached = None
        self._named.setdefault(row.ref.name, set()).add(row.ref)

    def _drop(self, ref: Ref) -> None:
        held = self._held.pop(ref, None)
        if held is None:
            return
        target, health = held
        counts, members = self._counts[target], self._members[target]
        counts[health] -= 1
        members.discard(ref)
        if not members:
            del self._counts[target], self._members[target]
            self._matches.pop(target, None)
            self._reached = None
        named = self._named[ref.name]
        named.discard(ref)
        if not named:
            del self._named[ref.name]


def _target(row: Row) -> _Target:
    destination = row.obj.spec.destination
    return _Target(row.ref.cluster, destination.server, destination.name)


def _tracked(row: Row) -> tracking.TrackingId | None:
    """The tracking id of an object; None for one that was copied along, as controllers do from parent to child."""
    annotations = getattr(row.obj.metadata, "annotations", None)
    found = tracking.parse(annotations.tracking_id) if annotations is not None else None
    kind = KINDS.get(row.ref.resource)
    if found is None or kind is None:
        return found
    return found if found.is_of(kind.group, kind.kind, row.ref.namespace, row.ref.name) else None
