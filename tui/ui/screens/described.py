"""Describe: an object as readable text, with its Events, kept up while it is shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.domain.kinds.core import Event
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.obj import Row
from tui.domain.objects.describing import describe
from tui.domain.ports import Trouble
from tui.ui.screens.objectevents import AGAIN
from tui.ui.screens.words_view import WordsView

if TYPE_CHECKING:
    from tui.ui.app import FleetApp


class DescribeView(WordsView):
    """The text of one object. `note` says why it is not fresh."""

    def __init__(self) -> None:
        super().__init__()
        self.note = ""
        self._read_as = ("", "")  # uid and resourceVersion that were read
        self._due = 0.0  # time.monotonic() of the next reading of Events
        self._manifest: dict[str, Any] = {}
        self._events: Sequence[Event] | str = "reading…"

    def fill(self, row: Row, app: FleetApp) -> None:
        """Show what is known, and read what is not."""
        version = (row.obj.metadata.uid, row.obj.metadata.resource_version)
        if version != self._read_as:
            self._read_as = version
            app.do(self._load(row, app), "reading the object", hold=False)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + AGAIN
            app.do(self._load_events(row, app), "reading Events", hold=False)
        self._tell(row, app)

    def _tell(self, row: Row, app: FleetApp) -> None:
        if not self.is_attached:
            return
        if not self._manifest:
            self.show([(Cell(self.note or "reading…", Tone.MUTED),)])
            return
        found = app.fleet.offers.catalogue.get(row.ref.resource)
        kind = found.kind if found is not None else row.ref.resource
        self.show(describe(self._manifest, row.ref.cluster, kind, self._events, app.fleet.facts.now))

    def reread(self) -> None:
        """Read it again with the next frame."""
        self._read_as, self._due = ("", ""), 0.0

    async def _load(self, row: Row, app: FleetApp) -> None:
        try:
            found = await app.fleet.manifest(row.ref)
            self._manifest, self.note = dict(found.object), found.reason
        except Trouble as error:
            self.note = str(error)
        self._tell(row, app)

    async def _load_events(self, row: Row, app: FleetApp) -> None:
        try:
            self._events = await app.fleet.events(row.ref)
        except Trouble as error:
            self._events = str(error)
        self._tell(row, app)
