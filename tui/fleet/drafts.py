"""What a user does with drafts, whatever the screen: start, edit, commit, push, take back, and see where they stand."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tui.domain import draft as model
from tui.domain import giturl
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.draft import (
    Change,
    Content,
    Draft,
    Follower,
    Operation,
    PushPlan,
    PushResult,
)
from tui.domain.message import Touched, propose
from tui.domain.obj import Row
from tui.domain.ports import DraftRepository, Found, Journal, Missing, Refused, Repositories, Trouble
from tui.domain.tail import TailEvent
from tui.fleet import draftrows
from tui.fleet.draftrows import Listed, Recovered
from tui.fleet.followers import compared, followers, portions, reached
from tui.store import Store

_log = logging.getLogger("fleet.drafts")
POLL = 2.0  # seconds between looks for what another fleet or a command did to the drafts
FETCH_AGAIN = 20.0  # seconds between fetches that Applications' revisions give reason for

Progress = Callable[[str], None]


class Drafts:
    """All drafts of this machine. Methods belong to one event loop; each may raise `Trouble` and then changed nothing.

    A draft is given by its name, its id or the start of its id, or as a `Draft`. What differs between what was shown
    and what is there is noticed: editing over a changed file or committing a changed draft raises `Moved`.
    """

    def __init__(
        self, repositories: Repositories, journal: Journal | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.repositories = repositories
        self.journal = journal
        self.problems: tuple[str, ...] = ()  # what cannot be read, one line each
        self._clock = clock
        self._store: Store | None = None
        self._notify: Callable[[], None] = lambda: None
        self._tell: Callable[[TailEvent], object] | None = None
        self._task: asyncio.Task[None] | None = None
        self._rows: dict[str, Row] = {}
        self._listed: dict[str, Listed] = {}
        self._fetched: dict[str, float] = {}
        self._refreshing = asyncio.Lock()

    # -- life -----------------------------------------------------------------------------------------------------

    def attach(
        self, store: Store, notify: Callable[[], None], tell: Callable[[TailEvent], object] | None = None
    ) -> None:
        """Keep the rows of `drafts` in a store from now on; `tell` gets an event for every step a draft makes."""
        self._store, self._notify, self._tell = store, notify, tell
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch(), name="drafts")
            self._task.add_done_callback(_say_why)

    async def close(self) -> None:
        """End watching and every git process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.repositories.close()

    async def _watch(self) -> None:
        """Refresh whenever Applications or the draft refs have changed, by whomever."""
        seen: object = None
        tidied = False
        while True:
            try:
                await self._follow()
                mark = await self._mark()
                if mark != seen:
                    await self.refresh()
                    seen = mark
                if not tidied:
                    tidied = True
                    for repository in (await self.repositories.existing())[0]:
                        await repository.tidy()
            except Trouble as error:
                _log.warning("drafts: %s", error)
                self.problems = (str(error),)
            await asyncio.sleep(POLL)

    async def _follow(self) -> None:
        """Fetch where Argo CD has compared with a commit that is not here: the remote has moved on."""
        if self._store is None:
            return
        for repository in (await self.repositories.existing())[0]:
            if self._clock() - self._fetched.get(repository.key, 0.0) < FETCH_AGAIN:
                continue
            revisions: set[str] = set()
            async for rows in portions(self._store):
                revisions |= compared(rows, repository.key)
            for revision in sorted(revisions):
                if await repository.contains(revision, revision) is None:
                    await self._freshen(repository)
                    break

    async def _mark(self) -> object:
        """Something that is equal as long as nothing can have changed."""
        opened, _ = await self.repositories.existing()
        refs = [(repository.key, await repository.mark()) for repository in opened]
        return refs, self._store.resource_rev(APPLICATIONS) if self._store else 0

    # -- finding --------------------------------------------------------------------------------------------------

    async def here(self) -> list[Found]:
        """The clones that are known without asking, that of the current folder first."""
        return await self.repositories.here()

    async def find_repository(self, url: str) -> Found:
        """What there is for an Application's repoURL: the user's clone, fleet's repository, or neither (then ask)."""
        return await self.repositories.find(url)

    async def repository(
        self, url: str, *, clone: bool = False, progress: Progress | None = None, terminal: bool = False
    ) -> DraftRepository:
        """The repository of a URL or of the clone at a path. `clone` allows to fetch it all from the remote."""
        return await self.repositories.open(url, clone=clone, progress=progress, terminal=terminal)

    async def find(self, draft: Draft | str, *, trash: bool = False) -> tuple[DraftRepository, Draft]:
        """A draft and its repository. Raises Missing, or Refused when the name fits several."""
        word = draft.id if isinstance(draft, Draft) else draft
        if isinstance(draft, Draft):
            repository = await self.repositories.open(draft.repo)
            return repository, await repository.draft(draft.id)
        fits: list[tuple[DraftRepository, Draft]] = []
        for repository in (await self.repositories.existing())[0]:
            for held in (await repository.drafts(trash=trash))[0]:
                if held.id == word:
                    return repository, held
                if held.name == word or (len(word) >= 6 and held.id.endswith(word)):
                    fits.append((repository, held))
        if len(fits) > 1:
            raise Refused(f"{word} fits {len(fits)} drafts: " + ", ".join(held.id for _, held in fits))
        if not fits:
            raise Missing(f"there is no {'dropped ' if trash else ''}draft {word}")
        return fits[0]

    async def list(self, *, trash: bool = False, reach: bool = False) -> list[Listed]:
        """Every draft with where it stands as of the last fetch, oldest first; `reach` as in `refresh`."""
        found: list[Listed] = []
        repositories, problems = await self.repositories.existing()
        for repository in repositories:
            try:
                drafts, broken = await repository.drafts(trash=trash)
                problems += broken
                found += [await self._derive(repository, draft, reach) for draft in drafts]
            except Trouble as error:  # one repository that cannot be read does not hide the others
                problems.append(f"{giturl.shown(repository.url)}: {error}")
        self.problems = tuple(problems)
        return sorted(found, key=lambda listed: (listed.draft.created, listed.draft.id))

    async def show(self, draft: Draft | str) -> Listed:
        """One draft with where it stands as of the last fetch."""
        return await self._derive(*await self.find(draft))

    # -- editing --------------------------------------------------------------------------------------------------

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
        if target in ("", "HEAD"):
            target = await repository.default_branch()
        if not target:
            raise Refused("the remote's default branch is not known; name the branch")
        if target not in await repository.branches():
            raise Missing(f"{target} is not a branch of {giturl.shown(repository.url)} as of the last fetch")
        opened, _ = await self.repositories.existing()
        taken = {draft.name for other in opened for draft in (await other.drafts())[0]}
        return await self._after(await repository.create(title, target, model.slug(title, taken), base=base))

    async def read(self, repo: str, revision: str, path: str) -> Content:
        """A text file of a remote at a revision. Raises Missing when it is not there."""
        return await (await self.repository(repo)).read(revision, path)

    async def open(self, draft: Draft | str, path: str) -> Content:
        """A text file as it is in a draft. Raises Missing when it is not there."""
        repository, held = await self.find(draft)
        return await repository.read(held.head, path)

    async def edit(
        self, draft: Draft | str, path: str, text: str, operations: Sequence[Operation] = (), over: str | None = None
    ) -> Draft:
        """Stage the new text of one file. `over` is the `oid` of the Content that was edited ("" = a new file)."""
        try:
            files = {path: text.encode("utf-8")}
        except UnicodeEncodeError as error:
            raise Refused(f"{path} cannot be written as UTF-8: {error.reason} at {error.start}") from error
        return await self.edit_files(draft, files, operations, None if over is None else {path: over})

    async def edit_files(
        self,
        draft: Draft | str,
        files: Mapping[str, bytes | None],
        operations: Sequence[Operation] = (),
        over: Mapping[str, str] | None = None,
    ) -> Draft:
        """Stage several files as one step of undo; None removes a file."""
        repository, held = await self.find(draft)
        return await self._after(await repository.edit(held.id, files, operations, over))

    async def propose(self, draft: Draft | str) -> str:
        """A commit message for what is staged: the edits in plain words, then the trailers."""
        repository, held = await self.find(draft)
        operations = held.ops[len(held.ops) - held.open_ops :]
        touched = []
        for file in await repository.changes(held.tip, held.head):
            about = [operation for operation in operations if operation.file == file.path]
            touched.append(
                Touched(
                    file.path,
                    None if file.status == "A" else await _text(repository, held.tip, file.old_path or file.path),
                    None if file.status == "D" else await _text(repository, held.head, file.path),
                    tuple(dict.fromkeys(operation.application for operation in about if operation.application)),
                    tuple(dict.fromkeys(operation.cluster for operation in about if operation.cluster)),
                )
            )
        return (await asyncio.to_thread(propose, touched)).text

    async def commit(self, draft: Draft | str, message: str) -> Draft:
        """Commit what is staged. With a `Draft`, only what was staged when it was read."""
        repository, held = await self.find(draft)
        expected = draft.head if isinstance(draft, Draft) else held.head
        return await self._after(await repository.commit(held.id, message, expected))

    async def undo(self, draft: Draft | str) -> Draft:
        """Back to before the last edit, commit or rebase."""
        repository, held = await self.find(draft)
        return await self._after(await repository.undo(held.id))

    async def redo(self, draft: Draft | str) -> Draft:
        """What the last undo took back."""
        repository, held = await self.find(draft)
        return await self._after(await repository.redo(held.id))

    async def drop(self, draft: Draft | str) -> Draft:
        """Put a draft into the trash, where it keeps everything."""
        repository, held = await self.find(draft)
        return await self._after(await repository.drop(held.id))

    async def restore(self, draft: Draft | str) -> Draft:
        """Take a draft out of the trash; it gets another name when its own has been taken."""
        repository, held = await self.find(draft, trash=True)
        opened, _ = await self.repositories.existing()
        taken = {other.name for place in opened for other in (await place.drafts())[0]}
        held = await repository.restore(held.id)
        if held.name in taken:
            held = await repository.update(held.id, name=model.slug(held.name, taken))
        return await self._after(held)

    async def diff(self, draft: Draft | str, *, open_only: bool = False) -> tuple[Sequence[Change], str]:
        """The files and git's diff of a draft: against its base, or only what is not committed yet."""
        repository, held = await self.find(draft)
        return await repository.diff(held.tip if open_only else held.base, held.head)

    # -- text not saved yet ---------------------------------------------------------------------------------------

    async def autosave(self, draft: Draft | str | None, path: str, text: str, over: str = "") -> None:
        """Keep what is being typed; on disk when it returns. Without a draft, or when that fails, in the journal."""
        if draft is not None:
            try:
                repository, held = await self.find(draft)
                await repository.keep_unsaved(held.id, path, text, over)
                return
            except Trouble as error:
                if self.journal is None:
                    raise
                _log.warning("the draft cannot keep the text, the journal does: %s", error)
        if self.journal is None:
            raise Refused("there is no journal to keep the text in")
        await self.journal.keep(_journal_key(draft, path, over), text)

    async def discard_autosave(self, draft: Draft | str | None, path: str, over: str = "") -> None:
        """Forget typed text: it was saved, or the user does not want it.

        What was typed over other content of the same file goes when nothing was typed over this one.
        """
        if self.journal is not None:
            kept = await self.journal.texts()
            same = [key for key in kept if _same_file(key, _journal_key(draft, path, over))]
            exact = [key for key in same if key == _journal_key(draft, path, over)]
            for key in exact or same:
                await self.journal.keep(key, None)
        if draft is not None:
            repository, held = await self.find(draft)
            if path in held.unsaved:
                await repository.keep_unsaved(held.id, path, None)

    async def recovered(self) -> Sequence[Recovered]:
        """Every text that was typed and not saved, newest last."""
        found: list[Recovered] = []
        for repository in (await self.repositories.existing())[0]:
            for draft in (await repository.drafts())[0]:
                for path, text in (await repository.unsaved(draft)).items():
                    held = draft.unsaved[path]
                    found.append(Recovered(path, text, draft.name, held.over, held.at))
        for key, text in (await self.journal.texts() if self.journal else {}).items():
            name, over, path = (*key.split("\n", 2), "", "")[:3]
            found.append(Recovered(path, text, name, over, key=key))
        return sorted(found, key=lambda text: text.at)

    # -- the remote -----------------------------------------------------------------------------------------------

    async def rebase(self, draft: Draft | str) -> tuple[Draft, tuple[model.Clash, ...]]:
        """Put a draft on top of its target as of the last fetch; with clashes nothing has changed."""
        repository, held = await self.find(draft)
        moved, clashes = await repository.rebase(held.id)
        return await self._after(moved), clashes

    async def plan_push(
        self, draft: Draft | str, to_target: bool = False, *, progress: Progress | None = None, terminal: bool = False
    ) -> PushPlan:
        """Exactly what a push would send where. For the target it fetches, and rebases when the target has moved."""
        repository, held = await self.find(draft)
        if to_target:
            await self._fetch(repository, progress, terminal)
            if not held.dirty and (await repository.around(held)).behind:
                held, _ = await repository.rebase(held.id)
        return await repository.plan_push(held, to_target=to_target)

    async def push(self, plan: PushPlan, *, progress: Progress | None = None, terminal: bool = False) -> PushResult:
        """Do what the plan says. Raises Refused when the plan has a problem or the draft changed since."""
        repository, held = await self.find(plan.draft)
        result = await repository.push(plan, progress, terminal=terminal)
        await self._after(held)
        return result

    async def refresh(
        self, *, fetch: bool = False, reach: bool = False, progress: Progress | None = None
    ) -> Sequence[Listed]:
        """Derive where every draft stands, with `fetch` after asking the remotes, and update the rows.

        With `reach` drafts that have not landed name the Applications that would get them: too much to do all the time.
        """
        async with self._refreshing:
            if fetch:
                for repository in (await self.repositories.existing())[0]:
                    await self._fetch(repository, progress)
            listed = await self.list(reach=reach)
            self._publish(listed)
            return listed

    # -- inside ---------------------------------------------------------------------------------------------------

    async def _fetch(
        self, repository: DraftRepository, progress: Progress | None = None, terminal: bool = False
    ) -> None:
        self._fetched[repository.key] = self._clock()
        await repository.fetch(progress, terminal=terminal)

    async def _freshen(self, repository: DraftRepository, progress: Progress | None = None) -> None:
        """Fetch when the remote answers; without it, work goes on with what was fetched last."""
        try:
            await self._fetch(repository, progress)
        except Trouble as error:
            self.problems = (f"{giturl.shown(repository.url)}: {error}",)
            _log.warning("%s: %s", giturl.shown(repository.url), error)

    async def _after(self, draft: Draft) -> Draft:
        """Let the rows follow what has just been done."""
        if self._store is not None:
            await self.refresh()
        return draft

    async def _derive(self, repository: DraftRepository, draft: Draft, reach: bool = False) -> Listed:
        around = await repository.around(draft)
        files = await repository.changes(draft.base, draft.head)
        found: tuple[Follower, ...] = ()
        if (around.landed or reach) and self._store is not None and self._store.count(APPLICATIONS):
            found = await self._followers(self._store, repository, draft, files, around.landed)
            around = msgspec.structs.replace(around, followers=found)
        standing = model.standing(draft, around)
        if not around.landed:
            standing = msgspec.structs.replace(standing, followers=found)
        return Listed(draft, standing, tuple(files), tuple(await repository.commits(draft)))

    async def _followers(
        self, store: Store, repository: DraftRepository, draft: Draft, files: Sequence[Change], landed: str
    ) -> tuple[Follower, ...]:
        names = [name for file in files for name in (file.path, file.old_path) if name]
        default = await repository.default_branch()
        found = [reach async for rows in portions(store) for reach in reached(rows, draft, names, default)]
        return await followers(found, landed, repository.contains)

    def _publish(self, listed: Sequence[Listed]) -> None:
        """Bring the rows of the store up to date and tell about every step a draft has made."""
        if self._store is None:
            return
        rows = {entry.draft.id: draftrows.row(entry) for entry in listed}
        puts = [row for key, row in rows.items() if (old := self._rows.get(key)) is None or old.obj != row.obj]
        kept = {row.ref for row in rows.values()}
        gone = [row.ref for row in self._rows.values() if row.ref not in kept]
        for entry in listed:
            if self._tell is not None and (before := self._listed.get(entry.draft.id)) is not None:
                for event in draftrows.steps(before, entry, self._clock()):
                    self._tell(event)
        self._rows, self._listed = rows, {entry.draft.id: entry for entry in listed}
        if puts or gone:
            self._store.apply(puts, gone)
            self._notify()


def _say_why(task: asyncio.Task[None]) -> None:
    """A watch that ends by a mistake of ours must not end in silence."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("drafts are not watched any more", exc_info=error)


async def _text(repository: DraftRepository, revision: str, path: str) -> str:
    """The text of a file for a description; "" when it is not text."""
    try:
        return (await repository.read(revision, path)).text
    except Trouble:
        return ""


def _journal_key(draft: Draft | str | None, path: str, over: str) -> str:
    name = draft.name if isinstance(draft, Draft) else draft or ""
    return f"{name}\n{over}\n{path}"


def _same_file(one: str, other: str) -> bool:
    return one.split("\n", 2)[::2] == other.split("\n", 2)[::2]
