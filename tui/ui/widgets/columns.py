"""Where the columns of a table stand: pure arithmetic over widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.domain.kinds.kind import Column

_NAME = 24  # cells: a first column this wide is not narrowed while there are others to drop


class Slot(NamedTuple):
    """A column on the screen: which one, its first cell, its width."""

    column: int
    x: int
    width: int


class Layout(NamedTuple):
    """The columns that fit, and whether there is more to the left or right."""

    slots: tuple[Slot, ...]
    more_left: bool
    more_right: bool


def natural_widths(columns: Sequence[Column], longest: Sequence[int]) -> list[int]:
    """The width each column asks for: that of its longest sampled text, title and sort arrow at least, no more than
    its own `width`."""
    return [
        max(min(column.width, max(longest[at], len(column.title) + 1)), column.least)
        for at, column in enumerate(columns)
    ]


def lay_out(columns: Sequence[Column], natural: Sequence[int], width: int, gap: int, skip: int, wide: bool) -> Layout:
    """Place columns into `width` cells.

    The first column always stays, with room for a name; `skip` columns after it are scrolled away. Wide columns show in
    wide mode only. What does not fit even at its least width is dropped: wide columns first, then those with the least
    `keep`, then from the right. Then the widest columns give way first, down to one common width, so that short words
    stay whole; what is left over goes to the columns that grow.
    """
    eligible = [at for at, column in enumerate(columns) if wide or not column.wide]
    shown = eligible[:1] + eligible[1 + skip :]
    least = {at: min(columns[at].least, natural[at]) for at in shown}
    if shown:
        least[shown[0]] = max(least[shown[0]], min(natural[shown[0]], _NAME, width // 3))
    dropped = False
    while len(shown) > 1 and sum(least[at] for at in shown) + gap * (len(shown) - 1) > width:
        shown.remove(min(shown[1:], key=lambda at: (not columns[at].wide, columns[at].keep, -at)))
        dropped = True
    room = width - gap * (len(shown) - 1)
    widths = _levelled({at: natural[at] for at in shown}, least, room)
    _grow(columns, widths, room)
    slots: list[Slot] = []
    x = 0
    for at in shown:
        slots.append(Slot(at, x, widths[at]))
        x += widths[at] + gap
    return Layout(tuple(slots), skip > 0 and len(eligible) > 1, dropped)


def _levelled(widths: dict[int, int], least: dict[int, int], room: int) -> dict[int, int]:
    """Cut the widest columns to the highest common width at which all fit."""
    if sum(widths.values()) <= room:
        return widths
    if sum(least[at] for at in widths) >= room:  # the only column left is wider than the window
        return {at: min(least[at], max(1, room)) for at in widths}
    low, high = 1, max(widths.values())
    while low < high:  # the highest level that fits
        level = (low + high + 1) // 2
        if sum(max(least[at], min(width, level)) for at, width in widths.items()) <= room:
            low = level
        else:
            high = level - 1
    made = {at: max(least[at], min(width, low)) for at, width in widths.items()}
    spare = room - sum(made.values())
    for at, width in widths.items():
        if spare and made[at] < width:
            made[at] += 1
            spare -= 1
    return made


def _grow(columns: Sequence[Column], widths: dict[int, int], room: int) -> None:
    spare = room - sum(widths.values())
    shares = {at: columns[at].grow for at in widths if columns[at].grow}
    if spare <= 0 or not shares:
        return
    total = sum(shares.values())
    given = {at: spare * share // total for at, share in shares.items()}
    given[next(iter(given))] += spare - sum(given.values())
    for at, cells in given.items():
        widths[at] += cells
