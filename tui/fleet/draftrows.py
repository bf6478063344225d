"""Drafts as rows of the store and as events of the tail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from tui.domain import giturl, when
from tui.domain.drafts.model import DRAFTS, Change, Draft
from tui.domain.drafts.standing import Standing, least
from tui.domain.kinds.fleet import DraftRecord
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Meta, Ref, Row
from tui.domain.tail import TailEvent


class Listed(msgspec.Struct, frozen=True):
    """A draft with what is derived about it. `standing` is of all its repositories, the rest of the first of them."""

    draft: Draft
    standing: Standing
    files: tuple[Change, ...] = ()
    commits: tuple[tuple[str, str], ...] = ()  # (id, subject), oldest first
    more: tuple[Listed, ...] = ()  # the same draft in other repositories

    @property
    def whole(self) -> tuple[Listed, ...]:
        """The draft in each repository it spans, oldest part first."""
        return (self, *self.more)


def together(parts: Sequence[Listed]) -> Listed:
    """One draft from its parts in several repositories."""
    first, *others = sorted(parts, key=lambda part: (part.draft.created, part.draft.repo))
    if not others:
        return first
    standing = least([(part.draft, part.standing) for part in (first, *others)])
    return msgspec.structs.replace(first, standing=standing, more=tuple(others))


class Recovered(msgspec.Struct, frozen=True):
    """Text that was typed and not saved. `draft` is its name, "" when there was none; `over` as in `autosave`."""

    path: str
    text: str
    draft: str = ""
    over: str = ""
    at: float = 0.0
    key: str = ""  # of the journal; "" = kept in the draft


def row(listed: Listed) -> Row:
    """The row of a draft; its JSON is the stored draft with its standing."""
    draft, standing = listed.draft, listed.standing
    state = f"arriving {standing.arrived}/{standing.total}" if standing.state == "arriving" else standing.state
    record = DraftRecord(
        metadata=Meta(name=draft.name, uid=draft.id, creation_timestamp=when.rfc3339(draft.created)),
        title=draft.title,
        state=state,
        detail=standing.detail,
        target=draft.target,
        commits=sum(len(part.commits) for part in listed.whole),
        files=tuple(file.path for part in listed.whole for file in part.files),
        applications=_applications(listed),
        base=draft.base,
        repository=", ".join(giturl.shown(part.draft.repo) for part in listed.whole),
        open_changes=sum(part.draft.open_ops for part in listed.whole if part.draft.dirty),
        unsaved=sum(len(part.draft.unsaved) for part in listed.whole),
    )
    return Row(Ref("", DRAFTS, "", draft.name), record, packed=document(listed))


def _applications(listed: Listed) -> tuple[str, ...]:
    """The Applications a draft is about, by name; with the namespace where two of one name are meant."""
    operations = [operation for part in listed.whole for operation in part.draft.ops]
    full = {follower.name for follower in listed.standing.followers}
    full |= {operation.application for operation in operations if "/" in operation.application}
    same = Counter(name.rpartition("/")[2] for name in full)
    bare = {operation.application for operation in operations if operation.application} - full - set(same)
    return tuple(sorted(bare | {short if same[short := name.rpartition("/")[2]] == 1 else name for name in full}))


def document(listed: Listed) -> bytes:
    """A draft as JSON, in the shape of an object: kind, metadata, spec (what is stored), status (what is derived)."""
    draft = listed.draft
    status = {"standing": listed.standing, "files": listed.files, "commits": _commits(listed)}
    if listed.more:
        status["more"] = [
            {
                "spec": msgspec.structs.replace(part.draft, repo=giturl.shown(part.draft.repo)),
                "status": {"standing": part.standing, "files": part.files, "commits": _commits(part)},
            }
            for part in listed.more
        ]
    return msgspec.json.encode(
        {
            "kind": "Draft",
            "metadata": {"name": draft.name, "uid": draft.id, "creationTimestamp": when.rfc3339(draft.created)},
            "spec": msgspec.structs.replace(draft, repo=giturl.shown(draft.repo)),
            "status": status,
        }
    )


def _commits(listed: Listed) -> list[dict[str, str]]:
    return [{"id": oid, "subject": subject} for oid, subject in listed.commits]


def steps(before: Listed, now: Listed, time: float) -> Iterator[TailEvent]:
    """What has happened to a draft between two looks, one event each."""
    draft, standing = now.draft, now.standing
    revision = standing.landed or draft.tip

    def event(reason: str, message: str, tone: Tone, **more: object) -> TailEvent:
        base = TailEvent(time, "", "", reason, message, revision, source="draft", tone=tone)
        base = msgspec.structs.replace(base, ref=Ref("", DRAFTS, "", draft.name), key=f"draft/{draft.id}/{reason}")
        return msgspec.structs.replace(base, **more) if more else base

    if draft.pushed and draft.pushed != before.draft.pushed:
        yield event("DraftPushed", f"{draft.name}: pushed to {draft.branch}", Tone.BUSY, revision=draft.pushed)
    if standing.landed and not before.standing.landed:
        yield event("DraftLanded", f"{draft.name}: landed on {draft.target}", Tone.BUSY)
    if standing.state == "conflict" != before.standing.state:
        yield event("DraftConflict", f"{draft.name}: {standing.detail}", Tone.BAD)
    had = {(follower.cluster, follower.name) for follower in before.standing.followers if follower.has}
    new = [one for one in standing.followers if one.has and (one.cluster, one.name) not in had]
    for number, follower in enumerate(new, standing.arrived - len(new) + 1):
        count = f"{number} of {standing.total}" if number < standing.total else f"everywhere, {standing.total}"
        yield event(
            "DraftArrived",
            f"{draft.name}: arrived ({count})",
            Tone.GOOD,
            cluster=follower.cluster,
            application=follower.name,
            revision=follower.revision,
            key=f"draft/{draft.id}/arrived/{follower.cluster}/{follower.name}",
        )
