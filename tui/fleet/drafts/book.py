"""The drafts of this machine: found, listed with where they stand, and followed in rows of the store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from tui.domain import giturl
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.drafts.model import Change, Draft
from tui.domain.drafts.standing import Follower, standing
from tui.domain.obj import Row
from tui.domain.ports import DraftRepository, Found, Journal, Missing, Refused, Repositories, Trouble
from tui.domain.settings import Settings
from tui.domain.tail import TailEvent
from tui.fleet import draftrows
from tui.fleet.draftrows import Listed
from tui.fleet.followers import compared, followers
from tui.fleet.reach import Reach, portions
from tui.store import Store

_log = logging.getLogger("fleet.drafts")
POLL = 2.0  # seconds between looks for what another fleet or a command did to the drafts
FETCH_AGAIN = 20.0  # seconds between fetches that Applications' revisions give reason for

DEFAULTS = Settings()

Progress = Callable[[str], None]


Part = tuple[DraftRepository, Draft]  # what a draft is in one repository


class Book:
    """Finding, listing and following drafts; `Drafts` adds what is done with them."""

    def __init__(
        self,
        repositories: Repositories,
        journal: Journal | None = None,
        clock: Callable[[], float] = time.time,
        settings: Settings = DEFAULTS,
    ) -> None:
        self.repositories = repositories
        self.journal = journal
        self.settings = settings
        self.reach = Reach()
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

    async def parts(self, draft: Draft | str, *, trash: bool = False) -> list[Part]:
        """A draft in every repository that it spans, oldest first. Raises Missing; Refused when several fit."""
        word = draft.id if isinstance(draft, Draft) else draft
        fits: dict[str, list[Part]] = {}
        for repository in (await self.repositories.existing())[0]:
            for held in (await repository.drafts(trash=trash))[0]:
                if word in (held.id, held.name) or (len(word) >= 6 and held.id.endswith(word)):
                    fits.setdefault(held.id, []).append((repository, held))
        if word in fits:
            fits = {word: fits[word]}
        if len(fits) > 1:
            raise Refused(f"{word} fits {len(fits)} drafts: " + ", ".join(fits))
        if not fits:
            raise Missing(f"there is no {'dropped ' if trash else ''}draft {word}")
        return sorted(next(iter(fits.values())), key=lambda part: (part[1].created, part[0].key))

    async def find(self, draft: Draft | str, *, repo: str = "", path: str = "", trash: bool = False) -> Part:
        """A draft and its repository; of one that spans several, the part of `repo` or the one that has `path`.

        Raises Missing, or Refused when it cannot be told which is meant.
        """
        if isinstance(draft, Draft):
            repository = await self.repositories.open(draft.repo)
            return repository, await repository.draft(draft.id)
        found = await self.parts(draft, trash=trash)
        if repo:
            key = (await self.repositories.find(repo)).key
            found = [part for part in found if part[0].key == key]
            if not found:
                raise Missing(f"{draft} has no part in {giturl.shown(repo)}")
        if path and len(found) > 1:
            holding = [part for part in found if await _has(*part, path)]
            found = holding or found
        if len(found) > 1 and path:
            names = ", ".join(giturl.shown(repository.url) for repository, _ in found)
            raise Refused(f"{path} may be in any repository of {draft}, say which: {names}")
        return found[0]

    async def meant(self, draft: Draft | str) -> list[Part]:
        """All parts of a draft that is named; the one part that a `Draft` is."""
        return [await self.find(draft)] if isinstance(draft, Draft) else await self.parts(draft)

    async def list(self, *, trash: bool = False, reach: bool = False) -> list[Listed]:
        """Every draft with where it stands as of the last fetch, oldest first; `reach` as in `refresh`."""
        found: dict[str, list[Listed]] = {}
        repositories, problems = await self.repositories.existing()
        for repository in repositories:
            try:
                drafts, broken = await repository.drafts(trash=trash)
                problems += broken
                for draft in drafts:
                    found.setdefault(draft.id, []).append(await self._derive(repository, draft, reach))
            except Trouble as error:  # one repository that cannot be read does not hide the others
                problems.append(f"{giturl.shown(repository.url)}: {error}")
        self.problems = tuple(problems)
        return sorted(map(draftrows.together, found.values()), key=lambda one: (one.draft.created, one.draft.id))

    async def show(self, draft: Draft | str) -> Listed:
        """One draft, in all its repositories, with where it stands as of the last fetch."""
        found = await self.parts(draft, trash=isinstance(draft, Draft) and draft.dropped)
        return draftrows.together([await self._derive(*part) for part in found])

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
        stands = standing(draft, around)
        if not around.landed:
            stands = msgspec.structs.replace(stands, followers=found)
        return Listed(draft, stands, tuple(files), tuple(await repository.commits(draft)))

    async def _followers(
        self, store: Store, repository: DraftRepository, draft: Draft, files: Sequence[Change], landed: str
    ) -> tuple[Follower, ...]:
        found = await self.reach.reached(store, repository, draft, files)
        return await followers(found.reached, landed, repository.contains)

    def _publish(self, listed: Sequence[Listed]) -> None:
        """Bring the rows of the store up to date and tell about every step a draft has made."""
        if self._store is None:
            return
        rows = {entry.draft.id: draftrows.row(entry) for entry in listed}
        puts = [row for key, row in rows.items() if (old := self._rows.get(key)) is None or old.packed != row.packed]
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


async def _has(repository: DraftRepository, draft: Draft, path: str) -> bool:
    """Whether a part has the file, or text typed for it."""
    if path in draft.unsaved:
        return True
    try:
        await repository.read(draft.head, path)
    except Missing:
        return False
    except Trouble:  # it is there, but cannot be edited
        return True
    return True
