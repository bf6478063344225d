"""How places and values are named on a command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.yamledit import Match, Refused, assignment, format_path, parse, read_value


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        (".", ()),
        ("spec.replicas", ("spec", "replicas")),
        (".spec", ("spec",)),
        ("c[name=app].image", ("c", Match("name", "app"), "image")),
        ("a[0][-1]", ("a", 0, -1)),
        ("[0].a", (0, "a")),
        ('labels."app.kubernetes.io/name"', ("labels", "app.kubernetes.io/name")),
        ("labels.'it''s'", ("labels", "it's")),
        (r"labels.app\.kubernetes\.io/name", ("labels", "app.kubernetes.io/name")),
        ('labels["a.b"].c', ("labels", "a.b", "c")),
        ('e[name="x]y"]', ("e", Match("name", "x]y"))),
        ("f[=x]", ("f", Match("", "x"))),
        ("e[a=b=c]", ("e", Match("a", "b=c"))),
        ("ports.8080", ("ports", "8080")),
    ],
)
def test_paths(path: str, steps: tuple[object, ...]) -> None:
    assert parse(path) == steps
    assert parse(format_path(steps)) == steps  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["a.", "a..b", "a[", "a[]", "a[x]", "a[0", "a]b[", '"a', "a[0]b"])
def test_what_is_no_path_is_said_so(path: str) -> None:
    with pytest.raises(Refused, match="path"):
        parse(path)


STEP = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.integers(-99, 99),
    st.builds(Match, st.text("ab=.[]\"'\\ ", max_size=4), st.text("ab=.[]\"'\\ ", max_size=4)),
)


@given(st.lists(STEP, min_size=1, max_size=4))
def test_every_path_can_be_written_and_read_again(steps: list[str | int | Match]) -> None:
    assert parse(format_path(steps)) == tuple(steps)


@pytest.mark.parametrize(
    ("word", "steps", "value"),
    [
        ("spec.replicas=5", ("spec", "replicas"), 5),
        ("image=nginx:1.27", ("image",), "nginx:1.27"),
        ("c[name=app].x={a: [1, 'b']}", ("c", Match("name", "app"), "x"), {"a": [1, "b"]}),
        ('"a=b"=c=d', ("a=b",), "c=d"),
        ("a=yes", ("a",), True),
        ("a='yes'", ("a",), "yes"),
        ("a=2024-01-01", ("a",), "2024-01-01"),
        ("a=0o17", ("a",), 15),
        ("a=", ("a",), None),
        ("a=''", ("a",), ""),
    ],
)
def test_assignments(word: str, steps: tuple[object, ...], value: object) -> None:
    found, read = assignment(word)
    assert found == steps and read == value and type(read) is type(value)


@pytest.mark.parametrize("word", ["a", "", "a[name=b]", "a=[1", "a=1\n---\n2", "a=*x", "a=@x"])
def test_what_is_no_assignment_is_refused(word: str) -> None:
    with pytest.raises(Refused):
        assignment(word)


def test_values_may_be_any_yaml() -> None:
    assert read_value("|\n  a\n  b\n") == "a\nb\n" and read_value("- 1\n- x: z\n") == [1, {"x": "z"}]
