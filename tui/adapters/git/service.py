"""One repository and its drafts for coroutines: one worker thread, network commands beside it."""

from __future__ import annotations

import asyncio
import getpass
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import msgspec

from tui.adapters.git import checkout as clones
from tui.adapters.git import (
    committing,
    content,
    forge,
    history,
    rebasing,
    restoring,
    searching,
    staging,
    states,
    unborn,
)
from tui.adapters.git import push as pushing
from tui.adapters.git import rewrite as rewriting
from tui.adapters.git.checkout import Checkout
from tui.adapters.git.command import Refused
from tui.adapters.git.drafts import DraftRefs
from tui.adapters.git.objects import FOLDER, Missing
from tui.adapters.git.repository import (
    UPSTREAM,
    Progress,
    Repository,
)
from tui.adapters.git.threads import in_thread
from tui.domain.drafts.conflict import Clash, Conflicts, Decision
from tui.domain.drafts.model import Change, Content, Draft, Operation
from tui.domain.drafts.rewriting import OwnCommit, Pick, Rewritten
from tui.domain.drafts.sending import (
    AS_CONFIGURED,
    PUSH_AS_CONFIGURED,
    CommitOptions,
    PullRequest,
    PushOptions,
    PushPlan,
    PushResult,
)
from tui.domain.drafts.standing import Surroundings
from tui.domain.drafts.states import StateInfo
from tui.domain.ports import CommitInfo
from tui.domain.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
_REMEMBERED = 4096
_MADE = re.compile(r"/(pull|merge_requests)/\d+$")  # the page of a pull request, not of the form that makes one
DEFAULTS = Settings()


class GitRepository:
    """One private repository; the port `DraftRepository`, whose docstrings say what each method does."""

    def __init__(self, repository: Repository, now: Callable[[], float], settings: Settings = DEFAULTS) -> None:
        self.repository = repository
        self.settings = settings
        self.refs = DraftRefs(repository, now)
        self.url = repository.url
        self.key = repository.remote.key
        self.checkout = str(repository.checkout.root) if repository.checkout else ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="git")
        self._fetching = asyncio.Lock()
        # answers about commits never change, so they are kept
        self._around_known: dict[tuple[object, ...], Surroundings] = {}
        self._changes_known: dict[tuple[str, str], list[Change]] = {}
        self._contains_known: dict[tuple[str, str], bool] = {}

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await in_thread(self._thread, function, *args, **kwargs)

    async def moved_to(self, checkout: Checkout) -> None:
        """From now on another clone of the user's says who commits and how the remote is reached."""
        await self._call(self.repository.remember, checkout)
        self.checkout = str(checkout.root)

    async def fetch(self, progress: Progress | None = None, *, terminal: bool = False) -> None:
        async with self._fetching:
            self.repository.git.config = await self._call(self.repository.settings)
            await self.repository.fetch(progress, terminal=terminal)
            if not await self._call(self.repository.ref, UPSTREAM + "HEAD"):
                await self.repository.find_default_branch(terminal=terminal)
            await self.repository.tidy()  # scripts that never open the screen come by here as well

    async def tidy(self) -> None:
        await self.repository.tidy()

    async def branches(self) -> dict[str, str]:
        return await self._call(self.repository.branches)

    async def default_branch(self) -> str:
        return await self._call(self._default_branch)

    def _default_branch(self) -> str:
        found = self.repository.default_branch()
        return found if found or self.repository.branches() else unborn.default_branch(self.repository)

    async def resolve(self, revision: str) -> str:
        return await self._call(self.repository.resolve, revision)

    async def contains(self, commit: str, ancestor: str) -> bool | None:
        key = (commit, ancestor)
        if key not in self._contains_known:
            answer = await self._call(self.repository.contains, commit, ancestor)
            if answer is None:
                return None
            _remember(self._contains_known, key, answer)
        return self._contains_known[key]

    async def entries(self, revision: str, folder: str = "") -> list[tuple[str, int, str]]:
        return await self._call(self._entries, revision, folder)

    def _entries(self, revision: str, folder: str) -> list[tuple[str, int, str]]:
        objects = self.repository.objects
        entry = objects.entry(objects.root(self._commit(revision)), folder)
        if entry is None or entry.mode != FOLDER:
            raise Missing(f"{folder} is not a folder at {revision}")
        return [
            (name.decode("utf-8", "surrogateescape"), held.mode, held.oid)
            for name, held in objects.tree(entry.oid).items()
        ]

    async def about(self, revision: str) -> CommitInfo:
        return await self._call(self._about, revision)

    def _about(self, revision: str) -> CommitInfo:
        return history.about(history.commit(self.repository.objects, self._commit(revision)))

    async def read(self, revision: str, path: str) -> Content:
        return await self._call(self._read, revision, path)

    def _read(self, revision: str, path: str) -> Content:
        commit = self._commit(revision)
        held = content.read(self.repository.objects, self.repository.objects.root(commit), path)
        return msgspec.structs.replace(held, commit=commit)

    def _commit(self, revision: str) -> str:
        return self.repository.objects.resolve(revision) or self.repository.resolve(revision)

    async def search(
        self, revision: str, words: Sequence[str], names: Sequence[str], folder: str = "", anycase: bool = False
    ) -> list[str]:
        commit = await self._call(self._commit, revision)
        return await self._call(searching.search, self.repository, commit, words, names, folder, anycase)

    async def log(self, old: str, new: str, paths: Sequence[str]) -> list[tuple[str, str]]:
        return await self._call(searching.log, self.repository, old, new, paths)

    async def drafts(self, *, trash: bool = False) -> tuple[list[Draft], list[str]]:
        return await self._call(self.refs.all, trash=trash)

    async def draft(self, draft_id: str) -> Draft:
        return await self._call(self.refs.get, draft_id)

    async def create(self, title: str, target: str, name: str, draft_id: str = "", base: str = "") -> Draft:
        return await self._call(self.refs.create, title, target, name, draft_id, base)

    async def edit(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        operations: Sequence[Operation] = (),
        over: Mapping[str, str] | None = None,
    ) -> Draft:
        return await self._call(self.refs.edit, draft_id, files, operations, over)

    async def bring_back(self, draft_id: str, revision: str, paths: Sequence[str], about: Operation) -> Draft:
        commit = await self._call(self._commit, revision)
        return await self._call(restoring.bring_back, self.refs, draft_id, commit, paths, about)

    async def take_back(
        self, draft_id: str, revision: str, paths: Sequence[str], about: Operation
    ) -> tuple[Draft, Sequence[Clash]]:
        commit = await self._call(self._commit, revision)
        return await self._call(restoring.take_back, self.refs, draft_id, commit, paths, about)

    async def commit(
        self,
        draft_id: str,
        message: str,
        expected: str = "",
        options: CommitOptions = AS_CONFIGURED,
        progress: Progress | None = None,
    ) -> Draft:
        return await self._with_hooks(progress, self.refs.commit, draft_id, message, expected=expected, options=options)

    async def _with_hooks(
        self, progress: Progress | None, function: Callable[..., T], *args: object, **kwargs: object
    ) -> T:
        """Call what runs hooks. They may take minutes: on a thread of its own, so that the repository can be read."""
        stop = threading.Event()
        try:
            return await in_thread(None, function, *args, **kwargs, listen=_on_loop(progress), stop=stop)
        finally:
            stop.set()

    async def pick(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        *,
        whole: Iterable[str] = (),
        back: Iterable[str] = (),
        shown: Draft | None = None,
    ) -> Draft:
        return await self._call(staging.pick, self.refs, draft_id, files, whole=whole, back=back, shown=shown)

    async def discard(
        self,
        draft_id: str,
        files: Mapping[str, bytes | None],
        *,
        whole: Iterable[str] = (),
        shown: Draft | None = None,
    ) -> Draft:
        return await self._call(staging.discard, self.refs, draft_id, files, whole=whole, shown=shown)

    async def own_commits(self, draft: Draft) -> list[OwnCommit]:
        return await self._call(rewriting.own_commits, self.refs, draft)

    async def rewrite(
        self, draft_id: str, picks: Sequence[Pick], *, action: str = "rewrite", shown: Draft | None = None,
        keep: bool = False, options: CommitOptions = AS_CONFIGURED, progress: Progress | None = None,
    ) -> Rewritten:  # fmt: skip
        return await self._with_hooks(
            progress, rewriting.rewrite, self.refs, draft_id, picks,
            action=action, shown=shown, keep=keep, options=options,
        )  # fmt: skip

    async def split(
        self, draft_id: str, oid: str, first: Mapping[str, bytes | None], messages: tuple[str, str], *,
        whole: Iterable[str] = (), shown: Draft | None = None,
        options: CommitOptions = AS_CONFIGURED, progress: Progress | None = None,
    ) -> Draft:  # fmt: skip
        return await self._with_hooks(
            progress, rewriting.split, self.refs, draft_id, oid, first, messages,
            whole=whole, shown=shown, options=options,
        )  # fmt: skip

    async def blob(self, revision: str, path: str) -> bytes | None:
        return await self._call(self._blob, revision, path)

    def _blob(self, revision: str, path: str) -> bytes | None:
        objects = self.repository.objects
        held = objects.entry(objects.root(self._commit(revision)), path)
        return objects.read(held.oid, "blob") if held is not None else None

    async def undo(self, draft_id: str) -> Draft:
        return await self._call(self.refs.undo, draft_id)

    async def redo(self, draft_id: str) -> Draft:
        return await self._call(self.refs.redo, draft_id)

    async def drop(self, draft_id: str) -> Draft:
        return await self._call(self.refs.drop, draft_id)

    async def restore(self, draft_id: str) -> Draft:
        return await self._call(self.refs.restore, draft_id)

    async def update(self, draft_id: str, **fields: object) -> Draft:
        return await self._call(self.refs.update, draft_id, **fields)

    async def keep_unsaved(self, draft_id: str, path: str, text: str | None, over: str = "") -> Draft:
        return await self._call(self.refs.keep_unsaved, draft_id, path, text, over)

    async def unsaved(self, draft: Draft) -> dict[str, str]:
        return await self._call(self.refs.unsaved, draft)

    async def states(self, draft_id: str, limit: int = 50, before: str = "") -> list[StateInfo]:
        return await self._call(states.states, self.refs, draft_id, limit, before)

    async def revive(self, draft_id: str, state: str) -> Draft:
        return await self._call(states.revive, self.refs, draft_id, state)

    async def mark(self) -> object:
        return self.repository.mark()

    async def changes(self, old: str, new: str) -> list[Change]:
        return await self._call(self._changes, old, new)

    def _changes(self, old: str, new: str) -> list[Change]:
        if old == new:
            return []
        if (old, new) not in self._changes_known:
            _remember(self._changes_known, (old, new), history.files(self.repository, old, new))
        return self._changes_known[old, new]

    async def diff(self, old: str, new: str) -> tuple[list[Change], str]:
        return await self._call(self._diff, old, new)

    def _diff(self, old: str, new: str) -> tuple[list[Change], str]:
        if old == new:
            return [], ""
        return self._changes(old, new), history.patch(self.repository, old, new)

    async def commits(self, draft: Draft) -> list[tuple[str, str]]:
        found = await self._call(history.commits, self.repository.objects, draft.base, draft.tip)
        return [(commit.oid, commit.subject) for commit in found]

    async def around(self, draft: Draft) -> Surroundings:
        return await self._call(self._around, draft)

    def _around(self, draft: Draft) -> Surroundings:
        key = rebasing.around_key(self.refs, draft)
        if key not in self._around_known:
            _remember(self._around_known, key, rebasing.around(self.refs, draft))
        return self._around_known[key]

    async def conflicts(self, draft: Draft, onto: str = "") -> Conflicts:
        return await self._call(rebasing.conflicts, self.refs, draft, onto)

    async def choose(self, draft_id: str, decisions: Mapping[str, Decision | None], onto: str = "") -> Draft:
        return await self._call(rebasing.choose, self.refs, draft_id, decisions, onto)

    async def abort_rebase(self, draft_id: str) -> Draft:
        return await self._call(rebasing.abort, self.refs, draft_id)

    async def rebase(
        self, draft_id: str, onto: str = "", decisions: Mapping[str, Decision | None] | None = None
    ) -> tuple[Draft, tuple[Clash, ...]]:
        return await self._call(rebasing.rebase, self.refs, draft_id, onto, decisions)

    async def message_template(self) -> str:
        return await self._call(self._message_template)

    def _message_template(self) -> str:
        place, is_checkout = self.repository.place()
        return clones.commit_template(place, checkout=is_checkout)

    async def plan_push(
        self, draft: Draft, *, to_target: bool, options: PushOptions = PUSH_AS_CONFIGURED, terminal: bool = False
    ) -> PushPlan:
        around = await self._call(self._around, draft)
        planned = await self._call(self._plan, draft, to_target, around, options)
        if planned.tag and not planned.problem:
            await self._call(committing.check_tag_name, self.repository, planned.tag)
            if at := await self._on_remote(f"refs/tags/{planned.tag}", terminal):
                problem = f"the tag {planned.tag} exists already on the remote, at {at[:10]}"
                planned = msgspec.structs.replace(planned, problem=problem)
        return planned

    def _plan(self, draft: Draft, to_target: bool, around: Surroundings, options: PushOptions) -> PushPlan:
        place, is_checkout = self.repository.place()
        author = clones.user(place, checkout=is_checkout).author
        match = re.search(r"<([^@>]+)", author)
        name = match[1] if match else getpass.getuser()
        return pushing.plan(
            self.repository, draft, name, around, to_target=to_target, settings=self.settings, wish=options
        )

    async def push(self, plan: PushPlan, progress: Progress | None = None, *, terminal: bool = False) -> PushResult:
        draft = await self.draft(plan.draft)
        if plan.problem:
            raise Refused(plan.problem)
        if draft.dropped:
            raise Refused("the draft is in the trash; restore it first")
        if draft.tip != plan.commit or draft.dirty:
            raise Refused("the draft has changed since the push was shown")
        self.repository.git.config = await self._call(self.repository.settings)
        stop = threading.Event()
        try:
            tag, said = await in_thread(
                None, pushing.prepare, self.repository, draft, plan,
                terminal=terminal, listen=_on_loop(progress), stop=stop,
            )  # fmt: skip
        finally:
            stop.set()
        result = await pushing.push(self.repository, draft, plan, self.settings, progress, tag=tag, terminal=terminal)
        if result.stale and (left := await self._left_by_us(draft, plan)) is not None:
            plan = msgspec.structs.replace(plan, lease=left)
            result = await pushing.push(
                self.repository, draft, plan, self.settings, progress, tag=tag, terminal=terminal
            )
        known: dict[str, object] = {"branch": plan.branch, "pushed": plan.commit, "page": result.page}
        try:
            if result.done:
                await self.update(draft.id, **({"merged": plan.commit} if plan.to_target else known))
        except Missing:  # hooks may take minutes
            result = msgspec.structs.replace(result, message=f"{result.message}; the draft was dropped meanwhile")
        return msgspec.structs.replace(result, said=said)

    async def pull_request(self, draft: Draft, *, make: bool = True) -> PullRequest:
        held = await self.draft(draft.id)
        if not held.pushed:
            raise Refused("the draft has no branch on the remote yet; push it first")
        if held.pushed != held.tip or held.dirty:
            raise Refused("the draft has changed since it was pushed; push it again first")
        if _MADE.search(held.page):
            return PullRequest(held.page, "it is there already", True)
        remote, forges = self.repository.remote, self.settings.forges
        tool = await forge.tool_for(remote, forges) if self.settings.pull_request == "cli" else ""
        if tool and not make:
            return PullRequest(held.page, f"{tool} makes it", tool=tool)
        if tool:
            own = await self._call(history.commits, self.repository.objects, held.base, held.tip)
            made = await forge.create(tool, remote, held.branch, held.target, *forge.words(held, own))
            if made.url:
                await self.update(held.id, page=made.url)
            return made
        words = "the page that makes the pull request" if held.page else "the remote named no page for pull requests"
        return PullRequest(held.page, words)

    async def _on_remote(self, ref: str, terminal: bool = False) -> str:
        """What a ref of the remote points to now; "" when it has none of that name."""
        result = await self.repository.git.run("ls-remote", "--end-of-options", "origin", ref, terminal=terminal)
        for line in result.out.decode("utf-8", "replace").splitlines():
            oid, _, name = line.partition("\t")
            if name == ref:
                return oid
        return ""

    async def _left_by_us(self, draft: Draft, plan: PushPlan) -> str | None:
        """What the branch points to on the remote when that is this draft's own work; else None.

        A push that the remote took while fleet was killed leaves a commit that no state has recorded as pushed.
        """
        oid = await self._on_remote(f"refs/heads/{plan.branch}")
        own = bool(oid) and oid != plan.lease and await self._call(self.refs.was_tip, draft, oid)
        return oid if own else None

    async def close(self) -> None:
        await self._call(self.repository.close)
        self._thread.shutdown(wait=False)


def _on_loop(progress: Progress | None) -> Progress | None:
    """The same listener for lines that come on another thread."""
    if progress is None:
        return None
    loop, listener = asyncio.get_running_loop(), progress

    def tell(line: str) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(listener, line)

    return tell


def _remember(known: dict[K, T], key: K, answer: T) -> None:
    """Keep an answer, and not more than a few thousand of them."""
    if len(known) >= _REMEMBERED:
        del known[next(iter(known))]
    known[key] = answer
