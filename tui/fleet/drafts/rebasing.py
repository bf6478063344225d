"""Drafts put on top of a target that has moved: what is in the way, what the user decides, and the rebase."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tui.domain import giturl
from tui.domain.drafts.conflict import TAKES, Clash, Conflicts, Decision
from tui.domain.drafts.model import Draft
from tui.domain.ports import Missing, Refused
from tui.fleet.drafts.book import Book, Part, Progress


class Rebased(msgspec.Struct, frozen=True):
    """How a rebase went. While there are clashes the draft keeps the decisions and is else as before."""

    draft: Draft
    clashes: tuple[Clash, ...] = ()  # still open
    notes: tuple[str, ...] = ()


class Rebasing(Book):
    """What a user does about a target that has moved. Decisions are kept in the draft as they are made."""

    async def conflicts(self, draft: Draft | str, onto: str = "") -> list[tuple[Draft, Conflicts]]:
        """For each part of a draft what stands between it and its target as of the last fetch, decisions included.

        A `Draft` means its part alone. `onto` names another branch than the target.
        """
        return [(held, await repository.conflicts(held, onto)) for repository, held in await self._of(draft)]

    async def fetch(self, draft: Draft | str, *, progress: Progress | None = None, terminal: bool = False) -> None:
        """Ask the remotes of a draft what they have."""
        for repository, _ in await self._of(draft):
            await self._fetch(repository, progress, terminal)

    async def choose(self, draft: Draft | str, key: str, choice: Decision | str, onto: str = "") -> Draft:
        """Decide about one conflict: "ours", "theirs", "base", "both", or a `Decision` (with "text": what it shall be).

        The key of a whole file (its path) decides about all in it. Raises Missing when there is no such conflict,
        Refused when that cannot be decided there.
        """
        return await self.choose_all(draft, {key: choice}, onto)

    async def unchoose(self, draft: Draft | str, key: str) -> Draft:
        """Take a decision back."""
        done: Draft | None = None
        for repository, held in await self._of(draft):
            if key in held.choices:
                done = await repository.choose(held.id, {key: None})
        if done is None:
            raise Missing(f"nothing has been decided about {key}")
        return await self._after(done)

    async def choose_all(self, draft: Draft | str, choices: Mapping[str, Decision | str], onto: str = "") -> Draft:
        """Decide about several conflicts, each in the part that has it; raises as `choose`, and then keeps none."""
        decisions = {key: _decision(choice) for key, choice in choices.items()}
        meant = await self._sorted(await self._of(draft), decisions, onto)
        done = [await repository.choose(held.id, some, onto) for repository, held, some in meant if some]
        return await self._after(done[0])

    async def abort_rebase(self, draft: Draft | str) -> Draft:
        """Forget every decision; the draft is as before."""
        done = [await repository.abort_rebase(held.id) for repository, held in await self._of(draft)]
        return await self._after(done[0])

    async def rebase(
        self, draft: Draft | str, onto: str = "", choices: Mapping[str, Decision | str] | None = None
    ) -> Rebased:
        """Put a draft, in all its repositories, on top of its target as of the last fetch, or of the branch `onto`.

        Each part that has no conflict left to be decided is done, as one step of undo; the others keep the decisions.
        With `onto` that branch becomes the target. A part in a repository without that branch stays as it is.
        """
        decisions = {key: _decision(choice) for key, choice in (choices or {}).items()}
        found = await self._of(draft)
        if onto and len(found) > 1:
            found = [part for part in found if onto in await part[0].branches()] or found
        moved: list[Draft] = []
        clashes: list[Clash] = []
        notes: list[str] = []
        for repository, held, some in await self._sorted(found, decisions, onto):
            before = await repository.conflicts(held, onto)
            done, left = await repository.rebase(held.id, onto, some)
            moved.append(done)
            clashes += left
            notes += before.notes
        return Rebased(await self._after(moved[0]), tuple(clashes), tuple(dict.fromkeys(notes)))

    async def _of(self, draft: Draft | str) -> list[Part]:
        return [await self.find(draft)] if isinstance(draft, Draft) else await self.parts(draft)

    async def _sorted(
        self, found: list[Part], decisions: Mapping[str, Decision], onto: str
    ) -> list[tuple[*Part, dict[str, Decision | None]]]:
        """The parts, each with the decisions about its conflicts; keys that no part has go to the only one."""
        if len(found) == 1:
            return [(*found[0], dict(decisions))]
        held: list[tuple[*Part, dict[str, Decision | None]]] = []
        places: dict[str, int] = dict.fromkeys(decisions, 0)
        for repository, part in found:
            clashes = (await repository.conflicts(part, onto)).clashes
            known = {clash.key for clash in clashes} | {clash.path for clash in clashes}
            some: dict[str, Decision | None] = {key: one for key, one in decisions.items() if key in known}
            places |= {key: places[key] + 1 for key in some}
            held.append((repository, part, some))
        for key, count in places.items():
            if not count:
                raise Missing(f"there is no conflict {key}")
            if count > 1:
                names = ", ".join(giturl.shown(repository.url) for repository, _, some in held if key in some)
                raise Refused(f"{key} is a conflict in several repositories, say which: {names}")
        return held


def _decision(choice: Decision | str) -> Decision:
    if isinstance(choice, Decision):
        return choice
    if choice not in TAKES or choice == "text":
        raise Refused(f"{choice!r} is no decision; take ours, theirs, base or both, or give a text")
    return Decision(choice)
