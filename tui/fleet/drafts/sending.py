"""Drafts and their remotes: put on top of what moved, planned and pushed."""

from __future__ import annotations

import msgspec

from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import PullRequest, PushOptions, PushPlan, PushResult
from tui.fleet.drafts.book import Book, Progress


class Sending(Book):
    """What a user does between a draft and its remote."""

    async def plan_pushes(
        self,
        draft: Draft | str,
        to_target: bool = False,
        options: PushOptions | None = None,
        *,
        progress: Progress | None = None,
        terminal: bool = False,
    ) -> list[PushPlan]:
        """A plan for each repository that a draft has changed anything in.

        What its target has already is left out while anything else is to be sent there: a push that was refused in one
        repository goes on where it stopped.
        """
        found = [held for _, held in await self.parts(draft)]
        changed = [held for held in found if not held.empty] or found[:1]
        plans = [
            await self.plan_push(held, to_target, options, progress=progress, terminal=terminal) for held in changed
        ]
        return [plan for plan in plans if not plan.landed] or plans

    def push_options(self, **chosen: object) -> PushOptions:
        """How pushes are made as configured, but for what is chosen here (None chooses nothing)."""
        configured = PushOptions(hooks=self.settings.hooks == "run", timeout=self.settings.hook_timeout)
        return msgspec.structs.replace(configured, **{name: it for name, it in chosen.items() if it is not None})

    async def plan_push(
        self,
        draft: Draft | str,
        to_target: bool = False,
        options: PushOptions | None = None,
        *,
        progress: Progress | None = None,
        terminal: bool = False,
    ) -> PushPlan:
        """Exactly what a push would send where. For the target it fetches, and rebases when the target has moved."""
        repository, held = await self.find(draft)
        if to_target:
            await self._fetch(repository, progress, terminal)
            around = await repository.around(held)
            stuck = held.dirty or held.onto or around.target_gone or around.unrelated
            if (
                (around.behind or around.lost) and not around.landed and not stuck
            ):  # what has landed would be left without commits
                held, _ = await repository.rebase(held.id)
        options = options or self.push_options()
        return await repository.plan_push(held, to_target=to_target, options=options, terminal=terminal)

    async def push(self, plan: PushPlan, *, progress: Progress | None = None, terminal: bool = False) -> PushResult:
        """Do what the plan says. Raises Refused when the plan has a problem or the draft changed since.

        Raises HookRefused when the user's pre-push hook says no, and NeedsTerminal when git has something to ask.
        """
        repository, held = await self.find(plan.draft, repo=plan.repo)
        result = await repository.push(plan, progress, terminal=terminal)
        await self._after(held)
        return result

    async def pull_request(self, draft: Draft | str, *, make: bool = True) -> PullRequest:
        """Make the pull request of a pushed draft with `gh` or `glab`, or name the page that makes it.

        Without `make` nothing is made: `tool` of the answer says which program would.
        """
        repository, held = await self.find(draft)
        done = await repository.pull_request(held, make=make)
        if done.made:
            await self._after(held)
        return done
