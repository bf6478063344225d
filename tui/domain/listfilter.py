"""What is typed after `/` in a list: text, typed conditions on columns, labels, expressions, and letters in order.

    web prod              the line contains "web prod"
    !web                  it does not
    sync!=Synced age<2h   conditions on columns, by title or id; all must hold
    cluster=prod-*,dev    one of several, with * and ?; `x!=?*` is what has no x
    -l team=a,env!=dev    labels, as kubectl's
    /^web-\\d+/            a regular expression; the name stands on a line of its own
    -f wbprd              these letters in this order

What looks like a condition but names no column is text: lists are searched for `a=b` too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import NamedTuple, Protocol

from tui.domain import selector
from tui.domain.kinds.kind import Value
from tui.domain.pattern import is_tame
from tui.domain.selector import Selector

LONGEST = 400  # characters of a line that an expression or letters are looked for in: what a table shows and more
_ORDERS: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_TERM = re.compile(r"([\w][\w .-]*?)(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w|y)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_PLAIN = re.compile(r"[^a-z0-9]+")
_ALIASES = {"status": ("state", "health"), "ns": ("namespace",), "age": ("created",), "app": ("application",)}


class Titled(Protocol):
    """What a condition must know of a column; `domain.kinds.kind.Column` has it."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def time(self) -> bool: ...
    @property
    def sort(self) -> Callable[[Value], Value] | None: ...


class Condition(NamedTuple):
    """What the value of one column must be."""

    column: int
    holds: Callable[[Value, float], bool]  # value, and seconds since the epoch
    timed: bool = False  # time alone may change the answer


class Filter(NamedTuple):
    """A filter as understood. All parts must hold; the empty one passes everything."""

    text: str = ""  # lower-cased, contained in the line
    inverse: bool = False  # the text is not
    expression: re.Pattern[str] | None = None  # found in the line
    letters: str = ""  # lower-cased, in the line in this order
    conditions: tuple[Condition, ...] = ()
    labels: Selector | None = None
    problem: str = ""  # what is not understood, in words; that part passes everything

    @property
    def timed(self) -> bool:
        """Whether time alone may change what passes."""
        return any(condition.timed for condition in self.conditions)

    @property
    def searches(self) -> bool:
        """Whether it looks at the line as a text."""
        return bool(self.text or self.expression or self.letters)

    def finds(self, line: str) -> bool:
        """Whether the line, lower-cased, is what is searched for."""
        if self.text:
            return (self.text in line) is not self.inverse
        if self.expression is not None:
            return (self.expression.search(line[:LONGEST]) is not None) is not self.inverse
        return not self.letters or in_order(self.letters, line[:LONGEST]) is not self.inverse

    def labelled(self, labels: Mapping[str, str] | None) -> bool:
        """Whether these are labels that are wanted."""
        return self.labels is None or self.labels.matches(labels or {})


def parse(query: str, columns: Sequence[Titled]) -> Filter:
    """What a query means for a list with these columns. Never raises: half a query is what one types first."""
    rest, inverse = (query[1:], True) if query.startswith("!") else (query, False)
    if rest.startswith("-f "):
        return Filter(letters="".join(rest[3:].split()).lower(), inverse=inverse)
    if rest.startswith("/"):
        return _expression(rest[1:].removesuffix("/") if len(rest) > 2 else rest[1:], inverse)
    if inverse or not (set("=<>") & set(query) or "-l" in query.split()):
        return Filter(text=rest.lower(), inverse=inverse and bool(rest))
    return _terms(query, columns)


def _expression(pattern: str, inverse: bool) -> Filter:
    if not pattern:
        return Filter()
    try:
        expression = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        return Filter(problem=f"/{pattern}/: {error}")
    if not is_tame(pattern):
        return Filter(problem=f"/{pattern}/: repeats of repeats or of choices, and look-around, may take for ever")
    return Filter(expression=expression, inverse=inverse)


def _terms(query: str, columns: Sequence[Titled]) -> Filter:
    found, texts, problems = list[Condition](), list[str](), list[str]()
    labels: Selector | None = None
    words = iter(_words(query))
    for word in words:
        if word == "-l":
            try:
                labels = selector.parse(next(words, ""))
            except ValueError as error:
                problems.append(str(error))
            continue
        term = _TERM.fullmatch(word)
        at = called(term[1], columns) if term is not None else None
        if term is None or at is None:
            texts.append(word)
            continue
        try:
            found.append(_condition(at, columns[at], term[2], term[3]))
        except ValueError as error:
            problems.append(str(error))
    return Filter(" ".join(texts).lower(), conditions=tuple(found), labels=labels, problem="; ".join(problems))


def _words(query: str) -> list[str]:
    """Words; quotes keep spaces together. An open quote is one that is being typed."""
    lexer = shlex.shlex(query, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        return query.split()


def names(columns: Iterable[Titled]) -> list[str]:
    """What the columns are called in conditions: their titles, in small letters and without signs."""
    return [_plain(column.title) or _plain(column.id) for column in columns]


def _plain(text: str) -> str:
    return _PLAIN.sub("", text.lower())


def called(name: str, columns: Sequence[Titled]) -> int | None:
    """Index of the column of this title or id, else of the only one that begins so; None when there is none."""
    wanted = _plain(name)
    for each in (wanted, *_ALIASES.get(wanted, ())):
        for known in (names(columns), [_plain(column.id) for column in columns]):
            if each in known:
                return known.index(each)
    begins = [
        at
        for at, (title, column) in enumerate(zip(names(columns), columns, strict=True))
        if title.startswith(wanted) or _plain(column.id).startswith(wanted)
    ]
    return begins[0] if len(begins) == 1 and len(wanted) > 1 else None


def _condition(at: int, column: Titled, sign: str, operand: str) -> Condition:
    """Raises ValueError for an operand that cannot be compared with values of this column."""
    if not operand:
        return Condition(at, lambda value, now: True)  # being typed
    if sign in _ORDERS:
        return _ordered(at, column, _ORDERS[sign], operand)
    wanted = sign == "="
    if column.time:
        raise ValueError(f"{column.title.lower()} is a time: {column.title.lower()}<2h, {column.title.lower()}>1d")
    pattern = _any_of(operand)
    return Condition(at, lambda value, now: (pattern(text_of(value)) is not None) is wanted)


@lru_cache(maxsize=256)
def _any_of(operand: str) -> Callable[[str], object]:
    """Matches whole texts, without case: one of the patterns between commas."""
    parts = [translate(part.strip()) for part in operand.split(",")]
    return re.compile("|".join(parts), re.IGNORECASE).fullmatch


def text_of(value: Value) -> str:
    """A value as conditions compare it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else " ".join(str(value).split())


def _ordered(at: int, column: Titled, order: Callable[[float, float], bool], operand: str) -> Condition:
    if column.time:
        seconds = duration(operand)
        return Condition(at, lambda value, now: isinstance(value, int | float) and order(now - value, seconds), True)
    if column.sort is not None:
        by, bound = column.sort, column.sort(operand)
        if isinstance(bound, str):
            bare = operand[:1].isdigit()  # versions are written with a v and without
            return Condition(
                at, lambda value, now: _compared(by(str(value or "").lstrip("v") if bare else value), bound, order)
            )
        if isinstance(bound, int | float):
            limit = float(bound)
            return Condition(at, lambda value, now: (n := _number(by(value))) is not None and order(n, limit))
    number = _number(operand)
    if number is None:
        raise ValueError(f"{column.title.lower()} is compared with a number, not with {operand[:40]!r}")
    return Condition(at, lambda value, now: (n := _number(value)) is not None and order(n, number))


def _compared(value: Value, bound: str, order: Callable[[float, float], bool]) -> bool:
    """Texts in their own order; what has no value passes no comparison."""
    if not isinstance(value, str) or not value:
        return False
    return order((value > bound) - (value < bound), 0)


def _number(value: Value) -> float | None:
    """The number, or the one that a text begins with: `3/5` and `12 ♥` have one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    found = _NUMBER.match(value.strip())
    return float(found[0]) if found else None


def duration(text: str) -> float:
    """Seconds of `90s`, `5m`, `1h30m`, `2d`, `1w`, `1y`; a bare number is seconds. Raises ValueError."""
    text = text.strip().lower()
    if _NUMBER.fullmatch(text):
        return float(text)
    if not text or _DURATION.sub("", text):
        raise ValueError(f"{text[:40]!r} is no length of time: 90s, 5m, 1h30m, 2d")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def in_order(letters: str, line: str) -> bool:
    """Whether the letters stand in the line in this order, others between them."""
    at = 0
    for letter in letters:
        at = line.find(letter, at) + 1
        if not at:
            return False
    return True
