"""Which file declares an object: an index per Application, made behind the scenes where its repository is here.

Only plain manifests are told, as Argo CD reads them: what helm or kustomize make of others is not known without
rendering. Few are read at a time, and only for Applications that somebody looks at.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tui.domain import source as sources
from tui.domain.argo import application as argo
from tui.domain.kinds import KINDS
from tui.domain.obj import Ref, Row
from tui.domain.ports import Trouble
from tui.domain.source.directory import SKIP, entries
from tui.domain.source.model import SourcePlan
from tui.domain.source.planning import KUSTOMIZATIONS
from tui.domain.yamledit import Refused
from tui.fleet.locating import Locator
from tui.store import Store

MOST = 500  # Applications that are indexed; of more, the folder is shown
MOST_FILES = 300  # of one source
PAUSE = 0.05  # seconds between two Applications: Git and this interpreter have other things to do

Files = Mapping[tuple[str, str, str], tuple[tuple[str, str], ...]]  # (group, kind, name) -> (namespace, file)…


class _Index(NamedTuple):
    stamp: object  # what it was made of
    files: Files


class SourceFiles:
    """Belongs to one event loop. `changed` is called when a file has become known."""

    def __init__(self, store: Store, locator: Locator, changed: Callable[[], None]) -> None:
        self._store = store
        self._locator = locator
        self._changed = changed
        self._indexes: OrderedDict[Ref, _Index] = OrderedDict()
        self._queue: OrderedDict[Ref, None] = OrderedDict()
        self._made: OrderedDict[object, Files] = OrderedDict()  # what a folder declares, by what is in it
        self._task: asyncio.Task[None] | None = None

    def locate(self, row: Row, application: Ref) -> str:
        """The file that declares an object of this Application, "" as long as or because it is not known."""
        app = self._store.get(application)
        kind = KINDS.get(row.ref.resource)
        if app is None or kind is None:
            return ""
        held = self._indexes.get(application)
        room = application in self._indexes or len(self._indexes) + len(self._queue) < MOST
        if room and (held is None or held.stamp != _stamp(app)):
            self._queue[application] = None
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._read(), name="source files")
        places = held.files.get((kind.group, kind.kind, row.ref.name), ()) if held is not None else ()
        wanted = row.ref.namespace
        return next((file for namespace, file in reversed(places) if wanted in ("", namespace)), "")

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        while self._queue:
            ref, _ = self._queue.popitem(last=False)
            app = self._store.get(ref)
            if app is None:
                self._indexes.pop(ref, None)
                continue
            before = self._indexes.get(ref)
            files = await self._files(app)
            self._indexes[ref] = _Index(_stamp(app), files)
            if files != (before.files if before is not None else {}):
                self._changed()
            await asyncio.sleep(PAUSE)

    async def _files(self, app: Row) -> Files:
        """What the sources of an Application declare; the last one wins, as in Argo CD."""
        found: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = {}
        for plan in sources.plans(app.manifest()):
            try:
                made = await self._plan(plan)
            except Trouble:
                continue  # it cannot be read now: the folder is what is known
            for key, places in made.items():
                found[key] = found.get(key, ()) + places
        return found

    async def _plan(self, plan: SourcePlan) -> Files:
        repository = await self._locator.here(plan.repo_url)
        if repository is None or plan.chart:
            return {}
        folder = tuple(await repository.entries(plan.revision or "HEAD", plan.path))
        built = any(name in KUSTOMIZATIONS for name, _, _ in folder)  # of files outside the folder too
        commit = await repository.resolve(plan.revision or "HEAD") if built else ""
        rules = (plan.tool, plan.recurse, plan.include, plan.exclude, plan.destination_namespace)
        key = (repository.key, plan.path, folder, commit, rules)
        if (known := self._made.get(key)) is not None:
            return known
        read = await self._locator.texts(plan, MOST_FILES)
        made = await asyncio.to_thread(declared, read[0], read[1]) if read is not None else {}
        self._made[key] = made
        if len(self._made) > MOST:
            self._made.popitem(last=False)
        return made


def declared(plan: SourcePlan, texts: Mapping[str, str]) -> Files:
    """What plain manifests declare, by (group, kind, name); {} for what must be rendered first."""
    if plan.tool not in ("directory", "kustomize"):
        return {}
    found: dict[tuple[str, str, str], tuple[tuple[str, str], ...]] = {}
    for file in sorted(texts):
        text = texts[file]
        if SKIP in text or not file.endswith((".yaml", ".yml", ".json")):
            continue
        try:
            held = [document for document, _ in entries(text) if document.kind and document.name]
        except Refused:  # too large to be read for a column
            continue
        for document in held:
            key = (document.group, document.kind, document.name)
            found[key] = (*found.get(key, ()), (document.namespace or plan.destination_namespace, file))
    return found


def _stamp(app: Row) -> object:
    """What the files of an Application follow from: its sources, and the commits they were compared with."""
    return argo.sources(app.obj), argo.revisions(app.obj.status.sync)
