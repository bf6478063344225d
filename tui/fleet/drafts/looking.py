"""What the screen of a draft shows: in each repository its files, picked or not, its commits and their patches."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui.domain.drafts.model import Change, Draft
from tui.domain.ports import DraftRepository
from tui.fleet.draftrows import Listed
from tui.fleet.drafts.book import Book

PICKED, OPEN = "picked", "open"  # the sides of an edit: what the next commit takes, and what it leaves


class FileView(msgspec.Struct, frozen=True):
    """A file with edits that are not committed. With nothing picked in the draft a commit takes all of them."""

    path: str
    picked: Change | None = None  # between the newest commit and what was picked
    open: Change | None = None  # between that and all edits
    unsaved: bool = False  # text was typed into it and not saved

    @property
    def change(self) -> Change | None:
        """One of the two changes, to name the file by."""
        return self.open or self.picked


class CommitView(msgspec.Struct, frozen=True):
    """One commit of a draft. Texts may be foreign."""

    oid: str
    subject: str
    parent: str
    pushed: bool = False  # the remote has it


class PartView(msgspec.Struct, frozen=True):
    """A draft in one repository."""

    listed: Listed
    files: tuple[FileView, ...] = ()
    commits: tuple[CommitView, ...] = ()  # newest first

    @property
    def draft(self) -> Draft:
        """The stored draft."""
        return self.listed.draft

    @property
    def staged(self) -> str:
        """The commit that holds what was picked; the newest commit when nothing was."""
        return self.draft.index or self.draft.tip


class Looking(Book):
    """Reading for the screen of a draft."""

    async def look(self, draft: Draft | str) -> Sequence[PartView]:
        """A draft with its files and commits, one part a repository, oldest part first."""
        made = []
        for repository, held in await self.parts(draft, trash=isinstance(draft, Draft) and draft.dropped):
            listed = await self._derive(repository, held)
            made.append(PartView(listed, await _files(repository, held), _commits(listed)))
        return made

    async def patch(self, draft: Draft, old: str, new: str) -> str:
        """Git's patch between two commits of the part that `draft` is; "" when there is none."""
        repository = await self.repositories.open(draft.repo)
        return (await repository.diff(old, new))[1]


async def _files(repository: DraftRepository, draft: Draft) -> tuple[FileView, ...]:
    staged = draft.index or draft.tip
    picked = {change.path: change for change in await repository.changes(draft.tip, staged)}
    left = {change.path: change for change in await repository.changes(staged, draft.head)}
    paths = sorted({*picked, *left, *draft.unsaved})
    return tuple(FileView(path, picked.get(path), left.get(path), path in draft.unsaved) for path in paths)


def _commits(listed: Listed) -> tuple[CommitView, ...]:
    draft = listed.draft
    ids = [oid for oid, _ in listed.commits]
    reached = ids.index(draft.pushed) if draft.pushed in ids else -1
    parents = [draft.base, *ids]
    made = [
        CommitView(oid, subject, parents[at], at <= reached or bool(listed.standing.landed))
        for at, (oid, subject) in enumerate(listed.commits)
    ]
    return tuple(reversed(made))
