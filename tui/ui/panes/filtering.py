"""Completion of a list's filter: columns, and what they hold, with how many rows each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from tui.domain.kinds.kind import Column, Value
from tui.domain.listfilter import called, names, text_of
from tui.ui.commands import Proposal

MOST = 60  # proposals; more are narrowed by typing
_TYPED = re.compile(r"(?P<head>(?:.*\s)?)(?P<name>[\w][\w-]*)(?P<sign>!=|<=|>=|=|<|>)?(?P<operand>\S*)\Z", re.DOTALL)


def proposals(text: str, columns: Sequence[Column], values: Callable[[int], Sequence[Value]]) -> list[Proposal]:
    """How the last word may go on: a condition's column, or the values of the column before its `=`.

    `values` gives those of one column, of all rows.
    """
    found = _TYPED.match(text)
    if found is None or text.startswith(("!", "/", "-f ")):
        return []
    if not found["sign"]:
        return _of_columns(found["head"], found["name"], columns) if not found["operand"] else []
    at = called(found["name"], columns)
    if at is None:
        return []
    if columns[at].time:
        return _of_times(found["head"] + found["name"], found["sign"]) if not found["operand"] else []
    if "=" not in found["sign"] or found["sign"] in ("<=", ">="):
        return []
    return _of_values(found[0][: found.start("operand")], found["operand"], values(at))


def _of_columns(head: str, name: str, columns: Sequence[Column]) -> list[Proposal]:
    return [
        Proposal(f"{head}{called}{'<' if column.time else '='}", f"by {column.title}")
        for called, column in zip(names(columns), columns, strict=True)
        if called.startswith(name.lower())
    ]


def _of_times(before: str, sign: str) -> list[Proposal]:
    if sign not in ("<", ">"):
        return []
    word = "less than" if sign == "<" else "more than"
    return [
        Proposal(f"{before}{sign}{span}", f"{word} {words} ago")
        for span, words in (("5m", "five minutes"), ("1h", "an hour"), ("1d", "a day"), ("7d", "a week"))
    ]


def _of_values(before: str, operand: str, values: Sequence[Value]) -> list[Proposal]:
    """The last of the values between commas, the most frequent first."""
    others, comma, last = operand.rpartition(",")
    counted = Counter(map(text_of, values))
    ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    shown = [(word, number) for word, number in ranked if word.lower().startswith(last.lower())]
    return [Proposal(f"{before}{others}{comma}{_quoted(word)}", f"{number:,}") for word, number in shown[:MOST] if word]


def _quoted(word: str) -> str:
    """As one word of a filter; letters that would match others are left to match them."""
    return f'"{word}"' if " " in word and '"' not in word else word
