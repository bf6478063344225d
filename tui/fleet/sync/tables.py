"""Tables of an API server as what the rest of the reading knows: pages and events of objects, with cells in them.

Of an object only its metadata comes along (`includeObject=Metadata`, the server's default): three times less than all
of it, and nothing of what a kind that nobody foresaw may hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import msgspec
from msgspec.structs import force_setattr

from tui.domain.kinds.kind import Kind
from tui.domain.kinds.tabled import CELLS, NO_LAYOUT, Definition, Layout, Tabled, fitted, layout
from tui.domain.obj import Row
from tui.fleet.sync import codec

# Servers of extension APIs may know no Tables: then objects come as they are, and only their metadata is kept.
ACCEPT = ",".join(f"application/json;as=Table;v={v};g=meta.k8s.io" for v in ("v1", "v1beta1")) + ",application/json"
_NAMELESS = msgspec.Raw(b"{}")
_HEAD = f'{{"{CELLS}":'.encode()


class _Row(msgspec.Struct):
    cells: msgspec.Raw = msgspec.Raw(b"[]")
    object: msgspec.Raw = msgspec.Raw(b"null")


class _Definition(msgspec.Struct):
    name: str = ""
    type: str | None = None
    format: str | None = None
    priority: int | None = None


class _Table(msgspec.Struct, rename={"definitions": "columnDefinitions"}):
    """A Table, or a list of objects from a server that has none."""

    kind: str = ""
    metadata: codec.ListMeta = codec.ListMeta()
    definitions: list[_Definition] | None = None
    rows: list[_Row] | None = None
    items: list[msgspec.Raw] | None = None


_decode = msgspec.json.Decoder(_Table).decode


class TableCodec(codec.Codec):
    """Makes the rows of a kind that is read as Tables."""

    def __init__(self, cluster: str, kind: Kind, clock: Callable[[], float] = time.time) -> None:
        super().__init__(cluster, replace(kind, metadata_only=True))  # no object is kept in full
        self._clock = clock
        self._layout = NO_LAYOUT
        self._texts: dict[object, object] = {}  # cells that many rows share

    def page(self, body: bytes) -> codec.Page:
        """A page of a list, each object with the cells of its row. Raises like `codec.decode_page`."""
        table = _decode(body)
        if table.kind != "Table":
            self._layout = NO_LAYOUT
            return codec.Page(table.metadata, table.items, table.kind)
        self._define(table)
        return codec.Page(table.metadata, [_object(row) for row in table.rows or ()], "TableList")

    def events(self, lines: Iterable[codec.Text]) -> Iterator[codec.Text]:
        """Lines of a watch, each Table in them as the object that it is about. What is none stays as it is."""
        for line in lines:
            yield from self._events(line)

    def _events(self, line: codec.Text) -> Iterator[codec.Text]:
        try:
            event = codec.decode_event(line)
            table = _decode(event.object)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            yield line
            return
        if table.kind != "Table":
            if event.type in ("ADDED", "MODIFIED"):
                self._layout = NO_LAYOUT
            yield line
            return
        self._define(table)
        if event.type == "BOOKMARK":
            version = msgspec.json.encode(table.metadata.resource_version)
            yield b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":%b}}}' % version
            return
        kind = msgspec.json.encode(event.type)
        for row in table.rows or ():
            yield b'{"type":%b,"object":%b}' % (kind, bytes(_object(row)))

    def _define(self, table: _Table) -> None:
        """Take the columns of a Table; only the first of a watch names them."""
        if table.definitions:
            self._layout = layout(
                Definition(each.name, each.type or "string", each.format or "", each.priority or 0)
                for each in table.definitions
            )

    def row(self, data: codec.Text) -> Row:
        """The row of an object with cells. Raises `Undecodable` when it has no name."""
        row = super().row(data)
        found: Tabled = row.obj
        laid: Layout = self._layout
        if laid.columns:
            wanted = len(laid.columns) + laid.left_out
            if len(found.cells) != wanted:
                self.broken[row.ref] = f"{len(found.cells):,} cells for {wanted:,} columns"
            elif laid.left_out:
                self.broken[row.ref] = f"its table has {wanted:,} columns, of which {len(laid.columns)} are shown"
        if len(self._texts) > codec.MOST_SHARED:
            self._texts.clear()
        cells = fitted(found.cells if laid.columns else (), laid, self._clock())
        force_setattr(found, "cells", tuple(self._shared(cell) for cell in cells))
        force_setattr(found, "layout", laid)
        return row

    def _shared(self, cell: object) -> object:
        return self._texts.setdefault(cell, cell) if type(cell) is str else cell


def _object(row: _Row) -> msgspec.Raw:
    """The object of a row with its cells as one more field; one without a name when the row has no object."""
    head, _, rest = bytes(row.object).partition(b"{")
    if head.strip() or not rest:
        return _NAMELESS
    comma = b"" if rest.lstrip().startswith(b"}") else b","
    return msgspec.Raw(_HEAD + bytes(row.cells) + comma + rest)
