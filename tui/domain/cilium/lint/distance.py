"""Words that are close to each other: one typing mistake apart, or differing in case or punctuation."""

from __future__ import annotations

from collections.abc import Iterable


def distance(one: str, other: str, most: int) -> int:
    """Letters to insert, delete, change or swap with their neighbour to get from one word to the other.

    More than `most` is told as `most + 1`.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row, above = row, [i], before
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def closest(word: str, others: Iterable[str]) -> str:
    """The other word that was probably meant; "" when none is close enough."""
    most = 2 if len(word) > 5 else 1
    plain = _plain(word)
    best, found = most + 1, ""
    for other in sorted(set(others) - {word}):
        if len(word) < 3 and _plain(other) != plain:
            continue
        apart = 0 if _plain(other) == plain else distance(word, other, most)
        if apart < best:
            best, found = apart, other
    return found


def _plain(word: str) -> str:
    """Without case and punctuation: `Front-End` and `frontend` are one word."""
    return "".join(char for char in word.lower() if char.isalnum())
