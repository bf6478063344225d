"""Objects in words, for detail screens: lines of toned text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.cluster import Cluster, KindState
from tui.domain.kinds.columns import state_cell
from tui.domain.kinds.kind import Cell, Tone

Line = tuple[Cell, ...]
BLANK: Line = ()


def heading(text: str) -> Line:
    """A line that starts a part."""
    return (Cell(text, Tone.ACCENT),)


def fact(name: str, *cells: Cell, width: int = 16) -> Line:
    """`name   value`, names in one column."""
    return (Cell(f"  {name:<{width}}", Tone.MUTED), *cells)


def plain(text: str, tone: Tone = Tone.PLAIN) -> Cell:
    """Text on one line."""
    return Cell(" ".join(text.split()), tone)


def ago(moment: str | float | None, now: float) -> Cell:
    """`5m ago`; "?" when it is not known."""
    seconds = when.seconds(moment) if isinstance(moment, str) else moment
    return Cell("?", Tone.UNKNOWN) if not seconds else Cell(f"{when.age(now - seconds)} ago", Tone.MUTED)


def unknown_resources(app: argo.Application) -> str:
    """Why it is not known what an Application manages when it lists nothing; "" when it is known."""
    if app.status.resources:
        return ""
    error = next((each for each in app.status.conditions or () if each.type == "ComparisonError"), None)
    if error is not None:
        return " ".join(error.message.split()) or "ComparisonError"
    return "" if app.status.sync.status not in ("", "Unknown") else "it has not been compared with Git"


def initiator(by: argo.Initiator) -> Cell:
    """Who asked for an operation, in a word."""
    if by.automated:
        return Cell("auto-sync")
    return Cell(by.username) if by.username else Cell("?", Tone.UNKNOWN)


def cluster(found: Cluster, now: float) -> list[Line]:
    """What is known of a cluster, and the state of every watch in it."""
    lines = [
        heading("State"),
        fact("State", state_cell(found.state.value), Cell("  "), plain(found.reason, Tone.BAD)),
        fact("Since", ago(found.since, now)),
        fact("Last answer", ago(found.heard, now)),
    ]
    if found.note:
        lines.append(fact("Note", plain(found.note, Tone.WARN), Cell("  "), ago(found.noted, now)))
    if found.retry_at:
        lines.append(fact("Next try", Cell(f"in {when.age(max(0.0, found.retry_at - now))}", Tone.MUTED)))
    lines += [
        BLANK,
        heading("Cluster"),
        fact("Version", plain(found.version or "?", Tone.PLAIN if found.version else Tone.UNKNOWN)),
        fact("Server", plain(found.server)),
        fact("Contexts", plain(", ".join(found.contexts))),
        fact("Group", plain("/".join(found.groups) or "none")),
        fact("Hub", _hub(found)),
    ]
    if found.host:
        lines.append(fact("Runs in", plain(found.host)))
    lines += [BLANK, heading("Watches")]
    for resource, status in sorted(found.kinds.items()):
        tone = _KIND_TONES.get(status.state, Tone.PLAIN)
        listed = status.state in (KindState.LIVE, KindState.STALE)
        told = ": ".join(part for part in (f"{status.objects:,} objects" if listed else "", status.reason) if part)
        lines.append((Cell(f"  {status.state.value:<9}", tone), Cell(f"{resource:<44}"), plain(told, Tone.MUTED)))
    return lines


def _hub(found: Cluster) -> Cell:
    """Whether Argo CD runs here; not known of a cluster that has never answered."""
    if not found.hub and not found.heard:
        return Cell("?", Tone.UNKNOWN)
    return Cell("yes" if found.hub else "no")


_KIND_TONES = {
    KindState.LIVE: Tone.GOOD,
    KindState.LISTING: Tone.BUSY,
    KindState.WAITING: Tone.MUTED,
    KindState.STALE: Tone.WARN,
    KindState.DENIED: Tone.BAD,
    KindState.FAILED: Tone.BAD,
    KindState.ABSENT: Tone.MUTED,
}


def draft(document: Mapping[str, Any], now: float) -> list[Line]:
    """A draft: where it stands and why, its commits and files, the Applications that follow it."""
    spec, status = document.get("spec", {}), document.get("status", {})
    standing = status.get("standing", {})
    word = standing.get("state", "unknown")
    lines = [
        heading("Draft"),
        fact("Title", plain(spec.get("title", ""))),
        fact("State", state_cell(word), Cell("  "), plain(standing.get("detail", ""), Tone.MUTED)),
        fact("Repository", plain(spec.get("repo", ""))),
        fact("Target", plain(spec.get("target", "")), Cell(f"  base {spec.get('base', '')[:7]}", Tone.MUTED)),
    ]
    if spec.get("branch"):
        lines.append(fact("Branch", plain(spec["branch"])))
    if spec.get("page"):
        lines.append(fact("Pull request", plain(spec["page"], Tone.ACCENT)))
    if standing.get("behind"):
        lines.append(fact("Behind", Cell(f"{standing['behind']} commits of {spec.get('target', '')}", Tone.WARN)))
    lines += [BLANK, heading("Files")]
    for file in status.get("files", ()):
        counts = f"  +{file['added']} −{file['removed']}" if file.get("added", -1) >= 0 else ""
        lines.append((Cell(f"  {file.get('status', '')} "), plain(file.get("path", "")), Cell(counts, Tone.MUTED)))
    lines += [(Cell("  ! ", Tone.WARN), plain(f"{path}: typed and not saved")) for path in spec.get("unsaved", {})]
    lines += [BLANK, heading("Commits")]
    lines += [
        (Cell(f"  {found['id'][:7]} ", Tone.ACCENT), plain(found["subject"])) for found in status.get("commits", ())
    ]
    if spec.get("head") != spec.get("tip"):
        lines.append((Cell("  edits that are not committed yet", Tone.WARN),))
    for clash in standing.get("clashes", ()):
        lines += [BLANK, (Cell("  conflict  ", Tone.BAD), plain(f"{clash['path']}: {clash['reason']}"))]
    if followers := standing.get("followers", ()):
        lines += [BLANK, heading("Arriving")]
        for follower in followers:
            where = Cell(f"  {follower.get('cluster', '')}  ", Tone.MUTED)
            sync = Cell("" if follower.get("auto_sync") else "auto-sync is off", Tone.WARN)
            lines.append((_ARRIVED[follower.get("has")], plain(follower["name"]), where, sync))
    return lines


_ARRIVED = {True: Cell("  ✔ ", Tone.GOOD), False: Cell("  ◌ ", Tone.BUSY), None: Cell("  ? ", Tone.UNKNOWN)}
