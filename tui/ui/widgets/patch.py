"""Git's patch with lines that can be chosen: one by one, as a range, or hunk by hunk."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from tui.domain.drafts import hunks
from tui.domain.drafts.hunks import FilePatch
from tui.ui import paint
from tui.ui.widgets.viewer import Viewer


class PatchView(Viewer):
    """A viewer of a patch. With `choosing`, changed lines can be selected and taken; `chosen` ones are marked."""

    KEYS: ClassVar[dict[str, str]] = {key: name for key, name in Viewer.KEYS.items() if key not in ("v", "enter")}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", "diff", id=id)
        self.choosing = False
        self.by_hunk = False
        self.chosen: set[int] = set()  # numbers of lines in the whole patch, from 0
        self.files: Sequence[FilePatch] = ()  # of what is shown
        self.first = 0  # number, in the whole patch, of the first line shown
        self._hunk: tuple[int, frozenset[int]] = (-1, frozenset())  # line of the cursor, and what its hunk changes

    @property
    def number(self) -> int:
        """Number, in the whole patch, of the cursor's line."""
        return self.line - 1 + self.first

    def show(self, text: str, files: Sequence[FilePatch] = (), first: int = 0, keep: bool = False) -> None:
        """Show another patch, or a part of one: `files` are those of the part, `first` the number of its first line.

        With `keep` the cursor stays where it is, as far as there are lines.
        """
        self.files, self.first = files, first
        if text == self.text:
            return
        self._hunk = (-1, frozenset())
        self.chosen = set()
        self.set_text(text, "diff", keep=keep)

    def choose(self, on: bool) -> None:
        """Begin to choose lines, at the first changed one in or below the cursor, or end it."""
        self.choosing = on
        self.by_hunk = False
        self._anchor = None
        if on:
            self.to_change()
        self._changed()

    def to_change(self) -> None:
        """Put the cursor on the first changed line from where it is on, else on the last one."""
        lines = sorted(number for file in self.files for number in file.changed)
        if lines:
            self.goto(next((number for number in lines if number >= self.number), lines[-1]) - self.first + 1)

    def selection(self) -> frozenset[int]:
        """Numbers, in the whole patch, of the changed lines of the hunk, of the range, or under the cursor."""
        here = self.number
        file = hunks.at_line(self.files, here)
        hunk = file.hunk_at(here) if file is not None else None
        if hunk is not None and (self.by_hunk or here == hunk.number):
            return hunk.changed
        first, last = sorted((here, here if self._anchor is None else self._anchor + self.first))
        changed = {number for one in self.files for number in one.changed}
        return frozenset(changed & set(range(first, last + 1)))

    @property
    def ranging(self) -> bool:
        """Whether a range is being selected."""
        return self._anchor is not None

    def range(self) -> None:
        """Begin a range at the cursor, or end it."""
        self.by_hunk = False
        self.key_select()

    def toggle_hunk(self) -> None:
        """Select hunk by hunk, or again line by line."""
        self._anchor = None
        self.by_hunk = not self.by_hunk
        self._changed()
        paint.now(self)

    def toggle_chosen(self) -> None:
        """Mark the selected lines as chosen, or take the marks away when all have one."""
        selected = set(self.selection())
        self.chosen = self.chosen - selected if selected <= self.chosen else self.chosen | selected
        self._anchor = None
        self._changed()
        paint.now(self)

    # --- lines -----------------------------------------------------------------------------------------------

    def key_up(self) -> bool | None:
        """One line up, or with hunks to the one before."""
        if not (self.choosing and self.by_hunk):
            return super().key_up()
        self._to_hunk(-1)
        return None

    def key_down(self) -> bool | None:
        """One line down, or with hunks to the next."""
        if not (self.choosing and self.by_hunk):
            return super().key_down()
        self._to_hunk(1)
        return None

    def _to_hunk(self, step: int) -> None:
        every = [hunk for file in self.files for hunk in file.hunks]
        at = next((at for at in range(len(every) - 1, -1, -1) if every[at].number <= self.number), 0)
        wanted = at + step
        if 0 <= wanted < len(every):
            self.goto(min(every[wanted].changed) - self.first + 1)

    def go(self, index: int) -> None:
        """Cursor on a line; what is selected goes with it."""
        super().go(index)
        if self.choosing and self.by_hunk:
            self.refresh()

    def stamp(self, index: int) -> Hashable:
        return super().stamp(index), self._line_of(index)[0] + self.first in self.chosen

    def _selected(self, at: int) -> bool:
        if not (self.choosing and self.by_hunk):
            return super()._selected(at)
        if self._hunk[0] != self.line:
            self._hunk = (self.line, self.selection())
        return at + self.first in self._hunk[1]

    def _gutter(self, at: int, nth: int) -> str:
        mark = "●" if at + self.first in self.chosen and not nth else " "
        return mark + super()._gutter(at, nth) if self.choosing else super()._gutter(at, nth)
