"""Two states of one cluster over one numbering of classes, so that their answers can be compared mask by mask."""

from __future__ import annotations

from typing import NamedTuple

from tui.domain.cilium.model import Direction
from tui.domain.cilium.reachability.classes import Classes, EndpointClass, Key, bits, class_of, mask_of
from tui.domain.cilium.reachability.outside import Outside, outside
from tui.domain.cilium.reachability.reach import Reach


class Moved(NamedTuple):
    """Endpoints whose class is another one afterwards."""

    before: int  # slot
    after: int  # slot
    size: int  # how many


class _Afterwards(NamedTuple):
    """The key of an endpoint as it is afterwards, beside its own key for what it was."""

    key: Key


class Aligned:
    """Both states over the endpoints that are in both; `sizes` counts those of a slot whose class stayed.

    Peers outside count as one each, whichever of the states speaks of them.
    """

    def __init__(self, before: Reach, after: Reach) -> None:
        now, then = before.book.surroundings, after.book.surroundings
        self.same_settings = (now.settings, now.cidr_groups) == (then.settings, then.cidr_groups)
        beyond = outside(after.book, before.book)
        moved = _moved(before, after)
        put: dict[Key, EndpointClass] = {_Afterwards(key): each for key, each in moved.items()}
        put.update(beyond)
        if self.same_settings:
            known = {key: before.classes.slots[before.classes.slot(key)] for key in before.classes if _is_outside(key)}
            fresh = {key: each for key, each in put.items() if known.get(key) != each}
            stale = [key for key in known if key not in beyond]
            classes = before.classes.changed(fresh, stale) if fresh or stale else before.classes
            self.before = before if classes is before.classes else before.over(before.book, classes)
            self.after = self.before.over(after.book, classes)
        else:
            every = {**{key: _widest(key, before, after) for key in before.endpoints}, **put}
            self.before = before.over(before.book, Classes(now).changed(every))
            self.after = after.over(after.book, Classes(then).changed(every))
        self._count(after, moved, beyond)

    def _count(self, after: Reach, moved: dict[Key, EndpointClass], beyond: dict[Key, EndpointClass]) -> None:
        classes = self.before.classes
        self.sizes = [0] * len(classes.slots)
        pairs: dict[tuple[int, int], int] = {}
        for key in self.before.endpoints:
            if key in moved:
                pair = classes.slot(key), classes.slot(_Afterwards(key))
                pairs[pair] = pairs.get(pair, 0) + 1
            elif key in after.endpoints:
                self.sizes[classes.slot(key)] += 1
        self.inside = mask_of([slot for slot, size in enumerate(self.sizes) if size])
        for key in beyond:
            self.sizes[classes.slot(key)] = 1
        self.stay = mask_of([slot for slot, size in enumerate(self.sizes) if size])
        self.moved = [Moved(*pair, count) for pair, count in pairs.items()]

    def changed(self, direction: Direction) -> int:
        """The slots whose own policies may answer otherwise afterwards in a direction."""
        if not self.same_settings:
            return self.stay
        one, two = self.before.compiled, self.after.compiled
        found = 0
        if self.before.book.surroundings.dns != self.after.book.surroundings.dns:
            found |= one.on_names(direction) | two.on_names(direction)
        slots = [slot for slot in bits(self.stay) if one.key(slot, direction) != two.key(slot, direction)]
        return (found | mask_of(slots)) & self.stay


def _is_outside(key: Key) -> bool:
    return isinstance(key, Outside)


def _moved(before: Reach, after: Reach) -> dict[Key, EndpointClass]:
    """The endpoints of both whose class is another one afterwards, with that class."""
    if before.endpoints is after.endpoints:
        return {}
    found: dict[Key, EndpointClass] = {}
    for key, each in after.endpoints.items():
        was = before.endpoints.get(key)
        if was is None or was is each or was == each:
            continue
        held = class_of(each, after.book.surroundings)
        if held != class_of(was, before.book.surroundings):
            found[key] = held
    return found


def _widest(key: Key, before: Reach, after: Reach) -> EndpointClass:
    """The class of an endpoint, with the address if that decides in either state."""
    held = before.classes.slots[before.classes.slot(key)]
    then = class_of(before.endpoints[key], after.book.surroundings)
    return then if then.ip else held
