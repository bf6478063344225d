"""From objects, or from what somebody wrote, to the pods whose logs are meant."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from tui.domain.argo.application import of_row
from tui.domain.cluster import ClusterState
from tui.domain.kinds import KINDS
from tui.domain.kinds.argo import APPLICATIONS
from tui.domain.logs.asked import Selection
from tui.domain.logs.targets import ALIKE, WORKLOADS, Wanted, of_object, together
from tui.domain.obj import Ref
from tui.domain.ports import Trouble

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

_BY_KIND = {(kind.group, kind.kind): kind.resource for kind in KINDS.values()}


class Found(NamedTuple):
    """The pods, the objects they are of, and what of it could not be found, a line each."""

    selections: list[Selection]
    refs: list[Ref]
    problems: list[str]


async def of_refs(fleet: Fleet, refs: Sequence[Ref]) -> Found:
    """The pods of some objects."""
    problems: list[str] = []
    workloads: dict[Ref, None] = {}
    for ref in refs:
        if ref.resource == APPLICATIONS.resource:
            workloads.update(dict.fromkeys(_made_by(fleet, ref, problems)))
        else:
            workloads[ref] = None
    made = await asyncio.gather(*(_selection(fleet, ref) for ref in workloads))
    problems += [each for each in made if isinstance(each, str)]
    return Found(together(each for each in made if isinstance(each, Selection)), list(refs), problems)


async def of_words(fleet: Fleet, wanted: Wanted, clusters: frozenset[str] | None = None) -> Found:
    """The pods that were asked for in words; `clusters` are meant where none is named, None = all."""
    await fleet.announced()
    pattern = wanted.cluster or "*"
    names = [name for name in fleet.names(pattern) if wanted.cluster or clusters is None or name in clusters]
    if not names:
        return Found([], [], [f"no cluster is called {pattern}"])
    found: list[Selection] = []
    problems: list[str] = []
    refs: list[Ref] = []
    if wanted.targets:
        apps = any(each.resource == APPLICATIONS.resource for each in wanted.targets)
        fleet.look("logs", {each.resource for each in wanted.targets}, None if apps else names)
        await fleet.settled()
        refs = _named(fleet, wanted, frozenset(names), problems)
        found, _, more = await of_refs(fleet, refs)
        problems += more
        fleet.unlook("logs")
    elif wanted.labels or wanted.namespace:
        await fleet.settled()
        labels = (wanted.labels,) if wanted.labels else ()
        found = [Selection(name, wanted.namespace, labels=labels) for name in names]
    else:
        problems.append("whose logs? Name a pod, deploy/NAME, app/NAME …, or labels with -l")
    unread = {
        cluster.metadata.name: f"{cluster.metadata.name}: {cluster.state.value}: {cluster.reason}"
        for cluster in fleet.clusters(pattern)
        if cluster.metadata.name in names and cluster.state is not ClusterState.LIVE
    }
    live = [each for each in found if each.cluster not in unread]
    return Found(live, refs, [*problems, *unread.values()])


def _named(fleet: Fleet, wanted: Wanted, clusters: frozenset[str], problems: list[str]) -> list[Ref]:
    """The objects that the targets name."""
    found: dict[Ref, None] = {}
    for target in wanted.targets:
        rows = [
            row
            for row in fleet.store.rows(target.resource)
            if target.admits(row.ref) and _within(fleet, row.ref, wanted.namespace, clusters)
        ]
        if not rows:
            kind = KINDS[target.resource].kind
            where = f" in {wanted.namespace}" if wanted.namespace else ""
            problems.append(f"no {kind} is called {target.name}{where}")
        found.update(dict.fromkeys(row.ref for row in rows))
    return list(found)


def _within(fleet: Fleet, ref: Ref, namespace: str, clusters: frozenset[str]) -> bool:
    """Whether an object is in the clusters and the namespace; an Application is where it deploys to as well."""
    if ref.resource != APPLICATIONS.resource:
        return ref.cluster in clusters and (not namespace or fnmatchcase(ref.namespace, namespace))
    row = fleet.store.get(ref)
    if row is None:
        return False
    target = row.obj.spec.destination.namespace
    places = {ref.cluster, fleet.facts.destination(row).rstrip("?")}
    return bool(places & clusters) and (not namespace or namespace in (ref.namespace, target))


def _made_by(fleet: Fleet, ref: Ref, problems: list[str]) -> Iterable[Ref]:
    """The workloads of an Application, where it deploys to."""
    row = fleet.store.get(ref)
    cluster = fleet.facts.destination(row).rstrip("?") if row is not None else ""
    if row is None or not cluster:
        problems.append(f"{ref.name}: the cluster that it deploys to is not known")
        return []
    found = []
    for each in of_row(row).status.resources or ():
        resource = _BY_KIND.get((each.group, each.kind), "")
        if resource in WORKLOADS or resource in ALIKE:
            found.append(Ref(cluster, resource, each.namespace, each.name))
    if not found:
        problems.append(f"{ref.name}: the Application has no workload")
    return found


async def _selection(fleet: Fleet, ref: Ref) -> Selection | str:
    """The pods of a workload, or why they are not known."""
    if (found := of_object(ref, {})) is not None:
        return found
    row = fleet.store.get(ref)
    try:
        manifest = (row.manifest() if row is not None else None) or (await fleet.manifest(ref)).object
    except Trouble as error:
        return f"{ref.name} in {ref.cluster}: {error}"
    return of_object(ref, manifest) or f"{ref.name} in {ref.cluster} selects no pods"
