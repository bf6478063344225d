"""The manifest of an object: at once as last seen, then fresh from its cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from tui.domain import when
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.ports import Trouble
from tui.fleet.manifest import cleaned
from tui.ui.widgets.viewer import Viewer

if TYPE_CHECKING:
    from tui.fleet.runtime import Fleet
    from tui.ui.app import FleetApp

_LARGE = 100_000  # bytes of JSON above which YAML is written in a thread: some 100 ms
_ORDER = ("apiVersion", "kind", "metadata", "spec", "data", "stringData", "type", "status")
_META = ("name", "generateName", "namespace", "labels", "annotations", "creationTimestamp", "deletionTimestamp")


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
    if isinstance(meta := first.get("metadata"), Mapping):
        named = {key: meta[key] for key in _META if key in meta}
        first["metadata"] = named | {key: value for key, value in meta.items() if key not in named}
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
        self._ref: Ref | None = None
        self._row: Row | None = None
        self._told = ""  # why it is not fresh; "" when it is
        self._fleet: Fleet | None = None
        self._fresh = False

    @property
    def note(self) -> str:
        """`fresh`, `as last seen 5m ago: why`, or that it is being read.

        What was fresh is no longer so when its cluster has stopped answering since.
        """
        cluster = self._cluster()
        lost = cluster is not None and cluster.state is not ClusterState.LIVE
        if self._fresh and not lost:
            return "fresh"
        if not self._told and not self._fresh:
            return "reading…"
        why = self._told
        if cluster is not None and lost and not why:
            why = " ".join(cluster.reason.split()) or f"the cluster is {cluster.state.value}"
        heard = cluster.heard if cluster is not None else 0.0
        age = f" {when.age(self._now() - heard)} ago" if heard else ""
        return f"as last seen{age}: {why}"

    def _cluster(self) -> Cluster | None:
        if self._ref is None or self._fleet is None:
            return None
        row = self._fleet.store.get(Ref(self._ref.cluster, CLUSTERS, "", self._ref.cluster))
        return row.obj if row is not None else None

    def _now(self) -> float:
        return self._fleet.facts.now if self._fleet is not None else 0.0

    def show_row(self, row: Row, app: FleetApp) -> None:
        """Show the object as the store has it; the first time also ask its cluster.

        From then on the store tells every change: what it holds is as fresh as its watch.
        """
        first = self._ref is None
        if row is self._row:
            return
        self._ref, self._row = row.ref, row
        data = row.json()
        if 0 < len(data) < _LARGE:
            self.set_text(as_yaml(cleaned(_whole(row))), keep=True)
        elif data and not first:
            app.do(self._write(row), "writing the manifest")
        if first or not data:
            self.reread(app)

    async def _write(self, row: Row) -> None:
        """Show a large object as the store has it, unless it has changed again meanwhile."""
        text = await asyncio.to_thread(lambda: as_yaml(cleaned(_whole(row))))
        if row is self._row and self.is_attached:
            self.set_text(text, keep=True)

    def show_ref(self, ref: Ref, app: FleetApp) -> None:
        """Show an object that the store does not hold: ask its cluster, once."""
        if self._ref is None:
            self._ref = ref
            self.reread(app)

    def reread(self, app: FleetApp) -> None:
        """Ask the cluster again."""
        app.do(self._read(app), "reading the manifest")

    async def _read(self, app: FleetApp) -> None:
        await self._load(app)
        app.tick_again()  # the title says how fresh it is

    async def _load(self, app: FleetApp) -> None:
        if self._ref is None:
            return
        self._fleet = app.fleet
        try:
            found = await app.fleet.manifest(self._ref)
        except Trouble as error:
            self._fresh, self._told = False, str(error)
            if not self.text and self.is_attached:
                self.set_text(f"# {error}\n")
            return
        text = await asyncio.to_thread(as_yaml, found.object)
        self._fresh, self._told = found.fresh, found.reason
        if self.is_attached:
            self.set_text(text, keep=True)


def _whole(row: Row) -> dict[str, Any]:
    """The object with its apiVersion and kind, which objects of a list do not carry."""
    found = row.manifest()
    kind = KINDS.get(row.ref.resource)
    if kind is not None:
        version = f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0]
        found = {"apiVersion": version, "kind": kind.kind, **found}
    return found


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
