"""Which Applications the files of a draft reach, from the rows of the store and the folders of its repository."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import NamedTuple

from tui.domain.argo import application as argo
from tui.domain.argo.application import RESOURCE
from tui.domain.argo.reach import Files, Use, Why, matched, parent, repository_key, uses
from tui.domain.drafts.model import Change, Draft
from tui.domain.obj import Ref, Row
from tui.domain.ports import DraftRepository, Missing, Trouble
from tui.domain.source.leads import NOWHERE, TOLD_BY, Leads, leads, outside
from tui.store import Store

PORTION = 500  # Applications looked at before other work gets its turn
MOST_FOLDERS = 5_000  # of one repository that are asked where they lead to
_LEADING = ("kustomize", "helm", "unknown")  # tools whose folders lead to others


class Reached(NamedTuple):
    """An Application that takes files of a draft from its target branch, and the commit it was last compared with."""

    row: Row
    revision: str
    why: dict[str, Why]  # by file

    @property
    def name(self) -> str:
        """`namespace/name`, as the event tail has it."""
        return f"{self.row.ref.namespace}/{self.row.ref.name}"


class Found(NamedTuple):
    """All Applications that are reached, and what could not be found out, one line each."""

    reached: list[Reached]
    unknown: tuple[str, ...]


async def portions(store: Store) -> AsyncIterator[Sequence[Row]]:
    """All Applications, a few hundred at a time, so that the loop can do other things in between."""
    rows = list(store.rows(RESOURCE))
    for start in range(0, len(rows), PORTION):
        yield rows[start : start + PORTION]
        await asyncio.sleep(0)


def branch_of(revision: str, default: str) -> str:
    """The branch a targetRevision means; a tag or commit gives itself, which is no branch's name."""
    return default if revision in ("", "HEAD") else revision.removeprefix("refs/heads/")


def paths_of(changes: Iterable[Change]) -> list[str]:
    """The paths of changed files, of renamed ones both."""
    return [name for change in changes for name in (change.path, change.old_path) if name]


class Reach:
    """Remembers what it has read of Applications and folders. Belongs to one event loop."""

    def __init__(self) -> None:
        self._uses: dict[Ref, tuple[Row, tuple[Use, ...]]] = {}
        self._folders: dict[str, tuple[str, dict[str, Leads]]] = {}  # repository key -> commit, leads by folder

    async def reached(
        self, store: Store, repository: DraftRepository, draft: Draft, changes: Sequence[Change]
    ) -> Found:
        """Every Application whose source may be changed by these files, or that an edit of the draft was made for."""
        files = Files(paths_of(changes))
        key, default = repository_key(draft.repo), await repository.default_branch()
        mine: list[tuple[Row, list[Use]]] = []
        async for rows in portions(store):
            mine += await asyncio.to_thread(self._mine, rows, key, draft.target, default)
        if len(self._uses) > 2 * store.count(RESOURCE) + PORTION:
            self._uses = {row.ref: self._uses[row.ref] for row, _ in mine if row.ref in self._uses}
        led, unknown = await self._led(repository, draft, files, [use for _, found in mine for use in found])
        named = {operation.application: operation.file for operation in draft.ops if operation.application}
        found: list[Reached] = []
        for start in range(0, len(mine), PORTION):
            found += await asyncio.to_thread(_matching, mine[start : start + PORTION], files, led, named)
        return Found(found, unknown)

    def _mine(self, rows: Iterable[Row], key: str, target: str, default: str) -> list[tuple[Row, list[Use]]]:
        """The Applications that take anything from a branch of a repository; the rest is not decoded."""
        found = []
        for row in rows:
            if not any(repository_key(source.repo_url) == key for source in argo.sources(row.obj)):
                continue
            held = self._uses.get(row.ref)
            if held is None or held[0] is not row:
                held = self._uses[row.ref] = row, uses(row.manifest() or row.obj)
            here = [use for use in held[1] if use.repo == key and branch_of(use.revision, default) == target]
            if here:
                found.append((row, here))
        return found

    # -- folders that lead to others --------------------------------------------------------------------------------

    async def _led(
        self, repository: DraftRepository, draft: Draft, files: Files, every: Iterable[Use]
    ) -> tuple[dict[tuple[str, tuple[str, ...]], set[str]], tuple[str, ...]]:
        """What the folders of sources lead to outside themselves, by (path, components); and what is not known."""
        wanted = {
            (use.path, use.components)
            for use in every
            if use.path and use.tool in _LEADING and len(files.at(use.path)) < len(files.paths)
        }
        if not wanted:
            return {}, ()
        unknown: dict[str, None] = {}
        try:
            commit, said = await self._known(repository, draft)
            edited = await _edited(repository, draft.head, files, commit, said)
        except Trouble as error:
            return {}, (f"which bases are used is not known: {error}",)
        led: dict[tuple[str, tuple[str, ...]], set[str]] = {}
        for path, components in sorted(wanted):
            while True:
                found, asked = outside(path, components, ChainMap(edited, said))
                if not asked:
                    break
                if len(said) >= MOST_FOLDERS:
                    unknown[f"only {MOST_FOLDERS:,} folders were asked for the bases they use"] = None
                    break
                for folder in asked:
                    said[folder] = await read_leads(repository, commit, folder)
            led[path, components] = found
            unknown |= {said[at].problem: None for at in (path, *found) if at in said and said[at].problem}
        return led, tuple(unknown)

    async def _known(self, repository: DraftRepository, draft: Draft) -> tuple[str, dict[str, Leads]]:
        """(commit, leads by folder) of the target branch; when it has moved, of those that have not changed."""
        branches = await repository.branches()
        commit = branches.get(draft.target, draft.base)
        before = self._folders.get(repository.key)
        if before is not None and before[0] == commit:
            return before
        said: dict[str, Leads] = {}
        if before is not None:
            moved = {parent(path) for path in paths_of(await repository.changes(before[0], commit))}
            said = {folder: held for folder, held in before[1].items() if folder not in moved}
        self._folders[repository.key] = commit, said
        return commit, said


async def _edited(
    repository: DraftRepository, head: str, files: Files, commit: str, said: dict[str, Leads]
) -> dict[str, Leads]:
    """The folders whose kustomization or chart a draft changes: what they lead to before and after."""
    made: dict[str, Leads] = {}
    for folder in {parent(path) for path in files.paths if path.rpartition("/")[2] in TOLD_BY}:
        if folder not in said:
            said[folder] = await read_leads(repository, commit, folder)
        was, now = said[folder], await read_leads(repository, head, folder)
        made[folder] = Leads(
            tuple(dict.fromkeys((*was.resources, *now.resources))),
            tuple(dict.fromkeys((*was.files, *now.files))),
            tuple(dict.fromkeys((*was.patches, *now.patches))),
            was.problem or now.problem,
        )
    return made


async def read_leads(repository: DraftRepository, commit: str, folder: str) -> Leads:
    """What the kustomization and the chart of a folder lead to; NOWHERE when it has neither or is no folder."""
    try:
        names = [name for name, _, _ in await repository.entries(commit, folder) if name in TOLD_BY]
    except Missing:
        return NOWHERE
    texts = {}
    for name in names:
        try:
            texts[name] = (await repository.read(commit, f"{folder}/{name}" if folder else name)).text
        except Trouble as error:
            return Leads(problem=f"{folder}/{name}: {error}")
    return await asyncio.to_thread(leads, folder, texts) if texts else NOWHERE


def _matching(
    mine: Iterable[tuple[Row, Sequence[Use]]],
    files: Files,
    led: dict[tuple[str, tuple[str, ...]], set[str]],
    named: dict[str, str],
) -> list[Reached]:
    """The Applications that the files touch."""
    found = []
    for row, every in mine:
        why: dict[str, Why] = {}
        revision = ""
        for use in every:
            hits = matched(use, files, _places(use, led))
            if hits and not why:
                revision = use.compared
            why = {**hits, **why}
        about = named.get(f"{row.ref.namespace}/{row.ref.name}") or named.get(row.ref.name)
        if about and not why:
            why[about] = "edit"
            revision = every[0].compared
        if why:
            found.append(Reached(row, revision, why))
    return found


def _places(use: Use, led: dict[tuple[str, tuple[str, ...]], set[str]]) -> Collection[str]:
    return led.get((use.path, use.components), ()) if use.path else ()
