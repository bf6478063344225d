"""A stream of manifests, or a list of operations, applied to a draft as one step of undo."""

from __future__ import annotations

import asyncio

import msgspec

from tui.domain import yamledit
from tui.domain.drafts.model import Content, Draft, Operation
from tui.domain.drafts.told import operations
from tui.domain.objects import applying, listing
from tui.domain.objects import files as filework
from tui.domain.objects import new as newobject
from tui.domain.objects.applying import Given, Step
from tui.domain.objects.files import Work
from tui.domain.ports import DraftRepository, Refused
from tui.fleet.drafts import filing
from tui.fleet.drafts.filing import Filing, Planned


class Applying(Filing):
    """What `apply` does."""

    async def plan_apply(
        self, draft: Draft, text: str, *, into: str | None = None, merge: bool = False, under: str = ""
    ) -> Planned:
        """Every object of a stream put where a file below the folder `under` declares it; new ones into the folder
        `into`. Or, when the stream is a list, the operations in it done to the files they name.

        Raises Refused for objects that nothing declares (without `into`) or several files do, Missing for files.
        """
        repository = await self.repository(draft.repo)
        objects, steps = await asyncio.to_thread(filing.do, applying.read, text)
        sheet = _Sheet(repository, draft.head)
        new: list[Given] = []
        for given in objects:
            found = await self._declaring(repository, draft, given, under)
            if found is None:
                new.append(given)
                continue
            held, doc = found
            before = await sheet.text(held.path)
            sheet.texts[held.path] = await asyncio.to_thread(filing.do, applying.put, before, doc, given.value, merge)
        if new and into is None:
            names = ", ".join(given.words for given in new)
            raise Refused(f"no file{' below ' + under if under else ''} declares {names}: say into which folder")
        for step in steps:
            sheet.texts[step.file] = filing.do(_done, await sheet.text(step.file), step)
        told = [each for path, after in sheet.texts.items() for each in _told(path, sheet.contents[path].text, after)]
        notes: list[str] = []
        for given in new:
            path = f"{(into or '').strip('/')}/{newobject.file_name(given.kind, given.name)}".lstrip("/")
            planned = await self.plan_create(
                draft.repo, path, given.text, Operation(path, object=given.words), draft=draft
            )
            for file, made in planned.work.files.items():
                if file == path:
                    sheet.new[file] = made or ""
                else:  # a kustomization: it may have been changed above
                    before = await sheet.text(file)
                    sheet.texts[file] = filing.do(listing.listed, file, before, path).text
            told += planned.work.operations
            notes += planned.work.notes
        files: dict[str, str | None] = {**sheet.texts, **sheet.new}
        over = {path: content.oid for path, content in sheet.contents.items()} | dict.fromkeys(sheet.new, "")
        return Planned(draft.repo, draft.target, draft.head, Work(files, tuple(told), tuple(notes)), over)

    async def _declaring(
        self, repository: DraftRepository, draft: Draft, given: Given, under: str
    ) -> tuple[Content, int] | None:
        """The document that declares an object; None when none does. Patches of kustomizations do not count."""
        paths = await repository.search(draft.head, [given.name], filing.MANIFESTS, under)
        found: list[tuple[Content, int]] = []
        for content in await filing.read_all(repository, draft.head, paths):
            for document in yamledit.documents(content.text):
                if not document.problem and applying.declares(document, given):
                    found.append((content, document.index))
        if len(found) > 1:
            found = [each for each in found if not await self._is_patch(repository, draft, each[0].path)]
        if len(found) > 1:
            places = ", ".join(f"{content.path}#{doc}" for content, doc in found)
            raise Refused(f"{given.words} is declared in {len(found)} places, say below which folder: {places}")
        return found[0] if found else None

    async def _is_patch(self, repository: DraftRepository, draft: Draft, path: str) -> bool:
        for content in await self._listing(repository, draft.head, path):
            found = filing.do(listing.entries, content.path, content.text, path)
            if any(entry.path[0] in ("resources", "bases") for entry in found):
                return False
            if found:
                return True
        return False


class _Sheet:
    """The files that are being worked on: as read, as they are to be, and new ones."""

    def __init__(self, repository: DraftRepository, revision: str) -> None:
        self.repository = repository
        self.revision = revision
        self.contents: dict[str, Content] = {}
        self.texts: dict[str, str] = {}
        self.new: dict[str, str] = {}

    async def text(self, path: str) -> str:
        """The text as it is by now. Raises Missing."""
        if path not in self.texts:
            self.contents[path] = await self.repository.read(self.revision, path)
            self.texts[path] = self.contents[path].text
        return self.texts[path]


def _done(text: str, step: Step) -> str:
    try:
        return applying.do(text, step)
    except yamledit.Refused as error:
        raise error.at(step.file) from None


def _told(path: str, before: str, after: str) -> list[Operation]:
    if before == after:
        return []
    found = []
    for each in operations(Operation(path), before, after):
        document = yamledit.documents(after)[int(each.doc)] if each.doc else None
        found.append(msgspec.structs.replace(each, object=filework.label(document) if document else ""))
    return found
