"""Facts that need more than one row, answered from the store and kept up by what changed, not by walking it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from posixpath import normpath
from typing import NamedTuple

from tui.domain.argo import tracking
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.argo.application import ApplicationBrief, main_source, of_row
from tui.domain.argo.destinations import Match, normalise_url
from tui.domain.argo.tree import Node, build
from tui.domain.argo.windows import Verdict, verdict
from tui.domain.cluster import CLUSTERS, KindState
from tui.domain.kinds import find
from tui.domain.obj import Ref, Row
from tui.domain.ports import Context
from tui.domain.settings import Settings
from tui.fleet.netpol.needs import POLICIES, standing
from tui.fleet.netpol.selections import Selections
from tui.fleet.places import Places, Target, target_of, tracked
from tui.store import Store

PROJECTS = "appprojects.argoproj.io"
_MOST_OWNERS = 6  # steps from a pod up to what Git declares: pod, ReplicaSet, Deployment, and some to spare


class _Held(NamedTuple):
    """What is counted of an Application."""

    place: _Place
    health: str
    drifted: bool


class _Place:
    """The Applications of one destination."""

    __slots__ = ("counts", "kept", "meaning", "members", "target")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.counts: Counter[str] = Counter()  # by health word
        self.members: dict[Ref, None] = {}
        self.meaning = (-1, "")  # revision of the places, and the words for where that is
        self.kept: dict[tuple[str, bool], _Held] = {}  # (health, drifted): one for all that are counted alike

    def held(self, health: str, drifted: bool) -> _Held:
        """What is counted of one of them."""
        found = self.kept.get((health, drifted))
        if found is None:
            found = self.kept[health, drifted] = _Held(self, health, drifted)
        return found


class StoreFacts:
    """`Facts` over a store. Belongs to the loop that owns the store."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._selections = Selections(store, self.known)
        self.locate: Callable[[Row, Ref], str] | None = None  # the file of an Application's object, where it is known
        self.files_rev = 0  # moves when `locate` knows more
        self._seen = -1  # revision of the store that was read last
        # Applications
        self._rev = 0
        self._held: dict[Ref, _Held] = {}
        self._health: Counter[str] = Counter()  # of all Applications
        self._drifted = 0  # Applications that are OutOfSync
        self._relocated = 0  # counts those that have gone or changed their destination
        self._targets: dict[tuple[str, str, str], _Place] = {}  # by target; none of them is empty
        self._named: dict[str, Ref | tuple[Ref, ...]] = {}  # name -> its Application, or all of that name
        # destinations
        self._places = Places(store, settings, self._members)
        self._reached: tuple[int, dict[str, list[Target]]] | None = None  # cluster -> destinations that mean it

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def learn(self, contexts: Iterable[Context]) -> None:
        """Contexts of the kubeconfigs: their certificate authorities and identities are evidence for destinations."""
        self._places.learn(contexts)
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
            if (found := tracked(current)) is not None:
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
        found = [ref for ref in self._of(name) if not slash or ref.namespace == namespace]
        if len(found) > 1:
            found = [ref for ref in found if self._match(self._held[ref].place.target).cluster == row.ref.cluster]
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
        return any(self._match(self._held[ref].place.target).cluster == cluster for ref in self._of(name))

    # -- destinations -----------------------------------------------------------------------------------------------

    def destination(self, row: Row) -> str:
        """fleet's name of the cluster an Application deploys to, "?" appended unless the match is certain or strong."""
        self._read()
        destination = row.obj.spec.destination
        place = self._targets.get((row.ref.cluster, destination.server, destination.name))
        return self._meaning(place or _Place(target_of(row)))

    def destinations(self, refs: Iterable[Ref]) -> set[str]:
        """What `destination` says of the Applications that are held among these, each answer once."""
        self._read()
        places = {held.place for ref in refs if (held := self._held.get(ref)) is not None}
        return {self._meaning(place) for place in places}

    def _meaning(self, place: _Place) -> str:
        rev, words = place.meaning
        if rev != self._places.rev:
            target, found = place.target, self._places.match(place.target)
            if found.cluster:
                words = found.cluster if found.sure else f"{found.cluster}?"
            else:
                words = f"{target.name or normalise_url(target.server).partition('://')[2] or 'no destination'}?"
            place.meaning = (self._places.rev, words)
        return words

    @property
    def places_rev(self) -> int:
        """Moves when destinations may mean other clusters than before; states of clusters do not matter to it."""
        self._read()
        return self._places.rev

    @property
    def relocations(self) -> int:
        """Moves when an Application has gone or has another destination than before."""
        self._read()
        return self._relocated

    def moved_since(self, rev: int) -> list[Ref]:
        """The Applications whose destination may mean another cluster than when `places_rev` was `rev`."""
        self._read()
        return [ref for target in self._places.moved_since(rev) for ref in self._members(target)]

    def destination_match(self, row: Row) -> Match:
        """How an Application's destination was matched, why, and what else it may mean."""
        return self._match(target_of(row))

    def _match(self, target: Target) -> Match:
        self._read()
        return self._places.match(target)

    def _read(self) -> None:
        """Take in what has changed since the last question."""
        if self._store.rev != self._seen:
            self._seen = self._store.rev
            self._read_applications()
            self._places.read_clusters()
            self._places.read_evidence(self._of_name)

    def _of(self, name: str) -> tuple[Ref, ...]:
        """The Applications of this name."""
        found = self._named.get(name, ())
        return found if isinstance(found, tuple) else (found,)

    def _of_name(self, name: str) -> Iterator[tuple[Target, Ref]]:
        for ref in self._of(name):
            yield self._held[ref].place.target, ref

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

    def totals(self) -> tuple[dict[str, int], int]:
        """(all Applications by health word, how many of them are OutOfSync)."""
        self._read()
        return {word: count for word, count in self._health.items() if count}, self._drifted

    def health_counts(self, cluster: str) -> dict[str, int]:
        """Applications that deploy to this cluster, by health word."""
        reached = self._reached_clusters()
        total: Counter[str] = Counter()
        for target in reached.get(cluster, ()):
            if (place := self._targets.get(target)) is not None:
                total.update(place.counts)
        return {word: count for word, count in total.items() if count}

    def deployed(self, cluster: str) -> list[Ref]:
        """The Applications that deploy to this cluster, in no order."""
        reached = self._reached_clusters().get(cluster, ())
        return [ref for target in reached for ref in self._members(target)]

    def _members(self, target: Target) -> Iterable[Ref]:
        place = self._targets.get(target)
        return place.members if place is not None else ()

    def _reached_clusters(self) -> dict[str, list[Target]]:
        self._read()
        if self._reached is None or self._reached[0] != self._places.rev:
            found: dict[str, list[Target]] = {}
            for place in self._targets.values():
                if cluster := self._places.match(place.target).cluster:
                    found.setdefault(cluster, []).append(place.target)
            self._reached = (self._places.rev, found)
        return self._reached[1]

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
            self._health.clear()
            self._drifted = 0
            self._relocated += 1
            self._targets.clear()
            self._named.clear()
            self._reached = None
        self._rev = changes.rev
        for ref in changes.removed:
            self._drop(ref)
        for ref in changes.changed:
            if (row := self._store.get(ref)) is not None:
                self._take(row)

    def _take(self, row: Row) -> None:
        ref, app = row.ref, row.obj
        destination, status = app.spec.destination, app.status
        place = self._targets.get((ref.cluster, destination.server, destination.name))
        if place is None:
            target = target_of(row)
            place = self._targets[target] = _Place(target)
            self._reached = None
        health, drifted = status.health.status or "Unknown", status.sync.status == "OutOfSync"
        now = place.held(health, drifted)
        before = self._held.get(ref)
        if before is now:
            return
        if before is not None:
            self._drop(ref, before.place is not place)
        self._held[ref] = now
        self._health[health] += 1
        self._drifted += drifted
        place.counts[health] += 1
        if before is None or before.place is not place:
            place.members[ref] = None
            others = self._named.get(ref.name)
            self._named[ref.name] = ref if others is None else (*self._of(ref.name), ref)
            self._places.joined(place.target, ref)

    def _drop(self, ref: Ref, left: bool = True) -> None:
        """Count an Application no longer; one that has not `left` its destination is counted again at once."""
        held = self._held.pop(ref, None)
        if held is None:
            return
        place = held.place
        place.counts[held.health] -= 1
        self._health[held.health] -= 1
        self._drifted -= held.drifted
        if not left:
            return
        self._relocated += 1
        del place.members[ref]
        if not place.members:
            del self._targets[place.target]
            self._places.forget(place.target)
            self._reached = None
        else:
            self._places.left(place.target, ref)
        if others := tuple(each for each in self._of(ref.name) if each != ref):
            self._named[ref.name] = others
        else:
            del self._named[ref.name]
