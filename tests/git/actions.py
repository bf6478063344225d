"""What is done to drafts, one action at a time, for tests that interrupt it: `python -m tests.git.actions NAME DIR`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.adapters.git.journal import FileJournal
from tui.adapters.git.repositories import GitRepositories
from tui.domain.drafts.conflict import Decision
from tui.domain.ports import Missing, Trouble
from tui.fleet.drafts import Drafts

if TYPE_CHECKING:
    from tests.git.conftest import World

WEB, DB = "shop/web.yaml", "shop/db.yaml"
NAME = "d"
REMOTE = ("push", "push-target")  # what the remote has taken may not be recorded yet


def opened(place: Path) -> Drafts:
    """The drafts over the clone in a world's folder."""
    data = place / "data"
    return Drafts(GitRepositories(data, place / "clone"), FileJournal(data / "journal"))


async def edited(drafts: Drafts, text: str = "replicas: 2\nimage: web:1\n", path: str = WEB) -> None:
    await drafts.edit(NAME, path, text)


async def typed(drafts: Drafts) -> None:
    await drafts.autosave(NAME, WEB, "half a li")


async def typed_without_a_draft(drafts: Drafts) -> None:
    await drafts.autosave(None, "new.yaml", "no draft yet")


async def committed(drafts: Drafts) -> None:
    await drafts.commit(NAME, "web: raise replicas")


async def two_commits(drafts: Drafts) -> None:
    await edited(drafts)
    await drafts.commit(NAME, "first")
    await edited(drafts, "size: 2\n", DB)
    await drafts.commit(NAME, "second")


async def moved_target(drafts: Drafts) -> None:
    """The draft has a commit, and the target a newer one in another file."""
    await edited(drafts)
    await committed(drafts)
    for repository, _ in await drafts.parts(NAME):
        await repository.fetch()


async def clashing_target(drafts: Drafts) -> None:
    """The draft has a commit, and the target a newer one of the same field."""
    await moved_target(drafts)


async def decided(drafts: Drafts) -> None:
    await drafts.choose(NAME, f"{WEB}:replicas", Decision("text", "9"))


async def pushed(drafts: Drafts, to_target: bool = False) -> None:
    for plan in await drafts.plan_pushes(NAME, to_target):
        if "has these changes already" in plan.problem:  # pushed by the one that was killed
            continue
        result = await drafts.push(plan)
        if not result.done:
            raise Trouble(result.message)


async def nothing(drafts: Drafts) -> None:
    """Nothing to prepare."""


async def two_edits(drafts: Drafts) -> None:
    await edited(drafts)
    await edited(drafts, "size: 2\n", DB)


async def picked(drafts: Drafts) -> None:
    await two_edits(drafts)
    await drafts.stage_files(NAME, [WEB])


async def both_in_one(drafts: Drafts) -> None:
    await two_edits(drafts)
    await drafts.commit(NAME, "both")


async def committed_and_edited(drafts: Drafts) -> None:
    await edited(drafts)
    await committed(drafts)
    await edited(drafts, "size: 2\n", DB)


async def hooked(drafts: Drafts) -> None:
    """An edit, and hooks in the user's clone that look at what is committed."""
    await edited(drafts)


async def revived(drafts: Drafts) -> None:
    """Back to the second newest state."""
    found = await drafts.states(NAME)
    await drafts.revive(NAME, found[-2].id)


Step = Callable[[Drafts], Awaitable[Any]]
# action -> (what is there before, the action)
ACTIONS: dict[str, tuple[tuple[Step, ...], Step]] = {
    "edit": ((typed,), edited),
    "type": ((), typed),
    "type-without-draft": ((), typed_without_a_draft),
    "commit": ((edited,), committed),
    "undo": ((edited,), lambda drafts: drafts.undo(NAME)),
    "redo": ((edited, lambda drafts: drafts.undo(NAME)), lambda drafts: drafts.redo(NAME)),
    "drop": ((edited,), lambda drafts: drafts.drop(NAME)),
    "restore": ((edited, lambda drafts: drafts.drop(NAME)), lambda drafts: drafts.restore(NAME)),
    "commit-with-hooks": ((hooked,), committed),
    "stage": ((two_edits,), lambda drafts: drafts.stage_files(NAME, [WEB])),
    "unstage": ((picked,), lambda drafts: drafts.unstage(NAME, [WEB])),
    "discard": ((two_edits,), lambda drafts: drafts.discard(NAME, [WEB])),
    "commit-picked": ((picked,), committed),
    "amend": ((committed_and_edited,), lambda drafts: drafts.amend(NAME)),
    "reword": ((two_commits,), lambda drafts: drafts.reword(NAME, "1", "in other words")),
    "squash": ((two_commits,), lambda drafts: drafts.squash(NAME, "2")),
    "reorder": ((two_commits,), lambda drafts: drafts.move(NAME, "1", up=True)),
    "drop-commit": ((two_commits,), lambda drafts: drafts.drop_commit(NAME, "1")),
    "split": ((both_in_one,), lambda drafts: drafts.split(NAME, "1", [WEB], "web", "db")),
    "uncommit": ((two_commits,), lambda drafts: drafts.uncommit(NAME)),
    "revive": ((two_commits,), revived),
    "rebase": ((moved_target,), lambda drafts: drafts.rebase(NAME)),
    "decide": ((clashing_target,), decided),
    "rebase-decided": ((clashing_target, decided), lambda drafts: drafts.rebase(NAME)),
    "push": ((edited, committed), pushed),
    "push-target": ((edited, committed), lambda drafts: pushed(drafts, True)),
}
NAMES = tuple(ACTIONS)


async def prepare(name: str, world: World) -> None:
    """Make the draft and bring it to where the action starts."""
    drafts = opened(world.data.parent)
    await drafts.new(NAME, str(world.clone))
    for step in ACTIONS[name][0]:
        if step is moved_target:
            world.upstream({"README.md": "moved\n"})
        if step is clashing_target:
            world.upstream({WEB: "replicas: 4\nimage: web:1\n"})
        if step is hooked:
            for hook in ("pre-commit", "commit-msg"):
                path = world.clone / ".git" / "hooks" / hook
                path.write_text("#!/bin/sh\ngit diff --cached --quiet && exit 1\ngrep -q 'replicas: 2' shop/web.yaml\n")
                path.chmod(0o755)
        await step(drafts)
    await drafts.close()


async def look(world: World) -> dict[str, Any]:
    """Everything a user could see of the draft, of typed texts, and of the remote."""
    drafts = opened(world.data.parent)
    seen: dict[str, Any] = {"texts": sorted((text.path, text.text) for text in await drafts.recovered())}
    for trash in (False, True):
        for listed in await drafts.list(trash=trash):
            held = listed.draft
            files, patch = await drafts.diff(held)
            repository, _ = await drafts.find(held)
            picked = (await repository.diff(held.tip, held.index))[1] if held.index else ""
            seen[f"{held.name} {'dropped' if trash else 'open'}"] = {
                "commits": [subject for _, subject in listed.commits],
                "files": [file.path for file in files],
                "patch": patch,
                "picked": picked,
                "dirty": held.dirty,
                "undo": bool(held.undo),
                "redo": bool(held.redo),
                "decided": [(clash.key, clash.choice, clash.chosen) for clash in listed.standing.clashes],
                "ops": [(op.file, op.op, op.path) for op in held.ops],
                "behind": listed.standing.behind,
                "state": listed.standing.state,
            }
        assert not drafts.problems, drafts.problems
    await drafts.close()
    return seen


async def _act(name: str, place: Path) -> int:
    drafts = opened(place)
    try:
        await ACTIONS[name][1](drafts)
    except Missing:
        raise
    except Trouble as error:
        print(error)
        return 3
    finally:
        await drafts.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_act(sys.argv[1], Path(sys.argv[2]))))
