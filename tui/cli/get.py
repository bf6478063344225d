"""`fleet get`: what the panes show, as text."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from tui.cli.output import FORMATS, complain, print_rows
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState, KindState, unheard
from tui.domain.kinds import KINDS, POLICY_RESOURCES, find
from tui.domain.kinds.argo import APPLICATIONS
from tui.domain.kinds.kind import Facts, Kind
from tui.domain.kinds.tabled import Layout, Tabled, shaped
from tui.domain.obj import Object, Row
from tui.domain.selector import Selector, parse

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.domain.settings import Settings
    from tui.fleet.runtime import Fleet

PARTLY = 3  # exit code: something could not be reached or read


def complete_kind(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Kinds for shell completion."""
    words = ["policies", *(kind.plural for kind in KINDS.values())]
    return [CompletionItem(word) for word in sorted(set(words)) if word.startswith(incomplete.lower())]


@click.command()
@click.argument("kind", shell_complete=complete_kind)
@click.argument("name", required=False)
@click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces; this is the default without -n.")
@click.option("-n", "--namespace", metavar="NS", help="Only this namespace.")
@click.option("-l", "--selector", metavar="SELECTOR", help="Label selector, as kubectl's.")
@click.option(
    "--cluster",
    metavar="GLOB",
    default="*",
    help="Only clusters whose name matches; of Applications also those that deploy there.",
)
@click.option("-o", "--output", type=click.Choice(FORMATS), default="table", help="How to print.")
@click.pass_obj
def get(
    options: Options,
    kind: str,
    name: str | None,
    all_namespaces: bool,
    namespace: str | None,
    selector: str | None,
    cluster: str,
    output: str,
) -> None:
    """Print objects of a KIND from every cluster: clusters, applications, policies, drafts, pods, or any other.

    A kind that fleet has no columns for has those that its API servers tell. Where several groups serve a KIND,
    `plural.group` means one.
    """
    if all_namespaces and namespace:
        raise click.UsageError("-A and -n exclude each other")
    try:
        labels = parse(selector or "")
    except ValueError as error:
        raise click.UsageError(f"-l {selector}: {error}") from error
    wanted = Wanted(kind, name, namespace, labels, cluster)
    sys.exit(asyncio.run(_get(options, wanted, output)))


class Wanted:
    """Which objects were asked for."""

    def __init__(self, word: str, name: str | None, namespace: str | None, labels: Selector, cluster: str) -> None:
        self.word = word
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.cluster = cluster
        self.kinds: list[Kind] = []

    def known_kinds(self) -> list[Kind]:
        """The kinds a word means without asking a cluster; [] when it is not a word fleet knows."""
        if self.word.lower() in ("policies", "policy", "netpols"):
            return [KINDS[resource] for resource in POLICY_RESOURCES]
        kind = find(self.word)
        return [kind] if kind else []

    def matches(self, row: Row, facts: Facts) -> bool:
        """Whether one object was asked for."""
        return (
            (self.name is None or row.ref.name == self.name)
            and (self.namespace is None or row.ref.namespace == self.namespace)
            and any(fnmatchcase(cluster, self.cluster) for cluster in _clusters_of(row, facts))
            and self.labels.matches(row.obj.metadata.labels)
        )

    def asks(self, cluster: Cluster) -> bool:
        """Whether a cluster may hold what was asked for: every hub may hold an Application that deploys elsewhere."""
        return fnmatchcase(cluster.metadata.name, self.cluster) or (cluster.hub and APPLICATIONS in self.kinds)


def _clusters_of(row: Row, facts: Facts) -> tuple[str, ...]:
    """The cluster that holds an object, and of an Application the one it deploys to."""
    if row.ref.resource != APPLICATIONS.resource:
        return (row.ref.cluster,)
    return (row.ref.cluster, facts.destination(row).removesuffix("?"))


async def _get(options: Options, wanted: Wanted, output: str) -> int:
    from tui.cli.wire import make_fleet

    wanted.kinds = wanted.known_kinds()
    async with make_fleet(options, drafts=any(kind.resource == "drafts" for kind in wanted.kinds)) as fleet:
        failures = await _listed(fleet, wanted, output == "yaml")
        if not wanted.kinds:
            complain(f"no cluster that answered serves a kind called {wanted.word!r}")
            for failure in failures:
                complain(failure)
            return PARTLY if failures else 2
        found = [
            (row, kind)
            for kind in wanted.kinds
            for row in fleet.store.rows(kind.resource)
            if wanted.matches(row, fleet.facts)
        ]
        found = _with_own(_shaped(found), fleet.settings, output == "table")
        found.sort(key=lambda pair: (pair[0].ref.cluster, pair[1].kind, pair[0].ref.namespace, pair[0].ref.name))
        single = wanted.name is not None and len(found) == 1
        print_rows(found, fleet.facts, output, sys.stdout, single, _stale(fleet, wanted.kinds))
        for failure in failures:
            complain(failure)
        if not found and output in ("table", "wide"):
            complain(f"no {wanted.word} found")
        if failures:
            return PARTLY
        return 1 if wanted.name is not None and not found else 0


def _shaped(found: Sequence[tuple[Row, Kind]]) -> list[tuple[Row, Kind]]:
    """Rows with their kinds, those of which only the servers know the columns with these."""
    layouts: dict[str, dict[Layout, None]] = {}
    for row, kind in found:
        if isinstance(row.obj, Tabled):
            layouts.setdefault(kind.resource, {})[row.obj.layout] = None
    kinds = {kind.resource: kind for _, kind in found}
    made = {resource: shaped(kinds[resource], seen) for resource, seen in layouts.items()}
    return [(row, made.get(kind.resource, kind)) for row, kind in found]


def _with_own(found: list[tuple[Row, Kind]], settings: Settings, narrow: bool) -> list[tuple[Row, Kind]]:
    """Rows with their kinds, these with the user's columns."""
    if not settings.columns:
        return found
    from tui.domain.kinds.own import extended

    made = {kind.resource: extended(kind, settings.columns, not narrow) for _, kind in found}
    return [(row, made[kind.resource]) for row, kind in found]


def _stale(fleet: Fleet, kinds: Iterable[Kind]) -> dict[tuple[str, str], float]:
    """(cluster, resource) of what was read and is not kept up any more, with when it was last heard."""
    return {
        (cluster.metadata.name, kind.resource): heard
        for cluster in fleet.clusters()
        for kind in kinds
        if kind.resource != CLUSTERS and (heard := unheard(cluster, (kind.resource,), fleet.facts.now)) is not None
    }


async def _listed(fleet: Fleet, wanted: Wanted, whole: bool = True) -> list[str]:
    """Have everything wanted listed, whole or as far as tables go; returns what could not be, one line each."""
    from tui.cli.progress import until_settled

    local = all(kind.resource == "drafts" for kind in wanted.kinds) and bool(wanted.kinds)
    fleet.start()
    if local:
        return await _drafts(fleet, wanted)
    if not wanted.kinds:
        await until_settled(fleet)
        wanted.kinds = await fleet.discover(wanted.word, wanted.cluster)
        if not wanted.kinds:
            return _unreachable(fleet, wanted)
        if whole:  # a Table has only the metadata of its objects
            wanted.kinds = [replace(kind, tabled=False, record=Object) for kind in wanted.kinds]
            fleet.kinds |= {kind.resource: kind for kind in wanted.kinds}
    await fleet.announced()
    everywhere = wanted.cluster == "*" or APPLICATIONS in wanted.kinds
    clusters = None if everywhere else fleet.names(wanted.cluster)
    facts = {resource for kind in wanted.kinds for resource in kind.needs if resource != "pods"}  # pods: too many
    hub = {resource for resource in facts if resource in KINDS and KINDS[resource].watch == "hub"}
    fleet.look("get", {kind.resource for kind in wanted.kinds} | facts - hub, clusters)
    fleet.look("facts", hub)
    await until_settled(fleet)
    return fleet.problems + _unreachable(fleet, wanted) + _unread(fleet, wanted, wanted.kinds)


async def _drafts(fleet: Fleet, wanted: Wanted) -> list[str]:
    """Have drafts derived, with the Applications of every hub, which say how far what has landed has got."""
    from tui.cli.progress import until_settled

    assert fleet.drafts is not None
    await fleet.announced()
    fleet.look("get", {APPLICATIONS.resource})
    await until_settled(fleet)
    await fleet.drafts.refresh(reach=True)
    if not fleet.contexts:
        return list(fleet.drafts.problems)  # drafts need no cluster
    return fleet.problems + _unreachable(fleet, wanted) + _unread(fleet, wanted, [APPLICATIONS])


def _unreachable(fleet: Fleet, wanted: Wanted) -> list[str]:
    if [kind.resource for kind in wanted.kinds] == [CLUSTERS]:
        return []  # the report itself says which clusters do not answer
    return [
        f"{cluster.metadata.name}: {cluster.state.value}: {cluster.reason}"
        for cluster in fleet.clusters()
        if wanted.asks(cluster) and cluster.state is not ClusterState.LIVE
    ]


def _unread(fleet: Fleet, wanted: Wanted, kinds: Iterable[Kind]) -> list[str]:
    failures = []
    for cluster in fleet.clusters():
        if not wanted.asks(cluster) or cluster.state is not ClusterState.LIVE:
            continue
        for kind in kinds:
            status = cluster.kinds.get(kind.resource)
            if status and status.state in (KindState.DENIED, KindState.FAILED, KindState.STALE):
                failures.append(f"{cluster.metadata.name}: {kind.plural}: {status.state.value}: {status.reason}")
    return failures
