"""The blast radius of drafts, gathered from Git and from the rows of the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.domain import when
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.argo.generators import GitGenerator, git_generators
from tui.domain.argo.reach import Why, parent, repository_key
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState, KindState
from tui.domain.drafts.blast import Blast, Deletion, Hit, Touched, collected, hits, touched
from tui.domain.drafts.blastfiles import ARGO, Diff, FileText, Place, compare
from tui.domain.drafts.model import DRAFTS, Change, Draft
from tui.domain.obj import Ref, Row
from tui.domain.ports import DraftRepository, Missing, Trouble
from tui.fleet.derive import PROJECTS, StoreFacts
from tui.fleet.reach import branch_of, paths_of, read_leads
from tui.store import Store

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts

SETS = "applicationsets.argoproj.io"
NEEDED = (APPLICATIONS, SETS, PROJECTS)  # what must be listed in the hubs
MOST_FILES = 2_000  # changed files whose texts are read
STANDING = 100  # Applications whose standing is looked up before other work gets its turn
READING = "reading…"
REST = 10.0  # a radius is worked out again after so many times as long as it took


class _Gathered(NamedTuple):
    """What one repository says: the changes of its files, the Applications they reach, and what is not known."""

    diffs: list[Diff]
    reached: list[Hit]
    deleted: list[Deletion]
    unknown: list[str]


class Blasts:
    """Radii by draft, remembered as long as nothing they follow from has changed. Belongs to one event loop."""

    def __init__(
        self,
        drafts: Drafts,
        store: Store,
        facts: StoreFacts,
        notify: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._drafts = drafts
        self._store = store
        self._facts = facts
        self._notify = notify
        self._clock = clock
        self._known: dict[str, tuple[object, Blast]] = {}  # draft id -> what it follows from, radius
        self._shown: dict[
            str, tuple[object, Blast | str, float]
        ] = {}  # draft name -> stamp, answer, when to look again
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Stop working any out."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def look(self, name: str) -> Blast | str:
        """The radius of a draft as far as it has been worked out, or in words why there is none; `notify` follows."""
        stamp = self._store.resource_rev(DRAFTS, CLUSTERS, *NEEDED)
        held = self._shown.get(name)
        due = held is None or (held[0] != stamp and self._clock() >= held[2])
        if due and name not in self._tasks:
            self._tasks[name] = task = asyncio.get_running_loop().create_task(self._work(name, stamp), name="blast")
            task.add_done_callback(lambda done: self._tasks.pop(name, None))
        return held[1] if held is not None else READING

    async def _work(self, name: str, stamp: object) -> None:
        began = self._clock()
        try:
            found: Blast | str = await self.of(name)
        except Trouble as error:
            found = str(error)
        before = self._shown.get(name)
        self._shown[name] = stamp, found, self._clock() + REST * (self._clock() - began)
        if before is None or before[1] != found:
            self._notify()

    async def of(self, draft: Draft | str) -> Blast:
        """The blast radius of a draft in all its repositories, as of the last fetch. Raises Trouble."""
        parts = await self._drafts.parts(draft)
        follows = (
            [(held.repo, held.base, held.head, held.target) for _, held in parts],
            self._store.resource_rev(CLUSTERS, *NEEDED),
            self._facts.places_rev,
        )
        known = self._known.get(parts[0][1].id)
        if known is not None and known[0] == follows and not self._timed(known[1]):
            return known[1]
        gathered = [await self._gather(repository, held) for repository, held in parts]
        diffs = [diff for each in gathered for diff in each.diffs]
        found = await self._hits(_merged(hit for each in gathered for hit in each.reached), diffs)
        unknown = [line for each in gathered for line in each.unknown] + self._unread()
        standing = await self._standing(found)
        deleted = tuple(line for each in gathered for line in each.deleted)
        count = self._store.count(APPLICATIONS)
        blast = await asyncio.to_thread(collected, diffs, found, standing, count, unknown, deleted)
        self._known[parts[0][1].id] = follows, blast
        return blast

    def _timed(self, blast: Blast) -> bool:
        """Whether a sync window has opened or closed since."""
        return any(each.until is not None and each.until <= self._facts.now for each in blast.applications)

    # -- one repository ---------------------------------------------------------------------------------------------

    async def _gather(self, repository: DraftRepository, draft: Draft) -> _Gathered:
        changes = await repository.changes(draft.base, draft.head)
        unknown = []
        if len(changes) > MOST_FILES:
            unknown.append(f"{len(changes) - MOST_FILES:,} more files were not read: their objects are not named")
        found = await self._drafts.reach.reached(self._store, repository, draft, changes)
        texts = [text for change in changes[:MOST_FILES] for text in await texts_of(repository, draft, change)]
        patches = await _patches(repository, draft.base, changes[:MOST_FILES])
        removed = {change.old_path or change.path for change in changes if change.status in ("D", "R")}
        diffs = []
        for start in range(0, len(texts), STANDING):
            portion = texts[start : start + STANDING]
            diffs += await asyncio.to_thread(lambda some: [compare(each, patches, removed) for each in some], portion)
        reached = [
            Hit(each.row, {Place(draft.repo, file): why for file, why in each.why.items()}) for each in found.reached
        ]
        made, generated = await self._generated(repository, draft, changes)
        return _Gathered(diffs, reached, made, [*unknown, *found.unknown, *generated])

    async def _generated(
        self, repository: DraftRepository, draft: Draft, changes: Sequence[Change]
    ) -> tuple[list[Deletion], list[str]]:
        """The Applications that ApplicationSets would no longer make, and the files that shape those they do make."""
        key, default = repository_key(draft.repo), await repository.default_branch()
        deleted: dict[tuple[str, str], Deletion] = {}
        unknown: dict[str, None] = {}
        for row in self._store.rows(SETS):
            for generator in git_generators(row.obj.spec.generators or ()):
                if generator.repo != key or branch_of(generator.revision, default) != draft.target:
                    continue
                for change in changes:
                    gone = (change.old_path or change.path) if change.status in ("D", "R") else ""
                    if gone and generator.reads(gone):
                        deleted[row.ref.name, gone] = _no_longer_made(row, gone, gone)
                    elif generator.reads(change.path):
                        unknown[
                            f"{change.path}: ApplicationSet {row.ref.name} makes Applications from it; {_WHICH}"
                        ] = None
                    for folder in await _gone(repository, draft.head, generator, gone) if gone else ():
                        deleted[row.ref.name, folder] = _no_longer_made(row, folder, gone)
        return list(deleted.values()), list(unknown)

    # -- Applications -----------------------------------------------------------------------------------------------

    async def _hits(self, reached: list[Hit], diffs: Sequence[Diff]) -> list[Hit]:
        if not any(changed.identity.group == ARGO for diff in diffs for changed in diff.objects):
            return reached
        places = {at: self._facts.destination(hit.row).removesuffix("?") for at, hit in enumerate(reached)}
        return await asyncio.to_thread(hits, reached, diffs, list(self._store.rows(APPLICATIONS)), places)

    async def _standing(self, found: Sequence[Hit]) -> list[Touched]:
        made = []
        for at, hit in enumerate(found):
            if at % STANDING == STANDING - 1:
                await asyncio.sleep(0)
            made.append(touched(hit, self._facts.destination(hit.row), self._facts.windows(hit.row)))
        return made

    def _unread(self) -> list[str]:
        """The hubs whose Applications are not what they are now, and clusters that may be hubs."""
        lines, silent = [], 0
        for row in self._store.rows(CLUSTERS):
            cluster: Cluster = row.obj
            status = cluster.kinds.get(APPLICATIONS)
            if not cluster.hub:
                silent += not cluster.heard and cluster.state is not ClusterState.LIVE
            elif cluster.state is not ClusterState.LIVE or status is None or status.state is not KindState.LIVE:
                heard = cluster.heard if cluster.state is not ClusterState.LIVE else status.heard if status else 0.0
                last = f"as last seen at {when.rfc3339(heard)}" if heard else "as last seen"
                seen = last if self._store.count(APPLICATIONS, cluster.metadata.name) else "not known"
                reason = cluster.reason or (status.reason if status is not None else "") or cluster.state.value
                lines.append(f"the Applications of {cluster.metadata.name} are {seen}: {reason}")
        if silent:
            many = "1 cluster has" if silent == 1 else f"{silent} clusters have"
            lines.append(f"{many} not answered: Applications there are not known")
        return lines


_WHICH = "which of them change is only known after it ran"


def _no_longer_made(row: Row, source: str, file: str) -> Deletion:
    name = f"Application that ApplicationSet {row.ref.name} makes from {source}"
    return Deletion("Application", name, file, note="it goes when its source is gone")


async def _gone(repository: DraftRepository, head: str, generator: GitGenerator, file: str) -> list[str]:
    """Folders above a removed file from which Applications are made and that are no longer there."""
    found, folder = [], parent(file)
    while folder:
        if generator.folder(folder):
            try:
                await repository.entries(head, folder)
            except Missing:
                found.append(folder)
        folder = parent(folder)
    return found


def _merged(reached: Iterable[Hit]) -> list[Hit]:
    """One hit for an Application that is reached in several repositories."""
    found: dict[Ref, dict[Place, Why]] = {}
    rows: dict[Ref, Row] = {}
    for hit in reached:
        rows[hit.row.ref] = hit.row
        found.setdefault(hit.row.ref, {}).update(hit.why)
    return [Hit(rows[ref], why) for ref, why in found.items()]


async def texts_of(repository: DraftRepository, draft: Draft, change: Change) -> list[FileText]:
    """The texts of a changed file before and after; of a renamed one, at both paths."""
    new = Place(draft.repo, change.path)
    if change.status == "R":
        old = Place(draft.repo, change.old_path)
        before, problem = await _text(repository, draft.base, change.old_path)
        after, other = await _text(repository, draft.head, change.path)
        return [FileText(old, before, None, moved=True, problem=problem), FileText(new, None, after, problem=other)]
    before, problem = await _text(repository, draft.base, change.path) if change.status != "A" else (None, "")
    after, other = await _text(repository, draft.head, change.path) if change.status != "D" else (None, "")
    return [FileText(new, before, after, removed=change.status == "D", problem=problem or other)]


async def _text(repository: DraftRepository, commit: str, path: str) -> tuple[str | None, str]:
    """(text, "") or (None, why it cannot be read)."""
    try:
        return (await repository.read(commit, path)).text, ""
    except Trouble as error:
        return None, str(error)


async def _patches(repository: DraftRepository, base: str, changes: Sequence[Change]) -> set[str]:
    """Files that kustomizations in their folder, or in one of the two above, apply as patches."""
    folders: set[str] = set()
    for path in paths_of(changes):
        folder = parent(path)
        for _ in range(3):
            folders.add(folder)
            folder = parent(folder)
    return {path for folder in folders for path in (await read_leads(repository, base, folder)).patches}
