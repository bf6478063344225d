"""The revert of an Application to a revision of its history, drafted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.domain.kinds.kind import Tone
from tui.domain.obj import Ref
from tui.ui.drafting import editing
from tui.ui.screens.dialogs import Confirm

if TYPE_CHECKING:
    from tui.fleet.reverting import Reversion
    from tui.ui.app import FleetApp

MOST_SHOWN = 8  # files and commits that are named each


async def revert(app: FleetApp, ref: Ref, entry: int) -> None:
    """Show what going back to an entry of the history means; when that is wanted, draft and commit it."""
    from tui.fleet.locating import Locator
    from tui.fleet.reverting import draft_it, entry_of, work_out

    row = app.fleet.store.get(ref)
    if row is None:
        app.say(f"{ref.name} is not there any more", Tone.WARN)
        return
    drafts = editing.drafts_of(app)
    locator = Locator(app.fleet.store, app.fleet.facts, drafts)
    app.say(f"comparing with what was deployed as {entry}")
    cluster = app.fleet.facts.destination(row).rstrip("?")
    plan = await work_out(drafts, locator, row, entry_of(row, entry), cluster)
    if not await app.wait_for(Confirm(f"Draft the revert of {ref.name} to {plan.revision}?", facts(plan), "draft it")):
        return
    done = await draft_it(drafts, app.fleet.locate, plan)
    app.say(f"{done.name}: committed; P in Drafts pushes it", Tone.GOOD)
    await app.back_to_shell()
    await app.show_drafts(done.name)


def facts(plan: Reversion) -> list[str]:
    """What a revert changes and undoes, as lines of a question."""
    lines: list[str] = []
    for back in plan.backs:
        lines.append(f"to {back.revision[:7]} {back.subject}")
        lines += _some([f"undoes {oid[:7]} {subject}" for oid, subject in back.undone])
        verbs = {"A": "brings back", "D": "removes"}
        lines += _some([f"{verbs.get(file.status, 'changes')} {file.path}" for file in back.files])
    lines += [f"sets {path} to {revision}" for path, revision in plan.pins]
    lines += _some([f"others may use {path} too" for path in plan.outside])
    return [*lines, *plan.notes]


def _some(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST_SHOWN else [*lines[:MOST_SHOWN], f"and {len(lines) - MOST_SHOWN} more"]
