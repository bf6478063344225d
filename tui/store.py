"""The one copy of cluster truth: rows by reference, small indexes, one revision number. Synchronous, one writer.

Readers keep a revision and ask what changed since. A change log per resource is a dict in order of last change, so
that an answer costs what changed and not what exists; removals stay in it as tombstones, and when too many have been
forgotten the answer says `reset` and the reader starts again from `rows()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from tui.domain.obj import Ref, Row

TOMBSTONES = 50_000  # removals remembered per resource before a reader that is older must start again


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to one resource since a revision. With `reset`, the reader must take all rows anew."""

    rev: int
    changed: list[Ref]
    removed: list[Ref]
    reset: bool = False


@dataclass(slots=True)
class _Table:
    """Everything about one resource, of all clusters."""

    count: int = 0  # rows of all clusters
    log: dict[Ref, int] = field(default_factory=dict)  # ref -> revision of its last change, oldest first; -: removed
    dead: int = 0  # tombstones in the log
    floor: int = 0  # readers below this revision cannot be answered by the log
    clusters: dict[str, dict[Ref, Row]] = field(default_factory=dict)  # none of them is empty
    rev: int = 0

    def get(self, ref: Ref) -> Row | None:
        """The row of one object, or None."""
        held = self.clusters.get(ref.cluster)
        return held.get(ref) if held else None


class Store:
    """Rows by reference. Every method is synchronous and atomic on the loop that owns the store."""

    def __init__(self) -> None:
        self.rev = 0
        self._tables: dict[str, _Table] = {}
        self._children: dict[str, set[Ref]] = {}  # owner uid -> the objects it owns

    def apply(self, puts: Iterable[Row], removes: Iterable[Ref] = ()) -> int:
        """Take in one batch; returns the new revision, or the old one when the batch changed nothing."""
        rev = self.rev + 1
        moved = False
        for row in puts:
            moved = True
            self._put(row, rev)
        for ref in removes:
            moved |= self._remove(ref, rev)
        if moved:
            self.rev = rev
        return self.rev

    def get(self, ref: Ref) -> Row | None:
        """The row of one object, or None."""
        table = self._tables.get(ref.resource)
        held = table.clusters.get(ref.cluster) if table is not None else None
        return held.get(ref) if held is not None else None

    def rows(self, resource: str, cluster: str | None = None) -> Iterator[Row]:
        """All rows of a resource, or those of one cluster."""
        table = self._tables.get(resource)
        if table is None:
            return iter(())
        if cluster is None:
            return chain.from_iterable(held.values() for held in table.clusters.values())
        return iter(table.clusters.get(cluster, {}).values())

    def count(self, resource: str, cluster: str | None = None) -> int:
        """How many rows `rows` would give, without walking them."""
        table = self._tables.get(resource)
        if table is None:
            return 0
        return table.count if cluster is None else len(table.clusters.get(cluster, ()))

    def resources(self) -> list[str]:
        """Every resource that has at least one row."""
        return [resource for resource, table in self._tables.items() if table.count]

    def children(self, uid: str) -> list[Row]:
        """The objects whose ownerReferences name this uid."""
        refs = self._children.get(uid, ())
        return [row for ref in refs if (row := self.get(ref)) is not None]

    def resource_rev(self, *resources: str) -> int:
        """The newest revision at which any of these resources changed: the key of a derived fact."""
        return max((table.rev for name in resources if (table := self._tables.get(name))), default=0)

    def changes_since(self, rev: int, resource: str) -> Changes:
        """What changed in a resource after `rev`; pass 0 the first time to get everything as `reset`."""
        table = self._tables.get(resource)
        if table is None:
            return Changes(self.rev, [], [], reset=rev == 0)
        if rev == 0 or rev < table.floor:
            return Changes(self.rev, list(chain.from_iterable(table.clusters.values())), [], reset=True)
        changed: list[Ref] = []
        removed: list[Ref] = []
        for ref, at in reversed(table.log.items()):
            if -rev <= at <= rev:
                break
            (changed if at > 0 else removed).append(ref)
        return Changes(self.rev, changed, removed)

    def _put(self, row: Row, rev: int) -> None:
        ref = row.ref
        table = self._tables.get(ref.resource)
        if table is None:
            table = self._tables[ref.resource] = _Table()
        held = table.clusters.get(ref.cluster)
        if held is None:
            held = table.clusters[ref.cluster] = {}
        old = held.get(ref)
        if old is not None:
            self._disown(old)
            del table.log[ref]
        else:
            table.count += 1
            if table.dead and table.log.pop(ref, None) is not None:
                table.dead -= 1
        held[ref] = row
        table.log[ref] = table.rev = rev
        for owner in row.obj.metadata.owner_references:
            self._children.setdefault(owner.uid, set()).add(ref)

    def _remove(self, ref: Ref, rev: int) -> bool:
        table = self._tables.get(ref.resource)
        held = table.clusters.get(ref.cluster) if table is not None else None
        if table is None or held is None or (row := held.pop(ref, None)) is None:
            return False
        table.count -= 1
        if not held:
            del table.clusters[ref.cluster]
        self._disown(row)
        del table.log[ref]
        table.log[ref] = -rev
        table.rev = rev
        table.dead += 1
        if table.dead > TOMBSTONES:
            self._forget(table)
        return True

    def _disown(self, row: Row) -> None:
        for owner in row.obj.metadata.owner_references:
            if (refs := self._children.get(owner.uid)) is not None:
                refs.discard(row.ref)
                if not refs:
                    del self._children[owner.uid]

    @staticmethod
    def _forget(table: _Table) -> None:
        """Drop the older half of the tombstones; readers from before them will be told to start again."""
        excess = table.dead // 2
        for ref in [ref for ref, at in table.log.items() if at < 0][:excess]:
            table.floor = max(table.floor, -table.log.pop(ref))
            table.dead -= 1
