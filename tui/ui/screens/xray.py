"""X-ray of an object as a table: whose it is, what it uses, who uses it, what grew from it; enter goes there."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.domain import when
from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Column, Tone, Value
from tui.domain.kinds.tabled import Tabled
from tui.domain.obj import Ref, Row
from tui.domain.ports import Trouble
from tui.fleet.xray import Part, Thing, XRay, needed
from tui.ui.widgets.rows import TableRow
from tui.ui.widgets.table import Table

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp

_STATES = ("phase", "ready", "status", "state")  # ids of columns that tell an object's state, where its kind does not


def _thing(value: Value, now: float) -> Cell:
    text = str(value or "")
    return Cell(text, Tone.MUTED if text.endswith(":") else Tone.ACCENT)


def _state(value: Value, now: float) -> Cell:
    return c.state_cell(str(value)) if value else Cell("", Tone.MUTED)


def _column(id: str, title: str, show: c.Show, width: int, least: int, **more: object) -> Column:
    return Column(id, title, lambda row, facts: None, show, width, least=least, **more)  # type: ignore[arg-type]


COLUMNS = (
    _column("resource", "RESOURCE", _thing, 70, 30, keep=9),
    _column("how", "HOW", c.show_muted, 24, 8, keep=7),
    _column("state", "STATE", _state, 22, 8, keep=8, sort=c.severity),
    _column("namespace", "NAMESPACE", c.show_muted, 18, 8, grow=1),
    _column("age", "AGE", c.show_since, 6, 4, right=True, keep=4, time=True, sort=c.youngest),
)


class XRayTable(Table):
    """The x-ray of one object. `note` says what of it could not be read."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, empty="reading…")
        self.note = ""
        self._made_of: object = None
        self._shown: dict[Hashable, TableRow] = {}
        self._asked: tuple[str, str] | None = None  # uid and resourceVersion that whole objects were asked for
        self._manifest: dict[str, Any] = {}
        self._others: list[tuple[Ref, Mapping[str, Any]]] = []
        self._fleet: Fleet | None = None

    def show(self, row: Row, app: FleetApp) -> None:
        """Make the picture anew when something in it may have changed."""
        fleet = self._fleet = app.fleet
        version = (row.obj.metadata.uid, row.obj.metadata.resource_version)
        if self._asked != version:
            self._asked = version
            self._manifest = row.manifest() or {"metadata": {"namespace": row.ref.namespace}}
            app.do(self._ask(row, app), "reading what names it", hold=False)
        resources = needed(row, self._manifest, fleet.offers.catalogue)
        fleet.look(self._owner, resources, {row.ref.cluster})
        rev = fleet.store.resource_rev(*resources, "clusters")
        made_of = (row, rev, id(self._manifest), len(self._others), fleet.offers.catalogue)
        if made_of == self._made_of:
            return
        self._made_of = made_of
        found = XRay(row, self._manifest, fleet.store, fleet.offers.catalogue, fleet.facts.known, self._others)
        self._take(list(_rows(found.parts(), fleet)))
        self.set_empty("nothing names it, and it names nothing")

    @property
    def _owner(self) -> str:
        return f"xray {id(self)}"

    def on_unmount(self) -> None:
        """Nothing of it needs watching any more."""
        if self._fleet is not None:
            self._fleet.unlook(self._owner)

    async def _ask(self, row: Row, app: FleetApp) -> None:
        """Read what the store does not hold: the whole object, and whole objects of kinds that may name it."""
        fleet, refused = app.fleet, []
        if not row.json():
            try:
                self._manifest = dict((await fleet.manifest(row.ref)).object)
            except Trouble as error:
                refused.append(str(error))
        others, denied = await fleet.naming(row.ref)
        self._others = others
        self.note = "; ".join(refused + denied)
        if self.is_attached:
            self.show(row, app)
            app.tick_again()  # the title says the note

    def _take(self, rows: list[TableRow]) -> None:
        """Change what has changed; start again only when objects came, went or moved."""
        fresh = {row.key: row for row in rows}
        if list(fresh) == list(self._shown):
            self.update([row for key, row in fresh.items() if row != self._shown[key]])
        else:
            first = not self._shown
            self.replace(rows)
            if first and (refs := [row.key for row in rows if isinstance(row.key, Ref)]):
                self.move_to(refs[0])
        self._shown = fresh

    def sort_by(self, column_id: str | None, reverse: bool = False) -> None:
        """Sort by a column; by the first one it is the tree again."""
        super().sort_by(None if column_id == COLUMNS[0].id else column_id, reverse and column_id != COLUMNS[0].id)


def _rows(parts: Sequence[Part], fleet: Fleet) -> Iterator[TableRow]:
    seen: set[Hashable] = set()
    for part in parts:
        yield _row(part.title, f"{part.title}:", "", "", "", None, fleet)
        for guide, thing in _guided(part.things):
            key: Hashable = thing.ref or (part.title, *thing[1:4])
            if key in seen:  # an object that is in two parts is in the first
                continue
            seen.add(key)
            row = fleet.store.get(thing.ref) if thing.ref is not None else None
            created = when.seconds(row.obj.metadata.creation_timestamp) if row is not None else None
            name = f"{guide}{thing.kind}/{thing.name}"
            yield _row(key, name, thing.how, _word(thing, row, fleet), thing.namespace, created, fleet)
        if part.more:
            yield _row((part.title, "more"), f"  and {part.more:,} more", "", "", "", None, fleet)


def _row(key: Hashable, *values: Any) -> TableRow:
    *shown, fleet = values
    cells = tuple(column.show(value, fleet.facts.now) for column, value in zip(COLUMNS, shown, strict=True))
    return TableRow(key, cells, tuple(shown))


def _word(thing: Thing, row: Row | None, fleet: Fleet) -> str:
    """The state of an object in a word; Missing when it is known not to be there, Unknown when nobody may look."""
    if row is None:
        return "Missing" if thing.seen is False else "Unknown" if thing.seen is None else ""
    kind = fleet.offers.catalogue.get(row.ref.resource)
    if kind is not None and kind.state is not None:
        return kind.state(row.obj, fleet.facts).text.partition(" ")[2] or kind.state(row.obj, fleet.facts).text
    if isinstance(row.obj, Tabled):
        words = (definition.name for definition in row.obj.layout.columns if definition.name.lower() in _STATES)
        found = next((str(value) for name in words if (value := row.obj.cell(name))), "")
        return {"True": "Ready", "False": "NotReady"}.get(found, found)
    return ""


def _guided(things: Sequence[Thing], lead: str = "  ") -> Iterator[tuple[str, Thing]]:
    """Every object with its branches in front."""
    for number, thing in enumerate(things):
        last = number == len(things) - 1
        yield lead + ("└ " if last else "├ "), thing
        yield from _guided(thing.children, lead + ("  " if last else "│ "))
