"""Which ends an object stands for: a pod, the pods of a workload, a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.domain.kinds.pods import Pod
from tui.domain.obj import Ref, Row

if TYPE_CHECKING:
    from tui.fleet.netpol.state import End, State
    from tui.fleet.runtime import Fleet

WORKLOADS = frozenset(
    {"deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch"}
)
ENDPOINTS = ("pods", "ciliumendpoints.cilium.io")
SUBJECTS = frozenset({*WORKLOADS, *ENDPOINTS, "nodes"})  # objects that policies decide about
_DEPTH = 3  # CronJob, Job, pod


def pods_of(row: Row, fleet: Fleet) -> list[Ref]:
    """The pods of a workload that are held, by name."""
    return sorted(ref for ref, _ in _below(row, fleet, _DEPTH))


def _below(row: Row, fleet: Fleet, depth: int) -> Iterator[tuple[Ref, Pod]]:
    for child in fleet.store.children(row.obj.metadata.uid) if row.obj.metadata.uid and depth else ():
        if child.ref.cluster != row.ref.cluster:
            continue
        if isinstance(child.obj, Pod):
            yield child.ref, child.obj
        else:
            yield from _below(child, fleet, depth - 1)


def ends_of(row: Row, fleet: Fleet, state: State) -> tuple[list[End], str]:
    """The ends of an object, one for each identity; when there are none, why in words."""
    ref = row.ref
    if ref.resource == "nodes":
        end = state.ends.get(ref.name)
        return ([end], "") if end is not None else ([], "this node is not known to policies yet")
    names = (
        [f"{each.namespace}/{each.name}" for each in pods_of(row, fleet)]
        if ref.resource in WORKLOADS
        else [f"{ref.namespace}/{ref.name}"]
    )
    found = [end for name in names if (end := state.ends.get(name)) is not None]
    if found:
        return list({end.endpoint.labels: end for end in reversed(found)}.values())[::-1], ""
    if any(name in state.unidentified for name in names):
        return [], "it has no identity yet: Cilium has still to give it one"
    if ref.resource in WORKLOADS:
        return [], "it has no pods that policies know of" if fleet.facts.known(ref.cluster, "pods") else "loading pods"
    return [], _without(row)


def _without(row: Row) -> str:
    """Why a pod has no endpoint."""
    if isinstance(row.obj, Pod):
        if row.obj.spec.host_network:
            node = row.obj.spec.node_name
            return f"it uses the network of its node{f' {node}' if node else ''}: policies see the node, not the pod"
        if row.obj.status.phase in ("Succeeded", "Failed"):
            return "it has ended and talks to nobody"
    return "Cilium has no endpoint of it: it is not managed, or not there yet"
