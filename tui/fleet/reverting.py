"""Back to a revision that Argo CD has deployed: what of an Application's sources is to be brought back, and how.

A source that follows a branch gets the files it had; one that is pinned, to a tag, a commit or a chart's version, gets
the revision it was pinned to then, in the Application's own manifest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from tui.domain import source as sources
from tui.domain.argo.application import short
from tui.domain.drafts.model import Draft, Operation
from tui.domain.obj import Ref, Row
from tui.domain.ports import DraftRepository, Refused
from tui.domain.source.model import SourcePlan, dig, records, strings, text
from tui.fleet import bulk
from tui.fleet.drafts import Drafts
from tui.fleet.drafts.reverting import Back, Source
from tui.fleet.locating import Located, Locator

MOST_FILES = 500  # of one source that are looked through for what it refers to outside its folder


class Reversion(msgspec.Struct, frozen=True):
    """What going back means; nothing has been done. `outside` are files that other Applications may use too."""

    ref: Ref
    cluster: str
    revision: str  # short, as people call it
    backs: tuple[Back, ...] = ()
    pins: tuple[tuple[str, str], ...] = ()  # (path in the Application, revision)
    outside: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def entry_of(row: Row, word: int | str) -> Mapping[str, Any]:
    """The entry of an Application's history that is meant: its id, or (the beginning of) a revision. Raises Refused."""
    history = records(dig(row.manifest(), "status", "history"))
    for entry in reversed(history):
        if entry.get("id") == word or (isinstance(word, str) and word == str(entry.get("id"))):
            return entry
    for entry in reversed(history):
        if isinstance(word, str) and len(word) >= 4 and any(each.startswith(word) for each in _revisions(entry)):
            return entry
    known = ", ".join(f"{entry.get('id')} ({short(', '.join(_revisions(entry)))})" for entry in history) or "none"
    raise Refused(f"{row.ref.name} has not been deployed at {word} as far as Argo CD remembers; its history: {known}")


async def work_out(drafts: Drafts, locator: Locator, row: Row, entry: Mapping[str, Any], cluster: str) -> Reversion:
    """What has to change for an Application to be as in an entry of its history. Raises Trouble."""
    manifest = row.manifest()
    then = records(entry.get("sources")) or records([entry.get("source")])
    now = records(dig(manifest, "spec", "sources")) or records([dig(manifest, "spec", "source")])
    revisions = _revisions(entry)
    if len(then) != len(now) or len(revisions) != len(then):
        raise Refused(f"{row.ref.name} had other sources then: revert its own manifest first")
    several = bool(records(dig(manifest, "spec", "sources")))
    wanted: list[Source] = []
    pins: list[tuple[str, str]] = []
    notes: list[str] = []
    for index, (old, new, revision) in enumerate(zip(then, now, revisions, strict=True)):
        spot = f"spec.sources[{index}].targetRevision" if several else "spec.source.targetRevision"
        if text(new.get("chart")):
            if text(new.get("targetRevision")) != revision:
                pins.append((spot, revision))
            wanted += await _paths(locator, manifest, then, revisions, index, "")
            continue
        if _unlike(old) != _unlike(new):
            notes.append(f"its source was set otherwise then: compare {spot.removesuffix('.targetRevision')}")
        target = await _branch(await drafts.repository(text(new.get("repoURL"))), text(new.get("targetRevision")))
        if target is None:
            if text(old.get("targetRevision")) != text(new.get("targetRevision")):
                pins.append((spot, text(old.get("targetRevision"))))
                continue
            raise Refused(f"{text(new.get('targetRevision'))} is no branch: what it points to cannot be edited")
        wanted += await _paths(locator, manifest, then, revisions, index, target)
    backs = await drafts.plan_revert(wanted) if wanted and not pins else await _any(drafts, wanted)
    if not backs and not pins:
        raise Refused(f"{row.ref.name} is declared as it was then")
    roots = [text(source.get("path")).strip("/") for source in now if text(source.get("path"))]
    outside = [
        file.path for back in backs for file in back.files
        if not any(not root or file.path.startswith(f"{root}/") for root in roots)
    ]  # fmt: skip
    return Reversion(row.ref, cluster, short(revisions[0]), tuple(backs), tuple(pins), tuple(outside), tuple(notes))


async def draft_it(
    drafts: Drafts, locate: Callable[[Ref], Awaitable[Located]], plan: Reversion, draft: Draft | str | None = None
) -> Draft:
    """A draft with it, committed. Raises Refused when the Application's own manifest is not to be found; then nothing
    has been made."""
    name = plan.ref.name
    edit = bulk.assignments(plan.pins, "Application")
    if plan.pins:
        worked = await bulk.work_out(drafts, locate, [plan.ref], edit, draft, lambda ref: plan.cluster)
        _refuse(worked)
    made: Draft | str | None = draft
    if plan.backs:
        about = Operation("", "revert", new=plan.revision, application=name, cluster=plan.cluster)
        made = await drafts.revert(name, plan.backs, about, draft)
    if plan.pins:
        before = [held.dirty for _, held in await drafts.parts(made)] if made is not None else []
        worked = await bulk.work_out(
            drafts, locate, [plan.ref], edit, made.id if isinstance(made, Draft) else made, lambda ref: plan.cluster
        )
        _refuse(worked)
        title = f"Revert {name} to {plan.revision}"
        made = await bulk.stage(drafts, worked, title, made)
        if not any(before):
            pinned = "\n".join(f"- {path}: {revision}" for path, revision in plan.pins)
            made = await drafts.commit(made.id, f"{title}\n\n{pinned}\n")
    assert isinstance(made, Draft)
    return (await drafts.show(made.id)).draft


def _refuse(worked: bulk.Bulk) -> None:
    found = worked.found[0]
    if found.state != bulk.CHANGE:
        raise Refused(f"the manifest of {found.ref.name}: {found.why or found.state}")


async def _any(drafts: Drafts, wanted: Sequence[Source]) -> list[Back]:
    """Like `plan_revert`, but nothing to revert is no error: something else may be."""
    try:
        return await drafts.plan_revert(wanted) if wanted else []
    except Refused:
        return []


async def _paths(
    locator: Locator, manifest: Mapping[str, Any], then: Sequence[Mapping[str, Any]], revisions: Sequence[str],
    index: int, target: str,
) -> list[Source]:  # fmt: skip
    """What one source of a branch is made of: its folder first, then what that refers to outside, and its values."""
    old, revision = then[index], revisions[index]
    if text(old.get("ref")) and not text(old.get("path")):
        return []  # what others read from it, they name
    spec = {"destination": dig(manifest, "spec", "destination"), "sources": list(then)}
    application = {"metadata": manifest.get("metadata"), "spec": spec}
    plan = next(plan for plan in sources.plans(application) if plan.spot == f"spec.sources[{index}]")
    found: list[Source] = []
    if not plan.chart:
        outside = await _outside(locator, msgspec.structs.replace(plan, revision=revision))
        found.append(Source(plan.repo_url, revision, (plan.path, *outside), target))
    refs = {text(source.get("ref")): number for number, source in enumerate(then) if text(source.get("ref"))}
    for value in plan.value_files:
        name = value.key[1:].partition("/")[0] if value.key.startswith("$") else ""
        if name in refs:
            found.append(Source(value.repo_url, revisions[refs[name]], (value.path,), value.revision))
    return found


async def _outside(locator: Locator, plan: SourcePlan) -> list[str]:
    """The files that a source is made of and that lie outside its folder in the same repository."""
    read = await locator.texts(plan, MOST_FILES)
    inside = f"{plan.path}/" if plan.path else ""
    return sorted(path for path in (read[1] if read else {}) if not path.startswith(("$", inside or "\0")) and inside)


async def _branch(repository: DraftRepository, revision: str) -> str | None:
    """The branch that a target revision means; None when it is a tag or a commit."""
    name = revision.removeprefix("refs/heads/")
    if name in ("", "HEAD"):
        return await repository.default_branch()
    return name if name in await repository.branches() else None


def _unlike(source: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key != "targetRevision"}


def _revisions(entry: Mapping[str, Any]) -> list[str]:
    return strings(entry.get("revisions")) or [text(entry.get("revision"))]
