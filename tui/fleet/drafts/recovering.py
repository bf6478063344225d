"""What was dropped, overwritten or never saved: listed and brought back. fleet itself never deletes any of it."""

from __future__ import annotations

from collections.abc import Sequence

from tui.domain.drafts.model import Draft
from tui.domain.drafts.states import StateInfo
from tui.domain.ports import Missing
from tui.fleet.draftrows import Listed
from tui.fleet.drafts.book import Part
from tui.fleet.drafts.editing import Editing

PAGE = 50  # states read at a time


class Recovering(Editing):
    """The way back to anything that a draft has ever been."""

    async def dropped(self) -> Sequence[Listed]:
        """The drafts in the trash, the one dropped last first."""
        return sorted(await self.list(trash=True), key=lambda one: -one.draft.at)

    async def states(
        self, draft: Draft | str, limit: int = PAGE, before: str = "", *, repo: str = ""
    ) -> Sequence[StateInfo]:
        """A page of what a draft has been in one repository, newest first; `before` is the last state of a page.

        Drafts in the trash have theirs too. Raises Missing.
        """
        repository, held = await self._anywhere(draft, repo)
        return await repository.states(held.id, limit, before)

    async def revive(self, draft: Draft | str, state: str, *, repo: str = "") -> Draft:
        """Give a draft the content of an earlier state, as one more thing that undo takes back.

        `state` is an id of `states` or its first digits. A draft in the trash comes out of it. Of several
        repositories the one is meant that knows the state. Raises Missing and Refused.
        """
        repository, held = await self._anywhere(draft, repo)
        found: list[Part] = [(repository, held)]
        if not repo and not isinstance(draft, Draft):
            found = await self.parts(draft, trash=held.dropped)
        if held.dropped:
            restored = await self.restore(held.id)
            found = [(place, await place.draft(restored.id)) for place, _ in found]
        reasons: list[Missing] = []
        for place, part in found:
            try:
                return await self._after(await place.revive(part.id, state))
            except Missing as error:
                reasons.append(error)
        raise reasons[0]

    async def _anywhere(self, draft: Draft | str, repo: str) -> Part:
        """A part of a draft that is open, or else of one that is in the trash."""
        if isinstance(draft, Draft):
            return await self.find(draft)
        try:
            return await self.find(draft, repo=repo)
        except Missing:
            return await self.find(draft, repo=repo, trash=True)
