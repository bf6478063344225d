"""A short list of toned lines with a cursor that stays with its item: the side panels of a screen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual.message import Message

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.text import padded, safe, width_of
from tui.ui.widgets.line_view import LineView


class Item(NamedTuple):
    """One line: its key, what it says, and what stands at its right end as long as there is room."""

    key: Hashable
    cells: tuple[Cell, ...]
    right: tuple[Cell, ...] = ()


class Items(LineView):
    """Lines in the order given. The cursor belongs to a key; when that goes, to what takes its place."""

    class Highlighted(Message):
        """The cursor stands on another item; `key` is None when there is none."""

        def __init__(self, items: Items, key: Hashable) -> None:
            super().__init__()
            self.items = items
            self.key = key

        @property
        def control(self) -> Items:
            """The list it comes from."""
            return self.items

        def can_replace(self, message: Message) -> bool:
            """Only the last one matters."""
            return isinstance(message, Items.Highlighted) and message.items is self.items

    class Opened(Message):
        """Enter or a double click on an item."""

        def __init__(self, items: Items, key: Hashable) -> None:
            super().__init__()
            self.items = items
            self.key = key

        @property
        def control(self) -> Items:
            """The list it comes from."""
            return self.items

    def __init__(self, *, empty: str = "", without: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        for key in without.split():  # keys that mean something else where this list stands
            self.keys.pop(key, None)
        self.items: Sequence[Item] = ()
        self._empty = empty
        self._version = 0
        self._key: Hashable = None

    @property
    def cursor_key(self) -> Hashable:
        """Key of the item under the cursor; None when there is none."""
        return self._key

    def show(self, items: Sequence[Item], empty: str | None = None) -> None:
        """Show these items."""
        if empty is not None and empty != self._empty:
            self._empty = empty
            self.refresh()
        if items == self.items:
            return
        self.items = items
        self._version += 1
        found = next((at for at, item in enumerate(items) if item.key == self._key), None)
        self.cursor = found if found is not None else max(0, min(self.cursor, len(items) - 1))
        self.bring_into_view()
        self._hold()
        self.refresh()

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on an item; False when it is not there."""
        for at, item in enumerate(self.items):
            if item.key == key:
                self.go(at)
                return True
        return False

    def _hold(self) -> None:
        key = self.items[self.cursor].key if self.items else None
        if key != self._key:
            self._key = key
            self.post_message(self.Highlighted(self, key))

    def cursor_moved(self) -> None:
        self._hold()

    def line_count(self) -> int:
        return len(self.items)

    def stamp(self, index: int) -> Hashable:
        return self._version, index

    def paint_line(self, index: int, width: int, state: str) -> list[Segment]:
        item = self.items[index]
        mark = "▌" if index == self.cursor else " "
        segments = [Segment(mark, self.tone_style(Tone.ACCENT, state))]
        right = [(safe(cell.text), cell.tone) for cell in item.right]
        taken = sum(width_of(text) for text, _ in right)
        if taken > width // 2:
            right, taken = [], 0
        room = width - 1 - taken
        for cell in item.cells:
            text = safe(cell.text)
            cells = min(room, width_of(text))
            segments.append(Segment(padded(text, cells), self.tone_style(cell.tone, state)))
            room -= cells
            if not room:
                break
        segments.append(Segment(" " * room, self.tone_style(Tone.PLAIN, state)))
        segments += [Segment(text, self.tone_style(tone, state)) for text, tone in right]
        return segments

    def paint_empty(self, y: int, width: int) -> list[Segment]:
        """The empty text on the first lines, or nothing."""
        lines = self._empty.split("\n") if self._empty and not self.items else []
        if y >= len(lines):
            return super().paint_empty(y, width)
        return [Segment(padded(f" {safe(lines[y])}", width), self.tone_style(Tone.MUTED))]

    def key_open(self) -> bool | None:
        """Open the item; without one the key goes to the parents."""
        if self._key is None:
            return False
        self.post_message(self.Opened(self, self._key))
        return None
