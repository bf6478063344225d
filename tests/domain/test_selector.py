"""Label selectors and times, as kubectl and Kubernetes understand them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain import when
from tui.domain.selector import Selector, from_object, parse

WEB = {"app": "web", "tier": "front", "empty": ""}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        (" app = web , tier=front ", True),
        ("app=db", False),
        ("app!=db", True),
        ("missing!=x", True),
        ("app in (web, db)", True),
        ("app in (db)", False),
        ("app notin (db,x),tier", True),
        ("missing notin (x)", True),
        ("tier", True),
        ("!tier", False),
        ("! missing", True),
        ("missing", False),
        ("empty=", True),
        ("empty", True),
        ("missing=", False),
        ("example.com/name notin (a)", True),
    ],
)
def test_selectors_of_the_command_line(text: str, matches: bool) -> None:
    assert parse(text).matches(WEB) is matches


@pytest.mark.parametrize(
    "text", ["app=web db", "app in web", "app in (web", "=x", "app=a=b", "(a)", "!", "a,=", "app in ((a))"]
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a label selector"):
        parse(text)


def test_selectors_of_manifests() -> None:
    found = from_object(
        {"matchLabels": {"app": "web", "n": 1}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    )
    assert found.matches({**WEB, "n": "1"}) and not found.matches(WEB)
    assert from_object(None).matches(None) and from_object({}).matches({})
    for wrong in ([], {"matchLabels": [1]}, {"matchExpressions": [{"operator": "Is"}]}, {"matchExpressions": [3]}):
        with pytest.raises(ValueError):
            from_object(wrong)
    for operator, values in (("In", []), ("Exists", ["x"]), ("In", "x")):
        with pytest.raises(ValueError, match="values"):
            from_object({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]})


words = st.text("abcxyz.-/", min_size=1, max_size=4).filter(lambda word: word not in ("in", "notin"))
requirements = st.tuples(
    words, st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]), st.lists(words, min_size=1, max_size=3)
)


@given(parts=st.lists(requirements, max_size=4), labels=st.dictionaries(words, words, max_size=4))
def test_a_selector_written_out_and_read_again_is_the_same(
    parts: list[tuple[str, str, list[str]]], labels: dict[str, str]
) -> None:
    written = from_object(
        {
            "matchExpressions": [
                {"key": key, "operator": operator, **({"values": values} if "In" in operator else {})}
                for key, operator, values in parts
            ]
        }
    )
    again = parse(str(written))
    assert isinstance(again, Selector)
    assert again.matches(labels) is written.matches(labels)


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 61, "3h1m"),
        (8 * 3600, "8h"),
        (47.9 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (8 * 86400, "8d"),
        (800 * 86400, "2y70d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_as_kubectl_prints_them(elapsed: float, text: str) -> None:
    assert when.age(elapsed) == text


def test_times_of_kubernetes() -> None:
    assert when.seconds("2026-11-22T09:00:00Z") == 1795338000.0
    assert when.seconds("2026-11-22T10:00:00+01:00") == 1795338000.0
    assert when.seconds("2026-11-22T09:00:00.123456789Z") == pytest.approx(1795338000.123456)
    assert when.seconds("2026-11-22T09:00:00") == 1795338000.0
    assert [when.seconds(text) for text in ("", None, "yesterday", "9999-99-99T00:00:00Z")] == [None] * 4
    assert when.rfc3339(1795338000.9) == "2026-11-22T09:00:00Z"


@given(st.integers(0, 4_000_000_000))
def test_a_time_written_out_and_read_again_is_the_same(moment: int) -> None:
    assert when.seconds(when.rfc3339(moment)) == moment
