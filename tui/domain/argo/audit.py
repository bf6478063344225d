"""Kubernetes Events that Argo CD writes about Applications, in the words of the tail.

Reasons and message shapes: Argo CD `util/argo/audit_logger.go`, `controller/appcontroller.go`,
`server/application/application.go`. What is not recognised is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tui.domain import when
from tui.domain.argo.application import short
from tui.domain.argo.facts import AUTO_SYNC, HEALTH_TONES, PHASE_REASONS, SYNC_TONES, Subject, move, shorten
from tui.domain.kinds.kind import Tone
from tui.domain.tail import TailEvent

_AUTOMATED = re.compile(r"^Initiated automated sync to '(?P<rev>[^']*)'")
_BY_USER = re.compile(
    r"^(?P<user>.+?) initiated (?P<what>(?:partial )?sync|rollback)(?: to (?P<rev>.*?))?(?P<local> locally)?$"
)
_ENDED = re.compile(
    r"^(?P<what>Sync|Partial sync) operation to (?P<rev>.*?) ?(?P<how>succeeded|failed)(?:: (?P<why>.*))?$", re.S
)
_STATUS = re.compile(r"^Updated (?P<what>sync|health) status: (?P<old>\S*) -> (?P<new>\S+)")
_USER_DID = re.compile(
    r"^(?P<user>.+?) (?P<what>updated|terminated|patched|created|deleted|ran|unset)\b(?P<rest>.*)$", re.S
)
_SHA = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")


def from_kubernetes_event(event: Mapping[str, Any], cluster: str) -> TailEvent | None:
    """The line of one Kubernetes Event (its decoded JSON); None when it is not about an Application."""
    involved = _map(event.get("involvedObject"))
    if involved.get("kind") != "Application" or not involved.get("name"):
        return None
    meta = _map(event.get("metadata"))
    about = Subject(
        cluster=cluster,
        namespace=str(involved.get("namespace") or meta.get("namespace") or ""),
        name=str(involved["name"]),
        uid=str(involved.get("uid") or ""),
        now=_time(event, meta),
    )
    user = str(_map(meta.get("annotations")).get("user") or "")
    reason, message = str(event.get("reason") or "Event"), str(event.get("message") or "")
    mark = f"event:{meta.get('uid') or meta.get('name')}"
    for read in (_operation, _ended, _status, _user_did):
        if (found := read(about, message, user, mark)) is not None:
            return found
    tone = Tone.WARN if event.get("type") == "Warning" else Tone.PLAIN
    return about.line(reason, message, reason, mark, actor=user, tone=tone, source="event")


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _time(event: Mapping[str, Any], meta: Mapping[str, Any]) -> float:
    for value in (event.get("lastTimestamp"), event.get("eventTime"), meta.get("creationTimestamp")):
        if isinstance(value, str) and (moment := when.seconds(value)) is not None:
            return moment
    return 0.0


def _operation(about: Subject, message: str, user: str, mark: str) -> TailEvent | None:
    if found := _AUTOMATED.match(message):
        revision = shorten(found["rev"])
        text = f"sync requested to {revision}" if revision else "sync requested"
        return about.line(
            "SyncRequested", text, "requested", mark, None, revision, user or AUTO_SYNC, Tone.BUSY, "event"
        )
    if found := _BY_USER.match(message):
        target = shorten(found["rev"] or "")
        text = f"{found['what']} requested" + (f" to {target}" if target else "") + (found["local"] or "")
        seen = _SHA.findall(message)
        revision = short(seen[0]) if seen else "" if found["what"] == "rollback" else target
        actor = user or found["user"]
        return about.line("SyncRequested", text, "requested", mark, None, revision, actor, Tone.BUSY, "event")
    return None


def _ended(about: Subject, message: str, user: str, mark: str) -> TailEvent | None:
    found = _ENDED.match(message)
    if found is None:
        return None
    reason, tone = PHASE_REASONS["Succeeded" if found["how"] == "succeeded" else "Failed"]
    text = f"{found['what'].lower()} {'OK' if found['how'] == 'succeeded' else 'failed'}"
    text += f": {found['why']}" if found["why"] else ""
    return about.line(reason, text, "ended", mark, None, shorten(found["rev"]), user, tone, "event")


def _status(about: Subject, message: str, user: str, mark: str) -> TailEvent | None:
    found = _STATUS.match(message)
    if found is None:
        return None
    what, new = found["what"], found["new"]
    tone = (SYNC_TONES if what == "sync" else HEALTH_TONES).get(new, Tone.UNKNOWN)
    label = "sync status" if what == "sync" else "health"
    return about.line(new, f"{label} {move(found['old'], new)}", f"{what}:{new}", mark, None, "", user, tone, "event")


_DEEDS = {
    "updated application spec": ("SpecChanged", "spec", "spec updated"),
    "terminated running operation": ("SyncTerminating", "terminating", "running operation terminated"),
    "created application": ("Created", "created", "Application created"),
    "deleted application": ("Deleting", "deleting", "deletion requested"),
}


def _user_did(about: Subject, message: str, user: str, mark: str) -> TailEvent | None:
    """What a person did through Argo CD's API server: the person becomes the actor, the rest the message."""
    found = _USER_DID.match(message)
    if found is None or (user and found["user"] != user):
        return None
    deed = f"{found['what']}{found['rest']}".strip()
    reason, fact, text = _DEEDS.get(deed, ("UserAction", "action", deed))
    return about.line(reason, text, fact, mark, None, "", user or found["user"], Tone.ACCENT, "event")
