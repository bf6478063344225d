"""Which Applications a draft's files reach, and whether they have its commit, from the rows of the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tui.domain import giturl
from tui.domain.argo.application import RESOURCE, ApplicationBrief, SourceBrief
from tui.domain.draft import Draft, Follower, touches
from tui.domain.obj import Row
from tui.store import Store

_PORTION = 500


class Reached(NamedTuple):
    """An Application that takes files of a draft from its target branch, and the commit it was last compared to."""

    row: Row
    revision: str

    @property
    def name(self) -> str:
        """`namespace/name`, as the event tail has it."""
        return f"{self.row.ref.namespace}/{self.row.ref.name}"


@lru_cache(maxsize=4096)
def _key(url: str) -> str:
    try:
        return giturl.parse(url).key
    except giturl.BadUrl:
        return ""


def branch_of(revision: str, default: str) -> str:
    """The branch a targetRevision means; a tag or commit gives itself, which is no branch's name."""
    return default if revision in ("", "HEAD") else revision.removeprefix("refs/heads/")


async def portions(store: Store) -> AsyncIterator[Sequence[Row]]:
    """All Applications, a few hundred at a time, so that the loop can do other things in between."""
    rows = list(store.rows(RESOURCE))
    for start in range(0, len(rows), _PORTION):
        yield rows[start : start + _PORTION]
        await asyncio.sleep(0)


def compared(rows: Iterable[Row], key: str) -> set[str]:
    """The commits of one repository that Applications were last compared to."""
    found: set[str] = set()
    for row in rows:
        application: ApplicationBrief = row.obj
        for source, revision in _sources(application):
            if revision and _key(source.repo_url) == key and not source.chart:
                found.add(revision)
    return found


def _sources(application: ApplicationBrief) -> Iterator[tuple[SourceBrief, str]]:
    """Each source with the commit it was last compared to, "" when it was not."""
    spec, sync = application.spec, application.status.sync
    sources: tuple[SourceBrief, ...] = spec.sources or ((spec.source,) if spec.source else ())
    revisions = (sync.revisions if spec.sources else None) or (sync.revision,)
    for position, source in enumerate(sources):
        yield source, revisions[position] if position < len(revisions) else ""


def reached(rows: Iterable[Row], draft: Draft, files: Sequence[str], default: str) -> Iterator[Reached]:
    """Every Application whose source has one of the files, or that an edit of the draft was made for."""
    key, names = _key(draft.repo), {operation.application for operation in draft.ops if operation.application}
    for row in rows:
        application: ApplicationBrief = row.obj
        for source, revision in _sources(application):
            if _key(source.repo_url) != key or branch_of(source.target_revision, default) != draft.target:
                continue
            named = f"{row.ref.namespace}/{row.ref.name}" in names or row.ref.name in names
            if named or _uses(row, source, files):
                yield Reached(row, revision)
                break


def _uses(row: Row, source: SourceBrief, files: Sequence[str]) -> bool:
    if source.path:
        return touches([source.path], files)
    if not source.ref:
        return False
    mark = f"${source.ref}/"
    for other in row.manifest().get("spec", {}).get("sources") or ():
        values = (other.get("helm") or {}).get("valueFiles") or ()
        if any(str(name).startswith(mark) and str(name).removeprefix(mark) in files for name in values):
            return True
    return False


async def followers(
    found: Iterable[Reached], landed: str, contains: Callable[[str, str], Awaitable[bool | None]]
) -> tuple[Follower, ...]:
    """Whether each Application has the landed commit: Synced to a revision that contains it. None = cannot be told.

    `landed` "" = nothing has landed, so that none has it.
    """
    answers: dict[str, bool | None] = {}
    result = []
    for reach in found:
        application: ApplicationBrief = reach.row.obj
        revision, word = reach.revision, application.status.sync.status
        if not landed:
            answers[revision] = False
        elif revision not in answers:
            answers[revision] = await contains(revision, landed) if revision else None
        has = answers[revision]
        if has and word != "Synced":
            has = False if word == "OutOfSync" else None
        policy = application.spec.sync_policy
        automated = policy.automated if policy else None
        result.append(
            Follower(
                reach.name,
                reach.row.ref.cluster,
                revision,
                has,
                automated is not None and automated.enabled is not False,
            )
        )
    return tuple(sorted(result, key=lambda follower: (follower.cluster, follower.name)))
