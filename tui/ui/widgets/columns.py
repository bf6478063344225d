"""Where the columns of a table stand: pure arithmetic over widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.domain.kinds.kind import Column


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

    The first column always stays; `skip` columns after it are scrolled away. Wide columns show in wide mode only.
    What does not fit even at its least width is dropped, wide columns first, then the least `keep`, then from the
    right; then columns give way in proportion to their slack; what is left over goes to the columns that grow.
    """
    eligible = [at for at, column in enumerate(columns) if wide or not column.wide]
    shown = eligible[:1] + eligible[1 + skip :]
    least = {at: min(columns[at].least, natural[at]) for at in shown}
    dropped = False
    while len(shown) > 1 and sum(least[at] for at in shown) + gap * (len(shown) - 1) > width:
        shown.remove(min(shown[1:], key=lambda at: (not columns[at].wide, columns[at].keep, -at)))
        dropped = True
    widths = _shrunk({at: natural[at] for at in shown}, least, width - gap * (len(shown) - 1))
    _grow(columns, widths, width - gap * (len(shown) - 1))
    slots: list[Slot] = []
    x = 0
    for at in shown:
        slots.append(Slot(at, x, widths[at]))
        x += widths[at] + gap
    return Layout(tuple(slots), skip > 0 and len(eligible) > 1, dropped)


def _shrunk(widths: dict[int, int], least: dict[int, int], room: int) -> dict[int, int]:
    excess = sum(widths.values()) - room
    if excess <= 0:
        return widths
    slack = {at: width - least[at] for at, width in widths.items()}
    total = sum(slack.values())
    if total <= excess:  # the only column left is wider than the window
        return {at: min(least[at], max(1, room)) for at in widths}
    cuts = {at: excess * slack[at] // total for at in widths}
    missing = excess - sum(cuts.values())
    for at in sorted(widths, key=lambda at: slack[at] - cuts[at], reverse=True)[:missing]:
        cuts[at] += 1
    return {at: widths[at] - cuts[at] for at in widths}


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
