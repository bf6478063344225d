"""Any object in words: what its table shows, its containers and pods, whose it is, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.domain.kinds import find
from tui.domain.kinds.columns import state_cell
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.kinds.pods import ContainerStatus, Pod, reason, status_word
from tui.domain.kinds.tabled import Tabled, shaped
from tui.domain.obj import Row
from tui.ui.words import BLANK, Line, fact, heading, plain

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet

BELOW: dict[str, frozenset[str]] = {  # what is looked at for the pods of a workload
    "deployments.apps": frozenset({"replicasets.apps", "pods"}),
    "replicasets.apps": frozenset({"pods"}),
    "statefulsets.apps": frozenset({"pods"}),
    "daemonsets.apps": frozenset({"pods"}),
    "jobs.batch": frozenset({"pods"}),
    "cronjobs.batch": frozenset({"jobs.batch", "pods"}),
}
_OWNERS_OF = {"replicasets.apps": "deployments.apps", "jobs.batch": "cronjobs.batch"}
_ACRONYMS = ("IP", "OS", "CPU", "UID")
MOST_PODS = 30
_ELSEWHERE = ("cluster", "namespace", "name", "application", "labels")


def above(row: Row) -> frozenset[str]:
    """The resources of the owners of an object and of theirs: by them it is known which Application it belongs to."""
    owners = (find(owner.kind) for owner in row.obj.metadata.owner_references)
    found = {kind.resource for kind in owners if kind is not None}
    return frozenset(found | {_OWNERS_OF[resource] for resource in found if resource in _OWNERS_OF})


def needed(row: Row) -> frozenset[str]:
    """What to watch for the words about an object: itself, its pods, its owners."""
    return frozenset({row.ref.resource}) | BELOW.get(row.ref.resource, frozenset()) | above(row)


def facts(row: Row, fleet: Fleet) -> list[Line]:
    """Every column of the kind as a fact, then what belongs to the object and what it belongs to."""
    kind, known = fleet.offers.catalogue.get(row.ref.resource), fleet.facts
    if kind is not None and isinstance(row.obj, Tabled):
        kind = shaped(kind, [row.obj.layout])
    lines = [heading("State")]
    for column in kind.columns if kind is not None else ():
        if column.id in _ELSEWHERE:
            continue
        cell = column.show(column.value(row, known), known.now)
        text = cell.text or "–"
        lines.append(fact(_title(column.title), Cell(text, cell.tone if cell.text else Tone.MUTED)))
    if isinstance(row.obj, Pod):
        lines += _containers(row.obj)
    if row.ref.resource in BELOW:
        lines += _pods(row, fleet)
    return [*lines, BLANK, *_belongs(row, fleet)]


def _title(text: str) -> str:
    """`UP-TO-DATE` as `Up-to-date`, `INTERNAL-IP` as `Internal-IP`."""
    head, *tail = text.split("-")
    parts = [head if head in _ACRONYMS else head.capitalize()]
    return "-".join([*parts, *(part if part in _ACRONYMS else part.lower() for part in tail)])


def _containers(pod: Pod) -> Iterator[Line]:
    status, spec = pod.status, pod.spec
    for title, containers, states in (
        ("Init containers", spec.init_containers, status.init_container_statuses),
        ("Containers", spec.containers, status.container_statuses),
    ):
        held = {state.name: state for state in states or ()}
        if containers:
            yield BLANK
            yield heading(title)
        for container in containers or ():
            state = held.get(container.name)
            yield fact(container.name, *_container(state), plain(container.image, Tone.MUTED))


def _container(state: ContainerStatus | None) -> tuple[Cell, ...]:
    if state is None:
        return (Cell("?  ", Tone.UNKNOWN),)
    word = "Ready" if state.ready else "Running"
    for held in (state.state.waiting, state.state.terminated) if state.state else ():
        word = held.reason or word if held is not None else word
    waits = word == "Running" and not state.ready
    cell = Cell("◌ not ready", Tone.BUSY) if waits else state_cell(word)
    again = Cell(f"  {state.restart_count} restarts", Tone.WARN) if state.restart_count else Cell("")
    return cell, again, Cell("  ")


def _pods(row: Row, fleet: Fleet) -> Iterator[Line]:
    pods = sorted(_below(row, fleet), key=lambda found: found.ref.name)
    yield BLANK
    yield heading("Pods")
    for found in pods[:MOST_PODS]:
        why = reason(found.obj)
        more = (Cell("  "), plain(why, Tone.MUTED)) if why else ()
        yield (Cell(f"  {found.ref.name}  "), state_cell(status_word(found.obj)), *more)
    if len(pods) > MOST_PODS:
        yield (Cell(f"  and {len(pods) - MOST_PODS:,} more", Tone.MUTED),)
    if not pods:
        known = fleet.facts.known(row.ref.cluster, "pods")
        yield (Cell("  none", Tone.MUTED) if known else Cell("  ? pods are not known here", Tone.UNKNOWN),)


def _below(row: Row, fleet: Fleet, depth: int = 3) -> Iterator[Row]:
    for child in fleet.store.children(row.obj.metadata.uid) if row.obj.metadata.uid and depth else ():
        if child.ref.cluster != row.ref.cluster:
            continue
        if isinstance(child.obj, Pod):
            yield child
        else:
            yield from _below(child, fleet, depth - 1)


def _belongs(row: Row, fleet: Fleet) -> Iterator[Line]:
    meta, known = row.obj.metadata, fleet.facts
    yield heading("From")
    for owner in meta.owner_references:
        yield fact("Owned by", plain(f"{owner.kind}/{owner.name}"))
    application, file = known.application(row), known.source_file(row)
    if application:
        yield fact("Application", plain(application, Tone.ACCENT))
    elif all(known.known(row.ref.cluster, resource) for resource in above(row)):
        yield fact("Application", Cell("none tracks it", Tone.MUTED))
    else:
        yield fact("Application", Cell("?  ", Tone.UNKNOWN), Cell("its owners are not known here", Tone.MUTED))
    if application:
        yield fact("File", plain(file) if file else Cell("?", Tone.UNKNOWN))
    for number, (key, value) in enumerate(sorted((meta.labels or {}).items())):
        yield fact("" if number else "Labels", plain(f"{key}={value}", Tone.MUTED))
