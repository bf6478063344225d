"""The proof alone: plans whose text and intention differ must never pass, whatever wrote them."""

from __future__ import annotations

import pytest

from tui.domain.yamledit.tree import Tree
from tui.domain.yamledit.verify import Plan, Want, holds, tokens

TEXT = "a: 1\nb: 'x'\nc: &n [1]\nd: *n\n"
A = 4  # the event of a's value: stream, document and mapping come first, then the key


def passes(old: str, new: str, model: list[tuple[int, int, list[object]]] | None = None) -> bool:
    """Whether replacing `old` by `new` in the text is taken for what `model` intends."""
    start = TEXT.index(old)
    plan = Plan([(start, start + len(old), new)], model or [])
    return holds(Tree(TEXT), plan, plan.apply(TEXT))


def intends(value: object) -> list[tuple[int, int, list[object]]]:
    return [(A, A + 1, tokens(value))]


@pytest.mark.parametrize(
    ("new", "value", "right"),
    [
        ("2", 2, True),
        ('"2"', "2", True),
        ("2", "2", False),
        ('"2"', 2, False),
        ("yes", "yes", False),  # a boolean to Go and YAML 1.1
        ("yes", True, False),  # text to YAML 1.2
        ("12:30", "12:30", False),  # 750 to YAML 1.1
        ("2024-01-01", "2024-01-01", False),
        ("0o17", 15, False),
        ("1e3", 1000.0, False),
        ("1.0e+3", 1000.0, True),
        ("true", True, True),
        ("!!str 2", "2", False),
        ("&m 2", 2, False),
        ("{x: 2}", {"x": 2}, True),
        ("{x: 2, y: 3}", {"x": 2}, False),
        ("[2]", {"x": 2}, False),
    ],
)
def test_a_new_value_must_mean_the_same_to_every_reader(new: str, value: object, right: bool) -> None:
    assert passes("1", new, intends(value)) is right


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1", "2"),
        ("1", '"1"'),
        ("'x'", "x"),
        ("'x'", "'y'"),
        ("&n ", ""),
        ("&n", "&m"),
        ("*n", "[1]"),
        ("b:", "a:"),
        ("d: *n\n", ""),
        ("d: *n\n", "d: *n\ne: 1\n"),
        ("[1]", "[1, 2]"),
        ("[1]", "!!seq [1]"),
        ("a:", "---\na:"),
        ("a: 1\n", "a: 1\n---\n"),
        ("a: 1", "a: [1"),
        ("d: *n\n", "d: *n\n---\nx: 1\n"),
    ],
)
def test_nothing_else_may_change(old: str, new: str) -> None:
    assert not passes(old, new)


@pytest.mark.parametrize(("old", "new"), [("1\n", "1 # note\n"), ("'x'", '"x"'), ("[1]", "[ 1 ]"), ("b:", "\nb :")])
def test_what_no_reader_sees_may(old: str, new: str) -> None:
    assert passes(old, new)


def test_changes_that_overlap_are_no_plan() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Plan([(0, 3, "x"), (2, 4, "y")]).apply(TEXT)
    assert not holds(Tree(TEXT), Plan([], [(A, A + 1, [Want(2)])]), TEXT)
