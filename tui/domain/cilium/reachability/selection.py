"""Which entries of a rulebook select which classes of endpoints, kept up while either changes."""

from __future__ import annotations

from collections.abc import Iterable

from tui.domain.cilium.model import Direction, Entry, Where
from tui.domain.cilium.reachability.classes import Classes, bits

DIRECTIONS: tuple[Direction, Direction] = ("egress", "ingress")
Profile = tuple[int, ...]  # the numbers of the entries that select a class in one direction, ascending


class Selection:
    """Entries by number, and the classes each selects. A value; an entry keeps its number while it is in the book."""

    def __init__(self, entries: Iterable[Entry], classes: Classes) -> None:
        self.entries: dict[int, Entry] = {}
        self.subjects: dict[int, int] = {}  # number -> classes
        self.profiles: dict[Direction, list[Profile]] = {each: [()] * len(classes.slots) for each in DIRECTIONS}
        self._numbers: dict[Where, tuple[int, ...]] = {}
        self._next = 0
        self._take(entries, classes)

    def with_entries(self, entries: Iterable[Entry], classes: Classes) -> Selection:
        """What is selected when these are the entries. Only classes of entries that came or went are looked at."""
        found = self._copy()
        found._take(entries, classes)
        return found

    def with_classes(self, classes: Classes) -> Selection:
        """What is selected among classes that were added to the ones before."""
        known = len(self.profiles["egress"])
        if len(classes.slots) == known:
            return self
        found = self._copy()
        fresh: dict[Direction, list[list[int]]] = {
            each: [[] for _ in range(len(classes.slots) - known)] for each in DIRECTIONS
        }
        for number, entry in self.entries.items():
            mask = found.subjects[number] = classes.mask(entry.subject)
            for slot in bits(mask >> known):
                fresh[entry.direction][slot].append(number)
        for direction in DIRECTIONS:
            found.profiles[direction].extend(map(tuple, fresh[direction]))
        return found

    def _copy(self) -> Selection:
        found = object.__new__(Selection)
        found.entries, found.subjects = self.entries.copy(), self.subjects.copy()
        found.profiles = {direction: profiles[:] for direction, profiles in self.profiles.items()}
        found._numbers, found._next = self._numbers.copy(), self._next
        return found

    def _take(self, entries: Iterable[Entry], classes: Classes) -> None:
        gone = dict(self.entries)
        came: dict[Direction, dict[int, list[int]]] = {each: {} for each in DIRECTIONS}
        for entry in entries:
            number = self._number(entry, gone)
            if number is None:
                number = self._add(entry, classes)
                for slot in bits(self.subjects[number]):
                    came[entry.direction].setdefault(slot, []).append(number)
        for number, entry in gone.items():
            self._forget(number, entry)
            for slot in bits(self.subjects.pop(number)):
                came[entry.direction].setdefault(slot, [])
        for direction, slots in came.items():
            profiles = self.profiles[direction]
            for slot, numbers in slots.items():
                profiles[slot] = (*(each for each in profiles[slot] if each not in gone), *numbers)

    def _number(self, entry: Entry, unclaimed: dict[int, Entry]) -> int | None:
        """The number of an entry that was there before; each is claimed once."""
        for number in self._numbers.get(entry.where, ()):
            held = unclaimed.get(number)
            if held is not None and (held is entry or held == entry):
                del unclaimed[number]
                return number
        return None

    def _add(self, entry: Entry, classes: Classes) -> int:
        number = self._next
        self._next += 1
        self.entries[number] = entry
        self.subjects[number] = classes.mask(entry.subject)
        self._numbers[entry.where] = (*self._numbers.get(entry.where, ()), number)
        return number

    def _forget(self, number: int, entry: Entry) -> None:
        del self.entries[number]
        left = tuple(each for each in self._numbers[entry.where] if each != number)
        if left:
            self._numbers[entry.where] = left
        else:
            del self._numbers[entry.where]
