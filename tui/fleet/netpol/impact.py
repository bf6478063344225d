"""What drafts, and texts that are being edited, do to the network policies of running clusters.

files ──reach──▶ Applications ──build──▶ what each declares before and after ──amendment──▶ per cluster
State of the cluster + amendment ──impact_on (a thread)──▶ ClusterImpact
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tui.domain import giturl
from tui.domain import source as sources
from tui.domain.argo.application import RESOURCE as APPLICATIONS
from tui.domain.argo.reach import repository_key
from tui.domain.drafts.blastfiles import Diff, FileText, Place, compare
from tui.domain.drafts.model import DRAFTS, Change, Draft
from tui.domain.ports import DraftRepository, Missing, Trouble
from tui.domain.source.model import SourcePlan
from tui.fleet.blast import READING, REST, texts_of
from tui.fleet.derive import StoreFacts
from tui.fleet.locating import Locator
from tui.fleet.netpol import needs
from tui.fleet.netpol.watching import Netpol
from tui.fleet.reach import Reached, branch_of
from tui.store import Store

if TYPE_CHECKING:
    from tui.domain.cilium.impacts.amending import Amendment
    from tui.domain.cilium.impacts.drafted import ClusterImpact, DraftImpact
    from tui.domain.cilium.model import Flow
    from tui.domain.source.building import Build
    from tui.fleet.drafts import Drafts
    from tui.fleet.flows import Flows
    from tui.fleet.netpol.state import State

MOST = 200  # Applications that a draft may reach to be worked out, and builds that are kept
KNOWN = 50  # drafts whose changes are kept
MOST_FILES = 500  # of one source
WATCHED = 120.0  # seconds that flows are read on after an impact was asked for
AGAIN = 15.0  # seconds after which an impact that is looked at is worked out again: flows come in
FLOWING = 5.0  # seconds that the flows of a cluster get to begin
PATIENCE = 20.0  # seconds that a cluster gets to tell what there is
_DEPLOYS = ("path", "base", "edit")


class Edited(NamedTuple):
    """A text that is being edited. `draft` is what it is edited in, None before there is one."""

    repo: str
    target: str
    base: str  # commit that it was read from, "" = the newest of the target
    path: str
    text: str
    draft: Draft | None = None


class _Part(NamedTuple):
    """A change in one repository: files at two commits, with texts of the newer side that are in no commit."""

    repository: DraftRepository
    draft: Draft
    changes: Sequence[Change]
    over: Mapping[str, str] = {}


class Impacts:
    """Impacts by draft, remembered as long as nothing they follow from has changed. Belongs to one event loop."""

    def __init__(
        self,
        drafts: Drafts,
        store: Store,
        facts: StoreFacts,
        netpol: Netpol,
        changed: Callable[[int], Awaitable[int]],
        notify: Callable[[], None] = lambda: None,
        flows: Flows | None = None,
    ) -> None:
        """`changed` waits for the fleet's next version; `flows` has those that were seen lately."""
        self._drafts = drafts
        self._store = store
        self._facts = facts
        self._netpol = netpol
        self._changed = changed
        self._notify = notify
        self._flows = flows
        self._wanting: dict[str, asyncio.TimerHandle] = {}  # who has flows read -> when it ends
        self._locator = Locator(store, facts, drafts)
        self._builds: OrderedDict[object, Build] = OrderedDict()
        self._known: OrderedDict[object, tuple[list[tuple[str, Amendment]], tuple[str, ...]]] = OrderedDict()
        self._shown: dict[str, tuple[object, DraftImpact | str, float]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Stop working any out."""
        for timer in self._wanting.values():
            timer.cancel()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def look(self, name: str) -> DraftImpact | str:
        """The impact of a draft as far as it has been worked out, or in words why there is none; `notify` follows."""
        stamp = self._store.resource_rev(DRAFTS, *needs.POLICIES)
        held = self._shown.get(name)
        now = time.monotonic()
        due = held is None or (now >= held[2] and (held[0] != stamp or now >= held[2] + AGAIN))
        if due and name not in self._tasks:
            self._tasks[name] = task = asyncio.get_running_loop().create_task(self._work(name, stamp), name="impact")
            task.add_done_callback(lambda done: self._tasks.pop(name, None))
        return held[1] if held is not None else READING

    async def _work(self, name: str, stamp: object) -> None:
        began = time.monotonic()
        try:
            found: DraftImpact | str = await self.of(name)
        except Trouble as error:
            found = str(error)
        before = self._shown.get(name)
        self._shown[name] = stamp, found, time.monotonic() + REST * (time.monotonic() - began)
        if before is None or before[1] != found:
            self._notify()

    async def of(self, draft: Draft | str) -> DraftImpact:
        """The impact of a draft in all its repositories. Raises Trouble."""
        parts = []
        for repository, held in await self._drafts.parts(draft):
            parts.append(_Part(repository, held, await repository.changes(held.base, held.head)))
        name = parts[0].draft.name if parts else ""
        return await self._impact(f"impact {name}", parts, wait=True)

    async def of_text(self, edited: Edited) -> DraftImpact:
        """The impact of a text that is being edited, with what its draft changes besides. Raises Trouble."""
        repository = await self._drafts.repository(edited.repo)
        draft = edited.draft
        changes: list[Change] = []
        if draft is None:
            base = edited.base or (await repository.branches()).get(edited.target, "")
            if not base:
                raise Missing(f"the branch {edited.target} is not here")
            draft = Draft("", "", "", edited.repo, edited.target, base, base, base)
        else:
            changes = list(await repository.changes(draft.base, draft.head))
        if all(change.path != edited.path for change in changes):
            there = True
            try:
                await repository.read(draft.base, edited.path)
            except Missing:
                there = False
            changes.append(Change(edited.path, "M" if there else "A"))
        return await self._impact("impact of a text", [_Part(repository, draft, changes, {edited.path: edited.text})])

    # -- from files to clusters -------------------------------------------------------------------------------------

    async def _impact(self, owner: str, parts: Sequence[_Part], wait: bool = False) -> DraftImpact:
        """`wait` for the flows of the clusters to begin."""
        from tui.domain.cilium.impacts.amending import Amendment
        from tui.domain.cilium.impacts.drafted import DraftImpact

        amended: dict[str, Amendment] = {}
        unknown: dict[str, None] = {}
        for part in parts:
            for cluster, change in await self._amended(part, unknown):
                amended[cluster] = amended.get(cluster, Amendment()).also(change)
        wanted = {cluster for cluster, change in amended.items() if not change.empty}
        found: list[ClusterImpact] = []
        self._want(owner, wanted)
        self._netpol.look(owner, wanted, reach=True)
        try:
            for cluster, change in sorted(amended.items()):
                found.append(await self._on(cluster, change, wait))
        finally:
            self._netpol.unlook(owner)
        return DraftImpact(tuple(found), tuple(unknown))

    def _want(self, owner: str, clusters: set[str]) -> None:
        """Have the flows of these clusters read for a while: what is cut is known the better the longer they are."""
        if self._flows is None:
            return
        if (timer := self._wanting.pop(owner, None)) is not None:
            timer.cancel()
        self._flows.want(owner, clusters)
        self._wanting[owner] = asyncio.get_running_loop().call_later(WATCHED, self._flows.unwant, owner)

    async def _amended(self, part: _Part, unknown: dict[str, None]) -> list[tuple[str, Amendment]]:
        """(cluster, what changes in it) for every Application that the files reach; remembered where all is in Git."""
        draft = part.draft
        key = draft.repo, draft.target, draft.base, draft.head, self._store.resource_rev(APPLICATIONS)
        if not part.over and (known := self._known.get(key)) is not None:
            unknown |= dict.fromkeys(known[1])
            return known[0]
        told: dict[str, None] = {}
        found = await self._work_out(part, told)
        unknown |= told
        if not part.over:
            self._known[key] = found, tuple(told)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return found

    async def _work_out(self, part: _Part, unknown: dict[str, None]) -> list[tuple[str, Amendment]]:
        diffs = await self._diffs(part)
        if not any(map(_about_policies, diffs)):
            return []
        reached = await self._drafts.reach.reached(self._store, part.repository, part.draft, part.changes)
        unknown |= dict.fromkeys(reached.unknown)
        declares = [diff for diff in diffs if any(_says_policy(diff))]
        deployed = {file for each in reached.reached for file, why in each.why.items() if why in _DEPLOYS}
        for diff in declares:
            if diff.place.path not in deployed:
                unknown[f"{diff.place.path}: no Application is known that deploys it"] = None
        if len(reached.reached) > MOST:
            unknown[f"{len(reached.reached) - MOST} more Applications were not worked out"] = None
        found: list[tuple[str, Amendment]] = []
        for each in reached.reached[:MOST]:
            found += await self._of_application(part, each, unknown)
        return found

    async def _diffs(self, part: _Part) -> list[Diff]:
        texts: list[FileText] = []
        for change in part.changes:
            for text in await texts_of(part.repository, part.draft, change):
                over = part.over.get(text.place.path)
                texts.append(text if over is None else FileText(text.place, text.before, over))
        place = Place(part.draft.repo, "")
        missing = part.over.keys() - {text.place.path for text in texts}
        texts += [FileText(place._replace(path=path), None, part.over[path]) for path in missing]
        return await asyncio.to_thread(lambda: [compare(each) for each in texts])

    async def _of_application(
        self, part: _Part, reached: Reached, unknown: dict[str, None]
    ) -> list[tuple[str, Amendment]]:
        from tui.domain.cilium.impacts.amending import amendment

        cluster = self._facts.destination(reached.row).removesuffix("?")
        key, default = repository_key(part.draft.repo), await part.repository.default_branch()
        found = []
        for plan in sources.plans(reached.row.manifest()):
            if repository_key(plan.repo_url) != key or branch_of(plan.revision, default) != part.draft.target:
                continue
            try:
                before = await self._build(plan, part.draft.base, {})
                after = await self._build(plan, part.draft.head, part.over)
            except Trouble as error:
                unknown[f"{reached.name}: {error}"] = None
                continue
            change = await asyncio.to_thread(amendment, before, after)
            if change.unknown:
                words = tuple(f"{reached.name}: {line}" for line in change.unknown)
                change = msgspec.structs.replace(change, unknown=words)
            if not change.empty or change.unknown:
                found.append((cluster, change))
        return found

    async def _build(self, plan: SourcePlan, commit: str, over: Mapping[str, str]) -> Build:
        """What a source declares at a commit. Raises Trouble."""
        from tui.domain.cilium.impacts.amending import wanted
        from tui.domain.source.building import build

        at = msgspec.structs.replace(plan, revision=commit)
        key = repr(at)
        if not over and (known := self._builds.get(key)) is not None:
            self._builds.move_to_end(key)
            return known
        read = await self._locator.texts(at, MOST_FILES)
        if read is None:
            raise Missing(f"{giturl.shown(plan.repo_url)} is not here")
        resolved, texts = read
        made = await asyncio.to_thread(build, resolved, {**texts, **over}, wanted)
        if len(texts) >= MOST_FILES:
            made.unknown[f"only {MOST_FILES} files were read"] = commit
        if not over:
            self._builds[key] = made
            if len(self._builds) > MOST:
                self._builds.popitem(last=False)
        return made

    # -- in a cluster -----------------------------------------------------------------------------------------------

    async def _on(self, cluster: str, change: Amendment, wait: bool) -> ClusterImpact:
        from tui.domain.cilium.impacts.drafted import ClusterImpact, Now, impact_on

        if change.empty:
            return ClusterImpact(cluster, unknown=change.unknown)
        state = await self._state(cluster)
        if isinstance(state, str):
            return ClusterImpact(cluster, unknown=(*change.unknown, f"what it does is not known: {state}"))
        assert state.reach is not None
        if wait and self._flows is not None:
            await self._until(lambda: self._starting(cluster), FLOWING)
        now = Now(cluster, state.written, state.reach, (*state.blind, *state.caveats))
        return await asyncio.to_thread(impact_on, now, change, *self._seen(cluster))

    def _seen(self, cluster: str) -> tuple[list[Flow] | None, str]:
        """The flows that passed lately in a cluster, None and why where none can be read."""
        if self._flows is None:
            return None, "flows are not read here"
        status = self._flows.status(cluster)
        seen = [each.flow() for each in self._flows.recent(cluster) if each.allowed and not each.answer]
        return (seen, "") if seen or status.state == "flows" else (None, status.words)

    def _starting(self, cluster: str) -> str:
        """Why there may soon be flows although there are none yet."""
        assert self._flows is not None
        status = self._flows.status(cluster)
        return status.words if status.state == "starting" else ""

    async def _state(self, cluster: str) -> State | str:
        """What is known of a cluster, waited for a while; else in words why nothing is."""

        def missing() -> str:
            state = self._netpol.state(cluster)
            if isinstance(state, str):
                return state
            return "" if state.reach is not None else "who may talk to whom is being worked out"

        why = await self._until(missing, PATIENCE)
        state = self._netpol.state(cluster)
        return state if isinstance(state, str) or not why else why

    async def _until(self, missing: Callable[[], str], patience: float) -> str:
        """Wait until nothing is missing any more; what is after all, in words."""
        version = -1
        try:
            async with asyncio.timeout(patience):
                while missing():
                    version = await self._changed(version)
        except TimeoutError:
            pass
        return missing()


def _about_policies(diff: Diff) -> bool:
    """Whether a change of a file may have to do with policies."""
    return bool(diff.note or diff.unlisted or diff.gone) or any(_says_policy(diff)) or any(_says_pods(diff))


def _says_policy(diff: Diff) -> list[bool]:
    from tui.domain.cilium.impacts.amending import wanted

    kinds = [(each.identity.group, each.identity.kind) for each in diff.objects]
    return [wanted(*kind) for kind in kinds if not _runs_pods(kind[1])]


def _says_pods(diff: Diff) -> list[bool]:
    """Per workload of a file: whether it may give its pods other labels."""
    from tui.domain.cilium.impacts.amending import pod_labels_of

    return [
        pod_labels_of(each.before, each.identity.kind) != pod_labels_of(each.after, each.identity.kind)
        for each in diff.objects
        if _runs_pods(each.identity.kind)
    ]


def _runs_pods(kind: str) -> bool:
    from tui.domain.source.kustomize import POD_KINDS

    return kind in POD_KINDS
