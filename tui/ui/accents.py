"""The accents of the clusters that are there: what is shown where production must not be mistaken for anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.domain import accents
from tui.domain.cluster import CLUSTERS
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Ref
from tui.domain.settings import AccentRule
from tui.store import Store
from tui.ui import frame
from tui.ui.text import fit

MOST = 3  # names that a line has
WIDEST = 24  # cells of the names in the header


class Accents:
    """Answers by name of cluster or path of group, remembered until a cluster changes."""

    def __init__(self, store: Store, rules: Sequence[AccentRule]) -> None:
        self._store = store
        self._rules = rules
        self._known: dict[str, Tone | None] = {}
        self._rev = -1

    def of(self, cluster: str) -> Tone | None:
        """The accent of a cluster; None for most."""
        if (rev := self._store.resource_rev(CLUSTERS)) != self._rev:
            self._rev = rev
            self._known.clear()
        if cluster not in self._known:
            row = self._store.get(Ref(cluster, CLUSTERS, "", cluster))
            self._known[cluster] = accents.accent(cluster, row.obj.groups if row is not None else (), self._rules)
        return self._known[cluster]

    def of_group(self, path: Sequence[str]) -> Tone | None:
        """The accent of a group of the tree."""
        return accents.accent("", path, self._rules)

    def cell(self, cell: Cell) -> Cell:
        """A cell that names a cluster, in its accent."""
        tone = self.of(cell.text.rstrip("?"))
        return cell if tone is None else Cell(cell.text, tone)

    def badge(self, clusters: Iterable[str], called: str = "") -> frame.Span | None:
        """Clusters in the header: those of production, else the one there is with an accent of its own.

        `called` is what all of them together are called.
        """
        names = sorted(set(clusters))
        if loud := self.loud(names):
            told, tone = named([called] if called and loud == names else loud), Tone.LOUD
        elif len(names) == 1 and (found := self.of(names[0])) is not None:
            told, tone = names[0], found
        else:
            return None
        return frame.Span(f" {fit(told, WIDEST)} ", f"{frame.ON}{tone.value}")

    def loud(self, clusters: Iterable[str]) -> list[str]:
        """Those of some clusters that are production, in order."""
        return sorted(name for name in set(clusters) if self.of(name) is Tone.LOUD)


def named(clusters: Sequence[str]) -> str:
    """`▲ prod-eu, prod-us and 3 more`; "" for none."""
    if not clusters:
        return ""
    more = f" and {len(clusters) - MOST} more" if len(clusters) > MOST else ""
    return f"{accents.SHAPE} {', '.join(clusters[:MOST])}{more}"
