"""The small edits that turn one collection into another."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import msgspec

from tui.domain import yamlvalue
from tui.domain.yamledit.path import Step

MOST_COMPARED = 250_000
"""Pairs of items of two lists that are compared to find what moved."""


def differences(old: Any, new: Any, steps: tuple[Step, ...]) -> Iterator[tuple[str, tuple[Step, ...], Any]]:
    """The edits, in an order in which they can be made, that turn one collection into the other."""
    if yamlvalue.same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        for key in [key for key in old if key in new]:
            yield from differences(old[key], new[key], (*steps, key))
        yield from (("insert", (*steps, key), new[key]) for key in new if key not in old)
        yield from (("delete", (*steps, key), None) for key in old if key not in new)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _list_differences(old, new, steps)
    else:
        yield "replace", steps, new


def _list_differences(
    old: list[Any], new: list[Any], steps: tuple[Step, ...]
) -> Iterator[tuple[str, tuple[Step, ...], Any]]:
    left, right = ([msgspec.json.encode(item) for item in side] for side in (old, new))
    for word, i, j, k, m in reversed(_blocks(left, right)):  # from the end, so that indexes stay right
        if word == "equal":
            continue
        both = min(j - i, m - k)
        yield from (("insert", (*steps, i + both), new[at]) for at in range(m - 1, k + both - 1, -1))
        yield from (("delete", (*steps, at), None) for at in range(j - 1, i + both - 1, -1))
        for at in range(both):
            yield from differences(old[i + at], new[k + at], (*steps, i + at))


def _blocks(left: list[bytes], right: list[bytes]) -> list[tuple[str, int, int, int, int]]:
    """What `difflib` calls opcodes; between what both have at their ends, item by item where that would take long."""
    limit = min(len(left), len(right))
    head = next((at for at in range(limit) if left[at] != right[at]), limit)
    tail = next((at for at in range(limit - head) if left[-1 - at] != right[-1 - at]), limit - head)
    i, j, k, m = head, len(left) - tail, head, len(right) - tail
    if (j - i) * (m - k) > MOST_COMPARED:
        return [("replace", i, j, k, m)]
    inner = difflib.SequenceMatcher(None, left[i:j], right[k:m], autojunk=False).get_opcodes()
    return [(word, a + i, b + i, c + k, d + k) for word, a, b, c, d in inner]
