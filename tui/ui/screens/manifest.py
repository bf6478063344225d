"""The manifest of an object: at once as last seen, then fresh from its cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from tui.domain.obj import Row
from tui.fleet.manifest import cleaned
from tui.ui.widgets.viewer import Viewer

if TYPE_CHECKING:
    from tui.ui.app import FleetApp

_LARGE = 100_000  # bytes of JSON above which YAML is written in a thread: some 100 ms
_ORDER = ("apiVersion", "kind", "metadata", "spec", "data", "stringData", "type", "status")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    pass


def _text(dumper: Any, value: str) -> Any:
    style = "|" if "\n" in value and all(char.isprintable() or char == "\n" for char in value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(manifest: Mapping[str, Any]) -> str:
    """The object as YAML, its parts in the order people expect, long texts as blocks."""
    first = {key: manifest[key] for key in _ORDER[:-1] if key in manifest}
    rest = {key: value for key, value in manifest.items() if key not in _ORDER}
    last = {"status": manifest["status"]} if "status" in manifest else {}
    made: str = yaml.dump(
        {**first, **rest, **last},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=4096,
    )
    return made


class ManifestView(Viewer):
    """YAML of one object. `note` says where it comes from and how old it is."""

    def __init__(self) -> None:
        super().__init__("", "yaml")
        self.note = ""
        self._row: Row | None = None

    def show_row(self, row: Row, app: FleetApp) -> None:
        """Show the object as the store has it; the first time also ask its cluster."""
        first = self._row is None
        if row is self._row:
            return
        self._row = row
        data = row.json()
        if 0 < len(data) < _LARGE:
            self.set_text(as_yaml(cleaned(row.manifest())), keep=True)
        if first or len(data) >= _LARGE or not data:
            self.reread(app)

    def reread(self, app: FleetApp) -> None:
        """Ask the cluster again."""
        app.do(self._load(app), "reading the manifest")

    async def _load(self, app: FleetApp) -> None:
        row = self._row
        if row is None:
            return
        found = await app.fleet.manifest(row.ref)
        text = await asyncio.to_thread(as_yaml, found.object)
        self.note = "" if found.fresh else f"as last seen: {found.reason}"
        if self.is_attached:
            self.set_text(text, keep=True)


class DiffView(Viewer):
    """What a draft changes against its base, as git tells it."""

    def __init__(self) -> None:
        super().__init__("", "diff")
        self._row: Row | None = None

    def show_row(self, row: Row, app: FleetApp) -> None:
        """Ask git, when the draft has changed."""
        if row is not self._row:
            self._row = row
            app.do(self._load(row, app), "reading the diff")

    async def _load(self, row: Row, app: FleetApp) -> None:
        if app.fleet.drafts is not None:
            _, patch = await app.fleet.drafts.diff(row.ref.name)
            if self.is_attached:
                self.set_text(patch or "no difference\n", keep=True)
