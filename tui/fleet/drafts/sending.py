"""Drafts and their remotes: put on top of what moved, planned and pushed."""

from __future__ import annotations

from tui.domain.draft import Draft, PushPlan, PushResult
from tui.fleet.drafts.book import Book, Progress


class Sending(Book):
    """What a user does between a draft and its remote."""

    async def plan_pushes(
        self, draft: Draft | str, to_target: bool = False, *, progress: Progress | None = None, terminal: bool = False
    ) -> list[PushPlan]:
        """A plan for each repository that a draft has changed anything in."""
        found = [held for _, held in await self.parts(draft)]
        changed = [held for held in found if not held.empty] or found[:1]
        return [await self.plan_push(held, to_target, progress=progress, terminal=terminal) for held in changed]

    async def plan_push(
        self, draft: Draft | str, to_target: bool = False, *, progress: Progress | None = None, terminal: bool = False
    ) -> PushPlan:
        """Exactly what a push would send where. For the target it fetches, and rebases when the target has moved."""
        repository, held = await self.find(draft)
        if to_target:
            await self._fetch(repository, progress, terminal)
            around = await repository.around(held)
            stuck = held.dirty or held.onto or around.target_gone or around.unrelated
            if around.behind and not around.landed and not stuck:  # what has landed would be left without commits
                held, _ = await repository.rebase(held.id)
        return await repository.plan_push(held, to_target=to_target)

    async def push(self, plan: PushPlan, *, progress: Progress | None = None, terminal: bool = False) -> PushResult:
        """Do what the plan says. Raises Refused when the plan has a problem or the draft changed since."""
        repository, held = await self.find(plan.draft, repo=plan.repo)
        result = await repository.push(plan, progress, terminal=terminal)
        await self._after(held)
        return result
