"""Text typed and not saved: kept in its draft or in the journal, and found again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tui.domain.drafts.model import Draft
from tui.domain.ports import Refused, Trouble
from tui.fleet.draftrows import Recovered
from tui.fleet.drafts.book import Book
from tui.fleet.drafts.committing import MESSAGES

GIVEN_UP = "given up"  # how the journal's keys begin of texts that nobody wanted to go on with
_log = logging.getLogger("fleet.drafts")


class Typed(Book):
    """What a user has typed, from the first key on."""

    async def autosave(self, draft: Draft | str | None, path: str, text: str, over: str = "") -> None:
        """Keep what is being typed; on disk when it returns. Without a draft, or when that fails, in the journal."""
        if draft is not None:
            try:
                repository, held = await self.find(draft, path=path)
                await repository.keep_unsaved(held.id, path, text, over)
                return
            except Trouble as error:
                if self.journal is None:
                    raise
                _log.warning("the draft cannot keep the text, the journal does: %s", error)
        if self.journal is None:
            raise Refused("there is no journal to keep the text in")
        await self.journal.keep(_journal_key(draft, path, over), text)

    async def discard_autosave(
        self, draft: Draft | str | None, path: str, over: str = "", *, given_up: bool = False
    ) -> None:
        """Forget typed text: it was saved, or `given_up` by the user; then `given_up` still lists it.

        What was typed over other content of the same file goes when nothing was typed over this one.
        """
        if self.journal is not None:
            kept = await self.journal.texts()
            same = [key for key in kept if _same_file(key, _journal_key(draft, path, over))]
            exact = [key for key in same if key == _journal_key(draft, path, over)]
            for key in exact or same:
                if given_up:
                    await self.journal.keep(f"{GIVEN_UP}\n{self._clock()}\n{key}", kept[key])
                await self.journal.keep(key, None)
        if draft is not None:
            repository, held = await self.find(draft, path=path)
            if path in held.unsaved:
                await repository.keep_unsaved(held.id, path, None)

    async def recovered(self) -> Sequence[Recovered]:
        """Every text that was typed and not saved, newest last."""
        found: list[Recovered] = []
        for repository in (await self.repositories.existing())[0]:
            for draft in (await repository.drafts())[0]:
                for path, text in (await repository.unsaved(draft)).items():
                    held = draft.unsaved[path]
                    found.append(Recovered(path, text, draft.name, held.over, held.at))
        times = await self.journal.times() if self.journal else {}
        for key, text in (await self.journal.texts() if self.journal else {}).items():
            if key.startswith((f"{MESSAGES}\n", f"{GIVEN_UP}\n")):
                continue  # a message is offered when its draft is committed again
            name, over, path = (*key.split("\n", 2), "", "")[:3]
            found.append(Recovered(path, text, name, over, times.get(key, 0.0), key))
        return sorted(found, key=lambda text: text.at)

    async def given_up(self) -> Sequence[Recovered]:
        """Texts of the journal that the user did not want to go on with, newest last; those of drafts are in states."""
        found: list[Recovered] = []
        times = await self.journal.times() if self.journal else {}
        for key, text in (await self.journal.texts() if self.journal else {}).items():
            if key.startswith(f"{GIVEN_UP}\n"):
                name, over, path = (*key.split("\n", 4)[2:], "", "")[:3]
                found.append(Recovered(path, text, name, over, times.get(key, 0.0), key))
        return sorted(found, key=lambda text: text.at)


def _journal_key(draft: Draft | str | None, path: str, over: str) -> str:
    name = draft.name if isinstance(draft, Draft) else draft or ""
    return f"{name}\n{over}\n{path}"


def _same_file(one: str, other: str) -> bool:
    return one.split("\n", 2)[::2] == other.split("\n", 2)[::2]
