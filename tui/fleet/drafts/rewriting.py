"""What the next commit takes, and a draft's own commits made anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tui.domain.drafts import hunks, rewriting
from tui.domain.drafts.hunks import FilePatch
from tui.domain.drafts.model import Draft
from tui.domain.drafts.rewriting import EDITS, OwnCommit, Pick, Rewritten
from tui.domain.drafts.sending import CommitOptions
from tui.domain.ports import Clashing, DraftRepository, Missing, Refused
from tui.fleet.drafts.book import Part, Progress
from tui.fleet.drafts.committing import Committing

_Committed = tuple[DraftRepository, Draft, list[OwnCommit], OwnCommit]  # a part of a draft and a commit of it
Lines = Mapping[str, Collection[int]]  # path -> numbers of chosen lines in the patch text that was shown


class Rewriting(Committing):
    """Staging and rewriting. A `Draft` is what was shown: when it is another by now, `Moved` is raised.

    A commit is given by its id, the beginning of one, or its number in `log` (1 = oldest). Commits that do not go
    together raise `Clashing`, what makes no sense `Refused`.
    """

    # -- what the next commit takes -----------------------------------------------------------------------------------

    async def edited_part(self, draft: Draft | str, *paths: str, repo: str = "") -> Part:
        """The one part of a draft that files have been edited in, or that of `repo`; a `Draft` as it was shown."""
        if isinstance(draft, Draft):
            return (await self._parts(draft))[0]
        if repo:
            return await self.find(draft, repo=repo)
        found = await self.parts(draft)
        dirty = [part for part in found if part[1].dirty] or found
        fits = [part for part in dirty if set(paths) & set(await _names(*part))] or dirty
        if len(fits) > 1:
            raise Refused("the draft spans repositories; name a file that was edited in only one of them, or which one")
        return fits[0]

    async def unpicked(self, draft: Draft | str, *, path: str = "") -> str:
        """The patch of the edits that were not picked: what `stage_lines` and `discard_lines` choose from."""
        repository, held = await self.edited_part(draft, path)
        return (await repository.diff(held.index or held.tip, held.head))[1]

    async def picked(self, draft: Draft | str, *, path: str = "") -> str:
        """The patch of what was picked for the next commit; "" = nothing was, and it will take everything."""
        repository, held = await self.edited_part(draft, path)
        return (await repository.diff(held.tip, held.index))[1] if held.index else ""

    async def stage_files(self, draft: Draft | str, paths: Iterable[str] = ()) -> Draft:
        """Pick all edits of files for the next commit; without paths those of all files."""
        repository, held = await self.edited_part(draft, *paths)
        every = tuple(paths) or await _files(repository, held.tip, held.head)
        whole = await _with_sources(repository, held.tip, held.head, every)
        return await self._after(await repository.pick(held.id, {}, whole=whole, shown=_shown(draft)))

    async def stage_lines(self, draft: Draft | str, lines: Lines) -> Draft:
        """Pick lines of the patch that `unpicked` gives. A file that goes only as a whole is picked with any line."""
        repository, held = await self.edited_part(draft, *lines)
        old = held.index or held.tip
        contents, whole = await _contents(repository, old, held.head, lines, hunks.picked)
        return await self._after(await repository.pick(held.id, contents, whole=whole, shown=held))

    async def unstage(self, draft: Draft | str, paths: Iterable[str] = ()) -> Draft:
        """Pick files not any more; without paths none at all, so that the next commit takes everything.

        When nothing was picked, naming files leaves these out of the next commit and picks the others.
        """
        paths = tuple(paths)
        repository, held = await self.edited_part(draft, *paths)
        if not paths and not held.index:
            raise Refused("nothing is picked; the next commit takes all edits")
        every = paths or await _files(repository, held.tip, held.index)
        back = await _with_sources(repository, held.tip, held.head, every)
        return await self._after(await repository.pick(held.id, {}, back=back, shown=_shown(draft)))

    async def unstage_lines(self, draft: Draft | str, lines: Lines) -> Draft:
        """Pick lines of the patch that `picked` gives not any more."""
        repository, held = await self.edited_part(draft, *lines)
        if not held.index:
            raise Refused("nothing is picked; the next commit takes all edits")
        contents, back = await _contents(repository, held.tip, held.index, lines, hunks.left)
        return await self._after(await repository.pick(held.id, contents, back=back, shown=held))

    async def discard(self, draft: Draft | str, paths: Iterable[str]) -> Draft:
        """Take back all edits of files that are not committed. Undo brings them back."""
        paths = tuple(paths)
        repository, held = await self.edited_part(draft, *paths)
        whole = await _with_sources(repository, held.tip, held.head, paths)
        return await self._after(await repository.discard(held.id, {}, whole=whole, shown=_shown(draft)))

    async def discard_lines(self, draft: Draft | str, lines: Lines) -> Draft:
        """Take back lines of the patch that `unpicked` gives. Undo brings them back."""
        repository, held = await self.edited_part(draft, *lines)
        contents, whole = await _contents(repository, held.index or held.tip, held.head, lines, hunks.left)
        if whole and held.index:
            raise Refused(f"{whole[0]} goes only as a whole; take the file back")
        return await self._after(await repository.discard(held.id, contents, whole=whole, shown=held))

    # -- commits ------------------------------------------------------------------------------------------------------

    async def log(self, draft: Draft | str) -> list[tuple[Draft, list[OwnCommit]]]:
        """The commits of a draft, oldest first, of each repository that it spans."""
        return [(held, await repository.own_commits(held)) for repository, held in await self._parts(draft)]

    async def amend(
        self, draft: Draft | str, oid: str = "", message: str = "", *,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Rewritten:  # fmt: skip
        """Make what a commit would take part of a commit that is there: the newest, or any. With a message it gets
        that one; a message alone is enough."""
        part = await self._commit(draft, oid)
        _, held, own, commit = part
        if held.dirty:
            picks = rewriting.amended(own, commit.oid, message)
        elif message.strip():
            picks = rewriting.reworded(own, commit.oid, message)
        else:
            raise Refused("there is no edit to amend the commit with")
        return await self._rewrite(part, picks, "amend", options, progress)

    async def reword(
        self, draft: Draft | str, oid: str, message: str, *,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Rewritten:  # fmt: skip
        """Give a commit another message."""
        part = await self._commit(draft, oid)
        picks = _fitting(lambda own, one: rewriting.reworded(own, one, message), part)
        return await self._rewrite(part, picks, "reword", options, progress)

    async def squash(
        self, draft: Draft | str, oid: str, message: str = "", *,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Rewritten:  # fmt: skip
        """Join a commit to the one before it; without a message both messages stay."""
        part = await self._commit(draft, oid)
        picks = _fitting(lambda own, one: rewriting.squashed(own, one, message), part)
        return await self._rewrite(part, picks, "squash", options, progress)

    async def fixup(
        self, draft: Draft | str, oid: str, *,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Rewritten:  # fmt: skip
        """Join a commit to the one before it and forget its message."""
        part = await self._commit(draft, oid)
        return await self._rewrite(part, _fitting(rewriting.fixup, part), "fixup", options, progress)

    async def move(self, draft: Draft | str, oid: str, *, up: bool, options: CommitOptions | None = None) -> Rewritten:
        """Let a commit and the next newer (`up`) or older one change places."""
        part = await self._commit(draft, oid)
        picks = _fitting(rewriting.moved_up if up else rewriting.moved_down, part)
        return await self._rewrite(part, picks, "move", options)

    async def drop_commit(self, draft: Draft | str, oid: str, *, options: CommitOptions | None = None) -> Rewritten:
        """Leave a commit and its change out."""
        part = await self._commit(draft, oid)
        return await self._rewrite(part, _fitting(rewriting.dropped, part), "drop commit", options)

    async def uncommit(self, draft: Draft | str, oid: str = "", *, options: CommitOptions | None = None) -> Rewritten:
        """Leave a commit out and keep its change as edits that are not committed yet; without an id the newest."""
        part = await self._commit(draft, oid)
        return await self._rewrite(part, _fitting(rewriting.dropped, part), "uncommit", options, keep=True)

    async def commit_patch(self, draft: Draft | str, oid: str) -> str:
        """The patch of one commit: what `split_lines` chooses from."""
        repository, held, own, commit = await self._commit(draft, oid)
        return (await repository.diff(_parent(held, own, commit), commit.oid))[1]

    async def split(
        self, draft: Draft | str, oid: str, paths: Iterable[str], first_message: str = "", second_message: str = "", *,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Draft:  # fmt: skip
        """Make two commits of one: the first takes these files, the second the rest. "" keeps the message."""
        repository, held, own, commit = await self._commit(draft, oid)
        paths = tuple(paths)
        for path in paths:
            if path not in commit.files:
                raise Missing(f"{path} is not in the commit {commit.oid[:10]}")
        whole = await _with_sources(repository, _parent(held, own, commit), commit.oid, paths)
        done = await repository.split(
            held.id, commit.oid, {}, (first_message, second_message),
            whole=whole, shown=held, options=options or self.commit_options(), progress=progress,
        )  # fmt: skip
        return await self._after(done)

    async def split_lines(
        self, draft: Draft | str, oid: str, lines: Lines, first_message: str = "", second_message: str = "", *,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Draft:  # fmt: skip
        """Make two commits of one: the first takes these lines of `commit_patch`, the second the rest."""
        repository, held, own, commit = await self._commit(draft, oid)
        parent = _parent(held, own, commit)
        contents, whole = await _contents(repository, parent, commit.oid, lines, hunks.picked)
        done = await repository.split(
            held.id, commit.oid, contents, (first_message, second_message),
            whole=whole, shown=held, options=options or self.commit_options(), progress=progress,
        )  # fmt: skip
        return await self._after(done)

    async def rewrite(
        self, draft: Draft | str, picks: Sequence[Pick], action: str = "rewrite", *, keep: bool = False,
        options: CommitOptions | None = None, progress: Progress | None = None,
    ) -> Rewritten:  # fmt: skip
        """Make the commits of one part anew from a list of picks; what the other methods do in one go."""
        oids = [oid for pick in picks for oid in pick.oids if oid != EDITS]
        part = await self._commit(draft, oids[0] if oids else "")
        return await self._rewrite(part, picks, action, options, progress, keep=keep)

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _rewrite(
        self, part: _Committed, picks: Sequence[Pick], action: str, options: CommitOptions | None,
        progress: Progress | None = None, *, keep: bool = False,
    ) -> Rewritten:  # fmt: skip
        repository, held, _, _ = part
        done = await repository.rewrite(
            held.id,
            picks,
            action=action,
            shown=held,
            keep=keep,
            options=options or self.commit_options(),
            progress=progress,
        )
        if done.clashes:
            first, more = done.clashes[0], len(done.clashes) - 1
            also = f" (and {more} more)" if more else ""
            raise Clashing(f"{first.path}: {first.reason}{also}; nothing was changed", done.clashes)
        await self._after(done.draft)
        return done

    async def _commit(self, draft: Draft | str, said: str) -> _Committed:
        """The part of a draft with a commit, that part's commits, and the commit: by id or number, "" = the newest."""
        found = [(*part, await part[0].own_commits(part[1])) for part in await self._parts(draft)]
        problem = "the draft has no commit yet"
        fits = []
        for repository, held, own in found:
            try:
                if own or said:
                    fits.append((repository, held, own, rewriting.found(own, said) if said else own[-1]))
            except rewriting.Unfit as error:
                problem = str(error)
        if len(fits) > 1:
            raise Refused("the draft spans repositories; name the commit by its id")
        if not fits:
            raise Missing(problem) if said else Refused(problem)
        return fits[0]

    async def _parts(self, draft: Draft | str) -> list[Part]:
        if not isinstance(draft, Draft):
            return await self.parts(draft)
        repository, _ = await self.find(draft)
        return [(repository, draft)]


def _fitting(make: Callable[[Sequence[OwnCommit], str], list[Pick]], part: _Committed) -> list[Pick]:
    """The list that is made of a part's commits for one of them. Raises Refused when there can be none."""
    try:
        return make(part[2], part[3].oid)
    except rewriting.Unfit as error:
        raise Refused(str(error)) from error


def _shown(draft: Draft | str) -> Draft | None:
    return draft if isinstance(draft, Draft) else None


def _parent(held: Draft, own: Sequence[OwnCommit], commit: OwnCommit) -> str:
    place = own.index(commit)
    return own[place - 1].oid if place else held.base


async def _names(repository: DraftRepository, held: Draft) -> list[str]:
    changes = await repository.changes(held.tip, held.head)
    return [name for change in changes for name in (change.path, change.old_path) if name]


async def _files(repository: DraftRepository, old: str, new: str) -> tuple[str, ...]:
    """All paths that differ between two commits, of renamed files both."""
    return tuple(
        name for change in await repository.changes(old, new) for name in (change.path, change.old_path) if name
    )


async def _with_sources(repository: DraftRepository, old: str, new: str, paths: Iterable[str]) -> tuple[str, ...]:
    """These paths and, of files renamed between two commits, the other name: a rename goes as a whole."""
    found = dict.fromkeys(paths)
    for change in await repository.changes(old, new):
        if change.status == "R" and (change.path in found or change.old_path in found):
            found |= {change.path: None, change.old_path: None}
    return tuple(found)


async def _contents(
    repository: DraftRepository, old: str, new: str, lines: Lines,
    choose: Callable[[FilePatch, bytes | None, bytes | None, Collection[int]], bytes | None],
) -> tuple[dict[str, bytes | None], tuple[str, ...]]:  # fmt: skip
    """The contents that chosen lines make of files, and the paths of those that go only as a whole."""
    patches: dict[str, FilePatch] = {}
    for patch in hunks.parse((await repository.diff(old, new))[1]):
        if patch.path in patches:
            raise Refused(f"{patch.path} is another kind of file now; it goes only as a whole")
        patches[patch.path] = patch
    contents: dict[str, bytes | None] = {}
    whole: list[str] = []
    for path, chosen in lines.items():
        if (found := patches.get(path)) is None:
            raise Missing(f"{path} is not in the patch")
        if found.whole:
            whole += [name for name in (path, found.old_path) if name]
            continue
        if not found.changed & set(chosen):
            raise Refused(f"no changed line of {path} was chosen")
        before, after = await repository.blob(old, path), await repository.blob(new, path)
        try:
            contents[path] = choose(found, before, after, chosen)
        except ValueError as error:
            raise Refused(str(error)) from error
    return contents, tuple(whole)
