"""Objects in words, for detail screens: lines of toned text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import Application
from tui.domain.cluster import Cluster, KindState
from tui.domain.kinds.argo import short_repository
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


def application(app: Application, destination: str, now: float) -> list[Line]:
    """What an Application is, what Argo CD says of it, its operation and its conditions."""
    status = app.status
    lines: list[Line] = [
        heading("State"),
        fact("Sync", state_cell(status.sync.status), Cell("  "), plain(argo.short_revisions(status.sync), Tone.MUTED)),
        fact("Health", state_cell(status.health.status), Cell("  "), plain(status.health.message, Tone.MUTED)),
        fact("Compared", ago(status.reconciled_at, now)),
    ]
    if _stale(app):
        lines.append(fact("", Cell("the comparison is older than the spec: a refresh is due", Tone.WARN)))
    lines += [BLANK, *_conditions(app, now), *_operation(app, now), heading("Source")]
    for source in argo.sources(app):
        where = source.path or source.chart
        lines += [
            fact("Repository", plain(source.repo_url)),
            fact("Path", plain(where or "?", Tone.PLAIN if where else Tone.UNKNOWN)),
            fact("Target revision", plain(source.target_revision or "HEAD")),
        ]
    spec = app.spec
    target = spec.destination
    lines += [
        BLANK,
        heading("Destination"),
        fact("Cluster", plain(destination or "?"), Cell("  "), plain(target.name or target.server, Tone.MUTED)),
        fact("Namespace", plain(target.namespace or "as each manifest says")),
        fact("Project", plain(spec.project or "default")),
        fact("Auto-sync", _automated(app)),
    ]
    images = status.summary.images or ()
    if images:
        lines += [BLANK, heading("Images")]
        lines += [(Cell("  "), plain(image)) for image in images]
    if status.summary.external_urls:
        lines += [BLANK, heading("Links")]
        lines += [(Cell("  "), plain(url, Tone.ACCENT)) for url in status.summary.external_urls]
    return lines


def _stale(app: Application) -> bool:
    compared = app.status.sync.compared_to
    if compared is None:
        return False
    was = compared.sources or ((compared.source,) if compared.source else ())
    return bool(was) and tuple(was) != tuple(argo.sources(app)) and app.spec.source_hydrator is None


def _automated(app: Application) -> Cell:
    automated = argo.auto_sync(app)
    if automated is None:
        return Cell("off", Tone.WARN)
    more = [word for word, on in (("prune", automated.prune), ("self-heal", automated.self_heal)) if on]
    return Cell("on" + (f", {', '.join(more)}" if more else ""), Tone.GOOD)


def _conditions(app: Application, now: float) -> list[Line]:
    found = app.status.conditions or ()
    if not found:
        return []
    lines = [heading("Conditions")]
    for condition in found:
        tone = Tone.BAD if condition.type.endswith("Error") else Tone.WARN
        lines.append((Cell("  "), Cell(condition.type, tone), Cell("  "), ago(condition.last_transition_time, now)))
        lines.append((Cell("    "), plain(condition.message)))
    return [*lines, BLANK]


def _operation(app: Application, now: float) -> list[Line]:
    title = argo.operation_title(app)
    if not title:
        return []
    lines = [heading("Last operation"), fact("Operation", operation_cell(title))]
    state = app.status.operation_state
    asked = (state.operation if state else None) or app.operation
    if asked is not None:
        lines.append(fact("Asked by", initiator(asked.initiated_by)))
    if state is None:
        return [*lines, BLANK]
    lines.append(fact("Started", ago(state.started_at, now)))
    if state.finished_at:
        took = (when.seconds(state.finished_at) or 0.0) - (when.seconds(state.started_at) or 0.0)
        lines.append(fact("Took", Cell(when.age(took))))
    if state.retry_count:
        lines.append(fact("Retries", Cell(str(state.retry_count), Tone.WARN)))
    if state.sync_result is not None and (revision := argo.short_revisions(state.sync_result)):
        lines.append(fact("Revision", plain(revision)))
    if state.message:
        tone = Tone.BAD if state.phase in ("Failed", "Error") else Tone.PLAIN
        lines.append(fact("Message", plain(state.message, tone)))
    for result in (state.sync_result.resources if state.sync_result else None) or ():
        word = result.hook_phase if result.hook_type else result.status
        tone = Tone.BAD if word in ("SyncFailed", "Failed", "Error") else Tone.MUTED
        where = "/".join(part for part in (result.namespace, result.name) if part)
        lines.append(
            (Cell(f"    {word:<12}", tone), Cell(f"{result.kind} {where}  "), plain(result.message, Tone.MUTED))
        )
    return [*lines, BLANK]


def operation_cell(title: str) -> Cell:
    """An operation's title with its shape; a wait is busy."""
    return state_cell(title)


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
    if found.retry_at:
        lines.append(fact("Next try", Cell(f"in {when.age(max(0.0, found.retry_at - now))}", Tone.MUTED)))
    lines += [
        BLANK,
        heading("Cluster"),
        fact("Version", plain(found.version or "?", Tone.PLAIN if found.version else Tone.UNKNOWN)),
        fact("Server", plain(found.server)),
        fact("Contexts", plain(", ".join(found.contexts))),
        fact("Group", plain("/".join(found.groups) or "none")),
        fact("Hub", Cell("yes" if found.hub else "no")),
    ]
    if found.host:
        lines.append(fact("Runs in", plain(found.host)))
    lines += [BLANK, heading("Watches")]
    for resource, status in sorted(found.kinds.items()):
        tone = _KIND_TONES.get(status.state, Tone.PLAIN)
        told = f"{status.objects:,} objects" if status.state in (KindState.LIVE, KindState.STALE) else status.reason
        lines.append((Cell(f"  {status.state.value:<9}", tone), Cell(f"{resource:<44}"), plain(told, Tone.MUTED)))
    return lines


_KIND_TONES = {
    KindState.LIVE: Tone.GOOD,
    KindState.LISTING: Tone.BUSY,
    KindState.WAITING: Tone.MUTED,
    KindState.STALE: Tone.WARN,
    KindState.DENIED: Tone.BAD,
    KindState.FAILED: Tone.BAD,
    KindState.ABSENT: Tone.MUTED,
}


def as_text(lines: Iterable[Line]) -> str:
    """The lines without tones: what `c` copies."""
    return "\n".join("".join(cell.text for cell in line).rstrip() for line in lines)


def source_line(app: Application) -> str:
    """`org/name path @ revision` of the main source."""
    source = argo.main_source(app)
    return f"{short_repository(source.repo_url)} {source.path or source.chart} @ {source.target_revision or 'HEAD'}"


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
