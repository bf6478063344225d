"""Whether the Applications that a draft reaches have its commit, from the rows of the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator

from tui.domain.argo.application import ApplicationBrief, SourceBrief
from tui.domain.argo.reach import repository_key
from tui.domain.drafts.standing import Follower
from tui.domain.obj import Row
from tui.fleet.reach import Reached


def compared(rows: Iterable[Row], key: str) -> set[str]:
    """The commits of one repository that Applications were last compared to."""
    found: set[str] = set()
    for row in rows:
        application: ApplicationBrief = row.obj
        for source, revision in _sources(application):
            if revision and repository_key(source.repo_url) == key and not source.chart:
                found.add(revision)
    return found


def _sources(application: ApplicationBrief) -> Iterator[tuple[SourceBrief, str]]:
    """Each source with the commit it was last compared to, "" when it was not."""
    spec, sync = application.spec, application.status.sync
    sources: tuple[SourceBrief, ...] = spec.sources or ((spec.source,) if spec.source else ())
    revisions = (sync.revisions if spec.sources else None) or (sync.revision,)
    for position, source in enumerate(sources):
        yield source, revisions[position] if position < len(revisions) else ""


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
