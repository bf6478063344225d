"""A table over one or more kinds, scoped by the tree: everything but the columns, which come from the kinds."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.domain import selector
from tui.domain.cluster import CLUSTERS, NO_CONTEXT, KindState
from tui.domain.kinds import KINDS, OWN
from tui.domain.kinds.export import export, plain
from tui.domain.kinds.kind import Column, Kind, Value
from tui.domain.logs.targets import WITH_LOGS
from tui.domain.obj import Object, Ref, Row
from tui.ui import keys
from tui.ui.commands import Proposal
from tui.ui.frame import LOADING
from tui.ui.panes import coverage, freshness
from tui.ui.panes.base import Pane
from tui.ui.panes.filtering import proposals
from tui.ui.panes.rows import Shape
from tui.ui.saving import save, suggested
from tui.ui.scope import APPLICATIONS, Scope, View
from tui.ui.screens.dialogs import Choice
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

SLICE = 0.004  # seconds that rows are made at a stretch; putting them into the table takes about half as long again
GATHERED = 0.1  # seconds that rows are sorted out before the table shows them, when they are too many for one portion
MOST = 1_000  # rows that the table is given at once: it takes about 3 µs for each, and as long again to sort them in
IDLE = 1 / 30  # seconds between two portions of what nobody waits for
BATCH = 32  # rows between two looks at the clock
LOOK = 0.5  # seconds between two looks for clusters that have become stale, or are heard again
NO_CLUSTERS = "no clusters: no kubeconfig has a context that matches; `fleet demo` shows a fleet without one"
OLDEST = 2.0  # seconds after which facts that depend on other objects are worked out again


def _laid_out(shape: Shape) -> list[tuple[str, bool]]:
    return [(column.id, column.wide) for column in shape.columns]


def _unread(problems: Sequence[str]) -> list[str]:
    """What is wrong with the kubeconfigs, beside that no context was found."""
    return [problem for problem in problems if problem != NO_CONTEXT]


class TablePane(Pane):
    """Rows of `RESOURCES`, or of the view's resource."""

    PLACES: tuple[str, ...] = ("list", "table", "object")
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("table", "object", "instead")]
    RESOURCES: tuple[str, ...] = ()
    FIRST_SORT = "name"  # column id

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.resources = self.RESOURCES or (view.resource,)
        self._labels = selector.parse(view.labels)
        self._wide = False
        self.shape = self._shape(view.scope)
        if not self.TITLE:
            self.TITLE = f"{self.shape.kinds[0].plural.capitalize()}"
        self._depends = self.shape.depends()
        self.table = Table(self.shape.columns, maker=self)
        if any(column.id == self.FIRST_SORT for column in self.shape.columns):
            self.table.sort_by(self.FIRST_SORT)
        self._revs: dict[str, int] = {}
        self._pending: dict[Ref, None] = {}  # rows to be made, oldest first
        self._due: dict[Ref, bool] = {}  # rows sorted out: whether they are to be shown
        self._given = 0.0  # time of `perf_counter` when the table was given rows last
        self._clusters: frozenset[str] | None = None
        self._depended = (0, 0.0)  # revision and time of the facts last worked out
        self._moved = 0  # revision of the destinations
        self._fresh = True  # the table must start again
        self._aged = (-1, 0.0)  # revision of the clusters and time of the last look for stale ones
        self._covered: tuple[object, str] = (None, "")  # what it was found from, and what was found
        self._stale: dict[str, float] = {}  # clusters whose rows are not kept up, and when they were last heard

    def _shape(self, scope: Scope) -> Shape:
        """The columns for a scope: what is the same on every row is not shown."""
        return self.shape_of(self._with_own([KINDS[resource] for resource in self.resources]), scope)

    def _with_own(self, kinds: list[Kind]) -> list[Kind]:
        """Kinds with the user's columns for them; those for wide tables only in wide ones."""
        own = self.fleet_app.settings.columns
        if not own:
            return kinds
        from tui.domain.kinds.own import extended

        return [extended(kind, own, self._wide) for kind in kinds]

    def shape_of(self, kinds: Sequence[Kind], scope: Scope) -> Shape:
        """The columns of some kinds for a scope."""
        left_out = [id for id, same in (("cluster", scope.cluster), ("namespace", scope.namespace)) if same]
        return Shape(kinds, left_out, self.accented)

    def compose(self) -> ComposeResult:
        if WITH_LOGS.issuperset(self.resources):
            self.table.leaves = self.fleet_app.key_table.keys_of("logs")
        yield self.table

    def take_focus(self) -> None:
        self.table.focus()

    def show(self, view: View) -> None:
        before, self.view = self.view, view
        if (view.scope, view.faults, view.labels) != (before.scope, before.faults, before.labels):
            self._labels = selector.parse(view.labels)
            self.reshape()
        self.table.set_filter(view.filter)

    def reshape(self) -> None:
        """Start again with the columns for what is shown now."""
        self._fresh = True
        shape = self._shape(self.view.scope)
        if _laid_out(shape) != _laid_out(self.shape):
            self.shape = shape
            self.table.replace([])  # its rows have the old columns
            self.table.set_columns(shape.columns)

    def watches(self) -> tuple[frozenset[str], frozenset[str] | None]:
        names = frozenset(self.resources)
        if APPLICATIONS in names or CLUSTERS in names:
            return names, None  # where they live is not where they deploy to
        return names, self.view.scope.clusters(self.fleet.store)

    def here(self) -> Ref | None:
        key = self.table.cursor_key
        return key if isinstance(key, Ref) else None

    def row_of(self, ref: Ref) -> Row | None:
        """What a line of the table is made of; None when it is gone."""
        return self.fleet.store.get(ref)

    # -- rows -----------------------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Make the rows that have changed, at most a portion of them; the rest follows after the keys that wait."""
        store, facts = self.fleet.store, self.fleet.facts
        clusters = self.view.scope.clusters(store)
        if clusters != self._clusters:
            self._clusters, self._fresh = clusters, True
        gone = self._read()
        self._depend(facts.now)
        self._age(facts.now)
        end = time.perf_counter() + SLICE
        wanted, unwanted = self._portion(end)
        self._due |= dict.fromkeys(gone, False) | dict.fromkeys(unwanted, False) | dict.fromkeys(wanted, True)
        if self._fresh:
            self._fresh, self._due = False, {}
            self.table.replace((), wanted)
            self._given = end
        elif self._due and (not self._pending or len(self._due) >= MOST or end - self._given >= GATHERED):
            due, self._due = self._due, {}
            self.table.update((), [ref for ref in due if not due[ref]], [ref for ref in due if due[ref]])
            self._given = end
        if self.view.filter or self.fleet.progress().settled:  # loading comes before what may be searched one day
            self.table.read(end)
        self.table.tick(facts.now)
        self._caption()
        if self._pending or (self.view.filter and self.table.unread):
            self.fleet_app.tick_again()
        elif self.table.unread and self.fleet.progress().settled:
            self.fleet_app.tick_again(IDLE)

    def _portion(self, end: float) -> tuple[list[Ref], list[Ref]]:
        """Rows to show, and refs that are not, or no longer, to be shown: as many as are sorted out until `end`."""
        facts, scope, faults = self.fleet.facts, self.view.scope, self.view.faults
        if scope == Scope() and not faults and not self.view.labels:  # whatever is there
            refs = self._taken_off(MOST)
            gone = [ref for ref in refs if self.row_of(ref) is None]
            return refs if not gone else [ref for ref in refs if ref not in gone], gone
        wanted: list[Ref] = []
        unwanted: list[Ref] = []
        while self._pending and (not wanted or time.perf_counter() < end):
            for ref in self._taken_off(BATCH):
                row = self.row_of(ref)
                shown = row is not None and scope.admits(row, self._clusters, facts) and self._labelled(row)
                if shown and row is not None and faults:
                    shown = self.shape.faulty(row, self.shape.row(row, facts), facts)
                (wanted if shown else unwanted).append(ref)
        return wanted, unwanted

    def _labelled(self, row: Row) -> bool:
        return not self.view.labels or self._labels.matches(row.obj.metadata.labels)

    def _taken_off(self, most: int) -> list[Ref]:
        """The next rows to be made, which wait no longer."""
        if len(self._pending) <= most:
            refs, self._pending = list(self._pending), {}  # one that was large stays so
            return refs
        refs = list(islice(self._pending, most))
        for ref in refs:
            del self._pending[ref]
        return refs

    def _read(self) -> list[Ref]:
        """Put what has changed on the list of rows to be made; returns what is gone."""
        gone: list[Ref] = []
        if self._fresh:
            self._revs.clear()
            self._pending.clear()
            self._due.clear()
        for resource in self.resources:
            changes = self.fleet.store.changes_since(self._revs.get(resource, 0), resource)
            if changes.reset and self._revs.get(resource):  # the store has forgotten what went: start again
                self._fresh = True
                return self._read()
            self._revs[resource] = changes.rev
            if self._fresh:  # what is on the screen, or was before, first: the cursor finds its object again
                self._pending.update(dict.fromkeys(ref for ref in self._in_view() if ref.resource == resource))
            self._pending.update(dict.fromkeys(changes.changed))
            gone += changes.removed
        return gone

    def _in_view(self) -> list[Ref]:
        return [key for key in self.table.keys_in_view if isinstance(key, Ref)]

    def row(self, key: Hashable) -> TableRow | None:
        """A line of the table as it is now; None when its object is gone. For the table: when it is needed."""
        row = self.row_of(key) if isinstance(key, Ref) else None
        if row is None:
            return None
        return freshness.marked(self.shape.row(row, self.fleet.facts), self._stale.get(row.ref.cluster))

    def values(self, keys: Sequence[Hashable], column: int) -> list[Value]:
        """The values of one column of lines; None where its object is gone."""
        facts, row_of, value = self.fleet.facts, self.row_of, self.shape.value
        rows = [row_of(key) for key in keys if isinstance(key, Ref)]
        return [None if row is None else value(row, column, facts) for row in rows]

    def labels(self, key: Hashable) -> Mapping[str, str] | None:
        """The labels of a line's object; None when it has none, or is gone."""
        row = self.row_of(key) if isinstance(key, Ref) else None
        return row.obj.metadata.labels if row is not None and isinstance(row.obj, Object) else None

    def searched(self, key: Hashable) -> tuple[str, str] | None:
        """What the filter looks for in a line as it is now; None when its object is gone."""
        row = self.row_of(key) if isinstance(key, Ref) else None
        return None if row is None else self.shape.searched(row, self.fleet.facts)

    def _depend(self, now: float) -> None:
        """Work out rows again when what their facts come from has changed.

        Which Applications have another destination is known; the other facts may be in any row, and are worked out
        every two seconds at most.
        """
        facts = self.fleet.facts
        if APPLICATIONS in self.resources:
            self._pending.update(dict.fromkeys(facts.moved_since(self._moved)))
            self._moved = facts.places_rev
        others = [resource for resource in self._depends if resource != CLUSTERS]  # their states are in no cell
        if not others:
            return
        rev = self.fleet.store.resource_rev(*others) + facts.files_rev + facts.places_rev
        if rev != self._depended[0] and now - self._depended[1] >= OLDEST:
            self._depended = (rev, now)
            for resource in self.resources:
                self._pending.update(dict.fromkeys(row.ref for row in self.fleet.store.rows(resource)))

    def _age(self, now: float) -> None:
        """Make the rows of clusters anew that have just become stale, or are heard again."""
        rev = self.fleet.store.resource_rev(CLUSTERS)
        if now - self._aged[1] < (1.0 if rev == self._aged[0] else LOOK):
            return
        self._aged = (rev, now)
        before, self._stale = self._stale, freshness.stale(self.fleet.store, self.resources, now)
        for cluster in dict(before.items() ^ self._stale.items()):
            for resource in self.resources:
                self._pending.update(dict.fromkeys(row.ref for row in self.fleet.store.rows(resource, cluster)))

    # -- words ----------------------------------------------------------------------------------------------------

    def _caption(self) -> None:
        view = self.view
        shown, total = self.table.visible_count, self.table.total
        filtered = " ".join([f"-l {view.labels}"] * bool(view.labels) + [f"/{view.filter}"] * bool(view.filter))
        filtered = ": ".join(filter(None, (filtered, self.table.filter_problem)))
        old = freshness.words(self._shown_stale(), self.fleet.facts.now)
        self.title(self.where(), "faults" if view.faults else "", filtered, old)
        counted = f"{shown:,} of {total:,}" if shown != total else f"{total:,}" if total else ""
        self.subtitle(" · ".join(part for part in (counted, self._uncovered()) if part))
        width = max(20, self.table.size.width - 4)
        told = [piece for line in self._nothing().split("\n") for piece in wrap(line, width) or [""]]
        self.table.set_empty("\n".join(told))

    def _uncovered(self) -> str:
        """The clusters in view that answer, and of whose objects of this kind nothing is known."""
        if len(self.resources) > 1 or self.resources[0] in OWN:
            return ""
        rev = (self.fleet.store.resource_rev(CLUSTERS), self._clusters)
        if rev != self._covered[0]:
            everywhere = self.shape.kinds[0].watch != "hub"
            self._covered = (rev, coverage.words(self.fleet.store, self.resources[0], self._clusters, everywhere))
        return self._covered[1]

    def _shown_stale(self) -> dict[str, float]:
        """The stale clusters among those in view; Applications live elsewhere than where they deploy to."""
        if self._clusters is None or APPLICATIONS in self.resources:
            return self._stale
        return {name: heard for name, heard in self._stale.items() if name in self._clusters}

    def where(self) -> str:
        """The scope as the title says it."""
        return self.view.scope.words()

    def _key(self, action: str) -> str:
        """The key of an action, as people write it."""
        pressed = self.fleet_app.key_table.keys_of(action)
        return keys.shown(pressed[0]) if pressed else f":{action}"

    def _filtered_out(self) -> str:
        """What to say where the filter leaves nothing."""
        return f"nothing matches the filter\n{self._key('back')} shows all {self.table.total:,} again"

    def _nothing(self) -> str:
        """Why there are no rows and what to press, in words."""
        if self.table.total:
            return self._filtered_out()
        if not self.fleet.store.count(CLUSTERS):
            return LOADING if self.fleet.contexts != () else "\n".join([NO_CLUSTERS, *_unread(self.fleet.problems)])
        states = [
            status.state
            for row in self.fleet.store.rows(CLUSTERS)
            if self._clusters is None or row.ref.name in self._clusters
            for resource, status in row.obj.kinds.items()
            if resource in self.resources
        ]
        if not self.fleet.progress().settled or KindState.LISTING in states or KindState.WAITING in states:
            return f"loading…{self._answered()}"
        again = f"{self._key('reread')} reads again"
        denied = bool(states) and all(found is KindState.DENIED for found in states)
        if not denied and (silent := freshness.silent(self.fleet.store, self._clusters)):
            return f"none known\n{silent}\n{self._key('reread')} tries again now"
        for state, words in (
            (
                KindState.DENIED,
                f"these credentials may not read this kind here\n{again}; fleet doctor says what is missing",
            ),
            (KindState.FAILED, f"this could not be read here\n{again}; the cluster's Summary says why"),
        ):
            if states and all(found is state for found in states):
                return words
        if states and all(found is KindState.ABSENT for found in states):
            return "not served here"
        if self.view.faults:
            return f"nothing is wrong\n{self._key('faults')} shows everything"
        if self.view.scope.namespace:
            return f"none in {self.view.scope.namespace}\n{self._key('all_namespaces')} shows all namespaces"
        return "none"

    def _answered(self) -> str:
        """How far loading has come, where clusters are still to answer."""
        progress = self.fleet.progress()
        return f" {progress.answered} of {progress.clusters} clusters" if progress.answered < progress.clusters else ""

    def action_copy(self) -> None:
        """Copy a field, or the names of the marked rows."""
        if self.table.marked:
            names = [key.name for key in self.table.visible_keys if key in self.table.marked and isinstance(key, Ref)]
            self._copied("\n".join(names), f"{len(names)} names")
            return
        ref = self.here()
        row = self.row_of(ref) if ref is not None else None
        if row is None:
            return
        made = self.shape.row(row, self.fleet.facts)
        fields = [
            (str(at), column.title, str(plain(column, value)))
            for at, (column, value) in enumerate(zip(self.shape.columns, made.sort_values, strict=True))
            if value not in (None, "")
        ]

        def chosen(at: str | None) -> None:
            if at is not None:
                column = self.shape.columns[int(at)]
                self._copied(str(plain(column, made.sort_values[int(at)])), column.title.lower())

        self.fleet_app.push_screen(Choice(f"Copy of {row.ref.name}", fields, ("FIELD", "VALUE")), chosen)

    def action_actions(self) -> None:
        """Choose one of the common edits; when rows are marked, one for all of them."""
        if marked := self._marked():
            self.fleet_app.choose_bulk(marked)
        else:
            super().action_actions()

    def chosen(self) -> list[Ref]:
        return self._marked() or super().chosen()

    def _marked(self) -> list[Ref]:
        return [key for key in self.table.visible_keys if key in self.table.marked and isinstance(key, Ref)]

    def action_table_write(self) -> None:
        """Write the marked rows, or all that are shown, to a file."""
        columns, facts = self.shape.columns, self.fleet.facts
        keys = self._marked() or [key for key in self.table.visible_keys if isinstance(key, Ref)]
        rows = [row for key in keys if (row := self.row_of(key)) is not None]
        lines = [(row.ref, [self.shape.value(row, at, facts) for at in range(len(columns))]) for row in rows]
        name = suggested(" ".join((self.TITLE, self.where() if self.view.scope != Scope() else "")), facts.now, ".csv")
        save(self.fleet_app, f"{len(lines):,} rows", name, lambda ending: export(lines, columns, ending))

    def _copied(self, text: str, what: str) -> None:
        self.fleet_app.copy_to_clipboard(text)
        self.fleet_app.say(f"copied {what}")

    # -- keys -----------------------------------------------------------------------------------------------------

    def columns(self) -> list[str]:
        return [column.title for column in self.shape.columns]

    def sort_by(self, column: Column) -> None:
        """Sort by a column; the same column again turns the order."""
        sorted_by, reverse = self.table.sorting
        self.table.sort_by(column.id, not reverse if sorted_by == column.id else False)

    def on_key(self, event: events.Key) -> None:
        """Shift and a letter sort by the column that starts with it."""
        letter = event.character or ""
        if len(letter) != 1 or not letter.isupper() or letter in self._taken():
            return
        if found := [column.id for column in self.shape.columns if column.title.startswith(letter)]:
            event.stop()
            shown = self.table.shown_columns
            self._sort_among([column for column in found if column in shown] or found)

    def _sort_among(self, columns: list[str]) -> None:
        """Sort by the first of some columns; each time again turn the order, then go on to the next of them."""
        sorted_by, reverse = self.table.sorting
        if sorted_by not in columns:
            self.table.sort_by(columns[0])
        elif reverse:
            self.table.sort_by(columns[(columns.index(sorted_by) + 1) % len(columns)])
        else:
            self.table.sort_by(sorted_by, True)

    def _taken(self) -> set[str]:
        """Keys that mean something else here."""
        return self.fleet_app.key_table.taken((*self.PLACES, "everywhere", "moves", "instead"))

    def action_filter(self) -> None:
        """Filter as one types."""
        self.fleet_app.ask_filter(self)

    @property
    def filter(self) -> str:  # type: ignore[override]
        """The text that rows must have."""
        return self.view.filter

    def set_filter(self, text: str) -> None:
        """Show what matches; part of the view, so that `[` comes back to it."""
        self.fleet_app.shell.amend(filter=text)
        self.view = self.fleet_app.shell.history.current or self.view
        self.table.set_filter(text)
        self._caption()

    def filter_proposals(self, text: str) -> Sequence[Proposal]:
        keys = self.table.all_keys
        return proposals(text, self.shape.columns, lambda column: self.values(keys, column))

    def clear(self) -> bool:
        if self.view.filter:
            self.set_filter("")
            return True
        return False

    async def action_faults(self) -> None:
        """Only what is wrong, or everything."""
        self.fleet_app.shell.amend(faults=not self.view.faults)
        self.show(self.fleet_app.shell.history.current or self.view)
        self.pull()

    def action_wide(self) -> None:
        """More columns, or fewer."""
        self._wide = wide = not self.table.wide
        if any(column.wide for column in self.fleet_app.settings.columns):
            self.reshape()
        self.table.set_columns(self.shape.columns, wide=wide)
        self.pull()

    async def run(self, verb: str, argument: str) -> bool:
        if verb == "filter":
            self.set_filter(argument)
        elif verb == "wide":
            self.action_wide()
        elif verb == "faults":
            await self.action_faults()
        elif verb == "sort":
            return self._sort(argument)
        else:
            return False
        return True

    def _sort(self, title: str) -> bool:
        wanted = title.lower()
        found = next((column for column in self.shape.columns if column.title.lower().startswith(wanted)), None)
        if found is not None:
            self.sort_by(found)
        return found is not None

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter: the detail."""
        event.stop()
        if isinstance(event.key, Ref):
            self.fleet_app.show_object(event.key)
