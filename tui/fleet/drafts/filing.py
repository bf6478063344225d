"""Files and objects of drafts made, removed and renamed: planned on what Git has, done as one step of undo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar

import msgspec

from tui.domain import yamledit
from tui.domain.drafts.model import Content, Draft, Operation
from tui.domain.objects import files as filework
from tui.domain.objects import listing
from tui.domain.objects.files import Work
from tui.domain.ports import DraftRepository, Missing, Refused, Trouble
from tui.domain.source.planning import KUSTOMIZATIONS
from tui.fleet.drafts.editing import Editing

P = ParamSpec("P")
T = TypeVar("T")
MANIFESTS = ("*.yaml", "*.yml", "*.json")
MOST_READ = 200  # files that are looked through for references to an object


class Planned(msgspec.Struct, frozen=True):
    """What is to be done where: see `Filing.carry_out`. `over` are the contents it was worked out on."""

    repo: str
    target: str  # branch that a new draft of it would be for
    base: str  # commit it was worked out on
    work: Work
    over: dict[str, str]


class Filing(Editing):
    """What a user does to whole files and objects. `draft` is what is looked at; without one, the target branch is."""

    templates: Callable[[], Mapping[str, str]] = staticmethod(dict)
    """The user's own templates of new objects, name -> text. Blocks; raises ValueError when they cannot be read."""

    async def plan_create(
        self, repo: str, path: str, text: str, about: Operation, *, target: str = "", draft: Draft | None = None,
        append: bool = False, source: str | None = None,
    ) -> Planned:  # fmt: skip
        """A new file, listed by the kustomization that must list it; with `append` in a file that may be there already.

        That is the one in its own folder, or the nearest above it that lists files beside or below it; or, when
        `source` is the path of the Application it is for, the nearest one up to there. Raises Refused.
        """
        repository, target, revision = await self._look(repo, target, draft)
        if append and (held := await _content(repository, revision, path)) is not None:
            return _planned(repository, target, revision, do(filework.append, path, held.text, text, about), [held])
        names = await _names(repository, revision, path)
        path = do(filework.check_path, path, names)
        listings = [] if listing.is_kustomization(path) else await _nearest(repository, revision, path, names, source)
        chart = next((folder for folder in _folders(path) if "Chart.yaml" in names.get(folder, ())), None)
        texts = {content.path: content.text for content in listings}
        work = await asyncio.to_thread(do, filework.create, path, text, about, texts, chart)
        return _planned(repository, target, revision, work, listings, {path: ""})

    async def plan_removal(
        self, repo: str, path: str, about: Operation, *, doc: int | None = None, item: str = "", target: str = "",
        draft: Draft | None = None,
    ) -> Planned:  # fmt: skip
        """An object of a file gone, or without `doc` the whole file, and every entry of a kustomization that names it.

        Raises Missing, Refused. Notes tell who else mentions the object.
        """
        repository, target, revision = await self._look(repo, target, draft)
        held = await repository.read(revision, path)
        listings = await self._listing(repository, revision, path)
        texts = {content.path: content.text for content in listings}
        if doc is None:
            work = await asyncio.to_thread(do, filework.remove_file, path, held.text, about, texts)
        else:
            work = await asyncio.to_thread(do, filework.remove_object, path, held.text, doc, about, texts, item)
            work = await self._with_mentions(repository, revision, work, held, doc)
        return _planned(repository, target, revision, work, [held, *listings])

    async def plan_move(
        self, repo: str, path: str, new: str, about: Operation, *, target: str = "", draft: Draft | None = None
    ) -> Planned:
        """A file at another path; kustomizations that name it and Applications' `valueFiles` follow.

        Raises Missing, Refused.
        """
        repository, target, revision = await self._look(repo, target, draft)
        held = await repository.read(revision, path)
        new = do(filework.check_path, new, await _names(repository, revision, new))
        listings = await self._listing(repository, revision, path)
        values = []
        if found := await repository.search(revision, ["valueFiles"], MANIFESTS):
            values = [content for content in await read_all(repository, revision, found) if _base(path) in content.text]
        texts, others = ({content.path: content.text for content in part} for part in (listings, values))
        work = await asyncio.to_thread(do, filework.rename_file, path, new, held.text, about, texts, others)
        return _planned(repository, target, revision, work, [held, *listings, *values], {new: ""})

    async def plan_rename(
        self, repo: str, path: str, doc: int, name: str, about: Operation, *, target: str = "",
        draft: Draft | None = None,
    ) -> Planned:  # fmt: skip
        """Another name for an object. Who mentions the old one is told in the notes and not changed.

        Raises Missing, Refused.
        """
        repository, target, revision = await self._look(repo, target, draft)
        held = await repository.read(revision, path)
        work = do(filework.rename_object, path, held.text, doc, name, about)
        work = await self._with_mentions(repository, revision, work, held, doc)
        return _planned(repository, target, revision, work, [held])

    async def carry_out(self, planned: Planned, draft: Draft | str | None, title: str = "") -> Draft:
        """Do what was planned, as one step of undo: in a draft, or in a new one when there is none.

        Raises Moved when a file has changed since.
        """
        work = planned.work
        if draft is None:
            draft = await self.new(title, planned.repo, planned.target, base=planned.base)
        files: dict[str, bytes | None] = {}
        for path, text in work.files.items():
            files[path] = None if text is None else text.encode("utf-8")
        now = self._clock()
        told = [msgspec.structs.replace(operation, at=now) for operation in work.operations]
        return await self.edit_files(draft, files, told, planned.over, repo=planned.repo)

    # -- inside ---------------------------------------------------------------------------------------------------

    async def _look(self, repo: str, target: str, draft: Draft | None) -> tuple[DraftRepository, str, str]:
        """(repository, target branch, commit that is looked at)."""
        repository = await self.repository(repo)
        if draft is not None:
            held = await repository.draft(draft.id)
            return repository, held.target, held.head
        target = await self._target(repository, target)
        return repository, target, await repository.resolve(target)

    async def _listing(self, repository: DraftRepository, revision: str, path: str) -> list[Content]:
        """The kustomizations of the whole repository that name a file."""
        words = [_base(path)]
        if listing.is_kustomization(path) and (folder := listing.folder_of(path)):
            words = [_base(folder)]
        found = await repository.search(revision, words, KUSTOMIZATIONS)
        held = [content for content in await read_all(repository, revision, found) if content.path != path]
        return [content for content in held if _lists(content, path)]

    async def _with_mentions(
        self, repository: DraftRepository, revision: str, work: Work, held: Content, doc: int
    ) -> Work:
        document = yamledit.documents(held.text)[doc]
        if not document.name:
            return work
        found = await repository.search(revision, [document.name], MANIFESTS, _scope(held.path))
        texts = {content.path: content.text for content in await read_all(repository, revision, found[:MOST_READ])}
        for path in texts.keys() & work.files.keys():
            texts[path] = work.files[path] or ""
        skip = [] if held.path in work.files and work.operations[0].op == "remove" else [(held.path, doc)]
        lines = await asyncio.to_thread(filework.mentions, texts, document.kind, document.name, skip)
        return msgspec.structs.replace(work, notes=(*work.notes, *(f"also mentions it: {line}" for line in lines)))


def _planned(
    repository: DraftRepository, target: str, base: str, work: Work, read: Sequence[Content],
    new: Mapping[str, str] = {},
) -> Planned:  # fmt: skip
    over = {content.path: content.oid for content in read if content.path in work.files} | dict(new)
    return Planned(repository.url, target, base, work, over)


def do(make: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    """What a planner gives; what it refuses as Trouble."""
    try:
        return make(*arguments, **more)
    except yamledit.Refused as error:
        raise Refused(str(error)) from error


def _lists(content: Content, path: str) -> bool:
    try:
        return bool(listing.entries(content.path, content.text, path))
    except yamledit.Refused as error:
        raise Refused(f"{error.at(content.path)}: it may list {path}, and cannot be read") from error


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _scope(path: str) -> str:
    """The folder in which references to an object are looked for: the first one of its path."""
    return path.partition("/")[0] if "/" in path else ""


def _folders(path: str) -> list[str]:
    """The folders above a file, the nearest first, "" (the root) last."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:number]) for number in range(len(parts), -1, -1)]


async def _names(repository: DraftRepository, revision: str, path: str) -> dict[str, list[str]]:
    """The names in each folder on the way to a path, of those that exist."""
    out: dict[str, list[str]] = {}
    for folder in reversed(_folders(path.strip().strip("/"))):
        try:
            out[folder] = [name for name, _, _ in await repository.entries(revision, folder)]
        except Missing:
            break
    return out


async def _nearest(
    repository: DraftRepository, revision: str, path: str, names: Mapping[str, Sequence[str]], source: str | None
) -> list[Content]:
    """The kustomization that must list a new file, as `Filing.plan_create` says; [] when there is none."""
    own = listing.folder_of(path)
    for folder in _folders(path):
        for name in KUSTOMIZATIONS:
            if name not in names.get(folder, ()):
                continue
            held = await repository.read(revision, f"{folder}/{name}" if folder else name)
            inside = source is not None and (folder == source or folder.startswith(f"{source}/") or not source)
            if folder == own or inside or do(listing.lists_below, held.path, held.text, own):
                return [held]
            return []
    return []


async def _content(repository: DraftRepository, revision: str, path: str) -> Content | None:
    try:
        return await repository.read(revision, path)
    except Missing:
        return None


async def read_all(repository: DraftRepository, revision: str, paths: Sequence[str]) -> list[Content]:
    """The files that can be read as text."""
    out = []
    for path in paths:
        try:
            out.append(await repository.read(revision, path))
        except Trouble:
            continue  # encrypted or too large: nobody edits it here
    return out
