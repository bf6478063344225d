"""The keys as they are for one user: the table, a preset over it, the user's own keys over that, and own commands.

What cannot be used is a problem with the setting it comes from; the rest holds, and for it the preset's key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.ui.keys import (
    ACTIONS,
    BY_EVENT,
    INNER,
    MOVES,
    PLACES,
    TOGETHER,
    WIDGET,
    WITH_LINES,
    Action,
    keys_in,
    shown,
)
from tui.ui.presets import PRESETS

if TYPE_CHECKING:
    from tui.domain.settings import Settings

NONE = "no_key"  # what Textual is told where an action shall have no key


@dataclass(frozen=True, slots=True)
class KeyProblem:
    """What of the configuration's keys cannot be used: where in the file, as steps from its root, and why."""

    where: tuple[str | int, ...]
    text: str


class KeyTable:
    """Every action with the keys that mean it."""

    def __init__(self, actions: Iterable[Action] = (*ACTIONS, *MOVES)) -> None:
        self.actions = tuple(actions)
        self._footers: dict[tuple[tuple[str, ...], ...], list[tuple[str, str, str]]] = {}  # as they were asked for
        self._by_id = {action.id: action for action in self.actions}

    def keys_of(self, name: str) -> tuple[str, ...]:
        """The keys of an action. Raises KeyError."""
        return self._by_id[name].keys

    def keymap(self) -> dict[str, str]:
        """What differs from the bindings of the classes, as Textual wants it: action id -> comma-separated keys."""
        found: dict[str, str] = {}
        for action in ACTIONS:
            pressed = self._by_id[action.id].keys
            if pressed != action.keys:
                found[action.id] = ",".join(key for key in pressed if " " not in key) or NONE
        return found

    def moves(self) -> dict[str, tuple[str, ...]]:
        """What differs of the keys that lists answer by themselves: method of the list -> keys."""
        usual = {action.id: action.keys for action in (*ACTIONS, *MOVES)}
        return {
            method: tuple(key for key in self._by_id[name].keys if " " not in key)
            for name, method in WIDGET.items()
            if self._by_id[name].keys != usual[name]
        }

    def taken(self, places: Iterable[str]) -> set[str]:
        """Keys that mean something in some places, or begin what does."""
        wanted = set(places)
        return {key.split()[0] for action in self.actions if action.where in wanted for key in action.keys}

    def own(self, pressed: str) -> str:
        """The id of the user's command that a key runs; "" for none."""
        return next((each.id for each in self.actions if each.where == "own" and pressed in each.keys), "")

    def following(self, pressed: str, places: Sequence[str]) -> list[tuple[str, Action]]:
        """What may follow the keys pressed so far in some places: (the keys that are left, the action)."""
        found: dict[str, tuple[str, Action]] = {}
        for place in places:
            for action in self.actions:
                for key in action.keys if action.where == place else ():
                    if key.startswith(f"{pressed} "):
                        rest = key.removeprefix(f"{pressed} ")
                        found.setdefault(rest, (rest, action))
        return list(found.values())

    def named(self, places: Iterable[str]) -> list[tuple[str, str, str]]:
        """(word, action id, what it does and its key) of all that can be done in some places, for the `:` line."""
        wanted, made = set(places), []
        for action in self.actions:
            if action.where in wanted and action.id not in BY_EVENT:
                word = action.label if action.where == "own" else action.id
                pressed = f" · {shown(action.keys[0])}" if action.keys else ""
                made.append((word.removeprefix("no_"), action.id, f"{action.help.removesuffix('.')}{pressed}"))
        return made

    def footer(
        self, places: Iterable[str], without: Collection[str] = (), also: Collection[str] = ()
    ) -> list[tuple[str, str, str]]:
        """(key, label, action id) of what the footer shows in some places, inner places first.

        `without` and `also` are ids of actions that it leaves out, or shows as well.
        """
        asked = (tuple(places), tuple(without), tuple(also))
        if (known := self._footers.get(asked)) is not None:
            return known
        made: dict[str, tuple[str, str, str]] = {}
        for place in asked[0]:
            for action in self.actions:
                shows = (action.footer or action.id in also) and action.id not in without
                if action.where == place and shows and action.keys:
                    made.setdefault(action.keys[0], (shown(action.keys[0]), action.label, action.id))
        found = self._footers[asked] = list(made.values())
        return found

    def help_lines(
        self, places: Iterable[str], unable: Callable[[str], str] = lambda action: ""
    ) -> list[tuple[str, str, str]]:
        """(place, keys, sentence) for help, in the order of the places; `unable` says why one does nothing now."""
        lines = []
        for place in places:
            for action in self.actions:
                if action.where == place and action.keys:
                    why = f" Not now: {found}." if (found := unable(action.id)) else ""
                    lines.append((PLACES[place], " ".join(map(shown, _short(action))), action.help + why))
        return lines

    def markdown(self) -> str:
        """The README's table of keys."""
        made = ["| where | keys | |", "|---|---|---|"]
        previous = ""
        for place, keys, text in self.help_lines(PLACES):
            spelled = " ".join(f"`{key}`" for key in keys.split())
            made.append(f"| {place if place != previous else ''} | {spelled} | {text} |")
            previous = place
        return "\n".join(made) + "\n"


def _short(action: Action) -> tuple[str, ...]:
    """`1 … 9` rather than nine keys."""
    return {"favourite": ("1…9",), "log_since": ("0…6",)}.get(action.id, action.keys)


def of(settings: Settings) -> tuple[KeyTable, list[KeyProblem]]:
    """The table of a configuration, and what of its keys is not used."""
    problems: list[KeyProblem] = []
    own: list[Action] = []
    names: set[str] = set()
    for at, command in enumerate(settings.commands):
        if command.name in names:
            problems.append(KeyProblem(("commands", at, "name"), f"there are two commands called {command.name}"))
            continue
        names.add(command.name)
        keys: tuple[str, ...] = ()
        try:
            keys = keys_in(command.key)
        except ValueError as error:
            problems.append(KeyProblem(("commands", at, "key"), str(error)))
        own.append(Action(command.id, keys, command.name, command.told, "own", footer=True))
    table, more = made(settings.preset, settings.keys, own)
    return table, problems + more


def made(preset: str, remap: Mapping[str, str], own: Sequence[Action] = ()) -> tuple[KeyTable, list[KeyProblem]]:
    """The table of a preset with the user's keys (action id -> keys) and commands, and what of these is not used.

    Raises KeyError for a preset that does not exist.
    """
    based = [replace(action, keys=PRESETS[preset].get(action.id, action.keys)) for action in (*ACTIONS, *MOVES)]
    problems: list[KeyProblem] = []
    wanted = dict(_understood(remap, {action.id for action in based}, problems))
    mine = list(own)
    while True:
        actions = [replace(each, keys=wanted.get(each.id, each.keys)) for each in based] + mine
        found = next(_meetings(actions, {*wanted, *(action.id for action in mine)}), None)
        if found is None:
            return KeyTable(actions), problems
        key, loser, other = found
        text = f"{shown(key)} already means {other.label} ({PLACES[other.where]}, {other.id})"
        if loser.id in wanted:
            del wanted[loser.id]
            kept = next(each for each in based if each.id == loser.id)
            stays = f"it keeps {', '.join(map(shown, kept.keys))}" if kept.keys else "it has no key"
            problems.append(KeyProblem(("keys", loser.id), f"{text}; give one of them another key. Until then {stays}"))
        else:
            at = [each.id for each in own].index(loser.id)
            mine[mine.index(loser)] = replace(loser, keys=())
            problems.append(KeyProblem(("commands", at, "key"), f"{text}; choose another key. Until then `:` runs it"))


def _understood(
    remap: Mapping[str, str], known: Collection[str], problems: list[KeyProblem]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The user's keys that name actions and keys which there are."""
    from difflib import get_close_matches

    for name, text in remap.items():
        if name not in known:
            near = get_close_matches(name, known, 3)
            hint = f"did you mean {' or '.join(near)}?" if near else "`fleet config keys` lists them"
            problems.append(KeyProblem(("keys", name), f"there is no action called {name}; {hint}"))
        elif name in BY_EVENT:
            problems.append(
                KeyProblem(("keys", name), f"each key of {name} means another thing; they stay as they are")
            )
        else:
            try:
                yield name, keys_in(text)
            except ValueError as error:
                problems.append(KeyProblem(("keys", name), str(error)))


def clashes(actions: Iterable[Action] = ACTIONS) -> list[str]:
    """Keys that would mean two things in one place, in words; empty when there are none."""
    return list(dict.fromkeys(f"{shown(key)} means both {one.id} and {two.id}" for key, one, two in _pairs(actions)))


def _pairs(actions: Iterable[Action]) -> Iterator[tuple[str, Action, Action]]:
    """(key, earlier action, later action) for each key that means two things, or begins one and means another."""
    actions = tuple(actions)
    for together in TOGETHER:
        places = together | {"moves", "own"} if together & WITH_LINES else together
        used: dict[str, Action] = {}
        begun: dict[str, Action] = {}
        for action in actions:
            if action.where not in places:
                continue
            for key in action.keys:
                first = key.split()[0]
                other = used.setdefault(key, action)
                if other is action and first == key:
                    other = begun.get(key, action)
                elif other is action:
                    begun.setdefault(first, action)
                    other = used.get(first, action)
                # `tab` and the like mean the next tab in a document, which is the inner place
                if other is not action and not (other.where == "everywhere" and action.where in INNER):
                    yield key, other, action


_SHARED = {(one.id, two.id) for _, one, two in _pairs((*ACTIONS, *MOVES))}
"""Actions that have a key in common in the table itself: a list hands the key on when it has nothing to do with it."""


def _meetings(actions: Iterable[Action], mine: Collection[str]) -> Iterator[tuple[str, Action, Action]]:
    """(key, the action of the user's that must give way, the other) for each key that means two things."""
    for key, one, two in _pairs(actions):
        if (one.id, two.id) in _SHARED or one.id == two.id:
            continue
        if two.id in mine:
            yield key, two, one
        elif one.id in mine:
            yield key, one, two
