"""JSONPath as kubectl has it: the part that picks values out of one object.

`.a.b`, `['a.b/c']`, `.a\\.b`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `.*`, `..name`, `['a','b']`, and filters over the entries
of a list: `[?(@.type=="Ready")]`, `[?(@.port>1024)]`, `[?(@.name)]`. Braces around the whole and a leading `$` may be
there or not. What is not there gives nothing; nothing here raises for any object.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

LONGEST = 500  # characters of a path
MOST = 200  # values that one path picks; what is more is left out

_NAME = re.compile(r"(?:[^\s.\[\]{}()'\"*?@$,:=<>!|&\\]|\\.)+")
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class BadPath(ValueError):
    """A text that is no path; `at` is the position of the mistake, counted from 1."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(f"at character {at}: {why}")
        self.at = at


class Keys(NamedTuple):
    """Entries of a mapping by name."""

    names: tuple[str, ...]


class Indexes(NamedTuple):
    """Entries of a list by number; negative from the end."""

    numbers: tuple[int, ...]


class Part(NamedTuple):
    """A run of a list, as Python slices it."""

    start: int | None
    stop: int | None
    step: int | None


class Every(NamedTuple):
    """All entries of a list or a mapping."""


class Deep(NamedTuple):
    """An entry of this name at any depth."""

    name: str


class Filter(NamedTuple):
    """Entries of a list for which a comparison holds; without one, those that have the left side."""

    left: Path
    compare: str
    right: Any  # a literal, or a Path from the entry


class Path(NamedTuple):
    """Steps from an object to values."""

    steps: tuple[Keys | Indexes | Part | Every | Deep | Filter, ...]

    def find(self, value: Any) -> list[Any]:
        """The values it leads to, in the order of the object, at most `MOST`."""
        found = [value]
        for step in self.steps:
            found = [each for _, each in zip(range(MOST), _follow(step, found), strict=False)]
        return found


def _follow(step: Any, values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(step, Keys):
            if isinstance(value, dict):
                yield from (value[name] for name in step.names if name in value)
        elif isinstance(step, Deep):
            yield from _deep(step.name, value)
        elif isinstance(step, Every) and isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list):
            yield from _entries(step, value)


def _entries(step: Any, value: list[Any]) -> Iterator[Any]:
    if isinstance(step, Every):
        yield from value
    elif isinstance(step, Indexes):
        yield from (value[at] for at in step.numbers if -len(value) <= at < len(value))
    elif isinstance(step, Part):
        yield from value[step.start : step.stop : step.step]
    elif isinstance(step, Filter):
        yield from (each for each in value if _holds(step, each))


def _deep(name: str, value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if name in value:
                yield value[name]
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _holds(step: Filter, entry: Any) -> bool:
    left = step.left.find(entry)
    if not step.compare:
        return bool(left)
    right = step.right.find(entry) if isinstance(step.right, Path) else [step.right]
    if not left or not right:
        return False
    one, two = left[0], right[0]
    if type(one) is not type(two) and not (_number(one) and _number(two)):
        return step.compare == "!="
    try:
        return bool(_COMPARE[step.compare](one, two))
    except TypeError:  # two mappings have no order
        return False


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compiled(text: str) -> Path:
    """The path that a text means. Raises BadPath, with the position, for what is none."""
    if len(text) > LONGEST:
        raise BadPath(LONGEST + 1, f"a path has at most {LONGEST} characters")
    inner, at = text.strip(), 1 + len(text) - len(text.lstrip())
    if inner.startswith("{"):
        if not inner.endswith("}"):
            raise BadPath(at, "the brace is not closed")
        return _Reader(inner[1:-1], at + 1).whole()
    return _Reader(inner, at).whole()


class _Reader:
    """Reads one path from the left; `first` is the position of its first character in what the user wrote."""

    def __init__(self, text: str, first: int) -> None:
        self._text = text
        self._first = first
        self._at = 0

    def whole(self) -> Path:
        self._blank()
        self._take("$") or self._take("@")
        path = self._path(root=True)
        self._blank()
        if self._at < len(self._text):
            raise self._bad(f"{self._text[self._at]!r} is not expected here")
        return path

    def _path(self, root: bool = False) -> Path:
        steps: list[Any] = []
        while self._at < len(self._text):
            if self._take(".."):
                steps.append(Deep(self._name()))
            elif self._take("."):
                if self._take("*"):
                    steps.append(Every())
                elif self._peek() != "[":
                    if self._at == len(self._text) and root and not steps:
                        break  # `.` is the whole object
                    steps.append(Keys((self._name(),)))
            elif self._take("["):
                steps.append(self._bracket())
            elif root and not steps and _NAME.match(self._text, self._at):
                steps.append(Keys((self._name(),)))
            else:
                break
        return Path(tuple(steps))

    def _name(self) -> str:
        match = _NAME.match(self._text, self._at)
        if match is None:
            raise self._bad("a name is expected; one with other characters is written ['so']")
        self._at = match.end()
        return re.sub(r"\\(.)", r"\1", match[0])

    def _bracket(self) -> Any:
        self._blank()
        step: Any
        if self._take("?"):
            step = self._filter()
        elif self._take("*"):
            step = Every()
        elif self._peek() in "'\"" and self._peek():
            step = Keys(tuple(self._several(self._quoted)))
        else:
            step = self._numbers()
        self._blank()
        if not self._take("]"):
            raise self._bad("] is expected")
        return step

    def _numbers(self) -> Indexes | Part:
        ends: list[int | None] = [self._integer()]
        while len(ends) < 3 and self._take(":"):
            ends.append(self._integer())
        if len(ends) > 1:
            if len(ends) == 3 and ends[2] == 0:
                raise self._bad("the step of a run is not 0")
            start, stop, step = (*ends, None, None)[:3]
            return Part(start, stop, step)
        if ends[0] is None:
            raise self._bad("a number, *, ?( ) or a name in quotes is expected")
        numbers = [ends[0]]
        while self._take(","):
            self._blank()
            if (number := self._integer()) is None:
                raise self._bad("a number is expected")
            numbers.append(number)
        return Indexes(tuple(numbers))

    def _integer(self) -> int | None:
        self._blank()
        match = _INTEGER.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        self._blank()
        return int(match[0])

    def _several(self, one: Callable[[], str]) -> Iterator[str]:
        yield one()
        self._blank()
        while self._take(","):
            self._blank()
            yield one()
            self._blank()

    def _quoted(self) -> str:
        quote = self._peek()
        made: list[str] = []
        if quote not in ("'", '"'):
            raise self._bad("a quote is expected")
        began = self._at
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == quote:
                return "".join(made)
            if character == "\\" and self._at < len(self._text):
                character = self._text[self._at]
                self._at += 1
            made.append(character)
        self._at = began
        raise self._bad("the quote is not closed")

    def _filter(self) -> Filter:
        if not self._take("("):
            raise self._bad("( is expected")
        self._blank()
        if not self._take("@"):
            raise self._bad("@ is expected: the entry that is looked at")
        left = self._path()
        self._blank()
        compare = next((each for each in _COMPARE if self._take(each)), "")
        right = self._operand() if compare else None
        self._blank()
        if not self._take(")"):
            raise self._bad(") is expected" if compare else f"one of {' '.join(_COMPARE)} or ) is expected")
        return Filter(left, compare, right)

    def _operand(self) -> Any:
        self._blank()
        if self._peek() in "'\"" and self._peek():
            return self._quoted()
        if self._take("@"):
            return self._path()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self._take(word):
                return value
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            raise self._bad("a text in quotes, a number, true, false or @ is expected")
        self._at = match.end()
        return float(match[0]) if "." in match[0] else int(match[0])

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _blank(self) -> None:
        while self._peek() == " ":
            self._at += 1

    def _bad(self, why: str) -> BadPath:
        return BadPath(self._first + self._at, why)
