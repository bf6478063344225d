"""Tabs of a policy: what lint says of it, and the same policy in other clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.domain.cilium.fleetwide import Across, across
from tui.domain.cilium.impacts.changes import sentence
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Ref, Row
from tui.fleet.netpol.needs import standing
from tui.ui.screens.words_view import WordsView
from tui.ui.words import BLANK, Line, fact, heading, plain

if TYPE_CHECKING:
    from tui.domain.cilium.lint import Finding
    from tui.fleet.netpol.linting import Declared, Lints
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp

TONES = {"error": Tone.BAD, "warning": Tone.WARN, "info": Tone.MUTED}
_OWNER = "findings"
_MOST = 40  # clusters that are named in one line


class FindingsView(WordsView):
    """What lint says of one policy, with lines of the file that declares it, once that has been read."""

    def __init__(self) -> None:
        super().__init__()
        self.note = ""
        self._lints: Lints | None = None
        self._source: Declared | str = ""
        self._asked: object = None  # the object whose source was asked for
        self._fleet: Fleet | None = None

    def fill(self, row: Row, app: FleetApp) -> None:
        """Take in what has changed; ask for what lint needs."""
        from tui.fleet.netpol.linting import Lints

        fleet = self._fleet = app.fleet
        if self._lints is None:
            self._lints = Lints(fleet)
            fleet.look(_OWNER, {"services"}, {row.ref.cluster})
        if self._asked is not row.obj:
            self._asked = row.obj
            self.run_worker(self._read(row.ref, app), group="source", exclusive=True, exit_on_error=False)
        found, self.note = self._lints.findings(row.ref.cluster)
        if found is None:
            self.show([(Cell("  "), plain(self.note, Tone.UNKNOWN))])
            return
        mine = [
            each
            for each in found
            if (each.resource, each.namespace, each.policy) == (row.ref.resource, row.ref.namespace, row.ref.name)
        ]
        made = lines(mine, self._source)
        self.show([*made, fact("Not checked", plain(self.note, Tone.UNKNOWN))] if self.note else made)

    async def _read(self, ref: Ref, app: FleetApp) -> None:
        from tui.fleet.netpol.linting import declared

        self._source = await declared(app.fleet, ref)
        app.fleet.notify()

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        if self._fleet is not None and self._lints is not None:
            self._lints.close()
            self._fleet.unlook(_OWNER)


def lines(found: Sequence[Finding], source: Declared | str) -> list[Line]:
    """Findings, the worst first, each with its place, what happens and what to do."""
    made: list[Line] = []
    order = list(TONES)
    for each in sorted(found, key=lambda each: (order.index(each.severity), each.path)):
        tone = TONES[each.severity]
        made += [
            (Cell(each.severity, tone), Cell(f"  {each.rule}", Tone.ACCENT)),
            (Cell("  "), plain(each.message)),
            (Cell("  "), plain(each.advice, Tone.MUTED)),
            (Cell("  "), plain(_place(each.path, source), Tone.MUTED)),
            BLANK,
        ]
    if not made:
        made = [(Cell("  "), Cell("nothing to say about it", Tone.GOOD)), BLANK]
    if isinstance(source, str) and source:
        made.append(fact("Lines", plain(f"not known: {source}", Tone.UNKNOWN)))
    return made


def _place(path: str, source: Declared | str) -> str:
    """`policies/web.yaml:12:5 spec.ingress[0]`, or the path alone."""
    if isinstance(source, str) or source.parsed.place is None:
        return path
    from tui.domain.yamledit import parse

    line, column = source.parsed.place(tuple(step for step in parse(path) if isinstance(step, str | int)))
    return f"{source.file}:{line}:{column}  {path}"


# -- the same policy elsewhere -------------------------------------------------------------------------------------


def expected(fleet: Fleet, cluster: str, resource: str, namespace: str) -> bool | None:
    """Whether a cluster ought to have a policy: it was read, and has the namespace. None: nobody can tell."""
    facts = fleet.facts
    if standing(fleet.store, cluster).absent(resource):
        return False
    if not facts.known(cluster, resource):
        return None
    if not namespace:
        return True
    if not facts.known(cluster, "namespaces"):
        return None
    return fleet.store.get(Ref(cluster, "namespaces", "", namespace)) is not None


def elsewhere(row: Row, fleet: Fleet) -> list[Line]:
    """Where the policy is the same, how it differs and where it is missing."""
    ref = row.ref
    clusters = [each.ref.name for each in fleet.store.rows(CLUSTERS)]
    held = [(cluster, fleet.store.get(Ref(cluster, ref.resource, ref.namespace, ref.name))) for cluster in clusters]
    given = [(cluster, ref.resource, each.obj) for cluster, each in held if each is not None]
    found = across(given, clusters, lambda *where: expected(fleet, *where))
    return in_words(found[0], len(clusters)) if found else []


def in_words(found: Across, clusters: int) -> list[Line]:
    """A policy across clusters, its versions one after the other."""
    made: list[Line] = [heading("Across clusters")]
    made.append(fact("In", Cell(f"{len(found.clusters):,} of {clusters:,} clusters")))
    if found.missing:
        made.append(fact("Missing in", plain(_named(found.missing), Tone.WARN)))
    if found.unknown:
        made.append(fact("Not known of", plain(_named(found.unknown), Tone.UNKNOWN)))
    first = found.versions[0]
    alone = len(found.versions) == 1
    made += [BLANK, heading("The same in all of them" if alone else "What most of them have")]
    made.append((Cell("  "), plain(_named(first.clusters))))
    for version in found.versions[1:]:
        made += [BLANK, heading(f"Different in {_named(version.clusters)}")]
        made += [
            (Cell("  "), plain(f"{sentence(change)}", Tone.WARN), Cell(f"  {change.path}", Tone.MUTED))
            for change in version.changes
        ]
    return made


def _named(clusters: Sequence[str]) -> str:
    more = len(clusters) - _MOST
    return ", ".join(clusters[:_MOST]) + (f" and {more:,} more" if more > 0 else "")
