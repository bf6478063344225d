"""A draft's edits committed and shown by whom they are for."""

from __future__ import annotations

from collections.abc import Mapping

from tui.domain import giturl
from tui.domain.drafts.grouping import grouped, patch_by
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import CommitOptions
from tui.domain.ports import Refused
from tui.fleet.drafts.book import Progress
from tui.fleet.drafts.committing import Committing
from tui.fleet.drafts.editing import Editing
from tui.fleet.drafts.rewriting import Rewriting


class Grouped(Rewriting, Committing, Editing):
    """What a user does to edits that are for many."""

    async def commit_by_group(
        self,
        draft: Draft | str,
        by: str,
        groups: Mapping[str, str] = {},
        subject: str = "",
        options: CommitOptions | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Draft]:
        """One commit per cluster, group or Application, of everything that is not committed, each with the message that
        its own edits give, or with the `subject` said.

        Raises Refused when something was picked for the next commit already, or nothing is there to commit.
        """
        done: list[Draft] = []
        for repository, held in await self.meant(draft):
            if held.index:
                raise Refused("some edits are picked for the next commit: commit these, or unstage them, first")
            waiting = held.ops[len(held.ops) - held.open_ops :]
            paths = [change.path for change in await repository.changes(held.tip, held.head)]
            parts = grouped(paths, waiting, by, groups)
            for number, (_, files) in enumerate(parts):
                last = number == len(parts) - 1
                held = held if last else await self.stage_files(held, files)
                message = await self.propose(held)
                if subject:
                    message = f"{subject}\n{message.partition(chr(10))[2]}"
                held = await self.commit(held, message, options, progress=progress)
                done.append(held)
        if not done:
            raise Refused("there is nothing to commit")
        return done

    async def diff_by(
        self, draft: Draft | str, by: str, groups: Mapping[str, str] = {}, *, open_only: bool = False
    ) -> str:
        """Git's diff of a draft as `diff` gives it, its files under the names of clusters, groups or Applications."""
        patches: list[str] = []
        found = await self.meant(draft)
        for repository, held in found:
            _, patch = await repository.diff(held.tip if open_only else held.base, held.head)
            if patch and len(found) > 1:
                patches.append(f"repository {giturl.shown(repository.url)}\n")
            patches.append(patch_by(patch, held.ops, by, groups))
        return "".join(patches)
