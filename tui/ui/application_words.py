"""An Application in words, for its Summary: where it stands and why, its last operation, source, policy, windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tui.domain import when
from tui.domain.argo import application as argo
from tui.domain.argo.application import Application
from tui.domain.argo.destinations import Match
from tui.domain.argo.standing import clock, standing
from tui.domain.argo.tree import Node
from tui.domain.argo.windows import State, Verdict
from tui.domain.kinds.columns import HEALTH_ORDER, state_cell
from tui.domain.kinds.kind import Cell, Tone
from tui.domain.ports import CommitInfo
from tui.ui.words import BLANK, Line, ago, fact, heading, initiator, plain

Commit = Callable[[str, str], "CommitInfo | str"]
MOST_UNHEALTHY = 4  # resources named as the reason of an Application's health
MOST_RESULTS = 12  # resources of an operation that are listed; what failed comes first
_WRONG = ("SyncFailed", "Failed", "Error")


def application(
    app: Application,
    destination: str,
    match: Match,
    verdict: Verdict | None,
    wrong: Sequence[Node],
    commit: Commit,
    now: float,
) -> list[Line]:
    """Everything Argo CD says of an Application, the most important first. `wrong`: what its health comes from."""
    lines = [
        *_state(app, verdict, wrong, commit, now),
        BLANK,
        *_conditions(app, now),
        *_operation(app, now),
        *_source(app),
        BLANK,
        *_destination(app, destination, match),
        BLANK,
        *_policy(app, verdict, now),
    ]
    if images := app.status.summary.images:
        lines += [BLANK, heading("Images"), *((Cell("  "), plain(image)) for image in images)]
    if urls := app.status.summary.external_urls:
        lines += [BLANK, heading("Links"), *((Cell("  "), plain(url, Tone.ACCENT)) for url in urls)]
    return lines


def _state(app: Application, verdict: Verdict | None, wrong: Sequence[Node], commit: Commit, now: float) -> list[Line]:
    status = app.status
    stands = standing(app, verdict, now)
    lines = [
        heading("State"),
        fact("Now", plain(stands.text, stands.tone)),
        fact("Sync", state_cell(status.sync.status), Cell("  "), plain(argo.short_revisions(status.sync), Tone.MUTED)),
    ]
    for source, revision in zip(argo.sources(app), argo.revisions(status.sync), strict=False):
        if not source.chart:
            lines.append(fact("Commit", *commit_cells(commit(source.repo_url, revision), now)))
    health = status.health
    since = when.seconds(health.last_transition_time)
    lines.append(
        fact(
            "Health",
            state_cell(health.status),
            *((Cell("  "), Cell(f"since {when.age(now - since)}", Tone.MUTED)) if since else ()),
            *((Cell("  "), plain(health.message, Tone.MUTED)) if health.message else ()),
        )
    )
    lines += [fact("", *_node(node)) for node in wrong]
    lines.append(fact("Compared", ago(status.reconciled_at, now)))
    if _stale(app):
        lines.append(fact("", Cell("the comparison is older than the spec: a refresh is due", Tone.WARN)))
    if app.metadata.annotations is not None and app.metadata.annotations.refresh:
        lines.append(fact("", Cell(f"a {app.metadata.annotations.refresh} refresh was asked for", Tone.BUSY)))
    return lines


def _node(node: Node) -> tuple[Cell, ...]:
    health = state_cell(node.health.status) if node.health else Cell("")
    return Cell(f"{node.kind}/{node.name}  "), health, Cell("  "), plain(node.detail, Tone.MUTED)


def unhealthy(roots: Sequence[Node]) -> list[Node]:
    """The resources an Application's health comes from, when it is not Healthy: the worst first."""
    found = [node for node in roots if node.health is not None and node.health.status not in ("Healthy", "")]
    return sorted(found, key=lambda node: -rank(node))[:MOST_UNHEALTHY]


def rank(node: Node) -> int:
    """Place of a node's health in Argo CD's order, the worst highest."""
    word = node.health.status if node.health else ""
    return HEALTH_ORDER.index(word) if word in HEALTH_ORDER else -1


def commit_cells(found: CommitInfo | str, now: float) -> tuple[Cell, ...]:
    """A commit's subject, author and age; or why it is not known."""
    if isinstance(found, str):
        return Cell("?  ", Tone.UNKNOWN), plain(found, Tone.MUTED)
    age = f", {when.age(now - found.time)} ago" if found.time else ""
    return plain(found.subject), Cell("  "), plain(f"{found.author}{age}", Tone.MUTED)


def _stale(app: Application) -> bool:
    compared = app.status.sync.compared_to
    if compared is None:
        return False
    was = compared.sources or ((compared.source,) if compared.source else ())
    return bool(was) and tuple(was) != tuple(argo.sources(app)) and app.spec.source_hydrator is None


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
    state = app.status.operation_state
    asked = (state.operation if state else None) or app.operation
    lines = [heading("Last operation")]
    told = [state_cell(title)]
    if state is not None and state.sync_result is not None and (to := argo.short_revisions(state.sync_result)):
        told.append(Cell(f"  to {to}", Tone.MUTED))
    lines.append(fact("Operation", *told))
    if asked is not None:
        lines.append(fact("Asked by", initiator(asked.initiated_by)))
    if state is None:
        return [*lines, BLANK]
    begun, over = when.seconds(state.started_at), when.seconds(state.finished_at)
    took = f", took {when.age(over - begun)}" if begun and over and not argo.waiting_for_retry(state) else ""
    retries = f", {state.retry_count} {'retry' if state.retry_count == 1 else 'retries'}" if state.retry_count else ""
    lines.append(fact("Started", ago(begun, now), Cell(took, Tone.MUTED), Cell(retries, Tone.WARN)))
    if state.message:
        lines.append(fact("Message", plain(state.message, Tone.BAD if state.phase in _WRONG else Tone.PLAIN)))
    return [*lines, *_results(state), BLANK]


def _results(state: argo.OperationState) -> list[Line]:
    """What the operation did to each resource: what failed first, then what changed; the rest is counted."""
    every = (state.sync_result.resources if state.sync_result else None) or ()
    if not every:
        return []

    def word(result: argo.ResourceResult) -> str:
        return result.hook_phase if result.hook_type else result.status

    def same(result: argo.ResourceResult) -> bool:
        return word(result) == "Synced" and result.message.endswith(" unchanged")

    ordered = sorted((each for each in every if not same(each)), key=lambda each: word(each) not in _WRONG)
    shown = ordered[: max(MOST_RESULTS, sum(word(result) in _WRONG for result in every))]
    lines: list[Line] = []
    for result in shown:
        where = "/".join(part for part in (result.namespace, result.name) if part)
        tone = Tone.BAD if word(result) in _WRONG else Tone.MUTED
        hook = f" ({result.hook_type} hook)" if result.hook_type else ""
        lines.append(
            (
                Cell(f"    {word(result):<13} ", tone),
                Cell(f"{result.kind} {where}{hook}  "),
                plain(result.message, tone if tone is Tone.BAD else Tone.MUTED),
            )
        )
    left = [
        f"{len(ordered) - len(shown):,} more" if len(shown) < len(ordered) else "",
        _unchanged(len(every) - len(ordered)),
    ]
    if any(left):
        lines.append((Cell(f"    and {', '.join(part for part in left if part)}", Tone.MUTED),))
    return lines


def _unchanged(count: int) -> str:
    return f"{count:,} unchanged" if count else ""


def _source(app: Application) -> list[Line]:
    found = argo.sources(app)
    types = app.status.source_types or ((app.status.source_type,) if app.status.source_type else ())
    lines = [heading("Source" if len(found) < 2 else "Sources")]
    for number, source in enumerate(found):
        where = source.path or source.chart
        made = f"  {types[number]}" if number < len(types) else ""
        if number:
            lines.append(BLANK)
        lines.append(fact("Repository", plain(source.repo_url)))
        if where or not source.ref:
            name = "Chart" if source.chart else "Path"
            lines.append(fact(name, plain(where or "?", Tone.PLAIN if where else Tone.UNKNOWN), Cell(made, Tone.MUTED)))
        if source.ref:
            lines.append(fact("Known as", plain(f"${source.ref}")))
        lines.append(fact("Target revision", plain(source.target_revision or "HEAD")))
    return lines


def _destination(app: Application, destination: str, match: Match) -> list[Line]:
    target = app.spec.destination
    sure = match.sure and bool(match.cluster)
    lines = [
        heading("Destination"),
        fact("Cluster", plain(destination or "?", Tone.PLAIN if sure else Tone.UNKNOWN), Cell("  "), _written(app)),
    ]
    if match.words:
        lines.append(fact("Matched", plain(match.words, Tone.MUTED if sure else Tone.WARN)))
    lines.append(fact("Namespace", plain(target.namespace or "as each manifest says")))
    return lines


def _written(app: Application) -> Cell:
    target = app.spec.destination
    return plain(f"written as {target.name or target.server}" if target.name or target.server else "", Tone.MUTED)


def _policy(app: Application, verdict: Verdict | None, now: float) -> list[Line]:
    policy = app.spec.sync_policy
    lines = [heading("Policy"), fact("Project", plain(app.spec.project or "default")), fact("Auto-sync", _auto(app))]
    if policy is not None and policy.sync_options:
        lines.append(fact("Options", plain(", ".join(policy.sync_options))))
    if policy is not None and policy.retry is not None:
        most = "for ever" if policy.retry.limit < 0 else f"{policy.retry.limit} times"
        lines.append(fact("Retries", Cell(most)))
    if verdict is None:
        lines.append(fact("Sync windows", Cell("?  ", Tone.UNKNOWN), plain("its project is not held", Tone.MUTED)))
        return lines
    lines.append(fact("Sync windows", *_verdict(verdict, now)))
    lines += [fact("", *_window(each, now)) for each in verdict.states]
    return lines


def _verdict(verdict: Verdict, now: float) -> Iterable[Cell]:
    if not verdict.states:
        return (Cell("none: it may always sync", Tone.MUTED),)
    if verdict.allowed is None:
        return (Cell("? one of them cannot be read", Tone.UNKNOWN),)
    until = f" until {clock(verdict.until, now)}" if verdict.until else ""
    if verdict.allowed:
        return (Cell("✔ syncs are allowed now", Tone.GOOD), Cell(until, Tone.MUTED))
    if verdict.manual:
        return (Cell("⊘ only manual syncs are allowed now", Tone.WARN), Cell(until, Tone.MUTED))
    return (Cell("⊘ syncs are denied now", Tone.BAD), Cell(until, Tone.MUTED))


def _window(found: State, now: float) -> tuple[Cell, ...]:
    window = found.window
    zone = f" {window.time_zone}" if window.time_zone else " UTC"
    told = f"{window.kind} {window.schedule} for {window.duration},{zone}"
    if found.active is None:
        more = "cannot be read"
    elif found.moment is None:
        more = "always active" if found.active else "never again"
    else:
        more = f"active until {clock(found.moment, now)}" if found.active else f"next {clock(found.moment, now)}"
    return (
        Cell(told, Tone.PLAIN if found.active else Tone.MUTED),
        Cell(f"  {more}", Tone.WARN if found.active and window.kind == "deny" else Tone.MUTED),
        *((Cell("  "), plain(window.description, Tone.MUTED)) if window.description else ()),
    )


def _auto(app: Application) -> Cell:
    automated = argo.auto_sync(app)
    if automated is None:
        return Cell("off", Tone.WARN)
    more = [word for word, on in (("prune", automated.prune), ("self-heal", automated.self_heal)) if on]
    return Cell("on" + (f", {', '.join(more)}" if more else ""), Tone.GOOD)
