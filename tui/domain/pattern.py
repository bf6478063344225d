"""Go's regular expressions (RE2 syntax) in linear time.

Patterns come from clusters' schemas: Python's own engine may take exponential time on them, and reads some of them
differently (`$`, `\\d`, `\\z`). Here a pattern becomes a small automaton that is run over the text once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MAX_STATES = 20_000
"""States of one automaton; `{1,253}` multiplies what it repeats."""

MAX_WORK = 20_000_000
"""Characters times states of one search: about two seconds if nothing repeats, which no text in use comes near."""

MAX_MEMO = 4096

MAX_REPEAT = 1000  # RE2's own limit

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)), "alpha": ((65, 90), (97, 122)), "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)), "digit": _DIGIT, "graph": ((33, 126),), "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)), "space": ((9, 13), (32, 32)), "upper": ((65, 90),),
    "word": _WORD, "xdigit": ((48, 57), (65, 70), (97, 102)),
}  # fmt: skip
_ESCAPES = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_LAST = 0x10FFFF


class _Unreadable(Exception):
    pass


def _invert(ranges: Ranges) -> Ranges:
    out, at = [], 0
    for low, high in sorted(ranges):
        if low > at:
            out.append((at, low - 1))
        at = max(at, high + 1)
    return (*out, (at, _LAST)) if at <= _LAST else tuple(out)


Node = tuple[Any, ...]
"""("set", ranges), ("cat", nodes), ("or", nodes), ("repeat", node, least, most), assertions ("begin",), ("end",)
and ("edge", whether one is wanted)."""


class _Parser:
    """RE2 syntax to a tree."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0
        self.fold = False
        self.dot_all = False
        self.depth = 0

    def parse(self) -> Node:
        node = self._or()
        if self.at < len(self.text):
            raise _Unreadable
        return node

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise _Unreadable
        self.at += 1
        return char

    def _or(self) -> Node:
        self.depth += 1
        if self.depth > 100:
            raise _Unreadable
        parts = [self._cat()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._cat())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else ("or", parts)

    def _cat(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return ("cat", parts)

    def _repeated(self, node: Node) -> Node:
        while True:
            char = self._peek()
            if char and char in "*+?":
                self.at += 1
                least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            elif char == "{" and (bounds := self._bounds()):
                least, most = bounds
            else:
                return node
            if self._peek() == "?":
                self.at += 1  # lazy: the same texts match
            node = ("repeat", node, least, most)

    def _bounds(self) -> tuple[int, int | None] | None:
        """`{n}`, `{n,}` or `{n,m}`; None when the brace is a character like any other."""
        stop = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : stop].partition(",")
        if stop < 0 or not low.isdigit() or (high and not high.isdigit()):
            return None
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if least > MAX_REPEAT or (most is not None and not least <= most <= MAX_REPEAT):
            raise _Unreadable
        self.at = stop + 1
        return least, most

    def _atom(self) -> Node:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return self._set(self._class())
        if char == ".":
            return ("set", ((0, _LAST),) if self.dot_all else _invert(((10, 10),)))
        if char in "^$":
            return ("begin",) if char == "^" else ("end",)
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise _Unreadable
        return self._set(((ord(char), ord(char)),))

    def _group(self) -> Node:
        fold, dot_all = self.fold, self.dot_all
        if self.text.startswith("?P<", self.at) or self.text.startswith("?<", self.at):
            self.at = self.text.find(">", self.at) + 1
            if self.at == 0 or self.text[self.at - 2] == "<":
                raise _Unreadable
        elif self._peek() == "?":
            self.at += 1
            while (char := self._take()) not in ":)":
                if char == "i":
                    self.fold = True
                elif char == "s":
                    self.dot_all = True
                elif char != "U":
                    raise _Unreadable
            if char == ")":
                return ("cat", [])  # flags for the rest of the group around
        node = self._or()
        if self._take() != ")":
            raise _Unreadable
        self.fold, self.dot_all = fold, dot_all
        return node

    def _escape(self) -> Node:
        char = self._take()
        if char in "Az":
            return ("begin",) if char == "A" else ("end",)
        if char in "bB":
            return ("edge", char == "b")
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return self._set(ranges if char.islower() else _invert(ranges))
        code = self._code(char)
        return self._set(((code, code),))

    def _code(self, char: str) -> int:
        """The character that an escape stands for."""
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "x":
            if self._peek() == "{":
                stop = self.text.find("}", self.at)
                digits, self.at = self.text[self.at + 1 : stop], stop + 1
                if stop < 0:
                    raise _Unreadable
            else:
                digits = self._take() + self._take()
            try:
                code = int(digits, 16)
            except ValueError:
                raise _Unreadable from None
            if code > _LAST:
                raise _Unreadable
            return code
        if char.isalnum():  # \p{…}, \Q, \C, back-references: not in use, or not in RE2
            raise _Unreadable
        return ord(char)

    def _class(self) -> Ranges:
        negated = self._peek() == "^"
        self.at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while (char := self._take()) != "]" or first:
            first = False
            if char == "[" and self._peek() == ":":
                stop = self.text.find(":]", self.at)
                name = self.text[self.at + 1 : stop]
                if stop < 0 or name.lstrip("^") not in _POSIX:
                    raise _Unreadable
                found = _POSIX[name.lstrip("^")]
                ranges += _invert(found) if name.startswith("^") else found
                self.at = stop + 2
                continue
            if char == "\\":
                char = self._take()
                if char.lower() in _CLASSES:
                    ranges += _CLASSES[char.lower()] if char.islower() else _invert(_CLASSES[char.lower()])
                    continue
                low = self._code(char)
            else:
                low = ord(char)
            high = low
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                char = self._take()
                high = self._code(self._take()) if char == "\\" else ord(char)
                if high < low:
                    raise _Unreadable
            ranges.append((low, high))
        found = tuple(ranges)
        if self.fold:
            found = _folded(found)
        return _invert(found) if negated else found

    def _set(self, ranges: Ranges) -> Node:
        return ("set", _folded(ranges) if self.fold else ranges)


def _folded(ranges: Ranges) -> Ranges:
    """The ranges with the other case of ASCII letters."""
    out = list(ranges)
    for low, high in ranges:
        for start, stop, shift in ((65, 90, 32), (97, 122, -32)):
            if low <= stop and high >= start:
                out.append((max(low, start) + shift, min(high, stop) + shift))
    return tuple(out)


class _Compiler:
    def __init__(self) -> None:
        # ("set", ranges) eats a character, ("split", a, b) goes on at both places, assertions go on if they hold
        self.program: list[tuple[Any, ...]] = []

    def emit(self, *instruction: object) -> int:
        if len(self.program) >= MAX_STATES:
            raise _Unreadable
        self.program.append(instruction)
        return len(self.program) - 1

    def add(self, node: Node) -> None:
        kind = node[0]
        if kind == "cat":
            for part in node[1]:
                self.add(part)
        elif kind == "or":
            self._alternatives(node[1])
        elif kind == "repeat":
            self._repeat(node[1], node[2], node[3])
        else:
            self.emit(*node)

    def _alternatives(self, parts: list[Node]) -> None:
        jumps = []
        for part in parts[:-1]:
            split = self.emit("split")
            self.add(part)
            jumps.append(self.emit("split"))
            self.program[split] = ("split", split + 1, len(self.program))
        self.add(parts[-1])
        for jump in jumps:
            self.program[jump] = ("split", len(self.program), len(self.program))

    def _repeat(self, node: Node, least: int, most: int | None) -> None:
        for _ in range(least):
            self.add(node)
        if most is None:
            split = self.emit("split")
            self.add(node)
            back = self.emit("split")
            self.program[back] = ("split", split, split)
            self.program[split] = ("split", split + 1, len(self.program))
            return
        splits = []
        for _ in range(most - least):
            splits.append(self.emit("split"))
            self.add(node)
        for split in splits:
            self.program[split] = ("split", split + 1, len(self.program))


class Pattern:
    """A compiled pattern."""

    def __init__(self, program: list[tuple[Any, ...]]) -> None:
        self._program = program
        self._reached: dict[tuple[frozenset[int], bool, bool, bool], frozenset[int]] = {}
        self._eaten: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def affordable(self, text: str) -> bool:
        """Whether a search in this text stays within MAX_WORK."""
        return len(text) * len(self._program) <= MAX_WORK

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text, as Go's MatchString; linear in the text's length."""
        last = len(self._program) - 1
        states: frozenset[int] = frozenset()
        end = len(text)
        for at in range(end + 1):
            before, here = text[at - 1 : at] if at else "", text[at : at + 1]
            reached = self._closure(states, at == 0, at == end, _is_word(before) != _is_word(here))
            if last in reached:
                return True
            if at < end:
                states = self._step(reached, here)
        return False

    def _step(self, states: frozenset[int], char: str) -> frozenset[int]:
        found = self._eaten.get((states, char))
        if found is None:
            code = ord(char)
            found = frozenset(state + 1 for state in states if _eats(self._program[state], code))
            if len(self._eaten) < MAX_MEMO:
                self._eaten[states, char] = found
        return found

    def _closure(self, states: frozenset[int], begin: bool, end: bool, edge: bool) -> frozenset[int]:
        """The states reached without eating a character; a match may begin at any place."""
        found = self._reached.get((states, begin, end, edge))
        if found is not None:
            return found
        program = self._program
        seen: set[int] = set()
        stack = [0, *states]
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            instruction: Any = program[state]
            kind = instruction[0]
            if kind == "split":
                stack += instruction[1:]
            elif (kind == "begin" and begin) or (kind == "end" and end) or (kind == "edge" and instruction[1] == edge):
                stack.append(state + 1)
        found = frozenset(seen)
        if len(self._reached) < MAX_MEMO:
            self._reached[states, begin, end, edge] = found
        return found


def _is_word(char: str) -> bool:
    return bool(char) and any(low <= ord(char) <= high for low, high in _WORD)


def _eats(instruction: Any, code: int) -> bool:
    return instruction[0] == "set" and any(low <= code <= high for low, high in instruction[1])


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Pattern | None:
    """The pattern ready to run; None when it is not RE2, uses what is not supported here (`\\p`), or is too large."""
    try:
        compiler = _Compiler()
        compiler.add(_Parser(pattern).parse())
        compiler.emit("match")
    except (_Unreadable, RecursionError):
        return None
    return Pattern(compiler.program)


MOST_REPEATS = 5  # without an upper bound, in a pattern that Python's own engine is given: each multiplies the others


def is_tame(pattern: str) -> bool:
    """Whether Python's own engine, which is much quicker on short texts, may be given this pattern.

    It may not when it is no RE2, or when what it repeats without a bound repeats or chooses itself: that engine tries
    every way to match, and of those there are then exponentially many.
    """
    try:
        return _repeats(_Parser(pattern).parse()) <= MOST_REPEATS
    except (_Unreadable, RecursionError):
        return False


def _repeats(node: Node) -> int:
    """How many repeats without a bound there are; raises `_Unreadable` for one with a choice or a repeat inside."""
    kind = node[0]
    if kind in ("cat", "or"):
        return sum(map(_repeats, node[1]))
    if kind != "repeat":
        return 0
    if node[3] is not None and node[3] <= 1:
        return _repeats(node[1])
    if not _is_simple(node[1]):
        raise _Unreadable
    return int(node[3] is None)


def _is_simple(node: Node) -> bool:
    return all(map(_is_simple, node[1])) if node[0] == "cat" else node[0] not in ("or", "repeat")
