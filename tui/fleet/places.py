"""Which cluster each destination of an Application means, kept up by what changed: candidates, evidence, answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tui.domain.argo import tracking
from tui.domain.argo.destinations import Candidate, Candidates, Match, Registered, match, normalise_url, told_by
from tui.domain.cluster import CLUSTERS, Cluster
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.ports import Context
from tui.domain.settings import Settings
from tui.store import Store

# Kinds whose objects prove, by their tracking id, which cluster a destination means. All are few or watched anyway.
_EVIDENCE = (
    "namespaces",
    "ciliumnetworkpolicies.cilium.io",
    "networkpolicies.networking.k8s.io",
    "deployments.apps",
    "services",
)


class Target(NamedTuple):
    """A destination as written, on one hub: what Applications share that deploy to the same place."""

    hub: str
    server: str
    name: str


class Places:
    """Answers what a destination means, and remembers the answer until something that it was made of changes.

    An answer is put in doubt by a cluster that it has to do with: one of the same URL or name, one it was made of, and
    one that is found to hold an object of an Application with this destination. All others stay as they are.
    """

    def __init__(self, store: Store, settings: Settings, members: Callable[[Target], Iterable[Ref]]) -> None:
        """`members` says which Applications have a destination."""
        self._store = store
        self._settings = settings
        self._members = members
        self._contexts: dict[str, Context] = {}
        self._clusters_rev = 0
        self._evidence_revs: dict[str, int] = {}
        self._candidates: dict[Ref, Candidate] = {}
        self._index = Candidates()
        self._matches: dict[Target, Match] = {}
        self._proofs: dict[Target, frozenset[str]] = {}  # clusters whose objects the match was made of
        self._asked: dict[Target, None] = {}  # every destination that was asked for and not forgotten
        self._written: dict[tuple[str, str], set[Target]] = {}  # URL or name -> destinations that are written so
        self._meant: dict[str, set[Target]] = {}  # cluster -> destinations whose match had it in view
        self._tracked: dict[str, set[str]] = {}  # instance -> clusters with an object of it
        self._moved: dict[Target, int] = {}  # destination -> `rev` when it was put in doubt last, oldest first
        self.rev = 0  # moves when destinations may mean other clusters than before

    def learn(self, contexts: Iterable[Context]) -> None:
        """Contexts of the kubeconfigs: their certificate authorities and identities are evidence."""
        self._contexts = {context.name: context for context in contexts}
        self._clusters_rev = 0

    def match(self, target: Target) -> Match:
        """What a destination means, why, and what else it may mean."""
        found = self._matches.get(target)
        if found is None:
            self._ask(target)
            proven = sorted({name for ref in self._members(target) for name in self._holding(ref)})
            self._proofs[target] = frozenset(proven)
            registered = Registered(server=target.server, name=target.name)
            near = self._index.every.values() if self._is_pinned(target) else self._index.near(registered, proven)
            found = match(registered, target.hub, near, self._settings.destinations, proven)
            self._matches[target] = found
            for name in found.candidates:
                self._meant.setdefault(name, set()).add(target)
        return found

    def joined(self, target: Target, ref: Ref) -> None:
        """An Application has this destination from now on: it may have left proof in a cluster."""
        if target in self._matches and not self._proofs[target].issuperset(self._holding(ref)):
            self.doubt((target,))

    def left(self, target: Target, ref: Ref) -> None:
        """An Application has another destination, or is gone: what it has left behind proves nothing any more."""
        if target in self._matches and self._holding(ref):
            self.doubt((target,))

    def moved_since(self, rev: int) -> Iterator[Target]:
        """Destinations put in doubt after `rev`, the last one first."""
        for target, moved in reversed(self._moved.items()):
            if moved <= rev:
                return
            yield target

    def doubt(self, targets: Iterable[Target]) -> None:
        """Forget what these destinations mean: it is found anew when it is asked."""
        asked = [target for target in targets if target in self._asked]
        if asked:
            self.rev += 1
        for target in asked:
            self._matches.pop(target, None)
            self._proofs.pop(target, None)
            self._moved.pop(target, None)
            self._moved[target] = self.rev

    def forget(self, target: Target) -> None:
        """No Application has this destination any more."""
        if self._asked.pop(target, self) is self:
            return
        self._moved.pop(target, None)
        found = self._matches.pop(target, None)
        self._proofs.pop(target, None)
        for name in found.candidates if found is not None else ():
            self._meant.get(name, set()).discard(target)
        for key in _written(target):
            self._written[key].discard(target)
            if not self._written[key]:
                del self._written[key]

    def _ask(self, target: Target) -> None:
        if target not in self._asked:
            self._asked[target] = None
            for key in _written(target):
                self._written.setdefault(key, set()).add(target)

    def _is_pinned(self, target: Target) -> bool:
        pins = self._settings.destinations
        return bool(pins) and any(f"{target.hub}/{key}" in pins for key in (target.server, target.name) if key)

    def _holding(self, ref: Ref) -> set[str]:
        """Clusters that hold an object with the tracking id of this Application."""
        if not self._tracked:
            return set()
        of_name, of_full_name = self._tracked.get(ref.name, ()), self._tracked.get(f"{ref.namespace}_{ref.name}", ())
        return {*of_name, *of_full_name}

    # -- what changed -----------------------------------------------------------------------------------------------

    def read_clusters(self) -> None:
        """Take in clusters that came, went or turned out to be others; their states do not matter here."""
        if self._store.resource_rev(CLUSTERS) <= self._clusters_rev:
            return
        changes = self._store.changes_since(self._clusters_rev, CLUSTERS)
        self._clusters_rev = changes.rev
        gone = set(self._candidates).difference(changes.changed) if changes.reset else set()
        for ref in (*changes.removed, *gone):
            self._set_candidate(ref, None)
        for ref in changes.changed:
            if (row := self._store.get(ref)) is not None:
                self._set_candidate(ref, self._candidate(row.obj))

    def _set_candidate(self, ref: Ref, now: Candidate | None) -> None:
        before = self._candidates.get(ref)
        if before == now:
            return
        doubted = self._meant.pop(ref.name, set())
        for each in (before, now):
            for key in told_by(each) if each is not None else ():
                doubted |= self._written.get(key, set())
        if self._settings.destinations:
            doubted.update(filter(self._is_pinned, self._asked))
        if before is not None:
            del self._candidates[ref]
            self._index.drop(before)
        if now is not None:
            self._candidates[ref] = now
            self._index.put(now)
        self.doubt(doubted)

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

    def read_evidence(self, named: Callable[[str], Iterable[tuple[Target, Ref]]]) -> None:
        """Collect tracking ids of what changed. One in another cluster than before settles what it is proof of.

        `named` says which Applications have a name, and their destinations.
        """
        grown: set[str] = set()
        for resource in _EVIDENCE:
            seen = self._evidence_revs.get(resource, 0)
            if self._store.resource_rev(resource) <= seen:
                continue
            changes = self._store.changes_since(seen, resource)
            self._evidence_revs[resource] = changes.rev
            for ref in changes.changed:
                row = self._store.get(ref)
                if row is None or (found := tracked(row)) is None:
                    continue
                held = self._tracked.setdefault(found.instance, set())
                if ref.cluster not in held:
                    held.add(ref.cluster)
                    grown.add(found.instance)
        for instance in grown:
            namespace, _, name = instance.rpartition("_")
            for target, ref in named(name):
                if namespace in ("", ref.namespace):
                    self.joined(target, ref)


def target_of(row: Row) -> Target:
    """The destination of an Application."""
    destination = row.obj.spec.destination
    return Target(row.ref.cluster, destination.server, destination.name)


def tracked(row: Row) -> tracking.TrackingId | None:
    """The tracking id of an object; None for one that was copied along, as controllers do from parent to child."""
    annotations = getattr(row.obj.metadata, "annotations", None)
    found = tracking.parse(annotations.tracking_id) if annotations is not None else None
    kind = KINDS.get(row.ref.resource)
    if found is None or kind is None:
        return found
    return found if found.is_of(kind.group, kind.kind, row.ref.namespace, row.ref.name) else None


def _written(target: Target) -> Iterator[tuple[str, str]]:
    """What a cluster may be told by from how a destination is written: keys as those of `told_by`."""
    if target.server:
        yield "url", normalise_url(target.server)
    if target.name:
        yield "name", target.name
