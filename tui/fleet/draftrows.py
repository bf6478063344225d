"""Drafts as rows of the store and as events of the tail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from tui.domain import giturl, when
from tui.domain.draft import DRAFTS, Change, Draft, Standing
from tui.domain.kinds.fleet import DraftRecord
from tui.domain.kinds.kind import Tone
from tui.domain.obj import Meta, Ref, Row
from tui.domain.tail import TailEvent


class Listed(msgspec.Struct, frozen=True):
    """A draft with what is derived about it."""

    draft: Draft
    standing: Standing
    files: tuple[Change, ...] = ()
    commits: tuple[tuple[str, str], ...] = ()  # (id, subject), oldest first


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
        commits=len(listed.commits),
        files=tuple(file.path for file in listed.files),
        applications=_applications(draft, standing),
        base=draft.base,
        repository=giturl.shown(draft.repo),
        open_changes=draft.open_ops if draft.dirty else 0,
        unsaved=len(draft.unsaved),
    )
    return Row(Ref("", DRAFTS, "", draft.name), record, packed=document(listed))


def _applications(draft: Draft, standing: Standing) -> tuple[str, ...]:
    """The Applications a draft is about, by name; with the namespace where two of one name are meant."""
    full = {follower.name for follower in standing.followers}
    full |= {operation.application for operation in draft.ops if "/" in operation.application}
    same = Counter(name.rpartition("/")[2] for name in full)
    bare = {operation.application for operation in draft.ops if operation.application} - full - set(same)
    return tuple(sorted(bare | {short if same[short := name.rpartition("/")[2]] == 1 else name for name in full}))


def document(listed: Listed) -> bytes:
    """A draft as JSON, in the shape of an object: kind, metadata, spec (what is stored), status (what is derived)."""
    draft = listed.draft
    return msgspec.json.encode(
        {
            "kind": "Draft",
            "metadata": {"name": draft.name, "uid": draft.id, "creationTimestamp": when.rfc3339(draft.created)},
            "spec": msgspec.structs.replace(draft, repo=giturl.shown(draft.repo)),
            "status": {
                "standing": listed.standing,
                "files": listed.files,
                "commits": [{"id": oid, "subject": subject} for oid, subject in listed.commits],
            },
        }
    )


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
