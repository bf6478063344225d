"""Back to what was deployed: the files of an Application's sources as they were, as a commit of a draft."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui.domain.drafts import model
from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Change, Draft, Operation
from tui.domain.ports import Clashing, Refused, Trouble
from tui.fleet.drafts.committing import Committing
from tui.fleet.drafts.editing import Editing

MOST_NAMED = 30  # undone commits that the message names


class Source(msgspec.Struct, frozen=True):
    """One source in Git: `paths` ("" is the whole repository) are to be as they were at `revision`."""

    repo: str
    revision: str
    paths: tuple[str, ...]
    target: str = ""  # branch it follows; "" = the default branch


class Back(msgspec.Struct, frozen=True):
    """What going back means in one repository. Nothing has been done: see `Reverting.revert`."""

    repo: str
    target: str
    base: str  # commit of the target that it was worked out on
    revision: str  # the commit to go back to
    subject: str  # of that commit
    paths: tuple[str, ...]
    files: tuple[Change, ...]  # from the base to there
    undone: tuple[tuple[str, str], ...]  # (id, subject) of the commits since, newest first


class Reverting(Committing, Editing):
    """Earlier revisions drafted again."""

    async def plan_revert(self, sources: Sequence[Source], *, fetch: bool = True) -> list[Back]:
        """What differs between the target branches and the revisions below the paths, a `Back` per repository.

        Raises Trouble when a revision is not here, Refused when nothing differs.
        """
        found: list[Back] = []
        for source in sources:
            repository = await self.repository(source.repo)
            if fetch:
                await self._freshen(repository)
            target = await self._target(repository, source.target)
            base = await repository.resolve(target)
            revision = await repository.resolve(source.revision)
            files = [change for change in await repository.changes(base, revision) if _touches(source.paths, change)]
            if not files:
                continue
            subject = (await repository.about(revision)).subject
            undone = await repository.log(revision, base, source.paths)
            found.append(
                Back(repository.url, target, base, revision, subject, source.paths, tuple(files), tuple(undone))
            )
        if not found:
            names = ", ".join(source.revision[:10] for source in sources)
            raise Refused(f"what is declared now is what {names} has: there is nothing to revert")
        return found

    async def revert(
        self, name: str, backs: Sequence[Back], about: Operation, draft: Draft | str | None = None
    ) -> Draft:
        """Do what was planned and commit it, one commit in each repository: `name` is what the message says was
        reverted. In a draft that has edits which are not committed, it is staged beside them and not committed."""
        title = f"Revert {name} to {backs[0].revision[:7]}"
        for back in backs:
            if draft is None:
                part = await self.new(title, back.repo, back.target, base=back.base)
            else:
                part = await self.extend(draft, back.repo, back.target, base=back.base)
            repository, _ = await self.find(part)
            before = part.dirty
            part = await self._after(await repository.bring_back(part.id, back.revision, back.paths, about))
            if not before and part.dirty:
                part = await self.commit(part, message(name, back))
            draft = part if draft is None else draft
        return (await self.show(draft.id if isinstance(draft, Draft) else draft or "")).draft

    async def revert_commit(
        self, repo: str, revision: str, paths: Sequence[str], about: Operation, *, target: str = "",
        draft: Draft | str | None = None,
    ) -> Draft:  # fmt: skip
        """A draft with the opposite of one commit, limited to `paths`, and committed; when it has other edits, staged.

        Raises Clashing when the target has changed the same since; no draft is made then.
        """
        repository = await self.repository(repo)
        commit = await repository.resolve(revision)
        info = await repository.about(commit)
        fresh = draft is None
        if draft is None:
            part = await self.new(f"Revert {info.subject}", repo, target)
        else:
            part = await self.extend(draft, repo, target)
        before = part.dirty
        clashes: Sequence[Clash] = ()
        try:
            done, clashes = await repository.take_back(part.id, commit, list(paths), about)
            if clashes:
                raise Clashing(f"what {commit[:10]} did has been changed since", tuple(clashes))
            if done.state == part.state:
                raise Refused(f"nothing of {commit[:10]} is left to revert there")
        except Trouble:
            if fresh:
                await repository.drop(part.id)
            raise
        done = await self._after(done)
        if before:
            return done
        text = f'Revert "{model.one_line(info.subject)}"\n\nThis reverts commit {commit}{_where(paths)}.\n'
        return await self.commit(done, text)


def message(name: str, back: Back) -> str:
    """`Revert web to 1a2b3c4: its subject`, then the commits that are undone."""
    subject = model.one_line(f"Revert {name} to {back.revision[:7]}: {back.subject}")
    lines = [f"Undone below {_paths(back.paths)}:", ""]
    lines += [f"- {oid[:10]} {model.one_line(text)}" for oid, text in back.undone[:MOST_NAMED]]
    if len(back.undone) > MOST_NAMED:
        lines.append(f"- and {len(back.undone) - MOST_NAMED} more")
    return "\n".join([subject, "", *lines]) + "\n" if back.undone else subject + "\n"


def _where(paths: Sequence[str]) -> str:
    return "" if "" in paths else f" below {_paths(paths)}"


def _paths(paths: Sequence[str]) -> str:
    return ", ".join(path or "the root" for path in paths)


def _touches(paths: Sequence[str], change: Change) -> bool:
    """Whether a change is at one of the paths or below it."""
    files = [path for path in (change.path, change.old_path) if path]
    return "" in paths or any(file == path or file.startswith(path + "/") for file in files for path in paths)
