"""Drafts made and changed: new files and texts, commits, taking back and doing again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.domain import giturl
from tui.domain.drafts import model
from tui.domain.drafts.model import Change, Content, Draft, Operation
from tui.domain.ports import DraftRepository, Missing, Refused
from tui.fleet.drafts.book import FETCH_AGAIN, Book, Progress


class Editing(Book):
    """What a user does to the content of drafts."""

    async def new(
        self,
        title: str,
        repo: str,
        target: str = "",
        *,
        clone: bool = False,
        base: str = "",
        fetch: bool = False,
        progress: Progress | None = None,
    ) -> Draft:
        """A new draft of a remote (URL, or path of a clone) for a branch; "" is the remote's default branch.

        It starts from the branch as of the last fetch, with `fetch` as the remote has it now if it answers, or from
        `base`: the `commit` of the Content that an edit began with.
        """
        repository = await self.repository(repo, clone=clone, progress=progress)
        if fetch and self._clock() - self._fetched.get(repository.key, 0.0) > FETCH_AGAIN:
            await self._freshen(repository, progress)
        title = model.one_line(title) or "draft"
        target = await self._target(repository, target)
        opened, _ = await self.repositories.existing()
        taken = {draft.name for other in opened for draft in (await other.drafts())[0]}
        return await self._after(await repository.create(title, target, model.slug(title, taken), base=base))

    async def extend(
        self, draft: Draft | str, repo: str, target: str = "", *, clone: bool = False, base: str = ""
    ) -> Draft:
        """The part of a draft in another repository, made when there is none yet; arguments as in `new`."""
        repository = await self.repository(repo, clone=clone)
        found = await self.parts(draft)
        for other, held in found:
            if other.key == repository.key:
                return held
        first = found[0][1]
        target = await self._target(repository, target)
        return await self._after(await repository.create(first.title, target, first.name, first.id, base))

    async def _target(self, repository: DraftRepository, target: str) -> str:
        if target in ("", "HEAD"):
            target = await repository.default_branch()
        if not target:
            raise Refused("the remote's default branch is not known; name the branch")
        branches = await repository.branches()
        if not branches:  # the remote is empty, or was when the clone was made
            await self._fetch(repository)
            branches = await repository.branches()
        if branches and target not in branches:
            raise Missing(f"{target} is not a branch of {giturl.shown(repository.url)} as of the last fetch")
        return target

    async def read(self, repo: str, revision: str, path: str) -> Content:
        """A text file of a remote at a revision. Raises Missing when it is not there."""
        return await (await self.repository(repo)).read(revision, path)

    async def open(self, draft: Draft | str, path: str, *, repo: str = "") -> Content:
        """A text file as it is in a draft. Raises Missing when it is not there."""
        repository, held = await self.find(draft, repo=repo, path=path)
        return await repository.read(held.head, path)

    async def edit(
        self,
        draft: Draft | str,
        path: str,
        text: str,
        operations: Sequence[Operation] = (),
        over: str | None = None,
        *,
        repo: str = "",
    ) -> Draft:
        """Stage the new text of one file. `over` is the `oid` of the Content that was edited ("" = a new file)."""
        try:
            files = {path: text.encode("utf-8")}
        except UnicodeEncodeError as error:
            raise Refused(f"{path} cannot be written as UTF-8: {error.reason} at {error.start}") from error
        known = None if over is None else {path: over}
        return await self.edit_files(draft, files, operations, known, repo=repo)

    async def edit_files(
        self,
        draft: Draft | str,
        files: Mapping[str, bytes | None],
        operations: Sequence[Operation] = (),
        over: Mapping[str, str] | None = None,
        *,
        repo: str = "",
    ) -> Draft:
        """Stage several files of one repository as one step of undo; None removes a file."""
        repository, held = await self.find(draft, repo=repo, path=next(iter(files), ""))
        return await self._after(await repository.edit(held.id, files, operations, over))

    async def undo(self, draft: Draft | str) -> Draft:
        """Back to before the last thing done to a draft, in whichever repository that was."""
        found = await self.parts(draft)
        repository, held = max(found, key=lambda part: (bool(part[1].undo), part[1].done_at))
        return await self._after(await repository.undo(held.id))

    async def redo(self, draft: Draft | str) -> Draft:
        """What the last undo took back."""
        found = await self.parts(draft)
        repository, held = max(found, key=lambda part: (bool(part[1].redo), part[1].at))
        return await self._after(await repository.redo(held.id))

    async def drop(self, draft: Draft | str) -> Draft:
        """Put a draft into the trash, where it keeps everything."""
        done = [await repository.drop(held.id) for repository, held in await self.parts(draft)]
        return await self._after(done[0])

    async def restore(self, draft: Draft | str) -> Draft:
        """Take a draft out of the trash; it gets another name when its own has been taken."""
        found = await self.parts(draft, trash=True)
        opened, _ = await self.repositories.existing()
        others = [other for place in opened for other in (await place.drafts())[0]]
        taken = {other.name for other in others if other.id != found[0][1].id}  # parts of its own may be open
        name = found[0][1].name
        done = []
        for repository, dropped in found:
            held = await repository.restore(dropped.id)
            done.append(held if name not in taken else await repository.update(held.id, name=model.slug(name, taken)))
        return await self._after(done[0])

    async def diff(
        self, draft: Draft | str, *, open_only: bool = False, picked: bool = False
    ) -> tuple[Sequence[Change], str]:
        """The files and git's diff of a draft: against its base, or only what is not committed yet, or `picked` of it.

        A line names the repository before each patch when there are several.
        """
        changes: list[Change] = []
        patches: list[str] = []
        found = await self.meant(draft)
        for repository, held in found:
            ends = (held.tip, held.index or held.tip) if picked else (held.tip if open_only else held.base, held.head)
            files, patch = await repository.diff(*ends)
            changes += files
            if patch and len(found) > 1:
                patches.append(f"repository {giturl.shown(repository.url)}\n")
            patches.append(patch)
        return changes, "".join(patches)
