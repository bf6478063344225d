"""Commits of drafts: the message proposed, kept while it is typed, and the commit made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from tui.domain.drafts.message import Touched, propose
from tui.domain.drafts.model import Draft
from tui.domain.drafts.sending import CommitOptions
from tui.domain.ports import DraftRepository, Moved, Trouble
from tui.fleet.drafts.book import Book, Part, Progress

MESSAGES = "commit message"  # how the journal's keys of messages begin


class Committing(Book):
    """What a user does to commit."""

    async def propose(self, draft: Draft | str) -> str:
        """A commit message for what would be committed: the edits in the configured words, then the trailers."""
        found = await self.meant(draft)
        touched = [one for part in _taking(found) for one in await _touched(*part)]
        more = await found[0][0].message_template()
        title = found[0][1].title
        style = self.settings.commit
        return (await asyncio.to_thread(propose, touched, "", style, title, more)).text

    async def message(self, draft: Draft | str) -> str:
        """The message to start from: the one typed for this draft and not committed yet, else the proposed one."""
        kept = await self.journal.texts() if self.journal else {}
        return kept.get(await self._message_key(draft)) or await self.propose(draft)

    async def keep_message(self, draft: Draft | str, text: str | None) -> None:
        """Keep a message while it is typed (None forgets it); on disk when it returns."""
        if self.journal is not None:
            await self.journal.keep(await self._message_key(draft), text)

    async def _message_key(self, draft: Draft | str) -> str:
        return f"{MESSAGES}\n{(await self.meant(draft))[0][1].id}"

    def commit_options(self, **chosen: object) -> CommitOptions:
        """How commits are made as configured, but for what is chosen here (None chooses nothing)."""
        configured = CommitOptions(
            hooks=self.settings.hooks == "run",
            timeout=self.settings.hook_timeout,
            sign_off=True if self.settings.commit.sign_off else None,
        )
        return msgspec.structs.replace(configured, **{name: it for name, it in chosen.items() if it is not None})

    async def commit(
        self,
        draft: Draft | str,
        message: str,
        options: CommitOptions | None = None,
        *,
        progress: Progress | None = None,
    ) -> Draft:
        """Commit what was picked, else all: of a whole draft one commit in each repository, of a `Draft` what it had.

        When anything was picked, repositories in which nothing was are left alone.

        The message is kept until the commit is made: when a hook refuses (HookRefused), a key is locked
        (NeedsTerminal) or fleet is killed, `message` gives it again. `progress` gets what hooks say, line by line.
        """
        done: list[Draft] = []
        options = options or self.commit_options()
        found = await self.meant(draft)
        await self.keep_message(draft, message)
        for repository, held in _taking(found) or found[:1]:
            expected = draft.head if isinstance(draft, Draft) else held.head
            if isinstance(draft, Draft) and draft.index != held.index:
                raise Moved("what is picked has changed since it was shown")
            done.append(await self._after(await repository.commit(held.id, message, expected, options, progress)))
        await self.keep_message(draft, None)
        return done[0]


def _taking(parts: Sequence[Part]) -> list[Part]:
    """The parts of a draft that a commit takes anything from."""
    dirty = [part for part in parts if part[1].dirty]
    return [part for part in dirty if part[1].index] or dirty


async def _touched(repository: DraftRepository, held: Draft) -> list[Touched]:
    operations = held.ops[len(held.ops) - held.open_ops :]
    touched = []
    ahead = held.index or held.head
    for file in await repository.changes(held.tip, ahead):
        about = [operation for operation in operations if operation.file == file.path]
        touched.append(
            Touched(
                file.path,
                None if file.status == "A" else await _text(repository, held.tip, file.old_path or file.path),
                None if file.status == "D" else await _text(repository, ahead, file.path),
                tuple(dict.fromkeys(operation.application for operation in about if operation.application)),
                tuple(dict.fromkeys(operation.cluster for operation in about if operation.cluster)),
                file.old_path,
            )
        )
    return touched


async def _text(repository: DraftRepository, revision: str, path: str) -> str:
    """The text of a file for a description; "" when it is not text."""
    try:
        return (await repository.read(revision, path)).text
    except Trouble:
        return ""
