"""Patches as a draft's screen shows them: read from git once, taken apart beside the event loop, cut to one file."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.domain.drafts import hunks
from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.hunks import FilePatch
from tui.domain.drafts.model import Draft
from tui.ui.screens.draft_patch import Subject

if TYPE_CHECKING:
    from tui.fleet.drafts import Drafts

KEPT = 16  # patches; between two commits they never change


class Shown(NamedTuple):
    """A patch, or a part of one, as the panel takes it."""

    text: str
    files: Sequence[FilePatch] = ()
    first: int = 0  # number of its first line in the whole patch


class Patches:
    """Patches between commits, the last few of them kept."""

    def __init__(self, drafts: Callable[[], Drafts]) -> None:
        self._drafts = drafts
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, list[FilePatch]]] = OrderedDict()

    async def _taken_apart(self, draft: Draft, old: str, new: str) -> tuple[str, list[FilePatch]]:
        key = (draft.repo, old, new)
        found = self._kept.get(key)
        if found is None:
            text = await self._drafts().patch(draft, old, new)
            found = self._kept[key] = (text, await asyncio.to_thread(hunks.parse, text))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    async def part(self, subject: Subject | None) -> Shown:
        """What of a patch is about a subject; of a single file without git's header, which the title says."""
        if subject is None:
            return Shown("")
        text, files = await self._taken_apart(subject.draft, subject.old, subject.new)
        if not subject.path:
            return Shown(text, files)
        file = next((file for file in files if subject.path in (file.path, file.old_path)), None)
        if file is None:
            return Shown("")
        first = file.hunks[0].number if file.hunks and file.status != "R" else file.number
        return Shown("\n".join(text.split("\n")[first : file.end]) + "\n", [file], first)


def clash_text(clash: Clash, target: str) -> str:
    """A conflict as the patch panel shows it."""
    lines = [clash.path, clash.reason, ""]
    for name, text in ((target, clash.theirs), ("draft", clash.ours)):
        lines.append(f"{name}:")
        lines += [f"    {line}" for line in (text or "(removed)").rstrip("\n").split("\n")]
    return "\n".join([*lines, "", "enter decides it", ""])
