"""The verdict engine over the rows of running clusters: `Netpol`, which the fleet has as `fleet.netpol`.

Nothing of the engine is imported before somebody looks at a cluster's policies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.cilium.policy import CCNP, CNP
from tui.domain.cluster import CLUSTERS
from tui.domain.obj import Ref, Row
from tui.fleet.netpol import needs
from tui.fleet.netpol.delta import Delta
from tui.store import Store

if TYPE_CHECKING:
    from tui.domain.cilium.model import Surroundings, Written
    from tui.fleet.derive import StoreFacts
    from tui.fleet.netpol.model import Model
    from tui.fleet.netpol.state import State

_log = logging.getLogger("fleet.netpol")

WORKING = "working it out…"
KEPT = 6  # clusters that nobody looks at and whose answers are kept nevertheless
Look = Callable[[str, Iterable[str], Iterable[str]], None]


@dataclass(slots=True)
class _Cluster:
    """One cluster that is, or was, looked at."""

    model: Model | None = None  # made, and used, in the thread
    seen: dict[str, int] = field(default_factory=dict)  # resource -> revision that the model has
    stamp: tuple[object, ...] = ()  # what the newest answer, or the one being worked out, follows from
    told_of: frozenset[str] = frozenset()  # the resources it follows from
    files: tuple[object, ...] = ()  # what the files of its policies follow from
    named: dict[Ref, str] = field(default_factory=dict)  # policy -> file
    state: State | None = None
    failed: str = ""
    task: asyncio.Task[None] | None = None
    idle: bool = False  # nobody has looked at it for a while: what is known may be old


class Netpol:
    """Answers per cluster. Belongs to the loop that owns the store; the work is done in a thread."""

    def __init__(
        self,
        store: Store,
        facts: StoreFacts,
        look: Look,
        unlook: Callable[[str], None],
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        """`look` and `unlook` are the fleet's: what is watched follows what is looked at."""
        self._store = store
        self._facts = facts
        self._look = look
        self._unlook = unlook
        self._notify = notify
        self._clusters: dict[str, _Cluster] = {}
        self._owners: dict[str, frozenset[str]] = {}  # who looks -> clusters
        self._reaching: dict[str, frozenset[str]] = {}  # who needs all pairs -> clusters
        self._watched: dict[str, frozenset[str]] = {}  # cluster -> resources asked for
        self._services: dict[str, tuple[int, bool]] = {}
        self._turn = asyncio.Lock()  # one cluster at a time: the screen needs the processor too

    async def close(self) -> None:
        """Stop working anything out."""
        tasks = [held.task for held in self._clusters.values() if held.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what is looked at ------------------------------------------------------------------------------------------

    def look(self, owner: str, clusters: Iterable[str], reach: bool = False) -> None:
        """`owner` needs the verdicts of these clusters from now on, and of no others; with `reach` all pairs too."""
        self._owners[owner] = frozenset(clusters)
        self._reaching = {each: held for each, held in self._reaching.items() if each != owner}
        if reach:
            self._reaching[owner] = self._owners[owner]
        self._watch()

    def unlook(self, owner: str) -> None:
        """`owner` needs none any more."""
        self._reaching.pop(owner, None)
        if self._owners.pop(owner, None) is not None:
            self._watch()

    def _watch(self) -> None:
        """Have watched what the clusters that are looked at need by now."""
        looked = frozenset[str]().union(*self._owners.values())
        for cluster in self._watched.keys() - looked:
            del self._watched[cluster]
            self._unlook(f"netpol {cluster}")
            self._rest(cluster)
        for cluster in looked:
            self._want(cluster)

    def _want(self, cluster: str) -> None:
        wanted = self.needed(cluster)
        if self._watched.get(cluster) != wanted:
            self._watched[cluster] = wanted
            self._look(f"netpol {cluster}", wanted, {cluster})

    def _rest(self, cluster: str) -> None:
        """Keep what is known of a cluster that nobody looks at now, as long as there are few of these."""
        held = self._clusters.pop(cluster, None)
        if held is None:
            return
        held.idle = True
        self._clusters[cluster] = held  # the dict's order is that of last use
        idle = [name for name, each in self._clusters.items() if each.idle]
        for name in idle[: max(0, len(idle) - KEPT)]:
            dropped = self._clusters.pop(name)
            if dropped.task is not None:
                dropped.task.cancel()

    def needed(self, cluster: str) -> frozenset[str]:
        """The resources whose watch the verdicts of a cluster need, as far as it is known by now."""
        return needs.needed(self._store, cluster, self._uses_services(cluster))

    def _uses_services(self, cluster: str) -> bool:
        rev = self._store.resource_rev(CNP, CCNP)
        held = self._services.get(cluster)
        if held is None or held[0] != rev:
            held = self._services[cluster] = (rev, needs.uses_services(self._store, cluster))
        return held[1]

    # -- answers ----------------------------------------------------------------------------------------------------

    def state(self, cluster: str) -> State | str:
        """What is known of a cluster by now, or in words why nothing is yet; `notify` follows when more is known.

        Only of clusters that somebody looks at.
        """
        if cluster not in self._watched:
            return f"{cluster} is not looked at"
        self._want(cluster)
        stands = needs.standing(self._store, cluster)
        held = self._clusters.get(cluster)
        if why := needs.waiting(stands, cluster, self._watched[cluster]):
            return held.state if held is not None and held.state is not None and not held.idle else why
        if held is None:
            held = self._clusters[cluster] = _Cluster()
        held.idle = False
        self._update(cluster, held, stands)
        return held.state or held.failed or WORKING

    def _update(self, cluster: str, held: _Cluster, stands: needs.Standing) -> None:
        """Have worked out what has changed, unless that is being done."""
        if held.task is not None:
            return
        stamp, told_of = self._stamp(cluster, stands), self._watched[cluster]
        reach = any(cluster in clusters for clusters in self._reaching.values())
        lacking = reach and held.state is not None and held.state.reach is None
        if stamp == held.stamp and told_of == held.told_of and not lacking:
            return
        delta = self._delta(cluster, held, stands)
        first = held.state is None
        moved = delta.changed or delta.gone or delta.files or stamp[1:] != held.stamp[1:] or first or lacking
        held.stamp, held.told_of = stamp, told_of
        if moved:
            held.task = asyncio.get_running_loop().create_task(
                self._work(cluster, held, delta, reach), name=f"netpol {cluster}"
            )

    def _stamp(self, cluster: str, stands: needs.Standing) -> tuple[object, ...]:
        """Moves with everything an answer follows from: first the rows, then how far they can be read."""
        rev = self._store.resource_rev(*needs.EVERY)
        where = tuple((stands.known(each), stands.refused(each)) for each in needs.EVERY)
        state = stands.cluster.state if stands.cluster is not None else None
        return (rev, self._files_stamp()), state, needs.endpoints_from(self._store, cluster), where

    def _files_stamp(self) -> tuple[object, ...]:
        return self._facts.files_rev, self._facts.places_rev, self._store.count(APPLICATIONS)

    def _delta(self, cluster: str, held: _Cluster, stands: needs.Standing) -> Delta:
        """The rows of the cluster that the model has not seen."""
        changed: list[Row] = []
        gone: list[Ref] = []
        whole: set[str] = set()
        for resource in needs.EVERY:
            seen = held.seen.get(resource, 0)
            if self._store.resource_rev(resource) <= seen:
                continue
            changes = self._store.changes_since(seen, resource) if seen else None
            if changes is None or changes.reset:
                whole.add(resource)
                changed += self._store.rows(resource, cluster)
            else:
                gone += [ref for ref in changes.removed if ref.cluster == cluster]
                refs = (ref for ref in changes.changed if ref.cluster == cluster)
                changed += [row for ref in refs if (row := self._store.get(ref)) is not None]
            held.seen[resource] = self._store.rev
        files = self._files(cluster, held, changed)
        for ref in gone:
            held.named.pop(ref, None)
        told_from = needs.endpoints_from(self._store, cluster)
        return Delta(tuple(changed), tuple(gone), frozenset(whole), files, told_from, stands)

    def _files(self, cluster: str, held: _Cluster, changed: Iterable[Row]) -> dict[Ref, str]:
        """The files of policies that are new or known better."""
        rows = [row for row in changed if row.ref.resource in needs.POLICIES]
        stamp = self._files_stamp()
        if stamp != held.files:
            held.files = stamp
            rows = [row for resource in needs.POLICIES for row in self._store.rows(resource, cluster)]
        found = {row.ref: self._facts.source_file(row) for row in rows}
        fresh = {ref: file for ref, file in found.items() if held.named.get(ref, "") != file}
        held.named |= fresh
        return fresh

    async def _work(self, cluster: str, held: _Cluster, delta: Delta, reach: bool) -> None:
        try:
            async with self._turn:
                if held.model is None:
                    held.model = await asyncio.to_thread(_made, cluster)
                state = await asyncio.to_thread(held.model.apply, delta)
                if reach:
                    if not held.model.reaching:  # this takes longer the first time: what is known is shown meanwhile
                        held.state = state
                        self._notify()
                    state = await asyncio.to_thread(held.model.with_reach, state)
                held.state = state
            held.failed = ""
        except Exception as error:  # noqa: BLE001 - one policy nobody foresaw must not end the program
            _log.exception("the policies of a cluster")
            held.failed = f"fleet failed: {type(error).__name__}: {error}"
            held.state, held.seen, held.named, held.model = None, {}, {}, None  # tried at the next change
        finally:
            held.task = None
        self._notify()

    # -- parts ------------------------------------------------------------------------------------------------------

    def written(self, cluster: str) -> tuple[Written, ...]:
        """The policies that the store holds of a cluster, with the files they come from."""
        from tui.domain.cilium.model import Written

        rows = (row for resource in needs.POLICIES for row in self._store.rows(resource, cluster))
        ordered = sorted(rows, key=lambda row: row.ref)
        return tuple(Written(row.ref.resource, row.obj, self._facts.source_file(row)) for row in ordered)

    def surroundings(self, cluster: str) -> Surroundings | str:
        """What else decides in a cluster, or why that is not known yet."""
        state = self.state(cluster)
        return state if isinstance(state, str) else state.surroundings

    def clusters(self) -> list[str]:
        """The clusters of the fleet, by name."""
        return sorted(row.ref.name for row in self._store.rows(CLUSTERS))


def _made(cluster: str) -> Model:
    """The model of a cluster; what it imports takes a while the first time."""
    from tui.fleet.netpol.model import Model

    return Model(cluster)
